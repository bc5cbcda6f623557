/* A list of sentences that grows; what is wrong is counted, and the first of it kept for the
 * message that ends the program. */
#include "audit/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hg_status
hg_findings_add(hg_findings *findings, hg_finding kind, const char *topic, const char *format,
                ...)
{
    static const char *const words[] = {"ok", "note", "WRONG"};
    char sentence[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (kind == HG_FINDING_WRONG && findings->n_wrong++ == 0) {
        snprintf(findings->first, sizeof findings->first, "%.*s",
                 (int)sizeof findings->first - 1, sentence);
    }
    return hg_text_add(&findings->text, "  %-6s%-12s%s\n", words[kind], topic, sentence);
}

hg_status
hg_findings_title(hg_findings *findings, const char *format, ...)
{
    char sentence[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return hg_text_add(&findings->text, "%s\n", sentence);
}

void
hg_findings_clear(hg_findings *findings)
{
    hg_text_clear(&findings->text);
    memset(findings, 0, sizeof *findings);
}
