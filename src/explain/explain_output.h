/** What explain leaves behind: a statistics file, tables, lines for the terminal. Layer:
 * explain. */
#ifndef HG_EXPLAIN_EXPLAIN_OUTPUT_H
#define HG_EXPLAIN_EXPLAIN_OUTPUT_H

#include "explain/dependence.h"
#include "explain/haloes.h"
#include "explain/importance.h"
#include "stats/curve.h"

/** One line of the table of importances. */
typedef struct hg_importance_line {
    const char *method; /**< impurity, permutation, drop_column or shapley */
    char target[80];    /**< "X", or "X open"; of one forest all have the same impurity */
    const char *set;    /**< feature, or features joined by + */
    double value;       /**< permutation, drop_column: growth of the mean square error;
                             shapley: mean |value|; transformed units; impurity: share of 1 */
    double error;       /**< standard error; NaN where not known */
    double repeat;      /**< permutation: standard error from the permutations alone */
    double share;       /**< of the variance of the target (fall of R^2); NaN for others */
    double share_error;
} hg_importance_line;

/** All that was found. */
typedef struct hg_explanation {
    const hg_folds *folds;
    const hg_stages *model;
    const hg_importance *importance;
    const hg_dependences *dependences;
    const hg_haloes *haloes;
    int n_line;
    hg_importance_line *line; /**< shape (n_line), by method, target, set; owned */
} hg_explanation;

/** Make the table of importances.
 *
 * @local
 * @param[in,out] found  all but `line`, which is to be freed with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_explanation_list(hg_explanation *found);

/** Add importances, curves and planes to a statistics file in memory.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_explanation_statistics(const hg_explanation *found,
                                                  hg_statistics *statistics);

/** Add the table of importances, or of haloes (parts of their predictions), to what is to be
 * published.
 *
 * @local
 * @param[in]     path    of the table, CSV
 * @param[in,out] bundle  publishes it
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_explanation_add_importance(const hg_explanation *found,
                                                      const char *path, hg_bundle *bundle);
HG_MUST_CHECK hg_status hg_explanation_add_haloes(const hg_explanation *found, const char *path,
                                                  hg_bundle *bundle);

/** Print importances to stdout, the most important features first.
 *
 * @local
 */
void hg_explanation_print(const hg_explanation *found);

#endif
