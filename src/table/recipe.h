/** Recipes: "expression | transform | option ...", the one code path from columns to the
 * numbers a model sees, in training and in application. Layer: table.
 *
 * Transforms: none, log10, asinh, signed_log. Options: "floor VALUE UNIT" (smaller values are
 * raised to it before the transform), "weight W" (of a target), "scale S" (asinh, signed_log),
 * "min VALUE" / "max VALUE" (physical bounds of a drawn target, in the unit of the expression).
 * Of targets only: "hurdle", "hurdle VALUE UNIT" (rows at or below it, default 0, have no value
 * but are closed), "label" (the expression is 0 or 1), "after NAME NAME ..." (targets it
 * follows from).
 */
#ifndef HG_TABLE_RECIPE_H
#define HG_TABLE_RECIPE_H

#include <stdbool.h>

#include "halograft/error.h"
#include "halograft/table.h"
#include "table/expression.h"

typedef enum hg_transform {
    HG_TRANSFORM_NONE,
    HG_TRANSFORM_LOG10,
    HG_TRANSFORM_ASINH,
    HG_TRANSFORM_SIGNED_LOG
} hg_transform;

enum { HG_AFTER_MAX = 8 };

/** One feature or target. */
typedef struct hg_recipe {
    char name[HG_NAME_MAX];
    char text[256];         /**< the whole recipe as given, stored in the model */
    char unit[HG_UNIT_MAX]; /**< of the value before the transform, "" when unknown */
    hg_expression *expression;
    hg_transform transform;
    double floor;  /**< NAN = none */
    double scale;  /**< 1 */
    double weight; /**< 1 */
    double low;    /**< NAN = none */
    double high;   /**< NAN = none */
    double hurdle; /**< values must be above it; NAN = none */
    bool is_label;
    int n_after;
    char after[HG_AFTER_MAX][HG_NAME_MAX]; /**< names of other targets, as given */
} hg_recipe;

/** Parse a recipe.
 *
 * @local
 * @param[in]  name    of the feature or target; also the expression when `text` is a transform
 * only
 *                     ("vmax: log10") or empty
 * @param[in]  text    "expression | transform | option | ..."
 * @param[out] recipe  release with hg_recipe_clear()
 * @return HG_OK; HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_recipe_parse(const char *name, const char *text, hg_recipe *recipe);
void hg_recipe_clear(hg_recipe *recipe);

/** Compute the transformed values of all rows; NaN where a hurdle is closed.
 *
 * @local
 * @param[in]  recipe  parsed
 * @param[in]  table   rows with the columns the expression names
 * @param[in]  stride  distance between rows in `value`
 * @param[out] value   shape (n) at the given stride
 * @return HG_OK; HG_E_NOTFOUND for a missing column; HG_E_INPUT when a value is NaN, infinite,
 * not positive under a logarithm, or neither 0 nor 1 in a label, naming the recipe, the global
 * row, the value and a remedy
 */
HG_MUST_CHECK hg_status hg_recipe_evaluate(const hg_recipe *recipe, const hg_table *table,
                                           size_t stride, double value[]);

/** Name of a transform as recipes write it; borrowed constant.
 *
 * @local
 */
const char *hg_transform_name(hg_transform transform);

/** The inverse transform of one value, into the unit of the expression; physical bounds clip
 * it. -infinity stands for closed and becomes 0.
 *
 * @local
 */
double hg_recipe_invert(const hg_recipe *recipe, double value);

#endif
