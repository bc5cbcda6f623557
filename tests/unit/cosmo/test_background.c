#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "halograft/cosmology.h"

#define near(a, b, tolerance) (fabs((a) - (b)) <= (tolerance)*fabs(b))

static const hg_cosmology einstein_de_sitter = {
    .h = 0.7, .omega_m = 1, .omega_l = 0, .omega_b = 0.05, .sigma_8 = 0.8, .n_s = 1};

Test(background, a_flat_matter_universe_grows_as_the_scale_factor)
{
    static const double redshifts[] = {0, 0.5, 1, 3, 9, 99};

    for (size_t i = 0; i < sizeof redshifts / sizeof redshifts[0]; i++) {
        double z = redshifts[i], growth = 0, rate = 0, distance = 0;

        cr_assert_eq(hg_cosmology_growth(&einstein_de_sitter, z, &growth, &rate), HG_OK);
        cr_assert(near(growth, 1 / (1 + z), 1e-8), "z = %g: D = %.12g", z, growth);
        cr_assert(near(rate, 1.0, 1e-7), "z = %g: f = %.12g", z, rate);
        cr_assert_eq(hg_cosmology_distance(&einstein_de_sitter, z, &distance), HG_OK);
        cr_assert(fabs(distance - 2 * 299792.458 / 70 * (1 - 1 / sqrt(1 + z))) < 1e-5 * 9000);
        cr_assert(
            near(hg_cosmology_hubble(&einstein_de_sitter, z), 70 * pow(1 + z, 1.5), 1e-12));
        cr_assert(near(hg_cosmology_omega_m(&einstein_de_sitter, z), 1.0, 1e-12));
    }
}

/* The closed form for a flat universe is a hypergeometric function; at Omega_m = 0.3 today the
 * growth suppression D / a (normalised early) is 0.7789 and f = 0.5131 (Omega_m^0.55 = 0.5157
 * to 1 %). */
Test(background, a_cosmological_constant_slows_the_growth)
{
    hg_cosmology c = HG_COSMOLOGY_INIT;
    double early = 0, rate = 0, now = 0, step = 1e-4, above = 0, below = 0;

    c.omega_m = 0.3;
    c.omega_l = 0.7;
    cr_assert_eq(hg_cosmology_growth(&c, 999, &early, NULL), HG_OK);
    cr_assert(near(1 / (early * 1000), 0.7789, 1e-3), "D/a = %g", 1 / (early * 1000));
    cr_assert_eq(hg_cosmology_growth(&c, 0, &now, &rate), HG_OK);
    cr_assert(near(now, 1.0, 1e-12) && near(rate, 0.5131, 2e-3), "f = %g", rate);
    cr_assert_eq(hg_cosmology_growth(&c, 0.7 + step, &above, NULL), HG_OK);
    cr_assert_eq(hg_cosmology_growth(&c, 0.7 - step, &below, NULL), HG_OK);
    cr_assert_eq(hg_cosmology_growth(&c, 0.7, &now, &rate), HG_OK);
    cr_assert(near(rate, -1.7 * (above - below) / (2 * step * now), 1e-5));
}

Test(background, the_critical_density_and_radius_belong_together)
{
    hg_cosmology c = HG_COSMOLOGY_INIT;
    double rho = hg_cosmology_rho_crit(&c, 0), r = hg_cosmology_r200c(&c, 1, 1e13) / 2;

    cr_assert(near(rho, 2.77536627e11 * c.h * c.h, 2e-5), "rho = %.8g", rho);
    cr_assert(near(200 * hg_cosmology_rho_crit(&c, 1) * 4 * M_PI / 3 * r * r * r, 1e13, 1e-12));
}

Test(background, impossible_numbers_are_refused_by_name)
{
    hg_cosmology c = HG_COSMOLOGY_INIT;
    double growth = 0;

    c.omega_m = -0.3;
    cr_assert_eq(hg_cosmology_growth(&c, 0, &growth, NULL), HG_E_ARG);
    cr_assert(strstr(hg_error_last()->message, "omega_m") != NULL);
    c.omega_m = (double)NAN;
    cr_assert_eq(hg_cosmology_check(&c), HG_E_ARG);
    c.omega_m = 0.04;
    cr_assert_eq(hg_cosmology_check(&c), HG_E_ARG);
    cr_assert(strstr(hg_error_last()->message, "omega_b") != NULL);
}
