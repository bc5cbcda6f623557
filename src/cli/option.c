/* Options may stand before or after file names; each is one line of the table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"

static const struct {
    const char *name;
    bool has_value;
} known[] = {{"--set", true},        {"--snap", true},        {"--seed", true},
             {"--threads", true},    {"--mapping", true},     {"--overwrite", false},
             {"--dry-run", false},   {"-q", false},           {"-v", false},
             {"--check", false},     {"--markdown", false},   {"-h", false},
             {"--resume", false},    {"--merge", false},      {"--help", false},
             {"--tolerance", true},  {"--provenance", false}, {"--out", true},
             {"--to-parent", false}, {"--common", false}};
enum { N_KNOWN = sizeof known / sizeof known[0] };

static hg_status
unknown_option(const char *text)
{
    const char *names[N_KNOWN];

    for (int i = 0; i < N_KNOWN; i++) {
        names[i] = known[i].name;
    }
    return HG_FAIL(HG_E_USAGE, "unknown option '%s'%s", text,
                   hg_text_hint(text, N_KNOWN, names).text);
}

static hg_status
add_set(hg_options *o, const char *text)
{
    if (o->n_set == HG_SETS_MAX) {
        return HG_FAIL(HG_E_USAGE, "more than %d settings", HG_SETS_MAX);
    }
    o->set[o->n_set++] = text;
    return HG_OK;
}

static hg_status
take_value(hg_options *o, const char *name, const char *value)
{
    int64_t number;
    char *room = o->text[strcmp(name, "--seed") == 0];

    if (strcmp(name, "--set") == 0) {
        return add_set(o, value);
    }
    if (strcmp(name, "--mapping") == 0) {
        o->mapping = value;
        return HG_OK;
    }
    if (strcmp(name, "--tolerance") == 0) {
        return hg_text_real(value, &o->tolerance) && o->tolerance >= 0
                   ? HG_OK
                   : HG_FAIL(HG_E_USAGE,
                             "--tolerance needs a number that is not negative, not '%s'",
                             value);
    }
    if (strcmp(name, "--out") == 0) {
        o->out = value;
        return HG_OK;
    }
    if (!hg_text_integer(value, &number) || number < 0) {
        return HG_FAIL(HG_E_USAGE, "%s needs a number that is not negative, not '%s'", name,
                       value);
    }
    if (strcmp(name, "--snap") == 0) {
        o->snap = number;
        return HG_OK;
    }
    snprintf(room, sizeof o->text[0], "%s=%" PRId64,
             strcmp(name, "--seed") == 0 ? "Meta.seed" : "Run.threads", number);
    return add_set(o, room);
}

static void
take_flag(hg_options *o, const char *name)
{
    o->overwrite = o->overwrite || strcmp(name, "--overwrite") == 0;
    o->resume = o->resume || strcmp(name, "--resume") == 0;
    o->merge = o->merge || strcmp(name, "--merge") == 0;
    o->to_parent = o->to_parent || strcmp(name, "--to-parent") == 0;
    o->common = o->common || strcmp(name, "--common") == 0;
    o->dry_run = o->dry_run || strcmp(name, "--dry-run") == 0;
    o->quiet = o->quiet || strcmp(name, "-q") == 0;
    o->verbose = o->verbose || strcmp(name, "-v") == 0;
    o->provenance = o->provenance || strcmp(name, "--provenance") == 0;
    o->check = o->check || strcmp(name, "--check") == 0;
    o->markdown = o->markdown || strcmp(name, "--markdown") == 0;
    o->help = o->help || strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0;
}

hg_status
hg_options_parse(int argc, char *const argv[], hg_options *options)
{
    memset(options, 0, sizeof *options);
    options->snap = -1;
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        int which = -1;

        if (text[0] != '-') {
            if (options->n_file == HG_FILES_MAX) {
                return HG_FAIL(HG_E_USAGE, "more than %d files", HG_FILES_MAX);
            }
            options->file[options->n_file++] = text;
            continue;
        }
        for (int k = 0; k < N_KNOWN; k++) {
            which = strcmp(text, known[k].name) == 0 ? k : which;
        }
        if (which < 0) {
            return unknown_option(text);
        }
        if (!known[which].has_value) {
            take_flag(options, text);
        } else if (i + 1 == argc) {
            return HG_FAIL(HG_E_USAGE, "%s needs a value", text);
        } else {
            HG_TRY(take_value(options, text, argv[++i]));
        }
    }
    return HG_OK;
}

hg_status
hg_options_params(const hg_comm *comm, const hg_options *options, hg_params **params)
{
    hg_params_options read = {.path = options->n_file > 0 ? options->file[0] : NULL,
                              .n_set = options->n_set,
                              .set = options->set,
                              .snap = options->snap};

    *params = NULL;
    if (options->n_file != 1) {
        return HG_FAIL(HG_E_USAGE, "one parameter file is needed, %d were given",
                       options->n_file);
    }
    return hg_params_read(comm, &read, params);
}
