/* Catalogues of SOAP (FLAMINGO, COLIBRE and others run with SWIFT). Each dataset carries the
 * exponents of the units of mass, length and time, of a, and whether it is stored as a proper
 * value; without that attribute (early FLAMINGO) it is comoving. There is no h.
 *
 * Two things are not what they seem. Properties may have been computed for large objects only:
 * the others hold 0, and Mask Datasets and Mask Threshold say which; these become NaN here. And
 * spherical overdensities exist for centrals only: satellites get those of their host, as in
 * the other formats, through HostHaloIndex. Number of rows: the length of the datasets, as the
 * total in the header is a signed 32-bit integer that overflows.
 *
 * Source: SWIFTSIM/SOAP (core/combine_chunks.py, core/category_filter.py, property_table.py).
 */
#include "catalog/soap.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/unit.h"
#include "catalog/check.h"
#include "catalog/fields.h"
#include "catalog/layout.h"
#include "store/publish.h"

static const double mpc_cm = 3.0856775814913673e24, msun_g = 1.988409870698051e33,
                    year_s = 3.15576e7;

/* Canonical names beside those of the layout, which follows SOAP. */
static const hg_alias canonical[] = {
    {"id", "InputHalos_HBTplus_TrackId", -1},
    {"id", "InputHalos_VR_ID", -1},
    {"id", "InputHalos_HaloCatalogueIndex", -1},
    {"group", "InputHalos_HBTplus_HostFOFId", -1},
    {"r_vmax", "BoundSubhalo_MaximumCircularVelocityRadiusUnsoftened", -1},
    {"vmax", "BoundSubhalo_MaximumCircularVelocityUnsoftened", -1},
    {"spin_bullock", "BoundSubhalo_SpinParameter", -1},
    {"m_peak", "InputHalos_HBTplus_LastMaxMass", -1},
    {"v_peak", "InputHalos_HBTplus_LastMaxVmaxPhysical", -1},
    {"stellar_mass", "BoundSubhalo_StellarMass", -1},
    {"gas_mass", "BoundSubhalo_GasMass", -1},
    {"bh_mass", "BoundSubhalo_MostMassiveBlackHoleMass", -1},
    {"sfr", "BoundSubhalo_StarFormationRate", -1},
    {"r_star", "BoundSubhalo_HalfMassRadiusStars", -1},
    {"z_star", "BoundSubhalo_StellarMassFractionInMetals", -1}};

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    char text[64] = "";
    bool ours;

    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    ours = hg_h5_exists(file, "Header@OutputType") &&
           hg_h5_get_string(file, "Header", "OutputType", sizeof text, text) == HG_OK &&
           strcmp(text, "SOAP") == 0;
    return hg_h5_close(file) == HG_OK && ours &&
           hg_text_add(reason, "Header@OutputType is 'SOAP'\n") == HG_OK;
}

static hg_status
get_optional(hg_h5 *file, const char *object, const char *name, double *value)
{
    char path[192];

    snprintf(path, sizeof path, "%s@%s", object, name);
    return hg_h5_exists(file, path) ? hg_h5_get_reals(file, object, name, 1, value) : HG_OK;
}

hg_status
hg_soap_frame(hg_h5 *file, hg_frame *frame)
{
    double dmo = frame->dark_matter_only, length = mpc_cm, box[3];
    const struct {
        const char *object, *name;
        double *value;
    } item[] = {{"Header", "Redshift", &frame->redshift},
                {"Header", "Scale-factor", &frame->scale_factor},
                {"Header", "ParticleMass", &frame->particle_mass},
                {"Header", "DarkMatterOnly", &dmo},
                {"Units", "Unit length in cgs (U_L)", &length},
                {"Cosmology", "h", &frame->h},
                {"Cosmology", "Omega_m", &frame->omega_m},
                {"Cosmology", "Omega_lambda", &frame->omega_l},
                {"Cosmology", "Omega_b", &frame->omega_b},
                {"Cosmology", "sigma_8", &frame->sigma_8},
                {"Cosmology", "n_s", &frame->n_s}};

    HG_TRY(hg_h5_get_reals(file, "Header", "BoxSize", 3, box));
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        HG_TRY(get_optional(file, item[i].object, item[i].name, item[i].value));
    }
    if (box[0] != box[1] || box[0] != box[2]) {
        return HG_FAIL(HG_E_FORMAT, "the box of '%s' is no cube: %g x %g x %g",
                       hg_h5_path(file), box[0], box[1], box[2]);
    }
    frame->box = box[0] * hg_unit_rounded(length / mpc_cm);
    frame->dark_matter_only = dmo > 0;
    return HG_OK;
}

/* What rank 0 knows while it plans. */
typedef struct planner {
    hg_soap_plan *own;
    double mass, length, time; /* units in CGS */
    double a;
} planner;

/* The unit of a product of powers, and the factor from the units of the file. */
static const char *
name_unit(const planner *p, double mass, double length, double time, double *factor)
{
    const double stored = pow(p->mass, mass) * pow(p->length, length) * pow(p->time, time);
    const struct {
        double mass, length, time;
        const char *unit;
        double cgs;
    } kinds[] = {{0, 1, 0, "Mpc", mpc_cm},
                 {1, 0, 0, "Msun", msun_g},
                 {0, 1, -1, "km/s", 1e5},
                 {0, 2, -1, "Mpc km/s", mpc_cm * 1e5},
                 {1, 2, -2, "Msun km/s^2", msun_g * 1e10},
                 {1, 0, -1, "Msun/yr", msun_g / year_s}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].mass == mass && kinds[i].length == length && kinds[i].time == time) {
            *factor = hg_unit_rounded(stored / kinds[i].cgs);
            return kinds[i].unit;
        }
    }
    return NULL;
}

static hg_status
set_unit(const planner *p, hg_h5 *file, hg_source *source)
{
    static const char *const names[] = {
        "U_M exponent", "U_L exponent",     "U_t exponent",     "U_I exponent",
        "U_T exponent", "a-scale exponent", "h-scale exponent", "Value stored as physical"};
    double value[8] = {0}, factor = 1, power;
    const char *unit;

    for (int i = 0; i < 8; i++) {
        HG_TRY(get_optional(file, source->path[0], names[i], &value[i]));
    }
    unit = value[3] == 0 && value[4] == 0 && value[6] == 0
               ? name_unit(p, value[0], value[1], value[2], &factor)
               : NULL;
    if (unit != NULL) {
        power = (value[7] > 0 ? 0 : value[5]) - (strcmp(unit, "Mpc") == 0 ? 1 : 0);
        snprintf(source->column.unit, HG_UNIT_MAX, "%s", unit);
        source->factor = power == 0 ? factor : factor * pow(p->a, power);
    }
    return HG_OK;
}

/* Names of the datasets of a mask; those that runs of dark matter lack count as zero. */
static hg_status
read_counts(hg_h5 *file, const char *path, hg_soap_mask *m)
{
    hg_text lines = {0};
    hg_status status;

    HG_TRY_OR(done, status, hg_h5_get_lines(file, path, "Mask Datasets", &lines));
    for (const char *name = hg_text_string(&lines); *name != '\0';) {
        const size_t n = strcspn(name, "\n");

        if (m->n == HG_SOAP_COUNTS || n >= sizeof m->count[0]) {
            status =
                HG_FAIL(HG_E_FORMAT,
                        "Mask Datasets of '%s' in '%s' has more than %d names, or one that "
                        "is too long",
                        path, hg_h5_path(file), HG_SOAP_COUNTS);
            goto done;
        }
        memcpy(m->count[m->n], name, n);
        if (!hg_h5_exists(file, m->count[m->n])) {
            m->count[m->n][0] = '\0';
        }
        m->n++;
        name += n + (name[n] == '\n');
    }
done:
    hg_text_clear(&lines);
    return status;
}

static bool
is_same_mask(const hg_soap_mask *a, const hg_soap_mask *b)
{
    bool same = a->n == b->n && a->threshold == b->threshold;

    for (int i = 0; i < a->n && same; i++) {
        same = strcmp(a->count[i], b->count[i]) == 0;
    }
    return same;
}

static hg_status
set_mask(hg_soap_plan *own, hg_h5 *file, hg_source *source)
{
    double is_masked = 0;
    hg_soap_mask m;

    HG_TRY(get_optional(file, source->path[0], "Masked", &is_masked));
    if (!(is_masked > 0)) {
        return HG_OK;
    }
    memset(&m, 0, sizeof m);
    HG_TRY(hg_h5_get_integer(file, source->path[0], "Mask Threshold", &m.threshold));
    HG_TRY(read_counts(file, source->path[0], &m));
    for (int i = 0; i < own->n_mask; i++) {
        if (is_same_mask(&own->mask[i], &m)) {
            source->kind = i + 1;
            return HG_OK;
        }
    }
    if (own->n_mask == HG_SOAP_MASKS) {
        return HG_FAIL(HG_E_FORMAT, "'%s' has more than %d kinds of masks", hg_h5_path(file),
                       HG_SOAP_MASKS);
    }
    own->mask[own->n_mask++] = m;
    source->kind = own->n_mask;
    return HG_OK;
}

static hg_status
add_field(const hg_fields *fields, hg_source *source)
{
    const planner *p = fields->context;

    HG_TRY(set_unit(p, fields->file, source));
    return set_mask(p->own, fields->file, source);
}

static hg_status
name_columns(hg_plan *plan)
{
    static const char *const hosted[] = {"m200c", "r200c", "m500c", "r500c",
                                         "m200m", "r200m", "mvir",  "rvir"};

    for (size_t i = 0; hg_layout_at(i) != NULL; i++) {
        hg_alias alias = {.name = hg_layout_at(i)->name, .element = -1};
        char field[HG_NAME_MAX];

        if (strcmp(alias.name, "row") != 0) { /* it is the row of the finder's catalogue */
            snprintf(field, sizeof field, "%s", hg_layout_at(i)->path);
            for (char *c = field; *c != '\0'; c++) {
                *c = *c == '/' ? '_' : *c;
            }
            alias.field = field;
            HG_TRY(hg_fields_name(plan, 1, &alias));
        }
    }
    HG_TRY(hg_fields_name(plan, sizeof canonical / sizeof canonical[0], canonical));
    if (hg_plan_find(plan, "SOAP_HostHaloIndex") == NULL ||
        hg_plan_find(plan, "central") == NULL || hg_plan_find(plan, "id") == NULL) {
        return HG_OK;
    }
    for (int s = 0; s < plan->n_source; s++) {
        for (size_t k = 0; k < sizeof hosted / sizeof hosted[0]; k++) {
            if (strcmp(plan->source[s].column.name, hosted[k]) == 0) {
                plan->source[s].kind |= HG_SOAP_HOSTED;
            }
        }
    }
    if (hg_plan_find(plan, "host_id") == NULL) {
        HG_TRY(hg_fields_make(plan, "host_id", HG_SOAP_HOST_ID));
    }
    return hg_plan_find(plan, "host_row") == NULL
               ? hg_fields_make(plan, "host_row", HG_SOAP_HOST_ROW)
               : HG_OK;
}

static hg_status
plan_columns(hg_h5 *file, hg_soap_plan *own, hg_plan *plan)
{
    static const char *const roots[] = {
        "InputHalos",      "BoundSubhalo",     "SO", "SOAP", "ExclusiveSphere",
        "InclusiveSphere", "ProjectedAperture"};
    planner p = {.own = own, .a = plan->frame.scale_factor};

    HG_TRY(hg_h5_get_reals(file, "Units", "Unit mass in cgs (U_M)", 1, &p.mass));
    HG_TRY(hg_h5_get_reals(file, "Units", "Unit length in cgs (U_L)", 1, &p.length));
    HG_TRY(hg_h5_get_reals(file, "Units", "Unit time in cgs (U_t)", 1, &p.time));
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        char prefix[64];
        hg_fields fields = {.plan = plan,
                            .file = file,
                            .group = roots[i],
                            .prefix = prefix,
                            .rows = plan->n_row,
                            .is_deep = true,
                            .is_strict = true,
                            .add = add_field,
                            .context = &p};

        snprintf(prefix, sizeof prefix, "%s_", roots[i]);
        if (hg_h5_exists(file, roots[i])) {
            HG_TRY(hg_fields_scan(&fields));
        }
    }
    plan->allow_nan = own->n_mask > 0;
    plan->frame.dark_matter_only =
        hg_h5_exists(file, "BoundSubhalo") && !hg_h5_exists(file, "BoundSubhalo/StellarMass");
    return name_columns(plan);
}

static hg_status
need_source(const char *path, bool is_group, void *context)
{
    const char *master = context;

    (void)is_group;
    return hg_file_exists(path)
               ? HG_OK
               : HG_FAIL(HG_E_NOTFOUND,
                         "'%s', from which the virtual file '%s' takes rows, is missing", path,
                         master);
}

/* A part is not the catalogue. */
static hg_status
refuse_part(hg_h5 *file, const char *path)
{
    double n_file = 1, is_virtual = 0;
    const char *dot = strrchr(path, '.');
    const char *number = dot;

    HG_TRY(get_optional(file, "Header", "NumFilesPerSnapshot", &n_file));
    HG_TRY(get_optional(file, "Header", "Virtual", &is_virtual));
    if (!(n_file > 1) || is_virtual > 0) {
        return HG_OK;
    }
    while (number != NULL && number > path && number[-1] >= '0' && number[-1] <= '9') {
        number--;
    }
    if (number == NULL || number == dot || number == path || number[-1] != '.') {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' is one of %g parts: name the virtual file of all parts", path,
                       n_file);
    }
    return HG_FAIL(HG_E_INPUT, "'%s' is one of %g parts: name the virtual file '%.*s%s'", path,
                   n_file, (int)(number - 1 - path), path, dot);
}

static hg_status
plan_file(hg_h5 *file, const char *path, hg_plan *plan)
{
    static const char centre[] = "InputHalos/HaloCentre";
    hg_plan_file *added = NULL;
    hg_soap_plan *own = NULL;
    hg_h5_info info;
    int64_t total = 0;

    HG_TRY(hg_mem_zeros(&own, 1, sizeof *own));
    plan->extra = own;
    plan->n_extra = sizeof *own;
    HG_TRY(refuse_part(file, path));
    HG_TRY(hg_h5_describe(file, centre, &info));
    HG_TRY(hg_h5_list_sources(file, centre, need_source, (void *)(uintptr_t)path));
    HG_TRY(hg_h5_get_integer(file, "Header", "NumSubhalos_Total", &total));
    if ((uint32_t)total != (uint32_t)info.dims[0]) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' has %" PRId64 " rows, but its header promises %" PRId64
                       ": it is incomplete",
                       path, info.dims[0], total);
    }
    HG_TRY(hg_plan_add_file(plan, path, info.dims[0], &added));
    HG_TRY(hg_soap_frame(file, &plan->frame));
    if (!(plan->frame.scale_factor > 0)) {
        return HG_FAIL(HG_E_FORMAT, "'%s' lacks Scale-factor in Header", path);
    }
    return plan_columns(file, own, plan);
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    hg_h5 *file = NULL;
    hg_status status, closed;

    (void)options;
    if (files->n != 1) {
        return HG_FAIL(HG_E_INPUT,
                       "%d files of SOAP are named, beginning with '%s': a catalogue is one "
                       "file, or the virtual file of its parts",
                       files->n, files->path[0]);
    }
    HG_TRY(hg_h5_open(files->path[0], &file));
    status = plan_file(file, files->path[0], plan);
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

const hg_format hg_format_soap = {
    .name = "soap", .probe = probe, .plan = plan_files, .read = hg_soap_read};
