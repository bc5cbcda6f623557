/** Hyperparameter search and learning curve over held-out folds. Layer: validate. */
#ifndef HG_VALIDATE_SEARCH_H
#define HG_VALIDATE_SEARCH_H

#include "stats/curve.h"
#include "validate/scored.h"
#include "validate/search_points.h"

/** Sums of one trial and entry over the rows of the fold. */
typedef struct hg_search_sum {
    double weight, square; /**< sum w, sum w (predicted - truth)^2 */
} hg_search_sum;

/** Error of a point. */
typedef struct hg_search_result {
    double rmse[HG_SCORED_MAX], rmse_error[HG_SCORED_MAX]; /**< by entry */
    double score; /**< mean over entries of the mean square error over the variance, 1 - R^2 */
    double error; /**< of the score, from its scatter over folds */
    double rows;  /**< trained on, mean over folds */
    int rank;     /**< from 1, among the points of the search */
} hg_search_result;

/** All that was found; {0} is a valid empty one. */
typedef struct hg_search {
    const hg_folds *folds;
    hg_search_points points;
    int n_entry;
    hg_scored entry[HG_SCORED_MAX];
    hg_search_sum *sum;       /**< shape (points.n, folds->n, n_entry) */
    hg_search_result *result; /**< shape (points.n) */
} hg_search;

/** Whether the section Validate asks for a search or a learning curve.
 *
 * @local
 */
bool hg_search_wanted(const hg_params *params);

/** Train and test all points on all folds. A journal beside the file keeps every forest's
 * error, so that a run that was stopped or killed can go on, on any number of ranks, with the
 * same result bit for bit.
 *
 * @collective{comm}
 * @param[in]  path    of the file in the making, which names the journals
 * @param[in]  resume  go on where an earlier run ended
 * @param[in]  overwrite  journals of an earlier run may be removed
 * @param[out] search  release with hg_search_clear(), also after a failure
 * @return HG_OK; HG_STOPPED; HG_E_EXISTS for journals of an unfinished search; the failures of
 * hg_search_points_list(), hg_journal_read() and hg_held_out_run()
 */
HG_MUST_CHECK hg_status hg_search_run(const hg_comm *comm, const hg_folds *folds,
                                      const char *path, bool resume, bool overwrite,
                                      hg_search *search);
void hg_search_clear(hg_search *search);

/** Write the statistics file, NAME_points.csv and NAME_learning.csv, and print a table on
 * stdout (rank 0).
 *
 * @local
 * @param[in] statistics  with its provenance; what was found is added
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_search_write(const hg_search *search, const char *path,
                                        hg_statistics *statistics);

/** Journals of a search: find what an earlier run left, write the error of one trial, and make
 * one journal of all that lists every trial.
 *
 * @local  rank 0; hg_search_note() is called by the rank that computed the error
 * @param[in]     search    points and entries; its sums are filled
 * @param[in]     identity  all that decides the errors
 * @param[out]    done      shape (points.n * folds->n), trials whose errors are known
 * @param[in]     first     number of the first trial that this process noted
 * @return HG_OK; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY; the failures of hg_journal_read()
 */
HG_MUST_CHECK hg_status hg_search_journals_open(hg_search *search, const char *path,
                                                const char *identity, bool resume,
                                                bool overwrite, uint8_t done[]);
HG_MUST_CHECK hg_status hg_search_note(const hg_search *search, const char *path,
                                       const char *identity, int first, int trial);
HG_MUST_CHECK hg_status hg_search_journals_close(const hg_search *search, const char *path,
                                                 const char *identity);

#endif
