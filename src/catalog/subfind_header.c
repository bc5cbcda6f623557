/* Codes differ in names and places: Gadget-4 says Nsubhalos and keeps the cosmology in the
 * group Parameters, Arepo says Nsubgroups and keeps it in Header. Both are looked for in both
 * places.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "catalog/gadget_units.h"
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

hg_status
hg_subfind_header_read(hg_h5 *file, hg_subfind_header *h)
{
    hg_gadget_units units;

    *h = (hg_subfind_header){.frame = HG_FRAME_UNKNOWN};
    HG_TRY(get_count(file, "Ngroups_ThisFile", "Ngroups_ThisFile", &h->n_group));
    HG_TRY(get_count(file, "Nsubhalos_ThisFile", "Nsubgroups_ThisFile", &h->n_sub));
    HG_TRY(get_count(file, "Ngroups_Total", "Ngroups_Total", &h->total_group));
    HG_TRY(get_count(file, "Nsubhalos_Total", "Nsubgroups_Total", &h->total_sub));
    HG_TRY(get_count(file, "NumFiles", "NumFiles", &h->n_file));
    HG_TRY(hg_gadget_number(file, "Time", &h->frame.scale_factor));
    HG_TRY(hg_gadget_number(file, "Redshift", &h->frame.redshift));
    HG_TRY(hg_gadget_number(file, "HubbleParam", &h->frame.h));
    HG_TRY(hg_gadget_number(file, "Omega0", &h->frame.omega_m));
    HG_TRY(hg_gadget_number(file, "OmegaLambda", &h->frame.omega_l));
    HG_TRY(hg_gadget_number(file, "OmegaBaryon", &h->frame.omega_b));
    HG_TRY(hg_gadget_number(file, "BoxSize", &h->box));
    HG_TRY(hg_gadget_units_read(file, &units));
    h->unit_length = units.length;
    h->unit_mass = units.mass;
    h->with_h = units.with_h;
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
    const hg_header_item item[] = {
        {"the number of groups", (double)a->total_group, (double)b->total_group},
        {"the number of subhaloes", (double)a->total_sub, (double)b->total_sub},
        {"NumFiles", (double)a->n_file, (double)b->n_file},
        {"Time", a->frame.scale_factor, b->frame.scale_factor},
        {"BoxSize", a->box, b->box},
        {"HubbleParam", a->frame.h, b->frame.h},
        {"Omega0", a->frame.omega_m, b->frame.omega_m}};

    return hg_header_agree(sizeof item / sizeof item[0], item, 1e-9, "catalogue", first, path);
}
