/** Rows of a table on their way to other ranks, and parts of a table. Layer: table. */
#ifndef HG_TABLE_DEAL_H
#define HG_TABLE_DEAL_H

#include "halograft/comm.h"
#include "halograft/table.h"

/** Bytes of one element of a type.
 *
 * @local
 */
size_t hg_column_type_size(hg_column_type type);

/** Send each row to a rank, one column at a time, so that memory stays at two copies of one.
 * Rows of one sender stay in order, senders come in rank order.
 *
 * @collective{comm}
 * @param[in]  table   this rank's rows; the same columns on all ranks
 * @param[in]  target  shape (table->n), the rank that gets a row
 * @param[out] mine    release with hg_table_clear(), also after a failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_table_deal(const hg_comm *comm, const hg_table *table,
                                      const int target[], hg_table *mine);

/** Borrow rows [first, first + n): a table whose columns point into another.
 *
 * @local
 * @param[out] view  release with hg_mem_free(view->column); it does not outlive the table
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_table_view(const hg_table *table, int64_t first, int64_t n,
                                      hg_table *view);

#endif
