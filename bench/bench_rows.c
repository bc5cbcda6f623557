/* Time and memory of training on rows that are made where they are needed: rank r of R makes
 * rows r, r + R, ... from streams keyed by their numbers, so every number of ranks has the same
 * rows. Prints one line of JSON; resident memory is what a program that has only started MPI
 * does not have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "halograft/forest.h"

/* the arrays of the rows, given back as the training takes them over */
typedef struct hg_bench_rows {
    float *x;
    double *y;
    uint64_t *key;
} hg_bench_rows;

static void
release(void *owner, const void *array)
{
    hg_bench_rows *r = owner;

    if (array == r->x) {
        hg_mem_free(r->x);
        r->x = NULL;
    } else if (array == r->y) {
        hg_mem_free(r->y);
        r->y = NULL;
    } else if (array == r->key) {
        hg_mem_free(r->key);
        r->key = NULL;
    }
}

/* features with two correlations, targets with scatter: the law of train_vs_sklearn.py */
static void
make_row(uint64_t row, int n_feature, int n_target, float x[], double y[])
{
    hg_stream s = hg_stream_start(1, 0, row, HG_PURPOSE_HALO);

    for (int f = 0; f < n_feature; f++) {
        x[f] = (float)hg_stream_normal(&s);
    }
    x[1] += x[0];
    x[2] = 0.3f * x[2] + x[0];
    for (int o = 0; o < n_target; o++) {
        y[o] = (double)x[o % 3] + 0.3 * (double)x[3] * (double)x[4 + o % 2] +
               (0.15 + 0.1 * o) * hg_stream_normal(&s);
    }
}

static hg_status
make_rows(const hg_comm *comm, int64_t n_all, hg_train_data *d, hg_bench_rows *r)
{
    d->n = (n_all - comm->rank + comm->size - 1) / comm->size;
    HG_TRY(hg_mem_array(&r->x, (size_t)(d->n * d->n_feature), sizeof *r->x));
    HG_TRY(hg_mem_array(&r->y, (size_t)(d->n * d->n_target), sizeof *r->y));
    HG_TRY(hg_mem_array(&r->key, (size_t)d->n, sizeof *r->key));
    for (int64_t i = 0; i < d->n; i++) {
        const uint64_t row = (uint64_t)(comm->rank + i * comm->size);

        r->key[i] = hg_mix64(row + 1);
        make_row(row, d->n_feature, d->n_target, r->x + i * d->n_feature,
                 r->y + i * d->n_target);
    }
    d->x = r->x;
    d->y = r->y;
    d->key = r->key;
    d->owner = r;
    return HG_OK;
}

static void
report(const hg_comm *comm, const hg_forest *f, const hg_train_data *d, int64_t empty,
       double train, double save)
{
    const int64_t words = (d->n_feature + d->n_target + 2 + 15) / 16 * 16;
    const double share = (double)hg_forest_rows(f) * 4 * (double)words / comm->size;
    int64_t most[4] = {hg_mem_peak(), hg_mem_resident_peak() - empty, 0, 0};

    hg_comm_traffic(&most[2], &most[3]);
    hg_comm_max(comm, 4, most);
    if (comm->rank == 0) {
        printf("{\"rows\": %lld, \"ranks\": %d, \"train_s\": %.1f, \"save_s\": %.1f, "
               "\"share_mib\": %.0f, \"counted_mib\": %.0f, \"resident_mib\": %.0f, "
               "\"counted_ratio\": %.3f, \"resident_ratio\": %.3f, \"messages\": %lld, "
               "\"sent_mib\": %.0f, \"leaves\": %lld, \"hash\": \"%016llx\"}\n",
               (long long)hg_forest_rows(f), comm->size, train, save, share / 1048576,
               (double)most[0] / 1048576, (double)most[1] / 1048576, (double)most[0] / share,
               (double)most[1] / share, (long long)most[2], (double)most[3] / 1048576,
               (long long)hg_forest_leaves(f), (unsigned long long)hg_forest_hash(f));
    }
}

static hg_status
run(const hg_comm *comm, char **arg)
{
    const int is_spread = strcmp(arg[1], "rows") == 0;
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_train_data data = {.n_feature = atoi(arg[3]), .n_target = atoi(arg[4])};
    hg_train_distribution spread = {.path = arg[7]};
    hg_field_spec *spec = NULL;
    hg_forest *forest = NULL;
    hg_bench_rows rows = {0};
    const int64_t empty = hg_mem_resident_peak(); /* of a program that only started MPI */
    double start, train;
    hg_status status;

    HG_TRY(hg_mem_zeros(&spec, HG_FEATURES_MAX, sizeof *spec));
    HG_TRY(hg_comm_agree(comm, make_rows(comm, atoll(arg[2]), &data, &rows)));
    data.feature = data.target = spec;
    data.release = is_spread ? release : NULL;
    options.trees = atoi(arg[5]);
    options.min_leaf = atoi(arg[6]);
    options.bag = arg[8] != NULL && strcmp(arg[8], "none") == 0 ? HG_BAG_NONE : options.bag;
    start = hg_clock_seconds();
    status = is_spread
                 ? hg_forest_train_distributed(comm, &options, &data, NULL, &spread, &forest)
                 : hg_forest_train(comm, &options, &data, &forest);
    HG_TRY(status);
    train = hg_clock_seconds() - start;
    start = hg_clock_seconds();
    HG_TRY(hg_forest_save(comm, forest, arg[7], 1));
    report(comm, forest, &data, empty, train, hg_clock_seconds() - start);
    hg_forest_free(forest);
    hg_mem_free(rows.x);
    hg_mem_free(rows.y);
    hg_mem_free(rows.key);
    hg_mem_free(spec);
    return HG_OK;
}

int
main(int argc, char **argv)
{
    hg_comm comm;
    hg_status status = hg_comm_start(&argc, &argv, &comm);

    if (status == HG_OK && argc != 8 && argc != 9) {
        status = HG_FAIL(HG_E_USAGE, "usage: bench_rows rows|trees ROWS features targets trees "
                                     "min_leaf MODEL [none]");
    }
    status = status == HG_OK ? run(&comm, argv) : status;
    if (status != HG_OK && comm.rank == 0) {
        fprintf(stderr, "bench_rows: %s\n", hg_error_last()->message);
    }
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
