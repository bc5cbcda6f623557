/* Time of training and prediction on rows read from a raw file: what train_vs_sklearn.py and
 * tests/cli/test_compilers.sh drive.
 *
 *   bench_train FILE rows features targets trees min_leaf none|row threads [splitter share]
 *
 * FILE holds float32 x (rows, features) and float64 y (rows, targets); under mpirun the rows go
 * round over the ranks. Prints one line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/forest.h"

static hg_status
read_rows(const char *path, size_t n_x, float x[], size_t n_y, double y[])
{
    FILE *file = fopen(path, "rb");
    int ok;

    if (file == NULL) {
        return HG_FAIL(HG_E_NOTFOUND, "there is no file '%s'", path);
    }
    ok = fread(x, sizeof *x, n_x, file) == n_x && fread(y, sizeof *y, n_y, file) == n_y;
    fclose(file);
    return ok ? HG_OK : HG_FAIL(HG_E_READ, "'%s' is shorter than its shape", path);
}

/* keep this rank's rows: every size-th */
static void
keep_share(const hg_comm *comm, hg_train_data *data, float x[], double y[], uint64_t key[])
{
    const size_t n_feature = (size_t)data->n_feature, n_target = (size_t)data->n_target;
    size_t n = 0;

    for (size_t i = (size_t)comm->rank; i < (size_t)data->n; i += (size_t)comm->size, n++) {
        memmove(x + n * n_feature, x + i * n_feature, n_feature * sizeof *x);
        memmove(y + n * n_target, y + i * n_target, n_target * sizeof *y);
        key[n] = i + 1;
    }
    data->n = (int64_t)n;
}

static hg_status
run(const hg_comm *comm, char **arg)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options apply = HG_PREDICT_OPTIONS_INIT;
    hg_train_data data = {
        .n = atoll(arg[2]), .n_feature = atoi(arg[3]), .n_target = atoi(arg[4])};
    const size_t n = (size_t)data.n, n_feature = (size_t)data.n_feature;
    const size_t n_target = (size_t)data.n_target;
    hg_field_spec *spec = NULL;
    hg_forest *forest = NULL;
    float *x = NULL;
    double *y = NULL, *mean = NULL, start, train, predict, cpu;
    uint64_t *key = NULL;

    HG_TRY(hg_mem_zeros(&spec, HG_FEATURES_MAX, sizeof *spec));
    HG_TRY(hg_mem_array(&x, n * n_feature, sizeof *x));
    HG_TRY(hg_mem_array(&y, n * n_target, sizeof *y));
    HG_TRY(hg_mem_array(&mean, n * n_target, sizeof *mean));
    HG_TRY(hg_mem_array(&key, n, sizeof *key));
    HG_TRY(read_rows(arg[1], n * n_feature, x, n * n_target, y));
    keep_share(comm, &data, x, y, key);
    data.x = x;
    data.y = y;
    data.key = key;
    data.feature = data.target = spec;
    options.trees = atoi(arg[5]);
    options.min_leaf = atoi(arg[6]);
    options.bag = strcmp(arg[7], "none") == 0 ? HG_BAG_NONE : HG_BAG_ROW;
    options.threads = apply.threads = atoi(arg[8]);
    if (arg[9] != NULL) {
        options.splitter = strcmp(arg[9], "best") == 0 ? HG_SPLITTER_BEST : HG_SPLITTER_RANDOM;
        options.max_features = atof(arg[10]);
    }
    apply.training_rows = 0;
    start = hg_clock_seconds();
    cpu = (double)clock() / CLOCKS_PER_SEC;
    HG_TRY(hg_forest_train(comm, &options, &data, &forest));
    train = hg_clock_seconds() - start;
    cpu = (double)clock() / CLOCKS_PER_SEC - cpu;
    start = hg_clock_seconds();
    HG_TRY(hg_forest_predict(forest, &apply, data.n, key, x, &(hg_prediction){.mean = mean}));
    predict = hg_clock_seconds() - start;
    if (comm->rank == 0) {
        printf(
            "{\"train_s\": %.4f, \"train_s_per_tree\": %.6f, \"cpu_s_per_tree\": %.6f, "
            "\"predict_ns_per_row_tree\": %.2f, "
            "\"nodes\": %lld, \"leaves\": %lld, \"hash\": \"%016llx\", \"peak_mib\": %.0f}\n",
            train, train / options.trees, cpu / options.trees,
            1e9 * predict / ((double)data.n * options.trees),
            (long long)hg_forest_nodes(forest), (long long)hg_forest_leaves(forest),
            (unsigned long long)hg_forest_hash(forest), (double)hg_mem_peak() / 1048576);
    }
    hg_forest_free(forest);
    hg_mem_free(spec);
    hg_mem_free(x);
    hg_mem_free(y);
    hg_mem_free(mean);
    hg_mem_free(key);
    return HG_OK;
}

int
main(int argc, char **argv)
{
    hg_comm comm;
    hg_status status = hg_comm_start(&argc, &argv, &comm);

    if (status == HG_OK && argc != 9 && argc != 11) {
        status = HG_FAIL(HG_E_USAGE, "usage: bench_train FILE rows features targets trees "
                                     "min_leaf none|row threads [random|best max_features]");
    }
    status = status == HG_OK ? run(&comm, argv) : status;
    if (status != HG_OK) {
        fprintf(stderr, "bench_train: %s\n", hg_error_last()->message);
    }
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
