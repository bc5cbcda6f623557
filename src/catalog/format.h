/** One format is one file behind one table of operations.
 *
 * Rank 0 probes and plans: it reads headers only and writes all that the other ranks need into
 * an hg_plan, which holds no pointers to the outside and is broadcast as bytes. Reading is
 * local to a rank and uses the plan alone. Layer: catalog.
 */
#ifndef HG_CATALOG_FORMAT_H
#define HG_CATALOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "catalog/files.h"
#include "halograft/catalog.h"
#include "store/h5.h"

/** One input file of a plan. */
typedef struct hg_plan_file {
    size_t path;   /**< offset in hg_plan.names */
    int64_t first; /**< global row of its first row */
    int64_t rows;
    int64_t bytes;
    int64_t extra[4]; /**< meaning belongs to the format */
} hg_plan_file;

/** Where a column comes from. */
typedef struct hg_source {
    hg_column column; /**< as the caller gets it; data is NULL */
    int n_path;       /**< 1, or 3 for a vector in three datasets */
    char path[3][128];
    int element[3]; /**< column of a matrix, -1 = all */
    hg_type disk;   /**< type in the file */
    double factor;  /**< stored value + offset, times factor, is canonical */
    double offset;
    int kind;      /**< meaning belongs to the format */
    bool whole;    /**< stored as real numbers that must be integers */
    bool derived;  /**< not stored but made by the reader */
    int run_value; /**< column of the run table, from 1; HG_RUN_REDSHIFT; 0 = not from there */
} hg_source;

enum { HG_RUN_REDSHIFT = -1 };

typedef enum hg_bad_rows { HG_BAD_ERROR, HG_BAD_DROP, HG_BAD_FLAG } hg_bad_rows;

/** What rank 0 found out. */
typedef struct hg_plan {
    int format; /**< index in the table of formats */
    int64_t n_row;
    int64_t rows_per_part;
    hg_bad_rows on_bad_rows;
    bool allow_nan;  /**< values may be missing (halograft's own output) */
    int64_t snap;    /**< number that the mapping file was filled with, -1 = none */
    bool trees;      /**< rows of all times: an id may come again */
    bool incomplete; /**< files are missing, as Input.partial allows */
    hg_frame frame;
    uint64_t identity;
    int n_file;
    int n_source;
    size_t n_name;             /**< bytes in `names` */
    size_t n_extra;            /**< bytes in `extra` */
    int n_run;                 /**< lines of the run table */
    int n_run_value;           /**< parameters in a line */
    char run_key[HG_NAME_MAX]; /**< column that tells the run, "" = one line for all rows */
    hg_plan_file *file;
    hg_source *source;
    char *names;
    void *extra;        /**< data of the format */
    hg_source redshift; /**< of the frame, as a column where files have none; not listed */
    void *run;          /**< lines of the run table, see catalog/run_table.c */
} hg_plan;

typedef struct hg_format {
    const char *name;
    bool is_set; /**< its files are parts of one catalogue */
    /** Whether the first file looks like this format; appends one line of reasons. */
    bool (*probe)(const char *path, hg_text *reason);
    /** Rank 0: fill files, sources, frame and counts from the expanded list of files. */
    hg_status (*plan)(const hg_catalog_options *options, const hg_files *files, hg_plan *plan);
    /** Fill columns of rows [first, first + n): table->n is n, columns are added by the reader.
     */
    hg_status (*read)(const hg_plan *plan, int64_t first, int64_t n, int n_source,
                      const hg_source *const source[], hg_table *table);
    bool is_particles; /**< rows are particles, not haloes */
} hg_format;

extern const hg_format hg_format_halograft;
extern const hg_format hg_format_soap;
extern const hg_format hg_format_eagle;
extern const hg_format hg_format_subfind;
extern const hg_format hg_format_hbt;
extern const hg_format hg_format_velociraptor;
extern const hg_format hg_format_rockstar;
extern const hg_format hg_format_gadget;
extern const hg_format hg_format_ahf;
extern const hg_format hg_format_lgadget3;
extern const hg_format hg_format_columns;

/** Formats in the order of probing, ended by NULL.
 *
 * @local
 */
extern const hg_format *const hg_formats[];

/** Expand the files, find the format, and let it plan; also merges the given frame and adds the
 * columns every catalogue has. What hg_catalog_open() does on rank 0.
 *
 * @local
 * @param[out] plan  release with hg_plan_clear(), also after a failure
 */
HG_MUST_CHECK hg_status hg_plan_make(const hg_catalog_options *options, hg_plan *plan);

/** The plan of an open catalogue, without its side-car; borrowed.
 *
 * @local
 */
const hg_plan *hg_catalog_plan(const hg_catalog *catalog);

/** Most rows of a catalogue, or groups of a file: beyond any that will be, and few enough that
 * bytes and sums of them fit into 64 bits. */
#define HG_PLAN_ROWS_MAX (INT64_C(1) << 48)

/** Add a file or a column to a plan.
 *
 * @local
 * @param[in]  rows          as the file says
 * @param[out] file, source  the new entry, zeroed; valid until the next one is added
 * @return HG_OK; HG_E_FORMAT when there cannot be so many rows; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_plan_add_file(hg_plan *plan, const char *path, int64_t rows,
                                         hg_plan_file **file);
HG_MUST_CHECK hg_status hg_plan_add_source(hg_plan *plan, const char *name, hg_source **source);

/** Compare the files and their rows with what a header promises; an incomplete set is refused,
 * or marked in the plan with a warning where options->partial wants it.
 *
 * @local
 * @param[in]     n_file   number of files that the header tells
 * @param[in]     n_total  rows of all of them
 * @param[in]     what     what rows are, for messages
 * @param[in,out] plan     with all files
 * @return HG_OK; HG_E_INPUT
 */
HG_MUST_CHECK hg_status hg_plan_check_set(const hg_catalog_options *options,
                                          const hg_files *files, double n_file, double n_total,
                                          const char *what, hg_plan *plan);
const char *hg_plan_path(const hg_plan *plan, int i);
void hg_plan_clear(hg_plan *plan);

/** File that holds a global row.
 *
 * @local
 */
int hg_plan_find_file(const hg_plan *plan, int64_t row);

/** Rows of [first, first + n) that a file holds.
 *
 * @local
 * @param[out] from  the first of them, a global row
 * @return their number
 */
int64_t hg_plan_overlap(const hg_plan_file *file, int64_t first, int64_t n, int64_t *from);

/** Source of that name, or NULL.
 *
 * @local
 */
const hg_source *hg_plan_find(const hg_plan *plan, const char *name);

/** Read rows [first, first + n) of a file into rows [at, ...) of a column, converted.
 *
 * @local
 * @param[in]  file    open
 * @param[in]  source  where from; element, offset and factor are applied
 * @param[out] data    the whole column, shape (rows, width)
 */
HG_MUST_CHECK hg_status hg_source_read(hg_h5 *file, const hg_source *source, int64_t first,
                                       int64_t n, int64_t at, void *data);

/** Read flat datasets: for each file that overlaps the rows, open, read, close.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_plan_read_flat(const hg_plan *plan, int64_t first, int64_t n,
                                          int n_source, const hg_source *const source[],
                                          hg_table *table);

/** Store one converted value: `value` goes to element i of a column of that type.
 *
 * @local
 */
void hg_column_set(hg_column_type type, void *data, int64_t i, double value);

/** Fill unknown values of a frame from what the user gave, a from z and z from a; a given value
 * that contradicts the file is an error naming both.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_frame_merge(const hg_frame *given, const char *path,
                                       hg_frame *frame);

#endif
