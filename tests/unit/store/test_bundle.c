#include "store/bundle.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "store/publish.h"
#include "test_folder.h"

/* Put a text of one line into the bundle. */
static hg_status
put(hg_bundle *bundle, const char *name, const char *line)
{
    hg_text text = {0};

    return hg_bundle_text(bundle, in_folder(name), hg_text_add(&text, "%s\n", line), &text);
}

static void
expect_line(const char *name, const char *line)
{
    hg_text text = {0};

    cr_assert_eq(hg_text_read(in_folder(name), &text), HG_OK);
    cr_expect_eq(strncmp(hg_text_string(&text), line, strlen(line)), 0);
    hg_text_clear(&text);
}

static int n_entry;

static int
count_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)path;
    (void)info;
    n_entry += kind == FTW_F && walk->level > 0;
    return 0;
}

static int
count_files(void)
{
    n_entry = 0;
    nftw(test_folder, count_entry, 16, FTW_PHYS);
    return n_entry;
}

Test(bundle, files_appear_together)
{
    hg_bundle bundle = {0};
    char name[32];

    folder_create();
    cr_assert_eq(hg_publish_text(in_folder("7.csv"), "old\n"), HG_OK);
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "%d.csv", i);
        cr_assert_eq(put(&bundle, name, name), HG_OK);
        cr_expect_eq(hg_file_exists(in_folder(name)), i == 7);
    }
    expect_line("7.csv", "old");
    cr_assert_eq(hg_bundle_publish(&bundle), HG_OK);
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "%d.csv", i);
        expect_line(name, name);
    }
    cr_expect_eq(count_files(), 12);
    hg_bundle_clear(&bundle);
    cr_expect_eq(count_files(), 12);
    folder_remove();
}

Test(bundle, what_is_not_published_leaves_nothing)
{
    hg_bundle bundle = {0};
    hg_text text = {0};

    folder_create();
    cr_assert_eq(hg_publish_text(in_folder("a.csv"), "old\n"), HG_OK);
    cr_assert_eq(put(&bundle, "a.csv", "new"), HG_OK);
    cr_assert_eq(put(&bundle, "nowhere/b.csv", "new"), HG_E_WRITE);
    cr_assert_eq(hg_text_add(&text, "half a table"), HG_OK);
    cr_assert_eq(hg_bundle_text(&bundle, NULL, HG_E_MEMORY, &text), HG_E_MEMORY);
    hg_bundle_clear(&bundle);
    cr_expect_eq(count_files(), 1);
    expect_line("a.csv", "old");
    folder_remove();
}

Test(bundle, a_rename_that_fails_takes_back_those_before_it)
{
    hg_bundle bundle = {0};

    folder_create();
    cr_assert_eq(put(&bundle, "a.csv", "new"), HG_OK);
    cr_assert_eq(put(&bundle, "b.csv", "new"), HG_OK);
    cr_assert_eq(put(&bundle, "c.csv", "new"), HG_OK);
    cr_assert_eq(mkdir(in_folder("b.csv"), 0777), 0); /* where no file can go */
    cr_assert_eq(hg_bundle_publish(&bundle), HG_E_WRITE);
    cr_expect_eq(count_files(), 0);
    folder_remove();
}

Test(bundle, what_would_have_been_replaced_comes_back)
{
    hg_bundle bundle = {0};

    folder_create();
    cr_assert_eq(hg_publish_text(in_folder("a.csv"), "old\n"), HG_OK);
    cr_assert_eq(hg_publish_text(in_folder("d.csv"), "old\n"), HG_OK);
    cr_assert_eq(put(&bundle, "a.csv", "new"), HG_OK);
    cr_assert_eq(put(&bundle, "b.csv", "new"), HG_OK);
    cr_assert_eq(put(&bundle, "c.csv", "new"), HG_OK);
    cr_assert_eq(put(&bundle, "d.csv", "new"), HG_OK);
    cr_assert_eq(mkdir(in_folder("c.csv"), 0777), 0);
    cr_assert_eq(hg_bundle_publish(&bundle), HG_E_WRITE);
    expect_line("a.csv", "old");
    expect_line("d.csv", "old");
    cr_expect_eq(count_files(), 2);
    folder_remove();
}
