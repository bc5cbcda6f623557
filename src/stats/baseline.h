/** Simple predictions that every model has to beat: the mean, a line, an isotonic regression,
 * abundance matching with scatter, a polynomial ridge. Layer: stats. */
#ifndef HG_STATS_BASELINE_H
#define HG_STATS_BASELINE_H

#include <stdint.h>

#include "halograft/error.h"

/** What is fitted; all but the ridge take one feature. */
typedef enum hg_baseline_kind {
    HG_BASELINE_MEAN,
    HG_BASELINE_LINE,     /**< weighted least squares */
    HG_BASELINE_ISOTONIC, /**< monotone step function of least squares, straight between its
                               points, constant beyond them; rises where the line does */
    HG_BASELINE_MATCHING, /**< equal ranks of feature and target, with scatter */
    HG_BASELINE_RIDGE     /**< standardised features, their squares and products where these are
                               at most HG_BASELINE_TERMS, penalty alpha on all coefficients but
                               the constant */
} hg_baseline_kind;

enum { HG_BASELINE_TERMS = 400 };

/** A fitted baseline of one target. */
typedef struct hg_baseline hg_baseline;

/** Fit a baseline.
 *
 * Matching gives the feature the value of the target at the same rank, adds normal scatter
 * `strength` to it, and ranks again, so that the distribution of the target is kept; what it
 * predicts is the mean over the scatter.
 *
 * @local
 * @param[in]  kind       what to fit
 * @param[in]  strength   matching: scatter in the unit of the target, not negative; ridge: the
 *                        penalty alpha, positive; else ignored
 * @param[in]  n          rows, at least 1
 * @param[in]  n_feature  1, or more for the ridge; ignored for the mean
 * @param[in]  x          shape (n, n_feature); transformed features, finite
 * @param[in]  y          shape (n); transformed target, finite
 * @param[in]  weight     shape (n), not negative, or NULL for equal weights
 * @param[out] baseline   owned by the caller, free with hg_baseline_free(); NULL on failure
 * @return HG_OK; HG_E_ARG for no rows or a strength out of range; HG_E_INPUT when the weights
 * sum to 0; HG_E_MEMORY
 * @source isotonic: Barlow et al. 1972, Statistical Inference under Order Restrictions (pool
 * adjacent violators); matching: Vale & Ostriker 2004, MNRAS 353, 189, with scatter as in
 * Behroozi, Conroy & Wechsler 2010, ApJ 717, 379; ridge: Hoerl & Kennard 1970, Technometrics
 * 12, 55
 */
HG_MUST_CHECK hg_status hg_baseline_fit(hg_baseline_kind kind, double strength, int64_t n,
                                        int n_feature, const double x[], const double y[],
                                        const double weight[], hg_baseline **baseline);

/** Predict rows.
 *
 * @local
 * @param[in]  x          shape (n, n_feature)
 * @param[out] predicted  shape (n); in the unit of the target
 */
void hg_baseline_predict(const hg_baseline *baseline, int64_t n, const double x[],
                         double predicted[]);

/** Free a baseline; NULL is fine.
 *
 * @local
 */
void hg_baseline_free(hg_baseline *baseline);

#endif
