/* Both populations are sorted by bin, half and value, so that a bin's half is a sorted run of
 * values; all that is asked is then a walk along runs. */
#include "stats/shift_at_mass.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

enum { N_BIN = 128, LEAST = 40, LEAST_HALF = 10 };

static const double lowest = -2, step = 0.2;

/* A halo in its bin. */
typedef struct entry {
    int run; /* 2 bin + half */
    float value;
} entry;

/* Sorted runs of a population. */
typedef struct runs {
    entry *entry;                 /* shape (n) */
    int64_t first[2 * N_BIN + 1]; /* of each run */
} runs;

/* A step of the difference of two distributions. */
typedef struct jump {
    double value, height;
} jump;

static int
compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    return x->run != y->run ? (x->run > y->run) - (x->run < y->run)
                            : (x->value > y->value) - (x->value < y->value);
}

static int
compare_jumps(const void *a, const void *b)
{
    const jump *x = a, *y = b;

    return (x->value > y->value) - (x->value < y->value);
}

static hg_status
make_runs(int64_t n, const hg_massed halo[], runs *r)
{
    int64_t at = 0;

    HG_TRY(hg_mem_array(&r->entry, (size_t)n + 1, sizeof *r->entry));
    for (int64_t i = 0; i < n; i++) {
        const double bin = fmin(fmax(((double)halo[i].mass - lowest) / step, 0), N_BIN - 1);

        r->entry[i] = (entry){2 * (int)bin + (halo[i].half != 0), halo[i].value};
    }
    qsort(r->entry, (size_t)n, sizeof *r->entry, compare_entries);
    for (int k = 0; k <= 2 * N_BIN; k++) {
        while (at < n && r->entry[at].run < k) {
            at++;
        }
        r->first[k] = at;
    }
    return HG_OK;
}

static int64_t
count(const runs *r, int run)
{
    return r->first[run + 1] - r->first[run];
}

static bool
is_filled(const runs *a, int bin)
{
    return count(a, 2 * bin) >= LEAST_HALF && count(a, 2 * bin + 1) >= LEAST_HALF &&
           count(a, 2 * bin) + count(a, 2 * bin + 1) >= LEAST;
}

/* Value of a run that has the share q of it below. */
static double
find_quantile(const runs *r, int run, double q)
{
    const entry *x = r->entry + r->first[run];
    const int64_t n = count(r, run);
    const double at = fmin(fmax(q * (double)n - 0.5, 0), (double)(n - 1));
    const int64_t i = (int64_t)at < n - 1 ? (int64_t)at : n - 2;

    return (double)x[i].value +
           (at - (double)i) * ((double)x[i + 1].value - (double)x[i].value);
}

/* Share of a run below a value, equal ones counted half. */
static double
find_share(const runs *r, int run, float value)
{
    const entry *x = r->entry + r->first[run];
    const int64_t n = count(r, run);
    int64_t below = 0, upto = n;

    for (int64_t high = n; below < high;) {
        const int64_t middle = (below + high) / 2;

        if (x[middle].value < value) {
            below = middle + 1;
        } else {
            high = middle;
        }
    }
    for (int64_t low = below; low < upto;) {
        const int64_t middle = (low + upto) / 2;

        if (x[middle].value <= value) {
            low = middle + 1;
        } else {
            upto = middle;
        }
    }
    return (double)(below + upto) / (2 * (double)n);
}

/* Largest distance of the sums of jumps from 0. */
static double
find_distance(int64_t n, jump j[])
{
    double sum = 0, most = 0;

    qsort(j, (size_t)n, sizeof *j, compare_jumps);
    for (int64_t i = 0; i < n; i++) {
        sum += j[i].height;
        if (i + 1 == n || j[i + 1].value > j[i].value) {
            most = fmax(most, fabs(sum));
        }
    }
    return most;
}

/* Distance over chosen halves, the values of a mapped or as they are. */
static double
measure_distance(const runs *a, const runs *b, int from, bool is_mapped, jump j[],
                 double *noise)
{
    int64_t n = 0, total = 0;
    double sum2 = 0;

    for (int bin = 0; bin < N_BIN; bin++) {
        for (int run = 2 * bin + from;
             run < 2 * bin + 2 && is_filled(a, bin) && is_filled(b, bin); run++) {
            total += count(a, run);
        }
    }
    for (int bin = 0; bin < N_BIN; bin++) {
        double n_a = 0, n_b = 0;

        if (!is_filled(a, bin) || !is_filled(b, bin)) {
            continue;
        }
        for (int run = 2 * bin + from; run < 2 * bin + 2; run++) {
            n_a += (double)count(a, run);
            n_b += (double)count(b, run);
        }
        sum2 += n_a * n_a / n_b;
        for (int run = 2 * bin + from; run < 2 * bin + 2; run++) {
            for (int64_t i = a->first[run]; i < a->first[run + 1]; i++) {
                const float x = a->entry[i].value;

                j[n++] = (jump){is_mapped ? find_quantile(b, 2 * bin, find_share(a, 2 * bin, x))
                                          : (double)x,
                                1 / (double)total};
            }
            for (int64_t i = b->first[run]; i < b->first[run + 1]; i++) {
                j[n++] = (jump){(double)b->entry[i].value, -n_a / n_b / (double)total};
            }
        }
    }
    *noise = 1.36 * sqrt((1 + sum2 / (double)total) / (double)total);
    return find_distance(n, j);
}

/* Medians and scatter, averaged over bins by the haloes of a. */
static void
measure_shift(const runs *a, const runs *b, hg_shift_at_mass *s)
{
    for (int bin = 0; bin < N_BIN; bin++) {
        if (!is_filled(a, bin) || !is_filled(b, bin)) {
            continue;
        }
        for (int run = 2 * bin; run < 2 * bin + 2; run++) {
            const double n = (double)count(a, run);

            s->n_a += count(a, run);
            s->n_b += count(b, run);
            s->shift += n * (find_quantile(a, run, 0.5) - find_quantile(b, run, 0.5));
            s->scatter += n / 2 * (find_quantile(b, run, 0.84) - find_quantile(b, run, 0.16));
        }
    }
    s->shift /= (double)s->n_a;
    s->scatter /= (double)s->n_a;
}

hg_status
hg_shift_at_mass_measure(int64_t n_a, const hg_massed a[], int64_t n_b, const hg_massed b[],
                         hg_shift_at_mass *shift)
{
    runs ra = {0}, rb = {0};
    jump *j = NULL;
    double noise;
    hg_status status;

    *shift = (hg_shift_at_mass){.n_a = 0};
    HG_TRY_OR(done, status, make_runs(n_a, a, &ra));
    HG_TRY_OR(done, status, make_runs(n_b, b, &rb));
    HG_TRY_OR(done, status, hg_mem_array(&j, (size_t)(n_a + n_b) + 1, sizeof *j));
    measure_shift(&ra, &rb, shift); /* 0/0 without a common bin */
    if (shift->n_a > 0) {
        shift->ks = measure_distance(&ra, &rb, 0, false, j, &noise);
        shift->ks_transported = measure_distance(&ra, &rb, 1, true, j, &shift->noise);
    } else {
        shift->ks = shift->ks_transported = shift->noise = (double)NAN;
    }
    status = HG_OK;
done:
    hg_mem_free(ra.entry);
    hg_mem_free(rb.entry);
    hg_mem_free(j);
    return status;
}
