/* Verify and diff: what they find is a result and goes to stdout; that something is wrong is an
 * exit code, so that a batch script sees it. */
#include <stdio.h>

#include "audit/diff.h"
#include "audit/verify.h"
#include "cli/command.h"

static hg_status
conclude(const hg_findings *findings)
{
    return findings->n_wrong == 0
               ? HG_OK
               : HG_FAIL(HG_E_VERIFY, "%d finding%s, the first: %s", findings->n_wrong,
                         findings->n_wrong > 1 ? "s" : "", findings->first);
}

hg_status
hg_cmd_verify(const hg_comm *comm, const hg_options *options)
{
    hg_findings all = {.n_wrong = 0};
    hg_status status = HG_OK;

    if (options->n_file == 0) {
        return HG_FAIL(HG_E_USAGE, "verify needs at least one file");
    }
    for (int i = 0; i < options->n_file && status == HG_OK; i++) {
        status = hg_verify_file(comm, options->file[i], &all);
        if (comm->rank == 0) {
            fputs(hg_text_string(&all.text), stdout);
            fflush(stdout);
        }
        hg_text_clear(&all.text);
    }
    status = status == HG_OK ? conclude(&all) : status;
    hg_findings_clear(&all);
    return status;
}

hg_status
hg_cmd_diff(const hg_comm *comm, const hg_options *options)
{
    const hg_diff_options how = {.relative = options->tolerance,
                                 .provenance = options->provenance};
    hg_findings findings = {.n_wrong = 0};
    hg_status status;

    (void)comm;
    if (options->n_file != 2) {
        return HG_FAIL(HG_E_USAGE, "diff needs two files, %d were given", options->n_file);
    }
    status = hg_diff_files(options->file[0], options->file[1], &how, &findings);
    fputs(hg_text_string(&findings.text), stdout);
    status = status == HG_OK ? conclude(&findings) : status;
    hg_findings_clear(&findings);
    return status;
}
