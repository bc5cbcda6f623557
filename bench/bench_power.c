/* Time of P(k) and its parts against bare transforms of the same mesh.
 *
 *   [mpirun -n P] bench_power points mesh [float|double]
 *
 * Uniform points in a box of 420, PCS, interlaced, monopole. Prints one line of JSON from rank
 * 0; each time is the best of three.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "stats/correlation.h"
#include "stats/power.h"

enum { PLAN, TRANSFORM, PAINT, DENSITY, MODES, SHELLS, N_TIME };

static const double box = 420;

static hg_status
make_points(const hg_comm *comm, int64_t n_all, int64_t *n, double (**point)[3])
{
    int64_t first = n_all * comm->rank / comm->size;

    *n = n_all * (comm->rank + 1) / comm->size - first;
    HG_TRY(hg_mem_array(point, (size_t)*n, sizeof **point));
    for (int64_t i = 0; i < *n; i++) {
        hg_stream s = hg_stream_start(1, 0, (uint64_t)(first + i), HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            (*point)[i][k] = box * hg_stream_uniform(&s);
        }
    }
    return HG_OK;
}

/* Seconds since the last call, kept when it is the shortest so far. */
static void
stop_watch(const hg_comm *comm, double *since, double *best)
{
    hg_comm_barrier(comm);
    double now = hg_clock_seconds();

    *best = now - *since < *best ? now - *since : *best;
    *since = now;
}

static hg_status
time_once(const hg_comm *comm, int64_t n_mesh, hg_precision precision, int64_t n,
          const double point[][3], double best[N_TIME])
{
    hg_mesh *mesh = NULL;
    hg_density density = {0};
    hg_fine fine = {0};
    void *a = NULL, *b = NULL;
    double t = hg_clock_seconds(), edge[64], xi[64], ignored = HUGE_VAL;
    hg_status status;

    HG_TRY_OR(
        done, status,
        hg_mesh_create(comm, &(hg_mesh_options){.n = n_mesh, .precision = precision}, &mesh));
    stop_watch(comm, &t, &best[PLAN]);
    HG_TRY_OR(done, status, hg_mesh_field(mesh, &a));
    HG_TRY_OR(done, status, hg_mesh_field(mesh, &b));
    stop_watch(comm, &t, &ignored);
    HG_TRY_OR(done, status, hg_paint(comm, mesh, HG_KERNEL_PCS, box, n, point, NULL, 1, a, b));
    stop_watch(comm, &t, &best[PAINT]);
    hg_mesh_forward(comm, mesh, a);
    stop_watch(comm, &t, &best[TRANSFORM]);
    hg_mem_free(a);
    hg_mem_free(b);
    a = b = NULL;
    stop_watch(comm, &t, &ignored);
    HG_TRY_OR(
        done, status,
        hg_density_create(comm, mesh, HG_KERNEL_PCS, true, box, n, point, NULL, &density));
    stop_watch(comm, &t, &best[DENSITY]);
    HG_TRY_OR(
        done, status,
        hg_fine_measure(comm, mesh, &density, NULL, density.weight_sum2, HG_LOS_NONE, &fine));
    stop_watch(comm, &t, &best[MODES]);
    status =
        hg_correlation_shells(&fine, hg_bin_edges(8, 100, 2, 0.1, 64, edge), edge, xi, NULL);
    stop_watch(comm, &t, &best[SHELLS]);
done:
    hg_mem_free(a);
    hg_mem_free(b);
    hg_fine_clear(&fine);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
    return status;
}

int
main(int argc, char **argv)
{
    static const char *const names[] = {"plan", "transform", "paint", "density", "modes", "xi"};
    double best[N_TIME] = {HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL};
    double(*point)[3] = NULL;
    int64_t n = 0;
    hg_comm comm;
    hg_status status = hg_comm_start(&argc, &argv, &comm);
    const int64_t n_all = argc > 1 ? atoll(argv[1]) : 1236000;
    const int64_t mesh = argc > 2 ? atoll(argv[2]) : 512;
    const hg_precision precision =
        argc > 3 && strcmp(argv[3], "double") == 0 ? HG_PRECISION_DOUBLE : HG_PRECISION_FLOAT;

    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, make_points(&comm, n_all, &n, &point));
    for (int i = 0; i < 3 && status == HG_OK; i++) {
        status = time_once(&comm, mesh, precision, n, (const double(*)[3])point, best);
    }
done:
    if (comm.rank == 0 && status == HG_OK) {
        printf("{\"points\": %lld, \"mesh\": %lld, \"ranks\": %d", (long long)n_all,
               (long long)mesh, comm.size);
        for (int i = 0; i < N_TIME; i++) {
            printf(", \"%s\": %.3f", names[i], best[i]);
        }
        printf(", \"power_over_two_transforms\": %.2f, \"peak_MiB\": %.0f}\n",
               (best[DENSITY] + best[MODES]) / (2 * best[TRANSFORM]),
               (double)hg_mem_peak() / 1048576);
    }
    hg_mem_free(point);
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
