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

static void
clear_inputs(hg_graft_rows *rows)
{
    hg_mem_free(rows->key);
    hg_mem_free(rows->x);
    rows->key = NULL;
    rows->x = NULL;
}

void
hg_graft_clear(hg_graft_rows *rows)
{
    hg_prediction *r = &rows->result;

    clear_inputs(rows);
    hg_mem_free(rows->row);
    hg_mem_free(r->mean);
    hg_mem_free(r->probability);
    hg_mem_free(r->draw);
    hg_mem_free(r->quantile);
    hg_mem_free(r->spread);
    hg_mem_free(r->outside);
    hg_mem_free(r->in_tails);
    hg_mem_free(r->n_eff);
    hg_mem_free(r->n_group);
    hg_mem_free(r->domain);
    hg_mem_free(r->origin);
    *rows = (hg_graft_rows){0};
}

/* Rows to predict: those of the selection that are not flagged as bad. */
static hg_status
select_rows(const hg_grafter *g, const hg_table *table, hg_graft_rows *rows)
{
    const hg_column *flags = hg_table_find(table, "flags");
    const bool is_flagged = flags != NULL && strcmp(g->params->parent.on_bad_rows, "flag") == 0;
    uint8_t *keep = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&rows->row, (size_t)table->n, sizeof *rows->row));
    HG_TRY(hg_mem_array(&keep, (size_t)table->n, sizeof *keep));
    memset(keep, 1, (size_t)table->n);
    status = hg_expression_keep(g->selection, table, keep);
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        const bool is_bad =
            is_flagged && ((int64_t)hg_column_value(flags, i, 0) & HG_FLAG_BAD) != 0;

        if (keep[i] && !is_bad) {
            rows->row[rows->n++] = i;
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
allocate_results(const hg_grafter *g, hg_graft_rows *rows)
{
    const size_t n = (size_t)rows->n, nt = (size_t)g->targets.n;
    const size_t words = (size_t)hg_forest_mask_words(hg_stages_forest(g->model, 0));
    hg_prediction *r = &rows->result;

    if (g->has_mean) {
        HG_TRY(hg_mem_array(&r->mean, n * nt, sizeof *r->mean));
    }
    for (int t = 0; t < g->targets.n && r->probability == NULL; t++) {
        if (has_probability(g, t)) {
            HG_TRY(hg_mem_array(&r->probability, n * nt, sizeof *r->probability));
        }
    }
    HG_TRY(hg_mem_array(&r->draw, n * nt * (size_t)g->options.n_draw, sizeof *r->draw));
    if (g->options.n_quantile > 0) {
        HG_TRY(hg_mem_array(&r->quantile, n * nt * (size_t)g->options.n_quantile,
                            sizeof *r->quantile));
    }
    HG_TRY(hg_mem_array(&r->outside, n * words, sizeof *r->outside));
    if (g->has_domain) {
        HG_TRY(hg_mem_array(&r->spread, n * nt, sizeof *r->spread));
        HG_TRY(hg_mem_array(&r->in_tails, n * words, sizeof *r->in_tails));
        HG_TRY(hg_mem_array(&r->n_eff, n, sizeof *r->n_eff));
        HG_TRY(hg_mem_array(&r->n_group, n, sizeof *r->n_group));
        HG_TRY(hg_mem_array(&r->domain, n, 1));
    }
    return hg_mem_array(&r->origin, n, 1);
}

/* Features of the selected rows only: a row that is not predicted may hold values that a recipe
 * cannot take. */
static hg_status
compute_features(const hg_grafter *g, const hg_table *table, hg_graft_rows *rows)
{
    const int64_t *id = hg_table_i64(table, "id");
    const hg_column *region = hg_table_find(table, "region"),
                    *run = hg_table_find(table, "run");
    const uint64_t prefix = hg_halo_prefix(g->params->parent.run, HG_NO_REGION);
    const int nf = g->features.n;
    const bool is_copy = rows->n < table->n || g->m_dm_factor != 1;
    hg_table chosen = {.frame = table->frame, .first = table->first};
    uint8_t *keep = NULL;
    double *value = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&rows->key, (size_t)rows->n, sizeof *rows->key));
    HG_TRY(hg_mem_array(&rows->x, (size_t)(rows->n * nf), sizeof *rows->x));
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t row = rows->row[i], place = hg_halo_place(region, run, row);

        rows->key[i] = place == HG_NO_REGION
                           ? hg_halo_key_of(prefix, id[row])
                           : hg_halo_key(g->params->parent.run, place, id[row]);
    }
    HG_TRY_OR(done, status, hg_mem_array(&value, (size_t)table->n, sizeof *value));
    if (is_copy) {
        HG_TRY_OR(done, status, hg_mem_zeros(&keep, (size_t)table->n, 1));
        for (int64_t i = 0; i < rows->n; i++) {
            keep[rows->row[i]] = 1;
        }
        HG_TRY_OR(done, status, hg_table_append(&chosen, table));
        hg_table_keep(&chosen, keep);
        hg_baryons_scale(&chosen, g->m_dm_factor);
    }
    for (int f = 0; f < nf; f++) {
        HG_TRY_OR(
            done, status,
            hg_recipe_evaluate(&g->features.recipe[f], is_copy ? &chosen : table, 1, value));
        for (int64_t i = 0; i < rows->n; i++) {
            rows->x[i * nf + f] = (float)value[i];
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
add_column(const hg_grafter *g, hg_table *table, const hg_graft_rows *rows, int target,
           const char *name, bool is_plain, const double value[])
{
    const hg_recipe *recipe = &g->targets.recipe[target];
    float *column = NULL;

    HG_TRY(hg_table_add(table, name, is_plain ? "" : recipe->unit, HG_COLUMN_F32, 1, &column));
    for (int64_t i = 0; i < table->n; i++) {
        column[i] = NAN;
    }
    for (int64_t i = 0; i < rows->n; i++) {
        const double v = value[i * g->targets.n + target];

        column[rows->row[i]] = (float)(is_plain ? v : hg_recipe_invert(recipe, v));
    }
    return HG_OK;
}

/* a column of predictions of each target that has one; `draw` as for hg_predicted_name() */
static hg_status
add_targets(const hg_grafter *g, hg_table *table, const hg_graft_rows *rows, int draw,
            const double value[])
{
    const bool is_probability = draw == HG_PREDICTED_PROBABILITY;

    for (int t = 0; t < g->targets.n; t++) {
        const bool is_label = hg_stages_role(g->model, t)->is_label;
        char name[HG_NAME_MAX];

        if (draw >= 0 || (is_probability ? has_probability(g, t) : !is_label)) {
            hg_predicted_name(g->targets.recipe[t].name, draw, sizeof name, name);
            HG_TRY(add_column(g, table, rows, t, name,
                              is_probability || draw == HG_PREDICTED_SPREAD, value));
        }
    }
    return HG_OK;
}

static hg_status
add_quantiles(const hg_grafter *g, hg_table *table, const hg_graft_rows *rows)
{
    for (int q = 0; q < g->options.n_quantile; q++) {
        const double *value = rows->result.quantile + q * rows->n * g->targets.n;

        for (int t = 0; t < g->targets.n; t++) {
            char name[HG_NAME_MAX];

            if (!hg_stages_role(g->model, t)->is_label) {
                hg_quantile_name(g->targets.recipe[t].name, g->options.level[q], sizeof name,
                                 name);
                HG_TRY(add_column(g, table, rows, t, name, false, value));
            }
        }
    }
    return HG_OK;
}

static void
drop(double **value)
{
    hg_mem_free(*value);
    *value = NULL;
}

/* a mask as one column per 64 features: NAME, NAME2, ...; rows without prediction have no bits
 */
static hg_status
add_mask(hg_table *table, const hg_graft_rows *rows, const char *name, int words,
         const uint64_t mask[])
{
    for (int w = 0; w < words; w++) {
        char column[HG_NAME_MAX];
        int64_t *value = NULL;

        hg_mask_name(name, w, sizeof column, column);
        HG_TRY(hg_table_add(table, column, "", HG_COLUMN_I64, 1, &value));
        memset(value, 0, (size_t)table->n * sizeof *value);
        for (int64_t i = 0; i < rows->n; i++) {
            value[rows->row[i]] = (int64_t)mask[i * words + w];
        }
    }
    return HG_OK;
}

static hg_status
add_domain(hg_grafter *g, hg_table *table, const hg_graft_rows *rows)
{
    const hg_prediction *r = &rows->result;
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
    for (int64_t i = 0; i < rows->n; i++) {
        n_eff[rows->row[i]] = (float)r->n_eff[i];
        n_region[rows->row[i]] = r->n_group[i];
        domain[rows->row[i]] = r->domain[i];
        g->n_domain[r->domain[i]]++;
    }
    return HG_OK;
}

static hg_status
add_flags(hg_grafter *g, hg_table *table, const hg_graft_rows *rows)
{
    const int words = hg_forest_mask_words(hg_stages_forest(g->model, 0));
    const hg_prediction *r = &rows->result;
    uint8_t *origin = NULL;

    HG_TRY(hg_table_add(table, "origin", "", HG_COLUMN_U8, 1, &origin));
    memset(origin, 255, (size_t)table->n);
    for (int64_t i = 0; i < rows->n; i++) {
        bool is_outside = false;

        for (int w = 0; w < words; w++) {
            is_outside = is_outside || r->outside[i * words + w] != 0;
        }
        origin[rows->row[i]] = r->origin[i];
        g->n_training += r->origin[i] != 0;
        g->n_extrapolated += is_outside;
    }
    g->n_predicted += rows->n;
    HG_TRY(add_mask(table, rows, "extrapolated", words, r->outside));
    if (g->has_domain) {
        HG_TRY(add_mask(table, rows, "in_tails", words, r->in_tails));
        HG_TRY(add_domain(g, table, rows));
    }
    return HG_OK;
}

hg_status
hg_graft_take(const hg_grafter *g, const hg_table *table, hg_graft_rows *rows)
{
    HG_TRY(select_rows(g, table, rows));
    return compute_features(g, table, rows);
}

hg_status
hg_graft_predict(const hg_grafter *g, hg_graft_rows *rows)
{
    HG_TRY(allocate_results(g, rows));
    HG_TRY(
        hg_stages_predict(g->model, &g->options, rows->n, rows->key, rows->x, &rows->result));
    clear_inputs(rows);
    return HG_OK;
}

/* Results go as soon as they are columns; draws, which are most, come last. */
hg_status
hg_graft_give(hg_grafter *g, hg_table *table, hg_graft_rows *rows)
{
    hg_prediction *r = &rows->result;

    if (g->has_mean) {
        HG_TRY(add_targets(g, table, rows, HG_PREDICTED_MEAN, r->mean));
        drop(&r->mean);
    }
    HG_TRY(add_targets(g, table, rows, HG_PREDICTED_PROBABILITY, r->probability));
    drop(&r->probability);
    if (g->has_domain) {
        HG_TRY(add_targets(g, table, rows, HG_PREDICTED_SPREAD, r->spread));
        drop(&r->spread);
    }
    HG_TRY(add_quantiles(g, table, rows));
    drop(&r->quantile);
    HG_TRY(add_flags(g, table, rows));
    for (int d = 0; d < g->options.n_draw; d++) {
        HG_TRY(add_targets(g, table, rows, d, r->draw + d * rows->n * g->targets.n));
    }
    hg_graft_clear(rows);
    return HG_OK;
}
