/** Probabilities of labels and gates against what the truth has. Layer: measure. */
#ifndef HG_MEASURE_LABELS_H
#define HG_MEASURE_LABELS_H

#include "measure/measure_pass.h"

/** Score the columns X_probability of a catalogue of predictions, for the targets X of the
 * parameters that are labels or have a hurdle, on rows that were not used in training. A row's
 * label is what the target's expression gives in the truth: 1 or 0, or above the hurdle.
 *
 * @collective{comm}
 * @param[in,out] statistics  gets a score per target that both catalogues have
 * @return HG_OK; HG_E_PARAM for bad recipes; the failures of reading
 */
HG_MUST_CHECK hg_status hg_measure_labels(const hg_comm *comm, const hg_measure_plan *plan,
                                          const hg_measured_set *set, const hg_measured *one,
                                          const hg_measured *truth, hg_statistics *statistics);

#endif
