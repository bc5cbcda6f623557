/* The names stand in the first line that is no comment, when one of its fields is no number;
 * else in the first comment whose number of words is that of the fields ("#ID DescID Mvir ...",
 * the habit of halo finders). Rank 0 counts the rows once and notes where each part begins, so
 * that a rank can start at its part; each line read later must have the same number of fields.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/columns.h"
#include "store/textfile.h"

enum { MAX_FIELD = 4096 };

/* Cut a line into fields in place; returns their number, or -1 when there are too many. */
static int
split_line(char *line, int separator, char *field[])
{
    int n = 0;
    char *p = line;

    for (;;) {
        char *start, *end;

        while (separator == ' ' ? isspace((unsigned char)*p) : *p == ' ') {
            p++;
        }
        if (separator == ' ' && *p == '\0') {
            return n;
        }
        if (n == MAX_FIELD) {
            return -1;
        }
        start = p;
        while (*p != '\0' &&
               (separator == ' ' ? !isspace((unsigned char)*p) : *p != separator)) {
            p++;
        }
        end = p;
        if (*p != '\0') {
            *p++ = '\0';
        } else if (separator != ' ') {
            p = NULL;
        }
        while (end > start && isspace((unsigned char)end[-1])) {
            *--end = '\0';
        }
        if (end - start >= 2 && *start == '"' && end[-1] == '"') {
            *--end = '\0';
            start++;
        }
        field[n++] = start;
        if (p == NULL) {
            return n;
        }
    }
}

static bool
is_data(const char *line)
{
    while (isspace((unsigned char)*line)) {
        line++;
    }
    return *line != '\0' && *line != '#';
}

static bool
is_number(const char *field)
{
    char *end = NULL;

    strtod(field, &end);
    return end != field && *end == '\0';
}

/* Names of the columns of a table. */
typedef struct heading {
    hg_text text; /* the line that holds them */
    char *field[MAX_FIELD];
    int n;
    int n_field; /* fields of the first row */
} heading;

static hg_status
read_option(const hg_yaml *doc, const char *key, const char *initial, const char **value)
{
    const hg_yaml_entry *entry = hg_yaml_find(doc, "File", key);

    *value = entry != NULL && entry->n_value == 1 ? entry->value[0] : initial;
    return HG_OK;
}

static hg_status
choose_separator(const hg_yaml *doc, const char *line, int *separator)
{
    const char *text;

    HG_TRY(read_option(doc, "separator", "auto", &text));
    if (strcmp(text, "comma") == 0) {
        *separator = ',';
    } else if (strcmp(text, "tab") == 0) {
        *separator = '\t';
    } else if (strcmp(text, "space") == 0) {
        *separator = ' ';
    } else if (strcmp(text, "auto") == 0) {
        *separator = strchr(line, ',') != NULL ? ',' : ' ';
    } else {
        return HG_FAIL(HG_E_PARAM,
                       "File.separator is '%s', but may be auto, comma, space or tab", text);
    }
    return HG_OK;
}

/* The first comment with as many words as a row has fields. */
static hg_status
names_from_comment(hg_text *comments, int separator, heading *head)
{
    char *line = comments->data;

    while (line != NULL && *line != '\0') {
        char *end = strchr(line, '\n');

        *end = '\0';
        head->text.n = 0;
        HG_TRY(hg_text_add(&head->text, "%s", line + strspn(line, "# \t")));
        head->n = split_line(head->text.data, separator, head->field);
        if (head->n == head->n_field) {
            return HG_OK;
        }
        line = end + 1;
    }
    head->n = 0;
    return HG_OK;
}

/* The next line with data; comments are kept. */
static hg_status
next_data(hg_textfile *file, hg_text *comments, char **line)
{
    HG_TRY(hg_textfile_line(file, line));
    while (*line != NULL && !is_data(*line)) {
        if (**line == '#') {
            HG_TRY(hg_text_add(comments, "%s\n", *line));
        }
        HG_TRY(hg_textfile_line(file, line));
    }
    return HG_OK;
}

/* Read the head of a table up to its first row; `first` is its line number (0 = no row). */
static hg_status
read_names(const hg_yaml *doc, hg_textfile *file, int n_skip, int *separator, heading *head,
           int64_t *first, int64_t *offset)
{
    char *field[MAX_FIELD], *line = NULL;
    const char *header;
    hg_text comments = {0}, row = {0};
    hg_status status;
    bool named = false;

    *first = 0;
    HG_TRY_OR(done, status, read_option(doc, "header", "auto", &header));
    for (int i = 0; i <= n_skip; i++) {
        HG_TRY_OR(done, status, next_data(file, &comments, &line));
    }
    if (line == NULL) {
        goto done;
    }
    HG_TRY_OR(done, status, choose_separator(doc, line, separator));
    HG_TRY_OR(done, status, hg_text_add(&row, "%s", line));
    head->n_field = split_line(row.data, *separator, field);
    for (int i = 0; i < head->n_field; i++) {
        named = named || (field[i][0] != '\0' && !is_number(field[i]));
    }
    if (named && strcmp(header, "none") != 0) {
        head->text.n = 0;
        HG_TRY_OR(done, status, hg_text_add(&head->text, "%s", line));
        head->n = split_line(head->text.data, *separator, head->field);
        do {
            HG_TRY_OR(done, status, hg_textfile_line(file, &line));
        } while (line != NULL && !is_data(line));
    } else if (strcmp(header, "none") != 0) {
        HG_TRY_OR(done, status, names_from_comment(&comments, *separator, head));
    }
    if (line != NULL) {
        *first = hg_textfile_number(file);
        *offset = hg_textfile_offset(file);
    }
done:
    hg_text_clear(&comments);
    hg_text_clear(&row);
    return status;
}

/* The field of "NAME", "NAME#k", or of a number in tables without names. */
static hg_status
find_field(const heading *head, const char *path, const char *wanted, int *field)
{
    const char *hash = strrchr(wanted, '#');
    char base[128];
    int64_t k = 0;
    int seen = 0, last = -1;

    snprintf(base, sizeof base, "%s", wanted);
    if (hash != NULL && hash > wanted && hg_text_integer(hash + 1, &k) && k > 0) {
        base[hash - wanted] = '\0';
    } else {
        k = 0;
    }
    if (head->n == 0 && hg_text_integer(wanted, &k) && k >= 1 && k <= head->n_field) {
        *field = (int)k - 1;
        return HG_OK;
    }
    for (int i = 0; i < head->n; i++) {
        if (strcmp(head->field[i], base) == 0) {
            seen++;
            last = seen == k || k == 0 ? i : last;
        }
    }
    if (seen == 0 || last < 0) {
        const hg_hint hint =
            hg_text_hint(base, (size_t)head->n, (const char *const *)(const void *)head->field);

        return HG_FAIL(HG_E_NOTFOUND, "table '%s' has no column '%s'%s", path, wanted,
                       hint.text);
    }
    if (seen > 1 && k == 0) {
        return HG_FAIL(HG_E_FORMAT, "table '%s' has %d columns '%s': write '%s#1'", path, seen,
                       base, base);
    }
    *field = last;
    return HG_OK;
}

static hg_status
resolve_fields(const heading *head, const char *path, bool is_first, hg_plan *plan)
{
    for (int s = 0; s < plan->n_source; s++) {
        hg_source *source = &plan->source[s];

        for (int p = 0; p < source->n_path; p++) {
            int field = 0;

            HG_TRY(find_field(head, path, source->path[p], &field));
            if (!is_first && field != source->element[p]) {
                return HG_FAIL(HG_E_FORMAT,
                               "table '%s' has column '%s' in another place than '%s'", path,
                               source->path[p], hg_plan_path(plan, 0));
            }
            source->element[p] = field;
        }
        if (source->column.width != source->n_path) {
            return HG_FAIL(HG_E_PARAM,
                           "column '%s' needs %d sources in a text table: 'X; Y; Z, UNIT'",
                           source->column.name, source->column.width);
        }
        source->disk = HG_F64;
    }
    return HG_OK;
}

static hg_status
add_mark(hg_plan *plan, const hg_text_mark *mark)
{
    hg_text_plan *kind;

    HG_TRY(hg_mem_resize(&plan->extra, plan->n_extra + sizeof *mark, 1));
    memcpy((char *)plan->extra + plan->n_extra, mark, sizeof *mark);
    plan->n_extra += sizeof *mark;
    kind = plan->extra;
    kind->n_mark++;
    return HG_OK;
}

/* Count the rows from the current line on; a mark at the first and wherever a part begins. */
static hg_status
count_rows(hg_textfile *file, int index, int64_t first, int64_t offset, hg_plan *plan,
           int64_t *rows)
{
    char *line = NULL;

    *rows = 0;
    if (first == 0) {
        return HG_OK;
    }
    HG_TRY(hg_textfile_seek(file, offset, first));
    for (;;) {
        hg_text_mark mark = {.file = index, .row = *rows};

        HG_TRY(hg_textfile_line(file, &line));
        if (line == NULL) {
            return HG_OK;
        }
        if (!is_data(line)) {
            continue;
        }
        if (*rows == 0 || (plan->n_row + *rows) % plan->rows_per_part == 0) {
            mark.offset = hg_textfile_offset(file);
            mark.number = hg_textfile_number(file);
            HG_TRY(add_mark(plan, &mark));
        }
        ++*rows;
    }
}

static hg_status
plan_file(const hg_yaml *doc, const char *path, int index, bool *is_first, hg_plan *plan)
{
    heading *head = NULL;
    hg_textfile *file = NULL;
    hg_plan_file *added = NULL;
    int64_t first = 0, offset = 0, rows = 0;
    int separator = ',';
    hg_text_plan *kind;
    hg_status status;

    HG_TRY(hg_mem_zeros(&head, 1, sizeof *head));
    HG_TRY_OR(done, status, hg_textfile_open(path, &file));
    kind = plan->extra;
    HG_TRY_OR(done, status,
              read_names(doc, file, kind->n_skip, &separator, head, &first, &offset));
    if (head->n_field < 0) {
        status = HG_FAIL(HG_E_FORMAT, "table '%s' has more than %d columns", path, MAX_FIELD);
        goto done;
    }
    if (head->n_field > 0) {
        HG_TRY_OR(done, status, resolve_fields(head, path, *is_first, plan));
        kind = plan->extra;
        kind->separator = separator;
        kind->n_field = head->n > 0 ? head->n : head->n_field;
        *is_first = false;
    }
    HG_TRY_OR(done, status, count_rows(file, index, first, offset, plan, &rows));
    status = hg_plan_add_file(plan, path, rows, &added);
done:
    hg_textfile_close(file);
    hg_text_clear(&head->text);
    hg_mem_free(head);
    return status;
}

hg_status
hg_texttable_plan(const hg_yaml *doc, const hg_files *files, hg_plan *plan)
{
    bool is_first = true;

    for (int i = 0; i < files->n; i++) {
        HG_TRY(plan_file(doc, files->path[i], i, &is_first, plan));
    }
    return HG_OK;
}

static hg_status
not_a_number(const hg_textfile *file, const char *path, const char *column, const char *text,
             const char *what)
{
    return HG_FAIL(HG_E_FORMAT, "'%.40s' in column '%s' of '%s', line %" PRId64 " is not %s %s",
                   text, column, path, hg_textfile_number(file), what[0] == 'i' ? "an" : "a",
                   what);
}

/* All digits of an integer; ids above 2^63 keep their bits. "5.0" and "1e6" are integers too.
 */
static hg_status
store_integer(const hg_textfile *file, const char *path, const char *column, const char *text,
              int64_t *value)
{
    char *end = NULL;
    double real;

    errno = 0;
    *value = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0) {
        return HG_OK;
    }
    if (end != text && *end == '\0' && text[0] != '-') {
        errno = 0;
        *value = (int64_t)strtoull(text, &end, 10);
        if (errno == 0) {
            return HG_OK;
        }
    }
    real = strtod(text, &end);
    if (end == text || *end != '\0' || !(fabs(real) < 0x1p53) || real != floor(real)) {
        return not_a_number(file, path, column, text, "integer");
    }
    *value = (int64_t)real;
    return HG_OK;
}

/* Values of one row. */
static hg_status
store_row(const hg_textfile *file, const char *path, char *const field[], int n_source,
          const hg_source *const source[], hg_table *table, int64_t row)
{
    for (int s = 0; s < n_source; s++) {
        const hg_source *from = source[s];
        const hg_column *column = hg_table_find(table, from->column.name);

        for (int p = 0; p < from->n_path; p++) {
            const char *text = field[from->element[p]];
            const int64_t at = row * column->width + p;
            char *end = NULL;
            double value = (double)NAN;

            if (column->type == HG_COLUMN_I64 && from->factor == 1 && from->offset == 0) {
                HG_TRY(store_integer(file, path, from->path[p], text,
                                     &((int64_t *)column->data)[at]));
                continue;
            }
            if (text[0] != '\0') {
                value = strtod(text, &end);
                if (end == text || *end != '\0') {
                    return not_a_number(file, path, from->path[p], text, "number");
                }
            }
            hg_column_set(column->type, column->data, at,
                          (value + from->offset) * from->factor);
        }
    }
    return HG_OK;
}

/* The last mark of a file at or before a row. */
static const hg_text_mark *
find_mark(const hg_plan *plan, int file, int64_t row)
{
    const hg_text_plan *kind = plan->extra;
    const hg_text_mark *best = NULL;

    for (int i = 0; i < kind->n_mark; i++) {
        if (kind->mark[i].file == file && kind->mark[i].row <= row) {
            best = &kind->mark[i];
        }
    }
    return best;
}

/* Rows [from, from + n) of one file into the table from row `at`. */
static hg_status
read_file_rows(const hg_plan *plan, int f, int64_t from, int64_t n, int n_source,
               const hg_source *const source[], hg_table *table, int64_t at)
{
    const hg_text_plan *kind = plan->extra;
    const hg_text_mark *mark = find_mark(plan, f, from);
    const char *path = hg_plan_path(plan, f);
    char **field = NULL, *line = NULL;
    hg_textfile *file = NULL;
    int64_t row = mark->row;
    hg_status status;

    HG_TRY(hg_mem_array(&field, MAX_FIELD, sizeof *field));
    HG_TRY_OR(done, status, hg_textfile_open(path, &file));
    HG_TRY_OR(done, status, hg_textfile_seek(file, mark->offset, mark->number));
    while (row < from + n) {
        int got;

        HG_TRY_OR(done, status, hg_textfile_line(file, &line));
        if (line == NULL) {
            status =
                HG_FAIL(HG_E_READ, "table '%s' has fewer rows than when it was opened", path);
            goto done;
        }
        if (!is_data(line)) {
            continue;
        }
        if (row < from) {
            row++;
            continue;
        }
        got = split_line(line, kind->separator, field);
        if (got != kind->n_field) {
            status =
                HG_FAIL(HG_E_FORMAT, "line %" PRId64 " of '%s' has %d fields instead of %d",
                        hg_textfile_number(file), path, got, kind->n_field);
            goto done;
        }
        HG_TRY_OR(done, status,
                  store_row(file, path, field, n_source, source, table, at + row - from));
        row++;
    }
done:
    hg_textfile_close(file);
    hg_mem_free(field);
    return status;
}

hg_status
hg_texttable_read(const hg_plan *plan, int64_t first, int64_t n, int n_source,
                  const hg_source *const source[], hg_table *table)
{
    for (int s = 0; s < n_source; s++) {
        const hg_column *c = &source[s]->column;

        HG_TRY(hg_table_add(table, c->name, c->unit, c->type, c->width, NULL));
    }
    for (int64_t row = first; row < first + n;) {
        int f = hg_plan_find_file(plan, row);
        const hg_plan_file *file = &plan->file[f];
        int64_t count = file->first + file->rows - row;

        count = count < first + n - row ? count : first + n - row;
        HG_TRY(read_file_rows(plan, f, row - file->first, count, n_source, source, table,
                              row - first));
        row += count;
    }
    return HG_OK;
}

hg_status
hg_texttable_read_derived(const hg_plan *plan, int64_t first, int64_t n, int n_source,
                          const hg_source *const source[], hg_texttable_derive derive,
                          hg_table *table)
{
    const hg_source **all = NULL;
    hg_source *raw = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&all, (size_t)n_source, sizeof *all));
    HG_TRY_OR(done, status, hg_mem_array(&raw, (size_t)n_source, sizeof *raw));
    for (int s = 0; s < n_source; s++) {
        all[s] = source[s];
        if (source[s]->kind != 0) {
            raw[s] = *source[s];
            raw[s].column.type = HG_COLUMN_I64;
            snprintf(raw[s].column.name, HG_NAME_MAX, "#%.60s", source[s]->column.name);
            all[s] = &raw[s];
        }
    }
    status = hg_texttable_read(plan, first, n, n_source, all, table);
    for (int s = 0; s < n_source && status == HG_OK; s++) {
        if (source[s]->kind != 0) {
            status = derive(source[s], all[s]->column.name, table);
        }
    }
done:
    hg_mem_free(all);
    hg_mem_free(raw);
    return status;
}
