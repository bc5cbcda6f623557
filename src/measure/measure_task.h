/** What the curves of one sample, or of a pair of samples, have in common; P(k) and slices of
 * it. Layer: measure. */
#ifndef HG_MEASURE_TASK_H
#define HG_MEASURE_TASK_H

#include "measure/measure_pass.h"
#include "measure/measure_points.h"
#include "stats/power_fold.h"

/** What the curves of one sample, or of one pair of samples, share. */
typedef struct hg_sample_task {
    const hg_measure_plan *plan;
    const hg_measured *source;
    const char *name;               /**< of the sample or the pair */
    const hg_measure_pass *pass[2]; /**< where the rows of a and b are */
    int sample[2];                  /**< a and b; b is -1 for one sample */
    bool is_redshift;               /**< positions are those of redshift space */
    double box;
    int64_t objects[2];
    double common; /**< sum of w_a w_b over common objects, for one sample sum of w^2 */
    double weight_sum[2];
    double shot;   /**< V common / (sum w_a sum w_b) */
    bool is_loud;  /**< this rank gives warnings */
    bool is_first; /**< first realisation of its catalogue */
    hg_statistics *statistics;
} hg_sample_task;

/** Start the label of a curve: names of statistic, sample and catalogue, logarithmic x.
 *
 * @local
 */
void hg_sample_label(const hg_sample_task *task, const char *statistic, hg_label *label);

/** Add the attributes that all curves of a sample have.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sample_attributes(const hg_sample_task *task, hg_attributes *a);

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
