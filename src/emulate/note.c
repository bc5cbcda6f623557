/* The page of the report must not say that there were no warnings when there were: the log goes
 * to the terminal, so what matters of it is kept in a small file beside the statistics. */
#include "emulate/note.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "store/publish.h"
#include "suite/paths.h"

/* Text in quotes, with what JSON wants escaped. */
static hg_status
add_quoted(hg_text *text, const char *s)
{
    HG_TRY(hg_text_add(text, "\""));
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            HG_TRY(hg_text_add(text, "\\%c", *s));
        } else if ((unsigned char)*s < ' ') {
            HG_TRY(hg_text_add(text, "\\u%04x", (unsigned)*s));
        } else {
            HG_TRY(hg_text_add(text, "%c", *s));
        }
    }
    return hg_text_add(text, "\"");
}

static hg_status
add_warnings(hg_text *text)
{
    HG_TRY(hg_text_add(text, "  \"warnings\": ["));
    for (int i = 0; i < hg_log_warning_count(); i++) {
        int64_t times = 0;
        const char *warning = hg_log_warning(i, &times);

        HG_TRY(hg_text_add(
            text, "%s\n    {\"times\": %" PRId64 ", \"text\": ", i > 0 ? "," : "", times));
        HG_TRY(add_quoted(text, warning));
        HG_TRY(hg_text_add(text, "}"));
    }
    return hg_text_add(text, "]\n}\n");
}

static hg_status
compose(const hg_comm *comm, int threads, double seconds, int64_t bytes, const hg_text *phases,
        hg_text *text)
{
    HG_TRY(hg_text_add(
        text,
        "{\n  \"version\": \"%s\",\n  \"ranks\": %d,\n  \"threads\": %d,\n"
        "  \"wall_seconds\": %.2f,\n  \"peak_bytes\": %" PRId64 ",\n  \"phases\": [%s],\n",
        hg_version(), comm->size, threads, seconds, bytes, hg_text_string(phases)));
    return add_warnings(text);
}

hg_status
hg_note_write(const hg_comm *comm, const hg_params *params, int threads, double seconds)
{
    char path[HG_PATH_MAX], name[32];
    hg_text phases = {0}, text = {0};
    int64_t bytes = hg_mem_resident_peak();
    double times[3];
    hg_status status = HG_OK;

    hg_comm_max(comm, 1, &bytes);
    for (int i = 0; hg_comm_phase(comm, i, name, times); i++) {
        hg_status added = hg_text_add(
            &phases, "%s\n    {\"name\": \"%s\", \"min\": %.3f, \"mean\": %.3f, \"max\": %.3f}",
            i > 0 ? "," : "", name, times[0], times[1], times[2]);

        status = status != HG_OK ? status : added;
    }
    if (status == HG_OK && comm->rank == 0) {
        status = compose(comm, threads, seconds, bytes, &phases, &text);
    }
    if (status == HG_OK && comm->rank == 0) {
        status = hg_paths_output(params, "run.json", sizeof path, path);
    }
    if (status == HG_OK && comm->rank == 0) {
        status = hg_publish_text(path, hg_text_string(&text));
    }
    hg_text_clear(&phases);
    hg_text_clear(&text);
    return hg_comm_agree(comm, status);
}
