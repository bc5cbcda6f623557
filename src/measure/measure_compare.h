/** Predicted against true, row by row: 2-D histograms and metrics. Layer: measure. */
#ifndef HG_MEASURE_COMPARE_H
#define HG_MEASURE_COMPARE_H

#include "measure/measure_pass.h"

/** Compare a catalogue with the one called truth, column by column of Measure.compare. Rows
 * that were training haloes (column `origin` not 0) are left out; rows where either value is
 * not positive cannot be compared in dex and are counted. Nothing happens when the row numbers
 * differ.
 *
 * @collective{comm}
 * @return HG_OK; the failures of reading; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_compare(const hg_comm *comm, const hg_measure_plan *plan,
                                           const hg_measured_set *set, const hg_measured *one,
                                           const hg_measured *truth, hg_statistics *statistics);

#endif
