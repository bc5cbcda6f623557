/** The environment of training rows. Layer: emulate. */
#ifndef HG_EMULATE_TRAINING_ENVIRONMENT_H
#define HG_EMULATE_TRAINING_ENVIRONMENT_H

#include "base/text.h"
#include "features/environment.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "suite/regions.h"

/** The recipe of the parameters, and whether they use it.
 *
 * @local
 * @param[out]    e       release with hg_environment_clear()
 * @param[in,out] recipe  gets the recipe as written where it is used
 * @return HG_OK; HG_E_PARAM; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_training_environment(const hg_params *params, hg_environment *e,
                                                bool *used, hg_text *recipe);

/** Join the side-car of the rows that are read.
 *
 * @collective{comm}
 * @param[in]     region       NULL for Zooms.files
 * @param[in]     twins        rows are those of the region's twin
 * @param[in]     from_parent  rows are those of the parent
 * @param[in]     recipe       as written
 * @param[in,out] catalog      gets the columns
 * @return as hg_sidecar_join()
 */
HG_MUST_CHECK hg_status hg_training_join(const hg_comm *comm, const hg_params *params,
                                         const hg_region *region, bool twins, bool from_parent,
                                         const char *recipe, hg_catalog *catalog);

#endif
