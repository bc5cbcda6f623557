/* Which side-car goes with which rows. */
#include "emulate/training_environment.h"

#include "features/sidecar.h"
#include "store/publish.h"

hg_status
hg_training_environment(const hg_params *params, hg_environment *e, bool *used, hg_text *recipe)
{
    HG_TRY(hg_environment_parse(params, e));
    HG_TRY(hg_environment_wanted(params, e, used));
    return *used ? hg_environment_write(e, recipe) : HG_OK;
}

hg_status
hg_training_join(const hg_comm *comm, const hg_params *params, const hg_region *region,
                 bool twins, bool from_parent, const char *recipe, hg_catalog *catalog)
{
    const hg_sidecar_of of = from_parent      ? HG_SIDECAR_PARENT
                             : region == NULL ? HG_SIDECAR_ZOOMS
                             : twins          ? HG_SIDECAR_TWIN
                                              : HG_SIDECAR_REGION;
    char path[HG_PATH_MAX];

    HG_TRY(hg_sidecar_path(params, of, region, sizeof path, path)); /* on all ranks alike */
    return hg_sidecar_join(comm, path, catalog, recipe, "section Environment");
}
