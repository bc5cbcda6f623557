/* Catalogues of VELOCIraptor: flat datasets in files *.properties or *.properties.K. Attributes
 * are numbers or, in some versions, strings. Each dataset says by powers of mass, length,
 * velocity and time what it is; older files do not, there the canonical columns are known by
 * name and the others keep what is stored.
 *
 * Files in physical units (Comoving_or_Physical = 0, as all runs with SWIFT) hold proper values
 * without h. Of comoving files readers disagree on whether values are to be divided by h or
 * multiplied by it, so the box has to be given: the power of h that turns Period into it is
 * taken for lengths and masses, and where none does, the file is refused.
 *
 * Sources: pelahi/VELOCIraptor-STF (doc, src/io.cxx), SWIFTSIM/SOAP (read_vr.py).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/fields.h"
#include "catalog/layout.h"

enum { STORED, CENTRAL };

static const hg_alias canonical[] = {{"id", "ID", -1},
                                     {"host_id", "hostHaloID", -1},
                                     {"n_part", "npart", -1},
                                     {"m_bound", "Mass_tot", -1},
                                     {"vmax", "Vmax", -1},
                                     {"r_vmax", "Rmax", -1},
                                     {"r_half", "R_HalfMass", -1},
                                     {"sigma_v", "sigV", -1},
                                     {"spin_bullock", "lambda_B", -1},
                                     {"b_to_a", "q", -1},
                                     {"c_to_a", "s", -1},
                                     {"m200c", "Mass_200crit", -1},
                                     {"r200c", "R_200crit", -1},
                                     {"m200m", "Mass_200mean", -1},
                                     {"r200m", "R_200mean", -1},
                                     {"m500c", "SO_Mass_500_rhocrit", -1},
                                     {"r500c", "SO_R_500_rhocrit", -1},
                                     {"mvir", "Mass_BN98", -1},
                                     {"rvir", "R_BN98", -1},
                                     {"stellar_mass", "M_star", -1},
                                     {"gas_mass", "M_gas", -1},
                                     {"bh_mass", "M_bh", -1},
                                     {"sfr", "SFR_gas", -1},
                                     {"r_star", "R_HalfMass_star", -1}};

static const struct {
    const char *name, *field[3];
} vectors[] = {{"position", {"Xcmbp", "Ycmbp", "Zcmbp"}},
               {"position", {"Xc", "Yc", "Zc"}},
               {"velocity", {"VXc", "VYc", "VZc"}}};

/* What one file says; lengths in Mpc, masses in Msun, speeds in km/s, rates in Msun/yr. */
typedef struct header {
    double comoving, length, mass, speed, rate;
    double a, h, omega_m, omega_l, omega_b, period;
    double n_file, n_total;
} header;

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    bool ours;

    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    ours = hg_h5_exists(file, "UnitInfo@Comoving_or_Physical") &&
           hg_h5_exists(file, "SimulationInfo") && hg_h5_is_dataset(file, "hostHaloID");
    return hg_h5_close(file) == HG_OK && ours &&
           hg_text_add(reason, "UnitInfo@Comoving_or_Physical and dataset hostHaloID\n") ==
               HG_OK;
}

/* A number that may be written as text; left alone where it is missing. */
static hg_status
get_number(hg_h5 *file, const char *object, const char *name, double *value)
{
    char path[192], text[64] = "", trimmed[64];

    snprintf(path, sizeof path, "%s@%s", object, name);
    if (!hg_h5_exists(file, path) || hg_h5_get_reals(file, object, name, 1, value) == HG_OK) {
        return HG_OK;
    }
    HG_TRY(hg_h5_get_string(file, object, name, sizeof text, text));
    if (!hg_text_real(hg_text_trim(text, sizeof trimmed, trimmed), value)) {
        return HG_FAIL(HG_E_FORMAT, "attribute '%s' of '%s' in '%s' is '%s', not a number",
                       name, object, hg_h5_path(file), text);
    }
    return HG_OK;
}

static hg_status
read_header(hg_h5 *file, header *h)
{
    const struct {
        const char *object, *name;
        double *value;
    } item[] = {{"UnitInfo", "Comoving_or_Physical", &h->comoving},
                {"UnitInfo", "Length_unit_to_kpc", &h->length},
                {"UnitInfo", "Mass_unit_to_solarmass", &h->mass},
                {"UnitInfo", "Velocity_to_kms", &h->speed},
                {"UnitInfo", "Velocity_unit_to_kms", &h->speed},
                {"UnitInfo", "SFR_unit_to_solarmassperyear", &h->rate},
                {"SimulationInfo", "ScaleFactor", &h->a},
                {"SimulationInfo", "h_val", &h->h},
                {"SimulationInfo", "Omega_m", &h->omega_m},
                {"SimulationInfo", "Omega_Lambda", &h->omega_l},
                {"SimulationInfo", "Omega_b", &h->omega_b},
                {"SimulationInfo", "Period", &h->period}};

    *h = (header){.rate = 1, .n_file = 1};
    h->comoving = h->length = h->mass = h->speed = h->a = h->h = (double)NAN;
    h->omega_m = h->omega_l = h->omega_b = h->period = (double)NAN;
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        HG_TRY(get_number(file, item[i].object, item[i].name, item[i].value));
    }
    if (!(h->length > 0) || !(h->mass > 0) || !(h->speed > 0) || !(h->a > 0) || !(h->h > 0)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' lacks one of Length_unit_to_kpc, Mass_unit_to_solarmass, "
                       "Velocity_to_kms in UnitInfo, or ScaleFactor, h_val in SimulationInfo",
                       hg_h5_path(file));
    }
    h->length /= 1000;
    if (hg_h5_is_dataset(file, "Num_of_files")) {
        HG_TRY(hg_h5_read(file, "Num_of_files", 0, 1, HG_F64, &h->n_file));
    }
    return hg_h5_read(file, "Total_num_of_groups", 0, 1, HG_F64, &h->n_total);
}

static hg_status
compare(const header *a, const header *b, const char *first, const char *path)
{
    const hg_header_item item[] = {{"Num_of_files", a->n_file, b->n_file},
                                   {"Total_num_of_groups", a->n_total, b->n_total},
                                   {"ScaleFactor", a->a, b->a},
                                   {"h_val", a->h, b->h},
                                   {"Length_unit_to_kpc", a->length, b->length},
                                   {"Mass_unit_to_solarmass", a->mass, b->mass}};

    return hg_header_agree(sizeof item / sizeof item[0], item, 0, "catalogue", first, path);
}

/* Make the units of a comoving file those of physical ones, by the box that was given. */
static hg_status
settle_comoving(const hg_catalog_options *options, const char *path, header *h)
{
    if (h->comoving == 0) {
        h->length /= h->a;
        return HG_OK;
    }
    for (int power = -1; power <= 1 && options->frame.box > 0; power++) {
        const double factor = pow(h->h, power);

        if (fabs(h->period * h->length * factor / options->frame.box - 1) < 1e-3) {
            h->length *= factor;
            h->mass *= factor;
            return HG_OK;
        }
    }
    return HG_FAIL(HG_E_INPUT,
                   "'%s' holds comoving values (Comoving_or_Physical), and it is not sure "
                   "which power of h is in them: set box in the section of the catalogue to "
                   "the side of its box, Period being %g Mpc times a power of h = %g",
                   path, h->period * h->length, h->h);
}

static hg_status
set_unit(const hg_fields *fields, hg_source *source)
{
    static const char *const names[] = {"Dimension_Mass", "Dimension_Length",
                                        "Dimension_Velocity", "Dimension_Time"};
    static const struct {
        int power[4];
        const char *unit;
    } kinds[] = {{{1, 0, 0, 0}, "Msun"},
                 {{0, 1, 0, 0}, "Mpc"},
                 {{0, 0, 1, 0}, "km/s"},
                 {{1, 0, 0, -1}, "Msun/yr"}};
    const header *h = fields->context;
    double power[4] = {(double)NAN, 0, 0, 0};
    char *unit = source->column.unit;

    if (source->column.type == HG_COLUMN_I64) {
        return HG_OK;
    }
    for (int i = 0; i < 4; i++) {
        HG_TRY(get_number(fields->file, source->path[0], names[i], &power[i]));
    }
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (power[0] == kinds[k].power[0] && power[1] == kinds[k].power[1] &&
            power[2] == kinds[k].power[2] && power[3] == kinds[k].power[3]) {
            snprintf(unit, HG_UNIT_MAX, "%s", kinds[k].unit);
        }
    }
    for (size_t i = 0; i < sizeof canonical / sizeof canonical[0] && isnan(power[0]); i++) {
        if (strcmp(canonical[i].field, source->column.name) == 0) {
            snprintf(unit, HG_UNIT_MAX, "%s", hg_layout_find(canonical[i].name)->unit);
        }
    }
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0] && isnan(power[0]); i++) {
        for (int k = 0; k < 3; k++) {
            if (strcmp(vectors[i].field[k], source->column.name) == 0) {
                snprintf(unit, HG_UNIT_MAX, "%s", hg_layout_find(vectors[i].name)->unit);
            }
        }
    }
    source->factor = strcmp(unit, "Mpc") == 0       ? h->length
                     : strcmp(unit, "Msun") == 0    ? h->mass
                     : strcmp(unit, "km/s") == 0    ? h->speed
                     : strcmp(unit, "Msun/yr") == 0 ? h->rate
                                                    : 1;
    return HG_OK;
}

static hg_status
plan_file(const hg_catalog_options *options, hg_h5 *file, const hg_files *files, int i,
          header *first, hg_plan *plan)
{
    hg_plan_file *added = NULL;
    hg_fields fields = {.plan = plan,
                        .file = file,
                        .group = "",
                        .prefix = "",
                        .is_known = plan->n_source > 0,
                        .add = set_unit,
                        .context = first};
    hg_h5_info info;
    header h;

    HG_TRY(read_header(file, &h));
    HG_TRY(settle_comoving(options, files->path[i], &h));
    if (i == 0) {
        *first = h;
    }
    HG_TRY(compare(first, &h, files->path[0], files->path[i]));
    HG_TRY(hg_h5_describe(file, "hostHaloID", &info));
    HG_TRY(hg_plan_add_file(plan, files->path[i], info.dims[0], &added));
    fields.rows = info.dims[0];
    return fields.rows > 0 ? hg_fields_scan(&fields) : HG_OK;
}

/* Vectors that are stored as three datasets. */
static hg_status
add_vectors(hg_plan *plan)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        hg_source *source = NULL;
        hg_source field[3];
        int n = 0;

        for (int k = 0; k < 3; k++) {
            const hg_source *found = hg_plan_find(plan, vectors[i].field[k]);

            if (found != NULL && found->column.width == 1) {
                field[n++] = *found;
            }
        }
        if (n < 3 || hg_plan_find(plan, vectors[i].name) != NULL) {
            continue;
        }
        HG_TRY(hg_plan_add_source(plan, vectors[i].name, &source));
        if (strcmp(source->column.unit, field[0].column.unit) != 0) {
            return HG_FAIL(HG_E_FORMAT, "dataset '%s' of '%s' is in '%s', not in %s",
                           field[0].path[0], hg_plan_path(plan, 0), field[0].column.unit,
                           source->column.unit);
        }
        source->n_path = 3;
        source->factor = field[0].factor;
        source->disk = field[0].disk;
        for (int k = 0; k < 3; k++) {
            memcpy(source->path[k], field[k].path[0], sizeof source->path[k]);
        }
    }
    return HG_OK;
}

static hg_status
finish(const hg_catalog_options *options, const hg_files *files, const header *h, hg_plan *plan)
{
    HG_TRY(hg_plan_check_set(options, files, h->n_file, h->n_total, "haloes", plan));
    plan->frame.scale_factor = h->a;
    plan->frame.h = h->h;
    plan->frame.omega_m = h->omega_m;
    plan->frame.omega_l = h->omega_l;
    plan->frame.omega_b = h->omega_b;
    plan->frame.box = h->period * h->length;
    plan->frame.dark_matter_only = hg_plan_find(plan, "M_star") == NULL;
    HG_TRY(add_vectors(plan));
    HG_TRY(hg_fields_name(plan, sizeof canonical / sizeof canonical[0], canonical));
    return hg_fields_make(plan, "central", CENTRAL);
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    header first = {0};

    for (int i = 0; i < files->n; i++) {
        hg_h5 *file = NULL;
        hg_status status, closed;

        HG_TRY(hg_h5_open(files->path[i], &file));
        status = plan_file(options, file, files, i, &first, plan);
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    return finish(options, files, &first, plan);
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    const hg_source **stored = NULL;
    hg_source host = {.n_path = 1, .element = {-1, -1, -1}, .factor = 1, .disk = HG_I64};
    const char *name = NULL;
    uint8_t *central = NULL;
    int n_stored = 0;
    hg_status status;

    host.column = (hg_column){.name = "#host", .type = HG_COLUMN_I64, .width = 1};
    strcpy(host.path[0], "hostHaloID");
    HG_TRY(hg_mem_array(&stored, (size_t)n_source + 1, sizeof *stored));
    for (int s = 0; s < n_source; s++) {
        name = source[s]->kind == CENTRAL ? source[s]->column.name : name;
        stored[n_stored++] = source[s]->kind == CENTRAL ? &host : source[s];
    }
    status = hg_plan_read_flat(plan, first, n, n_stored, stored, table);
    if (status == HG_OK && name != NULL) {
        status = hg_table_add(table, name, "", HG_COLUMN_U8, 1, &central);
    }
    for (int64_t i = 0; i < n && status == HG_OK && name != NULL; i++) {
        central[i] = hg_table_i64(table, "#host")[i] < 0;
    }
    hg_table_drop(table, "#host");
    hg_mem_free(stored);
    return status;
}

const hg_format hg_format_velociraptor = {.name = "velociraptor",
                                          .is_set = true,
                                          .probe = probe,
                                          .plan = plan_files,
                                          .read = read_rows};
