/* Headers of HDF5 snapshots. Totals: SWIFT has TotalNumberOfParticles; else NumPart_Total,
 * which in Gadget-2 and Arepo holds the low 32 bits, with the others in NumPart_Total_HighWord,
 * and in Gadget-4 all 64. Velocities of Gadget and Arepo are v / sqrt(a); SWIFT states its
 * powers of a per dataset and has no h. MassTable is in code units even where arrays are free
 * of h. Springel, 2005 (MNRAS 364, 1105) and the manual of Gadget-2; Springel et al. 2021
 * (MNRAS 506, 2871); Schaller et al. 2024 (MNRAS 530, 2378).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "catalog/gadget.h"

/* Values of an attribute of Header per type; `n` is their number, 0 when there is none. */
static hg_status
get_list(hg_h5 *file, const char *name, int *n, double value[HG_GADGET_TYPES])
{
    char path[80];

    snprintf(path, sizeof path, "Header@%s", name);
    *n = 0;
    if (!hg_h5_exists(file, path)) {
        return HG_OK;
    }
    for (*n = HG_GADGET_TYPES; *n > 1; --*n) {
        if (hg_h5_get_reals(file, "Header", name, *n, value) == HG_OK) {
            return HG_OK;
        }
    }
    return hg_h5_get_reals(file, "Header", name, 1, value);
}

static hg_status
read_counts(hg_h5 *file, hg_gadget_header *h)
{
    double here[HG_GADGET_TYPES], total[HG_GADGET_TYPES], high[HG_GADGET_TYPES];
    int n_total = 0, n_high = 0;

    HG_TRY(get_list(file, "NumPart_ThisFile", &h->n_type, here));
    HG_TRY(get_list(file, "TotalNumberOfParticles", &n_total, total));
    if (n_total == 0) {
        HG_TRY(get_list(file, "NumPart_Total", &n_total, total));
        HG_TRY(get_list(file, "NumPart_Total_HighWord", &n_high, high));
    }
    if (h->n_type == 0 || n_total < h->n_type || (n_high > 0 && n_high < h->n_type)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' has %d types of particles in Header@NumPart_ThisFile, but %d in "
                       "NumPart_Total",
                       hg_h5_path(file), h->n_type, n_total);
    }
    for (int t = 0; t < h->n_type; t++) {
        if (n_high > 0 && total[t] < 0x1p32) {
            total[t] += high[t] * 0x1p32;
        }
        if (!(here[t] >= 0 && here[t] < 0x1p53 && total[t] >= here[t] && total[t] < 0x1p53)) {
            return HG_FAIL(
                HG_E_FORMAT,
                "'%s' says it has %.0f of %.0f particles of type %d, which cannot be",
                hg_h5_path(file), here[t], total[t], t);
        }
        h->here[t] = (int64_t)here[t];
        h->total[t] = (int64_t)total[t];
    }
    return HG_OK;
}

static hg_status
get_optional(hg_h5 *file, const char *object, const char *name, double *value)
{
    char path[160];

    snprintf(path, sizeof path, "%s@%s", object, name);
    return hg_h5_exists(file, path) ? hg_h5_get_real(file, object, name, value) : HG_OK;
}

/* SWIFT: units in the group Units, cosmology in the group Cosmology, nowhere an h. */
static hg_status
read_swift(hg_h5 *file, hg_gadget_header *h)
{
    double length = HG_NOT_KNOWN, mass = HG_NOT_KNOWN, time = HG_NOT_KNOWN, is_virtual = 0,
           box[3];

    HG_TRY(get_optional(file, "Header", "Virtual", &is_virtual));
    if (is_virtual > 0) {
        return HG_FAIL(
            HG_E_INPUT,
            "'%s' is a virtual file of SWIFT, in which a missing part reads as zeros "
            "without an error: give its parts, such as 'snap.{file}.hdf5'",
            hg_h5_path(file));
    }
    HG_TRY(hg_h5_get_real(file, "Units", "Unit length in cgs (U_L)", &length));
    HG_TRY(hg_h5_get_real(file, "Units", "Unit mass in cgs (U_M)", &mass));
    HG_TRY(hg_h5_get_real(file, "Units", "Unit time in cgs (U_t)", &time));
    h->units = (hg_gadget_units){.length = length / 3.0856775814913673e24,
                                 .mass = mass / 1.988409870698051e33,
                                 .speed = length / time / 1e5};
    HG_TRY(hg_h5_get_reals(file, "Header", "BoxSize", 1, box));
    h->box = box[0];
    if (hg_h5_get_reals(file, "Header", "BoxSize", 3, box) == HG_OK &&
        (box[1] != box[0] || box[2] != box[0])) {
        return HG_FAIL(HG_E_FORMAT, "'%s' has a box of %g x %g x %g, which is not a cube",
                       hg_h5_path(file), box[0], box[1], box[2]);
    }
    HG_TRY(get_optional(file, "Header", "Redshift", &h->frame.redshift));
    HG_TRY(get_optional(file, "Header", "Scale-factor", &h->frame.scale_factor));
    HG_TRY(get_optional(file, "Cosmology", "Scale-factor", &h->frame.scale_factor));
    HG_TRY(get_optional(file, "Cosmology", "h", &h->frame.h));
    HG_TRY(get_optional(file, "Cosmology", "Omega_m", &h->frame.omega_m));
    HG_TRY(get_optional(file, "Cosmology", "Omega_lambda", &h->frame.omega_l));
    return get_optional(file, "Cosmology", "Omega_b", &h->frame.omega_b);
}

static hg_status
read_gadget(hg_h5 *file, hg_gadget_header *h)
{
    HG_TRY(hg_gadget_units_read(file, &h->units));
    HG_TRY(hg_gadget_number(file, "Time", &h->frame.scale_factor));
    HG_TRY(hg_gadget_number(file, "Redshift", &h->frame.redshift));
    HG_TRY(hg_gadget_number(file, "HubbleParam", &h->frame.h));
    HG_TRY(hg_gadget_number(file, "Omega0", &h->frame.omega_m));
    HG_TRY(hg_gadget_number(file, "OmegaLambda", &h->frame.omega_l));
    HG_TRY(hg_gadget_number(file, "OmegaBaryon", &h->frame.omega_b));
    HG_TRY(hg_gadget_number(file, "BoxSize", &h->box));
    h->arrays_with_h = h->units.with_h;
    h->velocity_a = 0.5;
    return HG_OK;
}

/* What attributes of the arrays say about powers of a and h. */
static hg_status
read_scalings(hg_h5 *file, int type, bool is_swift, hg_gadget_header *h)
{
    char position[64], velocity[64];
    double power = HG_NOT_KNOWN, physical = 0;

    snprintf(position, sizeof position, "PartType%d/Coordinates", type);
    snprintf(velocity, sizeof velocity, "PartType%d/Velocities", type);
    if (!is_swift) {
        HG_TRY(get_optional(file, position, "h_scaling", &power));
        h->arrays_with_h = h->arrays_with_h && power != 0;
        return HG_OK;
    }
    HG_TRY(get_optional(file, position, "Value stored as physical", &physical));
    h->position_a = physical > 0 ? -1 : 0;
    physical = power = 0;
    HG_TRY(get_optional(file, velocity, "Value stored as physical", &physical));
    HG_TRY(get_optional(file, velocity, "a-scale exponent", &power));
    h->velocity_a = physical > 0 ? 0 : power;
    return HG_OK;
}

/* The arrays of one type: as long as the header says, positions of floating point. */
static hg_status
read_type(hg_h5 *file, int type, hg_gadget_header *h)
{
    static const char *const names[] = {"Coordinates", "Velocities", "ParticleIDs", "Masses",
                                        "DynamicalMasses"};
    char path[64];

    snprintf(path, sizeof path, "PartType%d", type);
    if (!hg_h5_exists(file, path)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' says it has %" PRId64 " particles of type %d, but there is no "
                       "group '%s'",
                       hg_h5_path(file), h->here[type], type, path);
    }
    for (int k = 0; k < 5; k++) {
        hg_h5_info info;

        snprintf(path, sizeof path, "PartType%d/%s", type, names[k]);
        if (!hg_h5_exists(file, path)) {
            if (k == 0) {
                return HG_OK; /* tracers have no places */
            }
            continue;
        }
        HG_TRY(hg_h5_describe(file, path, &info));
        if (!info.numeric || info.dims[0] != h->here[type] || info.row != (k < 2 ? 3 : 1)) {
            return HG_FAIL(HG_E_FORMAT,
                           "dataset '%s' in '%s' has %" PRId64 " rows of %" PRId64
                           " values, but the header promises %" PRId64 " of %d numbers",
                           path, hg_h5_path(file), info.dims[0], info.row, h->here[type],
                           k < 2 ? 3 : 1);
        }
        if (k == 0 && info.type != HG_F64 && info.type != HG_F32) {
            return HG_FAIL(HG_E_INPUT,
                           "dataset '%s' in '%s' holds integer coordinates, which are not "
                           "supported: write positions as floating-point numbers",
                           path, hg_h5_path(file));
        }
        if (k == 2) {
            h->id = info.type;
        }
        h->is_placed[type] = true;
        h->has[k < 4 ? k : HG_GADGET_MASS] = true;
        if (k >= HG_GADGET_MASS) {
            HG_TRY(hg_h5_read(file, path, 0, 1, HG_F64, &h->sample_mass[type]));
        }
    }
    return HG_OK;
}

static hg_status
read_file(hg_h5 *file, hg_gadget_header *h)
{
    const bool is_swift = hg_h5_exists(file, "Units@Unit length in cgs (U_L)");
    bool is_known = false;
    int n_mass = 0;

    HG_TRY(read_counts(file, h));
    HG_TRY(get_list(file, "MassTable", &n_mass, h->mass));
    HG_TRY(is_swift ? read_swift(file, h) : read_gadget(file, h));
    for (int t = 0; t < h->n_type; t++) {
        h->mass[t] = t < n_mass ? h->mass[t] : 0;
        if (h->here[t] > 0) {
            HG_TRY(read_type(file, t, h));
        }
        if (h->is_placed[t] && !is_known) {
            HG_TRY(read_scalings(file, t, is_swift, h));
            is_known = true;
        }
    }
    return HG_OK;
}

hg_status
hg_gadget_hdf5_header(const char *path, hg_gadget_header *h)
{
    hg_h5 *file = NULL;
    hg_status status, closed;

    *h = (hg_gadget_header){.frame = HG_FRAME_UNKNOWN, .id = HG_U64};
    HG_TRY(hg_h5_open(path, &file));
    status = read_file(file, h);
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}
