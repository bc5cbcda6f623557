/* Trainings at and beyond the limits: the most columns, rows that cannot be split, rows and
 * options that must be refused. What is allowed gives a defined forest; what is not, a sentence
 * that names the trouble. */
#include "mpi_test.h"

#include <string.h>

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(limits);

enum { N = 60, P = 5, NO = 2 };

static hg_train_options
few_trees(hg_bag bag)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.trees = 6;
    o.min_leaf = 1;
    o.bag = bag;
    o.oob_trees_min = 1;
    return o;
}

static hg_forest *
train(const test_rows *r, hg_bag bag)
{
    hg_train_options o = few_trees(bag);
    hg_forest *f = NULL;

    cr_assert_eq(hg_forest_train(&world, &o, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    return f;
}

/* a forest whose trees are single leaves with the mean of the targets */
static void
check_stumps(const test_rows *r)
{
    double mean[HG_TARGETS_MAX] = {0}, predicted[HG_TARGETS_MAX];
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    hg_forest *f = train(r, HG_BAG_NONE);

    apply.training_rows = 0;
    cr_assert_eq(hg_forest_leaves(f), 6);
    for (int64_t i = 0; i < r->data.n; i++) {
        for (int o = 0; o < NO; o++) {
            mean[o] += r->y[i * NO + o] / (double)r->data.n;
        }
    }
    cr_assert_eq(
        hg_forest_predict(f, &apply, 1, r->key, r->x, &(hg_prediction){.mean = predicted}),
        HG_OK);
    for (int o = 0; o < NO; o++) {
        cr_assert_float_eq(predicted[o], mean[o], 1e-6 * (1 + fabs(mean[o])));
    }
    hg_forest_free(f);
}

Test(limits, rows_that_cannot_be_split_give_one_leaf)
{
    test_rows r = make_rows(N, P, NO, 0, 1);

    for (int64_t i = 0; i < N; i++) { /* constant features, targets that differ */
        for (int f = 0; f < P; f++) {
            r.x[i * P + f] = 2.5f;
        }
    }
    check_stumps(&r);
    for (int64_t i = 0; i < N * NO; i++) { /* copies of one row */
        r.y[i] = i % NO == 0 ? -3.25 : 7;
    }
    check_stumps(&r);
    clear_rows(&r);
    r = make_rows(N, P, NO, 0, 1); /* all targets equal, features that differ */
    for (int64_t i = 0; i < N * NO; i++) {
        r.y[i] = 1e30;
    }
    check_stumps(&r);
    r.data.n = 1;
    check_stumps(&r);
    clear_rows(&r);
}

/* with bags: residuals of equal targets are zero, and a draw is the target itself */
Test(limits, equal_targets_are_drawn_without_scatter)
{
    test_rows r = make_rows(N, P, NO, 0, 1);
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    double draw[NO];
    hg_forest *f;

    for (int64_t i = 0; i < N * NO; i++) {
        r.y[i] = 4.5;
    }
    f = train(&r, HG_BAG_ROW);
    apply.training_rows = 0;
    apply.n_draw = 1;
    cr_assert_eq(hg_forest_predict(f, &apply, 1, r.key, r.x, &(hg_prediction){.draw = draw}),
                 HG_OK);
    cr_assert_eq(draw[0], 4.5);
    cr_assert_eq(draw[1], 4.5);
    hg_forest_free(f);
    clear_rows(&r);
}

/* every row is predicted as itself where all rows are grown to the end, whatever the columns */
Test(limits, as_many_features_and_targets_as_there_may_be)
{
    const int64_t n = 40;
    test_rows r = make_rows(n, HG_FEATURES_MAX, HG_TARGETS_MAX, 0, 1);
    double mean[HG_TARGETS_MAX];
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    hg_forest *f;

    for (int64_t i = 0; i < n; i++) { /* no two rows alike */
        r.x[i * HG_FEATURES_MAX + HG_FEATURES_MAX - 1] = (float)i;
    }
    f = train(&r, HG_BAG_NONE);
    cr_assert_eq(hg_forest_leaves(f), 6 * n);
    apply.training_rows = 0;
    for (int64_t i = 0; i < n; i++) {
        cr_assert_eq(hg_forest_predict(f, &apply, 1, r.key + i, r.x + i * HG_FEATURES_MAX,
                                       &(hg_prediction){.mean = mean}),
                     HG_OK);
        for (int o = 0; o < HG_TARGETS_MAX; o++) {
            double y = r.y[i * HG_TARGETS_MAX + o];

            cr_assert_float_eq(mean[o], y, 1e-5 * (1 + fabs(y)));
        }
    }
    hg_forest_free(f);
    clear_rows(&r);
}

static void
check_refused(const test_rows *r, hg_status status, const char *word)
{
    hg_train_options o = few_trees(HG_BAG_ROW);
    hg_forest *f = NULL;

    cr_assert_eq(hg_forest_train(&world, &o, &r->data, &f), status);
    cr_assert_null(f);
    cr_assert_not_null(strstr(hg_error_last()->message, word), "'%s' is not in '%s'", word,
                       hg_error_last()->message);
}

Test(limits, rows_that_make_no_sense_are_refused)
{
    test_rows r = make_rows(N, P, NO, 0, 1);
    char key[32];

    r.data.n_feature = HG_FEATURES_MAX + 1;
    check_refused(&r, HG_E_SHAPE, "257 features");
    r.data.n_feature = 0;
    check_refused(&r, HG_E_SHAPE, "0 features");
    r.data.n_feature = P;
    r.data.n_target = HG_TARGETS_MAX + 1;
    check_refused(&r, HG_E_SHAPE, "17 targets");
    r.data.n_target = NO;
    r.data.n = 0;
    check_refused(&r, HG_E_INPUT, "no training rows");
    r.data.n = N;
    r.data.weight = r.weight;
    snprintf(key, sizeof key, "%llu", (unsigned long long)r.key[0]);
    for (int64_t i = 0; i < N; i++) {
        r.weight[i] = 0;
    }
    check_refused(&r, HG_E_INPUT, "is 0: weights must be positive");
    check_refused(&r, HG_E_INPUT, key);
    r.weight[0] = -0.5;
    check_refused(&r, HG_E_INPUT, "is -0.5: weights must be positive");
    r.weight[0] = (double)NAN;
    check_refused(&r, HG_E_INPUT, "weights must be positive");
    r.data.weight = NULL;
    r.x[3] = NAN;
    check_refused(&r, HG_E_INPUT, "feature 'column 3'");
    check_refused(&r, HG_E_INPUT, key);
    r.x[3] = -HUGE_VALF;
    check_refused(&r, HG_E_INPUT, "is -inf");
    r.x[3] = 0;
    r.y[1] = (double)NAN;
    check_refused(&r, HG_E_INPUT, "target 'column 1'");
    r.y[1] = 1e38; /* a float, but its range would overflow */
    check_refused(&r, HG_E_INPUT, "target 'column 1'");
    clear_rows(&r);
}
