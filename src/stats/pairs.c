/* Points are dealt to ranks in columns (table/cells), each rank counts its own (pair_count),
 * and the sums over ranks are integers. */
#include "stats/pairs.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "stats/pair_count.h"

static hg_status
check_bins(const hg_pairs_bins *b, double box, int regions)
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
    if (regions < 0 || regions > HG_PAIRS_REGIONS_MAX) {
        return HG_FAIL(HG_E_ARG, "%d regions per side for a jackknife; up to %d are possible",
                       regions, HG_PAIRS_REGIONS_MAX);
    }
    return HG_OK;
}

/* Sums of the weights of one group of own points, in the order of cells within columns. */
static void
sum_weights(const hg_comm *comm, const hg_cells *cells, int group, double total[2])
{
    int64_t sum[4] = {0};

    for (int64_t ix = cells->low[0]; ix < cells->high[0]; ix++) {
        for (int64_t iy = cells->low[1]; iy < cells->high[1]; iy++) {
            int image[2];
            const int64_t *first = hg_cells_column(cells, ix, iy, group, image);
            double w[2] = {0};

            for (int64_t i = first != NULL ? first[0] : 0;
                 first != NULL && i < first[cells->depth]; i++) {
                w[0] += cells->weight[i];
                w[1] += cells->weight[i] * cells->weight[i];
            }
            for (int k = 0; k < 2; k++) {
                sum[2 * k] += (int64_t)floor(w[k]);
                sum[2 * k + 1] += (int64_t)((w[k] - floor(w[k])) * hg_pair_word);
            }
        }
    }
    hg_comm_sum(comm, 4, sum);
    for (int k = 0; k < 2; k++) {
        total[k] = (double)sum[2 * k] + (double)sum[2 * k + 1] / hg_pair_word;
    }
}

static hg_status
start_pairs(const hg_pairs_task *task, bool weighted, hg_pairs *pairs)
{
    const hg_pairs_bins *bins = task->bins;
    const size_t n = (size_t)bins->n * (size_t)bins->n_second;
    const size_t n_region = (size_t)(task->regions * task->regions * task->regions);

    *pairs = (hg_pairs){.kind = bins->kind,
                        .los = bins->los,
                        .cross = task->cross,
                        .copies = 1,
                        .noise = 1,
                        .part = 1,
                        .n = bins->n,
                        .n_second = bins->n_second,
                        .pi_max = bins->pi_max,
                        .box = task->box,
                        .regions = task->regions,
                        .objects = task->a.n + (task->cross ? task->b.n : 0)};
    HG_TRY(hg_mem_zeros(&pairs->count, n, sizeof *pairs->count));
    if (weighted) {
        HG_TRY(hg_mem_zeros(&pairs->weight, n, sizeof *pairs->weight));
    }
    if (n_region > 0) {
        HG_TRY(hg_mem_zeros(&pairs->touch, n * n_region, sizeof *pairs->touch));
        HG_TRY(hg_mem_zeros(&pairs->inside, n * n_region, sizeof *pairs->inside));
    }
    HG_TRY(hg_mem_array(&pairs->edge, (size_t)bins->n + 1, sizeof *pairs->edge));
    memcpy(pairs->edge, bins->edge, ((size_t)bins->n + 1) * sizeof *pairs->edge);
    return HG_OK;
}

/* Sum over ranks, and from unordered to ordered pairs. */
static void
finish_pairs(const hg_comm *comm, const hg_pairs_task *task, const hg_pair_counting *t,
             const int scale[2], hg_pair_tally *tally, hg_pairs *pairs)
{
    const int64_t n = hg_pair_bins(t), times = task->cross ? 1 : 2;
    double work[2] = {t->cells->work_own, t->cells->work_all}, sum[2][2];
    double n_all[2] = {(double)task->a.n, (double)task->b.n};

    hg_comm_sum_double(comm, 2, n_all);
    hg_comm_sum(comm, 3 * (size_t)n, tally->count);
    hg_comm_sum(comm, 2 * (size_t)(n * t->n_region), tally->touch);
    hg_comm_sum(comm, 1, &tally->zero);
    for (int64_t i = 0; i < n; i++) {
        pairs->count[i] = times * tally->count[i];
        if (t->weighted) {
            const double total = (double)tally->high[i] + (double)tally->low[i] / hg_pair_word;

            pairs->weight[i] = ldexp((double)times * total, scale[0] + scale[1]);
        }
    }
    for (int64_t i = 0; i < n * t->n_region; i++) {
        pairs->touch[i] = tally->touch[i];
        pairs->inside[i] = times * tally->inside[i];
    }
    pairs->part = t->weighted ? ldexp(1 / t->parts, scale[0] + scale[1]) : 1;
    pairs->zero = times * tally->zero;
    hg_comm_max_double(comm, 1, work);
    pairs->balance = work[1] > 0 ? work[0] / work[1] * comm->size : 1;
    for (int g = 0; g < 2; g++) {
        sum_weights(comm, t->cells, task->cross ? g : 0, sum[g]);
        pairs->noise *= sum[g][0] > 0
                            ? n_all[task->cross ? g : 0] * sum[g][1] / (sum[g][0] * sum[g][0])
                            : 1;
        sum[g][0] = ldexp(sum[g][0], scale[g]);
        sum[g][1] = ldexp(sum[g][1], 2 * scale[g]);
    }
    pairs->weight_sum = sum[0][0];
    pairs->weight_sum2 = sum[0][1];
    pairs->weight_product = sum[0][0] * sum[1][0] - (task->cross ? task->common : sum[0][1]);
}

int
hg_pairs_axis(hg_pairs_kind kind, hg_los los, int k)
{
    return kind == HG_PAIRS_R || los == HG_LOS_NONE ? k : ((int)los + 1 + k) % 3;
}

/* Positions with the line of sight as the third axis. */
static hg_status
turn_axes(const hg_pairs_bins *bins, hg_cells_points *points, double (**turned)[3])
{
    *turned = NULL;
    if (hg_pairs_axis(bins->kind, bins->los, 0) == 0) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(turned, (size_t)points->n, sizeof **turned));
    for (int64_t i = 0; i < points->n; i++) {
        for (int k = 0; k < 3; k++) {
            (*turned)[i][k] = points->position[i][hg_pairs_axis(bins->kind, bins->los, k)];
        }
    }
    points->position = (const double(*)[3]) * turned;
    return HG_OK;
}

/* Whether any rank has weights: one without points may have no array of them, but counts the
 * points of others. */
static bool
have_weights(const hg_comm *comm, const hg_cells_points *points)
{
    int64_t n = points->weight != NULL;

    hg_comm_sum(comm, 1, &n);
    return n > 0;
}

/* Weights times a power of two that brings the largest to [1/2, 1), so that sums of products
 * fit into integers whatever their unit. */
static hg_status
scale_weights(const hg_comm *comm, hg_cells_points *points, double **scaled, int *exponent)
{
    const bool weighted = have_weights(comm, points);
    double most = 0;
    hg_status status = HG_OK;

    *exponent = 0;
    for (int64_t i = 0; i < points->n && points->weight != NULL; i++) {
        most = fmax(most, fabs(points->weight[i]));
    }
    hg_comm_max_double(comm, 1, &most);
    if (weighted) {
        frexp(most, exponent);
    }
    if (points->weight != NULL) {
        status = hg_mem_array(scaled, (size_t)points->n, sizeof **scaled);
        for (int64_t i = 0; i < points->n && status == HG_OK; i++) {
            (*scaled)[i] = ldexp(points->weight[i], -*exponent);
        }
        points->weight = *scaled;
    }
    return status;
}

/* How many parts a product of two scaled weights is divided into where it is counted per
 * region: as many as the product of their sums leaves room for. */
static double
product_parts(const hg_comm *comm, const hg_cells_points points[2], bool cross)
{
    const double one = 1048576;
    int64_t sum[2] = {0, 0};

    for (int g = 0; g < 1 + cross; g++) {
        for (int64_t i = 0; i < points[g].n; i++) {
            const double w = points[g].weight != NULL ? fabs(points[g].weight[i]) : 1;

            sum[g] += (int64_t)(w * one) + 1;
        }
    }
    hg_comm_sum(comm, 2, sum);
    sum[1] = cross ? sum[1] : sum[0];
    const double bound = (double)sum[0] / one * ((double)sum[1] / one);

    return ldexp(1, bound > 1048576 ? 59 - ilogb(bound) : 39);
}

hg_status
hg_pairs_measure(const hg_comm *comm, const hg_pairs_task *task, hg_pairs *pairs)
{
    const hg_pairs_bins *bins = task->bins;
    const bool weighted =
        have_weights(comm, &task->a) || (task->cross && have_weights(comm, &task->b));
    hg_pair_counting *t = NULL;
    hg_cells cells = {0};
    hg_cells_search search = {.box = task->box, .half = true};
    hg_cells_points points[2] = {task->a, task->b};
    double(*turned[2])[3] = {NULL, NULL}, *scaled[2] = {NULL, NULL};
    int scale[2] = {0, 0};
    hg_pair_tally *tally = NULL;
    hg_status status;

    *pairs = (hg_pairs){0};
    HG_TRY_OR(done, status, hg_comm_agree(comm, check_bins(bins, task->box, task->regions)));
    status = start_pairs(task, weighted, pairs);
    for (int g = 0; g < 1 + task->cross; g++) {
        const hg_status ready = scale_weights(comm, &points[g], &scaled[g], &scale[g]);

        status = status != HG_OK ? status : ready;
        if (status == HG_OK) {
            status = turn_axes(bins, &points[g], &turned[g]);
        }
    }
    scale[1] = task->cross ? scale[1] : scale[0];
    if (status == HG_OK) {
        status = hg_mem_zeros(&t, 1, sizeof *t);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_sum(comm, 1, &pairs->objects);
    search.reach = bins->edge[bins->n];
    search.reach_z = bins->kind == HG_PAIRS_RP_PI ? bins->pi_max : search.reach;
    HG_TRY_OR(done, status, hg_cells_create(comm, &search, 1 + task->cross, points, &cells));
    *t = (hg_pair_counting){.bins = bins, .cells = &cells, .weighted = weighted};
    t->parts = weighted ? product_parts(comm, points, task->cross) : 1;
    status = hg_pair_counting_plan(task->regions, t);
    if (status == HG_OK) {
        status = hg_pair_tally_run(t, &tally);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    finish_pairs(comm, task, t, scale, tally, pairs);
done:
    hg_cells_clear(&cells);
    hg_pair_tally_free(tally);
    for (int g = 0; g < 2; g++) {
        hg_mem_free(turned[g]);
        hg_mem_free(scaled[g]);
    }
    if (t != NULL) {
        hg_mem_free(t->region);
    }
    hg_mem_free(t);
    if (status != HG_OK) {
        hg_pairs_clear(pairs);
    }
    return status;
}

hg_status
hg_pairs_count(const hg_comm *comm, const hg_pairs_bins *bins, double box, int64_t n,
               const double position[][3], const double weight[], hg_pairs *pairs)
{
    const hg_pairs_task task = {
        .bins = bins, .box = box, .a = {.n = n, .position = position, .weight = weight}};

    return hg_pairs_measure(comm, &task, pairs);
}

void
hg_pairs_clear(hg_pairs *pairs)
{
    hg_mem_free(pairs->edge);
    hg_mem_free(pairs->count);
    hg_mem_free(pairs->weight);
    hg_mem_free(pairs->touch);
    hg_mem_free(pairs->inside);
    memset(pairs, 0, sizeof *pairs);
}

void
hg_pairs_join(hg_pairs *into, hg_pairs *from)
{
    const int64_t n = (int64_t)from->n * from->n_second;

    hg_mem_free(from->touch);
    hg_mem_free(from->inside);
    from->touch = from->inside = NULL;
    from->regions = 0;
    if (into->edge == NULL) {
        *into = *from;
        *from = (hg_pairs){0};
        return;
    }
    HG_ASSERT(into->n == from->n && into->n_second == from->n_second);
    for (int64_t i = 0; i < n; i++) {
        into->count[i] += from->count[i];
        if (into->weight != NULL) {
            into->weight[i] += from->weight[i];
        }
    }
    into->zero += from->zero;
    into->weight_product += from->weight_product;
    into->copies += from->copies;
    hg_pairs_clear(from);
}

double
hg_pairs_distinct(const hg_pairs *pairs, int64_t count)
{
    return (pairs->cross ? 1 : 0.5) * (double)count / (pairs->copies * pairs->noise);
}

double
hg_pairs_volume(const hg_pairs *pairs, int i)
{
    const double r1 = pairs->edge[i], r2 = pairs->edge[i + 1];

    if (pairs->kind == HG_PAIRS_RP_PI) {
        return M_PI * (r2 - r1) * (r2 + r1) * 2 * pairs->pi_max / pairs->n_second;
    }
    return 4 * M_PI / 3 * (r2 * r2 * r2 - r1 * r1 * r1) / pairs->n_second;
}

double
hg_pairs_random(const hg_pairs *pairs, int i, int j)
{
    (void)j; /* bins of the second coordinate are equal */
    return pairs->weight_product * hg_pairs_volume(pairs, i) /
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

    return fabs(1 + hg_pairs_xi(pairs, i, j)) / sqrt(hg_pairs_distinct(pairs, pairs->count[k]));
}
