/* A plan is three growing arrays and a pool of names; it has no pointers into itself, so that
 * it can be broadcast as bytes. Values are converted in double, block by block, and rounded
 * once to the type of the column; columns that need no conversion are read in place.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/format.h"
#include "catalog/layout.h"
#include "halograft/log.h"

enum { BLOCK = 1 << 15 };

hg_status
hg_plan_add_file(hg_plan *plan, const char *path, int64_t rows, hg_plan_file **file)
{
    size_t n = strlen(path) + 1;

    if (rows < 0 || rows > HG_PLAN_ROWS_MAX || plan->n_row > HG_PLAN_ROWS_MAX - rows) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' says it has %" PRId64 " rows, which cannot be: it is damaged",
                       path, rows);
    }
    HG_TRY(hg_mem_resize(&plan->file, (size_t)plan->n_file + 1, sizeof *plan->file));
    HG_TRY(hg_mem_resize(&plan->names, plan->n_name + n, 1));
    memcpy(plan->names + plan->n_name, path, n);
    *file = &plan->file[plan->n_file++];
    **file = (hg_plan_file){.path = plan->n_name, .first = plan->n_row, .rows = rows};
    plan->n_name += n;
    plan->n_row += rows;
    return HG_OK;
}

hg_status
hg_plan_check_set(const hg_catalog_options *options, const hg_files *files, double n_file,
                  double n_total, const char *what, hg_plan *plan)
{
    plan->incomplete = (double)files->n != n_file;
    if (plan->incomplete && !options->partial) {
        return HG_FAIL(HG_E_INPUT,
                       "%d of the %g files of the catalogue of '%s' are named: use a pattern "
                       "with {file}, or set partial to read an incomplete set",
                       files->n, n_file, files->path[0]);
    }
    if (!plan->incomplete && (double)plan->n_row != n_total) {
        return HG_FAIL(HG_E_INPUT, "the %d files hold %" PRId64 " %s, but '%s' promises %.0f",
                       files->n, plan->n_row, what, files->path[0], n_total);
    }
    if (plan->incomplete) {
        hg_log_warn("catalogue: partial, %d of %g files of '%s'", files->n, n_file,
                    files->path[0]);
    }
    return HG_OK;
}

hg_status
hg_plan_add_source(hg_plan *plan, const char *name, hg_source **source)
{
    const hg_layout_entry *entry = hg_layout_quantity(name);

    if (strlen(name) >= HG_NAME_MAX) {
        return HG_FAIL(HG_E_FORMAT, "column name '%s' is longer than %d characters", name,
                       HG_NAME_MAX - 1);
    }
    HG_TRY(hg_mem_resize(&plan->source, (size_t)plan->n_source + 1, sizeof *plan->source));
    *source = &plan->source[plan->n_source++];
    **source = (hg_source){.n_path = 1, .element = {-1, -1, -1}, .factor = 1};
    (*source)->column.width = 1;
    snprintf((*source)->column.name, HG_NAME_MAX, "%s", name);
    if (entry != NULL) {
        snprintf((*source)->column.unit, HG_UNIT_MAX, "%s", entry->unit);
        (*source)->column.type = entry->type;
        (*source)->column.width = entry->width;
    }
    return HG_OK;
}

const char *
hg_plan_path(const hg_plan *plan, int i)
{
    return plan->names + plan->file[i].path;
}

void
hg_plan_clear(hg_plan *plan)
{
    hg_mem_free(plan->file);
    hg_mem_free(plan->source);
    hg_mem_free(plan->names);
    hg_mem_free(plan->extra);
    hg_mem_free(plan->run);
    *plan = (hg_plan){0};
}

int
hg_plan_find_file(const hg_plan *plan, int64_t row)
{
    int low = 0, high = plan->n_file - 1;

    while (low < high) {
        int middle = (low + high + 1) / 2;

        if (plan->file[middle].first <= row) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

const hg_source *
hg_plan_find(const hg_plan *plan, const char *name)
{
    for (int i = 0; i < plan->n_source; i++) {
        if (strcmp(plan->source[i].column.name, name) == 0) {
            return &plan->source[i];
        }
    }
    return plan->redshift.derived && strcmp(name, "redshift") == 0 ? &plan->redshift : NULL;
}

void
hg_column_set(hg_column_type type, void *data, int64_t i, double value)
{
    switch (type) {
    case HG_COLUMN_F64:
        ((double *)data)[i] = value;
        return;
    case HG_COLUMN_F32:
        ((float *)data)[i] = (float)value;
        return;
    case HG_COLUMN_I64:
        ((int64_t *)data)[i] = isfinite(value) && fabs(value) < 0x1p63 ? (int64_t)value : -1;
        return;
    case HG_COLUMN_I32:
        ((int32_t *)data)[i] = isfinite(value) && fabs(value) < 0x1p31 ? (int32_t)value : -1;
        return;
    case HG_COLUMN_U8:
        ((uint8_t *)data)[i] = value >= 0 && value < 256 ? (uint8_t)value : 255;
        return;
    }
}

/* Values that need no arithmetic go straight to their place, in the column's own type; unsigned
 * 64-bit ids keep their bits. */
static hg_status
read_direct(hg_h5 *file, const hg_source *source, int64_t first, int64_t n, int64_t at,
            void *data)
{
    const hg_column *column = &source->column;
    hg_type type = hg_layout_type(column->type);
    char *to = (char *)data + (size_t)at * (size_t)column->width * hg_type_size(type);

    if (column->type == HG_COLUMN_I64 && source->disk == HG_U64) {
        type = HG_U64;
    }
    if (source->element[0] >= 0) {
        return hg_h5_read_column(file, source->path[0], first, n, source->element[0], type, to);
    }
    return hg_h5_read(file, source->path[0], first, n, type, to);
}

/* Real numbers become integers without loss, or not at all. */
static hg_status
check_whole(hg_h5 *file, const hg_source *source, int p, int64_t first, int64_t n,
            const double x[])
{
    for (int64_t i = 0; i < n; i++) {
        if (!(fabs(x[i]) < 0x1p53) || x[i] != floor(x[i])) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' row %" PRId64 ": %.17g in dataset '%s' is not an integer, as "
                           "column '%s' must be",
                           hg_h5_path(file), first + i / source->column.width, x[i],
                           source->path[p], source->column.name);
        }
    }
    return HG_OK;
}

/* Converted values of a block to every `stride`-th element of a column from `to` on; the loops
 * of the usual types have nothing to decide. */
static void
store_block(const hg_source *source, int64_t n, const double value[], int stride, int64_t to,
            void *data)
{
    const double factor = source->factor, offset = source->offset;

    if (source->column.type == HG_COLUMN_F64) {
        for (int64_t i = 0; i < n; i++) {
            ((double *)data)[to + i * stride] = (value[i] + offset) * factor;
        }
    } else if (source->column.type == HG_COLUMN_F32) {
        for (int64_t i = 0; i < n; i++) {
            ((float *)data)[to + i * stride] = (float)((value[i] + offset) * factor);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            hg_column_set(source->column.type, data, to + i * stride,
                          (value[i] + offset) * factor);
        }
    }
}

hg_status
hg_source_read(hg_h5 *file, const hg_source *source, int64_t first, int64_t n, int64_t at,
               void *data)
{
    const hg_column *column = &source->column;
    const int width = column->width, per = source->n_path > 1 ? 1 : width;
    double *buffer = NULL;
    hg_status status = HG_OK;

    if (n == 0) {
        return HG_OK;
    }
    if (source->n_path == 1 && source->factor == 1 && source->offset == 0 && !source->whole) {
        return read_direct(file, source, first, n, at, data);
    }
    HG_TRY(hg_mem_array(&buffer, (size_t)BLOCK * (size_t)per, sizeof *buffer));
    for (int64_t done = 0; done < n && status == HG_OK; done += BLOCK) {
        int64_t block = n - done < BLOCK ? n - done : BLOCK;

        for (int p = 0; p < source->n_path && status == HG_OK; p++) {
            status =
                source->element[p] >= 0
                    ? hg_h5_read_column(file, source->path[p], first + done, block,
                                        source->element[p], HG_F64, buffer)
                    : hg_h5_read(file, source->path[p], first + done, block, HG_F64, buffer);
            if (source->whole && status == HG_OK) {
                status = check_whole(file, source, p, first + done, block * per, buffer);
            }
            if (status == HG_OK) {
                store_block(source, block * per, buffer, source->n_path > 1 ? width : 1,
                            (at + done) * width + p, data);
            }
        }
    }
    hg_mem_free(buffer);
    return status;
}

int64_t
hg_plan_overlap(const hg_plan_file *file, int64_t first, int64_t n, int64_t *from)
{
    int64_t low = first > file->first ? first : file->first;
    int64_t end = first + n < file->first + file->rows ? first + n : file->first + file->rows;

    *from = low;
    return end > low ? end - low : 0;
}

/* Rows of a file that are wanted, with the file open and its disk already at work on them; none
 * are left where `file` is NULL. */
typedef struct flat_file {
    hg_h5 *file;
    int at;
    int64_t from, count;
} flat_file;

/* Open the next file from number `at` on that has rows of the range. */
static hg_status
open_flat(const hg_plan *plan, int at, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], flat_file *flat)
{
    *flat = (flat_file){.file = NULL};
    for (int f = at; f < plan->n_file && plan->file[f].first < first + n; f++) {
        flat->count = hg_plan_overlap(&plan->file[f], first, n, &flat->from);
        if (flat->count > 0) {
            flat->at = f;
            HG_TRY(hg_h5_open(hg_plan_path(plan, f), &flat->file));
            break;
        }
    }
    for (int s = 0; s < n_source && flat->file != NULL; s++) {
        for (int p = 0; p < source[s]->n_path; p++) {
            hg_h5_read_ahead(flat->file, source[s]->path[p],
                             flat->from - plan->file[flat->at].first, flat->count);
        }
    }
    return HG_OK;
}

hg_status
hg_plan_read_flat(const hg_plan *plan, int64_t first, int64_t n, int n_source,
                  const hg_source *const source[], hg_table *table)
{
    flat_file here = {.file = NULL}, next = {.file = NULL};
    hg_status status;

    for (int s = 0; s < n_source; s++) {
        const hg_column *c = &source[s]->column;

        HG_TRY(hg_table_add(table, c->name, c->unit, c->type, c->width, NULL));
    }
    status = n > 0 ? open_flat(plan, hg_plan_find_file(plan, first), first, n, n_source, source,
                               &here)
                   : HG_OK;
    while (status == HG_OK && here.file != NULL) {
        hg_status closed;

        status = open_flat(plan, here.at + 1, first, n, n_source, source, &next);
        for (int s = 0; s < n_source && status == HG_OK; s++) {
            const hg_column *c = hg_table_find(table, source[s]->column.name);

            status = hg_source_read(here.file, source[s], here.from - plan->file[here.at].first,
                                    here.count, here.from - first, c->data);
        }
        closed = hg_h5_close(here.file);
        status = status != HG_OK ? status : closed;
        here = next;
        next.file = NULL;
    }
    if (here.file != NULL && hg_h5_close(here.file) != HG_OK) { /* after a failure */
        return hg_error_last()->status;
    }
    return status;
}

static hg_status
merge_value(double given, const char *name, const char *path, double *value)
{
    if (isnan(given)) {
        return HG_OK;
    }
    if (isfinite(*value) && fabs(given - *value) > 1e-3 * fmax(fabs(*value), 1e-2)) {
        return HG_FAIL(HG_E_INPUT,
                       "%s is %.10g in '%s' but %.10g in the parameters: remove the parameter "
                       "or correct it",
                       name, *value, path, given);
    }
    if (!isfinite(*value)) {
        *value = given;
    }
    return HG_OK;
}

hg_status
hg_frame_merge(const hg_frame *given, const char *path, hg_frame *frame)
{
    if (isnan(frame->redshift) && frame->scale_factor > 0) {
        frame->redshift = 1 / frame->scale_factor - 1;
    }
    HG_TRY(merge_value(given->box, "box (Mpc)", path, &frame->box));
    HG_TRY(merge_value(given->redshift, "redshift", path, &frame->redshift));
    HG_TRY(merge_value(given->scale_factor, "scale factor", path, &frame->scale_factor));
    HG_TRY(merge_value(given->h, "h", path, &frame->h));
    HG_TRY(merge_value(given->omega_m, "Omega_m", path, &frame->omega_m));
    HG_TRY(merge_value(given->omega_l, "Omega_lambda", path, &frame->omega_l));
    HG_TRY(merge_value(given->omega_b, "Omega_b", path, &frame->omega_b));
    HG_TRY(merge_value(given->sigma_8, "sigma_8", path, &frame->sigma_8));
    HG_TRY(merge_value(given->n_s, "n_s", path, &frame->n_s));
    HG_TRY(
        merge_value(given->particle_mass, "particle mass (Msun)", path, &frame->particle_mass));
    frame->dark_matter_only = frame->dark_matter_only || given->dark_matter_only;
    if (isnan(frame->scale_factor) && isfinite(frame->redshift)) {
        frame->scale_factor = 1 / (1 + frame->redshift);
    }
    if (isnan(frame->redshift) && frame->scale_factor > 0) {
        frame->redshift = 1 / frame->scale_factor - 1;
    }
    return HG_OK;
}
