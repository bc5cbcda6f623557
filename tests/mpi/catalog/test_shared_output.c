#include "mpi_fault.h"

#include <dirent.h>

#include "catalog_test.h"
#include "mpi_folder.h"
#include "store/publish.h"
#include "store/rawfile.h"

MPI_SUITE(shared_output);

enum { ROWS = 1000, N_ROW = 6500, N_PART = 7 };

static hg_output_options
shared_options(const char *path)
{
    hg_output_options options = test_options(path);

    options.shared = true;
    options.n_row = N_ROW;
    options.rows_per_part = ROWS;
    return options;
}

/* All parts but `left_out`, dealt to the ranks from the last one on. */
static hg_status
write_shared(const hg_output_options *options, int64_t left_out)
{
    hg_output *output = NULL;
    hg_table sample = {0};
    hg_status status, finished;

    HG_TRY(hg_output_create(&world, options, &output));
    status = world.rank == 0 ? make_rows(0, 3, &sample) : HG_OK;
    status = hg_comm_agree(&world, status);
    status = status == HG_OK ? hg_output_shape(&world, output, &sample) : status;
    for (int64_t k = 0; k < N_PART && status == HG_OK; k++) {
        if ((N_PART - 1 - k) % world.size == world.rank && k != left_out) {
            hg_table table = {0};

            status = make_rows(k * ROWS, k < N_PART - 1 ? ROWS : N_ROW % ROWS, &table);
            status = status == HG_OK ? hg_output_part(output, k, &table) : status;
            hg_table_clear(&table);
        }
    }
    hg_table_clear(&sample);
    status = hg_comm_agree(&world, status);
    finished = hg_output_finish(&world, output, status != HG_OK);
    return status != HG_OK ? status : finished;
}

static int
count_files(void)
{
    DIR *folder = opendir(test_folder);
    int n = 0;

    while (folder != NULL && readdir(folder) != NULL) {
        n++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return n - 2;
}

Test(shared_output, parts_of_any_size_are_read_from_one_file)
{
    const char *path;
    hg_output_options options;
    hg_catalog_options open;
    hg_catalog *catalog = NULL;
    int64_t first = 0;

    share_folder();
    options = shared_options(in_folder("one"));
    all_assert(write_shared(&options, -1) == HG_OK);
    all_assert(count_files() == 2); /* and the manifest */
    path = in_folder("one.hdf5");
    open = one_file(&path);
    open.rows_per_part = 999;
    all_assert(hg_catalog_open(&world, &open, &catalog) == HG_OK);
    all_assert(hg_catalog_n_row(catalog) == N_ROW && hg_catalog_n_part(catalog) == 7);
    for (int64_t k = 0; k < hg_catalog_n_part(catalog); k++) {
        const char *const names[] = {"id", "position", "m200c"};
        hg_table got = {0}, want = {0};

        all_assert(hg_catalog_read(catalog, k, 3, names, &got) == HG_OK);
        all_assert(make_rows(first, got.n, &want) == HG_OK);
        for (int i = 0; i < 3; i++) {
            const hg_column *a = hg_table_find(&got, names[i]),
                            *b = hg_table_find(&want, names[i]);
            static const size_t size[] = {8, 4, 8, 4, 1};

            all_assert(a != NULL && b != NULL && a->type == b->type &&
                       memcmp(a->data, b->data, (size_t)(got.n * a->width) * size[a->type]) ==
                           0);
        }
        first += got.n;
        hg_table_clear(&got);
        hg_table_clear(&want);
    }
    all_assert(first == N_ROW);
    hg_catalog_close(catalog);
    drop_folder();
}

Test(shared_output, a_part_that_is_missing_or_too_long_is_refused)
{
    hg_output_options options;

    share_folder();
    options = shared_options(in_folder("bad"));
    all_assert(write_shared(&options, 4) == HG_E_ARG);
    all_assert(strstr(hg_error_last()->message, "part 4") != NULL);
    all_assert(count_files() == 0);
    hg_comm_barrier(&world);
    options.n_row = N_ROW - 1;
    all_assert(write_shared(&options, -1) == HG_E_ARG);
    all_assert(count_files() == 0);
    drop_folder();
}

Test(shared_output, every_agreement_of_writing_may_fail)
{
    fault_loop f = {.on_each = true};
    int n_late = 0, last = 0;

    share_folder();
    while (fault_next(&f)) {
        hg_output_options options = shared_options(in_folder("cat"));
        const bool is_late = fault_status(&f, write_shared(&options, -1)) != HG_OK &&
                             hg_file_exists(in_folder("cat.hdf5"));

        n_late += is_late;
        last = is_late ? f.n : last;
        all_assert(f.n_past == 0 || count_files() == 2);
        empty_folder("");
    }
    /* the last agreement comes when the file has its name already */
    all_assert(f.n_failed >= 11 * world.size && n_late <= world.size);
    all_assert(n_late == 0 || last == f.n - 1);
    drop_folder();
}

Test(shared_output, a_folder_is_tested_before_it_is_trusted)
{
    share_folder();
    all_assert(hg_rawfile_test(&world, in_folder("x.hdf5")) == HG_OK);
    all_assert(count_files() == 0);
    all_assert(hg_rawfile_test(&world, in_folder("nowhere/x.hdf5")) == HG_E_WRITE);
    all_assert(strstr(hg_error_last()->message, "nowhere") != NULL);
    drop_folder();
}
