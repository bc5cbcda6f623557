/** How well a prediction meets the truth: the numbers of every report. Layer: stats. */
#ifndef HG_STATS_METRIC_H
#define HG_STATS_METRIC_H

#include <stdint.h>

#include "halograft/error.h"

/** With e = predicted - truth and weights of sum 1. NAN where not defined. */
typedef struct hg_metric {
    int64_t n;
    double bias;      /**< sum w e */
    double rmse;      /**< sqrt(sum w e^2) */
    double mae;       /**< sum w |e| */
    double sigma;     /**< sqrt(mse - bias^2) */
    double nmad;      /**< 1.4826 median |e - median e|, weighted medians */
    double r2;        /**< 1 - mse / variance of the truth, mean of these rows */
    double explained; /**< 1 - Var(e) / Var(truth) */
    double pearson;
    double spearman; /**< weighted, ties share their mean rank */
    double within;   /**< sum w [|e| < 0.2] */
    double outliers; /**< sum w [|e - median e| > 3 nmad] */
    double spread;   /**< standard deviation of the prediction over that of the truth */
} hg_metric;

/** Compute all metrics of one target.
 *
 * @local
 * @param[in]  n          number of rows
 * @param[in]  truth      shape (n), in the transformed unit (dex for masses), finite
 * @param[in]  predicted  shape (n)
 * @param[in]  weight     shape (n), not negative, or NULL for equal weights
 * @param[out] metric     filled; all NAN for n = 0
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT when the weights sum to 0
 * @source design note on the science, section 7
 */
HG_MUST_CHECK hg_status hg_metric_compute(int64_t n, const double truth[],
                                          const double predicted[], const double weight[],
                                          hg_metric *metric);

/** Number of metrics, and name and value of metric i, for tables and files.
 *
 * @local
 */
int hg_metric_count(void);
const char *hg_metric_name(int i);
double hg_metric_value(const hg_metric *metric, int i);

#endif
