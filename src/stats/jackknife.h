/** Jackknife covariance of correlation functions from the pairs of regions of the box.
 *
 * The box is cut into side^3 equal cubes. What a region contributes to an estimate is the
 * excess of pairs with members in it, pairs across its faces counted with the weight that makes
 * the variance right. In a periodic box the expectation of pairs is analytic, and the terms
 * linear in the density, which a random catalogue would cancel, must be taken out by hand:
 * without that the variance comes out several times too large. Layer: stats.
 */
#ifndef HG_STATS_JACKKNIFE_H
#define HG_STATS_JACKKNIFE_H

#include "stats/pairs.h"

/** What each region contributes to an estimate; {0} is a valid empty one. */
typedef struct hg_jackknife {
    int side, n_region; /**< regions per side and in all */
    int n_pole;         /**< estimates per bin: 3 for counts in (s, mu), l = 0, 2, 4; else 1 */
    int n;              /**< bins */
    int lines;          /**< lines of sight that were added */
    int64_t *count;     /**< shape (n), ordered pairs */
    double *part;       /**< shape (n_region, n_pole, n), sums over lines of sight */
} hg_jackknife;

/** Add the counts of one line of sight. The estimate is xi(r) for counts in r, the multipoles
 * xi_l(s) for those in (s, mu), wp(rp) for those in (rp, pi). Parts are the same bits for any
 * number of ranks and threads.
 *
 * @collective{comm}
 * @param[in]     task       with regions >= 2
 * @param[in]     pairs      what hg_pairs_measure() gave for the task
 * @param[in,out] jackknife  empty, or of the same bins; release with hg_jackknife_clear()
 * @return HG_OK; HG_E_ARG without regions, or for other bins than before; HG_E_MEMORY
 * @source weight of pairs across faces: Mohammad & Percival 2022 (arXiv:2109.07071); linear
 * terms: docs/science/clustering.md, "Jackknife"
 */
HG_MUST_CHECK hg_status hg_jackknife_add(const hg_comm *comm, const hg_pairs_task *task,
                                         const hg_pairs *pairs, hg_jackknife *jackknife);

/** Covariance of the estimates, R / (R - 1) times the sum over the R regions of products of
 * deviations from the mean part.
 *
 * @local
 * @param[out] covariance  shape (n_pole n, n_pole n), l slow, in the unit of the estimate
 * squared; NAN for bins without pairs
 */
void hg_jackknife_covariance(const hg_jackknife *jackknife, double covariance[]);

/** Largest separation for which the regions are large enough: half a side of one. Fluctuations
 * as large as regions and larger are missed beyond.
 *
 * @local
 * @param[in] box  in any unit
 * @return in the unit of the box
 */
double hg_jackknife_reach(int side, double box);
void hg_jackknife_clear(hg_jackknife *jackknife);

#endif
