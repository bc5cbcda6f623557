/** The training rows in canonical order, each rank with its range of them. Layer: forest. */
#ifndef HG_FOREST_ROWS_H
#define HG_FOREST_ROWS_H

#include "forest/kernel.h"
#include "forest/row_sort.h"
#include "par/shared.h"

/** Canonical rows first to first + n - 1 on this rank; owned, free with hg_rows_clear(). */
typedef struct hg_rows {
    int64_t n;
    int64_t first;
    int64_t n_all; /**< on all ranks */
    int has_group;
    int has_weight;
    uint64_t *key;     /**< shape (n) */
    uint64_t *group;   /**< shape (n), all 0 where there are no groups */
    uint64_t *parent;  /**< shape (n) */
    double *weight;    /**< shape (n); NULL without weights */
    double *y;         /**< shape (n, n_target) */
    uint32_t *integer; /**< shape (n); integer weights, set by hg_scaling_make() */
    hg_word *record;   /**< shape (n, stride), made by hg_rows_place_features() */
    int is_shared;     /**< the records are part of a block that is not the rows' */
    hg_route route;
} hg_rows;

/** Check the rows of this rank: finite values, positive weights.
 *
 * @local
 * @return HG_OK; HG_E_INPUT naming key and column; HG_E_SHAPE; HG_E_ARG
 */
HG_MUST_CHECK hg_status hg_rows_check(const hg_train_data *data);

/** Put the rows of all ranks into the order of (group, key) and give each rank its range: all
 * columns but the features.
 *
 * @collective{comm}
 * @param[in] threads  that move columns, 0 = as many as there are
 * @return HG_OK; HG_E_INPUT for duplicate keys or no rows; HG_E_SHAPE when ranks differ;
 * HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rows_sort(const hg_comm *comm, int threads,
                                     const hg_train_data *data, hg_rows *rows);

/** Make the records: features in canonical order, the other words zero.
 *
 * @collective{comm}
 * @param[in]     stride  words of a record
 * @param[in]     block   room for the records of all rows, of which each rank makes its own;
 *                        NULL = the rows get an array
 * @param[in,out] rows    of hg_rows_sort(), with the same data
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rows_place_features(const hg_comm *comm, const hg_train_data *data,
                                               size_t stride, const hg_shared *block,
                                               hg_rows *rows);
void hg_rows_clear(hg_rows *rows);

#endif
