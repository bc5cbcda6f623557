/** Part files of a training: finished trees by number, from which a later training takes them.
 *
 * A part holds nodes and importances only. Whatever else belongs to a tree follows from its
 * nodes and the training rows (hg_tree_restore()), so a part cannot disagree with the rows it
 * is restored from. Layer: forest. */
#ifndef HG_FOREST_CHECKPOINT_H
#define HG_FOREST_CHECKPOINT_H

#include "forest/model.h"

/** The state of a training; {0} is one without part files that grows every tree. */
typedef struct hg_checkpoint {
    const hg_train_parts *parts; /**< borrowed; NULL = none */
    const hg_forest *forest;     /**< options, specifications and hash of the rows; borrowed */
    hg_tree *tree;               /**< shape (trees); borrowed */
    int first, last;             /**< trees first to last - 1 are grown here */
    unsigned char *state;        /**< shape (trees): 0 to be grown, 1 finished, 2 in a file */
    double written;              /**< time of the last part file */
} hg_checkpoint;

/** Find the part files and load the trees that fall to this rank (those with t mod size = rank)
 * into `tree`: nodes and importance.
 *
 * @collective{comm}
 * @param[in]  parts   NULL = no part files
 * @param[in]  forest  options, specifications and hash of the rows
 * @param[out] tree    shape (trees), zeroed
 * @param[out] state   release with hg_checkpoint_end()
 * @return HG_OK; the failures of hg_forest_train_parts()
 */
HG_MUST_CHECK hg_status hg_checkpoint_begin(const hg_comm *comm, const hg_train_parts *parts,
                                            const hg_forest *forest, hg_tree tree[],
                                            hg_checkpoint *state);

/** Release the state.
 *
 * @local
 */
void hg_checkpoint_end(hg_checkpoint *state);

/** Note that tree t is finished; writes a part file when it is time. One thread at a time.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_checkpoint_note(hg_checkpoint *state, int t);

/** Write the finished trees that are in no file yet.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_checkpoint_flush(hg_checkpoint *state);

/** Write them when an interval has passed since the last part file.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_checkpoint_flush_due(hg_checkpoint *state);

#endif
