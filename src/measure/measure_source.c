/* A catalogue of predictions holds id, position and predictions; what else a statistic needs
 * (host mass, central flag) stands in the parent, row by row. So a name is looked for with the
 * suffix of the source, then plainly, then in the parent when that has as many rows. Parts are
 * small here, because a part is all a rank holds of a catalogue. */
#include "measure/measure_source.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "suite/recipes.h"

enum { ROWS = 1 << 17 };

/* X_mean, X_draw, X_draw2, ...; "" for a source without suffix. */
static void
suffixed_name(const hg_measured *source, int draw, const char *name, size_t n, char out[])
{
    out[0] = '\0';
    if (source->suffix[0] != '\0') {
        hg_predicted_name(name, strcmp(source->suffix, "mean") == 0 ? -1 : draw, n, out);
    }
}

static bool
parent_fits(const hg_measured_set *sources, const hg_measured *source)
{
    return sources->parent != NULL &&
           hg_catalog_n_row(sources->parent) == hg_catalog_n_row(source->catalog);
}

bool
hg_measured_predicts(const hg_measured *source, const char *name)
{
    char with_suffix[HG_NAME_MAX + 16];

    suffixed_name(source, 0, name, sizeof with_suffix, with_suffix);
    return hg_catalog_find(source->catalog, with_suffix[0] != '\0' ? with_suffix : name) !=
           NULL;
}

bool
hg_measured_has(const hg_measured_set *sources, const hg_measured *source, int draw,
                const char *name)
{
    char with_suffix[HG_NAME_MAX + 16];

    suffixed_name(source, draw, name, sizeof with_suffix, with_suffix);
    return hg_catalog_find(source->catalog, with_suffix) != NULL ||
           hg_catalog_find(source->catalog, name) != NULL ||
           (parent_fits(sources, source) && hg_catalog_find(sources->parent, name) != NULL);
}

/* Number of realisations: the largest j with a column *_draw<j>. */
static int
count_draws(const hg_catalog *catalog)
{
    int n = 0;

    for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
        const char *tail = strstr(hg_catalog_column(catalog, i)->name, "_draw");
        int64_t draw = 1;

        if (tail != NULL && (tail[5] == '\0' || hg_text_integer(tail + 5, &draw))) {
            n = draw > n ? (int)draw : n;
        }
    }
    return n;
}

/* Whether there is a column *_mean; apply leaves them out on request. */
static bool
has_means(const hg_catalog *catalog)
{
    bool found = false;

    for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
        const char *name = hg_catalog_column(catalog, i)->name;
        size_t n = strlen(name);

        found = found || (n > 5 && strcmp(name + n - 5, "_mean") == 0);
    }
    return found;
}

static hg_status
open_catalog(const hg_comm *comm, const hg_params *params, const char *path,
             const char *mapping, hg_catalog **catalog)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    char buffer[1024];
    const char *file[1];

    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    if (path != NULL) {
        bool is_parent = false;

        for (int i = 0; i < params->parent.files.n; i++) {
            is_parent = is_parent || strcmp(params->parent.files.v[i], path) == 0;
        }
        if (!is_parent) {
            options.format = "auto";
            options.mapping = mapping;
            options.run_table = NULL;
            options.partial = false;
            options.n_file = 1;
            options.files = &path;
        }
    }
    options.rows_per_part = ROWS;
    options.truth = true;
    options.particles = true;
    return hg_catalog_open(comm, &options, catalog);
}

/* Split "name=path@suffix"; names are plain words, as they become names of groups. */
static hg_status
parse_entry(const char *text, hg_measured *source)
{
    static const char *const suffixes[] = {"draw", "mean", "draws"};
    const char *equal = strchr(text, '='), *at = strrchr(text, '@');
    size_t n = equal != NULL ? (size_t)(equal - text) : 0;

    if (equal == NULL || n == 0 || n >= sizeof source->name || strcspn(text, "/@, ") < n) {
        return HG_FAIL(HG_E_PARAM,
                       "'%s' in Measure.catalogues or Measure.references is not name=path, "
                       "name=path@draw, name=path@mean or name=path@draws",
                       text);
    }
    snprintf(source->name, sizeof source->name, "%.*s", (int)n, text);
    for (size_t i = 0; at != NULL && i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (strcmp(at + 1, suffixes[i]) == 0) {
            snprintf(source->suffix, sizeof source->suffix, "%s", suffixes[i]);
        }
    }
    if (source->suffix[0] == '\0') {
        at = NULL; /* an '@' that is part of the path */
    }
    return hg_text_path(sizeof source->path, source->path, "%.*s",
                        at != NULL ? (int)(at - equal - 1) : (int)strlen(equal + 1), equal + 1);
}

static hg_status
open_source(const hg_comm *comm, const hg_params *params, hg_measured_set *sources,
            const hg_measured *entry)
{
    hg_measured *source = &sources->source[sources->n];

    if (hg_measured_set_find(sources, entry->name) != NULL) {
        return HG_FAIL(
            HG_E_PARAM,
            "two catalogues of Measure.catalogues and Measure.references are called '%s'",
            entry->name);
    }
    *source = *entry;
    HG_TRY(open_catalog(comm, params, entry->path,
                        entry->is_reference ? params->measure.reference_mapping
                                            : params->measure.mapping,
                        &source->catalog));
    sources->n++;
    source->n_draw = strcmp(source->suffix, "draws") == 0 ? count_draws(source->catalog) : 1;
    if (strncmp(source->suffix, "draw", 4) == 0 && count_draws(source->catalog) == 0) {
        return HG_FAIL(HG_E_NOTFOUND, "catalogue '%s' holds no draws, so '%s@%s' means nothing",
                       source->path, source->name, source->suffix);
    }
    return HG_OK;
}

/* A file of the run's own folder, opened under a name when it exists. Draws are measured all
 * where there are several, and left out where there are none. */
static hg_status
open_default(const hg_comm *comm, const hg_params *params, hg_measured_set *sources,
             const char *name, const char *file, const char *suffix)
{
    hg_measured entry = {.name = ""};
    int64_t exists = 0, draws = 0;

    snprintf(entry.name, sizeof entry.name, "%s", name);
    HG_TRY(hg_paths_output(params, file, sizeof entry.path, entry.path));
    exists = comm->rank == 0 && hg_file_exists(entry.path);
    hg_comm_sum(comm, 1, &exists);
    if (exists == 0) {
        return HG_OK;
    }
    HG_TRY(open_source(comm, params, sources, &entry));
    hg_measured *source = &sources->source[sources->n - 1];

    draws = count_draws(source->catalog);
    if (strcmp(suffix, "draws") == 0 && draws > 0) {
        snprintf(source->suffix, sizeof source->suffix, "%s", draws > 1 ? "draws" : "draw");
        source->n_draw = (int)draws;
    } else if (strcmp(suffix, "mean") == 0) {
        snprintf(source->suffix, sizeof source->suffix, "mean");
    }
    return HG_OK;
}

static hg_status
open_defaults(const hg_comm *comm, const hg_params *params, hg_measured_set *sources)
{
    char file[1024];
    int64_t draws = 0;

    HG_TRY(hg_text_path(sizeof file, file, "%s.hdf5", params->output.catalogue));
    HG_TRY(open_default(comm, params, sources, "truth", "truth.hdf5", ""));
    HG_TRY(open_default(comm, params, sources, "oracle", "oracle.hdf5", "draws"));
    HG_TRY(open_default(comm, params, sources, "draw", file, "draws"));
    if (sources->n > 0 && strcmp(sources->source[sources->n - 1].name, "draw") == 0) {
        hg_measured *source = &sources->source[sources->n - 1];

        const bool with_mean = has_means(source->catalog);

        draws = count_draws(source->catalog);
        if (draws == 0) {
            hg_catalog_close(source->catalog);
            sources->n--;
        }
        if (with_mean) {
            HG_TRY(open_default(comm, params, sources, "mean", file, "mean"));
        }
    }
    if (sources->n == 0) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "there is nothing to measure: name catalogues in Measure.catalogues, or "
                       "make '%s/%s' with 'halograft apply'",
                       params->output.folder, file);
    }
    return HG_OK;
}

static hg_status
check_entry(const hg_params *params, const char *text)
{
    hg_measured entry = {.name = ""};
    char own[HG_PATH_MAX];
    size_t n;

    HG_TRY(parse_entry(text, &entry));
    HG_TRY(hg_text_path(sizeof own, own, "%s/", params->output.folder));
    n = strlen(own);
    if (strchr(entry.path, '{') != NULL || strncmp(entry.path, own, n) == 0 ||
        hg_file_exists(entry.path)) {
        return HG_OK;
    }
    return HG_FAIL(HG_E_NOTFOUND,
                   "file '%s' of Measure.catalogues or Measure.references does not exist and "
                   "is not made by this run",
                   entry.path);
}

hg_status
hg_measured_set_check(const hg_comm *comm, const hg_params *params)
{
    hg_status status = HG_OK;

    const hg_strings *list[] = {&params->measure.catalogues, &params->measure.references};

    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < list[k]->n && comm->rank == 0 && status == HG_OK; i++) {
            status = check_entry(params, list[k]->v[i]);
        }
    }
    return hg_comm_agree(comm, status);
}

static hg_status
open_list(const hg_comm *comm, const hg_params *params, const hg_strings *entries,
          bool is_reference, hg_measured_set *sources)
{
    for (int i = 0; i < entries->n; i++) {
        hg_measured entry = {.name = ""};

        HG_TRY(parse_entry(entries->v[i], &entry));
        entry.is_reference = is_reference;
        if (sources->n == HG_LIST_MAX) {
            return HG_FAIL(HG_E_PARAM, "there are more than %d catalogues to measure",
                           HG_LIST_MAX);
        }
        HG_TRY(open_source(comm, params, sources, &entry));
    }
    return HG_OK;
}

hg_status
hg_measured_set_open(const hg_comm *comm, const hg_params *params, hg_measured_set *sources)
{
    int64_t has_parent = 0;

    memset(sources, 0, sizeof *sources);
    HG_TRY(open_list(comm, params, &params->measure.catalogues, false, sources));
    if (sources->n == 0) {
        HG_TRY(open_defaults(comm, params, sources));
    }
    HG_TRY(open_list(comm, params, &params->measure.references, true, sources));
    HG_TRY(hg_paths_output(params, "parent.hdf5", sizeof sources->parent_path,
                           sources->parent_path));
    has_parent =
        comm->rank == 0 && (!hg_paths_is_mock(params) || hg_file_exists(sources->parent_path));
    hg_comm_sum(comm, 1, &has_parent);
    return has_parent ? open_catalog(comm, params, NULL, NULL, &sources->parent) : HG_OK;
}

void
hg_measured_set_close(hg_measured_set *sources)
{
    for (int i = 0; i < sources->n; i++) {
        hg_catalog_close(sources->source[i].catalog);
    }
    hg_catalog_close(sources->parent);
    memset(sources, 0, sizeof *sources);
}

const hg_measured *
hg_measured_set_find(const hg_measured_set *sources, const char *name)
{
    for (int i = 0; i < sources->n; i++) {
        if (strcmp(sources->source[i].name, name) == 0) {
            return &sources->source[i];
        }
    }
    return NULL;
}

static const char *
find_unit(const hg_catalog *catalog, const char *column)
{
    const size_t n = strlen(column);

    for (int i = 0; catalog != NULL && i < hg_catalog_n_column(catalog); i++) {
        const hg_column *c = hg_catalog_column(catalog, i);

        /* X itself, X_mean or X_draw */
        if (strncmp(c->name, column, n) == 0 &&
            (c->name[n] == '\0' || strncmp(c->name + n, "_mean", 5) == 0 ||
             strncmp(c->name + n, "_draw", 5) == 0)) {
            return c->unit;
        }
    }
    return "";
}

const char *
hg_measure_unit(const hg_measured_set *sources, const hg_measured *source, const char *column)
{
    const char *unit = find_unit(source->catalog, column);

    return unit[0] != '\0' ? unit : find_unit(sources->parent, column);
}

void
hg_measured_parts(const hg_measured *source, const hg_comm *comm, int64_t *first, int64_t *end)
{
    int64_t n = hg_catalog_n_part(source->catalog);

    *first = n * comm->rank / comm->size;
    *end = n * (comm->rank + 1) / comm->size;
}

static hg_status
copy_column(hg_table *table, const hg_column *from, const char *name)
{
    static const size_t size[] = {8, 4, 8, 4, 1};
    hg_column source = *from; /* adding may move the list of columns */
    void *data = NULL;

    HG_TRY(hg_table_add(table, name, source.unit, source.type, source.width, &data));
    if (table->n > 0) {
        memcpy(data, source.data, (size_t)table->n * (size_t)source.width * size[source.type]);
    }
    return HG_OK;
}

/* Columns that only the parent has. */
static hg_status
add_from_parent(const hg_measured_set *sources, int64_t part, int n, const char *const names[],
                hg_table *table)
{
    hg_table more = {.n = 0};
    hg_status status = hg_catalog_read(sources->parent, part, n, names, &more);

    if (status == HG_OK && more.n != table->n) {
        status = HG_FAIL(HG_E_SHAPE,
                         "part %" PRId64 " has %" PRId64 " rows in the catalogue and %" PRId64
                         " in the parent, so the parent's columns cannot be used",
                         part, table->n, more.n);
    }
    for (int i = 0; i < n && status == HG_OK; i++) {
        const hg_column *column = NULL;

        status = hg_table_need(&more, names[i], &column);
        if (status == HG_OK) {
            status = copy_column(table, column, names[i]);
        }
    }
    hg_table_clear(&more);
    return status;
}

hg_status
hg_measured_read(const hg_measured_set *sources, const hg_measured *source, int draw,
                 int64_t part, int n, const char *const names[], hg_table *table)
{
    char(*suffixed)[HG_NAME_MAX + 16] = NULL;
    const char *own[256], *from_parent[256];
    int n_own = 0, n_parent = 0;
    hg_status status;

    HG_ASSERT(n <= 256);
    HG_TRY(hg_mem_array(&suffixed, (size_t)n + 1, sizeof *suffixed));
    for (int i = 0; i < n; i++) {
        suffixed_name(source, draw, names[i], sizeof suffixed[i], suffixed[i]);
        if (hg_catalog_find(source->catalog, suffixed[i]) == NULL) {
            suffixed[i][0] = '\0';
        }
        if (suffixed[i][0] != '\0') {
            own[n_own++] = suffixed[i];
        } else if (hg_catalog_find(source->catalog, names[i]) != NULL ||
                   !parent_fits(sources, source)) {
            own[n_own++] = names[i];
        } else {
            from_parent[n_parent++] = names[i];
        }
    }
    status = hg_catalog_read(source->catalog, part, n_own, own, table);
    for (int i = 0; i < n && status == HG_OK; i++) {
        const hg_column *column = NULL;

        if (suffixed[i][0] != '\0') {
            status = hg_table_need(table, suffixed[i], &column);
            status = status == HG_OK ? copy_column(table, column, names[i]) : status;
        }
    }
    if (status == HG_OK && n_parent > 0) {
        status = add_from_parent(sources, part, n_parent, from_parent, table);
    }
    hg_mem_free(suffixed);
    return status;
}

hg_status
hg_measure_column(const hg_table *table, const char *name, double value[])
{
    const hg_column *column = NULL;

    HG_TRY(hg_table_need(table, name, &column));
    for (int64_t i = 0; i < table->n; i++) {
        value[i] = hg_column_value(column, i, 0);
    }
    return HG_OK;
}
