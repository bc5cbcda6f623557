/* The chain is the four pipelines one after the other: each reads what the one before
 * published, so a run and four single commands give the same files. */
#include "emulate/run.h"

#include "emulate/apply.h"
#include "emulate/train.h"
#include "measure/measure.h"
#include "measure/measure_source.h"
#include "mock/mock.h"
#include "suite/paths.h"

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
    HG_TRY(hg_emulate_train(comm, params, overwrite));
    HG_TRY(hg_emulate_apply(comm, params, overwrite));
    return hg_measure_run(comm, params, overwrite);
}
