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
    double n_eff;    /**< effective number of rows, (sum w)^2 / sum w^2 (Kish 1965) */
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
 * @source docs/science/validation.md, table of definitions
 */
HG_MUST_CHECK hg_status hg_metric_compute(int64_t n, const double truth[],
                                          const double predicted[], const double weight[],
                                          hg_metric *metric);

/** Rows in increasing order of truth, prediction and error, for metrics of the same rows with
 * other weights. */
typedef struct hg_metric_order {
    int64_t n;
    int64_t *truth, *predicted, *error; /**< shape (n); rows, NULL where not sorted */
} hg_metric_order;

/** Sort rows for hg_metric_weigh() and hg_metric_weigh_labels().
 *
 * @local
 * @param[in]  n          number of rows
 * @param[in]  truth      shape (n), finite; NULL: for hg_metric_weigh_labels() alone
 * @param[in]  predicted  shape (n)
 * @param[out] order      release with hg_metric_order_clear(), also after a failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_metric_sort(int64_t n, const double truth[],
                                       const double predicted[], hg_metric_order *order);
void hg_metric_order_clear(hg_metric_order *order);

/** Compute all metrics of sorted rows: those of hg_metric_compute(), bit for bit. Rows without
 * weight count as if they were not there, in n too.
 *
 * @local
 * @param[in]  order             of these rows
 * @param[in]  truth, predicted  shape (order->n); as sorted
 * @param[in]  weight            shape (order->n), not negative, or NULL for equal weights
 * @param[out] metric            filled; all NAN for no rows
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT when the weights sum to 0
 */
HG_MUST_CHECK hg_status hg_metric_weigh(const hg_metric_order *order, const double truth[],
                                        const double predicted[], const double weight[],
                                        hg_metric *metric);

/** Mean square of the error against that of a constant prediction, MSE_b/MSE with MSE_b =
 * sum w (y - reference)^2; weights of sum 1.
 *
 * @local
 * @param[in] n          number of rows
 * @param[in] reference  such as the mean of the training rows, in the unit of the truth
 * @param[in] rmse       of the prediction of these rows
 * @return the ratio; NAN for no rows or no error
 * @source Kamdar, Turk & Brunner 2016, MNRAS 455, 642
 */
double hg_metric_gain(int64_t n, const double truth[], const double weight[], double reference,
                      double rmse);

/** Error of an estimate from what it is without each of n parts: sqrt((n - 1)/n sum (v_k -
 * mean)^2).
 *
 * @local
 * @param[in] left_out  shape (n)
 * @return the error, in the unit of the values; NAN for fewer than 2 parts
 * @source delete-one jackknife: Tukey 1958; over blocks: Kunsch 1989, Annals of Statistics 17,
 * 1217
 */
double hg_metric_jackknife(int n, const double left_out[]);

/** Number of metrics, and name and value of metric i, for tables and files.
 *
 * @local
 */
int hg_metric_count(void);
const char *hg_metric_name(int i);
double hg_metric_value(const hg_metric *metric, int i);

/** How well probabilities meet labels that are 0 or 1. Weights of sum 1; NAN where not defined.
 */
typedef struct hg_label_metric {
    int64_t n;
    double share; /**< sum w [label 1] */
    double brier; /**< sum w (probability - label)^2 */
    double f1;    /**< 2 TP / (2 TP + FP + FN), label 1 predicted from 1/2 on */
    double auc;   /**< probability that a 1 has the higher probability than a 0 has, ties
                       count half (Mann & Whitney 1947) */
    double
        calibration; /**< sum over ten equal bins of probability |sum w (label - probability)|
                      */
} hg_label_metric;

/** Compute all metrics of one label.
 *
 * @local
 * @param[in]  n            number of rows
 * @param[in]  truth        shape (n), 0 or 1
 * @param[in]  probability  shape (n), in [0, 1]
 * @param[in]  weight       shape (n), not negative, or NULL for equal weights
 * @param[out] metric       filled; all NAN for n = 0
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT when the weights sum to 0
 * @source Brier 1950, Monthly Weather Review 78, 1; docs/science/validation.md, table of
 * definitions
 */
HG_MUST_CHECK hg_status hg_metric_labels(int64_t n, const double truth[],
                                         const double probability[], const double weight[],
                                         hg_label_metric *metric);

/** The same of rows that were sorted by label and probability, as hg_metric_weigh().
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT when the weights sum to 0
 */
HG_MUST_CHECK hg_status hg_metric_weigh_labels(const hg_metric_order *order,
                                               const double truth[], const double probability[],
                                               const double weight[], hg_label_metric *metric);

/** Number of metrics of labels, and name and value of metric i.
 *
 * @local
 */
int hg_label_metric_count(void);
const char *hg_label_metric_name(int i);
double hg_label_metric_value(const hg_label_metric *metric, int i);

#endif
