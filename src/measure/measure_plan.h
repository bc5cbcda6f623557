/** What is measured in every catalogue, from the parameters. Layer: measure. */
#ifndef HG_MEASURE_PLAN_H
#define HG_MEASURE_PLAN_H

#include "halograft/params.h"
#include "stats/curve.h"
#include "stats/histogram.h"
#include "stats/power_fold.h"
#include "table/expression.h"

enum { HG_SAMPLE_MAX = 64, HG_CROSS_MAX = 64 };

/** A named selection of rows, with a weight or without. */
typedef struct hg_sample {
    char name[HG_LABEL_MAX];
    char text[256];
    hg_expression *expression;
    char weight_text[128]; /**< "" = 1 */
    hg_expression *weight; /**< or NULL */
    bool is_hidden;        /**< only for cross statistics */
    bool is_found;         /**< another without its orphans; not where nothing tells them */
    int without_orphans;   /**< number of that other, of a sample that has one; 0 = none */
} hg_sample;

/** A pair of samples of Measure.cross. */
typedef struct hg_cross {
    int a, b;                     /**< samples */
    char catalogue[HG_LABEL_MAX]; /**< of b; "" = the same as that of a */
    char name[HG_LABEL_MAX];      /**< name of the pair in the output */
} hg_cross;

/** A column against another, of Measure.relations. */
typedef struct hg_related {
    char column[HG_NAME_MAX], to[HG_NAME_MAX];
    bool is_pair; /**< written as column:to */
} hg_related;

typedef struct hg_measure_plan {
    const hg_params *params;
    int n_sample;
    hg_sample sample[HG_SAMPLE_MAX];
    bool default_samples;
    int n_cross;
    hg_cross cross[HG_CROSS_MAX];
    int n_related;
    hg_related related[HG_LIST_MAX];
    hg_expression *relation_where;
    hg_expression *central, *quenched; /**< or NULL */
    hg_axis mass_axis, relation_axis, fine_axis;
} hg_measure_plan;

/** Compile the samples, look up the pairs of samples, and lay out the bins.
 *
 * @local
 * @param[out] plan  release with hg_measure_plan_clear(), also after a failure; borrows params
 * @return HG_OK; HG_E_PARAM for an expression that cannot be read, too many samples, a pair
 * whose samples are not known, redshift space without a line of sight, or bins of P(k) that are
 * thinner than modes are apart or too many
 */
HG_MUST_CHECK hg_status hg_measure_plan_init(const hg_params *params, hg_measure_plan *plan);
void hg_measure_plan_clear(hg_measure_plan *plan);

/** Lines of sight of Measure.line_of_sight: none, one axis, or all three for the mean.
 *
 * @local
 * @param[out] los  shape (3)
 * @return their number; 0 for none
 */
int hg_measure_lines(const hg_params_measure *o, hg_los los[3]);

/** Bins of P(k), over all folds.
 *
 * @local
 * @param[out] bins  filled
 * @return HG_OK; HG_E_ARG as hg_fold_bins_init(), never for a plan that was made
 */
HG_MUST_CHECK hg_status hg_measure_power_bins(const hg_params_measure *o, hg_fold_bins *bins);

/** Samples that every catalogue is measured for: the user's, and those of pairs within it.
 *
 * @local
 * @return bit s = sample s
 */
uint64_t hg_measure_plan_wanted(const hg_measure_plan *plan);

/** Samples that a catalogue of that name is read for because others are paired with it.
 *
 * @local
 * @return bit s = sample s
 */
uint64_t hg_measure_plan_referred(const hg_measure_plan *plan, const char *catalogue);

#endif
