/** Format "columns": any flat HDF5 file or text table, described by a mapping file.
 *
 *     File:    {rows: Header@NumHalos_ThisFile, total: Header@NumHalos_Total}
 *     Header:  {box: Header@BoxSize, box_unit: kpc/h, a: Header@Time, h: 0.6774, omega_m:
 * 0.3089} Columns: position: "Halos/Pos, ckpc/h" velocity: "VelX; VelY; VelZ, km/s a^-1"
 *       stellar_mass: "Halos/MassType[4], 1e10 Msun/h"
 *       x: "halos/x, Mpc/h, +16"
 *
 * A column is "SOURCE, UNIT, OFFSET": the source is a dataset or the name of a text column;
 * NAME[k] is one column of a matrix, NAME#k the k-th of equal names in a text table (from 1),
 * and three sources separated by ';' make a vector. The unit may be left out where the quantity
 * has none; the offset, in the stored unit, is added first. Canonical names must have the
 * dimension of the canonical column; other names are free and keep their kind of unit.
 * Header values are a number, a number with unit, or OBJECT@ATTRIBUTE with an optional unit
 * behind a comma; keys: box a redshift h omega_m omega_l omega_b sigma_8 n_s particle_mass
 * dark_matter_only, and box_unit, particle_mass_unit. File keys: pattern (files, when the
 * parameters name none; relative to the mapping file), rows and total (attributes to check
 * against), separator (auto, comma, space, tab) and header (auto, none) of text tables. Tables
 * without names have columns "1", "2", ... Layer: catalog.
 */
#ifndef HG_CATALOG_COLUMNS_H
#define HG_CATALOG_COLUMNS_H

#include "catalog/files.h"
#include "catalog/format.h"
#include "conf/yaml.h"

/** Files named by File.pattern of a mapping file.
 *
 * @local
 * @param[in] snap  fills {snap}, negative = not given
 * @return HG_OK; HG_E_PARAM when the mapping names none, or holds {snap} that is not given
 */
HG_MUST_CHECK hg_status hg_columns_files(const char *mapping, int64_t snap, hg_files *files);

/** A place to begin reading: line `number` begins at `offset` and holds row `row` of a file. */
typedef struct hg_text_mark {
    int64_t file;
    int64_t row;
    int64_t offset;
    int64_t number;
} hg_text_mark;

/** What a plan's `extra` holds for this format. */
typedef struct hg_text_plan {
    int is_text;
    int n_field;   /**< fields of each line */
    int separator; /**< a character, or ' ' for any white space */
    int n_skip;    /**< lines that are no rows, between the names and the first row */
    int n_mark;
    hg_text_mark mark[]; /**< shape (n_mark) */
} hg_text_plan;

/** Read the names of a text table, resolve the sources of the plan to fields, count rows and
 * set marks where parts begin.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_texttable_plan(const hg_yaml *doc, const hg_files *files,
                                          hg_plan *plan);

/** Read rows of a text table.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_texttable_read(const hg_plan *plan, int64_t first, int64_t n,
                                          int n_source, const hg_source *const source[],
                                          hg_table *table);

/** Make a derived column from the stored integers, which stand in the table under the name
 * `raw`, and drop those. */
typedef hg_status (*hg_texttable_derive)(const hg_source *source, const char *raw,
                                         hg_table *table);

/** Read rows of a text table in which sources with a `kind` other than 0 are not what is
 * stored: their fields are read as integers, and `derive` turns them into the column.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_texttable_read_derived(const hg_plan *plan, int64_t first, int64_t n,
                                                  int n_source, const hg_source *const source[],
                                                  hg_texttable_derive derive, hg_table *table);

#endif
