/** A small text table in memory: a header line that names the columns, and lines of as many
 * fields. Region tables and run tables are read with it. Layer: table.
 *
 * Fields are separated by commas, or by white space when the header has no comma; there is no
 * quoting. Empty lines and lines that begin with '#' are skipped. The header is the first other
 * line; when that one holds numbers it is a comment before it with as many words ("#Name
 * Omega_m sigma_8", the habit of simulation suites).
 */
#ifndef HG_TABLE_SHEET_H
#define HG_TABLE_SHEET_H

#include "halograft/error.h"

/** {0} is empty. */
typedef struct hg_sheet {
    int n_column;
    int n_row;
    char *text;         /**< what the fields point into */
    const char **field; /**< shape (1 + n_row, n_column), trimmed; the names come first */
    int *line;          /**< shape (1 + n_row); line in the file, from 1 */
} hg_sheet;

/** Read a table from a file.
 *
 * @local
 * @param[out] sheet  release with hg_sheet_clear(), also after a failure
 * @return HG_OK; HG_E_NOTFOUND; HG_E_READ; HG_E_MEMORY; HG_E_FORMAT naming a line with another
 * number of fields than the header; HG_E_INPUT for a file without a header
 */
HG_MUST_CHECK hg_status hg_sheet_read(const char *path, hg_sheet *sheet);
void hg_sheet_clear(hg_sheet *sheet);

/** Name of a column, and the field of a row in it; borrowed.
 *
 * @local
 */
const char *hg_sheet_name(const hg_sheet *sheet, int column);
const char *hg_sheet_field(const hg_sheet *sheet, int row, int column);

#endif
