/* Each kind has a section of parameters, a name, and items of its recipe that must agree, the
 * mesh where there are columns made on it. */
#include "features/derived.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "features/environment.h"
#include "features/history_recipe.h"
#include "suite/recipes.h"

static const struct {
    const char *name, *section;
    const char *must_agree[7]; /* ended by NULL */
} kinds[HG_DERIVED_KINDS] = {
    [HG_DERIVED_ENVIRONMENT] = {"environment",
                                "Environment",
                                {"tracer", "select", "mass", "self", "farthest", "mesh"}},
    [HG_DERIVED_HISTORY] = {"history", "History", {"mass", "phantoms"}}};

const char *
hg_derived_name(hg_derived_kind kind)
{
    return kinds[kind].name;
}

const char *
hg_derived_section(hg_derived_kind kind)
{
    return kinds[kind].section;
}

static hg_status
take_environment(const hg_params *params, hg_derived *d)
{
    hg_environment e;
    hg_status status;

    HG_TRY(hg_environment_parse(params, &e));
    d->folder = params->environment.folder;
    HG_TRY_OR(done, status, hg_mem_zeros(&d->column, (size_t)e.n_column, sizeof *d->column));
    for (int c = 0; c < e.n_column; c++) {
        snprintf(d->column[c].name, HG_NAME_MAX, "%s", e.column[c].name);
        snprintf(d->column[c].unit, HG_UNIT_MAX, "%s", e.column[c].unit);
        snprintf(d->column[c].description, sizeof d->column[c].description, "%s",
                 e.column[c].description);
        snprintf(d->column[c].path, sizeof d->column[c].path, "SOAP/Environment/%s",
                 e.column[c].name);
    }
    d->n_column = e.n_column;
    if (e.n_column > 0) {
        status = hg_environment_write(&e, &d->recipe);
    }
done:
    hg_environment_clear(&e);
    return status;
}

static hg_status
take_history(const hg_params *params, hg_derived *d)
{
    hg_history_recipe *h = NULL;
    hg_status status;

    HG_TRY(hg_mem_zeros(&h, 1, sizeof *h));
    HG_TRY_OR(done, status, hg_history_parse(params, h));
    d->folder = params->history.folder;
    HG_TRY_OR(done, status, hg_mem_zeros(&d->column, (size_t)h->n_column, sizeof *d->column));
    for (int c = 0; c < h->n_column; c++) {
        d->column[c] = h->column[c].output;
    }
    d->n_column = h->n_column;
    if (h->n_column > 0) {
        status = hg_history_write(h, &d->recipe);
    }
done:
    hg_mem_free(h);
    return status;
}

hg_status
hg_derived_parse(const hg_params *params, hg_derived_kind kind, hg_derived *d)
{
    hg_status status;

    *d = (hg_derived){.kind = kind};
    status = kind == HG_DERIVED_HISTORY ? take_history(params, d) : take_environment(params, d);
    for (int c = 0; c < d->n_column && status == HG_OK; c++) {
        snprintf(d->column[c].kind, sizeof d->column[c].kind, "input");
    }
    if (status != HG_OK) {
        hg_derived_clear(d);
    }
    return status;
}

void
hg_derived_clear(hg_derived *d)
{
    hg_mem_free(d->column);
    hg_text_clear(&d->recipe);
    *d = (hg_derived){0};
}

static hg_status
add_section(const hg_entries *entries, const char *section, hg_names *names)
{
    hg_recipes set = {0};
    hg_status status;

    if (entries->n == 0) {
        return HG_OK;
    }
    HG_TRY(hg_recipes_parse(entries, section, &set));
    status = hg_names_add_recipes(names, &set);
    hg_recipes_clear(&set);
    return status;
}

static hg_status
add_text(const char *text, const char *key, hg_names *names)
{
    hg_expression *expression = NULL;
    hg_status status;

    if (text == NULL) {
        return HG_OK;
    }
    status = hg_expression_create(text, &expression);
    if (status != HG_OK) {
        hg_error_prefix("Selection.%s: ", key);
        return status;
    }
    status = hg_names_add_expression(names, expression);
    hg_expression_free(expression);
    return status;
}

hg_status
hg_derived_wanted(const hg_params *params, const hg_derived *d, bool *wanted)
{
    hg_names names;

    *wanted = false;
    if (d->n_column == 0) {
        return HG_OK;
    }
    names.n = 0;
    HG_TRY(add_section(&params->features, "Features", &names));
    HG_TRY(add_section(&params->targets, "Targets", &names));
    HG_TRY(add_text(params->selection.train, "train", &names));
    HG_TRY(add_text(params->selection.apply, "apply", &names));
    for (int i = 0; i < params->parent.keep.n; i++) {
        HG_TRY(hg_names_add(&names, params->parent.keep.v[i]));
    }
    for (int i = 0; i < names.n; i++) {
        for (int c = 0; c < d->n_column; c++) {
            *wanted = *wanted || strcmp(names.v[i], d->column[c].name) == 0;
        }
    }
    return HG_OK;
}

/* Value of an item of a written recipe; "" when it is not there. */
static void
find_item(const char *text, const char *item, size_t n, char value[])
{
    const size_t length = strlen(item);

    value[0] = '\0';
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');

        if (strncmp(line, item, length) == 0 && line[length] == ':') {
            const size_t size = end != NULL ? (size_t)(end - line) : strlen(line);

            snprintf(value, n, "%.*s", (int)(size - length - 1), line + length + 1);
            hg_text_trim(value, n, value);
            return;
        }
        line = end != NULL ? end + 1 : NULL;
    }
}

static bool
has_word(const char *text, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == text || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Every column of one recipe must be there in the other; further ones change none of them. */
static hg_status
compare_columns(hg_derived_kind kind, const char *a, const char *name_a, const char *b,
                const char *name_b)
{
    char x[8192], y[8192], *save = NULL;

    find_item(a, "columns", sizeof x, x);
    find_item(b, "columns", sizeof y, y);
    for (const char *name = strtok_r(x, " ", &save); name != NULL;
         name = strtok_r(NULL, " ", &save)) {
        if (!has_word(y, name)) {
            return HG_FAIL(HG_E_INPUT,
                           "the %s of %s has the column '%s', that of %s has only "
                           "%.400s: make it anew with one recipe for both",
                           kinds[kind].name, name_a, name, name_b, y);
        }
    }
    return HG_OK;
}

hg_status
hg_derived_compare(hg_derived_kind kind, const char *a, const char *name_a, const char *b,
                   const char *name_b)
{
    const bool on_mesh = strstr(a, " delta_gauss_") != NULL ||
                         strstr(a, " delta_tophat_") != NULL || strstr(a, " tidal_") != NULL;

    for (const char *const *item = kinds[kind].must_agree; *item != NULL; item++) {
        char x[512], y[512];

        find_item(a, *item, sizeof x, x);
        find_item(b, *item, sizeof y, y);
        if (strcmp(x, y) != 0 && (on_mesh || strcmp(*item, "mesh") != 0)) {
            return HG_FAIL(HG_E_INPUT,
                           "the %s of %s has '%s: %s', that of %s '%s: %s': make it "
                           "anew with one recipe for both",
                           kinds[kind].name, name_a, *item, x, name_b, *item, y);
        }
    }
    return compare_columns(kind, a, name_a, b, name_b);
}

int64_t
hg_derived_cut(const hg_derived *d, const hg_table *table, uint8_t keep[])
{
    int64_t n_cut = 0;

    for (int64_t i = 0; i < table->n; i++) {
        bool known = true;

        for (int c = 0; c < d->n_column && known && keep[i]; c++) {
            const hg_column *column = hg_table_find(table, d->column[c].name);

            known = column == NULL || !isnan(hg_column_value(column, i, 0));
        }
        n_cut += !known;
        keep[i] = keep[i] && known;
    }
    return n_cut;
}
