/** Correlation functions from the fine bins of a power spectrum, and how they meet pair counts.
 * Layer: stats.
 */
#ifndef HG_STATS_CORRELATION_H
#define HG_STATS_CORRELATION_H

#include "halograft/error.h"
#include "stats/pairs.h"
#include "stats/power.h"

/** Integral of x^2 j_l(x) from 0 to x, j_l the spherical Bessel function.
 *
 * @local
 * @param[in] l  0, 2 or 4
 * @param[in] x  not negative
 * @source from the recurrences of j_l; for l = 0 it is x^2 j_1(x)
 */
double hg_bessel_shell(int l, double x);

/** Shell averages of xi_l(r) by the apodised transform: each fine bin is weighted with
 * exp(-[k / (0.75 k_N)]^4), which lets neither a sharp cut ring nor lattice points be few. Good
 * for r >= 8 cells and bins of at least 2 cells.
 *
 * @local
 * @param[in]  fine   sums, shot noise subtracted; with a line of sight for l > 0
 * @param[in]  l      0, 2 or 4
 * @param[in]  n_bin  number of bins
 * @param[in]  edge   shape (n_bin + 1), increasing, not negative, in the unit of the box
 * @param[out] xi     shape (n_bin)
 * @param[out] sigma  shape (n_bin), Gaussian error from the modes themselves; or NULL
 * @return HG_OK; HG_E_ARG for edges that do not increase or an l that was not summed
 * @source docs/science/clustering.md, "Correlation function of the mesh"
 */
HG_MUST_CHECK hg_status hg_correlation_shells(const hg_fine *fine, int l, int n_bin,
                                              const double edge[], double xi[], double sigma[]);

/** How well mesh and pairs agree where both can be trusted. */
typedef struct hg_overlap {
    int n;        /**< bins compared; 0 when none was possible */
    double chi2;  /**< mean square of the difference over its expectation */
    double worst; /**< largest difference over its expectation */
} hg_overlap;

/** Compare xi(r) of pairs and mesh between two separations, or for l > 0 the multipole of
 * counts in (s, mu). Bins of the counts are joined until
 * they are two cells wide; the mesh knows their edges to a cell only, so that a difference of
 * sqrt(2 cell / (pi width)) Poisson errors is expected.
 *
 * @local
 * @param[in]  pairs      counts in r, or in (s, mu), of the points that `fine` was made of
 * @param[in]  l          0, 2 or 4
 * @param[in]  low, high  bins inside this range take part
 * @param[out] overlap    filled
 * @return HG_OK; HG_E_SHAPE when the counts have no such multipole
 * @source docs/science/clustering.md, "Pairs and mesh"
 */
HG_MUST_CHECK hg_status hg_correlation_overlap(const hg_fine *fine, const hg_pairs *pairs,
                                               int l, double low, double high,
                                               hg_overlap *overlap);

#endif
