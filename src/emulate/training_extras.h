/** Values of training rows that are no features: mass, place, kind. Layer: emulate. */
#ifndef HG_EMULATE_TRAINING_EXTRAS_H
#define HG_EMULATE_TRAINING_EXTRAS_H

#include "suite/recipes.h"

enum { HG_EXTRAS_MAX = 16 };

/** Compute values that are no recipes.
 *
 * @local
 * @param[in]  context  as given with the function
 * @param[in]  table    the rows
 * @param[in]  key      shape (rows) of haloes
 * @param[in]  place    shape (rows) of runs and regions
 * @param[in]  stride   distance between rows in `value`
 * @param[out] value    shape (rows, n_more) at that stride
 */
typedef hg_status hg_training_more(const void *context, const hg_table *table,
                                   const uint64_t key[], const uint64_t place[], size_t stride,
                                   double value[]);

/** Recipes of further values; {0} is empty, release `set` with hg_recipes_clear(). */
typedef struct hg_training_extras {
    hg_recipes set;
    bool optional[HG_EXTRAS_MAX]; /**< NaN where the catalogue lacks a column of it */
    int n_more;                   /**< values that `more` gives, behind those of the set */
    hg_training_more *more;
    const void *context; /**< borrowed */
} hg_training_extras;

/** Values per row.
 *
 * @local
 */
int hg_training_extras_count(const hg_training_extras *extras);

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
 * @param[in]  key, place  shape (table->n), for `more`
 * @param[out] value       shape (table->n, hg_training_extras_count())
 * @return as hg_recipe_evaluate(), and what `more` returns
 */
HG_MUST_CHECK hg_status hg_training_extras_evaluate(const hg_training_extras *extras,
                                                    const hg_table *table, const uint64_t key[],
                                                    const uint64_t place[], double value[]);

#endif
