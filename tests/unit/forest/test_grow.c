/* Trees of random thresholds are those of a naive grower (naive_trees.h), bit for bit. */
#include "mpi_test.h"

#include <stdlib.h>

#include "naive_trees.h"

MPI_SUITE(grow);

Test(grow, trees_are_those_of_a_naive_grower)
{
    test_rows small = make_rows(300, 7, 3, 0, 1), wide = make_rows(200, 70, 10, 0, 1);
    test_rows large = make_rows(11000, 20, 4, 0, 1), one = make_rows(1, 3, 1, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    int variant = 0, n_variant = 0;

    while (next_variant(&variant)) {
        n_variant++;
        o = (hg_train_options)HG_TRAIN_OPTIONS_INIT;
        o.trees = 3;
        check_forest(&o, &small, 0);
        check_forest(&o, &one, 0);
        o.bag = HG_BAG_NONE;
        check_forest(&o, &wide, 0);
        o.min_leaf = 1;
        o.first_tree = 12;
        check_forest(&o, &small, 0);
        o.max_features = 0.3;
        check_forest(&o, &small, 0);
        o.redraw = 3;
        o.min_leaf = 8;
        cr_assert(check_forest(&o, &small, 0) > 0);
        o.redraw = 0;
        o.min_leaf = 1;
        o.min_split = 20;
        o.max_depth = 4;
        check_forest(&o, &small, 4);
        o.min_gain = 0.01;
        check_forest(&o, &small, 4);
        o = (hg_train_options)HG_TRAIN_OPTIONS_INIT;
        o.bag = HG_BAG_NONE;
        o.trees = 2;
        o.min_leaf = 20; /* lists made by counting */
        check_forest(&o, &small, 0);
        small.data.weight = small.weight;
        o = (hg_train_options)HG_TRAIN_OPTIONS_INIT;
        o.trees = 2;
        o.min_leaf = 1;
        o.leaf_mates_max = 3;
        check_forest(&o, &small, 0);
        small.data.group = small.group;
        o.bag = HG_BAG_GROUP;
        check_forest(&o, &small, 0);
        small.data.weight = NULL;
        small.data.group = NULL;
        wide.data.weight = wide.weight;
        check_forest(&(hg_train_options){.trees = 1,
                                         .min_leaf = 2,
                                         .min_split = 2,
                                         .max_features = 0.02,
                                         .scale_targets = 1,
                                         .leaf_mates_max = 9,
                                         .oob_trees_min = 1},
                     &wide, 0);
        wide.data.weight = NULL;
    }
    cr_assert(n_variant >= 1);
    setenv("HG_SIMD", "avx", 1);
    cr_assert_eq(hg_kernel_choose(&(const hg_kernel *){NULL}), HG_E_ENVIRONMENT);
    unsetenv("HG_SIMD");
    o = (hg_train_options)HG_TRAIN_OPTIONS_INIT;
    o.trees = 1;
    check_forest(&o, &large, 0); /* large enough for the partition in place and for flushes */
    clear_rows(&small);
    clear_rows(&wide);
    clear_rows(&large);
    clear_rows(&one);
}
