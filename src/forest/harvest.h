/** Finished trees on their way into the model.
 *
 * A tree has its place in the model when all trees before it are grown and their sizes known.
 * Each rank collects its own trees in that order, in arrays that are the model's own where
 * there is one rank; room is made for as many trees as there are of the size of the first one,
 * and where that is not enough, trees stay apart until the end. Whichever thread finds places
 * known fills them; meanwhile a thread goes on with other arrays. Layer: forest. */
#ifndef HG_FOREST_HARVEST_H
#define HG_FOREST_HARVEST_H

#include "forest/checkpoint.h"
#include "forest/tree.h"

/** Where a tree begins in the arrays of its rank. */
typedef struct hg_place_of_tree {
    size_t node, leaf, mate;
} hg_place_of_tree;

/** The state; {0} is empty, release with hg_harvest_clear(). */
typedef struct hg_harvest {
    const hg_plan *plan;       /**< borrowed */
    hg_checkpoint *checkpoint; /**< borrowed; its `tree` gets the finished trees */
    int n_tree, step;          /**< trees of all ranks; this rank has every step-th of them */
    int next;                  /**< the first of this rank's trees without a place */
    int is_apart;              /**< there is no more room */
    unsigned char *is_ready;   /**< shape (n_tree): grown, or not wanted */
    hg_place_of_tree *place;   /**< shape (n_tree) */
    hg_place_of_tree room, used;
    hg_node *node;         /**< shape (room.node) */
    float *mean;           /**< shape (room.leaf, n_target) */
    uint64_t *mate_offset; /**< shape (room.leaf + 1) */
    uint32_t *mate;        /**< shape (room.mate) */
    hg_tree spare;         /**< a thread's arrays that nobody uses */
} hg_harvest;

/** Begin without trees.
 *
 * @local
 * @param[in] rank, size  this rank's trees are those with t mod size = rank
 * @param[in] checkpoint  first, last, and the array of trees
 * @param[in] only_parts  trees go to part files and into no model
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_harvest_begin(int rank, int size, const hg_plan *plan,
                                         hg_checkpoint *checkpoint, int only_parts,
                                         hg_harvest *harvest);

/** Take tree t, finished in a thread's memory, which gets other arrays; any thread may call
 * this.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; the failures of hg_checkpoint_note()
 */
HG_MUST_CHECK hg_status hg_harvest_put(hg_harvest *harvest, hg_space *space, int t);

/** Move the trees of all ranks into the forest of each.
 *
 * @collective{comm}
 * @param[in,out] forest  of hg_train_start(); gets offsets, nodes, means, leaf-mates and
 *                        importances
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_harvest_share(const hg_comm *comm, hg_harvest *harvest,
                                         hg_forest *forest);

/** Release the state.
 *
 * @local
 */
void hg_harvest_clear(hg_harvest *harvest);

#endif
