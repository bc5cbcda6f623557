/* A residual draw p + r_j takes from its mate j the deviation from the mean. Where a target has
 * one mode that is right: the mean's change from j to here is taken out. Where it has two
 * (quenched or not), a change of the mean is a change of the odds, not of the places of the
 * modes, and moving values with it smears them. So each target has a shift b between the
 * residual draw (1) and the leaf-value draw (0). It is the b with the smallest continuous
 * ranked probability score of out-of-bag draws over a sample of the training rows; all b score
 * the same draws, so that small differences count. That b is right where rows are many and
 * mates have nearly the row's mean. At the ends, among the rarest haloes, the mates span a wide
 * range of means, all on one side; what is left of their deviation would bias draws and widen
 * them. So a mate is moved all the way when its mean is not near, within half the rms of
 * residuals, but for targets that gain so much that they must have two modes: 4 per cent where
 * the modes are far apart, while targets with one mode gain less than 1.
 *
 * The score of shift b comes out too large by the share b q: a row i was part of the mean that
 * its mate's residual was taken from, so the residual holds -w y_i, w about q = sum w^2
 * (calibrate.c), which new rows do not see; 1 - c is about q. */
#include "forest/shift.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "forest/mates.h"
#include "forest/sample.h"

enum { DRAWS = 16, STEPS = 4, CHOICES = STEPS + 1 };

/* a lesser gain than this share of the score is no reason to leave the residual draw */
static const double worthwhile = 0.001;

/* what a target with two modes gains at least */
static const double modal = 0.02;

/* a mate's mean is near within this share of the rms of residuals */
static const double nearness = 0.5;

/* realisations that no catalogue uses */
static const uint64_t first_draw = (uint64_t)1 << 62;

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* mean |Y - y| - mean |Y - Y'| / 2 over distinct pairs of draws, from the sorted draws
 * (Gneiting & Raftery 2007, eq. 21) */
static double
score_draws(double y, double draw[DRAWS])
{
    double near = 0, pairs = 0;

    qsort(draw, DRAWS, sizeof *draw, compare_doubles);
    for (int k = 0; k < DRAWS; k++) {
        near += fabs(draw[k] - y);
        pairs += (2 * k - DRAWS + 1) * draw[k];
    }
    return near / DRAWS - pairs / (DRAWS * (DRAWS - 1.0));
}

/* scores of one row, shape (n_target, CHOICES); zero where it cannot be drawn */
static void
score_row(const hg_forest *f, int64_t row, const float x[], double score[])
{
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    int64_t mate[DRAWS];
    double mean[HG_TARGETS_MAX], draw[DRAWS], seen = 0;

    memset(score, 0, (size_t)f->n_target * CHOICES * sizeof *score);
    o.seed = f->options.seed;
    o.first_realisation = first_draw;
    if (!hg_forest_oob_mean(f, row, mean)) {
        return;
    }
    for (int k = 0; k < DRAWS; k++) {
        const hg_drawing d = hg_mates_begin(f, &o, k);

        mate[k] = hg_mates_find(&d, f->key[row], x, row);
        if (mate[k] < 0) {
            return;
        }
        seen += (1 - (double)f->shrink[mate[k]]) / DRAWS;
    }
    for (int t = 0; t < f->n_target; t++) {
        const double y = (double)f->value[(size_t)row * (size_t)f->n_target + (size_t)t];

        for (int b = 0; b < CHOICES; b++) {
            for (int k = 0; k < DRAWS; k++) {
                draw[k] = hg_mates_shifted(f, mate[k], t, (double)b / STEPS, mean[t]);
            }
            score[t * CHOICES + b] = score_draws(y, draw) * (1 - seen * b / STEPS);
        }
    }
}

static void
measure_near(int64_t step, hg_forest *f)
{
    for (int t = 0; t < f->n_target; t++) {
        double sum = 0;
        int64_t n = 0;

        for (int64_t row = 0; row < f->n_row; row += step) {
            const double r = (double)f->residual[row * f->n_target + t];

            if (!isnan(r)) {
                sum += r * r;
                n++;
            }
        }
        f->near[t] = n > 0 ? nearness * sqrt(sum / (double)n) : HUGE_VAL;
    }
}

/* the b from `first` on with the smallest score, the residual draw unless that gains the share
 * `gain` */
static int
best_choice(const double sum[CHOICES], int first, double gain)
{
    int best = STEPS;

    for (int b = STEPS - 1; b >= first; b--) {
        if (sum[b] < sum[best] && sum[b] < (1 - gain) * sum[STEPS]) {
            best = b;
        }
    }
    return best;
}

static void
choose(int64_t n, const double score[], hg_forest *f)
{
    for (int t = 0; t < f->n_target; t++) {
        double sum[CHOICES] = {0};
        int best;

        for (int64_t i = 0; i < n; i++) {
            for (int b = 0; b < CHOICES; b++) {
                sum[b] += score[(i * f->n_target + t) * CHOICES + b];
            }
        }
        best = best_choice(sum, 0, modal);
        if (best < STEPS) {
            f->near[t] = HUGE_VAL; /* the modes of all mates have to stay */
        } else {
            best = best_choice(sum, 1, worthwhile);
        }
        f->shift[t] = (double)best / STEPS;
    }
}

hg_status
hg_shift_choose(const hg_comm *comm, int threads, const float x[], size_t stride, hg_forest *f)
{
    const int64_t step = hg_sample_step(f->n_row);
    const int64_t first = hg_sample_count(f->n_row * comm->rank / comm->size, step);
    const int64_t n = hg_sample_count(f->n_row * (comm->rank + 1) / comm->size, step) - first;
    const int n_thread = /* NOLINT: the analyser does not look into pragmas */
        threads > 0 ? threads : omp_get_max_threads();
    const size_t width = (size_t)f->n_target * CHOICES;
    double *score = NULL, *all = NULL;
    int64_t n_all = 0;
    hg_status status;

    measure_near(step, f);
    status = hg_mem_array(&score, (size_t)n * width, sizeof *score);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
#pragma omp parallel for schedule(dynamic, 16) num_threads(n_thread)
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = (first + i) * step;

        score_row(f, row, x + (size_t)row * stride, score + (size_t)i * width);
    }
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, n, width * sizeof *score, score, &n_all, &all));
    choose(n_all, all, f);
done:
    hg_mem_free(score);
    hg_mem_free(all);
    return status;
}

/* rank 0's part: scores of all sampled rows */
static hg_status
choose_mapped(hg_forest *f, int64_t n, const float x[])
{
    const size_t width = (size_t)f->n_target * CHOICES;
    const int64_t step = hg_sample_step(f->n_row);
    hg_forest_view view;
    double *score = NULL;
    hg_status status = hg_view_open(f, &view);

    if (status == HG_OK) {
        measure_near(step, f);
        status = hg_mem_array(&score, (size_t)n * width, sizeof *score);
    }
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        score_row(f, i * step, x + i * f->n_feature, score + (size_t)i * width);
        hg_view_forget(f, &view); /* the pages of a row are many already */
    }
    if (status == HG_OK) {
        choose(n, score, f);
    }
    hg_view_close(f, &view);
    hg_mem_free(score);
    return status;
}

hg_status
hg_shift_choose_on_disk(const hg_comm *comm, int64_t n, const float x[], hg_forest *f)
{
    hg_status status = comm->rank == 0 ? choose_mapped(f, n, x) : HG_OK;

    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, f->shift, sizeof f->shift);
    hg_comm_broadcast(comm, 0, f->near, sizeof f->near);
    return HG_OK;
}
