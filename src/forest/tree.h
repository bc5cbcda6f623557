/** One tree: its nodes, its growth from a plan, its rows per leaf, and the routing of rows.
 * Layer: forest. */
#ifndef HG_FOREST_TREE_H
#define HG_FOREST_TREE_H

#include <string.h>

#include "forest/kernel.h"

/** A node: rows with x[feature] > t go to child + 1, others to child. link = child << bits |
 * feature with 6 or 8 feature bits. A leaf has t = NaN that carries the leaf's number and is
 * its own child, so that a finished row stays. Nodes stand in sibling pairs, depth first, from
 * node 2 on; node 0 is the root and node 1 is unused. */
typedef struct hg_node {
    float t;
    uint32_t link;
} hg_node;

enum { HG_LEAF_BITS = 22, HG_LEAF_MASK = (1 << HG_LEAF_BITS) - 1 };

/** A leaf's NaN, its number from it, and whether a node is a leaf.
 *
 * @local
 */
static inline float
hg_leaf_nan(uint32_t leaf)
{
    uint32_t bits = 0x7FC00000u | leaf;
    float t;

    memcpy(&t, &bits, sizeof t);
    return t;
}

static inline uint32_t
hg_leaf_number(hg_node node)
{
    uint32_t bits;

    memcpy(&bits, &node.t, sizeof bits);
    return bits & HG_LEAF_MASK;
}

static inline int
hg_node_is_leaf(hg_node node)
{
    return node.t != node.t;
}

/** A finished tree; arrays are owned but for the nodes of a view, free with hg_tree_clear(). */
typedef struct hg_tree {
    int64_t n_node;
    int64_t n_leaf;
    int64_t n_mate;
    int is_view;        /**< the nodes are in memory of another's */
    hg_node *node;      /**< shape (n_node) */
    float *mean;        /**< shape (n_leaf, n_target) */
    uint32_t *count;    /**< shape (n_leaf): leaf-mates listed */
    uint32_t *mate;     /**< shape (n_mate): canonical rows, leaf by leaf, ascending in each */
    double *importance; /**< shape (n_feature): sum of gains */
} hg_tree;

/** Rows and memory for best splits, see binned.h. */
typedef struct hg_binned hg_binned;
typedef struct hg_binned_space hg_binned_space;

/** What all trees of a forest share. Arrays are borrowed. */
typedef struct hg_plan {
    hg_train_options options;
    hg_rule rule; /**< without key and flush, which depend on the tree */
    const hg_kernel *kernel;
    const hg_binned *binned; /**< for best splits; NULL = random thresholds */
    int64_t n;               /**< training rows, of this rank where they are distributed */
    int64_t first;           /**< canonical number of the first of them */
    const hg_word *row;      /**< shape (n, stride): x, q in the first channels, row number */
    int is_whole;            /**< the rows are the records of every tree: no bag, no weights */
    const uint64_t *group;   /**< shape (n), ascending; NULL = none */
    const uint32_t *weight;  /**< shape (n); integer weights, NULL = 1 */
    int feature_bits;
    double centre[HG_TARGETS_MAX];
    double quantum[HG_TARGETS_MAX];
    double gain_round; /**< gains are rounded by adding and subtracting this, see hg_gain() */
} hg_plan;

/** A gain as it is summed: a multiple of a power of two so large that sums of gains are exact,
 * and importances do not depend on the order of growth.
 *
 * @local
 */
static inline double
hg_gain(const hg_plan *plan, double gain)
{
    return gain + plan->gain_round - plan->gain_round;
}

enum { HG_OOB_QUANTUM = 256 }; /**< out-of-bag sums are in 1/256 of the target's quantum */

/** A node waiting to be grown. */
typedef struct hg_frame {
    size_t begin; /**< first record */
    size_t n;
    size_t base; /**< first record of the subtree that fits the cache; SIZE_MAX outside one */
    uint64_t path;
    uint32_t node;
    int depth;
    int side;      /**< 0: in the arena, 1: in the second buffer; best splits: the buffer */
    int is_given;  /**< the records are the rows of the plan */
    int has_word;  /**< its threshold words stand ready */
    int has_range; /**< the range of its rows stands ready */
    int slot;      /**< best splits: where its histograms are, -1 = nowhere */
    int64_t total[HG_SUMS_MAX];
} hg_frame;

enum { HG_FRAMES_KEPT = 64 }; /**< frames for which words and ranges are kept */

/** Memory of one thread; free with hg_space_clear(). */
typedef struct hg_space {
    hg_rule rule;
    hg_word *record; /**< shape (n, stride): arena */
    hg_word *second; /**< shape (n_subtree, stride) */
    size_t n_subtree;
    int64_t whole[HG_SUMS_MAX]; /**< of all rows: sums of the targets and the weight */
    hg_binned_space *binned;    /**< in place of the arenas for best splits */
    unsigned char *copies;      /**< shape (n): bag */
    hg_lanes lanes;
    void *lane_block;
    uint32_t *word; /**< shape (HG_FRAMES_KEPT + 1, n_word) */
    float *range;   /**< shape (HG_FRAMES_KEPT + 2, 2, n_lane): frames, scratch, all rows */
    hg_frame *stack;
    size_t n_stack;
    hg_node *node;
    size_t n_node;
    float *mean;       /**< NULL = not wanted */
    int64_t *leaf_oob; /**< shape (leaf, n_target): leaf mean in 1/256 quantum; NULL: no bag */
    size_t n_leaf;
    uint32_t
        *node_rows;    /**< shape (node): records of nodes that were split; NULL = not wanted */
    float *node_mean;  /**< shape (node, n_target): what they would be as leaves */
    uint32_t *count;   /**< shape (leaf): leaf-mates listed */
    uint32_t *mate;    /**< shape (n): rows, leaf by leaf; NULL = not wanted */
    size_t n_mate;     /**< listed so far, where growth lists them: a tree without a bag */
    uint32_t *leaf_of; /**< shape (n): leaf of each training row, where it does not */
    uint32_t *index;   /**< shape (n): rows out of bag; also scratch */
    uint32_t *found;   /**< shape (n): their leaves */
    int64_t *oob_sum;  /**< shape (n, n_target) */
    uint32_t *oob_trees; /**< shape (n) */
    double importance[HG_FEATURES_MAX];
} hg_space;

/** Allocate the memory of one thread.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_space_init(hg_space *space, const hg_plan *plan);
void hg_space_clear(hg_space *space);

/** Allocate the arrays of a thread that a finished tree is handed over in.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_space_make_tree(hg_space *space, const hg_plan *plan);

/** Draw the copies of each row in the bag of a tree; an empty bag becomes one of all rows.
 *
 * @local
 * @return the largest number of copies, at least 1
 */
unsigned char hg_bag_take(const hg_plan *plan, hg_space *space, uint64_t tree);

/** The range kept for the frame at a place of the stack; one more is scratch.
 *
 * @local
 */
static inline hg_range
hg_space_range(const hg_space *space, size_t place)
{
    const size_t n = (size_t)space->rule.n_lane;
    float *low = space->range + 2 * n * (place < HG_FRAMES_KEPT ? place : HG_FRAMES_KEPT);

    return (hg_range){low, low + n};
}

/** Allocate what growing a node of at most n rows needs: no arena (`record` is the caller's)
 * and nothing per training row.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_space_init_part(hg_space *space, const hg_plan *plan, size_t n);

/** Copies of the rows of a plan in the bag of a tree.
 *
 * @local
 * @param[out] copies  shape (n)
 * @return the largest number; 0 for an empty bag, which is to be replaced by all rows once
 */
unsigned char hg_bag_draw(const hg_plan *plan, uint64_t tree, unsigned char copies[]);

/** Rows whose int32 sums cannot overflow when a row has at most `most` copies.
 *
 * @local
 */
size_t hg_bag_flush(const hg_rule *rule, int most);

/** Turn the targets of a record into channels: times copies and weight.
 *
 * @local
 * @param[in]     row     of the plan
 * @param[in,out] record  shape (stride)
 * @param[in,out] total   shape (n_target + 1); the row's sums are added
 */
void hg_bag_scale(const hg_plan *plan, int64_t row, int32_t copies, hg_word *record,
                  int64_t total[]);

/** Fill the arena with the bag of a tree, and the range kept for the root with its range.
 *
 * @local
 * @param[out] total  shape (n_target + 1): sums of the targets and the weight
 * @return number of distinct rows, at least 1
 */
size_t hg_bag_fill(const hg_plan *plan, hg_space *space, uint64_t tree, int64_t total[]);

/** The same where the rows are the records (`is_whole`): nothing is copied.
 *
 * @local
 */
size_t hg_bag_whole(const hg_plan *plan, hg_space *space, int64_t total[]);

/** Copies of a canonical row in the bag of a tree: Poisson(1), keyed by row or group.
 *
 * @local
 * @source docs/science/forest.md, "Bags"
 */
unsigned char hg_bag_copies(hg_bag bag, uint64_t seed, uint64_t tree, int64_t row,
                            uint64_t group);

/** Begin a tree without nodes.
 *
 * @local
 */
void hg_tree_start(const hg_plan *plan, hg_space *space);

/** Make room for another split.
 *
 * @local
 * @param[in] height  of the stack
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when the tree is too large for the node layout
 */
HG_MUST_CHECK hg_status hg_tree_reserve(const hg_plan *plan, hg_space *space, size_t height);

/** Make a node a leaf with its mean from integer sums; returns the leaf's number.
 *
 * @local
 * @param[in] total  shape (n_target + 1): sums of the targets and the weight
 */
uint32_t hg_leaf_add(const hg_plan *plan, hg_space *space, uint32_t node,
                     const int64_t total[]);

/** Make the node of a frame the parent of a new pair; returns the number of the left child.
 *
 * @local
 */
uint32_t hg_pair_add(const hg_plan *plan, hg_space *space, const hg_frame *frame, int feature,
                     float threshold);

/** Grow a tree into the thread's memory: nodes, leaf means, leaf of each row in the bag.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when the tree is too large for the node layout
 */
HG_MUST_CHECK hg_status hg_tree_grow(const hg_plan *plan, hg_space *space, uint64_t tree);

/** Grow a node of a tree that is grown elsewhere: only nodes, the number of leaves, and
 * importances, which begin at 0.
 *
 * @local
 * @param[in,out] space  of hg_space_init_part(), with the node's scaled records in `record`
 * @param[in]     tree   number of the tree
 * @param[in]     start  n, path, depth, total of the node
 * @param[in]     flush  hg_bag_flush() of the tree
 * @param[in]     weight sum of weights of the whole tree
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when the tree is too large for the node layout
 */
HG_MUST_CHECK hg_status hg_tree_grow_part(const hg_plan *plan, hg_space *space, uint64_t tree,
                                          const hg_frame *start, size_t flush, double weight);

/** Mean of a leaf from its integer sums, and the same in 1/HG_OOB_QUANTUM quanta.
 *
 * @local
 * @param[in]  total  shape (n_target + 1)
 * @param[out] mean   shape (n_target)
 * @param[out] oob    shape (n_target); NULL = not wanted
 */
void hg_leaf_set(const hg_plan *plan, const int64_t total[], float mean[], int64_t oob[]);

/** Keep a keyed sample of `cap` of the n rows of a leaf.
 *
 * @local
 * @param[in]  row   shape (n), canonical numbers, ascending
 * @param[out] kept  shape (cap), ascending; may be `row`
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_leaf_sample(const hg_plan *plan, uint64_t tree, size_t n,
                                       const uint32_t row[], size_t cap, uint32_t kept[]);

enum { HG_LEAF_LISTED = 16 }; /**< longer lists are quicker made by counting than sorted */

/** Note a row of a leaf that is being made; nothing where this is not wanted.
 *
 * @local
 */
static inline void
hg_leaf_put(hg_space *space, uint32_t leaf, uint32_t row)
{
    if (space->leaf_oob != NULL || /* rows out of bag come later, between these */
        (space->mate != NULL && space->rule.min_leaf > HG_LEAF_LISTED)) {
        space->leaf_of[row] = leaf;
    } else if (space->mate != NULL) {
        space->mate[space->n_mate++] = row;
        space->count[leaf]++;
    }
}

/** Rebuild in the thread's memory what growing the tree gave, from its nodes and the rows.
 *
 * @local
 * @param[in] stored  nodes, checked, and importance
 * @return HG_OK; HG_E_VERIFY when the tree does not fit the rows; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_tree_restore(const hg_plan *plan, hg_space *space, uint64_t tree,
                                        const hg_tree *stored);

/** Route the rows out of bag, add to the out-of-bag sums, and list the leaf-mates.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_tree_finish(const hg_plan *plan, hg_space *space, uint64_t tree);

/** Release the arrays of a tree.
 *
 * @local
 */
void hg_tree_clear(hg_tree *tree);

/** Find the leaf of each row of a tree.
 *
 * @local
 * @param[in]  node   nodes of the tree
 * @param[in]  bits   feature bits of a link, 6 or 8
 * @param[in]  n      number of rows
 * @param[in]  x      rows of `stride` floats, features first
 * @param[in]  index  shape (n); which row; NULL = row i
 * @param[out] leaf   shape (n)
 */
void hg_tree_route(const hg_node node[], int bits, size_t n, const float x[], size_t stride,
                   const uint32_t index[], uint32_t leaf[]);

/** A node for many rows: integers in the order of the floats are compared with less work. Rows
 * with a key above t go to child + 1, others to child. link = child << HG_PACKED_BITS |
 * feature. The t of a leaf is HG_PACKED_LEAF or above and ends with the leaf's number. */
typedef struct hg_packed_node {
    uint32_t t;
    uint32_t link;
} hg_packed_node;

enum { HG_PACKED_BITS = 8, HG_PACKED_NODES_MAX = 1 << (32 - HG_PACKED_BITS) };
static const uint32_t HG_PACKED_LEAF = 0xFFC00000u;

/** The key of a number: keys are ordered as the numbers are, and that of a leaf's NaN is above
 * all. Numbers from -0 to 0 have two, of which rows take the lower: so none of both is above
 * any of both.
 *
 * @local
 */
static inline uint32_t
hg_feature_key(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits ^ (bits >> 31 != 0 ? 0xFFFFFFFFu : 0x80000000u);
}

static inline uint32_t
hg_row_key(float x)
{
    return hg_feature_key(x == 0 ? -0.0f : x);
}

/** Pack the nodes of a tree.
 *
 * @local
 * @param[in]  bits  feature bits of a link, 6 or 8
 * @param[in]  n     number of nodes, at most HG_PACKED_NODES_MAX
 * @param[out] to    shape (n)
 */
void hg_tree_pack(const hg_node node[], int bits, size_t n, hg_packed_node to[]);

/** Find the leaf of each row of a tree whose nodes are packed: the same as hg_tree_route().
 *
 * @local
 * @param[in]  n     number of rows
 * @param[in]  x     shape (n, stride): hg_row_key() of features
 * @param[out] leaf  shape (n)
 */
void hg_packed_route(const hg_packed_node node[], size_t n, const uint32_t x[], size_t stride,
                     uint32_t leaf[]);

enum { HG_TREES_TOGETHER = 16 }; /**< trees that hg_row_route() takes at most */

/** Find the leaves of one row in several trees.
 *
 * @local
 * @param[in]  n_tree  1 to HG_TREES_TOGETHER
 * @param[in]  node    shape (n_tree): nodes of each tree
 * @param[in]  bits    feature bits of a link, 6 or 8
 * @param[in]  x       features of the row
 * @param[out] leaf    shape (n_tree)
 */
void hg_row_route(int n_tree, const hg_node *const node[], int bits, const float x[],
                  uint32_t leaf[]);

#endif
