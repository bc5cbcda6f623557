/* The chain is the four pipelines one after the other: each reads what the one before
 * published, so a run and four single commands give the same files. */
#include "emulate/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "emulate/apply.h"
#include "emulate/measure.h"
#include "emulate/mock.h"
#include "emulate/mock_plan.h"
#include "emulate/paths.h"
#include "emulate/train.h"
#include "halograft/catalog.h"
#include "halograft/log.h"
#include "store/publish.h"

/* Costs measured on one core of a current server, used for estimates only
 * (docs/performance.md). */
static const double train_row_level_s = 10e-9, train_node_s = 100e-9, predict_s = 60e-9;

hg_status
hg_emulate_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    if (params->model.task_trees > 0) {
        return HG_FAIL(HG_E_PARAM, "Model.task_trees is for 'train': a run needs all trees");
    }
    if (hg_paths_is_mock(params)) {
        HG_TRY(hg_emulate_mock(comm, params, overwrite));
    }
    HG_TRY(hg_emulate_train(comm, params, overwrite));
    HG_TRY(hg_emulate_apply(comm, params, overwrite));
    return hg_emulate_measure(comm, params, overwrite);
}

/* Hosts that the mock will make by its mass function; satellites add about a quarter. */
static hg_status
count_mock(const hg_params_mock *mock, int64_t *n_row)
{
    const hg_cosmology cosmology = hg_mock_cosmology(mock);
    hg_linear_power *power = NULL;
    hg_mass_function *abundance = NULL;
    hg_status status;

    HG_TRY(hg_linear_power_create(&cosmology, &power));
    status = hg_mass_function_create(
        power,
        strcmp(mock->mass_function, "tinker") == 0 ? HG_MASS_TINKER : HG_MASS_SHETH_TORMEN,
        mock->redshift, &abundance);
    if (status == HG_OK) {
        *n_row = (int64_t)(1.25 * hg_mass_function_above(abundance, mock->mass_min) *
                           pow(mock->box, 3));
    }
    hg_mass_function_free(abundance);
    hg_linear_power_free(power);
    return status;
}

/* Rows of the parent: from its header, or what the mock will make. */
static hg_status
count_parent(const hg_comm *comm, const hg_params *params, int64_t *n_row)
{
    char buffer[HG_PATH_MAX];
    const char *file[1];
    hg_catalog_options options;
    hg_catalog *catalog = NULL;

    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    if (hg_paths_is_mock(params) && !hg_file_exists(buffer)) {
        return hg_comm_agree(comm, count_mock(&params->mock, n_row));
    }
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    *n_row = hg_catalog_n_row(catalog);
    hg_catalog_close(catalog);
    return HG_OK;
}

hg_status
hg_emulate_estimate(const hg_comm *comm, const hg_params *params)
{
    const double trees = (double)params->model.trees;
    const double n_feature = params->features.n, n_target = params->targets.n;
    const double draws = (double)params->scatter.draws;
    int64_t n_row = 0;
    double part, leaves, rows_train, model, apply, disk, kept = 3 * 8 + 3 * 4 + 8 + 8 + 1;

    HG_TRY(count_parent(comm, params, &n_row));
    rows_train = hg_paths_is_mock(params) ? 0.05 * (double)n_row : (double)n_row;
    leaves = rows_train / (double)params->model.min_leaf;
    model = trees * leaves * (16 + 4 * n_target + 4) + trees * rows_train * 4;
    part = (double)(n_row < HG_ROWS_PER_PART ? n_row : HG_ROWS_PER_PART);
    apply =
        part * (kept + 8 * n_feature + (n_feature * 4 + n_target * (8 + 4) * (1 + draws)) + 32);
    disk = (double)n_row * (kept + 4 * n_target * (1 + draws) + 9);
    if (comm->rank == 0) {
        double levels = log2(leaves > 2 ? leaves : 2) * 1.3;

        printf("parent      %" PRId64 " haloes in %" PRId64 " parts\n", n_row,
               (n_row + HG_ROWS_PER_PART - 1) / HG_ROWS_PER_PART);
        printf("training    at most %.3g rows, %.3g leaves a tree\n", rows_train, leaves);
        printf(
            "memory      model %.3g MiB, one part %.3g MiB, training rows %.3g MiB, per rank\n",
            model / 1048576, apply / 1048576,
            2 * rows_train * (n_feature * 4 + n_target * 8 + 32) / 1048576);
        printf("disk        catalogue %.3g MiB, model at most %.3g MiB\n", disk / 1048576,
               model / 1048576);
        printf("time        train %.3g s, apply %.3g s on %d ranks, one core each\n",
               trees * (rows_train * levels * train_row_level_s + 2 * leaves * train_node_s) /
                   comm->size,
               (double)n_row * trees * predict_s / comm->size, comm->size);
    }
    return HG_OK;
}
