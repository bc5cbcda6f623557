#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "audit/diff.h"
#include "store/h5.h"
#include "store/publish.h"
#include "store/seal.h"
#include "test_folder.h"

TestSuite(diff, .timeout = 60);

/* A file with a matrix, integers, and attributes of each kind. */
static void
make_file(const char *name, const double value[6], const int64_t whole[3], const char *text)
{
    const int64_t dims[2] = {3, 2};
    const char *const words[2] = {"one", text};
    hg_h5 *file = NULL;

    cr_assert_eq(hg_h5_create(in_folder(name), &file), HG_OK);
    cr_assert_eq(hg_h5_write(file, "a/matrix", HG_F64, 2, dims, NULL, value), HG_OK);
    cr_assert_eq(hg_h5_write(file, "a/whole", HG_I64, 1, dims, NULL, whole), HG_OK);
    cr_assert_eq(hg_h5_put_strings(file, "a", "words", 2, words), HG_OK);
    cr_assert_eq(hg_h5_put(file, "a/matrix", "numbers", HG_F64, 3, value), HG_OK);
    cr_assert_eq(hg_h5_group(file, "Provenance"), HG_OK);
    cr_assert_eq(hg_h5_put_string(file, "Provenance", "Date", name), HG_OK);
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

/* Number of differences between files "a" and "b"; `word` must stand in the report. */
static int
differences(double relative, bool provenance, const char *word)
{
    const hg_diff_options options = {
        .relative = relative, .provenance = provenance, .rows_max = 2};
    hg_findings findings = {.n_wrong = 0};
    char a[4096], b[4096];
    int n;

    snprintf(a, sizeof a, "%s", in_folder("a"));
    snprintf(b, sizeof b, "%s", in_folder("b"));
    cr_assert_eq(hg_diff_files(a, b, &options, &findings), HG_OK, "%s",
                 hg_error_last()->message);
    n = findings.n_wrong;
    cr_expect(strstr(hg_text_string(&findings.text), word) != NULL, "no '%s' in\n%s", word,
              hg_text_string(&findings.text));
    hg_findings_clear(&findings);
    return n;
}

static const double values[6] = {1, 2, (double)NAN, 4, 5, -0.0};
static const int64_t wholes[3] = {1, INT64_MAX, 3};

Test(diff, equal_content_is_equal_whatever_the_provenance)
{
    folder_create();
    make_file("a", values, wholes, "two");
    make_file("b", values, wholes, "two");
    cr_expect_eq(differences(0, false, "3 groups"), 0);
    cr_expect_eq(differences(0, true, "Provenance@Date"), 1);
    folder_remove();
}

Test(diff, each_kind_of_difference_is_found)
{
    double near[6];
    int64_t other[3];

    memcpy(near, values, sizeof near);
    near[4] = 5.0005;
    folder_create();
    make_file("a", values, wholes, "two");
    make_file("b", near, wholes, "two");
    cr_expect_eq(differences(0, false, "'a/matrix': 1 of 6 values, largest difference 0.0005"),
                 1);
    cr_expect_eq(differences(1e-3, false, "same"), 0);
    near[4] = (double)NAN;
    make_file("b", near, wholes, "two");
    cr_expect_eq(differences(1e-3, false, "first in row 2: 5 against nan"), 1);
    make_file("b", values, wholes, "three");
    cr_expect_eq(differences(0, false, "'a@words', line 2: 'two' against 'three'"), 1);
    memcpy(other, wholes, sizeof other);
    other[1]--; /* the same double */
    make_file("b", values, other, "two");
    cr_expect_eq(differences(0, false, "'a/whole': 1 of 3 values"), 1);
    near[4] = 5;
    near[1] = 3; /* in the attribute too */
    make_file("b", near, wholes, "two");
    cr_expect_eq(differences(0, false, "'a/matrix@numbers'"), 2);
    folder_remove();
}

Test(diff, a_file_with_a_broken_seal_is_not_opened)
{
    const hg_diff_options options = {.relative = 0};
    hg_findings findings = {.n_wrong = 0};
    char a[4096];
    FILE *file;

    folder_create();
    make_file("a", values, wholes, "two");
    snprintf(a, sizeof a, "%s", in_folder("a"));
    cr_assert_eq(hg_seal_put(a), HG_OK);
    cr_assert_eq(hg_diff_files(a, a, &options, &findings), HG_OK);
    file = fopen(a, "r+b");
    fputc(0, file);
    fclose(file);
    cr_assert_eq(hg_diff_files(a, a, &options, &findings), HG_E_VERIFY);
    hg_findings_clear(&findings);
    folder_remove();
}

/* A catalogue of a master and two parts, and its manifest. */
static void
make_catalogue(void)
{
    static const char *const names[] = {"cat.hdf5", "cat.0.hdf5", "cat.1.hdf5"};
    hg_text text = {0};

    for (int i = 0; i < 3; i++) {
        uint64_t hash;
        int64_t bytes;

        make_file(names[i], values, wholes, "two");
        cr_assert_eq(hg_file_hash(in_folder(names[i]), &hash, &bytes), HG_OK);
        cr_assert_eq(hg_text_add(&text, "XXH3 (%s) = %016" PRIx64 "\n", names[i], hash), HG_OK);
    }
    cr_assert_eq(hg_publish_text(in_folder("cat.xxh3"), hg_text_string(&text)), HG_OK);
    hg_text_clear(&text);
}

static hg_status
compare_with_itself(const char *name)
{
    const hg_diff_options options = {.relative = 0};
    hg_findings findings = {.n_wrong = 0};
    char path[4096];
    hg_status status;

    snprintf(path, sizeof path, "%s", in_folder(name));
    status = hg_diff_files(path, path, &options, &findings);
    hg_findings_clear(&findings);
    return status;
}

Test(diff, what_a_manifest_lists_otherwise_is_not_opened)
{
    FILE *file;

    folder_create();
    make_catalogue();
    cr_assert_eq(compare_with_itself("cat.hdf5"), HG_OK, "%s", hg_error_last()->message);
    cr_assert_eq(compare_with_itself("cat.1.hdf5"), HG_OK, "%s", hg_error_last()->message);
    file = fopen(in_folder("cat.1.hdf5"), "r+b");
    fseek(file, -1, SEEK_END); /* where HDF5 sees nothing wrong */
    fputc('x', file);
    fclose(file);
    cr_expect_eq(compare_with_itself("cat.1.hdf5"), HG_E_VERIFY);
    cr_expect(strstr(hg_error_last()->message, "'cat.1.hdf5' does not match") != NULL, "%s",
              hg_error_last()->message);
    cr_expect_eq(compare_with_itself("cat.hdf5"), HG_E_VERIFY);
    cr_expect_eq(compare_with_itself("cat.0.hdf5"), HG_OK);
    cr_assert_eq(remove(in_folder("cat.xxh3")), 0);
    cr_expect_eq(compare_with_itself("cat.1.hdf5"), HG_OK);
    folder_remove();
}

Test(diff, what_one_file_lacks_is_found_from_both_sides)
{
    const int64_t one = 1;
    hg_h5 *file = NULL;

    folder_create();
    make_file("a", values, wholes, "two");
    cr_assert_eq(hg_h5_create(in_folder("b"), &file), HG_OK);
    cr_assert_eq(hg_h5_write(file, "a/matrix", HG_F64, 1, &one, NULL, values), HG_OK);
    cr_assert_eq(hg_h5_write(file, "c", HG_F64, 1, &one, NULL, values), HG_OK);
    cr_assert_eq(hg_h5_close(file), HG_OK);
    /* shape of matrix, its attribute, whole, words, and c */
    cr_expect_eq(differences(0, false, "'c' is in"), 5);
    folder_remove();
}
