/** Twins of objects between two runs from their most bound particles. Layer: match. */
#ifndef HG_MATCH_BOUND_H
#define HG_MATCH_BOUND_H

#include "catalog/members.h"
#include "halograft/comm.h"
#include "halograft/error.h"
#include "match/id_rule.h"
#include "match/match_choose.h"

typedef struct hg_match_bound_options {
    int most;           /**< particles of an object that vote: its most bound ones */
    int least;          /**< votes a pair needs in each direction */
    double shared;      /**< least share of the votes of either object for the other */
    double rank_slope;  /**< the particle of rank k = 1, 2, ... weighs k^-rank_slope */
    hg_id_rule rule[2]; /**< what makes the ids of the two runs comparable */
} hg_match_bound_options;

/** Pair objects whose most bound particles are found in each other.
 *
 * Every object votes with its `most` most bound particles for the objects of the other side
 * that hold them, all particles of which count; each object chooses the one with the largest
 * weight of votes, of equal ones that with the smallest id. A pair stands when both have chosen
 * each other, with at least `least` votes and a share of at least `shared` of the voters in
 * both directions. So pairs are one to one, and do not depend on the order of objects or on the
 * number of ranks.
 *
 * @collective{comm}
 * @param[in]  side   shape (2); objects in any distribution over ranks, ids unique per side
 * @param[out] n      pairs on this rank
 * @param[out] pairs  shape (n), in order of key[0]; over all ranks each pair once; owned by the
 * caller, free with hg_mem_free()
 * @return HG_OK; HG_E_INPUT naming an object that is listed twice; HG_E_MEMORY
 * @source weight by rank of binding: Jiang et al. 2014, MNRAS 440, 2115, section 2
 */
HG_MUST_CHECK hg_status hg_match_bound(const hg_comm *comm, const hg_members side[2],
                                       const hg_match_bound_options *options, int64_t *n,
                                       hg_match_pair **pairs);

#endif
