/** Exchange of blocks of distributed arrays, as transforms need it between axes. Layer: par. */
#ifndef HG_PAR_TRANSPOSE_H
#define HG_PAR_TRANSPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/comm.h"

/** Part of an array: element (i, j, k), i < n[0], j < n[1], k < n[2], is number first + i
 * stride[0] + j stride[1] + k. Elements travel in the order of i, j, k. */
typedef struct hg_block {
    int64_t first;
    int64_t n[3];
    int64_t stride[2];
} hg_block;

/** A planned exchange, for any number of executions. */
typedef struct hg_transpose hg_transpose;

/** Plan an exchange: block to[r] of one array goes to from[here] of another on rank r.
 *
 * @collective{comm}
 * @param[in]  element    bytes of an element
 * @param[in]  most       bytes of a message at most, cut between i and i + 1; 0 = 256 MiB
 * @param[in]  to         shape (size); block for each rank, may be empty
 * @param[in]  from       shape (size); where the block of each rank goes; the same n[] as the
 *                        sender's
 * @param[out] transpose  owned by the caller, free with hg_transpose_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_transpose_create(const hg_comm *comm, size_t element, int64_t most,
                                            const hg_block to[], const hg_block from[],
                                            hg_transpose **transpose);
void hg_transpose_free(hg_transpose *transpose);

/** Exchange; `back` sends what came by `from` to where it was by `to`. The arrays must not
 * overlap.
 *
 * @collective{comm}  the communicator of hg_transpose_create()
 * @param[in]  send  array of the blocks that leave
 * @param[out] recv  array of the blocks that arrive; other elements are untouched
 */
void hg_transpose_execute(const hg_comm *comm, const hg_transpose *transpose, bool back,
                          const void *send, void *recv);

/** Bytes that one execution sends from this rank to others.
 *
 * @local
 */
int64_t hg_transpose_bytes(const hg_transpose *transpose, bool back);

#endif
