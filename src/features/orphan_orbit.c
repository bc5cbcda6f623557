/* The orbit keeps what is known, radius and plane, and makes up what is not, the phase, without
 * random numbers: after a few turns it is as good as random, and it is the same in every run.
 */
#include "features/orphan_orbit.h"

#include <math.h>

double
hg_orbit_time(const hg_cosmology *cosmology, double from, double to)
{
    enum { STEPS = 64 }; /* Simpson's rule in ln a; even */
    const double width = log(to / from) / STEPS;
    double sum = 0;

    for (int i = 0; i <= STEPS; i++) {
        const double weight = i == 0 || i == STEPS ? 1 : i % 2 != 0 ? 4 : 2;

        sum += weight / hg_cosmology_hubble(cosmology, exp(-i * width) / from - 1);
    }
    return sum * width / 3;
}

static double
hubble_then(const hg_orbit_setup *setup, const hg_orbit *orbit)
{
    return hg_cosmology_hubble(&setup->cosmology, 1 / orbit->scale - 1);
}

/* V^3 = 10 G H M for a sphere of 200 times the critical density. */
static double
virial_speed(const hg_orbit_setup *setup, const hg_orbit *orbit)
{
    return cbrt(10 * HG_GRAVITY * hubble_then(setup, orbit) * orbit->host_mass);
}

/* Proper Mpc. */
static double
radius_of(const hg_orbit *orbit)
{
    const double *s = orbit->separation;

    return orbit->scale * sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
}

double
hg_orbit_friction_time(const hg_orbit_setup *setup, const hg_orbit *orbit)
{
    const double r = radius_of(orbit);

    if (!(setup->friction > 0)) {
        return HUGE_VAL;
    }
    return setup->friction * 1.17 * r * r * virial_speed(setup, orbit) /
           (HG_GRAVITY * orbit->mass * log1p(orbit->host_mass / orbit->mass));
}

/* Directions of the separation and, at right angles, of the motion. */
static void
find_plane(const hg_orbit *orbit, double along[3], double across[3])
{
    const double *s = orbit->separation, *v = orbit->speed;
    const double r = radius_of(orbit) / orbit->scale;
    double dot = 0, norm = 0, speed = 0;
    int least = 0;

    for (int k = 0; k < 3; k++) {
        along[k] = r > 0 ? s[k] / r : k == 0;
        speed += v[k] * v[k];
        least = fabs(along[k]) < fabs(along[least]) ? k : least;
    }
    for (int k = 0; k < 3; k++) {
        dot += along[k] * v[k];
    }
    for (int k = 0; k < 3; k++) {
        across[k] = v[k] - dot * along[k];
        norm += across[k] * across[k];
    }
    if (!(norm > 1e-12 * speed)) { /* straight in or out, or at rest: any plane */
        norm = 1 - along[least] * along[least];
        for (int k = 0; k < 3; k++) {
            across[k] = (k == least) - along[least] * along[k];
        }
    }
    for (int k = 0; k < 3; k++) {
        across[k] /= sqrt(norm);
    }
}

double
hg_orbit_follow(const hg_orbit_setup *setup, const hg_orbit *orbit, double offset[3],
                double velocity[3])
{
    const double speed = virial_speed(setup, orbit), r = radius_of(orbit);
    const double time = hg_orbit_time(&setup->cosmology, orbit->scale, setup->scale);
    const double left = 1 - time / hg_orbit_friction_time(setup, orbit);
    double along[3], across[3], angle;

    if (!(left > 0)) {
        return isnan(left) ? 0 : left;
    }
    angle = r > 0 ? 2 * speed * time / (r * (1 + sqrt(left))) : 0;
    find_plane(orbit, along, across);
    for (int k = 0; k < 3; k++) {
        offset[k] =
            r * sqrt(left) / setup->scale * (cos(angle) * along[k] + sin(angle) * across[k]);
        velocity[k] = speed * (cos(angle) * across[k] - sin(angle) * along[k]);
    }
    return left;
}
