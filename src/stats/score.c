/* Sums over pairs are taken directly, but for the CRPS, where sorted draws give the sum of all
 * distances in one pass. Pairs of a draw with itself are left out: scores of few draws are then
 * those of many on average. */
#include "stats/score.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "base/random.h"

static hg_status
check_counts(int64_t n, int n_draw)
{
    return n >= 1 && n_draw >= 2
               ? HG_OK
               : HG_FAIL(HG_E_ARG, "%" PRId64 " rows of %d draws cannot be scored", n, n_draw);
}

hg_status
hg_score_crps(int64_t n, int n_draw, const double truth[], const double draw[], double *score)
{
    double *row = NULL, total = 0;

    HG_TRY(check_counts(n, n_draw));
    HG_TRY(hg_mem_array(&row, (size_t)n_draw, sizeof *row));
    for (int64_t i = 0; i < n; i++) {
        double near = 0, pairs = 0;

        for (int k = 0; k < n_draw; k++) {
            row[k] = draw[k * n + i];
        }
        qsort(row, (size_t)n_draw, sizeof *row, hg_order_f64);
        for (int k = 0; k < n_draw; k++) {
            near += fabs(row[k] - truth[i]);
            pairs += (2 * k - n_draw + 1) * row[k];
        }
        total += near / n_draw - pairs / (n_draw * (n_draw - 1.0));
    }
    hg_mem_free(row);
    *score = total / (double)n;
    return HG_OK;
}

static double
distance_of(int n_target, const double a[], const double b[], const double scale[])
{
    double sum = 0;

    for (int t = 0; t < n_target; t++) {
        double d = (a[t] - b[t]) / (scale != NULL ? scale[t] : 1);

        sum += d * d;
    }
    return sqrt(sum);
}

hg_status
hg_score_energy(int64_t n, int n_draw, int n_target, const double truth[], const double draw[],
                const double scale[], double *score)
{
    double total = 0;

    HG_TRY(check_counts(n, n_draw));
    for (int64_t i = 0; i < n; i++) {
        double near = 0, pairs = 0;

        for (int k = 0; k < n_draw; k++) {
            const double *y = draw + (k * n + i) * n_target;

            near += distance_of(n_target, y, truth + i * n_target, scale);
            for (int l = 0; l < k; l++) {
                pairs += distance_of(n_target, y, draw + (l * n + i) * n_target, scale);
            }
        }
        total += near / n_draw - pairs / (n_draw * (n_draw - 1.0));
    }
    *score = total / (double)n;
    return HG_OK;
}

void
hg_score_pit(int64_t n, int n_draw, const double truth[], const double draw[], uint64_t seed,
             double pit[])
{
    for (int64_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(seed, 0, (uint64_t)i, HG_PURPOSE_PERMUTATION);
        int below = 0, equal = 0;

        for (int k = 0; k < n_draw; k++) {
            below += draw[k * n + i] < truth[i];
            equal += draw[k * n + i] == truth[i];
        }
        pit[i] = (below + hg_stream_open(&s) * (equal + 1)) / (n_draw + 1);
    }
}

double
hg_score_uniformity(int64_t n, double value[], double coverage[2])
{
    double worst = 0;
    int64_t inner[2] = {0, 0};

    qsort(value, (size_t)n, sizeof *value, hg_order_f64);
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fmax(value[i] - (double)i / (double)n,
                                 (double)(i + 1) / (double)n - value[i]));
        inner[0] += value[i] >= 0.16 && value[i] <= 0.84;
        inner[1] += value[i] >= 0.025 && value[i] <= 0.975;
    }
    for (int k = 0; k < 2 && coverage != NULL; k++) {
        coverage[k] = (double)inner[k] / (double)n;
    }
    return worst;
}

/* sum of the distances between two samples, or within one (b = NULL) */
static double
sum_distances(int64_t n_a, int64_t n_b, int n_target, const double a[], const double b[])
{
    double sum = 0;

    for (int64_t i = 0; i < n_a; i++) {
        double row = 0;

        for (int64_t k = 0; k < (b != NULL ? n_b : i); k++) {
            row += distance_of(n_target, a + i * n_target, (b != NULL ? b : a) + k * n_target,
                               NULL);
        }
        sum += row;
    }
    return sum;
}

hg_status
hg_score_energy_distance(int64_t n_a, int64_t n_b, int n_target, const double a[],
                         const double b[], double *distance)
{
    const double m = (double)n_a, n = (double)n_b;

    if (n_a < 2 || n_b < 2) {
        return HG_FAIL(HG_E_ARG, "samples of %" PRId64 " and %" PRId64 " have no distance", n_a,
                       n_b);
    }
    *distance = 2 * sum_distances(n_a, n_b, n_target, a, b) / (m * n) -
                2 * sum_distances(n_a, 0, n_target, a, NULL) / (m * (m - 1)) -
                2 * sum_distances(n_b, 0, n_target, b, NULL) / (n * (n - 1));
    return HG_OK;
}
