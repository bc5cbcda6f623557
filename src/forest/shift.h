/** How far draws move with the mean. Layer: forest. */
#ifndef HG_FOREST_SHIFT_H
#define HG_FOREST_SHIFT_H

#include "forest/model.h"

/** Fill f->shift, to be called when residuals and their factors stand. Rows are dealt over
 * ranks and threads; the result does not depend on either.
 *
 * @collective{comm}
 * @param[in]     threads  OpenMP threads; 0 = as OpenMP says
 * @param[in]     x  shape (n_row, stride); canonical order, features first, of which a rank
 * uses the rows [n_row rank / size, n_row (rank + 1) / size)
 * @param[in,out] f  the same on all ranks
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shift_choose(const hg_comm *comm, int threads, const float x[],
                                        size_t stride, hg_forest *f);

/** The same for a forest on disk whose rows lie on many ranks: rank 0 draws, with the files as
 * memory.
 *
 * @collective{comm}
 * @param[in]     n  rows of the sample
 * @param[in]     x  shape (n, n_feature); of hg_sample_gather()
 * @param[in,out] f  the spill on rank 0; offsets, options and full bags on all ranks
 * @return HG_OK; HG_E_MEMORY; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_shift_choose_on_disk(const hg_comm *comm, int64_t n, const float x[],
                                                hg_forest *f);

#endif
