/* Forests that are cut out of a larger one against those that are trained: the same nodes and
 * means, bit for bit; and means without draws against those of a whole training. */
#include "mpi_test.h"

#include <string.h>

#include "forest/model.h"
#include "forest_data.h"
#include "halograft/stages.h"

MPI_SUITE(cut);

enum { N = 700, P = 6, NO = 2 };

static hg_forest *
train(const test_rows *r, const hg_train_options *o)
{
    hg_forest *f = NULL;

    cr_assert_eq(hg_forest_train(&world, o, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    return f;
}

static void
compare(const hg_forest *a, const hg_forest *b)
{
    const int n = a->n_tree;

    cr_assert_eq(n, b->n_tree);
    cr_assert_arr_eq(a->node_offset, b->node_offset, ((size_t)n + 1) * sizeof *a->node_offset);
    cr_assert_arr_eq(a->leaf_offset, b->leaf_offset, ((size_t)n + 1) * sizeof *a->leaf_offset);
    cr_assert_arr_eq(a->node, b->node, a->node_offset[n] * sizeof *a->node);
    cr_assert_arr_eq(a->mean, b->mean, a->leaf_offset[n] * NO * sizeof *a->mean);
}

/* all that can be cut from one forest; tells how many leaves there were */
static void
check_cuts(const test_rows *r, hg_train_options o, int64_t leaves[2])
{
    static const int splits[] = {2, 7, 60}, depths[] = {0, 1, 4, 9}, trees[] = {1, 5};
    hg_forest *whole;

    o.trees = 5;
    o.scope = HG_TRAIN_MEANS;
    o.is_cut = 1;
    whole = train(r, &o);
    o.is_cut = 0;
    o.scope = HG_TRAIN_DRAWS;
    for (int k = 0; k < 3 * 4 * 2; k++) {
        hg_forest *cut = NULL, *trained;

        o.min_split = splits[k % 3];
        o.max_depth = depths[k / 3 % 4];
        o.trees = trees[k / 12];
        trained = train(r, &o);
        cr_assert_eq(hg_forest_cut(whole, &o, &cut), HG_OK);
        compare(cut, trained);
        leaves[0] = hg_forest_leaves(cut) < leaves[0] ? hg_forest_leaves(cut) : leaves[0];
        leaves[1] = hg_forest_leaves(cut) > leaves[1] ? hg_forest_leaves(cut) : leaves[1];
        hg_forest_free(cut);
        hg_forest_free(trained);
    }
    hg_forest_free(whole);
}

Test(cut, a_cut_forest_is_the_one_that_would_be_trained)
{
    test_rows r = make_rows(N, P, NO, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    int64_t leaves[2] = {INT64_MAX, 0};

    for (int k = 0; k < 6;
         k++) { /* with and without weights, bags, best splits, all features */
        r.data.weight = k % 2 > 0 ? r.weight : NULL;
        r.data.group = r.group;
        o.bag = (hg_bag)(k % 3);
        o.splitter = k < 3 ? HG_SPLITTER_RANDOM : HG_SPLITTER_BEST;
        o.min_leaf = k == 1 ? 4 : 1;
        o.max_features = k % 3 == 2 ? 0.5 : 1;
        check_cuts(&r, o, leaves);
    }
    cr_assert_eq(leaves[0], 2); /* one tree of depth 1 */
    cr_assert_gt(leaves[1], 5 * N / 4);
    clear_rows(&r);
}

Test(cut, means_do_without_mates_and_residuals)
{
    test_rows r = make_rows(N, P, NO, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *whole, *oob, *means;
    double with[NO], without[NO];

    o.trees = 30;
    whole = train(&r, &o);
    o.scope = HG_TRAIN_OOB_MEANS;
    oob = train(&r, &o);
    o.scope = HG_TRAIN_MEANS;
    means = train(&r, &o);
    compare(whole, oob);
    compare(whole, means);
    cr_assert_gt(whole->mate_offset[whole->leaf_offset[30]], 0);
    cr_assert_eq(oob->mate_offset[oob->leaf_offset[30]], 0);
    for (int64_t i = 0; i < N; i++) {
        cr_assert_eq(hg_forest_oob_mean(whole, i, with), hg_forest_oob_mean(oob, i, without));
        cr_assert_arr_eq(with, without, sizeof with);
        cr_assert_eq(hg_forest_oob_mean(means, i, without), 0);
    }
    hg_forest_free(whole);
    hg_forest_free(oob);
    hg_forest_free(means);
    clear_rows(&r);
}

Test(cut, what_a_forest_does_not_hold_is_refused)
{
    test_rows r = make_rows(N, P, NO, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT, more;
    hg_forest *f, *cut = NULL;

    o.trees = 3;
    o.min_split = 8;
    o.max_depth = 5;
    o.is_cut = 1;
    cr_assert_eq(hg_forest_train(&world, &o, &r.data, &f), HG_E_ARG);
    o.scope = HG_TRAIN_MEANS;
    f = train(&r, &o);
    for (int k = 0; k < 4; k++) {
        more = o;
        more.trees += k == 0;
        more.min_split -= k == 1;
        more.max_depth = k == 2 ? 0 : o.max_depth;
        more.min_leaf += k == 3;
        cr_assert_eq(hg_forest_cut(f, &more, &cut), HG_E_ARG);
        cr_assert_null(cut);
    }
    hg_forest_free(f);
    o.is_cut = 0;
    f = train(&r, &o);
    cr_assert_eq(hg_forest_cut(f, &o, &cut), HG_E_ARG);
    hg_forest_free(f);
    clear_rows(&r);
}
