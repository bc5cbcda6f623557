/* Trees go to their places in the model in any order, from several threads and ranks, and some
 * find no room there; the model is the same. */
#include "mpi_test.h"

#include "forest/harvest.h"
#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(harvest);

enum { P = 5, NO = 2, TREES = 16, SEEDS = 4 };

/* bags of few groups: trees differ much in size */
static hg_forest *
train(const hg_comm *comm, int n, uint64_t seed, int threads)
{
    test_rows rows = make_rows(n, P, NO, comm->rank, comm->size);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = NULL;

    rows.data.group = rows.group;
    o.bag = HG_BAG_GROUP;
    o.trees = TREES;
    o.min_leaf = 2;
    o.threads = threads;
    o.seed = seed;
    cr_assert_eq(hg_forest_train(comm, &o, &rows.data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    clear_rows(&rows);
    return f;
}

/* trees in several orders of growth; counts the forests whose first trees, one of each rank,
 * are all below the mean or not */
static void
compare(int n, uint64_t seed, int *n_small, int *n_large)
{
    hg_forest *f[4];
    double most = 0;
    hg_comm self;

    cr_assert_eq(hg_comm_init(&self, MPI_COMM_SELF), HG_OK);
    f[0] = train(&self, n, seed, 1);
    f[1] = train(&self, n, seed, 3);
    f[2] = train(&world, n, seed, 1);
    f[3] = train(&world, n, seed, 2);
    for (int t = 0; t < world.size; t++) {
        const double size = (double)(f[0]->node_offset[t + 1] - f[0]->node_offset[t]);

        most = size > most ? size : most;
    }
    most /= (double)f[0]->node_offset[TREES] / TREES;
    *n_small += most < 0.95;
    *n_large += most > 1.05;
    for (int k = 0; k < 4; k++) {
        all_assert(hg_forest_hash(f[k]) == hg_forest_hash(f[0]));
        all_assert(memcmp(f[k]->importance, f[0]->importance,
                          TREES * P * sizeof *f[k]->importance) == 0);
    }
    for (int k = 0; k < 4; k++) {
        hg_forest_free(f[k]);
    }
    hg_comm_clear(&self);
}

Test(harvest, trees_of_unequal_size_all_find_their_places)
{
    int n_small = 0, n_large = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        compare(200, seed, &n_small, &n_large);
    }
    all_assert(n_large > 0 && (n_small > 0 || world.size > 1));
}

/* enough for a block that ranks share */
Test(harvest, ranks_put_large_trees_into_one_block)
{
    int n_small = 0, n_large = 0;

    compare(1500, 1, &n_small, &n_large);
    all_assert(n_small == 0);
    compare(1500, 19, &n_small, &n_large); /* the block is too small for all */
    all_assert(n_small == 1);
}

Test(harvest, ranks_that_are_free_take_the_trees_of_one_that_is_not)
{
    hg_tree tree[TREES] = {{0}};
    hg_checkpoint checkpoint = {.tree = tree, .last = TREES};
    hg_plan plan = {.options = {.trees = TREES}, .rule = {.n_target = 1}};
    int64_t taken[TREES] = {0};
    hg_harvest h;

    if (world.size != 2) {
        return; /* each number of trees is known where the ranks take turns */
    }
    all_assert(hg_harvest_begin(world.rank, world.size, &plan, &checkpoint, 0, &h) == HG_OK);
    all_assert(hg_harvest_claim(&h, 0) == world.rank);
    h.own[world.rank].size.node = 1 << 15;
    tree[world.rank == 0 ? 4 : 5].node = (hg_node *)tree; /* as loaded from a part file */
    all_assert(hg_harvest_wanted(&h) == TREES / 2);
    all_assert(hg_harvest_open(&world, &h) == HG_OK && h.is_joint);
    all_assert(hg_harvest_wanted(&h) == TREES);
    for (int t = 0; world.rank == 1 && (t = hg_harvest_claim(&h, t)) < TREES; t++) {
        taken[t]++;
    }
    hg_comm_barrier(&world);
    for (int t = 0; world.rank == 0 && (t = hg_harvest_claim(&h, t)) < TREES; t++) {
        taken[t] += 100;
    }
    hg_comm_sum(&world, TREES, taken);
    for (int t = 0; t < TREES; t++) {
        all_assert(taken[t] == (t < 2 ? 0 : t == 4 ? 100 : 1));
    }
    hg_harvest_clear(&world, &h);
}

Test(harvest, nobody_takes_a_tree_after_a_failure)
{
    hg_tree tree[TREES] = {{0}};
    hg_checkpoint checkpoint = {.tree = tree, .last = TREES};
    hg_plan plan = {.options = {.trees = TREES}, .rule = {.n_target = 1}};
    hg_harvest h;

    all_assert(hg_harvest_begin(world.rank, world.size, &plan, &checkpoint, 0, &h) == HG_OK);
    h.own[world.rank].size.node = 1 << 15;
    all_assert(hg_harvest_open(&world, &h) == HG_OK);
    if (world.rank == world.size - 1) {
        hg_harvest_halt(&h);
    }
    hg_comm_barrier(&world);
    all_assert(h.is_joint == (world.size > 1));
    all_assert(hg_harvest_claim(&h, 0) == TREES);
    hg_harvest_clear(&world, &h);
}
