/** Trees and tracks as catalogues: their objects, whatever the format. Layer: features. */
#ifndef HG_FEATURES_HISTORY_READ_H
#define HG_FEATURES_HISTORY_READ_H

#include "features/branches.h"
#include "features/history_recipe.h"
#include "halograft/comm.h"
#include "halograft/params.h"

/** Where an object of a tree is. */
typedef struct hg_tree_place {
    double position[3]; /**< comoving Mpc */
    double velocity[3]; /**< km/s */
    double mass;        /**< the first quantity, Msun, also of phantoms */
} hg_tree_place;

/** Objects of all times as they were read, in any order over the ranks. */
typedef struct hg_history_rows {
    hg_link_kind kind;
    bool by_halo; /**< haloes have ids of their own, see hg_branches_make() */
    int64_t n;
    hg_tree_row *row;     /**< shape (n) */
    hg_tree_place *place; /**< shape (n), or NULL */
} hg_history_rows;

/** Read the objects that a list of files holds.
 *
 * @collective{comm}
 * @param[in]  with_places  also read where they are: columns position and velocity
 * @param[out] rows         arrays owned by the caller, free both with hg_mem_free()
 * @return as hg_history_read()
 */
HG_MUST_CHECK hg_status hg_history_rows_read(const hg_comm *comm, const hg_params *params,
                                             const hg_history_recipe *recipe,
                                             const hg_strings *names, int64_t region,
                                             bool with_places, hg_history_rows *rows);

/** Read the history that a list of files holds and find its branches.
 *
 * @collective{comm}
 * @param[in]  params    History and Parent.h are used
 * @param[in]  recipe    which quantities
 * @param[in]  names     files or patterns; {snapshot} stands for every number that is there
 * @param[in]  region    number for {region}
 * @param[out] branches  owned by the caller, free with hg_branches_free()
 * @return HG_OK; HG_E_NOTFOUND for missing files and columns; HG_E_INPUT naming what is wrong;
 * HG_E_PARAM; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_history_read(const hg_comm *comm, const hg_params *params,
                                        const hg_history_recipe *recipe,
                                        const hg_strings *names, int64_t region,
                                        hg_branches **branches);

#endif
