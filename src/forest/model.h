/** The forest as it is in memory: all trees in common arrays, the training rows, and what
 * follows from them. Layer: forest. */
#ifndef HG_FOREST_MODEL_H
#define HG_FOREST_MODEL_H

#include "forest/spill.h"
#include "forest/tree.h"
#include "par/shared.h"

/** A text kept with the model. */
typedef struct hg_meta {
    char name[64];
    char *text;
} hg_meta;

/** A parent key and its training row, for the search. */
typedef struct hg_parent_row {
    uint64_t key;
    uint64_t row;
} hg_parent_row;

/** What the nodes of a tree that were split would be as leaves; others are not set. Owned. */
typedef struct hg_inner {
    uint32_t *rows; /**< shape (node): records */
    float *mean;    /**< shape (node, n_target) */
} hg_inner;

/** Limits of what is usual: of n_eff and n_group (from below), then of the spread of each
 * target (from above), at two levels. */
enum { HG_LIMIT_LEVELS = 2, HG_NEAR_MEASURES = 2 };

struct hg_forest {
    hg_train_options options;
    int n_feature;
    int n_target;
    int n_tree;
    int feature_bits;
    int64_t n_row;
    hg_field_spec *feature;  /* shape (n_feature) */
    hg_field_spec *target;   /* shape (n_target) */
    hg_feature_range *range; /* shape (n_feature) */
    double centre[HG_TARGETS_MAX];
    double quantum[HG_TARGETS_MAX];
    double scale[HG_TARGETS_MAX]; /* standard deviation by which the criterion divides */
    double target_weight[HG_TARGETS_MAX];
    double cost[HG_TARGETS_MAX]; /* factor of a squared difference of means, in quanta */
    uint64_t *node_offset;       /* shape (n_tree + 1) */
    uint64_t *leaf_offset;       /* shape (n_tree + 1) */
    hg_shared block;             /* holds the four arrays below, unless it is empty */
    hg_node *node;
    float *mean;           /* shape (leaves, n_target) */
    uint64_t *mate_offset; /* shape (leaves + 1) */
    uint32_t *mate;
    double *importance; /* shape (n_tree, n_feature) */
    uint64_t *key;      /* shape (n_row), canonical order; likewise below */
    uint64_t *group;
    uint64_t *parent;
    float *value;    /* shape (n_row, n_target) */
    float *residual; /* shape (n_row, n_target); NaN where there is none */
    float *shrink;   /* shape (n_row); factor of the residual in a draw */
    float *twin;     /* shape (n_row, n_target); d / sqrt(2), NaN where none; NULL = no twins */
    float *class_value; /* shape (n_row); of the feature that tells libraries apart, or NULL */
    uint32_t *library; /* shape (n_library); rows by class and mean of the first target, made on
                          request */
    int64_t n_library;
    hg_library_classes classes;                  /* of the library */
    int64_t class_begin[HG_LIBRARY_CLASSES + 1]; /* first place of each class in the library */
    double
        keep[HG_TARGETS_MAX]; /* how far a draw may stay from the mean with its mate's mean */
    double limit[HG_LIMIT_LEVELS * (HG_NEAR_MEASURES + HG_TARGETS_MAX)]; /* shape
                                     (HG_LIMIT_LEVELS, HG_NEAR_MEASURES + n_target); NaN = none
                                     */
    uint16_t *oob_trees;
    uint32_t *weight;
    double weight_unit; /* weight of a row = integer * unit */
    int is_weighted;
    int has_residual;      /* some row has one */
    hg_parent_row *lookup; /* shape (n_lookup), ascending */
    int64_t n_lookup;
    int64_t
        *lookup_begin; /* shape (2^lookup_bits + 1); first place of keys by their top bits */
    int lookup_bits;
    unsigned char *is_full; /* shape (n_tree): the bag was empty and all rows were used */
    uint64_t hash;
    uint64_t rows_hash; /* of what the trees were grown from; 0 = unknown */
    hg_meta *meta;
    int n_meta;
    int is_on_disk;  /* arrays of nodes, leaves and rows are NULL: rank 0 has them in the spill
                      */
    hg_inner *inner; /* shape (n_tree); for hg_forest_cut(), NULL = none */
    hg_spill *spill; /* owned; NULL but on rank 0 of a forest on disk */
};

/** Allocate a forest without trees for `n` rows; scalar members are set by the caller.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_create(int n_feature, int n_target, int n_tree, int64_t n,
                                        hg_forest **forest);

/** Make the arrays of the trees, in a block that the ranks of a node share, once node_offset,
 * leaf_offset and the number of leaf-mates are known; of their content mate_offset[0] alone is
 * set, to 0.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_reserve_shared(const hg_comm *comm, hg_forest *forest,
                                                uint64_t n_mate);

/** The four arrays of the trees first to end - 1 as pieces of the forest's block.
 *
 * @local
 * @param[in]  mate   first leaf-mate of tree `first`
 * @param[out] piece  shape (4)
 */
void hg_model_pieces(const hg_forest *forest, int first, int end, uint64_t mate,
                     uint64_t n_mate, int owner, hg_shared_piece piece[4]);

/** Mark the trees whose bag was empty, so that all rows were used.
 *
 * @local
 */
void hg_model_mark_full(hg_forest *forest);

/** Compute what follows from the rest: the search for parent keys, full bags, the content hash.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_complete(hg_forest *forest);

/** Compute the content hash; of a forest on disk on rank 0.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_model_hash(hg_forest *forest);

/** Ranges and quantiles of the features of the training rows, of which each rank has a part.
 *
 * @collective{comm}
 * @param[in]  threads per rank; 0 = as OpenMP says
 * @param[in]  n       rows of this rank
 * @param[in]  n_all   rows of all ranks, at least 1
 * @param[in]  x       shape (n, stride), features first
 * @param[out] range   shape (n_feature)
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_domain_measure(const hg_comm *comm, int threads, int64_t n,
                                          int64_t n_all, int n_feature, const float x[],
                                          size_t stride, hg_feature_range range[]);

/** A float as an integer with the same order (no NaN; -0 below +0), and back.
 *
 * @local
 */
uint32_t hg_domain_code(float x);
float hg_domain_value(uint32_t code);

/** Make the forest that a training with fewer trees, a larger min_split or a smaller max_depth
 * would give, bit for bit in its nodes and means: words are keyed by the path to a node, so
 * that trees differ in where they end and in nothing else.
 *
 * @local
 * @param[in]  forest   trained with `is_cut`
 * @param[in]  options  as those of the forest but for the three
 * @param[out] cut      owned by the caller, without training rows and importances; NULL on
 * failure
 * @return HG_OK; HG_E_ARG for options that ask for more than the forest has; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_cut(const hg_forest *forest, const hg_train_options *options,
                                      hg_forest **cut);

/** Whether a training row was out of the bag of a tree.
 *
 * @local
 */
static inline int
hg_model_is_oob(const hg_forest *f, int tree, int64_t row)
{
    return !f->is_full[tree] && hg_bag_copies(f->options.bag, f->options.seed,
                                              (uint64_t)f->options.first_tree + (uint64_t)tree,
                                              row, f->group[row]) == 0;
}

#endif
