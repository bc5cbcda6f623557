/* Application of a forest. Blocks of rows are taken by threads. One thread passes all trees of
 * a row and adds in tree order: block sizes, threads and the order of the rows in a block do
 * not change a bit. Blocks are large, as rows in the order of a tree's leaves are the more
 * alike the more they are. */
#include "forest/predict.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "forest/average.h"
#include "forest/limits.h"
#include "forest/quantile.h"
#include "forest/threads.h"

enum { BLOCK_MIN = 512, BLOCK_MAX = 65536, BLOCK_QUANTILES = 4096 };

static hg_status
check_row(const hg_forest *f, uint64_t key, const float x[])
{
    for (int i = 0; i < f->n_feature; i++) {
        if (!isfinite(x[i])) {
            return HG_FAIL(HG_E_INPUT, "feature '%s' of the row with key %" PRIu64 " is %g",
                           f->feature[i].name, key, (double)x[i]);
        }
    }
    return HG_OK;
}

/* bit per feature outside its training range, or outside all but its tails; returns whether any
 * is; mask may be NULL */
static int
mask_row(const hg_forest *f, const float x[], int tails, uint64_t mask[])
{
    int any = 0;

    if (mask != NULL) {
        memset(mask, 0, (size_t)hg_forest_mask_words(f) * sizeof *mask);
    }
    for (int i = 0; i < f->n_feature; i++) {
        const hg_feature_range *r = &f->range[i];

        if (x[i] < (tails ? r->q001 : r->min) || x[i] > (tails ? r->q999 : r->max)) {
            any = 1;
            if (mask != NULL) {
                mask[i / 64] |= (uint64_t)1 << (i % 64);
            }
        }
    }
    return any;
}

/* memory of one thread */
typedef struct hg_bench {
    hg_average average;
    int64_t *row;   /* shape (block): training row or -1 */
    double *mean;   /* shape (block, n_target) */
    double *spread; /* shape (block, n_target); NULL without surroundings */
    hg_shares shares;
    hg_sorter sorter;
    hg_draw_bench draw;
} hg_bench;

/* rows of the training set, and their out-of-bag means instead of means that saw them; mean may
 * be NULL */
static void
replace_training(const hg_forest *f, const hg_predict_options *o, int64_t n,
                 const uint64_t key[], const float x[], double mean[], int64_t row[],
                 uint8_t origin[])
{
    for (int64_t i = 0; i < n; i++) {
        hg_row_origin from = HG_ROW_NEW;

        row[i] =
            o->training_rows && key != NULL && key[i] != 0 ? hg_forest_find(f, key[i]) : -1;
        if (row[i] >= 0) {
            from = hg_forest_oob_mean(f, row[i], NULL) ? HG_ROW_OOB : HG_ROW_SEEN;
        }
        if (from == HG_ROW_OOB && mean != NULL && o->moved_rows) {
            hg_limits_unseen(f, row[i], x + i * f->n_feature, 0, mean + i * f->n_target, NULL,
                             NULL);
        } else if (from == HG_ROW_OOB && mean != NULL) {
            (void)hg_forest_oob_mean(f, row[i], mean + i * f->n_target);
        }
        if (origin != NULL) {
            origin[i] = (uint8_t)from;
        }
    }
}

typedef struct hg_job {
    const hg_forest *forest;
    const hg_predict_options *options;
    const hg_prediction *result;
    int64_t n;
    int64_t block;
    const uint64_t *key;
    const float *x;
} hg_job;

/* whether leaf-mates of the rows are asked about */
static bool
needs_near(const hg_prediction *r)
{
    return r->n_eff != NULL || r->n_group != NULL || r->domain != NULL;
}

/* Draws of leaf values do without the mean, and so without all trees but one. */
static bool
needs_mean(const hg_job *job)
{
    return job->result->mean != NULL || job->result->spread != NULL ||
           needs_near(job->result) || job->result->quantile != NULL ||
           (job->result->draw != NULL && job->options->method != HG_DRAW_LEAF);
}

static hg_status
init_bench(const hg_job *job, hg_bench *b)
{
    const size_t n = (size_t)job->block, n_target = (size_t)job->forest->n_target;
    const bool is_near = needs_near(job->result);
    const int n_seen = job->result->quantile != NULL ? job->forest->n_tree
                       : is_near                     ? hg_limits_trees(job->forest)
                                                     : 0;

    if (is_near) {
        HG_TRY(hg_mem_array(&b->spread, n * n_target, sizeof *b->spread));
    }
    if (needs_mean(job)) {
        HG_TRY(hg_average_init(job->forest, n, n_seen, job->result->spread != NULL || is_near,
                               &b->average));
        HG_TRY(hg_mem_array(&b->mean, n * n_target, sizeof *b->mean));
    }
    if (n_seen > 0) {
        HG_TRY(hg_shares_init(job->forest, &b->shares));
    }
    HG_TRY(hg_mem_array(&b->row, n, sizeof *b->row));
    HG_TRY(hg_mem_array(&b->draw.tree, n, sizeof *b->draw.tree));
    HG_TRY(hg_mem_array(&b->draw.index, n, sizeof *b->draw.index));
    HG_TRY(hg_mem_array(&b->draw.leaf, n, sizeof *b->draw.leaf));
    return hg_mem_array(&b->draw.begin, (size_t)job->forest->n_tree + 1, sizeof *b->draw.begin);
}

static void
clear_bench(hg_bench *b)
{
    hg_average_clear(&b->average);
    hg_mem_free(b->row);
    hg_mem_free(b->mean);
    hg_mem_free(b->spread);
    hg_shares_clear(&b->shares);
    hg_sorter_clear(&b->sorter);
    hg_mem_free(b->draw.tree);
    hg_mem_free(b->draw.index);
    hg_mem_free(b->draw.leaf);
    hg_mem_free(b->draw.begin);
}

/* results about the leaf-mates of row i of all, in the first trees */
static void
describe_near(const hg_job *job, hg_bench *b, int64_t i, const double spread[])
{
    const hg_forest *f = job->forest;
    const hg_prediction *r = job->result;
    const hg_near near = hg_shares_near(f, &b->shares);

    if (r->n_eff != NULL) {
        r->n_eff[i] = near.n_eff;
    }
    if (r->n_group != NULL) {
        r->n_group[i] = near.n_group;
    }
    if (r->domain != NULL) {
        const int is_outside = mask_row(f, job->x + i * f->n_feature, 0, NULL);

        r->domain[i] = (uint8_t)hg_limits_flag(f, is_outside, &near, spread);
    }
}

/* what surrounds the rows of a block, whose trees have been passed; of training rows also the
 * spread over trees that did not see them; spread may be NULL */
static hg_status
describe_block(const hg_job *job, hg_bench *b, int64_t first, int64_t n, double spread[])
{
    const hg_forest *f = job->forest;
    const hg_prediction *r = job->result;
    const int n_near = needs_near(r) ? hg_limits_trees(f) : 0;

    for (int64_t k = 0; k < n; k++) {
        const int64_t i = b->average.order[k], self = b->row[i];
        const float *x = job->x + (first + i) * f->n_feature;
        const bool is_known = self >= 0 && hg_forest_oob_mean(f, self, NULL);
        double *s = spread != NULL ? spread + i * f->n_target : NULL;

        hg_shares_start(&b->shares);
        if (is_known && s != NULL) {
            hg_limits_unseen(f, self, x, n_near, NULL, s, &b->shares);
        }
        for (int t = 0; t < n_near && !is_known; t++) {
            hg_shares_add(f, t, hg_average_leaf(&b->average, t, (size_t)k), self, &b->shares);
        }
        if (needs_near(r)) {
            describe_near(job, b, first + i, s);
        }
        if (r->quantile == NULL) {
            continue;
        }
        if (is_known) {
            hg_shares_start(&b->shares);
            hg_limits_unseen(f, self, x, f->n_tree, NULL, NULL, &b->shares);
        }
        for (int t = n_near; t < f->n_tree && !is_known; t++) {
            hg_shares_add(f, t, hg_average_leaf(&b->average, t, (size_t)k), self, &b->shares);
        }
        HG_TRY(hg_quantiles(f, &b->shares, &b->sorter, job->options->n_quantile,
                            job->options->level, (size_t)(job->n * f->n_target),
                            r->quantile + (first + i) * f->n_target));
    }
    return HG_OK;
}

static hg_status
predict_block(const hg_job *job, hg_bench *bench, int64_t first)
{
    const hg_forest *f = job->forest;
    const hg_prediction *r = job->result;
    const int64_t n = job->n - first < job->block ? job->n - first : job->block;
    const int64_t at = first * f->n_target;
    const float *x = job->x + first * f->n_feature;
    const uint64_t *key = job->key != NULL ? job->key + first : NULL;
    const int words = hg_forest_mask_words(f);
    double *mean = !needs_mean(job) ? NULL : r->mean != NULL ? r->mean + at : bench->mean;
    double *spread = r->spread != NULL ? r->spread + at : bench->spread;

    for (int64_t i = 0; i < n; i++) {
        const float *xi = x + i * f->n_feature;

        HG_TRY(check_row(f, key != NULL ? key[i] : (uint64_t)(first + i), xi));
        if (r->outside != NULL) {
            mask_row(f, xi, 0, r->outside + (first + i) * words);
        }
        if (r->in_tails != NULL) {
            mask_row(f, xi, 1, r->in_tails + (first + i) * words);
        }
    }
    if (mean != NULL) {
        hg_average_block(f, (size_t)n, x, &bench->average, mean, spread);
    }
    replace_training(f, job->options, n, key, x, mean, bench->row,
                     r->origin != NULL ? r->origin + first : NULL);
    if (spread != NULL || r->quantile != NULL) {
        HG_TRY(describe_block(job, bench, first, n, spread));
    }
    for (int d = 0; d < job->options->n_draw && r->draw != NULL; d++) {
        hg_draw_rows(f, job->options, d, n, key, x, bench->row, mean, &bench->draw,
                     r->draw + (int64_t)d * job->n * f->n_target + at);
    }
    return HG_OK;
}

hg_status
hg_forest_check_method(const hg_forest *f, hg_draw_method method)
{
    if (method == HG_DRAW_RESIDUAL && !f->has_residual) {
        return HG_FAIL(HG_E_PARAM,
                       "the forest has no out-of-bag residuals to draw, which take %d trees "
                       "that did not see a row: raise Model.trees (%d) and train with a bag, "
                       "or set Scatter.method to leaf-value or none",
                       f->options.oob_trees_min, f->n_tree);
    }
    return HG_OK;
}

static hg_status
check_request(const hg_forest *f, const hg_predict_options *o, int64_t n, const uint64_t key[],
              const hg_prediction *result)
{
    if (n < 0 || o->n_draw < 0) {
        return HG_FAIL(HG_E_ARG, "%" PRId64 " rows and %d draws: neither can be negative", n,
                       o->n_draw);
    }
    for (int q = 0; q < o->n_quantile && result->quantile != NULL; q++) {
        if (!(o->level[q] > (q > 0 ? o->level[q - 1] : 0) && o->level[q] < 1)) {
            return HG_FAIL(HG_E_ARG, "levels of quantiles must ascend between 0 and 1, not %g",
                           o->level[q]);
        }
    }
    if (o->n_draw == 0 || result->draw == NULL) {
        return HG_OK;
    }
    if (key == NULL) {
        return HG_FAIL(HG_E_ARG, "draws need the key of each row");
    }
    if ((o->method == HG_DRAW_LIBRARY || o->method == HG_DRAW_TWINS) && f->library == NULL) {
        return HG_FAIL(HG_E_ARG, "no library has been prepared to draw from");
    }
    return hg_forest_check_method(f, o->method);
}

hg_status
hg_forest_predict(const hg_forest *f, const hg_predict_options *o, int64_t n,
                  const uint64_t key[], const float x[], const hg_prediction *result)
{
    const int n_thread = hg_threads(o->threads);
    hg_job job = {f, o, result, n, (n + n_thread - 1) / n_thread, key, x};
    hg_error_record record = {.status = HG_OK};
    int64_t n_block, most, worst = INT64_MAX;

    if (f->is_on_disk) {
        return HG_FAIL(HG_E_ARG,
                       "a forest on disk cannot predict: load the file it was saved to");
    }
    HG_TRY(check_request(f, o, n, key, result));
    most = result->quantile != NULL ? BLOCK_QUANTILES : BLOCK_MAX;
    job.block = job.block < BLOCK_MIN ? BLOCK_MIN : job.block > most ? most : job.block;
    n_block = (n + job.block - 1) / job.block;
#pragma omp parallel num_threads(n_thread < n_block ? n_thread \
                                                    : (int)(n_block > 0 ? n_block : 1))
    {
        hg_bench bench = {0};
        hg_status status = init_bench(&job, &bench);
        int64_t at = -1;

#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t b = 0; b < n_block; b++) {
            if (status == HG_OK) {
                at = b;
                status = predict_block(&job, &bench, b * job.block);
            }
        }
#pragma omp critical(hg_predict_merge)
        if (status != HG_OK && at < worst) {
            worst = at; /* NOLINT: read by the next thread */
            record = *hg_error_last();
        }
        clear_bench(&bench);
    }
    if (record.status != HG_OK) {
        hg_error_set(&record);
    }
    return record.status;
}
