/** Columns that `features` derives and side-cars hold: which they are, and by which recipe.
 *
 * A recipe is text in side-cars and in models, so that training and application are known to
 * mean the same numbers. Layer: features.
 */
#ifndef HG_FEATURES_DERIVED_H
#define HG_FEATURES_DERIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "catalog/output.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** What columns are derived from. */
typedef enum hg_derived_kind {
    HG_DERIVED_ENVIRONMENT,
    HG_DERIVED_HISTORY,
    HG_DERIVED_KINDS
} hg_derived_kind;

/** The columns of one kind; {0} is valid and has none. */
typedef struct hg_derived {
    hg_derived_kind kind;
    const char *folder; /**< of side-cars as the parameters give it, NULL = default; borrowed */
    int n_column;
    hg_output_column *column; /**< shape (n_column) */
    hg_text recipe;           /**< lines "item: value"; empty without columns */
} hg_derived;

/** Names of a kind: "environment" in files, "Environment" in parameters.
 *
 * @local
 */
const char *hg_derived_name(hg_derived_kind kind);
const char *hg_derived_section(hg_derived_kind kind);

/** The columns that the parameters ask for.
 *
 * @local
 * @param[out] d  release with hg_derived_clear(); without columns where the section lists none
 * @return HG_OK; HG_E_PARAM naming what is wrong; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_derived_parse(const hg_params *params, hg_derived_kind kind,
                                         hg_derived *d);
void hg_derived_clear(hg_derived *d);

/** Whether Features, Targets, Selection or Parent.keep name some of the columns.
 *
 * @local
 * @param[out] wanted  false without columns
 * @return HG_OK; HG_E_PARAM for recipes and expressions that cannot be parsed
 */
HG_MUST_CHECK hg_status hg_derived_wanted(const hg_params *params, const hg_derived *d,
                                          bool *wanted);

/** Compare two recipes as written. The mesh of an environment counts where the first has
 * columns made on it; the second may have more columns, which change none of the first's.
 *
 * @local
 * @param[in] a, name_a  recipe that is wanted, and whose it is
 * @return HG_OK; HG_E_INPUT naming the first item that differs, with both values
 */
HG_MUST_CHECK hg_status hg_derived_compare(hg_derived_kind kind, const char *a,
                                           const char *name_a, const char *b,
                                           const char *name_b);

/** Leave out rows with a column that is NaN: what it is derived from is not known.
 *
 * @local
 * @param[in]     table  columns that it lacks are ignored
 * @param[in,out] keep   shape (table->n); becomes 0 for such rows
 * @return number of rows left out by this
 */
int64_t hg_derived_cut(const hg_derived *d, const hg_table *table, uint8_t keep[]);

#endif
