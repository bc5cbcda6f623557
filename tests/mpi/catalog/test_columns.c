#include "mpi_test.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "read_catalog.h"
#include "store/h5.h"
#include "store/publish.h"

#include <zlib.h>

MPI_SUITE(columns);

/* Text file `name` in the test's folder, written by rank 0. */
static const char *
put_file(const char *name, const char *text)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");

    fputs(text, file);
    fclose(file);
    return path;
}

/* Open with a mapping and read all rows on every rank, part by part. */
static hg_status
read_all(const char *mapping, int n_file, const char *const files[], int64_t rows_per_part,
         int n, const char *const names[], hg_table *table)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.mapping = mapping;
    options.n_file = n_file;
    options.files = files;
    options.rows_per_part = rows_per_part;
    return read_catalog(&options, NULL, n, names, table);
}

static bool
says(const char *text)
{
    bool found = strstr(hg_error_last()->message, text) != NULL;

    cr_expect(found, "'%s' is not in '%s'", text, hg_error_last()->message);
    return found;
}

Test(columns, a_text_table_is_read_with_its_units_in_any_parts)
{
    static const char *const names[] = {"position", "m200c", "host_mass", "note"};
    hg_table table = {0}, parts = {0};
    const char *map, *files[1];

    share_folder();
    map = in_folder("map.yml");
    files[0] = in_folder("table.csv");
    if (world.rank == 0) {
        put_file("map.yml", "Header: {box: 100 Mpc/h, h: 0.5, a: 0.5, omega_m: 0.3}\n"
                            "Columns:\n"
                            "  id: ID\n"
                            "  position: x; y; z, Mpc/h, +10\n"
                            "  m200c: \"M, 1e10 Msun/h\"\n"
                            "  host_mass: M#2, 1e10 Msun/h\n"
                            "  note: \"b_to_a(500c)\"\n"
                            "  velocity: vx; vx; vx, km/s a^0.5\n");
        put_file("table.csv", "# a remark\n"
                              "ID, x,y,z, \"M\",b_to_a(500c),vx,M#2\r\n"
                              "9007199254740993,-10,20,89.999,2.5,0.5,10,4\r\n"
                              "\n"
                              "-7,1,2,3,1e2,nan,10,1\n"
                              "5,1,2,3,1e2,.25,10,1");
    }
    hg_comm_barrier(&world);
    /* the table really has a column named 'M#2': the name wins over the meaning "second M" only
     * when quoted so in neither; here 'M' comes once, so '#2' must fail with a sentence */
    all_assert(read_all(map, 1, files, 0, 4, names, &table) == HG_E_NOTFOUND);
    all_assert(says("'M#2'"));
    if (world.rank == 0) {
        put_file("table.csv", "# a remark\n"
                              "ID, x,y,z, \"M\",b_to_a(500c),vx,M\r\n"
                              "9007199254740993,-10,20,89.999,2.5,0.5,10,4\r\n"
                              "\n"
                              "-7,1,2,3,1e2,0.75,10,1\n"
                              "5,1,2,3,1e2,.25,10,1");
    }
    hg_comm_barrier(&world);
    all_assert(read_all(map, 1, files, 0, 4, names, &table) == HG_E_FORMAT);
    all_assert(says("2 columns 'M'"));
    if (world.rank == 0) {
        put_file("map.yml", "Header: {box: 100 Mpc/h, h: 0.5, a: 0.5, omega_m: 0.3}\n"
                            "Columns:\n"
                            "  id: ID\n"
                            "  position: x; y; z, Mpc/h, +10\n"
                            "  m200c: \"M#1, 1e10 Msun/h\"\n"
                            "  host_mass: M#2, 1e10 Msun/h\n"
                            "  note: b_to_a(500c)\n"
                            "  velocity: vx; vx; vx, km/s a^0.5\n");
    }
    hg_comm_barrier(&world);
    all_assert(read_all(map, 1, files, 0, 4, names, &table) == HG_OK);
    all_assert(table.n == 3 && table.frame.box == 200 && table.frame.redshift == 1);
    all_assert(hg_table_i64(&table, "id")[0] == 9007199254740993LL);
    all_assert(hg_table_i64(&table, "id")[1] == -7);
    all_assert(hg_table_f64(&table, "position")[0] == 0);
    all_assert(hg_table_f64(&table, "position")[1] == 60);
    all_assert(fabs(hg_table_f64(&table, "position")[2] - 199.998) < 1e-9);
    all_assert(hg_table_f32(&table, "m200c")[0] == 5e10F);
    all_assert(hg_table_f64(&table, "host_mass")[0] == 8e10);
    all_assert(strcmp(hg_table_find(&table, "host_mass")->unit, "Msun") == 0);
    all_assert(hg_table_f64(&table, "note")[2] == 0.25);
    all_assert(read_all(map, 1, files, 2, 4, names, &parts) == HG_OK);
    all_assert(parts.n == 3);
    all_assert(memcmp(hg_table_f64(&parts, "position"), hg_table_f64(&table, "position"),
                      9 * sizeof(double)) == 0);
    hg_table_clear(&parts);
    hg_table_clear(&table);
    all_assert(read_all(map, 1, files, 0, 1, (const char *[]){"velocity"}, &table) == HG_OK);
    all_assert(fabsf(hg_table_f32(&table, "velocity")[4] - 7.0710678F) < 1e-6F);
    hg_table_clear(&table);
    drop_folder();
}

Test(columns, compressed_lists_with_hash_names_and_no_names_are_read)
{
    static const char text[] =
        "#ID Mvir Vmax\n#a = 0.5\n1 1e12 200\n2 2e12 300 \n 3 3e12 400\n";
    const char *map, *files[1];
    hg_table table = {0};

    share_folder();
    map = in_folder("map.yml");
    files[0] = in_folder("out_1.list.gz");
    if (world.rank == 0) {
        gzFile gz = gzopen(files[0], "wb");

        gzwrite(gz, text, sizeof text - 1);
        gzclose(gz);
        put_file("map.yml", "Header: {h: 0.7}\nColumns: {id: ID, mvir: Mvir Msun/h}\n");
    }
    hg_comm_barrier(&world);
    all_assert(read_all(map, 1, files, 0, 1, (const char *[]){"mvir"}, &table) == HG_E_PARAM);
    all_assert(says("mvir"));
    if (world.rank == 0) {
        put_file(
            "map.yml",
            "Header: {h: 0.7}\nColumns: {id: ID, mvir: 'Mvir, Msun/h', vmax: 'Vmax, km/s'}\n");
    }
    hg_comm_barrier(&world);
    all_assert(read_all(map, 1, files, 1, 2, (const char *[]){"vmax", "row"}, &table) == HG_OK);
    all_assert(table.n == 3 && hg_table_f32(&table, "vmax")[2] == 400);
    all_assert(hg_table_i64(&table, "id")[1] == 2 && hg_table_i64(&table, "row")[2] == 2);
    hg_table_clear(&table);
    if (world.rank == 0) {
        cr_expect_eq(truncate(files[0], hg_file_size(files[0]) - 12), 0);
    }
    all_assert(read_all(map, 1, files, 1, 1, (const char *[]){"vmax"}, &table) == HG_E_READ);
    all_assert(says("damaged or cut"));
    files[0] = in_folder("plain.txt");
    if (world.rank == 0) {
        put_file("plain.txt", "10 1e12\n11 2e12\n");
        put_file("map.yml", "Header: {h: 0.7}\nColumns: {id: 1, mvir: '2, Msun/h'}\n");
    }
    hg_comm_barrier(&world);
    all_assert(read_all(map, 1, files, 0, 1, (const char *[]){"mvir"}, &table) == HG_OK);
    all_assert(table.n == 2 && hg_table_i64(&table, "id")[1] == 11);
    hg_table_clear(&table);
    drop_folder();
}

/* Write a table and a mapping, read `column`, and expect a status and words of its sentence. */
static bool
refuses(const char *map, const char *text, const char *column, hg_status status,
        const char *words)
{
    const char *path = in_folder("map.yml"), *files[1] = {in_folder("t.csv")};
    hg_table table = {0};
    hg_status got;
    bool good;

    if (world.rank == 0) {
        put_file("map.yml", map);
        put_file("t.csv", text);
    }
    hg_comm_barrier(&world);
    got = read_all(path, 1, files, 0, 1, &column, &table);
    hg_table_clear(&table);
    good = got == status && strstr(hg_error_last()->message, words) != NULL;
    cr_expect(good, "status %s: '%s' does not say '%s'", hg_status_name(got),
              hg_error_last()->message, words);
    hg_comm_barrier(&world);
    return good;
}

Test(columns, wrong_input_gets_one_clear_sentence)
{
    static const char csv[] = "ID,M,x\n1,1e12,5\n2,2e12,6\n";

#define MAP "Header: {h: 0.7, box: 100 Mpc}\n"
    share_folder();
    all_assert(
        refuses(MAP "Columns: {id: ID, m200c: M}", csv, "m200c", HG_E_PARAM, "has no unit"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Mpc'}", csv, "m200c", HG_E_PARAM,
                       "needs one like 'Msun'"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Msum'}", csv, "m200c", HG_E_FORMAT,
                       "did you mean 'Msun'"));
    all_assert(
        refuses("Columns: {id: ID, m200c: 'M, Msun/h'}", csv, "m200c", HG_E_PARAM, "needs h"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'Mass, Msun'}", csv, "m200c",
                       HG_E_NOTFOUND, "no column 'Mass'"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Msun'}", csv, "m200", HG_E_NOTFOUND,
                       "did you mean 'm200c'"));
    all_assert(refuses("Header: {hubble: 0.7}\nColumns: {id: ID}", csv, "id", HG_E_PARAM,
                       "Header.hubble is not known"));
    all_assert(refuses("Colums: {id: ID}", csv, "id", HG_E_PARAM, "section 'Colums'"));
    all_assert(refuses("Header: {box: 100}\nColumns: {id: ID}", csv, "id", HG_E_PARAM,
                       "Header.box has no unit"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Msun'}", "ID,M\n1,1e12\n2,2e12,5\n",
                       "m200c", HG_E_FORMAT, "line 3 of"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Msun'}", "ID,M\n1,1e12\n2,abc\n",
                       "m200c", HG_E_FORMAT, "'abc' in column 'M'"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Msun'}", "ID,M\n1,1e12\n2,\n", "m200c",
                       HG_E_INPUT, "row 1: m200c = nan"));
    all_assert(refuses(MAP "Columns: {id: ID, m_bound: 'M, Msun'}", "ID,M\n1,0\n2,-1\n",
                       "m_bound", HG_E_INPUT, "2 of 2 rows hold impossible values"));
    all_assert(refuses(MAP "Columns: {id: ID, position: 'x; x; x, Mpc'}", "ID,x\n1,50\n2,101\n",
                       "position", HG_E_INPUT, "outside the box"));
    all_assert(refuses(MAP "Columns: {id: ID, velocity: 'x; x; x, km/s'}", "ID,x\n1,5e4\n",
                       "velocity", HG_E_INPUT, "too fast"));
    all_assert(refuses(MAP "Columns: {id: ID, m200c: 'M, Msun'}", "ID,M\n4,1\n3,1\n4,1\n",
                       "m200c", HG_E_INPUT, "id 4 comes twice"));
    all_assert(refuses(MAP "Columns: {id: ID, run: R}",
                       "ID,R\n4,-3\n3,9223372036854775807\n4,-3\n", "run", HG_E_INPUT,
                       "id 4 comes twice"));
    drop_folder();
}

Test(columns, bad_rows_are_dropped_or_flagged_when_asked_for)
{
    const char *file, *column = "m_bound";
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    hg_table table = {0};

    share_folder();
    file = in_folder("t.csv");
    options.mapping = in_folder("map.yml");
    options.n_file = 1;
    options.files = &file;
    if (world.rank == 0) {
        put_file("map.yml", "Columns: {id: ID, m_bound: 'M, Msun'}");
        put_file("t.csv", "ID,M\n1,5\n2,-1\n3,inf\n4,6\n");
    }
    hg_comm_barrier(&world);
    options.on_bad_rows = "drop";
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_read(catalog, 0, 1, &column, &table) == HG_OK);
    all_assert(table.n == 2 && hg_table_i64(&table, "id")[1] == 4);
    all_assert(hg_table_f32(&table, "m_bound")[1] == 6);
    hg_table_clear(&table);
    hg_catalog_close(catalog);
    options.on_bad_rows = "flag";
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_read(catalog, 0, 1, &column, &table) == HG_OK);
    all_assert(table.n == 4 && hg_table_i32(&table, "flags")[0] == 0);
    all_assert(hg_table_i32(&table, "flags")[1] == 8 && hg_table_i32(&table, "flags")[2] == 8);
    hg_table_clear(&table);
    hg_catalog_close(catalog);
    options.on_bad_rows = "ignore";
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_PARAM);
    options.on_bad_rows = NULL;
    options.frame.h = 0.7;
    options.format = "column";
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_PARAM);
    all_assert(says("did you mean 'columns'"));
    drop_folder();
}

/* A flat HDF5 file of `n` rows from row `first` of an endless table. */
static hg_status
put_hdf5(const char *path, int64_t first, int64_t n, int64_t total, bool datasets)
{
    double x[300], pos[900];
    uint64_t id[300];
    hg_h5 *file = NULL;
    int64_t dims[2] = {n, 3};

    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)(first + i + 1);
        id[i] = UINT64_MAX - (uint64_t)(first + i);
        for (int k = 0; k < 3; k++) {
            pos[3 * i + k] = (double)(first + i) + 0.1 * k;
        }
    }
    HG_TRY(hg_h5_create(path, &file));
    HG_TRY(hg_h5_group(file, "Header"));
    HG_TRY(hg_h5_put_integer(file, "Header", "N_ThisFile", n));
    HG_TRY(hg_h5_put_integer(file, "Header", "N_Total", total));
    HG_TRY(hg_h5_put_real(file, "Header", "BoxSize", 1e6));
    if (datasets) {
        HG_TRY(hg_h5_write(file, "Halos/M", HG_F64, 1, dims, NULL, x));
        HG_TRY(hg_h5_write(file, "Halos/Pos", HG_F64, 2, dims, NULL, pos));
        HG_TRY(hg_h5_write(file, "Halos/ID", HG_U64, 1, dims, NULL, id));
    }
    return hg_h5_close(file);
}

Test(columns, hdf5_files_are_joined_in_numeric_order)
{
    static const char map[] =
        "File: {rows: Header@N_ThisFile, total: Header@N_Total}\n"
        "Header: {box: Header@BoxSize, box_unit: kpc/h, h: 0.5, a: 1}\n"
        "Columns: {id: Halos/ID, position: 'Halos/Pos, kpc/h',\n"
        "  m200c: 'Halos/M, 1e10 Msun/h', z_only: 'Halos/Pos[2], kpc/h'}\n";
    static const char *const names[] = {"position", "m200c", "z_only", "position[1]"};
    char path[512];
    const char *pattern = path;
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    hg_table table = {0};

    share_folder();
    snprintf(path, sizeof path, "%s/c.{file}.hdf5", test_folder);
    if (world.rank == 0) {
        /* c.2 says it has no rows and lacks the datasets; c.10 comes after c.9 */
        cr_expect_eq(put_hdf5(in_folder("c.2.hdf5"), 0, 0, 350, false), HG_OK);
        cr_expect_eq(put_hdf5(in_folder("c.9.hdf5"), 0, 250, 350, true), HG_OK);
        cr_expect_eq(put_hdf5(in_folder("c.10.hdf5"), 250, 100, 350, true), HG_OK);
        put_file("map.yml", map);
    }
    hg_comm_barrier(&world);
    all_assert(read_all(in_folder("map.yml"), 1, &pattern, 90, 4, names, &table) == HG_OK);
    all_assert(table.n == 350 && table.frame.box == 2000);
    for (int64_t i = 0; i < 350; i++) {
        cr_expect_eq((uint64_t)hg_table_i64(&table, "id")[i], UINT64_MAX - (uint64_t)i);
        cr_expect_float_eq(hg_table_f64(&table, "position")[3 * i + 1],
                           2e-3 * ((double)i + 0.1), 1e-12);
        cr_expect_eq(hg_table_f32(&table, "m200c")[i], (float)(2e10 * (double)(i + 1)));
        cr_expect_float_eq(hg_table_f64(&table, "z_only")[i], 2e-3 * ((double)i + 0.2), 1e-12);
        cr_expect_eq(hg_table_f64(&table, "position[1]")[i],
                     hg_table_f64(&table, "position")[3 * i + 1]);
    }
    hg_table_clear(&table);
    /* the user may add what the file lacks, but not contradict it */
    options.mapping = in_folder("map.yml");
    options.n_file = 1;
    options.files = &pattern;
    options.frame.omega_m = 0.3;
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_frame(catalog)->omega_m == 0.3);
    hg_catalog_close(catalog);
    options.frame.box = 1000;
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_INPUT);
    all_assert(says("2000") && says("1000"));
    if (world.rank == 0) {
        remove(in_folder("c.10.hdf5"));
    }
    hg_comm_barrier(&world);
    all_assert(read_all(in_folder("map.yml"), 1, &pattern, 90, 4, names, &table) == HG_E_INPUT);
    all_assert(says("files are missing"));
    drop_folder();
}

/* A mapping file of the project. */
static const char *
project_mapping(const char *name)
{
    static char path[4096];
    const char *tests = strstr(__FILE__, "/tests/mpi/");

    snprintf(path, sizeof path, "%.*s/params/mappings/%s", (int)(tests - __FILE__), __FILE__,
             name);
    return path;
}

Test(columns, the_public_tables_are_read)
{
    static const struct {
        const char *map, *file, *column;
        int64_t rows;
        double first; /* log10 of the first value, from the raw file by hand */
    } item[] = {
        {"tng100-1_centrals.yml", "tng100-1_z0_tables/centrals_Mstar_gt_0.1.h5", "m_dm", 10270,
         14.544545},
        {"tng100-1_centrals_csv.yml", "tng100-1_z0_tables/centrals_Mstar_gt_0.1.csv", "m_dm",
         10270, 14.544545},
        {"tng100-1_subhaloes.yml", "tng100-1_z0_tables/subhaloes_groups8-628_len200.h5",
         "m200c", 62566, 14.318013},
        {"illustris1_galaxies.yml", "illustris1_galaxies/illustris1_galaxies.h5", "m_dm", 4577,
         14.456101},
        {"camels_groups.yml", "camels_groups/camels_fof_groups_M200gt1e11.h5", "m200c", 38841,
         11.406443},
        {"the300_gadgetx.yml", "the300_zoom/the300_haloes_z0.h5", "mvir", 4047, 15.587294},
        {"the300_gizmo-simba.yml", "the300_zoom/the300_haloes_z0.h5", "mvir", 3657, 15.590946}};
    const char *data = real_data();

    if (data == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        char path[4096];
        const char *file = path;
        hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
        hg_catalog *catalog = NULL;
        const char *names[64];
        hg_table table = {0};
        int n = 0;
        double first;

        snprintf(path, sizeof path, "%s/%s", data, item[i].file);
        options.mapping = project_mapping(item[i].map);
        options.n_file = 1;
        options.files = &file;
        options.rows_per_part = 10000;
        all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
        all_assert(hg_catalog_n_row(catalog) == item[i].rows);
        for (; n < hg_catalog_n_column(catalog); n++) {
            names[n] = hg_catalog_column(catalog, n)->name;
        }
        all_assert(hg_catalog_read(catalog, 0, n, names, &table) == HG_OK);
        first = log10(hg_column_value(hg_table_find(&table, item[i].column), 0, 0));
        cr_expect_float_eq(first, item[i].first, 1e-5, "%s: %.7f", item[i].map, first);
        hg_table_clear(&table);
        hg_catalog_close(catalog);
    }
}

Test(columns, the_same_table_as_text_and_hdf5_has_the_same_bits)
{
    static const char *const names[] = {"m_dm", "vmax", "velocity", "n_part", "sfr"};
    const char *data = real_data();
    char path[2][4096], map[4096];
    const char *file[2] = {path[0], path[1]};
    hg_table a = {0}, b = {0};

    if (data == NULL) {
        return;
    }
    snprintf(path[0], sizeof path[0], "%s/tng100-1_z0_tables/centrals_Mstar_gt_0.1.h5", data);
    snprintf(path[1], sizeof path[1], "%s/tng100-1_z0_tables/centrals_Mstar_gt_0.1.csv", data);
    snprintf(map, sizeof map, "%s", project_mapping("tng100-1_centrals.yml"));
    all_assert(read_all(map, 1, &file[0], 4000, 5, names, &a) == HG_OK);
    snprintf(map, sizeof map, "%s", project_mapping("tng100-1_centrals_csv.yml"));
    all_assert(read_all(map, 1, &file[1], 3000, 5, names, &b) == HG_OK);
    all_assert(a.n == b.n && a.n == 10270);
    all_assert(memcmp(hg_table_i64(&a, "n_part"), hg_table_i64(&b, "n_part"), 8 * 10270) == 0);
    all_assert(memcmp(hg_table_i64(&a, "id"), hg_table_i64(&b, "id"), 8 * 10270) == 0);
    for (int64_t i = 0; i < a.n; i++) {
        /* the text has eight digits */
        cr_expect(fabsf(hg_table_f32(&a, "m_dm")[i] / hg_table_f32(&b, "m_dm")[i] - 1) < 2e-7F);
        cr_expect(fabsf(hg_table_f32(&a, "vmax")[i] / hg_table_f32(&b, "vmax")[i] - 1) < 2e-7F);
        cr_expect(fabsf(hg_table_f32(&a, "velocity")[3 * i + 2] -
                        hg_table_f32(&b, "velocity")[3 * i + 2]) < 1e-4F);
    }
    hg_table_clear(&a);
    hg_table_clear(&b);
}
