/* Units, quantities, expressions, recipes, numbers, file patterns and rules for ids: the small
 * languages of parameter files. The first byte chooses. */
#include "fuzz.h"

#include <math.h>

#include "base/text.h"
#include "base/unit.h"
#include "match/id_rule.h"
#include "table/recipe.h"

static hg_table
make_table(void)
{
    static const struct {
        const char *name, *unit;
        hg_column_type type;
        int width;
    } columns[] = {{"m200c", "Msun", HG_COLUMN_F64, 1},
                   {"vmax", "km/s", HG_COLUMN_F32, 1},
                   {"central", "", HG_COLUMN_I64, 1},
                   {"position", "Mpc", HG_COLUMN_F64, 3}};
    hg_table table = {.n = 5};

    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        void *data = NULL;

        if (hg_table_add(&table, columns[c].name, columns[c].unit, columns[c].type,
                         columns[c].width, &data) != HG_OK) {
            abort();
        }
        for (int i = 0; i < 5 * columns[c].width; i++) {
            const double value = i == 3 ? (double)NAN : 1e11 * i - 1e11;

            if (columns[c].type == HG_COLUMN_F64) {
                ((double *)data)[i] = value;
            } else if (columns[c].type == HG_COLUMN_F32) {
                ((float *)data)[i] = (float)value;
            } else {
                ((int64_t *)data)[i] = i;
            }
        }
    }
    return table;
}

static void
try_unit(const char *text)
{
    hg_unit unit;
    double value;

    if (hg_unit_parse(text, &unit) == HG_OK) {
        value = hg_unit_factor(&unit, 0.7, 0.5);
        if (!isfinite(unit.factor) || isnan(value)) {
            fprintf(stderr, "unit '%s' has the factor %g, %g\n", text, unit.factor, value);
            abort();
        }
    }
    for (int i = 0; i < 3; i++) {
        static const char *const canonical[] = {"Mpc", "", "B"};

        if (hg_unit_value(text, canonical[i], 0.7, &value) == HG_OK && !isfinite(value)) {
            fprintf(stderr, "'%s' is the value %g\n", text, value);
            abort();
        }
    }
}

static void
try_expression(const char *text)
{
    hg_expression *expression = NULL;
    hg_table table = make_table();
    double value[5];

    if (hg_expression_create(text, &expression) == HG_OK) {
        for (int i = 0; i < hg_expression_n_name(expression); i++) {
            if (strlen(hg_expression_name(expression, i)) == 0) {
                abort();
            }
        }
        (void)hg_expression_column(expression);
        if (hg_expression_evaluate(expression, &table, value) != HG_OK) {
            value[0] = 0;
        }
    }
    hg_expression_free(expression);
    hg_table_clear(&table);
}

static void
try_recipe(const char *text)
{
    hg_table table = make_table();
    hg_recipe recipe;
    double value[5];

    if (hg_recipe_parse("vmax", text, &recipe) == HG_OK) {
        if (hg_recipe_evaluate(&recipe, &table, 1, value) == HG_OK) {
            for (int i = 0; i < 5; i++) {
                if (isinf(value[i])) {
                    abort();
                }
                value[i] = hg_recipe_invert(&recipe, value[i]);
            }
        }
        hg_recipe_clear(&recipe);
    }
    hg_table_clear(&table);
}

static void
try_small(const char *text)
{
    hg_id_rule rule;
    char out[128];
    uint64_t id = 12345;
    int64_t integer;
    double real;

    if (hg_text_real(text, &real) && !isfinite(real)) {
        abort();
    }
    if (hg_text_integer(text, &integer) && integer == INT64_MIN) {
        id++;
    }
    if (hg_text_fill(text, "snap", 7, sizeof out, out) == HG_OK && strlen(out) >= sizeof out) {
        abort();
    }
    if (hg_id_rule_parse(text, &rule) == HG_OK) {
        (void)hg_id_rule_apply(&rule, &id);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void (*const tries[])(const char *) = {try_unit, try_expression, try_recipe, try_small};
    int64_t before;
    char *text;

    if (size == 0) {
        return 0;
    }
    fuzz_start();
    before = hg_mem_used();
    text = fuzz_string(data + 1, size - 1);
    tries[data[0] % 4](text);
    free(text);
    fuzz_check_memory(before);
    return 0;
}
