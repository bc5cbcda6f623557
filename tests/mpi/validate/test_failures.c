/* ranks: 2 */
/* Mock, measurement and validation on a tiny universe: agreements fail on any rank, allocations
 * on each, and all ranks come back with the same status, nothing leaks, and nothing looks
 * finished. A few of them by default; HG_FAULTS=0 tries every agreement on every rank and every
 * tenth allocation. HG_COMMANDS names the pipelines that fail: mock, measure, validate. */
#include "mpi_test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "halograft/log.h"
#include "halograft/params.h"
#include "measure/measure.h"
#include "mock/mock.h"
#include "mpi_folder.h"
#include "store/publish.h"
#include "validate/held_out.h"
#include "validate/validate.h"

TestSuite(failures, .init = mpi_setup, .fini = mpi_teardown, .timeout = 7200);

enum { RANKS_MAX = 16 };

typedef hg_status (*pipeline)(const hg_comm *comm, const hg_params *params, bool overwrite);

static bool
is_full(void)
{
    const char *asked = getenv("HG_FAULTS");

    return asked != NULL && strcmp(asked, "0") == 0;
}

static bool
is_wanted(const char *command)
{
    const char *asked = getenv("HG_COMMANDS");

    return asked == NULL || strstr(asked, command) != NULL;
}

/* The mock makes what the others read. */
static hg_params *
read_params(const char *output, int n_more, const char *const more[])
{
    static const char *const all[] = {"Mock.box=60 Mpc",
                                      "Mock.mesh=16",
                                      "Mock.mass_min=4e11 Msun",
                                      "Mock.zooms=3",
                                      "Mock.zoom_radius=10 Mpc",
                                      "Mock.zoom_buffer=1 Mpc",
                                      "Mock.periodic=0 Mpc",
                                      "Mock.oracle=0",
                                      "Features.m200c=log10",
                                      "Features.vmax=log10",
                                      "Targets.stellar_mass=log10",
                                      "Model.trees=16",
                                      "Model.bag=row",
                                      "Output.rows_per_part=128"};
    char text[3][400];
    const char *set[32] = {text[0]};
    hg_params_options options = {.n_set = 1, .set = set, .snap = -1};
    hg_params *params = NULL;

    snprintf(text[0], sizeof text[0], "Output.folder=%s/%s", test_folder, output);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        set[options.n_set++] = all[i];
    }
    if (strcmp(output, "mock") != 0) {
        snprintf(text[1], sizeof text[1], "Zooms.regions=%s/mock/regions.csv", test_folder);
        snprintf(text[2], sizeof text[2], "Parent.files=[%s/mock/parent.hdf5]", test_folder);
        set[options.n_set++] = text[1];
        set[options.n_set++] = text[2];
    }
    for (int i = 0; i < n_more; i++) {
        set[options.n_set++] = more[i];
    }
    cr_expect(hg_params_read(&world, &options, &params) == HG_OK, "%s",
              hg_error_last()->message);
    all_assert(params != NULL);
    return params;
}

static int n_hidden;

static int
look_at(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    n_hidden += kind == FTW_F && path[walk->base] == '.';
    return 0;
}

/* What a run that failed must not leave, in the folder that is emptied then. */
static void
expect_clean(const char *output, const char *product, hg_status status, int *n_late)
{
    char name[300];

    hg_comm_barrier(&world);
    snprintf(name, sizeof name, "%s/%s", output, product);
    if (status == HG_OK) {
        all_assert(hg_file_exists(in_folder(name)));
    } else {
        *n_late += hg_file_exists(in_folder(name));
    }
    n_hidden = 0;
    nftw(in_folder(output), look_at, 16, FTW_PHYS);
    all_assert(n_hidden == 0);
    empty_folder(output);
}

static hg_status
run_quietly(pipeline run, const hg_params *params, double *slowest)
{
    const double began = MPI_Wtime();
    const int64_t before = hg_mem_used();
    hg_status status;

    status = run(&world, params, true);
    *slowest = fmax(*slowest, MPI_Wtime() - began);
    all_assert(is_same(status));
    all_assert(hg_mem_used() == before);
    return status;
}

/* Agreements are counted on each rank by itself, and those of some ranks alone know other
 * numbers of ranks, so that a fault may hit nothing: the end is where no rank gets as far. */
static void
fail_agreements(pipeline run, const hg_params *params, const char *output, const char *product)
{
    double slowest = 0;
    int n_failed = 0, n_late = 0, last[RANKS_MAX] = {0};
    int64_t left = 0;

    all_assert(world.size <= RANKS_MAX);
    for (int n = 1; left == 0; n += is_full() ? 1 : 2 + n) {
        left = 1;
        for (int k = 0; k < (is_full() ? world.size : 1); k++) {
            const int late = n_late, rank = (n + k) % world.size;
            hg_status status;
            int64_t mine;

            hg_fault_arm(n, rank);
            status = run_quietly(run, params, &slowest);
            mine = hg_fault_arm(0, 0);
            hg_comm_min(&world, 1, &mine);
            left = mine < left ? mine : left;
            cr_expect(status == HG_OK || status == HG_E_FAULT, "%d: %s", n,
                      hg_error_last()->message);
            all_assert(status == HG_OK || (status == HG_E_FAULT && mine == 0));
            expect_clean(output, product, status, &n_late);
            n_failed += status != HG_OK;
            /* only the agreement that tells of the finished file, the last one, comes later */
            all_assert(status == HG_OK || last[rank] == 0 || last[rank] == n);
            last[rank] = n_late > late ? n : last[rank];
        }
    }
    all_assert(n_failed > 3);
    if (is_full() && world.rank == 0) {
        printf("%s on %d ranks: %d agreements failed, slowest run %.1f s\n", product,
               world.size, n_failed, slowest);
    }
}

static void
fail_allocations(pipeline run, const hg_params *params, const char *output, const char *product)
{
    double slowest = 0;
    int n_run = 0, n_late = 0;
    int64_t left = 0;

    for (int rank = 0; rank < world.size; rank++) {
        left = 0;
        for (int64_t n = 1; left == 0; n += is_full() ? 10 : 2 + n) {
            hg_status status;

            hg_mem_fail_at(world.rank == rank ? n : 0);
            status = run_quietly(run, params, &slowest);
            left = hg_mem_fail_at(0);
            hg_comm_max(&world, 1, &left);
            cr_expect(status == HG_OK || status == HG_E_MEMORY, "%" PRId64 ": %s", n,
                      hg_error_last()->message);
            all_assert((left > 0) == (status == HG_OK) &&
                       (status == HG_OK || status == HG_E_MEMORY));
            expect_clean(output, product, status, &n_late);
            all_assert(n_late == 0);
            n_run++;
        }
    }
    all_assert(n_run > 4 * world.size);
    if (is_full() && world.rank == 0) {
        printf("%s on %d ranks: %d allocations failed, slowest run %.1f s\n", product,
               world.size, n_run - world.size, slowest);
    }
}

static void
fail_everywhere(pipeline run, const hg_params *params, const char *command, const char *output,
                const char *product)
{
    if (is_wanted(command)) {
        fail_agreements(run, params, output, product);
        fail_allocations(run, params, output, product);
    }
}

/* One rank lacks the memory for what all sum. */
static void
fail_join(void)
{
    const int64_t before = hg_mem_used();
    double x[2] = {1, 2};

    for (int rank = 0; rank < world.size; rank++) {
        hg_mem_fail_at(world.rank == rank ? 1 : 0);
        all_assert(hg_held_out_join(&world, 2, x) == HG_E_MEMORY);
        hg_mem_fail_at(0);
        all_assert(hg_mem_used() == before && x[0] == 1 && x[1] == 2);
    }
}

Test(failures, mock_measure_and_validate_may_fail_anywhere)
{
    char entry[400];
    const char *measure[] = {entry, "Measure.mesh=16", "Measure.thresholds=[1e9 Msun]"};
    const char *validate[] = {"Validate.by=rows",     "Validate.folds=2",
                              "Validate.draws=2",     "Validate.blocks=4",
                              "Validate.parent=true", "Validate.parent_rows=100"};
    hg_params *params = NULL;

    share_folder();
    hg_log_setup(world.rank, world.size, HG_LOG_ERROR);
    snprintf(entry, sizeof entry, "Measure.catalogues=[truth=%s/mock/truth.hdf5]", test_folder);
    params = read_params("mock", 0, NULL);
    fail_everywhere(hg_mock_run, params, "mock", "mock", "mock.done");
    all_assert(hg_mock_run(&world, params, false) == HG_OK);
    hg_params_free(params);
    params = read_params("out", 3, measure);
    fail_everywhere(hg_measure_run, params, "measure", "out", "statistics.hdf5");
    hg_params_free(params);
    params = read_params("out", 6, validate);
    fail_join();
    fail_everywhere(hg_validate_run, params, "validate", "out", "validation.hdf5");
    hg_params_free(params);
    drop_folder();
}
