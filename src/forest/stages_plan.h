/** The stages that the targets of a training need. Layer: forest. */
#ifndef HG_FOREST_STAGES_PLAN_H
#define HG_FOREST_STAGES_PLAN_H

#include "forest/stage.h"

/** Check roles, labels and hurdles, and list the stages without their forests, in the order of
 * training.
 *
 * @collective{comm}
 * @param[in]  data  rows of this rank
 * @param[in]  role  shape (data->n_target)
 * @param[out] stages  zeroed before; `stage` and `n` are filled
 * @return HG_OK; HG_E_SHAPE; HG_E_ARG for impossible roles; HG_E_PARAM for a target after
 * itself; HG_E_INPUT naming a label that is not 0 or 1, a label that is the same in all rows,
 * or a target that is nowhere open
 */
HG_MUST_CHECK hg_status hg_stages_plan(const hg_comm *comm, const hg_train_data *data,
                                       const hg_target_role role[], hg_stages *stages);

#endif
