/* The chain is the pipelines one after the other: each reads what the one before
 * published, so a run and single commands give the same files. */
#include "emulate/run.h"

#include "emulate/apply.h"
#include "emulate/train.h"
#include "features/environment.h"
#include "features/features.h"
#include "measure/measure.h"
#include "measure/measure_source.h"
#include "mock/mock.h"
#include "suite/paths.h"

/* Columns of the environment, where features or selections name some. */
static hg_status
make_features(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    hg_environment e;
    bool wanted = false;
    hg_status status = hg_environment_parse(params, &e);

    if (status == HG_OK) {
        status = hg_environment_wanted(params, &e, &wanted);
        hg_environment_clear(&e);
    }
    HG_TRY(hg_comm_agree(comm, status));
    return wanted ? hg_features_make(comm, params, overwrite) : HG_OK;
}

hg_status
hg_emulate_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    if (params->model.task_trees > 0) {
        return HG_FAIL(HG_E_PARAM, "Model.task_trees is for 'train': a run needs all trees");
    }
    HG_TRY(hg_measured_set_check(comm, params));
    if (hg_paths_is_mock(params)) {
        HG_TRY(hg_mock_run(comm, params, overwrite));
    }
    HG_TRY(make_features(comm, params, overwrite));
    HG_TRY(hg_emulate_train(comm, params, overwrite));
    HG_TRY(hg_emulate_apply(comm, params, overwrite));
    return hg_measure_run(comm, params, overwrite);
}
