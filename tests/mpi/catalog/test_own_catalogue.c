#include "mpi_fault.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "store/h5.h"
#include "store/publish.h"

MPI_SUITE(own_catalogue);

static const int64_t part_rows[] = {70001, 0, 1, 5000};
enum { N_PART = 4, N_ROW = 75002 };

/* Write four parts, one of them without rows, dealt to the ranks of `comm`. */
static hg_status
write_catalogue(const hg_comm *comm, const hg_output_options *options)
{
    hg_output *output = NULL;
    hg_status status, finished;
    int64_t first = 0;

    HG_TRY(hg_output_create(comm, options, &output));
    status = HG_OK;
    for (int64_t k = 0; k < N_PART; k++) {
        if (status == HG_OK && (N_PART - 1 - k) % comm->size == comm->rank) {
            hg_table table = {0};

            status = make_rows(first, part_rows[k], &table);
            status = status == HG_OK ? hg_output_part(output, k, &table) : status;
            hg_table_clear(&table);
        }
        first += part_rows[k];
    }
    status = hg_comm_agree(comm, status);
    finished = hg_output_finish(comm, output, status != HG_OK);
    return status != HG_OK ? status : finished;
}

static bool
same_rows(const hg_table *got, int64_t first)
{
    hg_table want = {0};
    bool same = make_rows(first, got->n, &want) == HG_OK;

    for (int c = 0; c < want.n_column && same; c++) {
        const hg_column *w = &want.column[c], *g = hg_table_find(got, w->name);
        static const size_t size[] = {8, 4, 8, 4, 1};

        same = g != NULL && g->type == w->type && g->width == w->width &&
               strcmp(g->unit, w->unit) == 0 &&
               memcmp(g->data, w->data, (size_t)(got->n * w->width) * size[w->type]) == 0;
        cr_expect(same, "column %s", w->name);
    }
    hg_table_clear(&want);
    return same;
}

Test(own_catalogue, what_is_written_is_read_by_any_number_of_ranks)
{
    static const char *const names[] = {"position", "m200c",  "central",
                                        "sfr",      "latent", "stellar_mass_draw"};
    hg_output_options options;
    hg_catalog_options open;
    hg_catalog *catalog = NULL;
    const char *path;
    int64_t seen = 0;

    share_folder();
    options = test_options(in_folder("cat"));
    all_assert(write_catalogue(&world, &options) == HG_OK);
    path = in_folder("cat.hdf5");
    open = one_file(&path);
    open.rows_per_part = 20000;
    all_assert(hg_catalog_open(&world, &open, &catalog) == HG_OK);
    all_assert(strcmp(hg_catalog_format(catalog), "halograft") == 0);
    all_assert(hg_catalog_n_row(catalog) == N_ROW && hg_catalog_n_part(catalog) == 4);
    all_assert(hg_catalog_frame(catalog)->box == 100 && hg_catalog_frame(catalog)->h == 0.7);
    all_assert(hg_catalog_frame(catalog)->particle_mass == 1e9);
    for (int64_t part = world.rank; part < hg_catalog_n_part(catalog); part += world.size) {
        hg_table table = {0};

        cr_expect_eq(hg_catalog_read(catalog, part, 6, names, &table), HG_OK, "%s",
                     hg_error_last()->message);
        cr_expect_eq(table.first, 20000 * part);
        cr_expect(same_rows(&table, table.first));
        seen += table.n;
        hg_table_clear(&table);
    }
    hg_comm_sum(&world, 1, &seen);
    all_assert(seen == N_ROW);
    hg_catalog_close(catalog);
    drop_folder();
}

Test(own_catalogue, part_files_do_not_depend_on_the_ranks_and_the_manifest_holds)
{
    hg_output_options options;
    char name[64], line[128];
    hg_text manifest = {0};
    hg_comm part;

    share_folder();
    options = test_options(in_folder("all"));
    all_assert(write_catalogue(&world, &options) == HG_OK);
    all_assert(hg_comm_split(&world, world.rank == 0 ? 0 : -1, &part) == HG_OK);
    if (world.rank == 0) {
        options = test_options(in_folder("one"));
        cr_expect_eq(write_catalogue(&part, &options), HG_OK);
        cr_expect_eq(hg_text_read(in_folder("all.xxh3"), &manifest), HG_OK);
        for (int k = 0; k <= N_PART; k++) {
            char suffix[16] = ".hdf5";
            uint64_t hash = 0;
            int64_t bytes = 0;

            if (k < N_PART) {
                snprintf(suffix, sizeof suffix, ".%d.hdf5", k);
                snprintf(name, sizeof name, "one%s", suffix);
                snprintf(line, sizeof line, "all%s", suffix);
                cr_expect(same_bytes(in_folder(name), in_folder(line)), "part %d", k);
            }
            snprintf(name, sizeof name, "all%s", suffix);
            cr_expect_eq(hg_file_hash(in_folder(name), &hash, &bytes), HG_OK);
            snprintf(line, sizeof line, "XXH3 (%s) = %016llx\n", name,
                     (unsigned long long)hash);
            cr_expect_not_null(strstr(hg_text_string(&manifest), line), "%s", line);
        }
        hg_text_clear(&manifest);
    }
    hg_comm_clear(&part);
    drop_folder();
}

Test(own_catalogue, a_table_over_ranks_is_written_in_one_call)
{
    const int64_t n = 1000, low = n * world.rank / world.size;
    const int64_t high = n * (world.rank + 1) / world.size;
    hg_output_options options;
    hg_catalog_options open;
    hg_catalog *catalog = NULL;
    hg_table table = {0};
    const char *path, *const names[] = {"position", "m200c",  "central",
                                        "sfr",      "latent", "stellar_mass_draw"};

    share_folder();
    options = test_options(in_folder("whole"));
    all_assert(make_rows(low, high - low, &table) == HG_OK);
    all_assert(hg_output_table(&world, &options, &table) == HG_OK);
    all_assert(hg_output_table(&world, &options, &table) == HG_E_EXISTS);
    options.overwrite = true;
    all_assert(hg_output_table(&world, &options, &table) == HG_OK);
    hg_table_clear(&table);
    path = in_folder("whole.hdf5");
    open = one_file(&path);
    all_assert(hg_catalog_open(&world, &open, &catalog) == HG_OK);
    all_assert(hg_catalog_n_row(catalog) == n && hg_catalog_n_part(catalog) == 1);
    all_assert(hg_catalog_read(catalog, 0, 6, names, &table) == HG_OK);
    all_assert(same_rows(&table, 0));
    hg_table_clear(&table);
    hg_catalog_close(catalog);
    drop_folder();
}

Test(own_catalogue, a_failure_leaves_no_catalogue)
{
    hg_output_options options;
    hg_output *output = NULL;
    hg_table table = {0};

    share_folder();
    options = test_options(in_folder("bad"));
    all_assert(hg_output_create(&world, &options, &output) == HG_OK);
    if (world.rank == 0) {
        cr_expect_eq(make_rows(0, 10, &table), HG_OK);
        cr_expect_eq(hg_output_part(output, 1, &table), HG_OK);
        hg_table_drop(&table, "sfr");
        cr_expect_eq(hg_output_part(output, 2, &table), HG_E_NOTFOUND);
        hg_table_clear(&table);
    }
    /* part 0 was never written */
    all_assert(hg_output_finish(&world, output, false) == HG_E_ARG);
    all_assert(strstr(hg_error_last()->message, "part 0") != NULL);
    all_assert(hg_output_create(&world, &options, &output) == HG_OK);
    all_assert(hg_output_finish(&world, output, world.rank == world.size - 1) == HG_OK);
    if (world.rank == 0) {
        cr_expect_eq(rmdir(test_folder), 0, "files were left behind");
    }
    hg_comm_barrier(&world);
}

Test(own_catalogue, every_agreement_of_open_may_fail)
{
    hg_output_options options;
    hg_catalog_options open;
    const char *path;
    fault_loop f = {.on_each = true};

    share_folder();
    options = test_options(in_folder("cat"));
    all_assert(write_catalogue(&world, &options) == HG_OK);
    path = in_folder("cat.hdf5");
    open = one_file(&path);
    while (fault_next(&f)) {
        hg_catalog *catalog = NULL;

        all_assert((fault_status(&f, hg_catalog_open(&world, &open, &catalog)) == HG_OK) ==
                   (catalog != NULL));
        hg_catalog_close(catalog);
    }
    all_assert(f.n_failed == 2 * world.size);
    drop_folder();
}

Test(own_catalogue, every_agreement_of_writing_may_fail)
{
    fault_loop f = {.on_each = true};

    share_folder();
    while (fault_next(&f)) {
        hg_output_options options = test_options(in_folder("cat"));
        const bool is_done = fault_status(&f, write_catalogue(&world, &options)) == HG_OK;

        cr_expect(hg_file_exists(in_folder("cat.hdf5")) == is_done, "fault %d", f.n);
        cr_expect(hg_file_exists(in_folder("cat.0.hdf5")) == is_done, "fault %d", f.n);
        empty_folder("");
    }
    all_assert(f.n_failed >= 4 * world.size);
    drop_folder();
}

Test(own_catalogue, every_allocation_of_open_and_read_may_fail)
{
    static const char *const names[] = {"position", "m200c"};
    hg_output_options options;
    hg_catalog_options open;
    const char *path;
    fault_loop f = {.of_memory = true, .on_each = true};
    int64_t used;

    share_folder();
    options = test_options(in_folder("cat"));
    all_assert(write_catalogue(&world, &options) == HG_OK);
    path = in_folder("cat.hdf5");
    open = one_file(&path);
    used = hg_mem_used();
    while (fault_next(&f)) {
        hg_catalog *catalog = NULL;
        hg_table table = {0};
        hg_status status = hg_catalog_open(&world, &open, &catalog);

        if (status == HG_OK) {
            status = hg_catalog_read(catalog, 0, 2, names, &table);
        }
        fault_status(&f, hg_comm_agree(&world, status));
        hg_table_clear(&table);
        hg_catalog_close(catalog);
        all_assert(hg_mem_used() == used);
    }
    all_assert(f.n_failed > 20);
    drop_folder();
}

static hg_status
try_open(const char *name, bool truth)
{
    const char *path = in_folder(name);
    hg_catalog_options open = one_file(&path);
    hg_catalog *catalog = NULL;
    hg_status status;

    open.truth = truth;
    status = hg_catalog_open(&world, &open, &catalog);
    hg_catalog_close(catalog);
    return status;
}

Test(own_catalogue, damaged_unfinished_and_secret_catalogues_are_refused)
{
    hg_output_options options;
    int64_t size = 0;

    share_folder();
    options = test_options(in_folder("cat"));
    all_assert(write_catalogue(&world, &options) == HG_OK);
    options = test_options(in_folder("truth"));
    options.truth = true;
    all_assert(write_catalogue(&world, &options) == HG_OK);
    all_assert(try_open("truth.hdf5", false) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "truth of a mock") != NULL);
    all_assert(try_open("truth.0.hdf5", false) == HG_E_INPUT);
    all_assert(try_open("truth.hdf5", true) == HG_OK);
    all_assert(try_open("cat.2.hdf5", false) == HG_OK);
    if (world.rank == 0) {
        size = hg_file_size(in_folder("cat.0.hdf5"));
        cr_expect_eq(truncate(in_folder("cat.0.hdf5"), size - 1000), 0);
    }
    all_assert(try_open("cat.hdf5", false) == HG_E_INPUT);
    all_assert(try_open("cat.0.hdf5", false) == HG_E_FORMAT);
    all_assert(strstr(hg_error_last()->message, "truncated") != NULL);
    if (world.rank == 0) {
        remove(in_folder("cat.0.hdf5"));
    }
    all_assert(try_open("cat.hdf5", false) == HG_E_NOTFOUND);
    if (world.rank == 0) {
        remove(in_folder("truth.hdf5"));
    }
    all_assert(try_open("truth.hdf5", true) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "unfinished") != NULL);
    all_assert(try_open("nothing.hdf5", true) == HG_E_NOTFOUND);
    drop_folder();
}

Test(own_catalogue, an_empty_catalogue_is_valid)
{
    hg_output_options options;
    hg_catalog_options open;
    hg_output *output = NULL;
    hg_catalog *catalog = NULL;
    const char *path;

    share_folder();
    options = test_options(in_folder("none"));
    all_assert(hg_output_create(&world, &options, &output) == HG_OK);
    all_assert(hg_output_finish(&world, output, false) == HG_OK);
    path = in_folder("none.hdf5");
    open = one_file(&path);
    all_assert(hg_catalog_open(&world, &open, &catalog) == HG_OK);
    all_assert(hg_catalog_n_row(catalog) == 0 && hg_catalog_n_part(catalog) == 0);
    all_assert(hg_catalog_n_column(catalog) == N_TEST_COLUMN + 1);
    hg_catalog_close(catalog);
    drop_folder();
}
