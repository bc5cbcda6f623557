/* Values are interpolated in logarithms: haloes grow by factors. */
#include "features/history.h"

#include <math.h>

/* logarithms linear between two snapshots */
static double
interpolate(const hg_branch *b, int i, int j, double scale)
{
    const double t = log(scale / b->scale[i]) / log(b->scale[j] / b->scale[i]);

    return b->value[i] * pow(b->value[j] / b->value[i], t);
}

static double
value_at(const hg_branch *b, double scale)
{
    int before = -1;

    for (int i = 0; i < b->n; i++) {
        if (!(b->value[i] > 0)) {
            continue;
        }
        if (b->scale[i] >= scale) {
            return b->scale[i] <= scale ? b->value[i]
                   : before < 0         ? 0
                                        : interpolate(b, before, i, scale);
        }
        before = i;
    }
    return before < 0 ? (double)NAN : b->value[before];
}

void
hg_branch_at(const hg_branch *branch, int n, const double epoch[], double value[])
{
    for (int i = 0; i < n; i++) {
        value[i] = value_at(branch, epoch[i]);
    }
}

hg_peak
hg_branch_peak(const hg_branch *b)
{
    hg_peak peak = {(double)NAN, (double)NAN, (double)NAN};
    int last = -1, before = -1;

    for (int i = 0; i < b->n; i++) {
        if (b->value[i] > 0) {
            last = i;
            if (!(b->value[i] <= peak.value)) {
                peak.value = b->value[i];
                peak.scale = b->scale[i];
            }
        }
    }
    for (int i = 0; i <= last; i++) {
        const double half = 0.5 * b->value[last];

        if (b->value[i] >= half) {
            peak.half_scale = b->scale[i];
            if (before >= 0) {
                peak.half_scale =
                    b->scale[before] *
                    pow(b->scale[i] / b->scale[before],
                        log(half / b->value[before]) / log(b->value[i] / b->value[before]));
            }
            break;
        }
        before = b->value[i] > 0 ? i : before;
    }
    return peak;
}
