/** The one table of canonical columns: name, unit, type, place in the output, and what values
 * are possible.
 *
 * Readers take types and units from it, the writer takes places and descriptions. Layer:
 * catalog.
 */
#ifndef HG_CATALOG_LAYOUT_H
#define HG_CATALOG_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "halograft/error.h"
#include "halograft/table.h"
#include "store/h5.h"

/** What a value of a column must be. */
typedef enum hg_rule {
    HG_RULE_NONE,
    HG_RULE_FINITE,
    HG_RULE_POSITIVE, /**< finite and above zero */
    HG_RULE_SPEED,    /**< below 2e4 km/s in each component */
    HG_RULE_POSITION  /**< in [-0.001 L, 1.001 L], then folded into [0, L) */
} hg_rule;

typedef struct hg_layout_entry {
    const char *name;
    const char *path; /**< dataset in halograft's own catalogues */
    const char *unit; /**< canonical unit */
    hg_column_type type;
    int width;
    bool physical; /**< a length in it is proper, not comoving */
    hg_rule rule;
    const char *description;
} hg_layout_entry;

/** Entry of a canonical column, or NULL; entry i of the table, or NULL past the end.
 *
 * @local
 */
const hg_layout_entry *hg_layout_find(const char *name);
const hg_layout_entry *hg_layout_at(size_t i);

/** Dataset of a column: the table's place; SOAP/Predicted/X for "X_mean", SOAP/Drawn/X and
 * SOAP/Drawn2/X for "X_draw" and "X_draw2", SOAP/Quantile16/X for "X_q16"; SOAP/Catalogue/NAME
 * for all others.
 *
 * @local
 * @param[in]  name  column
 * @param[in]  n     size of the buffer
 * @param[out] path  dataset, without leading slash
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_layout_place(const char *name, size_t n, char path[]);

/** Entry of the quantity behind a column: that of "stellar_mass" for "stellar_mass_draw2"; NULL
 * when neither is canonical.
 *
 * @local
 */
const hg_layout_entry *hg_layout_quantity(const char *name);

/** Type on disk and in memory, and fill value of rows that are missing, of a column type.
 *
 * @local
 */
hg_type hg_layout_type(hg_column_type type);
double hg_layout_fill(hg_column_type type);

/** Write the attributes that describe a dataset: exponents of the five units, powers of a and
 * h, factors to CGS, description, and ours (Column, Unit, Quantity kind, Fill value).
 *
 * @local
 * @param[in] file    open for writing
 * @param[in] path    dataset
 * @param[in] column  name, unit and type; data is not used
 * @param[in] kind    input, mean, draw, quantile, flag, truth
 * @param[in] text    description, "" = that of the table
 * @param[in] a       expansion factor, NAN = unknown
 */
HG_MUST_CHECK hg_status hg_layout_describe(hg_h5 *file, const char *path,
                                           const hg_column *column, const char *kind,
                                           const char *text, double a);

#endif
