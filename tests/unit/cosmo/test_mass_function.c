#include <criterion/criterion.h>
#include <math.h>

#include "cosmo/peak_selection.h"
#include "halograft/cosmology.h"

#define near(a, b, tolerance) (fabs((a) - (b)) <= (tolerance)*fabs(b))

static hg_cosmology cosmology = HG_COSMOLOGY_INIT;
static hg_linear_power *power;

static void
setup(void)
{
    cr_assert_eq(hg_linear_power_create(&cosmology, &power), HG_OK);
}

static void
teardown(void)
{
    hg_linear_power_free(power);
}

TestSuite(mass_function, .init = setup, .fini = teardown);

Test(mass_function, the_power_spectrum_has_its_sigma_and_its_slopes)
{
    double large = hg_linear_power_at(power, 2e-5) / hg_linear_power_at(power, 1e-5);
    double wiggle = 0;

    cr_assert(near(hg_linear_power_sigma(power, 8 / cosmology.h), cosmology.sigma_8, 1e-12));
    cr_assert(near(large, pow(2, cosmology.n_s), 1e-3), "slope at large scales: %g",
              log2(large));
    /* independent quadrature of sigma(5 Mpc), midpoint rule of another step */
    for (int i = 0; i < 20000; i++) {
        double k = exp(-11 + (i + 0.5) * 17.0 / 20000), w = hg_top_hat(5 * k);

        wiggle += k * k * k * hg_linear_power_at(power, k) * w * w * 17.0 / 20000;
    }
    cr_assert(near(hg_linear_power_sigma(power, 5), sqrt(wiggle / (2 * M_PI * M_PI)), 1e-5));
    cr_assert_eq(hg_linear_power_at(power, 0), 0);
}

/* Baryon oscillations: the third acoustic peak of T^2 stands out against its neighbours by some
 * per cent at k = 0.13 /Mpc, with period pi / s, s near 150 Mpc. */
Test(mass_function, the_power_spectrum_oscillates_with_the_sound_horizon)
{
    int turns = 0;
    double before = 0;

    for (double k = 0.03; k < 0.2; k += 1e-3) {
        double smooth = 0.5 * (log(hg_linear_power_at(power, k - 0.0105)) +
                               log(hg_linear_power_at(power, k + 0.0105)));
        double bump = log(hg_linear_power_at(power, k)) - smooth;
        double centred = bump - 0.006;

        turns += before != 0 && centred * before < 0;
        before = centred;
    }
    cr_assert(turns >= 5 && turns <= 9, "%d sign changes", turns);
}

/* Rough numbers, to 15 per cent: haloes per Mpc^3 above a mass in Msun, by the mass function of
 * Sheth & Tormen (1999, MNRAS 308, 119) in the default universe (that of Planck 2015) at z = 0.
 */
Test(mass_function, sheth_tormen_gives_the_stated_abundance)
{
    static const double mass[] = {1e10, 1e11, 1e12, 1e13, 1e14};
    static const double above[] = {1.1e-1, 1.5e-2, 1.8e-3, 2.1e-4, 1.6e-5};
    hg_mass_function *mf = NULL;

    cr_assert_eq(hg_mass_function_create(power, HG_MASS_SHETH_TORMEN, 0, &mf), HG_OK);
    for (int i = 0; i < 5; i++) {
        double n = hg_mass_function_above(mf, mass[i]);

        cr_assert(near(n, above[i], 0.15), "n(>%g) = %g, not %g", mass[i], n, above[i]);
    }
    hg_mass_function_free(mf);
}

Test(mass_function, abundance_is_the_integral_of_the_density_and_inverts)
{
    for (int family = 0; family < 2; family++) {
        hg_mass_function *mf = NULL;

        cr_assert_eq(hg_mass_function_create(power, (hg_mass_family)family, 0.5, &mf), HG_OK);
        for (double m = 1e10; m < 2e15; m *= 3.7) {
            double n = hg_mass_function_above(mf, m), sum = 0, step = 1e-3;

            for (double x = log10(m) + step / 2; x < 16; x += step) {
                sum += hg_mass_function_density(mf, pow(10, x)) * step;
            }
            cr_assert(near(sum, n, 2e-3), "n(>%g) = %g, integral %g", m, n, sum);
            cr_assert(near(hg_mass_function_inverse(mf, n), m, 1e-10));
        }
        hg_mass_function_free(mf);
    }
}

/* The two families agree where both fit simulations; haloes of M* have bias near 1; and a
 * redshift of 3 makes massive haloes rare. */
Test(mass_function, tinker_is_close_to_sheth_tormen_and_evolves)
{
    hg_mass_function *t = NULL, *s = NULL, *early = NULL;

    cr_assert_eq(hg_mass_function_create(power, HG_MASS_TINKER, 0, &t), HG_OK);
    cr_assert_eq(hg_mass_function_create(power, HG_MASS_SHETH_TORMEN, 0, &s), HG_OK);
    cr_assert_eq(hg_mass_function_create(power, HG_MASS_TINKER, 3, &early), HG_OK);
    for (double m = 1e11; m < 2e14; m *= 10) {
        double ratio = hg_mass_function_above(t, m) / hg_mass_function_above(s, m);

        cr_assert(ratio > 0.4 && ratio < 1.1, "at %g: %g", m, ratio);
    }
    cr_assert(hg_mass_function_above(early, 1e13) < 0.05 * hg_mass_function_above(t, 1e13));
    cr_assert(hg_mass_function_bias(t, 3e12) > 0.8 && hg_mass_function_bias(t, 3e12) < 1.15);
    cr_assert(hg_mass_function_bias(t, 1e15) > 4);
    cr_assert(hg_mass_function_bias(early, 1e12) > 2 * hg_mass_function_bias(t, 1e12));
    hg_mass_function_free(t);
    hg_mass_function_free(s);
    hg_mass_function_free(early);
}

Test(mass_function, bias_rises_with_mass)
{
    hg_mass_function *mf = NULL;
    double before = 0;

    cr_assert_eq(hg_mass_function_create(power, HG_MASS_TINKER, 0, &mf), HG_OK);
    for (double m = 1e11; m < 5e15; m *= 1.3) {
        double b = hg_mass_function_bias(mf, m);

        cr_assert(b > before, "b(%g) = %g after %g", m, b, before);
        before = b;
    }
    hg_mass_function_free(mf);
}

/* The response of the chosen share to a long wave delta -> delta + epsilon is the bias. */
Test(mass_function, a_peak_selection_responds_with_its_bias)
{
    static const double biases[] = {-0.4, -0.1, 0.05, 0.5, 2, 7};

    for (size_t i = 0; i < sizeof biases / sizeof biases[0]; i++) {
        hg_peak_selection s = {0};
        double rms, low = 0, high = 0, mean = 0, second = 0, share = 0, step = 1e-3,
                    wave = 1e-3;

        cr_assert_eq(hg_peak_selection_find(biases[i], &s), HG_OK);
        rms = 0.8 * s.scale;
        for (double x = -9; x < 9; x += step) {
            double phi = exp(-0.5 * x * x) / sqrt(2 * M_PI) * step;

            low += phi * hg_peak_selection_share(&s, rms, rms * x - wave);
            high += phi * hg_peak_selection_share(&s, rms, rms * x + wave);
            share += phi * hg_peak_selection_share(&s, rms, rms * x);
            mean += phi * hg_peak_selection_share(&s, rms, rms * x) * x;
            second += phi * hg_peak_selection_share(&s, rms, rms * x) * x * x;
        }
        cr_assert(near(share, s.share, 1e-4), "b_L = %g: share %g, %g", biases[i], share,
                  s.share);
        cr_assert(near((high - low) / (2 * wave * share), biases[i], 1e-3));
        /* moments of x behind the noise: mean rho mu, variance 1 - rho^2 + rho^2 v, rho = 0.8
         */
        mean /= share;
        second /= share;
        cr_assert(near(mean, 0.8 * s.mean, 1e-3), "mean %g", mean);
        cr_assert(near(second - mean * mean, 0.36 + 0.64 * s.variance, 1e-3));
    }
}
