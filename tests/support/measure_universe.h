/** A small universe with known answers for tests of measure: positions of pairs, masses from a
 * law, a truth, a mean and two draws; and measure on it. */
#ifndef HG_TEST_MEASURE_UNIVERSE_H
#define HG_TEST_MEASURE_UNIVERSE_H

#include "mpi_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "catalog_test.h"
#include "measure/measure.h"
#include "stats/curve.h"
#include "store/publish.h"

enum { N = 150000 }; /* two parts of the pipeline */

typedef struct made_row {
    double position[3];
    float m200c, truth, sfr, mean, draw, draw2;
    uint8_t central, origin;
} made_row;

static inline made_row
make_row(int64_t i)
{
    hg_stream s = hg_stream_start(77, 0, (uint64_t)(i - i % 2), HG_PURPOSE_HALO);
    hg_stream own = hg_stream_start(77, 1, (uint64_t)i, HG_PURPOSE_GALAXY);
    made_row row;
    double log_halo, law;

    for (int k = 0; k < 3; k++) { /* rows come in pairs 3 Mpc apart at most */
        row.position[k] = fmod(100 * hg_stream_uniform(&s) + 1.5 * (double)(i % 2), 100);
    }
    log_halo = 11.01 + 2.5 * hg_stream_uniform(&own);
    law = 1.4 * log_halo - 6;
    row.m200c = (float)pow(10, log_halo);
    row.truth = (float)pow(10, law + 0.2 * hg_stream_normal(&own));
    row.mean = (float)pow(10, law);
    row.draw = (float)pow(10, law + 0.2 * hg_stream_normal(&own));
    row.draw2 = (float)pow(10, law + 0.2 * hg_stream_normal(&own));
    row.sfr = i % 10 == 0 ? 0 : row.truth * 1e-10F;
    row.central = i % 4 != 3;
    row.origin = i % 50 == 7 ? 1 : 0;
    return row;
}

/* Of star formation; nine of ten rows have some, whatever this says. */
static inline float
made_probability(int64_t i)
{
    return i % 20 < 10 ? 0.88F : 0.33F;
}

static const hg_output_column columns[3][7] = {
    {{.name = "id"},
     {.name = "position"},
     {.name = "m200c"},
     {.name = "central"},
     {.name = "velocity"}},
    {{.name = "id"},
     {.name = "position"},
     {.name = "stellar_mass", .unit = "Msun", .kind = "truth"},
     {.name = "sfr", .unit = "Msun/yr", .kind = "truth"}},
    {{.name = "id"},
     {.name = "position"},
     {.name = "stellar_mass_mean", .unit = "Msun", .kind = "mean"},
     {.name = "stellar_mass_draw", .unit = "Msun", .kind = "draw"},
     {.name = "stellar_mass_draw2", .unit = "Msun", .kind = "draw"},
     {.name = "sfr_probability", .kind = "probability"},
     {.name = "origin", .unit = "", .kind = "flag"}}};
static const int n_column[3] = {5, 4, 7};
static const char *const file_name[3] = {"parent", "truth", "galaxies"};

static inline hg_status
fill_table(int kind, hg_table *table)
{
    double *x = NULL;
    float *v[6] = {NULL}, *velocity = NULL;
    int64_t *id = NULL;
    uint8_t *flag = NULL;

    *table = (hg_table){.n = N};
    HG_TRY(hg_table_add(table, "id", "", HG_COLUMN_I64, 1, &id));
    HG_TRY(hg_table_add(table, "position", "Mpc", HG_COLUMN_F64, 3, &x));
    HG_TRY(hg_table_add(table, "m200c", "Msun", HG_COLUMN_F32, 1, &v[0]));
    HG_TRY(hg_table_add(table, kind == 1 ? "stellar_mass" : "stellar_mass_mean", "Msun",
                        HG_COLUMN_F32, 1, &v[1]));
    HG_TRY(hg_table_add(table, "sfr", "Msun/yr", HG_COLUMN_F32, 1, &v[2]));
    HG_TRY(hg_table_add(table, "stellar_mass_draw", "Msun", HG_COLUMN_F32, 1, &v[3]));
    HG_TRY(hg_table_add(table, "stellar_mass_draw2", "Msun", HG_COLUMN_F32, 1, &v[4]));
    HG_TRY(hg_table_add(table, "sfr_probability", "", HG_COLUMN_F32, 1, &v[5]));
    HG_TRY(hg_table_add(table, kind == 2 ? "origin" : "central", "", HG_COLUMN_U8, 1, &flag));
    HG_TRY(hg_table_add(table, "velocity", "km/s", HG_COLUMN_F32, 3, &velocity));
    for (int64_t i = 0; i < N; i++) {
        made_row row = make_row(i);

        id[i] = i + 1;
        velocity[3 * i] = velocity[3 * i + 1] = 50;
        velocity[3 * i + 2] = i % 2 == 1 ? -105 : 0; /* 1.5 Mpc at 70 km/s/Mpc */
        memcpy(x + 3 * i, row.position, sizeof row.position);
        v[0][i] = row.m200c;
        v[1][i] = kind == 1 ? row.truth : row.mean;
        v[2][i] = row.sfr;
        v[3][i] = row.draw;
        v[4][i] = row.draw2;
        v[5][i] = made_probability(i);
        flag[i] = kind == 2 ? row.origin : row.central;
    }
    return HG_OK;
}

static inline void
make_universe(void)
{
    char path[512];

    if (world.rank == 0) {
        folder_create();
    }
    hg_comm_broadcast(&world, 0, test_folder, sizeof test_folder);
    for (int kind = 0; kind < 3; kind++) {
        hg_output *output = NULL;
        hg_output_options options;
        hg_status status = HG_OK;

        snprintf(path, sizeof path, "%s/%s", test_folder, file_name[kind]);
        options = test_options(path);
        options.n_column = n_column[kind];
        options.column = columns[kind];
        all_assert(hg_output_create(&world, &options, &output) == HG_OK);
        if (world.rank == 0) {
            hg_table table;

            status = fill_table(kind, &table);
            status = status == HG_OK ? hg_output_part(output, 0, &table) : status;
            hg_table_clear(&table);
        }
        all_assert(status == HG_OK);
        all_assert(hg_output_finish(&world, output, false) == HG_OK);
    }
}

/* Two regions of the box, one of them across its corner. */
static const double region_x[2] = {0, 50}, region_r[2] = {20, 30}, region_w[2] = {0.75, 0.25};

static inline void
write_regions(void)
{
    char path[512];
    hg_text text = {0};
    hg_status status = hg_text_add(&text, "region,run,hydro,x,y,z,radius,weight\n");

    for (int r = 0; r < 2; r++) {
        cr_assert_eq(hg_text_add(&text, "%d,a,truth.hdf5,%g,%g,%g,%g,%g\n", r, region_x[r],
                                 region_x[r], region_x[r], region_r[r], region_w[r]),
                     HG_OK);
    }
    snprintf(path, sizeof path, "%s/regions.csv", test_folder);
    if (world.rank == 0) {
        status = hg_publish_text(path, hg_text_string(&text));
    }
    hg_text_clear(&text);
    all_assert(status == HG_OK);
}

static inline void
drop_universe(void)
{
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        folder_remove();
    }
}

/* Measure with a communicator into a file of that name. */
static inline hg_status
run_measure(const hg_comm *comm, const char *file, int n_more, const char *const more[],
            bool overwrite)
{
    char folder[300], name[100];
    const char *set[20] = {folder,
                           name,
                           "Measure.mesh=128",
                           "Measure.thresholds=[1e10 Msun]",
                           "Measure.slice_cells=50",
                           "Measure.rp_max=4 Mpc",
                           "Measure.pi_max=5 Mpc",
                           "Measure.line_of_sight=z"};
    hg_params_options options = {.n_set = 8, .set = set, .snap = -1};
    hg_params *params = NULL;
    hg_status status;

    snprintf(folder, sizeof folder, "Output.folder=%s", test_folder);
    snprintf(name, sizeof name, "Measure.file=%s", file);
    for (int i = 0; i < n_more; i++) {
        set[options.n_set++] = more[i];
    }
    HG_TRY(hg_params_read(comm, &options, &params));
    status = hg_measure_run(comm, params, overwrite);
    hg_params_free(params);
    return status;
}

static inline const hg_curve *
need_curve(const hg_statistics *s, const char *catalogue, const char *name)
{
    const hg_curve *curve = hg_statistics_find(s, catalogue, name);

    if (curve == NULL) {
        fprintf(stderr, "no curve %s of %s\n", name, catalogue);
    }
    all_assert(curve != NULL);
    return curve;
}

static inline double
attribute_of(const hg_curve *curve, const char *name)
{
    const hg_attribute *a = hg_attributes_find(&curve->attributes, name);

    all_assert(a != NULL && !a->is_text);
    return a->value;
}

#endif
