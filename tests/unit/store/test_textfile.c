#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "store/textfile.h"

static char path[] = "/tmp/hg-text-XXXXXX";

static void
write_bytes(const char *bytes, size_t n, bool compressed)
{
    if (compressed) {
        gzFile gz = gzopen(path, "wb");

        cr_assert_eq(gzwrite(gz, bytes, (unsigned)n), (int)n);
        gzclose(gz);
    } else {
        FILE *file = fopen(path, "wb");

        cr_assert_eq(fwrite(bytes, 1, n, file), n);
        fclose(file);
    }
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
}

TestSuite(textfile, .init = setup, .fini = teardown);

Test(textfile, lines_ends_and_offsets_are_right_plain_and_compressed)
{
    static const char text[] = "one\r\n\nthree\nlast";
    static const char *const want[] = {"one", "", "three", "last"};
    static const int64_t offset[] = {0, 5, 6, 12};

    for (int compressed = 0; compressed < 2; compressed++) {
        hg_textfile *file = NULL;
        char *line = NULL;

        write_bytes(text, sizeof text - 1, compressed);
        cr_assert_eq(hg_textfile_open(path, &file), HG_OK);
        for (int i = 0; i < 4; i++) {
            cr_assert_eq(hg_textfile_line(file, &line), HG_OK);
            cr_assert_not_null(line);
            cr_expect_str_eq(line, want[i]);
            cr_expect_eq(hg_textfile_number(file), i + 1);
            cr_expect_eq(hg_textfile_offset(file), offset[i]);
        }
        cr_assert_eq(hg_textfile_line(file, &line), HG_OK);
        cr_expect_null(line);
        cr_assert_eq(hg_textfile_seek(file, 6, 3), HG_OK);
        cr_assert_eq(hg_textfile_line(file, &line), HG_OK);
        cr_expect_str_eq(line, "three");
        cr_expect_eq(hg_textfile_number(file), 3);
        hg_textfile_close(file);
    }
}

Test(textfile, lines_longer_than_the_buffer_are_whole)
{
    enum { N = 300000 };
    char *text = malloc(2 * N + 2), *line = NULL;
    hg_textfile *file = NULL;

    memset(text, 'x', 2 * N + 2);
    text[N] = text[2 * N + 1] = '\n';
    write_bytes(text, 2 * N + 2, false);
    cr_assert_eq(hg_textfile_open(path, &file), HG_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(hg_textfile_line(file, &line), HG_OK);
        cr_assert_eq(strlen(line), N);
    }
    cr_assert_eq(hg_textfile_line(file, &line), HG_OK);
    cr_expect_null(line);
    hg_textfile_close(file);
    free(text);
}

Test(textfile, what_is_no_text_is_refused)
{
    hg_textfile *file = NULL;
    char *line = NULL, text[5000];
    hg_status status = HG_OK;
    struct stat info;

    write_bytes("a\nb\0c\n", 6, false);
    cr_assert_eq(hg_textfile_open(path, &file), HG_OK);
    cr_assert_eq(hg_textfile_line(file, &line), HG_OK);
    cr_expect_eq(hg_textfile_line(file, &line), HG_E_FORMAT);
    hg_textfile_close(file);
    for (int i = 0; i < 5000; i++) {
        text[i] = (char)(i % 50 == 49 ? '\n' : 'a' + (i * 7919 + i / 13) % 26);
    }
    write_bytes(text, sizeof text, true);
    cr_assert_eq(stat(path, &info), 0);
    cr_assert_eq(truncate(path, info.st_size / 2), 0);
    cr_assert_eq(hg_textfile_open(path, &file), HG_OK);
    for (line = text; status == HG_OK && line != NULL;) {
        status = hg_textfile_line(file, &line);
    }
    cr_expect_eq(status, HG_E_READ, "a cut file was read to its end");
    hg_textfile_close(file);
    cr_expect_eq(hg_textfile_open("/nowhere/x", &file), HG_E_NOTFOUND);
}
