/** Tables: named, typed columns with units, rows distributed over ranks.
 *
 * Canonical units everywhere inside: comoving Mpc and Msun without h, proper peculiar km/s,
 * Msun/yr. A column that a format lacks is absent, never zero. Layer: table.
 */
#ifndef HALOGRAFT_TABLE_H
#define HALOGRAFT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/** Element types of a column in memory. */
typedef enum hg_column_type {
    HG_COLUMN_F64,
    HG_COLUMN_F32,
    HG_COLUMN_I64,
    HG_COLUMN_I32,
    HG_COLUMN_U8
} hg_column_type;

enum { HG_NAME_MAX = 64, HG_UNIT_MAX = 32 };

/** One column: `n` rows of `width` elements. */
typedef struct hg_column {
    char name[HG_NAME_MAX];
    char unit[HG_UNIT_MAX];
    hg_column_type type;
    int width;  /**< elements per row: 1, or 3 for vectors */
    void *data; /**< shape (n, width), owned by the table */
} hg_column;

/** What holds for all rows. NAN where unknown. */
typedef struct hg_frame {
    double box; /**< side of the periodic box, comoving Mpc; NAN when not periodic */
    double redshift;
    double scale_factor;
    double h; /**< Hubble parameter / (100 km/s/Mpc) */
    double omega_m;
    double omega_l;
    double omega_b;
    double sigma_8;
    double n_s;
    double particle_mass; /**< Msun */
    bool dark_matter_only;
} hg_frame;

#define HG_NOT_KNOWN ((double)NAN)
#define HG_FRAME_UNKNOWN                                                             \
    {                                                                                \
        .box = HG_NOT_KNOWN, .redshift = HG_NOT_KNOWN, .scale_factor = HG_NOT_KNOWN, \
        .h = HG_NOT_KNOWN, .omega_m = HG_NOT_KNOWN, .omega_l = HG_NOT_KNOWN,         \
        .omega_b = HG_NOT_KNOWN, .sigma_8 = HG_NOT_KNOWN, .n_s = HG_NOT_KNOWN,       \
        .particle_mass = HG_NOT_KNOWN                                                \
    }

/** Rows of one rank. A zeroed table with n = 0 is a valid empty one. */
typedef struct hg_table {
    int64_t n;     /**< rows on this rank */
    int64_t first; /**< global row number of the first */
    int n_column;
    int room;
    hg_column *column;
    hg_frame frame;
} hg_table;

/** Release all columns; the table is then empty.
 *
 * @local
 */
void hg_table_clear(hg_table *table);

/** Add an uninitialised column; replaces one of the same name.
 *
 * @local
 * @param[in]  name   at most 63 characters
 * @param[in]  unit   canonical unit in words, "" when dimensionless
 * @param[in]  type   element type
 * @param[in]  width  elements per row
 * @param[out] data   borrowed pointer to shape (n, width), valid until the column is removed;
 * may be NULL
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_table_add(hg_table *table, const char *name, const char *unit,
                                     hg_column_type type, int width, void *data);

/** The column of that name, or NULL; borrowed.
 *
 * @local
 */
const hg_column *hg_table_find(const hg_table *table, const char *name);

/** The column of that name, or HG_E_NOTFOUND naming the nearest column there is.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_table_need(const hg_table *table, const char *name,
                                      const hg_column **column);

/** Borrowed typed access; the column must exist with that type, else HG_ASSERT fails.
 *
 * @local
 */
double *hg_table_f64(const hg_table *table, const char *name);
float *hg_table_f32(const hg_table *table, const char *name);
int64_t *hg_table_i64(const hg_table *table, const char *name);
int32_t *hg_table_i32(const hg_table *table, const char *name);
uint8_t *hg_table_u8(const hg_table *table, const char *name);

/** Element `k` of row `i` as a double, whatever the type.
 *
 * @local
 */
double hg_column_value(const hg_column *column, int64_t i, int k);

/** The first element of row `i` as an integer, exact for integer columns of any size; -1 for
 * numbers that are not finite or do not fit.
 *
 * @local
 */
int64_t hg_column_integer(const hg_column *column, int64_t i);

/** Remove one column; absent is fine.
 *
 * @local
 */
void hg_table_drop(hg_table *table, const char *name);

/** Keep the rows with keep[i] != 0, in order.
 *
 * @local
 * @param[in] keep  shape (n)
 */
void hg_table_keep(hg_table *table, const uint8_t keep[]);

/** Append the rows of `more`, which must have the same columns (HG_E_SHAPE names the first that
 * differs); an empty table without columns takes those of `more`.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_table_append(hg_table *table, const hg_table *more);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
