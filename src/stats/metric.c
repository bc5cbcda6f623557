/* Moments in two passes about the means; medians and ranks from a radix sort of the 64-bit keys
 * of doubles, which is stable and takes linear time. */
#include "stats/metric.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

typedef struct sort_item {
    uint64_t key;
    int64_t row;
} sort_item;

/* Scratch of the sorts and of derived values. */
typedef struct metric_work {
    sort_item *item, *other;
    double *error, *rank_truth, *rank_predicted;
} metric_work;

/* Order-preserving map of doubles to unsigned integers. */
static uint64_t
sort_key(double x)
{
    uint64_t bits;

    x += 0.0; /* -0 counts as 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* Rows in increasing order of value, in work->item. */
static void
sort_rows(int64_t n, const double value[], metric_work *work)
{
    enum { BITS = 11, SIZE = 1 << BITS };
    int64_t start[SIZE];

    for (int64_t i = 0; i < n; i++) {
        work->item[i] = (sort_item){sort_key(value[i]), i};
    }
    for (int shift = 0; shift < 64; shift += BITS) {
        sort_item *swap = work->item;
        int64_t first = 0;

        memset(start, 0, sizeof start);
        for (int64_t i = 0; i < n; i++) {
            start[work->item[i].key >> shift & (SIZE - 1)]++;
        }
        for (int b = 0; b < SIZE; b++) {
            int64_t count = start[b];

            start[b] = first;
            first += count;
        }
        for (int64_t i = 0; i < n; i++) {
            work->other[start[work->item[i].key >> shift & (SIZE - 1)]++] = work->item[i];
        }
        work->item = work->other;
        work->other = swap;
    }
}

static double
weight_of(const double weight[], int64_t i)
{
    return weight != NULL ? weight[i] : 1;
}

/* Weighted median: mean of the values where the cumulated weight reaches and passes one half.
 */
static double
median_of(int64_t n, const double value[], const double weight[], double total,
          metric_work *work)
{
    double sum = 0, low = 0;
    bool reached = false;

    sort_rows(n, value, work);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = work->item[i].row;

        if (!(weight_of(weight, row) > 0)) {
            continue;
        }
        if (reached) {
            return 0.5 * (low + value[row]);
        }
        sum += weight_of(weight, row);
        low = value[row];
        if (sum > 0.5 * total * (1 + 1e-14)) {
            return low;
        }
        reached = sum >= 0.5 * total * (1 - 1e-14);
    }
    return low;
}

/* Weighted ranks: weight below plus half the weight of equal values. */
static void
rank_values(int64_t n, const double value[], const double weight[], double rank[],
            metric_work *work)
{
    double below = 0;

    sort_rows(n, value, work);
    for (int64_t i = 0, end; i < n; i = end) {
        double tied = 0;

        for (end = i; end < n && work->item[end].key == work->item[i].key; end++) {
            tied += weight_of(weight, work->item[end].row);
        }
        for (int64_t k = i; k < end; k++) {
            rank[work->item[k].row] = below + 0.5 * tied;
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

static hg_status
allocate_work(int64_t n, metric_work *work)
{
    const size_t m = (size_t)n;

    HG_TRY(hg_mem_array(&work->item, m, sizeof *work->item));
    HG_TRY(hg_mem_array(&work->other, m, sizeof *work->other));
    HG_TRY(hg_mem_array(&work->error, m, sizeof *work->error));
    HG_TRY(hg_mem_array(&work->rank_truth, m, sizeof *work->rank_truth));
    return hg_mem_array(&work->rank_predicted, m, sizeof *work->rank_predicted);
}

static void
free_work(metric_work *work)
{
    hg_mem_free(work->item);
    hg_mem_free(work->other);
    hg_mem_free(work->error);
    hg_mem_free(work->rank_truth);
    hg_mem_free(work->rank_predicted);
}

/* Medians and shares of the error. */
static void
measure_errors(int64_t n, const double weight[], double total, metric_work *work,
               hg_metric *metric)
{
    double middle = median_of(n, work->error, weight, total, work), *deviation = NULL;
    double square = 0, weights = 0;

    metric->bias = metric->mae = metric->within = metric->outliers = 0;
    for (int64_t i = 0; i < n; i++) {
        double w = weight_of(weight, i) / total, e = work->error[i];

        metric->bias += w * e;
        square += w * e * e;
        metric->mae += w * fabs(e);
        metric->within += fabs(e) < 0.2 ? w : 0;
        weights += w * w;
    }
    metric->n_eff = 1 / weights;
    metric->rmse = sqrt(square);
    metric->sigma = sqrt(fmax(0, square - metric->bias * metric->bias));
    deviation = work->error;
    for (int64_t i = 0; i < n; i++) {
        deviation[i] = fabs(deviation[i] - middle);
    }
    metric->nmad = 1.4826 * median_of(n, deviation, weight, total, work);
    for (int64_t i = 0; i < n; i++) {
        if (deviation[i] > 3 * metric->nmad) {
            metric->outliers += weight_of(weight, i) / total;
        }
    }
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
hg_metric_compute(int64_t n, const double truth[], const double predicted[],
                  const double weight[], hg_metric *metric)
{
    metric_work work = {0};
    double total = 0;
    pair_moments moments, ranks;
    hg_status status;

    *metric = undefined_metric();
    metric->n = n;
    if (n == 0) {
        return HG_OK;
    }
    HG_TRY(sum_weights(n, weight, &total));
    HG_TRY_OR(done, status, allocate_work(n, &work));
    for (int64_t i = 0; i < n; i++) {
        work.error[i] = predicted[i] - truth[i];
    }
    moments = find_moments(n, truth, predicted, weight, total);
    rank_values(n, truth, weight, work.rank_truth, &work);
    rank_values(n, predicted, weight, work.rank_predicted, &work);
    ranks = find_moments(n, work.rank_truth, work.rank_predicted, weight, total);
    measure_errors(n, weight, total, &work, metric);
    metric->pearson = correlation_of(&moments);
    metric->spearman = correlation_of(&ranks);
    metric->r2 = 1 - metric->rmse * metric->rmse / moments.var_x;
    metric->explained = 1 - metric->sigma * metric->sigma / moments.var_x;
    metric->spread = sqrt(moments.var_y / moments.var_x);
    if (!(moments.var_x > 0)) {
        metric->r2 = metric->explained = metric->spread = (double)NAN;
    }
done:
    free_work(&work);
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

    m->share = m->brier = m->calibration = 0;
    for (int64_t i = 0; i < n; i++) {
        const double w = weight_of(weight, i) / total, e = probability[i] - truth[i];
        const int bin = (int)fmin(BINS - 1, fmax(0, BINS * probability[i]));
        const bool one = truth[i] > 0.5, said = probability[i] >= 0.5;

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
hg_metric_labels(int64_t n, const double truth[], const double probability[],
                 const double weight[], hg_label_metric *metric)
{
    const double nan = (double)NAN;
    metric_work work = {0};
    double total = 0;
    hg_status status;

    *metric = (hg_label_metric){n, nan, nan, nan, nan, nan};
    if (n == 0) {
        return HG_OK;
    }
    HG_TRY(sum_weights(n, weight, &total));
    HG_TRY_OR(done, status, allocate_work(n, &work));
    measure_labels(n, truth, probability, weight, total, metric);
    rank_values(n, probability, weight, work.rank_truth, &work);
    for (int64_t i = 0; i < n; i++) { /* ranks among ones: zeros weigh nothing */
        work.error[i] = truth[i] > 0.5 ? weight_of(weight, i) : 0;
    }
    rank_values(n, probability, work.error, work.rank_predicted, &work);
    metric->auc = find_auc(n, truth, weight, work.rank_truth, work.rank_predicted,
                           metric->share * total, total);
done:
    free_work(&work);
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
