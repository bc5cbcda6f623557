/* Rows with the lowest words, which follow from their keys: a larger sample holds a smaller
 * one. */
#include "explain/row_sample.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "base/random.h"

int
hg_row_word_order(const void *a, const void *b)
{
    const hg_row_word *p = a, *q = b;

    return p->word != q->word ? (p->word < q->word ? -1 : 1)
                              : (p->row > q->row) - (p->row < q->row);
}

hg_status
hg_row_sample(const hg_validation *v, int64_t most, int64_t *n, int64_t **row)
{
    hg_row_word *list = NULL;

    *n = most < v->rows.n ? most : v->rows.n;
    HG_TRY(hg_mem_array(row, (size_t)*n, sizeof **row));
    HG_TRY(hg_mem_array(&list, (size_t)v->rows.n, sizeof *list));
    for (int64_t i = 0; i < v->rows.n; i++) {
        list[i] = (hg_row_word){hg_mix64(v->rows.key[i] + (uint64_t)v->params->meta.seed), i};
    }
    qsort(list, (size_t)v->rows.n, sizeof *list, hg_row_word_order);
    for (int64_t i = 0; i < *n; i++) {
        (*row)[i] = list[i].row;
    }
    qsort(*row, (size_t)*n, sizeof **row, hg_order_i64);
    hg_mem_free(list);
    return HG_OK;
}
