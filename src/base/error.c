/* One thread-local record per thread. The record is filled where an error is raised and travels
 * unchanged to the top; hg_comm_agree() copies the winning rank's record to all ranks. */
#include "halograft/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local hg_error_record last = {.rank = -1};
static void (*abort_handler)(void);

static const struct {
    const char *name;
    const char *text;
    int exit_code;
} status_table[] = {
#define HG_STATUS_ROW(name, code, text) {#name, text, code},
    HG_STATUS_LIST(HG_STATUS_ROW)
#undef HG_STATUS_ROW
};

static size_t
clamp_status(hg_status status)
{
    size_t n = sizeof status_table / sizeof status_table[0];

    return (size_t)status < n ? (size_t)status : n - 1;
}

hg_status
hg_error_raise(hg_status status, const char *file, int line, const char *format, ...)
{
    const char *base = strrchr(file, '/');
    va_list args;

    last.status = status;
    last.line = line;
    last.rank = -1;
    snprintf(last.file, sizeof last.file, "%s", base != NULL ? base + 1 : file);
    va_start(args, format);
    vsnprintf(last.message, sizeof last.message, format, args);
    va_end(args);
    return status;
}

void
hg_error_prefix(const char *format, ...)
{
    char clause[1024], message[sizeof last.message];
    va_list args;

    va_start(args, format);
    vsnprintf(clause, sizeof clause, format, args);
    va_end(args);
    memcpy(message, last.message, sizeof message);
    snprintf(last.message, sizeof last.message, "%s%.*s", clause,
             (int)(sizeof last.message - 1 - strlen(clause)), message);
}

const hg_error_record *
hg_error_last(void)
{
    return &last;
}

void
hg_error_set(const hg_error_record *record)
{
    last = *record;
}

const char *
hg_status_name(hg_status status)
{
    return status_table[clamp_status(status)].name;
}

const char *
hg_status_text(hg_status status)
{
    return status_table[clamp_status(status)].text;
}

int
hg_status_exit_code(hg_status status)
{
    return status_table[clamp_status(status)].exit_code;
}

void
hg_error_on_abort(void (*handler)(void))
{
    abort_handler = handler;
}

void
hg_error_abort(const char *expression, const char *file, int line)
{
    fprintf(stderr, "halograft: internal fault at %s:%d: %s does not hold; please report it\n",
            file, line, expression);
    fflush(NULL);
    if (abort_handler != NULL) {
        abort_handler();
    }
    abort();
}
