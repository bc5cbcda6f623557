/** P(k) and slices of a sample or a pair of samples. Layer: measure. */
#ifndef HG_MEASURE_POWER_H
#define HG_MEASURE_POWER_H

#include "measure/measure_points.h"
#include "measure/measure_sample.h"
#include "stats/power_fold.h"

/** What the modes of all lines of sight gave. */
typedef struct hg_mode_sums {
    int n_line;                   /**< lines of sight */
    hg_fine fine[HG_FOLD_LEVELS]; /**< mean over them; of the box and its folds */
    hg_power line[3]; /**< spectra of each, where there are several; without folds */
    hg_wedges wedges; /**< mean over them; empty without Measure.wedges */
} hg_mode_sums;

/** Add the multipoles of P(k), of each fold by itself and of all joined, and wedges.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_power(const hg_sample_task *task, const hg_mode_sums *sums);
void hg_mode_sums_clear(hg_mode_sums *sums);

/** Add the map of the objects with z in the lowest slice_depth of the box, on the (x, y) plane.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_slice(const hg_comm *comm, const hg_sample_task *task,
                                         const hg_points *points);

#endif
