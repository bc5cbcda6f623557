/** What a run will cost, before it runs. Layer: emulate. */
#ifndef HG_EMULATE_ESTIMATE_H
#define HG_EMULATE_ESTIMATE_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "halograft/stages.h"

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

/** Training rows of all ranks before selections, of what the mock would make where it has to,
 * haloes of the parent, and the forests of a model; reads headers only.
 *
 * @collective{comm}
 * @param[out] n_parent NULL = not wanted, and the parent is not looked for
 * @param[out] n_stage  number of forests
 * @param[out] shape    shape (HG_STAGES_MAX), filled up to n_stage
 * @return HG_OK; HG_E_PARAM; the failures of opening the inputs
 */
HG_MUST_CHECK hg_status hg_emulate_count_training(const hg_comm *comm, const hg_params *params,
                                                  int64_t *n_row, int64_t *n_parent,
                                                  int *n_stage, hg_stage_shape shape[]);

#endif
