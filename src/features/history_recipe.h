/** The recipe of history features: which quantities are followed back, and the columns made of
 * their main branches. Layer: features.
 */
#ifndef HG_FEATURES_HISTORY_RECIPE_H
#define HG_FEATURES_HISTORY_RECIPE_H

#include "base/text.h"
#include "catalog/output.h"
#include "features/branches.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** What a column holds. */
typedef enum hg_history_kind {
    HG_HISTORY_EPOCH,      /**< value at a scale factor */
    HG_HISTORY_PEAK,       /**< largest value */
    HG_HISTORY_PEAK_SCALE, /**< scale factor of the largest value */
    HG_HISTORY_HALF_SCALE  /**< scale factor at which half the last value was first reached */
} hg_history_kind;

/** One column. */
typedef struct hg_history_column {
    hg_output_column output;
    hg_history_kind kind;
    int quantity;
    double scale; /**< of an epoch */
} hg_history_column;

enum { HG_HISTORY_MAX = 256 };

/** A recipe; {0} has no columns. Borrows from the parameters. */
typedef struct hg_history_recipe {
    const hg_params_history *param;
    int n_quantity; /**< at most HG_BRANCH_VALUES; the first is the mass */
    int n_column;
    hg_history_column column[HG_HISTORY_MAX];
} hg_history_recipe;

/** Make the recipe of the section History.
 *
 * @local
 * @param[out] h  without columns where the section names no files
 * @return HG_OK; HG_E_PARAM naming what is wrong
 */
HG_MUST_CHECK hg_status hg_history_parse(const hg_params *params, hg_history_recipe *h);

/** Add the recipe as lines "item: value".
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_history_write(const hg_history_recipe *h, hg_text *text);

/** The columns of one branch; what hg_branches_ask() calls with a recipe as context.
 *
 * @local
 * @param[in]  recipe  an hg_history_recipe
 * @param[in]  n       objects of the branch
 * @param[in]  scale   shape (n); scale factors, ascending
 * @param[in]  value   shape (n_quantity, n); positive where known
 * @param[out] out     shape (n_column)
 */
void hg_history_fill(const void *recipe, int n, const double scale[], const double value[],
                     float out[]);

#endif
