#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/massfunc.h"
#include "stats/relation.h"

enum { N = 20000 };

static void
draw_pairs(double x[], double y[])
{
    for (int64_t i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(4, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        x[i] = 11 + 3 * pow(hg_stream_uniform(&s), 2);
        y[i] = pow(10, 0.8 * x[i] + 0.2 * hg_stream_normal(&s));
        x[i] = pow(10, x[i]);
    }
}

Test(tables, edges_of_a_logarithmic_axis_fall_where_they_are_written)
{
    const hg_axis axis = {.log = true, .low = 8, .step = 0.2, .n = 40};

    cr_expect_eq(hg_axis_bin(&axis, 1e10), 10);
    cr_expect_eq(hg_axis_bin(&axis, 9.999999999e9), 9);
    cr_expect_eq(hg_axis_bin(&axis, 1e8), 0);
    cr_expect_eq(hg_axis_bin(&axis, 9.9e7), -1);
    cr_expect_eq(hg_axis_bin(&axis, 1e16), -1);
    cr_expect_eq(hg_axis_bin(&axis, 0), -1);
    cr_expect_eq(hg_axis_bin(&axis, -1), -1);
    cr_expect_eq(hg_axis_bin(&axis, (double)NAN), -1);
    cr_expect_eq(hg_axis_bin(&axis, (double)INFINITY), -1);
    cr_expect_float_eq(hg_axis_edge(&axis, 10), 1e10, 1);
    cr_expect_float_eq(hg_axis_centre(&axis, 10), pow(10, 10.1), 10);
}

Test(tables, mass_function_equals_brute_force_in_any_order)
{
    const hg_axis axis = {.log = true, .low = 10, .step = 0.2, .n = 25};
    static double x[N], y[N], w[N], backward[N], weight_backward[N];
    hg_massfunc one, two;
    int first, end;

    draw_pairs(x, y);
    for (int i = 0; i < N; i++) {
        w[i] = 0.01 * (1 + i % 7);
    }
    for (int i = 0; i < N; i++) {
        backward[i] = x[N - 1 - i];
        weight_backward[i] = w[N - 1 - i];
    }
    x[0] = backward[N - 1] = 0;
    cr_assert_eq(hg_massfunc_init(&axis, 0.07, &one), HG_OK);
    cr_assert_eq(hg_massfunc_init(&axis, 0.07, &two), HG_OK);
    cr_assert_eq(hg_massfunc_add(&one, N, x, w), HG_OK);
    cr_assert_eq(hg_massfunc_add(&two, N, backward, weight_backward), HG_OK);
    cr_expect_eq(one.n_outside, 1);
    for (int b = 0; b < axis.n; b++) {
        double sum = 0, square = 0, phi, sigma;
        int64_t count = 0;

        for (int i = 0; i < N; i++) {
            if (x[i] >= hg_axis_edge(&axis, b) && x[i] < hg_axis_edge(&axis, b + 1)) {
                sum += w[i];
                square += w[i] * w[i];
                count++;
            }
        }
        hg_massfunc_bin(&one, 1000, b, &phi, &sigma);
        cr_expect_eq(one.count[b], count);
        cr_expect_eq(one.weight[b], two.weight[b]);
        cr_expect_eq(one.weight2[b], two.weight2[b]);
        cr_expect_float_eq(phi, sum / 200, 1e-9 * (sum + 1e-9));
        if (count > 0) {
            cr_expect_float_eq(sigma, sqrt(square) / 200, 1e-8 * sqrt(square));
        } else {
            cr_expect(sigma > 1.8 * 0.01 / 200 && sigma < 1.9 * 0.07 / 200);
        }
    }
    hg_massfunc_range(&one, &first, &end);
    cr_expect_eq(first, 5);
    cr_expect_eq(end, 20);
    cr_expect_eq(hg_massfunc_add(&one, 1, x, &(double){0.08}), HG_E_INPUT);
    cr_expect_eq(hg_massfunc_add(&one, 1, x, &(double){-0.01}), HG_E_INPUT);
    hg_massfunc_clear(&one);
    hg_massfunc_clear(&two);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
sorted_quantile(const double v[], int64_t n, double q)
{
    double place = q * (double)(n - 1);
    int64_t i = (int64_t)place;

    return i + 1 < n ? v[i] + (place - (double)i) * (v[i + 1] - v[i]) : v[i];
}

Test(tables, relation_equals_brute_force_to_half_a_fine_bin)
{
    const hg_axis axis = {.log = true, .low = 11, .step = 0.5, .n = 7};
    const hg_axis fine = {.log = true, .low = 5, .step = 0.002, .n = 5000};
    static double x[N], y[N], v[N];
    hg_histogram histogram;
    hg_relation relation;

    draw_pairs(x, y);
    cr_assert_eq(hg_histogram_init(&axis, &fine, &histogram), HG_OK);
    hg_histogram_add(&histogram, N, x, y, NULL);
    for (int b = 0; b < 6; b++) {
        double sum = 0, square = 0;
        int64_t n = 0;

        for (int i = 0; i < N; i++) {
            if (hg_axis_bin(&axis, x[i]) == b) {
                v[n++] = log10(y[i]);
            }
        }
        qsort(v, (size_t)n, sizeof v[0], compare_doubles);
        for (int64_t i = 0; i < n; i++) {
            sum += v[i];
        }
        for (int64_t i = 0; i < n; i++) {
            square += pow(v[i] - sum / (double)n, 2);
        }
        hg_relation_bin(&histogram, b, 10, &relation);
        cr_assert_eq(relation.count, n);
        cr_expect_float_eq(relation.mean, sum / (double)n, 2e-4);
        cr_expect_float_eq(relation.std, sqrt(square / (double)(n - 1)), 2e-4);
        cr_expect_float_eq(relation.low, sorted_quantile(v, n, 0.16), 1.01e-3);
        cr_expect_float_eq(relation.median, sorted_quantile(v, n, 0.50), 1.01e-3);
        cr_expect_float_eq(relation.high, sorted_quantile(v, n, 0.84), 1.01e-3);
        cr_expect_float_eq(relation.mean_error, relation.std / sqrt((double)n), 1e-12);
    }
    hg_relation_bin(&histogram, 6, 10, &relation);
    cr_expect_eq(relation.count, 0);
    cr_expect(isnan(relation.median) && isnan(relation.std));
    hg_histogram_clear(&histogram);
}

/* The stated error of (P84 - P16)/2 is its scatter over many normal samples. */
Test(tables, error_of_the_half_width_is_its_scatter)
{
    enum { SAMPLES = 400, EACH = 500 };
    const hg_axis axis = {.low = 0, .step = 1, .n = 1};
    const hg_axis fine = {.low = -6, .step = 0.001, .n = 12000};
    double sum = 0, square = 0, expected = 0;

    for (int s = 0; s < SAMPLES; s++) {
        hg_histogram histogram;
        hg_relation relation;

        cr_assert_eq(hg_histogram_init(&axis, &fine, &histogram), HG_OK);
        for (int i = 0; i < EACH; i++) {
            hg_stream r = hg_stream_start(5, (uint64_t)s, (uint64_t)i, HG_PURPOSE_LATENT);

            hg_histogram_add(&histogram, 1, &(double){0.5}, &(double){hg_stream_normal(&r)},
                             NULL);
        }
        hg_relation_bin(&histogram, 0, 10, &relation);
        sum += relation.half_width;
        square += relation.half_width * relation.half_width;
        expected += relation.half_error / SAMPLES;
        hg_histogram_clear(&histogram);
    }
    cr_expect_float_eq(sum / SAMPLES, 0.99446, 0.01);
    cr_expect_float_eq(sqrt(square / SAMPLES - pow(sum / SAMPLES, 2)) / expected, 1, 0.12);
}

Test(tables, two_dimensional_counts_know_their_range)
{
    const hg_axis axis = {.low = 0, .step = 1, .n = 10};
    const double x[] = {2.5, 7.1, 7.2, 11, 3}, y[] = {4.5, 0.1, 9.9, 1, 5};
    const uint8_t keep[] = {1, 1, 1, 1, 0};
    hg_histogram histogram;
    int first, end;

    cr_assert_eq(hg_histogram_init(&axis, &axis, &histogram), HG_OK);
    hg_histogram_range_x(&histogram, &first, &end);
    cr_expect(first == 0 && end == 0);
    hg_histogram_add(&histogram, 5, x, y, keep);
    cr_expect_eq(histogram.count[24], 1);
    cr_expect_eq(histogram.count[70], 1);
    cr_expect_eq(histogram.count[79], 1);
    cr_expect_eq(histogram.n_outside, 1);
    hg_histogram_range_x(&histogram, &first, &end);
    cr_expect(first == 2 && end == 8);
    hg_histogram_range_y(&histogram, &first, &end);
    cr_expect(first == 0 && end == 10);
    hg_histogram_clear(&histogram);
}
