/* The chain is the pipelines one after the other: each reads what the one before
 * published, so a run and single commands give the same files. */
#include "emulate/run.h"

#include "emulate/apply.h"
#include "emulate/sidecars.h"
#include "emulate/train.h"
#include "features/features.h"
#include "halograft/log.h"
#include "measure/measure.h"
#include "measure/measure_source.h"
#include "mock/mock.h"
#include "suite/paths.h"

/* Derived columns, where features or selections name some. */
static hg_status
make_features(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    hg_sidecars sidecars;
    bool wanted = false;
    hg_status status = hg_sidecars_parse(params, &sidecars);

    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        wanted = wanted || sidecars.used[k];
    }
    hg_sidecars_clear(&sidecars);
    HG_TRY(hg_comm_agree(comm, status));
    return wanted ? hg_features_make(comm, params, overwrite) : HG_OK;
}

/* A universe that is whole is kept when the run goes on. */
static hg_status
make_mock(const hg_comm *comm, const hg_params *params, bool resume, bool overwrite)
{
    bool is_done = false;

    if (!hg_paths_is_mock(params)) {
        return HG_OK;
    }
    if (resume) {
        HG_TRY(hg_mock_is_done(comm, params, &is_done));
        if (is_done) {
            hg_log_info("mock: the universe is there already");
            return HG_OK;
        }
    }
    return hg_mock_run(comm, params, overwrite || resume);
}

static hg_status
run(const hg_comm *comm, const hg_params *params, bool resume, bool overwrite)
{
    if (params->model.task_trees > 0) {
        return HG_FAIL(HG_E_PARAM, "Model.task_trees is for 'train': a run needs all trees");
    }
    HG_TRY(hg_measured_set_check(comm, params));
    HG_TRY(make_mock(comm, params, resume, overwrite));
    HG_TRY(make_features(comm, params, overwrite || resume));
    HG_TRY(hg_emulate_train_more(comm, params, resume ? HG_TRAIN_RESUME : HG_TRAIN_ANEW,
                                 overwrite));
    HG_TRY(resume ? hg_emulate_apply_resume(comm, params, overwrite)
                  : hg_emulate_apply(comm, params, overwrite));
    return hg_measure_run(comm, params, overwrite || resume);
}

hg_status
hg_emulate_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return run(comm, params, false, overwrite);
}

hg_status
hg_emulate_run_resume(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return run(comm, params, true, overwrite);
}
