/** Conditional quantiles of targets from the shares of training rows. Layer: forest. */
#ifndef HG_FOREST_QUANTILE_H
#define HG_FOREST_QUANTILE_H

#include "forest/shares.h"

/** Memory of one thread; {0} is empty, free with hg_sorter_clear(). */
typedef struct hg_sorter {
    size_t room;
    uint64_t *entry; /**< shape (room): code of the value, then the row */
    uint64_t *spare; /**< shape (room) */
} hg_sorter;

/** Release the memory.
 *
 * @local
 */
void hg_sorter_clear(hg_sorter *sorter);

/** Quantiles of all targets: the smallest value y of a row with a share such that rows with
 * values up to y have at least `level` of all shares.
 *
 * @local
 * @param[in]  shares  over all trees that count
 * @param      sorter  scratch
 * @param[in]  n       number of levels
 * @param[in]  level   shape (n), ascending, in (0, 1)
 * @param[in]  stride  doubles from one level to the next in `quantile`
 * @param[out] quantile  shape (n, n_target); NaN without shares
 * @return HG_OK; HG_E_MEMORY
 * @source Meinshausen 2006, Journal of Machine Learning Research 7, 983
 */
HG_MUST_CHECK hg_status hg_quantiles(const hg_forest *forest, const hg_shares *shares,
                                     hg_sorter *sorter, int n, const double level[],
                                     size_t stride, double quantile[]);

#endif
