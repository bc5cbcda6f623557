/** The top of trees whose rows lie on many ranks: rows stay where they are, and nodes are split
 * by sums over ranks until they are small enough for one. Layer: forest. */
#ifndef HG_FOREST_TOP_LEVELS_H
#define HG_FOREST_TOP_LEVELS_H

#include "forest/scaling.h"

/** What a node of the top is: to be split, split, a leaf, or to be grown by one rank. */
typedef enum hg_top_kind { HG_TOP_ACTIVE, HG_TOP_INNER, HG_TOP_LEAF, HG_TOP_JOB } hg_top_kind;

/** A node of the top; the same on all ranks. */
typedef struct hg_top_node {
    hg_top_kind kind;
    int child; /**< of an inner node: the left one, the right one follows */
    int feature;
    float threshold;
    int depth;
    uint64_t path;
    int64_t n;                  /**< distinct rows */
    int64_t total[HG_SUMS_MAX]; /**< sums of targets, weight */
    int64_t tag;                /**< of a job: its number, set by the caller */
} hg_top_node;

enum { HG_TOP_NODES_MAX = UINT16_MAX - 1, HG_TOP_OUT = UINT16_MAX };

/** The top of one tree. */
typedef struct hg_top {
    uint64_t number; /**< of the tree */
    size_t flush;    /**< hg_bag_flush() */
    int is_full;     /**< the bag was empty and all rows are used */
    int n_node;
    int n_room;
    hg_top_node *node;     /**< shape (n_node) */
    unsigned char *copies; /**< shape (n): bag */
    uint16_t *slot; /**< shape (n): node of each row of this rank, HG_TOP_OUT out of bag */
    double importance[HG_FEATURES_MAX];
} hg_top;

/** Grow the tops of some trees together. Every level costs one exchange of ranges and one of
 * sums for all of them.
 *
 * @collective{comm}
 * @param[in]  plan    with the rows of this rank
 * @param[in]  first   number of the first tree
 * @param[in]  cut     nodes with more rows than this are split here, at least 1
 * @param[out] top     shape (n_tree), zeroed; release with hg_top_clear(), also after a failure
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when a tree has too many nodes above the cut
 * @source docs/science/forest.md, "Two schemes of training"
 */
HG_MUST_CHECK hg_status hg_top_grow(const hg_comm *comm, const hg_plan *plan, uint64_t first,
                                    int n_tree, int64_t cut, hg_top top[]);

/** Draw the bags of trees alone, for trees whose nodes are known.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_top_draw(const hg_comm *comm, const hg_plan *plan, uint64_t first,
                                    int n_tree, hg_top top[]);

/** Release what a top holds.
 *
 * @local
 */
void hg_top_clear(hg_top *top);

#endif
