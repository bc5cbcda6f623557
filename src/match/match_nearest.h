/** Pairs of objects of two catalogues by place and mass. Layer: match. */
#ifndef HG_MATCH_NEAREST_H
#define HG_MATCH_NEAREST_H

#include "halograft/table.h"
#include "match/match_choose.h"
#include "match/match_objects.h"

typedef struct hg_match_nearest_options {
    double distance;   /**< largest distance in r200c of the first object's mass */
    double mass_ratio; /**< largest difference of log10 mass */
    double mass_shift; /**< added to log10 mass of the first objects */
    hg_frame frame;    /**< of the box that both lie in: side, redshift, h, Omega_m, Omega_l */
} hg_match_nearest_options;

/** Largest distance that is searched, in Mpc.
 *
 * @collective{comm}
 * @param[in]  n, object  the first objects of this rank
 * @param[out] reach      the same on all ranks, 0 without objects
 * @return HG_OK; HG_E_INPUT when the frame lacks what r200c needs
 */
HG_MUST_CHECK hg_status hg_match_reach(const hg_comm *comm, int64_t n,
                                       const hg_match_object object[],
                                       const hg_match_nearest_options *options, double *reach);

/** Pair objects that are nearest to each other in the sum of squares of distance and of
 * difference in log10 mass, each over its limit; of equal ones the smaller id wins. A box of
 * unknown side is not periodic.
 *
 * @collective{comm}
 * @param[in]  n       shape (2); objects of this rank on each side
 * @param[in]  object  shape (2) of arrays; ids unique per side
 * @param[in]  reach   from hg_match_reach()
 * @param[out] n_pair  pairs on this rank
 * @param[out] pairs   shape (n_pair); over all ranks each once; owned by the caller, free with
 * hg_mem_free()
 * @return HG_OK; HG_E_ARG when the search reaches over half the box; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_match_nearest(const hg_comm *comm, const int64_t n[2],
                                         const hg_match_object *const object[2],
                                         const hg_match_nearest_options *options, double reach,
                                         int64_t *n_pair, hg_match_pair **pairs);

#endif
