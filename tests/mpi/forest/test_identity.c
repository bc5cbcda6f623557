/* ranks: 8 */
/* One hash for a forest, over ranks, threads, orders of rows and instruction sets. Between
 * compilers it is compared by tests/cli/test_compilers.sh. */
#include "mpi_test.h"

#include <stdlib.h>

#include "forest/kernel.h"
#include "forest_data.h"

/* eight ranks may share one core */
TestSuite(identity, .init = mpi_setup, .fini = mpi_teardown, .timeout = 145);

/* a way of training; everything in it decides bits, nothing else may */
typedef struct recipe {
    int64_t n;
    int n_feature;
    int n_target;
    int trees;
    int min_leaf;
    double max_features;
    hg_bag bag;
    int is_weighted;
    int bins; /* of best splits; 0 = random thresholds */
} recipe;

static const recipe recipes[] = {
    {700, 7, 3, 9, 5, 1.0, HG_BAG_ROW, 0, 0},
    {400, 70, 9, 4, 2, 0.3, HG_BAG_GROUP, 1, 0},
    {5000, 20, 4, 2, 1, 1.0, HG_BAG_NONE, 0, 0},
    {60, HG_FEATURES_MAX, HG_TARGETS_MAX, 3, 1, 1.0, HG_BAG_NONE, 1, 0},
    {1200, 20, 4, 2, 5, 0.4, HG_BAG_ROW, 0, 256},
    {300, 33, 5, 2, 1, 1.0, HG_BAG_GROUP, 1, 37},
};

enum { N_RECIPE = sizeof recipes / sizeof *recipes };

/* rows rank, rank + size, ...; reversed: dealt from the last rank on and backwards */
static test_rows
deal_rows(const recipe *r, const hg_comm *part, int is_reversed)
{
    test_rows rows;

    if (!is_reversed) {
        return make_rows(r->n, r->n_feature, r->n_target, part->rank, part->size);
    }
    rows = make_rows(r->n, r->n_feature, r->n_target, part->size - 1 - part->rank, part->size);
    for (int64_t i = 0; i < rows.data.n; i++) {
        int64_t from = part->size - 1 - part->rank + i * part->size;

        fill_row(&rows, rows.data.n - 1 - i, (uint64_t)from);
    }
    return rows;
}

static uint64_t
hash_forest(const hg_comm *part, const recipe *r, int threads, int is_reversed)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    test_rows rows = deal_rows(r, part, is_reversed);
    hg_forest *f = NULL;
    uint64_t hash;

    o.trees = r->trees;
    o.min_leaf = r->min_leaf;
    o.max_features = r->max_features;
    o.bag = r->bag;
    o.threads = threads;
    o.splitter = r->bins > 0 ? HG_SPLITTER_BEST : HG_SPLITTER_RANDOM;
    o.bins = r->bins > 0 ? r->bins : o.bins;
    o.oob_trees_min = 1;
    rows.data.group = rows.group;
    rows.data.weight = r->is_weighted ? rows.weight : NULL;
    cr_assert_eq(hg_forest_train(part, &o, &rows.data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    hash = hg_forest_hash(f);
    hg_forest_free(f);
    clear_rows(&rows);
    return hash;
}

/* Whether the first `size` ranks find the hashes of one rank, with one and two threads and two
 * orders of rows. Recipe and instruction set change from one way to the next, so that over all
 * sizes each meets each number of threads and each order. */
static int
agree_on(int size, const uint64_t expected[])
{
    static const char *const simd[] = {"portable", "avx2", "avx512"};
    const int is_in = world.rank < size;
    hg_comm part;
    int same = 1;

    all_assert(hg_comm_split(&world, is_in ? 0 : 1, &part) == HG_OK);
    for (int way = 0; is_in && way < N_RECIPE; way++) {
        const int k = (way + size) % N_RECIPE;
        const hg_kernel *kernel = NULL;

        setenv("HG_SIMD", simd[(2 * way + size) % 3], 1);
        if (hg_kernel_choose(&kernel) != HG_OK) {
            setenv("HG_SIMD", "portable", 1);
        }
        same &= hash_forest(&part, &recipes[k], 1 + way % 2, way / 2 % 2) == expected[k];
    }
    unsetenv("HG_SIMD");
    hg_comm_clear(&part);
    return same;
}

Test(identity, one_hash_over_ranks_threads_orders_and_instruction_sets)
{
    static const int sizes[] = {1, 2, 3, 5, 8};
    uint64_t expected[N_RECIPE];
    hg_comm self;

    all_assert(world.size == 8);
    all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
    for (int k = 0; k < N_RECIPE; k++) {
        expected[k] = hash_forest(&self, &recipes[k], 1, 0);
        for (int i = 0; i < k; i++) {
            all_assert(expected[i] != expected[k]);
        }
    }
    hg_comm_clear(&self);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        all_assert(agree_on(sizes[s], expected));
    }
}
