/* The parent's history serves the parent, and zooms that name none of their own, by the
 * parent's ids. Histories of zooms are read one after the other. */
#include "features/history_columns.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "features/history_read.h"
#include "halograft/log.h"

typedef struct work {
    const hg_params *params;
    const hg_derived *derived;
    hg_history_recipe recipe;
    int64_t n, room;
    int64_t *row, *id;
    float *value; /* shape (n, columns) */
} work;

/* Append rows and ids of the parts of a member that this rank reads. */
static hg_status
read_ids(const hg_comm *comm, hg_run_catalogue *m, int turn, const char *column, work *w)
{
    const char *const names[] = {column, HG_CATALOG_ROW};
    hg_status status = HG_OK;

    m->first = w->n;
    for (int64_t part = 0; part < hg_catalog_n_part(m->catalog) && status == HG_OK; part++) {
        hg_table table = {0};

        if ((part + turn) % comm->size != comm->rank) {
            continue;
        }
        status = hg_catalog_read(m->catalog, part, 2, names, &table);
        if (status == HG_OK && w->n + table.n > w->room) {
            w->room = w->n + table.n + w->n / 4;
            status = hg_mem_resize(&w->row, (size_t)w->room, sizeof *w->row);
            if (status == HG_OK) {
                status = hg_mem_resize(&w->id, (size_t)w->room, sizeof *w->id);
            }
        }
        for (int64_t i = 0; i < table.n && status == HG_OK; i++) {
            w->row[w->n] = hg_table_i64(&table, HG_CATALOG_ROW)[i];
            w->id[w->n++] = hg_table_i64(&table, column)[i];
        }
        hg_table_clear(&table);
    }
    m->n = w->n - m->first;
    return hg_comm_agree(comm, status);
}

/* Columns of one member by a history. */
static hg_status
look_up(const hg_comm *comm, const hg_branches *branches, hg_run_catalogue *m, int turn,
        bool by_parent, work *w)
{
    const int n_column = w->recipe.n_column;
    const char *column =
        by_parent && hg_catalog_find(m->catalog, "parent_id") != NULL ? "parent_id" : "id";
    int64_t counts[2] = {0};
    hg_status status;

    HG_TRY(read_ids(comm, m, turn, column, w));
    status = hg_mem_resize(&w->value, (size_t)w->n * (size_t)n_column, sizeof *w->value);
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(hg_branches_ask(comm, branches, m->n, w->id + m->first,
                           hg_catalog_frame(m->catalog)->scale_factor, hg_history_fill,
                           &w->recipe, n_column, w->value + m->first * n_column, &counts[0]));
    counts[1] = m->n;
    hg_comm_sum(comm, 2, counts);
    hg_log_info("features: '%s': %" PRId64 " of %" PRId64 " haloes have a history", m->name,
                counts[0], counts[1]);
    if (counts[0] == 0 && counts[1] > 0) {
        return HG_FAIL(HG_E_INPUT,
                       "no halo of '%s' is found in the history: its column '%s' does not hold "
                       "ids of the history, or not at its scale factor",
                       m->name, column);
    }
    return HG_OK;
}

static hg_status
compute(const hg_comm *comm, hg_run_catalogues *members, work *w)
{
    const hg_params_history *p = w->recipe.param;
    hg_branches *branches = NULL;
    int64_t region = -1;
    hg_status status = HG_OK;

    if (p->files.n == 0) {
        return HG_FAIL(HG_E_PARAM, "History.files names no history of the parent");
    }
    HG_TRY(hg_history_read(comm, w->params, &w->recipe, &p->files, region, &branches));
    for (int i = 0; i < members->n && status == HG_OK; i++) {
        hg_run_catalogue *m = &members->member[i];
        const int64_t its = m->region != NULL ? m->region->region : -1;

        if (i > 0 && p->zooms.n > 0 && (i == 1 || its != region)) {
            hg_branches_free(branches);
            region = its;
            HG_TRY(hg_history_read(comm, w->params, &w->recipe, &p->zooms, region, &branches));
        }
        status = look_up(comm, branches, m, i, i > 0 && p->zooms.n == 0, w);
    }
    hg_branches_free(branches);
    return status;
}

hg_status
hg_history_columns(const hg_comm *comm, const hg_params *params, const hg_derived *derived,
                   hg_run_catalogues *members, bool overwrite)
{
    work *w = NULL;
    hg_status status = hg_comm_agree(comm, hg_mem_zeros(&w, 1, sizeof *w));

    if (status == HG_OK) {
        w->params = params;
        w->derived = derived;
        status = hg_comm_agree(comm, hg_history_parse(params, &w->recipe));
        if (status == HG_OK) {
            status = compute(comm, members, w);
        }
        if (status == HG_OK) {
            status = hg_run_catalogues_write(comm, params, derived, members, overwrite, w->row,
                                             w->value);
        }
        hg_mem_free(w->row);
        hg_mem_free(w->id);
        hg_mem_free(w->value);
    }
    hg_mem_free(w);
    return status;
}
