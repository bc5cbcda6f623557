/* What a file is; the answer is a result and goes to stdout. */
#include <stdio.h>

#include "base/text.h"
#include "catalog/inspect.h"
#include "cli/command.h"

/* A file, {snap} in its name filled. */
static hg_status
inspect(const hg_options *options, const char *file, hg_text *report)
{
    char path[4096];

    if (hg_text_has_field(file, "snap")) {
        if (options->snap < 0) {
            return HG_FAIL(HG_E_USAGE, "'%s' needs --snap N", file);
        }
        HG_TRY(hg_text_fill(file, "snap", options->snap, sizeof path, path));
        file = path;
    }
    return hg_catalog_inspect(file, options->mapping, options->snap, report);
}

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
        hg_status status = inspect(options, options->file[i], &report);

        printf(i > 0 ? "\n%s" : "%s", hg_text_string(&report));
        fflush(stdout);
        hg_text_clear(&report);
        HG_TRY(status);
    }
    return HG_OK;
}
