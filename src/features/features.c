/* The catalogues are opened once; each kind of columns then goes its own way through them. */
#include "features/features.h"

#include "features/derived.h"
#include "features/environment_columns.h"
#include "features/history_columns.h"
#include "features/run_catalogues.h"

static hg_status
parse(const hg_params *params, hg_derived derived[HG_DERIVED_KINDS])
{
    int n = 0;

    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        HG_TRY(hg_derived_parse(params, (hg_derived_kind)k, &derived[k]));
        n += derived[k].n_column;
    }
    if (n == 0) {
        return HG_FAIL(HG_E_PARAM, "section Environment asks for no column: list radii in "
                                   "spheres, gauss, tidal, ...; nor does section History: name "
                                   "trees or tracks in files");
    }
    return HG_OK;
}

hg_status
hg_features_make(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    hg_derived derived[HG_DERIVED_KINDS] = {{0}};
    hg_run_catalogues members = {0};
    hg_status status;

    HG_TRY_OR(done, status, hg_comm_agree(comm, parse(params, derived)));
    HG_TRY_OR(done, status, hg_run_catalogues_open(comm, params, &members));
    if (derived[HG_DERIVED_ENVIRONMENT].n_column > 0) {
        status = hg_environment_columns(comm, params, &derived[HG_DERIVED_ENVIRONMENT],
                                        &members, overwrite);
    }
    if (status == HG_OK && derived[HG_DERIVED_HISTORY].n_column > 0) {
        status =
            hg_history_columns(comm, params, &derived[HG_DERIVED_HISTORY], &members, overwrite);
    }
done:
    hg_run_catalogues_clear(&members);
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        hg_derived_clear(&derived[k]);
    }
    return status;
}
