/** Orphans: objects of merger trees that became part of another, but whose galaxies live on.
 * Layer: features.
 */
#ifndef HG_FEATURES_ORPHANS_H
#define HG_FEATURES_ORPHANS_H

#include "features/branches.h"
#include "features/history_recipe.h"
#include "halograft/comm.h"
#include "halograft/params.h"
#include "halograft/table.h"

/** One of them. */
typedef struct hg_orphan {
    int64_t id;         /**< of the last object of its branch */
    int64_t host;       /**< object at the time of the catalogue that it is part of */
    double scale;       /**< scale factor when it was last found */
    double mass;        /**< its mass then, Msun */
    double left;        /**< share of its time that is left, in (0, 1] */
    double position[3]; /**< today: comoving Mpc, in the box where there is one */
    double velocity[3]; /**< proper km/s */
} hg_orphan;

/** Orphans of a catalogue, and the branches of all objects. */
typedef struct hg_orphans {
    int64_t n;
    hg_orphan *orphan;     /**< shape (n); in the order of hashes of ids, over ranks too */
    hg_branches *branches; /**< for hg_branches_ask() */
} hg_orphans;

/** Find the ends of branches that merged into another branch before the time of a catalogue,
 * and follow them with what they became part of. An object that is lost in a host that itself
 * is lost moves with that one, as long as both live.
 *
 * @collective{comm}
 * @param[in]  params   History, and Convert.orphan_friction, are used
 * @param[in]  recipe   quantities of the history; the first is the mass
 * @param[in]  frame    of the catalogue: scale factor, h, omega_m, and the box if there is one
 * @param[out] orphans  release with hg_orphans_clear(); empty on failure
 * @return HG_OK; HG_E_INPUT for histories without links to descendants or with ids of their
 * own, and for a frame that lacks a number; the failures of hg_history_read()
 */
HG_MUST_CHECK hg_status hg_orphans_find(const hg_comm *comm, const hg_params *params,
                                        const hg_history_recipe *recipe, const hg_frame *frame,
                                        hg_orphans *orphans);
void hg_orphans_clear(hg_orphans *orphans);

#endif
