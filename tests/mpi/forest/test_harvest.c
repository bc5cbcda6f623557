/* Trees go to their places in the model in any order, from several threads and ranks, and some
 * find no room there; the model is the same. */
#include "mpi_test.h"

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(harvest);

enum { N = 200, P = 5, NO = 2, TREES = 16, SEEDS = 4 };

/* bags of few groups: trees differ much in size */
static hg_forest *
train(const hg_comm *comm, uint64_t seed, int threads)
{
    test_rows rows = make_rows(N, P, NO, comm->rank, comm->size);
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

Test(harvest, trees_of_unequal_size_all_find_their_places)
{
    int n_small = 0, n_large = 0; /* forests whose first tree is below or above the mean */
    hg_comm self;

    cr_assert_eq(hg_comm_init(&self, MPI_COMM_SELF), HG_OK);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        hg_forest *f[4] = {train(&self, seed, 1), train(&self, seed, 3), train(&world, seed, 1),
                           train(&world, seed, 2)};
        const double first = (double)f[0]->node_offset[1];
        const double mean = (double)f[0]->node_offset[TREES] / TREES;

        n_small += first < 0.95 * mean;
        n_large += first > 1.05 * mean;
        for (int k = 0; k < 4; k++) {
            all_assert(hg_forest_hash(f[k]) == hg_forest_hash(f[0]));
            all_assert(memcmp(f[k]->importance, f[0]->importance,
                              TREES * P * sizeof *f[k]->importance) == 0);
        }
        for (int k = 0; k < 4; k++) {
            hg_forest_free(f[k]);
        }
    }
    all_assert(n_small > 0 && n_large > 0);
    hg_comm_clear(&self);
}
