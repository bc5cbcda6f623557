/* Weights are counted in quanta of weight_max 2^-32: integer addition is associative, so the
 * weighted function does not depend on ranks or order, to a relative error of 2^-32. */
#include "stats/massfunc.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double quanta = 4294967296.0;

hg_status
hg_massfunc_init(const hg_axis *axis, double weight_max, hg_massfunc *massfunc)
{
    const size_t n = (size_t)axis->n;

    *massfunc = (hg_massfunc){.axis = *axis, .weight_max = weight_max};
    if (!(weight_max > 0) || axis->n < 1) {
        return HG_FAIL(HG_E_ARG,
                       "a mass function with weights up to %g and %d bins is not possible",
                       weight_max, axis->n);
    }
    HG_TRY(hg_mem_zeros(&massfunc->count, 3 * n, sizeof *massfunc->count));
    massfunc->weight = massfunc->count + n;
    massfunc->weight2 = massfunc->count + 2 * n;
    return HG_OK;
}

void
hg_massfunc_clear(hg_massfunc *massfunc)
{
    hg_mem_free(massfunc->count);
    memset(massfunc, 0, sizeof *massfunc);
}

hg_status
hg_massfunc_add(hg_massfunc *massfunc, int64_t n, const double value[], const double weight[])
{
    for (int64_t i = 0; i < n; i++) {
        double w = (weight != NULL ? weight[i] : 1) / massfunc->weight_max;
        int bin = hg_axis_bin(&massfunc->axis, value[i]);

        if (!(w >= 0 && w <= 1)) {
            return HG_FAIL(HG_E_INPUT, "weight %g of row %" PRId64 " is not between 0 and %g",
                           w * massfunc->weight_max, i, massfunc->weight_max);
        }
        if (bin < 0) {
            massfunc->n_outside++;
            continue;
        }
        massfunc->count[bin]++;
        massfunc->weight[bin] += (int64_t)rint(w * quanta);
        massfunc->weight2[bin] += (int64_t)rint(w * w * quanta);
    }
    return HG_OK;
}

void
hg_massfunc_sum(const hg_comm *comm, hg_massfunc *massfunc)
{
    hg_comm_sum(comm, 3 * (size_t)massfunc->axis.n, massfunc->count);
    hg_comm_sum(comm, 1, &massfunc->n_outside);
}

void
hg_massfunc_bin(const hg_massfunc *massfunc, double volume, int i, double *phi, double *sigma)
{
    const double unit = massfunc->weight_max / quanta,
                 norm = 1 / (volume * massfunc->axis.step);
    double total = 0, number = 0;

    *phi = (double)massfunc->weight[i] * unit * norm;
    *sigma = sqrt((double)massfunc->weight2[i] * unit * massfunc->weight_max) * norm;
    if (massfunc->count[i] == 0) {
        for (int k = 0; k < massfunc->axis.n; k++) {
            total += (double)massfunc->weight[k] * unit;
            number += (double)massfunc->count[k];
        }
        *sigma = 1.841 * (number > 0 ? total / number : massfunc->weight_max) * norm;
    }
}

void
hg_massfunc_range(const hg_massfunc *massfunc, int *first, int *end)
{
    const hg_histogram counts = {
        .x = massfunc->axis, .y = {.step = 1, .n = 1}, .count = massfunc->count};

    hg_histogram_range_x(&counts, first, end);
}
