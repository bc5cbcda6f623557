#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"

Test(text, numbers_are_parsed_to_the_last_character)
{
    static const char *const bad[] = {"",    " 1",  "1 ",   "abc",  "1.5x",
                                      "nan", "inf", "0x10", "1e400"};
    double x;
    int64_t n;

    cr_assert(hg_text_real("1e10", &x) && x == 1e10);
    cr_assert(hg_text_real("-.5", &x) && x == -0.5);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert(!hg_text_real(bad[i], &x), "'%s' was taken for a number", bad[i]);
        cr_assert(!hg_text_integer(bad[i], &n), "'%s' was taken for an integer", bad[i]);
    }
    cr_assert(hg_text_integer("1e6", &n) && n == 1000000);
    cr_assert(!hg_text_integer("1.5", &n));
    cr_assert(hg_text_integer("9223372036854775807", &n) && n == INT64_MAX);
    cr_assert(!hg_text_integer("9223372036854775808", &n));
}

Test(text, the_nearest_name_is_found_and_a_far_one_is_not)
{
    static const char *const names[] = {"min_leaf", "trees", "max_features"};

    cr_assert_str_eq(hg_text_nearest("minleaf", 3, names), "min_leaf");
    cr_assert_str_eq(hg_text_nearest("tree", 3, names), "trees");
    cr_assert_null(hg_text_nearest("zzzzzz", 3, names));
    cr_assert_eq(hg_text_distance("kitten", "sitting"), 3);
}

Test(text, the_first_line_in_which_two_texts_differ_is_found)
{
    char a[8], b[8];

    cr_expect_eq(hg_text_difference("x\ny\n", "x\ny\n", sizeof a, a, b), 0);
    cr_expect_eq(hg_text_difference("x\nyes\nz", "x\nyet\nz", sizeof a, a, b), 2);
    cr_expect_str_eq(a, "yes");
    cr_expect_str_eq(b, "yet");
    cr_expect_eq(hg_text_difference("x\n", "x\n123456789", sizeof a, a, b), 2);
    cr_expect_str_eq(a, "");
    cr_expect_str_eq(b, "1234567");
    cr_expect_eq(hg_text_difference("", "", sizeof a, a, b), 0);
}

Test(text, fields_of_a_pattern_are_filled)
{
    char out[64];

    cr_assert_eq(hg_text_fill("g_{snap:03d}/t.{file}.hdf5", "snap", 7, sizeof out, out), HG_OK);
    cr_assert_str_eq(out, "g_007/t.{file}.hdf5");
    cr_assert_eq(hg_text_fill("{file}-{file:02d}", "file", 3, sizeof out, out), HG_OK);
    cr_assert_str_eq(out, "3-03");
    cr_assert(hg_text_has_field("a{snap}b", "snap"));
    cr_assert(!hg_text_has_field("a{snapshot}b", "snap"));
    cr_assert_eq(hg_text_fill("{file}{file}{file}", "file", 1, 8, out), HG_E_ARG);
}

Test(text, a_text_grows_and_keeps_its_content)
{
    hg_text text = {0};
    char expected[2048] = "";

    for (int i = 0; i < 200; i++) {
        cr_assert_eq(hg_text_add(&text, "%d,", i), HG_OK);
        snprintf(expected + strlen(expected), 16, "%d,", i);
    }
    cr_assert_str_eq(hg_text_string(&text), expected);
    hg_text_clear(&text);
    cr_assert_eq(hg_mem_used(), 0);
}

Test(unit, values_are_converted_to_canonical_units)
{
    double x;

    cr_assert_eq(hg_unit_value("50 Mpc", "Mpc", (double)NAN, &x), HG_OK);
    cr_assert_float_eq(x, 50, 1e-12);
    cr_assert_eq(hg_unit_value("50 Mpc/h", "Mpc", 0.5, &x), HG_OK);
    cr_assert_float_eq(x, 100, 1e-12);
    cr_assert_eq(hg_unit_value("2 1e10 Msun/h", "Msun", 0.5, &x), HG_OK);
    cr_assert_float_eq(x, 4e10, 1);
    cr_assert_eq(hg_unit_value("8 GiB", "B", (double)NAN, &x), HG_OK);
    cr_assert_float_eq(x, 8589934592.0, 0.1);
    cr_assert_eq(hg_unit_value("90 %", "", (double)NAN, &x), HG_OK);
    cr_assert_float_eq(x, 0.9, 1e-12);
    cr_assert_eq(hg_unit_value("3", "", (double)NAN, &x), HG_OK);
}

Test(unit, a_wrong_or_missing_unit_is_refused_with_a_sentence)
{
    static const struct {
        const char *text, *unit, *part;
    } bad[] = {{"50", "Mpc", "no unit"},        {"50 Mpx", "Mpc", "'Mpx'"},
               {"50 Msun", "Mpc", "converted"}, {"50 Mpc/h", "Mpc", "h is not allowed"},
               {"x Mpc", "Mpc", "number"},      {"1e10 msun", "Msun", "did you mean 'Msun'"},
               {"1e308 Gpc", "Mpc", "larger"},  {"1 cm^14 / cm^14", "", "than any number"}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double x;

        cr_assert_eq(hg_unit_value(bad[i].text, bad[i].unit, (double)NAN, &x), HG_E_FORMAT);
        cr_assert(strstr(hg_error_last()->message, bad[i].part) != NULL, "%s",
                  hg_error_last()->message);
    }
}

Test(unit, powers_of_h_and_a_are_kept_apart)
{
    hg_unit u;

    cr_assert_eq(hg_unit_parse("1e10 Msun/h", &u), HG_OK);
    cr_assert_float_eq(hg_unit_factor(&u, 0.7, 0.5), 1e10 / 0.7, 1);
    cr_assert_eq(hg_unit_parse("ckpc/h", &u), HG_OK);
    cr_assert_float_eq(hg_unit_factor(&u, 0.7, 0.5), 1e-3 / 0.7, 1e-15);
    cr_assert_eq(hg_unit_parse("pkpc/h", &u), HG_OK);
    cr_assert_float_eq(hg_unit_factor(&u, 0.7, 0.5), 2e-3 / 0.7, 1e-15);
    cr_assert_eq(hg_unit_parse("km/s a^-1", &u), HG_OK);
    cr_assert_float_eq(hg_unit_factor(&u, 0.7, 0.5), 2, 1e-12);
    cr_assert_eq(hg_unit_parse("km/s a^0.5", &u), HG_OK);
    cr_assert_float_eq(hg_unit_factor(&u, 0.7, 0.25), 0.5, 1e-12);
    cr_assert_eq(hg_unit_parse("Msun/yr", &u), HG_OK);
    cr_assert(u.mass == 1 && u.year == -1);
    cr_assert_eq(hg_unit_parse("a^100", &u), HG_OK);
    cr_assert_eq(hg_unit_parse("Mpc^101", &u), HG_E_FORMAT);
    cr_assert_eq(hg_unit_parse("a^-1e10", &u), HG_E_FORMAT);
    cr_assert_eq(hg_unit_parse("a^nan", &u), HG_E_FORMAT);
    cr_assert_eq(hg_unit_parse("a^60 a^60", &u), HG_E_FORMAT);
    cr_assert_eq(hg_unit_parse("1e300 1e300", &u), HG_E_FORMAT);
    cr_assert_eq(hg_unit_parse("cm^10 cm^10", &u), HG_E_FORMAT);
}

Test(memory, sizes_that_overflow_and_budgets_are_refused)
{
    void *p = NULL;

    cr_assert_eq(hg_mem_array(&p, SIZE_MAX / 2, 4), HG_E_MEMORY);
    cr_assert_null(p);
    hg_mem_budget(1000);
    cr_assert_eq(hg_mem_array(&p, 2000, 1), HG_E_MEMORY);
    cr_assert_eq(hg_mem_array(&p, 900, 1), HG_OK);
    cr_assert_eq((uintptr_t)p % 64, 0);
    cr_assert_eq(hg_mem_used(), 900);
    hg_mem_free(p);
    cr_assert_eq(hg_mem_used(), 0);
    cr_assert_eq(hg_mem_peak(), 900);
}

Test(text, a_cell_is_empty_where_there_is_no_number)
{
    const double value[] = {0.1, (double)NAN, -(double)INFINITY, 1e300};
    hg_text text = {0};

    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++) {
        cr_assert_eq(hg_text_add_number(&text, i == 0 ? 17 : 9, value[i], i < 3 ? ',' : '\n'),
                     HG_OK);
    }
    cr_assert_str_eq(hg_text_string(&text), "0.10000000000000001,,,1e+300\n");
    hg_text_clear(&text);
}
