/** From a model and its training catalogues to what the model uses and how. Layer: explain. */
#ifndef HG_EXPLAIN_EXPLAIN_H
#define HG_EXPLAIN_EXPLAIN_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Explain Model.file: impurity importance of its trees; permutation and drop-column importance
 * of forests trained without the folds of section Validate; partial dependence and accumulated
 * local effects; path attributions and Shapley values of some haloes. Written are Explain.file,
 * NAME.csv (curves), NAME_importance.csv, NAME_haloes.csv, and a table on stdout. The numbers
 * are the same for any number of ranks and threads.
 *
 * @collective{comm}
 * @param[in] params     Zooms, Selection, Features, Targets, Model, Validate, Explain
 * @param[in] overwrite  replace existing files
 * @return HG_OK; HG_E_PARAM; HG_E_NOTFOUND; HG_E_INPUT for a model of other features, targets
 * or rows; HG_E_EXISTS; HG_E_WRITE; HG_STOPPED
 */
HG_MUST_CHECK hg_status hg_explain_run(const hg_comm *comm, const hg_params *params,
                                       bool overwrite);

#endif
