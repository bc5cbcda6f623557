/* ranks: 7 */
#include "mpi_test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "stats/correlation.h"
#include "stats/power.h"

MPI_SUITE(reproducible);

enum { N_POINT = 3000 };
static const double box = 30;

/* Pairs of points with weights, dealt so that the last rank of several has none. */
static int64_t
deal_points(const hg_comm *comm, double (*position)[3], double *weight)
{
    const int share = comm->size > 1 ? comm->size - 1 : 1;
    int64_t n = 0;

    for (int64_t i = comm->rank; i < N_POINT && comm->rank < share; i += share) {
        hg_stream s = hg_stream_start(17, 0, (uint64_t)(i / 2), HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            position[n][k] = box * hg_stream_uniform(&s) + (i % 2 == 0 ? 0 : 0.05 * k);
        }
        weight[n++] = 0.1 + 3 * hg_stream_uniform(&s);
    }
    return n;
}

/* Sums over modes, and over wedges where they are wanted. */
static void
measure_both(const hg_comm *comm, const hg_mesh_options *options, bool weighted, hg_fine *fine,
             hg_wedges *wedges)
{
    static const double edge[] = {0.5, 1.2, 3, 7};
    static double position[N_POINT][3], weight[N_POINT];
    const int64_t n = deal_points(comm, position, weight);
    hg_mesh *mesh = NULL;
    hg_density density;

    cr_assert_eq(hg_mesh_create(comm, options, &mesh), HG_OK);
    cr_assert_eq(hg_density_create(comm, mesh, HG_KERNEL_PCS, true, box, n,
                                   (const double(*)[3])position, weighted ? weight : NULL,
                                   &density),
                 HG_OK);
    cr_assert_eq(
        hg_fine_measure(comm, mesh, &density, NULL, density.weight_sum2, HG_LOS_Y, fine),
        HG_OK);
    if (wedges != NULL) {
        cr_assert_eq(hg_wedges_measure(comm, mesh, &density, NULL, density.weight_sum2,
                                       HG_LOS_Z, 3, edge, 5, wedges),
                     HG_OK);
    }
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}

static void
measure(const hg_comm *comm, const hg_mesh_options *options, bool weighted, hg_fine *fine)
{
    measure_both(comm, options, weighted, fine, NULL);
}

/* Bits of the sums, of binned spectra and of xi(r). */
static uint64_t
hash_statistics(const hg_fine *fine)
{
    double edge[32], shell[4] = {8, 10, 12, 15}, xi[3], sigma[3];
    uint64_t hash[5] = {hg_hash_bytes(fine->sum, (size_t)(fine->n_bin * fine->n_sum) * 8)};
    hg_power power;

    cr_assert_eq(hg_power_bin(fine,
                              hg_bin_edges(0.5, 0.45 * (double)fine->mesh, 1, 0.1, 32, edge),
                              edge, &power),
                 HG_OK);
    for (int l = 0; l < 3; l++) {
        hash[1 + l] = hg_hash_bytes(power.p[l], (size_t)power.n * 8);
    }
    hg_power_clear(&power);
    cr_assert_eq(hg_correlation_shells(fine, 0, 3, shell, xi, sigma), HG_OK);
    hash[4] = hg_hash_bytes(xi, sizeof xi);
    return hg_hash_bytes(hash, sizeof hash);
}

/* Hash of what the first `size` ranks find; ranks outside of them get that of rank 0. */
static uint64_t
hash_of_ranks(int size, const hg_mesh_options *options, bool weighted)
{
    uint64_t hash = 0;
    hg_comm part = {0};

    all_assert(hg_comm_split(&world, world.rank < size ? 0 : -1, &part) == HG_OK);
    if (part.size > 0) {
        hg_fine fine;
        hg_wedges wedges;

        measure_both(&part, options, weighted, &fine, &wedges);
        hash =
            hash_statistics(&fine) ^ hg_hash_bytes(wedges.sum, 5 * 3 * 5 * sizeof *wedges.sum);
        cr_assert(wedges.sum[HG_FINE_MODES] > 0 && wedges.k_sum[0] > 0);
        hg_wedges_clear(&wedges);
        hg_fine_clear(&fine);
    }
    hg_comm_clear(&part);
    hg_comm_broadcast(&world, 0, &hash, sizeof hash);
    return hash;
}

/* Ranks 1, 2, 3, 5, 7 in all grids, odd and even meshes, more ranks than planes, one and three
 * threads, and with measured plans of the same process around: the same bits. */
static void
check_bits(int64_t n, hg_precision precision, bool weighted)
{
    static const int grids[][2] = {{1, 1}, {2, 1}, {1, 2}, {3, 1}, {1, 3}, {5, 1}, {1, 5},
                                   {2, 2}, {7, 1}, {1, 7}, {2, 3}, {3, 2}, {0, 0}};
    static const int sizes[] = {1, 2, 2, 3, 3, 5, 5, 5, 7, 7, 7, 7, 7};
    hg_mesh_options o = {.n = n, .precision = precision, .reproducible = true};
    uint64_t alone = 0;

    for (int g = 0; g < 13; g++) {
        uint64_t hash;

        memcpy(o.grid, grids[g], sizeof o.grid);
        hash = hash_of_ranks(sizes[g], &o, weighted);
        alone = g == 0 ? hash : alone;
        all_assert(hash == alone);
    }
    omp_set_num_threads(3);
    o.effort = HG_EFFORT_MEASURE; /* ignored */
    all_assert(hash_of_ranks(2, &o, weighted) == alone);
    omp_set_num_threads(1);
}

Test(reproducible, bits_are_the_same_for_all_ranks_grids_and_threads)
{
    const hg_mesh_options learnt = {
        .n = 16, .effort = HG_EFFORT_MEASURE, .backend = HG_BACKEND_PENCIL};
    hg_mesh *mesh = NULL;

    check_bits(16, HG_PRECISION_FLOAT, true);
    all_assert(hg_mesh_create(&world, &learnt, &mesh) == HG_OK);
    hg_mesh_free(mesh);
    check_bits(16, HG_PRECISION_FLOAT, false);
    check_bits(15, HG_PRECISION_DOUBLE, true);
    check_bits(4, HG_PRECISION_DOUBLE, true);
}

/* Measured plans and slabs, the fast path, on more ranks than planes too, agree with the exact
 * sums to 1e-6 of P + S. */
static void
check_fast_path(int64_t n, hg_precision precision)
{
    hg_mesh_options o = {.n = n, .precision = precision, .reproducible = true};
    hg_fine exact, fast;
    hg_power p, q;
    double edge[32];
    int n_bin = hg_bin_edges(1, 0.5 * (double)n - (n > 4 ? 1 : 0), 1, 0, 32, edge);

    measure(&world, &o, true, &exact);
    all_assert(hg_power_bin(&exact, n_bin, edge, &p) == HG_OK);
    o.reproducible = false;
    for (int b = HG_BACKEND_SLAB; b <= HG_BACKEND_PENCIL; b++) {
        for (int effort = HG_EFFORT_ESTIMATE; effort <= HG_EFFORT_MEASURE; effort++) {
            o.backend = (hg_backend)b;
            o.effort = (hg_effort)effort;
            measure(&world, &o, true, &fast);
            all_assert(hg_power_bin(&fast, n_bin, edge, &q) == HG_OK);
            for (int i = 0; i < n_bin; i++) {
                all_assert(p.modes[i] == q.modes[i] && p.modes[i] > 0);
                all_assert(fabs(p.shot[i] / q.shot[i] - 1) < 1e-8);
                for (int l = 0; l < 3; l++) {
                    all_assert(fabs(p.p[l][i] - q.p[l][i]) <=
                               1e-6 * (4 * l + 1) * (p.p[0][i] + p.shot[i]));
                }
            }
            hg_power_clear(&q);
            hg_fine_clear(&fast);
        }
    }
    hg_power_clear(&p);
    hg_fine_clear(&exact);
}

Test(reproducible, the_fast_path_agrees_with_it)
{
    hg_mesh_options o = {.n = 32, .reproducible = true};

    check_fast_path(32, HG_PRECISION_FLOAT);
    check_fast_path(4, HG_PRECISION_DOUBLE);
    o.backend = HG_BACKEND_SLAB;
    o.reproducible = true;
    hg_mesh *mesh = NULL;

    all_assert(hg_mesh_create(&world, &o, &mesh) == HG_E_ARG && mesh == NULL);
}

/* Nothing to paint, all points in one place, all weights zero: errors or exact answers. */
Test(reproducible, degenerate_samples_have_defined_results)
{
    for (int exact = 0; exact < 2; exact++) {
        const hg_mesh_options o = {
            .n = 12, .precision = HG_PRECISION_DOUBLE, .reproducible = exact};
        double same[5][3], none[5] = {0};
        hg_mesh *mesh = NULL;
        hg_density density;
        hg_fine fine;

        for (int i = 0; i < 5; i++) {
            same[i][0] = 1;
            same[i][1] = 2;
            same[i][2] = 29.9999;
        }
        all_assert(hg_mesh_create(&world, &o, &mesh) == HG_OK);
        all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, 0, NULL, NULL,
                                     &density) == HG_E_INPUT);
        all_assert(strstr(hg_error_last()->message, "no object") != NULL);
        all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, 5,
                                     (const double(*)[3])same, none, &density) == HG_E_INPUT);
        all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box,
                                     world.rank == 3 ? 5 : 0, (const double(*)[3])same, NULL,
                                     &density) == HG_OK);
        all_assert(hg_fine_measure(&world, mesh, &density, NULL, density.weight_sum2,
                                   HG_LOS_NONE, &fine) == HG_OK);
        /* |delta|^2 = 1 up to the kernel, so P = V (1 - 1/5) */
        for (int64_t n2 = 1; n2 <= 3; n2++) {
            const double *bin = fine.sum + n2 * fine.n_sum;

            all_assert(fabs(bin[HG_FINE_P0] / bin[HG_FINE_MODES] / (box * box * box) - 0.8) <
                       1e-3);
        }
        hg_fine_clear(&fine);
        hg_density_clear(&density);
        hg_mesh_free(mesh);
    }
}
