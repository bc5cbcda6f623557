/** From rows to what trees are grown from: integer targets and weights, records, and the rule
 * of growth. Layer: forest. */
#ifndef HG_FOREST_SCALING_H
#define HG_FOREST_SCALING_H

#include "forest/model.h"
#include "forest/rows.h"

/** Check options and rows of a training.
 *
 * @local
 * @return HG_OK; HG_E_ARG; HG_E_SHAPE; HG_E_INPUT
 */
HG_MUST_CHECK hg_status hg_train_check(const hg_train_options *options,
                                       const hg_train_data *data);

/** Make a forest without trees, with room for n rows.
 *
 * @local
 * @param[out] forest  owned by the caller, free with hg_forest_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_train_start(const hg_train_options *options,
                                       const hg_train_data *data, int64_t n,
                                       hg_forest **forest);

/** Make the records of this rank's rows, and measure over all ranks' rows what is common to all
 * trees: scales of targets, unit of weights, ranges of features, and the hash of the rows.
 * Everything is an exact minimum or maximum or a sum of integers, so the result does not depend
 * on the distribution of the rows.
 *
 * @collective{comm}
 * @param[in,out] rows    of hg_rows_sort(); gets `integer` and `record`
 * @param[out]    block   gets room for the records of all rows, with those of this rank in
 *                        their places; release with hg_shared_clear(), after a failure too;
 *                        NULL = the rows get an array
 * @param[in,out] forest  gets centre, quantum, scale, cost, weights, unit, ranges, hash of rows
 * @param[out]    plan    all but n, row, group and weight, which the scheme sets
 * @return HG_OK; HG_E_MEMORY; HG_E_ENVIRONMENT for a wrong HG_SIMD
 * @source docs/science/forest.md, "Integers"
 */
HG_MUST_CHECK hg_status hg_scaling_make(const hg_comm *comm, const hg_train_options *options,
                                        const hg_train_data *data, hg_rows *rows,
                                        hg_shared *block, hg_forest *forest, hg_plan *plan);

/** Residuals r = y - mean over the trees that did not see the row, NaN where these are too few.
 *
 * @local
 * @param[in]  oob_sum    shape (n, n_target); sums in 1/HG_OOB_QUANTUM quanta
 * @param[in]  oob_trees  shape (n)
 * @param[out] residual   shape (n, n_target)
 */
void hg_scaling_residuals(const hg_train_options *options, const hg_rows *rows,
                          const int64_t oob_sum[], const int64_t oob_trees[],
                          const hg_forest *forest, float residual[]);

#endif
