/** What a design will need, before it is made. Layer: design. */
#ifndef HG_DESIGN_DESIGN_MEMORY_H
#define HG_DESIGN_DESIGN_MEMORY_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Print the memory per rank of `design` to stdout; reads headers and two parts of the parent.
 *
 * @collective{comm}
 * @param[in] params  Parent, Zooms, Model, Output.catalogue, Design, Run
 * @return HG_OK; HG_E_MEMORY where it exceeds Run.memory_max; HG_E_NOTFOUND without model or
 * galaxies; the failures of reading the parent
 */
HG_MUST_CHECK hg_status hg_design_estimate(const hg_comm *comm, const hg_params *params);

#endif
