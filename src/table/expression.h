/** Expressions over columns: "log10(m200c / 1e12)", "norm(velocity)", "central == 1 && vmax >
 * 50".
 *
 * Grammar, loosest first: || ; && ; == != < <= > >= ; + - ; * / ; unary - ! ; ^ ; call, name,
 * name[k], number, parentheses. A number may carry a unit in canonical form: "1e11 Msun". Names
 * are columns, vectors need [k] or norm(). Functions: log10 ln exp sqrt abs min max norm
 * isfinite. Comparisons give 1 or 0; NaN counts as false in && || !. Layer: table.
 */
#ifndef HG_TABLE_EXPRESSION_H
#define HG_TABLE_EXPRESSION_H

#include <math.h>

#include "halograft/error.h"
#include "halograft/table.h"

typedef struct hg_expression hg_expression;

/** Compile an expression.
 *
 * @local
 * @param[in]  text        at most 255 characters
 * @param[out] expression  owned by the caller, free with hg_expression_free()
 * @return HG_OK; HG_E_PARAM with the column of the text where it fails
 */
HG_MUST_CHECK hg_status hg_expression_create(const char *text, hg_expression **expression);
void hg_expression_free(hg_expression *expression);

/** Number of column names an expression uses, and name i (borrowed).
 *
 * @local
 */
int hg_expression_n_name(const hg_expression *expression);
const char *hg_expression_name(const hg_expression *expression, int i);

/** The column whose values, an element of them, or their norm, an expression gives unchanged.
 *
 * @local
 * @return borrowed name, or NULL when the expression computes something else
 */
const char *hg_expression_column(const hg_expression *expression);

/** Evaluate for every row of a table.
 *
 * @local
 * @param[out] value  shape (table->n); double, canonical units
 * @return HG_OK; HG_E_NOTFOUND when a column is missing (nearest named); HG_E_SHAPE for a
 * vector without [k]
 */
HG_MUST_CHECK hg_status hg_expression_evaluate(const hg_expression *expression,
                                               const hg_table *table, double value[]);

/** Whether a value of an expression that picks rows picks its row: it is neither 0 nor NaN.
 *
 * @local
 */
static inline bool
hg_expression_picks(double value)
{
    return value != 0 && !isnan(value);
}

/** Keep those rows that an expression picks.
 *
 * @local
 * @param[in]     expression  NULL = all stay
 * @param[in,out] keep        shape (table->n); becomes 0 for the others
 * @return as hg_expression_evaluate()
 */
HG_MUST_CHECK hg_status hg_expression_keep(const hg_expression *expression,
                                           const hg_table *table, uint8_t keep[]);

#endif
