/** The choice that both ways of matching share: pairs that want each other above all. Layer:
 * match. */
#ifndef HG_MATCH_CHOOSE_H
#define HG_MATCH_CHOOSE_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** A pair of objects: side 0 and side 1. */
typedef struct hg_match_pair {
    int64_t key[2];    /**< ids of the objects */
    int32_t shared[2]; /**< by particles: voters of side s that the other holds, else 0 */
    int32_t given[2];  /**< by particles: voters of side s, else 0 */
    double distance;   /**< by place: over the search radius, else 0 */
    double mass_ratio; /**< by place: log10 of mass of side 1 over that of side 0, else 0 */
} hg_match_pair;

/** A pair that might be, and how much either side wants it. */
typedef struct hg_match_vote {
    hg_match_pair pair;
    int64_t weight[2]; /**< of side s for the pair; 0 = not wanted */
    int64_t chosen;    /**< filled here */
} hg_match_vote;

/** Send votes to the rank that the id of side `side` hashes to, and join votes for one pair:
 * weights and shared particles are added. What comes out is in order of key[0], then key[1].
 *
 * @collective{comm}
 * @param[in,out] n     votes on this rank
 * @param[in,out] vote  shape (n); replaced
 */
HG_MUST_CHECK hg_status hg_match_gather(const hg_comm *comm, int side, int64_t *n,
                                        hg_match_vote **vote);

/** Keep the pairs that both sides want most; of equal weights the smaller id wins.
 *
 * @collective{comm}
 * @param[in,out] n     votes on this rank, each pair once over all ranks
 * @param[in,out] vote  shape (n); replaced by the pairs kept, in order of key[0]
 */
HG_MUST_CHECK hg_status hg_match_choose(const hg_comm *comm, int64_t *n, hg_match_vote **vote);

/** Rank that a key belongs to.
 *
 * @local
 * @param[in] size  number of ranks
 */
int hg_match_rank(int size, uint64_t key);

#endif
