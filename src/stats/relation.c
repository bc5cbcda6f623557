/* Order statistics are read off the cumulated fine histogram. */
#include "stats/relation.h"

#include <math.h>

static double
order_statistic(int n, const int64_t count[], int64_t rank)
{
    int64_t sum = 0;

    for (int i = 0; i < n; i++) {
        sum += count[i];
        if (sum > rank) {
            return i + 0.5;
        }
    }
    return n;
}

double
hg_relation_quantile(int n, const int64_t count[], int64_t total, double q)
{
    double place = q * (double)(total - 1);
    int64_t rank = (int64_t)place;
    double share = place - (double)rank, low = order_statistic(n, count, rank);

    if (share <= 0) {
        return low;
    }
    return low + share * (order_statistic(n, count, rank + 1) - low);
}

static double
place_to_value(const hg_axis *axis, double place)
{
    return axis->low + place * axis->step;
}

void
hg_relation_bin(const hg_histogram *histogram, int i, int64_t least, hg_relation *relation)
{
    const hg_axis *y = &histogram->y;
    const int64_t *count = histogram->count + (int64_t)i * y->n;
    const double nan = (double)NAN;
    double sum = 0, square = 0, number = 0, width = 0;

    *relation = (hg_relation){.mean = nan, .std = nan, .low = nan, .median = nan, .high = nan};
    relation->half_width = relation->mean_error = nan;
    relation->std_error = relation->half_error = nan;
    for (int k = 0; k < y->n; k++) {
        relation->count += count[k];
        sum += (double)count[k] * (k + 0.5);
    }
    if (relation->count < least || relation->count < 2) {
        return;
    }
    number = (double)relation->count;
    for (int k = 0; k < y->n; k++) {
        double d = k + 0.5 - sum / number;

        square += (double)count[k] * d * d;
    }
    width = y->step;
    relation->mean = place_to_value(y, sum / number);
    relation->std = width * sqrt(square / (number - 1));
    relation->low = place_to_value(y, hg_relation_quantile(y->n, count, relation->count, 0.16));
    relation->median =
        place_to_value(y, hg_relation_quantile(y->n, count, relation->count, 0.5));
    relation->high =
        place_to_value(y, hg_relation_quantile(y->n, count, relation->count, 0.84));
    relation->half_width = 0.5 * (relation->high - relation->low);
    relation->mean_error = relation->std / sqrt(number);
    relation->std_error = relation->std / sqrt(2 * (number - 1));
    /* var of a quantile: q (1 - q) / (n f^2), q = 0.16, f of the normal law, both sides added;
     * cov(16, 84) = 0.16^2 / (n f^2) */
    relation->half_error = relation->std / sqrt(number) *
                           sqrt((0.16 * 0.84 - 0.16 * 0.16) / (2 * 0.24331 * 0.24331));
}
