#include <criterion/criterion.h>

#include <math.h>

#include "features/history.h"

/* M = 8 a^3 with holes: interpolation in logarithms is exact for a power law */
Test(history, epochs_and_holes_follow_a_power_law_exactly)
{
    const double scale[] = {0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1};
    const double epoch[] = {0.4, 0.5, 0.75, 1, 0.15, 0.2, 1.001, 0.3};
    double m[7], value[8];
    const hg_branch branch = {7, scale, m};
    hg_peak peak;

    for (int i = 0; i < 7; i++) {
        m[i] = 8 * pow(scale[i], 3);
    }
    m[0] = (double)NAN; /* not yet there */
    m[3] = m[5] = (double)NAN;
    hg_branch_at(&branch, 8, epoch, value);
    for (int i = 0; i < 8; i++) {
        const double expected = epoch[i] < 0.2 ? 0 : 8 * pow(fmin(epoch[i], 1), 3);

        cr_expect_float_eq(value[i], expected, 1e-12, "%g: %.17g", epoch[i], value[i]);
    }
    peak = hg_branch_peak(&branch);
    cr_expect_eq(peak.value, 8);
    cr_expect_eq(peak.scale, 1);
    cr_expect_float_eq(peak.half_scale, pow(0.5, 1 / 3.0), 1e-12);
}

Test(history, a_stripped_halo_keeps_its_peak)
{
    const double scale[] = {0.25, 0.5, 0.75, 1}, m[] = {1, 6, 6, 2},
                 nothing[] = {(double)NAN, 0};
    const hg_branch branch = {4, scale, m}, empty = {2, scale, nothing};
    const double epoch[] = {0.5};
    double value[1];
    hg_peak peak = hg_branch_peak(&branch);

    cr_expect_eq(peak.value, 6);
    cr_expect_eq(peak.scale, 0.5);
    cr_expect_eq(peak.half_scale, 0.25); /* half of 2 was there from the start */
    peak = hg_branch_peak(&empty);
    cr_expect(isnan(peak.value) && isnan(peak.scale) && isnan(peak.half_scale));
    hg_branch_at(&empty, 1, epoch, value);
    cr_expect(isnan(value[0]));
}
