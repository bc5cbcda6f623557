#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "features/history.h"

/* Two trees over three snapshots; ids tell the snapshot. 31 and 32 are the ends:
 *   11, 12 -> 21 -> 31;  13 -> 22 -> 31;  23 -> 32;  14 -> 99, which is not there. */
static const int64_t id[] = {31, 32, 21, 22, 23, 11, 12, 13, 14};
static const int64_t descendant[] = {-1, -1, 31, 31, 32, 21, 21, 22, 99};
static const double mass[] = {9, 5, 4, 5, 4, 1, 3, 4, 7};
enum { N = 9 };

Test(history, main_progenitors_are_the_most_massive_or_the_marked)
{
    static const uint8_t mark[] = {0, 0, 1, 0, 0, 0, 0, 1, 0};
    static const int64_t by_mass[] = {3, 4, 6, 7, -1, -1, -1, -1, -1};
    hg_links links = {.n = N, .id = id, .descendant = descendant, .mass = mass};
    int64_t progenitor[N], branch[3];
    int n = 0;

    cr_assert_eq(hg_links_progenitors(&links, progenitor), HG_OK);
    cr_expect_eq(memcmp(progenitor, by_mass, sizeof progenitor), 0);
    cr_assert_eq(hg_links_branch(progenitor, 0, 3, branch, &n), HG_OK);
    cr_expect(n == 3 && branch[0] == 0 && branch[1] == 3 && branch[2] == 7);
    links.is_main = mark;
    cr_assert_eq(hg_links_progenitors(&links, progenitor), HG_OK);
    cr_expect_eq(progenitor[0], 2);
    cr_expect_eq(progenitor[2], 6);
    cr_assert_eq(hg_links_branch(progenitor, 1, 3, branch, &n), HG_OK);
    cr_expect(n == 2 && branch[1] == 4);
    cr_expect_eq(hg_mem_used(), 0);
}

Test(history, the_order_of_objects_does_not_matter)
{
    static const int64_t tied[] = {-1, 7, 7, 7};
    int64_t name[] = {7, 3, 2, 9};
    const double same[] = {5, 4, 4, 4};
    int64_t progenitor[4];

    for (int turn = 0; turn < 3; turn++) {
        const hg_links links = {.n = 4, .id = name, .descendant = tied, .mass = same};

        cr_assert_eq(hg_links_progenitors(&links, progenitor), HG_OK);
        cr_expect_eq(name[progenitor[0]], 2);
        name[1 + turn] ^= name[1 + (turn + 1) % 3];
        name[1 + (turn + 1) % 3] ^= name[1 + turn];
        name[1 + turn] ^= name[1 + (turn + 1) % 3];
    }
}

Test(history, links_that_cannot_be_are_refused)
{
    static const int64_t twice[] = {1, 1}, none[] = {-1, -1}, own[] = {-1, 2}, two[] = {1, 2},
                         round[] = {2, 1};
    hg_links links = {.n = 2, .id = twice, .descendant = none, .mass = mass};
    int64_t progenitor[2], branch[4];
    int n = 0;

    cr_expect_eq(hg_links_progenitors(&links, progenitor), HG_E_INPUT);
    cr_expect(strstr(hg_error_last()->message, "object 1 stands twice") != NULL);
    links.id = two;
    links.descendant = own;
    cr_expect_eq(hg_links_progenitors(&links, progenitor), HG_E_INPUT);
    cr_expect(strstr(hg_error_last()->message, "object 2 is its own") != NULL);
    links.descendant = round;
    cr_assert_eq(hg_links_progenitors(&links, progenitor), HG_OK);
    cr_expect_eq(hg_links_branch(progenitor, 0, 4, branch, &n), HG_E_INPUT);
    cr_expect_eq(hg_mem_used(), 0);
}

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
