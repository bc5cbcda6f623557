/* Pair counts against brute force, limits, and published counts of a galaxy box. */
#include "mpi_fault.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "stats/correlation.h"
#include "stats/pairs.h"
#include "stats/projected.h"
#include "store/h5.h"

MPI_SUITE(pairs);

enum { SECOND = 7 };

/* Points that exercise the edges of the box: uniform, clumped, some equal, some on faces. */
static void
make_points(int64_t n, double box, double point[][3], double weight[])
{
    for (int64_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(3, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            point[i][k] = box * hg_stream_uniform(&s);
            if (i % 3 == 1) {
                point[i][k] = point[i - 1][k] + 0.05 * hg_stream_normal(&s);
            }
        }
        if (i % 50 == 2) {
            memcpy(point[i], point[i - 1], sizeof point[i]);
        }
        if (i % 40 == 7) {
            point[i][i % 3] = i % 2 == 0 ? 0 : box;
        }
        weight[i] = 0.1 + hg_stream_uniform(&s);
    }
}

/* The share of rank r of n rows; the last rank of three has none. */
static int64_t
first_row(const hg_comm *comm, int64_t n, int r)
{
    int busy = comm->size > 2 ? comm->size - 1 : comm->size;

    return r >= busy ? n : n * r / busy;
}

static void
count_here(const hg_comm *comm, const hg_pairs_bins *bins, double box, int64_t n,
           const double point[][3], const double weight[], hg_pairs *pairs)
{
    int64_t first = first_row(comm, n, comm->rank), end = first_row(comm, n, comm->rank + 1);

    all_assert(hg_pairs_count(comm, bins, box, end - first, point + first,
                              weight != NULL ? weight + first : NULL, pairs) == HG_OK);
    all_assert(pairs->objects == n);
}

/* Slow and obvious: all pairs, nearest images, bins by a loop over edges. */
static void
brute_force(const hg_pairs_bins *b, double box, int64_t n, const double point[][3],
            const double weight[], int64_t count[], double sum[], int64_t *zero)
{
    *zero = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            double d[3], across, along, s;

            for (int k = 0; k < 3; k++) {
                d[k] = remainder(point[i][k] - point[j][k], box);
            }
            if (i == j) {
                continue;
            }
            const int los = b->los == HG_LOS_X ? 0 : b->los == HG_LOS_Y ? 1 : 2;

            along = fabs(d[los]);
            across = hypot(d[(los + 1) % 3], d[(los + 2) % 3]);
            s = hypot(across, along);
            *zero += s == 0;
            const double r = b->kind == HG_PAIRS_RP_PI ? across : s;
            int second = 0;

            if (b->kind == HG_PAIRS_S_MU) {
                second = s > 0 ? (int)(along / s * b->n_second) : 0;
                second = second < b->n_second ? second : b->n_second - 1;
            } else if (b->kind == HG_PAIRS_RP_PI) {
                second = (int)(along / b->pi_max * b->n_second);
            }
            for (int k = 0; k < b->n; k++) {
                if (r >= b->edge[k] && r < b->edge[k + 1] && second < b->n_second) {
                    count[k * b->n_second + second]++;
                    sum[k * b->n_second + second] += weight[i] * weight[j];
                }
            }
        }
    }
}

static void
check_against_brute_force(const hg_pairs_bins *bins, double box, int64_t n,
                          const double point[][3], const double weight[])
{
    const int64_t n_bin = (int64_t)bins->n * bins->n_second;
    int64_t *count = NULL, zero, total = 0;
    double *sum = NULL;
    hg_pairs plain, weighted;

    cr_assert_eq(hg_mem_zeros(&count, (size_t)n_bin, sizeof *count), HG_OK);
    cr_assert_eq(hg_mem_zeros(&sum, (size_t)n_bin, sizeof *sum), HG_OK);
    brute_force(bins, box, n, point, weight, count, sum, &zero);
    count_here(&world, bins, box, n, point, NULL, &plain);
    count_here(&world, bins, box, n, point, weight, &weighted);
    all_assert(plain.zero == zero && weighted.zero == zero && zero > 0);
    all_assert(plain.weight == NULL && fabs(plain.weight_sum - (double)n) < 1e-9);
    for (int64_t k = 0; k < n_bin; k++) {
        all_assert(plain.count[k] == count[k]);
        all_assert(weighted.count[k] == count[k]);
        all_assert(fabs(weighted.weight[k] - sum[k]) <= 1e-9 * (1 + sum[k]));
        total += count[k];
    }
    all_assert(total > 100);
    hg_pairs_clear(&plain);
    hg_pairs_clear(&weighted);
    hg_mem_free(sum);
    hg_mem_free(count);
}

Test(pairs, counts_are_those_of_brute_force)
{
    static const double edge[] = {0, 0.02, 0.1, 0.3, 0.5, 0.8, 1.5};
    enum { N = 700 };
    const double box = 3;
    static double point[N][3], weight[N];

    make_points(N, box, point, weight);
    for (int kind = HG_PAIRS_R; kind <= HG_PAIRS_RP_PI; kind++) {
        /* a few wide bins reach half the box, many narrow ones need several passes */
        for (int from = 0; from < 2; from++) {
            hg_pairs_bins bins = {.kind = (hg_pairs_kind)kind,
                                  .n = 6 - 3 * from,
                                  .edge = edge + from,
                                  .n_second = kind == HG_PAIRS_R ? 1 : SECOND - 6 * from,
                                  .pi_max = 1.5 - from,
                                  .los = (hg_los)(from + kind == 2 ? HG_LOS_X : HG_LOS_Z)};

            check_against_brute_force(&bins, box, N, (const double(*)[3])point, weight);
        }
    }
}

Test(pairs, few_points_are_counted)
{
    static const double edge[] = {0.1, 0.4, 0.6, 1.5}, from_zero[] = {0, 0.5, 1.5};
    static const double two[][3] = {{0, 0, 0}, {0, 0, 0.5}};
    static double same[200][3];
    hg_pairs_bins bins = {.n = 3, .edge = edge, .n_second = 1};
    hg_pairs pairs;

    count_here(&world, &bins, 3, 2, two, NULL, &pairs);
    all_assert(pairs.count[0] == 0 && pairs.count[1] == 2 && pairs.count[2] == 0);
    all_assert(isnan(hg_pairs_xi(&pairs, 0, 0)) && isnan(hg_pairs_xi_error(&pairs, 0, 0)));
    all_assert(fabs(hg_pairs_random(&pairs, 1, 0) - 2 * 4 * M_PI / 3 * (0.216 - 0.064) / 27) <
               1e-14);
    hg_pairs_clear(&pairs);
    for (int n = 0; n < 2; n++) {
        count_here(&world, &bins, 3, n, two, NULL, &pairs);
        all_assert(pairs.count[0] + pairs.count[1] + pairs.count[2] + pairs.zero == 0);
        all_assert(isnan(hg_pairs_xi(&pairs, 2, 0)));
        hg_pairs_clear(&pairs);
    }
    for (int i = 0; i < 200; i++) {
        same[i][0] = same[i][1] = 1;
        same[i][2] = 1 + 3 * (i % 3); /* copies of one point */
    }
    count_here(&world, &bins, 3, 200, (const double(*)[3])same, NULL, &pairs);
    all_assert(pairs.zero == 200 * 199 && pairs.count[0] == 0 && pairs.count[2] == 0);
    hg_pairs_clear(&pairs);
    bins.n = 2;
    bins.edge = from_zero;
    count_here(&world, &bins, 3, 200, (const double(*)[3])same, NULL, &pairs);
    all_assert(pairs.zero == 200 * 199 && pairs.count[0] == 200 * 199);
    hg_pairs_clear(&pairs);
}

Test(pairs, wrong_bins_and_positions_are_refused)
{
    static const double edge[] = {0.1, 0.4, 1.6}, falling[] = {0.4, 0.1, 1};
    double point[1][3] = {{0, 0, 0}};
    hg_pairs_bins bins = {.n = 2, .edge = edge, .n_second = 1};
    fault_loop f = {.on_each = true};
    hg_pairs pairs;

    all_assert(hg_pairs_count(&world, &bins, 3, 1, (const double(*)[3])point, NULL, &pairs) ==
               HG_E_ARG);
    all_assert(strstr(hg_error_last()->message, "half the box") != NULL);
    bins.edge = falling;
    all_assert(hg_pairs_count(&world, &bins, 3, 1, (const double(*)[3])point, NULL, &pairs) ==
               HG_E_ARG);
    bins.edge = edge;
    point[0][1] = world.rank == world.size - 1 ? (double)NAN : 0;
    all_assert(hg_pairs_count(&world, &bins, 10, 1, (const double(*)[3])point, NULL, &pairs) ==
               HG_E_INPUT);
    all_assert(pairs.count == NULL);
    point[0][1] = 0;
    while (fault_next(&f)) { /* a fault on one rank stops all of them */
        fault_status(
            &f, hg_pairs_count(&world, &bins, 10, 1, (const double(*)[3])point, NULL, &pairs));
        hg_pairs_clear(&pairs);
    }
    all_assert(f.n_failed > 2 * world.size);
}

/* Whole world, halves and single ranks must agree to the last bit, weights included. */
Test(pairs, parts_of_the_world_count_alike)
{
    static const double edge[] = {0.01, 0.1, 0.4, 0.9};
    enum { N = 3000 };
    static double point[N][3], weight[N];
    const hg_pairs_bins bins = {
        .kind = HG_PAIRS_S_MU, .n = 3, .edge = edge, .n_second = 5, .los = HG_LOS_Y};
    hg_pairs all, part;
    hg_comm comm;

    make_points(N, 4, point, weight);
    count_here(&world, &bins, 4, N, (const double(*)[3])point, weight, &all);
    for (int width = 1; width <= 2; width++) {
        all_assert(hg_comm_split(&world, world.rank / width, &comm) == HG_OK);
        count_here(&comm, &bins, 4, N, (const double(*)[3])point, weight, &part);
        all_assert(memcmp(all.count, part.count, 15 * sizeof *all.count) == 0);
        all_assert(memcmp(all.weight, part.weight, 15 * sizeof *all.weight) == 0);
        all_assert(all.weight_sum == part.weight_sum && all.zero == part.zero);
        hg_pairs_clear(&part);
        hg_comm_clear(&comm);
    }
    all_assert(all.count[3] > 0 && all.balance < 1.5);
    hg_pairs_clear(&all);
}

/* Clumps of 4 Mpc around 100 places: signal far above noise where mesh and pairs meet. */
Test(pairs, mesh_and_pairs_agree_between_six_and_ten_cells)
{
    enum { N = 20000 };
    const double box = 100, cell = box / 64;
    const double edge[] = {6 * cell, 7 * cell, 8 * cell, 9 * cell, 10 * cell};
    const hg_pairs_bins bins = {.n = 4, .edge = edge, .n_second = 1};
    const int64_t first = first_row(&world, N, world.rank);
    const int64_t n = first_row(&world, N, world.rank + 1) - first;
    static double point[N][3];
    hg_mesh *mesh = NULL;
    hg_density density;
    hg_fine fine;
    hg_pairs pairs;
    hg_overlap overlap;

    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(9, 0, (uint64_t)i % 100, HG_PURPOSE_HALO);
        hg_stream own = hg_stream_start(9, 1, (uint64_t)i, HG_PURPOSE_GALAXY);

        for (int k = 0; k < 3; k++) {
            point[i][k] = box * hg_stream_uniform(&s) + 4 * hg_stream_normal(&own);
        }
    }
    const double(*mine)[3] = (const double(*)[3])point + first;

    all_assert(hg_mesh_create(&world,
                              &(hg_mesh_options){.n = 64, .precision = HG_PRECISION_DOUBLE},
                              &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, n, mine, NULL,
                                 &density) == HG_OK);
    all_assert(hg_fine_measure(&world, mesh, &density, NULL, density.weight_sum2, HG_LOS_NONE,
                               &fine) == HG_OK);
    all_assert(hg_pairs_count(&world, &bins, box, n, mine, NULL, &pairs) == HG_OK);
    all_assert(hg_pairs_xi(&pairs, 0, 0) > 50 * hg_pairs_xi_error(&pairs, 0, 0));
    all_assert(hg_correlation_overlap(&fine, &pairs, 0, edge[0], edge[4], &overlap) == HG_OK);
    all_assert(overlap.n == 2 && overlap.chi2 < 4 && overlap.worst < 3);
    for (int64_t i = 0; i < fine.n_bin; i++) { /* half the power is not the same field */
        fine.sum[i * fine.n_sum + HG_FINE_P0] *= 0.5;
    }
    all_assert(hg_correlation_overlap(&fine, &pairs, 0, edge[0], edge[4], &overlap) == HG_OK);
    all_assert(overlap.n == 2 && overlap.chi2 > 100);
    hg_pairs_clear(&pairs);
    hg_fine_clear(&fine);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}

static FILE *
open_golden(const char *name)
{
    const char *folder = getenv("HG_DATA");
    char path[4096];
    FILE *file;

    cr_assert_eq(hg_text_path(sizeof path, path, "%s/clustering/%s",
                              folder != NULL ? folder : "none", name),
                 HG_OK);
    file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "SKIPPED: golden data '%s' is absent, set HG_DATA\n", path);
    }
    return file;
}

/* Next line that is not a comment, as numbers. */
static int
read_numbers(FILE *file, double v[6])
{
    char line[512];

    while (fgets(line, sizeof line, file) != NULL) {
        int n = sscanf(line, "%lf %lf %lf %lf %lf %lf", v, v + 1, v + 2, v + 3, v + 4, v + 5);

        if (n > 0) {
            return n;
        }
    }
    return 0;
}

static void
read_box(int64_t n, int64_t *m, double (**point)[3])
{
    int64_t first = n * world.rank / world.size;
    char path[4096];
    hg_h5 *file = NULL;

    *m = n * (world.rank + 1) / world.size - first;
    cr_assert_eq(
        hg_text_path(sizeof path, path, "%s/clustering/test_box.hdf5", getenv("HG_DATA")),
        HG_OK);
    all_assert(hg_mem_array(point, (size_t)*m, sizeof **point) == HG_OK);
    all_assert(hg_h5_open(path, &file) == HG_OK);
    all_assert(hg_h5_read(file, "xyz", first, *m, HG_F64, *point) == HG_OK);
    all_assert(hg_h5_close(file) == HG_OK);
}

static const double golden_edge[] = {2,  3,  5,  7,  10, 15,  20,  30,
                                     40, 50, 60, 75, 90, 110, 130, 150};
enum { GOLDEN = 15, GOLDEN_MU = 20 };

static void
check_distances(const double point[][3], int64_t m, FILE *file)
{
    const hg_pairs_bins bins = {.n = GOLDEN, .edge = golden_edge, .n_second = 1};
    hg_pairs pairs;
    double v[6];

    all_assert(hg_pairs_count(&world, &bins, 2600, m, point, NULL, &pairs) == HG_OK);
    for (int i = 0; i < GOLDEN; i++) {
        all_assert(read_numbers(file, v) == 6);
        all_assert(pairs.count[i] == (int64_t)v[3]);
        all_assert(fabs(hg_pairs_xi(&pairs, i, 0) - v[4]) < 1e-6 * fabs(v[4]));
    }
    all_assert(pairs.zero == 0);
    hg_pairs_clear(&pairs);
}

static void
check_mu(const double point[][3], int64_t m, FILE *file, FILE *poles)
{
    const hg_pairs_bins bins = {.kind = HG_PAIRS_S_MU,
                                .n = GOLDEN,
                                .edge = golden_edge,
                                .n_second = GOLDEN_MU,
                                .los = HG_LOS_Z};
    hg_pairs pairs;
    double v[6], xi[3][GOLDEN];

    all_assert(hg_pairs_count(&world, &bins, 2600, m, point, NULL, &pairs) == HG_OK);
    for (int j = 0; j < GOLDEN_MU; j++) {
        for (int i = 0; i < GOLDEN; i++) {
            all_assert(read_numbers(file, v) == 5);
            all_assert(pairs.count[i * GOLDEN_MU + j] == llround(v[4] * 5393653922.0));
        }
    }
    hg_pairs_multipoles(&pairs, HG_LEGENDRE_MIDPOINT, xi[0], NULL);
    for (int i = 0; i < GOLDEN; i++) {
        all_assert(read_numbers(poles, v) == 6);
        for (int l = 0; l < 3; l++) {
            all_assert(fabs(xi[l][i] - v[3 + l]) < 1e-9);
        }
    }
    hg_pairs_clear(&pairs);
}

static void
check_projected(const double point[][3], int64_t m, FILE *file)
{
    double v[6], wp[GOLDEN], error[GOLDEN];
    int64_t count[GOLDEN];

    for (int n = 1; n <= 4; n += 3) { /* one bin of pi, or several: the same sums */
        const hg_pairs_bins bins = {.kind = HG_PAIRS_RP_PI,
                                    .n = GOLDEN,
                                    .edge = golden_edge,
                                    .n_second = n,
                                    .pi_max = 80,
                                    .los = HG_LOS_Z};
        hg_pairs pairs;

        rewind(file);
        all_assert(hg_pairs_count(&world, &bins, 2600, m, point, NULL, &pairs) == HG_OK);
        hg_pairs_projected(&pairs, wp, error, count);
        for (int i = 0; i < GOLDEN; i++) {
            all_assert(read_numbers(file, v) == 6);
            all_assert(count[i] == (int64_t)v[3]);
            all_assert(fabs(wp[i] - v[4]) < 1e-5);
            all_assert(fabs(error[i] - (wp[i] + 160) / sqrt(0.5 * v[3])) < 1e-9 * error[i]);
        }
        hg_pairs_clear(&pairs);
    }
}

Test(pairs, galaxies_of_a_box_have_the_published_counts)
{
    static const char *const names[] = {
        "testbox_corrfunc_xi_double.txt", "testbox_fcfc_DD_smu20.txt",
        "testbox_fcfc_xi_multipoles.txt", "testbox_corrfunc_wp_pimax80_double.txt"};
    FILE *file[4] = {NULL};
    double(*point)[3] = NULL;
    int64_t m;
    bool all = true;

    for (int i = 0; i < 4; i++) {
        file[i] = open_golden(names[i]);
        all = all && file[i] != NULL;
    }
    if (all) {
        read_box(73442, &m, &point);
        check_distances((const double(*)[3])point, m, file[0]);
        check_mu((const double(*)[3])point, m, file[1], file[2]);
        check_projected((const double(*)[3])point, m, file[3]);
        hg_mem_free(point);
    }
    for (int i = 0; i < 4; i++) {
        if (file[i] != NULL) {
            fclose(file[i]);
        }
    }
}
