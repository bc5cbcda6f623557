/** The training rows of all ranks in canonical order. Layer: forest. */
#ifndef HG_FOREST_ROWS_H
#define HG_FOREST_ROWS_H

#include "halograft/forest.h"

/** All rows on every rank; owned, free with hg_rows_clear(). */
typedef struct hg_rows {
    int64_t n;
    int has_group;
    int has_weight;
    uint64_t *key;
    uint64_t *group;
    uint64_t *parent;
    double *weight;
    float *x;  /**< shape (n, n_feature) */
    double *y; /**< shape (n, n_target) */
} hg_rows;

/** Check the rows of this rank: finite values, positive weights.
 *
 * @local
 * @return HG_OK; HG_E_INPUT naming key and column; HG_E_SHAPE; HG_E_ARG
 */
HG_MUST_CHECK hg_status hg_rows_check(const hg_train_data *data);

/** Gather the rows of all ranks, in the order of (group, key).
 *
 * @collective{comm}
 * @return HG_OK; HG_E_INPUT for duplicate keys or no rows; HG_E_SHAPE when ranks differ;
 * HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rows_gather(const hg_comm *comm, const hg_train_data *data,
                                       hg_rows *rows);
void hg_rows_clear(hg_rows *rows);

#endif
