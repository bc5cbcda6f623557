/* A value whose columns are missing is NaN, so that one list serves all kinds of catalogues. */
#include "emulate/training_extras.h"

#include <math.h>

hg_status
hg_training_extras_names(const hg_training_extras *extras, const hg_catalog *catalog,
                         hg_names *names)
{
    for (int i = 0; i < extras->set.n; i++) {
        const hg_expression *e = extras->set.recipe[i].expression;
        bool is_there = true;

        for (int k = 0; k < hg_expression_n_name(e); k++) {
            is_there = is_there && hg_catalog_find(catalog, hg_expression_name(e, k)) != NULL;
        }
        if (is_there || !extras->optional[i]) {
            HG_TRY(hg_names_add_expression(names, e));
        }
    }
    return HG_OK;
}

int
hg_training_extras_count(const hg_training_extras *extras)
{
    return extras->set.n + extras->n_more;
}

static bool
has_columns(const hg_table *table, const hg_expression *e)
{
    for (int k = 0; k < hg_expression_n_name(e); k++) {
        if (hg_table_find(table, hg_expression_name(e, k)) == NULL) {
            return false;
        }
    }
    return true;
}

hg_status
hg_training_extras_evaluate(const hg_training_extras *extras, const hg_table *table,
                            const uint64_t key[], const uint64_t place[], double value[])
{
    const int n = hg_training_extras_count(extras);

    for (int i = 0; i < extras->set.n; i++) {
        const hg_recipe *recipe = &extras->set.recipe[i];

        if (!extras->optional[i] || has_columns(table, recipe->expression)) {
            HG_TRY(hg_recipe_evaluate(recipe, table, (size_t)n, value + i));
            continue;
        }
        for (int64_t row = 0; row < table->n; row++) {
            value[row * n + i] = (double)NAN;
        }
    }
    return extras->n_more == 0 ? HG_OK
                               : extras->more(extras->context, table, key, place, (size_t)n,
                                              value + extras->set.n);
}
