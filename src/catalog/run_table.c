/* The lines travel with the plan as plain numbers, sorted by run, so that any rank can add the
 * columns to any part. */
#include "catalog/run_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "table/sheet.h"

/* One line of the table in the plan: the run and then n_run_value numbers. */
static size_t
line_bytes(const hg_plan *plan)
{
    return sizeof(int64_t) + (size_t)plan->n_run_value * sizeof(double);
}

static int
compare_lines(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Store a row of the sheet as the next line. */
static hg_status
add_line(const char *path, const hg_sheet *sheet, int row, int64_t run, hg_plan *plan)
{
    char *line = (char *)plan->run + (size_t)plan->n_run * line_bytes(plan);

    memcpy(line, &run, sizeof run);
    for (int c = 1; c < sheet->n_column; c++) {
        const char *text = hg_sheet_field(sheet, row, c);
        double value;

        if (!hg_text_real(text, &value)) {
            return HG_FAIL(HG_E_FORMAT, "'%s', line %d: '%s' in column '%s' is not a number",
                           path, sheet->line[row + 1], text, hg_sheet_name(sheet, c));
        }
        memcpy(line + sizeof run + (size_t)(c - 1) * sizeof value, &value, sizeof value);
    }
    plan->n_run++;
    return HG_OK;
}

static hg_status
add_all_lines(const char *path, const hg_sheet *sheet, hg_plan *plan)
{
    for (int row = 0; row < sheet->n_row; row++) {
        const char *text = hg_sheet_field(sheet, row, 0);
        int64_t run;

        if (!hg_text_integer(text, &run)) {
            return HG_FAIL(HG_E_FORMAT,
                           "'%s', line %d: '%s' in column '%s' is not an integer, as the "
                           "catalogue's column of that name is",
                           path, sheet->line[row + 1], text, hg_sheet_name(sheet, 0));
        }
        HG_TRY(add_line(path, sheet, row, run, plan));
    }
    qsort(plan->run, (size_t)plan->n_run, line_bytes(plan), compare_lines);
    for (int i = 1; i < plan->n_run; i++) {
        const char *line = (const char *)plan->run + (size_t)i * line_bytes(plan);

        if (compare_lines(line - line_bytes(plan), line) == 0) {
            int64_t run;

            memcpy(&run, line, sizeof run);
            return HG_FAIL(HG_E_INPUT, "run table '%s' lists run %" PRId64 " twice", path, run);
        }
    }
    return HG_OK;
}

/* The line of the run as a whole. */
static hg_status
add_named_line(const char *path, const hg_sheet *sheet, const char *name, hg_plan *plan)
{
    const char **names = NULL;
    int found = -1;
    hg_status status;

    for (int row = 0; row < sheet->n_row; row++) {
        if (strcmp(hg_sheet_field(sheet, row, 0), name) == 0) {
            if (found >= 0) {
                return HG_FAIL(HG_E_INPUT, "run table '%s' lists run '%s' twice", path, name);
            }
            found = row;
        }
    }
    if (found >= 0) {
        return add_line(path, sheet, found, 0, plan);
    }
    HG_TRY(hg_mem_array(&names, (size_t)sheet->n_row, sizeof *names));
    for (int row = 0; row < sheet->n_row; row++) {
        names[row] = hg_sheet_field(sheet, row, 0);
    }
    status = HG_FAIL(HG_E_NOTFOUND,
                     "run table '%s' has no line for run '%s'%s, and the catalogue has no "
                     "column '%s' that tells runs apart",
                     path, name, hg_text_aside(name, (size_t)sheet->n_row, names).text,
                     hg_sheet_name(sheet, 0));
    hg_mem_free(names);
    return status;
}

static hg_status
add_columns(const char *path, const hg_sheet *sheet, hg_plan *plan)
{
    for (int c = 1; c < sheet->n_column; c++) {
        hg_source *source = NULL;

        if (hg_plan_find(plan, hg_sheet_name(sheet, c)) != NULL) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' is a column of run table '%s' and also of the catalogue, or "
                           "stands there twice: rename it",
                           hg_sheet_name(sheet, c), path);
        }
        HG_TRY(hg_plan_add_source(plan, hg_sheet_name(sheet, c), &source));
        source->derived = true;
        source->run_value = c;
        source->column.type = HG_COLUMN_F64;
        source->column.width = 1;
        source->column.unit[0] = '\0';
    }
    return HG_OK;
}

static hg_status
plan_sheet(const hg_catalog_options *options, const hg_sheet *sheet, hg_plan *plan)
{
    const char *path = options->run_table, *key = hg_sheet_name(sheet, 0);
    const bool by_row = hg_plan_find(plan, key) != NULL;

    if (sheet->n_column < 2 || strlen(key) >= sizeof plan->run_key) {
        return HG_FAIL(HG_E_FORMAT,
                       "run table '%s' needs a first column that tells the run and at least "
                       "one more",
                       path);
    }
    if (sheet->n_row == 0) {
        return HG_FAIL(HG_E_INPUT, "run table '%s' lists no runs", path);
    }
    HG_TRY(add_columns(path, sheet, plan));
    plan->n_run_value = sheet->n_column - 1;
    HG_TRY(hg_mem_array(&plan->run, (size_t)sheet->n_row, line_bytes(plan)));
    if (by_row) {
        strcpy(plan->run_key, key);
        return add_all_lines(path, sheet, plan);
    }
    return add_named_line(path, sheet, options->run != NULL ? options->run : "", plan);
}

hg_status
hg_run_table_plan(const hg_catalog_options *options, hg_plan *plan)
{
    hg_sheet sheet = {0};
    hg_status status;

    if (options->run_table == NULL) {
        return HG_OK;
    }
    status = hg_sheet_read(options->run_table, &sheet);
    if (status == HG_OK) {
        status = plan_sheet(options, &sheet, plan);
    }
    hg_sheet_clear(&sheet);
    HG_TRY(status);
    plan->identity = hg_hash_more(plan->identity, plan->run, hg_run_table_bytes(plan));
    return HG_OK;
}

size_t
hg_run_table_bytes(const hg_plan *plan)
{
    return (size_t)plan->n_run * line_bytes(plan);
}

/* Values of the line of a run, or NULL. */
static const char *
find_line(const hg_plan *plan, int64_t run)
{
    const char *line =
        bsearch(&run, plan->run, (size_t)plan->n_run, line_bytes(plan), compare_lines);

    return line != NULL ? line + sizeof run : NULL;
}

hg_status
hg_run_table_read(const hg_plan *plan, int n_name, const char *const names[], hg_table *table)
{
    for (int c = 0; c < n_name; c++) {
        const hg_source *source = hg_plan_find(plan, names[c]);
        const hg_column *key;
        double *value = NULL;

        if (source == NULL || source->run_value == 0 ||
            hg_table_find(table, names[c]) != NULL) {
            continue;
        }
        HG_TRY(hg_table_add(table, names[c], "", HG_COLUMN_F64, 1, &value));
        key = plan->run_key[0] != '\0' ? hg_table_find(table, plan->run_key) : NULL;
        for (int64_t i = 0; i < table->n; i++) {
            const char *line =
                plan->n_run > 0 ? find_line(plan, key != NULL ? hg_column_integer(key, i) : 0)
                                : NULL;

            value[i] =
                source->run_value == HG_RUN_REDSHIFT ? plan->frame.redshift : (double)NAN;
            if (line != NULL && source->run_value > 0) {
                memcpy(&value[i], line + (size_t)(source->run_value - 1) * sizeof(double),
                       sizeof(double));
            }
        }
    }
    return HG_OK;
}
