/* ranks: 1 2 5 */
#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "features/neighbours.h"

MPI_SUITE(neighbours);

enum { HALOES = 10000, PROBES = 700, RADII = 6, RANKS = 3 };
static const double box = 50;
static const double radii[RADII] = {0.2, 0.5, 1, 2, 4, 16};
static const int ranks[RANKS] = {1, 5, 10};

static double halo[HALOES][3], mass[HALOES];

/* Clumped haloes with masses over four decades; some on faces of the box, outside it, or at the
 * place of another. */
static void
make_haloes(void)
{
    for (int64_t i = 0; i < HALOES; i++) {
        hg_stream s = hg_stream_start(3, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            halo[i][k] = i % 4 == 0 ? box * hg_stream_uniform(&s)
                                    : halo[i - 1][k] + 0.4 * hg_stream_normal(&s);
        }
        if (i % 50 == 2) {
            memcpy(halo[i], halo[i - 1], sizeof halo[i]);
        }
        if (i % 40 == 7) {
            halo[i][i % 3] = i % 2 == 0 ? 0 : box;
        }
        mass[i] = floor(100 * pow(10, 4 * pow(hg_stream_uniform(&s), 5))) / 100 * 1e11;
    }
}

/* What there is around halo i, by slow and obvious loops. */
static void
brute_force(double self, int64_t i, double count[RADII], double sum[RADII],
            double nearest[RANKS], double *massive)
{
    double best[10];
    int n = 0;

    memset(count, 0, RADII * sizeof *count);
    memset(sum, 0, RADII * sizeof *sum);
    *massive = HUGE_VAL;
    for (int64_t j = 0; j < HALOES; j++) {
        double d = 0;

        for (int k = 0; k < 3; k++) {
            const double dx = remainder(halo[i][k] - halo[j][k], box);

            d += dx * dx;
        }
        d = sqrt(d);
        if (d <= self) {
            continue;
        }
        for (int r = 0; r < RADII; r++) {
            count[r] += d < radii[r];
            sum[r] += d < radii[r] ? mass[j] : 0;
        }
        if (mass[j] > mass[i]) {
            *massive = fmin(*massive, d);
        }
        for (int b = 0; b < 10; b++) {
            if (b == n || d < best[b]) {
                const int last = n < 10 ? n++ : 9;

                memmove(best + b + 1, best + b, (size_t)(last - b) * sizeof *best);
                best[b] = d;
                break;
            }
        }
    }
    for (int r = 0; r < RANKS; r++) {
        nearest[r] = best[ranks[r] - 1];
    }
}

/* What the library finds for the points [first, end); the last of several ranks has no tracer.
 */
static void
find(const hg_comm *comm, double self, double farthest, int64_t first, int64_t end,
     double count[][RADII], double sum[][RADII], double nearest[][RANKS], double massive[])
{
    const int busy = comm->size > 1 ? comm->size - 1 : 1;
    const int64_t low = comm->rank < busy ? HALOES * (int64_t)comm->rank / busy : HALOES,
                  high = comm->rank < busy ? HALOES * (int64_t)(comm->rank + 1) / busy : HALOES;
    const hg_neighbourhood where = {box, self};
    const hg_places point = {end - first, (const double(*)[3])halo + first, mass + first},
                    tracer = {high - low, high > low ? (const double(*)[3])halo + low : NULL,
                              high > low ? mass + low : NULL};

    cr_assert_eq(
        hg_neighbours_count(comm, &where, RADII, radii, &point, &tracer, count[0], sum[0]),
        HG_OK);
    cr_assert_eq(hg_neighbours_distance(comm, &where, RANKS, ranks, farthest, &point, &tracer,
                                        nearest[0]),
                 HG_OK);
    cr_assert_eq(hg_neighbours_massive(comm, &where, farthest, &point, &tracer, massive),
                 HG_OK);
}

Test(neighbours, counts_and_distances_equal_brute_force)
{
    static double count[HALOES][RADII], sum[HALOES][RADII], nearest[HALOES][RANKS],
        massive[HALOES];
    const int64_t first = HALOES * (int64_t)world.rank / world.size,
                  end = HALOES * (int64_t)(world.rank + 1) / world.size;
    const double farthest = 9;
    int far = 0;

    make_haloes();
    for (int s = 0; s < 2; s++) {
        const double self = s == 0 ? 0 : -1;
        int wrong = 0;

        find(&world, self, farthest, first, end, count, sum, nearest, massive);
        for (int64_t i = first; i < end; i += 10) { /* 1e4 x 1e3 pairs are slow enough */
            double c[RADII], m[RADII], d[RANKS], heavy;
            const int64_t at = i - first;

            brute_force(self, i, c, m, d, &heavy);
            for (int r = 0; r < RADII; r++) {
                wrong += count[at][r] != c[r];
                wrong += fabs(sum[at][r] - m[r]) > 1e-6 * m[r];
            }
            for (int r = 0; r < RANKS; r++) {
                wrong += fabs(nearest[at][r] - fmin(d[r], farthest)) > 1e-12 * box;
            }
            far += heavy > farthest;
            wrong += fabs(massive[at] - fmin(heavy, farthest)) > 1e-12 * box;
        }
        all_assert(wrong == 0);
    }
    all_assert(world.size > 1 || far > 0); /* the bound was met */
}

Test(neighbours, results_are_the_same_for_any_ranks)
{
    static double count[PROBES][RADII], sum[PROBES][RADII], nearest[PROBES][RANKS],
        massive[PROBES];
    static double all[2][PROBES][2 * RADII + RANKS + 1];

    make_haloes();
    for (int size = 1; size <= world.size; size++) {
        const bool inside = world.rank < size;
        hg_comm part;

        all_assert(hg_comm_split(&world, inside ? 0 : -1, &part) == HG_OK);
        if (inside) {
            const int64_t low = PROBES * (int64_t)part.rank / size,
                          high = PROBES * (int64_t)(part.rank + 1) / size;
            static double row[PROBES][2 * RADII + RANKS + 1];

            find(&part, 0, 20, low, high, count, sum, nearest, massive);
            for (int64_t i = 0; i < high - low; i++) {
                memcpy(row[i], count[i], sizeof count[i]);
                memcpy(row[i] + RADII, sum[i], sizeof sum[i]);
                memcpy(row[i] + 2 * RADII, nearest[i], sizeof nearest[i]);
                row[i][2 * RADII + RANKS] = massive[i];
            }
            cr_assert_eq(
                hg_comm_gather_into(&part, high - low, sizeof row[0], row, all[size > 1]),
                HG_OK);
            cr_assert(size == 1 || world.rank > 0 || memcmp(all[0], all[1], sizeof all[0]) == 0,
                      "%d ranks", size);
        }
        hg_comm_clear(&part);
    }
}

Test(neighbours, no_tracers_and_bad_positions)
{
    const hg_neighbourhood where = {box, 0};
    const double bad[1][3] = {{1, (double)NAN, 2}}, one = 1, radius = 2, large = 30;
    double count = -1, distance = -1;
    const hg_places point = {1, (const double(*)[3])halo, mass}, none = {0, NULL, NULL},
                    broken = {1, bad, &one};

    make_haloes();
    all_assert(hg_neighbours_count(&world, &where, 1, &radius, &point, &none, &count, NULL) ==
               HG_OK);
    all_assert(count == 0);
    all_assert(hg_neighbours_massive(&world, &where, 7, &point, &none, &distance) == HG_OK);
    all_assert(distance == 7);
    all_assert(hg_neighbours_count(&world, &where, 1, &large, &point, &point, &count, NULL) ==
               HG_E_ARG);
    all_assert(hg_neighbours_count(&world, &where, 1, &radius, &point,
                                   world.rank == 0 ? &broken : &point, &count,
                                   NULL) == HG_E_INPUT);
}

Test(neighbours, masses_are_summed_where_there_are_some)
{
    const hg_places some = {world.rank == 0 ? HALOES : 0, (const double(*)[3])halo, mass},
                    bare = {HALOES, (const double(*)[3])halo, NULL};
    double sum = -1, expected = 0;

    make_haloes();
    for (int64_t i = 0; i < HALOES; i++) {
        expected += mass[i];
    }
    all_assert(hg_neighbours_total(&world, &some, &sum) == HG_OK);
    all_assert(fabs(sum / expected - 1) < 1e-9);
    all_assert(hg_neighbours_total(&world, &bare, &sum) == HG_OK);
    all_assert(sum == 0);
}
