/* An orphan has the id of the last object of its branch, so its history is looked up like that
 * of any halo. */
#include "emulate/orphan_rows.h"

#include <string.h>

#include "base/memory.h"
#include "catalog/format.h"

hg_status
hg_orphan_rows_create(const hg_comm *comm, const hg_params *params, const hg_catalog *catalog,
                      hg_orphan_rows **rows)
{
    const hg_frame *frame = hg_catalog_frame(catalog);
    hg_orphan_rows *r = NULL;
    hg_status status = hg_mem_zeros(&r, 1, sizeof *r);

    *rows = NULL;
    if (status == HG_OK) {
        r->scale = frame->scale_factor;
        status = params->history.files.n > 0
                     ? hg_history_parse(params, &r->recipe)
                     : HG_FAIL(HG_E_PARAM, "Convert.orphans needs merger trees: name them in "
                                           "History.files");
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    HG_TRY_OR(fail, status, hg_orphans_find(comm, params, &r->recipe, frame, &r->found));
    *rows = r;
    return HG_OK;

fail:
    hg_orphan_rows_free(r);
    return status;
}

void
hg_orphan_rows_free(hg_orphan_rows *rows)
{
    if (rows != NULL) {
        hg_orphans_clear(&rows->found);
        hg_mem_free(rows);
    }
}

static void
set_vector(const hg_column *column, int64_t i, const double value[3])
{
    for (int k = 0; k < 3; k++) {
        hg_column_set(column->type, column->data, 3 * i + k, value[k]);
    }
}

void
hg_orphan_rows_fill(const hg_orphan_rows *rows, hg_table *table)
{
    const hg_column *host = hg_table_find(table, "host_id"),
                    *central = hg_table_find(table, "central"),
                    *position = hg_table_find(table, "position"),
                    *velocity = hg_table_find(table, "velocity");
    int64_t *id = hg_table_i64(table, "id");

    for (int64_t i = 0; i < table->n; i++) {
        const hg_orphan *o = &rows->found.orphan[i];

        id[i] = o->id;
        if (host != NULL && host->type == HG_COLUMN_I64) {
            ((int64_t *)host->data)[i] = o->host;
        }
        if (central != NULL && central->type == HG_COLUMN_U8) {
            ((uint8_t *)central->data)[i] = 0;
        }
        if (position != NULL) {
            set_vector(position, i, o->position);
        }
        if (velocity != NULL) {
            set_vector(velocity, i, o->velocity);
        }
    }
}

hg_status
hg_orphan_rows_join(const hg_comm *comm, const hg_orphan_rows *rows, hg_table *table,
                    uint8_t orphan)
{
    const int n = rows->recipe.n_column;
    uint8_t *is_orphan = NULL;
    float *value = NULL;
    int64_t n_found;
    hg_status status = hg_mem_array(&value, (size_t)table->n * (size_t)n, sizeof *value);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_branches_ask(comm, rows->found.branches, table->n, hg_table_i64(table, "id"),
                              rows->scale, hg_history_fill, &rows->recipe, n, value, &n_found));
    for (int c = 0; c < n && status == HG_OK; c++) {
        const hg_output_column *column = &rows->recipe.column[c].output;
        float *to = NULL;

        status = hg_table_add(table, column->name, column->unit, HG_COLUMN_F32, 1, &to);
        for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
            to[i] = value[i * n + c];
        }
    }
    if (status == HG_OK) {
        status = hg_table_add(table, HG_ORPHAN, "", HG_COLUMN_U8, 1, &is_orphan);
    }
    if (status == HG_OK && table->n > 0) {
        memset(is_orphan, orphan, (size_t)table->n);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(value);
    return status;
}

bool
hg_orphan_rows_makes(const hg_orphan_rows *rows, const char *name)
{
    bool found = rows != NULL && strcmp(name, HG_ORPHAN) == 0;

    for (int c = 0; rows != NULL && c < rows->recipe.n_column; c++) {
        found = found || strcmp(rows->recipe.column[c].output.name, name) == 0;
    }
    return found;
}
