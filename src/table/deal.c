/* One column at a time, because tables of different columns would need an exchange of their own
 * each, and all columns at once twice the memory. */
#include "table/deal.h"

#include <string.h>

#include "base/memory.h"

size_t
hg_column_type_size(hg_column_type type)
{
    static const size_t size[] = {[HG_COLUMN_F64] = 8,
                                  [HG_COLUMN_F32] = 4,
                                  [HG_COLUMN_I64] = 8,
                                  [HG_COLUMN_I32] = 4,
                                  [HG_COLUMN_U8] = 1};

    return size[type];
}

hg_status
hg_table_deal(const hg_comm *comm, const hg_table *table, const int target[], hg_table *mine)
{
    hg_status status = HG_OK;

    *mine = (hg_table){.frame = table->frame};
    for (int c = 0; c < table->n_column && status == HG_OK; c++) {
        const hg_column *from = &table->column[c];
        const size_t row = (size_t)from->width * hg_column_type_size(from->type);
        void *got = NULL, *data = NULL;
        int64_t n = 0;

        HG_TRY(hg_comm_exchange(comm, table->n, row, from->data, target, &n, &got));
        mine->n = n;
        status = hg_table_add(mine, from->name, from->unit, from->type, from->width, &data);
        if (status == HG_OK && n > 0) {
            memcpy(data, got, (size_t)n * row);
        }
        hg_mem_free(got);
        status = hg_comm_agree(comm, status);
    }
    return status;
}

hg_status
hg_table_view(const hg_table *table, int64_t first, int64_t n, hg_table *view)
{
    *view = (hg_table){.n = n, .first = first, .n_column = table->n_column};
    view->frame = table->frame;
    HG_TRY(hg_mem_array(&view->column, (size_t)table->n_column, sizeof *view->column));
    for (int i = 0; i < table->n_column; i++) {
        const hg_column *c = &table->column[i];

        view->column[i] = *c;
        view->column[i].data =
            n == 0 ? NULL
                   : (char *)c->data + first * c->width * (int64_t)hg_column_type_size(c->type);
    }
    return HG_OK;
}
