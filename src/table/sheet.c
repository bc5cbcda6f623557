/* The text is cut in place. A file of a few thousand lines is read once per run, so nothing
 * here is fast. */
#include "table/sheet.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { MAX_COLUMNS = 256 };

/* Cut a line into trimmed fields in place; -1 when there are too many. */
static int
split_line(char *line, bool by_comma, char *field[MAX_COLUMNS])
{
    int n = 0;
    char *rest = line, *word;

    if (!by_comma) {
        while ((word = strtok_r(rest, " \t", &rest)) != NULL) {
            if (n == MAX_COLUMNS) {
                return -1;
            }
            field[n++] = word;
        }
        return n;
    }
    while (rest != NULL) {
        char *comma = strchr(rest, ',');

        if (n == MAX_COLUMNS) {
            return -1;
        }
        if (comma != NULL) {
            *comma = '\0';
        }
        field[n++] = hg_text_trim(rest, strlen(rest) + 1, rest);
        rest = comma != NULL ? comma + 1 : NULL;
    }
    return n;
}

static int
count_words(const char *line)
{
    int n = 0;

    for (const char *p = line; *p != '\0'; p++) {
        n += !isspace((unsigned char)*p) && (p == line || isspace((unsigned char)p[-1]));
    }
    return n;
}

static hg_status
add_row(const char *path, int line, int n, char *const field[], hg_sheet *sheet)
{
    const size_t rows = sheet->line == NULL ? 0 : (size_t)sheet->n_row + 1;

    if (n < 0 || (rows > 0 && n != sheet->n_column)) {
        return n < 0 ? HG_FAIL(HG_E_FORMAT, "'%s', line %d: more than %d fields", path, line,
                               MAX_COLUMNS)
                     : HG_FAIL(HG_E_FORMAT, "'%s', line %d: %d fields, the header line has %d",
                               path, line, n, sheet->n_column);
    }
    sheet->n_column = n;
    HG_TRY(hg_mem_resize(&sheet->field, (rows + 1) * (size_t)n, sizeof *sheet->field));
    HG_TRY(hg_mem_resize(&sheet->line, rows + 1, sizeof *sheet->line));
    memcpy(sheet->field + rows * (size_t)n, field, (size_t)n * sizeof *field);
    sheet->line[rows] = line;
    sheet->n_row = (int)rows;
    return HG_OK;
}

static bool
holds_number(int n, char *const field[])
{
    double value;
    bool found = false;

    for (int i = 0; i < n; i++) {
        found = found || hg_text_real(field[i], &value);
    }
    return found;
}

static hg_status
cut_text(const char *path, hg_sheet *sheet)
{
    char *rest = NULL, *field[MAX_COLUMNS], *comment = NULL;
    bool by_comma = false;
    int line = 0, comment_line = 0;

    for (char *p = sheet->text; p != NULL && *p != '\0'; p = rest) {
        int n;

        rest = strchr(p, '\n');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        line++;
        hg_text_trim(p, strlen(p) + 1, p);
        if (p[0] == '#' && sheet->line == NULL) {
            comment = p + 1;
            comment_line = line;
        }
        if (p[0] == '\0' || p[0] == '#') {
            continue;
        }
        by_comma = sheet->line == NULL ? strchr(p, ',') != NULL : by_comma;
        n = split_line(p, by_comma, field);
        if (sheet->line == NULL && comment != NULL && !by_comma && n == count_words(comment) &&
            holds_number(n, field)) {
            char *name[MAX_COLUMNS];

            HG_TRY(add_row(path, comment_line, split_line(comment, false, name), name, sheet));
        }
        HG_TRY(add_row(path, line, n, field, sheet));
    }
    return sheet->line != NULL ? HG_OK
                               : HG_FAIL(HG_E_INPUT, "table '%s' has no header line", path);
}

hg_status
hg_sheet_read(const char *path, hg_sheet *sheet)
{
    hg_text text = {0};
    hg_status status = hg_text_read(path, &text);

    *sheet = (hg_sheet){.text = text.data};
    return status == HG_OK ? cut_text(path, sheet) : status;
}

void
hg_sheet_clear(hg_sheet *sheet)
{
    hg_mem_free(sheet->text);
    hg_mem_free(sheet->field);
    hg_mem_free(sheet->line);
    *sheet = (hg_sheet){0};
}

const char *
hg_sheet_name(const hg_sheet *sheet, int column)
{
    return sheet->field[column];
}

const char *
hg_sheet_field(const hg_sheet *sheet, int row, int column)
{
    return sheet->field[(row + 1) * sheet->n_column + column];
}
