/* Differences between neighbouring points are summed up and centred. In two dimensions a sum of
 * second differences holds shares of the effects of each feature alone, which are measured with
 * the same rows and taken off. */
#include <math.h>

#include "base/memory.h"
#include "explain/dependence.h"

/* take off a mean, so that over the rows between points the mean of both ends is 0 */
static void
centre_curve(int n, const double weight[], double value[])
{
    double sum = 0, total = 0;

    for (int k = 1; k < n; k++) {
        sum += weight[k] * 0.5 * (value[k - 1] + value[k]);
        total += weight[k];
    }
    for (int k = 0; k < n && total > 0; k++) {
        value[k] -= sum / total;
    }
}

void
hg_effect_curve(int n, const double weight[], const double step[], double value[])
{
    value[0] = 0;
    for (int k = 1; k < n; k++) {
        value[k] = value[k - 1] + (isfinite(step[k]) ? step[k] : 0);
    }
    centre_curve(n, weight, value);
}

/* difference of the nearest cell with rows, in steps along either axis; the first in order */
static double
borrow(int n0, int n1, const double weight[], const double step[], int i, int j)
{
    double nearest = (double)INFINITY, found = 0;

    for (int a = 1; a < n0; a++) {
        for (int b = 1; b < n1; b++) {
            const double u = (double)(a - i) / n0, w = (double)(b - j) / n1,
                         distance = u * u + w * w;

            if (weight[a * n1 + b] > 0 && isfinite(step[a * n1 + b]) && distance < nearest) {
                nearest = distance;
                found = step[a * n1 + b];
            }
        }
    }
    return found;
}

/* effect along one axis of a surface whose points are `stride` apart along it and `other` apart
 * across, taken from the rows of each strip */
static void
find_main(int n, int n_across, int stride, int other, const double weight[],
          const double value[], double effect[])
{
    effect[0] = 0;
    for (int k = 1; k < n; k++) {
        double sum = 0, total = 0;

        for (int m = 1; m < n_across; m++) {
            const int at = k * stride + m * other;

            sum += weight[at] * 0.5 *
                   (value[at] - value[at - stride] + value[at - other] -
                    value[at - stride - other]);
            total += weight[at];
        }
        effect[k] = effect[k - 1] + (total > 0 ? sum / total : 0);
    }
}

static void
centre_plane(int n0, int n1, const double weight[], double value[])
{
    double sum = 0, total = 0;

    for (int i = 1; i < n0; i++) {
        for (int j = 1; j < n1; j++) {
            const int at = i * n1 + j;

            sum += weight[at] * 0.25 *
                   (value[at] + value[at - 1] + value[at - n1] + value[at - n1 - 1]);
            total += weight[at];
        }
    }
    for (int at = 0; at < n0 * n1 && total > 0; at++) {
        value[at] -= sum / total;
    }
}

hg_status
hg_effect_plane(int n0, int n1, const double weight[], const double step[], double value[])
{
    double *effect = NULL;

    HG_TRY(hg_mem_array(&effect, (size_t)(n0 + n1), sizeof *effect));
    for (int at = 0; at < n0 * n1; at++) {
        value[at] = 0;
    }
    for (int i = 1; i < n0; i++) {
        for (int j = 1; j < n1; j++) {
            const int at = i * n1 + j;
            const bool is_known = weight[at] > 0 && isfinite(step[at]);

            value[at] = value[at - 1] + value[at - n1] - value[at - n1 - 1] +
                        (is_known ? step[at] : borrow(n0, n1, weight, step, i, j));
        }
    }
    find_main(n0, n1, n1, 1, weight, value, effect);
    find_main(n1, n0, 1, n1, weight, value, effect + n0);
    for (int at = 0; at < n0 * n1; at++) {
        value[at] -= effect[at / n1] + effect[n0 + at % n1];
    }
    centre_plane(n0, n1, weight, value);
    hg_mem_free(effect);
    return HG_OK;
}
