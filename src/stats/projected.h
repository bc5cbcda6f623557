/** Functions of one separation made of pair counts in two: wp(rp) and xi_0,2,4(s). The
 * estimator is data over expectation minus 1, the expectation being analytic in a periodic
 * cube; errors are those of the numbers of pairs (Poisson), too small where pairs are
 * correlated. Layer: stats.
 */
#ifndef HG_STATS_PROJECTED_H
#define HG_STATS_PROJECTED_H

#include "stats/pairs.h"

/** Projected correlation function, 2 sum of xi(rp, pi) dpi over 0 <= pi < pi_max.
 *
 * @local
 * @param[in]  pairs  counts in (rp, pi)
 * @param[out] wp     shape (n), in the unit of lengths; NAN where there is no pair
 * @param[out] error  shape (n); NAN where there is no pair
 * @param[out] count  shape (n), ordered pairs
 */
void hg_pairs_projected(const hg_pairs *pairs, double wp[], double error[], int64_t count[]);

/** How Legendre polynomials are taken in a bin of mu: their mean over it, or, as some other
 * codes do, their value at its middle. */
typedef enum hg_legendre_rule { HG_LEGENDRE_MEAN, HG_LEGENDRE_MIDPOINT } hg_legendre_rule;

/** Legendre polynomial of order l.
 *
 * @local
 * @param[in] l  0, 2 or 4
 */
double hg_legendre(int l, double mu);

/** Mean of the Legendre polynomial of order l over bin j of n equal bins of [0, 1].
 *
 * @local
 * @param[in] l  0, 2 or 4
 */
double hg_legendre_mean(int l, int j, int n);

/** Multipoles l = 0, 2, 4 of xi(s, mu).
 *
 * @local
 * @param[in]  pairs  counts in (s, mu)
 * @param[out] xi     shape (3, n); NAN where a bin of s holds no pair
 * @param[out] error  shape (3, n), or NULL
 */
void hg_pairs_multipoles(const hg_pairs *pairs, hg_legendre_rule rule, double xi[],
                         double error[]);

#endif
