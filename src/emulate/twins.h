/** Twin runs of the zooms: the chaotic part of the scatter. Layer: emulate. */
#ifndef HG_EMULATE_TWINS_H
#define HG_EMULATE_TWINS_H

#include "halograft/comm.h"
#include "halograft/params.h"
#include "halograft/stages.h"
#include "suite/recipes.h"

/** Read the twins the region table names, keep their differences in the model, and report what
 * share of the scatter is chaotic; warns where it is more than all of the scatter.
 *
 * @collective{comm}
 * @param[in,out] model  trained on the zooms, the same on all ranks; targets that come after
 * others keep no twins
 * @return HG_OK; the failures of hg_training_rows_read(); HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_twins_add(const hg_comm *comm, const hg_params *params,
                                     hg_recipes *features, hg_recipes *targets,
                                     hg_stages *model);

#endif
