/* Time of the pair counts of a table of points.
 *
 *   [mpirun -n P] bench_pairs FILE box turns r|wp|cross pi_max edge edge ...
 *
 * FILE holds x y z of each point as double, in the byte order of the machine; `cross` pairs a
 * tenth of the points of each rank with the others. Prints one line of JSON from rank 0: the
 * best wall time, the best processor time of the busiest rank (which waits for messages with
 * it), and the counts.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "stats/pairs.h"

static hg_status
read_points(const hg_comm *comm, const char *path, int64_t *n, double (**point)[3])
{
    FILE *file = fopen(path, "rb");
    hg_status status = HG_OK;
    int64_t all = 0, first;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return HG_FAIL(HG_E_READ, "cannot read '%s'", path);
    }
    all = ftell(file) / (int64_t)sizeof **point;
    first = all * comm->rank / comm->size;
    *n = all * (comm->rank + 1) / comm->size - first;
    status = hg_mem_array(point, (size_t)*n, sizeof **point);
    if (status == HG_OK &&
        (fseek(file, (long)(first * (int64_t)sizeof **point), SEEK_SET) != 0 ||
         fread(*point, sizeof **point, (size_t)*n, file) != (size_t)*n)) {
        status = HG_FAIL(HG_E_READ, "cannot read '%s'", path);
    }
    fclose(file);
    return status;
}

int
main(int argc, char **argv)
{
    double(*point)[3] = NULL, edge[64], best = HUGE_VAL, best_cpu = HUGE_VAL, cpu;
    hg_pairs_task task = {.bins = NULL};
    hg_pairs_bins bins = {.kind = HG_PAIRS_R, .edge = edge, .n_second = 1, .los = HG_LOS_Z};
    hg_pairs pairs = {0};
    int64_t n = 0;
    hg_comm comm;
    hg_status status = hg_comm_start(&argc, &argv, &comm);

    HG_TRY_OR(done, status, status);
    if (argc < 8 || argc > 6 + 64) {
        fprintf(stderr, "usage: bench_pairs FILE box turns r|wp|cross pi_max edge edge "
                        "...\n");
        status = HG_E_USAGE;
        goto done;
    }
    bins.kind = strcmp(argv[4], "wp") == 0 ? HG_PAIRS_RP_PI : HG_PAIRS_R;
    bins.pi_max = atof(argv[5]);
    bins.n = argc - 7;
    for (int i = 0; i <= bins.n; i++) {
        edge[i] = atof(argv[6 + i]);
    }
    HG_TRY_OR(done, status, read_points(&comm, argv[1], &n, &point));
    task = (hg_pairs_task){.bins = &bins,
                           .box = atof(argv[2]),
                           .a = {.n = n, .position = (const double(*)[3])point},
                           .cross = strcmp(argv[4], "cross") == 0};
    if (task.cross) {
        task.a.n = n / 10;
        task.b = (hg_cells_points){.n = n - task.a.n, .position = task.a.position + task.a.n};
    }
    for (int turn = 0; turn < atoi(argv[3]) && status == HG_OK; turn++) {
        const double start = hg_clock_seconds();
        const clock_t start_cpu = clock();

        hg_pairs_clear(&pairs);
        status = hg_pairs_measure(&comm, &task, &pairs);
        best = fmin(best, hg_clock_seconds() - start);
        cpu = (double)(clock() - start_cpu) / CLOCKS_PER_SEC;
        hg_comm_max_double(&comm, 1, &cpu);
        best_cpu = fmin(best_cpu, cpu);
    }
done:
    if (comm.rank == 0 && status == HG_OK) {
        printf(
            "{\"seconds\": %.4f, \"cpu_seconds\": %.4f, \"balance\": %.3f, \"peak_MiB\": %.0f, "
            "\"counts\": [",
            best, best_cpu, pairs.balance, (double)hg_mem_peak() / 1048576);
        for (int i = 0; i < pairs.n; i++) {
            printf("%s%" PRId64, i > 0 ? ", " : "", pairs.count[i]);
        }
        printf("]}\n");
    } else if (status != HG_OK) {
        fprintf(stderr, "%s\n", hg_error_last()->message);
    }
    hg_pairs_clear(&pairs);
    hg_mem_free(point);
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
