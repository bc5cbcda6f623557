/** What is known of every held-out row: predictions of the forest that did not see it, of the
 * baselines, and scores of draws. Layer: validate. */
#ifndef HG_VALIDATE_GUESSES_H
#define HG_VALIDATE_GUESSES_H

#include "validate/rivals.h"

/** Predictions of all rows by one method; {0} is a valid empty one. */
typedef struct hg_guesses {
    int64_t n;      /**< rows */
    int n_target;   /**< targets */
    int n_draw;     /**< draws that were scored, 0 = none */
    double *mean;   /**< shape (n, n_target); -infinity = closed; of labels a probability */
    double *spread; /**< shape (n, n_target); of the trees; NULL without Validate.parent */
    double *probability; /**< shape (n, n_target); of being open; NaN for plain targets */
    double *pit;         /**< shape (n, n_target); randomised, closed counts as below all; NaN
                              for labels, and without draws; likewise below */
    double *crps;        /**< shape (n, n_target); NaN where truth or a draw is closed */
    double *draw;        /**< shape (n, n_target); the first draw */
    double *energy;      /**< shape (n); energy score of plain targets, each over its standard
                              deviation */
    int n_rival;         /**< baselines */
    char rival_name[HG_RIVALS_MAX][HG_RIVAL_NAME]; /**< training mean, isotonic vmax, ... */
    double *rival;     /**< shape (n_rival, n, n_target); of labels the share */
    double *reference; /**< shape (n, n_target); mean of the rows that trained */
} hg_guesses;

/** Train a forest without each fold and predict the fold; fit the baselines to the same rows.
 *
 * @collective{comm}
 * @param[out] guesses  release with hg_guesses_clear(), also after a failure
 * @return HG_OK; the failures of hg_held_out_run(); HG_E_PARAM for a proxy that is no feature
 */
HG_MUST_CHECK hg_status hg_guesses_make(const hg_comm *comm, const hg_folds *folds,
                                        hg_guesses *guesses);
void hg_guesses_clear(hg_guesses *guesses);

#endif
