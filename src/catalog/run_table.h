/** Parameters of runs (Omega_m, sigma_8, A_SN1, ...) as columns: a run table adds them to every
 * row of a catalogue, in training and in application alike.
 *
 * The table (table/sheet.h) has a line per run. Its first column tells the run: when the
 * catalogue has a column of that name, each row takes the line with the row's value, and NaN
 * where the table has none; else all rows take the line of the run's name. The other columns
 * are numbers without dimension. Layer: catalog.
 */
#ifndef HG_CATALOG_RUN_TABLE_H
#define HG_CATALOG_RUN_TABLE_H

#include "catalog/format.h"

/** Add the columns of options->run_table, if there is one, to a plan; rank 0.
 *
 * @local
 * @param[in,out] plan  with all other columns
 * @return HG_OK; HG_E_NOTFOUND when there is no such file or no line for the run, naming both;
 * HG_E_FORMAT naming line and column; HG_E_INPUT for a table without lines, a run that is
 * listed twice or a column that the catalogue has already; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_run_table_plan(const hg_catalog_options *options, hg_plan *plan);

/** Bytes of hg_plan.run.
 *
 * @local
 */
size_t hg_run_table_bytes(const hg_plan *plan);

/** Add those of the named columns that stand in the run table, and `redshift` where it is that
 * of the frame, to rows that were read.
 *
 * @local
 * @param[in]     names  shape (n_name); others are ignored
 * @param[in,out] table  has the column plan->run_key, if that is not ""
 */
HG_MUST_CHECK hg_status hg_run_table_read(const hg_plan *plan, int n_name,
                                          const char *const names[], hg_table *table);

#endif
