/* Accumulated local effects of functions whose effects are known in closed form. */
#include <criterion/criterion.h>
#include <math.h>

#include "explain/dependence.h"

TestSuite(effects);

enum { N0 = 7, N1 = 5 };

static const double at0[N0] = {0, 0.5, 1, 3, 4, 6, 7}, at1[N1] = {-2, -1, 0, 2, 3};

static double
additive(double u, double v)
{
    return 3 * u + v * v - 7;
}

static double
product(double u, double v)
{
    return additive(u, v) + 0.5 * u * v;
}

/* second differences of f over all cells */
static void
differentiate(double (*f)(double, double), double step[])
{
    for (int i = 1; i < N0; i++) {
        for (int j = 1; j < N1; j++) {
            step[i * N1 + j] = f(at0[i], at1[j]) - f(at0[i - 1], at1[j]) -
                               f(at0[i], at1[j - 1]) + f(at0[i - 1], at1[j - 1]);
        }
    }
}

Test(effects, a_curve_is_the_function_less_its_mean)
{
    double weight[N0] = {0}, step[N0] = {(double)NAN}, value[N0], mean = 0;

    for (int k = 1; k < N0; k++) {
        weight[k] = k;
        step[k] = additive(at0[k], 1) - additive(at0[k - 1], 1);
    }
    hg_effect_curve(N0, weight, step, value);
    for (int k = 1; k < N0; k++) {
        cr_expect_float_eq(value[k] - value[0], additive(at0[k], 1) - additive(at0[0], 1),
                           1e-13);
        mean += weight[k] * (value[k] + value[k - 1]);
    }
    cr_expect_float_eq(mean, 0, 1e-12);
}

Test(effects, a_plane_holds_the_interaction_alone)
{
    double weight[N0 * N1] = {0}, step[N0 * N1] = {0}, value[N0 * N1], sum = 0;

    for (int i = 1; i < N0; i++) {
        for (int j = 1; j < N1; j++) {
            weight[i * N1 + j] = 1 + (i * 3 + j) % 4;
        }
    }
    differentiate(additive, step);
    cr_expect_eq(hg_effect_plane(N0, N1, weight, step, value), HG_OK);
    for (int k = 0; k < N0 * N1; k++) {
        cr_expect_float_eq(value[k], 0, 1e-13);
    }
    /* u v / 2: whatever is taken off depends on u or on v alone, so second differences stay */
    differentiate(product, step);
    cr_expect_eq(hg_effect_plane(N0, N1, weight, step, value), HG_OK);
    for (int i = 1; i < N0; i++) {
        for (int j = 1; j < N1; j++) {
            const int k = i * N1 + j;

            cr_expect_float_eq(value[k] - value[k - 1] - value[k - N1] + value[k - N1 - 1],
                               0.5 * (at0[i] - at0[i - 1]) * (at1[j] - at1[j - 1]), 1e-12);
            sum += weight[k] * (value[k] + value[k - 1] + value[k - N1] + value[k - N1 - 1]);
        }
    }
    cr_expect_float_eq(sum, 0, 1e-11);
    for (int i = 1; i < N0; i++) { /* and no effect of either feature is left in a strip */
        double strip = 0;

        for (int j = 1; j < N1; j++) {
            const int k = i * N1 + j;

            strip += weight[k] * (value[k] - value[k - N1] + value[k - 1] - value[k - N1 - 1]);
        }
        cr_expect_float_eq(strip, 0, 1e-11);
    }
}

Test(effects, cells_without_rows_borrow_from_the_nearest)
{
    double weight[N0 * N1] = {0}, step[N0 * N1] = {0}, full[N0 * N1], value[N0 * N1];

    for (int i = 1; i < N0; i++) {
        for (int j = 1; j < N1; j++) {
            weight[i * N1 + j] = 1;
            step[i * N1 + j] = 0.25;
        }
    }
    cr_expect_eq(hg_effect_plane(N0, N1, weight, step, full), HG_OK);
    weight[2 * N1 + 2] = 0;
    step[2 * N1 + 2] = (double)NAN;
    cr_expect_eq(hg_effect_plane(N0, N1, weight, step, value), HG_OK);
    cr_expect_float_eq(value[2 * N1 + 2] - value[2 * N1 + 1] - value[N1 + 2] + value[N1 + 1],
                       0.25, 1e-13);
}
