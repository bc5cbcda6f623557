/* What a density of any size would take and send on any number of ranks, by the estimate of the
 * program; tests/mpi/field/test_cost.c holds that against counted bytes.
 *
 *   bench_cost mesh ranks objects [float|double] [slab|pencil|exact]
 *
 * PCS, interlaced, one thread per rank; prints one line, MiB on the rank that has most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/cost.h"

int
main(int argc, char **argv)
{
    const double mebibyte = 1048576;
    hg_mesh_options o = {.n = argc > 1 ? atoll(argv[1]) : 4096};
    const int ranks = argc > 2 ? atoi(argv[2]) : 4096;
    const double objects = argc > 3 ? atof(argv[3]) : 1e9;
    hg_mesh_cost cost;

    for (int i = 4; i < argc; i++) {
        o.precision = strcmp(argv[i], "double") == 0 ? HG_PRECISION_DOUBLE : o.precision;
        o.backend = strcmp(argv[i], "slab") == 0     ? HG_BACKEND_SLAB
                    : strcmp(argv[i], "pencil") == 0 ? HG_BACKEND_PENCIL
                                                     : o.backend;
        o.reproducible = strcmp(argv[i], "exact") == 0 || o.reproducible;
    }
    hg_mesh_cost_estimate(&o, ranks, 1, HG_KERNEL_PCS, true, objects, &cost);
    printf("%s %d x %d: fields %.1f, exchange %.1f, points %.1f, together %.1f; sent by a "
           "transform %.1f, as points %.1f\n",
           cost.backend == HG_BACKEND_SLAB ? "slabs" : "pencils", cost.grid[0], cost.grid[1],
           cost.paint / mebibyte, cost.work / mebibyte, cost.points / mebibyte,
           (cost.paint + cost.work + cost.points) / mebibyte, cost.transform / mebibyte,
           cost.ghosts / mebibyte);
    return 0;
}
