/* Part files of a training over ranks: joined ranges give the bits of a whole training, and
 * every failure on the way, of a rank or of memory, reaches all ranks and leaks nothing. */
#include "mpi_fault.h"

#include <stdlib.h>
#include <unistd.h>

#include "forest_data.h"

MPI_SUITE(checkpoint);

enum { N = 300, P = 5, NO = 2, TREES = 12 };

static hg_train_options
few_trees(hg_splitter splitter)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.splitter = splitter;
    o.trees = TREES;
    o.threads = 1;
    o.seed = 9;
    return o;
}

/* a folder of this test, the same on all ranks */
static void
make_folder(char folder[64])
{
    snprintf(folder, 64, "/tmp/hg-parts-XXXXXX");
    if (world.rank == 0) {
        cr_assert_not_null(mkdtemp(folder));
    }
    hg_comm_broadcast(&world, 0, folder, 64);
}

static void
grow_range(const test_rows *rows, hg_splitter splitter, hg_train_parts parts, int first, int n)
{
    hg_train_options o = few_trees(splitter);
    hg_forest *f = NULL;

    parts.first_tree = first;
    parts.n_tree = n;
    all_assert(hg_forest_train_parts(&world, &o, &rows->data, &parts, &f) == HG_OK &&
               f == NULL);
}

static void
join_ranges(hg_splitter splitter)
{
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    hg_train_options o = few_trees(splitter);
    hg_forest *whole = NULL, *f = NULL;
    char folder[64], path[128];
    hg_train_parts parts = {.path = path, .interval = 1e-9};

    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.hdf5", folder);
    rows.data.weight = rows.weight;
    all_assert(hg_forest_train(&world, &o, &rows.data, &whole) == HG_OK);
    grow_range(&rows, splitter, parts, 7, 5); /* one part per tree */
    parts.interval = 0;
    grow_range(&rows, splitter, parts, 0, 4); /* one part per rank */
    parts.merge = 1;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_E_NOTFOUND);
    all_assert(f == NULL && strstr(hg_error_last()->message, "tree 4 ") != NULL);
    parts.merge = 0;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_E_EXISTS);
    parts.resume = 1;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_OK);
    all_assert(hg_forest_hash(f) == hg_forest_hash(whole));
    hg_forest_free(f);
    rows.data.group = rows.group; /* other canonical rows */
    f = NULL;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "training rows") != NULL);
    rows.data.group = NULL;
    o.splitter = splitter == HG_SPLITTER_BEST ? HG_SPLITTER_RANDOM : HG_SPLITTER_BEST;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "Model.splitter") != NULL);
    o.splitter = splitter;
    o.trees = TREES + 1; /* trees of a larger forest */
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_OK);
    all_assert(hg_forest_trees(f) == TREES + 1);
    all_assert(hg_forest_remove_parts(&world, path) == HG_OK);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_assert_eq(rmdir(folder), 0, "part files are left");
    }
    hg_forest_free(f);
    hg_forest_free(whole);
    clear_rows(&rows);
}

Test(checkpoint, joined_ranges_are_the_whole)
{
    join_ranges(HG_SPLITTER_RANDOM);
    join_ranges(HG_SPLITTER_BEST);
}

Test(checkpoint, any_fault_reaches_every_rank_and_leaks_nothing)
{
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    hg_train_options o = few_trees(HG_SPLITTER_RANDOM);
    char folder[64], path[128];
    hg_train_parts parts = {.path = path, .overwrite = 1};
    const int64_t used = hg_mem_used();

    o.trees = 3;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.hdf5", folder);
    for (int merge = 0; merge <= 1; merge++) { /* writing all parts, then reading them */
        parts.n_tree = merge ? 0 : o.trees;
        parts.merge = merge;
        fault_loop loops[] = {{.step = 1}, {.of_memory = true, .step = 7}};

        for (int k = 0; k < 2; k++) {
            while (fault_next(&loops[k])) {
                hg_forest *f = NULL;
                hg_status status = hg_forest_train_parts(&world, &o, &rows.data, &parts, &f);

                all_assert((fault_status(&loops[k], status) == HG_OK && merge) == (f != NULL));
                hg_forest_free(f);
                all_assert(hg_mem_used() == used);
            }
            all_assert(loops[k].n_failed > 4);
        }
    }
    all_assert(hg_forest_remove_parts(&world, path) == HG_OK);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_assert_eq(rmdir(folder), 0, "files are left");
    }
    clear_rows(&rows);
}
