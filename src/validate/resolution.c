/* A fold is predicted by 1 + n forests: one of fine features, which sees the fold fine and at
 * every coarser particle mass, and one of each coarser mass. All ways are scored on the same
 * haloes, those that are not lost, so that differences are those of the features. */
#include "validate/resolution.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "stats/metric.h"
#include "validate/held_out.h"

enum { BLOCK = 2048 };

/* Rows at one particle mass. */
struct level {
    float *x;   /* shape (rows, features) */
    bool *lost; /* shape (rows) */
};

struct work {
    hg_resolution *r;
    struct level *level;           /* shape (n) */
    double *fine, *mixed, *coarse; /* shapes (rows, scored), (n, rows, scored) twice */
    float *x;                      /* room for a block */
    double *mean, *probability;    /* likewise */
    uint64_t *key;
    int64_t *row;
};

/* ---- features ---- */
static hg_status
take_levels(struct work *w)
{
    const hg_validation *v = w->r->folds->validation;
    const int nf = v->features.n;
    const int64_t n = v->rows.n;

    for (int k = 0; k < w->r->n; k++) {
        struct level *level = &w->level[k];
        const double *from = v->rows.extra + v->extras.set.n + k * (nf + 1);

        HG_TRY(hg_coarsening_factor(&v->coarsening, k, v->rows.frame.particle_mass,
                                    &w->r->mass[k], &w->r->factor[k]));
        HG_TRY(hg_mem_array(&level->x, (size_t)(n * nf), sizeof *level->x));
        HG_TRY(hg_mem_array(&level->lost, (size_t)n, sizeof *level->lost));
        for (int64_t i = 0; i < n; i++, from += v->rows.n_extra) {
            for (int f = 0; f < nf; f++) {
                level->x[i * nf + f] = (float)from[f];
            }
            level->lost[i] = from[nf] > 0;
        }
    }
    return HG_OK;
}

/* Enough haloes of every particle mass have to be left in the training of every fold. */
static hg_status
check_levels(const struct work *w, int n_trial, const hg_trial trial[])
{
    const hg_validation *v = w->r->folds->validation;

    for (int t = 0; t < n_trial; t++) {
        int64_t n = 0;

        for (int64_t i = 0; i < v->rows.n; i++) {
            n += hg_held_out_trains(w->r->folds, &trial[t], i);
        }
        if (n < 2 * v->options.min_leaf) {
            const int k = t / w->r->folds->n - 1;

            return HG_FAIL(HG_E_INPUT,
                           "with particles of %g Msun %" PRId64
                           " haloes of %g particles or more "
                           "are left to train on, fewer than two leaves: lower "
                           "Validate.resolution or Validate.particles_min",
                           w->r->mass[k], n, v->params->validate.particles_min);
        }
    }
    return HG_OK;
}

static void
name_columns(const hg_recipes *features)
{
    hg_text text = {0};
    hg_names names = {0};
    hg_status status = hg_names_add_recipes(&names, features);

    for (int i = 0; i < names.n && status == HG_OK; i++) {
        const char *rule = hg_coarsening_rule(names.v[i]);

        status = hg_text_add(&text, "%s%s: %s", i > 0 ? "; " : "", names.v[i],
                             rule != NULL ? rule : "as it is");
    }
    if (status == HG_OK) {
        hg_log_info("validate: columns made coarser: %s", hg_text_string(&text));
    }
    hg_text_clear(&text);
}

/* ---- predictions ---- */
static hg_status
predict_rows(struct work *w, const hg_stages *model, const float all[], int64_t n,
             const int64_t row[], double guess[])
{
    const hg_validation *v = w->r->folds->validation;
    const hg_prediction result = {.mean = w->mean, .probability = w->probability};
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;

    options.training_rows = 0;
    for (int64_t first = 0; first < n; first += BLOCK) {
        const int64_t m = n - first < BLOCK ? n - first : BLOCK;

        HG_TRY(hg_held_out_predict(v, model, &options, all, m, row + first, w->x, w->key,
                                   &result));
        for (int64_t i = 0; i < m; i++) {
            for (int s = 0; s < w->r->n_scored; s++) {
                guess[row[first + i] * w->r->n_scored + s] =
                    hg_scored_guess(v, &w->r->scored[s], i, w->mean, w->probability);
            }
        }
    }
    return HG_OK;
}

/* The rows of a slice that are not lost. */
static int64_t
keep_rows(struct work *w, int k, int64_t n, const int64_t row[])
{
    int64_t kept = 0;

    for (int64_t i = 0; i < n; i++) {
        w->row[kept] = row[i];
        kept += !w->level[k].lost[row[i]];
    }
    return kept;
}

static hg_status
test(void *context, const hg_comm *group, int trial, const hg_stages *model, int64_t n,
     const int64_t row[])
{
    struct work *w = context;
    const hg_validation *v = w->r->folds->validation;
    const int own = trial / w->r->folds->n - 1; /* -1 = the forest of fine features */
    const int64_t size = v->rows.n * w->r->n_scored;
    int64_t first, end;
    hg_status status = HG_OK;

    hg_held_out_slice(n, group, &first, &end);
    if (own < 0) {
        status = predict_rows(w, model, v->rows.x, end - first, row + first, w->fine);
    }
    for (int k = own < 0 ? 0 : own; k < (own < 0 ? w->r->n : own + 1) && status == HG_OK; k++) {
        const int64_t kept = keep_rows(w, k, end - first, row + first);

        status = predict_rows(w, model, w->level[k].x, kept, w->row,
                              (own < 0 ? w->mixed : w->coarse) + k * size);
    }
    return hg_comm_agree(group, status);
}

/* ---- errors ---- */
struct sum {
    double weight, error, square;
};

static void
find_marks(int n_block, const struct sum sum[], double left_out[], double *bias,
           double *bias_error, double *rmse, double *rmse_error)
{
    struct sum all = {0};
    int n[2] = {0};

    for (int b = 0; b < n_block; b++) {
        all.weight += sum[b].weight;
        all.error += sum[b].error;
        all.square += sum[b].square;
    }
    *bias = all.weight > 0 ? all.error / all.weight : (double)NAN;
    *rmse = all.weight > 0 ? sqrt(all.square / all.weight) : (double)NAN;
    for (int pass = 0; pass < 2; pass++) {
        for (int b = 0; b < n_block; b++) {
            const double weight = all.weight - sum[b].weight;

            if (sum[b].weight > 0 && weight > 0) {
                left_out[n[pass]++] = pass == 0
                                          ? (all.error - sum[b].error) / weight
                                          : sqrt(fmax(0, all.square - sum[b].square) / weight);
            }
        }
        *(pass == 0 ? bias_error : rmse_error) = hg_metric_jackknife(n[pass], left_out);
    }
}

static void
mark_bin(const struct work *w, int k, int s, int bin, struct sum *sum, double left_out[],
         hg_resolution_mark *m)
{
    const hg_folds *f = w->r->folds;
    const hg_validation *v = f->validation;
    const int ns = w->r->n_scored, nb = f->n_block;
    const double *from[] = {w->fine, w->mixed + k * v->rows.n * ns,
                            w->coarse + k * v->rows.n * ns};
    int64_t n_all = 0, n_kept = 0;

    memset(sum, 0, (size_t)(HG_RESOLUTION_WAYS * nb) * sizeof *sum);
    for (int64_t i = 0; i < v->rows.n; i++) {
        const double truth = hg_scored_truth(v, &w->r->scored[s], i);
        bool is_open = isfinite(truth);

        if (bin > 0 && w->r->cut->bin[i] != bin - 1) {
            continue;
        }
        n_all++;
        n_kept += !w->level[k].lost[i];
        for (int way = 0; way < HG_RESOLUTION_WAYS; way++) {
            is_open = is_open && isfinite(from[way][i * ns + s]);
        }
        if (w->level[k].lost[i] || !is_open) {
            continue;
        }
        m->n++;
        for (int way = 0; way < HG_RESOLUTION_WAYS; way++) {
            const double e = from[way][i * ns + s] - truth, weight = v->rows.weight[i];
            struct sum *x = &sum[way * nb + f->block[i]];

            x->weight += weight;
            x->error += weight * e;
            x->square += weight * e * e;
        }
    }
    m->kept = n_all > 0 ? (double)n_kept / (double)n_all : (double)NAN;
    for (int way = 0; way < HG_RESOLUTION_WAYS; way++) {
        find_marks(nb, sum + way * nb, left_out, &m->bias[way], &m->bias_error[way],
                   &m->rmse[way], &m->rmse_error[way]);
    }
}

const hg_resolution_mark *
hg_resolution_at(const hg_resolution *r, int k, int scored, int bin)
{
    return &r->mark[(k * r->n_scored + scored) * (1 + r->cut->n) + bin];
}

static hg_status
mark_all(const struct work *w)
{
    hg_resolution *r = w->r;
    const size_t nb = (size_t)r->folds->n_block;
    struct sum *sum = NULL;
    double *left_out = NULL;
    hg_status status = hg_mem_array(&sum, HG_RESOLUTION_WAYS * nb, sizeof *sum);

    status = status == HG_OK ? hg_mem_array(&left_out, nb, sizeof *left_out) : status;
    for (int k = 0; k < r->n && status == HG_OK; k++) {
        for (int s = 0; s < r->n_scored; s++) {
            for (int b = 0; b <= r->cut->n; b++) {
                mark_bin(w, k, s, b, sum, left_out,
                         &r->mark[(k * r->n_scored + s) * (1 + r->cut->n) + b]);
            }
        }
    }
    hg_mem_free(sum);
    hg_mem_free(left_out);
    return status;
}

/* ---- all of it ---- */
static hg_status
allocate(struct work *w)
{
    hg_resolution *r = w->r;
    const hg_validation *v = r->folds->validation;
    const size_t n = (size_t)r->n, ns = (size_t)r->n_scored, rows = (size_t)v->rows.n,
                 nt = (size_t)v->targets.n;

    HG_TRY(hg_mem_array(&r->mass, n, sizeof *r->mass));
    HG_TRY(hg_mem_array(&r->factor, n, sizeof *r->factor));
    HG_TRY(hg_mem_zeros(&r->mark, n * ns * (size_t)(1 + r->cut->n), sizeof *r->mark));
    HG_TRY(hg_mem_zeros(&w->level, n, sizeof *w->level));
    HG_TRY(hg_mem_zeros(&w->fine, rows * ns, sizeof *w->fine));
    HG_TRY(hg_mem_zeros(&w->mixed, n * rows * ns, sizeof *w->mixed));
    HG_TRY(hg_mem_zeros(&w->coarse, n * rows * ns, sizeof *w->coarse));
    HG_TRY(hg_mem_array(&w->x, BLOCK * (size_t)v->features.n, sizeof *w->x));
    HG_TRY(hg_mem_array(&w->mean, BLOCK * nt, sizeof *w->mean));
    HG_TRY(hg_mem_array(&w->probability, BLOCK * nt, sizeof *w->probability));
    HG_TRY(hg_mem_array(&w->key, BLOCK, sizeof *w->key));
    return hg_mem_array(&w->row, rows + 1, sizeof *w->row);
}

static void
free_work(struct work *w)
{
    for (int k = 0; k < w->r->n && w->level != NULL; k++) {
        hg_mem_free(w->level[k].x);
        hg_mem_free(w->level[k].lost);
    }
    hg_mem_free(w->level);
    hg_mem_free(w->fine);
    hg_mem_free(w->mixed);
    hg_mem_free(w->coarse);
    hg_mem_free(w->x);
    hg_mem_free(w->mean);
    hg_mem_free(w->probability);
    hg_mem_free(w->key);
    hg_mem_free(w->row);
}

static void
list_trials(const struct work *w, hg_trial trial[])
{
    const hg_folds *f = w->r->folds;

    for (int k = -1; k < w->r->n; k++) {
        for (int fold = 0; fold < f->n; fold++) {
            hg_trial *t = &trial[(k + 1) * f->n + fold];

            *t = (hg_trial){.fold = fold, .share = 1, .options = f->validation->options};
            t->options.scope = HG_TRAIN_MEANS;
            t->x = k >= 0 ? w->level[k].x : NULL;
            t->lost = k >= 0 ? w->level[k].lost : NULL;
        }
    }
}

hg_status
hg_resolution_run(const hg_comm *comm, const hg_folds *folds, const hg_cuts *cuts,
                  hg_resolution *r)
{
    const hg_validation *v = folds->validation;
    const int n_trial = folds->n * (1 + v->coarsening.n);
    struct work w = {.r = r};
    hg_trial *trial = NULL;
    hg_status status;

    *r = (hg_resolution){.folds = folds, .cut = &cuts->cut[1], .n = v->coarsening.n};
    r->n_scored = hg_scored_list(v, r->scored);
    HG_ASSERT(strcmp(r->cut->name, "mass") == 0);
    hg_phase_start("validate: resolution");
    name_columns(&v->features);
    status = hg_mem_array(&trial, (size_t)n_trial, sizeof *trial);
    status = status == HG_OK ? allocate(&w) : status;
    status = status == HG_OK ? take_levels(&w) : status;
    if (status == HG_OK) {
        list_trials(&w, trial);
        status = check_levels(&w, n_trial, trial);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_held_out_run(comm, folds, n_trial, trial, NULL, test, &w));
    status = hg_held_out_join(comm, (size_t)(v->rows.n * r->n_scored), w.fine);
    if (status == HG_OK) {
        status = hg_held_out_join(comm, (size_t)(r->n * v->rows.n * r->n_scored), w.mixed);
    }
    if (status == HG_OK) {
        status = hg_held_out_join(comm, (size_t)(r->n * v->rows.n * r->n_scored), w.coarse);
    }
    if (status == HG_OK) {
        status = hg_comm_agree(comm, mark_all(&w));
    }
done:
    free_work(&w);
    hg_mem_free(trial);
    hg_phase_stop("validate: resolution");
    return status;
}

void
hg_resolution_clear(hg_resolution *r)
{
    hg_mem_free(r->mass);
    hg_mem_free(r->factor);
    hg_mem_free(r->mark);
    *r = (hg_resolution){0};
}
