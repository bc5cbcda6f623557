/* Bins against their definition, with the rows spread over ranks in several ways. */
#include "mpi_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "forest/bins.h"

MPI_SUITE(bins);

enum { N = 1000, P = 5 };

/* many values; 10; half of all rows 0; one value; values in small steps */
static void
fill_columns(float x[])
{
    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(4, 0, (uint64_t)i, HG_PURPOSE_SPLIT);
        float *row = x + (size_t)i * P;

        row[0] = (float)hg_stream_normal(&s);
        row[1] = floorf(10 * hg_stream_float(&s)) - 4;
        row[2] = i % 2 ? 0 : (float)hg_stream_normal(&s);
        row[3] = -7;
        row[4] = (float)(i % 300) + 0.25f * (float)(i % 2);
    }
}

static int
compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static int
find_count(const hg_bins *bins, int f, const float x[], int bin)
{
    int n = 0;

    for (int i = 0; i < N; i++) {
        n += hg_bins_find(bins, f, x[(size_t)i * P + (size_t)f]) == bin;
    }
    return n;
}

/* what holds for any bins: in order, apart, none empty, and every row between the limits of its
 * bin; counted before it is asserted, for each assertion is a message to all ranks */
static void
check_bins(const hg_bins *bins, const float x[], int most)
{
    int n_wrong = 0;

    for (int f = 0; f < P; f++) {
        const float *low = bins->low + bins->start[f], *high = bins->high + bins->start[f];

        n_wrong += hg_bins_count(bins, f) < 1 || hg_bins_count(bins, f) > most;
        for (int b = 0; b < hg_bins_count(bins, f); b++) {
            float t = b > 0 ? hg_bins_threshold(bins, f, b - 1, b) : 0;

            n_wrong += b > 0 && !(high[b - 1] <= t && t < low[b]);
            n_wrong += find_count(bins, f, x, b) == 0;
        }
        for (int i = 0; i < N; i++) {
            float v = x[(size_t)i * P + (size_t)f];
            int b = hg_bins_find(bins, f, v);

            n_wrong += !(low[b] <= v && v <= high[b]);
        }
    }
    all_assert(n_wrong == 0);
}

static void
measure_bins(const float x[], int how, int most, float step, hg_bins *bins)
{
    const int64_t begin = how == 0                       ? N * (int64_t)world.rank / world.size
                          : world.rank == world.size - 1 ? 0
                                                         : N;
    const int64_t end = how == 0 ? N * (int64_t)(world.rank + 1) / world.size : N;

    all_assert(hg_bins_measure(&world, end - begin, P, x + begin * P, P, most, step, bins) ==
               HG_OK);
}

Test(bins, are_quantiles_or_values_however_rows_are_spread)
{
    float x[N * P], sorted[N];
    hg_bins bins, other;

    fill_columns(x);
    for (int how = 0; how < 2; how++) { /* all ranks alike, or all rows on the last */
        measure_bins(x, how, 40, 0, &bins);
        check_bins(&bins, x, 40);
        all_assert(hg_bins_count(&bins, 0) == 40 && hg_bins_count(&bins, 1) == 10);
        all_assert(hg_bins_count(&bins, 3) == 1);
        for (int i = 0; i < N; i++) {
            sorted[i] = x[(size_t)i * P];
        }
        qsort(sorted, N, sizeof *sorted, compare_floats);
        int n_right = 0;

        for (int b = 0; b < 40; b++) { /* 25 rows each: no value stands twice */
            n_right += bins.low[b] == sorted[25 * b] && bins.high[b] == sorted[25 * b + 24];
        }
        for (int b = 0; b < 10; b++) {
            n_right += bins.low[bins.start[1] + b] == (float)(b - 4);
        }
        all_assert(n_right == 50);
        int zero = hg_bins_find(&bins, 2, 0);

        all_assert(bins.low[bins.start[2] + zero] == 0 && bins.high[bins.start[2] + zero] == 0);
        all_assert(find_count(&bins, 2, x, zero) == 500);
        hg_bins_clear(&bins);
        measure_bins(x, how, HG_BINS_MAX, 0, &bins); /* a bin per value */
        check_bins(&bins, x, HG_BINS_MAX);
        all_assert(hg_bins_count(&bins, 0) == N && hg_bins_count(&bins, 2) == 501);
        all_assert(hg_bins_count(&bins, 4) == 300);
        measure_bins(x, how, HG_BINS_MAX, 0.9f,
                     &other); /* 1.25 and 2 are one, 2 and 3.25 two */
        all_assert(hg_bins_count(&other, 4) == 151);
        all_assert(hg_bins_find(&other, 4, 1.25f) == hg_bins_find(&other, 4, 2));
        all_assert(hg_bins_find(&other, 4, 2) < hg_bins_find(&other, 4, 3.25f));
        hg_bins_clear(&bins);
        hg_bins_clear(&other);
    }
}
