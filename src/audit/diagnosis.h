/** Findings of all ranks together. Layer: audit. */
#ifndef HG_AUDIT_DIAGNOSIS_H
#define HG_AUDIT_DIAGNOSIS_H

#include "audit/findings.h"
#include "halograft/comm.h"

/** What was found; release the findings. */
typedef struct hg_diagnosis {
    hg_findings findings; /**< lines on rank 0; n_wrong is the same on all ranks */
    hg_status verdict;    /**< HG_OK, or the status of the first WRONG line */
} hg_diagnosis;

/** Add a line on rank 0 and count it on all; a WRONG one sets the verdict.
 *
 * @collective{comm}
 * @param[in] status  of a WRONG line, HG_OK else
 * @param[in] format  printf format of the sentence
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_diagnosis_add(const hg_comm *comm, hg_diagnosis *diagnosis,
                                         hg_finding kind, hg_status status, const char *topic,
                                         const char *format, ...) HG_PRINTF(6, 7);

#endif
