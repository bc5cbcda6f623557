/* The identity is a JSON string, and the last entry of every line the hash of the line without
 * it, so that every line of a journal is a JSON object that shows whether it is whole. */
#include "store/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"
#include "store/publish.h"
#include "store/textfile.h"

#define SUM ", \"xxh3\": \"%016" PRIx64 "\"}"
enum { SUM_LENGTH = 29 };

/* Add lines, each with its hash; the end of the last may be missing. */
static hg_status
add_lines(const char *lines, hg_text *text)
{
    for (size_t n; *lines != '\0'; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        HG_ASSERT(n > 0 && lines[n - 1] == '}');
        HG_TRY(hg_text_append(text, lines, n - 1));
        HG_TRY(hg_text_add(text, SUM "\n", hg_hash_bytes(lines, n)));
    }
    return HG_OK;
}

/* Undo add_lines() in place; false when the line is not whole. */
static bool
take_sum(char *line)
{
    const size_t n = strlen(line);
    char wanted[SUM_LENGTH + 1], is[SUM_LENGTH + 1], *sum;

    if (n <= SUM_LENGTH) {
        return false;
    }
    sum = line + n - SUM_LENGTH;
    memcpy(wanted, sum, sizeof wanted);
    memcpy(sum, "}", 2);
    snprintf(is, sizeof is, SUM, hg_hash_bytes(line, n - SUM_LENGTH + 1));
    return strcmp(wanted, is) == 0;
}

static hg_status
add_head(const char *identity, hg_text *text)
{
    HG_TRY(hg_text_add(text, "{\"identity\": \""));
    for (const char *p = identity; *p != '\0'; p++) {
        const char *escaped = *p == '\n'   ? "\\n"
                              : *p == '"'  ? "\\\""
                              : *p == '\\' ? "\\\\"
                                           : "";

        HG_TRY(*escaped != '\0' ? hg_text_append(text, escaped, 2)
                                : hg_text_append(text, p, 1));
    }
    return hg_text_add(text, "\"}\n");
}

hg_status
hg_journal_begin(const char *path, const char *identity, const char *lines)
{
    hg_text head = {0}, text = {0};
    hg_status status;

    HG_TRY_OR(done, status, add_head(identity, &head));
    HG_TRY_OR(done, status, add_lines(hg_text_string(&head), &text));
    HG_TRY_OR(done, status, add_lines(lines, &text));
    status = hg_publish_text(path, hg_text_string(&text));
done:
    hg_text_clear(&head);
    hg_text_clear(&text);
    return status;
}

static hg_status
append_text(const char *path, const hg_text *text)
{
    FILE *file = fopen(path, "ab");
    bool ok;

    if (file == NULL) {
        return HG_FAIL(HG_E_WRITE, "journal '%s' cannot be opened: %s", path, strerror(errno));
    }
    ok =
        fputs(hg_text_string(text), file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    ok = fclose(file) == 0 && ok;
    return ok ? HG_OK
              : HG_FAIL(HG_E_WRITE, "journal '%s' cannot be written: %s", path,
                        strerror(errno));
}

hg_status
hg_journal_append(const char *path, const char *lines)
{
    hg_text text = {0};
    hg_status status = add_lines(lines, &text);

    status = status == HG_OK ? append_text(path, &text) : status;
    hg_text_clear(&text);
    return status;
}

/* Undo add_head() in place; false when the line is none. */
static bool
take_head(char *line, char **identity)
{
    static const char begin[] = "{\"identity\": \"";
    char *to;

    if (strncmp(line, begin, sizeof begin - 1) != 0) {
        return false;
    }
    *identity = to = line + sizeof begin - 1;
    for (char *p = *identity; *p != '"'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            *to++ = *p == 'n' ? '\n' : *p;
        } else if (*p == '\0') {
            return false;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return true;
}

static hg_status
refuse(const char *subject, const char *old, const char *new)
{
    char was[256], is[256];

    (void)hg_text_difference(old, new, sizeof was, was, is);
    return HG_FAIL(
        HG_E_INPUT,
        "'%s' cannot be resumed: '%.*s' has changed since (it was '%s', it is '%s'): "
        "undo the change, or begin anew without --resume",
        subject, (int)strcspn(is[0] != '\0' ? is : was, ":"), is[0] != '\0' ? is : was, was,
        is);
}

hg_status
hg_journal_read(const char *path, const char *subject, const char *identity,
                hg_journal_line *take, void *context)
{
    char *line = NULL, *there = NULL;
    hg_textfile *file = NULL;
    hg_status status;

    HG_TRY(hg_textfile_open(path, &file));
    HG_TRY_OR(done, status, hg_textfile_line(file, &line));
    if (line == NULL || !take_sum(line) || !take_head(line, &there)) {
        status = HG_FAIL(HG_E_FORMAT,
                         "'%s' is damaged, or no journal of this version: begin anew without "
                         "--resume",
                         path);
    } else if (strcmp(there, identity) != 0) {
        status = refuse(subject, there, identity);
    }
    while (status == HG_OK && (status = hg_textfile_line(file, &line)) == HG_OK &&
           line != NULL) {
        status = take_sum(line) ? take(context, line) : HG_OK;
    }
    status = status == HG_E_FORMAT && there != NULL ? HG_OK : status; /* zeros at the end */
done:
    hg_textfile_close(file);
    return status;
}
