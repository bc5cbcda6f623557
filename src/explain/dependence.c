/* A task is one point of a partial dependence, or all of a local effect; tasks go round over
 * ranks, each predicts the sample with its threads and sums rows in their order. Sums are kept
 * by block, so that the jackknife can leave blocks out without predicting again. */
#include "explain/dependence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "explain/feature_sets.h"
#include "explain/row_sample.h"
#include "validate/held_out.h"

/* sums of a point: weights, and weights times predictions or differences */
typedef struct sum {
    double weight, value;
} sum;

typedef struct work {
    const hg_folds *folds;
    const hg_stages *model;
    hg_dependences *all;
    int64_t n;
    int64_t *row;               /* shape (n): the sample, ascending */
    float *x;                   /* shape (n, features) */
    double *mean, *probability; /* shape (4, n, targets): at the corners of each row's cell */
    sum **sums;                 /* shape (all->n): (block, n_scored, points) */
} work;

static size_t
points_of(const hg_dependence *d)
{
    return (size_t)d->n[0] * (size_t)d->n[1];
}

/* ---- sample and points ---- */
/* different values at quantiles of the sample; one that is constant has one point */
static hg_status
choose_points(const work *w, int feature, int *n, double **x)
{
    const hg_validation *v = w->folds->validation;
    const int most = (int)v->params->explain.points;
    double *sorted = NULL;

    HG_TRY(hg_mem_array(x, (size_t)most, sizeof **x));
    HG_TRY(hg_mem_array(&sorted, (size_t)w->n, sizeof *sorted));
    for (int64_t i = 0; i < w->n; i++) {
        sorted[i] = (double)v->rows.x[w->row[i] * v->features.n + feature];
    }
    qsort(sorted, (size_t)w->n, sizeof *sorted, hg_order_f64);
    *n = 0;
    for (int64_t k = 0; k < most; k++) {
        const double value = sorted[(k * (w->n - 1) + (most - 1) / 2) / (most - 1)];

        if (*n == 0 || value > (*x)[*n - 1]) {
            (*x)[(*n)++] = value;
        }
    }
    hg_mem_free(sorted);
    return HG_OK;
}

/* the point at the upper end of the interval of a value: x[k - 1] < value <= x[k], or the first
 * interval; 0 where there is none */
static int
interval_of(int n, const double x[], double value)
{
    int k = n > 1 ? 1 : 0;

    while (k < n - 1 && value > x[k]) {
        k++;
    }
    return k;
}

static hg_status
add_dependence(work *w, hg_dependence_kind kind, int n_axis, const int feature[])
{
    const hg_validation *v = w->folds->validation;
    hg_dependence *d = &w->all->v[w->all->n++];
    size_t n_value;

    *d = (hg_dependence){.kind = kind, .n_axis = n_axis, .n = {1, 1}};
    for (int a = 0; a < n_axis; a++) {
        d->feature[a] = feature[a];
        HG_TRY(choose_points(w, feature[a], &d->n[a], &d->x[a]));
    }
    n_value = points_of(d) * (size_t)w->all->n_scored;
    HG_TRY(hg_mem_zeros(&d->value, n_value, sizeof *d->value));
    HG_TRY(hg_mem_zeros(&d->error, n_value, sizeof *d->error));
    HG_TRY(hg_mem_zeros(&d->count, points_of(d), sizeof *d->count));
    for (int64_t i = 0; i < w->n; i++) {
        int at[2] = {0, 0};

        for (int a = 0; a < n_axis; a++) {
            at[a] = interval_of(d->n[a], d->x[a],
                                (double)v->rows.x[w->row[i] * v->features.n + d->feature[a]]);
        }
        d->count[at[0] * d->n[1] + at[1]]++;
    }
    return hg_mem_zeros(&w->sums[w->all->n - 1], n_value * (size_t)w->folds->n_block,
                        sizeof **w->sums);
}

static hg_status
list_dependences(work *w)
{
    const hg_validation *v = w->folds->validation;
    const hg_strings *features = &v->params->explain.features,
                     *planes = &v->params->explain.planes;
    const int n_curve = features->n > 0 ? features->n : v->features.n;
    const size_t most = 2 * (size_t)(n_curve + planes->n);

    HG_TRY(hg_mem_zeros(&w->all->v, most, sizeof *w->all->v));
    HG_TRY(hg_mem_zeros(&w->sums, most, sizeof *w->sums));
    for (int i = 0; i < n_curve; i++) {
        int f = i;

        if (features->n > 0) {
            HG_TRY(hg_recipes_feature(&v->features, "Explain.features", features->v[i], &f));
        }
        HG_TRY(add_dependence(w, HG_DEPENDENCE_PARTIAL, 1, &f));
        HG_TRY(add_dependence(w, HG_DEPENDENCE_EFFECT, 1, &f));
    }
    for (int i = 0; i < planes->n; i++) {
        int n, feature[HG_FEATURES_MAX];

        HG_TRY(hg_feature_sets_parse(v, "Explain.planes", planes->v[i], &n, feature));
        if (n != 2) {
            return HG_FAIL(HG_E_PARAM, "Explain.planes: '%s' is not two features joined by +",
                           planes->v[i]);
        }
        HG_TRY(add_dependence(w, HG_DEPENDENCE_PARTIAL, 2, feature));
        HG_TRY(add_dependence(w, HG_DEPENDENCE_EFFECT, 2, feature));
    }
    return HG_OK;
}

/* ---- predictions ---- */
/* predict the sample with w->x, into corner c of w->mean */
static hg_status
predict(const work *w, int c)
{
    const int64_t at = c * w->n * w->folds->validation->targets.n;
    const hg_prediction result = {.mean = w->mean + at, .probability = w->probability + at};
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;

    options.training_rows = 0;
    return hg_stages_predict(w->model, &options, w->n, NULL, w->x, &result);
}

static void
copy_sample(const work *w)
{
    const hg_validation *v = w->folds->validation;

    for (int64_t i = 0; i < w->n; i++) {
        memcpy(w->x + i * v->features.n, v->rows.x + w->row[i] * v->features.n,
               (size_t)v->features.n * sizeof *w->x);
    }
}

static sum *
sum_at(const work *w, int number, int64_t i, int scored, size_t point)
{
    const hg_dependence *d = &w->all->v[number];
    const size_t block = (size_t)w->folds->block[w->row[i]];

    return w->sums[number] +
           (block * (size_t)w->all->n_scored + (size_t)scored) * points_of(d) + point;
}

static void
add_to(sum *s, double weight, double value)
{
    if (isfinite(value)) {
        s->weight += weight;
        s->value += weight * value;
    }
}

/* mean prediction at a point */
static hg_status
sum_point(const work *w, int number, size_t point)
{
    const hg_validation *v = w->folds->validation;
    const hg_dependence *d = &w->all->v[number];
    const size_t at[2] = {point / (size_t)d->n[1], point % (size_t)d->n[1]};

    copy_sample(w);
    for (int64_t i = 0; i < w->n; i++) {
        for (int a = 0; a < d->n_axis; a++) {
            w->x[i * v->features.n + d->feature[a]] = /* NOLINT: there are one or two */
                (float)d->x[a][at[a]];
        }
    }
    HG_TRY(predict(w, 0));
    for (int s = 0; s < w->all->n_scored; s++) {
        for (int64_t i = 0; i < w->n; i++) {
            add_to(sum_at(w, number, i, s, point), v->rows.weight[w->row[i]],
                   hg_scored_guess(v, &w->all->scored[s], i, w->mean, w->probability));
        }
    }
    return HG_OK;
}

/* differences between the corners of every row's cell; bit a of a corner: upper end of axis a
 */
static hg_status
sum_differences(const work *w, int number)
{
    const hg_validation *v = w->folds->validation;
    const hg_dependence *d = &w->all->v[number];
    const int n_corner = 1 << d->n_axis;

    for (int a = 0; a < d->n_axis; a++) {
        if (d->n[a] < 2) {
            return HG_OK; /* a constant has no effect */
        }
    }
    copy_sample(w);
    for (int c = 0; c < n_corner; c++) {
        for (int64_t i = 0; i < w->n; i++) {
            for (int a = 0; a < d->n_axis; a++) {
                const int f = d->feature[a],
                          k = interval_of(d->n[a], d->x[a],
                                          (double)v->rows.x[w->row[i] * v->features.n + f]);

                w->x[i * v->features.n + f] = (float)d->x[a][k - !(c >> a & 1)];
            }
        }
        HG_TRY(predict(w, c));
    }
    for (int s = 0; s < w->all->n_scored; s++) {
        for (int64_t i = 0; i < w->n; i++) {
            double difference = 0;
            int at[2] = {0, 0};

            for (int c = 0; c < n_corner; c++) {
                const int n_upper = (c & 1) + (c >> 1);

                difference += ((d->n_axis - n_upper) % 2 == 0 ? 1 : -1) *
                              hg_scored_guess(v, &w->all->scored[s], c * w->n + i, w->mean,
                                              w->probability);
            }
            for (int a = 0; a < d->n_axis; a++) {
                at[a] =
                    interval_of(d->n[a], d->x[a],
                                (double)v->rows.x[w->row[i] * v->features.n + d->feature[a]]);
            }
            add_to(sum_at(w, number, i, s, (size_t)(at[0] * d->n[1] + at[1])),
                   v->rows.weight[w->row[i]], difference);
        }
    }
    return HG_OK;
}

static hg_status
run_tasks(const work *w, int rank, int size)
{
    int64_t task = 0;

    for (int k = 0; k < w->all->n; k++) {
        const hg_dependence *d = &w->all->v[k];
        const size_t n = d->kind == HG_DEPENDENCE_PARTIAL ? points_of(d) : 1;

        for (size_t p = 0; p < n; p++) {
            if (task++ % size != rank) {
                continue;
            }
            HG_TRY(d->kind == HG_DEPENDENCE_PARTIAL ? sum_point(w, k, p)
                                                    : sum_differences(w, k));
        }
    }
    return HG_OK;
}

/* ---- curves ---- */
/* the curve of all blocks but one (-1: all) */
static hg_status
make_curve(const work *w, int number, int scored, int skip, double bench[], double value[])
{
    const hg_dependence *d = &w->all->v[number];
    const size_t n = points_of(d);
    double *weight = bench, *mean = bench + n;

    for (size_t p = 0; p < n; p++) {
        double sum_w = 0, sum_v = 0;

        for (int b = 0; b < w->folds->n_block; b++) {
            const sum *s = w->sums[number] +
                           ((size_t)b * (size_t)w->all->n_scored + (size_t)scored) * n + p;

            sum_w += b == skip ? 0 : s->weight;
            sum_v += b == skip ? 0 : s->value;
        }
        weight[p] = sum_w;
        mean[p] = sum_w > 0 ? sum_v / sum_w : (double)NAN;
    }
    if (d->kind == HG_DEPENDENCE_PARTIAL) {
        memcpy(value, mean, n * sizeof *value);
    } else if (d->n_axis == 1) {
        hg_effect_curve(d->n[0], weight, mean, value);
    } else {
        HG_TRY(hg_effect_plane(d->n[0], d->n[1], weight, mean, value));
    }
    return HG_OK;
}

static hg_status
finish_curve(const work *w, int number, int scored, double bench[])
{
    hg_dependence *d = &w->all->v[number];
    const size_t n = points_of(d), at = (size_t)scored * n;
    const int n_block = w->folds->n_block;
    double *value = bench + 2 * n, *sum_of = bench + 3 * n, *square = bench + 4 * n;

    memset(sum_of, 0, 2 * n * sizeof *sum_of);
    HG_TRY(make_curve(w, number, scored, -1, bench, d->value + at));
    for (int b = 0; b < n_block; b++) {
        HG_TRY(make_curve(w, number, scored, b, bench, value));
        for (size_t p = 0; p < n; p++) {
            const double e = value[p] - d->value[at + p];

            sum_of[p] += e;
            square[p] += e * e;
        }
    }
    for (size_t p = 0; p < n; p++) {
        const double variance = square[p] - sum_of[p] * sum_of[p] / n_block;

        d->error[at + p] = sqrt(fmax(variance, 0) * (n_block - 1) / n_block);
        if (!isfinite(variance)) {
            d->error[at + p] = (double)NAN;
        }
    }
    return HG_OK;
}

static hg_status
finish(const hg_comm *comm, const work *w)
{
    for (int k = 0; k < w->all->n; k++) {
        const size_t n = points_of(&w->all->v[k]);
        double *bench = NULL;
        hg_status status;

        HG_TRY(hg_held_out_join(comm,
                                2 * n * (size_t)w->all->n_scored * (size_t)w->folds->n_block,
                                (double *)w->sums[k]));
        status = hg_mem_array(&bench, 5 * n, sizeof *bench);
        for (int s = 0; s < w->all->n_scored && status == HG_OK; s++) {
            status = finish_curve(w, k, s, bench);
        }
        hg_mem_free(bench);
        HG_TRY(hg_comm_agree(comm, status));
    }
    return HG_OK;
}

static hg_status
prepare(work *w)
{
    const hg_validation *v = w->folds->validation;
    const size_t corners = 4 * (size_t)v->targets.n;

    HG_TRY(hg_row_sample(v, v->params->explain.rows, &w->n, &w->row));
    w->all->n_row = w->n;
    HG_TRY(list_dependences(w));
    HG_TRY(hg_mem_array(&w->x, (size_t)(w->n * v->features.n), sizeof *w->x));
    HG_TRY(hg_mem_array(&w->mean, (size_t)w->n * corners, sizeof *w->mean));
    return hg_mem_array(&w->probability, (size_t)w->n * corners, sizeof *w->probability);
}

hg_status
hg_dependences_compute(const hg_comm *comm, const hg_folds *folds, const hg_stages *model,
                       hg_dependences *all)
{
    work w = {.folds = folds, .model = model, .all = all};
    hg_status status;

    *all = (hg_dependences){0};
    all->n_scored = hg_scored_list(folds->validation, all->scored);
    if (folds->validation->params->explain.rows == 0) {
        return HG_OK;
    }
    hg_phase_start("explain: dependence");
    HG_TRY_OR(done, status, hg_comm_agree(comm, prepare(&w)));
    HG_TRY_OR(done, status, hg_comm_agree(comm, run_tasks(&w, comm->rank, comm->size)));
    status = finish(comm, &w);
done:
    for (int k = 0; k < all->n && w.sums != NULL; k++) {
        hg_mem_free(w.sums[k]);
    }
    hg_mem_free(w.sums);
    hg_mem_free(w.row);
    hg_mem_free(w.x);
    hg_mem_free(w.mean);
    hg_mem_free(w.probability);
    hg_phase_stop("explain: dependence");
    return status;
}

void
hg_dependences_clear(hg_dependences *all)
{
    for (int k = 0; k < all->n; k++) {
        hg_mem_free(all->v[k].x[0]);
        hg_mem_free(all->v[k].x[1]);
        hg_mem_free(all->v[k].value);
        hg_mem_free(all->v[k].error);
        hg_mem_free(all->v[k].count);
    }
    hg_mem_free(all->v);
    *all = (hg_dependences){0};
}
