/** Calibration of residual draws: a factor per training row that takes the error of the
 * out-of-bag mean out of its residual, and a bound per target. Layer: forest. */
#ifndef HG_FOREST_CALIBRATE_H
#define HG_FOREST_CALIBRATE_H

#include "forest/model.h"
#include "forest/scaling.h"

enum { HG_CALIBRATE_TREES = 48 }; /**< trees over which weights are summed at most */

/** Factor of a row's residual, 1 when it has too few trees to tell.
 *
 * @local
 * @param[in] a       sum over trees of the sum of squared weights of leaf-mates
 * @param[in] q       sum of the squares of the mates' mean weights over these trees
 * @param[in] n_used  number of these trees
 * @param[in] n_oob   trees in the row's out-of-bag mean
 * @param[in] n_tree  trees of the forest
 */
float hg_calibrate_factor(double a, double q, int n_used, int n_oob, int n_tree);

/** Fill f->shrink and f->keep, to be called when trees, residuals and full bags stand; 1 and 0
 * without a bag or when options.calibrate is 0. Rows are dealt over ranks and threads; the
 * factors do not depend on either.
 *
 * @collective{comm}
 * @param[in]     threads  OpenMP threads; 0 = as OpenMP says
 * @param[in]     x  shape (n_row, stride); canonical order, features first
 * @param[in,out] f  the same on all ranks
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_calibrate_residuals(const hg_comm *comm, int threads,
                                               const float x[], size_t stride, hg_forest *f);

/** The same for a forest on disk whose rows lie on many ranks: block of rows by block, each
 * against all trees, which rank 0 reads from the spill.
 *
 * @collective{comm}
 * @param[in]  plan       with the rows of this rank
 * @param[in]  f          offsets of trees, full bags, spill
 * @param[in]  n_mate     shape (n_tree); leaf-mates of each tree
 * @param[in]  oob_trees  shape (n)
 * @param[out] shrink     shape (n)
 * @return HG_OK; HG_E_MEMORY; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_calibrate_rows(const hg_comm *comm, const hg_plan *plan,
                                          const hg_forest *f, const int64_t n_mate[],
                                          const int64_t oob_trees[], float shrink[]);

#endif
