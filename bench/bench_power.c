/* Time of P(k) and its parts against bare transforms of the same mesh.
 *
 *   [mpirun -n P] bench_power points mesh [float|double] [slab|pencil|exact] [estimate|measure]
 *
 * Uniform points in a box of 420, PCS, interlaced, multipoles 0, 2, 4. Prints one line of JSON
 * from rank 0; each time is the best of three, plans are made once.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Of one rank the processor's time, which other users of the machine disturb less. */
static double
seconds(const hg_comm *comm)
{
    return comm->size > 1 ? hg_clock_seconds() : (double)clock() / CLOCKS_PER_SEC;
}

/* Seconds since the last call, kept when it is the shortest so far. */
static void
stop_watch(const hg_comm *comm, double *since, double *best)
{
    hg_comm_barrier(comm);
    double now = seconds(comm);

    *best = now - *since < *best ? now - *since : *best;
    *since = now;
}

static hg_status
time_once(const hg_comm *comm, hg_mesh *mesh, int64_t n, const double point[][3],
          double best[N_TIME])
{
    hg_density density = {0};
    hg_fine fine = {0};
    void *a = NULL, *b = NULL;
    double t = seconds(comm), edge[64], xi[64], ignored = HUGE_VAL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mesh_field(mesh, &a));
    HG_TRY_OR(done, status, hg_mesh_field(mesh, &b));
    stop_watch(comm, &t, &ignored);
    if (!mesh->reproducible) { /* which paints integers */
        HG_TRY_OR(done, status,
                  hg_paint(comm, mesh, HG_KERNEL_PCS, box, n, point, NULL, 1, a, b));
        stop_watch(comm, &t, &best[PAINT]);
    }
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
        hg_fine_measure(comm, mesh, &density, NULL, density.weight_sum2, HG_LOS_Z, &fine));
    stop_watch(comm, &t, &best[MODES]);
    status =
        hg_correlation_shells(&fine, 0, hg_bin_edges(8, 100, 2, 0.1, 64, edge), edge, xi, NULL);
    stop_watch(comm, &t, &best[SHELLS]);
done:
    hg_mem_free(a);
    hg_mem_free(b);
    hg_fine_clear(&fine);
    hg_density_clear(&density);
    return status;
}

static bool
has_word(int argc, char **argv, const char *word)
{
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], word) == 0) {
            return true;
        }
    }
    return false;
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
    const int64_t n_mesh = argc > 2 ? atoll(argv[2]) : 512;
    const hg_mesh_options options = {
        .n = n_mesh,
        .precision = has_word(argc, argv, "double") ? HG_PRECISION_DOUBLE : HG_PRECISION_FLOAT,
        .effort = has_word(argc, argv, "measure") ? HG_EFFORT_MEASURE : HG_EFFORT_ESTIMATE,
        .backend = has_word(argc, argv, "slab")     ? HG_BACKEND_SLAB
                   : has_word(argc, argv, "pencil") ? HG_BACKEND_PENCIL
                                                    : HG_BACKEND_AUTO,
        .reproducible = has_word(argc, argv, "exact")};
    hg_mesh *mesh = NULL;
    double since = 0;

    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, make_points(&comm, n_all, &n, &point));
    since = seconds(&comm);
    HG_TRY_OR(done, status, hg_mesh_create(&comm, &options, &mesh));
    stop_watch(&comm, &since, &best[PLAN]);
    for (int i = 0; i < 3 && status == HG_OK; i++) {
        status = time_once(&comm, mesh, n, (const double(*)[3])point, best);
    }
done:
    if (comm.rank == 0 && status == HG_OK) {
        printf("{\"points\": %lld, \"mesh\": %lld, \"ranks\": %d", (long long)n_all,
               (long long)n_mesh, comm.size);
        for (int i = 0; i < N_TIME; i++) {
            printf(", \"%s\": %.3f", names[i], best[i]);
        }
        printf(", \"power_over_two_transforms\": %.2f, \"peak_bytes\": %lld}\n",
               (best[DENSITY] + best[MODES]) / (2 * best[TRANSFORM]),
               (long long)hg_mem_resident_peak());
    }
    hg_mesh_free(mesh);
    hg_mem_free(point);
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
