/* Moments in two passes about the means; medians and ranks from a radix sort of the 64-bit keys
 * of doubles, which is stable and takes linear time. Sorting is most of the work, so an order
 * is made once and then serves any weights of its rows, those of a jackknife among them. */
#include "stats/metric.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

typedef struct sort_item {
    uint64_t key;
    int64_t row;
} sort_item;

/* Order-preserving map of doubles to unsigned integers. */
static uint64_t
sort_key(double x)
{
    uint64_t bits;

    x += 0.0; /* -0 counts as 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* Rows in increasing order of value. */
static hg_status
sort_rows(int64_t n, const double value[], sort_item *item, sort_item *other, int64_t **order)
{
    enum { BITS = 11, SIZE = 1 << BITS };
    int64_t start[SIZE];

    HG_TRY(hg_mem_array(order, (size_t)n, sizeof **order));
    for (int64_t i = 0; i < n; i++) {
        item[i] = (sort_item){sort_key(value[i]), i};
    }
    for (int shift = 0; shift < 64; shift += BITS) {
        sort_item *swap = item;
        int64_t first = 0;

        memset(start, 0, sizeof start);
        for (int64_t i = 0; i < n; i++) {
            start[item[i].key >> shift & (SIZE - 1)]++;
        }
        for (int b = 0; b < SIZE; b++) {
            int64_t count = start[b];

            start[b] = first;
            first += count;
        }
        for (int64_t i = 0; i < n; i++) {
            other[start[item[i].key >> shift & (SIZE - 1)]++] = item[i];
        }
        item = other;
        other = swap;
    }
    for (int64_t i = 0; i < n; i++) {
        (*order)[i] = item[i].row;
    }
    return HG_OK;
}

static double
weight_of(const double weight[], int64_t i)
{
    return weight != NULL ? weight[i] : 1;
}

/* Weighted median of values in increasing order: mean of those where the cumulated weight
 * reaches and passes one half. */
typedef struct median {
    double half, sum, value;
    bool is_reached;
} median;

static median
start_median(double total)
{
    return (median){.half = 0.5 * total};
}

/* whether the median is known with this value */
static bool
add_to_median(median *m, double value, double weight)
{
    if (!(weight > 0)) {
        return false;
    }
    if (m->is_reached) {
        m->value = 0.5 * (m->value + value);
        return true;
    }
    m->sum += weight;
    m->value = value;
    m->is_reached = m->sum >= m->half * (1 - 1e-14);
    return m->sum > m->half * (1 + 1e-14);
}

static double
median_of(int64_t n, const int64_t order[], const double value[], const double weight[],
          double total)
{
    median m = start_median(total);

    for (int64_t i = 0; i < n; i++) {
        if (add_to_median(&m, value[order[i]], weight_of(weight, order[i]))) {
            break;
        }
    }
    return m.value;
}

/* Median of |value - middle|: the values below it, from the top, and those above are in order,
 * and only have to be merged. */
static double
median_about(int64_t n, const int64_t order[], const double value[], double middle,
             const double weight[], double total)
{
    median m = start_median(total);
    int64_t above = 0, below;

    while (above < n && value[order[above]] < middle) {
        above++;
    }
    below = above - 1;
    while (below >= 0 || above < n) {
        const bool is_low = above == n || (below >= 0 && middle - value[order[below]] <
                                                             value[order[above]] - middle);
        const int64_t row = is_low ? order[below--] : order[above++];

        if (add_to_median(&m, fabs(value[row] - middle), weight_of(weight, row))) {
            break;
        }
    }
    return m.value;
}

/* Weighted ranks: weight below plus half the weight of equal values. */
static void
rank_values(int64_t n, const int64_t order[], const double value[], const double weight[],
            double rank[])
{
    double below = 0;

    for (int64_t i = 0, end; i < n; i = end) {
        double tied = 0;

        end = i;
        do {
            tied += weight_of(weight, order[end++]);
        } while (end < n && value[order[end]] == value[order[i]]);
        for (int64_t k = i; k < end; k++) {
            rank[order[k]] = below + 0.5 * tied;
        }
        below += tied;
    }
}

typedef struct pair_moments {
    double mean_x, mean_y, var_x, var_y, cov;
} pair_moments;

static pair_moments
find_moments(int64_t n, const double x[], const double y[], const double weight[], double total)
{
    pair_moments m = {0};

    for (int64_t i = 0; i < n; i++) {
        m.mean_x += weight_of(weight, i) * x[i] / total;
        m.mean_y += weight_of(weight, i) * y[i] / total;
    }
    for (int64_t i = 0; i < n; i++) {
        double w = weight_of(weight, i) / total, dx = x[i] - m.mean_x, dy = y[i] - m.mean_y;

        m.var_x += w * dx * dx;
        m.var_y += w * dy * dy;
        m.cov += w * dx * dy;
    }
    return m;
}

static double
correlation_of(const pair_moments *m)
{
    double norm = m->var_x * m->var_y;

    return norm > 0 ? m->cov / sqrt(norm) : (double)NAN;
}

hg_status
hg_metric_sort(int64_t n, const double truth[], const double predicted[],
               hg_metric_order *order)
{
    sort_item *item = NULL, *other = NULL;
    double *error = NULL;
    hg_status status;

    *order = (hg_metric_order){.n = n};
    HG_TRY_OR(done, status, hg_mem_array(&item, (size_t)n, sizeof *item));
    HG_TRY_OR(done, status, hg_mem_array(&other, (size_t)n, sizeof *other));
    HG_TRY_OR(done, status, sort_rows(n, predicted, item, other, &order->predicted));
    if (truth != NULL) {
        HG_TRY_OR(done, status, sort_rows(n, truth, item, other, &order->truth));
        HG_TRY_OR(done, status, hg_mem_array(&error, (size_t)n, sizeof *error));
        for (int64_t i = 0; i < n; i++) {
            error[i] = predicted[i] - truth[i];
        }
        status = sort_rows(n, error, item, other, &order->error);
    }
done:
    hg_mem_free(item);
    hg_mem_free(other);
    hg_mem_free(error);
    return status;
}

void
hg_metric_order_clear(hg_metric_order *order)
{
    hg_mem_free(order->truth);
    hg_mem_free(order->predicted);
    hg_mem_free(order->error);
    *order = (hg_metric_order){0};
}

/* Medians and shares of the error. */
static void
measure_errors(const hg_metric_order *order, const double error[], const double weight[],
               double total, hg_metric *metric)
{
    const int64_t n = order->n;
    const double middle = median_of(n, order->error, error, weight, total);
    double square = 0, weights = 0;

    metric->n = 0;
    metric->bias = metric->mae = metric->within = metric->outliers = 0;
    metric->nmad = 1.4826 * median_about(n, order->error, error, middle, weight, total);
    for (int64_t i = 0; i < n; i++) {
        double w = weight_of(weight, i) / total, e = error[i];

        metric->n += w > 0;
        metric->bias += w * e;
        square += w * e * e;
        metric->mae += w * fabs(e);
        metric->within += fabs(e) < 0.2 ? w : 0;
        metric->outliers += fabs(e - middle) > 3 * metric->nmad ? w : 0;
        weights += w * w;
    }
    metric->n_eff = 1 / weights;
    metric->rmse = sqrt(square);
    metric->sigma = sqrt(fmax(0, square - metric->bias * metric->bias));
}

static hg_metric
undefined_metric(void)
{
    const double nan = (double)NAN;

    return (hg_metric){0, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan};
}

static hg_status
sum_weights(int64_t n, const double weight[], double *total)
{
    *total = 0;
    for (int64_t i = 0; i < n; i++) {
        *total += weight_of(weight, i);
    }
    return *total > 0
               ? HG_OK
               : HG_FAIL(HG_E_INPUT, "the weights of the rows to score sum to %g", *total);
}

hg_status
hg_metric_weigh(const hg_metric_order *order, const double truth[], const double predicted[],
                const double weight[], hg_metric *metric)
{
    const int64_t n = order->n;
    double total = 0, *error = NULL;
    pair_moments moments, ranks;

    *metric = undefined_metric();
    if (n == 0) {
        return HG_OK;
    }
    HG_TRY(sum_weights(n, weight, &total));
    HG_TRY(hg_mem_array(&error, 3 * (size_t)n, sizeof *error));
    double *const rank[2] = {error + n, error + 2 * n};

    for (int64_t i = 0; i < n; i++) {
        error[i] = predicted[i] - truth[i];
    }
    moments = find_moments(n, truth, predicted, weight, total);
    rank_values(n, order->truth, truth, weight, rank[0]);
    rank_values(n, order->predicted, predicted, weight, rank[1]);
    ranks = find_moments(n, rank[0], rank[1], weight, total);
    measure_errors(order, error, weight, total, metric);
    metric->pearson = correlation_of(&moments);
    metric->spearman = correlation_of(&ranks);
    metric->r2 = 1 - metric->rmse * metric->rmse / moments.var_x;
    metric->explained = 1 - metric->sigma * metric->sigma / moments.var_x;
    metric->spread = sqrt(moments.var_y / moments.var_x);
    if (!(moments.var_x > 0)) {
        metric->r2 = metric->explained = metric->spread = (double)NAN;
    }
    hg_mem_free(error);
    return HG_OK;
}

hg_status
hg_metric_compute(int64_t n, const double truth[], const double predicted[],
                  const double weight[], hg_metric *metric)
{
    hg_metric_order order;
    hg_status status = hg_metric_sort(n, truth, predicted, &order);

    if (status == HG_OK) {
        status = hg_metric_weigh(&order, truth, predicted, weight, metric);
        metric->n = n;
    }
    hg_metric_order_clear(&order);
    return status;
}

double
hg_metric_gain(int64_t n, const double truth[], const double weight[], double reference,
               double rmse)
{
    double square = 0, total = 0;

    for (int64_t i = 0; i < n; i++) {
        const double d = truth[i] - reference;

        square += weight_of(weight, i) * d * d;
        total += weight_of(weight, i);
    }
    return total > 0 && rmse > 0 ? square / total / (rmse * rmse) : (double)NAN;
}

#define METRIC_LIST(X) \
    X(n)               \
    X(bias)            \
    X(rmse)            \
    X(mae)             \
    X(sigma)           \
    X(nmad) X(r2) X(explained) X(pearson) X(spearman) X(within) X(outliers) X(spread) X(n_eff)

#define METRIC_ONE(name) +1
#define METRIC_NAME(name) #name,
#define METRIC_VALUE(name) (double)metric->name,

int
hg_metric_count(void)
{
    return 0 METRIC_LIST(METRIC_ONE);
}

const char *
hg_metric_name(int i)
{
    static const char *const names[] = {METRIC_LIST(METRIC_NAME)};

    HG_ASSERT(i >= 0 && i < hg_metric_count());
    return names[i];
}

double
hg_metric_value(const hg_metric *metric, int i)
{
    const double values[] = {METRIC_LIST(METRIC_VALUE)};

    HG_ASSERT(i >= 0 && i < hg_metric_count());
    return values[i];
}

/* ---- labels ---- */
/* Weighted Mann-Whitney statistic from mean ranks: sum over ones of the weight of zeros below,
 * half of those level. */
static double
find_auc(int64_t n, const double truth[], const double weight[], const double rank[],
         const double rank_of_ones[], double ones, double total)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        if (truth[i] > 0.5) {
            sum += weight_of(weight, i) * (rank[i] - rank_of_ones[i]);
        }
    }
    return ones > 0 && total > ones ? sum / (ones * (total - ones)) : (double)NAN;
}

static void
measure_labels(int64_t n, const double truth[], const double probability[],
               const double weight[], double total, hg_label_metric *m)
{
    enum { BINS = 10 };
    double hit = 0, miss = 0, wrong[BINS] = {0};

    m->n = 0;
    m->share = m->brier = m->calibration = 0;
    for (int64_t i = 0; i < n; i++) {
        const double w = weight_of(weight, i) / total, e = probability[i] - truth[i];
        const int bin = (int)fmin(BINS - 1, fmax(0, BINS * probability[i]));
        const bool one = truth[i] > 0.5, said = probability[i] >= 0.5;

        m->n += w > 0;
        m->share += one ? w : 0;
        m->brier += w * e * e;
        wrong[bin] += w * e;
        hit += one && said ? w : 0;
        miss += one != said ? w : 0;
    }
    for (int b = 0; b < BINS; b++) {
        m->calibration += fabs(wrong[b]);
    }
    m->f1 = 2 * hit + miss > 0 ? 2 * hit / (2 * hit + miss) : (double)NAN;
}

hg_status
hg_metric_weigh_labels(const hg_metric_order *order, const double truth[],
                       const double probability[], const double weight[],
                       hg_label_metric *metric)
{
    const double nan = (double)NAN;
    const int64_t n = order->n;
    double total = 0, *of_ones = NULL;

    *metric = (hg_label_metric){0, nan, nan, nan, nan, nan};
    if (n == 0) {
        return HG_OK;
    }
    HG_TRY(sum_weights(n, weight, &total));
    HG_TRY(hg_mem_array(&of_ones, 3 * (size_t)n, sizeof *of_ones));
    double *const rank[2] = {of_ones + n, of_ones + 2 * n};

    measure_labels(n, truth, probability, weight, total, metric);
    rank_values(n, order->predicted, probability, weight, rank[0]);
    for (int64_t i = 0; i < n; i++) { /* ranks among ones: zeros weigh nothing */
        of_ones[i] = truth[i] > 0.5 ? weight_of(weight, i) : 0;
    }
    rank_values(n, order->predicted, probability, of_ones, rank[1]);
    metric->auc = find_auc(n, truth, weight, rank[0], rank[1], metric->share * total, total);
    hg_mem_free(of_ones);
    return HG_OK;
}

hg_status
hg_metric_labels(int64_t n, const double truth[], const double probability[],
                 const double weight[], hg_label_metric *metric)
{
    hg_metric_order order;
    hg_status status = hg_metric_sort(n, NULL, probability, &order);

    if (status == HG_OK) {
        status = hg_metric_weigh_labels(&order, truth, probability, weight, metric);
        metric->n = n;
    }
    hg_metric_order_clear(&order);
    return status;
}

#define LABEL_LIST(X) X(n) X(share) X(brier) X(f1) X(auc) X(calibration)

int
hg_label_metric_count(void)
{
    return 0 LABEL_LIST(METRIC_ONE);
}

const char *
hg_label_metric_name(int i)
{
    static const char *const names[] = {LABEL_LIST(METRIC_NAME)};

    HG_ASSERT(i >= 0 && i < hg_label_metric_count());
    return names[i];
}

double
hg_label_metric_value(const hg_label_metric *metric, int i)
{
    const double values[] = {LABEL_LIST(METRIC_VALUE)};

    HG_ASSERT(i >= 0 && i < hg_label_metric_count());
    return values[i];
}

double
hg_metric_jackknife(int n, const double left_out[])
{
    double mean = 0, square = 0;

    for (int k = 0; k < n; k++) {
        mean += left_out[k] / n;
    }
    for (int k = 0; k < n; k++) {
        square += (left_out[k] - mean) * (left_out[k] - mean);
    }
    return n > 1 ? sqrt(square * (n - 1) / n) : (double)NAN;
}
