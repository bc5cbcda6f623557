/** From training catalogues to a model file. Layer: emulate. */
#ifndef HG_EMULATE_TRAIN_H
#define HG_EMULATE_TRAIN_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "suite/recipes.h"

/** Train the model that the parameters describe and write it.
 *
 * Reads the region table (or Zooms.files), computes features and targets by the recipes, keeps
 * the rows inside the regions' radii that pass Selection.train, trains a forest, prints
 * out-of-bag metrics, and publishes Model.file.
 *
 * @collective{comm}
 * @param[in] params     all sections but Mock and Measure are used
 * @param[in] overwrite  replace an existing model
 * @return HG_OK; HG_E_PARAM; HG_E_NOTFOUND; HG_E_INPUT for bad rows, duplicate keys, or no
 * rows; HG_E_EXISTS; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_emulate_train(const hg_comm *comm, const hg_params *params,
                                         bool overwrite);

/** Whether a training begins anew, goes on with the trees that stand in part files or in the
 * model, or joins the trees of tasks, growing none. */
typedef enum hg_train_mode { HG_TRAIN_ANEW, HG_TRAIN_RESUME, HG_TRAIN_MERGE } hg_train_mode;

/** The same, from trees that are there.
 *
 * With Model.task_trees above 0 and without merging, only that range of trees is grown, into
 * part files beside the model, and no model is written.
 *
 * @collective{comm}
 * @param[in] overwrite  replace a model, remove part files that are in the way; a model that is
 *                       resumed or merged is replaced in any case
 * @return as hg_emulate_train(), and the failures of hg_forest_train_parts()
 */
HG_MUST_CHECK hg_status hg_emulate_train_more(const hg_comm *comm, const hg_params *params,
                                              hg_train_mode mode, bool overwrite);

/** How trees are grown by the section Model, and what features and targets are, for those who
 * train forests of the same kind.
 *
 * @local
 * @param[in]  has_group  rows have groups
 * @param[out] features   release with hg_recipes_clear()
 * @param[out] targets    likewise
 * @param[out] role       shape (HG_TARGETS_MAX)
 * @return HG_OK; HG_E_PARAM
 */
hg_train_options hg_train_tree_options(const hg_params *params, bool has_group);
HG_MUST_CHECK hg_status hg_train_recipes(const hg_params *params, hg_recipes *features,
                                         hg_recipes *targets, hg_target_role role[]);

#endif
