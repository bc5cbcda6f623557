/* Columns stand side by side in a fixed order and meaning: input columns, X_mean (not of
 * labels), X_probability (of labels and hurdles), X_spread, X_q05, ..., X_draw, X_draw2, ...,
 * flags. */
#include "emulate/apply_columns.h"

#include <stdio.h>
#include <string.h>

static void
declare(hg_grafter *g, const char *name, const char *unit, const char *kind,
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
list_kept(hg_grafter *g)
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
    if (strcmp(g->params->parent.on_bad_rows, "flag") == 0) {
        declare(g, "flags", "", "flag", "bit 3 is set where a row holds impossible values");
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
list_target(hg_grafter *g, const hg_recipe *r, const hg_target_role *role)
{
    char name[HG_NAME_MAX], text[160];

    if (!role->is_label && g->has_mean) {
        hg_predicted_name(r->name, HG_PREDICTED_MEAN, sizeof name, name);
        snprintf(
            text, sizeof text, "inverse transform of the forest's mean of '%.60s'%s", r->name,
            role->has_hurdle ? " above its hurdle, 0 where its probability is below 1/2" : "");
        declare(g, name, r->unit, "mean", text);
    }
    if (role->is_label || role->has_hurdle) {
        hg_predicted_name(r->name, HG_PREDICTED_PROBABILITY, sizeof name, name);
        snprintf(text, sizeof text, "probability that '%.60s' is %s", r->name,
                 role->is_label ? "1" : "above its hurdle");
        declare(g, name, "", "probability", text);
    }
    if (!role->is_label && g->has_domain) {
        hg_predicted_name(r->name, HG_PREDICTED_SPREAD, sizeof name, name);
        snprintf(text, sizeof text,
                 "standard deviation of the trees' predictions of '%.60s', transformed",
                 r->name);
        declare(g, name, "", "spread", text);
    }
    for (int q = 0; q < g->options.n_quantile && !role->is_label; q++) {
        hg_quantile_name(r->name, g->options.level[q], sizeof name, name);
        snprintf(text, sizeof text, "quantile %g of '%.60s' given the features%s",
                 g->options.level[q], r->name, role->has_hurdle ? ", above its hurdle" : "");
        declare(g, name, r->unit, "quantile", text);
    }
    for (int d = 0; d < g->options.n_draw; d++) {
        hg_predicted_name(r->name, d, sizeof name, name);
        snprintf(text, sizeof text, "realisation %d of '%.60s': %s", d + 1, r->name,
                 role->is_label     ? "0 or 1"
                 : role->has_hurdle ? "mean and scatter, joint over targets, or 0"
                                    : "mean and scatter, joint over targets");
        declare(g, name, r->unit, "draw", text);
    }
}

static void
list_mask(hg_grafter *g, const char *mask, const char *description)
{
    for (int w = 0; w < hg_forest_mask_words(hg_stages_forest(g->model, 0)); w++) {
        char name[HG_NAME_MAX];

        hg_mask_name(mask, w, sizeof name, name);
        declare(g, name, "", "flag", description);
    }
}

static void
list_predictions(hg_grafter *g)
{
    for (int t = 0; t < g->targets.n; t++) {
        list_target(g, &g->targets.recipe[t], hg_stages_role(g->model, t));
    }
    declare(g, "origin", "", "flag",
            "0 = not a training halo, 1 = training halo, out-of-bag mean, 2 = training halo "
            "without one, 255 = not predicted");
    list_mask(g, "extrapolated", "bit f is set when feature f lies outside the training range");
    if (g->has_domain) {
        list_mask(
            g, "in_tails",
            "bit f is set when feature f lies outside the 0.1 and 99.9 per cent points of "
            "the training haloes");
        declare(g, "n_eff", "", "flag", "");
        declare(g, "n_regions", "", "flag", "");
        declare(g, "domain", "", "flag", "");
    }
}

static hg_status
check_columns(hg_grafter *g)
{
    HG_TRY(hg_names_add_recipes(&g->names, &g->features));
    HG_TRY(hg_names_check(&g->names, g->catalog, "the model"));
    HG_TRY(hg_names_add_expression(&g->names, g->selection));
    for (int i = 0; i < g->params->parent.keep.n; i++) {
        HG_TRY(hg_names_add(&g->names, g->params->parent.keep.v[i]));
    }
    return hg_names_check(&g->names, g->catalog, "Selection.apply or Parent.keep");
}

hg_status
hg_apply_list_columns(hg_grafter *g)
{
    HG_TRY(check_columns(g));
    HG_TRY(list_kept(g));
    list_predictions(g);
    return HG_OK;
}

double
hg_apply_estimate_bytes(const hg_grafter *g)
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
