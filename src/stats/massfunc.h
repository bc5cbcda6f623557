/** Mass functions of any positive column, plain or weighted (zoom regions). Layer: stats. */
#ifndef HG_STATS_MASSFUNC_H
#define HG_STATS_MASSFUNC_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "stats/histogram.h"

/** Number and sums of weights per bin; sums are integers in units of fixed quanta, so they are
 * the same for any ranks and row order. */
typedef struct hg_massfunc {
    hg_axis axis;
    double weight_max;
    int64_t *count;    /**< shape (axis.n) */
    int64_t *weight;   /**< sum of w, in quanta of weight_max 2^-32 */
    int64_t *weight2;  /**< sum of w^2, in quanta of weight_max^2 2^-32 */
    int64_t n_outside; /**< zero, negative, no number, or outside the axis */
} hg_massfunc;

/** Start an empty mass function.
 *
 * @local
 * @param[in]  axis        logarithmic bins
 * @param[in]  weight_max  no weight exceeds this; the same on all ranks
 * @param[out] massfunc    release with hg_massfunc_clear()
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG for weight_max <= 0
 */
HG_MUST_CHECK hg_status hg_massfunc_init(const hg_axis *axis, double weight_max,
                                         hg_massfunc *massfunc);
void hg_massfunc_clear(hg_massfunc *massfunc);

/** Count values.
 *
 * @local
 * @param[in] n       number of values; at most 2^31 per bin over all ranks
 * @param[in] value   shape (n)
 * @param[in] weight  shape (n), 0 <= w <= weight_max, or NULL for 1
 * @return HG_OK; HG_E_INPUT for a weight outside its range
 */
HG_MUST_CHECK hg_status hg_massfunc_add(hg_massfunc *massfunc, int64_t n, const double value[],
                                        const double weight[]);

/** Sum over ranks, in place.
 *
 * @collective{comm}
 */
void hg_massfunc_sum(const hg_comm *comm, hg_massfunc *massfunc);

/** Number density per dex of one bin, sum w / (volume step), and its Poisson error from sum
 * w^2. An empty bin gives 0 and the 84 per cent upper limit for the weight seen so far (1.84
 * objects of the mean weight).
 *
 * @local
 * @param[in]  volume  comoving Mpc^3 (1 when the weights hold it)
 * @param[out] phi     per Mpc^3 and dex
 * @param[out] sigma   same unit
 */
void hg_massfunc_bin(const hg_massfunc *massfunc, double volume, int i, double *phi,
                     double *sigma);

/** First and one past the last bin that holds objects; both 0 when none does.
 *
 * @local
 */
void hg_massfunc_range(const hg_massfunc *massfunc, int *first, int *end);

#endif
