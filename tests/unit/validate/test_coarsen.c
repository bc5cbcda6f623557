/* Haloes of heavier particles: moments of thinned masses against those of binomial numbers,
 * whole particles, hosts that stay common, losses, softening in closed form, and rows in any
 * order. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "validate/coarsen.h"

enum { ROWS = 20000, FEATURES = 5, WIDTH = 2 * (FEATURES + 1) };

static hg_params params;
static hg_recipes features;
static hg_coarsening coarsening;
static double value[ROWS][WIDTH];
static uint64_t key[ROWS], place[ROWS];

static void
set_up(void)
{
    static hg_entries entries = {.n = FEATURES,
                                 .v = {{.name = "m_bound", .text = "none"},
                                       {.name = "m200c", .text = "none"},
                                       {.name = "vmax", .text = "none"},
                                       {.name = "r_half", .text = "none"},
                                       {.name = "a_half", .text = "none"}}};

    params.meta.seed = 5;
    params.validate.resolution = (hg_reals){.n = 1, .v = {8}};
    params.validate.resolution_masses = (hg_reals){.n = 1, .v = {1e9}};
    params.validate.particle_mass = 1e9;
    params.validate.particles_of = "m_bound";
    params.validate.particles_min = 20;
    params.validate.softening = 0.001;
    cr_assert_eq(hg_recipes_parse(&entries, "Features", &features), HG_OK);
    cr_assert_eq(hg_coarsening_open(&params, &features, &coarsening), HG_OK);
    cr_assert_eq(coarsening.n_value, WIDTH);
}

static void
tear_down(void)
{
    hg_coarsening_clear(&coarsening);
    hg_recipes_clear(&features);
    cr_expect_eq(hg_mem_used(), 0);
}

/* Satellites of 2000 particles, two in every host of 6000; `step` is the order of the rows. */
static void
evaluate(double particles, int step)
{
    static const char *const names[] = {"m_bound", "m200c",  "vmax",
                                        "r_half",  "a_half", "r_vmax"};
    const double values[] = {particles * 1e9, 6e12, 200, 0.05, 0.5, 0.01};
    hg_table table = {.n = ROWS, .frame = HG_FRAME_UNKNOWN};
    double *column[6];

    for (int c = 0; c < 6; c++) {
        cr_assert_eq(hg_table_add(&table, names[c], "", HG_COLUMN_F64, 1, &column[c]), HG_OK);
    }
    for (int i = 0; i < ROWS; i++) {
        const int id = (int)((int64_t)i * step % ROWS);

        key[i] = (uint64_t)id + 1;
        place[i] = 7;
        for (int c = 0; c < 6; c++) {
            column[c][i] = values[c];
        }
        column[1][i] *= 1 + 1e-6 * (id / 2); /* the mass tells hosts apart */
    }
    cr_assert_eq(hg_coarsening_evaluate(&coarsening, &table, key, place, WIDTH, value[0]),
                 HG_OK);
    hg_table_clear(&table);
}

static void
measure(int at, double *mean, double *rms)
{
    *mean = *rms = 0;
    for (int i = 0; i < ROWS; i++) {
        *mean += value[i][at] / ROWS;
    }
    for (int i = 0; i < ROWS; i++) {
        *rms += (value[i][at] - *mean) * (value[i][at] - *mean) / ROWS;
    }
    *rms = sqrt(*rms);
}

TestSuite(coarsen, .init = set_up, .fini = tear_down);

Test(coarsen, masses_are_whole_particles_with_binomial_scatter)
{
    const double n = 2000, p = 1.0 / 8, few = sqrt((1 - p) / (n * p));
    double mean, rms;

    evaluate(n, 1);
    measure(0, &mean, &rms);
    cr_expect_float_eq(mean / (n * 1e9), 1, 5 * few / sqrt(ROWS));
    cr_expect_float_eq(rms / 8e9, sqrt(n * p * (1 - p)), 0.02 * sqrt(n * p * (1 - p)));
    for (int i = 0; i < ROWS; i++) {
        cr_assert_float_eq(remainder(value[i][0], 8e9), 0, 1e-3);
        cr_assert_eq(value[i][1], value[i ^ 1][1], "satellites of one host");
    }
    cr_expect_neq(value[0][1], value[2][1]);
    measure(3, &mean, &rms);
    cr_expect_float_eq(mean, 0.05, 0.05 * 5 * few / sqrt(ROWS));
    cr_expect_float_eq(rms / mean, few, 0.03 * few);
    measure(2, &mean, &rms);
    cr_expect_float_eq(mean, 200 * sqrt((1 + 0.01) / (1 + 0.04)), 200 * 5 * few / sqrt(ROWS));
    cr_expect_float_eq(rms / mean, 0.91 * few, 0.03 * few);
    measure(4, &mean, &rms);
    cr_expect_float_eq(mean, 0.5, 1e-12, "nothing is known of a_half: it stays");
    cr_expect_eq(hg_coarsening_rule("a_half"), NULL);
    cr_expect_neq(hg_coarsening_rule("m_bound_z0p5"), NULL);
    cr_expect_eq(hg_coarsening_rule("m_bound_half_scale"), NULL);
}

Test(coarsen, particles_as_light_as_before_change_nothing)
{
    evaluate(2000, 1);
    for (int i = 0; i < ROWS; i++) {
        cr_assert_eq(value[i][FEATURES + 1], 2000e9);
        cr_assert_eq(value[i][FEATURES + 3], 200);
        cr_assert_eq(value[i][2 * FEATURES + 1], 0);
    }
}

/* 160 particles are 20 of the heavy ones on average: half of the haloes have fewer. */
Test(coarsen, haloes_of_too_few_particles_are_lost)
{
    double mean, rms;

    evaluate(160, 1);
    measure(FEATURES, &mean, &rms);
    cr_expect_float_eq(mean, 0.5 * erfc(0.5 / sqrt(2 * 20 * (1 - 1.0 / 8))), 0.02);
    for (int i = 0; i < ROWS; i++) {
        cr_assert(value[i][FEATURES] > 0 || value[i][0] >= 20 * 8e9);
    }
}

Test(coarsen, rows_may_stand_in_any_order)
{
    static double before[ROWS][WIDTH];

    evaluate(300, 1);
    memcpy(before, value, sizeof value);
    evaluate(300, 7);
    for (int i = 0; i < ROWS; i++) {
        cr_assert_eq(memcmp(value[i], before[key[i] - 1], sizeof value[i]), 0);
    }
}

Test(coarsen, lighter_or_unknown_particles_are_refused)
{
    double mass, factor;

    params.validate.resolution_masses.v[0] = 5e8;
    cr_expect_eq(hg_coarsening_factor(&coarsening, 1, 1e9, &mass, &factor), HG_E_PARAM);
    params.validate.particle_mass = 0;
    cr_expect_eq(hg_coarsening_factor(&coarsening, 0, (double)NAN, &mass, &factor), HG_E_INPUT);
    cr_expect_eq(hg_coarsening_factor(&coarsening, 0, 1e9, &mass, &factor), HG_OK);
    cr_expect_float_eq(mass, 8e9, 1);
}
