#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "stats/baseline.h"

enum { N = 60 };

static void
fit(hg_baseline_kind kind, double strength, int n_feature, const double x[], const double y[],
    const double weight[], double predicted[])
{
    hg_baseline *b = NULL;

    cr_assert_eq(hg_baseline_fit(kind, strength, N, n_feature, x, y, weight, &b), HG_OK);
    hg_baseline_predict(b, N, x, predicted);
    hg_baseline_free(b);
}

static void
draw_rows(double x[N], double y[N], double w[N])
{
    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(5, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        x[i] = hg_stream_normal(&s);
        y[i] = 0.5 * x[i] + hg_stream_normal(&s);
        w[i] = 0.5 + hg_stream_uniform(&s);
    }
}

/* Three points with weights 1, 2, 1: mean 2.25; the line through the weighted means. */
Test(baseline, mean_and_line_are_those_of_least_squares)
{
    const double x[] = {0, 1, 2}, y[] = {1, 2, 4}, w[] = {1, 2, 1};
    double p[1];
    hg_baseline *b = NULL;

    cr_assert_eq(hg_baseline_fit(HG_BASELINE_MEAN, 0, 3, 1, x, y, w, &b), HG_OK);
    hg_baseline_predict(b, 1, x, p);
    cr_expect_float_eq(p[0], 2.25, 1e-14);
    hg_baseline_free(b);
    cr_assert_eq(hg_baseline_fit(HG_BASELINE_LINE, 0, 3, 1, x, y, w, &b), HG_OK);
    hg_baseline_predict(b, 1, &(double){3}, p);
    cr_expect_float_eq(p[0], 2.25 + 1.5 * 2, 1e-14); /* slope (1.25 + 1.75) / 2 */
    hg_baseline_free(b);
    cr_expect_eq(hg_baseline_fit(HG_BASELINE_MEAN, 0, 0, 1, x, y, w, &b), HG_E_ARG);
    cr_expect_eq(hg_baseline_fit(HG_BASELINE_RIDGE, 0, 3, 1, x, y, w, &b), HG_E_ARG);
    cr_expect_eq(hg_baseline_fit(HG_BASELINE_LINE, 0, 3, 1, x, y, &(double[3]){0, 0, 0}[0], &b),
                 HG_E_INPUT);
    cr_expect_null(b);
}

/* Monotone least squares by its max-min formula, row by row; and falling data by mirroring. */
Test(baseline, isotonic_regression_is_that_of_the_max_min_formula)
{
    double x[N], y[N], w[N], p[N], mirrored[N], q[N];

    draw_rows(x, y, w);
    fit(HG_BASELINE_ISOTONIC, 0, 1, x, y, w, p);
    for (int i = 0; i < N; i++) {
        double best = -(double)INFINITY;

        for (int a = 0; a < N; a++) {
            double least = (double)INFINITY;

            for (int b = 0; b < N && x[a] <= x[i]; b++) {
                double sum = 0, weight = 0;

                for (int k = 0; k < N && x[b] >= x[i]; k++) {
                    const double in = x[k] >= x[a] && x[k] <= x[b] ? w[k] : 0;

                    sum += in * y[k];
                    weight += in;
                }
                least = weight > 0 ? fmin(least, sum / weight) : least;
            }
            best = x[a] <= x[i] ? fmax(best, least) : best;
        }
        cr_expect_float_eq(p[i], best, 1e-12);
        mirrored[i] = -x[i];
    }
    fit(HG_BASELINE_ISOTONIC, 0, 1, mirrored, y, w, q);
    for (int i = 0; i < N; i++) {
        cr_expect_float_eq(q[i], p[i], 1e-12);
    }
}

/* Rows of equal feature share their mean; between points the prediction is a straight line. */
Test(baseline, isotonic_regression_joins_ties_and_interpolates)
{
    const double x[] = {1, 0, 1, 2}, y[] = {3, 0, 1, 6}, at[] = {-5, 0.5, 1, 1.5, 9};
    const double wanted[] = {0, 1, 2, 4, 6};
    double p[5];
    hg_baseline *b = NULL;

    cr_assert_eq(hg_baseline_fit(HG_BASELINE_ISOTONIC, 0, 4, 1, x, y, NULL, &b), HG_OK);
    hg_baseline_predict(b, 5, at, p);
    for (int i = 0; i < 5; i++) {
        cr_expect_float_eq(p[i], wanted[i], 1e-14);
    }
    hg_baseline_free(b);
}

/* Without scatter ranks are equal; with it, normal x and y give x / sqrt(1 + sigma^2). */
Test(baseline, matching_gives_equal_ranks_and_keeps_the_spread_with_scatter)
{
    enum { M = 2000 };
    static double x[M], y[M], p[M];
    double mean = 0;
    hg_baseline *b = NULL;

    for (int i = 0; i < M; i++) { /* normal quantiles by Newton's method */
        double z = 0;

        for (int step = 0; step < 60; step++) {
            z -= (0.5 * erfc(-z / sqrt(2)) - (i + 0.5) / M) /
                 fmax(0.3989422804014327 * exp(-0.5 * z * z), 1e-3);
        }
        x[i] = z;
    }
    for (int i = 0; i < M; i++) { /* the same in another order */
        y[i] = x[(i * 7) % M];
    }
    cr_assert_eq(hg_baseline_fit(HG_BASELINE_MATCHING, 0, M, 1, y, y, NULL, &b), HG_OK);
    hg_baseline_predict(b, M, y, p);
    for (int i = 0; i < M; i++) {
        cr_expect_float_eq(p[i], y[i], 1e-12);
    }
    hg_baseline_free(b);
    cr_assert_eq(hg_baseline_fit(HG_BASELINE_MATCHING, 0.75, M, 1, x, x, NULL, &b), HG_OK);
    hg_baseline_predict(b, M, x, p);
    for (int i = 0; i < M; i++) {
        mean += p[i] / M;
        if (fabs(x[i]) < 1.5) {
            cr_expect_float_eq(p[i], x[i] / 1.25, 0.02, "%g at %g", p[i], x[i]);
        }
    }
    cr_expect_float_eq(mean, 0, 1e-10);
    hg_baseline_free(b);
}

/* A quadratic in two features comes back when hardly penalised. With a penalty the coefficients
 * c obey sum w t (y - p) = alpha c: seen for one feature whose square is constant. */
Test(baseline, ridge_finds_a_quadratic_and_obeys_its_normal_equations)
{
    double x[2 * N], y[N], p[N], one[N], w[N], left = 0;
    const double alpha = 7;

    draw_rows(one, y, w);
    for (int i = 0; i < N; i++) {
        x[2 * i] = one[i];
        x[2 * i + 1] = 3 + 2 * y[i];
        y[i] = 1 + one[i] - 2 * x[2 * i + 1] + 0.5 * one[i] * x[2 * i + 1] - one[i] * one[i];
    }
    fit(HG_BASELINE_RIDGE, 1e-9, 2, x, y, w, p);
    for (int i = 0; i < N; i++) {
        cr_expect_float_eq(p[i], y[i], 1e-6);
    }
    for (int i = 0; i < N; i++) { /* x of two values: its square is constant */
        one[i] = i % 2 == 0 ? -1 : 1;
        y[i] = 3 * one[i] + 0.1 * (i % 3 - 1);
    }
    fit(HG_BASELINE_RIDGE, alpha, 1, one, y, NULL, p);
    for (int i = 0; i < N; i++) {
        left += one[i] * (y[i] - p[i]);
    }
    cr_expect_float_eq(left, alpha * (p[1] - p[0]) / 2, 1e-10);
}
