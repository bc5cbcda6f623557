/** The whole chain in one call. Layer: emulate. */
#ifndef HG_EMULATE_RUN_H
#define HG_EMULATE_RUN_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Mock (when the run has no catalogues of its own), train, apply, measure.
 *
 * @collective{comm}
 * @param[in] params     all sections
 * @param[in] overwrite  replace existing outputs
 * @return the first failure of the four steps
 */
HG_MUST_CHECK hg_status hg_emulate_run(const hg_comm *comm, const hg_params *params,
                                       bool overwrite);

/** The same, going on where an earlier run ended: a mock universe that is whole is kept,
 * finished trees and parts are taken over, and everything is measured anew.
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_emulate_run_resume(const hg_comm *comm, const hg_params *params,
                                              bool overwrite);

#endif
