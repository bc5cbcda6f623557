/** What is scored of a model: values of targets where they are open, labels, and whether a
 * target is open. Layer: validate. */
#ifndef HG_VALIDATE_SCORED_H
#define HG_VALIDATE_SCORED_H

#include "validate/validation.h"

enum { HG_SCORED_MAX = 2 * HG_TARGETS_MAX };

/** Values of a target where it is open, or a label, or whether it is open. */
typedef struct hg_scored {
    int target;
    bool is_label;
    char name[80];   /**< "X", or "X open" */
    double variance; /**< of the truth over all rows, weighted */
} hg_scored;

/** List what is scored, in the order of the targets.
 *
 * @local
 * @param[out] scored  shape (HG_SCORED_MAX)
 * @return their number
 */
int hg_scored_list(const hg_validation *validation, hg_scored scored[]);

/** Truth of a row; NaN where there is none.
 *
 * @local
 */
double hg_scored_truth(const hg_validation *validation, const hg_scored *scored, int64_t row);

/** What was predicted of it for row i of a prediction; not finite where it is closed.
 *
 * @local
 * @param[in] mean, probability  of hg_stages_predict()
 */
double hg_scored_guess(const hg_validation *validation, const hg_scored *scored, int64_t i,
                       const double mean[], const double probability[]);

#endif
