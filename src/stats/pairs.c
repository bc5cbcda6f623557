/* Home columns are dealt to threads; each is compared with itself and the columns after it in a
 * half neighbourhood, so a pair is met once. Plain counts in one coordinate go through the
 * vector kernel, from the largest edges to the smallest. Two coordinates or weights take the
 * general way: separations of a stretch of candidates, then a bin for each that is near enough.
 * Sums of weights are formed per home column in a fixed order and added as integers of two
 * words, so they do not depend on ranks or threads either. */
#include "stats/pairs.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "stats/pair_kernel.h"
#include "table/cells.h"

enum { STRETCH = 256, PASS_MAX = (HG_PAIRS_BIN_MAX + 2) / HG_PAIR_EDGES + 2 };

static const double word = 1099511627776.0; /* 2^40: the low word counts parts of this */

/* What all columns share. */
typedef struct counting {
    const hg_pairs_bins *bins;
    const hg_cells *cells;
    bool weighted;
    double edge2[HG_PAIRS_BIN_MAX + 1];
    hg_pair_counter counter[2]; /* of plain counts in space and across */
    int n_pass;
    hg_pair_pass pass[PASS_MAX];
} counting;

/* What one thread fills. */
typedef struct tally {
    int64_t below[PASS_MAX][HG_PAIR_EDGES]; /* unordered, plain counts */
    int64_t *count;                         /* shape (n, n_second), unordered */
    double *sum;                            /* the same, weights of one home column */
    int64_t *high, *low;                    /* the same, weights of all, in two words */
    int64_t zero;
} tally;

static hg_status
check_bins(const hg_pairs_bins *b, double box)
{
    if (b->n < 1 || b->n > HG_PAIRS_BIN_MAX || b->n_second < 1 ||
        b->n_second > HG_PAIRS_SECOND_MAX || (b->kind == HG_PAIRS_R && b->n_second != 1)) {
        return HG_FAIL(HG_E_ARG, "%d x %d bins of pairs; up to %d x %d are possible", b->n,
                       b->n_second, HG_PAIRS_BIN_MAX, HG_PAIRS_SECOND_MAX);
    }
    for (int i = 0; i < b->n; i++) {
        if (!(b->edge[i + 1] > b->edge[i]) || !(b->edge[i] >= 0)) {
            return HG_FAIL(HG_E_ARG, "edges of pair separations do not increase: %g, %g",
                           b->edge[i], b->edge[i + 1]);
        }
    }
    if (!(box > 0) || !(b->edge[b->n] <= box / 2) ||
        (b->kind == HG_PAIRS_RP_PI && !(b->pi_max > 0 && b->pi_max <= box / 2))) {
        return HG_FAIL(HG_E_ARG,
                       "pairs up to %g%s are wanted in a periodic box of %g; they may reach "
                       "half the box",
                       b->edge[b->n], b->kind == HG_PAIRS_RP_PI ? " (or pi_max)" : "", box);
    }
    return HG_OK;
}

static bool
is_plain(const counting *t)
{
    return !t->weighted && t->bins->n_second == 1;
}

/* Edges in groups of four from the largest; below all of them one that only coinciding points
 * pass. */
static void
plan_passes(counting *t)
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

/* Put one pair into its bin; s2 is below the last edge and not below the first. */
static void
put_pair(const counting *t, double s2, double dz, double weight, tally *y)
{
    int low = t->bins->n - 1; /* most pairs are in the last bins */

    while (s2 < t->edge2[low]) {
        low--;
    }
    if (t->bins->n_second > 1) {
        low = low * t->bins->n_second + second_bin(t->bins, s2, dz);
    }
    y->count[low]++;
    if (t->weighted) {
        y->sum[low] += weight;
    }
}

/* Candidates [first, end) of the near column for home point i. */
static void
count_stretch(const counting *t, const hg_pair_columns *c, int64_t i, int image, int64_t first,
              int64_t end, tally *y)
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
                    put_pair(t, d2[k], along[k], cells->weight[i] * cells->weight[from + k], y);
                }
            }
        }
    }
}

static void
count_general(const counting *t, const hg_pair_columns *c, tally *y)
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

/* Compare a home column with all it looks at. */
static void
count_home(const counting *t, int64_t ix, int64_t iy, tally *y)
{
    const hg_cells *cells = t->cells;
    const double width = cells->box / (double)cells->side, pad = 1e-9 * width;
    hg_pair_columns c = {.cells = cells};
    int offset[2], image[2];

    c.home = hg_cells_column(cells, ix, iy, image);
    for (int k = 0; c.home != NULL && hg_cells_offset(cells, k, offset); k++) {
        const int64_t at[2] = {ix + offset[0], iy + offset[1]};
        double least2;

        c.near = hg_cells_column(cells, at[0], at[1], image);
        if (c.near == NULL) {
            continue;
        }
        for (int a = 0; a < 2; a++) {
            c.shift[a] = image[a] * cells->box;
            c.low[a] = (double)at[a] * width - pad;
            c.high[a] = (double)(at[a] + 1) * width + pad;
        }
        c.same = k == 0;
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

static int64_t
n_bin(const counting *t)
{
    return (int64_t)t->bins->n * t->bins->n_second;
}

/* Add the weights of one home column to the sums, exactly. */
static void
carry_weights(const counting *t, tally *y)
{
    for (int64_t i = 0; i < n_bin(t); i++) {
        double whole = floor(y->sum[i]);

        y->high[i] += (int64_t)whole;
        y->low[i] += (int64_t)((y->sum[i] - whole) * word);
        y->sum[i] = 0;
    }
}

static hg_status
start_tally(const counting *t, tally **y)
{
    const size_t n = (size_t)n_bin(t);

    HG_TRY(hg_mem_zeros(y, 1, sizeof **y));
    HG_TRY(hg_mem_zeros(&(*y)->count, 3 * n, sizeof *(*y)->count));
    (*y)->high = (*y)->count + n;
    (*y)->low = (*y)->high + n;
    return hg_mem_zeros(&(*y)->sum, n, sizeof *(*y)->sum);
}

static void
free_tally(tally *y)
{
    if (y != NULL) {
        hg_mem_free(y->count);
        hg_mem_free(y->sum);
        hg_mem_free(y);
    }
}

static void
add_tally(const counting *t, const tally *y, tally *total)
{
    for (int p = 0; p < t->n_pass; p++) {
        for (int k = 0; k < HG_PAIR_EDGES; k++) {
            total->below[p][k] += y->below[p][k];
        }
    }
    for (int64_t i = 0; i < 3 * n_bin(t); i++) {
        total->count[i] += y->count[i];
    }
    total->zero += y->zero;
}

/* Turn numbers below edges into numbers in bins. */
static void
settle_plain(const counting *t, tally *y)
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
count_own(const counting *t, tally *total)
{
    const int64_t *low = t->cells->low, *high = t->cells->high;
    const int64_t n = (high[0] - low[0]) * (high[1] - low[1]);
    hg_status status = HG_OK;

#pragma omp parallel
    {
        tally *y = NULL;
        hg_status mine = start_tally(t, &y);

#pragma omp for schedule(dynamic, 4)
        for (int64_t i = 0; i < n; i++) {
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
        free_tally(y);
    }
    return status == HG_OK ? HG_OK
                           : HG_FAIL(status, "no memory for the pair counts of a thread");
}

/* Sums of the weights of own points, in the order of cells within columns. */
static void
sum_weights(const hg_comm *comm, const hg_cells *cells, hg_pairs *pairs)
{
    int64_t sum[4] = {0};

    for (int64_t ix = cells->low[0]; ix < cells->high[0]; ix++) {
        for (int64_t iy = cells->low[1]; iy < cells->high[1]; iy++) {
            int image[2];
            const int64_t *first = hg_cells_column(cells, ix, iy, image);
            double w[2] = {0};

            for (int64_t i = first != NULL ? first[0] : 0;
                 first != NULL && i < first[cells->depth]; i++) {
                w[0] += cells->weight[i];
                w[1] += cells->weight[i] * cells->weight[i];
            }
            for (int k = 0; k < 2; k++) {
                sum[2 * k] += (int64_t)floor(w[k]);
                sum[2 * k + 1] += (int64_t)((w[k] - floor(w[k])) * word);
            }
        }
    }
    hg_comm_sum(comm, 4, sum);
    pairs->weight_sum = (double)sum[0] + (double)sum[1] / word;
    pairs->weight_sum2 = (double)sum[2] + (double)sum[3] / word;
}

static hg_status
start_pairs(const hg_pairs_bins *bins, double box, bool weighted, hg_pairs *pairs)
{
    const size_t n = (size_t)bins->n * (size_t)bins->n_second;

    *pairs = (hg_pairs){.kind = bins->kind,
                        .n = bins->n,
                        .n_second = bins->n_second,
                        .pi_max = bins->pi_max,
                        .box = box};
    HG_TRY(hg_mem_zeros(&pairs->count, n, sizeof *pairs->count));
    if (weighted) {
        HG_TRY(hg_mem_zeros(&pairs->weight, n, sizeof *pairs->weight));
    }
    HG_TRY(hg_mem_array(&pairs->edge, (size_t)bins->n + 1, sizeof *pairs->edge));
    memcpy(pairs->edge, bins->edge, ((size_t)bins->n + 1) * sizeof *pairs->edge);
    return HG_OK;
}

/* Sum over ranks, and from unordered to ordered pairs. */
static void
finish_pairs(const hg_comm *comm, const counting *t, tally *total, hg_pairs *pairs)
{
    const int64_t n = n_bin(t);
    double work[2] = {t->cells->work_own, t->cells->work_all};

    if (is_plain(t)) {
        settle_plain(t, total);
    }
    hg_comm_sum(comm, 3 * (size_t)n, total->count);
    hg_comm_sum(comm, 1, &total->zero);
    for (int64_t i = 0; i < n; i++) {
        pairs->count[i] = 2 * total->count[i];
        if (t->weighted) {
            pairs->weight[i] = 2 * ((double)total->high[i] + (double)total->low[i] / word);
        }
    }
    pairs->zero = 2 * total->zero;
    hg_comm_max_double(comm, 1, work);
    pairs->balance = work[1] > 0 ? work[0] / work[1] * comm->size : 1;
    sum_weights(comm, t->cells, pairs);
}

/* Positions with the line of sight as the third axis. */
static hg_status
turn_axes(const hg_pairs_bins *bins, int64_t n, const double position[][3],
          double (**turned)[3])
{
    *turned = NULL;
    if (bins->kind == HG_PAIRS_R || bins->los == HG_LOS_NONE || bins->los == HG_LOS_Z) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(turned, (size_t)n, sizeof **turned));
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            (*turned)[i][k] = position[i][((int)bins->los + 1 + k) % 3];
        }
    }
    return HG_OK;
}

hg_status
hg_pairs_count(const hg_comm *comm, const hg_pairs_bins *bins, double box, int64_t n,
               const double position[][3], const double weight[], hg_pairs *pairs)
{
    counting *t = NULL;
    hg_cells cells = {0};
    hg_cells_search search = {.box = box, .half = true};
    double(*turned)[3] = NULL;
    tally *total = NULL;
    hg_status status;

    *pairs = (hg_pairs){0};
    HG_TRY_OR(done, status, hg_comm_agree(comm, check_bins(bins, box)));
    status = turn_axes(bins, n, position, &turned);
    if (status == HG_OK) {
        status = hg_mem_zeros(&t, 1, sizeof *t);
    }
    if (status == HG_OK) {
        status = start_pairs(bins, box, weight != NULL, pairs);
    }
    if (status == HG_OK) {
        *t = (counting){.bins = bins, .cells = &cells, .weighted = weight != NULL};
        plan_passes(t);
        status = start_tally(t, &total);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    pairs->objects = n;
    hg_comm_sum(comm, 1, &pairs->objects);
    search.reach = bins->edge[bins->n];
    search.reach_z = bins->kind == HG_PAIRS_RP_PI ? bins->pi_max : search.reach;
    HG_TRY_OR(done, status,
              hg_cells_create(comm, &search, n,
                              turned != NULL ? (const double(*)[3])turned : position, weight,
                              &cells));
    HG_TRY_OR(done, status, hg_comm_agree(comm, count_own(t, total)));
    finish_pairs(comm, t, total, pairs);
done:
    hg_cells_clear(&cells);
    free_tally(total);
    hg_mem_free(turned);
    hg_mem_free(t);
    if (status != HG_OK) {
        hg_pairs_clear(pairs);
    }
    return status;
}

void
hg_pairs_clear(hg_pairs *pairs)
{
    hg_mem_free(pairs->edge);
    hg_mem_free(pairs->count);
    hg_mem_free(pairs->weight);
    memset(pairs, 0, sizeof *pairs);
}

double
hg_pairs_random(const hg_pairs *pairs, int i, int j)
{
    const double r1 = pairs->edge[i], r2 = pairs->edge[i + 1], s = pairs->weight_sum;
    double volume = M_PI * (r2 - r1) * (r2 + r1) * 2 * pairs->pi_max; /* |pi| < pi_max */

    if (pairs->kind != HG_PAIRS_RP_PI) {
        volume = 4 * M_PI / 3 * (r2 * r2 * r2 - r1 * r1 * r1);
    }
    (void)j; /* bins of the second coordinate are equal */
    return (s * s - pairs->weight_sum2) * volume / pairs->n_second /
           (pairs->box * pairs->box * pairs->box);
}

double
hg_pairs_xi(const hg_pairs *pairs, int i, int j)
{
    const int64_t k = (int64_t)i * pairs->n_second + j;

    if (pairs->count[k] == 0) {
        return (double)NAN;
    }
    return (pairs->weight != NULL ? pairs->weight[k] : (double)pairs->count[k]) /
               hg_pairs_random(pairs, i, j) -
           1;
}

double
hg_pairs_xi_error(const hg_pairs *pairs, int i, int j)
{
    const int64_t k = (int64_t)i * pairs->n_second + j;

    return fabs(1 + hg_pairs_xi(pairs, i, j)) / sqrt(0.5 * (double)pairs->count[k]);
}
