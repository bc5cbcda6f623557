/* A residual draw p + r_j takes from its mate j the deviation from the mean. That is right as
 * far as p - p_j is a difference of the law. It is wrong as far as it is noise: p has the error
 * of a mean over few rows, and draws that keep p_j are centred on a mean over many. And it is
 * wrong for a target with two modes (quenched or not), where a change of the mean is a change
 * of the odds, not of the places of the modes. So a draw keeps p_j - p up to a bound, `keep`.
 *
 * What is kept widens the draws, most where the scatter is small, and the mates of the rarest
 * rows lie on one side and far away. So the bound is small, a tenth of the rms of residuals,
 * but for a target with two modes, whose bound has to span the changes of its mean. Two modes
 * show in the moments of the residuals: (skewness^2 + 1) / kurtosis (Sarle's coefficient) is
 * 1/3 for normal residuals and less where their scatter varies, 5/9 for uniform ones, and 1 for
 * two values. */
#include "forest/keep.h"

#include <math.h>

#include "forest/sample.h"

/* bounds in units of the rms of residuals, for one mode and for two */
static const double bound = 0.1, modal_bound = 0.4;

/* midway between normal and uniform residuals */
static const double modal = 4.0 / 9;

enum { MODAL_ROWS = 100 }; /* fewer residuals say nothing of modes */

/* means of the powers of the residuals of a target about a centre; returns their number */
static int64_t
take_moments(const hg_forest *f, int target, double centre, double moment[5])
{
    const int64_t step = hg_sample_step(f->n_row);
    double sum[5] = {0};

    for (int64_t row = 0; row < f->n_row; row += step) {
        const double r = (double)f->residual[row * f->n_target + target] - centre;
        double power = 1;

        for (int k = 0; k < 5 && !isnan(r); k++) {
            sum[k] += power;
            power *= r;
        }
    }
    for (int k = 0; k < 5; k++) {
        moment[k] = sum[0] > 0 ? sum[k] / sum[0] : 0;
    }
    return (int64_t)sum[0];
}

void
hg_keep_choose(hg_forest *f)
{
    for (int t = 0; t < f->n_target; t++) {
        double m[5], c[5];
        const int64_t n = take_moments(f, t, 0, m);

        take_moments(f, t, m[1], c);
        f->keep[t] = sqrt(m[2]) * bound;
        if (n >= MODAL_ROWS && c[2] > 0 && c[3] * c[3] / c[2] + c[2] * c[2] > modal * c[4]) {
            f->keep[t] = sqrt(m[2]) * modal_bound;
        }
    }
}

hg_status
hg_keep_choose_on_disk(const hg_comm *comm, hg_forest *f)
{
    hg_status status = HG_OK;
    hg_forest_view view;

    if (comm->rank == 0) {
        status = hg_view_open(f, &view);
        if (status == HG_OK) {
            hg_keep_choose(f);
        }
        hg_view_close(f, &view);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, f->keep, sizeof f->keep);
    return HG_OK;
}
