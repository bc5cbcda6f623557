/* Training of the stages one after the other. A stage that serves means is grown on what the
 * stages before it predict of rows they did not see (out-of-bag means), since that is what it
 * will be given; one that serves draws on the true values, since draws are distributed like
 * them. Grown the other way round, the first would trust its inputs too much and the second
 * would scatter twice (Wolpert 1992, Neural Networks 5, 241, on stacking). Predictions of a row
 * are looked up by group and key in the forest of the earlier stage; rows in which its targets
 * are closed were not in its training and are predicted. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "forest/model.h"
#include "forest/stages_plan.h"
#include "halograft/log.h"

enum { N_PART = 2 };

/* the training of all stages */
typedef struct hg_staging {
    const hg_comm *comm;
    const hg_train_data *data;
    const hg_target_role *role;
    hg_stages *m;
    double *predicted;                      /* shape (n, n_target, N_PART); NaN = none */
    double lowest[HG_TARGETS_MAX];          /* smallest value of each target where it is open */
    hg_field_spec feature[HG_FEATURES_MAX]; /* of the stage at work; likewise below */
    hg_field_spec target[HG_TARGETS_MAX];
    double weight[HG_TARGETS_MAX];
    int64_t *row; /* shape (n): rows of this rank in the stage */
    hg_train_data rows;
    void *block[6]; /* arrays of `rows`; owned */
} hg_staging;

uint64_t
hg_stage_seed(uint64_t seed, int stage)
{
    return stage == 0 ? seed : hg_mix64(hg_mix64(seed) + (uint64_t)stage);
}

static double *
predicted_of(const hg_staging *g, int64_t i, hg_stage_column c)
{
    return g->predicted + (i * g->data->n_target + c.target) * N_PART + c.part;
}

/* what the training knows of a column in a row; NaN = closed */
static double
true_value(const hg_staging *g, int64_t i, hg_stage_column c)
{
    double y = g->data->y[i * g->data->n_target + c.target];

    return c.part == HG_PART_OPEN ? !isnan(y) : y;
}

static double
input_value(const hg_staging *g, const hg_stage *stage, int64_t i, int k)
{
    double v;

    if (stage->use == HG_STAGE_MEAN) {
        return *predicted_of(g, i, stage->input[k]);
    }
    v = true_value(g, i, stage->input[k]);
    return isnan(v) ? stage->closed[k] : v;
}

/* whether the one stage of a model takes all targets of all rows, as they are given */
static int
takes_all(const hg_staging *g)
{
    return g->m->n == 1; /* hurdles, inputs and labels beside values make several */
}

/* rows of this rank in which all outputs have a value and all inputs are known */
static void
choose_rows(hg_staging *g, const hg_stage *stage)
{
    g->rows.n = 0;
    for (int64_t i = 0; i < g->data->n; i++) {
        int ok = 1;

        for (int o = 0; o < stage->n_output && ok; o++) {
            /* a NaN where no hurdle allows it is left to the training to refuse */
            ok = !g->role[stage->output[o].target].has_hurdle ||
                 !isnan(true_value(g, i, stage->output[o]));
        }
        for (int k = 0; k < stage->n_input && ok; k++) {
            ok = !isnan(input_value(g, stage, i, k));
        }
        if (ok) {
            g->row[g->rows.n++] = i;
        }
    }
}

static void
describe_columns(hg_staging *g, const hg_stage *stage)
{
    const hg_train_data *d = g->data;

    memcpy(g->feature, d->feature, (size_t)d->n_feature * sizeof *g->feature);
    for (int k = 0; k < stage->n_input; k++) {
        hg_field_spec *f = &g->feature[d->n_feature + k];

        *f = d->target[stage->input[k].target];
        if (stage->input[k].part == HG_PART_OPEN) {
            snprintf(f->name, sizeof f->name, "%.50s open",
                     d->target[stage->input[k].target].name);
        }
    }
    for (int o = 0; o < stage->n_output; o++) {
        const int t = stage->output[o].target;

        g->target[o] = d->target[t];
        g->weight[o] = d->target_weight != NULL ? d->target_weight[t] : 1;
    }
}

/* copy the chosen rows of an array of this rank; NULL stays NULL */
static hg_status
copy_rows(hg_staging *g, int b, const void *from, size_t size, const void **to)
{
    char *copy = NULL;

    *to = NULL;
    if (from == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&copy, (size_t)g->rows.n + 1, size)); /* never NULL: NULL means none */
    g->block[b] = copy;
    for (int64_t i = 0; i < g->rows.n; i++) {
        memcpy(copy + (size_t)i * size, (const char *)from + (size_t)g->row[i] * size, size);
    }
    *to = copy;
    return HG_OK;
}

static hg_status
make_features(hg_staging *g, const hg_stage *stage, int64_t n, const int64_t row[], float *x)
{
    const int n_base = g->data->n_feature, n_feature = n_base + stage->n_input;

    for (int64_t i = 0; i < n; i++) {
        memcpy(x + i * n_feature, g->data->x + row[i] * n_base, (size_t)n_base * sizeof *x);
        for (int k = 0; k < stage->n_input; k++) {
            x[i * n_feature + n_base + k] = (float)input_value(g, stage, row[i], k);
        }
    }
    return HG_OK;
}

static void
clear_rows(hg_staging *g)
{
    for (size_t b = 0; b < sizeof g->block / sizeof g->block[0]; b++) {
        hg_mem_free(g->block[b]);
        g->block[b] = NULL;
    }
}

/* the rows of this rank for a stage, in g->rows */
static hg_status
make_rows(hg_staging *g, const hg_stage *stage)
{
    const hg_train_data *d = g->data;
    const void *copy;
    float *x = NULL;
    double *y = NULL;

    describe_columns(g, stage);
    g->rows = *d;
    g->rows.n_feature += stage->n_input;
    g->rows.n_target = stage->n_output;
    g->rows.feature = g->feature;
    g->rows.target = g->target;
    g->rows.target_weight = g->weight;
    g->rows.release = NULL; /* the arrays stay whose they are */
    if (g->rows.n_feature > HG_FEATURES_MAX) {
        return HG_FAIL(HG_E_SHAPE, "%d features and %d earlier targets are more than %d inputs",
                       d->n_feature, stage->n_input, HG_FEATURES_MAX);
    }
    if (takes_all(g)) {
        return HG_OK;
    }
    choose_rows(g, stage);
    HG_TRY(copy_rows(g, 0, d->weight, sizeof *d->weight, &copy));
    g->rows.weight = copy;
    HG_TRY(copy_rows(g, 1, d->key, sizeof *d->key, &copy));
    g->rows.key = copy;
    HG_TRY(copy_rows(g, 2, d->group, sizeof *d->group, &copy));
    g->rows.group = copy;
    HG_TRY(copy_rows(g, 3, d->parent_key, sizeof *d->parent_key, &copy));
    g->rows.parent_key = copy;
    HG_TRY(hg_mem_array(&x, (size_t)(g->rows.n * g->rows.n_feature), sizeof *x));
    g->block[4] = x;
    g->rows.x = x;
    HG_TRY(hg_mem_array(&y, (size_t)(g->rows.n * stage->n_output), sizeof *y));
    g->block[5] = y;
    g->rows.y = y;
    for (int64_t i = 0; i < g->rows.n; i++) {
        for (int o = 0; o < stage->n_output; o++) {
            y[i * stage->n_output + o] = true_value(g, g->row[i], stage->output[o]);
        }
    }
    return make_features(g, stage, g->rows.n, g->row, x);
}

/* ---- predictions of the training rows ---- */
/* canonical row of a forest, or -1 */
static int64_t
find_row(const hg_forest *f, uint64_t group, uint64_t key)
{
    int64_t low = 0, high = f->n_row;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (f->group[middle] < group || (f->group[middle] == group && f->key[middle] < key)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < f->n_row && f->group[low] == group && f->key[low] == key ? low : -1;
}

/* rows of this rank that were not in the training of the stage, with known inputs */
static hg_status
predict_others(hg_staging *g, const hg_stage *stage, int64_t n)
{
    const int n_feature = g->data->n_feature + stage->n_input;
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    float *x = NULL;
    double *mean = NULL;
    hg_status status;

    options.training_rows = 0;
    HG_TRY_OR(end, status, hg_mem_array(&x, (size_t)(n * n_feature), sizeof *x));
    HG_TRY_OR(end, status, hg_mem_array(&mean, (size_t)(n * stage->n_output), sizeof *mean));
    HG_TRY_OR(end, status, make_features(g, stage, n, g->row, x));
    HG_TRY_OR(
        end, status,
        hg_forest_predict(stage->forest, &options, n, NULL, x, &(hg_prediction){.mean = mean}));
    for (int64_t i = 0; i < n; i++) {
        for (int o = 0; o < stage->n_output; o++) {
            *predicted_of(g, g->row[i], stage->output[o]) = mean[i * stage->n_output + o];
        }
    }
end:
    hg_mem_free(x);
    hg_mem_free(mean);
    return status;
}

/* what a stage that serves means says of the rows of this rank without having seen them */
static hg_status
keep_predictions(hg_staging *g, const hg_stage *stage)
{
    const hg_train_data *d = g->data;
    double mean[HG_TARGETS_MAX];
    int64_t n = 0;

    for (int64_t i = 0; i < d->n; i++) {
        const int64_t row =
            find_row(stage->forest, d->group != NULL ? d->group[i] : 0, d->key[i]);
        int is_known = 1;

        for (int k = 0; k < stage->n_input; k++) {
            is_known = is_known && !isnan(input_value(g, stage, i, k));
        }
        if (row < 0 && is_known) {
            g->row[n++] = i;
        }
        if (row < 0 || !hg_forest_oob_mean(stage->forest, row, mean)) {
            continue;
        }
        for (int o = 0; o < stage->n_output; o++) {
            *predicted_of(g, i, stage->output[o]) = mean[o];
        }
    }
    return predict_others(g, stage, n);
}

/* ---- stages ---- */
static int
is_input(const hg_stages *m, const hg_stage *stage)
{
    for (int o = 0; o < stage->n_output; o++) {
        for (int s = 0; s < m->n; s++) {
            for (int k = 0; k < m->stage[s].n_input; k++) {
                if (m->stage[s].input[k].target == stage->output[o].target) {
                    return 1;
                }
            }
        }
    }
    return 0;
}

static void
announce(const hg_staging *g, int s)
{
    static const char *const uses[] = {"", " for means", " for draws"};
    const hg_stage *stage = &g->m->stage[s];
    char list[512] = "";

    for (int o = 0; o < stage->n_output; o++) {
        const size_t used = strlen(list);

        snprintf(list + used, sizeof list - used, "%s%.60s%s", o > 0 ? ", " : "",
                 g->data->target[stage->output[o].target].name,
                 stage->output[o].part == HG_PART_OPEN ? " > 0" : "");
    }
    hg_log_info("train: stage %d of %d, %s%s: %s", s, g->m->n,
                stage->is_label ? "labels" : "values", uses[stage->use], list);
}

/* how the trees of stage s are kept and found. Rows of a stage that serves means depend on all
 * trees of the stages before it: a task of a job array cannot grow it, the one that joins the
 * tasks does, and a larger forest begins it anew. */
static hg_train_parts
parts_of(const hg_train_parts *parts, int s, const hg_stages *m)
{
    hg_train_parts p = *parts;

    p.stage = s;
    p.is_followed = s + 1 < m->n;
    if (m->stage[s].use == HG_STAGE_MEAN) {
        p.resume = p.resume || p.merge;
        p.merge = 0;
        p.renew = 1;
    }
    return p;
}

static hg_status
train_stage(hg_staging *g, const hg_train_options *options, const hg_train_parts *parts, int s)
{
    hg_stage *stage = &g->m->stage[s];
    hg_train_options o = *options;
    hg_train_parts p = {0};
    int64_t n;
    hg_status status;

    for (int k = 0; k < stage->n_input; k++) {
        const hg_stage_column c = stage->input[k];

        stage->closed[k] =
            c.part == HG_PART_VALUE && g->role[c.target].has_hurdle ? g->lowest[c.target] : 0;
    }
    if (parts != NULL) {
        p = parts_of(parts, s, g->m);
    }
    if (stage->use == HG_STAGE_MEAN && p.n_tree > 0) {
        return HG_OK;
    }
    if (g->m->n > 1) {
        announce(g, s);
    }
    o.seed = hg_stage_seed(options->seed, s);
    if (o.scope == HG_TRAIN_MEANS && stage->use != HG_STAGE_DRAW && is_input(g->m, stage)) {
        o.scope = HG_TRAIN_OOB_MEANS;
    }
    o.calibrate = stage->is_label ? 0 : options->calibrate; /* labels are drawn as they are */
    HG_TRY_OR(end, status, hg_comm_agree(g->comm, make_rows(g, stage)));
    n = g->rows.n;
    hg_comm_sum(g->comm, 1, &n);
    if (n == 0 && stage->use == HG_STAGE_MEAN) {
        status = HG_FAIL(HG_E_INPUT,
                         "no row has an out-of-bag mean of what '%s' comes after: train with a "
                         "bag and more trees",
                         g->target[0].name);
        goto end;
    }
    HG_TRY_OR(end, status,
              hg_forest_train_parts(g->comm, &o, &g->rows, parts != NULL ? &p : NULL,
                                    &stage->forest));
    if (stage->forest != NULL && stage->use != HG_STAGE_DRAW && is_input(g->m, stage)) {
        status = hg_comm_agree(g->comm, keep_predictions(g, stage));
    }
end:
    clear_rows(g);
    return status;
}

static hg_status
start(hg_staging *g)
{
    const hg_train_data *d = g->data;
    const size_t n = (size_t)d->n;
    hg_status status;

    if (takes_all(g)) {
        return HG_OK;
    }
    status = hg_mem_array(&g->row, n, sizeof *g->row);
    if (status == HG_OK) {
        status =
            hg_mem_array(&g->predicted, n * (size_t)d->n_target * N_PART, sizeof *g->predicted);
    }
    HG_TRY(hg_comm_agree(g->comm, status));
    for (size_t i = 0; i < n * (size_t)d->n_target * N_PART; i++) {
        g->predicted[i] = (double)NAN;
    }
    for (int t = 0; t < d->n_target; t++) {
        g->lowest[t] = DBL_MAX;
        for (int64_t i = 0; i < d->n; i++) {
            double y = d->y[i * d->n_target + t];

            g->lowest[t] = y < g->lowest[t] ? y : g->lowest[t];
        }
    }
    hg_comm_min_double(g->comm, (size_t)d->n_target, g->lowest);
    return HG_OK;
}

hg_status
hg_stages_train(const hg_comm *comm, const hg_train_options *options, const hg_train_data *data,
                const hg_target_role role[], const hg_train_parts *parts, hg_stages **stages)
{
    hg_staging *g = NULL;
    hg_stages *m = NULL;
    hg_status status;

    *stages = NULL;
    status = hg_mem_zeros(&g, 1, sizeof *g);
    status = status == HG_OK ? hg_mem_zeros(&m, 1, sizeof *m) : status;
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    g->comm = comm;
    g->data = data;
    g->role = role;
    g->m = m;
    HG_TRY_OR(end, status, hg_stages_plan(comm, data, role, m));
    HG_TRY_OR(end, status, start(g));
    for (int s = 0; s < m->n; s++) {
        HG_TRY_OR(end, status, train_stage(g, options, parts, s));
    }
    if (parts == NULL || parts->n_tree == 0) {
        HG_TRY_OR(end, status, hg_comm_agree(comm, hg_stages_complete(m)));
        *stages = m;
        m = NULL;
    }
end:
    if (g != NULL) {
        hg_mem_free(g->row);
        hg_mem_free(g->predicted);
    }
    hg_mem_free(g);
    hg_stages_free(m);
    return status;
}
