/* A finding that all ranks come to together. */
#include <stdarg.h>
#include <stdio.h>

#include "audit/diagnosis.h"

hg_status
hg_diagnosis_add(const hg_comm *comm, hg_diagnosis *diagnosis, hg_finding kind,
                 hg_status status, const char *topic, const char *format, ...)
{
    char sentence[2048];
    va_list arguments;
    hg_status added = HG_OK;

    if (kind == HG_FINDING_WRONG && diagnosis->verdict == HG_OK) {
        diagnosis->verdict = status;
    }
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (comm->rank == 0) {
        added = hg_findings_add(&diagnosis->findings, kind, topic, "%s", sentence);
    } else {
        diagnosis->findings.n_wrong += kind == HG_FINDING_WRONG;
    }
    return hg_comm_agree(comm, added);
}
