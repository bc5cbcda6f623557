/** Forests trained without a fold, each shown to a function that tests it: distributed over
 * trials and, within a trial, over trees. Layer: validate. */
#ifndef HG_VALIDATE_HELD_OUT_H
#define HG_VALIDATE_HELD_OUT_H

#include "validate/folds.h"

enum { HG_FOLD_NONE = -1 }; /**< a trial that holds nothing out */

/** One training. */
typedef struct hg_trial {
    int fold;
    double share; /**< of the training units, chosen by their key; 1 = all */
    hg_train_options options;
    const bool *drop; /**< shape (features): those the forest does without; NULL = none */
    const float *x;   /**< shape (rows, features): what it trains on; NULL = the rows' own */
    const bool *lost; /**< shape (rows): those it does not train on; NULL = none */
} hg_trial;

/** The features of a row that a trial trains on.
 *
 * @local
 * @param[in]  x     shape (features): all of them
 * @param[out] kept  room for as many
 * @return their number
 */
int hg_trial_features(const hg_validation *validation, const hg_trial *trial, const float x[],
                      float kept[]);

/** Whether a trial trains on a row.
 *
 * @local
 */
bool hg_held_out_trains(const hg_folds *folds, const hg_trial *trial, int64_t row);

/** Test a forest.
 *
 * @collective{group}
 * @param[in] context  as given to hg_held_out_run()
 * @param[in] group    the ranks that trained this forest
 * @param[in] trial    its number
 * @param[in] model    trained
 * @param[in] n        held-out rows
 * @param[in] row      shape (n); their numbers among all rows, ascending
 * @return HG_OK, or a failure that ends the validation
 */
typedef hg_status hg_trial_visit(void *context, const hg_comm *group, int trial,
                                 const hg_stages *model, int64_t n, const int64_t row[]);

/** Train and test. The forests are those of one rank, bit for bit, for any number of ranks.
 *
 * @collective{comm}
 * @param[in] folds    of all rows
 * @param[in] n        trials
 * @param[in] trial    shape (n), the same on all ranks
 * @param[in] done     shape (n): trials to leave out; NULL = none
 * @param[in] visit    called for every trial on the ranks that trained it
 * @return HG_OK; HG_STOPPED when a stop was asked for; the failures of hg_stages_train() and of
 * `visit`
 */
HG_MUST_CHECK hg_status hg_held_out_run(const hg_comm *comm, const hg_folds *folds, int n,
                                        const hg_trial trial[], const uint8_t done[],
                                        hg_trial_visit *visit, void *context);

/** Train the forest of one trial.
 *
 * @collective{comm}
 * @param[out] model  owned by the caller, free with hg_stages_free(); NULL on failure
 * @return HG_OK; the failures of hg_stages_train()
 */
HG_MUST_CHECK hg_status hg_held_out_train(const hg_comm *comm, const hg_folds *folds,
                                          const hg_trial *trial, hg_stages **model);

/** Predict rows by their numbers, with a model of all features.
 *
 * @local
 * @param[in]  all     shape (rows, features): those of the validation, or others in their place
 * @param[in]  row     shape (n)
 * @param[in]  x, key  room for features and keys of n rows
 * @param[in]  result  arrays to fill, as for hg_stages_predict()
 * @return the failures of hg_stages_predict()
 */
HG_MUST_CHECK hg_status hg_held_out_predict(const hg_validation *validation,
                                            const hg_stages *model,
                                            const hg_predict_options *options,
                                            const float all[], int64_t n, const int64_t row[],
                                            float x[], uint64_t key[],
                                            const hg_prediction *result);

/** Share of some rows that belongs to this rank of a group: rows first to end.
 *
 * @local
 */
void hg_held_out_slice(int64_t n, const hg_comm *group, int64_t *first, int64_t *end);

/** Sum arrays of doubles over ranks of which all but one hold zeros: exact, also for NaN and
 * infinity.
 *
 * @collective{comm}
 * @param[in,out] x  shape (n)
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_held_out_join(const hg_comm *comm, size_t n, double x[]);

#endif
