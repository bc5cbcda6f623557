/* Pictures are Python's job: the tool of tools/ is looked for beside the source tree the
 * program was built from, where it was installed, or where HALOGRAFT_TOOLS says. It is started
 * only after MPI has ended, because processes must not fork in the middle of an MPI run. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "emulate/summary.h"
#include "halograft/log.h"
#include "halograft_version.h"

static char wanted[4096];

void
hg_report_later(const char *folder)
{
    snprintf(wanted, sizeof wanted, "%s", folder);
}

const char *
hg_report_wanted(void)
{
    return wanted[0] != '\0' ? wanted : NULL;
}

static bool
find_tool(size_t n, char tool[])
{
    const char *const folders[] = {getenv("HALOGRAFT_TOOLS"), HG_TOOLS_SOURCE,
                                   HG_TOOLS_INSTALLED};

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (folders[i] != NULL) {
            snprintf(tool, n, "%s/halograft-report", folders[i]);
            if (access(tool, X_OK) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool
hg_report_make(const char *path)
{
    char tool[4096], folder[4096];
    char *arguments[] = {tool, folder, NULL};
    pid_t child;
    int code = 1;

    snprintf(folder, sizeof folder, "%s", path);
    if (!find_tool(sizeof tool, tool)) {
        hg_log_warn(
            "report: tools/halograft-report was not found, set HALOGRAFT_TOOLS to its folder");
        return false;
    }
    fflush(NULL);
    if (posix_spawn(&child, tool, NULL, NULL, arguments, environ) != 0 ||
        waitpid(child, &code, 0) != child || !WIFEXITED(code) || WEXITSTATUS(code) != 0) {
        hg_log_warn(
            "report: '%s %s' failed: are python3, numpy, h5py and matplotlib installed?", tool,
            path);
        return false;
    }
    return true;
}

hg_status
hg_cmd_report(const hg_comm *comm, const hg_options *options)
{
    (void)comm;
    if (options->n_file != 1) {
        return HG_FAIL(HG_E_USAGE, "report needs one output folder or statistics file");
    }
    HG_TRY(hg_summary_print(options->file[0]));
    hg_report_later(options->file[0]);
    return HG_OK;
}
