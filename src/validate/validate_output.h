/** What validate leaves behind: a statistics file, tables, lines for the terminal. Layer:
 * validate. */
#ifndef HG_VALIDATE_OUTPUT_H
#define HG_VALIDATE_OUTPUT_H

#include "stats/curve.h"
#include "validate/scoring.h"

/** All that was found. */
typedef struct hg_findings {
    const hg_folds *folds;
    const hg_guesses *guesses;
    const hg_cuts *cuts;
    const hg_scoring *scoring;
} hg_findings;

/** Add scores, curves and maps to a statistics file in memory.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_findings_statistics(const hg_findings *found,
                                               hg_statistics *statistics);

/** Add all metrics as CSV (target, method, rows, metric, value, error), or the held-out rows,
 * to what is to be published.
 *
 * @local
 * @param[in]     path    of the table
 * @param[in,out] bundle  publishes it
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_findings_add_scores(const hg_findings *found, const char *path,
                                               hg_bundle *bundle);
HG_MUST_CHECK hg_status hg_findings_add_rows(const hg_findings *found, const char *path,
                                             hg_bundle *bundle);

/** Print the main metrics of all methods to stdout.
 *
 * @local
 */
void hg_findings_print(const hg_findings *found);

/** Name of a target's metrics, "X" or "X open", and of a method, "forest" or the rival's.
 *
 * @local
 */
void hg_marks_target(const hg_findings *found, const hg_marks *marks, size_t n, char name[]);
const char *hg_marks_method(const hg_findings *found, const hg_marks *marks);

#endif
