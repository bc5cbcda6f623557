/** Metrics of held-out rows with errors, for every target, method and bin. Layer: validate. */
#ifndef HG_VALIDATE_SCORING_H
#define HG_VALIDATE_SCORING_H

#include "validate/guesses.h"
#include "validate/subsets.h"

enum { HG_MARKS_MAX = 24 };

/** Metrics of one target, method and bin. */
typedef struct hg_marks {
    int target;
    bool is_label; /**< of the label, or of whether the target is open */
    int method;    /**< -1 = the forest, else the rival */
    int cut, bin;
    double value[HG_MARKS_MAX]; /**< in the order of hg_marks_name(); NaN where not defined */
    double error[HG_MARKS_MAX]; /**< leave-one-block-out jackknife; NaN where not known */
} hg_marks;

/** All metrics; {0} is a valid empty list. */
typedef struct hg_scoring {
    int64_t n;
    hg_marks *marks; /**< by target, method, cut, bin */
} hg_scoring;

/** Compute all metrics. Errors are given for the forest, and of rivals for all rows together.
 *
 * @collective{comm}
 * @param[out] scoring  the same on all ranks; release with hg_scoring_clear(), also after a
 * failure
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT when weights sum to 0
 * @source jackknife over blocks: Kunsch 1989, Annals of Statistics 17, 1217
 */
HG_MUST_CHECK hg_status hg_scoring_run(const hg_comm *comm, const hg_folds *folds,
                                       const hg_guesses *guesses, const hg_cuts *cuts,
                                       hg_scoring *scoring);
void hg_scoring_clear(hg_scoring *scoring);

/** Names of metrics of values or of labels: those of stats/metric.h; for values also gain
 * (MSE_b/MSE), excess (mean square error above the irreducible), crps, pit_ks, cover68 and
 * cover95.
 *
 * @local
 * @return their number, or name i (borrowed)
 */
int hg_marks_count(bool is_label);
const char *hg_marks_name(bool is_label, int i);

/** The metric of a name; NaN when there is none.
 *
 * @local
 */
double hg_marks_value(const hg_marks *marks, const char *name);
double hg_marks_error(const hg_marks *marks, const char *name);

#endif
