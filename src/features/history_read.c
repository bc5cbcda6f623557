/* Every format of halo catalogues is a format of histories when it tells links: the columns
 * descendant_id or progenitor_id, or ids that are kept from snapshot to snapshot (HBT). A name
 * with {snapshot} is one catalogue per snapshot, all other names together are one catalogue.
 * Times come from a column (scale, redshift, or snapshot with History.scale_table), else from
 * the header of the catalogue. */
#include "features/history_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "halograft/catalog.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "store/textfile.h"
#include "suite/recipes.h"

enum { SNAPSHOTS = 10000 };

/* What is read of a catalogue and how. */
typedef struct reader {
    const hg_params_history *param;
    const hg_history_recipe *recipe;
    hg_link_kind kind;
    bool is_known; /* kind and by_halo, from the first catalogue */
    bool by_halo;
    double *scale_of; /* shape (SNAPSHOTS); NAN = not listed; NULL without a table */
    int64_t n, room;
    hg_tree_row *row;
    bool with_places;
    hg_tree_place *place; /* as row, when wanted */
} reader;

/* One line per catalogue; its files are separated by tabs. On rank 0. */
static hg_status
expand(const hg_strings *names, int64_t region, hg_text *list)
{
    char name[HG_PATH_MAX], at[HG_PATH_MAX], first[HG_PATH_MAX];
    bool has_plain = false;

    for (int i = 0; i < names->n; i++) {
        HG_TRY(hg_text_fill(names->v[i], "region", region, sizeof name, name));
        if (!hg_text_has_field(name, "snapshot")) {
            has_plain = true;
            continue;
        }
        const size_t before = list->n;

        for (int s = 0; s < SNAPSHOTS; s++) {
            bool is_there = false;

            HG_TRY(hg_text_fill(name, "snapshot", s, sizeof at, at));
            for (int f = 0; f < 2 && !is_there; f++) { /* files count from 0 or from 1 */
                HG_TRY(hg_text_fill(at, "file", f, sizeof first, first));
                is_there = hg_file_exists(first);
            }
            if (is_there) {
                HG_TRY(hg_text_add(list, "%s\n", at));
            }
        }
        if (list->n == before) {
            return HG_FAIL(HG_E_NOTFOUND, "no file of a history matches '%s'", name);
        }
    }
    for (int i = 0; i < names->n && has_plain; i++) {
        HG_TRY(hg_text_fill(names->v[i], "region", region, sizeof name, name));
        if (!hg_text_has_field(name, "snapshot")) {
            HG_TRY(hg_text_add(list, "%s\t", name));
        }
    }
    return has_plain ? hg_text_add(list, "\n") : HG_OK;
}

/* The list of rank 0 on all ranks. */
static hg_status
share_list(const hg_comm *comm, hg_status status, hg_text *list)
{
    int64_t n = (int64_t)list->n;
    char *bytes = NULL;

    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &n, sizeof n);
    status = hg_mem_zeros(&bytes, (size_t)n + 1, 1);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (comm->rank == 0) {
        memcpy(bytes, hg_text_string(list), (size_t)n);
    }
    hg_comm_broadcast(comm, 0, bytes, (size_t)n);
    status = comm->rank == 0 ? HG_OK : hg_text_add(list, "%s", bytes);
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(bytes);
    return status;
}

/* Numbers of snapshots and their scale factors. */
static hg_status
read_scales(const char *path, double **scale_of)
{
    hg_textfile *file = NULL;
    char *line = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(scale_of, SNAPSHOTS, sizeof **scale_of));
    for (int i = 0; i < SNAPSHOTS; i++) {
        (*scale_of)[i] = (double)NAN;
    }
    HG_TRY(hg_textfile_open(path, &file));
    do {
        int number = -1;
        double scale = 0;

        HG_TRY_OR(done, status, hg_textfile_line(file, &line));
        if (line == NULL || line[0] == '#' || line[strspn(line, " \t\r")] == '\0') {
            continue;
        }
        if (sscanf(line, "%d%*[ \t,]%lf", &number, &scale) != 2 || number < 0 ||
            number >= SNAPSHOTS || !(scale > 0)) {
            status = HG_FAIL(HG_E_FORMAT,
                             "'%s', line %" PRId64 ": '%.60s' is not the number of a snapshot "
                             "and its scale factor",
                             path, hg_textfile_number(file), line);
            goto done;
        }
        (*scale_of)[number] = scale;
    } while (line != NULL);
done:
    hg_textfile_close(file);
    return status;
}

static hg_status
choose_links(reader *r, const hg_catalog *catalog, const char *name)
{
    static const struct {
        const char *name, *column;
        hg_link_kind kind;
    } choices[] = {{"descendant", "descendant_id", HG_LINK_DESCENDANT},
                   {"progenitor", "progenitor_id", HG_LINK_PROGENITOR},
                   {"track", NULL, HG_LINK_TRACK}};
    const bool by_halo = hg_catalog_find(catalog, "halo_id") != NULL;
    const bool is_hbt = strcmp(hg_catalog_format(catalog), "hbt") == 0;

    for (int i = 0; i < 3; i++) {
        const char *column = choices[i].column;
        const bool has = column != NULL ? hg_catalog_find(catalog, column) != NULL : is_hbt;

        if (strcmp(r->param->links, "auto") == 0
                ? !has
                : strcmp(r->param->links, choices[i].name) != 0) {
            continue;
        }
        if (r->is_known && (r->kind != choices[i].kind || r->by_halo != by_halo)) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' tells its links otherwise than the other files of the history",
                           name);
        }
        if (column != NULL && !has) {
            return HG_FAIL(HG_E_NOTFOUND, "'%s' has no column %s, which History.links wants",
                           name, column);
        }
        r->kind = choices[i].kind;
        r->by_halo = by_halo;
        r->is_known = true;
        return HG_OK;
    }
    return HG_FAIL(
        HG_E_NOTFOUND,
        "'%s' has no column descendant_id or progenitor_id, so it holds no history; if "
        "a halo keeps its id, set History.links to track",
        name);
}

/* Columns to read; how times are told. */
static hg_status
list_columns(const reader *r, const hg_catalog *catalog, hg_names *names, const char **time)
{
    static const char *const times[] = {"scale", "redshift", "snapshot"};
    static const char *const optional[] = {"mmp_", "phantom", "halo_id"};

    names->n = 0;
    *time = NULL;
    for (int q = 0; q < r->recipe->n_quantity; q++) {
        HG_TRY(hg_names_add(names, r->param->columns.v[q]));
    }
    if (r->with_places) {
        HG_TRY(hg_names_add(names, "position"));
        HG_TRY(hg_names_add(names, "velocity"));
    }
    for (int i = 0; i < 3 && *time == NULL; i++) {
        if (hg_catalog_find(catalog, times[i]) != NULL && (i < 2 || r->scale_of != NULL)) {
            *time = times[i];
            HG_TRY(hg_names_add(names, times[i]));
        }
    }
    if (*time == NULL && !(hg_catalog_frame(catalog)->scale_factor > 0)) {
        return HG_FAIL(HG_E_INPUT,
                       "a history tells no time: it needs a column scale or redshift, a column "
                       "snapshot and History.scale_table, or a scale factor in its header");
    }
    HG_TRY(hg_names_check(names, catalog, "History"));
    for (int i = 0; i < 3; i++) {
        if (hg_catalog_find(catalog, optional[i]) != NULL) {
            HG_TRY(hg_names_add(names, optional[i]));
        }
    }
    if (r->kind != HG_LINK_TRACK) {
        HG_TRY(hg_names_add(names,
                            r->kind == HG_LINK_DESCENDANT ? "descendant_id" : "progenitor_id"));
    }
    return hg_names_add(names, "id");
}

static hg_status
take_time(const reader *r, const hg_table *table, const char *time, int64_t i, double *scale)
{
    const hg_column *column = time != NULL ? hg_table_find(table, time) : NULL;
    double t = column != NULL ? hg_column_value(column, i, 0) : table->frame.scale_factor;

    if (column != NULL && strcmp(time, "redshift") == 0) {
        t = 1 / (1 + t);
    } else if (column != NULL && strcmp(time, "snapshot") == 0) {
        const int64_t number = hg_column_integer(column, i);

        t = number >= 0 && number < SNAPSHOTS ? r->scale_of[number] : (double)NAN;
    }
    if (!(t > 0 && t < 10)) {
        return HG_FAIL(HG_E_INPUT,
                       "row %" PRId64
                       " of a history has %s = %.9g, which gives no scale factor",
                       table->first + i, time != NULL ? time : "scale factor",
                       column != NULL ? hg_column_value(column, i, 0) : t);
    }
    *scale = t;
    return HG_OK;
}

static hg_status
make_room(reader *r, int64_t n)
{
    if (r->n + n <= r->room) {
        return HG_OK;
    }
    r->room = r->n + n + r->n / 4;
    HG_TRY(hg_mem_resize(&r->row, (size_t)r->room, sizeof *r->row));
    return r->with_places ? hg_mem_resize(&r->place, (size_t)r->room, sizeof *r->place) : HG_OK;
}

static void
take_place(const reader *r, const hg_table *table, int64_t i, hg_tree_place *place)
{
    const hg_column *position = hg_table_find(table, "position"),
                    *velocity = hg_table_find(table, "velocity");

    for (int k = 0; k < 3; k++) {
        place->position[k] = hg_column_value(position, i, k);
        place->velocity[k] = hg_column_value(velocity, i, k);
    }
    place->mass = hg_column_value(hg_table_find(table, r->param->columns.v[0]), i, 0);
}

static hg_status
take_rows(reader *r, const hg_table *table, const char *time)
{
    const hg_column *id = hg_table_find(table, "id"), *halo = hg_table_find(table, "halo_id"),
                    *phantom = hg_table_find(table, "phantom"),
                    *mark = hg_table_find(table, "mmp_"),
                    *link = r->kind == HG_LINK_TRACK
                                ? NULL
                                : hg_table_find(table, r->kind == HG_LINK_DESCENDANT
                                                           ? "descendant_id"
                                                           : "progenitor_id");
    const bool may_fill = strcmp(r->param->phantoms, "fill") == 0;

    HG_TRY(make_room(r, table->n));
    for (int64_t i = 0; i < table->n; i++) {
        hg_tree_row *row = &r->row[r->n];
        const bool is_known =
            !may_fill || phantom == NULL || !(hg_column_value(phantom, i, 0) > 0);

        memset(row, 0, sizeof *row);
        row->id = ((const int64_t *)id->data)[i];
        row->halo = halo != NULL ? hg_column_integer(halo, i) : row->id;
        row->link = link != NULL ? ((const int64_t *)link->data)[i] : HG_NO_LINK;
        row->is_main = mark != NULL && hg_column_value(mark, i, 0) > 0;
        HG_TRY(take_time(r, table, time, i, &row->scale));
        for (int q = 0; q < r->recipe->n_quantity && is_known; q++) {
            row->value[q] = hg_column_value(hg_table_find(table, r->param->columns.v[q]), i, 0);
        }
        if (r->with_places) {
            take_place(r, table, i, &r->place[r->n]);
        }
        r->n++;
    }
    return HG_OK;
}

/* Rows of one catalogue that this rank reads; parts are dealt round robin. */
static hg_status
read_catalog(const hg_comm *comm, const hg_catalog_options *options, int turn, reader *r)
{
    hg_catalog *catalog = NULL;
    hg_names *names = NULL;
    const char *time = NULL;
    hg_status status;

    HG_TRY(hg_catalog_open(comm, options, &catalog));
    status = hg_mem_zeros(&names, 1, sizeof *names);
    if (status == HG_OK) {
        status = choose_links(r, catalog, options->files[0]);
    }
    if (status == HG_OK) {
        status = list_columns(r, catalog, names, &time);
    }
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && status == HG_OK; part++) {
        hg_table table = {0};

        if ((part + turn) % comm->size != comm->rank) {
            continue;
        }
        status = hg_catalog_read(catalog, part, names->n, names->p, &table);
        if (status == HG_OK) {
            status = take_rows(r, &table, time);
        }
        hg_table_clear(&table);
    }
    if (status != HG_OK && strstr(hg_error_last()->message, options->files[0]) == NULL) {
        hg_error_prefix("'%s': ", options->files[0]);
    }
    hg_mem_free(names);
    hg_catalog_close(catalog);
    return hg_comm_agree(comm, status);
}

/* All catalogues of a list as expand() makes it. */
static hg_status
read_list(const hg_comm *comm, const hg_params *params, char *list, reader *r)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    const char **files = NULL;
    int turn = 0;
    hg_status status = HG_OK;

    options.format = r->param->format;
    options.mapping = r->param->mapping;
    options.snap = hg_params_snap(params);
    options.on_bad_rows = "flag"; /* what is not known is no part of a branch */
    options.trees = true;
    options.frame.h = isnan(r->param->h) ? params->parent.h : r->param->h;
    options.rows_per_part = r->param->rows_per_part;
    for (char *line = list, *end; status == HG_OK && *line != '\0'; line = end + 1, turn++) {
        size_t room = 1;

        end = strchr(line, '\n');
        *end = '\0';
        for (const char *p = line; *p != '\0'; p++) {
            room += *p == '\t';
        }
        status = hg_comm_agree(comm, hg_mem_resize(&files, room, sizeof *files));
        options.n_file = 0;
        for (char *p = line, *tab; status == HG_OK && *p != '\0'; p = tab) {
            tab = p + strcspn(p, "\t");
            if (*tab != '\0') {
                *tab++ = '\0';
            }
            files[options.n_file++] = p;
        }
        options.files = files;
        if (status == HG_OK) {
            status = read_catalog(comm, &options, turn, r);
        }
    }
    hg_mem_free(files);
    return status;
}

static void
tell(const hg_comm *comm, const hg_branches *branches)
{
    int64_t counts[3];

    hg_branches_count(branches, counts);
    hg_comm_sum(comm, 3, counts);
    hg_log_info("features: history of %" PRId64 " objects on %" PRId64
                " main branches, %" PRId64 " links lead to objects that are not there",
                counts[0], counts[1], counts[2]);
}

hg_status
hg_history_rows_read(const hg_comm *comm, const hg_params *params,
                     const hg_history_recipe *recipe, const hg_strings *names, int64_t region,
                     bool with_places, hg_history_rows *rows)
{
    reader r = {.param = &params->history, .recipe = recipe, .with_places = with_places};
    hg_text list = {0};
    hg_status status = HG_OK;

    *rows = (hg_history_rows){0};
    if (comm->rank == 0) {
        status = expand(names, region, &list);
    }
    HG_TRY_OR(done, status, share_list(comm, status, &list));
    if (r.param->scale_table != NULL) {
        status = read_scales(r.param->scale_table, &r.scale_of);
        HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    }
    hg_phase_start("features: read");
    status = read_list(comm, params, list.data, &r);
    hg_phase_stop("features: read");
    HG_TRY_OR(done, status, status);
    *rows = (hg_history_rows){r.kind, r.by_halo, r.n, r.row, r.place};
    r.row = NULL;
    r.place = NULL;
done:
    hg_mem_free(r.row);
    hg_mem_free(r.place);
    hg_mem_free(r.scale_of);
    hg_text_clear(&list);
    return status;
}

hg_status
hg_history_read(const hg_comm *comm, const hg_params *params, const hg_history_recipe *recipe,
                const hg_strings *names, int64_t region, hg_branches **branches)
{
    hg_history_rows rows;

    *branches = NULL;
    HG_TRY(hg_history_rows_read(comm, params, recipe, names, region, false, &rows));
    HG_TRY(hg_branches_make(comm, rows.kind, rows.by_halo, rows.n, &rows.row, branches));
    tell(comm, *branches);
    return HG_OK;
}
