/* Pairs of two samples, and the regions of pairs, against identities and brute force. */
#include "mpi_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/pairs.h"

MPI_SUITE(cross_pairs);

enum { N = 900, SIDE = 3, SECOND = 4 };

static const double box = 3, edge[] = {0.02, 0.1, 0.3, 0.5, 0.8, 1.2};

/* Clumps of three; sample a holds rows [0, N/3), b the others but for the last of a. */
static void
make_points(double point[][3], double weight[])
{
    for (int i = 0; i < N; i++) {
        hg_stream clump = hg_stream_start(4, 0, (uint64_t)i % (N / 3), HG_PURPOSE_LATENT);
        hg_stream own = hg_stream_start(4, 1, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            point[i][k] = box * hg_stream_uniform(&clump) + 0.1 * hg_stream_normal(&own);
        }
        weight[i] = 0.1 + hg_stream_uniform(&own);
    }
}

/* The share of this rank in rows [first, end). */
static hg_cells_points
deal(int64_t first, int64_t end, const double point[][3], const double weight[])
{
    const int64_t low = first + (end - first) * world.rank / world.size;
    const int64_t high = first + (end - first) * (world.rank + 1) / world.size;

    return (hg_cells_points){.n = high - low,
                             .position = point + low,
                             .weight = weight != NULL ? weight + low : NULL};
}

/* DD(a and b together) = DD(a) + DD(b) + 2 DD(a, b), for counts and sums of weights. */
static void
check_union(const hg_pairs_bins *bins, const double point[][3], const double weight[])
{
    hg_pairs_task task = {.bins = bins, .box = box};
    hg_pairs both, a, b, cross;

    task.a = deal(0, N, point, weight);
    all_assert(hg_pairs_measure(&world, &task, &both) == HG_OK);
    task.a = deal(N / 3, N, point, weight);
    all_assert(hg_pairs_measure(&world, &task, &b) == HG_OK);
    task.b = task.a;
    task.a = deal(0, N / 3, point, weight);
    all_assert(hg_pairs_measure(&world, &task, &a) == HG_OK);
    task.cross = true;
    all_assert(hg_pairs_measure(&world, &task, &cross) == HG_OK);
    all_assert(cross.objects == N && cross.cross);
    for (int64_t i = 0; i < bins->n * bins->n_second; i++) {
        all_assert(both.count[i] == a.count[i] + b.count[i] + 2 * cross.count[i]);
        if (weight != NULL) {
            all_assert(fabs(both.weight[i] - a.weight[i] - b.weight[i] - 2 * cross.weight[i]) <
                       1e-9 * (1 + both.weight[i]));
        }
    }
    all_assert(cross.count[bins->n_second] > 0);
    all_assert(fabs(both.weight_product - a.weight_product - b.weight_product -
                    2 * cross.weight_product) < 1e-9 * both.weight_product);
    hg_pairs_clear(&both);
    hg_pairs_clear(&a);
    hg_pairs_clear(&b);
    hg_pairs_clear(&cross);
}

Test(cross_pairs, two_samples_have_the_pairs_of_their_union)
{
    static double point[N][3], weight[N];

    make_points(point, weight);
    for (int kind = HG_PAIRS_R; kind <= HG_PAIRS_RP_PI; kind++) {
        const hg_pairs_bins bins = {.kind = (hg_pairs_kind)kind,
                                    .n = 5,
                                    .edge = edge,
                                    .n_second = kind == HG_PAIRS_R ? 1 : SECOND,
                                    .pi_max = 1.2,
                                    .los = HG_LOS_X};

        check_union(&bins, (const double(*)[3])point, NULL);
        check_union(&bins, (const double(*)[3])point, weight);
    }
}

/* An object that is in both samples is no pair, and is taken out of what is expected. */
Test(cross_pairs, common_objects_are_no_pairs)
{
    static double point[N][3], weight[N];
    const hg_pairs_bins bins = {.n = 5, .edge = edge, .n_second = 1};
    hg_pairs_task task = {.bins = &bins, .box = box, .cross = true, .common = N};
    hg_pairs cross, alone;

    make_points(point, weight);
    task.a = task.b = deal(0, N, (const double(*)[3])point, NULL);
    all_assert(hg_pairs_measure(&world, &task, &cross) == HG_OK);
    task.cross = false;
    all_assert(hg_pairs_measure(&world, &task, &alone) == HG_OK);
    all_assert(cross.zero == N && alone.zero == 0);
    for (int i = 0; i < bins.n; i++) { /* a sample with itself: the ordered pairs */
        all_assert(cross.count[i] == alone.count[i]);
        all_assert(fabs(hg_pairs_xi(&cross, i, 0) - hg_pairs_xi(&alone, i, 0)) < 1e-12);
    }
    hg_pairs_clear(&cross);
    hg_pairs_clear(&alone);
}

/* The unit of weights must not matter, however large the sums of their products are. */
Test(cross_pairs, weights_may_have_any_unit)
{
    static double point[N][3], weight[N], heavy[N];
    const hg_pairs_bins bins = {
        .kind = HG_PAIRS_S_MU, .n = 5, .edge = edge, .n_second = SECOND, .los = HG_LOS_Y};
    hg_pairs_task task = {.bins = &bins, .box = box, .cross = true};
    hg_pairs light, large;

    make_points(point, weight);
    for (int i = 0; i < N; i++) {
        heavy[i] = 3e14 * weight[i];
    }
    task.b = deal(N / 3, N, (const double(*)[3])point, NULL);
    for (int same = 0; same < 2; same++) {
        task.cross = same == 0;
        task.a = deal(0, N / 3, (const double(*)[3])point, weight);
        all_assert(hg_pairs_measure(&world, &task, &light) == HG_OK);
        task.a.weight = heavy + (task.a.weight - weight);
        all_assert(hg_pairs_measure(&world, &task, &large) == HG_OK);
        for (int i = 0; i < bins.n; i++) {
            for (int j = 0; j < SECOND; j++) {
                const double a = hg_pairs_xi(&light, i, j), b = hg_pairs_xi(&large, i, j);

                all_assert((isnan(a) && isnan(b)) || fabs(a - b) < 1e-9 * (1 + fabs(a)));
                all_assert(isnan(a) || fabs(hg_pairs_xi_error(&light, i, j) /
                                                hg_pairs_xi_error(&large, i, j) -
                                            1) < 1e-9);
            }
        }
        all_assert(light.noise > 1 && fabs(light.noise / large.noise - 1) < 1e-9);
        hg_pairs_clear(&light);
        hg_pairs_clear(&large);
    }
}

static int
region_of(const double x[3], hg_los los)
{
    int place = 0;

    for (int k = 0; k < 3; k++) {
        double v = x[hg_pairs_axis(HG_PAIRS_S_MU, los, k)];

        v -= box * floor(v / box);
        place = place * SIDE + (int)(v * SIDE / box);
    }
    return place;
}

Test(cross_pairs, regions_hold_the_pairs_of_brute_force)
{
    enum { R = SIDE * SIDE * SIDE };
    static double point[N][3], weight[N];
    static int64_t touch[5 * SECOND][R], inside[5 * SECOND][R];
    const hg_pairs_bins bins = {
        .kind = HG_PAIRS_S_MU, .n = 5, .edge = edge, .n_second = SECOND, .los = HG_LOS_Y};
    hg_pairs_task task = {.bins = &bins, .box = box, .regions = SIDE};
    hg_pairs pairs;

    make_points(point, weight);
    task.a = deal(0, N, (const double(*)[3])point, NULL);
    all_assert(hg_pairs_measure(&world, &task, &pairs) == HG_OK);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            double d[3], s;

            for (int k = 0; k < 3; k++) {
                d[k] = remainder(point[i][k] - point[j][k], box);
            }
            s = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
            for (int b = 0; b < bins.n && i != j; b++) {
                if (s >= edge[b] && s < edge[b + 1]) {
                    int bin = b * SECOND + (int)(fabs(d[1]) / s * SECOND);
                    int r = region_of(point[i], HG_LOS_Y);

                    touch[bin][r]++;
                    inside[bin][r] += region_of(point[j], HG_LOS_Y) == r;
                }
            }
        }
    }
    for (int b = 0; b < bins.n * SECOND; b++) {
        int64_t sum = 0;

        for (int r = 0; r < R; r++) {
            all_assert(pairs.touch[b * R + r] == touch[b][r]);
            all_assert(pairs.inside[b * R + r] == inside[b][r]);
            sum += touch[b][r];
        }
        all_assert(sum == pairs.count[b]);
    }
    hg_pairs_clear(&pairs);
    task.regions = HG_PAIRS_REGIONS_MAX + 1;
    all_assert(hg_pairs_measure(&world, &task, &pairs) == HG_E_ARG);
}
