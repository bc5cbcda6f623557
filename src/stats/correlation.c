/* xi_l(b) = i^l (2l+1)/V sum over n^2 of S_l taper 3 [int r^2 j_l(kr) dr] / (r2^3 - r1^3), S_l
 * the sum of P L_l over the modes of that n^2. The integral is known in closed form: with the
 * sine integral for l > 0. */
#include "stats/correlation.h"

#include <gsl/gsl_sf_expint.h>
#include <math.h>
#include <stdbool.h>

#include "stats/projected.h"

/* int_0^x t^2 j_l dt by the power series of j_l, for small x. */
static double
shell_series(int l, double x)
{
    double term = pow(x, l + 3), sum = 0;

    for (int k = 1; k <= 2 * l + 1; k += 2) {
        term /= k; /* (2l + 1)!! */
    }
    for (int m = 0; m < 20; m++) {
        sum += term / (l + 2 * m + 3);
        term *= -x * x / (2.0 * (m + 1) * (2 * l + 2 * m + 3));
    }
    return sum;
}

double
hg_bessel_shell(int l, double x)
{
    if (x < 3) {
        return shell_series(l, x);
    }
    const double sine = sin(x), j0 = sine / x, j1 = (j0 - cos(x)) / x;

    if (l == 0) {
        return x * x * j1;
    }
    const double si = gsl_sf_Si(x), j2 = 3 * j1 / x - j0, second = 3 * (si - sine) - x * x * j1;

    /* j_4 = 7 j_3 / x - j_2, int x j_3 = 3 int j_2 - x j_2, int j_2 = (Si - 3 j_1) / 2 */
    return l == 2 ? second : 10.5 * (si - 3 * j1) - 7 * x * j2 - second;
}

static double
taper(double k, double k_nyquist)
{
    double x = k / (0.75 * k_nyquist), x2 = x * x;

    return exp(-x2 * x2);
}

hg_status
hg_correlation_shells(const hg_fine *fine, int l, int n_bin, const double edge[], double xi[],
                      double sigma[])
{
    const double fundamental = 2 * M_PI / fine->box;
    const double k_nyquist = 0.5 * fundamental * (double)fine->mesh;
    const double volume = fine->box * fine->box * fine->box;
    const int column = l == 0 ? HG_FINE_P0 : l == 2 ? HG_FINE_P2 : HG_FINE_P4;
    const double sign = l == 2 ? -1 : 1; /* i^l */

    if (l != 0 && ((l != 2 && l != 4) || fine->n_sum < HG_FINE_MAX)) {
        return HG_FAIL(HG_E_ARG, "there are no sums of modes for the multipole %d", l);
    }
    for (int i = 0; i < n_bin; i++) {
        if (!(edge[i + 1] > edge[i]) || edge[i] < 0) {
            return HG_FAIL(HG_E_ARG, "edges of separation bins do not increase: %g, %g",
                           edge[i], edge[i + 1]);
        }
    }
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < n_bin; i++) {
        const double r1 = edge[i], r2 = edge[i + 1];
        const double norm = (2 * l + 1) * sign * 3 / (r2 * r2 * r2 - r1 * r1 * r1) / volume;
        double sum = 0, square = 0;

        for (int64_t n2 = 1; n2 < fine->n_bin; n2++) {
            const double *bin = fine->sum + n2 * fine->n_sum;
            const double k = fundamental * sqrt((double)n2);

            if (bin[HG_FINE_MODES] > 0) {
                const double shell = norm * taper(k, k_nyquist) *
                                     (hg_bessel_shell(l, k * r2) - hg_bessel_shell(l, k * r1)) /
                                     (k * k * k);

                sum += bin[column] * shell;
                square += hg_fine_variance(bin, l, l) * shell * shell;
            }
        }
        xi[i] = sum;
        if (sigma != NULL) {
            sigma[i] = sqrt(square);
        }
    }
    return HG_OK;
}

/* A multipole of the joined bins [first, end), its Poisson error, and whether known. */
static bool
join_bins(const hg_pairs *pairs, int l, int first, int end, double *xi, double *error)
{
    double random = 0, sum = 0, square = 0;
    int64_t count = 0;

    for (int i = first; i < end; i++) {
        for (int j = 0; j < pairs->n_second; j++) {
            const int64_t k = (int64_t)i * pairs->n_second + j;
            const double mean = (2 * l + 1) * hg_legendre_mean(l, j, pairs->n_second);
            const double data =
                pairs->weight != NULL ? pairs->weight[k] : (double)pairs->count[k];

            random += hg_pairs_random(pairs, i, j);
            sum += (data - hg_pairs_random(pairs, i, j)) * mean;
            square += pairs->count[k] > 0
                          ? pow(data * mean, 2) / hg_pairs_distinct(pairs, pairs->count[k])
                          : 0;
            count += pairs->count[k];
        }
    }
    *xi = sum / random;
    *error = sqrt(square) / random;
    return count > 0;
}

hg_status
hg_correlation_overlap(const hg_fine *fine, const hg_pairs *pairs, int l, double low,
                       double high, hg_overlap *overlap)
{
    const double cell = fine->box / (double)fine->mesh, little = 1e-9 * cell;
    int first = 0;

    *overlap = (hg_overlap){0};
    if (pairs->kind == HG_PAIRS_RP_PI || (l > 0 && pairs->kind != HG_PAIRS_S_MU)) {
        return HG_FAIL(HG_E_SHAPE, "the overlap with the mesh needs pair counts in r, or in s "
                                   "and mu for multipoles");
    }
    for (int i = 0; i < pairs->n && pairs->edge[i + 1] <= high + little; i++) {
        const double edge[2] = {pairs->edge[first], pairs->edge[i + 1]};
        double by_pairs = 0, by_mesh = 0, error = 0;

        if (edge[0] < low - little) {
            first = i + 1;
            continue;
        }
        if (edge[1] - edge[0] < 2 * cell - little) {
            continue;
        }
        if (join_bins(pairs, l, first, i + 1, &by_pairs, &error)) {
            HG_TRY(hg_correlation_shells(fine, l, 1, edge, &by_mesh, NULL));
            const double miss = fabs(by_mesh - by_pairs) /
                                (error * sqrt(2 * cell / (M_PI * (edge[1] - edge[0]))));

            overlap->n++;
            overlap->chi2 += miss * miss;
            overlap->worst = fmax(overlap->worst, miss);
        }
        first = i + 1;
    }
    overlap->chi2 /= overlap->n > 0 ? overlap->n : 1;
    return HG_OK;
}
