/** The shares of training rows in the prediction of a row: over trees, equal parts for the rows
 * listed in its leaves. Layer: forest. */
#ifndef HG_FOREST_SHARES_H
#define HG_FOREST_SHARES_H

#include "forest/model.h"

enum { HG_SHARE_BITS = 24 }; /**< the shares of a tree add up to 2^24, less what is rounded */

/** Rows with a share; free with hg_shares_clear(). {0} is empty. Shares are integers: their
 * sums do not depend on an order. */
typedef struct hg_shares {
    uint32_t n;      /**< rows with a share */
    uint32_t *row;   /**< shape (n_row + 1), of which n: which rows these are */
    uint64_t *share; /**< shape (n_row): of every training row */
    int n_tree;      /**< trees with a listed row */
    uint64_t own;    /**< sum of the squares of each tree's own shares */
    uint64_t joint;  /**< sum of the squares of shares */
    uint32_t *group; /**< shape (n_row): number of the row's group, from 0 on */
    uint32_t *stamp; /**< shape (groups): search in which a group was found */
    uint32_t n_search;
} hg_shares;

/** Make the memory for a forest.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shares_init(const hg_forest *forest, hg_shares *shares);
void hg_shares_clear(hg_shares *shares);

/** Forget all shares.
 *
 * @local
 */
void hg_shares_start(hg_shares *shares);

/** Add a leaf: its listed rows, in the bag of the tree or not, in proportion to their weights.
 * For a training row neither the row itself counts nor, as it would be for a row that is new,
 * another with the same parent key or, with a bag by group, of the same group.
 *
 * @local
 * @param[in] leaf  number of the leaf in the tree
 * @param[in] self  training row the row is, or -1
 * @source Meinshausen 2006, Journal of Machine Learning Research 7, 983
 */
void hg_shares_add(const hg_forest *forest, int tree, uint32_t leaf, int64_t self,
                   hg_shares *shares);

/** What surrounds a row. */
typedef struct hg_near {
    double n_eff;    /**< 1/sum w^2 of the rows behind a mean over all trees */
    int32_t n_group; /**< different groups among the rows with a share */
} hg_near;

/** Describe the rows with a share. With T trees the sum of squares is a/T + (1 - 1/T) b, a the
 * mean over trees of their own sum and b that of pairs of trees; both are measured on the trees
 * that were added.
 *
 * @local
 */
hg_near hg_shares_near(const hg_forest *forest, hg_shares *shares);

#endif
