/** Rows for the tests of the forest: every value follows from the number of the row. */
#ifndef HG_TEST_FOREST_DATA_H
#define HG_TEST_FOREST_DATA_H

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "halograft/forest.h"

/** A set of rows and where their arrays are; owned, free with clear_rows(). */
typedef struct test_rows {
    hg_train_data data;
    float *x;
    double *y;
    double *weight;
    uint64_t *key;
    uint64_t *group;
    hg_field_spec *spec;
} test_rows;

static inline double
test_uniform(uint64_t row, uint64_t column)
{
    return (double)(hg_mix64(hg_mix64(row + 1) + column) >> 11) * 0x1p-53;
}

/* Feature 1 is constant, feature 2 takes four values, row i = 7 mod 10 repeats the row before
 * it. Targets depend on features 0 and 2 and have noise. */
static inline void
fill_row(test_rows *r, int64_t at, uint64_t row)
{
    const int n_feature = r->data.n_feature, n_target = r->data.n_target;
    uint64_t from = row % 10 == 7 ? row - 1 : row;

    for (int f = 0; f < n_feature; f++) {
        double u = test_uniform(from, (uint64_t)f);

        r->x[at * n_feature + f] = (float)(f == 1 ? 3.5 : f == 2 ? floor(4 * u) : 10 * u - 5);
    }
    for (int o = 0; o < n_target; o++) {
        r->y[at * n_target + o] = (o + 1) * 0.2 * (double)r->x[at * n_feature] +
                                  (double)r->x[at * n_feature + (n_feature > 2 ? 2 : 0)] +
                                  test_uniform(row, 1000 + (uint64_t)o);
    }
    r->key[at] = hg_mix64(row + 77);
    r->group[at] = row % 8;
    r->weight[at] = 1 + (double)(row % 5) * 0.25;
}

/** Rows first, first + step, ... below n; weights and groups are there but not yet given. */
static inline test_rows
make_rows(int64_t n, int n_feature, int n_target, int64_t first, int64_t step)
{
    test_rows r = {.data = {.n_feature = n_feature, .n_target = n_target}};
    int64_t count = n > first ? (n - first + step - 1) / step : 0;
    hg_status status = hg_mem_array(&r.x, (size_t)(count * n_feature), sizeof *r.x);

    status =
        status == HG_OK ? hg_mem_array(&r.y, (size_t)(count * n_target), sizeof *r.y) : status;
    status =
        status == HG_OK ? hg_mem_array(&r.weight, (size_t)count, sizeof *r.weight) : status;
    status = status == HG_OK ? hg_mem_array(&r.key, (size_t)count, sizeof *r.key) : status;
    status = status == HG_OK ? hg_mem_array(&r.group, (size_t)count, sizeof *r.group) : status;
    status = status == HG_OK ? hg_mem_zeros(&r.spec, HG_FEATURES_MAX, sizeof *r.spec) : status;
    cr_assert_eq(status, HG_OK);
    for (int64_t i = 0; i < count; i++) {
        fill_row(&r, i, (uint64_t)(first + i * step));
    }
    for (int i = 0; i < HG_FEATURES_MAX; i++) {
        snprintf(r.spec[i].name, sizeof r.spec[i].name, "column %d", i);
        snprintf(r.spec[i].unit, sizeof r.spec[i].unit, "dex");
    }
    r.data.n = count;
    r.data.x = r.x;
    r.data.y = r.y;
    r.data.key = r.key;
    r.data.feature = r.data.target = r.spec;
    return r;
}

static inline void
clear_rows(test_rows *r)
{
    hg_mem_free(r->x);
    hg_mem_free(r->y);
    hg_mem_free(r->weight);
    hg_mem_free(r->key);
    hg_mem_free(r->group);
    hg_mem_free(r->spec);
}

#endif
