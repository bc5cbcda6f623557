/* The jackknife against its definition by brute force, against known variances, and identities.
 */
#include "mpi_fault.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/jackknife.h"
#include "stats/projected.h"

MPI_SUITE(jackknife);

enum { SIDE = 3, R = SIDE * SIDE * SIDE, BINS = 4, SECOND = 5, POLES = 3 };

static const double box = 3, edge[BINS + 1] = {0.05, 0.15, 0.3, 0.45, 0.6};
static const double pi_max = 0.7;

/* Uniform points (clumps = 0), or points in Gaussian clumps. */
static void
make_points(uint64_t seed, int n, int clumps, double point[][3], double weight[])
{
    for (int i = 0; i < n; i++) {
        hg_stream own = hg_stream_start(seed, 1, (uint64_t)i, HG_PURPOSE_GALAXY);
        const uint64_t home = (uint64_t)(hg_stream_uniform(&own) * clumps);
        hg_stream clump = hg_stream_start(seed, 2, home, HG_PURPOSE_HALO);

        for (int k = 0; k < 3; k++) {
            point[i][k] = clumps > 0
                              ? box * hg_stream_uniform(&clump) + 0.1 * hg_stream_normal(&own)
                              : box * hg_stream_uniform(&own);
        }
        if (weight != NULL) {
            weight[i] = 0.2 + hg_stream_uniform(&own);
        }
    }
}

static hg_cells_points
deal(const hg_comm *comm, int n, const double point[][3], const double weight[])
{
    const int low = n * comm->rank / comm->size, high = n * (comm->rank + 1) / comm->size;

    return (hg_cells_points){.n = high - low,
                             .position = point + low,
                             .weight = weight != NULL ? weight + low : NULL};
}

static hg_pairs_bins
make_bins(int kind, hg_los los)
{
    return (hg_pairs_bins){.kind = (hg_pairs_kind)kind,
                           .n = BINS,
                           .edge = edge,
                           .n_second = kind == HG_PAIRS_R ? 1 : SECOND,
                           .pi_max = pi_max,
                           .los = los};
}

/* Count and cut in one go. */
static void
cut(const hg_comm *comm, hg_pairs_task *task, hg_jackknife *jackknife, hg_pairs *pairs)
{
    task->box = box;
    task->regions = SIDE;
    cr_assert_eq(hg_pairs_measure(comm, task, pairs), HG_OK);
    cr_assert_eq(hg_jackknife_add(comm, task, pairs, jackknife), HG_OK);
}

/* Bin of a separation, or -1, and its mu; slow and obvious. */
static int
bin_of(int kind, int los, const double x[3], const double y[3], double *mu)
{
    double d[3];

    for (int k = 0; k < 3; k++) {
        d[k] = remainder(x[k] - y[k], box);
    }
    const double along = fabs(d[los]), across = hypot(d[(los + 1) % 3], d[(los + 2) % 3]);
    const double s = kind == HG_PAIRS_RP_PI ? across : hypot(across, along);

    *mu = kind == HG_PAIRS_RP_PI ? 0 : along / s;
    for (int i = 0; i < BINS; i++) {
        if (s >= edge[i] && s < edge[i + 1]) {
            return kind == HG_PAIRS_RP_PI && along >= pi_max ? -1 : i;
        }
    }
    return -1;
}

static int
region_of(const double x[3])
{
    int place = 0;

    for (int k = 0; k < 3; k++) {
        place = place * SIDE + (int)((x[k] - box * floor(x[k] / box)) * SIDE / box);
    }
    return place;
}

/* Sums over x in a sample (or space) and y in another, by the region of x, and of both. */
typedef struct sums {
    double first[BINS][POLES][R], both[BINS][POLES][R];
} sums;

static void
add_sums(int kind, int los, int n, const double x[][3], const double wx[], int m,
         const double y[][3], const double wy[], double factor, sums *to)
{
    for (int i = world.rank; i < n; i += world.size) {
        for (int j = 0; j < m; j++) {
            double mu, w = (wx != NULL ? wx[i] : 1) * (wy != NULL ? wy[j] : 1) * factor;
            const int b = bin_of(kind, los, x[i], y[j], &mu), k = region_of(x[i]);

            for (int pole = 0; pole < POLES && b >= 0 && (x != y || i != j); pole++) {
                const int second =
                    (int)(mu * SECOND) < SECOND ? (int)(mu * SECOND) : SECOND - 1;
                const double f =
                    kind == HG_PAIRS_S_MU
                        ? (4 * pole + 1) * (x == y ? hg_legendre_mean(2 * pole, second, SECOND)
                                                   : hg_legendre(2 * pole, mu))
                        : 1;

                to->first[b][pole][k] += w * f;
                to->both[b][pole][k] += region_of(y[j]) == k ? w * f : 0;
            }
        }
    }
}

enum { N = 400, GRID = 30 };

static double grid[GRID * GRID * GRID][3];

/* The definition: delta(x) delta(y) integrated over x in a region and y near it, in it or not;
 * points against points, points against space and space against points. */
static void
check_definition(int kind, hg_los los, const double point[][3], const double weight[])
{
    static sums pairs_sum, space, out;
    const int n_grid = GRID * GRID * GRID;
    const double volume = box * box * box, weight_cross = R / (2 + sqrt(2) * (R - 1));
    const hg_pairs_bins bins = make_bins(kind, los);
    hg_pairs_task task = {.bins = &bins, .a = deal(&world, N, point, weight)};
    const int n_pole = kind == HG_PAIRS_S_MU ? POLES : 1, axis = (int)los;
    hg_jackknife jackknife = {0};
    hg_pairs pairs;
    double total = 0, inside[R] = {0};

    memset(&pairs_sum, 0, sizeof pairs_sum);
    memset(&space, 0, sizeof space);
    memset(&out, 0, sizeof out);
    cut(&world, &task, &jackknife, &pairs);
    for (int i = 0; i < N; i++) {
        inside[region_of(point[i])] += weight != NULL ? weight[i] : 1;
        total += weight != NULL ? weight[i] : 1;
    }
    const double mean = total / volume;

    add_sums(kind, axis, N, point, weight, N, point, weight, 1, &pairs_sum);
    add_sums(kind, axis, N, point, weight, n_grid, (const double(*)[3])grid, NULL,
             mean * volume / n_grid, &space);
    add_sums(kind, axis, n_grid, (const double(*)[3])grid, NULL, N, point, weight,
             mean * volume / n_grid, &out);
    hg_comm_sum_double(&world, sizeof pairs_sum / sizeof(double), (double *)&pairs_sum);
    hg_comm_sum_double(&world, sizeof space / sizeof(double), (double *)&space);
    hg_comm_sum_double(&world, sizeof out / sizeof(double), (double *)&out);
    for (int b = 0; b < BINS; b++) {
        const double v = hg_pairs_volume(&pairs, b) * bins.n_second, side = box / SIDE;
        const double expected = hg_pairs_random(&pairs, b, 0) * bins.n_second;

        for (int pole = 0; pole < n_pole; pole++) {
            double square = 0, miss = 0, q0 = 0;

            for (int k = 0; k < R; k++) {
                /* of space against space the part inside a region is the same for all */
                const double flat = pole == 0 ? mean * mean * v * pow(side, 3) : 0;
                const double all = pairs_sum.first[b][pole][k] - space.first[b][pole][k] -
                                   out.first[b][pole][k] + flat;
                const double near =
                    pairs_sum.both[b][pole][k] - space.both[b][pole][k] - out.both[b][pole][k];
                const double q = (near + 2 * weight_cross * (all - near)) / expected *
                                 (kind == HG_PAIRS_RP_PI ? 2 * pi_max : 1);
                const double got = jackknife.part[(k * n_pole + pole) * BINS + b];
                const double first = jackknife.part[pole * BINS + b];

                q0 = k == 0 ? q : q0;
                square += pow(q - q0, 2);
                miss += pow((q - q0) - (got - first), 2);
            }
            all_assert(miss < 0.01 * square && square > 0); /* a tenth of the scatter */
        }
    }
    hg_jackknife_clear(&jackknife);
    hg_pairs_clear(&pairs);
}

Test(jackknife, parts_are_those_of_the_definition)
{
    static double point[N][3], weight[N];

    for (int i = 0; i < GRID * GRID * GRID; i++) {
        const int at[3] = {i / (GRID * GRID), i / GRID % GRID, i % GRID};

        for (int k = 0; k < 3; k++) {
            grid[i][k] = (at[k] + 0.5) * box / GRID;
        }
    }
    make_points(5, N, 40, point, weight);
    check_definition(HG_PAIRS_R, HG_LOS_Z, (const double(*)[3])point, NULL);
    check_definition(HG_PAIRS_S_MU, HG_LOS_Y, (const double(*)[3])point, weight);
    check_definition(HG_PAIRS_RP_PI, HG_LOS_X, (const double(*)[3])point, NULL);
}

/* A Poisson number. */
static int
draw_number(uint64_t seed, double mean)
{
    hg_stream s = hg_stream_start(seed, 3, 0, HG_PURPOSE_HALO_COUNT);
    double sum = 0;
    int n = -1;

    for (; sum < mean; n++) {
        sum -= log(1 - hg_stream_uniform(&s));
    }
    return n;
}

/* Mean over boxes of the jackknife variance, and the variance over boxes, of an estimate; ranks
 * take boxes in turn. With clumps, their number and that of the points are Poisson numbers. */
static void
compare_variances(int kind, int n_mean, int clumps, int boxes, double jack[], double truth[])
{
    const hg_pairs_bins bins = make_bins(kind, HG_LOS_Z);
    const int n_pole = kind == HG_PAIRS_S_MU ? POLES : 1, m = n_pole * BINS;
    double(*point)[3] = NULL, *covariance = NULL, sum[POLES * BINS] = {0};
    double square[POLES * BINS] = {0};
    hg_comm self;

    cr_assert_eq(hg_comm_split(&world, world.rank, &self), HG_OK);
    cr_assert_eq(hg_mem_array(&point, 2 * (size_t)n_mean, sizeof *point), HG_OK);
    cr_assert_eq(hg_mem_array(&covariance, (size_t)(m * m), sizeof *covariance), HG_OK);
    memset(jack, 0, (size_t)m * sizeof *jack);
    for (int i = world.rank; i < boxes; i += world.size) {
        const uint64_t seed = (uint64_t)(100 + i);
        const int c = clumps > 0 ? draw_number(seed, clumps) : 0;
        const int n =
            clumps > 0 ? draw_number(seed + 1000, n_mean * (double)c / clumps) : n_mean;
        hg_pairs_task task = {.bins = &bins};
        hg_jackknife jackknife = {0};
        double y[POLES * BINS], error[POLES * BINS];
        int64_t count[BINS];
        hg_pairs pairs;

        cr_assert_leq(n, 2 * n_mean);
        make_points(seed, n, c, point, NULL);
        task.a = deal(&self, n, (const double(*)[3])point, NULL);
        cut(&self, &task, &jackknife, &pairs);
        hg_jackknife_covariance(&jackknife, covariance);
        if (kind == HG_PAIRS_RP_PI) {
            hg_pairs_projected(&pairs, y, error, count);
        } else if (kind == HG_PAIRS_S_MU) {
            hg_pairs_multipoles(&pairs, HG_LEGENDRE_MEAN, y, error);
        }
        for (int k = 0; k < m; k++) {
            y[k] = kind == HG_PAIRS_R ? hg_pairs_xi(&pairs, k, 0) : y[k];
            jack[k] += covariance[k * m + k] / boxes;
            sum[k] += y[k];
            square[k] += y[k] * y[k];
        }
        hg_jackknife_clear(&jackknife);
        hg_pairs_clear(&pairs);
    }
    hg_comm_clear(&self);
    hg_comm_sum_double(&world, (size_t)m, jack);
    hg_comm_sum_double(&world, (size_t)m, sum);
    hg_comm_sum_double(&world, (size_t)m, square);
    for (int k = 0; k < m; k++) {
        truth[k] = (square[k] - sum[k] * sum[k] / boxes) / (boxes - 1);
    }
    hg_mem_free(point);
    hg_mem_free(covariance);
}

/* Variance of a multipole of points without correlation over that of the monopole. */
static double
pole_variance(int l)
{
    double sum = 0;

    for (int j = 0; j < SECOND; j++) {
        sum += pow((2 * l + 1) * hg_legendre_mean(l, j, SECOND), 2) / SECOND;
    }
    return sum;
}

/* Points without correlation: the variance of xi is one over the number of different pairs,
 * that of wp (2 pi_max)^2 times it, that of xi_l as the bins of mu weight them. */
Test(jackknife, uniform_points_have_the_poisson_variance)
{
    enum { POINTS = 2000, BOXES = 24 };
    double jack[POLES * BINS], truth[POLES * BINS];

    for (int kind = HG_PAIRS_R; kind <= HG_PAIRS_RP_PI; kind++) {
        const int n_pole = kind == HG_PAIRS_S_MU ? POLES : 1;

        compare_variances(kind, POINTS, 0, BOXES, jack, truth);
        for (int b = 0; b < BINS; b++) {
            const double low = edge[b], high = edge[b + 1];
            const double v = kind == HG_PAIRS_RP_PI
                                 ? M_PI * (high * high - low * low) * 2 * pi_max
                                 : 4 * M_PI / 3 * (pow(high, 3) - pow(low, 3));
            const double poisson = box * box * box / (0.5 * POINTS * (POINTS - 1) * v) *
                                   (kind == HG_PAIRS_RP_PI ? 4 * pi_max * pi_max : 1);

            for (int l = 0; l < n_pole; l++) { /* 24 x 27 regions tell it to 6 per cent */
                const double expected = poisson * (n_pole > 1 ? pole_variance(2 * l) : 1);
                const double ratio = jack[l * BINS + b] / expected;

                if (world.rank == 0) {
                    fprintf(stderr,
                            "kind %d l %d bin %d: jackknife / Poisson %.3f, boxes %.3f\n", kind,
                            2 * l, b, ratio, truth[l * BINS + b] / expected);
                }
                all_assert(ratio > 0.75 && ratio < 1.25);
            }
        }
    }
}

/* Clumps: pairs are far from independent, and the scatter over boxes is what counts. */
Test(jackknife, clumps_have_the_variance_over_boxes)
{
    enum { POINTS = 1500, CLUMPS = 150, BOXES = 80 };
    double jack[POLES * BINS], truth[POLES * BINS];

    compare_variances(HG_PAIRS_R, POINTS, CLUMPS, BOXES, jack, truth);
    for (int b = 0; b < BINS; b++) { /* 80 boxes tell the truth to 16 per cent */
        if (world.rank == 0) {
            fprintf(stderr, "bin %d: jackknife / scatter over boxes %.3f\n", b,
                    jack[b] / truth[b]);
        }
        all_assert(jack[b] > 0.6 * truth[b] && jack[b] < 1.5 * truth[b]);
    }
}

/* Bits do not depend on ranks; the unit of weights, the order of axes and taking a sample for
 * two do not matter. */
Test(jackknife, parts_obey_identities)
{
    static double point[N][3], weight[N], turned[N][3];
    const size_t n_part = (size_t)R * POLES * BINS;
    double one[POLES * BINS][POLES * BINS], two[POLES * BINS][POLES * BINS];
    hg_pairs_bins bins = make_bins(HG_PAIRS_S_MU, HG_LOS_X);
    hg_pairs_task task = {.bins = &bins};
    hg_jackknife all = {0}, other = {0};
    hg_pairs pairs;
    hg_comm comm;

    make_points(6, N, 50, point, weight);
    task.a = deal(&world, N, (const double(*)[3])point, weight);
    cut(&world, &task, &all, &pairs);
    hg_pairs_clear(&pairs);
    cr_assert_eq(hg_comm_split(&world, world.rank, &comm), HG_OK);
    task.a = deal(&comm, N, (const double(*)[3])point, weight);
    cut(&comm, &task, &other, &pairs);
    all_assert(memcmp(all.part, other.part, n_part * sizeof *all.part) == 0);
    hg_pairs_clear(&pairs);
    hg_comm_clear(&comm);
    hg_jackknife_covariance(&all, one[0]);
    /* the same again as another line of sight: the mean is the same */
    task.a = deal(&world, N, (const double(*)[3])point, weight);
    cut(&world, &task, &other, &pairs);
    hg_pairs_clear(&pairs);
    hg_jackknife_covariance(&other, two[0]);
    all_assert(other.lines == 2);
    for (int i = 0; i < POLES * BINS; i++) {
        for (int j = 0; j < POLES * BINS; j++) {
            all_assert(fabs(one[i][j] - two[i][j]) <= 1e-12 * sqrt(one[i][i] * one[j][j]));
        }
    }
    hg_jackknife_clear(&other);
    /* along another axis, in another unit of weights, as a pair of samples */
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++) {
            turned[i][(k + 2) % 3] = point[i][k];
        }
        weight[i] *= 1e12;
    }
    bins.los = HG_LOS_Z;
    task.a = task.b = deal(&world, N, (const double(*)[3])turned, weight);
    task.cross = true;
    for (int i = 0; i < N; i++) {
        task.common += weight[i] * weight[i];
    }
    cut(&world, &task, &other, &pairs);
    hg_jackknife_covariance(&other, two[0]);
    for (int i = 0; i < POLES * BINS; i++) {
        for (int j = 0; j < POLES * BINS; j++) {
            all_assert(fabs(one[i][j] - two[i][j]) < 1e-6 * sqrt(one[i][i] * one[j][j]));
        }
    }
    all_assert(fabs(all.part[5] - other.part[5]) < 1e-6 * sqrt(one[5][5]));
    hg_pairs_clear(&pairs);
    hg_jackknife_clear(&other);
    hg_jackknife_clear(&all);
}

Test(jackknife, pairs_without_regions_are_refused)
{
    const hg_pairs_bins bins = make_bins(HG_PAIRS_R, HG_LOS_Z);
    hg_pairs_task task = {.bins = &bins, .box = box};
    hg_jackknife jackknife = {0};
    hg_pairs pairs;
    double covariance[BINS][BINS];

    all_assert(hg_pairs_measure(&world, &task, &pairs) == HG_OK);
    all_assert(hg_jackknife_add(&world, &task, &pairs, &jackknife) == HG_E_ARG);
    hg_pairs_clear(&pairs);
    cut(&world, &task, &jackknife, &pairs); /* no objects at all */
    hg_jackknife_covariance(&jackknife, covariance[0]);
    all_assert(isnan(covariance[0][0]) && isnan(covariance[3][1]));
    hg_jackknife_clear(&jackknife);
    hg_pairs_clear(&pairs);
    all_assert(fabs(hg_jackknife_reach(SIDE, box) - 0.5) < 1e-15);
}

/* A fault on one rank reaches all, and nothing is left behind. */
Test(jackknife, every_agreement_may_fail_on_every_rank)
{
    static double point[N][3];
    const hg_pairs_bins bins = make_bins(HG_PAIRS_R, HG_LOS_Z);
    hg_pairs_task task = {.bins = &bins, .box = box, .regions = SIDE};
    const int64_t before = hg_mem_used();
    fault_loop f = {.on_each = true};
    hg_pairs pairs;

    make_points(7, N, 0, point, NULL);
    task.a = deal(&world, N, (const double(*)[3])point, NULL);
    all_assert(hg_pairs_measure(&world, &task, &pairs) == HG_OK);
    while (fault_next(&f)) {
        hg_jackknife jackknife = {0};

        fault_status(&f, hg_jackknife_add(&world, &task, &pairs, &jackknife));
        hg_jackknife_clear(&jackknife);
    }
    all_assert(f.n_failed == 3 * world.size);
    hg_pairs_clear(&pairs);
    all_assert(hg_mem_used() == before);
}
