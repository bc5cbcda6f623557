/** From training catalogues to what a model of them is worth where it was not trained. Layer:
 * validate. */
#ifndef HG_VALIDATE_VALIDATE_H
#define HG_VALIDATE_VALIDATE_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Hold out rows fold by fold, train on the others as `train` does, predict and draw what was
 * held out, and write metrics beside those of baselines: Validate.file, NAME.csv (curves),
 * NAME_scores.csv, NAME_rows.csv, and a table on stdout. With Validate.search or
 * Validate.learning instead compare forests over the same folds: Validate.search_file, tables
 * NAME_points.csv and NAME_learning.csv, and a journal (hg_search_run()). The numbers are the
 * same for any number of ranks and threads.
 *
 * @collective{comm}
 * @param[in] params     Zooms, Selection, Features, Targets, Model, Scatter, Validate
 * @param[in] overwrite  replace existing files
 * @return HG_OK; HG_E_PARAM; HG_E_NOTFOUND; HG_E_INPUT for rows that cannot be dealt into
 * folds; HG_E_EXISTS; HG_E_WRITE; HG_STOPPED
 */
HG_MUST_CHECK hg_status hg_validate_run(const hg_comm *comm, const hg_params *params,
                                        bool overwrite);

/** Go on with a search or learning curve that was stopped or killed: on any number of ranks the
 * result is that of a run without a stop, byte for byte. Begins anew where there is no journal;
 * of a search that is complete the files are written again.
 *
 * @collective{comm}
 * @return as hg_validate_run(); HG_E_PARAM without a search or learning curve; HG_E_INPUT
 * naming what has changed since
 */
HG_MUST_CHECK hg_status hg_validate_resume(const hg_comm *comm, const hg_params *params,
                                           bool overwrite);

#endif
