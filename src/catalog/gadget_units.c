/* Codes differ in places: Gadget-4 keeps cosmology and units in the group Parameters, Arepo in
 * Header, so both are looked at. Runs with H0 in their own units hold values free of h.
 */
#include "catalog/gadget_units.h"

#include <math.h>
#include <stdio.h>

#include "base/unit.h"

hg_status
hg_gadget_number(hg_h5 *file, const char *name, double *value)
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

hg_status
hg_gadget_units_read(hg_h5 *file, hg_gadget_units *units)
{
    const double expected = 3.2407789e-18; /* 100 km/s/Mpc in 1/s */
    double length, mass, speed, hubble;

    HG_TRY(hg_gadget_number(file, "UnitLength_in_cm", &length));
    HG_TRY(hg_gadget_number(file, "UnitMass_in_g", &mass));
    HG_TRY(hg_gadget_number(file, "UnitVelocity_in_cm_per_s", &speed));
    HG_TRY(hg_gadget_number(file, "Hubble", &hubble));
    units->length = hg_unit_rounded(length / 3.0856775814913673e24);
    units->mass = hg_unit_rounded(mass / 1.988409870698051e33);
    units->speed = hg_unit_rounded(speed / 1e5);
    units->with_h = !(hubble > 0 && speed > 0 && length > 0) ||
                    fabs(hubble * speed / length / expected - 1) < 2e-3;
    return HG_OK;
}
