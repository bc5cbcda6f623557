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
