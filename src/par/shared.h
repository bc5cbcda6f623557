/** Memory that the ranks of a node share: one copy of what all of them read. Layer: par. */
#ifndef HG_PAR_SHARED_H
#define HG_PAR_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/comm.h"

/** A block for the ranks of a node, or for this rank alone where they cannot share one; release
 * with hg_shared_clear(). */
typedef struct hg_shared {
    void *data;   /**< shape (bytes), 64-byte aligned; the same memory on all ranks of `node` */
    hg_comm node; /**< the ranks that share it; one rank where it is its own */
    bool is_shared;
    bool is_anywhere; /**< on some node a block is shared */
    MPI_Win window;
    int64_t counted; /**< bytes this rank counts: its part of the block */
} hg_shared;

/** Make a block, by an MPI-3 window where a node has several ranks. Every rank has a block of
 * its own instead when it is small, when the environment variable HG_SHARED is `off`, when
 * /dev/shm, where MPI libraries place such memory, has not enough room, or when MPI refuses.
 * The memory counts in equal parts for the ranks that share it.
 *
 * @collective{comm}
 * @param[out] shared  not initialised; empty on failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shared_create(const hg_comm *comm, size_t bytes, hg_shared *shared);

/** Ranks of a node that will share a block that is not small: all of them, or one where
 * HG_SHARED is `off`. Whether there is room is not asked.
 *
 * @local
 * @param[in] per_node  ranks that the node has
 */
int hg_shared_ranks(int per_node);

/** Wait until all that ranks have written into their block is seen by those who share it.
 *
 * @collective{comm}
 */
void hg_shared_settle(const hg_comm *comm, const hg_shared *shared);

/** Give every block what all ranks have written into theirs, one after the other in rank order.
 *
 * @collective{comm}
 * @param[in]     bytes   written by this rank, where those of the ranks before it end
 * @param[in,out] shared  settled
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shared_gather(const hg_comm *comm, size_t bytes,
                                         const hg_shared *shared);

/** A stretch of a block that one rank has written. */
typedef struct hg_shared_piece {
    int owner; /**< rank in the communicator */
    size_t at;
    size_t bytes;
} hg_shared_piece;

/** Give every block the pieces that ranks have written into theirs: each travels once per node,
 * and not at all where one node holds all ranks.
 *
 * @collective{comm}
 * @param[in]     n       number of pieces
 * @param[in]     piece   shape (n), the same on all ranks
 * @param[in,out] shared  settled
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shared_spread(const hg_comm *comm, size_t n,
                                         const hg_shared_piece piece[],
                                         const hg_shared *shared);

/** Release a block; an empty one is fine.
 *
 * @collective{comm}
 */
void hg_shared_clear(const hg_comm *comm, hg_shared *shared);

#endif
