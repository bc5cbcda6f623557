/** What orphans bring to pairs of galaxies within a halo. Layer: measure. */
#ifndef HG_MEASURE_ORPHANS_H
#define HG_MEASURE_ORPHANS_H

#include "measure/measure_pass.h"

/** For each sample that was measured with and without orphans, say in the log and as a score
 * how much of the area below wp(rp), in bins that end at 0.6 Mpc/h or before, is left without
 * them. Without a bin there, or without h, there is nothing to say.
 *
 * @local
 * @param[in]     source      its curves are in the statistics, draws averaged
 * @param[in,out] statistics  gets scores `one_halo_SAMPLE_CATALOGUE`
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_orphans(const hg_measure_plan *plan,
                                           const hg_measured *source,
                                           hg_statistics *statistics);

#endif
