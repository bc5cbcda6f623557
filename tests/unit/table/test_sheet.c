#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "table/sheet.h"

static char path[] = "/tmp/hg-sheet-XXXXXX";

static hg_status
read_text(const char *text, hg_sheet *sheet)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return hg_sheet_read(path, sheet);
}

static void
setup(void)
{
    close(mkstemp(path));
}

static void
teardown(void)
{
    unlink(path);
    cr_expect_eq(hg_mem_used(), 0);
}

TestSuite(sheet, .init = setup, .fini = teardown);

Test(sheet, commas_or_white_space_separate_fields)
{
    static const char *const texts[] = {
        "# a remark\nrun, omega_m ,A_SN1\r\n7, 0.25,\n\n# more\nLH_3,0.1,2",
        "run omega_m A_SN1\n7\t0.25  -\nLH_3 0.1 2\n"};

    for (int t = 0; t < 2; t++) {
        hg_sheet s = {0};

        cr_assert_eq(read_text(texts[t], &s), HG_OK, "%s", hg_error_last()->message);
        cr_assert_eq(s.n_column, 3);
        cr_assert_eq(s.n_row, 2);
        cr_expect_str_eq(hg_sheet_name(&s, 1), "omega_m");
        cr_expect_str_eq(hg_sheet_field(&s, 0, 0), "7");
        cr_expect_str_eq(hg_sheet_field(&s, 0, 2), t == 0 ? "" : "-");
        cr_expect_str_eq(hg_sheet_field(&s, 1, 0), "LH_3");
        cr_expect_str_eq(hg_sheet_field(&s, 1, 2), "2");
        cr_expect_eq(s.line[2], t == 0 ? 6 : 3);
        hg_sheet_clear(&s);
    }
}

Test(sheet, a_comment_names_the_columns_of_a_table_that_begins_with_numbers)
{
    hg_sheet s = {0};

    cr_assert_eq(
        read_text("# two words\n#Name Omega_m  sigma_8\n LH_0 0.309 0.979\nLH_1 0.3 1\n", &s),
        HG_OK);
    cr_expect_eq(s.n_row, 2);
    cr_expect_str_eq(hg_sheet_name(&s, 0), "Name");
    cr_expect_str_eq(hg_sheet_name(&s, 2), "sigma_8");
    cr_expect_str_eq(hg_sheet_field(&s, 0, 0), "LH_0");
    cr_expect_eq(s.line[0], 2);
    hg_sheet_clear(&s);
}

Test(sheet, mistakes_are_named)
{
    hg_sheet s = {0};

    cr_expect_eq(read_text("a,b\n1,2\n1,2,3\n", &s), HG_E_FORMAT);
    cr_expect(strstr(hg_error_last()->message, "line 3: 3 fields, the header line has 2"));
    hg_sheet_clear(&s);
    cr_expect_eq(read_text("# nothing\n\n", &s), HG_E_INPUT);
    hg_sheet_clear(&s);
    cr_expect_eq(hg_sheet_read("/nonexistent/table.csv", &s), HG_E_NOTFOUND);
    hg_sheet_clear(&s);
}
