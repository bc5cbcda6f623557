/* The mesh's correlation functions against exact pairs, from 6 cells on: clumps that are longer
 * along the line of sight, dense clumps of a cell or two, and two boxes of galaxies. */
#include "mpi_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "stats/correlation.h"
#include "store/h5.h"

MPI_SUITE(hybrid);

enum { BINS = 12 };

/* Points of this rank; edges of two cells from 6 cells on; multipoles up to l. */
static void
compare(int64_t mesh_n, double box, int64_t n, const double point[][3], int l_max)
{
    const double cell = box / (double)mesh_n;
    const hg_mesh_options options = {.n = mesh_n, .precision = HG_PRECISION_DOUBLE};
    double edge[BINS + 1];
    hg_pairs_bins bins = {
        .kind = HG_PAIRS_S_MU, .n = BINS, .edge = edge, .n_second = 60, .los = HG_LOS_Y};
    hg_mesh *mesh = NULL;
    hg_density density;
    hg_fine fine;
    hg_pairs pairs;

    for (int i = 0; i <= BINS; i++) {
        edge[i] = (6 + 2 * i) * cell;
    }
    all_assert(hg_mesh_create(&world, &options, &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, n, point, NULL,
                                 &density) == HG_OK);
    all_assert(hg_fine_measure(&world, mesh, &density, NULL, density.weight_sum2, HG_LOS_Y,
                               &fine) == HG_OK);
    all_assert(hg_pairs_count(&world, &bins, box, n, point, NULL, &pairs) == HG_OK);
    for (int l = 0; l <= l_max; l += 2) {
        hg_overlap overlap;

        all_assert(hg_correlation_overlap(&fine, &pairs, l, edge[0], edge[BINS], &overlap) ==
                   HG_OK);
        if (world.rank == 0) {
            fprintf(stderr, "l = %d: chi2 %.2f per bin, worst %.2f, %d bins\n", l, overlap.chi2,
                    overlap.worst, overlap.n);
        }
        all_assert(overlap.n == BINS && overlap.chi2 < 1.5 && overlap.worst < 3);
    }
    hg_pairs_clear(&pairs);
    hg_fine_clear(&fine);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}

Test(hybrid, clumps_along_the_line_of_sight_agree_in_all_multipoles)
{
    enum { N = 20000 };
    static double point[N][3];
    const int64_t first = N * world.rank / world.size;
    const int64_t end = N * (world.rank + 1) / world.size;

    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(9, 0, (uint64_t)i % 100, HG_PURPOSE_HALO);
        hg_stream own = hg_stream_start(9, 1, (uint64_t)i, HG_PURPOSE_GALAXY);

        for (int k = 0; k < 3; k++) {
            point[i][k] =
                100 * hg_stream_uniform(&s) + (k == 1 ? 7 : 4) * hg_stream_normal(&own);
        }
    }
    compare(64, 100, end - first, (const double(*)[3])point + first, 4);
}

/* Nearly all pairs within a cell or two, and a signal at 6 cells that the window may not leak
 * to: what breaks transforms with a sharp end. */
Test(hybrid, dense_clumps_agree)
{
    enum { N = 60000, CLUMPS = 1200 };
    static double point[N][3];
    const int64_t first = N * world.rank / world.size;
    const int64_t end = N * (world.rank + 1) / world.size;

    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(12, 0, (uint64_t)i % CLUMPS, HG_PURPOSE_HALO);
        hg_stream own = hg_stream_start(12, 1, (uint64_t)i, HG_PURPOSE_GALAXY);

        for (int k = 0; k < 3; k++) {
            point[i][k] = 125 * hg_stream_uniform(&s) + 1.5 * hg_stream_normal(&own);
        }
    }
    compare(128, 125, end - first, (const double(*)[3])point + first, 0);
}

/* Path of a file of HG_DATA, or false, said loudly. */
static bool
find_data(const char *name, char path[4096])
{
    const char *folder = getenv("HG_DATA");

    cr_assert_eq(hg_text_path(4096, path, "%s/%s", folder != NULL ? folder : "none", name),
                 HG_OK);
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "SKIPPED: real data '%s' is absent, set HG_DATA\n", path);
        return false;
    }
    return true;
}

Test(hybrid, galaxies_of_a_box_agree)
{
    const int64_t n = 73442, first = n * world.rank / world.size;
    const int64_t m = n * (world.rank + 1) / world.size - first;
    double(*point)[3] = NULL;
    char path[4096];
    hg_h5 *file = NULL;

    if (!find_data("clustering/test_box.hdf5", path)) {
        return;
    }
    all_assert(hg_mem_array(&point, (size_t)m, sizeof *point) == HG_OK);
    all_assert(hg_h5_open(path, &file) == HG_OK);
    all_assert(hg_h5_read(file, "xyz", first, m, HG_F64, point) == HG_OK);
    all_assert(hg_h5_close(file) == HG_OK);
    compare(256, 2600, m, (const double(*)[3])point, 0);
    hg_mem_free(point);
}

/* Galaxies of Illustris-1 above 1.51e10 Msun, with their satellites: strongly clustered. */
Test(hybrid, illustris_galaxies_agree)
{
    const int64_t n = 4577, first = n * world.rank / world.size;
    const int64_t m = n * (world.rank + 1) / world.size - first;
    static const char *const names[] = {"snap_135/PosX", "snap_135/PosY", "snap_135/PosZ"};
    static double x[4577], point[4577][3];
    char path[4096];
    hg_h5 *file = NULL;

    if (!find_data("illustris1_galaxies/illustris1_galaxies.h5", path)) {
        return;
    }
    all_assert(hg_h5_open(path, &file) == HG_OK);
    for (int k = 0; k < 3; k++) {
        all_assert(hg_h5_read(file, names[k], first, m, HG_F64, x) == HG_OK);
        for (int64_t i = 0; i < m; i++) {
            point[i][k] = x[i] / 1000; /* kpc */
        }
    }
    all_assert(hg_h5_close(file) == HG_OK);
    compare(128, 106.534, m, (const double(*)[3])point, 0);
}
