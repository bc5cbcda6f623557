#include "mpi_fault.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/correlation.h"
#include "stats/power.h"

MPI_SUITE(power);

/* Points dealt over the ranks of a communicator, row by row. */
static int64_t
deal_points(const hg_comm *comm, int64_t n, double (*all)[3], double (**mine)[3])
{
    int64_t m = 0;

    cr_assert_eq(hg_mem_array(mine, (size_t)n + 1, sizeof **mine), HG_OK);
    for (int64_t i = comm->rank; i < n; i += comm->size) {
        for (int k = 0; k < 3; k++) {
            (*mine)[m][k] = all[i][k];
        }
        m++;
    }
    return m;
}

static void
measure_points(const hg_comm *comm, int64_t n_mesh, hg_precision precision, hg_kernel kernel,
               bool interlaced, double box, int64_t n, double (*all)[3], hg_los los,
               hg_fine *fine)
{
    hg_mesh *mesh = NULL;
    hg_density density;
    double(*mine)[3] = NULL;
    int64_t m = deal_points(comm, n, all, &mine);

    cr_assert_eq(
        hg_mesh_create(comm, &(hg_mesh_options){.n = n_mesh, .precision = precision}, &mesh),
        HG_OK);
    cr_assert_eq(hg_density_create(comm, mesh, kernel, interlaced, box, m,
                                   (const double(*)[3])mine, NULL, &density),
                 HG_OK);
    cr_assert_eq(hg_fine_measure(comm, mesh, &density, NULL, density.weight_sum2, los, fine),
                 HG_OK);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
    hg_mem_free(mine);
}

static void
random_points(uint64_t seed, int64_t n, double box, double (*point)[3])
{
    for (int64_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(seed, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            point[i][k] = box * hg_stream_uniform(&s);
        }
    }
}

/* Window-corrected |delta|^2 of every owned mode. */
static double
mode_power(const hg_mesh *mesh, const hg_density *density, const hg_window *window, int64_t x,
           int64_t y, int64_t z)
{
    double mode[2], w = window->w[x] * window->w[y] * window->w[z];

    hg_mesh_mode(mesh, density->mode, x, y, z, mode);
    return (mode[0] * mode[0] + mode[1] * mode[1]) / (w * w) /
           (density->weight_sum * density->weight_sum);
}

/* One point anywhere has |delta|^2 = 1 in every mode, two points (1 + cos k.d) / 2. The limits
 * are those measured for PCS with interlacing; a wrong sign of the phase fails all of them. */
Test(power, one_and_two_points_have_their_exact_power)
{
    static const double reach[] = {0.3, 0.5, 0.7, 0.85, 0.95};
    static const double limit[] = {1e-4, 1e-3, 5e-3, 1.2e-2, 2e-2};
    const int64_t n = 32;
    hg_mesh *mesh = NULL;
    hg_window window;

    all_assert(hg_mesh_create(&world,
                              &(hg_mesh_options){.n = n, .precision = HG_PRECISION_DOUBLE},
                              &mesh) == HG_OK);
    all_assert(hg_window_init(&window, n, HG_KERNEL_PCS) == HG_OK);
    for (int test = 0; test < 6; test++) {
        double point[2][3], worst[5] = {0};
        int n_point = test < 3 ? 1 : 2;
        hg_density density;

        random_points(100 + (uint64_t)test, 2, 1.0, point);
        all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 1.0,
                                     world.rank == world.size - 1 ? n_point : 0,
                                     (const double(*)[3])point, NULL, &density) == HG_OK);
        for (int64_t r = 0; r < mesh->n_ky * n; r++) {
            for (int64_t z = 0; z < n / 2; z++) {
                int64_t x = r % n, y = mesh->ky_first + r / n;
                double k[3] = {(double)hg_wave_number(x, n), (double)hg_wave_number(y, n),
                               (double)z};
                double size = sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]) / (0.5 * (double)n),
                       phase = 0;
                double p = mode_power(mesh, &density, &window, x, y, z), expected = 1;

                for (int d = 0; d < 3; d++) {
                    phase += 2 * M_PI * k[d] * (point[0][d] - point[1][d]);
                }
                if (n_point == 2) {
                    expected = (1 + cos(phase)) / 2;
                }
                for (int b = 4; b >= 0 && size < reach[b]; b--) {
                    worst[b] = fmax(worst[b], fabs(p - expected));
                }
            }
        }
        for (int b = 0; b < 5; b++) {
            all_assert(worst[b] < limit[b]);
        }
        hg_density_clear(&density);
    }
    hg_window_clear(&window);
    hg_mesh_free(mesh);
}

/* A lattice of m^3 points has power at reciprocal vectors only: V there, -V/n elsewhere. */
Test(power, a_lattice_has_power_at_reciprocal_vectors_only)
{
    enum { M = 8 };
    const double box = 40;
    double(*point)[3] = NULL;
    double v = box * box * box, shot = v / (M * M * M);
    hg_fine fine;

    all_assert(hg_mem_array(&point, M * M * M, sizeof *point) == HG_OK);
    for (int i = 0; i < M * M * M; i++) {
        point[i][0] = box / M * (i / M / M);
        point[i][1] = box / M * (i / M % M);
        point[i][2] = box / M * (i % M);
    }
    measure_points(&world, 32, HG_PRECISION_DOUBLE, HG_KERNEL_PCS, true, box, M * M * M, point,
                   HG_LOS_NONE, &fine);
    for (int64_t n2 = 1; n2 <= 100; n2++) {
        const double *bin = fine.sum + n2 * fine.n_sum;
        double expected = n2 == 64 ? 6 * v : 0; /* (8, 0, 0) and the like */

        all_assert(fabs(bin[HG_FINE_P0] + bin[HG_FINE_SHOT] - expected) <
                   (n2 == 64 ? 1e-2 : 1e-9) * v);
        all_assert(fabs(bin[HG_FINE_SHOT] - shot * bin[HG_FINE_MODES]) <=
                   2e-2 * shot * bin[HG_FINE_MODES]);
    }
    hg_fine_clear(&fine);
    hg_mem_free(point);
}

/* For Poisson points the raw power of each mode is exponential around S with its exact aliases,
 * so (P - S)/sigma averages to 0 for all kernels, with and without the second mesh. */
Test(power, poisson_points_have_exactly_the_aliased_shot_noise)
{
    enum { N = 4000 };
    double(*point)[3] = NULL, edge[24];
    int n_bin = hg_bin_edges(0.5, 15.5, 1, 0, 24, edge);

    all_assert(n_bin == 15);
    all_assert(hg_mem_array(&point, N, sizeof *point) == HG_OK);
    random_points(5, N, 100, point);
    for (int kernel = 1; kernel <= 4; kernel++) {
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            double chi2 = 0;
            hg_fine fine;
            hg_power power;

            measure_points(&world, 32, HG_PRECISION_FLOAT, (hg_kernel)kernel, interlaced, 100,
                           N, point, HG_LOS_NONE, &fine);
            all_assert(hg_power_bin(&fine, n_bin, edge, &power) == HG_OK);
            for (int i = 0; i < n_bin; i++) {
                double pull =
                    power.p[0][i] / (power.shot[i] * sqrt(2.0 / (double)power.modes[i]));

                chi2 += pull * pull;
            }
            /* 15 bins: chance of more than 37.7 is 0.001; without aliases NGP exceeds 1000 */
            cr_expect(chi2 > 3 && chi2 < 37.7, "kernel %d, interlaced %d: chi2 %g", kernel,
                      interlaced, chi2);
            hg_power_clear(&power);
            hg_fine_clear(&fine);
        }
    }
    hg_mem_free(point);
}

Test(power, modes_are_counted_as_integers)
{
    static const int64_t independent[] = {9, 31, 49, 105, 175, 225, 301, 381};
    double point[1][3] = {{0.1, 0.2, 0.3}}, edge[24] = {0}, all = 0;
    hg_fine fine;
    hg_power power;

    measure_points(&world, 20, HG_PRECISION_DOUBLE, HG_KERNEL_CIC, false, 1, 1, point,
                   HG_LOS_NONE, &fine);
    all_assert(hg_power_bin(&fine, hg_bin_edges(0.5, 8.5, 1, 0, 24, edge), edge, &power) ==
               HG_OK);
    for (int i = 0; i < 8; i++) {
        all_assert(power.modes[i] == 2 * independent[i]);
    }
    hg_power_clear(&power);
    /* modes on an edge belong to the upper bin, also for edges that carry rounding */
    all_assert(hg_power_edge_square(3) == 9);
    all_assert(hg_power_edge_square(0.1 * 3 * 10) == 9);
    all_assert(hg_power_edge_square(sqrt(6)) == 6);
    all_assert(hg_power_edge_square(2.5) == 7);
    all_assert(hg_power_bin(&fine, 3, (double[]){1, 1.1, 1.2, 1.5}, &power) == HG_OK);
    all_assert(power.modes[0] == 6 && power.modes[1] == 0 && power.modes[2] == 12);
    all_assert(isnan(power.p[0][1]) && isnan(power.k_mean[1]));
    hg_power_clear(&power);
    for (int n = 1; n <= 2; n++) { /* nothing is left behind without memory */
        const int64_t used = hg_mem_used();

        hg_mem_fail_at(n);
        all_assert(hg_power_bin(&fine, 1, (double[]){1, 2}, &power) == HG_E_MEMORY);
        hg_mem_fail_at(0);
        all_assert(hg_mem_used() == used);
    }
    hg_fine_clear(&fine);
    /* odd meshes have no Nyquist plane: all modes up to n^2 are there */
    measure_points(&world, 9, HG_PRECISION_DOUBLE, HG_KERNEL_CIC, true, 1, 1, point, HG_LOS_Z,
                   &fine);
    for (int64_t n2 = 0; n2 < fine.n_bin; n2++) {
        int64_t count = 0;

        for (int i = 0; i < 729; i++) {
            int x = i / 81 - 4, y = i / 9 % 9 - 4, z = i % 9 - 4;

            count += n2 > 0 && x * x + y * y + z * z == n2;
        }
        all += (double)count;
        all_assert(fine.sum[n2 * fine.n_sum + HG_FINE_MODES] == (double)count);
    }
    all_assert(all > 0);
    hg_fine_clear(&fine);
}

/* The same points on all sizes of communicator that fit into this run, and against one rank. */
Test(power, spectra_do_not_depend_on_the_number_of_ranks)
{
    enum { N = 5000 };
    const double box = 50;
    double(*point)[3] = NULL;

    all_assert(hg_mem_array(&point, N, sizeof *point) == HG_OK);
    random_points(9, N, box, point);
    for (int64_t i = N / 2; i < N; i++) { /* pairs, so that there is signal */
        for (int k = 0; k < 3; k++) {
            point[i][k] = point[i - N / 2][k] + 0.01 * (point[i][k] - box / 2);
        }
    }
    for (int64_t n = 4; n <= 36; n += 32) { /* four planes leave one of three ranks idle */
        /* 78 points per cell leave float no room for 1e-6 of the fluctuations */
        hg_precision precision = n == 4 ? HG_PRECISION_DOUBLE : HG_PRECISION_FLOAT;
        hg_fine all, one;
        hg_power p, q;
        hg_comm self;
        double edge[24];
        int n_bin = hg_bin_edges(1, 0.5 * (double)n, 1, 0, 24, edge);

        all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
        measure_points(&world, n, precision, HG_KERNEL_PCS, true, box, N, point, HG_LOS_Z,
                       &all);
        measure_points(&self, n, precision, HG_KERNEL_PCS, true, box, N, point, HG_LOS_Z, &one);
        for (int64_t i = 0; i < all.n_bin; i++) {
            all_assert(all.sum[i * all.n_sum] == one.sum[i * one.n_sum]);
        }
        all_assert(hg_power_bin(&all, n_bin, edge, &p) == HG_OK);
        all_assert(hg_power_bin(&one, n_bin, edge, &q) == HG_OK);
        for (int i = 0; i < n_bin; i++) {
            double limit = 1e-6 * (q.p[0][i] + q.shot[i]);

            all_assert(limit > 0 && q.modes[i] > 0);
            for (int l = 0; l < 3; l++) {
                all_assert(fabs(p.p[l][i] - q.p[l][i]) <= limit * (4 * l + 1));
            }
        }
        hg_power_clear(&p);
        hg_power_clear(&q);
        hg_fine_clear(&all);
        hg_fine_clear(&one);
        hg_comm_clear(&self);
    }
    hg_mem_free(point);
}

/* A cross spectrum of a sample with itself is its auto spectrum; disjoint halves of a Poisson
 * sample have none and no shot noise. */
Test(power, cross_spectra_have_the_shot_noise_of_common_objects)
{
    enum { N = 4000 };
    double(*point)[3] = NULL, edge[2] = {1, 15}, sigma;
    hg_mesh *mesh = NULL;
    hg_density a, b;
    hg_fine fine;
    hg_power power;
    int64_t first = N / 2 * world.rank / world.size,
            last = N / 2 * (world.rank + 1) / world.size;

    all_assert(hg_mem_array(&point, N, sizeof *point) == HG_OK);
    random_points(21, N, 100, point);
    all_assert(hg_mesh_create(&world,
                              &(hg_mesh_options){.n = 32, .precision = HG_PRECISION_DOUBLE},
                              &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_TSC, true, 100, last - first,
                                 (const double(*)[3])point + first, NULL, &a) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_TSC, true, 100, last - first,
                                 (const double(*)[3])point + N / 2 + first, NULL, &b) == HG_OK);
    all_assert(hg_fine_measure(&world, mesh, &a, &b, 0, HG_LOS_NONE, &fine) == HG_OK);
    all_assert(hg_power_bin(&fine, 1, edge, &power) == HG_OK);
    sigma = 1e6 / (N / 2) * sqrt(1.0 / (double)power.modes[0]);
    all_assert(power.shot[0] == 0);
    all_assert(fabs(power.p[0][0]) < 4 * sigma);
    all_assert(fabs(power.sigma[0][0] / sigma - 1) < 0.05);
    hg_power_clear(&power);
    hg_fine_clear(&fine);
    b.kernel = HG_KERNEL_PCS;
    all_assert(hg_fine_measure(&world, mesh, &a, &b, 0, HG_LOS_NONE, &fine) == HG_E_SHAPE);
    hg_density_clear(&a);
    hg_density_clear(&b);
    hg_mesh_free(mesh);
    hg_mem_free(point);
}

/* Whatever agreement fails on whatever rank, all ranks get the failure and nothing is left. */
Test(power, every_agreement_may_fail_on_every_rank)
{
    double(*point)[3] = NULL, (*mine)[3] = NULL;
    fault_loop f = {.on_each = true};
    int64_t m, used;

    all_assert(hg_mem_array(&point, 200, sizeof *point) == HG_OK);
    random_points(31, 200, 10, point);
    m = deal_points(&world, 200, point, &mine);
    used = hg_mem_used();
    while (fault_next(&f)) {
        hg_mesh *mesh = NULL;
        hg_density density = {0};
        hg_fine fine = {0};
        hg_status status = hg_mesh_create(&world, &(hg_mesh_options){.n = 8}, &mesh);

        if (status == HG_OK) {
            status = hg_density_create(&world, mesh, HG_KERNEL_CIC, true, 10, m,
                                       (const double(*)[3])mine, NULL, &density);
        }
        if (status == HG_OK) {
            status = hg_fine_measure(&world, mesh, &density, NULL, density.weight_sum2,
                                     HG_LOS_NONE, &fine);
        }
        fault_status(&f, status);
        hg_fine_clear(&fine);
        hg_density_clear(&density);
        hg_mesh_free(mesh);
        all_assert(hg_mem_used() == used);
    }
    all_assert(f.n_failed > 4 * world.size);
    hg_mem_free(mine);
    hg_mem_free(point);
}

/* Two points: P = V (1 + cos k.d) / 2 in every mode, put into wedges one by one. */
Test(power, wedges_hold_the_modes_of_their_angles)
{
    enum { MESH = 16, K_BINS = 3, MU_BINS = 5 };
    static const double point[2][3] = {{1, 2, 3}, {1.7, 2.4, 4.9}};
    static const double edge[K_BINS + 1] = {0.5, 2, 3.5, 5};
    const double box = 20, volume = box * box * box;
    const hg_mesh_options options = {.n = MESH, .precision = HG_PRECISION_DOUBLE};
    const int64_t first = world.rank == 0 ? 0 : 2, n = 2 - first;
    double modes[K_BINS][MU_BINS] = {{0}}, sum[K_BINS][MU_BINS] = {{0}};
    hg_mesh *mesh = NULL;
    hg_density density;
    hg_wedges wedges;

    for (int x = -7; x <= 7; x++) {
        for (int y = -7; y <= 7; y++) {
            for (int z = -7; z <= 7; z++) {
                const double k = sqrt((double)(x * x + y * y + z * z));
                const double phase = 2 * M_PI / box * (0.7 * x + 0.4 * y + 1.9 * z);
                int i = 0, j = 0;

                while (i < K_BINS && k >= edge[i + 1]) {
                    i++;
                }
                if (k < edge[0] || i == K_BINS) {
                    continue;
                }
                while (j < MU_BINS - 1 && MU_BINS * abs(y) >= (j + 1) * k) {
                    j++;
                }
                modes[i][j]++;
                sum[i][j] += 0.5 * volume * (1 + cos(phase));
            }
        }
    }
    all_assert(hg_mesh_create(&world, &options, &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, n, point + first, NULL,
                                 &density) == HG_OK);
    all_assert(hg_wedges_measure(&world, mesh, &density, NULL, density.weight_sum2, HG_LOS_Y,
                                 K_BINS, edge, MU_BINS, &wedges) == HG_OK);
    for (int i = 0; i < K_BINS; i++) {
        for (int j = 0; j < MU_BINS; j++) {
            const double *w = wedges.sum + 4 * (i * MU_BINS + j);

            all_assert(w[HG_FINE_MODES] == modes[i][j]);
            all_assert(fabs(w[HG_FINE_P0] + w[HG_FINE_SHOT] - sum[i][j]) <=
                       2e-3 * volume * modes[i][j]);
        }
    }
    hg_wedges_clear(&wedges);
    all_assert(hg_wedges_measure(&world, mesh, &density, NULL, 0, HG_LOS_Y, K_BINS, edge, 0,
                                 &wedges) == HG_E_ARG);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}
