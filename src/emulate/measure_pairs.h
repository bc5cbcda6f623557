/** Correlation functions of a sample: xi(r) of pairs and mesh, wp(rp), multipoles of xi(s).
 * Layer: emulate.
 */
#ifndef HG_EMULATE_MEASURE_PAIRS_H
#define HG_EMULATE_MEASURE_PAIRS_H

#include "emulate/measure_cluster.h"
#include "stats/power.h"

/** Add the correlation functions of a sample. With Measure.pairs, xi(r) is that of pairs below
 * 8 cells and that of the mesh above; both are compared from 6 to 10 cells.
 *
 * @collective{comm}
 * @param[in] fine      mode sums of the same objects
 * @param[in] n         local number of objects
 * @param[in] position  shape (n), comoving Mpc, in the space of Measure.space
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for positions that are no numbers
 */
HG_MUST_CHECK hg_status hg_measure_pairs(const hg_comm *comm, const hg_sample_task *task,
                                         const hg_fine *fine, int64_t n,
                                         const double position[][3]);

#endif
