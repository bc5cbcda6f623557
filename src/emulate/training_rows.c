/* Catalogues are opened one after the other by all ranks; their parts are dealt round robin. A
 * row counts when it lies inside its region's radius, is not contaminated, passes
 * Selection.train, and belongs to the share Selection.train_fraction, which is decided by the
 * hash of its group where there is one, so that whole groups stay together. */
#include "emulate/training_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/sanity.h"
#include "emulate/matched_targets.h"
#include "emulate/sidecars.h"
#include "emulate/training_identity.h"
#include "emulate/transport.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/frame_text.h"
#include "suite/paths.h"
#include "suite/regions.h"
#include "table/identity.h"
#include "table/split.h"

/* What is the same for all catalogues of a training set. */
struct reader {
    const hg_params *params;
    hg_recipes *features;
    hg_recipes *targets;
    hg_expression *selection;
    hg_training_rows *rows;
    hg_names names;
    hg_sidecars sidecars;
    hg_transports transports;
    bool has_region, is_first;
    bool twins;                       /* read the twins of the regions */
    const hg_training_extras *extras; /* further values of rows, or NULL */
    const hg_matched *matched; /* targets by the id of the rows read, NULL = rows have them */
    bool from_parent;          /* the rows read are the parent's */
    bool is_epoch;             /* the region is listed at several redshifts */
};

/* List the columns to read: what recipes and cuts need, and what identifies rows. */
static hg_status
list_columns(struct reader *r, const hg_catalog *catalog, const hg_region *region)
{
    static const char *const optional[] = {"parent_id", "weight", "region", "run", "f_contam"};
    const char *group = r->params->selection.group;

    memset(&r->names, 0, sizeof r->names);
    HG_TRY(hg_names_add_recipes(&r->names, r->features));
    if (r->matched == NULL) {
        HG_TRY(hg_names_add_recipes(&r->names, r->targets));
    }
    HG_TRY(hg_names_add_expression(&r->names, r->selection));
    if (r->transports.n > 0) {
        HG_TRY(hg_names_add(&r->names, r->transports.mass));
    }
    if (group != NULL) {
        HG_TRY(hg_names_add(&r->names, group));
    }
    if (region != NULL && isfinite(region->radius)) {
        for (int k = 0; k < 3; k++) {
            if (!isfinite(region->centre[k]) && !isfinite(region->own[k])) {
                return HG_FAIL(HG_E_INPUT,
                               "region %" PRId64 " has a radius but no centre: give x, y and z",
                               region->region);
            }
        }
        HG_TRY(hg_names_add(&r->names, "position"));
    }
    if (r->extras != NULL) {
        HG_TRY(hg_training_extras_names(r->extras, catalog, &r->names));
    }
    HG_TRY(hg_names_check(&r->names, catalog, "training"));
    HG_TRY(hg_names_add(&r->names, "id"));
    r->has_region = hg_catalog_find(catalog, "region") != NULL;
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        if (hg_catalog_find(catalog, optional[i]) != NULL) {
            HG_TRY(hg_names_add(&r->names, optional[i]));
        }
    }
    return HG_OK;
}

static hg_status
cut_rows(struct reader *r, const hg_table *table, const hg_region *region, uint8_t keep[])
{
    const hg_column *contamination = hg_table_find(table, "f_contam");

    memset(keep, 1, (size_t)table->n);
    hg_region_cut(region, table, keep);
    for (int64_t i = 0; i < table->n; i++) {
        const bool is_inside = keep[i] != 0;

        keep[i] = is_inside &&
                  (contamination == NULL ||
                   hg_column_value(contamination, i, 0) <= r->params->zooms.contamination_max);
        r->rows->n_beyond += !is_inside;
        r->rows->n_contaminated += is_inside && !keep[i];
        keep[i] = keep[i] && (r->matched == NULL ||
                              hg_matched_find(r->matched, hg_table_i64(table, "id")[i]) >= 0);
    }
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        if (r->sidecars.used[k]) {
            r->rows->n_lost[k] += hg_derived_cut(&r->sidecars.derived[k], table, keep);
        }
    }
    if (hg_expression_keep(r->selection, table, keep) != HG_OK) {
        hg_error_prefix("Selection.train: ");
        return hg_error_last()->status;
    }
    return HG_OK;
}

static void
cut_fraction(const struct reader *r, int64_t n, const uint64_t key[], const uint64_t group[],
             uint8_t keep[])
{
    const bool by_group = r->params->selection.group != NULL;

    for (int64_t i = 0; i < n; i++) {
        keep[i] = (uint8_t)hg_split_takes(by_group ? group[i] : key[i],
                                          (uint64_t)r->params->meta.seed,
                                          r->params->selection.train_fraction);
    }
}

static hg_status
compute_values(const struct reader *r, const hg_table *table, int64_t first)
{
    const int nf = r->features->n, nt = r->targets->n;
    double *value = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&value, (size_t)table->n, sizeof *value));
    for (int f = 0; f < nf; f++) {
        HG_TRY_OR(done, status, hg_recipe_evaluate(&r->features->recipe[f], table, 1, value));
        for (int64_t i = 0; i < table->n; i++) {
            r->rows->x[(first + i) * nf + f] = (float)value[i];
        }
    }
    HG_TRY_OR(done, status,
              hg_transports_move(&r->transports, table, nf, r->rows->x + first * nf));
    for (int64_t i = 0; r->matched != NULL && i < table->n; i++) {
        const int64_t k = hg_matched_find(r->matched, hg_table_i64(table, "id")[i]);

        memcpy(r->rows->y + (first + i) * nt, r->matched->y + k * nt,
               (size_t)nt * sizeof *value);
    }
    for (int t = 0; t < nt && r->matched == NULL; t++) {
        HG_TRY_OR(done, status,
                  hg_recipe_evaluate(&r->targets->recipe[t], table, (size_t)nt,
                                     r->rows->y + first * nt + t));
    }
    if (r->extras != NULL) {
        status = hg_training_extras_evaluate(r->extras, table, r->rows->key + first,
                                             r->rows->place + first,
                                             r->rows->extra + first * r->rows->n_extra);
    }
done:
    hg_mem_free(value);
    return status;
}

static hg_status
take_part(struct reader *r, hg_table *table, const hg_region *region, const char *run)
{
    hg_training_rows *rows = r->rows;
    const int64_t first = rows->n;
    uint8_t *keep = NULL;
    hg_status status;

    rows->n_read += table->n;
    HG_TRY(hg_mem_array(&keep, (size_t)table->n, 1));
    HG_TRY_OR(done, status, cut_rows(r, table, region, keep));
    hg_table_keep(table, keep);
    if (table->n == 0) {
        goto done;
    }
    HG_TRY_OR(done, status,
              hg_training_rows_room(rows, table->n, r->features->n, r->targets->n));
    hg_training_identify(r->params, r->from_parent, r->is_epoch, table, region, run,
                         rows->key + first, rows->group + first, rows->parent_key + first,
                         rows->weight + first);
    if (rows->n_extra > 0) {
        hg_training_trace(table, region, run, rows->place + first, rows->simulation + first,
                          rows->number + first);
    }
    cut_fraction(r, table->n, rows->key + first, rows->group + first, keep);
    hg_training_rows_drop(rows, first, table->n, keep);
    hg_table_keep(table, keep);
    status = compute_values(r, table, first);
done:
    hg_mem_free(keep);
    return status;
}

static hg_status
read_parts(const hg_comm *comm, struct reader *r, const hg_catalog *catalog,
           const hg_region *region, const char *run)
{
    hg_status status = HG_OK;

    for (int64_t part = comm->rank; part < hg_catalog_n_part(catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {.frame = *hg_catalog_frame(catalog)};

        status = hg_catalog_read(catalog, part, r->names.n, r->names.p, &table);
        if (status == HG_OK) {
            status = take_part(r, &table, region, run);
        }
        hg_table_clear(&table);
    }
    return hg_comm_agree(comm, status);
}

static hg_status
check_frame(struct reader *r, const hg_catalog *catalog, const char *name)
{
    const hg_frame *frame = hg_catalog_frame(catalog);
    double *range = r->rows->redshift;

    range[0] = fmin(r->is_first ? (double)NAN : range[0], frame->redshift);
    range[1] = fmax(r->is_first ? (double)NAN : range[1], frame->redshift);
    if (r->is_first) {
        r->rows->frame = *frame;
        hg_recipes_take_units(r->features, catalog);
        if (r->matched == NULL) {
            hg_recipes_take_units(r->targets, catalog);
        }
        r->is_first = false;
    }
    if (r->matched != NULL) {
        HG_TRY(hg_frame_compare(frame, name, &r->matched->frame, "the run with galaxies",
                                r->params->parent.redshift_tolerance,
                                r->params->parent.cosmology_tolerance));
    }
    return hg_frame_compare(&r->rows->frame, "the first training catalogue", frame, name,
                            r->rows->has_epochs ? (double)INFINITY
                                                : r->params->parent.redshift_tolerance,
                            r->params->parent.cosmology_tolerance);
}

static hg_status
note_input(struct reader *r, const hg_catalog *catalog, const char *name)
{
    return hg_text_add(&r->rows->inputs,
                       "- {file: \"%s\", rows: %" PRId64 ", identity: %016" PRIx64 "}\n", name,
                       hg_catalog_n_row(catalog), hg_catalog_identity(catalog));
}

static hg_status
read_catalog(const hg_comm *comm, struct reader *r, const hg_catalog_options *options,
             const hg_region *region, const char *run)
{
    hg_catalog *catalog = NULL;
    hg_status status;

    HG_TRY(hg_catalog_open(comm, options, &catalog));
    HG_TRY_OR(done, status, hg_sanity_warn(comm, catalog, options->files[0], false));
    HG_TRY_OR(done, status,
              hg_sidecars_join(comm, r->params, &r->sidecars, region, r->twins, r->from_parent,
                               catalog));
    status = list_columns(r, catalog, region);
    if (status == HG_OK) {
        status = check_frame(r, catalog, options->files[0]);
    }
    if (status == HG_OK) {
        status = note_input(r, catalog, options->files[0]);
    }
    if (status != HG_OK) {
        hg_error_prefix("'%s': ", options->files[0]);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    status = read_parts(comm, r, catalog, region, run);
    if (status != HG_OK && strstr(hg_error_last()->message, options->files[0]) == NULL) {
        hg_error_prefix("'%s': ", options->files[0]);
    }
done:
    hg_catalog_close(catalog);
    return status;
}

/* Rows of the parent that are matched with a halo of some region. */
static hg_status
take_parent_part(struct reader *r, hg_table *table, int n, const hg_region regions[],
                 const hg_matched matched[])
{
    uint8_t *keep = NULL;
    hg_status status;

    HG_TRY(hg_mem_zeros(&keep, (size_t)table->n, 1));
    for (int64_t i = 0; i < table->n; i++) {
        for (int k = 0; k < n && !keep[i]; k++) {
            keep[i] = hg_matched_find(&matched[k], hg_table_i64(table, "id")[i]) >= 0;
        }
    }
    r->rows->n_read += table->n;
    hg_table_keep(table, keep);
    hg_mem_free(keep);
    status = HG_OK;
    for (int k = 0; k < n && status == HG_OK; k++) {
        hg_table rows = {.frame = table->frame, .first = table->first};

        r->matched = &matched[k];
        status = hg_table_append(&rows, table);
        r->rows->n_read -= table->n; /* counted above */
        if (status == HG_OK) {
            status = take_part(r, &rows, &regions[k], regions[k].run);
        }
        hg_table_clear(&rows);
    }
    return status;
}

/* What is read of the parent: positions where any region has a radius. */
static hg_status
plan_parent(struct reader *r, const hg_catalog *catalog, const char *name, int n,
            const hg_region regions[], const hg_matched matched[])
{
    const hg_region *wide = &regions[0];

    for (int k = 0; k < n; k++) {
        wide = isfinite(regions[k].radius) ? &regions[k] : wide;
    }
    r->matched = &matched[0];
    HG_TRY(list_columns(r, catalog, wide));
    for (int k = 0; k < n; k++) {
        r->matched = &matched[k];
        HG_TRY(check_frame(r, catalog, name));
    }
    return HG_OK;
}

/* Features of the parent, galaxies of all regions: the parent is read once. */
static hg_status
read_parent(const hg_comm *comm, struct reader *r, int n, const hg_region regions[],
            const hg_matched matched[])
{
    hg_catalog_options options;
    hg_catalog *catalog = NULL;
    char buffer[HG_PATH_MAX];
    const char *file[1];
    hg_status status;

    HG_TRY(hg_paths_parent(r->params, sizeof buffer, buffer, file, &options));
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    status = hg_sidecars_join(comm, r->params, &r->sidecars, NULL, r->twins, r->from_parent,
                              catalog);
    if (status == HG_OK) {
        status = plan_parent(r, catalog, options.files[0], n, regions, matched);
    }
    if (status == HG_OK) {
        status = note_input(r, catalog, options.files[0]);
    }
    for (int64_t part = comm->rank; part < hg_catalog_n_part(catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {.frame = *hg_catalog_frame(catalog)};

        status = hg_catalog_read(catalog, part, r->names.n, r->names.p, &table);
        if (status == HG_OK) {
            status = take_parent_part(r, &table, n, regions, matched);
        }
        hg_table_clear(&table);
    }
    if (status != HG_OK && strstr(hg_error_last()->message, options.files[0]) == NULL) {
        hg_error_prefix("'%s': ", options.files[0]);
    }
    hg_catalog_close(catalog);
    return hg_comm_agree(comm, status);
}

/* Galaxies of one run and features of another, by tables of pairs. */
static hg_status
read_matched(const hg_comm *comm, struct reader *r, const hg_catalog_options *common, int n,
             const hg_region regions[])
{
    hg_matched *matched = NULL;
    int64_t n_pair = 0;
    hg_status status = hg_comm_agree(comm, hg_mem_zeros(&matched, (size_t)n, sizeof *matched));

    for (int i = 0; i < n && status == HG_OK; i++) {
        const char *file = regions[i].dmo;
        hg_catalog_options options = *common;

        status = hg_matched_read(comm, r->params, &regions[i], r->from_parent, common,
                                 r->targets, &matched[i]);
        n_pair += matched[i].n;
        if (status == HG_OK && !r->from_parent && file[0] == '\0') {
            status = HG_FAIL(HG_E_INPUT,
                             "region %" PRId64 " has no file in column 'dmo', which "
                             "Zooms.features: dmo needs",
                             regions[i].region);
        }
        if (status == HG_OK && !r->from_parent) {
            options.n_file = 1;
            options.files = &file;
            r->matched = &matched[i];
            status = read_catalog(comm, r, &options, &regions[i], regions[i].run);
        }
    }
    if (status == HG_OK && r->from_parent) {
        status = read_parent(comm, r, n, regions, matched);
    }
    if (status == HG_OK) {
        hg_log_info("train: features of the %s of %" PRId64 " pairs of haloes",
                    r->from_parent ? "parent" : "dark-matter-only run", n_pair);
    }
    for (int i = 0; i < n && matched != NULL; i++) {
        hg_matched_clear(&matched[i]);
    }
    hg_mem_free(matched);
    r->matched = NULL;
    return status;
}

/* Radii apply only to catalogues in the parent's frame: those of zooms cut from a larger file.
 */
static hg_status
read_regions(const hg_comm *comm, struct reader *r, const hg_catalog_options *common,
             const char *path)
{
    hg_region *regions = NULL;
    int n = 0;
    hg_status status;

    HG_TRY(hg_regions_read(comm, path, r->params->zooms.run, &n, &regions));
    hg_log_info("train: %d regions in '%s', effective number %.1f by weight", n, path,
                hg_regions_effective(n, regions));
    status = HG_OK;
    for (int i = 0; i < n && strcmp(r->params->zooms.features, "hydro") != 0; i++) {
        if (hg_regions_repeats(n, regions, i)) {
            hg_mem_free(regions);
            return HG_FAIL(HG_E_PARAM, "regions at several redshifts work with Zooms.features: "
                                       "hydro alone");
        }
    }
    if (strcmp(r->params->zooms.features, "hydro") != 0) {
        r->from_parent = strcmp(r->params->zooms.features, "parent") == 0;
        status = r->twins ? HG_FAIL(HG_E_PARAM, "twins of galaxies work with Zooms.features: "
                                                "hydro only")
                          : read_matched(comm, r, common, n, regions);
        n = 0;
    }
    for (int i = 0; i < n && status == HG_OK; i++) {
        const char *file = r->twins ? regions[i].twin : regions[i].hydro;
        hg_catalog_options options = *common;

        r->rows->has_twins |= regions[i].twin[0] != '\0';
        if (file[0] == '\0') {
            continue;
        }
        options.n_file = 1;
        options.files = &file;
        options.run = regions[i].run;
        options.frame.redshift = regions[i].redshift;
        r->is_epoch = hg_regions_repeats(n, regions, i);
        status = read_catalog(comm, r, &options, &regions[i], regions[i].run);
    }
    r->rows->has_group = true;
    hg_mem_free(regions);
    return status;
}

static hg_status
read_rows(const hg_comm *comm, const hg_params *params, hg_recipes *features,
          hg_recipes *targets, const hg_training_extras *extras, bool twins,
          hg_training_rows *rows)
{
    struct reader r = {.params = params,
                       .extras = extras,
                       .features = features,
                       .targets = targets,
                       .rows = rows,
                       .is_first = true,
                       .twins = twins};
    hg_catalog_options options;
    char path[HG_PATH_MAX], is_there;
    hg_status status = HG_OK;

    *rows =
        (hg_training_rows){.has_epochs = hg_recipes_use(features, "redshift"),
                           .n_extra = extras != NULL ? hg_training_extras_count(extras) : 0};
    hg_paths_zooms(params, &options);
    HG_TRY(hg_paths_regions(params, sizeof path, path)); /* the same on all ranks */
    is_there = comm->rank == 0 && hg_file_exists(path);
    hg_comm_broadcast(comm, 0, &is_there, 1);
    if (path[0] != '\0' && params->zooms.regions == NULL && !is_there) {
        status = HG_FAIL(HG_E_NOTFOUND,
                         "there are no zooms to learn from: name them in Zooms.regions or "
                         "Zooms.files, or make '%s' with 'halograft mock'",
                         path);
    }
    if (status == HG_OK && path[0] == '\0' && strcmp(params->zooms.features, "hydro") != 0) {
        status = HG_FAIL(HG_E_PARAM,
                         "Zooms.features: %s needs a region table: name it in "
                         "Zooms.regions",
                         params->zooms.features);
    }
    if (status == HG_OK && params->selection.train != NULL) {
        status = hg_expression_create(params->selection.train, &r.selection);
        if (status != HG_OK) {
            hg_error_prefix("Selection.train: ");
        }
    }
    if (status == HG_OK) {
        status = hg_sidecars_parse(params, &r.sidecars);
    }
    if (status == HG_OK) {
        status = hg_sidecars_write(&r.sidecars, rows->recipe);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_transports_make(comm, params, features, &r.transports, &rows->transport));
    if (path[0] != '\0') {
        status = read_regions(comm, &r, &options, path);
    } else {
        options.n_file = params->zooms.files.n;
        options.files = params->zooms.files.v;
        status = read_catalog(comm, &r, &options, NULL, params->zooms.run);
        rows->has_group = params->selection.group != NULL || r.has_region;
    }
done:
    hg_expression_free(r.selection);
    hg_sidecars_clear(&r.sidecars);
    hg_transports_clear(&r.transports);
    if (status != HG_OK) {
        hg_training_rows_clear(rows);
    }
    return status;
}

hg_status
hg_training_rows_read(const hg_comm *comm, const hg_params *params, hg_recipes *features,
                      hg_recipes *targets, hg_training_rows *rows)
{
    return read_rows(comm, params, features, targets, NULL, false, rows);
}

hg_status
hg_training_twins_read(const hg_comm *comm, const hg_params *params, hg_recipes *features,
                       hg_recipes *targets, hg_training_rows *rows)
{
    return read_rows(comm, params, features, targets, NULL, true, rows);
}

hg_status
hg_training_rows_trace(const hg_comm *comm, const hg_params *params, hg_recipes *features,
                       hg_recipes *targets, const hg_training_extras *extras,
                       hg_training_rows *rows)
{
    return read_rows(comm, params, features, targets, extras, false, rows);
}
