#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/journal.h"
#include "test_folder.h"

TestSuite(journal, .timeout = 60);

static const char identity[] = "Meta.seed: 3\nmodel: \"a\\b\"\n";

static hg_status
collect(void *context, const char *line)
{
    return hg_text_add(context, "%s\n", line);
}

/* The lines of the journal "j", or NULL when it is refused. */
static char *
lines_of(const char *wanted)
{
    hg_text text = {0};
    char *lines = NULL;

    if (hg_journal_read(in_folder("j"), "subject", wanted, collect, &text) == HG_OK) {
        lines = strdup(hg_text_string(&text));
    }
    hg_text_clear(&text);
    return lines;
}

static void
expect_lines(const char *expected)
{
    char *lines = lines_of(identity);

    cr_assert_not_null(lines, "%s", hg_error_last()->message);
    cr_assert_str_eq(lines, expected);
    free(lines);
}

static size_t
read_bytes(char data[4096])
{
    FILE *file = fopen(in_folder("j"), "rb");
    const size_t n = fread(data, 1, 4096, file);

    fclose(file);
    return n;
}

static void
write_bytes(const char *data, size_t n)
{
    FILE *file = fopen(in_folder("j"), "wb");

    cr_assert_eq(fwrite(data, 1, n, file), n);
    fclose(file);
}

static void
write_journal(void)
{
    cr_assert_eq(hg_journal_begin(in_folder("j"), identity, "{\"a\": 1}\n{\"a\": 2}\n"), HG_OK);
    cr_assert_eq(hg_journal_append(in_folder("j"), "{\"a\": 3}"), HG_OK);
    cr_assert_eq(hg_journal_append(in_folder("j"), "{\"a\": 4}\n{\"a\": 5}\n"), HG_OK);
}

Test(journal, lines_come_back_as_they_were_given)
{
    folder_create();
    write_journal();
    expect_lines("{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n{\"a\": 4}\n{\"a\": 5}\n");
    cr_assert_null(lines_of("Meta.seed: 4\nmodel: \"a\\b\"\n"));
    cr_assert(strstr(hg_error_last()->message, "'Meta.seed' has changed") != NULL);
    folder_remove();
}

/* Whatever single byte is changed, and wherever the file ends: the lines that come back are
 * among those that were given, in their order, or the journal is refused. */
Test(journal, no_damaged_line_is_taken)
{
    char good[4096], bad[4096];
    size_t n;

    folder_create();
    write_journal();
    n = read_bytes(good);
    for (size_t at = 0; at < 2 * n; at++) {
        const char *next = "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n{\"a\": 4}\n{\"a\": 5}\n";
        char *lines;

        memcpy(bad, good, n);
        bad[at % n] ^= (char)(1 + at % 255);
        write_bytes(bad, at < n ? n : at - n);
        lines = lines_of(identity);
        for (const char *line = lines; line != NULL && *line != '\0'; line += 9) {
            char one[10];

            snprintf(one, sizeof one, "%.9s", line);
            next = strstr(next, one);
            cr_assert_not_null(next, "byte %zu: %s", at, lines);
        }
        free(lines);
    }
    memset(bad, 0, sizeof bad);
    memcpy(bad, good, n);
    write_bytes(bad, sizeof bad); /* zeros behind the end, as a loss of power may leave them */
    expect_lines("{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n{\"a\": 4}\n{\"a\": 5}\n");
    folder_remove();
}
