/* ranks: 2 */
/* Mock, measurement and validation on a tiny universe: agreements fail on any rank, allocations
 * on each, and all ranks come back with the same status, nothing leaks, and nothing looks
 * finished. A few of them by default; HG_FAULTS=0 tries every agreement on every rank and every
 * tenth allocation. HG_COMMANDS names the pipelines that fail: mock, measure, validate. */
#include "mpi_fault.h"

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

typedef hg_status (*pipeline)(const hg_comm *comm, const hg_params *params, bool overwrite);

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

/* One run, and what one that failed must not leave in the folder, which is emptied then: hidden
 * files. Returns whether the product is there. */
static bool
run_once(fault_loop *f, pipeline run, const hg_params *params, const char *output,
         const char *product, double *slowest)
{
    const double began = MPI_Wtime();
    const int64_t before = hg_mem_used();
    const hg_status status = fault_status(f, run(&world, params, true));
    char name[300];
    bool is_there;

    *slowest = fmax(*slowest, MPI_Wtime() - began);
    all_assert(hg_mem_used() == before);
    snprintf(name, sizeof name, "%s/%s", output, product);
    is_there = hg_file_exists(in_folder(name));
    all_assert(is_there || status != HG_OK);
    n_hidden = 0;
    nftw(in_folder(output), look_at, 16, FTW_PHYS);
    all_assert(n_hidden == 0);
    empty_folder(output);
    return is_there && status != HG_OK;
}

static void
fail_everywhere(pipeline run, const hg_params *params, const char *command, const char *output,
                const char *product)
{
    fault_loop loops[] = {{.step = 2, .growth = 1},
                          {.of_memory = true, .on_each = true, .step = 2, .growth = 1}};

    for (int k = 0; k < 2 && is_wanted(command); k++) {
        double slowest = 0;
        int n_late = 0, last = 0;

        while (fault_next(&loops[k])) {
            if (run_once(&loops[k], run, params, output, product, &slowest)) {
                n_late++;
                last = loops[k].n;
            }
        }
        all_assert(loops[k].n_failed > 3 * (k == 0 ? 1 : world.size));
        /* only the agreement that tells of the finished file, the last one, comes later */
        all_assert(n_late == 0 || (k == 0 && n_late <= world.size));
        all_assert(n_late == 0 || !fault_is_full() || last == loops[k].n - 1);
        if (fault_is_full() && world.rank == 0) {
            printf("%s on %d ranks: slowest run %.1f s\n", command, world.size, slowest);
        }
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
