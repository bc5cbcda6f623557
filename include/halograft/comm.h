/** Communicators, agreement on errors, and the few collective operations the program needs.
 *
 * A function is collective if and only if its first parameter is `const hg_comm *comm`. Every
 * collective function returns the same status on all ranks, so callers never reduce again.
 * Layer: par, the only module that calls MPI.
 */
#ifndef HALOGRAFT_COMM_H
#define HALOGRAFT_COMM_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/** A group of ranks. Own duplicate of the communicator it was made from. */
typedef struct hg_comm {
    MPI_Comm mpi;
    int rank;
    int size;
    int node_rank; /**< rank among the ranks of this node (or of HG_RANKS_PER_NODE) */
    int node_size; /**< ranks on this node */
    int n_node;    /**< number of nodes */
} hg_comm;

/** Start MPI with funnelled threads and check that the launcher gave the ranks it promised.
 *
 * @local  to be called once per process, before any collective function
 * @param[in,out] argc, argv  as main got them
 * @param[out]    comm        all ranks; release with hg_comm_stop()
 * @return HG_OK; HG_E_ENVIRONMENT when the environment promises several tasks but MPI sees one,
 * or the thread level is too low
 */
HG_MUST_CHECK hg_status hg_comm_start(int *argc, char ***argv, hg_comm *comm);

/** End MPI. A non-zero code on any rank is what the launcher returns.
 *
 * @local
 */
void hg_comm_stop(hg_comm *comm);

/** Duplicate an MPI communicator; release with hg_comm_clear().
 *
 * @local  although it calls MPI collectively over `mpi`
 * @return HG_OK
 */
HG_MUST_CHECK hg_status hg_comm_init(hg_comm *comm, MPI_Comm mpi);

/** Split into groups of equal colour, ordered by rank; release the part with hg_comm_clear().
 *
 * @collective{comm}
 * @param[in]  color  group of this rank, or negative for none (part->size is then 0)
 * @param[out] part   the group
 * @return HG_OK
 */
HG_MUST_CHECK hg_status hg_comm_split(const hg_comm *comm, int color, hg_comm *part);

/** The ranks of this node as a communicator of their own.
 *
 * @collective{comm}
 * @param[out] node  release with hg_comm_clear()
 * @return HG_OK
 */
HG_MUST_CHECK hg_status hg_comm_node(const hg_comm *comm, hg_comm *node);

/** Release a communicator; an empty one is fine.
 *
 * @local
 */
void hg_comm_clear(hg_comm *comm);

/** Agree on a status: the largest over all ranks, with the record of the lowest such rank.
 *
 * @collective{comm}
 * @param[in] status  what this rank's local work gave
 * @return the agreed status, the same on every rank
 */
HG_MUST_CHECK hg_status hg_comm_agree(const hg_comm *comm, hg_status status);

/** Make the n-th agreement of this process from now fail with HG_E_FAULT (tests), if it has
 * rank `rank` in the communicator that agrees; n = 0 disarms.
 *
 * @local
 * @return agreements that were missing to the one armed before; 0 = it was reached, -1 = and
 *         failed on this rank
 */
int hg_fault_arm(int n, int rank);

/** Wait for all ranks.
 *
 * @collective{comm}
 */
void hg_comm_barrier(const hg_comm *comm);

/** Copy `n` bytes from `root` to all ranks, in pieces of at most 256 MiB.
 *
 * @collective{comm}
 * @param[in,out] data  shape (n) bytes
 */
void hg_comm_broadcast(const hg_comm *comm, int root, void *data, size_t n);

/** Sums, minima and maxima over ranks, in place. Integers only where the result decides
 * anything; the double sum is formed in rank order and so depends on the number of ranks.
 *
 * @collective{comm}
 * @param[in,out] x  shape (n)
 */
void hg_comm_sum(const hg_comm *comm, size_t n, int64_t x[]);
void hg_comm_min(const hg_comm *comm, size_t n, int64_t x[]);
void hg_comm_max(const hg_comm *comm, size_t n, int64_t x[]);
void hg_comm_sum_double(const hg_comm *comm, size_t n, double x[]);
void hg_comm_min_double(const hg_comm *comm, size_t n, double x[]);
void hg_comm_max_double(const hg_comm *comm, size_t n, double x[]);

/** Sum over the lower ranks (0 on rank 0): the first global row of this rank.
 *
 * @collective{comm}
 */
int64_t hg_comm_prefix(const hg_comm *comm, int64_t x);

/** Gather `n` bytes of every rank on all ranks, in rank order.
 *
 * @collective{comm}
 * @param[in]  data  shape (n) bytes, the same n on all ranks
 * @param[out] all   shape (size, n) bytes
 */
void hg_comm_gather(const hg_comm *comm, const void *data, size_t n, void *all);

/** Gather rows of different counts on all ranks, in rank order.
 *
 * @collective{comm}
 * @param[in]  n          local number of rows
 * @param[in]  size       bytes per row, the same on all ranks
 * @param[in]  rows       shape (n) rows of `size` bytes
 * @param[out] n_all      total number of rows
 * @param[out] all        shape (n_all) rows; owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_comm_gather_rows(const hg_comm *comm, int64_t n, size_t size,
                                            const void *rows, int64_t *n_all, void *all);

/** The same into an array of the caller.
 *
 * @collective{comm}
 * @param[out] all  room for the rows of all ranks
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_comm_gather_into(const hg_comm *comm, int64_t n, size_t size,
                                            const void *rows, void *all);

/** Send each row to a rank. Rows of one sender stay in order; senders in rank order.
 *
 * @collective{comm}
 * @param[in]  n       local number of rows
 * @param[in]  size    bytes per row, the same on all ranks
 * @param[in]  rows    shape (n) rows of `size` bytes
 * @param[in]  target  shape (n); the rank that gets row i, 0 <= target < size
 * @param[out] n_got   number of rows received
 * @param[out] got     shape (n_got) rows; owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_comm_exchange(const hg_comm *comm, int64_t n, size_t size,
                                         const void *rows, const int target[], int64_t *n_got,
                                         void *got);

/** The same of rows that stand in the order of their targets: nothing is copied.
 *
 * @collective{comm}
 * @param[in]  size   bytes per row, the same on all ranks
 * @param[in]  rows   those for rank 0, then those for rank 1, ...
 * @param[in]  n_to   shape (number of ranks); rows for each
 * @param[out] n_got  number of rows received
 * @param[out] got    shape (n_got) rows; owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_comm_exchange_sorted(const hg_comm *comm, size_t size,
                                                const void *rows, const int64_t n_to[],
                                                int64_t *n_got, void *got);

/** All-to-all of contiguous blocks: n_send[r] bytes go to rank r, in pieces of at most 256 MiB.
 *
 * @collective{comm}
 * @param[in]  send    blocks for rank 0, 1, ... one after the other
 * @param[in]  n_send  shape (size); bytes
 * @param[out] recv    blocks from rank 0, 1, ... one after the other
 * @param[in]  n_recv  shape (size); bytes
 */
void hg_comm_alltoall(const hg_comm *comm, const void *send, const int64_t n_send[], void *recv,
                      const int64_t n_recv[]);

/** Receive from / send to one rank (used by pipelines that stream to rank 0); blocking.
 *
 * @local  a matched pair of calls on two ranks
 */
void hg_comm_send(const hg_comm *comm, int to, const void *data, size_t n);
void hg_comm_receive(const hg_comm *comm, int from, void *data, size_t n);

/** Seconds spent in a phase, over ranks; ranks without a part in it count as 0.
 *
 * @collective{comm}
 * @param[in]  i        0, 1, ... in the order in which rank 0 began them
 * @param[out] name     shape (32)
 * @param[out] seconds  shape (3); minimum, mean, maximum
 * @return whether there is such a phase
 */
bool hg_comm_phase(const hg_comm *comm, int i, char name[32], double seconds[3]);

/** Print the table of phase times: minimum, mean and maximum over ranks, and peak memory.
 *
 * @collective{comm}
 */
void hg_comm_report_times(const hg_comm *comm);

/** Messages this rank has sent and bytes it has put into them. A collective operation counts
 * once, with the bytes this rank contributes: how the MPI library forwards them is its own
 * affair.
 *
 * @local
 */
void hg_comm_traffic(int64_t *messages, int64_t *bytes);

/** Version of the MPI library as loaded, borrowed.
 *
 * @local
 */
const char *hg_comm_version(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
