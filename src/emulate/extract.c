/* Ranks without a part of their own hold an empty table with the same columns, so that all take
 * the same steps. Rows are dropped after the hosts are joined: a selection may ask for them. */
#include "emulate/extract.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/check.h"
#include "catalog/layout.h"
#include "halograft/log.h"
#include "suite/paths.h"
#include "table/identity.h"
#include "table/split.h"

static bool
is_declared(const hg_extract *e, const char *name)
{
    for (int i = 0; i < e->n_column; i++) {
        if (strcmp(e->column[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static hg_status
declare(hg_extract *e, const char *name, const char *unit, const char *kind,
        const char *description)
{
    hg_output_column *c = &e->column[e->n_column];

    if (is_declared(e, name)) {
        return HG_OK;
    }
    if (e->n_column == 256) {
        return HG_FAIL(HG_E_PARAM,
                       "more than 256 columns are wanted, choose in Convert.columns");
    }
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->unit, sizeof c->unit, "%s", unit);
    snprintf(c->kind, sizeof c->kind, "%s", kind);
    snprintf(c->description, sizeof c->description, "%s", description);
    e->n_column++;
    return HG_OK;
}

/* A column of the catalogue, if it is there. */
static hg_status
take(hg_extract *e, const char *name)
{
    const hg_column *c = hg_catalog_find(e->catalog, name);

    if (c == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_names_add(&e->names, name));
    return declare(e, name, c->unit, "input", "");
}

/* Whether a name is one that the join of hosts makes. */
static bool
is_of_host(const hg_extract *e, const char *name)
{
    const hg_strings *hosts = &e->params->convert.hosts;
    bool found = hosts->n > 0 && strcmp(name, "host_row") == 0;

    for (int i = 0; i < hosts->n; i++) {
        found = found || (strncmp(name, "host_", 5) == 0 && strcmp(name + 5, hosts->v[i]) == 0);
    }
    return found;
}

static hg_status
take_hosts(hg_extract *e)
{
    const hg_strings *hosts = &e->params->convert.hosts;

    if (hosts->n == 0) {
        return HG_OK;
    }
    if (hg_catalog_find(e->catalog, "host_id") == NULL) {
        return HG_FAIL(
            HG_E_NOTFOUND,
            "the catalogue does not tell the hosts of its haloes (no column host_id), "
            "so Convert.hosts cannot be served");
    }
    HG_TRY(declare(e, "host_row", "", "input", ""));
    for (int i = 0; i < hosts->n; i++) {
        const hg_column *c = hg_catalog_find(e->catalog, hosts->v[i]);
        char name[HG_NAME_MAX], text[160];

        HG_TRY(hg_names_add(&e->names, hosts->v[i]));
        snprintf(name, sizeof name, "host_%.50s", hosts->v[i]);
        snprintf(text, sizeof text, "%.50s of the top host, of itself for a central",
                 hosts->v[i]);
        HG_TRY(declare(e, name, c != NULL ? c->unit : "", "input", text));
    }
    return HG_OK;
}

/* The columns of histories, and the one that tells orphans. */
static hg_status
declare_orphans(hg_extract *e)
{
    if (e->orphans == NULL) {
        return HG_OK;
    }
    for (int c = 0; c < e->orphans->recipe.n_column; c++) {
        const hg_output_column *column = &e->orphans->recipe.column[c].output;

        HG_TRY(declare(e, column->name, column->unit, "input", column->description));
        snprintf(e->column[e->n_column - 1].path, sizeof column->path, "%s", column->path);
    }
    return declare(e, HG_ORPHAN, "", "flag", "");
}

/* Whether a column is made here, not read. */
static bool
is_made(const hg_extract *e, const char *name)
{
    return is_of_host(e, name) || hg_orphan_rows_makes(e->orphans, name);
}

static hg_status
choose_columns(hg_extract *e)
{
    static const char *const always[] = {"id",      "row",    "position", "central",
                                         "host_id", "region", "run"};
    const hg_strings *columns = &e->params->convert.columns;

    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        HG_TRY(take(e, always[i]));
    }
    HG_TRY(take_hosts(e));
    HG_TRY(declare_orphans(e));
    for (int i = 0; i < columns->n; i++) {
        if (!is_made(e, columns->v[i])) {
            HG_TRY(hg_names_add(&e->names, columns->v[i]));
            HG_TRY(take(e, columns->v[i]));
        }
    }
    for (int i = 0; i < hg_catalog_n_column(e->catalog) && columns->n == 0; i++) {
        const char *name = hg_catalog_column(e->catalog, i)->name;

        if (hg_layout_quantity(name) != NULL && !is_made(e, name)) {
            HG_TRY(take(e, name));
        }
    }
    for (int i = 0; e->select != NULL && i < hg_expression_n_name(e->select); i++) {
        const char *name = hg_expression_name(e->select, i);

        if (!is_made(e, name)) {
            HG_TRY(hg_names_add(&e->names, name));
        }
    }
    if (strcmp(e->params->parent.on_bad_rows, "flag") == 0) {
        HG_TRY(declare(e, "flags", "", "flag", ""));
    }
    return hg_names_check(&e->names, e->catalog, "the section Convert");
}

static hg_status
open_catalog(const hg_comm *comm, const hg_extract_input *input, hg_extract *e)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    char buffer[1024];
    const char *file[1];

    HG_TRY(hg_paths_parent(e->params, sizeof buffer, buffer, file, &options));
    if (input->n_file > 0) {
        options.n_file = input->n_file;
        options.files = input->files;
    }
    if (input->mapping != NULL) {
        options.mapping = input->mapping;
    }
    options.rows_per_part = e->params->output.rows_per_part;
    return hg_catalog_open(comm, &options, &e->catalog);
}

hg_status
hg_extract_open(const hg_comm *comm, const hg_params *params, const hg_extract_input *input,
                hg_extract *e)
{
    hg_status status = HG_OK;

    *e = (hg_extract){.params = params};
    HG_TRY(open_catalog(comm, input, e));
    if (params->convert.orphans) {
        HG_TRY(hg_orphan_rows_create(comm, params, e->catalog, &e->orphans));
    }
    if (params->convert.select != NULL && params->convert.select[0] != '\0') {
        status = hg_expression_create(params->convert.select, &e->select);
    }
    if (status == HG_OK) {
        status = choose_columns(e);
    }
    HG_TRY(hg_comm_agree(comm, status));
    return params->convert.hosts.n > 0 ||
                   (e->orphans != NULL && hg_catalog_find(e->catalog, "host_id") != NULL)
               ? hg_hosts_create(comm, e->catalog, &params->convert.hosts, &e->hosts)
               : HG_OK;
}

void
hg_extract_clear(hg_extract *e)
{
    hg_catalog_close(e->catalog);
    hg_expression_free(e->select);
    hg_hosts_free(e->hosts);
    hg_orphan_rows_free(e->orphans);
    *e = (hg_extract){0};
}

/* Rows without values, in the columns of a part. */
static hg_status
make_rows(const hg_extract *e, int64_t n, hg_table *table)
{
    const hg_column *flags;

    *table = (hg_table){.n = n, .frame = *hg_catalog_frame(e->catalog)};
    for (int i = 0; i < e->names.n; i++) {
        const hg_column *c = hg_catalog_find(e->catalog, e->names.v[i]);
        void *data;

        HG_TRY(hg_table_add(table, c->name, c->unit, c->type, c->width, NULL));
        data = hg_table_find(table, c->name)->data;
        for (int64_t k = 0; k < n * c->width; k++) {
            hg_column_set(c->type, data, k, hg_layout_fill(c->type));
        }
    }
    if (is_declared(e, "flags") && hg_table_find(table, "flags") == NULL) {
        HG_TRY(hg_table_add(table, "flags", "", HG_COLUMN_I32, 1, NULL));
    }
    flags = hg_table_find(table, "flags");
    if (flags != NULL && flags->type == HG_COLUMN_I32 && n > 0) {
        memset(flags->data, 0, (size_t)n * sizeof(int32_t));
    }
    return HG_OK;
}

/* What is done with rows without host: an error, dropped, or flagged. */
static hg_status
judge_hosts(hg_extract *e, const hg_table *table, const uint8_t missing[], uint8_t keep[])
{
    const char *policy = e->params->parent.on_bad_rows;
    int32_t *flags = hg_table_find(table, "flags") != NULL &&
                             hg_table_find(table, "flags")->type == HG_COLUMN_I32
                         ? hg_table_i32(table, "flags")
                         : NULL;

    for (int64_t i = 0; i < table->n; i++) {
        if (!missing[i]) {
            continue;
        }
        e->n_missing++;
        if (strcmp(policy, "error") == 0) {
            return HG_FAIL(HG_E_INPUT,
                           "row %" PRId64 " (halo %" PRId64 "): its host %" PRId64
                           " is not in the catalogue: set Parent.on_bad_rows to drop or flag",
                           hg_table_i64(table, "row")[i], hg_table_i64(table, "id")[i],
                           hg_column_integer(hg_table_find(table, "host_id"), i));
        }
        keep[i] = strcmp(policy, "drop") != 0;
        if (flags != NULL) {
            flags[i] |= HG_FLAG_MISSING_HOST;
        }
    }
    return HG_OK;
}

/* Selection and thinning, both by the row alone. */
static hg_status
select_rows(const hg_extract *e, const hg_table *table, uint8_t keep[])
{
    const hg_column *region = hg_table_find(table, "region"),
                    *run = hg_table_find(table, "run");
    const double fraction = e->params->convert.fraction;
    const int64_t *id = hg_table_i64(table, "id");
    double *value = NULL;
    hg_status status = HG_OK;

    if (e->select != NULL) {
        HG_TRY(hg_mem_array(&value, (size_t)table->n, sizeof *value));
        status = hg_expression_evaluate(e->select, table, value);
    }
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        keep[i] =
            keep[i] && (value == NULL || value[i] > 0) &&
            (fraction >= 1 || hg_split_takes(hg_halo_key(e->params->parent.run,
                                                         hg_halo_place(region, run, i), id[i]),
                                             (uint64_t)e->params->meta.seed, fraction));
    }
    hg_mem_free(value);
    return status;
}

/* The columns of the result, in their order, which readers do not keep. */
static void
project(const hg_extract *e, hg_table *table)
{
    for (int c = table->n_column - 1; c >= 0; c--) {
        char name[HG_NAME_MAX];

        snprintf(name, sizeof name, "%s", table->column[c].name);
        if (!is_declared(e, name)) {
            hg_table_drop(table, name);
        }
    }
    HG_ASSERT(table->n_column == e->n_column);
    for (int c = 0; c < e->n_column; c++) {
        for (int k = c; k < table->n_column; k++) {
            if (strcmp(table->column[k].name, e->column[c].name) == 0) {
                const hg_column found = table->column[k];

                table->column[k] = table->column[c];
                table->column[c] = found;
                break;
            }
        }
    }
}

/* Join what the rows get, and keep those that are wanted. */
static hg_status
finish_rows(const hg_comm *comm, hg_extract *e, bool orphans, hg_table *table)
{
    uint8_t *keep = NULL, *missing = NULL;
    hg_status status = hg_mem_zeros(&missing, (size_t)table->n, 1);

    if (status == HG_OK) {
        status = hg_mem_array(&keep, (size_t)table->n, 1);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (table->n > 0) {
        memset(keep, 1, (size_t)table->n);
    }
    if (e->orphans != NULL) {
        HG_TRY_OR(done, status, hg_orphan_rows_join(comm, e->orphans, table, orphans));
    }
    if (e->hosts != NULL && (orphans || e->params->convert.hosts.n > 0)) {
        HG_TRY_OR(done, status, hg_hosts_join(comm, e->hosts, table, missing));
        status = judge_hosts(e, table, missing, keep);
    }
    if (status == HG_OK) {
        status = select_rows(e, table, keep);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_table_keep(table, keep);
    project(e, table);
done:
    hg_mem_free(keep);
    hg_mem_free(missing);
    return status;
}

hg_status
hg_extract_part(const hg_comm *comm, hg_extract *e, int64_t part, hg_table *table)
{
    hg_status status;

    *table = (hg_table){.n = 0};
    status = part >= 0 ? hg_catalog_read(e->catalog, part, e->names.n, e->names.p, table)
                       : make_rows(e, 0, table);
    HG_TRY(hg_comm_agree(comm, status));
    return finish_rows(comm, e, false, table);
}

hg_status
hg_extract_orphans(const hg_comm *comm, hg_extract *e, hg_table *table)
{
    const int64_t n = e->orphans != NULL ? e->orphans->found.n : 0;

    *table = (hg_table){.n = 0};
    HG_TRY(hg_comm_agree(comm, make_rows(e, n, table)));
    if (n > 0) {
        hg_orphan_rows_fill(e->orphans, table);
    }
    return finish_rows(comm, e, true, table);
}
