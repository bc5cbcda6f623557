/** How much worse held-out haloes are predicted without a feature. Layer: explain. */
#ifndef HG_EXPLAIN_IMPORTANCE_H
#define HG_EXPLAIN_IMPORTANCE_H

#include "explain/feature_sets.h"
#include "validate/folds.h"
#include "validate/scored.h"

/** A mean square error, or by how much it grows. */
typedef struct hg_growth {
    double value;  /**< transformed unit squared */
    double error;  /**< leave-one-fold-out jackknife; NaN with one fold */
    double repeat; /**< standard error from the scatter over permutations; NaN for one */
} hg_growth;

/** Importance of all sets for all that is scored; {0} is a valid empty one. */
typedef struct hg_importance {
    int n_scored;
    hg_scored scored[HG_SCORED_MAX];
    hg_growth mse[HG_SCORED_MAX]; /**< of the whole forests */
    hg_feature_sets sets;
    hg_growth *permuted; /**< shape (n_scored, sets.n); NULL without permutations */
    hg_growth *dropped;  /**< shape (n_scored, sets.n); NULL when not asked for; NaN for a set
                              of all features */
} hg_importance;

/** Train a forest without each fold; permute the features of each set among all haloes, and
 * predict the fold; train without the set where Explain.drop says so. The numbers are the same
 * for any number of ranks and threads.
 *
 * @collective{comm}
 * @param[out] importance  release with hg_importance_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for a wrong group; the failures of hg_held_out_run()
 * @source Breiman 2001, Machine Learning 45, 5, section 10; dropped: Lei et al. 2018, Journal
 * of the American Statistical Association 113, 1094, section 6
 */
HG_MUST_CHECK hg_status hg_importance_measure(const hg_comm *comm, const hg_folds *folds,
                                              hg_importance *importance);
void hg_importance_clear(hg_importance *importance);

#endif
