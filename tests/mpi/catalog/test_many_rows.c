/* Catalogues of more rows than 32 bits count: sparse files, of which only the last rows of each
 * were ever written. */
#include "mpi_test.h"

#include "catalog_test.h"
#include "mpi_folder.h"
#include "store/h5.h"

MPI_SUITE(many_rows);

enum { N_SIZE = 5, TAIL = 3 };
static const int64_t size[N_SIZE] = {INT64_C(2147483647), INT64_C(2147483649),
                                     INT64_C(4294967295), INT64_C(4294967297),
                                     INT64_C(10000000000)};

/* Positions of the last rows are (1, 2, 3), (4, 5, 6), (7, 8, 9). */
static hg_status
write_sparse(const char *path, int64_t n)
{
    const hg_h5_layout layout = HG_H5_PART;
    const int64_t dims[2] = {n, 3};
    const double place[3 * TAIL] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_create(path, &file));
    HG_TRY_OR(done, status, hg_h5_reserve(file, "place", HG_F64, 2, dims, &layout));
    status = hg_h5_write_rows(file, "place", n - TAIL, TAIL, HG_F64, place);
done:
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

static void
write_mapping(const char *path)
{
    FILE *file = fopen(path, "w");

    fputs("Header: {box: 50 Mpc, redshift: 0, h: 0.7, omega_m: 0.3, omega_l: 0.7}\n"
          "Columns: {position: 'place, Mpc'}\n",
          file);
    fclose(file);
}

/* Parts follow one another without a gap and hold all rows. */
static void
check_parts(const hg_catalog *catalog, int64_t n, int64_t rows_per_part)
{
    const int64_t n_part = hg_catalog_n_part(catalog);
    int64_t sum = 0;
    bool ok = true;

    all_assert(hg_catalog_n_row(catalog) == n);
    all_assert(n_part == (n + rows_per_part - 1) / rows_per_part);
    for (int64_t part = 0; part < n_part; part++) {
        ok = ok && hg_catalog_part_first(catalog, part) == sum;
        ok = ok && hg_catalog_part_rows(catalog, part) > 0;
        sum += hg_catalog_part_rows(catalog, part);
    }
    all_assert(ok && sum == n);
}

/* The last rows of the last part are those that were written. */
static void
check_tail(hg_catalog *catalog, int64_t n)
{
    static const char *const names[] = {"position", HG_CATALOG_ROW};
    const int64_t last = hg_catalog_n_part(catalog) - 1;
    hg_table table = {0};

    all_assert(hg_catalog_read(catalog, last, 2, names, &table) == HG_OK);
    all_assert(table.n == hg_catalog_part_rows(catalog, last));
    for (int64_t i = 0; i < TAIL && i < table.n; i++) {
        const int64_t at = table.n - 1 - i;

        all_assert(hg_table_f64(&table, "position")[3 * at] == (double)(7 - 3 * i));
        all_assert(hg_table_i64(&table, HG_CATALOG_ROW)[at] == n - 1 - i);
    }
    hg_table_clear(&table);
}

static void
check_set(int n_file, const char *const files[], const char *mapping, int64_t n,
          int64_t rows_per_part)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;

    options.mapping = mapping;
    options.n_file = n_file;
    options.files = files;
    options.rows_per_part = rows_per_part;
    options.particles = options.partial = mapping == NULL;
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    check_parts(catalog, n, rows_per_part);
    check_tail(catalog, n);
    hg_catalog_close(catalog);
}

Test(many_rows, plans_of_more_rows_than_32_bits_count)
{
    const char *files[N_SIZE], *map;
    char name[32];
    int64_t n = 0;

    share_folder();
    map = in_folder("map.yml");
    for (int i = 0; i < N_SIZE; i++) {
        snprintf(name, sizeof name, "sparse.%d.hdf5", i);
        files[i] = in_folder(name);
        if (world.rank == 0) {
            write_mapping(map);
            cr_assert_eq(write_sparse(files[i], size[i]), HG_OK, "%s",
                         hg_error_last()->message);
        }
        n += size[i];
        hg_comm_barrier(&world);
        check_set(i + 1, files, map, n, 1 << 20); /* a part may lie in two files */
    }
    check_set(1, files, map, size[0], 999983);
    drop_folder();
}

/* ---- snapshots of 1e10 particles ---- */

static void
put_totals(hg_h5 *file, uint64_t here, uint64_t total)
{
    const uint64_t all[2] = {0, here};
    const uint32_t low[2] = {0, (uint32_t)total}, high[2] = {0, (uint32_t)(total >> 32)};
    const double mass[2] = {0, 2};
    const struct {
        const char *name;
        double value;
    } item[] = {{"Time", 1},
                {"Redshift", 0},
                {"BoxSize", 10},
                {"HubbleParam", 1},
                {"Omega0", 0.3},
                {"OmegaLambda", 0.7},
                {"UnitLength_in_cm", 3.085678e24},
                {"UnitMass_in_g", 1.989e43},
                {"UnitVelocity_in_cm_per_s", 1e5}};

    cr_assert_eq(hg_h5_group(file, "Header"), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_ThisFile", HG_U64, 2, all), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_Total", HG_U32, 2, low), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_Total_HighWord", HG_U32, 2, high), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "MassTable", HG_F64, 2, mass), HG_OK);
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        cr_assert_eq(hg_h5_put_real(file, "Header", item[i].name, item[i].value), HG_OK);
    }
}

/* A file of a snapshot in HDF5. */
static void
write_particles(const char *path, int64_t here, int64_t total)
{
    const hg_h5_layout layout = HG_H5_PART;
    const int64_t dims[2] = {here, 3};
    const double place[3 * TAIL] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const char *const name[] = {"PartType1/Coordinates", "PartType1/Velocities",
                                "PartType1/ParticleIDs"};
    hg_h5 *file = NULL;

    cr_assert_eq(hg_h5_create(path, &file), HG_OK);
    put_totals(file, (uint64_t)here, (uint64_t)total);
    cr_assert_eq(hg_h5_reserve(file, name[0], HG_F64, 2, dims, &layout), HG_OK);
    cr_assert_eq(hg_h5_reserve(file, name[1], HG_F32, 2, dims, &layout), HG_OK);
    cr_assert_eq(hg_h5_reserve(file, name[2], HG_U64, 1, dims, &layout), HG_OK);
    cr_assert_eq(hg_h5_write_rows(file, name[0], here - TAIL, TAIL, HG_F64, place), HG_OK);
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

static void
put_at(FILE *file, int64_t at, const void *data, size_t n)
{
    cr_assert_eq(fseeko(file, at, SEEK_SET), 0);
    cr_assert_eq(fwrite(data, 1, n, file), n);
}

/* A block of Gadget-2 of n rows; its markers have the low 32 bits of its length. */
static int64_t
put_block(FILE *file, int64_t at, int64_t n, int64_t row, const void *tail)
{
    const uint32_t marker = (uint32_t)(n * row);

    put_at(file, at, &marker, sizeof marker);
    put_at(file, at + 4 + (n - TAIL) * row, tail, (size_t)(TAIL * row));
    put_at(file, at + 4 + n * row, &marker, sizeof marker);
    return at + 8 + n * row;
}

/* One of five binary files with n of 1e10 particles. */
static void
write_binary(const char *path, int32_t n)
{
    const float place[3 * TAIL] = {1e3F, 2e3F, 3e3F, 4e3F, 5e3F, 6e3F, 7e3F, 8e3F, 9e3F};
    const uint64_t total = 10000000000, id[TAIL] = {1, 2, 3};
    const uint32_t length = 256, low = (uint32_t)total, high = (uint32_t)(total >> 32);
    const int32_t n_file = 5;
    const double mass = 2, time = 1, frame[4] = {1e4, 0.3, 0.7, 1};
    FILE *file = fopen(path, "wb");
    int64_t at = 264;

    cr_assert_not_null(file);
    put_at(file, 0, &length, 4);
    put_at(file, 4 + 4, &n, 4);
    put_at(file, 4 + 24 + 8, &mass, 8);
    put_at(file, 4 + 72, &time, 8);
    put_at(file, 4 + 100, &low, 4);
    put_at(file, 4 + 124, &n_file, 4);
    put_at(file, 4 + 128, frame, sizeof frame);
    put_at(file, 4 + 172, &high, 4);
    put_at(file, 260, &length, 4);
    at = put_block(file, at, n, 12, place);
    at = put_block(file, at, n, 12, place);
    put_block(file, at, n, 8, id);
    cr_assert_eq(fclose(file), 0);
}

Test(many_rows, snapshots_of_more_particles_than_32_bits_count)
{
    const int64_t total = 10000000000, first = 4294967297;
    const char *path[2], *pattern, *binary;

    share_folder();
    path[0] = in_folder("s.0.hdf5");
    path[1] = in_folder("s.1.hdf5");
    pattern = in_folder("s.{file}.hdf5");
    binary = in_folder("b.0");
    if (world.rank == 0) {
        write_particles(path[0], first, total);
        write_particles(path[1], total - first, total);
        write_binary(binary, INT32_MAX);
    }
    hg_comm_barrier(&world);
    check_set(1, &pattern, NULL, total, 1 << 20);
    check_set(1, &binary, NULL, INT32_MAX, 1 << 20);
    drop_folder();
}

/* ---- counts that cannot be ---- */

static void
write_groups(const char *path, int64_t n_group, int64_t n_sub)
{
    const struct {
        const char *name;
        int64_t value;
    } count[] = {{"Ngroups_ThisFile", n_group},
                 {"Nsubgroups_ThisFile", n_sub},
                 {"Ngroups_Total", 1},
                 {"Nsubgroups_Total", 1},
                 {"NumFiles", 2},
                 {"Time", 1},
                 {"Redshift", 0},
                 {"HubbleParam", 1},
                 {"BoxSize", 10}};
    hg_h5 *file = NULL;

    cr_assert_eq(hg_h5_create(path, &file), HG_OK);
    put_totals(file, 0, 0);
    for (size_t i = 0; i < sizeof count / sizeof count[0]; i++) {
        cr_assert_eq(hg_h5_put_integer(file, "Header", count[i].name, count[i].value), HG_OK);
    }
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

Test(many_rows, counts_that_no_sum_can_hold_are_refused)
{
    const int64_t bad[][2] = {{INT64_MAX, 1}, {1, INT64_MAX}, {1, INT64_C(1) << 48}};
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    const char *path[2], *pattern;
    hg_catalog *catalog = NULL;

    share_folder();
    path[0] = in_folder("g.0.hdf5");
    path[1] = in_folder("g.1.hdf5");
    pattern = in_folder("g.{file}.hdf5");
    options.format = "subfind";
    options.n_file = 1;
    options.files = &pattern;
    for (int i = 0; i < 3; i++) {
        if (world.rank == 0) {
            write_groups(path[0], bad[i][0], bad[i][1]);
            write_groups(path[1], bad[i][0], bad[i][1]);
        }
        hg_comm_barrier(&world);
        all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_FORMAT);
        all_assert(strstr(hg_error_last()->message, "which cannot be") != NULL);
    }
    drop_folder();
}
