/** Forests of randomised trees on numeric matrices: train, predict, draw, store.
 *
 * A forest knows no haloes: rows have a 64-bit key, float32 features and transformed targets.
 * What the columns mean (expression, unit, transform) is kept in the model verbatim for others.
 * The same rows, options and seed give the same forest and the same draws, bit for bit, for any
 * number of ranks and threads and any order of rows. Layer: forest.
 */
#ifndef HALOGRAFT_FOREST_H
#define HALOGRAFT_FOREST_H

#include <stddef.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum { HG_FEATURES_MAX = 256, HG_TARGETS_MAX = 16 };

/** What a column is; stored in the model verbatim and not interpreted here. Zero-terminated. */
typedef struct hg_field_spec {
    char name[64];
    char unit[32];
    char expression[256];
    char transform[128];
} hg_field_spec;

/** Which rows a tree sees: all; or a Poisson(1) number of copies per row or per group. */
typedef enum hg_bag { HG_BAG_NONE, HG_BAG_ROW, HG_BAG_GROUP } hg_bag;

/** How a node is split: at a random threshold per candidate (extremely randomised trees), or at
 * the best boundary between the bins of a candidate (a random forest). */
typedef enum hg_splitter { HG_SPLITTER_RANDOM, HG_SPLITTER_BEST } hg_splitter;

/** How a draw is made: mean + out-of-bag residual vector of a leaf-mate, or a leaf-mate's
 * targets. */
typedef enum hg_draw_method {
    HG_DRAW_RESIDUAL,
    HG_DRAW_LEAF,
    HG_DRAW_LIBRARY, /**< mean + residual vector of a row with a like mean of the first target
                      */
    HG_DRAW_TWINS    /**< mean + difference of twins of such a row */
} hg_draw_method;

/** What a forest is for: draws and descriptions of rows, out-of-bag means, or means alone. What
 * is not wanted is left out: leaf-mates and limits, and residuals; means are the same bits. */
typedef enum hg_train_scope {
    HG_TRAIN_DRAWS,
    HG_TRAIN_OOB_MEANS,
    HG_TRAIN_MEANS
} hg_train_scope;

/** How trees are grown; semantics of scikit-learn's ExtraTreesRegressor, or with best splits of
 * its RandomForestRegressor on binned features. */
typedef struct hg_train_options {
    int trees;      /**< number of trees to grow */
    int first_tree; /**< number of the first one (to add trees to a forest) */
    hg_splitter splitter;
    int bins;             /**< best splits: most bins of a feature, 2 to 65536; where it has no
                               more values, every value has its own bin */
    int min_leaf;         /**< fewest distinct rows on a side of a split, >= 1 */
    int min_split;        /**< fewest rows of a node that is split, >= 2 */
    int max_depth;        /**< 0 = no limit */
    double max_features;  /**< candidates per node as a fraction of the features, (0, 1] */
    int redraw;           /**< how often thresholds are drawn anew when all were rejected */
    double min_gain;      /**< least w/w_total times decrease of the mean scaled variance */
    double constant_step; /**< a feature with max <= min + this is constant (sklearn: 1e-7) */
    hg_bag bag;           /**< without a bag there are no residuals and no residual draws */
    int scale_targets;  /**< divide targets by their variance in the criterion (default yes) */
    int leaf_mates_max; /**< most rows listed per leaf, a keyed sample; at least 1 */
    int oob_trees_min;  /**< fewest trees behind an out-of-bag mean */
    int calibrate;      /**< take the error of the mean out of residual draws, and choose what
                             they keep of their mates (default yes) */
    uint64_t seed;      /**< of thresholds, bags and samples */
    int threads;        /**< OpenMP threads per rank; 0 = as OpenMP says */
    hg_train_scope scope; /**< HG_TRAIN_DRAWS for models that are kept */
    int is_cut;           /**< keep what hg_stages_cut() takes; one rank, HG_TRAIN_MEANS */
} hg_train_options;

#define HG_TRAIN_OPTIONS_INIT                                                            \
    {                                                                                    \
        .trees = 256, .bins = 256, .min_leaf = 5, .min_split = 2, .max_features = 1.0,   \
        .bag = HG_BAG_ROW, .scale_targets = 1, .leaf_mates_max = 64, .oob_trees_min = 5, \
        .calibrate = 1, .seed = 1                                                        \
    }

/** The training rows of this rank, in any order and distribution over ranks; all borrowed. A
 * training gives the arrays of rows back one by one when it has its own copies, if asked. */
typedef struct hg_train_data {
    int64_t n;                    /**< rows of this rank; 0 is allowed */
    int n_feature;                /**< 1 to HG_FEATURES_MAX, the same on all ranks */
    int n_target;                 /**< 1 to HG_TARGETS_MAX, the same on all ranks */
    const float *x;               /**< shape (n, n_feature); transformed features */
    const double *y;              /**< shape (n, n_target); transformed targets, e.g. dex */
    const double *weight;         /**< shape (n), positive; NULL = 1 */
    const uint64_t *key;          /**< shape (n); identity, unique over all ranks */
    const uint64_t *group;        /**< shape (n); e.g. zoom region; NULL = no groups */
    const uint64_t *parent_key;   /**< shape (n); key of the same object in the volume the
                                       forest is applied to, 0 = none; NULL = key */
    const hg_field_spec *feature; /**< shape (n_feature) */
    const hg_field_spec *target;  /**< shape (n_target) */
    const double *target_weight;  /**< shape (n_target), >= 0; NULL = 1 */
    void (*release)(void *owner, const void *array); /**< called when an array of rows is not
                                                          needed any more; NULL = keep all */
    void *owner;                                     /**< handed to release */
} hg_train_data;

/** A trained forest, complete on every rank, read-only but for its meta texts. */
typedef struct hg_forest hg_forest;

/** Train a forest.
 *
 * Rows are gathered once per machine, or rank, and put into canonical order (group, key); a
 * rank or thread that is free takes the next tree. Shows progress on rank 0.
 *
 * @collective{comm}
 * @param[in]  options  the same on all ranks
 * @param[in]  data     rows of this rank
 * @param[out] forest   owned by the caller, free with hg_forest_free(); NULL on failure
 * @return HG_OK; HG_E_ARG for an option out of range; HG_E_SHAPE; HG_E_INPUT naming the key of
 * a row with a value that is not finite, a weight that is not positive, or a duplicate key;
 *         HG_E_MEMORY
 * @source docs/science/forest.md, "A tree"; Geurts, Ernst & Wehenkel 2006, Machine Learning
 * 63, 3
 */
HG_MUST_CHECK hg_status hg_forest_train(const hg_comm *comm, const hg_train_options *options,
                                        const hg_train_data *data, hg_forest **forest);

/** How a training outlives its end: finished trees go to part files, from which another
 * training with the same options and rows takes them. A part of PATH.hdf5 is
 * PATH.trees-FIRST-LAST.hdf5, named by the lowest and highest number of its trees. */
typedef struct hg_train_parts {
    const char *path; /**< of the model; its trees are taken too when it exists */
    double interval;  /**< seconds between part files of a rank; 0 = no part files */
    int first_tree;   /**< with n_tree > 0: grow only trees first_tree to first_tree + */
    int n_tree;       /**< n_tree - 1, into part files; 0 = a whole forest */
    int resume;       /**< take the trees that are there, grow the others */
    int merge;        /**< all trees must be there */
    int overwrite;    /**< without resume: remove part files that are in the way */
    int stage;        /**< of the model; its parts are PATH.stageS.trees-... for S > 0 */
    int renew;        /**< leave aside trees that were grown from other rows, do not refuse */
    int is_followed;  /**< other stages follow: trees that took an interval go to a part */
} hg_train_parts;

/** Train a forest with part files. The forest is that of hg_forest_train(), bit for bit,
 * however often and with whatever ranks the training was interrupted or divided; a forest with
 * fewer trees can be grown further.
 *
 * @collective{comm}
 * @param[in]  options  the same on all ranks; `trees` is that of the whole forest
 * @param[in]  data     rows of this rank
 * @param[in]  parts    the same on all ranks
 * @param[out] forest   as in hg_forest_train(); NULL also when n_tree > 0
 * @return the failures of hg_forest_train(); HG_E_EXISTS when part files are in the way;
 * HG_E_INPUT naming the parameter that differs from that of a part; HG_E_NOTFOUND when a tree
 * to merge is missing; HG_E_FORMAT, HG_E_VERIFY for a broken part; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_forest_train_parts(const hg_comm *comm,
                                              const hg_train_options *options,
                                              const hg_train_data *data,
                                              const hg_train_parts *parts, hg_forest **forest);

/** How a training is distributed by rows. */
typedef struct hg_train_distribution {
    const char *path;  /**< of the model: arrays that no rank can hold are kept beside it */
    int64_t cut;       /**< nodes with at most this many rows are grown by one rank; 0 = 1e6, or
                            a quarter of a rank's rows where that is less, but no less than
                            1/8192 of all rows */
    int trees_at_once; /**< trees whose upper levels are grown together; 0 = 8 */
} hg_train_distribution;

/** Train a forest on rows that no rank can hold. Rows stay spread over ranks; upper levels of
 * trees are grown by sums over ranks, and nodes below the cut by one rank each. The content is
 * that of hg_forest_train(), bit for bit. What comes out is a forest on disk: rank 0 keeps its
 * arrays in files; it can be saved, described and freed, but it cannot predict: load what was
 * saved.
 *
 * @collective{comm}
 * @param[in]  parts         as in hg_forest_train_parts(); NULL = no part files
 * @param[in]  distribution  the same on all ranks
 * @param[out] forest        owned by the caller, free with hg_forest_free(); NULL on failure,
 * and when only a range of trees was grown into part files
 * @return the failures of hg_forest_train_parts(); HG_E_ARG for best splits, or when a tree has
 * too many nodes above the cut; HG_E_WRITE; HG_E_READ
 * @source docs/science/forest.md, "Two schemes of training"
 */
HG_MUST_CHECK hg_status hg_forest_train_distributed(
    const hg_comm *comm, const hg_train_options *options, const hg_train_data *data,
    const hg_train_parts *parts, const hg_train_distribution *distribution, hg_forest **forest);

/** Remove the part files of all stages of a model, once the model is published.
 *
 * @collective{comm}
 * @param[in] path  of the model
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_remove_parts(const hg_comm *comm, const char *path);

/** Free a forest; NULL is fine. Ranks of a node that trained or loaded it together share its
 * trees and wait for each other here, so all of them free it, in the same order as others.
 *
 * @local
 */
void hg_forest_free(hg_forest *forest);

/** How a forest is applied. */
typedef struct hg_predict_options {
    int n_draw;    /**< realisations per row */
    uint64_t seed; /**< of the draws */
    uint64_t
        first_realisation; /**< number of draw 0; draw d has number first_realisation + d */
    hg_draw_method method; /**< residual (default) or leaf value */
    int mates;         /**< residuals come from at least so many listed rows next to a row in a
                            tree; 0 = a third of the root of the number of rows, 1 = its leaf */
    int training_rows; /**< rows of the training set take their out-of-bag mean (default) */
    int moved_rows;    /**< features of training rows are not those of the training: their
                            out-of-bag mean is computed anew (default no) */
    int threads;       /**< OpenMP threads; 0 = as OpenMP says */
    int n_quantile;    /**< conditional quantiles per row and target */
    const double *level; /**< shape (n_quantile), ascending, in (0, 1) */
} hg_predict_options;

#define HG_PREDICT_OPTIONS_INIT                    \
    {                                              \
        .n_draw = 0, .seed = 1, .training_rows = 1 \
    }

/** What the prediction knows of a row's part in the training. */
typedef enum hg_row_origin {
    HG_ROW_NEW = 0, /**< not a training row */
    HG_ROW_OOB = 1, /**< a training row; the mean is its out-of-bag mean */
    HG_ROW_SEEN = 2 /**< a training row without an out-of-bag mean; ordinary mean */
} hg_row_origin;

/** How a row stands to the training rows: outside when a feature is outside its training range
 * or a measure is beyond its second limit, at the edge when one is beyond its first. */
typedef enum hg_domain {
    HG_DOMAIN_INSIDE = 0,
    HG_DOMAIN_EDGE = 1,
    HG_DOMAIN_OUTSIDE = 2
} hg_domain;

/** Where the results go; every pointer may be NULL. Owned by the caller. */
typedef struct hg_prediction {
    double *mean;   /**< shape (n, n_target); mean over trees */
    double *draw;   /**< shape (n_draw, n, n_target); mean + scatter */
    double *spread; /**< shape (n, n_target); standard deviation over trees, of a training row
                         with an out-of-bag mean over those that did not see it */
    uint64_t
        *outside; /**< shape (n, hg_forest_mask_words()); bit f: feature f outside [min, max] */
    uint64_t *in_tails; /**< same shape; bit f: feature f outside [q001, q999] */
    double *quantile;   /**< shape (n_quantile, n, n_target); of the targets of training rows in
                             the leaves of all trees, each row with the mean over trees of its
                             share of a leaf; for a training row neither of trees that saw it,
                             where it has an out-of-bag mean, nor of itself */
    double *n_eff;      /**< shape (n); effective number of training rows behind the mean */
    int32_t *n_group;   /**< shape (n); different groups among those of a few trees */
    uint8_t *domain;    /**< shape (n); hg_domain */
    uint8_t *origin;    /**< shape (n); hg_row_origin */
    double *probability; /**< shape (n, n_target); of hg_stages_predict() alone */
} hg_prediction;

/** Predict rows: mean over trees, and draws.
 *
 * A draw takes tree t* and one of the rows near the leaf there (in proportion to weight), both
 * chosen by (seed, realisation, key), and adds that row's residual vector to the mean, so that
 * scatter is heteroscedastic and joint over targets. The difference of the means is kept up to
 * a bound (hg_forest_keep()). Leaf values come from the leaf. A row whose key is the parent key
 * of a training row takes that row's out-of-bag mean, draws only in trees that did not see it
 * where there are any, and never gets its own residual.
 *
 * Where neither mean nor spread is asked for, draws of leaf values follow one tree per row
 * instead of all, and are the same draws.
 *
 * @local  Thread-safe: any number of threads may share one forest
 * @param[in]  forest   trained or loaded
 * @param[in]  options  realisations, seed, method
 * @param[in]  n        number of rows
 * @param[in]  key      shape (n); keys of the draws; may be NULL when nothing is drawn
 * @param[in]  x        shape (n, n_feature); transformed as in training
 * @param[out] result   where to put what
 * @return HG_OK; HG_E_INPUT naming key and feature of a value that is not finite; HG_E_PARAM
 * when residuals are asked of a forest without any; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_predict(const hg_forest *forest,
                                          const hg_predict_options *options, int64_t n,
                                          const uint64_t key[], const float x[],
                                          const hg_prediction *result);

/** Whether a forest has what draws by a method take; libraries say so when they are prepared.
 *
 * @local
 * @return HG_OK; HG_E_PARAM for HG_DRAW_RESIDUAL without residuals
 */
HG_MUST_CHECK hg_status hg_forest_check_method(const hg_forest *forest, hg_draw_method method);

/** Counts: features, targets, trees, training rows, words of an outside mask, nodes, leaves.
 *
 * @local
 */
int hg_forest_features(const hg_forest *forest);
int hg_forest_targets(const hg_forest *forest);
int hg_forest_trees(const hg_forest *forest);
int64_t hg_forest_rows(const hg_forest *forest);
int hg_forest_mask_words(const hg_forest *forest);
int64_t hg_forest_nodes(const hg_forest *forest);
int64_t hg_forest_leaves(const hg_forest *forest);

/** Specifications of feature or target i as given to the training; borrowed.
 *
 * @local
 */
const hg_field_spec *hg_forest_feature(const hg_forest *forest, int i);
const hg_field_spec *hg_forest_target(const hg_forest *forest, int i);

/** Options the forest was trained with; borrowed.
 *
 * @local
 */
const hg_train_options *hg_forest_options(const hg_forest *forest);

/** Range of a feature over the training rows, and its 0.1 and 99.9 per cent points. */
typedef struct hg_feature_range {
    float min;
    float max;
    float q001;
    float q999;
} hg_feature_range;

/** Get the training range of feature i.
 *
 * @local
 */
hg_feature_range hg_forest_range(const hg_forest *forest, int i);

/** Training rows in canonical order: keys, groups (all 0 where there were none), parent keys,
 * targets shape (n, n_target), residuals r = y - p shape (n, n_target) (NaN where none), number
 * of out-of-bag trees, weights. Borrowed, valid as long as the forest.
 *
 * @local
 */
const uint64_t *hg_forest_keys(const hg_forest *forest);
const uint64_t *hg_forest_groups(const hg_forest *forest);
const uint64_t *hg_forest_parent_keys(const hg_forest *forest);
const float *hg_forest_target_values(const hg_forest *forest);
const float *hg_forest_residuals(const hg_forest *forest);
const uint16_t *hg_forest_oob_trees(const hg_forest *forest);

/** Weight of a training row as used (integer times a power of two).
 *
 * @local
 */
double hg_forest_weight(const hg_forest *forest, int64_t row);

/** How much of the difference between its mate's mean and the row's a residual draw of target i
 * keeps at most, in the unit of the transformed target: 0 = mean + residual, infinity = the
 * mate's own value; from the residuals of the training, more for a target with two modes.
 *
 * @local
 */
double hg_forest_keep(const hg_forest *forest, int i);

/** Limits of what is usual among training rows seen by trees that did not see them: the
 * effective number and the number of groups, from below, and the spread of each target, from
 * above. Beyond one or more of those of level 0 are 5 per cent of such rows, of level 1 one per
 * cent.
 *
 * @local
 * @param[in]  level   0 or 1
 * @param[out] limit   shape (2 + n_target); NaN where there are none
 */
void hg_forest_limits(const hg_forest *forest, int level, double limit[]);

/** Add the same training rows from a run that differs only in the seed of its galaxies; kept
 * with the model are the differences over sqrt(2). Rows are matched by key, others are ignored;
 * the content hash changes.
 *
 * @collective{comm}
 * @param[in,out] forest  the same on all ranks
 * @param[in]     n    rows of this rank
 * @param[in]     key  shape (n); as in training
 * @param[in]     y    shape (n, n_target); transformed targets of the twins
 * @return HG_OK; HG_E_ARG for a forest whose trees are on disk; HG_E_MEMORY
 * @source Maltz et al. 2024, arXiv:2410.24082
 */
HG_MUST_CHECK hg_status hg_forest_add_twins(const hg_comm *comm, hg_forest *forest, int64_t n,
                                            const uint64_t key[], const double y[]);

/** Classes of haloes with a library of their own, by the value of a feature: class k reaches
 * from edge[k - 1] to below edge[k]. */
enum { HG_LIBRARY_CLASSES = 16 };

typedef struct hg_library_classes {
    int feature;                         /**< -1: one class of all */
    int n;                               /**< 1 to HG_LIBRARY_CLASSES */
    double edge[HG_LIBRARY_CLASSES - 1]; /**< n - 1 of them, ascending, transformed unit */
} hg_library_classes;

/** Keep the feature with the model that tells the classes of its libraries apart. Rows are
 * matched by key, others are ignored; the content hash changes.
 *
 * @collective{comm}
 * @param[in,out] forest  the same on all ranks
 * @param[in]     n       rows of this rank
 * @param[in]     key     shape (n); as in training
 * @param[in]     x       value i is x[i * stride]; transformed
 * @return HG_OK; HG_E_ARG for a forest whose trees are on disk; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_add_class(const hg_comm *comm, hg_forest *forest, int64_t n,
                                            const uint64_t key[], const float x[],
                                            size_t stride);

/** Make classes from edges, or one for each value of the kept feature.
 *
 * @local
 * @param[in]  feature  that of hg_forest_add_class()
 * @param[in]  n_edge   0 = a class for each value
 * @param[in]  edge     shape (n_edge); ascending
 * @param[out] classes  of the forest
 * @return HG_OK; HG_E_PARAM when the model keeps no class, edges do not ascend or are too many,
 * or the feature has too many values
 */
HG_MUST_CHECK hg_status hg_forest_classes(const hg_forest *forest, int feature, int n_edge,
                                          const double edge[], hg_library_classes *classes);

/** Variances of what is chaotic, Var(d)/2 of the differences of twins, and of calibrated
 * residuals, which contain it. */
typedef struct hg_twin_check {
    int64_t n;       /**< rows with twin and residual */
    double chaos;    /**< Var(d)/2, transformed unit squared */
    double residual; /**< of r without the error of the mean, transformed unit squared */
    int n_bin;       /**< bins of the predicted value, 200 rows or more */
    int n_above;     /**< bins with chaos above residual */
} hg_twin_check;

/** Compare the variances of target i.
 *
 * @local
 * @param[in]  classes  or NULL
 * @param[in]  which    class whose rows are compared; -1 = all rows
 * @param[out] check    all 0 without twins
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_check_twins(const hg_forest *forest, int target,
                                              const hg_library_classes *classes, int which,
                                              hg_twin_check *check);

/** Make the library of a method, HG_DRAW_LIBRARY or HG_DRAW_TWINS, before predicting with it.
 *
 * @local  not while others predict
 * @param[in] classes  each gets a library of its own; NULL = one library
 * @return HG_OK; HG_E_PARAM when the model has no residuals or twins, or a class fewer than 50;
 * HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_prepare_library(hg_forest *forest, hg_draw_method method,
                                                  const hg_library_classes *classes);

/** Whether a training row has an out-of-bag mean; the mean is its target minus its residual.
 *
 * @local
 * @param[out] mean  shape (n_target), NaN where there is none; may be NULL
 * @return 1 or 0
 */
int hg_forest_oob_mean(const hg_forest *forest, int64_t row, double mean[]);

/** Find the canonical row of the training row with this parent key (the first where several).
 *
 * @local
 * @return row, or -1
 */
int64_t hg_forest_find(const hg_forest *forest, uint64_t parent_key);

/** Decrease of the scaled variance by each feature, summed over splits and trees, normalised
 * to 1.
 *
 * @local
 * @param[out] importance  shape (n_feature); all 0 when no node was split
 */
void hg_forest_importance(const hg_forest *forest, double importance[]);

/** Hash of the content that decides predictions and draws: nodes, leaf means, leaf rows,
 * targets, residuals, ranges; independent of the file's bytes.
 *
 * @local
 */
uint64_t hg_forest_hash(const hg_forest *forest);

/** Errors of out-of-bag means of one target (e = p - y; unweighted). Moments and order
 * statistics only: what needs more than the training rows is computed in stats. */
typedef struct hg_oob_metrics {
    int64_t n; /**< rows with an out-of-bag mean */
    double r2; /**< 1 - sum e^2 / sum (y - mean y)^2 */
    double rmse;
    double bias; /**< mean e */
    double mae;
    double nmad; /**< 1.4826 median |e - median e| */
    double pearson;
    double within_02; /**< share of |e| < 0.2 */
} hg_oob_metrics;

/** Compute the metrics of target i; of a forest on disk on rank 0, without nmad.
 *
 * @local
 * @param[out] metrics  all 0 but NaN ratios when there are no out-of-bag means
 * @return HG_OK; HG_E_ARG; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_oob_metrics(const hg_forest *forest, int target,
                                              hg_oob_metrics *metrics);

/** Keep a text with the model (parameters, cosmology, provenance), or replace it.
 *
 * @local  to be called alike on all ranks
 * @param[in] name  of the text, at most 63 characters
 * @param[in] text  copied
 * @return HG_OK; HG_E_ARG; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_set_meta(hg_forest *forest, const char *name,
                                           const char *text);

/** Get a text by name (NULL when there is none), or the number of texts and name i; borrowed.
 *
 * @local
 */
const char *hg_forest_get_meta(const hg_forest *forest, const char *name);
int hg_forest_meta_count(const hg_forest *forest);
const char *hg_forest_meta_name(const hg_forest *forest, int i);

/** Write a model file (HDF5) with this forest as its only stage, published atomically. Rank 0
 * writes.
 *
 * @collective{comm}
 * @param[in] forest     the same on all ranks
 * @param[in] path       final name
 * @param[in] overwrite  replace an existing file
 * @return HG_OK; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_save(const hg_comm *comm, const hg_forest *forest,
                                       const char *path, int overwrite);

/** Read a model file of one stage; rank 0 reads, all ranks get the forest. The content hash is
 * verified.
 *
 * @collective{comm}
 * @param[in]  path    model file
 * @param[out] forest  owned by the caller, free with hg_forest_free(); NULL on failure
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT when it is no model, of a newer version, or has
 * several stages; HG_E_VERIFY when the content does not match its hash; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_forest_load(const hg_comm *comm, const char *path,
                                       hg_forest **forest);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
