/* The histogram counts all rows; metrics need ranks and medians over all rows, so they use
 * every n-th row, gathered in row order, and each rank scores its share of the columns. */
#include "measure/measure_compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "stats/metric.h"

/* Bins of predicted and true values in dex. */
static const hg_axis plane = {.log = true, .low = -12, .step = 0.05, .n = 600};

/* A row of one column, in dex. */
typedef struct value_pair {
    double truth, predicted;
} value_pair;

/* What is collected for one column. */
typedef struct column_task {
    const char *name;
    hg_histogram histogram;
    int64_t n_pair, room;
    value_pair *pair;
} column_task;

typedef struct compare_task {
    const hg_measure_plan *plan;
    const hg_measured_set *set;
    const hg_measured *one, *truth;
    int n_column;
    column_task *column;
    bool has_origin;
    int64_t stride;
    int64_t n_training;
} compare_task;

static hg_status
choose_columns(compare_task *task)
{
    const hg_strings *compare = &task->plan->params->measure.compare;

    HG_TRY(hg_mem_zeros(&task->column, (size_t)compare->n, sizeof *task->column));
    for (int i = 0; i < compare->n; i++) {
        column_task *column = &task->column[task->n_column];

        if (!hg_measured_predicts(task->one, compare->v[i]) ||
            !hg_measured_has(task->set, task->truth, 0, compare->v[i])) {
            continue;
        }
        column->name = compare->v[i];
        HG_TRY(hg_histogram_init(&plane, &plane, &column->histogram));
        task->n_column++;
    }
    return HG_OK;
}

static hg_status
add_pair(column_task *column, double truth, double predicted)
{
    if (column->n_pair == column->room) {
        HG_TRY(hg_mem_resize(&column->pair, (size_t)(column->room * 2 + 4096),
                             sizeof *column->pair));
        column->room = column->room * 2 + 4096;
    }
    column->pair[column->n_pair++] = (value_pair){log10(truth), log10(predicted)};
    return HG_OK;
}

static hg_status
add_column(const compare_task *task, const hg_table *truth, const hg_table *one,
           const uint8_t *keep, double *value, column_task *column)
{
    const int64_t n = truth->n;
    double *t = value, *p = value + n;

    HG_TRY(hg_measure_column(truth, column->name, t));
    HG_TRY(hg_measure_column(one, column->name, p));
    hg_histogram_add(&column->histogram, n, t, p, keep);
    for (int64_t i = 0; i < n; i++) {
        if (keep[i] && (truth->first + i) % task->stride == 0 && t[i] > 0 && p[i] > 0 &&
            isfinite(t[i]) && isfinite(p[i])) {
            HG_TRY(add_pair(column, t[i], p[i]));
        }
    }
    return HG_OK;
}

static hg_status
compare_tables(compare_task *task, int64_t part, const hg_table *truth, const hg_table *one)
{
    const hg_column *origin = hg_table_find(one, "origin");
    uint8_t *keep = NULL;
    double *value = NULL;
    hg_status status;

    if (truth->n != one->n) {
        return HG_FAIL(HG_E_SHAPE,
                       "part %" PRId64 " has %" PRId64 " rows in '%s' and %" PRId64 " in '%s'",
                       part, one->n, task->one->name, truth->n, task->truth->name);
    }
    HG_TRY_OR(done, status, hg_mem_array(&keep, (size_t)truth->n, 1));
    HG_TRY_OR(done, status, hg_mem_array(&value, 2 * (size_t)truth->n, sizeof *value));
    for (int64_t i = 0; i < truth->n; i++) {
        keep[i] = origin == NULL || hg_column_value(origin, i, 0) == 0;
        task->n_training += !keep[i];
    }
    for (int c = 0; c < task->n_column; c++) {
        HG_TRY_OR(done, status, add_column(task, truth, one, keep, value, &task->column[c]));
    }
done:
    hg_mem_free(value);
    hg_mem_free(keep);
    return status;
}

static hg_status
compare_part(compare_task *task, int64_t part)
{
    const char *names[HG_LIST_MAX + 1];
    hg_table truth = {.n = 0}, one = {.n = 0};
    int n = 0;
    hg_status status;

    for (int c = 0; c < task->n_column; c++) {
        names[n++] = task->column[c].name;
    }
    HG_TRY_OR(done, status,
              hg_measured_read(task->set, task->truth, 0, part, n, names, &truth));
    if (task->has_origin) {
        names[n++] = "origin";
    }
    HG_TRY_OR(done, status, hg_measured_read(task->set, task->one, 0, part, n, names, &one));
    status = compare_tables(task, part, &truth, &one);
done:
    hg_table_clear(&one);
    hg_table_clear(&truth);
    return status;
}

static hg_status
add_map(const compare_task *task, const column_task *column, hg_statistics *statistics)
{
    const hg_histogram *h = &column->histogram;
    hg_label label = {.statistic = "predicted_true"};
    hg_map *map = NULL;
    int x_first, x_end, y_first, y_end;

    hg_histogram_range_x(h, &x_first, &x_end);
    hg_histogram_range_y(h, &y_first, &y_end);
    snprintf(label.name, sizeof label.name, "predicted_true_%s", column->name);
    snprintf(label.catalogue, sizeof label.catalogue, "%s", task->one->name);
    snprintf(label.column, sizeof label.column, "%s", column->name);
    snprintf(label.x_name, sizeof label.x_name, "log10 true %.40s", column->name);
    snprintf(label.y_name, sizeof label.y_name, "log10 %.16s %.30s", task->one->name,
             column->name);
    snprintf(label.x_unit, sizeof label.x_unit, "%s",
             hg_measure_unit(task->set, task->truth, column->name));
    snprintf(label.y_unit, sizeof label.y_unit, "%s", label.x_unit);
    HG_TRY(hg_statistics_map(statistics, &label, x_end - x_first, y_end - y_first, &map));
    for (int i = x_first; i < x_end; i++) {
        memcpy(map->counts + (i - x_first) * map->n_y, h->count + (int64_t)i * h->y.n + y_first,
               (size_t)map->n_y * sizeof *map->counts);
    }
    for (int i = x_first; i <= x_end; i++) {
        map->x_edges[i - x_first] = log10(hg_axis_edge(&h->x, i));
    }
    for (int i = y_first; i <= y_end; i++) {
        map->y_edges[i - y_first] = log10(hg_axis_edge(&h->y, i));
    }
    HG_TRY(hg_attributes_text(&map->attributes, "truth", task->truth->path));
    HG_TRY(hg_attributes_text(&map->attributes, "rows",
                              task->has_origin ? "not used in training" : "all"));
    return hg_attributes_real(&map->attributes, "n_excluded", (double)h->n_outside);
}

static hg_status
add_score(const compare_task *task, const column_task *column, const hg_metric *metric,
          hg_statistics *statistics)
{
    char name[HG_LABEL_MAX];
    hg_score *score = NULL;

    snprintf(name, sizeof name, "%.50s_predicted_true_%.50s", task->one->name, column->name);
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "catalogue", task->one->name));
    HG_TRY(hg_attributes_text(&score->attributes, "column", column->name));
    HG_TRY(hg_attributes_text(&score->attributes, "sample", ""));
    HG_TRY(hg_attributes_text(&score->attributes, "unit", "dex"));
    HG_TRY(hg_attributes_text(&score->attributes, "rows",
                              task->has_origin ? "not used in training" : "all"));
    HG_TRY(hg_attributes_real(&score->attributes, "every", (double)task->stride));
    HG_TRY(hg_attributes_real(&score->attributes, "n_training", (double)task->n_training));
    HG_TRY(hg_attributes_real(&score->attributes, "n_excluded",
                              (double)column->histogram.n_outside));
    for (int i = 0; i < hg_metric_count(); i++) {
        HG_TRY(hg_attributes_real(&score->attributes, hg_metric_name(i),
                                  hg_metric_value(metric, i)));
    }
    return HG_OK;
}

/* Metrics of one column from all ranks' pairs, on one rank, then everywhere. */
static hg_status
score_column(const hg_comm *comm, const column_task *column, int root, hg_metric *metric)
{
    value_pair *all = NULL;
    double *value = NULL;
    int64_t n = 0;
    hg_status status;

    HG_TRY(hg_comm_gather_rows(comm, column->n_pair, sizeof *all, column->pair, &n, &all));
    status = HG_OK;
    if (comm->rank == root) {
        status = hg_mem_array(&value, 2 * (size_t)n, sizeof *value);
        for (int64_t i = 0; i < n && status == HG_OK; i++) {
            value[i] = all[i].truth;
            value[n + i] = all[i].predicted;
        }
        if (status == HG_OK) {
            status = hg_metric_compute(n, value, value + n, NULL, metric);
        }
    }
    hg_mem_free(value);
    hg_mem_free(all);
    return hg_comm_agree(comm, status);
}

static hg_status
finish_columns(const hg_comm *comm, compare_task *task, hg_statistics *statistics)
{
    hg_metric metric[HG_LIST_MAX];
    hg_status status = HG_OK;

    memset(metric, 0, sizeof metric);
    hg_comm_sum(comm, 1, &task->n_training);
    for (int c = 0; c < task->n_column; c++) {
        hg_histogram_sum(comm, &task->column[c].histogram);
        HG_TRY(score_column(comm, &task->column[c], c % comm->size, &metric[c]));
    }
    for (int c = 0; c < task->n_column; c++) {
        hg_comm_broadcast(comm, c % comm->size, &metric[c], sizeof metric[c]);
    }
    for (int c = 0; c < task->n_column && status == HG_OK; c++) {
        status = add_map(task, &task->column[c], statistics);
        if (status == HG_OK) {
            status = add_score(task, &task->column[c], &metric[c], statistics);
        }
    }
    return hg_comm_agree(comm, status);
}

hg_status
hg_measure_compare(const hg_comm *comm, const hg_measure_plan *plan, const hg_measured_set *set,
                   const hg_measured *one, const hg_measured *truth, hg_statistics *statistics)
{
    const int64_t n_row = hg_catalog_n_row(truth->catalog);
    const int64_t most = plan->params->measure.metric_rows;
    compare_task task = {.plan = plan, .set = set, .one = one, .truth = truth};
    int64_t first, end;
    hg_status status;

    if (hg_catalog_n_row(one->catalog) != n_row) {
        if (comm->rank == 0) {
            hg_log_warn("measure: '%s' has %" PRId64 " rows and '%s' %" PRId64
                        ": no comparison row by row",
                        one->name, hg_catalog_n_row(one->catalog), truth->name, n_row);
        }
        return HG_OK;
    }
    hg_phase_start("measure: compare");
    task.stride = n_row > most ? (n_row + most - 1) / most : 1;
    task.has_origin = hg_measured_has(set, one, 0, "origin");
    status = choose_columns(&task);
    hg_measured_parts(truth, comm, &first, &end);
    for (int64_t part = first; part < end && status == HG_OK && task.n_column > 0; part++) {
        status = compare_part(&task, part);
    }
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        status = finish_columns(comm, &task, statistics);
    }
    for (int c = 0; c < task.n_column; c++) {
        hg_histogram_clear(&task.column[c].histogram);
        hg_mem_free(task.column[c].pair);
    }
    hg_mem_free(task.column);
    hg_phase_stop("measure: compare");
    return status;
}
