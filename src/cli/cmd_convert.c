/* convert and export. Two forms: files of a catalogue and --out, with settings from the command
 * line, or a parameter file, whose section Parent names the catalogue. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/watchdog.h"
#include "emulate/convert.h"
#include "emulate/export.h"
#include "halograft/log.h"
#include "store/publish.h"

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

/* What both commands have in common: parameters and input. */
typedef struct source {
    char text[HG_FILES_MAX][1024];
    const char *files[HG_FILES_MAX];
    hg_extract_input input;
    hg_params *params;
} source;

static hg_status
read_source(const hg_comm *comm, const hg_options *options, const char *command, source *s)
{
    const bool has_file = options->n_file == 1 && is_parameter_file(options->file[0]);
    const hg_params_options read = {.path = has_file ? options->file[0] : NULL,
                                    .n_set = options->n_set,
                                    .set = options->set,
                                    .snap = options->snap};

    s->input = (hg_extract_input){.mapping = options->mapping};
    s->params = NULL;
    if (options->n_file == 0) {
        return HG_FAIL(HG_E_USAGE, "%s needs the files of a catalogue, or a parameter file",
                       command);
    }
    if (options->out == NULL && (!has_file || strcmp(command, "export") == 0)) {
        return HG_FAIL(HG_E_USAGE, "%s needs the name of the output: --out NAME", command);
    }
    HG_TRY(fill_names(options, s->text, s->files));
    if (!has_file) {
        s->input.n_file = options->n_file;
        s->input.files = s->files;
    }
    hg_watchdog_start(comm->rank, options->n_set, options->set);
    HG_TRY(hg_params_read(comm, &read, &s->params));
    hg_watchdog_limit(s->params->run.hang_timeout);
    hg_space_margin(s->params->output.space_margin);
    return HG_OK;
}

hg_status
hg_cmd_convert(const hg_comm *comm, const hg_options *options)
{
    static source s;
    hg_status status;

    HG_TRY(read_source(comm, options, "convert", &s));
    status = hg_convert_run(comm, s.params, &s.input, options->out, options->overwrite,
                            options->dry_run);
    if (status == HG_OK) {
        hg_comm_report_times(comm);
    }
    hg_params_free(s.params);
    return status;
}

hg_status
hg_cmd_export(const hg_comm *comm, const hg_options *options)
{
    static source s;
    hg_status status;

    HG_TRY(read_source(comm, options, "export", &s));
    status = hg_export_run(comm, s.params, &s.input, options->out, options->overwrite);
    hg_params_free(s.params);
    return status;
}
