/* The recipe of the target makes the label from columns of the truth, as it did in training. As
 * in the comparison of values, every n-th row enters, and ranks gather theirs in row order. */
#include "measure/measure_labels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "stats/metric.h"
#include "suite/recipes.h"

enum { BINS = 20 }; /* of probability */

/* A row of one target. */
typedef struct label_pair {
    double label, probability;
} label_pair;

typedef struct label_task {
    const hg_recipe *recipe;
    char column[HG_NAME_MAX]; /* X_probability */
    int64_t n_pair, room;
    label_pair *pair;
} label_task;

typedef struct labels_plan {
    const hg_measured_set *set;
    const hg_measured *one, *truth;
    hg_recipes targets;
    int n_task;
    label_task task[HG_TARGETS_MAX];
    hg_names names; /* columns of the truth */
    bool has_origin;
    int64_t stride;
} labels_plan;

/* the targets both catalogues know of, and the columns that takes */
static hg_status
choose_targets(labels_plan *plan)
{
    for (int t = 0; t < plan->targets.n && plan->n_task < HG_TARGETS_MAX; t++) {
        const hg_recipe *r = &plan->targets.recipe[t];
        label_task *task = &plan->task[plan->n_task];
        bool is_there = r->is_label || !isnan(r->hurdle);

        for (int k = 0; k < hg_expression_n_name(r->expression) && is_there; k++) {
            is_there = hg_measured_has(plan->set, plan->truth, 0,
                                       hg_expression_name(r->expression, k));
        }
        hg_predicted_name(r->name, HG_PREDICTED_PROBABILITY, sizeof task->column, task->column);
        if (is_there && hg_catalog_find(plan->one->catalog, task->column) != NULL) {
            task->recipe = r;
            plan->n_task++;
            HG_TRY(hg_names_add_expression(&plan->names, r->expression));
        }
    }
    return HG_OK;
}

static hg_status
add_pairs(const labels_plan *plan, const hg_table *truth, const hg_table *one,
          const uint8_t *keep, double *value, label_task *task)
{
    const hg_column *probability = NULL;

    HG_TRY(hg_table_need(one, task->column, &probability));
    HG_TRY(hg_expression_evaluate(task->recipe->expression, truth, value));
    if (task->n_pair + truth->n > task->room) {
        task->room = 2 * task->room + truth->n;
        HG_TRY(hg_mem_resize(&task->pair, (size_t)task->room, sizeof *task->pair));
    }
    for (int64_t i = 0; i < truth->n; i++) {
        const double p = hg_column_value(probability, i, 0);
        const double limit = task->recipe->is_label ? 0.5 : task->recipe->hurdle;

        if (keep[i] && (truth->first + i) % plan->stride == 0 && isfinite(p) &&
            !isnan(value[i])) {
            task->pair[task->n_pair++] = (label_pair){value[i] > limit, p};
        }
    }
    return HG_OK;
}

static hg_status
score_part(labels_plan *plan, int64_t part)
{
    const char *names[HG_TARGETS_MAX + 1];
    hg_table truth = {.n = 0}, one = {.n = 0};
    const hg_column *origin;
    uint8_t *keep = NULL;
    double *value = NULL;
    int n = 0;
    hg_status status;

    for (int t = 0; t < plan->n_task; t++) {
        names[n++] = plan->task[t].column;
    }
    if (plan->has_origin) {
        names[n++] = "origin";
    }
    HG_TRY_OR(done, status,
              hg_measured_read(plan->set, plan->truth, 0, part, plan->names.n, plan->names.p,
                               &truth));
    HG_TRY_OR(done, status, hg_catalog_read(plan->one->catalog, part, n, names, &one));
    HG_TRY_OR(done, status, hg_mem_array(&keep, (size_t)truth.n, 1));
    HG_TRY_OR(done, status, hg_mem_array(&value, (size_t)truth.n, sizeof *value));
    origin = hg_table_find(&one, "origin");
    for (int64_t i = 0; i < truth.n; i++) {
        keep[i] = origin == NULL || hg_column_value(origin, i, 0) == 0;
    }
    for (int t = 0; t < plan->n_task; t++) {
        HG_TRY_OR(done, status, add_pairs(plan, &truth, &one, keep, value, &plan->task[t]));
    }
done:
    hg_mem_free(keep);
    hg_mem_free(value);
    hg_table_clear(&one);
    hg_table_clear(&truth);
    return status;
}

static hg_status
add_score(const labels_plan *plan, const label_task *task, const hg_label_metric *metric,
          hg_statistics *statistics)
{
    char name[HG_LABEL_MAX];
    hg_score *score = NULL;

    snprintf(name, sizeof name, "%.50s_probability_%.50s", plan->one->name, task->recipe->name);
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "catalogue", plan->one->name));
    HG_TRY(hg_attributes_text(&score->attributes, "column", task->recipe->name));
    HG_TRY(hg_attributes_text(&score->attributes, "sample", ""));
    HG_TRY(hg_attributes_text(&score->attributes, "unit", "probability"));
    HG_TRY(hg_attributes_text(&score->attributes, "rows",
                              plan->has_origin ? "not used in training" : "all"));
    HG_TRY(hg_attributes_real(&score->attributes, "every", (double)plan->stride));
    for (int i = 0; i < hg_label_metric_count(); i++) {
        HG_TRY(hg_attributes_real(&score->attributes, hg_label_metric_name(i),
                                  hg_label_metric_value(metric, i)));
    }
    return HG_OK;
}

/* how often a label is 1 in bins of its probability: a share with its binomial error */
static hg_status
add_reliability(const labels_plan *plan, const label_task *task, int64_t n,
                const label_pair pair[], hg_statistics *statistics)
{
    hg_label label = {
        .statistic = "reliability", .x_name = "predicted probability", .y_name = "true share"};
    double sum[BINS] = {0}, yes[BINS] = {0};
    hg_curve *curve = NULL;

    snprintf(label.name, sizeof label.name, "reliability_%.90s", task->recipe->name);
    snprintf(label.catalogue, sizeof label.catalogue, "%s", plan->one->name);
    snprintf(label.column, sizeof label.column, "%s", task->recipe->name);
    HG_TRY(hg_statistics_curve(statistics, &label, BINS, HG_CURVE_COUNT, &curve));
    for (int64_t i = 0; i < n; i++) {
        int bin = (int)(pair[i].probability * BINS);

        bin = bin < 0 ? 0 : bin < BINS ? bin : BINS - 1;
        sum[bin] += pair[i].probability;
        yes[bin] += pair[i].label;
        curve->count[bin]++;
    }
    for (int b = 0; b < BINS; b++) {
        const double count = (double)curve->count[b];

        curve->x_low[b] = (double)b / BINS;
        curve->x_high[b] = (b + 1.0) / BINS;
        curve->x[b] = count > 0 ? sum[b] / count : (b + 0.5) / BINS;
        curve->y[b] = count > 0 ? yes[b] / count : (double)NAN;
        curve->error[b] =
            count > 0 ? sqrt(curve->y[b] * (1 - curve->y[b]) / count) : (double)NAN;
    }
    HG_TRY(hg_attributes_text(&curve->attributes, "rows",
                              plan->has_origin ? "not used in training" : "all"));
    return hg_attributes_real(&curve->attributes, "every", (double)plan->stride);
}

/* metrics of one target from all ranks' rows; every rank computes them alike */
static hg_status
score_target(const hg_comm *comm, const labels_plan *plan, const label_task *task,
             hg_statistics *statistics)
{
    label_pair *all = NULL;
    double *value = NULL;
    hg_label_metric metric;
    int64_t n = 0;
    hg_status status;

    HG_TRY(hg_comm_gather_rows(comm, task->n_pair, sizeof *all, task->pair, &n, &all));
    status = hg_mem_array(&value, 2 * (size_t)n, sizeof *value);
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        value[i] = all[i].label;
        value[n + i] = all[i].probability;
    }
    if (status == HG_OK) {
        status = hg_metric_labels(n, value, value + n, NULL, &metric);
    }
    if (status == HG_OK) {
        status = add_score(plan, task, &metric, statistics);
    }
    if (status == HG_OK) {
        status = add_reliability(plan, task, n, all, statistics);
    }
    hg_mem_free(value);
    hg_mem_free(all);
    return hg_comm_agree(comm, status);
}

static hg_status
score_catalogue(const hg_comm *comm, labels_plan *plan, hg_statistics *statistics)
{
    int64_t first, end;
    hg_status status = choose_targets(plan);

    hg_measured_parts(plan->truth, comm, &first, &end);
    for (int64_t part = first; part < end && status == HG_OK && plan->n_task > 0; part++) {
        status = score_part(plan, part);
    }
    HG_TRY(hg_comm_agree(comm, status));
    for (int t = 0; t < plan->n_task && status == HG_OK; t++) {
        status = score_target(comm, plan, &plan->task[t], statistics);
    }
    return status;
}

hg_status
hg_measure_labels(const hg_comm *comm, const hg_measure_plan *m, const hg_measured_set *set,
                  const hg_measured *one, const hg_measured *truth, hg_statistics *statistics)
{
    const int64_t n_row = hg_catalog_n_row(truth->catalog);
    const int64_t most = m->params->measure.metric_rows;
    labels_plan *plan = NULL;
    hg_status status;

    if (m->params->targets.n == 0 || strcmp(one->suffix, "mean") != 0 ||
        hg_catalog_n_row(one->catalog) != n_row) {
        return HG_OK;
    }
    hg_phase_start("measure: labels");
    status = hg_mem_zeros(&plan, 1, sizeof *plan);
    if (status == HG_OK) {
        plan->set = set;
        plan->one = one;
        plan->truth = truth;
        plan->stride = n_row > most ? (n_row + most - 1) / most : 1;
        plan->has_origin = hg_catalog_find(one->catalog, "origin") != NULL;
        status = hg_recipes_parse(&m->params->targets, "Targets", &plan->targets);
    }
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        status = score_catalogue(comm, plan, statistics);
    }
    for (int t = 0; plan != NULL && t < plan->n_task; t++) {
        hg_mem_free(plan->task[t].pair);
    }
    if (plan != NULL) {
        hg_recipes_clear(&plan->targets);
    }
    hg_mem_free(plan);
    hg_phase_stop("measure: labels");
    return status;
}
