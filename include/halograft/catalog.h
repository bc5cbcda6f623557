/** Halo catalogues: opened once, read part by part, in canonical columns and units.
 *
 * One format is one file behind one table of operations (catalog/format.h). A part is a fixed
 * range of HG_ROWS_PER_PART input rows: the unit of work, of the journal and of restart; its
 * bounds do not depend on the number of ranks. Layer: catalog.
 */
#ifndef HALOGRAFT_CATALOG_H
#define HALOGRAFT_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/table.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum { HG_ROWS_PER_PART = 1 << 20 };

/** Name under which the number of a row in the catalogue can always be read, as int64; a column
 * `row` may be stored in the files and mean the row of another catalogue. */
#define HG_CATALOG_ROW "#row"

/** What to open and how. */
typedef struct hg_catalog_options {
    const char *format;       /**< "auto" or the name of a format (catalog/format.h) */
    int n_file;               /**< number of names in `files` */
    const char *const *files; /**< paths, or one pattern with {file} */
    const char *mapping;      /**< mapping file of format "columns", else NULL */
    const char *run_table;    /**< parameters of runs to add as columns, else NULL */
    const char *run;          /**< name of the run, which the run table may list; may be NULL */
    bool partial;             /**< accept an incomplete set of files, loudly */
    int64_t rows_per_part;    /**< 0 = HG_ROWS_PER_PART */
    const char *on_bad_rows;  /**< "error" (default, also NULL), "drop" or "flag" */
    bool truth;               /**< accept the truth of a mock (measure); else it is refused */
    bool particles;           /**< accept particle snapshots (measure); else they are refused */
    bool trees;     /**< accept merger trees of all times (features); else they are refused */
    int64_t snap;   /**< fills {snap} in the mapping file; negative = not given */
    hg_frame frame; /**< values that the files do not hold; NAN = not given; a value that
                         contradicts the file is an error naming both */
} hg_catalog_options;

#define HG_CATALOG_OPTIONS_INIT                                 \
    {                                                           \
        .format = "auto", .snap = -1, .frame = HG_FRAME_UNKNOWN \
    }

typedef struct hg_catalog hg_catalog;

/** Open a catalogue: rank 0 reads the headers and checks them against each other, all ranks get
 * the plan (files, rows, parts, columns, frame).
 *
 * @collective{comm}
 * @param[in]  options  borrowed during the call
 * @param[out] catalog  owned by the caller, close with hg_catalog_close()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT; HG_E_INPUT
 */
HG_MUST_CHECK hg_status hg_catalog_open(const hg_comm *comm, const hg_catalog_options *options,
                                        hg_catalog **catalog);
void hg_catalog_close(hg_catalog *catalog);

/** Format name, number of rows and parts, and what holds for all rows.
 *
 * @local
 */
const char *hg_catalog_format(const hg_catalog *catalog);
int64_t hg_catalog_n_row(const hg_catalog *catalog);
int64_t hg_catalog_n_part(const hg_catalog *catalog);
const hg_frame *hg_catalog_frame(const hg_catalog *catalog);

/** Number of rows of a part, and its first global row.
 *
 * @local
 */
int64_t hg_catalog_part_rows(const hg_catalog *catalog, int64_t part);
int64_t hg_catalog_part_first(const hg_catalog *catalog, int64_t part);

/** Columns that can be read: their number, and description i (data is NULL).
 *
 * @local
 */
int hg_catalog_n_column(const hg_catalog *catalog);
const hg_column *hg_catalog_column(const hg_catalog *catalog, int i);

/** Find a column that can be read by its name.
 *
 * @local
 * @param[in] catalog  NULL has no columns
 * @return borrowed description (data is NULL), or NULL when there is none
 */
const hg_column *hg_catalog_find(const hg_catalog *catalog, const char *name);

/** Hash that identifies the input: names without folder, sizes, header contents.
 *
 * @local
 */
uint64_t hg_catalog_identity(const hg_catalog *catalog);

/** Read the rows of one part: the named columns, converted to canonical units; `id` (int64),
 * and with them the table's first row and frame. Vectors come with width 3. "NAME[k]" is
 * element k of a column with several elements; `row` is the row in the input, `redshift` that
 * of the frame where files have no such column. Positions are folded into the box. With
 * on_bad_rows "drop" the table has fewer rows than the part; with "flag" it has the column
 * `flags` (bit 8 = bad value, 16 = missing host).
 *
 * @local  any rank may read any part; files are opened, read and closed
 * @param[in]  part    0 <= part < hg_catalog_n_part()
 * @param[in]  n_name  number of column names
 * @param[in]  names   shape (n_name)
 * @param[out] table   release with hg_table_clear()
 * @return HG_OK; HG_E_NOTFOUND naming a column the catalogue lacks and the nearest it has;
 *         HG_E_READ; HG_E_INPUT for bad rows (file, row, column, value)
 */
HG_MUST_CHECK hg_status hg_catalog_read(const hg_catalog *catalog, int64_t part, int n_name,
                                        const char *const names[], hg_table *table);

/** Add the columns of a side-car, a catalogue with the same rows in the same order, to those of
 * a catalogue. Its columns are then found and read like the catalogue's own, which go before
 * where both have one.
 *
 * @local
 * @param[in,out] catalog  may have side-cars already; those joined first go before
 * @param[in]     side     owned by the catalogue from here on
 * @return HG_OK; HG_E_INPUT when the numbers of rows differ, then `side` stays the caller's
 */
HG_MUST_CHECK hg_status hg_catalog_join(hg_catalog *catalog, hg_catalog *side);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
