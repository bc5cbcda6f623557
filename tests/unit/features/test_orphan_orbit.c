/* Times and orbits against closed forms in a universe of matter alone. */
#include <criterion/criterion.h>

#include <math.h>

#include "features/orphan_orbit.h"

static const hg_orbit_setup setup = {
    .cosmology = {.h = 0.7, .omega_m = 1}, .scale = 0.8, .friction = 2};
static const hg_orbit orbit = {.scale = 0.5,
                               .mass = 1e11,
                               .host_mass = 1e13,
                               .separation = {0.3, 0, -0.4},
                               .speed = {100, 200, 50}};

Test(orphan_orbit, time_is_that_of_a_universe_of_matter)
{
    const double t = hg_orbit_time(&setup.cosmology, 0.5, 0.8);

    cr_assert_float_eq(t, 2 / 210.0 * (pow(0.8, 1.5) - pow(0.5, 1.5)), 1e-9 * t);
    cr_assert_float_eq(hg_orbit_time(&setup.cosmology, 0.8, 0.5), -t, 1e-9 * t);
}

Test(orphan_orbit, friction_ends_it_at_the_stated_time)
{
    const double hubble = 70 / pow(0.5, 1.5), r = 0.25; /* half of 0.5 comoving Mpc */
    const double v = cbrt(10 * HG_GRAVITY * hubble * 1e13);
    const double t = 2 * 1.17 * r * r * v / (HG_GRAVITY * 1e11 * log(101));
    hg_orbit_setup other = setup;

    cr_assert_float_eq(hg_orbit_friction_time(&setup, &orbit), t, 1e-12 * t);
    other.friction = 0;
    cr_assert(isinf(hg_orbit_friction_time(&other, &orbit)));
}

Test(orphan_orbit, falls_in_its_plane_at_constant_speed)
{
    const double total = hg_orbit_friction_time(&setup, &orbit), r = 0.25;
    const double hubble = 70 / pow(0.5, 1.5), v = cbrt(10 * HG_GRAVITY * hubble * 1e13);
    const double normal[3] = {80, -55, 60}; /* separation x speed */
    double offset[3], velocity[3], square = 0, speed = 0, across = 0, out = 0, left;

    left = hg_orbit_follow(&setup, &orbit, offset, velocity);
    cr_assert_float_eq(left, 1 - hg_orbit_time(&setup.cosmology, 0.5, 0.8) / total, 1e-12);
    cr_assert(left > 0.1 && left < 0.9);
    for (int k = 0; k < 3; k++) {
        square += 0.64 * offset[k] * offset[k];
        speed += velocity[k] * velocity[k];
        across += offset[k] * velocity[k];
        out += offset[k] * normal[k];
    }
    cr_assert_float_eq(square, r * r * left, 1e-12);
    cr_assert_float_eq(sqrt(speed), v, 1e-9 * v);
    cr_assert_float_eq(across, 0, 1e-9);
    cr_assert_float_eq(out, 0, 1e-11);
}

Test(orphan_orbit, has_merged_at_the_centre_and_has_a_plane_when_it_falls_straight)
{
    hg_orbit other = orbit;
    double offset[3], velocity[3], square = 0;

    for (int k = 0; k < 3; k++) {
        other.speed[k] = 3 * other.separation[k];
    }
    cr_assert(hg_orbit_follow(&setup, &other, offset, velocity) > 0);
    for (int k = 0; k < 3; k++) {
        square += 0.64 * offset[k] * offset[k];
        other.separation[k] = 0;
    }
    cr_assert_float_eq(square, 0.0625 * hg_orbit_follow(&setup, &orbit, offset, velocity),
                       1e-12);
    cr_assert(hg_orbit_follow(&setup, &other, offset, velocity) <= 0);
}
