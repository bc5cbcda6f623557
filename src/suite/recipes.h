/** Sets of recipes (features or targets of a model) and the columns they need. Layer: suite.
 */
#ifndef HG_SUITE_RECIPES_H
#define HG_SUITE_RECIPES_H

#include "halograft/catalog.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "halograft/stages.h"
#include "table/recipe.h"

/** A set; {0} is a valid empty one. */
typedef struct hg_recipes {
    int n;
    hg_recipe *recipe;   /**< shape (n) */
    hg_field_spec *spec; /**< shape (n); what the model stores */
} hg_recipes;

/** A list of distinct column names. */
typedef struct hg_names {
    int n;
    char v[256][HG_NAME_MAX];
    const char *p[256];
} hg_names;

/** Parse an open section of the parameters.
 *
 * @local
 * @param[in]  entries  Features or Targets
 * @param[in]  section  its name, for messages
 * @param[out] set      release with hg_recipes_clear()
 * @return HG_OK; HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_recipes_parse(const hg_entries *entries, const char *section,
                                         hg_recipes *set);

/** Rebuild the recipes a model was trained with.
 *
 * @local
 * @param[in]  targets  false = features, true = targets
 * @param[out] set      release with hg_recipes_clear()
 */
HG_MUST_CHECK hg_status hg_recipes_of_model(const hg_stages *model, bool targets,
                                            hg_recipes *set);

/** What kind of number each target is and which others it comes after.
 *
 * @local
 * @param[in]  targets  at most HG_TARGETS_MAX
 * @param[out] role     shape (targets->n)
 * @return HG_OK; HG_E_PARAM naming a target that is not there or comes after itself
 */
HG_MUST_CHECK hg_status hg_recipes_roles(const hg_recipes *targets, hg_target_role role[]);

/** Release a set; it is then empty.
 *
 * @local
 */
void hg_recipes_clear(hg_recipes *set);

/** Set the unit of each recipe from the catalogue's columns: that of the column when the
 * expression is one column, an element of it or its norm; else it stays unknown.
 *
 * @local
 */
void hg_recipes_take_units(hg_recipes *set, const hg_catalog *catalog);

/** Find a feature by its name.
 *
 * @local
 * @param[in]  where  the parameter that names it, for the message
 * @param[out] f      its number
 * @return HG_OK; HG_E_PARAM with the nearest name
 */
HG_MUST_CHECK hg_status hg_recipes_feature(const hg_recipes *features, const char *where,
                                           const char *name, int *f);

/** Whether a recipe of the set uses a column.
 *
 * @local
 */
bool hg_recipes_use(const hg_recipes *set, const char *column);

enum { HG_PREDICTED_MEAN = -1, HG_PREDICTED_PROBABILITY = -2, HG_PREDICTED_SPREAD = -3 };

/** Name of the column of predictions: X_mean, X_probability, X_spread, X_draw, X_draw2, ...
 *
 * @local
 * @param[in]  target  name of the target X; only its first 50 characters count
 * @param[in]  draw    0, 1, ..., or one of HG_PREDICTED_...
 * @param[in]  n       size of the buffer
 * @param[out] name    filled
 */
void hg_predicted_name(const char *target, int draw, size_t n, char name[]);

/** Name of the column of a quantile: X_q and the digits of the level behind the point, two to
 * five of them (X_q16, X_q50, X_q025).
 *
 * @local
 * @param[in]  level  in (0, 1)
 */
void hg_quantile_name(const char *target, double level, size_t n, char name[]);

/** Name of the column of a word of a mask: NAME, NAME2, ...
 *
 * @local
 * @param[in]  mask  NAME
 * @param[in]  word  0, 1, ...
 */
void hg_mask_name(const char *mask, int word, size_t n, char name[]);

/** Add a name, or all names a set or an expression uses, to a list (names already there stay
 * single).
 *
 * @local
 * @return HG_OK; HG_E_PARAM when the list is full
 */
HG_MUST_CHECK hg_status hg_names_add(hg_names *names, const char *name);
HG_MUST_CHECK hg_status hg_names_add_recipes(hg_names *names, const hg_recipes *set);
HG_MUST_CHECK hg_status hg_names_add_expression(hg_names *names,
                                                const hg_expression *expression);

/** Fail unless a catalogue has all the names; all missing ones are listed, with the nearest
 * there is.
 *
 * @local
 * @param[in] what  who needs them, for the message ("the model")
 * @return HG_OK; HG_E_NOTFOUND
 */
HG_MUST_CHECK hg_status hg_names_check(const hg_names *names, const hg_catalog *catalog,
                                       const char *what);

#endif
