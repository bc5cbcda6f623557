/* Scores against direct sums and closed forms. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "stats/score.h"

enum { N = 4000, M = 16, NT = 3 };

static double truth[N * NT], draw[M * N * NT], pit[N];

/* truth and draws are normal: mean `shift` and scatter `width` of the draws, 0 and 1 of the
 * truth */
static void
make_normals(int n_target, double shift, double width)
{
    for (int64_t i = 0; i < N * n_target; i++) {
        hg_stream s = hg_stream_start(3, 0, (uint64_t)i, HG_PURPOSE_NOISE);

        truth[i] = hg_stream_normal(&s);
        for (int k = 0; k < M; k++) {
            draw[k * N * n_target + i] = shift + width * hg_stream_normal(&s);
        }
    }
}

Test(score, two_rows_give_the_numbers_of_the_definitions)
{
    const double y[] = {0, 1}, d[] = {1, 1, 3, 0, -1, 4}; /* three draws of two rows */
    const double v[] = {0, 0}, w[] = {3, 4, 0, 0};        /* two draws of one vector */
    const double one[] = {1, 1}, a[] = {0, 2}, b[] = {1, 5};
    double score = 0;

    /* row 0: draws 1, 3, -1: 5/3 - (2 + 2 + 4)/6; row 1: draws 1, 0, 4: 4/3 - (1 + 3 + 4)/6 */
    cr_assert_eq(hg_score_crps(2, 3, y, d, &score), HG_OK);
    cr_expect_float_eq(score, ((5.0 / 3 - 8.0 / 6) + (4.0 / 3 - 8.0 / 6)) / 2, 1e-14);
    cr_assert_eq(hg_score_energy(2, 3, 1, y, d, one, &score), HG_OK);
    cr_expect_float_eq(score, 1.0 / 6, 1e-14);
    cr_assert_eq(hg_score_energy(1, 2, 2, v, w, one, &score), HG_OK);
    cr_expect_float_eq(score, 2.5 - 2.5, 1e-14);
    /* 2 (1 + 5 + 1 + 3)/4 - 2 - 4 */
    cr_assert_eq(hg_score_energy_distance(2, 2, 1, a, b, &score), HG_OK);
    cr_expect_float_eq(score, -1, 1e-14);
    cr_expect_eq(hg_score_crps(2, 1, y, d, &score), HG_E_ARG);
    cr_expect_eq(hg_score_energy_distance(1, 2, 1, a, b, &score), HG_E_ARG);
}

/* CRPS of a normal forecast of width s about a standard normal truth: E|Y - y| - E|Y - Y'|/2 =
 * sqrt(2 (1 + s^2) / pi) - s / sqrt(pi); smallest for s = 1. */
Test(score, normal_draws_have_the_scores_of_closed_forms)
{
    const double width[] = {0.5, 1, 2}, scale[] = {1, 1, 1}, twice[] = {2, 2, 2};
    double crps[3], energy = 0, half = 0, chi3 = 2 * sqrt(2 / M_PI);

    for (int k = 0; k < 3; k++) {
        make_normals(1, 0, width[k]);
        cr_assert_eq(hg_score_crps(N, M, truth, draw, &crps[k]), HG_OK);
        cr_expect_float_eq(
            crps[k], sqrt(2 * (1 + width[k] * width[k]) / M_PI) - width[k] / sqrt(M_PI), 0.03);
    }
    cr_expect(crps[1] < crps[0] && crps[1] < crps[2]);
    make_normals(NT, 0, 1);
    /* in three dimensions |Y - y| is sqrt(2) times a chi variable of mean 2 sqrt(2 / pi) */
    cr_assert_eq(hg_score_energy(N, M, NT, truth, draw, scale, &energy), HG_OK);
    cr_expect_float_eq(energy, 0.5 * sqrt(2) * chi3, 0.03);
    cr_assert_eq(hg_score_energy(N, M, NT, truth, draw, twice, &half), HG_OK);
    cr_expect_float_eq(half, energy / 2, 1e-12);
}

Test(score, pit_is_uniform_for_the_law_and_shows_where_draws_differ)
{
    double coverage[2];

    make_normals(1, 0, 1);
    hg_score_pit(N, M, truth, draw, 5, pit);
    cr_expect(hg_score_uniformity(N, pit, coverage) < 1.63 / sqrt(N)); /* 1 % limit */
    cr_expect_float_eq(coverage[0], 0.68, 0.025);
    cr_expect_float_eq(coverage[1], 0.95, 0.012);
    make_normals(1, 0.5, 1); /* draws too high: truth in the lower part */
    hg_score_pit(N, M, truth, draw, 5, pit);
    cr_expect(hg_score_uniformity(N, pit, NULL) > 0.15);
    make_normals(1, 0, 0.5); /* too narrow: too few inside */
    hg_score_pit(N, M, truth, draw, 5, pit);
    cr_expect(hg_score_uniformity(N, pit, coverage) > 0.1);
    cr_expect(coverage[0] < 0.5);
    for (int64_t i = 0; i < N; i++) { /* all equal: the u alone, still uniform */
        truth[i] = 1;
        for (int k = 0; k < M; k++) {
            draw[k * N + i] = 1;
        }
    }
    hg_score_pit(N, M, truth, draw, 5, pit);
    cr_expect(hg_score_uniformity(N, pit, NULL) < 1.63 / sqrt(N));
}

/* Two normals a distance s apart: 2 E|s + sqrt(2) z| - 4 / sqrt(pi), with
 * E|s + sqrt(2) z| = 2/sqrt(pi) exp(-s^2/4) + s erf(s/2). */
Test(score, energy_distance_of_normals_is_that_of_the_closed_form)
{
    for (int k = 0; k < 3; k++) {
        const double s = 0.75 * k;
        double found = 0, expected = 2 * (2 / sqrt(M_PI) * exp(-s * s / 4) + s * erf(s / 2)) -
                                     4 / sqrt(M_PI);

        make_normals(1, s, 1);
        cr_assert_eq(hg_score_energy_distance(N, N, 1, truth, draw, &found), HG_OK);
        cr_expect_float_eq(found, expected, 0.01 + 0.15 * expected, "%g: %g, not %g", s, found,
                           expected);
    }
}
