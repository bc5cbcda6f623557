/* The model keeps each recipe as text; applying parses the same text again, so that training
 * and application share every step. */
#include "suite/recipes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static hg_status
allocate(hg_recipes *set, int n)
{
    *set = (hg_recipes){0};
    HG_TRY(hg_mem_zeros(&set->recipe, (size_t)n, sizeof *set->recipe));
    if (hg_mem_zeros(&set->spec, (size_t)n, sizeof *set->spec) != HG_OK) {
        hg_recipes_clear(set);
        return hg_error_last()->status;
    }
    return HG_OK;
}

static void
describe(const hg_recipe *recipe, hg_field_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    snprintf(spec->name, sizeof spec->name, "%s", recipe->name);
    snprintf(spec->unit, sizeof spec->unit, "%s", recipe->unit);
    snprintf(spec->expression, sizeof spec->expression, "%s", recipe->text);
    snprintf(spec->transform, sizeof spec->transform, "%s",
             hg_transform_name(recipe->transform));
}

static hg_status
parse_one(hg_recipes *set, const char *name, const char *text)
{
    HG_TRY(hg_recipe_parse(name, text, &set->recipe[set->n]));
    set->n++;
    describe(&set->recipe[set->n - 1], &set->spec[set->n - 1]);
    return HG_OK;
}

static hg_status
check_feature(const hg_recipe *r)
{
    return !r->is_label && isnan(r->hurdle) && r->n_after == 0
               ? HG_OK
               : HG_FAIL(HG_E_PARAM,
                         "recipe '%s': hurdle, label and after are options of targets",
                         r->name);
}

hg_status
hg_recipes_parse(const hg_entries *entries, const char *section, hg_recipes *set)
{
    if (entries->n == 0) {
        *set = (hg_recipes){0};
        return HG_FAIL(HG_E_PARAM, "section '%s' is empty: list at least one, such as '%s'",
                       section, section[0] == 'F' ? "m200c: log10" : "stellar_mass: log10");
    }
    HG_TRY(allocate(set, entries->n));
    for (int i = 0; i < entries->n; i++) {
        hg_status status = parse_one(set, entries->v[i].name, entries->v[i].text);

        if (status == HG_OK && section[0] == 'F') {
            status = check_feature(&set->recipe[i]);
        }
        if (status != HG_OK) {
            hg_error_prefix("%s (line %d): ", section, entries->v[i].line);
            hg_recipes_clear(set);
            return status;
        }
    }
    return HG_OK;
}

/* the target that recipe `at` names in its list, entry k */
static hg_status
find_after(const hg_recipes *targets, int at, int k, uint32_t *after)
{
    const hg_recipe *r = &targets->recipe[at];
    const char *names[HG_TARGETS_MAX];

    for (int t = 0; t < targets->n; t++) {
        names[t] = targets->recipe[t].name;
        if (strcmp(names[t], r->after[k]) != 0) {
            continue;
        }
        if (t == at) {
            return HG_FAIL(HG_E_PARAM, "target '%s' cannot come after itself", r->name);
        }
        *after |= 1u << t;
        return HG_OK;
    }
    return HG_FAIL(
        HG_E_PARAM, "target '%s' comes after '%s', which is no target%s: list it in Targets",
        r->name, r->after[k], hg_text_aside(r->after[k], (size_t)targets->n, names).text);
}

hg_status
hg_recipes_roles(const hg_recipes *targets, hg_target_role role[])
{
    for (int t = 0; t < targets->n; t++) {
        const hg_recipe *r = &targets->recipe[t];

        role[t] = (hg_target_role){.is_label = r->is_label, .has_hurdle = !isnan(r->hurdle)};
        for (int k = 0; k < r->n_after; k++) {
            HG_TRY(find_after(targets, t, k, &role[t].after));
        }
    }
    return HG_OK;
}

hg_status
hg_recipes_of_model(const hg_stages *model, bool targets, hg_recipes *set)
{
    const hg_forest *first = hg_stages_forest(model, 0);
    const int n = targets ? hg_stages_targets(model) : hg_forest_features(first);

    HG_TRY(allocate(set, n));
    for (int i = 0; i < n; i++) {
        const hg_field_spec *spec =
            targets ? hg_stages_target(model, i) : hg_forest_feature(first, i);

        if (parse_one(set, spec->name, spec->expression) != HG_OK) {
            hg_error_prefix("in the model: ");
            hg_recipes_clear(set);
            return hg_error_last()->status;
        }
        snprintf(set->recipe[i].unit, sizeof set->recipe[i].unit, "%s", spec->unit);
        set->spec[i] = *spec;
    }
    return HG_OK;
}

void
hg_recipes_clear(hg_recipes *set)
{
    for (int i = 0; i < set->n; i++) {
        hg_recipe_clear(&set->recipe[i]);
    }
    hg_mem_free(set->recipe);
    hg_mem_free(set->spec);
    *set = (hg_recipes){0};
}

void
hg_recipes_take_units(hg_recipes *set, const hg_catalog *catalog)
{
    for (int i = 0; i < set->n; i++) {
        hg_recipe *r = &set->recipe[i];
        const char *name = hg_expression_column(r->expression);
        const hg_column *column = name != NULL ? hg_catalog_find(catalog, name) : NULL;

        if (column != NULL) {
            snprintf(r->unit, sizeof r->unit, "%s", column->unit);
        }
        describe(r, &set->spec[i]);
    }
}

bool
hg_recipes_use(const hg_recipes *set, const char *column)
{
    for (int i = 0; i < set->n; i++) {
        const hg_expression *e = set->recipe[i].expression;

        for (int k = 0; k < hg_expression_n_name(e); k++) {
            if (strcmp(hg_expression_name(e, k), column) == 0) {
                return true;
            }
        }
    }
    return false;
}

void
hg_predicted_name(const char *target, int draw, size_t n, char name[])
{
    if (draw == HG_PREDICTED_PROBABILITY) {
        snprintf(name, n, "%.50s_probability", target);
    } else if (draw == HG_PREDICTED_SPREAD) {
        snprintf(name, n, "%.50s_spread", target);
    } else if (draw == HG_PREDICTED_MEAN) {
        snprintf(name, n, "%.50s_mean", target);
    } else if (draw == 0) {
        snprintf(name, n, "%.50s_draw", target);
    } else {
        snprintf(name, n, "%.50s_draw%d", target, draw + 1);
    }
}

void
hg_quantile_name(const char *target, double level, size_t n, char name[])
{
    char digits[16];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%.5f", level);

    while (length > 4 && digits[length - 1] == '0') {
        digits[--length] = '\0';
    }
    snprintf(name, n, "%.50s_q%s", target, digits + 2);
}

void
hg_mask_name(const char *mask, int word, size_t n, char name[])
{
    snprintf(name, n, word == 0 ? "%s" : "%s%d", mask, word + 1);
}

hg_status
hg_names_add(hg_names *names, const char *name)
{
    for (int i = 0; i < names->n; i++) {
        if (strcmp(names->v[i], name) == 0) {
            return HG_OK;
        }
    }
    if (names->n == 256 || strlen(name) >= HG_NAME_MAX) {
        return HG_FAIL(HG_E_PARAM, "column name '%s' is too long, or there are more than 256",
                       name);
    }
    snprintf(names->v[names->n], sizeof names->v[0], "%s", name);
    names->n++;
    for (int i = 0; i < names->n; i++) {
        names->p[i] = names->v[i];
    }
    return HG_OK;
}

hg_status
hg_names_add_expression(hg_names *names, const hg_expression *expression)
{
    for (int i = 0; expression != NULL && i < hg_expression_n_name(expression); i++) {
        HG_TRY(hg_names_add(names, hg_expression_name(expression, i)));
    }
    return HG_OK;
}

hg_status
hg_names_add_recipes(hg_names *names, const hg_recipes *set)
{
    for (int i = 0; i < set->n; i++) {
        HG_TRY(hg_names_add_expression(names, set->recipe[i].expression));
    }
    return HG_OK;
}

hg_status
hg_names_check(const hg_names *names, const hg_catalog *catalog, const char *what)
{
    const char *have[512];
    char list[1024] = "";
    int n = 0;

    for (int i = 0; i < hg_catalog_n_column(catalog) && n < 512; i++) {
        have[n++] = hg_catalog_column(catalog, i)->name;
    }
    for (int i = 0; i < names->n; i++) {
        size_t used = strlen(list);

        if (hg_catalog_find(catalog, names->v[i]) != NULL) {
            continue;
        }
        snprintf(list + used, sizeof list - used, "%s'%s'%s", used > 0 ? ", " : "", names->v[i],
                 hg_text_aside(names->v[i], (size_t)n, have).text);
    }
    if (list[0] == '\0') {
        return HG_OK;
    }
    return HG_FAIL(HG_E_NOTFOUND,
                   "columns that %s needs are missing in the catalogue: %s; "
                   "'halograft inspect' lists what there is",
                   what, list);
}

hg_status
hg_recipes_feature(const hg_recipes *features, const char *where, const char *name, int *f)
{
    const char *names[HG_FEATURES_MAX];
    size_t n = 0;

    for (*f = 0; *f < features->n; (*f)++) {
        if (strcmp(features->spec[*f].name, name) == 0) {
            return HG_OK;
        }
        if (n < HG_FEATURES_MAX) {
            names[n++] = features->spec[*f].name;
        }
    }
    return HG_FAIL(HG_E_PARAM, "%s: '%s' is no feature%s", where, name,
                   hg_text_hint(name, n, names).text);
}
