/** Baselines beside the forest: the same rows and features, simpler methods. Layer: validate.
 */
#ifndef HG_VALIDATE_RIVALS_H
#define HG_VALIDATE_RIVALS_H

#include "validate/folds.h"

enum { HG_RIVALS_MAX = 12, HG_RIVAL_NAME = 48 };

/** List the baselines.
 *
 * @local
 * @param[out] n     their number
 * @param[out] name  shape (n): training mean, isotonic vmax, ...
 * @return HG_OK; HG_E_PARAM for a proxy that is no feature
 */
HG_MUST_CHECK hg_status hg_rivals_list(const hg_validation *validation, int *n,
                                       char name[HG_RIVALS_MAX][HG_RIVAL_NAME]);

/** Fit them to the rows of a fold's training and predict the fold.
 *
 * @local
 * @param[in]  fold       number
 * @param[in]  n          rows of the fold
 * @param[in]  row        shape (n)
 * @param[out] guess      shape (baselines, all rows, n_target); these rows are filled
 * @param[out] reference  shape (all rows, n_target); likewise, with the training mean
 * @return HG_OK; HG_E_PARAM for a proxy that is no feature; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rivals_fill(const hg_folds *folds, int fold, int64_t n,
                                       const int64_t row[], double guess[], double reference[]);

#endif
