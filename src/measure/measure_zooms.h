/** The mass functions that the zoom regions promise for the parent: weighted sums over regions.
 * Layer: measure.
 */
#ifndef HG_MEASURE_ZOOMS_H
#define HG_MEASURE_ZOOMS_H

#include "measure/measure_pass.h"

/** Add the curves of a catalogue called zooms, when Measure.zooms is set and there is a region
 * table with radii and weights: sum over regions of w_i N_i / (V_i dlog10 M) with weights of
 * sum 1; the count is the number of galaxies, error and percentiles come from resampling
 * regions.
 *
 * @collective{comm}
 * @return HG_OK, also without such a table; the failures of reading; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_zooms(const hg_comm *comm, const hg_measure_plan *plan,
                                         hg_statistics *statistics);

#endif
