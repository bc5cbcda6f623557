/* A law of known mean and scatter: what the forest says of it. */
#include "mpi_test.h"

#include <stdlib.h>

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(scatter);

enum { TRAIN = 20000, TEST = 20000, P = 3, NO = 2, DRAWS = 20, BINS = 4 };

static const double correlation = 0.6;

/* scatter grows with the first feature: 0.1 to 0.3 */
static double
sigma_of(const float x[])
{
    return 0.1 + 0.2 * (double)x[0];
}

static double
mean_of(const float x[], int o)
{
    return o == 0 ? 2 * (double)x[0] + (double)x[1] : (double)x[0] - (double)x[1];
}

static void
make_law(int64_t n, uint64_t first, float x[], double y[], uint64_t key[])
{
    for (int64_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(42, 0, first + (uint64_t)i, HG_PURPOSE_GALAXY);
        double a, b;

        key[i] = first + (uint64_t)i + 1;
        for (int f = 0; f < P; f++) {
            x[i * P + f] = hg_stream_float(&s);
        }
        a = hg_stream_normal(&s);
        b = correlation * a + sqrt(1 - correlation * correlation) * hg_stream_normal(&s);
        y[i * NO] = mean_of(x + i * P, 0) + sigma_of(x + i * P) * a;
        y[i * NO + 1] = mean_of(x + i * P, 1) + 0.2 * b;
    }
}

Test(scatter, draws_have_the_scatter_and_correlation_of_the_law)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    hg_field_spec spec[P] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    hg_train_data data = {
        .n = TRAIN, .n_feature = P, .n_target = NO, .feature = spec, .target = spec};
    float *x = malloc(TRAIN * P * sizeof *x);
    double *y = malloc(TRAIN * NO * sizeof *y), *mean = malloc(TEST * NO * sizeof *mean);
    double *draw = malloc(DRAWS * TEST * NO * sizeof *draw);
    uint64_t *key = malloc(TRAIN * sizeof *key);
    double variance[BINS] = {0}, expected[BINS] = {0}, importance[P];
    double ab = 0, aa = 0, bb = 0, rank[10] = {0}, worst = 0, sum = 0;
    hg_oob_metrics m;
    hg_forest *f = NULL;

    make_law(TRAIN, 0, x, y, key);
    data.x = x;
    data.y = y;
    data.key = key;
    options.trees = 64;
    options.min_leaf = 10;
    cr_assert_eq(hg_forest_train(&world, &options, &data, &f), HG_OK);
    cr_assert_eq(hg_forest_oob_metrics(f, 0, &m), HG_OK);
    /* Var y = 4/12 + 1/12 + <sigma^2>; <sigma^2> of sigma uniform in 0.1 to 0.3 is 0.0433 */
    cr_assert_float_eq(m.r2, 1 - 0.0433 / (5.0 / 12 + 0.0433), 0.015);
    cr_assert(fabs(m.bias) < 0.005);
    hg_forest_importance(f, importance);
    cr_assert(importance[0] > importance[1] && importance[1] > 10 * importance[2]);
    cr_assert_float_eq(importance[0] + importance[1] + importance[2], 1, 1e-12);
    make_law(TEST, TRAIN, x, y, key);
    apply.n_draw = DRAWS;
    cr_assert_eq(hg_forest_predict(f, &apply, TEST, key, x,
                                   &(hg_prediction){.mean = mean, .draw = draw}),
                 HG_OK);
    for (int64_t i = 0; i < TEST; i++) {
        int bin = (int)(x[i * P] * BINS), below = 0;
        double s = sigma_of(x + i * P);

        expected[bin] += DRAWS * s * s;
        for (int64_t d = 0; d < DRAWS; d++) {
            const double *v = draw + (d * TEST + i) * NO;
            double a = v[0] - mean[i * NO], b = v[1] - mean[i * NO + 1];

            variance[bin] += a * a;
            aa += a / s * a / s;
            ab += a / s * b / 0.2;
            bb += b / 0.2 * b / 0.2;
            below += v[0] < y[i * NO];
        }
        rank[below * 10 / (DRAWS + 1)]++;
    }
    for (int k = 0; k < BINS;
         k++) { /* out-of-bag residuals hold the error of the mean as well */
        cr_assert_float_eq(sqrt(variance[k] / expected[k]), 1.02, 0.05, "bin %d: %g", k,
                           sqrt(variance[k] / expected[k]));
    }
    cr_assert_float_eq(ab / sqrt(aa * bb), correlation, 0.05);
    for (int k = 0; k < 10; k++) { /* the rank of the truth among the draws is uniform */
        double share = 0;

        for (int r = 0; r <= DRAWS; r++) {
            share += r * 10 / (DRAWS + 1) == k ? 1.0 / (DRAWS + 1) : 0;
        }
        sum += rank[k] / TEST - share;
        worst = fmax(worst, fabs(sum));
    }
    cr_assert(worst < 0.02, "KS statistic %g", worst);
    hg_forest_free(f);
    free(x);
    free(y);
    free(mean);
    free(draw);
    free(key);
}

/* A target with two modes whose odds follow the first feature, beside one that is normal about
 * a mean: the modes stay where they are, the mean is followed. */
Test(scatter, draws_keep_the_modes_of_a_target_that_has_two)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    hg_field_spec spec[P] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    hg_train_data data = {
        .n = TRAIN, .n_feature = P, .n_target = NO, .feature = spec, .target = spec};
    float *x = malloc(TRAIN * P * sizeof *x);
    double *y = malloc(TRAIN * NO * sizeof *y), *draw = malloc(TRAIN * NO * sizeof *draw);
    uint64_t *key = malloc(TRAIN * sizeof *key);
    uint64_t *none = calloc(TRAIN, sizeof *none);
    double between[3] = {0}, upper = 0, expected = 0;
    hg_forest *f = NULL, *apart = NULL;

    for (int part = 0; part < 2; part++) { /* training rows, then new ones */
        for (int64_t i = 0; i < TRAIN; i++) {
            hg_stream s = hg_stream_start(43, (uint64_t)part, (uint64_t)i, HG_PURPOSE_GALAXY);

            key[i] = (uint64_t)(part * TRAIN + i + 1);
            for (int k = 0; k < P; k++) {
                x[i * P + k] = hg_stream_float(&s);
            }
            y[i * NO] = (hg_stream_uniform(&s) < 0.2 + 0.6 * (double)x[i * P] ? 1 : -1) +
                        0.1 * hg_stream_normal(&s);
            y[i * NO + 1] = 3 * (double)x[i * P] + 0.2 * hg_stream_normal(&s);
        }
        data.x = x;
        data.y = y;
        data.key = key;
        options.trees = 64;
        if (part == 0) {
            cr_assert_eq(hg_forest_train(&world, &options, &data, &f), HG_OK);
            data.parent_key = none;
            cr_assert_eq(hg_forest_train(&world, &options, &data, &apart), HG_OK);
        }
    }
    /* rows without a counterpart in the parent have the same */
    cr_expect_eq(hg_forest_keep(apart, 0), hg_forest_keep(f, 0));
    /* |r| = 2 u with the density (1 - u) / 0.3 for u from 0.2 to 0.8, whose median is 0.834,
     * and the scatter is 1.4826 times that; the noise of the other target is 0.2 */
    cr_expect_float_eq(hg_forest_keep(f, 0), 0.4 * 1.4826 * 0.834, 0.05, "two modes: keep %g",
                       hg_forest_keep(f, 0));
    cr_expect_float_eq(hg_forest_keep(f, 1), 0.1 * 0.2, 0.002, "one mode: keep %g",
                       hg_forest_keep(f, 1));
    apply.n_draw = 1;
    for (int k = 0; k < 2; k++) { /* k = 1: the mean and a residual */
        f->keep[0] = k == 0 ? f->keep[0] : 0;
        cr_assert_eq(
            hg_forest_predict(f, &apply, TRAIN, key, x, &(hg_prediction){.draw = draw}), HG_OK);
        for (int64_t i = 0; i < TRAIN; i++) {
            between[k] += fabs(draw[i * NO]) < 0.5;
            upper += k == 0 && draw[i * NO] > 0;
            expected += k == 0 ? 0.2 + 0.6 * (double)x[i * P] : 0;
        }
    }
    /* 5 sigma from either mode there is nothing */
    cr_expect(between[0] < 0.005 * TRAIN, "%g between the modes", between[0]);
    cr_expect(between[1] > 2 * between[0] + 10, "%g about the mean", between[1]);
    cr_expect_float_eq(upper / expected, 1, 0.02, "odds %g", upper / expected);
    hg_forest_free(f);
    hg_forest_free(apart);
    free(none);
    free(x);
    free(y);
    free(draw);
    free(key);
}

/* Rows that thin out to one side: mates of the rarest rows lie on one side
 * of them, and yet their draws scatter about the mean. */
Test(scatter, draws_follow_the_mean_where_training_rows_are_rare)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    hg_field_spec spec[P] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    hg_train_data data = {
        .n = TRAIN, .n_feature = P, .n_target = 1, .feature = spec, .target = spec};
    float *x = malloc(TRAIN * P * sizeof *x);
    double *y = malloc(TRAIN * sizeof *y), *mean = malloc(TRAIN * sizeof *mean);
    double *draw = malloc(TRAIN * sizeof *draw), bias[2] = {0}, square[2] = {0}, n = 0;
    uint64_t *key = malloc(TRAIN * sizeof *key);
    hg_forest *f = NULL;

    for (int part = 0; part < 2; part++) { /* training rows, then new ones */
        for (int64_t i = 0; i < TRAIN; i++) {
            hg_stream s = hg_stream_start(44, (uint64_t)part, (uint64_t)i, HG_PURPOSE_GALAXY);

            key[i] = (uint64_t)(part * TRAIN + i + 1);
            x[i * P] = (float)-log(1 - hg_stream_uniform(&s));
            x[i * P + 1] = hg_stream_float(&s);
            x[i * P + 2] = hg_stream_float(&s);
            y[i] = (double)x[i * P] + 0.5 * hg_stream_normal(&s);
        }
        data.x = x;
        data.y = y;
        data.key = key;
        options.trees = 64;
        if (part == 0) {
            cr_assert_eq(hg_forest_train(&world, &options, &data, &f), HG_OK);
        }
    }
    apply.n_draw = 1;
    /* the rms of residuals is that of the noise and a little error of the mean */
    cr_expect_float_eq(f->keep[0], 0.1 * 0.5, 0.004, "%g", f->keep[0]);
    for (int k = 0; k < 2; k++) { /* k = 1: without the bound */
        f->keep[0] = k == 0 ? f->keep[0] : HUGE_VAL;
        cr_assert_eq(hg_forest_predict(f, &apply, TRAIN, key, x,
                                       &(hg_prediction){.mean = mean, .draw = draw}),
                     HG_OK);
        for (int64_t i = 0; i < TRAIN; i++) {
            if ((double)x[i * P] > 5) {
                bias[k] += draw[i] - mean[i];
                square[k] += (draw[i] - mean[i]) * (draw[i] - mean[i]);
                n += k == 0;
            }
        }
    }
    cr_expect(n > 100, "%g rows", n);
    /* 3 standard errors of the mean of n residuals, and what mates may keep */
    cr_expect(fabs(bias[0] / n) < 3 * 0.5 / sqrt(n) + 0.05, "bias %g", bias[0] / n);
    cr_expect(bias[1] / n < -0.3, "bias %g without the bound", bias[1] / n);
    cr_expect_float_eq(sqrt(square[0] / n), 0.5, 0.1, "scatter %g", sqrt(square[0] / n));
    hg_forest_free(f);
    free(x);
    free(y);
    free(mean);
    free(draw);
    free(key);
}
