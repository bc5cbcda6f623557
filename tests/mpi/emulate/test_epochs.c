/* One region at two redshifts, its haloes with the same identifiers at both, and a parent in
 * between: the redshift is a feature, and random thresholds interpolate linearly on average. */
#include "mpi_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "emulate/apply.h"
#include "emulate/train.h"
#include "halograft/log.h"
#include "halograft/params.h"
#include "mpi_folder.h"
#include "read_catalog.h"
#include "store/publish.h"

MPI_SUITE(epochs);

enum { N = 300 };

/* M* = 0.01 M 10^(z/2), without scatter */
static void
write_haloes(const char *name, double redshift, double centre)
{
    static const hg_output_column columns[] = {{.name = "id"},
                                               {.name = "position"},
                                               {.name = "m200c"},
                                               {.name = "stellar_mass", .kind = "truth"}};
    hg_output_options options = test_options(in_folder(name));
    hg_table table = {.n = world.rank == 0 ? N : 0};
    int64_t *id = NULL;
    double *x = NULL;
    float *mass = NULL, *star = NULL;

    options.n_column = 4;
    options.column = columns;
    options.frame.redshift = redshift;
    options.frame.scale_factor = 1 / (1 + redshift);
    all_assert(hg_table_add(&table, "id", "", HG_COLUMN_I64, 1, &id) == HG_OK);
    all_assert(hg_table_add(&table, "position", "Mpc", HG_COLUMN_F64, 3, &x) == HG_OK);
    all_assert(hg_table_add(&table, "m200c", "Msun", HG_COLUMN_F32, 1, &mass) == HG_OK);
    all_assert(hg_table_add(&table, "stellar_mass", "Msun", HG_COLUMN_F32, 1, &star) == HG_OK);
    for (int64_t i = 0; i < table.n; i++) {
        hg_stream s = hg_stream_start(5, 0, (uint64_t)i, HG_PURPOSE_HALO);

        id[i] = i + 1;
        for (int k = 0; k < 3; k++) {
            x[3 * i + k] = centre + 3 * (hg_stream_uniform(&s) - 0.5);
        }
        x[3 * i] += i < 10 ? 30 : 0; /* ten haloes lie outside the region */
        mass[i] = (float)pow(10, 11 + 2 * hg_stream_uniform(&s));
        star[i] = 0.01F * mass[i] * (float)pow(10, redshift / 2);
    }
    all_assert(hg_output_table(&world, &options, &table) == HG_OK);
    hg_table_clear(&table);
}

static hg_params *
read_params(const char *feature, const char *parent)
{
    static char text[3][400];
    const char *set[] = {text[0],
                         text[1],
                         text[2],
                         "Features.m200c=log10",
                         "Targets.stellar_mass=log10",
                         "Model.trees=200",
                         "Model.bag=row",
                         "Scatter.draws=0",
                         "Parent.redshift_tolerance=0.01",
                         "Parent.keep=[stellar_mass]",
                         feature};
    hg_params_options options = {.n_set = feature != NULL ? 11 : 10, .set = set, .snap = -1};
    hg_params *params = NULL;

    snprintf(text[0], sizeof text[0], "Output.folder=%s/out", test_folder);
    snprintf(text[1], sizeof text[1], "Zooms.regions=%s/regions.csv", test_folder);
    snprintf(text[2], sizeof text[2], "Parent.files=%s/%s", test_folder, parent);
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    return params;
}

/* mean of log10(M* / 0.01 M) over the haloes of the catalogue that apply wrote */
static double
mean_offset(void)
{
    static const char *const names[] = {"stellar_mass_mean", "stellar_mass"};
    const char *path[1] = {in_folder("out/galaxies.hdf5")};
    hg_catalog_options options = one_file(path);
    const float *mean, *true_mass;
    hg_table table = {0};
    double sum = 0;

    all_assert(read_catalog(&options, "halograft", 2, names, &table) == HG_OK);
    all_assert(table.n == N);
    mean = hg_table_f32(&table, names[0]);
    true_mass = hg_table_f32(&table, names[1]);
    for (int64_t i = 0; i < N; i++) {
        sum += log10((double)mean[i] / (double)true_mass[i]);
    }
    hg_table_clear(&table);
    return sum / N;
}

static void
make_inputs(void)
{
    hg_log_setup(world.rank, world.size, HG_LOG_ERROR);
    share_folder();
    write_haloes("early", 1, 20);
    write_haloes("late", 0, 50);
    write_haloes("between", 0.5, 50);
    write_haloes("before", 1.5, 50);
    if (world.rank == 0) { /* the early snapshot has a frame of its own */
        cr_assert_eq(hg_publish_text(in_folder("regions.csv"),
                                     "region,hydro,x,y,z,radius,redshift,own_x,own_y,own_z\n"
                                     "0,early.hdf5,50,50,50,10,1,20,20,20\n"
                                     "0,late.hdf5,50,50,50,10,0,,,\n"),
                     HG_OK);
    }
    hg_comm_barrier(&world);
}

Test(epochs, a_parent_between_two_redshifts_is_interpolated)
{
    hg_params *params = NULL;

    make_inputs();
    params = read_params("Features.redshift=none", "between.hdf5");
    all_assert(hg_emulate_train(&world, params, false) == HG_OK);
    all_assert(hg_emulate_apply(&world, params, false) == HG_OK);
    /* a tree takes either end with equal odds: 0.25 dex over the root of 200 trees is 0.02 */
    all_assert(fabs(mean_offset()) < 0.06);
    hg_params_free(params);
    params = read_params("Features.redshift=none", "before.hdf5");
    all_assert(hg_emulate_apply(&world, params, true) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "between redshifts 0 and 1") != NULL);
    hg_params_free(params);
    drop_folder();
}

Test(epochs, redshifts_are_not_mixed_without_the_feature)
{
    hg_params *params = NULL;

    make_inputs();
    params = read_params(NULL, "between.hdf5");
    all_assert(hg_emulate_train(&world, params, false) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "redshift differs") != NULL);
    hg_params_free(params);
    all_assert(hg_mem_used() == 0);
    drop_folder();
}
