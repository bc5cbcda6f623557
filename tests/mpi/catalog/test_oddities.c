/* What real catalogues hold and should not: right values, or one sentence that names file,
 * field and row. */
#include "mpi_folder.h"

#include <float.h>
#include <math.h>

#include "read_catalog.h"
#include "store/h5.h"

MPI_SUITE(oddities);

static const char *const names[] = {"position", "m200c", "n_part", "central", "vmax"};

static void
write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");

    fputs(text, f);
    fclose(f);
}

static const char map_text[] =
    "Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}\n"
    "Columns: {id: id, position: \"x; y; z, Mpc\", m200c: \"m, Msun\", n_part: n,\n"
    "          central: c, vmax: \"v, km/s\"}\n";

static hg_status
read_rows(const char *file, const char *mapping, hg_table *table)
{
    hg_catalog_options options = one_file(&file);

    options.mapping = mapping;
    return read_catalog(&options, "columns", 5, names, table);
}

/* Read one row of text under the usual names. */
static hg_status
read_row(const char *row, hg_table *table)
{
    char text[512];

    hg_comm_barrier(&world);
    if (world.rank == 0) {
        snprintf(text, sizeof text, "id,x,y,z,m,n,c,v\n1,1,1,1,1e12,10,1,100\n%s", row);
        write_text("t.csv", text);
        write_text("m.yml", map_text);
    }
    hg_comm_barrier(&world);
    return read_rows(in_folder("t.csv"), in_folder("m.yml"), table);
}

static bool
says(const char *a, const char *b)
{
    const char *message = hg_error_last()->message;
    const bool fits = strstr(message, a) != NULL && strstr(message, b) != NULL;

    if (!fits) {
        fprintf(stderr, "%s\n", message);
    }
    return fits;
}

Test(oddities, numbers_at_the_edges_are_kept)
{
    hg_table t = {0};

    share_folder();
    all_assert(read_row("2,100,-0.05,100.05,1e38,0,0,-0\n3,0,-0,50,1e-40,2147483648,1,1e-300\n",
                        &t) == HG_OK);
    all_assert(t.n == 3);
    all_assert(hg_table_f64(&t, "position")[3] == 0); /* the box's side itself */
    all_assert(fabs(hg_table_f64(&t, "position")[4] - 99.95) < 1e-12); /* slightly outside */
    all_assert(fabs(hg_table_f64(&t, "position")[5] - 0.05) < 1e-12);
    all_assert(hg_table_f64(&t, "position")[7] == 0 && hg_table_f64(&t, "position")[7] >= 0);
    all_assert(hg_table_f32(&t, "m200c")[1] == 1e38F && hg_table_f32(&t, "vmax")[1] == 0);
    all_assert(hg_table_f32(&t, "m200c")[2] == 1e-40F && hg_table_f32(&t, "vmax")[2] == 0);
    all_assert(hg_table_i64(&t, "n_part")[2] == 2147483648);
    hg_table_clear(&t);
    drop_folder();
}

Test(oddities, what_no_halo_has_is_named_by_field_and_row)
{
    static const struct {
        const char *row;
        hg_status status;
        const char *says[2];
    } item[] = {{"2,101,1,1,1e12,5,1,9\n", HG_E_INPUT, {"row 1: position[0] = 101", "outside"}},
                {"2,1,nan,1,1e12,5,1,9\n", HG_E_INPUT, {"row 1: position[1]", "t.csv"}},
                {"2,1,1,1,inf,5,1,9\n", HG_E_INPUT, {"row 1: m200c = inf", "t.csv"}},
                {"2,1,1,1,1e39,5,1,9\n", HG_E_INPUT, {"row 1: m200c = inf", "t.csv"}},
                {"2,1,1,1,,5,1,9\n", HG_E_INPUT, {"row 1: m200c = nan", "t.csv"}},
                {"2,1,1,1,1e12,,1,9\n", HG_E_FORMAT, {"'' in column 'n'", "line 3"}},
                {"2,1,1,1,1e12,5.5,1,9\n", HG_E_FORMAT, {"'5.5' in column 'n'", "line 3"}},
                {"2,1,1,1,1e12,nan,1,9\n", HG_E_FORMAT, {"'nan' in column 'n'", "line 3"}},
                {"2.5,1,1,1,1e12,5,1,9\n", HG_E_FORMAT, {"'2.5' in column 'id'", "line 3"}},
                {"x,1,1,1,1e12,5,1,9\n", HG_E_FORMAT, {"'x' in column 'id'", "line 3"}},
                {"2,1,1,1,1e12,5,1\n", HG_E_FORMAT, {"line 3", "7 fields instead of 8"}},
                {"1,2,2,2,1e12,5,1,9\n", HG_E_INPUT, {"id 1 comes twice", "rows 0 and 1"}}};
    hg_table t = {0};

    share_folder();
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        all_assert(read_row(item[i].row, &t) == item[i].status);
        all_assert(says(item[i].says[0], item[i].says[1]));
        hg_table_clear(&t);
    }
    drop_folder();
}

/* A file of n rows; `lacks` is a dataset that is not written, `odd` a number for the last row
 * of the integers, which are stored as real numbers. */
static void
write_h5(const char *name, int64_t n, int64_t first, const char *lacks, double odd)
{
    const char *const fields[] = {"id", "m", "n", "c", "v"};
    const int64_t dims[2] = {n, 3};
    double x[12] = {0}, values[5][4];
    hg_h5 *file = NULL;

    for (int64_t i = 0; i < n; i++) {
        values[0][i] = (double)(first + i);
        values[1][i] = 1e12;
        values[2][i] = i + 1 == n ? odd : 7;
        values[3][i] = 1;
        values[4][i] = 100;
    }
    cr_assert_eq(hg_h5_create(in_folder(name), &file), HG_OK);
    cr_assert_eq(hg_h5_group(file, "H"), HG_OK);
    cr_assert_eq(hg_h5_put_integer(file, "H", "rows", n), HG_OK);
    for (int f = 0; f < 5 && n > 0; f++) {
        if (strcmp(fields[f], lacks) != 0) {
            cr_assert_eq(hg_h5_write(file, fields[f], HG_F64, 1, dims, NULL, values[f]), HG_OK);
        }
    }
    if (n > 0) {
        cr_assert_eq(hg_h5_write(file, "x", HG_F64, 2, dims, NULL, x), HG_OK);
    }
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

Test(oddities, parts_without_rows_or_fields_and_integers_stored_as_reals)
{
    const char *map, *pattern;
    hg_table t = {0};

    share_folder();
    if (world.rank == 0) {
        write_text("h.yml",
                   "File: {rows: H@rows}\n"
                   "Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}\n"
                   "Columns: {id: id, position: \"x, Mpc\", m200c: \"m, Msun\", n_part: n,\n"
                   "          central: c, vmax: \"v, km/s\"}\n");
        write_h5("a.0.hdf5", 0, 0, "", 7);
        write_h5("a.2.hdf5", 1, 0, "", 7);
        write_h5("a.10.hdf5", 3, 1, "", 7);
        write_h5("a.11.hdf5", 0, 0, "", 7);
        write_h5("b.0.hdf5", 2, 0, "", 7);
        write_h5("b.1.hdf5", 2, 2, "v", 7);
        write_h5("half.hdf5", 3, 0, "", 7.5);
        write_h5("nan.hdf5", 3, 0, "", (double)NAN);
        write_h5("none.hdf5", 0, 0, "", 7);
    }
    hg_comm_barrier(&world);
    map = in_folder("h.yml");
    pattern = in_folder("a.{file}.hdf5");
    all_assert(read_rows(pattern, map, &t) == HG_OK && t.n == 4);
    for (int64_t i = 0; i < 4; i++) {
        all_assert(hg_table_i64(&t, "id")[i] == i && hg_table_i64(&t, "n_part")[i] == 7);
        all_assert(hg_table_u8(&t, "central")[i] == 1);
    }
    hg_table_clear(&t);
    all_assert(read_rows(in_folder("none.hdf5"), map, &t) == HG_OK && t.n == 0);
    hg_table_clear(&t);
    all_assert(read_rows(in_folder("b.{file}.hdf5"), map, &t) == HG_E_NOTFOUND);
    all_assert(says("'v'", "b.1.hdf5"));
    all_assert(read_rows(in_folder("half.hdf5"), map, &t) == HG_E_INPUT);
    all_assert(says("half.hdf5' row 2: 7.5 in dataset 'n'", "column 'n_part'"));
    all_assert(read_rows(in_folder("nan.hdf5"), map, &t) == HG_E_INPUT);
    all_assert(says("nan.hdf5' row 2: nan in dataset 'n'", "column 'n_part'"));
    drop_folder();
}
