/** The parts of a catalogue, read, grafted and written side by side. Layer: emulate. */
#ifndef HG_EMULATE_APPLY_PARTS_H
#define HG_EMULATE_APPLY_PARTS_H

#include "catalog/output.h"
#include "emulate/graft.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** Graft all parts of the parent. While a rank predicts a part, a thread of its own writes the
 * part before and reads the one behind; memory is bounded by two parts per rank.
 *
 * @collective{comm}
 * @param[in,out] g        ready; its counters of rows grow
 * @param[in,out] output   open; parts it has already are left out, the caller finishes it
 * @return HG_OK; HG_STOPPED when a stop was asked for, then all parts that were written are in
 * the journal; HG_E_INPUT for bad rows; HG_E_READ; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_apply_parts(const hg_comm *comm, hg_grafter *g, hg_output *output);

#endif
