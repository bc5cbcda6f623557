/* Training and application on a tiny table: every agreement and every allocation may fail, on
 * any rank, and all ranks come back with the same status, nothing leaks, and nothing is left
 * under a final name. */
#include "mpi_fault.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "catalog_test.h"
#include "emulate/apply.h"
#include "emulate/estimate.h"
#include "emulate/run.h"
#include "emulate/train.h"
#include "halograft/log.h"
#include "halograft/params.h"
#include "mpi_folder.h"
#include "store/publish.h"

MPI_SUITE(pipeline);

enum { N_ZOOM = 60, N_PARENT = 90 };

static hg_status
fill_haloes(int64_t first, int64_t n, bool with_galaxies, hg_table *table)
{
    int64_t *id = NULL;
    double *x = NULL;
    float *mass = NULL, *star = NULL;

    *table = (hg_table){.n = n};
    HG_TRY(hg_table_add(table, "id", "", HG_COLUMN_I64, 1, &id));
    HG_TRY(hg_table_add(table, "position", "Mpc", HG_COLUMN_F64, 3, &x));
    HG_TRY(hg_table_add(table, "m200c", "Msun", HG_COLUMN_F32, 1, &mass));
    if (with_galaxies) {
        HG_TRY(hg_table_add(table, "stellar_mass", "Msun", HG_COLUMN_F32, 1, &star));
    }
    for (int64_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(5, 0, (uint64_t)(first + i), HG_PURPOSE_HALO);

        id[i] = first + i + 1;
        for (int k = 0; k < 3; k++) {
            x[3 * i + k] = 50 + 3 * (hg_stream_uniform(&s) - 0.5);
        }
        mass[i] = (float)pow(10, 11 + 2 * hg_stream_uniform(&s));
        if (with_galaxies) {
            star[i] = 0.01F * mass[i] * (float)pow(10, 0.2 * hg_stream_normal(&s));
        }
    }
    return HG_OK;
}

static void
write_haloes(const char *name, int64_t first, int64_t n, bool with_galaxies)
{
    static const hg_output_column columns[] = {
        {.name = "id"},
        {.name = "position"},
        {.name = "m200c"},
        {.name = "stellar_mass", .unit = "Msun", .kind = "truth"}};
    hg_output_options options = test_options(in_folder(name));
    hg_table table = {0};

    options.n_column = with_galaxies ? 4 : 3;
    options.column = columns;
    all_assert(fill_haloes(first, world.rank == 0 ? n : 0, with_galaxies, &table) == HG_OK);
    all_assert(hg_output_table(&world, &options, &table) == HG_OK);
    hg_table_clear(&table);
}

static void
make_inputs(void)
{
    hg_status status = HG_OK;

    hg_log_setup(world.rank, world.size, HG_LOG_ERROR);
    share_folder();
    write_haloes("zoom0", 0, N_ZOOM, true);
    write_haloes("zoom1", N_ZOOM, N_ZOOM, true);
    write_haloes("parent", 1000, N_PARENT, false);
    if (world.rank == 0) {
        status = hg_publish_text(in_folder("regions.csv"),
                                 "region,hydro,x,y,z,radius\n0,zoom0.hdf5,50,50,50,20\n"
                                 "1,zoom1.hdf5,50,50,50,20\n");
    }
    all_assert(status == HG_OK);
}

static hg_params *
read_params(int n_more, const char *const more[])
{
    static char text[4][400];
    const char *set[16] = {text[0],
                           text[1],
                           "Features.m200c=log10",
                           "Targets.stellar_mass=log10",
                           "Selection.train=m200c > 2e11",
                           "Selection.apply=m200c > 2e11",
                           "Model.trees=24",
                           "Model.bag=row",
                           "Model.min_leaf=3"};
    hg_params_options options = {.n_set = 9, .set = set, .snap = -1};
    hg_params *params = NULL;

    snprintf(text[0], sizeof text[0], "Output.folder=%s/out", test_folder);
    snprintf(text[1], sizeof text[1], "Zooms.regions=%s/regions.csv", test_folder);
    snprintf(text[2], sizeof text[2], "Parent.files=%s/parent.hdf5", test_folder);
    set[options.n_set++] = text[2];
    for (int i = 0; i < n_more; i++) {
        set[options.n_set++] = more[i];
    }
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    return params;
}

/* Files of the output folder whose names start so ("." = hidden ones); the journal of a run
 * that failed may stay. */
static int
count_files(const char *name)
{
    DIR *dir = opendir(in_folder("out"));
    struct dirent *entry;
    int n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        n += strncmp(entry->d_name, name, strlen(name)) == 0 &&
             strstr(entry->d_name, ".journal.") == NULL && strcmp(entry->d_name, ".") != 0 &&
             strcmp(entry->d_name, "..") != 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

typedef hg_status (*pipeline)(const hg_comm *comm, const hg_params *params, bool overwrite);

/* Agreements fail, of which the work may forgive some, then allocations of one rank at a time,
 * in steps that grow. */
static void
fail_anywhere(pipeline run, const hg_params *params, const char *product, int n_forgiven)
{
    const int64_t before = hg_mem_used();
    fault_loop loops[] = {{.forgives = n_forgiven > 0},
                          {.of_memory = true, .on_each = true, .growth = 0.125}};

    for (int k = 0; k < 2; k++) {
        while (fault_next(&loops[k])) {
            const hg_status status = fault_status(&loops[k], run(&world, params, false));

            all_assert(hg_mem_used() == before);
            all_assert((count_files(product) > 0) == (status == HG_OK));
            all_assert(count_files(".") == 0);
            empty_folder("out");
        }
        all_assert(loops[k].n_failed > 14);
        all_assert(loops[k].n_forgiven <= n_forgiven * world.size);
    }
}
Test(pipeline, training_may_fail_anywhere)
{
    hg_params *params = NULL;

    make_inputs();
    params = read_params(0, NULL);
    fail_anywhere(hg_emulate_train, params, "model", 1); /* part files that stay */
    all_assert(hg_emulate_train(&world, params, false) == HG_OK);
    all_assert(count_files("model") == 1);
    all_assert(hg_emulate_train(&world, params, false) == HG_E_EXISTS);
    hg_params_free(params);
    drop_folder();
}

Test(pipeline, application_may_fail_anywhere)
{
    char model[512];
    const char *more[] = {model,
                          "Output.rows_per_part=24"}; /* four parts: more than one round */
    hg_params *params = NULL;

    make_inputs();
    snprintf(model, sizeof model, "Model.file=%s/models/tiny.hdf5", test_folder);
    params = read_params(2, more);
    all_assert(hg_emulate_train(&world, params, false) == HG_OK);
    all_assert(hg_file_exists(in_folder("models/tiny.hdf5")));
    fail_anywhere(hg_emulate_apply, params, "galaxies.hdf5", 0);
    hg_params_free(params);
    drop_folder();
}

/* Sum over all ranks' view of the catalogue: hashes of master (but for its provenance, the
 * manifest tells) and parts as the manifest lists them, checked against the files; 0 = none. */
static uint64_t
catalogue_sum(void)
{
    char line[256], name[128];
    unsigned long long listed;
    uint64_t sum = 0, hash;
    int64_t bytes, broken = 0;
    FILE *manifest = world.rank == 0 ? fopen(in_folder("out/galaxies.xxh3"), "r") : NULL;

    while (manifest != NULL && fgets(line, sizeof line, manifest) != NULL) {
        char path[160];

        broken += sscanf(line, "XXH3 (%127[^)]) = %llx", name, &listed) != 2;
        snprintf(path, sizeof path, "out/%s", name);
        broken +=
            hg_file_hash(in_folder(path), &hash, &bytes) != HG_OK || hash != (uint64_t)listed;
        sum += hash;
    }
    if (manifest != NULL) {
        fclose(manifest);
    }
    all_assert(broken == 0);
    hg_comm_broadcast(&world, 0, &sum, sizeof sum);
    return sum;
}

Test(pipeline, a_failed_replacement_leaves_the_old_catalogue)
{
    static const char *const four[] = {"Output.rows_per_part=24"};
    static const char *const two[] = {"Output.rows_per_part=60", "Scatter.draws=2"};
    hg_params *params = NULL, *before = NULL;
    uint64_t old;
    fault_loop f = {.n = 0};
    int n_late = 0;

    make_inputs();
    before = read_params(1, four);
    all_assert(hg_emulate_train(&world, before, false) == HG_OK);
    all_assert(hg_emulate_apply(&world, before, false) == HG_OK);
    all_assert(hg_emulate_apply(&world, before, false) == HG_E_EXISTS);
    old = catalogue_sum();
    all_assert(old != 0 && count_files("galaxies.") == 4 + 2);
    params = read_params(2, two);
    while (fault_next(&f)) {
        const hg_status status = fault_status(&f, hg_emulate_apply(&world, params, true));
        uint64_t now;

        hg_comm_barrier(&world);
        now = catalogue_sum();
        /* whole and the old one, until the last agreement: then the new one stands already */
        all_assert(now != 0 && count_files(".") == count_files(".galaxies.") &&
                   count_files(".galaxies.hdf5") == 0);
        all_assert(status != HG_OK || (count_files(".") == 0 && now != old));
        all_assert(count_files("galaxies.") == (now == old ? 4 : 2) + 2);
        n_late += status != HG_OK && now != old;
        hg_comm_barrier(&world);
        if (now != old) {
            all_assert(hg_emulate_apply(&world, before, true) == HG_OK);
            old = catalogue_sum();
        }
    }
    all_assert(f.n_failed > 9 && n_late <= world.size);
    hg_params_free(before);
    hg_params_free(params);
    drop_folder();
}

Test(pipeline, a_catalogue_of_draws_alone_has_no_means)
{
    static const char *const draws[] = {"Scatter.method=leaf-value", "Scatter.mean=false"};
    hg_catalog_options open = HG_CATALOG_OPTIONS_INIT;
    const char *file[1];
    hg_params *params = NULL;
    hg_catalog *catalog = NULL;

    make_inputs();
    params = read_params(1, draws + 1); /* draws of residuals add to the mean */
    all_assert(hg_emulate_train(&world, params, false) == HG_OK);
    all_assert(hg_emulate_apply(&world, params, false) == HG_E_PARAM);
    all_assert(strstr(hg_error_last()->message, "Scatter.mean") != NULL);
    hg_params_free(params);
    params = read_params(2, draws);
    all_assert(hg_emulate_apply(&world, params, false) == HG_OK);
    hg_params_free(params);
    file[0] = in_folder("out/galaxies.hdf5");
    open.n_file = 1;
    open.files = file;
    all_assert(hg_catalog_open(&world, &open, &catalog) == HG_OK);
    all_assert(hg_catalog_find(catalog, "stellar_mass_mean") == NULL);
    all_assert(hg_catalog_find(catalog, "stellar_mass_draw") != NULL);
    hg_catalog_close(catalog);
    drop_folder();
}

Test(pipeline, requests_that_cannot_work_fail_before_any_work)
{
    static const char *const no_centre = "region,hydro,radius\n0,zoom0.hdf5,20\n";
    static const char *const many[] = {"Targets.a=m200c | log10", "Targets.b=m200c | log10",
                                       "Targets.c=m200c | log10", "Scatter.draws=64",
                                       "Output.space_margin=10"};
    static const char *const quantiles[3][3] = {
        {"Scatter.quantiles=[0.5, 0.16]", "Scatter.draws=1", "Scatter.method=leaf-value"},
        {"Scatter.quantiles=[0.5, 1]", "Scatter.draws=1", "Scatter.method=leaf-value"},
        {"Scatter.quantiles=[0.5]", "Scatter.mean=false", "Scatter.method=leaf-value"}};
    hg_params *params = NULL;
    hg_status status = HG_OK;

    make_inputs();
    /* four targets with 64 draws each: more columns than any table of names had room for */
    params = read_params(5, many);
    all_assert(hg_emulate_train(&world, params, false) == HG_OK);
    all_assert(hg_emulate_apply(&world, params, false) == HG_OK);
    all_assert(hg_emulate_estimate(&world, params, 1) == HG_OK);
    hg_params_free(params);
    for (int i = 0; i < 3; i++) { /* levels that do not ascend, at the end, without means */
        params = read_params(3, quantiles[i]);
        all_assert(hg_emulate_apply(&world, params, true) == HG_E_PARAM);
        all_assert(strstr(hg_error_last()->message, "Scatter.quantiles") != NULL);
        hg_params_free(params);
    }
    empty_folder("out");
    if (world.rank == 0) {
        status = hg_publish_text(in_folder("regions.csv"), no_centre);
    }
    all_assert(status == HG_OK);
    params = read_params(0, NULL);
    all_assert(hg_emulate_train(&world, params, false) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "no centre") != NULL);
    all_assert(hg_folder_make(&world, "") == HG_E_ARG);
    hg_params_free(params);
    drop_folder();
}
