/* Application of a forest. Blocks of rows are taken by threads; in a block the trees are the
 * outer loop, so that one tree stays in the cache while all rows pass through it. One thread
 * walks all trees of a row and adds in double in tree order: block sizes and threads do not
 * change a bit. */
#include "forest/predict.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>

#include "base/memory.h"

enum { BLOCK_MIN = 512, BLOCK_MAX = 32768 };

static hg_status
check_row(const hg_forest *f, uint64_t key, const float x[], uint64_t outside[])
{
    for (int w = 0; w < hg_forest_mask_words(f) && outside != NULL; w++) {
        outside[w] = 0;
    }
    for (int i = 0; i < f->n_feature; i++) {
        if (!isfinite(x[i])) {
            return HG_FAIL(HG_E_INPUT, "feature '%s' of the row with key %" PRIu64 " is %g",
                           f->feature[i].name, key, (double)x[i]);
        }
        if (outside != NULL && (x[i] < f->range[i].min || x[i] > f->range[i].max)) {
            outside[i / 64] |= (uint64_t)1 << (i % 64);
        }
    }
    return HG_OK;
}

/* means and spreads over trees of a block */
static void
average_trees(const hg_forest *f, int64_t n, const float x[], uint32_t leaf[], double sum[],
              double square[])
{
    const size_t n_target = (size_t)f->n_target;

    memset(sum, 0, (size_t)n * n_target * sizeof *sum);
    if (square != NULL) {
        memset(square, 0, (size_t)n * n_target * sizeof *square);
    }
    for (int t = 0; t < f->n_tree; t++) {
        const float *mean = f->mean + f->leaf_offset[t] * n_target;

        hg_tree_route(f->node + f->node_offset[t], f->feature_bits, (size_t)n, x,
                      (size_t)f->n_feature, NULL, leaf);
        for (size_t i = 0; i < (size_t)n; i++) {
            for (size_t o = 0; o < n_target; o++) {
                double m = (double)mean[leaf[i] * n_target + o];

                sum[i * n_target + o] += m;
                if (square != NULL) {
                    square[i * n_target + o] += (m - f->centre[o]) * (m - f->centre[o]);
                }
            }
        }
    }
    for (size_t i = 0; i < (size_t)n * n_target; i++) {
        sum[i] /= f->n_tree;
        if (square != NULL) {
            double d = sum[i] - f->centre[i % n_target];
            double variance = square[i] / f->n_tree - d * d;

            square[i] = variance > 0 ? sqrt(variance) : 0;
        }
    }
}

/* out-of-bag means of training rows instead of means that saw them */
static void
replace_training(const hg_forest *f, const hg_predict_options *o, int64_t n,
                 const uint64_t key[], double mean[], int64_t row[], uint8_t origin[])
{
    for (int64_t i = 0; i < n; i++) {
        hg_row_origin from = HG_ROW_NEW;

        row[i] =
            o->training_rows && key != NULL && key[i] != 0 ? hg_forest_find(f, key[i]) : -1;
        if (row[i] >= 0) {
            from = hg_forest_oob_mean(f, row[i], NULL) ? HG_ROW_OOB : HG_ROW_SEEN;
        }
        if (from == HG_ROW_OOB) {
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

/* memory of one thread */
typedef struct hg_bench {
    uint32_t *leaf; /* shape (block) */
    int64_t *row;   /* shape (block): training row or -1 */
    double *mean;   /* shape (block, n_target) */
} hg_bench;

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
    double *mean = r->mean != NULL ? r->mean + at : bench->mean;

    for (int64_t i = 0; i < n; i++) {
        HG_TRY(check_row(f, key != NULL ? key[i] : (uint64_t)(first + i), x + i * f->n_feature,
                         r->outside != NULL ? r->outside + (first + i) * words : NULL));
    }
    average_trees(f, n, x, bench->leaf, mean, r->spread != NULL ? r->spread + at : NULL);
    replace_training(f, job->options, n, key, mean, bench->row,
                     r->origin != NULL ? r->origin + first : NULL);
    for (int d = 0; d < job->options->n_draw && r->draw != NULL; d++) {
        hg_draw_rows(f, job->options, d, n, key, x, bench->row, mean,
                     r->draw + (int64_t)d * job->n * f->n_target + at);
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
    if (o->n_draw == 0 || result->draw == NULL) {
        return HG_OK;
    }
    if (key == NULL) {
        return HG_FAIL(HG_E_ARG, "draws need the key of each row");
    }
    if (o->method == HG_DRAW_RESIDUAL && !f->has_residual) {
        return HG_FAIL(HG_E_ARG,
                       "the forest has no out-of-bag residuals, so it cannot draw: train "
                       "with a bag by row or group and more trees");
    }
    return HG_OK;
}

hg_status
hg_forest_predict(const hg_forest *f, const hg_predict_options *o, int64_t n,
                  const uint64_t key[], const float x[], const hg_prediction *result)
{
    const int n_thread = o->threads > 0 ? o->threads : omp_get_max_threads();
    hg_job job = {f, o, result, n, (n + n_thread - 1) / n_thread, key, x};
    hg_error_record record = {.status = HG_OK};
    int64_t n_block, worst = INT64_MAX;

    HG_TRY(check_request(f, o, n, key, result));
    job.block = job.block < BLOCK_MIN   ? BLOCK_MIN
                : job.block > BLOCK_MAX ? BLOCK_MAX
                                        : job.block;
    n_block = (n + job.block - 1) / job.block;
#pragma omp parallel num_threads(n_thread < n_block ? n_thread \
                                                    : (int)(n_block > 0 ? n_block : 1))
    {
        const size_t size = (size_t)job.block;
        hg_bench bench = {0};
        hg_status status = hg_mem_array(&bench.leaf, size, sizeof *bench.leaf);
        int64_t at = -1;

        status = status != HG_OK ? status : hg_mem_array(&bench.row, size, sizeof *bench.row);
        status = status != HG_OK ? status
                                 : hg_mem_array(&bench.mean, size * (size_t)f->n_target,
                                                sizeof *bench.mean);
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
        hg_mem_free(bench.leaf);
        hg_mem_free(bench.row);
        hg_mem_free(bench.mean);
    }
    if (record.status != HG_OK) {
        hg_error_set(&record);
    }
    return record.status;
}
