/** What a run will cost, before it runs. Layer: emulate. */
#ifndef HG_EMULATE_ESTIMATE_H
#define HG_EMULATE_ESTIMATE_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Print an estimate of memory per rank, disk and time to stdout; reads headers only, writes
 * nothing.
 *
 * @collective{comm}
 * @param[in] params   all sections
 * @param[in] threads  per rank
 * @return HG_OK; the failures of opening the inputs; HG_E_MEMORY when measuring would exceed
 * Run.memory_max
 */
HG_MUST_CHECK hg_status hg_emulate_estimate(const hg_comm *comm, const hg_params *params,
                                            int threads);

#endif
