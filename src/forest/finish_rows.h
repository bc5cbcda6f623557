/** What is done with a grown tree when its rows lie on many ranks. Layer: forest. */
#ifndef HG_FOREST_FINISH_ROWS_H
#define HG_FOREST_FINISH_ROWS_H

#include "forest/scaling.h"
#include "forest/spill.h"
#include "forest/top_levels.h"

/** Compute leaf means and lists of leaf-mates of a tree from its nodes, keep all of it in the
 * spill, and add to the out-of-bag sums of this rank's rows. The whole tree is never on one
 * rank but for its nodes and the sums of its leaves, 8 bytes per node and 8 (n_target + 1) per
 * leaf.
 *
 * @collective{comm}
 * @param[in]     top        number of the tree, bag of this rank's rows
 * @param[in,out] tree       nodes; gets n_mate
 * @param[in,out] spill      of rank 0
 * @param[in,out] oob_sum    shape (n, n_target)
 * @param[in,out] oob_trees  shape (n)
 * @return HG_OK; HG_E_VERIFY when the tree does not fit the rows; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_finish_tree(const hg_comm *comm, const hg_plan *plan,
                                       const hg_top *top, hg_tree *tree, hg_spill *spill,
                                       int64_t oob_sum[], int64_t oob_trees[]);

#endif
