/* Both populations are sorted by bin, half and value, so that a bin's half is a sorted run of
 * values; all that is asked is then a walk along runs. */
#include "stats/shift_at_mass.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

enum { N_BIN = HG_TRANSPORT_BINS, LEAST = 40, LEAST_HALF = 10 };

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

static int
find_bin(double mass)
{
    return (int)fmin(fmax((mass - lowest) / step, 0), N_BIN - 1);
}

/* with_halves: else all are of half 0. */
static hg_status
make_runs(int64_t n, const hg_massed halo[], bool with_halves, runs *r)
{
    int64_t at = 0;

    HG_TRY(hg_mem_array(&r->entry, (size_t)n + 1, sizeof *r->entry));
    for (int64_t i = 0; i < n; i++) {
        r->entry[i] =
            (entry){2 * find_bin((double)halo[i].mass) + (with_halves && halo[i].half != 0),
                    halo[i].value};
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

/* Quantiles of half 0 of a bin on both sides. */
static void
add_bin(const runs *a, const runs *b, int bin, hg_transport *t)
{
    const int k = t->n_bin++;

    t->bin[k] = bin;
    for (int q = 0; q < HG_TRANSPORT_KNOTS; q++) {
        const double share = (q + 0.5) / HG_TRANSPORT_KNOTS;

        t->from[k][q] = find_quantile(a, 2 * bin, share);
        t->to[k][q] = find_quantile(b, 2 * bin, share);
    }
}

/* Number of quantiles below a value, or up to it. */
static int
count_knots(const double x[HG_TRANSPORT_KNOTS], double value, bool with_equal)
{
    int low = 0, high = HG_TRANSPORT_KNOTS;

    while (low < high) {
        const int middle = (low + high) / 2;

        if (x[middle] < value || (with_equal && x[middle] <= value)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

double
hg_transport_move(const hg_transport *t, double mass, double value)
{
    enum { LAST = HG_TRANSPORT_KNOTS - 1 };
    const int bin = find_bin(mass);
    const double *from, *to;
    int best = 0, below, upto;

    if (t->n_bin == 0) {
        return value;
    }
    for (int k = 1; k < t->n_bin; k++) {
        best = abs(t->bin[k] - bin) < abs(t->bin[best] - bin) ? k : best;
    }
    from = t->from[best];
    to = t->to[best];
    below = count_knots(from, value, false);
    upto = count_knots(from, value, true);
    if (upto > below) { /* on a quantile, or on several that are equal */
        return (to[below] + to[upto - 1]) / 2;
    }
    if (below == 0 || below > LAST) {
        const int end = below == 0 ? 0 : LAST;

        return value + (to[end] - from[end]);
    }
    return to[below - 1] + (to[below] - to[below - 1]) * (value - from[below - 1]) /
                               (from[below] - from[below - 1]);
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

/* Distance over chosen halves, the values of a mapped or as they are (NULL). */
static double
measure_distance(const runs *a, const runs *b, int from, const hg_transport *t, jump j[],
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
        const double mass = lowest + (bin + 0.5) * step;
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

                j[n++] = (jump){t != NULL ? hg_transport_move(t, mass, (double)x) : (double)x,
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
hg_transport_make(int64_t n_a, const hg_massed a[], int64_t n_b, const hg_massed b[],
                  hg_transport *t)
{
    runs ra = {0}, rb = {0};
    hg_status status;

    t->n_bin = 0;
    HG_TRY_OR(done, status, make_runs(n_a, a, false, &ra));
    HG_TRY_OR(done, status, make_runs(n_b, b, false, &rb));
    for (int bin = 0; bin < N_BIN; bin++) {
        if (count(&ra, 2 * bin) >= LEAST && count(&rb, 2 * bin) >= LEAST) {
            add_bin(&ra, &rb, bin, t);
        }
    }
    status = HG_OK;
done:
    hg_mem_free(ra.entry);
    hg_mem_free(rb.entry);
    return status;
}

hg_status
hg_shift_at_mass_measure(int64_t n_a, const hg_massed a[], int64_t n_b, const hg_massed b[],
                         hg_shift_at_mass *shift)
{
    runs ra = {0}, rb = {0};
    hg_transport *t = NULL;
    jump *j = NULL;
    double noise;
    hg_status status;

    *shift = (hg_shift_at_mass){.n_a = 0};
    HG_TRY_OR(done, status, make_runs(n_a, a, true, &ra));
    HG_TRY_OR(done, status, make_runs(n_b, b, true, &rb));
    HG_TRY_OR(done, status, hg_mem_array(&j, (size_t)(n_a + n_b) + 1, sizeof *j));
    HG_TRY_OR(done, status, hg_mem_zeros(&t, 1, sizeof *t));
    measure_shift(&ra, &rb, shift); /* 0/0 without a common bin */
    for (int bin = 0; bin < N_BIN; bin++) {
        if (is_filled(&ra, bin) && is_filled(&rb, bin)) {
            add_bin(&ra, &rb, bin, t);
        }
    }
    if (shift->n_a > 0) {
        shift->ks = measure_distance(&ra, &rb, 0, NULL, j, &noise);
        shift->ks_transported = measure_distance(&ra, &rb, 1, t, j, &shift->noise);
    } else {
        shift->ks = shift->ks_transported = shift->noise = (double)NAN;
    }
    status = HG_OK;
done:
    hg_mem_free(ra.entry);
    hg_mem_free(rb.entry);
    hg_mem_free(t);
    hg_mem_free(j);
    return status;
}
