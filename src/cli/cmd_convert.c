/* Two forms: files of a catalogue and --out, with settings from the command line, or a
 * parameter file, whose section Parent names the catalogue. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "emulate/convert.h"
#include "halograft/log.h"

static bool
is_parameter_file(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

/* Names with {snap} filled in; they stay as they are without --snap. */
static hg_status
fill_names(const hg_options *options, char text[][1024], const char *files[])
{
    for (int i = 0; i < options->n_file; i++) {
        files[i] = options->file[i];
        if (options->snap >= 0 && hg_text_has_field(files[i], "snap")) {
            HG_TRY(hg_text_fill(files[i], "snap", options->snap, sizeof text[i], text[i]));
            files[i] = text[i];
        }
    }
    return HG_OK;
}

hg_status
hg_cmd_convert(const hg_comm *comm, const hg_options *options)
{
    static char text[HG_FILES_MAX][1024];
    const char *files[HG_FILES_MAX];
    const bool has_file = options->n_file == 1 && is_parameter_file(options->file[0]);
    const hg_params_options read = {.path = has_file ? options->file[0] : NULL,
                                    .n_set = options->n_set,
                                    .set = options->set,
                                    .snap = options->snap};
    hg_extract_input input = {.mapping = options->mapping};
    hg_params *params = NULL;
    hg_status status;

    if (options->n_file == 0) {
        return HG_FAIL(HG_E_USAGE,
                       "convert needs the files of a catalogue, or a parameter file");
    }
    if (!has_file && options->out == NULL) {
        return HG_FAIL(HG_E_USAGE, "convert FILE... needs the name of the output: --out NAME");
    }
    HG_TRY(fill_names(options, text, files));
    HG_TRY(hg_params_read(comm, &read, &params));
    if (!has_file) {
        input.n_file = options->n_file;
        input.files = files;
    }
    status = hg_convert_run(comm, params, &input, options->out, options->overwrite,
                            options->dry_run);
    if (status == HG_OK) {
        hg_comm_report_times(comm);
    }
    hg_params_free(params);
    return status;
}
