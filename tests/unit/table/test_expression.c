#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "table/expression.h"
#include "table/identity.h"
#include "table/recipe.h"
#include "table/split.h"

static hg_table table;

static void
make_table(void)
{
    double *m = NULL;
    float *v = NULL;
    uint8_t *central = NULL;

    table = (hg_table){.n = 3000, .first = 7};
    cr_assert_eq(hg_table_add(&table, "m200c", "Msun", HG_COLUMN_F64, 1, &m), HG_OK);
    cr_assert_eq(hg_table_add(&table, "velocity", "km/s", HG_COLUMN_F32, 3, &v), HG_OK);
    cr_assert_eq(hg_table_add(&table, "central", "", HG_COLUMN_U8, 1, &central), HG_OK);
    for (int i = 0; i < 3000; i++) {
        m[i] = 1e10 * (i + 1);
        v[3 * i] = 3;
        v[3 * i + 1] = 4;
        v[3 * i + 2] = (float)i;
        central[i] = i % 2 == 0;
    }
}

static void
free_table(void)
{
    hg_table_clear(&table);
}

TestSuite(expression, .init = make_table, .fini = free_table);
TestSuite(recipe, .init = make_table, .fini = free_table);

static double
value_of(const char *text, int64_t row)
{
    static double value[3000];
    hg_expression *e = NULL;

    cr_assert_eq(hg_expression_create(text, &e), HG_OK, "%s", hg_error_last()->message);
    cr_assert_eq(hg_expression_evaluate(e, &table, value), HG_OK, "%s",
                 hg_error_last()->message);
    hg_expression_free(e);
    return value[row];
}

Test(expression, values_follow_the_rules_of_arithmetic)
{
    cr_assert_float_eq(value_of("1 + 2 * 3 ^ 2", 0), 19, 1e-12);
    cr_assert_float_eq(value_of("-2 ^ 2", 0), -4, 1e-12);
    cr_assert_float_eq(value_of("2 ^ 3 ^ 2", 0), 512, 1e-9);
    cr_assert_float_eq(value_of("10 - 4 - 3", 0), 3, 1e-12);
    cr_assert_float_eq(value_of("log10(m200c / 1e10 Msun)", 99), 2, 1e-12);
    cr_assert_float_eq(value_of("norm(velocity)", 0), 5, 1e-6);
    cr_assert_float_eq(value_of("velocity[2] + 1", 2500), 2501, 1e-6);
    cr_assert_float_eq(value_of("min(3, max(1, 2))", 5), 2, 1e-12);
    cr_assert_float_eq(value_of("m200c > 1e11 && central == 1", 20), 1, 0);
    cr_assert_float_eq(value_of("m200c > 1e11 && central == 1", 21), 0, 0);
    cr_assert_float_eq(value_of("!(central == 1) || m200c >= 3e13", 2999), 1, 0);
    cr_assert_float_eq(value_of("abs(-2 kpc) * 1000", 0), 2, 1e-12);
    cr_assert_float_eq(value_of("log10(-1) && 1", 0), 0, 0); /* NaN is not true */
    cr_assert_float_eq(value_of("log10(-1) || 0", 0), 0, 0);
}

Test(expression, only_a_bare_column_passes_its_unit_on)
{
    static const struct {
        const char *text, *column;
    } list[] = {{"m200c", "m200c"},
                {"velocity[1]", "velocity"},
                {"norm(velocity)", "velocity"},
                {"m200c / 2", NULL},
                {"log10(m200c)", NULL},
                {"m200c ^ 2", NULL},
                {"central == 1", NULL},
                {"3 Mpc", NULL}};

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        hg_expression *e = NULL;
        const char *column;

        cr_assert_eq(hg_expression_create(list[i].text, &e), HG_OK);
        column = hg_expression_column(e);
        cr_expect(list[i].column == NULL
                      ? column == NULL
                      : column != NULL && strcmp(column, list[i].column) == 0,
                  "'%s'", list[i].text);
        hg_expression_free(e);
    }
}

Test(expression, errors_name_the_place)
{
    static const struct {
        const char *text, *part;
    } bad[] = {{"1 +", "ends too early"}, {"(1", "')'"},         {"foo(1)", "unknown function"},
               {"1 2", "left over"},      {"log10()", "column"}, {"m200c[", "index"},
               {"3 Mpc/h", "h or a"},     {"", "ends too early"}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hg_expression *e = NULL;

        cr_assert_eq(hg_expression_create(bad[i].text, &e), HG_E_PARAM, "'%s'", bad[i].text);
        cr_assert_null(e);
        cr_assert(strstr(hg_error_last()->message, bad[i].part) != NULL, "'%s' gave: %s",
                  bad[i].text, hg_error_last()->message);
    }
    for (int n = 10; n < 250; n += 10) {
        char deep[256];
        hg_expression *e = NULL;

        memset(deep, '(', sizeof deep);
        deep[n] = '\0';
        cr_assert_eq(hg_expression_create(deep, &e), HG_E_PARAM);
    }
}

Test(expression, a_missing_column_names_the_nearest)
{
    double value[3000];
    hg_expression *e = NULL;

    cr_assert_eq(hg_expression_create("m20c", &e), HG_OK);
    cr_assert_eq(hg_expression_evaluate(e, &table, value), HG_E_NOTFOUND);
    cr_assert(strstr(hg_error_last()->message, "'m200c'") != NULL);
    hg_expression_free(e);
    cr_assert_eq(hg_expression_create("velocity", &e), HG_OK);
    cr_assert_eq(hg_expression_evaluate(e, &table, value), HG_E_SHAPE);
    hg_expression_free(e);
}

Test(recipe, every_transform_is_undone_by_its_inverse)
{
    static const char *const texts[] = {"log10", "asinh | scale 1e11",
                                        "signed_log | scale 1e10", "none",
                                        "m200c / 2 | log10 | floor 1e9 Msun"};

    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        double value[3000];
        hg_recipe r;

        cr_assert_eq(hg_recipe_parse("m200c", texts[k], &r), HG_OK, "%s",
                     hg_error_last()->message);
        cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_OK);
        for (int i = 0; i < 3000; i += 100) {
            double x = 1e10 * (i + 1) / (k == 4 ? 2 : 1);

            cr_assert(fabs(hg_recipe_invert(&r, value[i]) / x - 1) < 1e-12);
        }
        hg_recipe_clear(&r);
    }
}

Test(recipe, floors_lift_and_bad_values_are_refused_with_row_and_remedy)
{
    double value[3000];
    hg_recipe r;

    ((double *)table.column[0].data)[5] = 0;
    cr_assert_eq(hg_recipe_parse("m200c", "log10", &r), HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_E_INPUT);
    cr_assert(strstr(hg_error_last()->message, "row 12:") != NULL, "%s",
              hg_error_last()->message);
    cr_assert(strstr(hg_error_last()->message, "floor") != NULL);
    hg_recipe_clear(&r);
    cr_assert_eq(hg_recipe_parse("m200c", "log10 | floor 1e8 Msun", &r), HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_OK);
    cr_assert_float_eq(value[5], 8, 1e-12);
    hg_recipe_clear(&r);
    cr_assert_eq(hg_recipe_parse("m", "m200c | log11", &r), HG_E_PARAM);
    cr_assert_eq(hg_recipe_parse("m", "m200c | log10 | floor x", &r), HG_E_PARAM);
    cr_assert_eq(hg_recipe_parse("m", "m200c | log10 | floor 1e8 Msun/h", &r), HG_E_PARAM);
    cr_assert(strstr(hg_error_last()->message, "without") != NULL);
    cr_assert_eq(hg_recipe_parse("m", "m200c | min 2 | max 1", &r), HG_E_PARAM);
    ((double *)table.column[0].data)[5] = (double)NAN;
    cr_assert_eq(hg_recipe_parse("m200c", "none", &r), HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_E_INPUT);
    hg_recipe_clear(&r);
}

Test(recipe, hurdles_close_rows_and_labels_are_0_or_1)
{
    double value[3000];
    hg_recipe r;

    ((double *)table.column[0].data)[5] = 0;
    cr_assert_eq(hg_recipe_parse("m200c", "log10 | hurdle", &r), HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_OK);
    cr_assert(isnan(value[5]) && isfinite(value[4]));
    cr_assert_eq(hg_recipe_invert(&r, -HUGE_VAL), 0);
    hg_recipe_clear(&r);
    cr_assert_eq(hg_recipe_parse("m200c", "log10 | hurdle 3e10 Msun | after a, b c", &r),
                 HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_OK);
    cr_assert(isnan(value[2]) && isfinite(value[3])); /* 3e10 itself is not above */
    cr_assert(r.n_after == 3 && strcmp(r.after[1], "b") == 0 && strcmp(r.after[2], "c") == 0);
    hg_recipe_clear(&r);
    cr_assert_eq(hg_recipe_parse("heavy", "m200c > 2e10 | label", &r), HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_OK);
    cr_assert(value[1] < 0.5 && value[2] > 0.5);
    hg_recipe_clear(&r);
    cr_assert_eq(hg_recipe_parse("heavy", "m200c / 2 | label", &r), HG_OK);
    cr_assert_eq(hg_recipe_evaluate(&r, &table, 1, value), HG_E_INPUT);
    cr_assert(strstr(hg_error_last()->message, "must be 0 or 1") != NULL);
    hg_recipe_clear(&r);
    cr_assert_eq(hg_recipe_parse("m", "m200c | log10 | label", &r), HG_E_PARAM);
    cr_assert_eq(hg_recipe_parse("m", "m200c | label | hurdle", &r), HG_E_PARAM);
    cr_assert_eq(hg_recipe_parse("m", "m200c | hurdle much", &r), HG_E_PARAM);
    cr_assert_eq(hg_recipe_parse("m", "m200c | after", &r), HG_E_PARAM);
}

Test(recipe, physical_bounds_clip_the_inverse)
{
    hg_recipe r;

    cr_assert_eq(hg_recipe_parse("f", "m200c | none | min 0 | max 1", &r), HG_OK);
    cr_assert_float_eq(hg_recipe_invert(&r, -0.2), 0, 0);
    cr_assert_float_eq(hg_recipe_invert(&r, 1.2), 1, 0);
    cr_assert_float_eq(hg_recipe_invert(&r, 0.4), 0.4, 0);
    hg_recipe_clear(&r);
}

Test(table, integers_are_exact_whatever_their_type)
{
    int64_t big[] = {(INT64_C(1) << 60) + 1, -7};
    double real[] = {5, (double)NAN};
    hg_column column = {.type = HG_COLUMN_I64, .width = 1, .data = big};

    cr_assert_eq(hg_column_integer(&column, 0), (INT64_C(1) << 60) + 1);
    cr_assert_eq(hg_column_integer(&column, 1), -7);
    column = (hg_column){.type = HG_COLUMN_F64, .width = 1, .data = real};
    cr_assert_eq(hg_column_integer(&column, 0), 5);
    cr_assert_eq(hg_column_integer(&column, 1), -1);
}

Test(table, rows_are_kept_in_order_and_tables_are_joined)
{
    hg_table a = {.n = 5}, b = {.n = 2};
    const uint8_t keep[] = {1, 0, 1, 0, 1};
    int64_t *id = NULL;

    cr_assert_eq(hg_table_add(&a, "id", "", HG_COLUMN_I64, 1, &id), HG_OK);
    for (int i = 0; i < 5; i++) {
        id[i] = i;
    }
    cr_assert_eq(hg_table_add(&b, "id", "", HG_COLUMN_I64, 1, &id), HG_OK);
    id[0] = 10;
    id[1] = 11;
    hg_table_keep(&a, keep);
    cr_assert_eq(hg_table_append(&a, &b), HG_OK);
    cr_assert_eq(a.n, 5);
    for (int i = 0; i < 5; i++) {
        static const int64_t expected[] = {0, 2, 4, 10, 11};

        cr_assert_eq(hg_table_i64(&a, "id")[i], expected[i]);
    }
    cr_assert_eq(hg_table_add(&b, "x", "", HG_COLUMN_F32, 1, NULL), HG_OK);
    hg_table_drop(&b, "id");
    cr_assert_eq(hg_table_append(&a, &b), HG_E_SHAPE);
    hg_table_clear(&a);
    hg_table_clear(&b);
    cr_assert_eq(hg_mem_used(), 0);
}

Test(identity, keys_are_distinct_and_a_split_takes_its_share)
{
    const int n = 20000;
    int taken = 0;

    for (int i = 0; i < n; i++) {
        taken += hg_split_takes(hg_halo_key("a", HG_NO_REGION, i), 1, 0.8);
    }
    cr_assert(fabs(taken - 0.8 * n) < 4 * sqrt(0.16 * n));
    cr_assert_neq(hg_halo_key("a", 1, 5), hg_halo_key("a", 2, 5));
    cr_assert_neq(hg_halo_key("a", 1, 5), hg_halo_key("b", 1, 5));
    cr_assert_neq(hg_halo_key("a", 1, 5), hg_halo_key("a", 1, 6));
}
