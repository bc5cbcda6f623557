/** Which values a column may hold, and how many of them do not. Layer: audit. */
#ifndef HG_AUDIT_VERIFY_VALUES_H
#define HG_AUDIT_VERIFY_VALUES_H

#include <stdint.h>

#include "halograft/table.h"
#include "store/h5.h"

/** What is asked of the values of a column. */
typedef struct hg_value_rule {
    double low, high; /**< allowed range, both ends included */
    bool nan_allowed; /**< NaN says that there is no value (not predicted, not measured) */
    const char *text; /**< the range in words */
} hg_value_rule;

/** Counts of one column over all its elements. */
typedef struct hg_value_tally {
    int64_t n_nan, n_infinite, n_outside;
    int64_t first; /**< first global row with a value that is not allowed, INT64_MAX = none */
} hg_value_tally;

/** Rule of a column: positions lie in the box, speeds below 2e4 km/s, probabilities between 0
 * and 1, masses, rates and lengths of galaxies are not negative.
 *
 * @local
 * @param[in] name   short name of the column
 * @param[in] unit   its unit
 * @param[in] kind   attribute "Quantity kind"
 * @param[in] frame  of the catalogue
 */
hg_value_rule hg_value_rule_of(const char *name, const char *unit, const char *kind,
                               const hg_frame *frame);

/** Count the values of rows that do not keep the rule; integers are not looked at.
 *
 * @local
 * @param[in]     type   HG_F64 or HG_F32; others give nothing
 * @param[in]     n      rows
 * @param[in]     width  elements per row
 * @param[in]     data   shape (n, width)
 * @param[in]     row    global number of the first row
 * @param[in,out] tally  counts are added
 */
void hg_value_count(const hg_value_rule *rule, hg_type type, int64_t n, int64_t width,
                    const void *data, int64_t row, hg_value_tally *tally);

#endif
