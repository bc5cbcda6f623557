/* lambda(x) = phi(x) / Q(x) by GSL, which keeps it accurate in the far tail where phi and Q
 * both underflow. lambda(t/S) - b_L S falls monotonically with S, so a bracketed bisection in
 * ln S is enough and cannot fail. */
#include "cosmo/peak_selection.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_sf_erf.h>
#include <math.h>

#include "halograft/cosmology.h"

static double
hazard(double x)
{
    gsl_sf_result result = {0, 0};

    return gsl_sf_hazard_e(x, &result) == GSL_SUCCESS ? result.val : x;
}

hg_status
hg_peak_selection_find(double bias, hg_peak_selection *selection)
{
    double low = log(1e-4), high = log(1e4), l, a;

    gsl_set_error_handler_off();
    if (!(fabs(bias) < 1e3)) {
        return HG_FAIL(HG_E_ARG, "halo placement: a Lagrangian bias of %g is out of range",
                       bias);
    }
    if (fabs(bias) < 1e-3) {
        bias = bias < 0 ? -1e-3 : 1e-3;
    }
    selection->bias = bias;
    if (bias < 0) {
        selection->threshold = 0;
        selection->scale = sqrt(2 / M_PI) / -bias;
        selection->share = 0.5;
        selection->mean = -sqrt(2 / M_PI);
        selection->variance = 1 - 2 / M_PI;
        return HG_OK;
    }
    selection->threshold = HG_DELTA_COLLAPSE;
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (low + high), s = exp(middle);

        if (hazard(HG_DELTA_COLLAPSE / s) > bias * s) {
            low = middle;
        } else {
            high = middle;
        }
    }
    selection->scale = exp(low);
    a = HG_DELTA_COLLAPSE / selection->scale;
    l = hazard(a);
    selection->share = 0.5 * erfc(a / sqrt(2.0));
    selection->mean = l;
    selection->variance = 1 + a * l - l * l;
    return HG_OK;
}

double
hg_peak_selection_share(const hg_peak_selection *selection, double rms, double delta)
{
    double sign = selection->bias < 0 ? -1 : 1;
    double gap = sign * (selection->threshold - delta);
    double w2 = selection->scale * selection->scale - rms * rms;

    if (w2 <= 1e-12 * rms * rms) {
        return gap < 0 ? 1 : 0;
    }
    return 0.5 * erfc(gap / sqrt(2 * w2));
}
