/** A selection of Lagrangian cells by overdensity that has a given large-scale bias.
 *
 * Cells are chosen by x > threshold (or x < 0 for negative bias), where x is Gaussian with rms
 * `scale` and correlated with the overdensity. The probability that a cell of overdensity delta
 * in a smoothing of rms s <= scale is chosen is Q((threshold - delta) / w), w^2 = scale^2 -
 * s^2. Layer: cosmo.
 */
#ifndef HG_COSMO_PEAK_SELECTION_H
#define HG_COSMO_PEAK_SELECTION_H

#include "halograft/error.h"

typedef struct hg_peak_selection {
    double bias;      /**< Lagrangian bias b_L = b - 1 */
    double threshold; /**< 1.686, or 0 for negative bias */
    double scale;     /**< rms S of the selecting variable */
    double share;     /**< expected share of cells, Q(threshold / S) */
    double mean;      /**< mean of x / S over the chosen cells */
    double variance;  /**< variance of x / S over the chosen cells */
} hg_peak_selection;

/** Find the selection for a Lagrangian bias: lambda(t / S) = b_L S with lambda the hazard of
 * the normal distribution; S = sqrt(2 / pi) / |b_L| for negative bias. |b_L| below 1e-3 is
 * raised to it.
 *
 * @local
 * @return HG_OK; HG_E_ARG when b_L is not finite or above 1e3
 * @source mean bias of a peak-background split, <F'> / <F> = b_L for F the chosen share
 */
HG_MUST_CHECK hg_status hg_peak_selection_find(double bias, hg_peak_selection *selection);

/** Probability that a cell is chosen.
 *
 * @local
 * @param[in] rms    of the smoothed linear overdensity, at most selection->scale
 * @param[in] delta  smoothed linear overdensity of the cell
 */
double hg_peak_selection_share(const hg_peak_selection *selection, double rms, double delta);

#endif
