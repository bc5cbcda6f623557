/* Columns live in one growing array; their data are separate aligned blocks, so that adding a
 * column never moves another one's data. */
#include "halograft/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const size_t type_size[] = {8, 4, 8, 4, 1};

static size_t
row_bytes(const hg_column *column)
{
    return type_size[column->type] * (size_t)column->width;
}

void
hg_table_clear(hg_table *table)
{
    for (int i = 0; i < table->n_column; i++) {
        hg_mem_free(table->column[i].data);
    }
    hg_mem_free(table->column);
    *table = (hg_table){.frame = table->frame};
}

const hg_column *
hg_table_find(const hg_table *table, const char *name)
{
    for (int i = 0; i < table->n_column; i++) {
        if (strcmp(table->column[i].name, name) == 0) {
            return &table->column[i];
        }
    }
    return NULL;
}

hg_status
hg_table_need(const hg_table *table, const char *name, const hg_column **column)
{
    const char *names[256];
    int n = table->n_column < 256 ? table->n_column : 256;

    *column = hg_table_find(table, name);
    if (*column != NULL) {
        return HG_OK;
    }
    for (int i = 0; i < n; i++) {
        names[i] = table->column[i].name;
    }
    return HG_FAIL(HG_E_NOTFOUND, "there is no column '%s'%s", name,
                   hg_text_hint(name, (size_t)n, names).text);
}

hg_status
hg_table_add(hg_table *table, const char *name, const char *unit, hg_column_type type,
             int width, void *data)
{
    hg_column *column;
    void *block = NULL;

    if (strlen(name) >= HG_NAME_MAX || strlen(unit) >= HG_UNIT_MAX) {
        return HG_FAIL(HG_E_ARG, "name '%s' or unit '%s' of a column is too long", name, unit);
    }
    HG_TRY(hg_mem_array(&block, (size_t)table->n * (size_t)width, type_size[type]));
    hg_table_drop(table, name);
    if (table->n_column == table->room) {
        int room = 2 * table->room + 16;

        if (hg_mem_resize(&table->column, (size_t)room, sizeof *table->column) != HG_OK) {
            hg_mem_free(block);
            return hg_error_last()->status;
        }
        table->room = room;
    }
    column = &table->column[table->n_column++];
    *column = (hg_column){.type = type, .width = width, .data = block};
    snprintf(column->name, sizeof column->name, "%s", name);
    snprintf(column->unit, sizeof column->unit, "%s", unit);
    if (data != NULL) {
        memcpy(data, &block, sizeof block);
    }
    return HG_OK;
}

static void *
typed(const hg_table *table, const char *name, hg_column_type type)
{
    const hg_column *column = hg_table_find(table, name);

    HG_ASSERT(column != NULL && column->type == type);
    return column->data;
}

double *
hg_table_f64(const hg_table *table, const char *name)
{
    return typed(table, name, HG_COLUMN_F64);
}

float *
hg_table_f32(const hg_table *table, const char *name)
{
    return typed(table, name, HG_COLUMN_F32);
}

int64_t *
hg_table_i64(const hg_table *table, const char *name)
{
    return typed(table, name, HG_COLUMN_I64);
}

int32_t *
hg_table_i32(const hg_table *table, const char *name)
{
    return typed(table, name, HG_COLUMN_I32);
}

uint8_t *
hg_table_u8(const hg_table *table, const char *name)
{
    return typed(table, name, HG_COLUMN_U8);
}

double
hg_column_value(const hg_column *column, int64_t i, int k)
{
    const int64_t at = i * column->width + k;

    switch (column->type) {
    case HG_COLUMN_F64:
        return ((const double *)column->data)[at];
    case HG_COLUMN_F32:
        return (double)((const float *)column->data)[at];
    case HG_COLUMN_I64:
        return (double)((const int64_t *)column->data)[at];
    case HG_COLUMN_I32:
        return (double)((const int32_t *)column->data)[at];
    case HG_COLUMN_U8:
        return (double)((const uint8_t *)column->data)[at];
    }
    return 0;
}

int64_t
hg_column_integer(const hg_column *column, int64_t i)
{
    double value;

    if (column->type == HG_COLUMN_I64) {
        return ((const int64_t *)column->data)[i * column->width];
    }
    value = hg_column_value(column, i, 0);
    return fabs(value) < 0x1p63 ? (int64_t)value : -1;
}

void
hg_table_drop(hg_table *table, const char *name)
{
    for (int i = 0; i < table->n_column; i++) {
        if (strcmp(table->column[i].name, name) == 0) {
            hg_mem_free(table->column[i].data);
            table->n_column--;
            memmove(&table->column[i], &table->column[i + 1],
                    (size_t)(table->n_column - i) * sizeof *table->column);
            return;
        }
    }
}

void
hg_table_keep(hg_table *table, const uint8_t keep[])
{
    int64_t n = 0;

    for (int c = 0; c < table->n_column; c++) {
        char *data = table->column[c].data;
        const size_t bytes = row_bytes(&table->column[c]);

        n = 0;
        for (int64_t i = 0; i < table->n; i++) {
            if (keep[i]) {
                memmove(data + (size_t)n++ * bytes, data + (size_t)i * bytes, bytes);
            }
        }
    }
    if (table->n_column == 0) {
        for (int64_t i = 0; i < table->n; i++) {
            n += keep[i] != 0;
        }
    }
    table->n = n;
}

hg_status
hg_table_append(hg_table *table, const hg_table *more)
{
    const int64_t n = table->n + more->n;

    if (table->n_column == 0 && table->n == 0) {
        table->frame = more->frame;
        for (int c = 0; c < more->n_column; c++) {
            const hg_column *m = &more->column[c];

            HG_TRY(hg_table_add(table, m->name, m->unit, m->type, m->width, NULL));
        }
    }
    for (int c = 0; c < table->n_column; c++) {
        const hg_column *to = &table->column[c], *from = hg_table_find(more, to->name);

        if (from == NULL || from->type != to->type || from->width != to->width) {
            return HG_FAIL(HG_E_SHAPE, "column '%s' is not the same in the tables to be joined",
                           to->name);
        }
    }
    for (int c = 0; c < table->n_column; c++) {
        hg_column *to = &table->column[c];
        const hg_column *from = hg_table_find(more, to->name);
        const size_t bytes = row_bytes(to);

        HG_TRY(hg_mem_resize(&to->data, (size_t)n, bytes));
        if (more->n > 0) {
            memcpy((char *)to->data + (size_t)table->n * bytes, from->data,
                   (size_t)more->n * bytes);
        }
    }
    table->n = n;
    return HG_OK;
}
