/** One column against another: median, 16 and 84 per cent, mean and scatter in bins of x.
 *
 * Taken from a fine histogram of y, so sums over ranks are integers and the result does not
 * depend on ranks or row order; a value is known to half a fine bin. Layer: stats.
 */
#ifndef HG_STATS_RELATION_H
#define HG_STATS_RELATION_H

#include "stats/histogram.h"

/** One bin of x. y in the unit of the y axis, dex when that is logarithmic. */
typedef struct hg_relation {
    int64_t count;
    double mean, std;         /**< std with n - 1 */
    double low, median, high; /**< 16, 50, 84 per cent, linear between order statistics */
    double half_width;        /**< (high - low) / 2 */
    double mean_error, std_error, half_error; /**< sampling errors, Gaussian */
} hg_relation;

/** Evaluate one bin of x; all but the count are NAN when it holds fewer than `least` values.
 *
 * @local
 * @param[in]  histogram  summed over ranks
 * @param[in]  i          bin of x
 * @param[in]  least      smallest number of values worth a statement
 * @param[out] relation   filled
 */
void hg_relation_bin(const hg_histogram *histogram, int i, int64_t least,
                     hg_relation *relation);

/** Quantile of counts on an axis of step 1: linear interpolation between order statistics, each
 * at the centre of its bin.
 *
 * @local
 * @param[in] n      number of bins
 * @param[in] count  shape (n)
 * @param[in] total  sum of the counts, at least 1
 * @param[in] q      0 <= q <= 1
 * @return position in bins (0.5 = centre of bin 0)
 */
double hg_relation_quantile(int n, const int64_t count[], int64_t total, double q);

#endif
