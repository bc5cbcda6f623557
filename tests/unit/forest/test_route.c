/* Ways of many rows through trees at once, against walks of one row, node by node; and their
 * means for every number of targets. */
#include "mpi_test.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(route);

enum { N = 700, NEW = 1000, TREES = 19 };

static hg_forest *
train(const test_rows *r, int max_depth)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = NULL;

    o.trees = TREES;
    o.min_leaf = 1;
    o.max_depth = max_depth;
    cr_assert_eq(hg_forest_train(&world, &o, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    return f;
}

static uint32_t
walk(const hg_forest *f, int tree, const float x[])
{
    const hg_node *node = f->node + f->node_offset[tree];
    uint32_t k = 0;

    while (!hg_node_is_leaf(node[k])) {
        k = (node[k].link >> f->feature_bits) +
            (x[node[k].link & ((1u << f->feature_bits) - 1)] > node[k].t ? 1 : 0);
    }
    return hg_leaf_number(node[k]);
}

static void
check_leaves(const hg_forest *f, const float x[], size_t n, const uint32_t index[])
{
    uint32_t leaf[NEW + 1];

    for (int t = 0; t < f->n_tree; t++) {
        leaf[n] = 12345;
        hg_tree_route(f->node + f->node_offset[t], f->feature_bits, n, x, (size_t)f->n_feature,
                      index, leaf);
        cr_assert_eq(leaf[n], 12345);
        for (size_t i = 0; i < n; i++) {
            const size_t row = index != NULL ? index[i] : i;

            cr_assert_eq(leaf[i], walk(f, t, x + row * (size_t)f->n_feature));
        }
    }
}

/* the same with packed nodes */
static void
check_packed(const hg_forest *f, const float x[], size_t n)
{
    const size_t n_feature = (size_t)f->n_feature, stride = (n_feature + 7) / 8 * 8;
    static hg_packed_node node[4 * N];
    static uint32_t key[NEW * 80];
    uint32_t leaf[NEW + 1];

    for (size_t i = 0; i < n * n_feature; i++) {
        key[i / n_feature * stride + i % n_feature] = hg_row_key(x[i]);
    }
    for (int t = 0; t < f->n_tree; t++) {
        const size_t n_node = f->node_offset[t + 1] - f->node_offset[t];

        cr_assert_leq(n_node, sizeof node / sizeof node[0]);
        hg_tree_pack(f->node + f->node_offset[t], f->feature_bits, n_node, node);
        leaf[n] = 12345;
        hg_packed_route(node, n, key, stride, leaf);
        cr_assert_eq(leaf[n], 12345);
        for (size_t i = 0; i < n; i++) {
            cr_assert_eq(leaf[i], walk(f, t, x + i * n_feature));
        }
    }
}

/* one row through the first trees at once, for any number of them */
static void
check_row(const hg_forest *f, const float x[])
{
    const hg_node *node[HG_TREES_TOGETHER];
    uint32_t leaf[HG_TREES_TOGETHER];

    for (int n = 1; n <= HG_TREES_TOGETHER; n++) {
        node[n - 1] = f->node + f->node_offset[n - 1];
        hg_row_route(n, node, f->feature_bits, x, leaf);
        for (int t = 0; t < n; t++) {
            cr_assert_eq(leaf[t], walk(f, t, x));
        }
    }
}

/* 6 and 8 bits of a link for the feature, strides with code of their own and others; trees of
 * two leaves, and of a few and many levels */
Test(route, leaves_are_those_of_single_walks_for_any_number_of_rows)
{
    static const int widths[] = {5, 8, 16, 24, 32, 70}, depths[] = {1, 6, 0};
    static const size_t sizes[] = {0, 1, 9, 10, 11, 95, 96, 97, 110, 111, 303, NEW};
    uint32_t index[NEW];

    for (size_t i = 0; i < NEW; i++) {
        index[i] = (uint32_t)(hg_mix64(i) % NEW); /* some twice */
    }
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        test_rows r = make_rows(N, widths[w], 2, 0, 1);
        test_rows new = make_rows(N + NEW, widths[w], 2, N, 1);

        for (size_t d = 0; d < 3; d++) {
            hg_forest *f = train(&r, depths[d]);

            cr_assert_eq(f->feature_bits, widths[w] <= 64 ? 6 : 8);
            for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                check_leaves(f, new.x, sizes[s], NULL);
                check_packed(f, new.x, sizes[s]);
                check_leaves(f, new.x, sizes[s], index);
            }
            for (int i = 0; i < 50; i++) {
                check_row(f, new.x + i *widths[w]);
            }
            hg_forest_free(f);
        }
        clear_rows(&r);
        clear_rows(&new);
    }
}

/* every pair of awkward numbers, zeros of both signs among them, and a leaf's NaN */
Test(route, keys_compare_as_numbers_do)
{
    static const float number[] = {-INFINITY, -FLT_MAX, -1.5f,        -FLT_MIN, -FLT_TRUE_MIN,
                                   -0.0f,     0.0f,     FLT_TRUE_MIN, FLT_MIN,  1.0f,
                                   1.5f,      FLT_MAX,  INFINITY};
    const size_t n = sizeof number / sizeof number[0];

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            cr_assert_eq(hg_row_key(number[i]) > hg_feature_key(number[j]),
                         number[i] > number[j], "%g and %g", (double)number[i],
                         (double)number[j]);
        }
        cr_assert_lt(hg_row_key(number[i]), hg_feature_key(hg_leaf_nan(0)));
        cr_assert_lt(hg_feature_key(number[i]), HG_PACKED_LEAF);
    }
    cr_assert_geq(hg_feature_key(hg_leaf_nan(HG_LEAF_MASK)), HG_PACKED_LEAF);
    cr_assert_eq(hg_feature_key(hg_leaf_nan(77)) & HG_LEAF_MASK, 77);
}

Test(route, means_are_sums_in_tree_order_for_any_number_of_targets)
{
    static double mean[NEW * 9], same[NEW * 9], spread[NEW * 9];
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;

    for (int n_target = 1; n_target <= 9; n_target++) {
        test_rows r = make_rows(N, 5, n_target, 0, 1);
        test_rows new = make_rows(N + NEW, 5, n_target, N, 1);
        hg_forest *f = train(&r, 40);

        cr_assert_eq(hg_forest_predict(f, &o, NEW, NULL, new.x, &(hg_prediction){.mean = mean}),
                     HG_OK);
        cr_assert_eq(hg_forest_predict(f, &o, NEW, NULL, new.x,
                                       &(hg_prediction){.mean = same, .spread = spread}),
                     HG_OK);
        cr_assert(memcmp(mean, same, (size_t)(NEW * n_target) * sizeof *mean) == 0);
        for (int i = 0; i < NEW; i++) {
            for (int k = 0; k < n_target; k++) {
                double sum = 0, square = 0;

                for (int t = 0; t < TREES; t++) {
                    const uint64_t leaf = f->leaf_offset[t] + walk(f, t, new.x + 5L * i);
                    const double m = (double)f->mean[leaf * (uint64_t)n_target + (uint64_t)k];

                    sum += m;
                    square += m * m;
                }
                cr_assert_eq(mean[i * n_target + k], sum / TREES);
                cr_assert_float_eq(spread[i * n_target + k],
                                   sqrt(fmax(0, square / TREES - sum / TREES * (sum / TREES))),
                                   1e-6);
            }
        }
        hg_forest_free(f);
        clear_rows(&r);
        clear_rows(&new);
    }
}
