/* Group catalogues of EAGLE, C-EAGLE, Hydrangea and FLARES. Every dataset says how to get
 * proper CGS units: value * a^aexp-scale-exponent * h^h-scale-exponent * CGSConversionFactor.
 * That is used, and no table of fields. What kind of quantity a dataset is follows from its
 * factor, which is a product of those of the group Units; a field whose factor fits none keeps
 * its stored values and has no unit. Positions and radii become comoving, energies and angular
 * momenta stay proper.
 *
 * Groups (FOF) and subhaloes are linked as in Subfind and may stand in different files, so rows
 * are read by that reader; but group numbers count from 1. Sources: the description of the
 * public particle data (The EAGLE team 2017, arXiv:1706.09899), and readers of these files.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/unit.h"
#include "catalog/fields.h"
#include "catalog/subfind.h"

/* Kinds of sources beside those of Subfind: made of two others. */
enum { POTENTIAL = 64, CONTAMINATION };

static const double mpc_cm = 3.0856775814913673e24, msun_g = 1.988409870698051e33,
                    year_s = 3.15576e7;

/* CGS value of the units of the file. */
typedef struct units {
    double length, mass, speed;
    double a, h;
} units;

static const hg_alias canonical[] = {{"position", "CentreOfPotential", -1},
                                     {"velocity", "Velocity", -1},
                                     {"m_bound", "Mass", -1},
                                     {"m_dm", "MassType", 1},
                                     {"vmax", "Vmax", -1},
                                     {"r_vmax", "VmaxRadius", -1},
                                     {"n_part", "SubLength", -1},
                                     {"group", "GroupNumber", -1},
                                     {"e_kin", "KineticEnergy", -1},
                                     {"stellar_mass", "MassType", 4},
                                     {"gas_mass", "MassType", 0},
                                     {"bh_mass", "BlackHoleMass", -1},
                                     {"bh_mass", "MassType", 5},
                                     {"sfr", "StarFormationRate", -1},
                                     {"r_star", "HalfMassRad", 4},
                                     {"z_star", "Stars_Metallicity", -1},
                                     {"sigma_star", "StellarVelDisp", -1},
                                     {"m200c", "FOF_Group_M_Crit200", -1},
                                     {"r200c", "FOF_Group_R_Crit200", -1},
                                     {"m500c", "FOF_Group_M_Crit500", -1},
                                     {"r500c", "FOF_Group_R_Crit500", -1},
                                     {"m200m", "FOF_Group_M_Mean200", -1},
                                     {"r200m", "FOF_Group_R_Mean200", -1},
                                     {"mvir", "FOF_Group_M_TopHat200", -1},
                                     {"rvir", "FOF_Group_R_TopHat200", -1}};

/* In runs without baryons the dark matter is all there is. */
static const hg_alias dark[] = {{"r_half", "HalfMassRad", 1}};

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    bool ours;

    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    ours = hg_h5_exists(file, "Header@ExpansionFactor") &&
           hg_h5_exists(file, "Header@TotNsubgroups") &&
           hg_h5_exists(file, "Units@UnitLength_in_cm");
    return hg_h5_close(file) == HG_OK && ours &&
           hg_text_add(reason, "Header has ExpansionFactor and TotNsubgroups\n") == HG_OK;
}

static hg_status
read_units(hg_h5 *file, units *u)
{
    HG_TRY(hg_h5_get_real(file, "Units", "UnitLength_in_cm", &u->length));
    HG_TRY(hg_h5_get_real(file, "Units", "UnitMass_in_g", &u->mass));
    HG_TRY(hg_h5_get_real(file, "Units", "UnitVelocity_in_cm_per_s", &u->speed));
    HG_TRY(hg_h5_get_real(file, "Header", "ExpansionFactor", &u->a));
    return hg_h5_get_real(file, "Header", "HubbleParam", &u->h);
}

static hg_status
read_header(hg_h5 *file, hg_subfind_header *h)
{
    const struct {
        const char *name;
        double *value;
    } optional[] = {{"Redshift", &h->frame.redshift},
                    {"Omega0", &h->frame.omega_m},
                    {"OmegaLambda", &h->frame.omega_l},
                    {"OmegaBaryon", &h->frame.omega_b}};
    units u;

    *h = (hg_subfind_header){.frame = HG_FRAME_UNKNOWN, .with_h = true};
    HG_TRY(hg_h5_get_integer(file, "Header", "Ngroups", &h->n_group));
    HG_TRY(hg_h5_get_integer(file, "Header", "Nsubgroups", &h->n_sub));
    HG_TRY(hg_h5_get_integer(file, "Header", "TotNgroups", &h->total_group));
    HG_TRY(hg_h5_get_integer(file, "Header", "TotNsubgroups", &h->total_sub));
    HG_TRY(hg_h5_get_integer(file, "Header", "NumFilesPerSnapshot", &h->n_file));
    HG_TRY(hg_h5_get_real(file, "Header", "BoxSize", &h->box));
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        char path[64];

        snprintf(path, sizeof path, "Header@%s", optional[i].name);
        if (hg_h5_exists(file, path)) {
            HG_TRY(hg_h5_get_real(file, "Header", optional[i].name, optional[i].value));
        }
    }
    HG_TRY(read_units(file, &u));
    if (h->n_group < 0 || h->n_sub < 0 || !(u.a > 0) || !(u.h > 0) || !(h->box > 0) ||
        !(u.length > 0)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s': a count of Header is negative, or ExpansionFactor, HubbleParam, "
                       "BoxSize or UnitLength_in_cm is not positive",
                       hg_h5_path(file));
    }
    h->frame.scale_factor = u.a;
    h->frame.h = u.h;
    h->frame.box = h->box * hg_unit_rounded(u.length / mpc_cm) / u.h;
    return HG_OK;
}

/* What a factor to CGS means, and the factor to the canonical unit of proper quantities. */
static const char *
name_unit(const units *u, double cgs, double *factor)
{
    const struct {
        const char *unit;
        double stored, canonical;
    } kinds[] = {{"Mpc", u->length, mpc_cm},
                 {"Msun", u->mass, msun_g},
                 {"km/s", u->speed, 1e5},
                 {"Msun km/s^2", u->mass * u->speed * u->speed, msun_g * 1e10},
                 {"Mpc km/s", u->length * u->speed, mpc_cm * 1e5},
                 {"Msun/yr", u->mass * u->speed / u->length, msun_g / year_s},
                 /* star formation rates are stored in Msun/yr */
                 {"Msun/yr", msun_g / year_s, msun_g / year_s}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (fabs(cgs / kinds[i].stored - 1) < 5e-3) {
            *factor = hg_unit_rounded(cgs / kinds[i].canonical);
            return kinds[i].unit;
        }
    }
    return NULL;
}

static hg_status
set_unit(const hg_fields *fields, hg_source *source)
{
    static const char *const names[] = {"CGSConversionFactor", "aexp-scale-exponent",
                                        "h-scale-exponent"};
    const units *u = fields->context;
    const bool is_whole = source->column.type == HG_COLUMN_I64;
    double value[3], factor = 1;
    const char *unit;
    char path[192];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s@%s", source->path[0], names[i]);
        if (is_whole || !hg_h5_exists(fields->file, path)) {
            return HG_OK;
        }
        HG_TRY(hg_h5_get_real(fields->file, source->path[0], names[i], &value[i]));
    }
    unit = name_unit(u, value[0], &factor);
    if (unit != NULL) {
        const double comoving = strcmp(unit, "Mpc") == 0 ? 1 / u->a : 1;

        snprintf(source->column.unit, HG_UNIT_MAX, "%s", unit);
        source->factor = factor * comoving * pow(u->a, value[1]) * pow(u->h, value[2]);
    }
    return HG_OK;
}

static hg_status
scan_file(hg_h5 *file, const hg_plan_file *f, units *u, bool found[2], hg_plan *plan)
{
    static const char *const groups[] = {"Subhalo", "FOF"}, *const prefixes[] = {"", "FOF_"};
    const int64_t rows[] = {f->rows, f->extra[HG_SUBFIND_GROUPS]};

    for (int i = 0; i < 2; i++) {
        hg_fields fields = {.plan = plan,
                            .file = file,
                            .group = groups[i],
                            .prefix = prefixes[i],
                            .rows = rows[i],
                            .kind = i == 0 ? HG_SUBFIND_SUBHALO : HG_SUBFIND_GROUP,
                            .is_deep = true,
                            .is_strict = true,
                            .is_known = found[i],
                            .add = set_unit,
                            .context = u};

        if (rows[i] > 0) {
            HG_TRY(hg_fields_scan(&fields));
            found[i] = true;
        }
    }
    return HG_OK;
}

static hg_status
plan_fields(hg_plan *plan)
{
    bool found[2] = {false, false};

    for (int i = 0; i < plan->n_file; i++) {
        const hg_plan_file *f = &plan->file[i];
        hg_h5 *file = NULL;
        hg_status status, closed;
        units u;

        if (f->rows == 0 && f->extra[HG_SUBFIND_GROUPS] == 0) {
            continue;
        }
        HG_TRY(hg_h5_open(hg_plan_path(plan, i), &file));
        status = read_units(file, &u);
        if (status == HG_OK) {
            status = scan_file(file, f, &u, found, plan);
        }
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    return HG_OK;
}

/* A column made of two others, which stand in path[0] and path[1]. */
static hg_status
make_pair(hg_plan *plan, const char *name, int kind, const char *first, const char *second)
{
    const hg_source *a = hg_plan_find(plan, first), *b = hg_plan_find(plan, second);
    hg_source *source = NULL;

    if (a == NULL || b == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_fields_make(plan, name, kind));
    source = &plan->source[plan->n_source - 1];
    snprintf(source->path[0], sizeof source->path[0], "%s", first);
    snprintf(source->path[1], sizeof source->path[1], "%s", second);
    return HG_OK;
}

static hg_status
plan_sources(hg_plan *plan)
{
    hg_subfind_plan *own = plan->extra;
    const hg_source *lord;

    HG_TRY(plan_fields(plan));
    plan->frame.dark_matter_only =
        plan->n_row > 0 && hg_plan_find(plan, "StarFormationRate") == NULL;
    HG_TRY(hg_fields_name(plan, sizeof canonical / sizeof canonical[0], canonical));
    if (plan->frame.dark_matter_only) {
        HG_TRY(hg_fields_name(plan, sizeof dark / sizeof dark[0], dark));
    }
    HG_TRY(make_pair(plan, "e_pot", POTENTIAL, "TotalEnergy", "KineticEnergy"));
    HG_TRY(
        make_pair(plan, "f_contam", CONTAMINATION, "FOF_ContaminationMass", "FOF_GroupMass"));
    lord = hg_plan_find(plan, "FOF_FirstSubhaloID");
    strcpy(own->link, "Subhalo/GroupNumber");
    strcpy(own->lord, "FOF/FirstSubhaloID");
    strcpy(own->nsubs, "FOF/NumOfSubhalos");
    own->base = 1;
    own->first_sub = lord != NULL ? lord->disk : HG_I64;
    if (hg_plan_find(plan, "SubGroupNumber") != NULL) {
        strcpy(own->rank, "Subhalo/SubGroupNumber");
    }
    HG_TRY(hg_fields_make(plan, "id", HG_SUBFIND_ID));
    if (lord != NULL && hg_plan_find(plan, "GroupNumber") != NULL) {
        HG_TRY(hg_fields_make(plan, "central", HG_SUBFIND_CENTRAL));
        HG_TRY(hg_fields_make(plan, "host_id", HG_SUBFIND_HOST));
    }
    return HG_OK;
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    hg_subfind_plan *own = NULL;
    hg_subfind_header first;
    bool complete = false;

    HG_TRY(hg_mem_zeros(&own, 1, sizeof *own));
    plan->extra = own;
    plan->n_extra = sizeof *own;
    HG_TRY(hg_subfind_set(options, files, read_header, plan, &first, &complete));
    HG_TRY(plan_sources(plan));
    return hg_subfind_number(files, complete, plan);
}

/* The two columns that a pair is made of, under names of their own. */
static hg_status
find_operands(const hg_plan *plan, const hg_source *pair, int number, hg_source operand[2])
{
    for (int k = 0; k < 2; k++) {
        const hg_source *found = hg_plan_find(plan, pair->path[k]);

        if (found == NULL) {
            return HG_FAIL(HG_E_NOTFOUND, "'%s' has no column '%s'", hg_plan_path(plan, 0),
                           pair->path[k]);
        }
        operand[k] = *found;
        operand[k].column.type = HG_COLUMN_F64;
        snprintf(operand[k].column.name, HG_NAME_MAX, "#%d.%d", number, k);
    }
    return HG_OK;
}

static hg_status
combine(const hg_source *pair, const hg_source operand[2], hg_table *table)
{
    const double *a, *b;
    float *value = NULL;

    HG_TRY(hg_table_add(table, pair->column.name, pair->column.unit, HG_COLUMN_F32, 1, &value));
    a = hg_table_f64(table, operand[0].column.name);
    b = hg_table_f64(table, operand[1].column.name);
    for (int64_t i = 0; i < table->n; i++) {
        value[i] = (float)(pair->kind == POTENTIAL ? a[i] - b[i] : a[i] > 0 ? a[i] / b[i] : 0);
    }
    hg_table_drop(table, operand[0].column.name);
    hg_table_drop(table, operand[1].column.name);
    return HG_OK;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    const hg_source **stored = NULL;
    hg_source *operand = NULL;
    int n_stored = 0;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&stored, 2 * (size_t)n_source + 1, sizeof *stored));
    HG_TRY_OR(done, status, hg_mem_array(&operand, 2 * (size_t)n_source + 1, sizeof *operand));
    for (int s = 0; s < n_source; s++) {
        if (source[s]->kind < POTENTIAL) {
            stored[n_stored++] = source[s];
            continue;
        }
        HG_TRY_OR(done, status, find_operands(plan, source[s], s, &operand[2 * s]));
        stored[n_stored++] = &operand[2 * s];
        stored[n_stored++] = &operand[2 * s + 1];
    }
    HG_TRY_OR(done, status, hg_subfind_read(plan, first, n, n_stored, stored, table));
    for (int s = 0; s < n_source && status == HG_OK; s++) {
        if (source[s]->kind >= POTENTIAL) {
            status = combine(source[s], &operand[2 * s], table);
        }
    }
done:
    hg_mem_free(stored);
    hg_mem_free(operand);
    return status;
}

const hg_format hg_format_eagle = {
    .name = "eagle", .is_set = true, .probe = probe, .plan = plan_files, .read = read_rows};
