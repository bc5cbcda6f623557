/** Calibration of residual draws: a factor per training row that takes the error of the
 * out-of-bag mean out of its residual, and a shift per target. Layer: forest. */
#ifndef HG_FOREST_CALIBRATE_H
#define HG_FOREST_CALIBRATE_H

#include "forest/model.h"

/** Fill f->shrink and f->shift, to be called when trees, residuals and full bags stand; 1
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

#endif
