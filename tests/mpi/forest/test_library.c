/* Libraries of scatter on a law whose noise is chaotic by a known share. */
#include "mpi_folder.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "halograft/forest.h"

MPI_SUITE(library);

enum { N = 6000, N_NEW = 3000, P = 2, NO = 2 };

static const double chaos = 0.7, sigma = 0.3;

/* rows first, first + step, ...: two targets of one mean and independent noise; twin 1 has
 * other chaos */
static void
make_law(int64_t first, int64_t step, int twin, int64_t *n, float x[], double y[],
         uint64_t key[])
{
    *n = 0;
    for (int64_t row = first; row < N; row += step, ++*n) {
        hg_stream hidden = hg_stream_start(9, 0, (uint64_t)row, HG_PURPOSE_HIDDEN);
        hg_stream e = hg_stream_start(9, (uint64_t)twin, (uint64_t)row, HG_PURPOSE_GALAXY);

        key[*n] = hg_mix64((uint64_t)row + 5);
        for (int k = 0; k < P; k++) {
            x[*n * P + k] = hg_stream_float(&hidden);
        }
        for (int t = 0; t < NO; t++) {
            y[*n * NO + t] =
                3 * (double)x[*n * P] + sigma * (sqrt(chaos) * hg_stream_normal(&e) +
                                                 sqrt(1 - chaos) * hg_stream_normal(&hidden));
        }
    }
}

/* variance of draws about the means of new rows, in units of the law's */
static double
variance_of(const hg_forest *f, hg_draw_method method)
{
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    float *x = NULL;
    double *mean = NULL, *draw = NULL, *part = NULL, sum = 0;
    uint64_t *key = NULL;

    cr_assert_eq(hg_mem_array(&x, N_NEW * P, sizeof *x), HG_OK);
    cr_assert_eq(hg_mem_array(&key, N_NEW, sizeof *key), HG_OK);
    cr_assert_eq(hg_mem_array(&mean, N_NEW * NO, sizeof *mean), HG_OK);
    cr_assert_eq(hg_mem_array(&draw, N_NEW * NO, sizeof *draw), HG_OK);
    cr_assert_eq(hg_mem_array(&part, NO, sizeof *part), HG_OK);
    for (int64_t i = 0; i < N_NEW; i++) {
        hg_stream s = hg_stream_start(10, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        key[i] = (uint64_t)i + 1;
        x[i * P] = hg_stream_float(&s);
        x[i * P + 1] = hg_stream_float(&s);
    }
    o.n_draw = 1;
    o.method = method;
    cr_assert_eq(
        hg_forest_predict(f, &o, N_NEW, key, x, &(hg_prediction){.mean = mean, .draw = draw}),
        HG_OK);
    for (int64_t i = 0; i < N_NEW * NO; i++) {
        sum += (draw[i] - mean[i]) * (draw[i] - mean[i]);
    }
    /* a row alone, at another place, has the same draw */
    cr_assert_eq(
        hg_forest_predict(f, &o, 1, key + 77, x + 77 * P, &(hg_prediction){.draw = part}),
        HG_OK);
    cr_assert(memcmp(part, draw + 77 * NO, NO * sizeof *part) == 0);
    hg_mem_free(x);
    hg_mem_free(key);
    hg_mem_free(mean);
    hg_mem_free(draw);
    hg_mem_free(part);
    return sum / (N_NEW * NO * sigma * sigma);
}

/* the rows of this rank that a law has made; its twins take their places */
typedef void law(int64_t first, int64_t step, int twin, int64_t *n, float x[], double y[],
                 uint64_t key[]);
static float law_x[N * P];
static double law_y[N * NO];
static uint64_t law_key[N];

static hg_forest *
train(const hg_comm *comm, law *make, int min_leaf)
{
    hg_field_spec spec[P] = {{.name = "a"}, {.name = "b"}};
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_train_data data = {.n_feature = P,
                          .n_target = NO,
                          .x = law_x,
                          .y = law_y,
                          .key = law_key,
                          .feature = spec,
                          .target = spec};
    hg_forest *f = NULL;

    make(comm->rank, comm->size, 0, &data.n, law_x, law_y, law_key);
    o.trees = 40;
    o.min_leaf = min_leaf;
    cr_assert_eq(hg_forest_train(comm, &o, &data, &f), HG_OK);
    return f;
}

static hg_forest *
train_with_twins(const hg_comm *comm)
{
    const hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = train(comm, make_law, o.min_leaf);
    int64_t n;

    cr_assert_eq(hg_forest_prepare_library(f, HG_DRAW_TWINS, NULL), HG_E_PARAM);
    make_law(comm->rank, comm->size, 1, &n, law_x, law_y, law_key);
    law_key[0] = comm->rank == 0 ? 1 : law_key[0]; /* no training row: ignored */
    cr_assert_eq(hg_forest_add_twins(comm, f, n, law_key, law_y), HG_OK);
    return f;
}

Test(library, twins_find_the_chaotic_share_and_libraries_draw_it)
{
    hg_forest *f = train_with_twins(&world), *again = NULL, *alone;
    hg_comm self;
    hg_twin_check check;
    double all, twins;

    for (int t = 0; t < NO; t++) {
        all_assert(hg_forest_check_twins(f, t, NULL, -1, &check) == HG_OK);
        /* a few rows were out of too few bags */
        all_assert(check.n < N && (double)check.n > 0.99 * N && check.n_bin == check.n / 200);
        all_assert(check.n_above < check.n_bin / 4);
        /* 6000 differences know the share to sqrt(2 / 6000) = 2 % */
        all_assert(fabs(check.chaos / (chaos * sigma * sigma) - 1) < 0.06);
        all_assert(fabs(check.chaos / check.residual / chaos - 1) < 0.06);
    }
    all_assert(hg_forest_prepare_library(f, HG_DRAW_LIBRARY, NULL) == HG_OK);
    all = variance_of(f, HG_DRAW_LIBRARY);
    all_assert(hg_forest_prepare_library(f, HG_DRAW_TWINS, NULL) == HG_OK);
    twins = variance_of(f, HG_DRAW_TWINS);
    all_assert(fabs(all - 1) < 0.06);
    all_assert(fabs(twins / chaos - 1) < 0.06);
    /* the file keeps the twins, and any number of ranks gives the same ones */
    share_folder();
    all_assert(hg_forest_save(&world, f, in_folder("model.hdf5"), 0) == HG_OK);
    all_assert(hg_forest_load(&world, in_folder("model.hdf5"), &again) == HG_OK);
    all_assert(hg_forest_hash(again) == hg_forest_hash(f));
    all_assert(hg_forest_prepare_library(again, HG_DRAW_TWINS, NULL) == HG_OK);
    all_assert(variance_of(again, HG_DRAW_TWINS) == twins);
    cr_assert_eq(hg_comm_init(&self, MPI_COMM_SELF), HG_OK);
    alone = train_with_twins(&self);
    all_assert(hg_forest_hash(alone) == hg_forest_hash(f));
    hg_forest_free(alone);
    hg_comm_clear(&self);
    drop_folder();
    hg_forest_free(f);
    hg_forest_free(again);
}

/* Two classes of one mean, told apart by the second feature; the scatter of the second is three
 * times that of the first, and more of it is chaotic. */
static const double class_chaos[2] = {0.4, 0.9};

static void
make_classes(int64_t first, int64_t step, int twin, int64_t *n, float x[], double y[],
             uint64_t key[])
{
    make_law(first, step, twin, n, x, y, key);
    for (int64_t i = 0; i < *n; i++) {
        const int64_t row = first + i * step;
        const int k = x[i * P + 1] >= 0.5F;
        hg_stream hidden = hg_stream_start(11, 0, (uint64_t)row, HG_PURPOSE_HIDDEN);
        hg_stream e = hg_stream_start(11, (uint64_t)twin, (uint64_t)row, HG_PURPOSE_GALAXY);

        for (int t = 0; t < NO; t++) {
            y[i * NO + t] = 3 * (double)x[i * P] +
                            sigma * (k ? 3 : 1) *
                                (sqrt(class_chaos[k]) * hg_stream_normal(&e) +
                                 sqrt(1 - class_chaos[k]) * hg_stream_normal(&hidden));
        }
    }
}

static hg_forest *
train_with_classes(const hg_comm *comm)
{
    hg_forest *f = train(comm, make_classes, 20);
    hg_library_classes classes;
    int64_t n;

    cr_assert_eq(hg_forest_classes(f, 1, 0, NULL, &classes), HG_E_PARAM);
    make_classes(comm->rank, comm->size, 1, &n, law_x, law_y, law_key); /* the same features */
    cr_assert_eq(hg_forest_add_class(comm, f, n, law_key, law_x + 1, P), HG_OK);
    cr_assert_eq(hg_forest_add_twins(comm, f, n, law_key, law_y), HG_OK);
    return f;
}

/* variance of the draws of new rows of a class, in units of sigma^2 */
static double
variance_of_class(const hg_forest *f, hg_draw_method method, int k)
{
    static float x[N_NEW * P];
    static double mean[N_NEW * NO], draw[N_NEW * NO];
    static uint64_t key[N_NEW];
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double sum = 0;

    for (int64_t i = 0; i < N_NEW; i++) {
        hg_stream s = hg_stream_start(12, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        key[i] = (uint64_t)i + 1;
        x[i * P] = hg_stream_float(&s);
        x[i * P + 1] = (hg_stream_float(&s) + (float)k) / 2;
    }
    o.n_draw = 1;
    o.method = method;
    cr_assert_eq(
        hg_forest_predict(f, &o, N_NEW, key, x, &(hg_prediction){.mean = mean, .draw = draw}),
        HG_OK);
    for (int64_t i = 0; i < N_NEW * NO; i++) {
        sum += (draw[i] - mean[i]) * (draw[i] - mean[i]);
    }
    return sum / (N_NEW * NO * sigma * sigma);
}

Test(library, classes_have_libraries_of_their_own)
{
    static const double edge[2] = {0.5, 0.4}, end[1] = {0.005};
    hg_forest *f = train_with_classes(&world), *again = NULL, *alone;
    hg_library_classes classes;
    hg_twin_check check;
    hg_comm self;
    double twins;

    all_assert(hg_forest_classes(f, 1, 0, NULL, &classes) == HG_E_PARAM); /* 6000 values */
    all_assert(hg_forest_classes(f, 1, 2, edge, &classes) == HG_E_PARAM); /* descending */
    all_assert(hg_forest_classes(f, 1, 1, end, &classes) == HG_OK);
    /* about 30 rows below the edge */
    all_assert(hg_forest_prepare_library(f, HG_DRAW_LIBRARY, &classes) == HG_E_PARAM);
    all_assert(hg_forest_classes(f, 1, 1, edge, &classes) == HG_OK && classes.n == 2);
    for (int k = 0; k < 2; k++) {
        const double variance = k ? 9 : 1;

        all_assert(hg_forest_check_twins(f, 0, &classes, k, &check) == HG_OK);
        /* 3000 differences know a variance to sqrt(2 / 3000) = 2.6 % */
        all_assert(fabs(check.chaos / (class_chaos[k] * variance * sigma * sigma) - 1) < 0.08);
        all_assert(hg_forest_prepare_library(f, HG_DRAW_LIBRARY, &classes) == HG_OK);
        all_assert(fabs(variance_of_class(f, HG_DRAW_LIBRARY, k) / variance - 1) < 0.1);
        all_assert(hg_forest_prepare_library(f, HG_DRAW_TWINS, &classes) == HG_OK);
        twins = variance_of_class(f, HG_DRAW_TWINS, k);
        all_assert(fabs(twins / (class_chaos[k] * variance) - 1) < 0.08);
        /* one library of all has the mean of both */
        all_assert(hg_forest_prepare_library(f, HG_DRAW_LIBRARY, NULL) == HG_OK);
        all_assert(fabs(variance_of_class(f, HG_DRAW_LIBRARY, k) / 5 - 1) < 0.1);
    }
    share_folder();
    all_assert(hg_forest_save(&world, f, in_folder("model.hdf5"), 0) == HG_OK);
    all_assert(hg_forest_load(&world, in_folder("model.hdf5"), &again) == HG_OK);
    all_assert(hg_forest_hash(again) == hg_forest_hash(f));
    all_assert(hg_forest_prepare_library(again, HG_DRAW_TWINS, &classes) == HG_OK);
    all_assert(variance_of_class(again, HG_DRAW_TWINS, 1) == twins);
    cr_assert_eq(hg_comm_init(&self, MPI_COMM_SELF), HG_OK);
    alone = train_with_classes(&self);
    all_assert(hg_forest_hash(alone) == hg_forest_hash(f));
    hg_forest_free(alone);
    hg_comm_clear(&self);
    drop_folder();
    hg_forest_free(f);
    hg_forest_free(again);
}
