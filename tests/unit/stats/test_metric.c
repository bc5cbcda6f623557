#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "stats/metric.h"

/* Five rows worked out by hand: e = (0.1, -0.1, 0.3, 0, 0.2). */
Test(metric, five_rows_give_the_numbers_of_the_definitions)
{
    const double truth[] = {1, 2, 3, 4, 5}, predicted[] = {1.1, 1.9, 3.3, 4, 5.2};
    hg_metric m;

    cr_assert_eq(hg_metric_compute(5, truth, predicted, NULL, &m), HG_OK);
    cr_expect_float_eq(m.bias, 0.1, 1e-14);
    cr_expect_float_eq(m.rmse, sqrt(0.15 / 5), 1e-14);
    cr_expect_float_eq(m.mae, 0.7 / 5, 1e-14);
    cr_expect_float_eq(m.sigma, sqrt(0.03 - 0.01), 1e-14);
    /* median e = 0.1, |e - 0.1| = 0, 0.2, 0.2, 0.1, 0.1: median 0.1 */
    cr_expect_float_eq(m.nmad, 0.14826, 1e-14);
    cr_expect_float_eq(m.r2, 1 - 0.03 / 2, 1e-14);
    cr_expect_float_eq(m.explained, 1 - 0.02 / 2, 1e-14);
    cr_expect_float_eq(m.spearman, 1, 1e-14);
    cr_expect_float_eq(m.within, 0.6, 1e-14); /* 0.2 is not below 0.2 (rounding: 5.2 - 5) */
    cr_expect_float_eq(m.outliers, 0, 1e-14);
    cr_expect_float_eq(m.n_eff, 5, 1e-14);
    /* squares about 2: (1 + 0 + 1 + 4 + 9) / 5 = 3 over 0.03 */
    cr_expect_float_eq(hg_metric_gain(5, truth, NULL, 2, m.rmse), 100, 1e-10);
    cr_expect(isnan(hg_metric_gain(0, NULL, NULL, 2, m.rmse)));
}

Test(metric, ties_share_their_rank_and_outliers_are_counted)
{
    /* ranks 1.5 1.5 3 4 against 2 1 3.5 3.5: the textbook value with mean ranks */
    const double truth[] = {1, 1, 2, 3}, predicted[] = {5, 4, 6, 6};
    const double flat[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const double off[] = {0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, 3};
    double rt[] = {1.5, 1.5, 3, 4}, rp[] = {2, 1, 3.5, 3.5}, c = 0, vt = 0, vp = 0;
    hg_metric m;

    for (int i = 0; i < 4; i++) {
        c += (rt[i] - 2.5) * (rp[i] - 2.5);
        vt += (rt[i] - 2.5) * (rt[i] - 2.5);
        vp += (rp[i] - 2.5) * (rp[i] - 2.5);
    }
    cr_assert_eq(hg_metric_compute(4, truth, predicted, NULL, &m), HG_OK);
    cr_expect_float_eq(m.spearman, c / sqrt(vt * vp), 1e-14);
    cr_assert_eq(hg_metric_compute(10, flat, off, NULL, &m), HG_OK);
    cr_expect_float_eq(m.outliers, 0.1, 1e-14);
    cr_expect(isnan(m.r2) && isnan(m.pearson) && isnan(m.spread));
}

/* An integer weight is the same as repeating the row. */
Test(metric, weights_act_like_repeated_rows)
{
    enum { N = 300 };
    double truth[N], predicted[N], weight[N], long_truth[4 * N], long_predicted[4 * N];
    int64_t n = 0;
    hg_metric a, b;

    for (int64_t i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(8, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        truth[i] = hg_stream_normal(&s);
        predicted[i] = 0.7 * truth[i] - 0.2 + 0.4 * hg_stream_normal(&s);
        weight[i] = (double)(i % 4);
        for (int k = 0; k < i % 4; k++) {
            long_truth[n] = truth[i];
            long_predicted[n++] = predicted[i];
        }
    }
    cr_assert_eq(hg_metric_compute(N, truth, predicted, weight, &a), HG_OK);
    cr_assert_eq(hg_metric_compute(n, long_truth, long_predicted, NULL, &b), HG_OK);
    for (int i = 1; i < hg_metric_count() - 1; i++) { /* the last is the effective number */
        cr_expect_float_eq(hg_metric_value(&a, i), hg_metric_value(&b, i), 1e-12, "%s",
                           hg_metric_name(i));
    }
    cr_expect_float_eq(a.n_eff, 450.0 * 450 / (75 * (1 + 4 + 9)), 1e-9);
    cr_expect_float_eq(b.n_eff, 450, 1e-9);
    cr_expect_str_eq(hg_metric_name(0), "n");
    cr_expect_eq((int64_t)hg_metric_value(&a, 0), N);
}

/* Rows whose weight is taken give what the others alone give, from the order of all. */
Test(metric, rows_without_weight_are_as_if_they_were_not_there)
{
    enum { N = 400 };
    double x[3][N], part[3][N];
    hg_metric_order order;
    hg_label_metric label[2];
    hg_metric m[2];

    for (int64_t i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(9, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        x[0][i] = floor(6 * hg_stream_normal(&s)) / 6; /* some are equal */
        x[1][i] = floor(6 * x[0][i] + 2 * hg_stream_normal(&s)) / 6 + 0.1;
        x[2][i] = 0.5 + hg_stream_uniform(&s);
    }
    cr_assert_eq(hg_metric_sort(N, x[0], x[1], &order), HG_OK);
    for (int out = -1; out < 5; out++) {
        double weight[N];
        int64_t n = 0;

        for (int64_t i = 0; i < N; i++) {
            weight[i] = i % 5 == out ? 0 : x[2][i];
            for (int k = 0; k < 3 && i % 5 != out; k++) {
                part[k][n] = x[k][i];
            }
            n += i % 5 != out;
        }
        cr_assert_eq(hg_metric_weigh(&order, x[0], x[1], weight, &m[0]), HG_OK);
        cr_assert_eq(hg_metric_compute(n, part[0], part[1], part[2], &m[1]), HG_OK);
        for (int i = 0; i < hg_metric_count(); i++) {
            cr_expect_eq(hg_metric_value(&m[0], i), hg_metric_value(&m[1], i), "%s",
                         hg_metric_name(i));
        }
        cr_assert_eq(hg_metric_weigh_labels(&order, x[0], x[1], weight, &label[0]), HG_OK);
        cr_assert_eq(hg_metric_labels(n, part[0], part[1], part[2], &label[1]), HG_OK);
        for (int i = 0; i < hg_label_metric_count(); i++) {
            cr_expect_eq(hg_label_metric_value(&label[0], i),
                         hg_label_metric_value(&label[1], i), "%s", hg_label_metric_name(i));
        }
    }
    hg_metric_order_clear(&order);
}

Test(metric, no_rows_and_no_weight_are_told_apart)
{
    hg_metric m;

    cr_assert_eq(hg_metric_compute(0, NULL, NULL, NULL, &m), HG_OK);
    for (int i = 1; i < hg_metric_count(); i++) {
        cr_expect(isnan(hg_metric_value(&m, i)), "%s", hg_metric_name(i));
    }
    cr_expect_eq(hg_metric_compute(1, &(double){1}, &(double){1}, &(double){0}, &m),
                 HG_E_INPUT);
}

/* Five rows by hand: pairs of a 1 and a 0 are won 5 1/2 times of 6. */
Test(metric, labels_are_scored_as_by_hand)
{
    const double truth[5] = {1, 1, 0, 0, 1}, probability[5] = {0.9, 0.4, 0.4, 0.1, 0.45};
    hg_label_metric m;

    cr_assert_eq(hg_metric_labels(5, truth, probability, NULL, &m), HG_OK);
    cr_expect_float_eq(m.share, 0.6, 1e-15);
    cr_expect_float_eq(m.brier, (0.01 + 0.36 + 0.16 + 0.01 + 0.3025) / 5, 1e-15);
    cr_expect_float_eq(m.f1, 2.0 / 4, 1e-15); /* one hit, two misses */
    cr_expect_float_eq(m.auc, 5.5 / 6, 1e-15);
    /* bins of 0.9, of 0.4 and 0.45, of 0.1 */
    cr_expect_float_eq(m.calibration, (0.1 + fabs(0.6 - 0.4 + 0.55) + 0.1) / 5, 1e-15);
    cr_expect_str_eq(hg_label_metric_name(1), "share");
    cr_expect_float_eq(hg_label_metric_value(&m, 4), m.auc, 0);
}

/* The chance that a 1 stands above a 0, counted over all pairs; weights as repeated rows. */
Test(metric, area_under_the_curve_is_the_share_of_pairs)
{
    enum { N = 200 };
    double truth[N], probability[N], weight[N], won = 0, pairs = 0;
    hg_label_metric m;

    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(9, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        probability[i] = floor(20 * hg_stream_uniform(&s)) / 20;
        truth[i] = hg_stream_uniform(&s) < probability[i];
        weight[i] = (double)(i % 3);
    }
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < N; k++) {
            if (truth[i] > truth[k]) {
                const double d = probability[i] - probability[k];

                won += weight[i] * weight[k] * (d > 0 ? 1 : d < 0 ? 0 : 0.5);
                pairs += weight[i] * weight[k];
            }
        }
    }
    cr_assert_eq(hg_metric_labels(N, truth, probability, weight, &m), HG_OK);
    cr_expect_float_eq(m.auc, won / pairs, 1e-12);
    cr_assert_eq(hg_metric_labels(2, truth, probability, &(double[2]){0, 0}[0], &m),
                 HG_E_INPUT);
    cr_assert_eq(hg_metric_labels(1, &(double){1}, &(double){0.5}, NULL, &m), HG_OK);
    cr_expect(isnan(m.auc)); /* no 0 to compare with */
}
