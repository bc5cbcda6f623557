/* Codes differ in names and places: Gadget-4 says Nsubhalos and keeps the cosmology in the
 * group Parameters, Arepo says Nsubgroups and keeps it in Header. Both are looked for in both
 * places.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "catalog/subfind.h"

/* An integer of the header under one of two names. */
static hg_status
get_count(hg_h5 *file, const char *name, const char *other, int64_t *value)
{
    char path[80];

    snprintf(path, sizeof path, "Header@%s", name);
    HG_TRY(hg_h5_get_integer(file, "Header", hg_h5_exists(file, path) ? name : other, value));
    if (*value < 0) {
        return HG_FAIL(HG_E_FORMAT, "'%s' has %s = %" PRId64, hg_h5_path(file), name, *value);
    }
    return HG_OK;
}

/* A number of Header or else Parameters; NAN where neither has it. */
static hg_status
get_number(hg_h5 *file, const char *name, double *value)
{
    static const char *const groups[] = {"Header", "Parameters"};

    *value = (double)NAN;
    for (int i = 0; i < 2 && !isfinite(*value); i++) {
        char path[80];

        snprintf(path, sizeof path, "%s@%s", groups[i], name);
        if (hg_h5_exists(file, path)) {
            HG_TRY(hg_h5_get_real(file, groups[i], name, value));
        }
    }
    return HG_OK;
}

double
hg_unit_rounded(double unit)
{
    double power = pow(10, round(log10(unit)));

    return fabs(unit / power - 1) < 2e-3 ? power : unit;
}

static hg_status
read_units(hg_h5 *file, hg_subfind_header *h)
{
    const double expected = 3.2407789e-18; /* 100 km/s/Mpc in 1/s */
    double length, mass, speed, hubble;

    HG_TRY(get_number(file, "UnitLength_in_cm", &length));
    HG_TRY(get_number(file, "UnitMass_in_g", &mass));
    HG_TRY(get_number(file, "UnitVelocity_in_cm_per_s", &speed));
    HG_TRY(get_number(file, "Hubble", &hubble));
    h->unit_length = hg_unit_rounded(length / 3.0856775814913673e24);
    h->unit_mass = hg_unit_rounded(mass / 1.988409870698051e33);
    h->with_h = !(hubble > 0 && speed > 0 && length > 0) ||
                fabs(hubble * speed / length / expected - 1) < 2e-3;
    return HG_OK;
}

hg_status
hg_subfind_header_read(hg_h5 *file, hg_subfind_header *h)
{
    *h = (hg_subfind_header){.frame = HG_FRAME_UNKNOWN};
    HG_TRY(get_count(file, "Ngroups_ThisFile", "Ngroups_ThisFile", &h->n_group));
    HG_TRY(get_count(file, "Nsubhalos_ThisFile", "Nsubgroups_ThisFile", &h->n_sub));
    HG_TRY(get_count(file, "Ngroups_Total", "Ngroups_Total", &h->total_group));
    HG_TRY(get_count(file, "Nsubhalos_Total", "Nsubgroups_Total", &h->total_sub));
    HG_TRY(get_count(file, "NumFiles", "NumFiles", &h->n_file));
    HG_TRY(get_number(file, "Time", &h->frame.scale_factor));
    HG_TRY(get_number(file, "Redshift", &h->frame.redshift));
    HG_TRY(get_number(file, "HubbleParam", &h->frame.h));
    HG_TRY(get_number(file, "Omega0", &h->frame.omega_m));
    HG_TRY(get_number(file, "OmegaLambda", &h->frame.omega_l));
    HG_TRY(get_number(file, "OmegaBaryon", &h->frame.omega_b));
    HG_TRY(get_number(file, "BoxSize", &h->box));
    HG_TRY(read_units(file, h));
    if (!(h->frame.scale_factor > 0) || !(h->frame.h > 0) || !(h->box > 0)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' lacks Time, HubbleParam or BoxSize in Header and Parameters, or "
                       "they are not positive",
                       hg_h5_path(file));
    }
    return HG_OK;
}

hg_status
hg_subfind_header_compare(const hg_subfind_header *a, const hg_subfind_header *b,
                          const char *first, const char *path)
{
    const struct {
        const char *name;
        double a, b;
    } item[] = {{"the number of groups", (double)a->total_group, (double)b->total_group},
                {"the number of subhaloes", (double)a->total_sub, (double)b->total_sub},
                {"NumFiles", (double)a->n_file, (double)b->n_file},
                {"Time", a->frame.scale_factor, b->frame.scale_factor},
                {"BoxSize", a->box, b->box},
                {"HubbleParam", a->frame.h, b->frame.h},
                {"Omega0", a->frame.omega_m, b->frame.omega_m}};

    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        if (fabs(item[i].a - item[i].b) > 1e-9 * fabs(item[i].a)) {
            return HG_FAIL(HG_E_INPUT,
                           "%s is %.12g in '%s', but %.12g in '%s': these files are not one "
                           "catalogue",
                           item[i].name, item[i].a, first, item[i].b, path);
        }
    }
    return HG_OK;
}
