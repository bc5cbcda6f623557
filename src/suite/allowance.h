/** The memory a command will need against what it may have. Layer: suite. */
#ifndef HG_SUITE_ALLOWANCE_H
#define HG_SUITE_ALLOWANCE_H

#include "halograft/error.h"
#include "halograft/params.h"

/** MiB of a rank that MPI, HDF5 and their like hold whatever a command does. */
enum { HG_LIBRARY_MIB = 40 };

/** Hold an estimate to Run.memory_max.
 *
 * @local
 * @param[in] command  its name, for the message
 * @param[in] bytes    what a rank will need
 * @param[in] advice   what to take less of, for the message
 * @return HG_OK; HG_E_MEMORY where it is more than is allowed
 */
HG_MUST_CHECK hg_status hg_allowance_check(const hg_params *params, const char *command,
                                           double bytes, const char *advice);

#endif
