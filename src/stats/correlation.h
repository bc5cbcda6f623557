/** Correlation functions from the fine bins of a power spectrum. Layer: stats. */
#ifndef HG_STATS_CORRELATION_H
#define HG_STATS_CORRELATION_H

#include "halograft/error.h"
#include "stats/power.h"

/** Shell averages of xi(r) by the apodised transform: each fine bin is weighted with
 * exp(-[k / (0.75 k_N)]^4), which lets neither a sharp cut ring nor lattice points be few. Good
 * for r >= 8 cells and bins of at least 2 cells.
 *
 * @local
 * @param[in]  fine   monopole sums, shot noise subtracted
 * @param[in]  n_bin  number of bins
 * @param[in]  edge   shape (n_bin + 1), increasing, not negative, in the unit of the box
 * @param[out] xi     shape (n_bin)
 * @param[out] sigma  shape (n_bin), Gaussian error from the modes themselves; or NULL
 * @return HG_OK; HG_E_ARG for edges that do not increase
 * @source design note on clustering, section 6
 */
HG_MUST_CHECK hg_status hg_correlation_shells(const hg_fine *fine, int n_bin,
                                              const double edge[], double xi[], double sigma[]);

#endif
