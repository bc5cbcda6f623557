#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/shift_at_mass.h"

enum { N = 40000 };

/* Standard normal number k of a row: sums of twelve uniform ones are near enough. */
static double
normal(int64_t row, int seed)
{
    double sum = -6;

    for (int k = 0; k < 12; k++) {
        const double x =
            sin((double)(row + 1) * 12.9898 + (12 * seed + k) * 78.233) * 43758.5453;

        sum += x - floor(x);
    }
    return sum;
}

/* Masses from 11 on with another slope on each side; values grow with mass. */
static hg_massed *
make(int64_t n, double slope, double offset, double width, int seed)
{
    hg_massed *h = NULL;

    cr_assert_eq(hg_mem_array(&h, (size_t)n, sizeof *h), HG_OK);
    for (int64_t i = 0; i < n; i++) {
        const double m = 11 + fabs(normal(i, seed)) * slope;

        h[i] = (hg_massed){(float)m, (float)(3 * m + offset + width * normal(i, seed + 1)),
                           (int)(i % 2)};
    }
    return h;
}

Test(shift_at_mass, a_shift_is_found_in_populations_of_other_masses)
{
    hg_massed *a = make(N / 4, 0.8, 0.5, 1, 1), *b = make(N, 0.4, 0, 1, 3);
    hg_shift_at_mass s;

    cr_assert_eq(hg_shift_at_mass_measure(N / 4, a, N, b, &s), HG_OK);
    /* two unit normals half a unit apart, widened by the slope within a bin */
    cr_expect_float_eq(s.shift, 0.5, 0.05);
    cr_expect_float_eq(s.scatter, 1, 0.06);
    cr_expect(s.ks > 0.1 && s.ks < 0.25, "%g", s.ks);
    cr_expect(s.ks_transported < 1.5 * s.noise, "%g %g", s.ks_transported, s.noise);
    hg_mem_free(a);
    hg_mem_free(b);
    cr_expect_eq(hg_mem_used(), 0);
}

/* One bin of mass, no slope: the distance of two normals is 2 Phi(d/2) - 1. */
Test(shift_at_mass, the_distance_is_that_of_two_normals)
{
    hg_massed *a = make(N, 0, 0.5, 1, 1), *b = make(N, 0, 0, 1, 3);
    hg_shift_at_mass s;

    cr_assert_eq(hg_shift_at_mass_measure(N, a, N, b, &s), HG_OK);
    cr_expect_float_eq(s.ks, erf(0.25 / sqrt(2)), 0.01);
    cr_expect_float_eq(s.shift, 0.5, 0.02);
    cr_expect_float_eq(s.noise, 1.36 * sqrt(2 / (N / 2.0)), 1e-9);
    cr_expect_lt(s.ks_transported, 1.5 * s.noise);
    hg_mem_free(a);
    hg_mem_free(b);
}

Test(shift_at_mass, equal_populations_have_no_distance_and_few_haloes_no_answer)
{
    hg_massed *a = make(N, 0.5, 0, 1, 1);
    hg_shift_at_mass s;

    cr_assert_eq(hg_shift_at_mass_measure(N, a, N, a, &s), HG_OK);
    cr_expect_float_eq(s.ks, 0, 1e-9);
    cr_expect_eq(s.shift, 0);
    cr_assert_eq(hg_shift_at_mass_measure(30, a, N, a, &s), HG_OK);
    cr_expect_eq(s.n_a, 0);
    cr_expect(isnan(s.ks) && isnan(s.shift) && isnan(s.ks_transported));
    cr_assert_eq(hg_shift_at_mass_measure(0, NULL, 0, NULL, &s), HG_OK);
    hg_mem_free(a);
}

/* Values of a are a known monotone function of what b's would be. */
Test(transport, a_known_distortion_is_undone)
{
    hg_massed *a = make(N, 0.5, 0, 1, 1), *b = make(N, 0.5, 0, 1, 3);
    hg_transport *t = NULL, *other = NULL;
    double worst = 0, sum2 = 0;
    hg_shift_at_mass s;

    for (int64_t i = 0; i < N; i++) {
        a[i].value = (float)(0.8 * (double)a[i].value + 20 + exp((double)a[i].value - 36));
    }
    cr_assert_eq(hg_mem_array(&t, 1, sizeof *t), HG_OK);
    cr_assert_eq(hg_mem_array(&other, 1, sizeof *other), HG_OK);
    cr_assert_eq(hg_shift_at_mass_measure(N, a, N, b, &s), HG_OK);
    cr_expect(s.ks > 0.9, "%g", s.ks);
    cr_expect(s.ks_transported < 1.5 * s.noise, "%g %g", s.ks_transported, s.noise);
    cr_assert_eq(hg_transport_make(N, a, N, b, t), HG_OK);
    cr_assert_geq(t->n_bin, 5);
    for (double z = -2; z < 2.01; z += 0.25) {
        for (double m = 11.1; m < 12; m += 0.2) {
            const double x = 3 * m + z,
                         d = hg_transport_move(t, m, 0.8 * x + 20 + exp(x - 36)) - x;

            worst = fmax(worst, fabs(d));
            sum2 += d * d;
        }
    }
    cr_expect_lt(sqrt(sum2 / (17 * 5)), 0.08, "%g", sqrt(sum2 / (17 * 5)));
    cr_expect_lt(worst, 0.4, "%g", worst);

    /* order does not matter, and masses and values far out move with the nearest that are known
     */
    for (int64_t i = 0; i < N / 2; i++) {
        const hg_massed x = a[i];

        a[i] = a[N - 1 - i];
        a[N - 1 - i] = x;
    }
    cr_assert_eq(hg_transport_make(N, a, N, b, other), HG_OK);
    cr_expect_eq(t->n_bin, other->n_bin);
    for (double x = 40; x < 80; x += 0.37) {
        cr_expect_eq(hg_transport_move(t, 11.5, x), hg_transport_move(other, 11.5, x));
        cr_expect_gt(hg_transport_move(t, 11.5, x + 0.37), hg_transport_move(t, 11.5, x));
        cr_expect_eq(hg_transport_move(t, -1, x), hg_transport_move(t, 11.1, x));
    }
    cr_expect_float_eq(hg_transport_move(t, 11.5, 200) - hg_transport_move(t, 11.5, 190), 10,
                       1e-9);
    cr_assert_eq(hg_transport_make(30, a, N, b, t), HG_OK);
    cr_expect_eq(hg_transport_move(t, 11.5, 5), 5, "too few haloes for a map");
    hg_mem_free(a);
    hg_mem_free(b);
    hg_mem_free(t);
    hg_mem_free(other);
    cr_expect_eq(hg_mem_used(), 0);
}
