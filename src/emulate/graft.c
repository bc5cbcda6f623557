/* Means and draws are made in transformed space and inverted on output; probabilities are put
 * out as they are. */
#include "emulate/graft.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "catalog/check.h"
#include "emulate/baryons.h"
#include "table/identity.h"

/* Space for the selected rows of one part. */
struct part_space {
    int64_t n;
    int64_t *row; /* shape (n): row in the table */
    uint64_t *key;
    float *x;
    double *mean;
    double *probability; /* NULL when no target has one */
    double *draw;
    double *quantile;
    double *spread; /* likewise below: NULL without has_domain */
    uint64_t *outside, *in_tails;
    double *n_eff;
    int32_t *n_group;
    uint8_t *domain;
    uint8_t *origin;
};

static void
clear_space(struct part_space *s)
{
    hg_mem_free(s->row);
    hg_mem_free(s->key);
    hg_mem_free(s->x);
    hg_mem_free(s->mean);
    hg_mem_free(s->probability);
    hg_mem_free(s->draw);
    hg_mem_free(s->quantile);
    hg_mem_free(s->spread);
    hg_mem_free(s->outside);
    hg_mem_free(s->in_tails);
    hg_mem_free(s->n_eff);
    hg_mem_free(s->n_group);
    hg_mem_free(s->domain);
    hg_mem_free(s->origin);
    *s = (struct part_space){0};
}

/* Rows to predict: those of the selection that are not flagged as bad. */
static hg_status
select_rows(const hg_grafter *g, const hg_table *table, struct part_space *s)
{
    const hg_column *flags = hg_table_find(table, "flags");
    const bool is_flagged = flags != NULL && strcmp(g->params->parent.on_bad_rows, "flag") == 0;
    uint8_t *keep = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&s->row, (size_t)table->n, sizeof *s->row));
    HG_TRY(hg_mem_array(&keep, (size_t)table->n, sizeof *keep));
    memset(keep, 1, (size_t)table->n);
    status = hg_expression_keep(g->selection, table, keep);
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        const bool is_bad =
            is_flagged && ((int64_t)hg_column_value(flags, i, 0) & HG_FLAG_BAD) != 0;

        if (keep[i] && !is_bad) {
            s->row[s->n++] = i;
        }
    }
    hg_mem_free(keep);
    return status;
}

static bool
has_probability(const hg_grafter *g, int t)
{
    const hg_target_role *role = hg_stages_role(g->model, t);

    return role->is_label || role->has_hurdle;
}

static hg_status
allocate_space(const hg_grafter *g, struct part_space *s)
{
    const size_t n = (size_t)s->n, nt = (size_t)g->targets.n;
    const size_t words = (size_t)hg_forest_mask_words(hg_stages_forest(g->model, 0));

    HG_TRY(hg_mem_array(&s->key, n, sizeof *s->key));
    HG_TRY(hg_mem_array(&s->x, n * (size_t)g->features.n, sizeof *s->x));
    if (g->has_mean) {
        HG_TRY(hg_mem_array(&s->mean, n * nt, sizeof *s->mean));
    }
    for (int t = 0; t < g->targets.n && s->probability == NULL; t++) {
        if (has_probability(g, t)) {
            HG_TRY(hg_mem_array(&s->probability, n * nt, sizeof *s->probability));
        }
    }
    HG_TRY(hg_mem_array(&s->draw, n * nt * (size_t)g->options.n_draw, sizeof *s->draw));
    if (g->options.n_quantile > 0) {
        HG_TRY(hg_mem_array(&s->quantile, n * nt * (size_t)g->options.n_quantile,
                            sizeof *s->quantile));
    }
    HG_TRY(hg_mem_array(&s->outside, n * words, sizeof *s->outside));
    if (g->has_domain) {
        HG_TRY(hg_mem_array(&s->spread, n * nt, sizeof *s->spread));
        HG_TRY(hg_mem_array(&s->in_tails, n * words, sizeof *s->in_tails));
        HG_TRY(hg_mem_array(&s->n_eff, n, sizeof *s->n_eff));
        HG_TRY(hg_mem_array(&s->n_group, n, sizeof *s->n_group));
        HG_TRY(hg_mem_array(&s->domain, n, 1));
    }
    return hg_mem_array(&s->origin, n, 1);
}

/* Features of the selected rows only: a row that is not predicted may hold values that a recipe
 * cannot take. */
static hg_status
compute_features(const hg_grafter *g, hg_table *table, const struct part_space *s)
{
    const int64_t *id = hg_table_i64(table, "id");
    const hg_column *region = hg_table_find(table, "region"),
                    *run = hg_table_find(table, "run");
    const uint64_t prefix = hg_halo_prefix(g->params->parent.run, HG_NO_REGION);
    const int nf = g->features.n;
    const bool is_copy = s->n < table->n || g->m_dm_factor != 1;
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
    if (is_copy) {
        HG_TRY_OR(done, status, hg_mem_zeros(&keep, (size_t)table->n, 1));
        for (int64_t i = 0; i < s->n; i++) {
            keep[s->row[i]] = 1;
        }
        HG_TRY_OR(done, status, hg_table_append(&chosen, table));
        hg_table_keep(&chosen, keep);
        hg_baryons_scale(&chosen, g->m_dm_factor);
    }
    for (int f = 0; f < nf; f++) {
        HG_TRY_OR(
            done, status,
            hg_recipe_evaluate(&g->features.recipe[f], is_copy ? &chosen : table, 1, value));
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

/* Write values of one target of the selected rows as a column of all rows; is_plain = without
 * the recipe's inverse. */
static hg_status
add_column(const hg_grafter *g, hg_table *table, const struct part_space *s, int target,
           const char *name, bool is_plain, const double value[])
{
    const hg_recipe *recipe = &g->targets.recipe[target];
    float *column = NULL;

    HG_TRY(hg_table_add(table, name, is_plain ? "" : recipe->unit, HG_COLUMN_F32, 1, &column));
    for (int64_t i = 0; i < table->n; i++) {
        column[i] = NAN;
    }
    for (int64_t i = 0; i < s->n; i++) {
        const double v = value[i * g->targets.n + target];

        column[s->row[i]] = (float)(is_plain ? v : hg_recipe_invert(recipe, v));
    }
    return HG_OK;
}

/* the same for a column of predictions; `draw` as for hg_predicted_name() */
static hg_status
add_predicted(const hg_grafter *g, hg_table *table, const struct part_space *s, int target,
              int draw, const double value[])
{
    const bool is_plain = draw == HG_PREDICTED_PROBABILITY || draw == HG_PREDICTED_SPREAD;
    char name[HG_NAME_MAX];

    hg_predicted_name(g->targets.recipe[target].name, draw, sizeof name, name);
    return add_column(g, table, s, target, name, is_plain, value);
}

static hg_status
add_target(const hg_grafter *g, hg_table *table, const struct part_space *s, int t)
{
    const bool is_label = hg_stages_role(g->model, t)->is_label;
    const int64_t size = s->n * g->targets.n;

    if (!is_label && g->has_mean) {
        HG_TRY(add_predicted(g, table, s, t, HG_PREDICTED_MEAN, s->mean));
    }
    if (has_probability(g, t)) {
        HG_TRY(add_predicted(g, table, s, t, HG_PREDICTED_PROBABILITY, s->probability));
    }
    if (!is_label && g->has_domain) {
        HG_TRY(add_predicted(g, table, s, t, HG_PREDICTED_SPREAD, s->spread));
    }
    for (int q = 0; q < g->options.n_quantile && !is_label; q++) {
        char name[HG_NAME_MAX];

        hg_quantile_name(g->targets.recipe[t].name, g->options.level[q], sizeof name, name);
        HG_TRY(add_column(g, table, s, t, name, false, s->quantile + q * size));
    }
    for (int d = 0; d < g->options.n_draw; d++) {
        HG_TRY(add_predicted(g, table, s, t, d, s->draw + d * size));
    }
    return HG_OK;
}

/* a mask as one column per 64 features: NAME, NAME2, ...; rows without prediction have no bits
 */
static hg_status
add_mask(hg_table *table, const struct part_space *s, const char *name, int words,
         const uint64_t mask[])
{
    for (int w = 0; w < words; w++) {
        char column[HG_NAME_MAX];
        int64_t *value = NULL;

        hg_mask_name(name, w, sizeof column, column);
        HG_TRY(hg_table_add(table, column, "", HG_COLUMN_I64, 1, &value));
        memset(value, 0, (size_t)table->n * sizeof *value);
        for (int64_t i = 0; i < s->n; i++) {
            value[s->row[i]] = (int64_t)mask[i * words + w];
        }
    }
    return HG_OK;
}

static hg_status
add_domain(hg_grafter *g, hg_table *table, const struct part_space *s)
{
    float *n_eff = NULL;
    int32_t *n_region = NULL;
    uint8_t *domain = NULL;

    HG_TRY(hg_table_add(table, "n_eff", "", HG_COLUMN_F32, 1, &n_eff));
    HG_TRY(hg_table_add(table, "n_regions", "", HG_COLUMN_I32, 1, &n_region));
    HG_TRY(hg_table_add(table, "domain", "", HG_COLUMN_U8, 1, &domain));
    for (int64_t i = 0; i < table->n; i++) {
        n_eff[i] = NAN;
        n_region[i] = -1;
        domain[i] = 255;
    }
    for (int64_t i = 0; i < s->n; i++) {
        n_eff[s->row[i]] = (float)s->n_eff[i];
        n_region[s->row[i]] = s->n_group[i];
        domain[s->row[i]] = s->domain[i];
        g->n_domain[s->domain[i]]++;
    }
    return HG_OK;
}

static hg_status
add_flags(hg_grafter *g, hg_table *table, const struct part_space *s)
{
    const int words = hg_forest_mask_words(hg_stages_forest(g->model, 0));
    uint8_t *origin = NULL;

    HG_TRY(hg_table_add(table, "origin", "", HG_COLUMN_U8, 1, &origin));
    memset(origin, 255, (size_t)table->n);
    for (int64_t i = 0; i < s->n; i++) {
        bool is_outside = false;

        for (int w = 0; w < words; w++) {
            is_outside = is_outside || s->outside[i * words + w] != 0;
        }
        origin[s->row[i]] = s->origin[i];
        g->n_training += s->origin[i] != 0;
        g->n_extrapolated += is_outside;
    }
    g->n_predicted += s->n;
    HG_TRY(add_mask(table, s, "extrapolated", words, s->outside));
    if (g->has_domain) {
        HG_TRY(add_mask(table, s, "in_tails", words, s->in_tails));
        HG_TRY(add_domain(g, table, s));
    }
    return HG_OK;
}

static hg_status
graft_rows(hg_grafter *g, hg_table *table, struct part_space *s)
{
    hg_prediction result;

    HG_TRY(select_rows(g, table, s));
    HG_TRY(allocate_space(g, s));
    HG_TRY(compute_features(g, table, s));
    result = (hg_prediction){.mean = s->mean,
                             .draw = s->draw,
                             .spread = s->spread,
                             .quantile = s->quantile,
                             .outside = s->outside,
                             .in_tails = s->in_tails,
                             .n_eff = s->n_eff,
                             .n_group = s->n_group,
                             .domain = s->domain,
                             .origin = s->origin,
                             .probability = s->probability};
    hg_phase_start("apply: predict");
    HG_TRY(hg_stages_predict(g->model, &g->options, s->n, s->key, s->x, &result));
    hg_phase_stop("apply: predict");
    for (int t = 0; t < g->targets.n; t++) {
        HG_TRY(add_target(g, table, s, t));
    }
    return add_flags(g, table, s);
}

hg_status
hg_graft_part(hg_grafter *g, hg_table *table)
{
    struct part_space space = {0};
    hg_status status = graft_rows(g, table, &space);

    clear_space(&space);
    return status;
}
