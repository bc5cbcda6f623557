/* Print the parameters, or check files: every file is read with {snap} left open. A name with a
 * dot or a slash is no section but a file, so that 'params my.yml' does what it seems to. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "cli/command.h"

static hg_status
check_files(const hg_comm *comm, const hg_options *options)
{
    hg_text all = {0};
    int n_bad = 0;
    hg_status status = HG_OK;

    for (int i = 0; i < options->n_file && status == HG_OK; i++) {
        hg_params_options read = {.path = options->file[i],
                                  .n_set = options->n_set,
                                  .set = options->set,
                                  .snap = options->snap >= 0 ? options->snap : -2};
        hg_params *params = NULL;

        if (hg_params_read(comm, &read, &params) == HG_OK) {
            printf("%s: fine\n", options->file[i]);
        } else {
            status =
                hg_text_add(&all, "%s%s", n_bad++ > 0 ? "\n  " : "", hg_error_last()->message);
        }
        hg_params_free(params);
    }
    if (status == HG_OK && n_bad > 0) {
        status = HG_FAIL(HG_E_PARAM, "%s", hg_text_string(&all));
    }
    hg_text_clear(&all);
    return status;
}

hg_status
hg_cmd_params(const hg_comm *comm, const hg_options *options)
{
    bool is_file = options->check;

    for (int i = 0; i < options->n_file; i++) {
        is_file = is_file || strpbrk(options->file[i], "./") != NULL;
    }
    if (is_file) {
        return check_files(comm, options);
    }
    if (options->markdown) {
        return hg_params_markdown();
    }
    if (options->n_file == 0) {
        return hg_params_template(NULL);
    }
    for (int i = 0; i < options->n_file; i++) {
        HG_TRY(hg_params_template(options->file[i]));
    }
    return HG_OK;
}
