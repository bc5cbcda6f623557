/* Rows that an expression picks. */
#include "base/memory.h"
#include "table/expression.h"

hg_status
hg_expression_keep(const hg_expression *expression, const hg_table *table, uint8_t keep[])
{
    double *value = NULL;
    hg_status status;

    if (expression == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&value, (size_t)table->n, sizeof *value));
    status = hg_expression_evaluate(expression, table, value);
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        keep[i] = keep[i] && hg_expression_picks(value[i]);
    }
    hg_mem_free(value);
    return status;
}
