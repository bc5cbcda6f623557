/* Planning and reading, the same for all kinds of snapshots. Files that state no units hold
 * 1e10 Msun/h and either kpc/h or Mpc/h: of the two the one is taken with which the particles
 * make up the mean density of matter, a factor 1e9 apart. Masses come from the arrays where a
 * file has them, else from the table of its header.
 */
#include "catalog/gadget.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/log.h"

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    bool ours = false;

    if (hg_gadget_is_binary(path)) {
        return hg_text_add(reason,
                           "it begins with the header of a binary Gadget-2 snapshot\n") ==
               HG_OK;
    }
    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    if (hg_h5_exists(file, "Header@NumPart_ThisFile") &&
        hg_h5_exists(file, "Header@MassTable")) {
        ours = hg_text_add(reason, "Header has NumPart_ThisFile and MassTable\n") == HG_OK;
    }
    return hg_h5_close(file) == HG_OK && ours;
}

/* Mean density of the particles over that of matter, with lengths in units of so many Mpc. */
static double
density_ratio(const hg_gadget_header *h, double length)
{
    const double little_h = h->units.with_h ? h->frame.h : 1;
    const double side = h->box * length / little_h;
    double mass = 0;

    for (int t = 0; t < h->n_type; t++) {
        mass += (double)h->total[t] * (h->sample_mass[t] > 0 ? h->sample_mass[t] : h->mass[t]);
    }
    mass *= h->units.mass / little_h;
    return mass /
           (side * side * side * 2.77536627e11 * h->frame.h * h->frame.h * h->frame.omega_m);
}

static void
choose_units(const char *path, hg_gadget_header *h)
{
    hg_gadget_units *u = &h->units;

    if (!isfinite(u->speed)) {
        u->speed = 1;
    }
    if (!isfinite(u->mass)) {
        u->mass = 1e10;
    }
    if (!isfinite(u->length)) {
        const double ratio = density_ratio(h, 1e-3);
        const bool is_mpc = ratio > 1e9 / 30 && ratio < 1e9 * 30;

        u->length = is_mpc ? 1 : 1e-3;
        if (is_mpc || (ratio > 1.0 / 30 && ratio < 30)) {
            hg_log_info(
                "catalogue: '%s' does not state its units: %s/h, in which the particles "
                "have the mean density of matter",
                path, is_mpc ? "Mpc" : "kpc");
        } else {
            hg_log_warn(
                "catalogue: '%s' does not state its units, and its particles do not fill "
                "the box: kpc/h and 1e10 Msun/h are assumed",
                path);
        }
    }
}

static hg_status
compare(const hg_gadget_header *a, const hg_gadget_header *b, const char *first,
        const char *path)
{
    const hg_header_item item[] = {
        {"the scale factor", a->frame.scale_factor, b->frame.scale_factor},
        {"BoxSize", a->box, b->box},
        {"h", a->frame.h, b->frame.h},
        {"Omega_m", a->frame.omega_m, b->frame.omega_m}};

    HG_TRY(hg_header_agree(sizeof item / sizeof item[0], item, 1e-9, "snapshot", first, path));
    for (int t = 0; t < HG_GADGET_TYPES; t++) {
        const bool is_stored = a->sample_mass[t] > 0 || b->sample_mass[t] > 0;

        if (a->total[t] != b->total[t] || (!is_stored && a->mass[t] != b->mass[t])) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' has %" PRId64 " particles of type %d and mass %g in all, but "
                           "'%s' %" PRId64 " of mass %g: these files are not one snapshot",
                           first, a->total[t], t, a->mass[t], path, b->total[t], b->mass[t]);
        }
    }
    if (a->is_swapped != b->is_swapped) {
        return HG_FAIL(HG_E_INPUT, "'%s' and '%s' differ in byte order", first, path);
    }
    return HG_OK;
}

/* The types of one file become files of the plan; what is known of arrays grows in `first`. */
static hg_status
add_file(const char *path, const hg_gadget_header *h, hg_gadget_header *first, hg_plan *plan)
{
    for (int t = 0; t < h->n_type; t++) {
        hg_plan_file *added = NULL;
        hg_gadget_block block = h->block[t];

        if (h->here[t] == 0 || !h->is_placed[t]) {
            continue;
        }
        block.type = t;
        HG_TRY(hg_plan_add_file(plan, path, h->here[t], &added));
        HG_TRY(hg_mem_resize(&plan->extra, plan->n_extra + sizeof block, 1));
        memcpy((char *)plan->extra + plan->n_extra, &block, sizeof block);
        plan->n_extra += sizeof block;
    }
    for (int k = 0; k < HG_GADGET_STORED; k++) {
        first->has[k] = first->has[k] || h->has[k];
    }
    for (int t = 0; t < h->n_type; t++) {
        first->is_placed[t] = first->is_placed[t] || h->is_placed[t];
        first->sample_mass[t] =
            first->sample_mass[t] > 0 ? first->sample_mass[t] : h->sample_mass[t];
    }
    return HG_OK;
}

static hg_status
check_totals(const hg_catalog_options *options, const hg_files *files,
             const hg_gadget_header *first, const int64_t found[])
{
    for (int t = 0; t < first->n_type; t++) {
        if (found[t] == first->total[t]) {
            continue;
        }
        if (!options->partial || found[t] > first->total[t]) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' says there are %" PRId64
                           " particles of type %d in all, the %d "
                           "file%s given hold%s %" PRId64 ": give all files of the snapshot",
                           files->path[0], first->total[t], t, files->n,
                           files->n > 1 ? "s" : "", files->n > 1 ? "" : "s", found[t]);
        }
        hg_log_warn("catalogue: partial, %" PRId64 " of %" PRId64 " particles of type %d",
                    found[t], first->total[t], t);
    }
    return HG_OK;
}

static hg_status
add_source(hg_plan *plan, const char *name, int kind, double factor, hg_source **source)
{
    static const char *const paths[] = {"Coordinates", "Velocities", "ParticleIDs", "Masses",
                                        ""};

    HG_TRY(hg_plan_add_source(plan, name, source));
    (*source)->kind = kind;
    (*source)->factor = factor;
    (*source)->disk = HG_F32;
    snprintf((*source)->path[0], sizeof(*source)->path[0], "%s", paths[kind]);
    return HG_OK;
}

static hg_status
add_sources(const hg_gadget_header *h, hg_plan *plan)
{
    const double little_h = h->arrays_with_h ? h->frame.h : 1, a = h->frame.scale_factor;
    hg_source *source = NULL;

    HG_TRY(add_source(plan, "position", HG_GADGET_POSITION,
                      h->units.length / little_h * pow(a, h->position_a), &source));
    if (h->has[HG_GADGET_VELOCITY]) {
        HG_TRY(add_source(plan, "velocity", HG_GADGET_VELOCITY,
                          h->units.speed * pow(a, h->velocity_a), &source));
    }
    HG_TRY(add_source(plan, "mass", HG_GADGET_MASS, h->units.mass / little_h, &source));
    snprintf(source->column.unit, sizeof source->column.unit, "Msun");
    source->column.type = HG_COLUMN_F32;
    HG_TRY(add_source(plan, "type", HG_GADGET_TYPE, 1, &source));
    source->column.type = HG_COLUMN_U8;
    if (h->has[HG_GADGET_ID]) {
        HG_TRY(add_source(plan, "particle_id", HG_GADGET_ID, 1, &source));
        source->column.type = HG_COLUMN_I64;
        source->disk = h->id;
    }
    return HG_OK;
}

/* What holds for all rows, and the columns, once all headers are known. */
static hg_status
finish_plan(const char *path, hg_gadget_header *h, hg_plan *plan)
{
    hg_gadget_plan *own = plan->extra;
    double with_h;

    if (!(h->frame.scale_factor > 0) || !(h->box > 0) ||
        ((h->units.with_h || h->arrays_with_h) && !(h->frame.h > 0))) {
        return HG_FAIL(HG_E_FORMAT,
                       "the header of '%s' has scale factor %g, box %g and h %g, which must be "
                       "positive",
                       path, h->frame.scale_factor, h->box, h->frame.h);
    }
    choose_units(path, h);
    with_h = h->units.with_h ? h->frame.h : 1;
    plan->frame = h->frame;
    plan->frame.box = h->box * h->units.length / with_h;
    plan->frame.dark_matter_only = h->total[0] == 0 && h->total[4] == 0;
    own->is_binary = h->is_binary;
    own->is_swapped = h->is_swapped;
    for (int t = 0; t < HG_GADGET_TYPES; t++) {
        own->mass[t] = h->mass[t] * h->units.mass / with_h;
    }
    if (h->total[1] > 0 && own->mass[1] > 0) {
        plan->frame.particle_mass = own->mass[1];
    }
    if (!(plan->frame.omega_m > 0)) {
        plan->frame.omega_m = plan->frame.omega_l = (double)NAN;
    }
    return add_sources(h, plan);
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    int64_t found[HG_GADGET_TYPES] = {0};
    hg_gadget_header *head = NULL, *first;
    hg_status status;

    HG_TRY(hg_mem_zeros(&head, 2, sizeof *head));
    first = head + 1;
    HG_TRY_OR(done, status, hg_mem_zeros(&plan->extra, 1, sizeof(hg_gadget_plan)));
    plan->n_extra = sizeof(hg_gadget_plan);
    for (int i = 0; i < files->n; i++) {
        const char *path = files->path[i];

        HG_TRY_OR(done, status,
                  hg_gadget_is_binary(path) ? hg_gadget_binary_header(path, head)
                                            : hg_gadget_hdf5_header(path, head));
        if (i == 0) {
            *first = *head;
        }
        HG_TRY_OR(done, status, compare(first, head, files->path[0], path));
        HG_TRY_OR(done, status, add_file(path, head, first, plan));
        for (int t = 0; t < head->n_type; t++) {
            found[t] += head->here[t];
        }
    }
    HG_TRY_OR(done, status, check_totals(options, files, first, found));
    status = finish_plan(files->path[0], first, plan);
done:
    hg_mem_free(head);
    return status;
}

/* An open file, kept while the next rows are in it too. */
typedef struct reader {
    const hg_plan *plan;
    int file; /**< of the plan, -1 = none is open */
    hg_h5 *h5;
    hg_binfile *raw;
} reader;

static hg_status
close_file(reader *r)
{
    hg_status status = hg_h5_close(r->h5);

    hg_binfile_close(r->raw);
    r->h5 = NULL;
    r->raw = NULL;
    r->file = -1;
    return status;
}

static hg_status
open_file(reader *r, int f)
{
    const hg_gadget_plan *own = r->plan->extra;
    const char *path = hg_plan_path(r->plan, f);

    if (r->file >= 0 && strcmp(hg_plan_path(r->plan, r->file), path) == 0) {
        return HG_OK;
    }
    HG_TRY(close_file(r));
    if (own->is_binary) {
        HG_TRY(hg_binfile_open(path, &r->raw));
        hg_binfile_swap(r->raw, own->is_swapped != 0);
    } else {
        HG_TRY(hg_h5_open(path, &r->h5));
    }
    r->file = f;
    return HG_OK;
}

/* Dataset of a source for a type, "" where a mass stands in the table alone. */
static void
find_dataset(const reader *r, const hg_source *source, int type, char path[128])
{
    snprintf(path, 128, "PartType%d/%.60s", type, source->path[0]);
    if (source->kind == HG_GADGET_MASS && !hg_h5_exists(r->h5, path)) {
        const hg_gadget_plan *own = r->plan->extra;

        snprintf(path, 128, "PartType%d/DynamicalMasses", type);
        if (!hg_h5_exists(r->h5, path) && own->mass[type] > 0) {
            path[0] = '\0';
        }
    }
}

/* Rows [from, from + n) of the open block into rows [at, ...) of a column. */
static hg_status
read_block(const reader *r, const hg_gadget_block *block, const hg_source *source, int64_t from,
           int64_t n, int64_t at, const hg_column *column)
{
    const hg_gadget_plan *own = r->plan->extra;
    double value = block->type;

    if (source->kind != HG_GADGET_TYPE) {
        hg_source stored = *source;

        if (own->is_binary && block->array[source->kind].row > 0) {
            return hg_binary_read(r->raw, &block->array[source->kind], source, from, n, at,
                                  column->data);
        }
        if (!own->is_binary) {
            find_dataset(r, source, block->type, stored.path[0]);
        }
        if (!own->is_binary && stored.path[0][0] != '\0') {
            return hg_source_read(r->h5, &stored, from, n, at, column->data);
        }
        value = own->mass[block->type];
    }
    for (int64_t i = 0; i < n; i++) {
        hg_column_set(column->type, column->data, at + i, value);
    }
    return HG_OK;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    const hg_gadget_plan *own = plan->extra;
    reader r = {.plan = plan, .file = -1};
    hg_status status = HG_OK, closed;

    for (int s = 0; s < n_source; s++) {
        const hg_column *c = &source[s]->column;

        HG_TRY(hg_table_add(table, c->name, c->unit, c->type, c->width, NULL));
    }
    for (int f = n > 0 ? hg_plan_find_file(plan, first) : plan->n_file;
         f < plan->n_file && plan->file[f].first < first + n && status == HG_OK; f++) {
        int64_t from = 0, count = hg_plan_overlap(&plan->file[f], first, n, &from);

        status = count > 0 ? open_file(&r, f) : HG_OK;
        for (int s = 0; s < n_source && status == HG_OK && count > 0; s++) {
            status =
                read_block(&r, &own->block[f], source[s], from - plan->file[f].first, count,
                           from - first, hg_table_find(table, source[s]->column.name));
        }
    }
    closed = close_file(&r);
    return status != HG_OK ? status : closed;
}

const hg_format hg_format_gadget = {.name = "gadget",
                                    .probe = probe,
                                    .plan = plan_files,
                                    .read = read_rows,
                                    .is_particles = true,
                                    .is_set = true};
