/* A recipe is parsed once and evaluated by the same code for training and application, so that
 * a feature is the same number in both. Transforms follow the declared recipe, never the data.
 */
#include "table/recipe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"

static const char *const transform_names[] = {"none", "log10", "asinh", "signed_log"};
enum { N_TRANSFORM = 4 };

const char *
hg_transform_name(hg_transform transform)
{
    return transform_names[transform];
}

static bool
find_transform(const char *word, hg_transform *transform)
{
    for (int i = 0; i < N_TRANSFORM; i++) {
        if (strcmp(word, transform_names[i]) == 0) {
            *transform = (hg_transform)i;
            return true;
        }
    }
    return false;
}

/* "after stellar_mass, gas_mass": the names, with commas or without */
static hg_status
parse_after(hg_recipe *recipe, const char *names)
{
    char copy[256], *rest = copy, *name;

    snprintf(copy, sizeof copy, "%s", names);
    while ((name = strtok_r(rest, ", \t", &rest)) != NULL) {
        if (recipe->n_after == HG_AFTER_MAX || strlen(name) >= HG_NAME_MAX) {
            return HG_FAIL(
                HG_E_PARAM,
                "recipe '%s': 'after' names more than %d targets, or '%s' is too long",
                recipe->name, HG_AFTER_MAX, name);
        }
        strcpy(recipe->after[recipe->n_after++], name);
    }
    return recipe->n_after > 0
               ? HG_OK
               : HG_FAIL(HG_E_PARAM, "recipe '%s': 'after' needs the names of other targets",
                         recipe->name);
}

/* "floor 1e5 Msun": the number after the word, in canonical units. */
static hg_status
parse_option(hg_recipe *recipe, const char *option)
{
    static const char *const names[] = {"floor", "weight", "scale", "min", "max", "hurdle"};
    double *const values[] = {&recipe->floor, &recipe->weight, &recipe->scale,
                              &recipe->low,   &recipe->high,   &recipe->hurdle};
    char word[32], number[64], unit[64];
    hg_unit parsed;
    int n = sscanf(option, "%31s %63s %63[^\n]", word, number, unit);

    if (n == 1 && strcmp(word, "hurdle") == 0) {
        recipe->hurdle = 0;
        return HG_OK;
    }
    if (n == 1 && strcmp(word, "label") == 0) {
        recipe->is_label = true;
        return HG_OK;
    }
    if (n >= 1 && strcmp(word, "after") == 0) {
        return parse_after(recipe, option + strlen("after"));
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (n >= 1 && strcmp(word, names[i]) == 0) {
            if (n < 2 || !hg_text_real(number, values[i])) {
                return HG_FAIL(HG_E_PARAM, "recipe '%s': '%s' needs a number", recipe->name,
                               word);
            }
            if (n == 3) {
                HG_TRY(hg_unit_parse(unit, &parsed));
                if (parsed.h != 0 || parsed.a != 0) {
                    return HG_FAIL(HG_E_PARAM,
                                   "recipe '%s': '%s' holds h or a, which a recipe does not "
                                   "know: write the number without them",
                                   recipe->name, unit);
                }
                *values[i] *= parsed.factor;
            }
            return HG_OK;
        }
    }
    return HG_FAIL(
        HG_E_PARAM,
        "recipe '%s': '%s' is neither a transform (none, log10, asinh, signed_log) nor "
        "an option (floor, weight, scale, min, max, hurdle, label, after)",
        recipe->name, option);
}

hg_status
hg_recipe_parse(const char *name, const char *text, hg_recipe *recipe)
{
    char copy[256], piece[256];
    char *rest = copy;
    const char *expression = name;
    bool first = true;
    hg_status status = HG_OK;

    *recipe = (hg_recipe){.floor = (double)NAN,
                          .low = (double)NAN,
                          .high = (double)NAN,
                          .hurdle = (double)NAN,
                          .scale = 1,
                          .weight = 1};
    if (strlen(name) >= sizeof recipe->name || strlen(text) >= sizeof copy) {
        return HG_FAIL(HG_E_PARAM, "recipe '%.40s' is too long", name);
    }
    strcpy(recipe->name, name);
    strcpy(recipe->text, text);
    strcpy(copy, text);
    while (rest != NULL && status == HG_OK) {
        char *bar = strchr(rest, '|');

        /* '||' inside an expression is the logical or */
        while (bar != NULL && bar[1] == '|') {
            bar = strchr(bar + 2, '|');
        }
        if (bar != NULL) {
            *bar = '\0';
        }
        hg_text_trim(rest, sizeof piece, piece);
        rest = bar != NULL ? bar + 1 : NULL;
        if (piece[0] == '\0') {
            first = false;
        } else if (find_transform(piece, &recipe->transform)) {
            if (first) {
                status = hg_expression_create(expression, &recipe->expression);
            }
            first = false;
        } else if (first) {
            status = hg_expression_create(piece, &recipe->expression);
            first = false;
        } else {
            status = parse_option(recipe, piece);
        }
    }
    if (status == HG_OK && recipe->expression == NULL) {
        status = hg_expression_create(expression, &recipe->expression);
    }
    if (status == HG_OK && !(recipe->scale > 0 && recipe->weight > 0)) {
        status = HG_FAIL(HG_E_PARAM, "recipe '%s': scale and weight must be positive", name);
    }
    if (status == HG_OK && recipe->is_label &&
        (recipe->transform != HG_TRANSFORM_NONE || !isnan(recipe->hurdle))) {
        status = HG_FAIL(HG_E_PARAM,
                         "recipe '%s': a label is 0 or 1 and takes neither a transform nor a "
                         "hurdle",
                         name);
    }
    if (status == HG_OK && recipe->low > recipe->high) {
        status = HG_FAIL(HG_E_PARAM, "recipe '%s': min %g is above max %g", name, recipe->low,
                         recipe->high);
    }
    if (status != HG_OK) {
        hg_error_prefix("'%s: %s': ", name, text);
        hg_recipe_clear(recipe);
    }
    return status;
}

void
hg_recipe_clear(hg_recipe *recipe)
{
    hg_expression_free(recipe->expression);
    recipe->expression = NULL;
}

static double
transform_value(const hg_recipe *recipe, double x)
{
    if (x < recipe->floor) {
        x = recipe->floor;
    }
    switch (recipe->transform) {
    case HG_TRANSFORM_LOG10:
        return log10(x);
    case HG_TRANSFORM_ASINH:
        return asinh(x / recipe->scale);
    case HG_TRANSFORM_SIGNED_LOG:
        return copysign(log10(1 + fabs(x) / recipe->scale), x);
    default:
        return x;
    }
}

static hg_status
refuse_value(const hg_recipe *recipe, const hg_table *table, int64_t i, double x)
{
    const char *remedy = "drop such rows by Selection";

    if (recipe->is_label && isfinite(x)) {
        return HG_FAIL(HG_E_INPUT,
                       "row %" PRId64 ": label '%s' (%s) is %g, it must be 0 or 1: write a "
                       "comparison such as 'sfr > 0'",
                       table->first + i, recipe->name, recipe->text, x);
    }
    if (recipe->transform == HG_TRANSFORM_LOG10 && x <= 0) {
        remedy = "give the recipe a 'floor' or, if it is a target, a 'hurdle', use "
                 "'signed_log', or drop such rows by Selection";
    }
    return HG_FAIL(HG_E_INPUT, "row %" PRId64 ": '%s' (%s) is %g, which '%s' cannot take: %s",
                   table->first + i, recipe->name,
                   recipe->text[0] != '\0' ? recipe->text : "as is", x,
                   transform_names[recipe->transform], remedy);
}

hg_status
hg_recipe_evaluate(const hg_recipe *recipe, const hg_table *table, size_t stride,
                   double value[])
{
    double *x = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&x, (size_t)table->n, sizeof *x));
    status = hg_expression_evaluate(recipe->expression, table, x);
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        const bool is_closed = x[i] <= recipe->hurdle;
        double y = is_closed ? (double)NAN : transform_value(recipe, x[i]);

        if (!isfinite(x[i]) || (!is_closed && !isfinite(y)) ||
            (recipe->is_label && !(fabs(x[i] - 0.5) == 0.5))) {
            status = refuse_value(recipe, table, i, x[i]);
        }
        value[(size_t)i * stride] = y;
    }
    hg_mem_free(x);
    return status;
}

double
hg_recipe_invert(const hg_recipe *recipe, double value)
{
    double x = value;

    if (isinf(value) && value < 0) {
        return 0;
    }
    switch (recipe->transform) {
    case HG_TRANSFORM_LOG10:
        x = pow(10, value);
        break;
    case HG_TRANSFORM_ASINH:
        x = recipe->scale * sinh(value);
        break;
    case HG_TRANSFORM_SIGNED_LOG:
        x = copysign(recipe->scale * (pow(10, fabs(value)) - 1), value);
        break;
    default:
        break;
    }
    x = x < recipe->low ? recipe->low : x;
    return x > recipe->high ? recipe->high : x;
}
