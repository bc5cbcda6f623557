/* Catalogues as tables of text, turned into halograft's own layout. */
#include "mpi_folder.h"

#include <math.h>

#include "emulate/convert.h"
#include "read_catalog.h"
#include "store/publish.h"
#include "table/identity.h"
#include "table/split.h"

MPI_SUITE(convert);

enum { ROWS = 100 };

static const char mapping[] =
    "Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}\n"
    "Columns: {id: id, host_id: host, central: central, position: \"x; y; z, Mpc\",\n"
    "          m_bound: \"m, Msun\", vmax: \"v, km/s\", colour: c}\n";

static int64_t
id_of(int64_t row)
{
    return 5000000000 - 7 * row;
}

/* The last of five rows is a central. The second names the first as its host, which is a
 * satellite itself, so that hosts come after their satellites and are found in two steps. */
static void
write_table(int64_t twice, int64_t orphan)
{
    FILE *f = fopen(in_folder("t.csv"), "w");

    fputs("id,host,central,x,y,z,m,v,c\n", f);
    for (int64_t i = 0; i < ROWS; i++) {
        const int64_t top = i - i % 5 + 4;
        int64_t host = i == top ? -1 : id_of(i % 5 == 1 ? i - 1 : top);

        host = i == orphan ? 12345 : host;
        fprintf(f, "%lld,%lld,%d,%g,%g,%g,%g,%g,%g\n", (long long)id_of(i == twice ? 3 : i),
                (long long)host, i == top, (double)i, 0.5 * (double)i, 1.0,
                1e11 * (double)(i + 1), 10.0 + (double)i, 0.25 * (double)i);
    }
    fclose(f);
    cr_assert_eq(hg_publish_text(in_folder("m.yml"), mapping), HG_OK);
}

static hg_status
convert(const hg_comm *comm, const char *name, int n, const char *const more[])
{
    const char *set[16] = {"Output.rows_per_part=7"}, *file = in_folder("t.csv");
    const hg_extract_input input = {1, &file, in_folder("m.yml")};
    hg_params_options options = {.n_set = 1, .set = set, .snap = -1};
    hg_params *params = NULL;
    hg_status status;

    for (int i = 0; i < n; i++) {
        set[options.n_set++] = more[i];
    }
    cr_assert_eq(hg_params_read(comm, &options, &params), HG_OK);
    status = hg_convert_run(comm, params, &input, in_folder(name), true, false);
    hg_params_free(params);
    return status;
}

static hg_status
read_back(const char *name, int n, const char *const names[], hg_table *table)
{
    char path[512];
    const char *file = path;
    hg_catalog_options options = one_file(&file);

    snprintf(path, sizeof path, "%s.hdf5", in_folder(name));
    return read_catalog(&options, "halograft", n, names, table);
}

static void
begin(int64_t twice, int64_t orphan)
{
    share_folder();
    if (world.rank == 0) {
        write_table(twice, orphan);
    }
    hg_comm_barrier(&world);
}

Test(convert, rows_columns_and_hosts_of_a_selection)
{
    static const char *const names[] = {"row",      "position",     "central",   "host_id",
                                        "host_row", "host_m_bound", "host_vmax", "vmax"};
    static const char *const set[] = {"Convert.hosts=[m_bound, vmax]",
                                      "Convert.select=vmax >= 30 && host_vmax < 100"};
    hg_table t = {0};

    begin(-1, -1);
    all_assert(convert(&world, "c", 2, set) == HG_OK);
    all_assert(read_back("c", 8, names, &t) == HG_OK);
    all_assert(t.n == 70); /* rows 20 to 89: host_vmax of the group of row 90 is 104 */
    all_assert(t.frame.box == 100 && hg_table_find(&t, "colour") == NULL);
    for (int64_t i = 0; i < t.n; i++) {
        const int64_t row = i + 20, top = row - row % 5 + 4;

        all_assert(hg_table_i64(&t, "row")[i] == row &&
                   hg_table_i64(&t, "id")[i] == id_of(row));
        all_assert(hg_table_u8(&t, "central")[i] == (row == top));
        all_assert(hg_table_i64(&t, "host_id")[i] == (row == top ? -1 : id_of(top)));
        all_assert(hg_table_i64(&t, "host_row")[i] == (row == top ? -1 : top));
        all_assert(hg_table_f32(&t, "host_m_bound")[i] == (float)(1e11 * (double)(top + 1)));
        all_assert(hg_table_f32(&t, "host_vmax")[i] == 10 + (float)top);
        all_assert(hg_table_f64(&t, "position")[3 * i + 1] == 0.5 * (double)row);
    }
    hg_table_clear(&t);
    drop_folder();
}

Test(convert, parts_have_the_same_bytes_for_any_ranks)
{
    static const char *const set[] = {"Convert.hosts=[vmax]", "Convert.fraction=0.6",
                                      "Convert.columns=[colour]", "Meta.seed=3"};
    static const char *const names[] = {"row", "colour"};
    int64_t kept = 0;
    hg_table t = {0};
    hg_comm self;

    begin(-1, -1);
    all_assert(convert(&world, "c", 4, set) == HG_OK);
    all_assert(hg_comm_split(&world, world.rank == 0 ? 0 : -1, &self) == HG_OK);
    if (world.rank == 0) {
        char a[512], b[512];
        int64_t part = 0;

        cr_expect_eq(convert(&self, "one", 4, set), HG_OK, "%s", hg_error_last()->message);
        for (;; part++) {
            snprintf(a, sizeof a, "%s.%lld.hdf5", in_folder("c"), (long long)part);
            snprintf(b, sizeof b, "%s.%lld.hdf5", in_folder("one"), (long long)part);
            if (!hg_file_exists(a) && !hg_file_exists(b)) {
                break;
            }
            cr_expect(same_bytes(a, b), "part %lld", (long long)part);
        }
        cr_expect(part > 5, "%lld parts", (long long)part);
    }
    hg_comm_clear(&self);
    /* thinning is keyed by the halo */
    all_assert(read_back("c", 2, names, &t) == HG_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        const bool takes =
            hg_split_takes(hg_halo_key("parent", HG_NO_REGION, id_of(i)), 3, 0.6);

        if (takes) {
            all_assert(kept < t.n && hg_table_i64(&t, "row")[kept] == i);
            all_assert(hg_table_f64(&t, "colour")[kept] == 0.25 * (double)i);
            kept++;
        }
    }
    all_assert(kept == t.n && hg_table_find(&t, "vmax") == NULL);
    hg_table_clear(&t);
    drop_folder();
}

static bool
says(const char *word)
{
    return strstr(hg_error_last()->message, word) != NULL;
}

Test(convert, what_cannot_be_right_is_an_error_and_leaves_nothing)
{
    static const char *const hosts[] = {"Convert.hosts=[vmax]"};
    static const char *const drop[] = {"Convert.hosts=[vmax]", "Parent.on_bad_rows=drop"};
    static const char *const flag[] = {"Convert.hosts=[vmax]", "Parent.on_bad_rows=flag"};
    static const char *const lacks[] = {"Convert.columns=[vmaxx, colour, mm]"};
    static const char *const names[] = {"flags", "host_vmax", "host_row"};
    hg_table t = {0};
    char master[512];

    begin(60, -1); /* the id of row 3, in another part */
    all_assert(convert(&world, "c", 0, NULL) == HG_E_INPUT);
    all_assert(says("comes twice") && says("rows 3 and 60"));
    snprintf(master, sizeof master, "%s.hdf5", in_folder("c"));
    all_assert(!hg_file_exists(master));
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        write_table(-1, 12);
    }
    hg_comm_barrier(&world);
    all_assert(convert(&world, "c", 1, hosts) == HG_E_INPUT);
    all_assert(says("row 12 ") && says("its host 12345 is not in the catalogue"));
    all_assert(convert(&world, "c", 2, drop) == HG_OK);
    all_assert(read_back("c", 1, names + 1, &t) == HG_OK && t.n == ROWS - 1);
    hg_table_clear(&t);
    all_assert(convert(&world, "c", 2, flag) == HG_OK);
    all_assert(read_back("c", 3, names, &t) == HG_OK && t.n == ROWS);
    all_assert(hg_table_i32(&t, "flags")[12] == 16 && hg_table_i64(&t, "host_row")[12] == -1);
    all_assert(isnan(hg_table_f32(&t, "host_vmax")[12]) && hg_table_i32(&t, "flags")[13] == 0);
    hg_table_clear(&t);
    all_assert(convert(&world, "c", 1, lacks) == HG_E_NOTFOUND);
    all_assert(says("'vmaxx' (there is 'vmax')") && says("'mm'"));
    drop_folder();
}

Test(convert, a_selection_of_nothing_and_existing_output)
{
    static const char *const none[] = {"Convert.select=vmax > 1e9"};
    static const char *const names[] = {"vmax"};
    const char *file;
    hg_extract_input input = {.n_file = 1};
    hg_params_options options = {.snap = -1};
    hg_params *params = NULL;
    hg_table t = {0};

    begin(-1, -1);
    all_assert(convert(&world, "c", 1, none) == HG_OK);
    all_assert(read_back("c", 1, names, &t) == HG_OK && t.n == 0);
    hg_table_clear(&t);
    file = in_folder("t.csv");
    input.files = &file;
    input.mapping = in_folder("m.yml");
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    all_assert(hg_convert_run(&world, params, &input, in_folder("c"), false, false) ==
               HG_E_EXISTS);
    all_assert(hg_convert_run(&world, params, &input, in_folder("d"), false, true) == HG_OK);
    all_assert(!hg_file_exists(in_folder("d.0.hdf5")));
    hg_params_free(params);
    drop_folder();
}
