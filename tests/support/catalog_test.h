/** Small catalogues for tests: a folder of one's own, and tables with known values. */
#ifndef HG_TEST_CATALOG_TEST_H
#define HG_TEST_CATALOG_TEST_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/output.h"
#include "halograft/catalog.h"
#include "halograft/table.h"
#include "test_folder.h"

/** Folder of the public catalogues, or NULL with a loud remark (under mpirun a test cannot be
 * skipped without upsetting the launcher). */
static inline const char *
real_data(void)
{
    const char *data = getenv("HG_DATA");

    if (data == NULL || access(data, R_OK) != 0) {
        fprintf(stderr, "SKIPPED: no public catalogues in HG_DATA\n");
        return NULL;
    }
    return data;
}

static inline bool
same_bytes(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    bool same = f != NULL && g != NULL;
    int c = 0, d = 0;

    while (same && c != EOF) {
        c = fgetc(f);
        d = fgetc(g);
        same = c == d;
    }
    if (f != NULL) {
        fclose(f);
    }
    if (g != NULL) {
        fclose(g);
    }
    return same;
}

/** Rows [first, first + n) of an endless catalogue. */
static inline hg_status
make_rows(int64_t first, int64_t n, hg_table *table)
{
    int64_t *id = NULL;
    double *x = NULL;
    float *m = NULL, *s = NULL, *d = NULL, *e = NULL;
    uint8_t *c = NULL;

    *table = (hg_table){.n = n, .first = first};
    HG_TRY(hg_table_add(table, "id", "", HG_COLUMN_I64, 1, &id));
    HG_TRY(hg_table_add(table, "position", "Mpc", HG_COLUMN_F64, 3, &x));
    HG_TRY(hg_table_add(table, "m200c", "Msun", HG_COLUMN_F32, 1, &m));
    HG_TRY(hg_table_add(table, "central", "", HG_COLUMN_U8, 1, &c));
    HG_TRY(hg_table_add(table, "sfr", "Msun/yr", HG_COLUMN_F32, 1, &s));
    HG_TRY(hg_table_add(table, "stellar_mass_draw", "Msun", HG_COLUMN_F32, 1, &d));
    HG_TRY(hg_table_add(table, "latent", "", HG_COLUMN_F32, 1, &e));
    for (int64_t i = 0; i < n; i++) {
        int64_t r = first + i;

        id[i] = 1000003 * (r + 1);
        m[i] = (float)(1e11 + 1e7 * (double)r);
        c[i] = r % 3 == 0;
        s[i] = r % 5 == 0 ? 0 : (float)r * 0.25F;
        d[i] = r % 7 == 0 ? NAN : (float)r;
        e[i] = -(float)r;
        for (int k = 0; k < 3; k++) {
            x[3 * i + k] = fmod(0.37 * (double)(r + 1) * (k + 1), 100);
        }
    }
    return HG_OK;
}

static const hg_output_column test_columns[] = {
    {.name = "id", .kind = "input"},
    {.name = "position", .kind = "input"},
    {.name = "m200c", .kind = "input"},
    {.name = "central", .kind = "input"},
    {.name = "sfr", .kind = "truth"},
    {.name = "stellar_mass_draw", .unit = "Msun", .kind = "draw"},
    {.name = "latent", .kind = "truth", .description = "a hidden variable"}};
enum { N_TEST_COLUMN = sizeof test_columns / sizeof test_columns[0] };

static inline hg_output_options
test_options(const char *path)
{
    return (hg_output_options){.path = path,
                               .frame = {.box = 100,
                                         .redshift = 0,
                                         .scale_factor = 1,
                                         .h = 0.7,
                                         .omega_m = 0.3,
                                         .omega_l = 0.7,
                                         .omega_b = 0.045,
                                         .sigma_8 = 0.8,
                                         .n_s = 0.96,
                                         .particle_mass = 1e9},
                               .n_column = N_TEST_COLUMN,
                               .column = test_columns,
                               .run_name = "test",
                               .seed = 7};
}

static inline hg_catalog_options
one_file(const char *const *path)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.n_file = 1;
    options.files = path;
    return options;
}

#endif
