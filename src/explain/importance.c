/* One trial per fold trains with all features; its haloes are predicted again with the features
 * of a set taken from other haloes. The donors are a permutation of all haloes and not of the
 * fold: within a fold of one region, a feature that hardly varies there would look useless.
 * Each set and repeat is the work of one rank of the trial's group, rows in their order, so
 * sums do not depend on ranks. Rows count where truth and both predictions are open. */
#include "explain/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "explain/row_sample.h"
#include "stats/metric.h"
#include "validate/held_out.h"

/* sums over rows of a fold */
typedef struct sum {
    double weight, square; /* sum w; sum w e^2, or of its growth */
} sum;

typedef struct work {
    const hg_folds *folds;
    hg_importance *all;
    int n_repeat;
    hg_trial *trial; /* shape (folds->n * (1 + dropped sets)) */
    int *dropped;    /* shape (the same): the set, -1 = none */
    int n_trial;
    sum *whole;                 /* shape (fold, n_scored) */
    sum *permuted;              /* shape (fold, set, repeat, n_scored) */
    sum *without;               /* shape (fold, set, n_scored) */
    hg_row_word *place;         /* shape (all rows), in the order that a permutation gives */
    float *x;                   /* shape (rows of a fold, features); likewise below */
    double *mean, *probability; /* of the features as they are */
    double *moved, *moved_probability; /* of the features of a permutation */
} work;

static size_t
sums_of_sets(const work *w)
{
    return (size_t)w->folds->n * (size_t)w->all->sets.n * (size_t)w->all->n_scored;
}

static bool
is_all(const work *w, int set)
{
    for (int f = 0; f < w->folds->validation->features.n; f++) {
        if (!w->all->sets.set[set].has[f]) {
            return false;
        }
    }
    return true;
}

static hg_status
list_trials(work *w)
{
    const hg_folds *folds = w->folds;
    const bool drops = folds->validation->params->explain.drop;
    const size_t most = (size_t)folds->n * (size_t)(1 + w->all->sets.n);
    hg_train_options options = folds->validation->options;

    HG_TRY(hg_mem_array(&w->trial, most, sizeof *w->trial));
    HG_TRY(hg_mem_array(&w->dropped, most, sizeof *w->dropped));
    options.scope = HG_TRAIN_MEANS;
    for (int s = -1; s < (drops ? w->all->sets.n : 0); s++) {
        for (int k = 0; k < folds->n && (s < 0 || !is_all(w, s)); k++) {
            w->dropped[w->n_trial] = s;
            w->trial[w->n_trial++] = (hg_trial){.fold = k,
                                                .share = 1,
                                                .options = options,
                                                .drop = s < 0 ? NULL : w->all->sets.set[s].has};
        }
    }
    return HG_OK;
}

static hg_status
allocate(work *w)
{
    const hg_validation *v = w->folds->validation;
    hg_importance *all = w->all;
    const size_t n_value = (size_t)all->n_scored * (size_t)all->sets.n;
    size_t most = 0;

    for (int k = 0; k < w->folds->n; k++) {
        most = (size_t)w->folds->count[k] > most ? (size_t)w->folds->count[k] : most;
    }
    if (w->n_repeat > 0) {
        HG_TRY(hg_mem_zeros(&all->permuted, n_value, sizeof *all->permuted));
    }
    if (v->params->explain.drop) {
        HG_TRY(hg_mem_zeros(&all->dropped, n_value, sizeof *all->dropped));
    }
    HG_TRY(
        hg_mem_zeros(&w->whole, (size_t)w->folds->n * (size_t)all->n_scored, sizeof *w->whole));
    HG_TRY(
        hg_mem_zeros(&w->permuted, sums_of_sets(w) * (size_t)w->n_repeat, sizeof *w->permuted));
    HG_TRY(hg_mem_zeros(&w->without, sums_of_sets(w), sizeof *w->without));
    HG_TRY(hg_mem_array(&w->place, (size_t)v->rows.n, sizeof *w->place));
    HG_TRY(hg_mem_array(&w->x, most * (size_t)v->features.n, sizeof *w->x));
    HG_TRY(hg_mem_array(&w->mean, most * (size_t)v->targets.n, sizeof *w->mean));
    HG_TRY(hg_mem_array(&w->probability, most * (size_t)v->targets.n, sizeof(double)));
    HG_TRY(hg_mem_array(&w->moved, most * (size_t)v->targets.n, sizeof *w->moved));
    return hg_mem_array(&w->moved_probability, most * (size_t)v->targets.n, sizeof(double));
}

static void
free_work(work *w)
{
    hg_mem_free(w->trial);
    hg_mem_free(w->dropped);
    hg_mem_free(w->whole);
    hg_mem_free(w->permuted);
    hg_mem_free(w->without);
    hg_mem_free(w->place);
    hg_mem_free(w->x);
    hg_mem_free(w->mean);
    hg_mem_free(w->probability);
    hg_mem_free(w->moved);
    hg_mem_free(w->moved_probability);
}

/* order all rows by words of their own: row i takes from the one at place i */
static void
permute(const work *w, int set, int repeat)
{
    const hg_validation *v = w->folds->validation;
    const uint64_t lane = (uint64_t)set << 32 | (uint64_t)repeat;

    for (int64_t i = 0; i < v->rows.n; i++) {
        hg_stream stream = hg_stream_start((uint64_t)v->params->meta.seed, lane, (uint64_t)i,
                                           HG_PURPOSE_PERMUTATION);
        const uint64_t high = hg_stream_word(&stream);

        w->place[i] = (hg_row_word){high << 32 | hg_stream_word(&stream), i};
    }
    qsort(w->place, (size_t)v->rows.n, sizeof *w->place, hg_row_word_order);
}

static hg_status
predict(const work *w, const hg_stages *model, int64_t n, double mean[], double probability[])
{
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    const hg_prediction result = {.mean = mean, .probability = probability};

    options.training_rows = 0;
    return hg_stages_predict(model, &options, n, NULL, w->x, &result);
}

static hg_status
test_permuted(const work *w, int fold, const hg_stages *model, int set, int repeat, int64_t n,
              const int64_t row[])
{
    const hg_validation *v = w->folds->validation;
    const hg_importance *all = w->all;
    const int nf = v->features.n;
    sum *to = w->permuted +
              (((size_t)fold * (size_t)all->sets.n + (size_t)set) * (size_t)w->n_repeat +
               (size_t)repeat) *
                  (size_t)all->n_scored;

    permute(w, set, repeat);
    for (int64_t i = 0; i < n; i++) {
        for (int f = 0; f < nf; f++) {
            const int64_t from = all->sets.set[set].has[f] ? w->place[row[i]].row : row[i];

            w->x[i * nf + f] = v->rows.x[from * nf + f];
        }
    }
    HG_TRY(predict(w, model, n, w->moved, w->moved_probability));
    for (int s = 0; s < all->n_scored; s++) {
        for (int64_t i = 0; i < n; i++) {
            const hg_scored *scored = &all->scored[s];
            const double truth = hg_scored_truth(v, scored, row[i]);
            const double e = hg_scored_guess(v, scored, i, w->mean, w->probability) - truth,
                         moved = hg_scored_guess(v, scored, i, w->moved, w->moved_probability) -
                                 truth;

            if (isfinite(e) && isfinite(moved)) {
                to[s].weight += v->rows.weight[row[i]];
                to[s].square += v->rows.weight[row[i]] * (moved * moved - e * e);
            }
        }
    }
    return HG_OK;
}

static void
add_errors(const work *w, int64_t n, const int64_t row[], sum to[])
{
    const hg_validation *v = w->folds->validation;

    for (int s = 0; s < w->all->n_scored; s++) {
        for (int64_t i = 0; i < n; i++) {
            const double e =
                hg_scored_guess(v, &w->all->scored[s], i, w->mean, w->probability) -
                hg_scored_truth(v, &w->all->scored[s], row[i]);

            if (isfinite(e)) {
                to[s].weight += v->rows.weight[row[i]];
                to[s].square += v->rows.weight[row[i]] * e * e;
            }
        }
    }
}

static hg_status
test(void *context, const hg_comm *group, int number, const hg_stages *model, int64_t n,
     const int64_t row[])
{
    const work *w = context;
    const hg_validation *v = w->folds->validation;
    const hg_trial *trial = &w->trial[number];
    const int set = w->dropped[number], n_scored = w->all->n_scored;
    float *x = w->x;
    hg_status status;

    for (int64_t i = 0; i < n; i++) {
        x += hg_trial_features(v, trial, v->rows.x + row[i] * v->features.n, x);
    }
    status = predict(w, model, n, w->mean, w->probability);
    if (status == HG_OK && group->rank == 0) {
        add_errors(w, n, row,
                   set < 0 ? w->whole + trial->fold * n_scored
                           : w->without +
                                 ((size_t)trial->fold * (size_t)w->all->sets.n + (size_t)set) *
                                     (size_t)n_scored);
    }
    for (int k = group->rank; k < w->all->sets.n * w->n_repeat && set < 0 && status == HG_OK;
         k += group->size) {
        status = test_permuted(w, trial->fold, model, k / w->n_repeat, k % w->n_repeat, n, row);
    }
    return hg_comm_agree(group, status);
}

/* ---- errors ---- */
/* Ratio of the sums over folds but one (-1: all); the sums of fold k begin at k * stride, `n`
 * of them, `step` apart. */
static double
ratio(int n_fold, const sum from[], size_t stride, int n, size_t step, int skip)
{
    double weight = 0, square = 0;

    for (int k = 0; k < n_fold; k++) {
        for (int i = 0; i < n && k != skip; i++) {
            weight += from[(size_t)k * stride + (size_t)i * step].weight;
            square += from[(size_t)k * stride + (size_t)i * step].square;
        }
    }
    return weight > 0 ? square / weight : (double)NAN;
}

/* Growth of the error, where `whole` is subtracted unless NULL. */
static hg_growth
growth_of(int n_fold, const sum from[], size_t stride, int n, size_t step, const sum whole[],
          size_t whole_stride, double left_out[])
{
    hg_growth g = {.repeat = (double)NAN};

    for (int k = -1; k < n_fold; k++) {
        double value = ratio(n_fold, from, stride, n, step, k);

        value -= whole != NULL ? ratio(n_fold, whole, whole_stride, 1, 1, k) : 0;
        if (k < 0) {
            g.value = value;
        } else {
            left_out[k] = value;
        }
    }
    g.error = hg_metric_jackknife(n_fold, left_out);
    if (n > 1) {
        double square = 0, mean = 0;

        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < n; i++) {
                const double x = ratio(n_fold, from + (size_t)i * step, stride, 1, step, -1);

                mean += pass == 0 ? x / n : 0;
                square += pass == 1 ? (x - mean) * (x - mean) : 0;
            }
        }
        g.repeat = sqrt(square / ((double)n * (n - 1)));
    }
    return g;
}

static void
summarise(const work *w, double left_out[])
{
    hg_importance *all = w->all;
    const size_t ns = (size_t)all->n_scored, n_set = (size_t)all->sets.n,
                 nr = (size_t)w->n_repeat;
    const int n_fold = w->folds->n;

    for (size_t s = 0; s < ns; s++) {
        all->mse[s] = growth_of(n_fold, w->whole + s, ns, 1, 1, NULL, 0, left_out);
        for (size_t k = 0; k < n_set; k++) {
            if (all->permuted != NULL) {
                all->permuted[s * n_set + k] =
                    growth_of(n_fold, w->permuted + k * nr * ns + s, n_set * nr * ns,
                              w->n_repeat, ns, NULL, 0, left_out);
            }
            if (all->dropped != NULL) {
                all->dropped[s * n_set + k] =
                    growth_of(n_fold, w->without + k * ns + s, n_set * ns, 1, 1, w->whole + s,
                              ns, left_out);
            }
        }
    }
}

static hg_status
join(const hg_comm *comm, const work *w)
{
    const size_t two = sizeof(sum) / sizeof(double);

    HG_TRY(hg_held_out_join(comm, two * (size_t)w->folds->n * (size_t)w->all->n_scored,
                            (double *)w->whole));
    HG_TRY(hg_held_out_join(comm, two * sums_of_sets(w), (double *)w->without));
    return w->n_repeat == 0
               ? HG_OK
               : hg_held_out_join(comm, two * sums_of_sets(w) * (size_t)w->n_repeat,
                                  (double *)w->permuted);
}

hg_status
hg_importance_measure(const hg_comm *comm, const hg_folds *folds, hg_importance *all)
{
    const hg_validation *v = folds->validation;
    work w = {.folds = folds, .all = all, .n_repeat = (int)v->params->explain.repeats};
    double *left_out = NULL;
    hg_status status;

    *all = (hg_importance){0};
    all->n_scored = hg_scored_list(v, all->scored);
    status = hg_feature_sets_list(v, &all->sets);
    if (status != HG_OK || (w.n_repeat == 0 && !v->params->explain.drop)) {
        return hg_comm_agree(comm, status);
    }
    hg_phase_start("explain: importance");
    status = list_trials(&w);
    status = status == HG_OK ? allocate(&w) : status;
    if (status == HG_OK) {
        status = hg_mem_array(&left_out, (size_t)folds->n, sizeof *left_out);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_held_out_run(comm, folds, w.n_trial, w.trial, NULL, test, &w));
    HG_TRY_OR(done, status, join(comm, &w));
    summarise(&w, left_out);
done:
    free_work(&w);
    hg_mem_free(left_out);
    hg_phase_stop("explain: importance");
    return status;
}

void
hg_importance_clear(hg_importance *importance)
{
    hg_feature_sets_clear(&importance->sets);
    hg_mem_free(importance->permuted);
    hg_mem_free(importance->dropped);
    *importance = (hg_importance){0};
}
