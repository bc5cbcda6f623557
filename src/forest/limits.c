/* A forest answers for any row; near the edge of its training rows and beyond, the answer is
 * worth less. It shows: the row shares leaves with few training rows, or with those of few
 * regions, or its trees disagree. What is unusual in these measures is learned from training
 * rows, each seen by the trees that did not see it, which is how a new row is seen. One tail
 * probability for all measures, such that the share of rows beyond any of the limits is as
 * wanted: limits chosen one by one would flag several times as many. */
#include "forest/limits.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "forest/sample.h"
#include "forest/threads.h"

enum { TREES_MAX = 16, ROWS_MIN = 100, MEASURES_MAX = HG_NEAR_MEASURES + HG_TARGETS_MAX };

static const double shares_beyond[HG_LIMIT_LEVELS] = {0.05, 0.01};

int
hg_limits_trees(const hg_forest *f)
{
    const int n = f->n_tree / 4;

    return n < 1 ? 1 : n > TREES_MAX ? TREES_MAX : n;
}

/* trees from the first on that did not see a training row, and the row's leaves there; returns
 * how many there are, at most HG_TREES_TOGETHER, and moves on to where the search ended */
static int
find_unseen(const hg_forest *f, int64_t row, const float x[], int *first, int tree[],
            uint32_t leaf[])
{
    const hg_node *node[HG_TREES_TOGETHER];
    int n = 0;

    for (; *first < f->n_tree && n < HG_TREES_TOGETHER; (*first)++) {
        if (hg_model_is_oob(f, *first, row)) {
            node[n] = f->node + f->node_offset[*first];
            tree[n++] = *first;
        }
    }
    if (n > 0) {
        hg_row_route(n, node, f->feature_bits, x, leaf);
    }
    return n;
}

void
hg_limits_unseen(const hg_forest *f, int64_t row, const float x[], int n_near, double mean[],
                 double spread[], hg_shares *shares)
{
    double sum[HG_TARGETS_MAX] = {0}, square[HG_TARGETS_MAX] = {0};
    int n = 0, first = 0, tree[HG_TREES_TOGETHER];
    uint32_t leaf[HG_TREES_TOGETHER];

    for (int n_found; (n_found = find_unseen(f, row, x, &first, tree, leaf)) > 0;) {
        for (int k = 0; k < n_found; k++, n++) {
            const float *value =
                f->mean + (f->leaf_offset[tree[k]] + leaf[k]) * (size_t)f->n_target;

            for (int o = 0; o < f->n_target; o++) {
                const double d = (double)value[o] - f->centre[o];

                sum[o] += (double)value[o];
                square[o] += d * d;
            }
            if (shares != NULL && n < n_near) {
                hg_shares_add(f, tree[k], leaf[k], row, shares);
            }
        }
    }
    for (int o = 0; o < f->n_target; o++) {
        const double m = sum[o] / n, d = m - f->centre[o], variance = square[o] / n - d * d;
        const double factor = ((double)n * (f->n_tree - 1)) / ((n - 1.0) * f->n_tree);

        if (mean != NULL) {
            mean[o] = m;
        }
        if (spread != NULL) {
            spread[o] = variance > 0 && n > 1 ? sqrt(variance * factor) : 0;
        }
    }
}

/* ---- measures of the sample ---- */
/* the measures of a training row, those that are unusual when small with the opposite sign; NaN
 * when too few trees did not see it */
static void
measure_row(const hg_forest *f, int64_t row, const float x[], hg_shares *shares,
            double measure[])
{
    hg_near near;

    measure[0] = (double)NAN;
    if (f->oob_trees[row] < f->options.oob_trees_min ||
        f->oob_trees[row] < hg_limits_trees(f)) {
        return;
    }
    hg_shares_start(shares);
    hg_limits_unseen(f, row, x, hg_limits_trees(f), NULL, measure + HG_NEAR_MEASURES, shares);
    near = hg_shares_near(f, shares);
    measure[0] = -near.n_eff;
    measure[1] = -(double)near.n_group;
}

/* rows of the sample from `first` on; x begins with the first of them and goes on by `stride`
 */
static hg_status
measure_range(const hg_forest *f, int n_thread, int64_t first, int64_t n, const float x[],
              size_t stride, const hg_forest_view *view, double measure[])
{
    const int64_t step = hg_sample_step(f->n_row), width = HG_NEAR_MEASURES + f->n_target;
    hg_error_record record = {.status = HG_OK};

#pragma omp parallel num_threads(n_thread)
    {
        hg_shares shares = {0};
        hg_status status = hg_shares_init(f, &shares);

#pragma omp for schedule(dynamic, 16)
        for (int64_t i = 0; i < n; i++) {
            if (status == HG_OK) {
                measure_row(f, (first + i) * step, x + (size_t)i * stride, &shares,
                            measure + i * width);
            }
            if (view != NULL) {
                hg_view_forget(f, view); /* the pages of a row are many already */
            }
        }
        hg_shares_clear(&shares);
#pragma omp critical(hg_limits_status)
        if (status != HG_OK) {
            record = *hg_error_last();
        }
    }
    if (record.status != HG_OK) {
        hg_error_set(&record); /* records are per thread */
    }
    return record.status;
}

/* ---- limits ---- */
static int
descend(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* rows beyond the k-th largest value of some measure */
static int64_t
count_beyond(int64_t n, int n_measure, const double measure[], const double sorted[], int64_t k)
{
    int64_t beyond = 0;

    for (int64_t i = 0; i < n; i++) {
        int any = 0;

        for (int m = 0; m < n_measure; m++) {
            any |= measure[i * n_measure + m] > sorted[m * n + k];
        }
        beyond += any;
    }
    return beyond;
}

static void
choose_level(int64_t n, int n_measure, const double measure[], const double sorted[],
             double share, double limit[])
{
    const int64_t most = (int64_t)(share * (double)n);
    int64_t low = 0, high = n; /* the largest k with at most `most` rows is in [low, high) */

    while (high - low > 1) {
        const int64_t k = low + (high - low) / 2;

        if (count_beyond(n, n_measure, measure, sorted, k) <= most) {
            low = k;
        } else {
            high = k;
        }
    }
    for (int m = 0; m < n_measure; m++) {
        const double value = sorted[m * n + low];

        limit[m] = m < HG_NEAR_MEASURES ? -value : value;
    }
}

static hg_status
choose(hg_forest *f, int64_t n_all, double measure[])
{
    const int n_measure = HG_NEAR_MEASURES + f->n_target;
    double *sorted = NULL;
    int64_t n = 0;

    for (int64_t i = 0; i < n_all; i++) { /* keep the rows that could be measured */
        if (!isnan(measure[i * n_measure])) {
            memmove(measure + n++ * n_measure, measure + i * n_measure,
                    (size_t)n_measure * sizeof *measure);
        }
    }
    if (n < ROWS_MIN) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&sorted, (size_t)(n * n_measure), sizeof *sorted));
    for (int m = 0; m < n_measure; m++) {
        for (int64_t i = 0; i < n; i++) {
            sorted[m * n + i] = measure[i * n_measure + m];
        }
        qsort(sorted + m * n, (size_t)n, sizeof *sorted, descend);
    }
    for (int level = 0; level < HG_LIMIT_LEVELS; level++) {
        choose_level(n, n_measure, measure, sorted, shares_beyond[level],
                     f->limit + level * n_measure);
    }
    hg_mem_free(sorted);
    return HG_OK;
}

static int
has_limits(hg_forest *f)
{
    for (int i = 0; i < HG_LIMIT_LEVELS * MEASURES_MAX; i++) {
        f->limit[i] = (double)NAN;
    }
    return f->options.bag != HG_BAG_NONE && f->options.scope == HG_TRAIN_DRAWS;
}

hg_status
hg_limits_choose(const hg_comm *comm, int threads, const float x[], size_t stride, hg_forest *f)
{
    const int64_t step = hg_sample_step(f->n_row);
    const int64_t first = hg_sample_count(f->n_row * comm->rank / comm->size, step);
    const int64_t n = hg_sample_count(f->n_row * (comm->rank + 1) / comm->size, step) - first;
    const size_t width = (size_t)(HG_NEAR_MEASURES + f->n_target);
    double *measure = NULL, *all = NULL;
    int64_t n_all = 0;
    hg_status status;

    if (!has_limits(f)) {
        return HG_OK;
    }
    status = hg_mem_array(&measure, (size_t)n * width, sizeof *measure);
    if (status == HG_OK) {
        status =
            measure_range(f, hg_threads(threads), first, n, x + (size_t)(first * step) * stride,
                          (size_t)step * stride, NULL, measure);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, n, width * sizeof *measure, measure, &n_all, &all));
    status = hg_comm_agree(comm, choose(f, n_all, all));
done:
    hg_mem_free(measure);
    hg_mem_free(all);
    return status;
}

/* rank 0's part */
static hg_status
choose_mapped(hg_forest *f, int64_t n, const float x[])
{
    const size_t width = (size_t)(HG_NEAR_MEASURES + f->n_target);
    hg_forest_view view;
    double *measure = NULL;
    hg_status status = hg_view_open(f, &view);

    status =
        status != HG_OK ? status : hg_mem_array(&measure, (size_t)n * width, sizeof *measure);
    status = status != HG_OK
                 ? status
                 : measure_range(f, 1, 0, n, x, (size_t)f->n_feature, &view, measure);
    hg_view_close(f, &view);
    status = status != HG_OK ? status : choose(f, n, measure);
    hg_mem_free(measure);
    return status;
}

hg_status
hg_limits_choose_on_disk(const hg_comm *comm, int64_t n, const float x[], hg_forest *f)
{
    hg_status status = HG_OK;

    if (!has_limits(f)) {
        return HG_OK;
    }
    if (comm->rank == 0) {
        status = choose_mapped(f, n, x);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, f->limit, sizeof f->limit);
    return HG_OK;
}

/* ---- flags ---- */
static int
is_beyond(const hg_forest *f, int level, const hg_near *near, const double spread[])
{
    const double *limit = f->limit + level * (HG_NEAR_MEASURES + f->n_target);
    int any = near->n_eff < limit[0] || near->n_group < limit[1];

    for (int o = 0; o < f->n_target; o++) {
        any |= spread[o] > limit[HG_NEAR_MEASURES + o];
    }
    return any;
}

hg_domain
hg_limits_flag(const hg_forest *f, int is_outside, const hg_near *near, const double spread[])
{
    if (is_outside || is_beyond(f, 1, near, spread)) {
        return HG_DOMAIN_OUTSIDE;
    }
    return is_beyond(f, 0, near, spread) ? HG_DOMAIN_EDGE : HG_DOMAIN_INSIDE;
}
