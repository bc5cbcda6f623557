#include <criterion/criterion.h>
#include <math.h>

#include "halograft/cosmology.h"

#define near(a, b, tolerance) (fabs((a) - (b)) <= (tolerance)*fabs(b))

static const double concentrations[] = {2, 5, 10, 25};

/* Units G = M_200 = r_200 = 1: density, enclosed mass. */
static double
density(double c, double r)
{
    double x = c * r;

    return c * c * c / (4 * M_PI * hg_nfw_mass(c) * x * (1 + x) * (1 + x));
}

Test(nfw, masses_and_the_velocity_maximum_agree_with_the_profile)
{
    for (int i = 0; i < 4; i++) {
        double c = concentrations[i], sum = 0, step = 1e-4, best = 0;

        for (double r = step / 2; r < 1; r += step) {
            double v;

            sum += 4 * M_PI * r * r * density(c, r) * step;
            v = sqrt(sum / (r + step / 2));
            best = v > best ? v : best;
            cr_assert(near(sum, hg_nfw_mass(c * (r + step / 2)) / hg_nfw_mass(c), 2e-3) ||
                      r < 0.01);
        }
        cr_assert(near(best, hg_nfw_vmax(c), 1e-3), "c = %g: %g, %g", c, best, hg_nfw_vmax(c));
        cr_assert(near(hg_nfw_mass(c * hg_nfw_half_mass(c)), 0.5 * hg_nfw_mass(c), 1e-10));
        cr_assert(near(hg_nfw_mass(c * hg_nfw_inverse(c, 1e-3)), 1e-3 * hg_nfw_mass(c), 1e-9));
    }
    cr_assert(near(hg_nfw_mass(1e-4), 0.5e-8 - 2e-12 / 3, 1e-7));
    cr_assert(near(hg_nfw_vmax(10) * hg_nfw_vmax(10), 0.2162 * 10 / hg_nfw_mass(10), 1e-3));
}

/* W = - int G M(r) dM / r. */
Test(nfw, the_potential_energy_is_that_of_the_profile)
{
    for (int i = 0; i < 4; i++) {
        double c = concentrations[i], sum = 0, step = 1e-5;

        for (double r = step / 2; r < 1; r += step) {
            sum -= hg_nfw_mass(c * r) / hg_nfw_mass(c) * 4 * M_PI * r * density(c, r) * step;
        }
        cr_assert(near(sum, hg_nfw_potential(c), 1e-3), "c = %g: %g, %g", c, sum,
                  hg_nfw_potential(c));
    }
}

/* Isotropic Jeans equation: rho sigma^2 = int_r^inf rho G M / r^2 dr. */
Test(nfw, the_dispersion_solves_the_jeans_equation)
{
    for (int i = 0; i < 4; i++) {
        for (double s = 0.05; s < 1.01; s *= 2) {
            double c = concentrations[i], sum = 0, step = 1e-3, got = hg_nfw_dispersion(c, s);

            for (double l = log(s) + step / 2; l < log(s) + 12; l += step) {
                double r = exp(l);

                sum += density(c, r) * hg_nfw_mass(c * r) / hg_nfw_mass(c) / r * step;
            }
            cr_assert(near(got, sqrt(sum / density(c, s)), 1e-3), "c = %g, s = %g: %g, %g", c,
                      s, got, sqrt(sum / density(c, s)));
        }
    }
}
