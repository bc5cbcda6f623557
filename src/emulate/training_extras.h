/** Values of training rows that are no features: mass, place, kind. Layer: emulate. */
#ifndef HG_EMULATE_TRAINING_EXTRAS_H
#define HG_EMULATE_TRAINING_EXTRAS_H

#include "suite/recipes.h"

enum { HG_EXTRAS_MAX = 16 };

/** Recipes of further values; {0} is empty, release `set` with hg_recipes_clear(). */
typedef struct hg_training_extras {
    hg_recipes set;
    bool optional[HG_EXTRAS_MAX]; /**< NaN where the catalogue lacks a column of it */
} hg_training_extras;

/** Add the columns they need, of optional ones only when all are there.
 *
 * @local
 * @return HG_OK; HG_E_PARAM when the list is full
 */
HG_MUST_CHECK hg_status hg_training_extras_names(const hg_training_extras *extras,
                                                 const hg_catalog *catalog, hg_names *names);

/** Compute the values of all rows.
 *
 * @local
 * @param[out] value  shape (table->n, extras->set.n)
 * @return as hg_recipe_evaluate()
 */
HG_MUST_CHECK hg_status hg_training_extras_evaluate(const hg_training_extras *extras,
                                                    const hg_table *table, double value[]);

#endif
