/* Trees of best splits are those of a search over all boundaries (naive_trees.h), bit for bit.
 */
#include "mpi_test.h"

#include <string.h>

#include "naive_trees.h"

MPI_SUITE(grow_best);

/* every variant; bins of one value and of many, bytes and wide, bags, weights, few rows */
Test(grow_best, splits_are_those_of_a_search_over_all_boundaries)
{
    test_rows small = make_rows(300, 7, 3, 0, 1), wide = make_rows(150, 70, 10, 0, 1);
    test_rows one = make_rows(1, 3, 1, 0, 1), single = make_rows(220, 3, 1, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    int variant = 0;

    while (next_variant(&variant)) {
        o = (hg_train_options)HG_TRAIN_OPTIONS_INIT;
        o.splitter = HG_SPLITTER_BEST;
        o.trees = 2;
        check_forest(&o, &one, 0);
        check_forest(&o, &single, 0);
        check_forest(&o, &small, 0); /* more values than bins */
        o.bins = 20;
        check_forest(&o, &small, 0);
        o.bins = 2;
        check_forest(&o, &small, 0);
        o.bins = 1000; /* wide, a bin per value */
        o.max_features = 0.3;
        o.min_leaf = 1;
        check_forest(&o, &small, 0);
        o.bins = 256;
        o.bag = HG_BAG_NONE;
        check_forest(&o, &single, 0);
        o.max_features = 0.02; /* one candidate: often constant */
        check_forest(&o, &wide, 0);
        o.max_features = 0.5;
        o.min_split = 20;
        o.max_depth = 4;
        check_forest(&o, &small, 4);
        o.min_gain = 0.01;
        check_forest(&o, &small, 4);
        small.data.weight = small.weight;
        small.data.group = small.group;
        o = (hg_train_options)HG_TRAIN_OPTIONS_INIT;
        o.splitter = HG_SPLITTER_BEST;
        o.trees = 2;
        o.bag = HG_BAG_GROUP;
        check_forest(&o, &small, 0);
        o.bins = 500;
        o.bag = HG_BAG_ROW;
        check_forest(&o, &small, 0);
        small.data.weight = NULL;
        small.data.group = NULL;
    }
    clear_rows(&small);
    clear_rows(&wide);
    clear_rows(&one);
    clear_rows(&single);
}

/* nodes large enough to keep histograms and hand them to their larger child */
Test(grow_best, splits_of_large_nodes_are_those_of_a_search_over_all_boundaries)
{
    test_rows large = make_rows(9000, 6, 1, 0, 1), wide = make_rows(2500, 3, 1, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.splitter = HG_SPLITTER_BEST;
    o.trees = 1;
    o.bins = 48;
    o.min_leaf = 100;
    o.bag = HG_BAG_NONE;
    check_forest(&o, &large, 0);
    o.max_features = 0.5;
    o.first_tree = 3;
    check_forest(&o, &large, 0);
    large.data.weight = large.weight;
    o.bag = HG_BAG_ROW;
    check_forest(&o, &large, 0);
    o.bins = 65536; /* nodes small and large against the number of bins */
    check_forest(&o, &wide, 0);
    clear_rows(&large);
    clear_rows(&wide);
}

/* integer weights say the same as rows that stand there several times */
Test(grow_best, weights_are_repeated_rows)
{
    enum { N = 200, P = 4, TIMES = 3 };
    test_rows one = make_rows(N, P, 2, 0, 1), many = make_rows(TIMES * N, P, 2, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    double mean[2][2 * N];
    int n = 0;

    o.splitter = HG_SPLITTER_BEST;
    o.bag = HG_BAG_NONE;
    o.trees = 3;
    o.min_leaf = 1;
    o.max_features = 0.5;
    o.scale_targets = 0; /* else the variance of all rows alike would count */
    for (int i = 0; i < N; i++) {
        one.weight[i] = 1 + i % TIMES;
        for (int k = 0; k <= i % TIMES; k++, n++) {
            memcpy(many.x + (size_t)(n * P), one.x + (size_t)(i * P), P * sizeof *one.x);
            memcpy(many.y + (size_t)(n * 2), one.y + (size_t)(i * 2), 2 * sizeof *one.y);
        }
    }
    one.data.weight = one.weight;
    many.data.n = n;
    for (int k = 0; k < 2; k++) {
        hg_forest *f = NULL;

        cr_assert_eq(hg_forest_train(&world, &o, k ? &many.data : &one.data, &f), HG_OK);
        apply.training_rows = 0;
        cr_assert_eq(
            hg_forest_predict(f, &apply, N, one.key, one.x, &(hg_prediction){.mean = mean[k]}),
            HG_OK);
        hg_forest_free(f);
    }
    for (int i = 0; i < 2 * N; i++) {
        cr_assert_float_eq(mean[0][i], mean[1][i], 1e-6);
    }
    clear_rows(&one);
    clear_rows(&many);
}
