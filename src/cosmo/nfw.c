/* Closed forms of the NFW profile. With m(x) = ln(1+x) - x/(1+x) the mass inside x r_s is
 * M m(x)/m(c). The circular velocity peaks where dm/dx = m/x, at x = 2.1625815870646098. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_sf_dilog.h>
#include <math.h>

#include "halograft/cosmology.h"

static const double x_vmax = 2.1625815870646098;

double
hg_nfw_mass(double x)
{
    if (x < 1e-3) {
        return x * x * (0.5 - x * (2.0 / 3 - x * 0.75));
    }
    return log1p(x) - x / (1 + x);
}

double
hg_nfw_radius_of_vmax(void)
{
    return x_vmax;
}

double
hg_nfw_vmax(double c)
{
    return sqrt(c / x_vmax * hg_nfw_mass(x_vmax) / hg_nfw_mass(c));
}

/* Newton's method in x with bisection as a guard; m is monotone and dm/dx = x/(1+x)^2. */
double
hg_nfw_inverse(double c, double share)
{
    double goal = share * hg_nfw_mass(c), low = 0, high = c, x = c * sqrt(share);

    if (!(share > 0)) {
        return 0;
    }
    if (share >= 1) {
        return 1;
    }
    for (int i = 0; i < 60; i++) {
        double m = hg_nfw_mass(x) - goal, next = x - m * (1 + x) * (1 + x) / x;

        if (m > 0) {
            high = x;
        } else {
            low = x;
        }
        if (!(next > low && next < high)) {
            next = 0.5 * (low + high);
        }
        if (fabs(next - x) <= 1e-12 * x) {
            x = next;
            break;
        }
        x = next;
    }
    return x / c;
}

double
hg_nfw_half_mass(double c)
{
    return hg_nfw_inverse(c, 0.5);
}

double
hg_nfw_potential(double c)
{
    double m = hg_nfw_mass(c), y = 1 + c;

    return -c / (2 * m * m) * (1 - 1 / (y * y) - 2 * log1p(c) / y);
}

double
hg_nfw_dispersion(double c, double s)
{
    double x = c * (s > 1e-4 ? s : 1e-4), y = 1 + x, l = log1p(x), square;
    gsl_sf_result li2 = {0, 0};

    if (gsl_sf_dilog_e(-x, &li2) != GSL_SUCCESS) {
        li2.val = -x;
    }
    square = 0.5 * c / hg_nfw_mass(c) * x * y * y *
             (M_PI * M_PI - log(x) - 1 / x - 1 / (y * y) - 6 / y +
              (1 + 1 / (x * x) - 4 / x - 2 / y) * l + 3 * l * l + 6 * li2.val);
    return square > 0 ? sqrt(square) : 0;
}
