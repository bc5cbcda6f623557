/* A law of known mean and scatter: what the forest says of it. */
#include "mpi_test.h"

#include <stdlib.h>

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
