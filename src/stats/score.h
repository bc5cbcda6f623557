/** Scores of drawn realisations against the truth, unweighted. Layer: stats. */
#ifndef HG_STATS_SCORE_H
#define HG_STATS_SCORE_H

#include <stdint.h>

#include "halograft/error.h"

/** Continuous ranked probability score of draws of one quantity: mean|Y - y| - mean|Y - Y'|/2
 * over pairs of distinct draws, mean over rows.
 *
 * @local
 * @param[in]  n       rows, at least 1
 * @param[in]  n_draw  draws of each row, at least 2
 * @param[in]  truth   shape (n); any unit
 * @param[in]  draw    shape (n_draw, n)
 * @param[out] score   in the unit of the truth
 * @return HG_OK; HG_E_ARG for too few rows or draws; HG_E_MEMORY
 * @source Gneiting & Raftery 2007, J. Amer. Stat. Assoc. 102, 359, eq. 21
 */
HG_MUST_CHECK hg_status hg_score_crps(int64_t n, int n_draw, const double truth[],
                                      const double draw[], double *score);

/** Energy score: the same for vectors, with the Euclidean norm of differences in units of
 * `scale`.
 *
 * @local
 * @param[in]  n         rows, at least 1
 * @param[in]  n_draw    draws of each row, at least 2
 * @param[in]  n_target  length of the vectors, at least 1
 * @param[in]  truth     shape (n, n_target)
 * @param[in]  draw      shape (n_draw, n, n_target)
 * @param[in]  scale     shape (n_target), positive; unit of each target
 * @param[out] score     dimensionless
 * @return HG_OK; HG_E_ARG for too few rows or draws
 * @source Gneiting & Raftery 2007, eq. 22
 */
HG_MUST_CHECK hg_status hg_score_energy(int64_t n, int n_draw, int n_target,
                                        const double truth[], const double draw[],
                                        const double scale[], double *score);

/** Randomised probability integral transform: (#{Y < y} + u (#{Y = y} + 1)) / (n_draw + 1), u
 * uniform and keyed by seed and row; uniform in (0, 1) when draws and truth have one law.
 *
 * @local
 * @param[in]  n       rows
 * @param[in]  n_draw  draws of each row
 * @param[in]  truth   shape (n)
 * @param[in]  draw    shape (n_draw, n)
 * @param[in]  seed    of the u
 * @param[out] pit     shape (n)
 * @source Czado, Gneiting & Held 2009, Biometrics 65, 1254
 */
void hg_score_pit(int64_t n, int n_draw, const double truth[], const double draw[],
                  uint64_t seed, double pit[]);

/** Kolmogorov-Smirnov distance of values from the uniform distribution on (0, 1), and the
 * shares of them in [.16, .84] and [.025, .975].
 *
 * @local
 * @param[in]     n         values, at least 1
 * @param[in,out] value     shape (n), in (0, 1); sorted on return
 * @param[out]    coverage  shape (2); may be NULL
 * @return the distance
 */
double hg_score_uniformity(int64_t n, double value[], double coverage[2]);

/** Energy distance of two samples of vectors: 2 E|A - B| - E|A - A'| - E|B - B'| over distinct
 * pairs, so that its mean is 0 for samples of one law. Takes (n_a + n_b)^2 steps.
 *
 * @local
 * @param[in]  n_a, n_b   sizes, at least 2
 * @param[in]  n_target   length of the vectors
 * @param[in]  a, b       shapes (n_a, n_target) and (n_b, n_target), in the units of distance
 * @param[out] distance   in that unit
 * @return HG_OK; HG_E_ARG for samples of less than two
 * @source Szekely & Rizzo 2013, J. Stat. Plan. Inference 143, 1249
 */
HG_MUST_CHECK hg_status hg_score_energy_distance(int64_t n_a, int64_t n_b, int n_target,
                                                 const double a[], const double b[],
                                                 double *distance);

#endif
