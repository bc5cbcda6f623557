/* mock, train, validate, explain, apply, measure, design and run: read the parameters, say what
 * runs on what, call the pipeline, print the times. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/watchdog.h"
#include "design/design.h"
#include "design/design_memory.h"
#include "emulate/apply.h"
#include "emulate/common.h"
#include "emulate/estimate.h"
#include "emulate/note.h"
#include "emulate/run.h"
#include "emulate/summary.h"
#include "emulate/train.h"
#include "explain/explain.h"
#include "features/features.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "match/match.h"
#include "measure/measure.h"
#include "mock/mock.h"
#include "par/machine_test.h"
#include "par/stop.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "validate/validate.h"
#include "validate/validate_memory.h"

typedef hg_status (*pipeline)(const hg_comm *comm, const hg_params *params, bool overwrite);

int
hg_cmd_threads(const hg_comm *comm, const hg_params *params)
{
    const int64_t cores = hg_comm_node_cores(comm);
    int64_t threads = params->run.threads;

    if (threads == 0 && getenv("OMP_NUM_THREADS") == NULL) {
        threads = cores / comm->node_size;
        threads = threads > 0 ? threads : 1;
    }
    if (threads > 0) {
        omp_set_num_threads((int)threads);
    }
    return omp_get_max_threads();
}

static void
set_log(const hg_comm *comm, const hg_options *options, const hg_params *params)
{
    hg_log_level level = HG_LOG_INFO;

    if (options->quiet || strcmp(params->run.log, "warn") == 0) {
        level = HG_LOG_WARN;
    } else if (options->verbose || strcmp(params->run.log, "debug") == 0) {
        level = HG_LOG_DEBUG;
    }
    hg_log_setup(comm->rank, comm->size, level);
}

static void
list_warnings(void)
{
    for (int i = 0; i < hg_log_warning_count(); i++) {
        int64_t times;
        const char *text = hg_log_warning(i, &times);

        if (times > 1) {
            hg_log_info("warning given %lld times: %s", (long long)times, text);
        }
    }
}

/* What was found, in a few lines on stdout; all files are finished, whatever comes of it. */
static void
print_summary(const hg_comm *comm, const hg_params *params)
{
    char path[HG_PATH_MAX];
    hg_status status;

    if (comm->rank == 0) {
        status = hg_paths_output(params, params->measure.file, sizeof path, path);
        status = status == HG_OK ? hg_summary_print(path) : status;
        if (status != HG_OK) {
            hg_log_warn("no summary is printed: %s", hg_error_last()->message);
        }
    }
}

static bool
is_chain(pipeline run)
{
    return run == hg_emulate_run || run == hg_emulate_run_resume;
}

static hg_status
finish_pipeline(const hg_comm *comm, const hg_params *params, pipeline run, int threads,
                double began)
{
    hg_comm_report_times(comm);
    list_warnings();
    if (run == hg_measure_run || is_chain(run)) {
        print_summary(comm, params);
    }
    return is_chain(run) ? hg_note_write(comm, params, threads, hg_clock_seconds() - began)
                         : HG_OK;
}

static hg_status
train_resume(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return hg_emulate_train_more(comm, params, HG_TRAIN_RESUME, overwrite);
}

static hg_status
train_merge(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return hg_emulate_train_more(comm, params, HG_TRAIN_MERGE, overwrite);
}

static hg_status
estimate(const hg_comm *comm, const hg_params *params, pipeline run, int threads)
{
    if (run == hg_validate_run || run == hg_validate_resume || run == hg_explain_run) {
        return hg_validate_estimate(comm, params, threads, run == hg_explain_run);
    }
    if (run == hg_design_run) {
        return hg_design_estimate(comm, params);
    }
    return hg_emulate_estimate(comm, params, threads);
}

static hg_status
run_pipeline(const hg_comm *comm, const hg_options *options, pipeline run)
{
    hg_params *params = NULL;
    const double began = hg_clock_seconds();
    hg_status status;
    int threads;

    if (options->merge && run != train_merge) {
        return HG_FAIL(HG_E_USAGE, "--merge is for 'train' alone");
    }
    if (options->resume && run != train_resume && run != hg_emulate_apply_resume &&
        run != hg_emulate_run_resume && run != hg_validate_resume) {
        return HG_FAIL(HG_E_USAGE, "--resume is for 'train', 'validate', 'apply' and 'run'");
    }
    if (options->to_parent && run != hg_match_to_parent) {
        return HG_FAIL(HG_E_USAGE, "--to-parent is for 'match' alone");
    }
    if (options->common && run != hg_features_common) {
        return HG_FAIL(HG_E_USAGE, "--common is for 'features' alone");
    }
    hg_watchdog_start(comm->rank, options->n_set, options->set);
    HG_TRY(hg_options_params(comm, options, &params));
    hg_watchdog_limit(params->run.hang_timeout);
    set_log(comm, options, params);
    threads = hg_cmd_threads(comm, params);
    hg_mem_budget((int64_t)params->run.memory_max);
    hg_space_margin(params->output.space_margin);
    hg_stop_listen(params->output.folder, params->run.walltime);
    hg_log_info("start: halograft %s (%s), %d ranks x %d threads on %d node%s, %s",
                hg_version(), hg_version_commit(), comm->size, threads, comm->n_node,
                comm->n_node > 1 ? "s" : "", hg_comm_version());
    if (options->dry_run) {
        status = estimate(comm, params, run, threads);
    } else {
        status = run(comm, params, options->overwrite);
        if (status == HG_OK) {
            status = finish_pipeline(comm, params, run, threads, began);
        }
    }
    if (status == HG_OK && !options->dry_run && is_chain(run) && params->output.report) {
        hg_report_later(params->output.folder);
    }
    hg_params_free(params);
    return status;
}

hg_status
hg_cmd_mock(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, hg_mock_run);
}

hg_status
hg_cmd_match(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, options->to_parent ? hg_match_to_parent : hg_match_run);
}

hg_status
hg_cmd_features(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, options->common ? hg_features_common : hg_features_make);
}

hg_status
hg_cmd_train(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options,
                        options->merge    ? train_merge
                        : options->resume ? train_resume
                                          : hg_emulate_train);
}

hg_status
hg_cmd_validate(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, options->resume ? hg_validate_resume : hg_validate_run);
}

hg_status
hg_cmd_explain(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, hg_explain_run);
}

hg_status
hg_cmd_apply(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options,
                        options->resume ? hg_emulate_apply_resume : hg_emulate_apply);
}

hg_status
hg_cmd_measure(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, hg_measure_run);
}

hg_status
hg_cmd_design(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options, hg_design_run);
}

hg_status
hg_cmd_run(const hg_comm *comm, const hg_options *options)
{
    return run_pipeline(comm, options,
                        options->resume ? hg_emulate_run_resume : hg_emulate_run);
}
