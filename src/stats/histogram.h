/** Axes of equal bins in a value or its decimal logarithm, and integer histograms on them.
 *
 * Counts are integers, so sums over ranks do not depend on how rows are dealt. Layer: stats.
 */
#ifndef HG_STATS_HISTOGRAM_H
#define HG_STATS_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** Bin i is [low + i step, low + (i + 1) step) of the value, or of its log10. */
typedef struct hg_axis {
    bool log;
    double low;
    double step;
    int n;
} hg_axis;

/** Bin of a value; -1 when it is outside, no number, or not positive under a logarithm.
 *
 * @local
 */
int hg_axis_bin(const hg_axis *axis, double value);

/** Edge i, 0 <= i <= n, as a value (not its logarithm); centre of bin i likewise.
 *
 * @local
 */
double hg_axis_edge(const hg_axis *axis, int i);
double hg_axis_centre(const hg_axis *axis, int i);

/** Counts over one or two axes; y.n = 1 makes it one-dimensional. */
typedef struct hg_histogram {
    hg_axis x, y;
    int64_t *count;    /**< shape (x.n, y.n) */
    int64_t n_outside; /**< pairs that fell outside */
} hg_histogram;

/** Start an empty histogram.
 *
 * @local
 * @param[out] histogram  release with hg_histogram_clear()
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG for an axis without bins
 */
HG_MUST_CHECK hg_status hg_histogram_init(const hg_axis *x, const hg_axis *y,
                                          hg_histogram *histogram);
void hg_histogram_clear(hg_histogram *histogram);

/** Count pairs.
 *
 * @local
 * @param[in] n     number of pairs
 * @param[in] x, y  shape (n)
 * @param[in] keep  shape (n), pairs with 0 are passed over; or NULL
 */
void hg_histogram_add(hg_histogram *histogram, int64_t n, const double x[], const double y[],
                      const uint8_t keep[]);

/** Sum over ranks, in place.
 *
 * @collective{comm}
 */
void hg_histogram_sum(const hg_comm *comm, hg_histogram *histogram);

/** First and one past the last row of x that holds counts; both 0 when all are empty.
 *
 * @local
 */
void hg_histogram_range_x(const hg_histogram *histogram, int *first, int *end);
void hg_histogram_range_y(const hg_histogram *histogram, int *first, int *end);

#endif
