#include <criterion/criterion.h>
#include <math.h>

#include "field/window.h"

/* Explicit sums over aliases n + m N, the definition of C and A. */
static void
sum_aliases(hg_kernel kernel, int64_t wave, int64_t n, int64_t reach, double *c, double *a)
{
    *c = *a = 0;
    for (int64_t m = -reach; m <= reach; m++) {
        double t = M_PI * ((double)wave / (double)n + (double)m);
        double w = pow(t == 0 ? 1 : sin(t) / t, 2.0 * (int)kernel);

        *c += w;
        *a += m % 2 == 0 ? w : -w;
    }
}

Test(window, alias_sums_equal_explicit_sums)
{
    for (int p = 1; p <= 4; p++) {
        for (int64_t n = 15; n <= 16; n++) {
            hg_window window;
            /* the tail of the NGP sum falls like 1/m only */
            double limit = p == 1 ? 1e-4 : p == 2 ? 1e-11 : 1e-13;

            cr_assert_eq(hg_window_init(&window, n, (hg_kernel)p), HG_OK);
            for (int64_t i = 0; i < n; i++) {
                double c, a, t = M_PI * (double)hg_wave_number(i, n) / (double)n;

                sum_aliases((hg_kernel)p, hg_wave_number(i, n), n, 4000, &c, &a);
                cr_expect_float_eq(window.c[i], c, limit, "C, p %d, i %ld", p, (long)i);
                cr_expect_float_eq(window.a[i], a, limit, "A, p %d, i %ld", p, (long)i);
                cr_expect_float_eq(window.w[i], pow(i == 0 ? 1 : sin(t) / t, p), 1e-15);
            }
            hg_window_clear(&window);
        }
    }
}

Test(window, wave_numbers_are_symmetric)
{
    cr_expect_eq(hg_wave_number(0, 8), 0);
    cr_expect_eq(hg_wave_number(4, 8), 4);
    cr_expect_eq(hg_wave_number(5, 8), -3);
    cr_expect_eq(hg_wave_number(7, 8), -1);
    cr_expect_eq(hg_wave_number(3, 7), 3);
    cr_expect_eq(hg_wave_number(4, 7), -3);
}

Test(window, kernels_are_known_by_name)
{
    hg_kernel kernel;

    cr_expect_eq(hg_kernel_parse("PCS", &kernel), HG_OK);
    cr_expect_eq(kernel, HG_KERNEL_PCS);
    cr_expect_eq(hg_kernel_parse("ngp", &kernel), HG_OK);
    cr_expect_eq(kernel, HG_KERNEL_NGP);
    cr_expect_eq(hg_kernel_parse("gauss", &kernel), HG_E_ARG);
}
