/** Walk over the datasets of a file that hold one value or vector per row, for formats whose
 * columns are not listed anywhere but in the file itself. Layer: catalog.
 */
#ifndef HG_CATALOG_FIELDS_H
#define HG_CATALOG_FIELDS_H

#include "catalog/format.h"

/** One walk; later files of a catalogue are compared with the first that has rows. */
typedef struct hg_fields {
    hg_plan *plan;
    hg_h5 *file;
    const char *group;  /**< where to look, "" = the whole file */
    const char *prefix; /**< put before the names of columns */
    int64_t rows;       /**< rows that the header promises */
    int kind;           /**< of the sources that are added */
    bool is_deep;       /**< descend into groups; their names come before the field's, with _ */
    bool is_strict;     /**< another number of rows is an error, else no column */
    bool is_known;      /**< the columns were found in an earlier file */
    /** Set unit and factor of a new source, whose name, place, width and types are set. */
    hg_status (*add)(const struct hg_fields *fields, hg_source *source);
    void *context; /**< for `add` */
    uint8_t *seen; /**< private */
} hg_fields;

/** Add a source for each numeric dataset, or, when `is_known`, compare: columns that this file
 * lacks are dropped with a warning, because reading them would leave holes; others are ignored.
 * Names that would be too long, and datasets with more than 64 values per row, are left out.
 *
 * @local
 * @return HG_OK; HG_E_FORMAT when rows or elements per row differ
 */
HG_MUST_CHECK hg_status hg_fields_scan(hg_fields *fields);

/** A canonical name for a column that there is already. */
typedef struct hg_alias {
    const char *name;
    const char *field;
    int element; /**< column of a matrix, -1 = all */
} hg_alias;

/** Add canonical names; of several entries with one name the first whose field is there, with
 * the canonical shape, counts.
 *
 * @local
 * @param[in] n      number of entries
 * @param[in] alias  shape (n)
 * @return HG_OK; HG_E_FORMAT when a field has not the canonical unit; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_fields_name(hg_plan *plan, size_t n, const hg_alias alias[]);

/** Add a source that the reader makes.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_fields_make(hg_plan *plan, const char *name, int kind);

#endif
