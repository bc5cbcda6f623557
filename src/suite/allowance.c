/* One sentence for every command that names its memory before it takes it. */
#include "suite/allowance.h"

hg_status
hg_allowance_check(const hg_params *params, const char *command, double bytes,
                   const char *advice)
{
    const double most = params->run.memory_max, mebibyte = 1048576;

    if (most > 0 && bytes > most) {
        return HG_FAIL(HG_E_MEMORY,
                       "'%s' would take %.0f MiB per rank, and Run.memory_max allows %.0f: "
                       "take fewer %s, or more memory per rank",
                       command, bytes / mebibyte, most / mebibyte, advice);
    }
    return HG_OK;
}
