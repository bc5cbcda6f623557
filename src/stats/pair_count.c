/* Home columns are dealt to threads; each is compared with itself and the columns after it in a
 * half neighbourhood, so a pair is met once. Plain counts in one coordinate go through the
 * vector kernel, from the largest edges to the smallest. Two coordinates, weights or regions
 * take the general way: separations of a stretch of candidates, then a bin for each that is
 * near enough. Pairs of two groups meet like those of one, with the points of one group at home
 * and those of the other near, and the reverse. Sums of weights are formed per home column in a
 * fixed order and added as integers of two words, so they do not depend on ranks or threads
 * either. */
#include "stats/pair_count.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alive.h"
#include "base/memory.h"

enum { STRETCH = 256 };

const double hg_pair_word = 1099511627776.0; /* 2^40 */

static bool
is_plain(const hg_pair_counting *t)
{
    return !t->weighted && t->bins->n_second == 1 && t->n_region == 0;
}

/* Edges in groups of four from the largest; below all of them one that only coinciding points
 * pass. */
static void
plan_passes(hg_pair_counting *t)
{
    const hg_pairs_bins *b = t->bins;
    const bool projected = b->kind == HG_PAIRS_RP_PI;

    for (int k = 0; k < 2; k++) {
        hg_pair_counter variant[HG_PAIR_VARIANTS];

        hg_pair_kernels(k == 1, variant);
        t->counter[k] = variant[0];
    }
    for (int i = 0; i <= b->n; i++) {
        t->edge2[i] = b->edge[i] * b->edge[i];
    }
    for (int top = b->n; top >= 0; top -= HG_PAIR_EDGES) {
        hg_pair_pass *pass = &t->pass[t->n_pass++];

        *pass = (hg_pair_pass){.projected = projected, .limit = b->pi_max};
        for (int k = 0; k < HG_PAIR_EDGES; k++) {
            int i = top - (HG_PAIR_EDGES - 1) + k;

            pass->edge2[k] = i >= 0 ? t->edge2[i] : 0;
        }
    }
    t->pass[t->n_pass++] = (hg_pair_pass){.edge2 = {0, 0, 0, DBL_TRUE_MIN}, .limit = b->pi_max};
}

static int
second_bin(const hg_pairs_bins *b, double s2, double dz)
{
    const int n = b->n_second;

    if (b->kind == HG_PAIRS_S_MU) {
        /* mu^2 >= (k / n)^2 without division; the square root only guesses */
        const double m2 = dz * dz * (double)n * (double)n;
        int k = s2 > 0 ? (int)(sqrt(dz * dz / s2) * n) : 0;

        k = k < n ? k : n - 1;
        while (k > 0 && m2 < (double)k * (double)k * s2) {
            k--;
        }
        while (k < n - 1 && m2 >= (double)(k + 1) * (double)(k + 1) * s2 && s2 > 0) {
            k++;
        }
        return k;
    }
    int k = (int)(fabs(dz) * n / b->pi_max);

    k = k < n ? k : n - 1;
    while (k > 0 && fabs(dz) < b->pi_max * k / n) {
        k--;
    }
    while (k < n - 1 && fabs(dz) >= b->pi_max * (k + 1) / n) {
        k++;
    }
    return k;
}

/* Put one pair of slots into its bin; s2 is below the last edge and not below the first. */
static void
put_pair(const hg_pair_counting *t, double s2, double dz, int64_t i, int64_t j,
         hg_pair_tally *y)
{
    int low = t->bins->n - 1; /* most pairs are in the last bins */

    while (s2 < t->edge2[low]) {
        low--;
    }
    if (t->bins->n_second > 1) {
        low = low * t->bins->n_second + second_bin(t->bins, s2, dz);
    }
    int64_t part = 1;

    y->count[low]++;
    if (t->weighted) {
        const double product = t->cells->weight[i] * t->cells->weight[j];

        y->sum[low] += product;
        part = (int64_t)floor(product * t->parts + 0.5);
    }
    if (t->n_region > 0) {
        const int64_t row = (int64_t)low * t->n_region;

        y->touch[row + t->region[i]] += part;
        y->touch[row + t->region[j]] += part;
        y->inside[row + t->region[i]] += t->region[i] == t->region[j] ? part : 0;
    }
}

/* Candidates [first, end) of the near column for home point i. */
static void
count_stretch(const hg_pair_counting *t, const hg_pair_columns *c, int64_t i, int image,
              int64_t first, int64_t end, hg_pair_tally *y)
{
    const hg_cells *cells = t->cells;
    const bool across = t->bins->kind == HG_PAIRS_RP_PI;
    const double xi = cells->x[i], yi = cells->y[i], zi = cells->z[i];
    const double sz = image * cells->box, limit = across ? t->bins->pi_max : HUGE_VAL;
    const double least = t->edge2[0], most = t->edge2[t->bins->n];
    double d2[STRETCH], along[STRETCH];

    for (int64_t from = first; from < end; from += STRETCH) {
        const int n = (int)(end - from < STRETCH ? end - from : STRETCH);
        const double *x = cells->x + from, *yy = cells->y + from, *z = cells->z + from;

#pragma omp simd
        for (int k = 0; k < n; k++) {
            double dx = (xi - x[k]) - c->shift[0], dy = (yi - yy[k]) - c->shift[1];
            double dz = (zi - z[k]) - sz, r2 = dx * dx + dy * dy;

            along[k] = dz;
            d2[k] = across ? r2 : r2 + dz * dz;
        }
        for (int k = 0; k < n; k++) {
            if (d2[k] < most && fabs(along[k]) < limit) {
                y->zero += d2[k] == 0 && along[k] == 0;
                if (d2[k] >= least) {
                    put_pair(t, d2[k], along[k], i, from + k, y);
                }
            }
        }
    }
}

static void
count_general(const hg_pair_counting *t, const hg_pair_columns *c, hg_pair_tally *y)
{
    const bool across = t->bins->kind == HG_PAIRS_RP_PI;
    const double most = t->edge2[t->bins->n];

    for (int64_t i = c->home[0]; i < c->home[t->cells->depth]; i++) {
        const double rest = most - hg_pair_least2(c, i);

        for (int image = c->same ? 0 : -1; image <= 1 && rest > 0; image++) {
            int64_t first, end;

            hg_pair_window(c, i, across ? t->bins->pi_max : sqrt(rest), image, &first, &end);
            if (c->same && image == 0 && first <= i) {
                first = i + 1;
            }
            count_stretch(t, c, i, image, first, end, y);
        }
    }
}

/* Square of the smallest distance from the ground of the home column to that of the near one.
 */
static double
column_least2(const hg_pair_columns *c, int64_t ix, int64_t iy)
{
    const double width = c->cells->box / (double)c->cells->side, pad = 1e-9 * width;
    const double low[2] = {(double)ix * width - pad, (double)iy * width - pad};
    double sum = 0;

    for (int k = 0; k < 2; k++) {
        double above = c->low[k] - (low[k] + width + 2 * pad), below = low[k] - c->high[k];
        double d = above > below ? above : below;

        sum += d > 0 ? d * d : 0;
    }
    return sum;
}

/* Compare the points of one group in a home column with those of a group around it. */
static void
count_groups(const hg_pair_counting *t, int64_t ix, int64_t iy, int home, int near,
             hg_pair_tally *y)
{
    const hg_cells *cells = t->cells;
    const double width = cells->box / (double)cells->side, pad = 1e-9 * width;
    hg_pair_columns c = {.cells = cells};
    int offset[2], image[2];

    c.home = hg_cells_column(cells, ix, iy, home, image);
    /* the home column itself is met from one group only */
    for (int k = home > near; c.home != NULL && hg_cells_offset(cells, k, offset); k++) {
        const int64_t at[2] = {ix + offset[0], iy + offset[1]};
        double least2;

        c.near = hg_cells_column(cells, at[0], at[1], near, image);
        if (c.near == NULL) {
            continue;
        }
        for (int a = 0; a < 2; a++) {
            c.shift[a] = image[a] * cells->box;
            c.low[a] = (double)at[a] * width - pad;
            c.high[a] = (double)(at[a] + 1) * width + pad;
        }
        c.same = k == 0 && home == near;
        least2 = column_least2(&c, ix, iy);
        if (least2 >= t->edge2[t->bins->n]) {
            continue;
        }
        if (!is_plain(t)) {
            count_general(t, &c, y);
            continue;
        }
        for (int p = 0; p < t->n_pass && least2 < t->pass[p].edge2[HG_PAIR_EDGES - 1]; p++) {
            t->counter[t->pass[p].projected](&c, &t->pass[p], y->below[p]);
        }
    }
}

/* Compare a home column with all it looks at. */
static void
count_home(const hg_pair_counting *t, int64_t ix, int64_t iy, hg_pair_tally *y)
{
    if (t->cells->n_group == 1) {
        count_groups(t, ix, iy, 0, 0, y);
    } else {
        count_groups(t, ix, iy, 0, 1, y);
        count_groups(t, ix, iy, 1, 0, y);
    }
}

int64_t
hg_pair_bins(const hg_pair_counting *counting)
{
    return (int64_t)counting->bins->n * counting->bins->n_second;
}

/* Add the weights of one home column to the sums, exactly. */
static void
carry_weights(const hg_pair_counting *t, hg_pair_tally *y)
{
    for (int64_t i = 0; i < hg_pair_bins(t); i++) {
        double whole = floor(y->sum[i]);

        y->high[i] += (int64_t)whole;
        y->low[i] += (int64_t)((y->sum[i] - whole) * hg_pair_word);
        y->sum[i] = 0;
    }
}

/* Arrays of sums, in the order of hg_pair_tally; all in one block. */
static int64_t
n_sum(const hg_pair_counting *t)
{
    return hg_pair_bins(t) * (3 + 2 * t->n_region);
}

static hg_status
start_tally(const hg_pair_counting *t, hg_pair_tally **y)
{
    const size_t n = (size_t)hg_pair_bins(t);

    HG_TRY(hg_mem_zeros(y, 1, sizeof **y));
    HG_TRY(hg_mem_zeros(&(*y)->count, (size_t)n_sum(t), sizeof *(*y)->count));
    (*y)->high = (*y)->count + n;
    (*y)->low = (*y)->high + n;
    (*y)->touch = (*y)->low + n;
    (*y)->inside = (*y)->touch + n * (size_t)t->n_region;
    return hg_mem_zeros(&(*y)->sum, n, sizeof *(*y)->sum);
}

void
hg_pair_tally_free(hg_pair_tally *tally)
{
    if (tally != NULL) {
        hg_mem_free(tally->count);
        hg_mem_free(tally->sum);
        hg_mem_free(tally);
    }
}

static void
add_tally(const hg_pair_counting *t, const hg_pair_tally *y, hg_pair_tally *total)
{
    for (int p = 0; p < t->n_pass; p++) {
        for (int k = 0; k < HG_PAIR_EDGES; k++) {
            total->below[p][k] += y->below[p][k];
        }
    }
    for (int64_t i = 0; i < n_sum(t); i++) {
        total->count[i] += y->count[i];
    }
    total->zero += y->zero;
}

/* Turn numbers below edges into numbers in bins. */
static void
settle_plain(const hg_pair_counting *t, hg_pair_tally *y)
{
    const int last = t->n_pass - 1;

    for (int i = 0; i < t->bins->n; i++) {
        int64_t below[2];

        for (int k = 0; k < 2; k++) {
            int down = t->bins->n - (i + k);

            below[k] = y->below[down / HG_PAIR_EDGES][HG_PAIR_EDGES - 1 - down % HG_PAIR_EDGES];
        }
        y->count[i] = below[1] - below[0];
    }
    y->zero = y->below[last][HG_PAIR_EDGES - 1];
}

/* All own columns, by threads. */
static hg_status
count_own(const hg_pair_counting *t, hg_pair_tally *total)
{
    const int64_t *low = t->cells->low, *high = t->cells->high;
    const int64_t n = (high[0] - low[0]) * (high[1] - low[1]);
    hg_status status = HG_OK;

#pragma omp parallel
    {
        hg_pair_tally *y = NULL;
        hg_status mine = start_tally(t, &y);

#pragma omp for schedule(dynamic, 4)
        for (int64_t i = 0; i < n; i++) {
            hg_alive();
            if (mine == HG_OK) {
                count_home(t, low[0] + i / (high[1] - low[1]), low[1] + i % (high[1] - low[1]),
                           y);
                if (t->weighted) {
                    carry_weights(t, y);
                }
            }
        }
#pragma omp critical(pairs)
        {
            if (mine == HG_OK) {
                add_tally(t, y, total);
            } else {
                status = mine;
            }
        }
        hg_pair_tally_free(y);
    }
    return status == HG_OK ? HG_OK
                           : HG_FAIL(status, "no memory for the pair counts of a thread");
}

hg_status
hg_pair_counting_plan(int side, hg_pair_counting *t)
{
    const double scale = side / t->cells->box;
    const double *const x[3] = {t->cells->x, t->cells->y, t->cells->z};

    plan_passes(t);
    t->n_region = side * side * side;
    if (side == 0) {
        return HG_OK;
    }
    HG_TRY(hg_mem_zeros(&t->region, (size_t)t->cells->n_slot, sizeof *t->region));
    for (int64_t i = 0; i < t->cells->n_slot; i++) {
        int place = 0;

        for (int k = 0; k < 3 && isfinite(x[0][i]); k++) {
            const int at = (int)(x[k][i] * scale);

            place = place * side + (at < side ? at : side - 1);
        }
        t->region[i] = (int16_t)place;
    }
    return HG_OK;
}

hg_status
hg_pair_tally_run(const hg_pair_counting *t, hg_pair_tally **tally)
{
    HG_TRY(start_tally(t, tally));
    HG_TRY(count_own(t, *tally));
    if (is_plain(t)) {
        settle_plain(t, *tally);
    }
    return HG_OK;
}
