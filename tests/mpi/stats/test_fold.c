/* Spectra of folded boxes against direct sums, a finer mesh and the shot noise of points. */
#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/power_fold.h"

MPI_SUITE(fold);

static const double box = 50;

/* Normal clumps of four points; width 0 = points anywhere. */
static void
make_points(uint64_t seed, int64_t n, double width, double (*point)[3])
{
    for (int64_t i = 0; i < n; i++) {
        const uint64_t clump = (uint64_t)(width > 0 ? i / 4 : i);
        hg_stream centre = hg_stream_start(seed, 0, clump, HG_PURPOSE_LATENT);
        hg_stream own = hg_stream_start(seed, 1, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            point[i][k] = box * hg_stream_uniform(&centre) + width * hg_stream_normal(&own);
        }
    }
}

/* Unfolded sums of a level, every rank holding a part of the points. */
static void
measure(const hg_comm *comm, const hg_mesh_options *options, int64_t times, int64_t n,
        double (*point)[3], hg_fine *fine)
{
    const int64_t first = n * comm->rank / comm->size;
    const int64_t mine = n * (comm->rank + 1) / comm->size - first;
    hg_mesh *mesh = NULL;
    hg_density density;

    cr_assert_eq(hg_mesh_create(comm, options, &mesh), HG_OK);
    cr_assert_eq(hg_density_create(comm, mesh, HG_KERNEL_PCS, true, box / (double)times, mine,
                                   (const double(*)[3])point + first, NULL, &density),
                 HG_OK);
    cr_assert_eq(
        hg_fine_measure(comm, mesh, &density, NULL, density.weight_sum2, HG_LOS_X, fine),
        HG_OK);
    hg_fine_unfold(fine, times);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}

/* V (|sum exp(-ikx)|^2 - n) / n^2 of one mode, and its multipoles along x, added to sums. */
static void
add_direct(const double k[3], int64_t n, double (*point)[3], double sum[3])
{
    const double volume = box * box * box, count = (double)n;
    const double mu2 = k[0] * k[0] / (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
    double re = 0, im = 0, p;

    for (int64_t i = 0; i < n; i++) {
        const double phase = k[0] * point[i][0] + k[1] * point[i][1] + k[2] * point[i][2];

        re += cos(phase);
        im += sin(phase);
    }
    p = volume * (re * re + im * im - count) / (count * count);
    sum[0] += p;
    sum[1] += 5 * p * (1.5 * mu2 - 0.5);
    sum[2] += 9 * p * (35 * mu2 * mu2 - 30 * mu2 + 3) / 8;
}

/* All modes of a shell, 4 times further out than the mesh reaches without folding. */
Test(fold, modes_are_those_of_direct_sums)
{
    enum { N = 120, MESH = 32, TIMES = 4 };
    static const double edge[] = {5, 8, 11};
    static double point[N][3];
    const hg_mesh_options options = {.n = MESH, .precision = HG_PRECISION_DOUBLE};
    const double unit = 2 * M_PI / box * TIMES;
    hg_fine fine;
    hg_power power;

    make_points(3, N, 0.2, point);
    measure(&world, &options, TIMES, N, point, &fine);
    all_assert(hg_power_bin(&fine, 2, edge, &power) == HG_OK);
    for (int b = 0; b < 2; b++) {
        const double noise = box * box * box / N, size = power.p[0][b] + noise;
        double sum[3] = {0};
        int64_t modes = 0;

        for (int i = 0; i < MESH * MESH * MESH; i++) {
            const int m[3] = {i / MESH / MESH - MESH / 2, i / MESH % MESH - MESH / 2,
                              i % MESH - MESH / 2};
            const int n2 = m[0] * m[0] + m[1] * m[1] + m[2] * m[2];

            if (n2 >= edge[b] * edge[b] && n2 < edge[b + 1] * edge[b + 1]) {
                modes++;
                if (i % world.size == world.rank) {
                    add_direct((double[]){unit * m[0], unit * m[1], unit * m[2]}, N, point,
                               sum);
                }
            }
        }
        hg_comm_sum_double(&world, 3, sum);
        all_assert(power.modes[b] == modes);
        all_assert(fabs(power.k_low[b] / (unit * edge[b]) - 1) < 1e-14);
        all_assert(fabs(power.shot[b] / noise - 1) < 2e-4);
        all_assert(fabs(power.p[0][b]) > 0.1 * noise);
        for (int l = 0; l < 3; l++) {
            const double off = power.p[l][b] - sum[l] / (double)modes;

            cr_expect(fabs(off) < 2e-4 * (2 * l + 1) * size, "bin %d, place %d: %g of %g", b, l,
                      off, size);
            all_assert(fabs(off) < 2e-4 * (2 * l + 1) * size);
        }
    }
    hg_power_clear(&power);
    hg_fine_clear(&fine);
}

static void
compare_with_fine_mesh(const hg_power *joined, const hg_power *finer, int first, int n)
{
    for (int l = 0; l < 3; l++) {
        double chi2 = 0;

        for (int i = first; i < n; i++) {
            const double all = finer->sigma[l][i], part = joined->sigma[l][i];

            all_assert(finer->modes[i] > joined->modes[i] && joined->modes[i] > 0);
            all_assert(fabs(joined->k_low[i] / finer->k_low[i] - 1) < 1e-14);
            chi2 += pow(joined->p[l][i] - finer->p[l][i], 2) / (part * part - all * all);
        }
        cr_expect(chi2 < 2.5 * (n - first), "place %d: chi2 %g of %d bins", l, chi2, n - first);
        all_assert(chi2 < 2.5 * (n - first) && chi2 > 0.2 * (n - first));
    }
}

/* Below the splice the joined spectrum is that of the mesh, above it agrees with a finer mesh
 * within the noise of fewer modes, and the two levels agree where both are known. */
Test(fold, the_joined_spectrum_is_that_of_a_finer_mesh)
{
    enum { N = 20000, MESH = 64 };
    const hg_fold_options o = {
        .mesh = MESH, .n_level = 2, .factor = 2, .k_max = 0.9, .width = 1, .dlnk = 0};
    hg_mesh_options options = {.n = MESH};
    double(*point)[3] = NULL;
    hg_fold_bins bins;
    hg_fine level[2], fine;
    hg_power joined, one, finer;
    int n;

    all_assert(hg_mem_array(&point, N, sizeof *point) == HG_OK);
    make_points(5, N, 0.3, point);
    all_assert(hg_fold_bins_init(&o, &bins) == HG_OK);
    all_assert(bins.edge[bins.first[1]] == 0.85 * 32 && bins.edge[bins.n] == 0.9 * 64);
    all_assert(bins.edge[bins.start[1]] >= 24 && bins.edge[bins.start[1] - 1] < 24);
    measure(&world, &options, 1, N, point, &level[0]);
    measure(&world, &options, 2, N, point, &level[1]);
    all_assert(hg_fold_join(&bins, level, &joined) == HG_OK);
    all_assert(hg_fold_level(&bins, &level[1], 1, &one) == HG_OK);
    options.n = 2 * MESH;
    measure(&world, &options, 1, N, point, &fine);
    all_assert(hg_power_bin(&fine, bins.n, bins.edge, &finer) == HG_OK);
    for (int i = 0; i < bins.first[1]; i++) {
        all_assert(joined.modes[i] == finer.modes[i]);
        all_assert(fabs(joined.p[0][i] - finer.p[0][i]) <
                   3e-4 * (finer.p[0][i] + finer.shot[i]));
    }
    compare_with_fine_mesh(&joined, &finer, bins.first[1], bins.n);
    all_assert(joined.p[0][bins.first[1]] > 10 * joined.sigma[0][bins.first[1]]);
    for (int l = 0; l < 3; l++) {
        const double chi2 = hg_fold_overlap(&bins, 1, &joined, &one, l, &n);

        all_assert(n == bins.first[1] - bins.start[1] && n > 1 && chi2 > 0 && chi2 < 4);
    }
    hg_power_clear(&joined);
    hg_power_clear(&one);
    hg_power_clear(&finer);
    hg_fine_clear(&level[0]);
    hg_fine_clear(&level[1]);
    hg_fine_clear(&fine);
    hg_mem_free(point);
}

/* Points without correlation have none on any level, and the same shot noise; a reproducible
 * level has the same bits on all ranks as on one. */
Test(fold, poisson_points_have_no_power_on_any_level)
{
    enum { N = 6000, MESH = 32, BINS = 6 };
    double(*point)[3] = NULL, edge[BINS + 1];
    hg_mesh_options options = {.n = MESH};
    const double noise = box * box * box / N;
    hg_comm self;

    all_assert(hg_mem_array(&point, N, sizeof *point) == HG_OK);
    all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
    make_points(7, N, 0, point);
    all_assert(hg_bin_edges(2, 14, 2, 0, BINS + 1, edge) == BINS);
    for (int64_t times = 1; times <= 4; times *= 2) {
        double chi2 = 0;
        hg_fine fine, exact, alone;
        hg_power power;

        measure(&world, &options, times, N, point, &fine);
        all_assert(hg_power_bin(&fine, BINS, edge, &power) == HG_OK);
        for (int i = 0; i < BINS; i++) {
            all_assert(fabs(power.shot[i] / noise - 1) < 2e-3);
            all_assert(power.k_low[i] == edge[i] * (2 * M_PI / (box / (double)times)));
            chi2 += pow(power.p[0][i] / noise, 2) * (double)power.modes[i] / 2;
        }
        all_assert(chi2 > 0.5 && chi2 < 20); /* 6 bins */
        options.reproducible = true;
        measure(&world, &options, times, N, point, &exact);
        measure(&self, &options, times, N, point, &alone);
        options.reproducible = false;
        all_assert(memcmp(exact.sum, alone.sum,
                          (size_t)(exact.n_bin * exact.n_sum) * sizeof *exact.sum) == 0);
        hg_power_clear(&power);
        hg_fine_clear(&fine);
        hg_fine_clear(&exact);
        hg_fine_clear(&alone);
    }
    hg_comm_clear(&self);
    hg_mem_free(point);
}

Test(fold, meshes_that_are_too_small_and_bins_too_many_are_refused)
{
    hg_fold_options o = {
        .mesh = 112, .n_level = 3, .factor = 4, .k_max = 0.9, .width = 1, .dlnk = 0.2};
    hg_fold_bins bins;

    all_assert(hg_fold_bins_init(&o, &bins) == HG_E_ARG);
    all_assert(strstr(hg_error_last()->message, "from 113 cells on") != NULL);
    o.mesh = 113;
    all_assert(hg_fold_bins_init(&o, &bins) == HG_OK);
    all_assert(hg_fold_times(&bins, 2) == 16);
    for (int i = 0; i + 1 < bins.n; i++) { /* the very last bin may be cut */
        all_assert(bins.edge[i + 1] > bins.edge[i] * 1.05);
    }
    o.n_level = 1;
    o.mesh = 4096;
    o.dlnk = 0;
    all_assert(hg_fold_bins_init(&o, &bins) == HG_E_ARG);
}
