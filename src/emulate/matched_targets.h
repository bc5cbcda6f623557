/** Galaxies of a zoom, to be found by the id of the halo that gives the features. Layer:
 * emulate.
 */
#ifndef HG_EMULATE_MATCHED_TARGETS_H
#define HG_EMULATE_MATCHED_TARGETS_H

#include "halograft/comm.h"
#include "halograft/params.h"
#include "match/match_table.h"
#include "suite/recipes.h"
#include "suite/regions.h"

/** Targets of the matched haloes of one region, the same on all ranks; {0} is empty. */
typedef struct hg_matched {
    int64_t n;
    hg_match_link *link; /**< shape (n), in order of partner */
    uint8_t *is_good;    /**< shape (n); the halo is not contaminated */
    int n_target;
    double *y; /**< shape (n, n_target) */
    hg_frame frame;
} hg_matched;

/** Read the table of pairs of a region and the targets of its haloes with galaxies.
 *
 * @collective{comm}
 * @param[in]     by_place  the table is that with the parent
 * @param[in]     options   how to open catalogues of zooms; files are those of the region
 * @param[in,out] targets   units are filled in from the catalogue
 * @param[out]    matched   release with hg_matched_clear()
 * @return HG_OK; HG_E_NOTFOUND when there is no table; HG_E_INPUT naming an id of the table
 * that the catalogue lacks; HG_E_FORMAT; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_matched_read(const hg_comm *comm, const hg_params *params,
                                        const hg_region *region, bool by_place,
                                        const hg_catalog_options *options, hg_recipes *targets,
                                        hg_matched *matched);

/** Release the arrays; the object is then empty.
 *
 * @local
 */
void hg_matched_clear(hg_matched *matched);

/** Place of the halo matched with a partner, -1 where there is none or it is contaminated.
 *
 * @local
 * @param[in] partner  id of the halo that gives the features
 */
int64_t hg_matched_find(const hg_matched *matched, int64_t partner);

#endif
