/* Binary subhalo tables of L-Gadget3 (subhalo_tab_SSS.K of P-Millennium and MXXL). A file is a
 * header of 40 bytes and arrays one after another, first of groups, then of subhaloes. It does
 * not say how wide its real numbers are, nor whether three optional sets of arrays are there:
 * that follows from the lengths of all files, in which every byte must have its place. Order of
 * arrays: jchelly/VirgoDC, formats/subfind_lgadget3.py.
 *
 * Masses are in 1e10 Msun/h, lengths in Mpc/h or kpc/h, whichever fits the box; velocities are
 * taken as proper. There are no bound masses: with the particle mass given, SubLen times it.
 * Whether radii and spins are comoving is not known, so they are offered at redshift 0 alone.
 * Subhaloes are sorted by group, the first of a group is its central.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/binary.h"
#include "catalog/format.h"
#include "halograft/log.h"

enum { HEADER = 40, DISPERSIONS = 1, SHAPES = 2, ENERGIES = 4, BACK = 4096 };

enum kind { SUBHALO, GROUP, CENTRAL, HOST };

enum { COUNT_OF_GROUPS, FIRST_GROUP }; /* hg_plan_file.extra */

typedef struct array {
    const char *name;
    hg_type type; /* HG_F32 = as wide as the file's real numbers are */
    int row;
    int option; /* 0 = always there */
} array;

static const array groups[] = {{"GroupLen", HG_I32, 1, 0},
                               {"GroupOffset", HG_I32, 1, 0},
                               {"GroupNr", HG_I64, 1, 0},
                               {"GroupCofM", HG_F32, 3, 0},
                               {"GroupVel", HG_F32, 3, 0},
                               {"GroupPos", HG_F32, 3, 0},
                               {"Halo_M_Mean200", HG_F32, 1, 0},
                               {"Halo_M_Crit200", HG_F32, 1, 0},
                               {"Halo_M_TopHat200", HG_F32, 1, 0},
                               {"GroupVelDisp", HG_F32, 1, 0},
                               {"VelDisps200", HG_F32, 3, DISPERSIONS},
                               {"Nsubs", HG_I32, 1, 0},
                               {"FirstSub", HG_I32, 1, 0}};
static const array subhaloes[] = {{"SubLen", HG_I32, 1, 0},
                                  {"SubOffset", HG_I32, 1, 0},
                                  {"SubGrNr", HG_I64, 1, 0},
                                  {"SubNr", HG_I64, 1, 0},
                                  {"SubPos", HG_F32, 3, 0},
                                  {"SubVel", HG_F32, 3, 0},
                                  {"SubCofM", HG_F32, 3, 0},
                                  {"SubSpin", HG_F32, 3, 0},
                                  {"SubVelDisp", HG_F32, 1, 0},
                                  {"SubVmax", HG_F32, 1, 0},
                                  {"SubRVmax", HG_F32, 1, 0},
                                  {"SubHalfMass", HG_F32, 1, 0},
                                  {"SubShape", HG_F32, 6, SHAPES},
                                  {"SubBindingEnergy", HG_F32, 1, ENERGIES},
                                  {"SubPotentialEnergy", HG_F32, 1, ENERGIES},
                                  {"SubProfile", HG_F32, 9, ENERGIES}};
enum {
    N_GROUP = sizeof groups / sizeof groups[0],
    N_SUBHALO = sizeof subhaloes / sizeof subhaloes[0]
};

/* What a plan's `extra` holds. */
typedef struct own_plan {
    int32_t is_swapped, is_wide, options;
} own_plan;

typedef struct header {
    int64_t n_group, n_sub, total_group, total_sub, n_file, bytes;
    bool is_swapped;
} header;

static size_t
width_of(const array *a, const own_plan *own)
{
    return a->type == HG_F32 && own->is_wide ? 8 : hg_type_size(a->type);
}

/* Bytes per row of the first n arrays of a list. */
static int64_t
row_bytes(const array list[], int n, const own_plan *own)
{
    int64_t bytes = 0;

    for (int i = 0; i < n; i++) {
        if ((list[i].option & ~own->options) == 0) {
            bytes += (int64_t)width_of(&list[i], own) * list[i].row;
        }
    }
    return bytes;
}

static hg_status
read_header(hg_binfile *file, header *h)
{
    int32_t narrow[4] = {0};
    int64_t total[2] = {0};

    for (int swap = 0; swap < 2; swap++) {
        hg_binfile_swap(file, swap > 0);
        h->is_swapped = swap > 0;
        HG_TRY(hg_binfile_read(file, 24, 4, 1, &narrow[2]));
        if (narrow[2] >= 1 && narrow[2] <= 65535) {
            break;
        }
    }
    HG_TRY(hg_binfile_read(file, 0, 4, 1, &narrow[0]));
    HG_TRY(hg_binfile_read(file, 4, 8, 1, &total[0]));
    HG_TRY(hg_binfile_read(file, 28, 4, 1, &narrow[3]));
    HG_TRY(hg_binfile_read(file, 32, 8, 1, &total[1]));
    h->n_group = narrow[0];
    h->n_file = narrow[2];
    h->n_sub = narrow[3];
    h->total_group = total[0];
    h->total_sub = total[1];
    h->bytes = hg_binfile_size(file);
    if (h->n_file < 1 || h->n_file > 65535 || h->n_group < 0 || h->n_sub < 0 ||
        h->total_group < h->n_group || h->total_sub < h->n_sub) {
        return HG_FAIL(HG_E_FORMAT, "'%s' does not begin like a subhalo_tab of L-Gadget3",
                       hg_binfile_path(file));
    }
    return HG_OK;
}

/* The one layout in which all files have the lengths they have. */
static hg_status
find_layout(const char *path, int n, const header h[], own_plan *own)
{
    int n_fit = 0;
    bool has_rows = false;

    for (int wide = 0; wide < 2; wide++) {
        for (int options = 0; options < 8; options++) {
            const own_plan tried = {h[0].is_swapped, wide, options};
            bool fits = true;

            for (int i = 0; i < n; i++) {
                fits = fits && h[i].is_swapped == h[0].is_swapped &&
                       h[i].bytes == HEADER +
                                         h[i].n_group * row_bytes(groups, N_GROUP, &tried) +
                                         h[i].n_sub * row_bytes(subhaloes, N_SUBHALO, &tried);
                has_rows = has_rows || h[i].n_sub > 0 || h[i].n_group > 0;
            }
            if (fits) {
                *own = tried;
                n_fit++;
            }
        }
    }
    if (n_fit == 1 || (n_fit > 1 && !has_rows)) {
        return HG_OK;
    }
    return HG_FAIL(HG_E_FORMAT,
                   "'%s' and the files with it fit %s layout of a subhalo_tab of L-Gadget3%s",
                   path, n_fit == 0 ? "no" : "more than one",
                   n_fit == 0 ? ": a file is cut, or of another code" : "");
}

/* Where an array of a file begins, and its type. */
static hg_binary_array
locate(const own_plan *own, int64_t n_group, int64_t n_sub, bool of_group, int index)
{
    const array *a = of_group ? &groups[index] : &subhaloes[index];
    hg_binary_array found = {.row = a->row};

    found.type = a->type == HG_F32 && own->is_wide ? HG_F64 : a->type;
    found.at = HEADER + (of_group ? n_group * row_bytes(groups, index, own)
                                  : n_group * row_bytes(groups, N_GROUP, own) +
                                        n_sub * row_bytes(subhaloes, index, own));
    return found;
}

static int
find_array(const array list[], int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Read rows [first, first + n) of one array of file f, into rows [at, ...) of a column. */
static hg_status
read_array(const hg_plan *plan, int f, const hg_source *source, int64_t first, int64_t n,
           int64_t at, void *data)
{
    const own_plan *own = plan->extra;
    const bool of_group = source->kind == GROUP;
    const int index = of_group ? find_array(groups, N_GROUP, source->path[0])
                               : find_array(subhaloes, N_SUBHALO, source->path[0]);
    const hg_binary_array place =
        locate(own, plan->file[f].extra[COUNT_OF_GROUPS], plan->file[f].rows, of_group, index);
    hg_binfile *file = NULL;
    hg_status status;

    HG_TRY(hg_binfile_open(hg_plan_path(plan, f), &file));
    hg_binfile_swap(file, own->is_swapped != 0);
    status = hg_binary_read(file, &place, source, first, n, at, data);
    hg_binfile_close(file);
    return status;
}

static hg_status
add_source(hg_plan *plan, const char *name, enum kind kind, const char *from, double factor)
{
    hg_source *source = NULL;

    HG_TRY(hg_plan_add_source(plan, name, &source));
    source->kind = (int)kind;
    source->factor = factor;
    snprintf(source->path[0], sizeof source->path[0], "%s", from);
    return HG_OK;
}

/* Mpc per unit of length: positions beyond twice the box in Mpc/h are in kpc/h. */
static hg_status
find_length(const hg_plan *plan, double *unit)
{
    hg_source source = {.kind = SUBHALO, .element = {-1, -1, -1}, .factor = 1};
    double x[3 * 256], largest = 0;

    source.column.type = HG_COLUMN_F64;
    source.column.width = 3;
    snprintf(source.path[0], sizeof source.path[0], "SubPos");
    for (int f = 0; f < plan->n_file && largest == 0; f++) {
        const int64_t n = plan->file[f].rows < 256 ? plan->file[f].rows : 256;

        HG_TRY(read_array(plan, f, &source, 0, n, 0, x));
        for (int64_t i = 0; i < 3 * n; i++) {
            largest = x[i] > largest ? x[i] : largest;
        }
    }
    *unit = largest > 2 * plan->frame.box * plan->frame.h ? 1e-3 : 1;
    hg_log_info("catalogue: lengths of '%s' are taken in %s/h", hg_plan_path(plan, 0),
                *unit < 1 ? "kpc" : "Mpc");
    return HG_OK;
}

static hg_status
add_columns(hg_plan *plan)
{
    const double h = plan->frame.h;
    double unit = 1;

    HG_TRY(find_length(plan, &unit));
    HG_TRY(add_source(plan, "group", SUBHALO, "SubGrNr", 1));
    HG_TRY(add_source(plan, "host_id", HOST, "SubGrNr", 1));
    HG_TRY(add_source(plan, "central", CENTRAL, "SubGrNr", 1));
    HG_TRY(add_source(plan, "n_part", SUBHALO, "SubLen", 1));
    if (plan->frame.particle_mass > 0) {
        HG_TRY(add_source(plan, "m_bound", SUBHALO, "SubLen", plan->frame.particle_mass));
    }
    HG_TRY(add_source(plan, "position", SUBHALO, "SubPos", unit / h));
    HG_TRY(add_source(plan, "velocity", SUBHALO, "SubVel", 1));
    HG_TRY(add_source(plan, "vmax", SUBHALO, "SubVmax", 1));
    HG_TRY(add_source(plan, "sigma_v", SUBHALO, "SubVelDisp", 1));
    if (fabs(plan->frame.redshift) < 1e-3) {
        HG_TRY(add_source(plan, "r_vmax", SUBHALO, "SubRVmax", unit / h));
        HG_TRY(add_source(plan, "r_half", SUBHALO, "SubHalfMass", unit / h));
        HG_TRY(add_source(plan, "spin", SUBHALO, "SubSpin", unit / h));
    }
    HG_TRY(add_source(plan, "m200c", GROUP, "Halo_M_Crit200", 1e10 / h));
    HG_TRY(add_source(plan, "m200m", GROUP, "Halo_M_Mean200", 1e10 / h));
    return add_source(plan, "mvir", GROUP, "Halo_M_TopHat200", 1e10 / h);
}

/* Numbers of the first groups of the files, and counts against the totals. */
static hg_status
number_groups(const hg_catalog_options *options, const header h[], hg_plan *plan)
{
    hg_source source = {.kind = GROUP, .element = {-1, -1, -1}, .factor = 1};

    source.column.type = HG_COLUMN_I64;
    source.column.width = 1;
    snprintf(source.path[0], sizeof source.path[0], "GroupNr");
    for (int f = 0; f < plan->n_file; f++) {
        if (h[f].n_group > 0) {
            HG_TRY(read_array(plan, f, &source, 0, 1, 0, &plan->file[f].extra[FIRST_GROUP]));
        }
        if (h[f].total_sub != h[0].total_sub || h[f].total_group != h[0].total_group) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' says %" PRId64 " subhaloes in all, '%s' %" PRId64
                           ": these files are not one catalogue",
                           hg_plan_path(plan, 0), h[0].total_sub, hg_plan_path(plan, f),
                           h[f].total_sub);
        }
    }
    if (plan->n_row != h[0].total_sub) {
        if (!options->partial || plan->n_row > h[0].total_sub) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' says %" PRId64 " subhaloes in all, the %d files given hold "
                           "%" PRId64 ": give all files, or set partial",
                           hg_plan_path(plan, 0), h[0].total_sub, plan->n_file, plan->n_row);
        }
        plan->incomplete = true;
        hg_log_warn("catalogue: partial, %" PRId64 " of %" PRId64 " subhaloes", plan->n_row,
                    h[0].total_sub);
    }
    return HG_OK;
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    own_plan *own = NULL;
    header *h = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_frame_merge(&options->frame, files->path[0], &plan->frame));
    if (!(plan->frame.h > 0) || !(plan->frame.box > 0) || !isfinite(plan->frame.redshift)) {
        return HG_FAIL(
            HG_E_INPUT,
            "subhalo_tab files of L-Gadget3 do not say their box, h and redshift: set "
            "box, h and redshift in the section of the catalogue");
    }
    HG_TRY(hg_mem_zeros(&h, (size_t)files->n, sizeof *h));
    HG_TRY_OR(done, status, hg_mem_zeros(&own, 1, sizeof *own));
    plan->extra = own;
    plan->n_extra = sizeof *own;
    for (int i = 0; i < files->n && status == HG_OK; i++) {
        hg_plan_file *added = NULL;
        hg_binfile *file = NULL;

        HG_TRY_OR(done, status, hg_binfile_open(files->path[i], &file));
        status = read_header(file, &h[i]);
        hg_binfile_close(file);
        HG_TRY_OR(done, status, status);
        HG_TRY_OR(done, status, hg_plan_add_file(plan, files->path[i], h[i].n_sub, &added));
        added->extra[COUNT_OF_GROUPS] = h[i].n_group;
    }
    HG_TRY_OR(done, status, find_layout(files->path[0], files->n, h, own));
    HG_TRY_OR(done, status, number_groups(options, h, plan));
    status = add_columns(plan);
done:
    hg_mem_free(h);
    return status;
}

/* A stored column of subhaloes. */
static hg_status
read_stored(const hg_plan *plan, int64_t first, int64_t n, const hg_source *source, void *data)
{
    for (int f = n > 0 ? hg_plan_find_file(plan, first) : plan->n_file;
         f < plan->n_file && plan->file[f].first < first + n; f++) {
        int64_t from = 0, count = hg_plan_overlap(&plan->file[f], first, n, &from);

        if (count > 0) {
            HG_TRY(read_array(plan, f, source, from - plan->file[f].first, count, from - first,
                              data));
        }
    }
    return HG_OK;
}

/* Values of the groups [low, high] for the rows that belong to them. */
static hg_status
read_of_groups(const hg_plan *plan, int64_t n, const int64_t group[], const hg_source *source,
               float value[])
{
    float *all = NULL;
    hg_status status = HG_OK;

    for (int64_t i = 0; i < n; i++) {
        value[i] = NAN;
    }
    for (int f = 0; f < plan->n_file && status == HG_OK; f++) {
        const int64_t low = plan->file[f].extra[FIRST_GROUP],
                      count = plan->file[f].extra[COUNT_OF_GROUPS];
        bool is_needed = false;

        for (int64_t i = 0; i < n && !is_needed; i++) {
            is_needed = group[i] >= low && group[i] < low + count;
        }
        if (!is_needed) {
            continue;
        }
        HG_TRY(hg_mem_array(&all, (size_t)count, sizeof *all));
        status = read_array(plan, f, source, 0, count, 0, all);
        for (int64_t i = 0; i < n && status == HG_OK; i++) {
            if (group[i] >= low && group[i] < low + count) {
                value[i] = all[group[i] - low];
            }
        }
        hg_mem_free(all);
    }
    return status;
}

/* The row that begins the group of row `first`. */
static hg_status
find_begin(const hg_plan *plan, const hg_source *link, int64_t first, int64_t group,
           int64_t *begin)
{
    int64_t before[BACK];

    *begin = first;
    while (*begin > 0) {
        const int64_t n = *begin < BACK ? *begin : BACK;
        int64_t k = n;

        HG_TRY(read_stored(plan, *begin - n, n, link, before));
        while (k > 0 && before[k - 1] == group) {
            k--;
        }
        *begin -= n - k;
        if (k > 0) {
            break;
        }
    }
    return HG_OK;
}

static hg_status
read_link(const hg_plan *plan, int64_t first, int64_t n, const int64_t group[],
          const hg_source *link, const hg_source *source, hg_table *table)
{
    int64_t *host = NULL, begin = first;
    uint8_t *central = NULL;

    HG_TRY(source->kind == HOST
               ? hg_table_add(table, source->column.name, "", HG_COLUMN_I64, 1, &host)
               : hg_table_add(table, source->column.name, "", HG_COLUMN_U8, 1, &central));
    if (n > 0) {
        HG_TRY(find_begin(plan, link, first, group[0], &begin));
    }
    for (int64_t i = 0; i < n; i++) {
        begin = i > 0 && group[i] != group[i - 1] ? first + i : begin;
        if (host != NULL) {
            host[i] = begin == first + i ? -1 : begin;
        } else {
            central[i] = begin == first + i;
        }
    }
    return HG_OK;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    const hg_source *stored = hg_plan_find(plan, "group");
    hg_source link = *stored;
    int64_t *group = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&group, (size_t)n, sizeof *group));
    HG_TRY_OR(done, status, read_stored(plan, first, n, &link, group));
    for (int s = 0; s < n_source && status == HG_OK; s++) {
        const hg_column *c = &source[s]->column;
        void *data = NULL;

        if (source[s]->kind == CENTRAL || source[s]->kind == HOST) {
            status = read_link(plan, first, n, group, &link, source[s], table);
            continue;
        }
        HG_TRY_OR(done, status,
                  hg_table_add(table, c->name, c->unit, c->type, c->width, &data));
        status = source[s]->kind == GROUP ? read_of_groups(plan, n, group, source[s], data)
                                          : read_stored(plan, first, n, source[s], data);
    }
done:
    hg_mem_free(group);
    return status;
}

const hg_format hg_format_lgadget3 = {
    .name = "lgadget3", .is_set = false, .probe = NULL, .plan = plan_files, .read = read_rows};
