/* Catalogues of HBT+ and HBT-HERONS: SubSnap files with one compound dataset Subhalos, or the
 * sorted variant with one dataset per property in a group of that name; the store shows both
 * alike.
 *
 * Lengths and masses are per h in units that the group Units states, or in older runs
 * Parameters.log two folders above; velocities are proper. Cosmology/HubbleParam is H(z) in
 * units of the code and not h, so h has to be given, and the box where there is no log.
 *
 * Every track that ever was is a row: orphans have Nbound 0 or 1. Their bound mass of 0 means
 * that there is none, so it becomes NaN; positions are those of the particle that was bound
 * most. Hosts: the subhalo of rank 0 with the same HostHaloId, which HBT keeps in the same
 * file.
 *
 * Sources: SWIFTSIM/HBT-HERONS (src/io/subhalo_io.cpp, docs), SWIFTSIM/SOAP (read_hbtplus.py).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/check.h"
#include "catalog/fields.h"
#include "store/publish.h"
#include "store/textfile.h"

enum { STORED, MASS, CENTRAL, HOST };

static const hg_alias canonical[] = {{"id", "TrackId", -1},
                                     {"group", "HostHaloId", -1},
                                     {"position", "ComovingMostBoundPosition", -1},
                                     {"velocity", "PhysicalAverageVelocity", -1},
                                     {"m_bound", "Mbound", -1},
                                     {"n_part", "Nbound", -1},
                                     {"vmax", "VmaxPhysical", -1},
                                     {"r_vmax", "RmaxComoving", -1},
                                     {"r_half", "RHalfComoving", -1},
                                     {"spin", "SpecificAngularMomentum", -1},
                                     {"m_peak", "LastMaxMass", -1},
                                     {"v_peak", "LastMaxVmaxPhysical", -1},
                                     {"m_dm", "MboundType", 1},
                                     {"gas_mass", "MboundType", 0},
                                     {"stellar_mass", "MboundType", 4},
                                     {"bh_mass", "MboundType", 5}};

/* Units in Mpc/h, Msun/h and km/s, and what the run was. */
typedef struct header {
    double length, mass, speed;
    double box; /* in units of length, NAN = not known */
    double a, omega_m, omega_l;
    double n_file, n_total, snapshot;
} header;

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    bool ours;

    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    ours =
        hg_h5_is_dataset(file, "NumberOfSubhalosInAllFiles") && hg_h5_exists(file, "Subhalos");
    return hg_h5_close(file) == HG_OK && ours &&
           hg_text_add(reason, "datasets Subhalos and NumberOfSubhalosInAllFiles\n") == HG_OK;
}

/* Lines "NAME VALUE" of the parameters that HBT leaves beside its folders of snapshots. */
static hg_status
read_log(const char *path, header *h)
{
    const struct {
        const char *name;
        double *value;
    } item[] = {{"LengthInMpch", &h->length},
                {"MassInMsunh", &h->mass},
                {"VelInKmS", &h->speed},
                {"BoxSize", &h->box}};
    char log[HG_PATH_MAX], name[64], text[64], *line = NULL;
    const char *slash = strrchr(path, '/');
    hg_textfile *file = NULL;
    hg_status status;

    HG_TRY(hg_text_path(sizeof log, log, "%.*s../Parameters.log",
                        slash != NULL ? (int)(slash - path) + 1 : 0, path));
    if (!hg_file_exists(log)) {
        return HG_OK;
    }
    HG_TRY(hg_textfile_open(log, &file));
    do {
        HG_TRY_OR(done, status, hg_textfile_line(file, &line));
        if (line == NULL || sscanf(line, "%63s %63s", name, text) != 2) {
            continue;
        }
        for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
            if (strcmp(item[i].name, name) == 0 && isnan(*item[i].value)) {
                hg_text_real(text, item[i].value);
            }
        }
    } while (line != NULL);
done:
    hg_textfile_close(file);
    return status;
}

static hg_status
read_header(hg_h5 *file, const char *path, header *h)
{
    const struct {
        const char *name;
        double *value;
        bool is_needed;
    } item[] = {{"Units/LengthInMpch", &h->length, false},
                {"Units/MassInMsunh", &h->mass, false},
                {"Units/VelInKmS", &h->speed, false},
                {"Cosmology/ScaleFactor", &h->a, true},
                {"Cosmology/OmegaM0", &h->omega_m, false},
                {"Cosmology/OmegaLambda0", &h->omega_l, false},
                {"NumberOfFiles", &h->n_file, true},
                {"NumberOfSubhalosInAllFiles", &h->n_total, true},
                {"SnapshotId", &h->snapshot, true}};

    h->box = h->length = h->mass = h->speed = h->omega_m = h->omega_l = (double)NAN;
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        if (item[i].is_needed || hg_h5_is_dataset(file, item[i].name)) {
            HG_TRY(hg_h5_read(file, item[i].name, 0, 1, HG_F64, item[i].value));
        }
    }
    HG_TRY(read_log(path, h));
    if (!(h->length > 0) || !(h->mass > 0) || !(h->speed > 0) || !(h->a > 0)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' has no group Units, and there is no Parameters.log of HBT with "
                       "LengthInMpch, MassInMsunh and VelInKmS in the folder above",
                       path);
    }
    return HG_OK;
}

static hg_status
compare(const header *a, const header *b, const char *first, const char *path)
{
    const hg_header_item item[] = {{"SnapshotId", a->snapshot, b->snapshot},
                                   {"ScaleFactor", a->a, b->a},
                                   {"NumberOfFiles", a->n_file, b->n_file},
                                   {"NumberOfSubhalosInAllFiles", a->n_total, b->n_total},
                                   {"LengthInMpch", a->length, b->length},
                                   {"MassInMsunh", a->mass, b->mass}};

    return hg_header_agree(sizeof item / sizeof item[0], item, 0, "catalogue", first, path);
}

/* First match counts; '*' = anywhere in the name. Integers keep their values. */
static hg_status
set_unit(const hg_fields *fields, hg_source *source)
{
    static const struct {
        const char *part, *unit;
    } rules[] = {{"AngularMomentum", "Mpc km/s"},
                 {"Velocity", "km/s"},
                 {"Vmax", "km/s"},
                 {"Comoving", "Mpc"},
                 {"Mass", "Msun"},
                 {"Mbound", "Msun"},
                 {"M200", "Msun"},
                 {"MVir", "Msun"}};
    const header *h = fields->context;
    const double hubble = fields->plan->frame.h;

    if (source->column.type == HG_COLUMN_I64) {
        return HG_OK;
    }
    /* the radius at the largest vmax is no speed */
    if (strncmp(source->column.name, "RmaxComoving", 12) == 0) {
        snprintf(source->column.unit, HG_UNIT_MAX, "Mpc");
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && source->column.unit[0] == '\0';
         i++) {
        if (strstr(source->column.name, rules[i].part) != NULL) {
            snprintf(source->column.unit, HG_UNIT_MAX, "%s", rules[i].unit);
        }
    }
    source->factor = strcmp(source->column.unit, "Mpc") == 0    ? h->length / hubble
                     : strcmp(source->column.unit, "Msun") == 0 ? h->mass / hubble
                     : strcmp(source->column.unit, "km/s") == 0 ? h->speed
                     : strcmp(source->column.unit, "Mpc km/s") == 0
                         ? h->length * h->speed / hubble
                         : 1;
    return HG_OK;
}

/* Headers and fields of one file. */
static hg_status
plan_file(hg_h5 *file, const char *path, const char *first_path, header *first, hg_plan *plan)
{
    hg_plan_file *added = NULL;
    hg_fields fields = {.plan = plan,
                        .file = file,
                        .group = "Subhalos",
                        .prefix = "",
                        .is_strict = true,
                        .is_known = plan->n_source > 0,
                        .add = set_unit,
                        .context = first};
    hg_h5_info info;
    header h;

    HG_TRY(read_header(file, path, &h));
    if (plan->n_file == 0) {
        *first = h;
    }
    HG_TRY(compare(first, &h, first_path, path));
    HG_TRY(hg_h5_describe(file, "Subhalos/TrackId", &info));
    HG_TRY(hg_plan_add_file(plan, path, info.dims[0], &added));
    fields.rows = info.dims[0];
    return fields.rows > 0 ? hg_fields_scan(&fields) : HG_OK;
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    header first = {0};

    plan->frame.h = options->frame.h;
    if (!(plan->frame.h > 0)) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' holds lengths and masses per h, but does not say h: set h in the "
                       "section of the catalogue",
                       files->path[0]);
    }
    for (int i = 0; i < files->n; i++) {
        hg_h5 *file = NULL;
        hg_status status, closed;

        HG_TRY(hg_h5_open(files->path[i], &file));
        status = plan_file(file, files->path[i], files->path[0], &first, plan);
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    HG_TRY(hg_plan_check_set(options, files, first.n_file, first.n_total, "subhaloes", plan));
    plan->frame.scale_factor = first.a;
    plan->frame.omega_m = first.omega_m;
    plan->frame.omega_l = first.omega_l;
    plan->frame.box = first.box * first.length / plan->frame.h;
    plan->frame.dark_matter_only = hg_plan_find(plan, "MboundType") == NULL;
    plan->allow_nan = true; /* orphans have no bound mass */
    HG_TRY(hg_fields_name(plan, sizeof canonical / sizeof canonical[0], canonical));
    for (int s = 0; s < plan->n_source; s++) {
        if (strcmp(plan->source[s].column.name, "m_bound") == 0) {
            plan->source[s].kind = MASS;
        }
    }
    if (hg_plan_find(plan, "Rank") == NULL || hg_plan_find(plan, "HostHaloId") == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_fields_make(plan, "central", CENTRAL));
    return hg_fields_make(plan, "host_id", HOST);
}

static hg_source
whole_numbers(const char *field)
{
    hg_source source = {.n_path = 1, .element = {-1, -1, -1}, .factor = 1, .disk = HG_I64};

    source.column = (hg_column){.type = HG_COLUMN_I64, .width = 1};
    snprintf(source.column.name, HG_NAME_MAX, "#%s", field);
    snprintf(source.path[0], sizeof source.path[0], "Subhalos/%s", field);
    return source;
}

/* Host halo, rank and track of rows. */
static hg_status
read_links(const hg_plan *plan, int64_t first, int64_t n, hg_table *table)
{
    const hg_source halo = whole_numbers("HostHaloId"), rank = whole_numbers("Rank"),
                    track = whole_numbers("TrackId");
    const hg_source *const list[] = {&halo, &rank, &track};

    table->n = n;
    return hg_plan_read_flat(plan, first, n, 3, list, table);
}

/* The central of a host halo. */
typedef struct lord {
    int64_t halo, track;
} lord;

static int
compare_lords(const void *a, const void *b)
{
    const lord *x = a, *y = b;

    return (x->halo > y->halo) - (x->halo < y->halo);
}

/* Hosts of rows [first, ...) of a table, all of one file; centrals have -1. */
static hg_status
find_hosts(const hg_plan *plan, int f, const hg_table *links, int64_t from, int64_t n,
           int64_t host[])
{
    hg_table all = {0};
    lord *lords = NULL;
    int64_t n_lord = 0;
    hg_status status;

    HG_TRY_OR(done, status, read_links(plan, plan->file[f].first, plan->file[f].rows, &all));
    HG_TRY_OR(done, status, hg_mem_array(&lords, (size_t)all.n, sizeof *lords));
    for (int64_t i = 0; i < all.n; i++) {
        if (hg_table_i64(&all, "#Rank")[i] == 0) {
            lords[n_lord++] =
                (lord){hg_table_i64(&all, "#HostHaloId")[i], hg_table_i64(&all, "#TrackId")[i]};
        }
    }
    qsort(lords, (size_t)n_lord, sizeof *lords, compare_lords);
    for (int64_t i = from; i < from + n; i++) {
        const lord key = {.halo = hg_table_i64(links, "#HostHaloId")[i]};
        const lord *found = bsearch(&key, lords, (size_t)n_lord, sizeof key, compare_lords);

        host[i] = hg_table_i64(links, "#Rank")[i] == 0 || key.halo < 0 ? -1
                  : found != NULL                                      ? found->track
                                                                       : HG_HOST_MISSING;
    }
done:
    hg_mem_free(lords);
    hg_table_clear(&all);
    return status;
}

static hg_status
make_column(const hg_plan *plan, int64_t first, const hg_source *source, hg_table *table)
{
    hg_table links = {0};
    int64_t *host = NULL;
    uint8_t *central = NULL;
    hg_status status;

    HG_TRY_OR(done, status, read_links(plan, first, table->n, &links));
    if (source->kind == CENTRAL) {
        HG_TRY_OR(done, status,
                  hg_table_add(table, source->column.name, "", HG_COLUMN_U8, 1, &central));
        for (int64_t i = 0; i < table->n; i++) {
            central[i] = hg_table_i64(&links, "#Rank")[i] == 0 ||
                         hg_table_i64(&links, "#HostHaloId")[i] < 0;
        }
        goto done;
    }
    HG_TRY_OR(done, status,
              hg_table_add(table, source->column.name, "", HG_COLUMN_I64, 1, &host));
    for (int64_t i = 0, n; i < table->n; i += n) {
        const int f = hg_plan_find_file(plan, first + i);
        const int64_t left = plan->file[f].first + plan->file[f].rows - (first + i);

        n = left < table->n - i ? left : table->n - i;
        HG_TRY_OR(done, status, find_hosts(plan, f, &links, i, n, host));
    }
done:
    hg_table_clear(&links);
    return status;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    const hg_source **stored = NULL;
    int n_stored = 0;
    hg_status status;

    HG_TRY(hg_mem_array(&stored, (size_t)n_source + 1, sizeof *stored));
    for (int s = 0; s < n_source; s++) {
        if (source[s]->kind <= MASS) {
            stored[n_stored++] = source[s];
        }
    }
    status = hg_plan_read_flat(plan, first, n, n_stored, stored, table);
    for (int s = 0; s < n_source && status == HG_OK; s++) {
        if (source[s]->kind > MASS) {
            status = make_column(plan, first, source[s], table);
        } else if (source[s]->kind == MASS) {
            float *mass = hg_table_f32(table, source[s]->column.name);

            for (int64_t i = 0; i < n; i++) {
                mass[i] = mass[i] == 0 ? (float)NAN : mass[i];
            }
        }
    }
    hg_mem_free(stored);
    return status;
}

const hg_format hg_format_hbt = {
    .name = "hbt", .is_set = true, .probe = probe, .plan = plan_files, .read = read_rows};
