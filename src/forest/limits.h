/** Rows unlike the training rows: what is measured of a row, and which values are unusual.
 * Layer: forest. */
#ifndef HG_FOREST_LIMITS_H
#define HG_FOREST_LIMITS_H

#include "forest/shares.h"

/** Trees whose leaf-mates are looked at: a quarter of the forest, 1 to 16, so that nearly every
 * training row has as many trees that did not see it.
 *
 * @local
 */
int hg_limits_trees(const hg_forest *forest);

/** Mean, spread and leaf-mates of a training row over the trees that did not see it, of which
 * there is one at least.
 *
 * @local
 * @param[in]  row     canonical
 * @param[in]  x       shape (n_feature)
 * @param[in]  n_near  leaf-mates of at most so many of these trees
 * @param[out] mean    shape (n_target); may be NULL
 * @param[out] spread  shape (n_target): standard deviation over trees, with the bias of all
 * trees and not that of these; may be NULL
 * @param      shares  empty; may be NULL
 */
void hg_limits_unseen(const hg_forest *forest, int64_t row, const float x[], int n_near,
                      double mean[], double spread[], hg_shares *shares);

/** Choose f->limit from a sample of the training rows, each over trees that did not see it, to
 * be called when residuals and full bags stand: of these rows 5 and 1 per cent are beyond one
 * or more limits. The limits are NaN without a bag and with fewer than 100 such rows. Rows are
 * dealt over ranks and threads; the result does not depend on either.
 *
 * @collective{comm}
 * @param[in]     threads  OpenMP threads; 0 = as OpenMP says
 * @param[in]     x  shape (n_row, stride); canonical order, features first
 * @param[in,out] f  the same on all ranks
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_limits_choose(const hg_comm *comm, int threads, const float x[],
                                         size_t stride, hg_forest *f);

/** The same for a forest on disk: rank 0 looks, with the files as memory.
 *
 * @collective{comm}
 * @param[in]     n  rows of the sample
 * @param[in]     x  shape (n, n_feature); of hg_sample_gather()
 * @param[in,out] f  the spill on rank 0; offsets, options and full bags on all ranks
 * @return HG_OK; HG_E_MEMORY; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_limits_choose_on_disk(const hg_comm *comm, int64_t n,
                                                 const float x[], hg_forest *f);

/** Flag a row by the limits and by the ranges of the features.
 *
 * @local
 * @param[in] is_outside  whether a feature is outside its training range
 * @param[in] spread      shape (n_target)
 */
hg_domain hg_limits_flag(const hg_forest *forest, int is_outside, const hg_near *near,
                         const double spread[]);

#endif
