/* Opening is one act of rank 0: it expands the names, probes the first file, and lets the
 * format plan; the plan goes to all ranks as bytes. After that every call is local. Nothing but
 * headers is read before the first part. Reading adds the same checks to every format.
 */
#include "halograft/catalog.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog/check.h"
#include "catalog/columns.h"
#include "catalog/files.h"
#include "catalog/format.h"
#include "catalog/layout.h"
#include "catalog/run_table.h"
#include "halograft/log.h"
#include "store/publish.h"

struct hg_catalog {
    hg_plan plan;
    hg_catalog *side; /* further columns of the same rows, which may have a side-car too */
};

const hg_format *const hg_formats[] = {
    &hg_format_halograft, &hg_format_soap,         &hg_format_eagle,   &hg_format_subfind,
    &hg_format_hbt,       &hg_format_velociraptor, &hg_format_gadget,  &hg_format_rockstar,
    &hg_format_ahf,       &hg_format_lgadget3,     &hg_format_columns, NULL};

static hg_status
name_formats(const char *given, int *format)
{
    const char *names[sizeof hg_formats / sizeof hg_formats[0]];
    size_t n = 0;

    for (; hg_formats[n] != NULL; n++) {
        names[n] = hg_formats[n]->name;
        if (strcmp(names[n], given) == 0) {
            *format = (int)n;
            return HG_OK;
        }
    }
    return HG_FAIL(HG_E_PARAM, "'%s' is not a known format of catalogues%s", given,
                   hg_text_hint(given, n, names).text);
}

/* A master that is missing while its parts are there tells of a run that did not end. */
static hg_status
explain_missing(const char *path)
{
    char part[HG_PATH_MAX + 16];
    size_t n = strlen(path);

    if (n > 5 && strcmp(path + n - 5, ".hdf5") == 0) {
        snprintf(part, sizeof part, "%.*s.0.hdf5", (int)(n - 5), path);
        if (hg_file_exists(part)) {
            return HG_FAIL(HG_E_INPUT,
                           "catalogue '%s' is unfinished, its parts are there but not its "
                           "master: run again what writes it",
                           path);
        }
    }
    return HG_FAIL(HG_E_NOTFOUND, "file '%s' does not exist", path);
}

static hg_status
choose_format(const hg_catalog_options *options, const char *path, int *format)
{
    static const hg_error_record none = {.status = HG_OK};
    hg_text reasons = {0};
    hg_h5 *file = NULL;
    hg_status status;

    if (options->format != NULL && strcmp(options->format, "auto") != 0) {
        return name_formats(options->format, format);
    }
    if (options->mapping != NULL) {
        return name_formats("columns", format);
    }
    hg_error_set(&none);
    for (int i = 0; hg_formats[i] != NULL; i++) {
        const bool is_it = hg_formats[i]->probe != NULL && hg_formats[i]->probe(path, &reasons);

        if (hg_error_last()->status == HG_E_MEMORY) { /* it could not look: not a "no" */
            hg_text_clear(&reasons);
            return HG_E_MEMORY;
        }
        if (is_it) {
            *format = i;
            hg_text_clear(&reasons);
            return HG_OK;
        }
    }
    hg_text_clear(&reasons);
    /* a damaged file says so here, which is better than "unknown" */
    status = hg_h5_open(path, &file);
    if (status == HG_OK) {
        status = hg_h5_close(file);
    }
    if (status != HG_OK && strstr(path, ".h") != NULL) {
        return status;
    }
    return HG_FAIL(
        HG_E_FORMAT,
        "'%s' is of no format that is known by itself: describe it in a mapping file "
        "(docs/formats/mapping.md)",
        path);
}

static hg_status
read_policy(const char *text, hg_bad_rows *policy)
{
    if (text == NULL || strcmp(text, "error") == 0) {
        *policy = HG_BAD_ERROR;
    } else if (strcmp(text, "drop") == 0) {
        *policy = HG_BAD_DROP;
    } else if (strcmp(text, "flag") == 0) {
        *policy = HG_BAD_FLAG;
    } else {
        return HG_FAIL(HG_E_PARAM, "on_bad_rows is '%s', but may be error, drop or flag", text);
    }
    return HG_OK;
}

/* Names without folder, sizes and rows of all files, and what the headers say. */
static uint64_t
identify(const hg_plan *plan)
{
    uint64_t hash = hg_hash_bytes(&plan->n_row, sizeof plan->n_row);
    const double header[] = {plan->frame.box, plan->frame.redshift, plan->frame.h,
                             plan->frame.omega_m};

    for (int i = 0; i < plan->n_file; i++) {
        const char *path = hg_plan_path(plan, i), *slash = strrchr(path, '/');
        const char *name = slash != NULL ? slash + 1 : path;

        hash = hg_hash_more(hash, name, strlen(name));
        hash = hg_hash_more(hash, &plan->file[i].bytes, sizeof plan->file[i].bytes);
        hash = hg_hash_more(hash, &plan->file[i].rows, sizeof plan->file[i].rows);
    }
    if (plan->snap >= 0) { /* other datasets of the same files */
        hash = hg_hash_more(hash, &plan->snap, sizeof plan->snap);
    }
    return hg_hash_more(hash, header, sizeof header);
}

/* Columns every catalogue has: the row, the row as id where the format has no id, and the
 * redshift where it is known. */
static hg_status
add_derived(hg_plan *plan)
{
    static const char *const names[] = {"id", "row"};

    for (int i = 0; i < 2; i++) {
        hg_source *source = NULL;

        if (hg_plan_find(plan, names[i]) == NULL) {
            HG_TRY(hg_plan_add_source(plan, names[i], &source));
            source->derived = true;
        }
    }
    if (hg_plan_find(plan, "redshift") == NULL && isfinite(plan->frame.redshift)) {
        plan->redshift = (hg_source){.column = {.name = "redshift", .width = 1},
                                     .derived = true,
                                     .run_value = HG_RUN_REDSHIFT};
    }
    return HG_OK;
}

hg_status
hg_plan_make(const hg_catalog_options *options, hg_plan *plan)
{
    hg_files files = {0};
    hg_status status;

    *plan = (hg_plan){.frame = HG_FRAME_UNKNOWN, .snap = -1};
    plan->rows_per_part =
        options->rows_per_part > 0 ? options->rows_per_part : HG_ROWS_PER_PART;
    HG_TRY(read_policy(options->on_bad_rows, &plan->on_bad_rows));
    plan->trees = options->trees;
    for (int i = 0; i < options->n_file; i++) {
        if (strchr(options->files[i], '{') == NULL && !hg_file_exists(options->files[i])) {
            return explain_missing(options->files[i]);
        }
    }
    if (options->n_file == 0 && options->mapping != NULL) {
        HG_TRY(hg_columns_files(options->mapping, options->snap, &files));
    } else {
        HG_TRY(hg_files_expand(options->n_file, options->files, &files));
    }
    HG_TRY_OR(done, status, choose_format(options, files.path[0], &plan->format));
    if (hg_formats[plan->format]->is_particles && !options->particles) {
        status = HG_FAIL(HG_E_INPUT,
                         "'%s' is a particle snapshot, from which no haloes can be made here: "
                         "give the catalogue of a halo finder (snapshots can be measured)",
                         files.path[0]);
        goto done;
    }
    HG_TRY_OR(done, status, hg_formats[plan->format]->plan(options, &files, plan));
    HG_TRY_OR(done, status, hg_frame_merge(&options->frame, files.path[0], &plan->frame));
    HG_TRY_OR(done, status, add_derived(plan));
    for (int i = 0; i < plan->n_file; i++) {
        plan->file[i].bytes = hg_file_size(hg_plan_path(plan, i));
    }
    plan->identity = identify(plan);
    HG_TRY_OR(done, status, hg_run_table_plan(options, plan));
    if (plan->n_row == 0) {
        hg_log_warn("catalogue: '%s' holds no haloes", files.path[0]);
    }
done:
    hg_files_clear(&files);
    return status;
}

static hg_status
share_plan(const hg_comm *comm, hg_plan *plan)
{
    hg_plan head = *plan;
    hg_status status = HG_OK;

    hg_comm_broadcast(comm, 0, &head, sizeof head);
    if (comm->rank != 0) {
        head.file = NULL;
        head.source = NULL;
        head.names = head.extra = head.run = NULL;
        *plan = head;
        HG_TRY_OR(agree, status,
                  hg_mem_array(&plan->file, (size_t)head.n_file, sizeof *plan->file));
        HG_TRY_OR(agree, status,
                  hg_mem_array(&plan->source, (size_t)head.n_source, sizeof *plan->source));
        HG_TRY_OR(agree, status, hg_mem_array(&plan->names, head.n_name, 1));
        HG_TRY_OR(agree, status, hg_mem_array(&plan->extra, head.n_extra, 1));
        HG_TRY_OR(agree, status, hg_mem_array(&plan->run, hg_run_table_bytes(&head), 1));
    }
agree:
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, plan->file, (size_t)head.n_file * sizeof *plan->file);
    hg_comm_broadcast(comm, 0, plan->source, (size_t)head.n_source * sizeof *plan->source);
    hg_comm_broadcast(comm, 0, plan->names, head.n_name);
    hg_comm_broadcast(comm, 0, plan->extra, head.n_extra);
    hg_comm_broadcast(comm, 0, plan->run, hg_run_table_bytes(&head));
    return HG_OK;
}

hg_status
hg_catalog_open(const hg_comm *comm, const hg_catalog_options *options, hg_catalog **catalog)
{
    hg_catalog *c = NULL;
    hg_status status;

    *catalog = NULL;
    HG_TRY_OR(agree, status, hg_mem_zeros(&c, 1, sizeof *c));
    if (comm->rank == 0) {
        status = hg_plan_make(options, &c->plan);
    }
agree:
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    HG_TRY_OR(fail, status, share_plan(comm, &c->plan));
    *catalog = c;
    return HG_OK;

fail:
    hg_catalog_close(c);
    return status;
}

void
hg_catalog_close(hg_catalog *catalog)
{
    if (catalog != NULL) {
        hg_catalog_close(catalog->side);
        hg_plan_clear(&catalog->plan);
        hg_mem_free(catalog);
    }
}

const char *
hg_catalog_format(const hg_catalog *catalog)
{
    return hg_formats[catalog->plan.format]->name;
}

const hg_plan *
hg_catalog_plan(const hg_catalog *catalog)
{
    return &catalog->plan;
}

int64_t
hg_catalog_n_row(const hg_catalog *catalog)
{
    return catalog->plan.n_row;
}

int64_t
hg_catalog_n_part(const hg_catalog *catalog)
{
    const hg_plan *plan = &catalog->plan;

    return (plan->n_row + plan->rows_per_part - 1) / plan->rows_per_part;
}

const hg_frame *
hg_catalog_frame(const hg_catalog *catalog)
{
    return &catalog->plan.frame;
}

int64_t
hg_catalog_part_first(const hg_catalog *catalog, int64_t part)
{
    return part * catalog->plan.rows_per_part;
}

int64_t
hg_catalog_part_rows(const hg_catalog *catalog, int64_t part)
{
    const hg_plan *plan = &catalog->plan;
    int64_t left = plan->n_row - part * plan->rows_per_part;

    return left < plan->rows_per_part ? left : plan->rows_per_part;
}

int
hg_catalog_n_column(const hg_catalog *catalog)
{
    return catalog->plan.n_source +
           (catalog->side != NULL ? hg_catalog_n_column(catalog->side) : 0);
}

const hg_column *
hg_catalog_column(const hg_catalog *catalog, int i)
{
    const int n = catalog->plan.n_source;

    return i < n ? &catalog->plan.source[i].column : hg_catalog_column(catalog->side, i - n);
}

const hg_column *
hg_catalog_find(const hg_catalog *catalog, const char *name)
{
    for (const hg_catalog *c = catalog; c != NULL; c = c->side) {
        const hg_source *source = hg_plan_find(&c->plan, name);

        if (source != NULL) {
            return &source->column;
        }
    }
    return NULL;
}

uint64_t
hg_catalog_identity(const hg_catalog *catalog)
{
    return catalog->plan.identity;
}

/* The source of a name; "NAME[k]" is made from a source with several elements. */
static hg_status
resolve(const hg_plan *plan, const char *name, hg_source *source)
{
    const hg_source *found = hg_plan_find(plan, name);
    const char *bracket = strchr(name, '['), **names = NULL;
    char base[HG_NAME_MAX];
    hg_status status;

    if (found != NULL) {
        *source = *found;
        return HG_OK;
    }
    if (bracket != NULL && strlen(name) < HG_NAME_MAX) {
        int k = atoi(bracket + 1);

        snprintf(base, sizeof base, "%.*s", (int)(bracket - name), name);
        found = hg_plan_find(plan, base);
        if (found != NULL && k >= 0 && k < found->column.width && !found->derived) {
            *source = *found;
            snprintf(source->column.name, HG_NAME_MAX, "%s", name);
            source->column.width = 1;
            source->element[0] = found->n_path > 1 ? found->element[k] : k;
            memmove(source->path[0], source->path[found->n_path > 1 ? k : 0],
                    sizeof source->path[0]);
            source->n_path = 1;
            return HG_OK;
        }
    }
    HG_TRY(hg_mem_array(&names, (size_t)plan->n_source, sizeof *names));
    for (int i = 0; i < plan->n_source; i++) {
        names[i] = plan->source[i].column.name;
    }
    status = HG_FAIL(HG_E_NOTFOUND, "'%s' has no column '%s'%s",
                     plan->n_file > 0 ? hg_plan_path(plan, 0) : "the catalogue", name,
                     hg_text_hint(name, (size_t)plan->n_source, names).text);
    hg_mem_free(names);
    return status;
}

static hg_status
add_rows(hg_table *table, const char *name, int64_t first)
{
    int64_t *row = NULL;

    HG_TRY(hg_table_add(table, name, "", HG_COLUMN_I64, 1, &row));
    for (int64_t i = 0; i < table->n; i++) {
        row[i] = first + i;
    }
    return HG_OK;
}

/* The wanted columns, each once, `id` first, and the one that tells the run; rows and ids that
 * are not stored are made here, parameters of runs later. */
static hg_status
read_columns(const hg_plan *plan, int64_t first, int n_name, const char *const names[],
             hg_table *table)
{
    hg_source *source = NULL;
    const hg_source **stored = NULL;
    int n = 0;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&source, (size_t)n_name + 2, sizeof *source));
    HG_TRY_OR(done, status, hg_mem_array(&stored, (size_t)n_name + 2, sizeof *stored));
    for (int i = -1; i < n_name + (plan->run_key[0] != '\0'); i++) {
        const char *name = i < 0 ? "id" : i < n_name ? names[i] : plan->run_key;
        bool known = false;

        for (int j = 0; j < n; j++) {
            known = known || strcmp(stored[j]->column.name, name) == 0;
        }
        if (known || hg_table_find(table, name) != NULL) {
            continue;
        }
        HG_TRY_OR(done, status, resolve(plan, name, &source[n]));
        if (source[n].derived && (strcmp(name, "id") == 0 || strcmp(name, "row") == 0)) {
            HG_TRY_OR(done, status, add_rows(table, name, first));
        } else if (source[n].run_value == 0) {
            stored[n] = &source[n];
            n++;
        }
    }
    status = hg_formats[plan->format]->read(plan, first, table->n, n, stored, table);
done:
    hg_mem_free(source);
    hg_mem_free(stored);
    return status;
}

hg_status
hg_catalog_join(hg_catalog *catalog, hg_catalog *side)
{
    if (side->plan.n_row != catalog->plan.n_row) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' has %" PRId64 " rows, but '%s' %" PRId64
                       ": it is no side-car of this catalogue",
                       side->plan.n_file > 0 ? hg_plan_path(&side->plan, 0) : "the side-car",
                       side->plan.n_row,
                       catalog->plan.n_file > 0 ? hg_plan_path(&catalog->plan, 0)
                                                : "the catalogue",
                       catalog->plan.n_row);
    }
    while (catalog->side != NULL) {
        catalog = catalog->side;
    }
    catalog->side = side;
    return HG_OK;
}

/* Columns of the catalogue itself, checked, and on request the rows, since bad ones may be
 * dropped. */
static hg_status
read_own(const hg_catalog *catalog, int64_t part, bool numbered, int n_name,
         const char *const names[], hg_table *table)
{
    const hg_plan *plan = &catalog->plan;
    const int64_t first = hg_catalog_part_first(catalog, part);

    *table = (hg_table){.n = hg_catalog_part_rows(catalog, part), .first = first};
    table->frame = plan->frame;
    HG_TRY(read_columns(plan, first, n_name, names, table));
    if (numbered) {
        HG_TRY(add_rows(table, HG_CATALOG_ROW, first));
    }
    HG_TRY(hg_check_ids(plan, first, table));
    HG_TRY(hg_check_rows(plan, first, table));
    return hg_run_table_read(plan, n_name, names, table);
}

/* Copy one column of the side-car to the rows of a table that are left. */
static hg_status
pick_rows(const hg_column *from, hg_table *table)
{
    const size_t size = hg_type_size(hg_layout_type(from->type)) * (size_t)from->width;
    const int64_t *row;
    char *to = NULL;

    HG_TRY(hg_table_add(table, from->name, from->unit, from->type, from->width, &to));
    row = hg_table_i64(table, HG_CATALOG_ROW);
    for (int64_t i = 0; i < table->n; i++) {
        memcpy(to + (size_t)i * size,
               (const char *)from->data + (size_t)(row[i] - table->first) * size, size);
    }
    return HG_OK;
}

/* The member of a chain of side-cars that has a column; the catalogue itself where none has. */
static const hg_catalog *
find_owner(const hg_catalog *catalog, const char *name)
{
    for (const hg_catalog *c = catalog; c != NULL; c = c->side) {
        if (hg_plan_find(&c->plan, name) != NULL) {
            return c;
        }
    }
    return catalog;
}

/* Add those of the named columns that one side-car has. */
static hg_status
read_side(const hg_catalog *catalog, const hg_catalog *side, int64_t part, int n_name,
          const char *const names[], hg_table *table)
{
    hg_table more = {.n = hg_catalog_part_rows(catalog, part),
                     .first = hg_catalog_part_first(catalog, part)};
    const char **mine = NULL;
    int n_mine = 0;
    hg_status status = hg_mem_array(&mine, (size_t)n_name, sizeof *mine);

    for (int i = 0; i < n_name && status == HG_OK; i++) {
        if (find_owner(catalog, names[i]) == side) {
            mine[n_mine++] = names[i];
        }
    }
    if (status == HG_OK && n_mine > 0) {
        status = read_columns(&side->plan, more.first, n_mine, mine, &more);
    }
    for (int i = 0; i < n_mine && status == HG_OK; i++) {
        status = pick_rows(hg_table_find(&more, mine[i]), table);
    }
    hg_mem_free(mine);
    hg_table_clear(&more);
    return status;
}

hg_status
hg_catalog_read(const hg_catalog *catalog, int64_t part, int n_name, const char *const names[],
                hg_table *table)
{
    const char **own = NULL, **side = NULL;
    bool numbered = false;
    int n_own = 0, n_side = 0;
    hg_status status;

    HG_ASSERT(part >= 0 && part < hg_catalog_n_part(catalog));
    *table = (hg_table){0};
    HG_TRY_OR(done, status, hg_mem_array(&own, (size_t)n_name, sizeof *own));
    HG_TRY_OR(done, status, hg_mem_array(&side, (size_t)n_name, sizeof *side));
    for (int i = 0; i < n_name; i++) {
        const bool is_side = find_owner(catalog, names[i]) != catalog;

        if (strcmp(names[i], HG_CATALOG_ROW) == 0) {
            numbered = true;
        } else {
            *(is_side ? &side[n_side++] : &own[n_own++]) = names[i];
        }
    }
    HG_TRY_OR(done, status, read_own(catalog, part, numbered || n_side > 0, n_own, own, table));
    for (const hg_catalog *s = catalog->side; s != NULL && n_side > 0; s = s->side) {
        HG_TRY_OR(done, status, read_side(catalog, s, part, n_side, side, table));
    }
    if (!numbered) {
        hg_table_drop(table, HG_CATALOG_ROW);
    }
done:
    hg_mem_free(own);
    hg_mem_free(side);
    if (status != HG_OK) {
        hg_table_clear(table);
    }
    return status;
}
