/* Training on rows spread over ranks: the same content as when every rank has all rows, for any
 * number of ranks, any cut between the top of a tree and its subtrees, and degenerate rows. */
#include "mpi_fault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(distributed);

enum { N = 500, P = 7, NO = 3, TREES = 9 };

static hg_train_options
few_trees(void)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.trees = TREES;
    o.threads = 1;
    o.seed = 5;
    o.oob_trees_min = 2;
    return o;
}

static void
make_folder(char folder[64])
{
    snprintf(folder, 64, "/tmp/hg-rows-XXXXXX");
    if (world.rank == 0) {
        cr_assert_not_null(mkdtemp(folder));
    }
    hg_comm_broadcast(&world, 0, folder, 64);
}

/* hash of a forest grown by rows; the saved file must give it back, importances with it */
static uint64_t
distributed_hash(const hg_comm *comm, const hg_train_options *o, const test_rows *rows,
                 const char *path, int64_t cut, double importance[])
{
    const hg_train_distribution d = {.path = path, .cut = cut, .trees_at_once = 4};
    hg_forest *f = NULL, *g = NULL;
    uint64_t hash;

    all_assert(hg_forest_train_distributed(comm, o, &rows->data, NULL, &d, &f) == HG_OK);
    hash = hg_forest_hash(f);
    hg_forest_importance(f, importance);
    all_assert(hg_forest_save(comm, f, path, 1) == HG_OK);
    all_assert(hg_forest_load(comm, path, &g) == HG_OK);
    all_assert(hg_forest_hash(g) == hash);
    hg_forest_free(f);
    hg_forest_free(g);
    return hash;
}

/* compare both schemes for one set of options and the rows of this rank */
static void
compare_schemes(const hg_comm *comm, const hg_train_options *o, const test_rows *rows,
                const char *path, int64_t cut)
{
    double mine[HG_FEATURES_MAX], theirs[HG_FEATURES_MAX];
    hg_forest *f = NULL;
    uint64_t hash;

    all_assert(hg_forest_train(comm, o, &rows->data, &f) == HG_OK);
    hash = hg_forest_hash(f);
    hg_forest_importance(f, theirs);
    hg_forest_free(f);
    all_assert(distributed_hash(comm, o, rows, path, cut, mine) == hash);
    all_assert(memcmp(mine, theirs, (size_t)rows->data.n_feature * sizeof *mine) == 0);
}

Test(distributed, content_is_that_of_trees_grown_whole)
{
    static const int64_t cuts[] = {1, 40, 100000};
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    char folder[64], path[128];
    hg_train_options o;

    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.hdf5", folder);
    for (int c = 0; c < 3; c++) { /* every bag, with and without weights */
        o = few_trees();
        o.bag = (hg_bag)c;
        rows.data.group = c == 2 ? rows.group : NULL;
        rows.data.weight = c == 1 ? rows.weight : NULL;
        compare_schemes(&world, &o, &rows, path, cuts[c]);
    }
    rows.data.group = NULL;
    rows.data.weight = rows.weight;
    o = few_trees();
    o.min_leaf = 1;
    o.max_features = 0.4;
    o.threads = 2;
    compare_schemes(&world, &o, &rows, path, 60);
    o = few_trees();
    o.max_depth = 4;
    o.min_gain = 1e-3;
    o.redraw = 2;
    o.min_leaf = 20;
    o.leaf_mates_max = 7;
    o.first_tree = 3;
    compare_schemes(&world, &o, &rows, path, 11);
    clear_rows(&rows);
    if (world.rank == 0) {
        unlink(path);
        rmdir(folder);
    }
}

Test(distributed, degenerate_rows_give_what_whole_trees_give)
{
    test_rows rows = make_rows(60, 3, 2, world.rank, world.size);
    test_rows one = make_rows(1, 3, 2, world.rank, world.size);
    test_rows last = make_rows(world.rank == world.size - 1 ? 60 : 0, 3, 2, 0, 1);
    hg_train_options o = few_trees();
    char folder[64], path[128];

    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.hdf5", folder);
    o.min_leaf = 1;
    compare_schemes(&world, &o, &last, path, 5); /* all rows on one rank */
    last.data.group = last.group;
    o.bag = HG_BAG_GROUP; /* bags may be empty */
    compare_schemes(&world, &o, &last, path, 5);
    o.bag = HG_BAG_ROW;
    compare_schemes(&world, &o, &one, path, 1); /* one row: ranks without rows */
    for (int64_t i = 0; i < 3 * rows.data.n; i++) {
        rows.x[i] = 2;
    }
    compare_schemes(&world, &o, &rows, path, 5); /* no feature differs */
    for (int64_t i = 0; i < 2 * rows.data.n; i++) {
        rows.y[i] = -3;
    }
    compare_schemes(&world, &o, &rows, path, 5); /* nor does a target */
    clear_rows(&rows);
    clear_rows(&one);
    clear_rows(&last);
    if (world.rank == 0) {
        unlink(path);
        rmdir(folder);
    }
}

Test(distributed, part_files_serve_both_schemes)
{
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    hg_train_options o = few_trees();
    hg_forest *whole = NULL, *f = NULL;
    char folder[64], path[128];
    hg_train_parts parts = {.path = path, .interval = 1e-9, .first_tree = 2, .n_tree = 3};
    hg_train_distribution d = {.path = path, .cut = 50, .trees_at_once = 2};

    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.hdf5", folder);
    all_assert(hg_forest_train(&world, &o, &rows.data, &whole) == HG_OK);
    all_assert(hg_forest_train_distributed(&world, &o, &rows.data, &parts, &d, &f) == HG_OK);
    all_assert(f == NULL);
    parts.first_tree = 7;
    parts.n_tree = 2;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_OK && f == NULL);
    parts.n_tree = 0;
    parts.resume = 1;
    all_assert(hg_forest_train_distributed(&world, &o, &rows.data, &parts, &d, &f) == HG_OK);
    all_assert(hg_forest_hash(f) == hg_forest_hash(whole));
    hg_forest_free(f);
    f = NULL;
    parts.merge = 1;
    all_assert(hg_forest_train_parts(&world, &o, &rows.data, &parts, &f) == HG_OK);
    all_assert(hg_forest_hash(f) == hg_forest_hash(whole));
    hg_forest_free(f);
    all_assert(hg_forest_remove_parts(&world, path) == HG_OK);
    hg_forest_free(whole);
    clear_rows(&rows);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_assert_eq(rmdir(folder), 0); /* nothing is left */
    }
}

Test(distributed, any_fault_reaches_every_rank_and_leaks_nothing)
{
    test_rows rows = make_rows(80, 4, 2, world.rank, world.size);
    hg_train_options o = few_trees();
    hg_train_distribution d = {.path = "/nowhere/model.hdf5", .cut = 30};
    hg_forest *f = NULL;
    char folder[64], path[128];
    const int64_t used = hg_mem_used();
    fault_loop loops[] = {{.step = 7}, {.of_memory = true, .step = 11}};

    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.hdf5", folder);
    o.trees = 3;
    o.oob_trees_min = 1;
    all_assert(hg_forest_train_distributed(&world, &o, &rows.data, NULL, &d, &f) == HG_E_WRITE);
    d.path = path;
    for (int k = 0; k < 2; k++) {
        while (fault_next(&loops[k])) {
            hg_status status =
                hg_forest_train_distributed(&world, &o, &rows.data, NULL, &d, &f);

            all_assert((fault_status(&loops[k], status) == HG_OK) == (f != NULL));
            hg_forest_free(f);
            all_assert(hg_mem_used() == used);
        }
        all_assert(loops[k].n_failed > 10);
    }
    clear_rows(&rows);
    if (world.rank == 0) {
        rmdir(folder);
    }
}
