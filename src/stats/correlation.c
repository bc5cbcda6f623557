/* xi(b) = 1/V sum over n^2 of S_0 taper 3 [r^2 j1(kr)/k] / (r2^3 - r1^3), S_0 the sum of P over
 * the modes of that n^2. The bracket depends on one edge at a time, so edges are shared. */
#include "stats/correlation.h"

#include <math.h>
#include <stdbool.h>

/* j1(x) = sin x / x^2 - cos x / x, by its series where the difference cancels. */
static double
bessel_1(double x)
{
    double x2 = x * x;

    if (x < 0.1) {
        return x / 3 * (1 - x2 / 10 * (1 - x2 / 28 * (1 - x2 / 54)));
    }
    return (sin(x) / x - cos(x)) / x;
}

static double
taper(double k, double k_nyquist)
{
    double x = k / (0.75 * k_nyquist), x2 = x * x;

    return exp(-x2 * x2);
}

hg_status
hg_correlation_shells(const hg_fine *fine, int n_bin, const double edge[], double xi[],
                      double sigma[])
{
    const double fundamental = 2 * M_PI / fine->box;
    const double k_nyquist = 0.5 * fundamental * (double)fine->mesh;
    const double volume = fine->box * fine->box * fine->box;

    for (int i = 0; i < n_bin; i++) {
        if (!(edge[i + 1] > edge[i]) || edge[i] < 0) {
            return HG_FAIL(HG_E_ARG, "edges of separation bins do not increase: %g, %g",
                           edge[i], edge[i + 1]);
        }
    }
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < n_bin; i++) {
        const double r1 = edge[i], r2 = edge[i + 1];
        const double norm = 3 / (r2 * r2 * r2 - r1 * r1 * r1) / volume;
        double sum = 0, square = 0;

        for (int64_t n2 = 1; n2 < fine->n_bin; n2++) {
            const double *bin = fine->sum + n2 * fine->n_sum;
            double k = fundamental * sqrt((double)n2), shell = 0;

            if (bin[HG_FINE_MODES] > 0) {
                shell = norm * taper(k, k_nyquist) *
                        (r2 * r2 * bessel_1(k * r2) - r1 * r1 * bessel_1(k * r1)) / k;
                sum += bin[HG_FINE_P0] * shell;
                square += bin[HG_FINE_Q0] * shell * shell;
            }
        }
        xi[i] = sum;
        if (sigma != NULL) {
            sigma[i] = sqrt(square);
        }
    }
    return HG_OK;
}

/* Excess over random of the joined bins [first, end), its Poisson error, and whether known. */
static bool
join_bins(const hg_pairs *pairs, int first, int end, double *xi, double *error)
{
    double random = 0, sum = 0;
    int64_t count = 0;

    for (int i = first; i < end; i++) {
        random += hg_pairs_random(pairs, i, 0);
        count += pairs->count[i];
        sum += pairs->weight != NULL ? pairs->weight[i] : (double)pairs->count[i];
    }
    *xi = sum / random - 1;
    *error = fabs(1 + *xi) / sqrt(hg_pairs_distinct(pairs, count));
    return count > 0;
}

hg_status
hg_correlation_overlap(const hg_fine *fine, const hg_pairs *pairs, double low, double high,
                       hg_overlap *overlap)
{
    const double cell = fine->box / (double)fine->mesh, little = 1e-9 * cell;
    int first = 0;

    *overlap = (hg_overlap){0};
    if (pairs->kind != HG_PAIRS_R) {
        return HG_FAIL(HG_E_SHAPE, "the overlap with the mesh needs pair counts in r");
    }
    for (int i = 0; i < pairs->n && pairs->edge[i + 1] <= high + little; i++) {
        const double edge[2] = {pairs->edge[first], pairs->edge[i + 1]};
        double by_pairs, by_mesh, error;

        if (edge[0] < low - little) {
            first = i + 1;
            continue;
        }
        if (edge[1] - edge[0] < 2 * cell - little) {
            continue;
        }
        if (join_bins(pairs, first, i + 1, &by_pairs, &error)) {
            HG_TRY(hg_correlation_shells(fine, 1, edge, &by_mesh, NULL));
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
