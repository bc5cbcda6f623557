/* Values of the made-up haloes are made of integers by sums and products, which every processor
 * rounds alike, so the hashes depend on the code of training and prediction only. */
#include "audit/health.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "halograft/forest.h"

enum { N_TRAIN = 3000, N_TEST = 500, N_FEATURE = 4, N_TARGET = 2, N_TREE = 8, N_DRAW = 2 };

const uint64_t hg_health_model = 0x2d92f44b8c8ae223;
const uint64_t hg_health_prediction = 0x5952e79eca6b22e0;

/** Rows of features, targets and keys; owned, released by clear_rows(). */
typedef struct made_rows {
    float *x;
    double *y;
    uint64_t *key;
} made_rows;

static double
unit_number(uint64_t row, uint64_t column)
{
    return (double)(hg_mix64(hg_mix64(row + 1) + column) >> 11) * 0x1p-53;
}

static void
clear_rows(made_rows *rows)
{
    hg_mem_free(rows->x);
    hg_mem_free(rows->y);
    hg_mem_free(rows->key);
}

/* Rows first, first + step, ...: noise grows with feature 0, as scatter does to low masses. */
static hg_status
make_rows(int64_t n, int64_t first, int64_t step, made_rows *rows)
{
    HG_TRY(hg_mem_array(&rows->x, (size_t)n * N_FEATURE, sizeof *rows->x));
    HG_TRY(hg_mem_array(&rows->y, (size_t)n * N_TARGET, sizeof *rows->y));
    HG_TRY(hg_mem_array(&rows->key, (size_t)n, sizeof *rows->key));
    for (int64_t i = 0; i < n; i++) {
        const uint64_t row = (uint64_t)(first + i * step);
        float *x = rows->x + i * N_FEATURE;

        for (uint64_t f = 0; f < N_FEATURE; f++) {
            x[f] = (float)unit_number(row, f);
        }
        for (int t = 0; t < N_TARGET; t++) {
            const double mean = (double)x[0] * (2 + (double)x[t + 1]) - (double)x[3];

            rows->y[i * N_TARGET + t] =
                mean + (double)x[0] * unit_number(row, 10 + (uint64_t)t);
        }
        rows->key[i] = hg_mix64(row + 12345);
    }
    return HG_OK;
}

static hg_status
train(const hg_comm *comm, int threads, hg_forest **forest)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_field_spec spec[N_FEATURE] = {{.name = ""}};
    const int64_t n = (N_TRAIN - comm->rank + comm->size - 1) / comm->size;
    made_rows rows = {.x = NULL};
    hg_train_data data = {
        .n = n, .n_feature = N_FEATURE, .n_target = N_TARGET, .feature = spec, .target = spec};
    hg_status status;

    options.trees = N_TREE;
    options.threads = threads;
    for (int i = 0; i < N_FEATURE; i++) {
        snprintf(spec[i].name, sizeof spec[i].name, "column%d", i);
    }
    HG_TRY_OR(done, status,
              hg_comm_agree(comm, make_rows(n > 0 ? n : 0, comm->rank, comm->size, &rows)));
    data.x = rows.x;
    data.y = rows.y;
    data.key = rows.key;
    status = hg_forest_train(comm, &options, &data, forest);
done:
    clear_rows(&rows);
    return status;
}

/* Predict once for the hash, then again and again for the clock. */
static hg_status
predict(const hg_forest *forest, const hg_predict_options *options, double seconds,
        hg_health *health)
{
    made_rows rows = {.x = NULL};
    hg_prediction result = {.mean = NULL};
    hg_status status;
    double began;
    int64_t n = 0;

    HG_TRY_OR(done, status, make_rows(N_TEST, N_TRAIN, 1, &rows));
    HG_TRY_OR(done, status, hg_mem_array(&result.mean, N_TEST * N_TARGET, sizeof *result.mean));
    HG_TRY_OR(done, status,
              hg_mem_array(&result.draw, N_DRAW * N_TEST * N_TARGET, sizeof *result.draw));
    HG_TRY_OR(done, status,
              hg_forest_predict(forest, options, N_TEST, rows.key, rows.x, &result));
    health->prediction =
        hg_hash_more(hg_hash_bytes(result.mean, N_TEST * N_TARGET * sizeof *result.mean),
                     result.draw, N_DRAW * N_TEST * N_TARGET * sizeof *result.draw);
    began = hg_clock_seconds();
    do {
        HG_TRY_OR(done, status,
                  hg_forest_predict(forest, options, N_TEST, rows.key, rows.x, &result));
        n += N_TEST;
    } while (hg_clock_seconds() - began < seconds);
    health->speed = (double)n / (hg_clock_seconds() - began);
done:
    hg_mem_free(result.mean);
    hg_mem_free(result.draw);
    clear_rows(&rows);
    return status;
}

hg_status
hg_health_test(const hg_comm *comm, int threads, double seconds, hg_health *health)
{
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    hg_forest *forest = NULL;
    hg_status status;

    options.n_draw = N_DRAW;
    options.threads = threads;
    HG_TRY(train(comm, threads, &forest));
    health->model = hg_forest_hash(forest);
    hg_comm_barrier(comm);
    status = hg_comm_agree(comm, predict(forest, &options, seconds, health));
    hg_forest_free(forest);
    return status;
}
