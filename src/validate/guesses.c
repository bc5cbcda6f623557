/* A rank predicts its slice of a fold in blocks, scores the draws of each row and forgets them;
 * at the end the rows of all ranks are joined. */
#include "validate/guesses.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "emulate/apply_draws.h"
#include "halograft/log.h"
#include "stats/score.h"
#include "validate/held_out.h"

enum { BLOCK = 2048 };

/* What a rank works with. */
struct work {
    const hg_folds *folds;
    hg_guesses *guesses;
    double scale[HG_TARGETS_MAX]; /* standard deviation of plain targets, 0 = not plain */
    float *x;
    double *mean, *spread, *probability, *draw;
    uint64_t *key;
};

static void
find_scales(const hg_validation *v, double scale[])
{
    for (int t = 0; t < v->targets.n; t++) {
        double mean = 0, square = 0;

        scale[t] = 0;
        if (v->role[t].is_label || v->role[t].has_hurdle) {
            continue;
        }
        for (int64_t i = 0; i < v->rows.n; i++) {
            mean += hg_validation_truth(v, i, t) / (double)v->rows.n;
        }
        for (int64_t i = 0; i < v->rows.n; i++) {
            const double d = hg_validation_truth(v, i, t) - mean;

            square += d * d / (double)v->rows.n;
        }
        scale[t] = sqrt(square);
    }
}

static hg_status
allocate(const hg_folds *folds, hg_guesses *g, struct work *w)
{
    const hg_validation *v = folds->validation;
    const size_t nt = (size_t)v->targets.n, all = (size_t)v->rows.n * nt;

    g->n = v->rows.n;
    g->n_target = v->targets.n;
    g->n_draw =
        strcmp(v->params->scatter.method, "none") == 0 ? 0 : (int)v->params->validate.draws;
    HG_TRY(hg_rivals_list(v, &g->n_rival, g->rival_name));
    HG_TRY(hg_mem_zeros(&g->mean, all, sizeof *g->mean));
    HG_TRY(hg_mem_zeros(&g->probability, all, sizeof *g->probability));
    if (v->params->validate.parent) {
        HG_TRY(hg_mem_zeros(&g->spread, all, sizeof *g->spread));
        HG_TRY(hg_mem_array(&w->spread, BLOCK * nt, sizeof *w->spread));
    }
    HG_TRY(hg_mem_zeros(&g->pit, all, sizeof *g->pit));
    HG_TRY(hg_mem_zeros(&g->crps, all, sizeof *g->crps));
    HG_TRY(hg_mem_zeros(&g->draw, all, sizeof *g->draw));
    HG_TRY(hg_mem_zeros(&g->energy, (size_t)g->n, sizeof *g->energy));
    HG_TRY(hg_mem_zeros(&g->reference, all, sizeof *g->reference));
    HG_TRY(hg_mem_zeros(&g->rival, all * (size_t)g->n_rival, sizeof *g->rival));
    HG_TRY(hg_mem_array(&w->x, BLOCK * (size_t)v->features.n, sizeof *w->x));
    HG_TRY(hg_mem_array(&w->mean, BLOCK * nt, sizeof *w->mean));
    HG_TRY(hg_mem_array(&w->probability, BLOCK * nt, sizeof *w->probability));
    HG_TRY(hg_mem_array(&w->draw, BLOCK * nt * (size_t)g->n_draw, sizeof *w->draw));
    return hg_mem_array(&w->key, BLOCK, sizeof *w->key);
}

/* Scores of the draws of one row of a block for one target. */
static hg_status
score_target(const struct work *w, int64_t n, int64_t i, int t, int64_t row)
{
    const hg_validation *v = w->folds->validation;
    const int nt = v->targets.n, m = w->guesses->n_draw;
    const int64_t at = row * nt + t;
    double truth = hg_validation_truth(v, row, t), draw[1024];
    bool is_open = isfinite(truth);

    truth = is_open ? truth : -(double)INFINITY;
    for (int k = 0; k < m; k++) {
        draw[k] = w->draw[((int64_t)k * n + i) * nt + t];
        is_open = is_open && isfinite(draw[k]);
    }
    w->guesses->draw[at] = draw[0];
    hg_score_pit(1, m, &truth, draw, hg_mix64(v->rows.key[row] + (uint64_t)t),
                 &w->guesses->pit[at]);
    return is_open ? hg_score_crps(1, m, &truth, draw, &w->guesses->crps[at]) : HG_OK;
}

/* The same for all plain targets together. */
static hg_status
score_energy(const struct work *w, int64_t n, int64_t i, int64_t row)
{
    const hg_validation *v = w->folds->validation;
    const int nt = v->targets.n, m = w->guesses->n_draw;
    double truth[HG_TARGETS_MAX], scale[HG_TARGETS_MAX], *draw = NULL;
    int n_plain = 0;
    hg_status status;

    for (int t = 0; t < nt; t++) {
        if (w->scale[t] > 0) {
            truth[n_plain] = hg_validation_truth(v, row, t);
            scale[n_plain++] = w->scale[t];
        }
    }
    if (n_plain == 0) {
        w->guesses->energy[row] = (double)NAN;
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&draw, (size_t)(m * n_plain), sizeof *draw));
    for (int k = 0; k < m; k++) {
        for (int t = 0, p = 0; t < nt; t++) {
            if (w->scale[t] > 0) {
                draw[k * n_plain + p++] = w->draw[((int64_t)k * n + i) * nt + t];
            }
        }
    }
    status = hg_score_energy(1, m, n_plain, truth, draw, scale, &w->guesses->energy[row]);
    hg_mem_free(draw);
    return status;
}

static hg_status
store_block(const struct work *w, int64_t n, const int64_t row[])
{
    const hg_validation *v = w->folds->validation;
    hg_guesses *g = w->guesses;
    const int nt = v->targets.n;

    for (int64_t i = 0; i < n; i++) {
        for (int t = 0; t < nt; t++) {
            const int64_t at = row[i] * nt + t;

            g->mean[at] = w->mean[i * nt + t];
            g->probability[at] = w->probability[i * nt + t];
            if (g->spread != NULL) {
                g->spread[at] = w->spread[i * nt + t];
            }
            g->pit[at] = g->crps[at] = g->draw[at] = (double)NAN;
            if (g->n_draw > 0 && !v->role[t].is_label) {
                HG_TRY(score_target(w, n, i, t, row[i]));
            }
        }
        g->energy[row[i]] = (double)NAN;
        if (g->n_draw > 0) {
            HG_TRY(score_energy(w, n, i, row[i]));
        }
    }
    return HG_OK;
}

static hg_status
predict_block(const struct work *w, const hg_stages *model, const hg_predict_options *options,
              int64_t n, const int64_t row[])
{
    const hg_prediction result = {.mean = w->mean,
                                  .spread = w->spread,
                                  .probability = w->probability,
                                  .draw = options->n_draw > 0 ? w->draw : NULL};

    HG_TRY(hg_held_out_predict(w->folds->validation, model, options,
                               w->folds->validation->rows.x, n, row, w->x, w->key, &result));
    return store_block(w, n, row);
}

static hg_status
predict_fold(void *context, const hg_comm *group, int trial, const hg_stages *model, int64_t n,
             const int64_t row[])
{
    struct work *w = context;
    const hg_validation *v = w->folds->validation;
    hg_predict_options options = hg_apply_draws(v->params, model, false);
    int64_t first, end;
    hg_status status;

    options.n_draw = w->guesses->n_draw;
    options.n_quantile = 0;
    options.training_rows = 0;
    status = hg_apply_prepare(v->params, model, &options);
    hg_held_out_slice(n, group, &first, &end);
    for (int64_t i = first; i < end && status == HG_OK; i += BLOCK) {
        status = predict_block(w, model, &options, end - i < BLOCK ? end - i : BLOCK, row + i);
    }
    if (status == HG_OK && group->rank == 0) {
        status =
            hg_rivals_fill(w->folds, trial, n, row, w->guesses->rival, w->guesses->reference);
    }
    return hg_comm_agree(group, status);
}

static hg_status
join(const hg_comm *comm, hg_guesses *g)
{
    const size_t all = (size_t)g->n * (size_t)g->n_target;

    HG_TRY(hg_held_out_join(comm, all, g->mean));
    HG_TRY(hg_held_out_join(comm, all, g->probability));
    if (g->spread != NULL) {
        HG_TRY(hg_held_out_join(comm, all, g->spread));
    }
    HG_TRY(hg_held_out_join(comm, all, g->pit));
    HG_TRY(hg_held_out_join(comm, all, g->crps));
    HG_TRY(hg_held_out_join(comm, all, g->draw));
    HG_TRY(hg_held_out_join(comm, (size_t)g->n, g->energy));
    HG_TRY(hg_held_out_join(comm, all, g->reference));
    return hg_held_out_join(comm, all * (size_t)g->n_rival, g->rival);
}

hg_status
hg_guesses_make(const hg_comm *comm, const hg_folds *folds, hg_guesses *g)
{
    struct work w = {.folds = folds, .guesses = g};
    hg_trial *trial = NULL;
    hg_status status;

    *g = (hg_guesses){0};
    hg_phase_start("validate: folds");
    find_scales(folds->validation, w.scale);
    status = allocate(folds, g, &w);
    if (status == HG_OK) {
        status = hg_mem_array(&trial, (size_t)folds->n, sizeof *trial);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int k = 0; k < folds->n; k++) {
        trial[k] = (hg_trial){.fold = k, .share = 1, .options = folds->validation->options};
    }
    HG_TRY_OR(done, status,
              hg_held_out_run(comm, folds, folds->n, trial, NULL, predict_fold, &w));
    status = join(comm, g);
done:
    hg_mem_free(trial);
    hg_mem_free(w.x);
    hg_mem_free(w.mean);
    hg_mem_free(w.probability);
    hg_mem_free(w.spread);
    hg_mem_free(w.draw);
    hg_mem_free(w.key);
    hg_phase_stop("validate: folds");
    return status;
}

void
hg_guesses_clear(hg_guesses *g)
{
    hg_mem_free(g->mean);
    hg_mem_free(g->probability);
    hg_mem_free(g->spread);
    hg_mem_free(g->pit);
    hg_mem_free(g->crps);
    hg_mem_free(g->draw);
    hg_mem_free(g->energy);
    hg_mem_free(g->reference);
    hg_mem_free(g->rival);
    *g = (hg_guesses){0};
}
