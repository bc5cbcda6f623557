/** What a run leaves behind about itself for the report: run.json. Layer: emulate. */
#ifndef HG_EMULATE_NOTE_H
#define HG_EMULATE_NOTE_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Write version, ranks, threads, wall time, memory, phases and warnings to run.json in
 * Output.folder, replacing an older one.
 *
 * @collective{comm}
 * @param[in] threads  per rank
 * @param[in] seconds  wall time so far
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_note_write(const hg_comm *comm, const hg_params *params, int threads,
                                      double seconds);

#endif
