/** Correlation functions of a sample or a pair of samples: xi(r) of pairs and mesh, wp(rp),
 * multipoles of xi(s). Layer: measure.
 */
#ifndef HG_MEASURE_PAIRS_H
#define HG_MEASURE_PAIRS_H

#include "measure/measure_power.h"
#include "stats/jackknife.h"
#include "stats/pairs.h"

enum { HG_PAIR_CELLS = 10 }; /**< cells of the mesh up to which pairs are counted for xi(r) */

/** Check the separations of xi(r) against the box of a catalogue.
 *
 * @local
 * @param[in] source  anything with a periodic box; others pass
 * @return HG_OK; HG_E_PARAM for Measure.r_max above half the box or below Measure.r_min, and
 * for too many bins
 */
HG_MUST_CHECK hg_status hg_measure_pairs_check(const hg_params_measure *o,
                                               const hg_measured *source);

/** Counts over all lines of sight; zero where they are not wanted or not possible. */
typedef struct hg_pair_sums {
    hg_pairs distance;  /**< in r: once in real space, per line of sight in redshift space */
    hg_pairs mu;        /**< in (s, mu) */
    hg_pairs projected; /**< in (rp, pi) */
    hg_jackknife distance_cut, mu_cut, projected_cut; /**< their regions; empty without */
} hg_pair_sums;

/** Count pairs for one line of sight and add them to the sums.
 *
 * @collective{comm}
 * @param[in] a, b  points; b is ignored for one sample
 * @param[in] line  number of the line of sight, from 0
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for positions that are no numbers
 */
HG_MUST_CHECK hg_status hg_measure_pairs_count(const hg_comm *comm, const hg_sample_task *task,
                                               const hg_points *a, const hg_points *b,
                                               hg_los los, int line, hg_pair_sums *sums);
void hg_pair_sums_clear(hg_pair_sums *sums);

/** Add the correlation functions. With Measure.pairs, xi and its multipoles are those of pairs
 * below 8 cells and those of the mesh above; both are compared from 6 to 10 cells.
 *
 * @local
 * @param[in] fine  mode sums of the same objects
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_measure_pairs_curves(const hg_sample_task *task, const hg_fine *fine,
                                                const hg_pair_sums *sums);

#endif
