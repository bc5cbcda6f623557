/** What the ranks find out together about nodes and file system before a run. Layer: par. */
#ifndef HG_PAR_MACHINE_TEST_H
#define HG_PAR_MACHINE_TEST_H

#include <stddef.h>

#include "halograft/comm.h"

/** Number of different cores that the ranks of this node may run on (at least 1).
 *
 * @collective{comm}
 */
int hg_comm_node_cores(const hg_comm *comm);

/** Write a file with MPI-IO as `layout: shared` needs it: every rank writes a block of its own
 * independently, the file is closed and opened again, and every rank compares the block of its
 * neighbour. The file is removed.
 *
 * @collective{comm}
 * @param[in] path   of a file that does not exist yet
 * @param[in] bytes  of the block of a rank, at most 256 MiB
 * @return HG_OK; HG_E_WRITE with the reason of MPI; HG_E_VERIFY when other bytes come back;
 * HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_comm_file_test(const hg_comm *comm, const char *path, size_t bytes);

/** Difference in seconds between the fastest and the slowest clock of the ranks, with the
 * latency of a barrier as uncertainty.
 *
 * @collective{comm}
 */
double hg_comm_clock_spread(const hg_comm *comm);

#endif
