/** What the curves of one sample, or of a pair of samples, have in common. Layer: measure. */
#ifndef HG_MEASURE_SAMPLE_H
#define HG_MEASURE_SAMPLE_H

#include "measure/measure_pass.h"

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

#endif
