/** Which rows are held out together. Layer: validate. */
#ifndef HG_VALIDATE_FOLDS_H
#define HG_VALIDATE_FOLDS_H

#include "table/split.h"
#include "validate/validation.h"

/** Folds of all rows; {0} is a valid empty one. */
typedef struct hg_folds {
    int n;
    int *of;        /**< shape (n_row); fold of each row */
    int64_t *count; /**< shape (n); rows of each fold */
    uint64_t *unit; /**< shape (n_row); what is held out together: region, group, row, ... */
    int n_block;    /**< for errors: units dealt into blocks; slabs and columns: the folds */
    int *block;     /**< shape (n_row) */
    hg_split split;
    const hg_validation *validation; /**< borrowed */
    char text[160];                  /**< the rule in words */
} hg_folds;

/** Deal the rows as the section Validate says.
 *
 * @local  the same on every rank that holds the same rows
 * @param[out] folds  release with hg_folds_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM; HG_E_INPUT for a fold with fewer rows than a leaf, a region in two
 * folds, or fewer groups than folds; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_folds_deal(const hg_validation *validation, hg_folds *folds);
void hg_folds_clear(hg_folds *folds);

/** Whether a row trains the forest that is tested on fold k.
 *
 * @local
 */
bool hg_folds_train(const hg_folds *folds, int64_t row, int k);

#endif
