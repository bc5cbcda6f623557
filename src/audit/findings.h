/** What an audit found, line by line. Layer: audit. */
#ifndef HG_AUDIT_FINDINGS_H
#define HG_AUDIT_FINDINGS_H

#include "base/text.h"
#include "halograft/error.h"

typedef enum hg_finding { HG_FINDING_OK, HG_FINDING_NOTE, HG_FINDING_WRONG } hg_finding;

/** Lines "ok|note|WRONG  topic  sentence"; {0} is a valid empty list. */
typedef struct hg_findings {
    hg_text text;
    int n_wrong;
    char first[512]; /**< sentence of the first WRONG */
} hg_findings;

/** Add a line.
 *
 * @local
 * @param[in] topic   one word: files, sums, values, ...
 * @param[in] format  printf format of the sentence: lower case, no full stop
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_findings_add(hg_findings *findings, hg_finding kind,
                                        const char *topic, const char *format, ...)
    HG_PRINTF(4, 5);

/** Add a title: what follows belongs to it.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_findings_title(hg_findings *findings, const char *format, ...)
    HG_PRINTF(2, 3);

/** Release the lines; the list is then empty.
 *
 * @local
 */
void hg_findings_clear(hg_findings *findings);

#endif
