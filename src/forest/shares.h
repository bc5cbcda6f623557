/** The shares of training rows in the prediction of a row: over trees, equal parts for the rows
 * listed in its leaves. Layer: forest. */
#ifndef HG_FOREST_SHARES_H
#define HG_FOREST_SHARES_H

#include "forest/model.h"

enum { HG_SHARE_BITS = 24 }; /**< the shares of a tree add up to 2^24, less what is rounded */

/** Rows with a share, in a table of twice as many places; free with hg_shares_clear(). {0} is
 * empty. Shares are integers: their sums do not depend on an order. */
typedef struct hg_shares {
    int shift;        /**< 32 - log2 of the number of places */
    uint32_t n;       /**< rows with a share */
    uint32_t *row;    /**< shape (places) */
    uint64_t *share;  /**< shape (places); 0 = free */
    uint32_t *place;  /**< shape (places / 2): where those n are */
    int n_tree;       /**< trees with a listed row */
    uint64_t squares; /**< sum of the squares of each tree's own shares */
    uint64_t *group;  /**< shape (places): groups that were found, see hg_shares_near() */
    uint32_t *stamp;  /**< shape (places): search in which they were */
    uint32_t n_search;
} hg_shares;

/** Forget all shares; make the first memory when there is none.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shares_start(hg_shares *shares);
void hg_shares_clear(hg_shares *shares);

/** Add a leaf: its listed rows, in the bag of the tree or not, in proportion to their weights.
 * For a training row neither the row itself counts nor, as it would be for a row that is new,
 * another with the same parent key or, with a bag by group, of the same group.
 *
 * @local
 * @param[in] leaf  number of the leaf in the tree
 * @param[in] self  training row the row is, or -1
 * @return HG_OK; HG_E_MEMORY
 * @source Meinshausen 2006, Journal of Machine Learning Research 7, 983
 */
HG_MUST_CHECK hg_status hg_shares_add(const hg_forest *forest, int tree, uint32_t leaf,
                                      int64_t self, hg_shares *shares);

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
