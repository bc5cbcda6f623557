/* Each part is independent, so ranks take parts round robin and agree once per round. Means and
 * draws are made in transformed space and inverted on output; they stand side by side in
 * columns of fixed meaning: X_mean, X_draw, X_draw2, ... */
#include "emulate/apply.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "catalog/output.h"
#include "emulate/frame_text.h"
#include "emulate/paths.h"
#include "emulate/recipes.h"
#include "halograft/forest.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "table/identity.h"

enum { MAX_OUTPUT = 2048 };

/* What stays the same over parts. */
struct grafter {
    const hg_params *params;
    const hg_forest *forest;
    const hg_catalog *catalog;
    hg_recipes features;
    hg_recipes targets;
    hg_expression *selection;
    hg_names names;
    hg_predict_options options;
    bool is_loud; /* this rank warns */
    int n_output;
    hg_output_column output[MAX_OUTPUT];
    int64_t n_predicted, n_outside, n_training;
};

/* Space for the selected rows of one part. */
struct part_space {
    int64_t n;
    int64_t *row; /* shape (n): row in the table */
    uint64_t *key;
    float *x;
    double *mean;
    double *draw;
    uint64_t *outside;
    uint8_t *origin;
};

static void
declare(struct grafter *g, const char *name, const char *unit, const char *kind,
        const char *description)
{
    hg_output_column *c = &g->output[g->n_output++];

    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->unit, sizeof c->unit, "%s", unit);
    snprintf(c->kind, sizeof c->kind, "%s", kind);
    snprintf(c->description, sizeof c->description, "%s", description);
}

/* Input columns that go to the output: what tells haloes apart, where they are, and what
 * Parent.keep names. */
static hg_status
list_kept(struct grafter *g)
{
    static const char *const always[] = {"id",      "position", "velocity", "central",
                                         "host_id", "region",   "run"};
    const hg_strings *keep = &g->params->parent.keep;

    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        const hg_column *c = hg_catalog_find(g->catalog, always[i]);

        if (c != NULL) {
            HG_TRY(hg_names_add(&g->names, always[i]));
            declare(g, c->name, c->unit, "input", "");
        } else if (i == 0) {
            HG_TRY(hg_names_add(&g->names, "id"));
            declare(g, "id", "", "input", "");
        }
    }
    for (int i = 0; i < keep->n; i++) {
        const hg_column *c = hg_catalog_find(g->catalog, keep->v[i]);
        bool done = false;

        for (int k = 0; k < g->n_output; k++) {
            done = done || strcmp(g->output[k].name, keep->v[i]) == 0;
        }
        if (!done && c != NULL) {
            declare(g, c->name, c->unit, "input", "");
        }
        HG_TRY(hg_names_add(&g->names, keep->v[i]));
    }
    return HG_OK;
}

static void
list_predictions(struct grafter *g)
{
    char name[HG_NAME_MAX], text[160];

    for (int t = 0; t < g->targets.n; t++) {
        const hg_recipe *r = &g->targets.recipe[t];

        hg_predicted_name(r->name, -1, sizeof name, name);
        snprintf(text, sizeof text, "inverse transform of the forest's mean of '%.90s'",
                 r->name);
        declare(g, name, r->unit, "mean", text);
        for (int d = 0; d < g->options.n_draw; d++) {
            hg_predicted_name(r->name, d, sizeof name, name);
            snprintf(text, sizeof text,
                     "realisation %d of '%.90s': mean and scatter, joint over targets", d + 1,
                     r->name);
            declare(g, name, r->unit, "draw", text);
        }
    }
    declare(g, "origin", "", "flag",
            "0 = not a training halo, 1 = training halo, out-of-bag mean, 2 = training halo "
            "without one, 255 = not predicted");
    for (int w = 0; w < hg_forest_mask_words(g->forest); w++) {
        snprintf(name, sizeof name, w == 0 ? "extrapolated" : "extrapolated%d", w + 1);
        declare(g, name, "", "flag",
                "bit f is set when feature f lies outside the training range");
    }
}

static hg_status
check_columns(struct grafter *g)
{
    HG_TRY(hg_names_add_recipes(&g->names, &g->features));
    HG_TRY(hg_names_check(&g->names, g->catalog, "the model"));
    HG_TRY(hg_names_add_expression(&g->names, g->selection));
    for (int i = 0; i < g->params->parent.keep.n; i++) {
        HG_TRY(hg_names_add(&g->names, g->params->parent.keep.v[i]));
    }
    return hg_names_check(&g->names, g->catalog, "Selection.apply or Parent.keep");
}

static hg_status
check_frames(const struct grafter *g)
{
    const char *text = hg_forest_get_meta(g->forest, "frame");
    hg_frame trained;

    if (text == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_frame_parse(text, &trained));
    HG_TRY(hg_frame_compare(&trained, "the model", hg_catalog_frame(g->catalog), "the parent",
                            g->params->parent.redshift_tolerance,
                            g->params->parent.cosmology_tolerance));
    if (g->is_loud && !trained.dark_matter_only &&
        hg_catalog_frame(g->catalog)->dark_matter_only) {
        hg_log_warn(
            "apply: the model was trained on haloes of a hydrodynamical run and is applied to "
            "a dark-matter-only run: masses there are higher by 1/(1 - Omega_b/Omega_m), "
            "about 0.07 dex in dark matter");
    }
    return HG_OK;
}

static hg_status
prepare(struct grafter *g)
{
    HG_TRY(hg_recipes_of_model(g->forest, false, &g->features));
    HG_TRY(hg_recipes_of_model(g->forest, true, &g->targets));
    if (g->params->selection.apply != NULL) {
        HG_TRY(hg_expression_create(g->params->selection.apply, &g->selection));
    }
    if (hg_catalog_n_row(g->catalog) == 0) {
        return HG_FAIL(HG_E_INPUT, "the parent catalogue has no haloes");
    }
    HG_TRY(check_columns(g));
    HG_TRY(list_kept(g));
    list_predictions(g);
    return check_frames(g);
}

static void
clear_space(struct part_space *s)
{
    hg_mem_free(s->row);
    hg_mem_free(s->key);
    hg_mem_free(s->x);
    hg_mem_free(s->mean);
    hg_mem_free(s->draw);
    hg_mem_free(s->outside);
    hg_mem_free(s->origin);
    *s = (struct part_space){0};
}

static hg_status
select_rows(const struct grafter *g, const hg_table *table, struct part_space *s)
{
    double *value = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&s->row, (size_t)table->n, sizeof *s->row));
    if (g->selection != NULL) {
        HG_TRY(hg_mem_array(&value, (size_t)table->n, sizeof *value));
        status = hg_expression_evaluate(g->selection, table, value);
    }
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        if (value == NULL || (value[i] != 0 && !isnan(value[i]))) {
            s->row[s->n++] = i;
        }
    }
    hg_mem_free(value);
    return status;
}

static hg_status
allocate_space(const struct grafter *g, struct part_space *s)
{
    const size_t n = (size_t)s->n, nt = (size_t)g->targets.n;

    HG_TRY(hg_mem_array(&s->key, n, sizeof *s->key));
    HG_TRY(hg_mem_array(&s->x, n * (size_t)g->features.n, sizeof *s->x));
    HG_TRY(hg_mem_array(&s->mean, n * nt, sizeof *s->mean));
    HG_TRY(hg_mem_array(&s->draw, n * nt * (size_t)g->options.n_draw, sizeof *s->draw));
    HG_TRY(hg_mem_array(&s->outside, n * (size_t)hg_forest_mask_words(g->forest),
                        sizeof *s->outside));
    return hg_mem_array(&s->origin, n, 1);
}

/* Features of the selected rows only: a row that is not predicted may hold values that a recipe
 * cannot take. */
static hg_status
compute_features(const struct grafter *g, hg_table *table, const struct part_space *s)
{
    const int64_t *id = hg_table_i64(table, "id");
    const hg_column *region = hg_table_find(table, "region"),
                    *run = hg_table_find(table, "run");
    const uint64_t prefix = hg_halo_prefix(g->params->parent.run, HG_NO_REGION);
    const int nf = g->features.n;
    hg_table chosen = {.frame = table->frame, .first = table->first};
    uint8_t *keep = NULL;
    double *value = NULL;
    hg_status status;

    for (int64_t i = 0; i < s->n; i++) {
        int64_t row = s->row[i], place = hg_halo_place(region, run, row);

        s->key[i] = place == HG_NO_REGION ? hg_halo_key_of(prefix, id[row])
                                          : hg_halo_key(g->params->parent.run, place, id[row]);
    }
    HG_TRY_OR(done, status, hg_mem_array(&value, (size_t)table->n, sizeof *value));
    if (s->n < table->n) {
        HG_TRY_OR(done, status, hg_mem_zeros(&keep, (size_t)table->n, 1));
        for (int64_t i = 0; i < s->n; i++) {
            keep[s->row[i]] = 1;
        }
        HG_TRY_OR(done, status, hg_table_append(&chosen, table));
        hg_table_keep(&chosen, keep);
    }
    for (int f = 0; f < nf; f++) {
        HG_TRY_OR(done, status,
                  hg_recipe_evaluate(&g->features.recipe[f], s->n < table->n ? &chosen : table,
                                     1, value));
        for (int64_t i = 0; i < s->n; i++) {
            s->x[i * nf + f] = (float)value[i];
        }
    }
    status = HG_OK;
done:
    hg_table_clear(&chosen);
    hg_mem_free(value);
    hg_mem_free(keep);
    return status;
}

/* Write one target, from transformed values of the selected rows, as a column of all rows. */
static hg_status
add_target(const struct grafter *g, hg_table *table, const struct part_space *s,
           const char *name, int target, const double transformed[])
{
    const hg_recipe *recipe = &g->targets.recipe[target];
    float *column = NULL;

    HG_TRY(hg_table_add(table, name, recipe->unit, HG_COLUMN_F32, 1, &column));
    for (int64_t i = 0; i < table->n; i++) {
        column[i] = NAN;
    }
    for (int64_t i = 0; i < s->n; i++) {
        column[s->row[i]] =
            (float)hg_recipe_invert(recipe, transformed[i * g->targets.n + target]);
    }
    return HG_OK;
}

static hg_status
add_flags(struct grafter *g, hg_table *table, const struct part_space *s)
{
    const int words = hg_forest_mask_words(g->forest);
    uint8_t *origin = NULL;

    HG_TRY(hg_table_add(table, "origin", "", HG_COLUMN_U8, 1, &origin));
    memset(origin, 255, (size_t)table->n);
    for (int64_t i = 0; i < s->n; i++) {
        origin[s->row[i]] = s->origin[i];
        g->n_training += s->origin[i] != 0;
    }
    for (int w = 0; w < words; w++) {
        char name[HG_NAME_MAX];
        int64_t *mask = NULL;

        snprintf(name, sizeof name, w == 0 ? "extrapolated" : "extrapolated%d", w + 1);
        HG_TRY(hg_table_add(table, name, "", HG_COLUMN_I64, 1, &mask));
        memset(mask, 0, (size_t)table->n * sizeof *mask);
        for (int64_t i = 0; i < s->n; i++) {
            mask[s->row[i]] = (int64_t)s->outside[i * words + w];
        }
    }
    for (int64_t i = 0; i < s->n; i++) {
        bool outside = false;

        for (int w = 0; w < words; w++) {
            outside = outside || s->outside[i * words + w] != 0;
        }
        g->n_outside += outside;
    }
    g->n_predicted += s->n;
    return HG_OK;
}

static hg_status
graft(struct grafter *g, hg_table *table, struct part_space *s)
{
    hg_prediction result;
    char name[HG_NAME_MAX];

    HG_TRY(select_rows(g, table, s));
    HG_TRY(allocate_space(g, s));
    HG_TRY(compute_features(g, table, s));
    result = (hg_prediction){
        .mean = s->mean, .draw = s->draw, .outside = s->outside, .origin = s->origin};
    hg_phase_start("apply: predict");
    HG_TRY(hg_forest_predict(g->forest, &g->options, s->n, s->key, s->x, &result));
    hg_phase_stop("apply: predict");
    for (int t = 0; t < g->targets.n; t++) {
        hg_predicted_name(g->targets.recipe[t].name, -1, sizeof name, name);
        HG_TRY(add_target(g, table, s, name, t, s->mean));
        for (int d = 0; d < g->options.n_draw; d++) {
            hg_predicted_name(g->targets.recipe[t].name, d, sizeof name, name);
            HG_TRY(add_target(g, table, s, name, t, s->draw + d * s->n * g->targets.n));
        }
    }
    return add_flags(g, table, s);
}

static hg_status
do_part(struct grafter *g, int64_t part, hg_output *output)
{
    hg_table table = {.frame = *hg_catalog_frame(g->catalog)};
    struct part_space space = {0};
    hg_status status;

    hg_phase_start("apply: read");
    status = hg_catalog_read(g->catalog, part, g->names.n, g->names.p, &table);
    hg_phase_stop("apply: read");
    if (status == HG_OK) {
        status = graft(g, &table, &space);
    }
    if (status == HG_OK) {
        hg_phase_start("apply: write");
        status = hg_output_part(output, part, &table);
        hg_phase_stop("apply: write");
    }
    clear_space(&space);
    hg_table_clear(&table);
    return status;
}

/* One line per finished part, written by rank 0 after the round's agreement. */
static hg_status
journal_round(const hg_comm *comm, const struct grafter *g, const char *journal, int64_t first,
              int64_t last)
{
    hg_status status = HG_OK;

    for (int64_t part = first; comm->rank == 0 && part < last && status == HG_OK; part++) {
        char line[256];
        int64_t row = hg_catalog_part_first(g->catalog, part);

        snprintf(line, sizeof line,
                 "{\"part\": %" PRId64 ", \"rows\": [%" PRId64 ", %" PRId64
                 "], \"inputs\": \"%016" PRIx64 "\", \"model\": \"%016" PRIx64
                 "\", \"params\": \"%016" PRIx64 "\"}",
                 part, row, row + hg_catalog_part_rows(g->catalog, part),
                 hg_catalog_identity(g->catalog), hg_forest_hash(g->forest),
                 hg_params_hash(g->params));
        status = hg_journal_append(journal, line);
    }
    return hg_comm_agree(comm, status);
}

static hg_status
do_parts(const hg_comm *comm, struct grafter *g, const char *journal, hg_output *output)
{
    const int64_t n_part = hg_catalog_n_part(g->catalog);
    hg_progress progress = hg_progress_start("apply", "haloes", hg_catalog_n_row(g->catalog));

    for (int64_t first = 0; first < n_part; first += comm->size) {
        const int64_t part = first + comm->rank;
        const int64_t last = first + comm->size < n_part ? first + comm->size : n_part;
        hg_status status = part < n_part ? do_part(g, part, output) : HG_OK;

        HG_TRY(hg_comm_agree(comm, status));
        HG_TRY(journal_round(comm, g, journal, first, last));
        hg_progress_to(&progress, last < n_part ? hg_catalog_part_first(g->catalog, last)
                                                : hg_catalog_n_row(g->catalog));
    }
    hg_progress_end(&progress);
    return HG_OK;
}

/* Bytes of the catalogue before compression, so rather more than it will take. */
static double
estimate_bytes(const struct grafter *g)
{
    double row = 0;

    for (int i = 0; i < g->n_output; i++) {
        const hg_column *c = hg_catalog_find(g->catalog, g->output[i].name);

        /* predictions are float32, flags at most eight bytes */
        row += strcmp(g->output[i].kind, "input") == 0 && c != NULL ? 8.0 * c->width
               : strcmp(g->output[i].kind, "flag") == 0             ? 8
                                                                    : 4;
    }
    return row * (double)hg_catalog_n_row(g->catalog);
}

/* Better to refuse now than to fill the disk after hours. */
static hg_status
check_space(const hg_comm *comm, const struct grafter *g, const char *path)
{
    char folder[HG_PATH_MAX];
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = hg_paths_folder(path, sizeof folder, folder);
        if (status == HG_OK) {
            status = hg_folder_has_space(
                folder, (int64_t)(g->params->output.space_margin * estimate_bytes(g)));
        }
    }
    return hg_comm_agree(comm, status);
}

static hg_status
write_catalog(const hg_comm *comm, struct grafter *g, const char *path, bool overwrite)
{
    char provenance[1024], journal[HG_PATH_MAX];
    hg_output_options options = {.path = path,
                                 .overwrite = overwrite,
                                 .frame = *hg_catalog_frame(g->catalog),
                                 .n_column = g->n_output,
                                 .column = g->output,
                                 .parameters = hg_params_text(g->params),
                                 .provenance = provenance,
                                 .run_name = g->params->meta.name,
                                 .seed = (uint64_t)g->params->meta.seed};
    hg_output *output = NULL;
    hg_status status, end;

    HG_TRY(hg_text_path(sizeof journal, journal, "%s.journal.jsonl", path));
    snprintf(provenance, sizeof provenance,
             "model: {file: \"%.500s\", content_hash: %016" PRIx64
             "}\nparent: {identity: %016" PRIx64 ", rows: %" PRId64
             "}\nparameters_hash: %016" PRIx64 "\n",
             g->params->model.file, hg_forest_hash(g->forest), hg_catalog_identity(g->catalog),
             hg_catalog_n_row(g->catalog), hg_params_hash(g->params));
    HG_TRY(check_space(comm, g, path));
    HG_TRY(hg_output_create(comm, &options, &output));
    status = hg_output_claim(comm, journal, true);
    if (status == HG_OK) {
        status = do_parts(comm, g, journal, output);
    }
    end = hg_output_finish(comm, output, status != HG_OK);
    return status != HG_OK ? status : end;
}

static void
report(const hg_comm *comm, const struct grafter *g, const char *path)
{
    int64_t counts[3] = {g->n_predicted, g->n_outside, g->n_training};

    hg_comm_sum(comm, 3, counts);
    hg_log_info("apply: %" PRId64 " of %" PRId64
                " haloes predicted, %.3g %% outside the training "
                "range in some feature, %" PRId64 " were training haloes (out-of-bag means)",
                counts[0], hg_catalog_n_row(g->catalog),
                counts[0] > 0 ? 100.0 * (double)counts[1] / (double)counts[0] : 0.0, counts[2]);
    hg_log_info("apply: catalogue '%s.hdf5' in %" PRId64 " parts", path,
                hg_catalog_n_part(g->catalog));
}

static hg_predict_options
draw_options(const hg_params *params, const hg_forest *forest, bool is_loud)
{
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;

    o.n_draw = strcmp(params->scatter.method, "none") == 0 ? 0 : (int)params->scatter.draws;
    o.method =
        strcmp(params->scatter.method, "leaf-value") == 0 ? HG_DRAW_LEAF : HG_DRAW_RESIDUAL;
    o.seed = (uint64_t)params->meta.seed;
    o.threads = (int)params->run.threads;
    if (o.method == HG_DRAW_RESIDUAL && hg_forest_options(forest)->bag == HG_BAG_NONE &&
        o.n_draw > 0) {
        if (is_loud) {
            hg_log_warn("apply: the model was trained without a bag and has no residuals: "
                        "draws take leaf values instead");
        }
        o.method = HG_DRAW_LEAF;
    }
    return o;
}

static hg_status
open_inputs(const hg_comm *comm, const hg_params *params, hg_forest **forest,
            hg_catalog **catalog)
{
    char model[HG_PATH_MAX], buffer[HG_PATH_MAX];
    const char *file[1];
    hg_catalog_options options;

    HG_TRY(hg_paths_output(params, params->model.file, sizeof model, model));
    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    HG_TRY(hg_forest_load(comm, model, forest));
    return hg_catalog_open(comm, &options, catalog);
}

hg_status
hg_emulate_apply(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    char path[HG_PATH_MAX];
    struct grafter *g = NULL;
    hg_forest *forest = NULL;
    hg_catalog *catalog = NULL;
    hg_status status;

    HG_TRY(hg_paths_output(params, params->output.catalogue, sizeof path, path));
    HG_TRY_OR(done, status, hg_paths_make_folder(comm, path));
    HG_TRY_OR(done, status, open_inputs(comm, params, &forest, &catalog));
    status = hg_mem_zeros(&g, 1, sizeof *g);
    if (status == HG_OK) {
        g->params = params;
        g->forest = forest;
        g->catalog = catalog;
        g->is_loud = comm->rank == 0;
        g->options = draw_options(params, forest, g->is_loud);
        status = prepare(g);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_log_info("apply: %" PRId64 " haloes in %" PRId64
                " parts, %d features, %d targets, %d draws",
                hg_catalog_n_row(catalog), hg_catalog_n_part(catalog), g->features.n,
                g->targets.n, g->options.n_draw);
    status = write_catalog(comm, g, path, overwrite);
    if (status == HG_OK) {
        report(comm, g, path);
    }
done:
    if (g != NULL) {
        hg_recipes_clear(&g->features);
        hg_recipes_clear(&g->targets);
        hg_expression_free(g->selection);
    }
    hg_mem_free(g);
    hg_forest_free(forest);
    hg_catalog_close(catalog);
    return status;
}
