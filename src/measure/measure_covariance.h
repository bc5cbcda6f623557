/** Covariances of the curves of one sample: Gaussian of P_l, jackknife of what pairs give.
 * Layer: measure.
 */
#ifndef HG_MEASURE_COVARIANCE_H
#define HG_MEASURE_COVARIANCE_H

#include "measure/measure_sample.h"
#include "stats/jackknife.h"

/** Add the Gaussian covariance of the multipoles of P(k); nothing without Measure.covariance.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_gaussian(const hg_sample_task *task, const hg_power *power);

/** Add the jackknife covariance of curves that were made of counts; nothing without regions or
 * without Measure.covariance.
 *
 * @local
 * @param[in] pairs      the counts; their edges are the bins
 * @param[in] cut        their regions; empty: none
 * @param[in] statistic  shape (cut->n_pole), names of the statistics
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_jackknife(const hg_sample_task *task, const hg_pairs *pairs,
                                             const hg_jackknife *cut,
                                             const char *const statistic[]);

/** Put jackknife errors into a curve whose first n bins are those of the counts; NAN in others.
 *
 * @local
 * @param[in]     cut    empty: nothing is done
 * @param[in]     pole   0, 1, 2 for l = 0, 2, 4
 * @param[in,out] curve  with HG_CURVE_JACKKNIFE
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_jackknife_errors(const hg_jackknife *cut, int pole, int n,
                                                    hg_curve *curve);

#endif
