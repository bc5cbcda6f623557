/** What holding out rows will need, before it is done. Layer: validate. */
#ifndef HG_VALIDATE_VALIDATE_MEMORY_H
#define HG_VALIDATE_VALIDATE_MEMORY_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Print the memory per rank of `validate`, or of `explain`, to stdout; reads headers only.
 * Selections, which are not known then, make it less.
 *
 * @collective{comm}
 * @param[in] threads     per rank
 * @param[in] is_explain  no scores are kept, but features of held-out rows
 * @return HG_OK; HG_E_MEMORY where it exceeds Run.memory_max; the failures of opening the
 * inputs
 */
HG_MUST_CHECK hg_status hg_validate_estimate(const hg_comm *comm, const hg_params *params,
                                             int threads, bool is_explain);

#endif
