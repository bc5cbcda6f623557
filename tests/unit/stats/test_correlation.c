#include <criterion/criterion.h>
#include <math.h>

#include "base/memory.h"
#include "stats/correlation.h"

/* Fine bins filled with a model: all modes of the cube, P = A exp(-k^2 s^2). */
static void
fill_model(hg_fine *fine, int64_t mesh, double box, double amplitude, double s)
{
    const double kf = 2 * M_PI / box;

    *fine = (hg_fine){.box = box, .mesh = mesh, .n_bin = 9 * mesh * mesh / 16 + 1, .n_sum = 4};
    cr_assert_eq(hg_mem_zeros(&fine->sum, (size_t)fine->n_bin * 4, sizeof(double)), HG_OK);
    for (int64_t x = 1 - mesh / 2; x < mesh / 2; x++) {
        for (int64_t y = 1 - mesh / 2; y < mesh / 2; y++) {
            for (int64_t z = 1 - mesh / 2; z < mesh / 2; z++) {
                int64_t n2 = x * x + y * y + z * z;
                double p = amplitude * exp(-kf * kf * (double)n2 * s * s);

                if (n2 > 0 && n2 < fine->n_bin) {
                    fine->sum[n2 * 4 + HG_FINE_MODES] += 1;
                    fine->sum[n2 * 4 + HG_FINE_P0] += p;
                    fine->sum[n2 * 4 + HG_FINE_Q0] += p * p;
                }
            }
        }
    }
}

/* The continuum limit, taper included: 1/(2 pi^2) int k^2 P taper <j0(kr)> dk by plain sums. */
static double
shell_mean(double amplitude, double s, double k_nyquist, double r1, double r2)
{
    const double dk = k_nyquist / 400;
    double sum = 0, norm = 0;

    for (int i = 0; i < 200; i++) {
        double r = r1 + (r2 - r1) * (i + 0.5) / 200, xi = 0;

        for (double k = dk / 2; k < 1.5 * k_nyquist; k += dk) {
            xi += k * k * exp(-k * k * s * s - pow(k / (0.75 * k_nyquist), 4)) * sin(k * r) /
                  (k * r) * dk;
        }
        sum += r * r * xi * amplitude / (2 * M_PI * M_PI);
        norm += r * r;
    }
    return sum / norm;
}

Test(correlation, shells_of_a_gaussian_power_are_its_transform)
{
    const double box = 100, amplitude = 1e4, s = 5, edge[] = {0, 2, 5, 9, 14, 20, 25};
    double xi[6], sigma[6];
    hg_fine fine;

    fill_model(&fine, 64, box, amplitude, s);
    cr_assert_eq(hg_correlation_shells(&fine, 0, 6, edge, xi, sigma), HG_OK);
    for (int i = 0; i < 6; i++) {
        /* there is no mode k = 0, so xi integrates to zero over the box */
        double expected = shell_mean(amplitude, s, M_PI * 64 / box, edge[i], edge[i + 1]) -
                          amplitude / pow(box, 3);

        cr_expect_float_eq(xi[i], expected, 3e-5, "bin %d: %g, expected %g", i, xi[i],
                           expected);
        cr_expect(sigma[i] > 0);
    }
    cr_expect_eq(hg_correlation_shells(&fine, 0, 1, (double[]){3, 3}, xi, NULL), HG_E_ARG);
    hg_fine_clear(&fine);
}

Test(correlation, edges_grow_by_the_larger_of_step_and_factor)
{
    double edge[8];
    int n = hg_bin_edges(1, 10, 1, log(1.5), 8, edge);

    cr_assert_eq(n, 5);
    cr_expect_float_eq(edge[1], 2, 1e-15);
    cr_expect_float_eq(edge[2], 3, 1e-15);
    cr_expect_float_eq(edge[3], 4.5, 1e-14);
    cr_expect_eq(edge[5], 10);
    cr_expect_eq(hg_bin_edges(1, 1e9, 1, 0, 8, edge), 7);
}

/* j_l by its closed form, with enough digits for x > 0.3. */
static double
bessel(int l, double x)
{
    const double s = sin(x), c = cos(x), x2 = x * x;

    switch (l) {
    case 0:
        return s / x;
    case 2:
        return (3 / x2 - 1) * s / x - 3 * c / x2;
    default:
        return (x2 * x2 - 45 * x2 + 105) * s / pow(x, 5) + (10 * x2 - 105) * c / pow(x, 4);
    }
}

Test(correlation, shell_integrals_are_those_of_spherical_bessel_functions)
{
    static const double end[] = {0.5, 1.5, 2.999, 3.001, 8, 40, 300};

    for (int l = 0; l <= 4; l += 2) {
        for (size_t e = 0; e + 1 < sizeof end / sizeof end[0]; e++) {
            const double a = end[e], b = end[e + 1], h = (b - a) / 20000;
            double sum = 0;

            for (int i = 0; i <= 20000; i++) { /* Simpson */
                const double x = a + i * h, f = x * x * bessel(l, x);

                sum += f * (i == 0 || i == 20000 ? 1 : i % 2 == 1 ? 4 : 2) * h / 3;
            }
            cr_expect_float_eq(hg_bessel_shell(l, b) - hg_bessel_shell(l, a), sum, 1e-8 * b * b,
                               "l = %d, %g to %g", l, a, b);
        }
        cr_expect_eq(hg_bessel_shell(l, 0), 0);
    }
}
