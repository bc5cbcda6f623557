/* What a file is; the answer is a result and goes to stdout. */
#include <stdio.h>

#include "base/text.h"
#include "catalog/inspect.h"
#include "cli/command.h"

hg_status
hg_cmd_inspect(const hg_comm *comm, const hg_options *options)
{
    (void)comm;
    if (options->n_file == 0) {
        return HG_FAIL(HG_E_USAGE, "inspect needs at least one file");
    }
    if (options->mapping == NULL) {
        hg_text report = {0};
        bool is_set = false;
        hg_status status =
            hg_catalog_inspect_set(options->n_file, options->file, &report, &is_set);

        fputs(hg_text_string(&report), stdout);
        hg_text_clear(&report);
        if (is_set) {
            return status;
        }
        HG_TRY(status);
    }
    for (int i = 0; i < options->n_file; i++) {
        hg_text report = {0};
        hg_status status = hg_catalog_inspect(options->file[i], options->mapping, &report);

        printf(i > 0 ? "\n%s" : "%s", hg_text_string(&report));
        fflush(stdout);
        hg_text_clear(&report);
        HG_TRY(status);
    }
    return HG_OK;
}
