/* A residual draw p + r_j takes from its mate j the deviation from the mean. That is right as
 * far as p - p_j is a difference of the law. It is wrong as far as it is noise: p has the error
 * of a mean over few rows, and draws that keep p_j are centred on a mean over many. And it is
 * wrong for a target with two modes (quenched or not), where a change of the mean is a change
 * of the odds, not of the places of the modes. So a draw keeps p_j - p up to a bound, `keep`.
 *
 * What is kept widens the draws, most where the scatter is small, and the mates of the rarest
 * rows lie on one side and far away. So the bound is small, a tenth of the scatter, but for a
 * target with two modes, whose bound has to span the changes of its mean. The scatter is taken
 * from the median of residuals, which a few rows far off do not move. Two modes show in their
 * moments: (skewness^2 + 1) / kurtosis (Sarle's coefficient) is 1/3 for normal residuals and
 * less where their scatter varies, 5/9 for uniform ones, and 1 for two values. A long tail on
 * one side has a large coefficient too, and a kurtosis above that of two modes of which none is
 * rare. */
#include "forest/keep.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "forest/sample.h"

/* bounds in units of the scatter, for one mode and for two */
static const double bound = 0.1, modal_bound = 0.4;

/* midway between normal and uniform residuals */
static const double modal = 4.0 / 9;

/* of two values, one of which has a share of 9 per cent; that of an exponential tail */
static const double tail = 9;

/* standard deviation over median of absolute values, for a normal law */
static const double normal = 1.4826;

enum { MODAL_ROWS = 100 }; /* fewer residuals say nothing of modes */

/* a regular sample of the residuals of a target; returns their number */
static int64_t
take_sample(const hg_forest *f, int target, double sample[])
{
    const int64_t step = hg_sample_step(f->n_row);
    int64_t n = 0;

    for (int64_t row = 0; row < f->n_row; row += step) {
        const double r = (double)f->residual[row * f->n_target + target];

        if (!isnan(r)) {
            sample[n++] = r;
        }
    }
    return n;
}

static int
has_two_modes(int64_t n, const double sample[])
{
    double mean = 0, m2 = 0, m3 = 0, m4 = 0, square, skew, kurtosis;

    for (int64_t i = 0; i < n; i++) {
        mean += sample[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        const double d = sample[i] - mean;

        m2 += d * d / (double)n;
        m3 += d * d * d / (double)n;
        m4 += d * d * d * d / (double)n;
    }
    if (n < MODAL_ROWS || !(m2 > 0)) {
        return 0;
    }
    square = m2 * m2;
    skew = m3 * m3 / (square * m2); /* squared */
    kurtosis = m4 / square;
    return kurtosis < tail && skew + 1 > modal * kurtosis;
}

hg_status
hg_keep_choose(hg_forest *f)
{
    double *sample = NULL;

    HG_TRY(hg_mem_array(&sample, HG_SAMPLE_ROWS, sizeof *sample));
    for (int t = 0; t < f->n_target; t++) {
        const int64_t n = take_sample(f, t, sample);
        const double share = has_two_modes(n, sample) ? modal_bound : bound;

        for (int64_t i = 0; i < n; i++) {
            sample[i] = fabs(sample[i]);
        }
        qsort(sample, (size_t)n, sizeof *sample, hg_order_f64);
        f->keep[t] = n > 0 ? share * normal * sample[n / 2] : 0;
    }
    hg_mem_free(sample);
    return HG_OK;
}

hg_status
hg_keep_choose_on_disk(const hg_comm *comm, hg_forest *f)
{
    hg_status status = HG_OK;
    hg_forest_view view;

    if (comm->rank == 0) {
        status = hg_view_open(f, &view);
        if (status == HG_OK) {
            status = hg_keep_choose(f);
        }
        hg_view_close(f, &view);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, f->keep, sizeof f->keep);
    return HG_OK;
}
