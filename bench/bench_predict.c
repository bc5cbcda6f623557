/* Time of prediction by a model file on rows read from a raw file: what predict_vs_sklearn.py
 * and apply_throughput.py drive.
 *
 *   bench_predict MODEL FILE rows draws threads [leaf]
 *
 * FILE holds float32 x (rows, features of the model). Rows are not training rows; draws are
 * keyed by row number. Prints one line of JSON; "sum" adds up all means, for comparison with
 * others. With "leaf" there are only draws of leaf values, no means, and "sum" is that of draw
 * 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/forest.h"

static hg_status
read_rows(const char *path, size_t n, float x[])
{
    FILE *file = fopen(path, "rb");
    size_t n_read = file != NULL ? fread(x, sizeof *x, n, file) : 0;

    if (file != NULL) {
        fclose(file);
    }
    return n_read == n ? HG_OK : HG_FAIL(HG_E_READ, "'%s' does not hold %zu values", path, n);
}

static void
report(const hg_forest *forest, int64_t n, const double value[], double wall, double cpu)
{
    double sum = 0;

    for (int64_t i = 0; i < n * hg_forest_targets(forest); i++) {
        sum += value[i];
    }
    printf("{\"wall_s\": %.6f, \"cpu_s\": %.6f, \"cpu_ns_per_row_tree\": %.3f, \"trees\": %d, "
           "\"leaves_per_tree\": %.0f, \"sum\": %.17g}\n",
           wall, cpu, 1e9 * cpu / ((double)n * hg_forest_trees(forest)),
           hg_forest_trees(forest), (double)hg_forest_leaves(forest) / hg_forest_trees(forest),
           sum);
}

static hg_status
time_rows(const hg_forest *forest, char **arg)
{
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    const int64_t n = atoll(arg[3]);
    const size_t rows = (size_t)n, n_target = (size_t)hg_forest_targets(forest);
    const size_t n_value = rows * (size_t)hg_forest_features(forest);
    hg_status status = HG_OK;
    hg_prediction result = {0};
    uint64_t *key = NULL;
    float *x = NULL;
    double start, cpu;

    options.n_draw = atoi(arg[4]);
    options.threads = atoi(arg[5]);
    options.method = arg[6] != NULL ? HG_DRAW_LEAF : HG_DRAW_RESIDUAL;
    HG_TRY_OR(end, status, hg_mem_array(&x, n_value, sizeof *x));
    HG_TRY_OR(end, status, hg_mem_array(&key, rows, sizeof *key));
    if (options.method != HG_DRAW_LEAF) {
        HG_TRY_OR(end, status, hg_mem_zeros(&result.mean, rows * n_target, sizeof(double)));
    }
    HG_TRY_OR(
        end, status,
        hg_mem_zeros(&result.draw, rows * n_target * (size_t)options.n_draw, sizeof(double)));
    HG_TRY_OR(end, status, read_rows(arg[2], n_value, x));
    for (size_t i = 0; i < rows; i++) {
        key[i] = i + 1;
    }
    start = hg_clock_seconds();
    cpu = (double)clock() / CLOCKS_PER_SEC;
    HG_TRY_OR(end, status, hg_forest_predict(forest, &options, n, key, x, &result));
    report(forest, n, result.mean != NULL ? result.mean : result.draw,
           hg_clock_seconds() - start, (double)clock() / CLOCKS_PER_SEC - cpu);
end:
    hg_mem_free(x);
    hg_mem_free(key);
    hg_mem_free(result.mean);
    hg_mem_free(result.draw);
    return status;
}

int
main(int argc, char **argv)
{
    hg_comm comm;
    hg_forest *forest = NULL;
    hg_status status = hg_comm_start(&argc, &argv, &comm);

    if (status == HG_OK && argc != 6 && argc != 7) {
        status =
            HG_FAIL(HG_E_USAGE, "usage: bench_predict MODEL FILE rows draws threads [leaf]");
    }
    status = status == HG_OK ? hg_forest_load(&comm, argv[1], &forest) : status;
    status = status == HG_OK ? time_rows(forest, argv) : status;
    if (status != HG_OK) {
        fprintf(stderr, "bench_predict: %s\n", hg_error_last()->message);
    }
    hg_forest_free(forest);
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
