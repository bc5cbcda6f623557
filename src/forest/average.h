/** Means over trees of a block of rows. Layer: forest. */
#ifndef HG_FOREST_AVERAGE_H
#define HG_FOREST_AVERAGE_H

#include <stdbool.h>

#include "forest/model.h"

/** Memory of one thread for a block; {0} is empty, free with hg_average_clear(). */
typedef struct hg_average {
    size_t n;        /**< rows of the block, at most as many as there is room for */
    uint32_t *order; /**< shape (n): the rows as given, in the order in which they pass trees */
    uint32_t *x;     /**< shape (n, stride): features or their keys; in that order, as below */
    size_t stride;   /**< features, and zeros up to a multiple of 8 */
    hg_packed_node *packed; /**< the tree that rows pass; NULL where trees pass as they are */
    double *sum;            /**< shape (n, n_target) */
    double *square;         /**< shape (n, n_target); NULL without spreads */
    uint32_t *leaf;         /**< leaves of the rows in the trees that are passed together */
    uint32_t *seen;         /**< shape (n_seen, n): leaves in the first trees */
    int n_seen;
} hg_average;

/** Allocate the memory for blocks of at most n rows.
 *
 * @local
 * @param[in] n_seen      number of trees whose leaves are kept for hg_average_leaf()
 * @param[in] has_spread  spreads are wanted as well
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_average_init(const hg_forest *forest, size_t n, int n_seen,
                                        bool has_spread, hg_average *average);
void hg_average_clear(hg_average *average);

/** Pass the rows of a block through all trees.
 *
 * @local
 * @param[in]  n       rows
 * @param[in]  x       shape (n, n_feature)
 * @param[out] mean    shape (n, n_target)
 * @param[out] spread  shape (n, n_target): standard deviation over trees; may be NULL
 */
void hg_average_block(const hg_forest *forest, size_t n, const float x[], hg_average *average,
                      double mean[], double spread[]);

/** The leaf of row order[k] in one of the first trees.
 *
 * @local
 */
static inline uint32_t
hg_average_leaf(const hg_average *a, int tree, size_t k)
{
    return a->seen[(size_t)tree * a->n + k];
}

#endif
