/** What each feature of a row adds to its prediction. Layer: forest. */
#ifndef HG_FOREST_ATTRIBUTE_H
#define HG_FOREST_ATTRIBUTE_H

#include "halograft/forest.h"

/** Parts of predictions, which with the base sum to the mean over trees that
 * hg_forest_predict() gives a row that is not a training row. Owned by the caller. */
typedef struct hg_attribution {
    double *base;    /**< shape (n_target): mean over trees of the mean of the bag */
    double *path;    /**< shape (n, n_feature, n_target); a split's feature gets the difference
                          of the means of child and node on the row's path; NULL = not wanted */
    double *shapley; /**< the same shape; Shapley values, NULL = not wanted */
} hg_attribution;

/** Compute attributions. Means of nodes follow from the training rows, which go down each tree
 * again with their copies in its bag. Shapley values take all nodes of all trees for each row
 * and are meant for some hundreds of rows.
 *
 * @local
 * @param[in]  threads  OpenMP threads; 0 = as OpenMP says; no result depends on it
 * @param[in]  trained  features of rows among which are the training rows
 * @param[in]  place    shape (rows of the forest): where a training row, in canonical order,
 * stands among them
 * @param[in]  n        rows to explain
 * @param[in]  x        shape (n, n_feature); finite, transformed as in training
 * @param[out] result   filled; transformed units
 * @return HG_OK; HG_E_VERIFY when the rows do not reach all leaves, so are not those of the
 * training; HG_E_ARG for a forest whose trees are on disk; HG_E_MEMORY
 * @source path: Saabas 2014, Interpreting random forests (blog.datadive.net); Shapley values:
 * hg_shapley_add()
 */
HG_MUST_CHECK hg_status hg_forest_attribute(const hg_forest *forest, int threads,
                                            const float trained[], const uint32_t place[],
                                            int64_t n, const float x[], hg_attribution *result);

/** Standard error of impurity importance (hg_forest_importance()), from the scatter over trees,
 * each normalised to 1.
 *
 * @local
 * @param[out] error  shape (n_feature); dimensionless; NaN for a single tree
 */
void hg_forest_importance_error(const hg_forest *forest, double error[]);

#endif
