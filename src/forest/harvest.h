/** Finished trees on their way into the model.
 *
 * A tree has its place in the model when all trees before it are grown and their sizes known.
 * Ranks of one node take the trees as they come, whichever is free, know the sizes of each
 * other's, and each puts its own straight into the block that will be the model of all; on
 * several nodes, or where ranks cannot share memory, a rank grows every size-th tree and
 * collects them one after the other, in arrays that are the model's where it is the only one.
 * Room is made for as many trees as there are of the size of the
 * first ones, and where that is not enough, trees stay apart until the end. Whichever thread
 * finds places known fills them; meanwhile a thread goes on with other arrays. Layer: forest.
 */
#ifndef HG_FOREST_HARVEST_H
#define HG_FOREST_HARVEST_H

#include "forest/checkpoint.h"
#include "forest/tree.h"
#include "par/shared.h"

/** Where a tree begins in the arrays, or how much of them it takes. */
typedef struct hg_place_of_tree {
    size_t node, leaf, mate;
} hg_place_of_tree;

/** What has to be known of a tree before the next one has its place. */
typedef struct hg_grown_tree {
    hg_place_of_tree size;
    _Atomic uint32_t owner; /**< 0 = anyone; else 2 (rank + 1), and 1 more once it is taken */
    _Atomic uint32_t is_ready; /**< the size is there */
} hg_grown_tree;

/** What has to be known of all trees. */
typedef struct hg_growth {
    _Atomic uint32_t n_done;    /**< trees that are grown */
    _Atomic uint32_t is_halted; /**< no more are to be taken: one has failed */
} hg_growth;

/** The state; {0} is empty, release with hg_harvest_clear(). */
typedef struct hg_harvest {
    const hg_plan *plan;       /**< borrowed */
    hg_checkpoint *checkpoint; /**< borrowed; its `tree` gets the finished trees */
    int n_tree;                /**< of all ranks */
    int rank, n_rank;
    int next, step;     /**< the first tree without a place; every step-th tree gets one here */
    int is_open;        /**< places are given */
    int is_joint;       /**< the arrays are those of all ranks, in `block` */
    int is_apart;       /**< there is no more room */
    hg_grown_tree *own; /**< shape (n_tree) */
    hg_growth own_growth;
    hg_grown_tree *grown;    /**< `own`, or the same of all ranks in the block */
    hg_growth *growth;       /**< of this rank, or of all ranks in the block */
    hg_place_of_tree *place; /**< shape (n_tree) */
    hg_shared block;
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
 * @param[in] rank, size  those of this rank; its trees are those with t mod size = rank until
 *                        ranks have joined
 * @param[in] checkpoint  first, last, and the array of trees
 * @param[in] only_parts  trees go to part files and into no model
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_harvest_begin(int rank, int size, const hg_plan *plan,
                                         hg_checkpoint *checkpoint, int only_parts,
                                         hg_harvest *harvest);

/** Where there are several ranks, begin to give places to trees, once every thread has grown
 * its first: on one node a block is made for the trees of all.
 *
 * @collective{comm} by the first thread
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_harvest_open(const hg_comm *comm, hg_harvest *harvest);

/** The next tree, from tree t on, that the calling thread may grow, and has to; any thread may
 * call this.
 *
 * @local
 * @return its number, or n_tree if there is none
 */
int hg_harvest_claim(hg_harvest *harvest, int t);

/** Let nobody claim another tree; any thread may call this.
 *
 * @local
 */
void hg_harvest_halt(hg_harvest *harvest);

/** Number of trees that are grown, and of those that are to be, by this rank or, once they have
 * joined, by all.
 *
 * @local
 */
int hg_harvest_done(const hg_harvest *harvest);
int hg_harvest_wanted(const hg_harvest *harvest);

/** Take tree t, finished in a thread's memory, which gets other arrays; any thread may call
 * this.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; the failures of hg_checkpoint_note()
 */
HG_MUST_CHECK hg_status hg_harvest_put(hg_harvest *harvest, hg_space *space, int t);

/** Once all ranks grow no more trees, give places to those that wait and note all for the part
 * files.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; the failures of hg_checkpoint_note()
 */
HG_MUST_CHECK hg_status hg_harvest_settle(hg_harvest *harvest);

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
 * @collective{comm}
 */
void hg_harvest_clear(const hg_comm *comm, hg_harvest *harvest);

#endif
