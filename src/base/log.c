/* Lines are composed in one buffer and written with one call, so that ranks do not interleave
 * within a line; a lock does the same for threads. Warnings are kept (up to a fixed number of
 * distinct ones) for the end block. */
#include "halograft/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/clock.h"

enum { MAX_WARNINGS = 64, LINE = 2048 };

static struct {
    int rank;
    int size;
    hg_log_level level;
    int terminal_line; /* a redrawn progress line stands on the terminal */
    int n_warning;
    struct {
        char text[LINE / 4];
        int64_t times;
    } warning[MAX_WARNINGS];
} sink = {.size = 1, .level = HG_LOG_INFO};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
hg_log_setup(int rank, int size, hg_log_level level)
{
    sink.rank = rank;
    sink.size = size;
    sink.level = level;
    hg_clock_seconds();
}

hg_log_level
hg_log_change(hg_log_level level)
{
    const hg_log_level before = sink.level;

    sink.level = level;
    return before;
}

static void
write_line(const char *mark, const char *text)
{
    char line[LINE];
    char from[32] = "";

    pthread_mutex_lock(&lock);
    if (sink.terminal_line) {
        fputs("\r\033[K", stderr);
        sink.terminal_line = 0;
    }
    if (mark[0] != '\0' && sink.rank > 0) {
        snprintf(from, sizeof from, " (rank %d)", sink.rank);
    }
    snprintf(line, sizeof line, "[%07.1f] %s%s%s\n", hg_clock_seconds(), mark, text, from);
    fputs(line, stderr);
    fflush(stderr);
    pthread_mutex_unlock(&lock);
}

#define COMPOSE(text)                                \
    do {                                             \
        va_list args_;                               \
        va_start(args_, format);                     \
        vsnprintf(text, sizeof text, format, args_); \
        va_end(args_);                               \
    } while (0)

void
hg_log_error(const char *format, ...)
{
    char text[LINE - 64];

    COMPOSE(text);
    write_line("error: ", text);
}

/* How often this warning was given, this time included. */
static int64_t
count_warning(const char *text)
{
    int64_t times = 1;
    int i = 0;

    pthread_mutex_lock(&lock);
    while (i < sink.n_warning &&
           strncmp(sink.warning[i].text, text, sizeof sink.warning[i].text - 1) != 0) {
        i++;
    }
    if (i < sink.n_warning) {
        times = ++sink.warning[i].times;
    } else if (i < MAX_WARNINGS) {
        snprintf(sink.warning[i].text, sizeof sink.warning[0].text, "%.*s",
                 (int)sizeof sink.warning[0].text - 1, text);
        sink.warning[sink.n_warning++].times = 1;
    }
    pthread_mutex_unlock(&lock);
    return times;
}

void
hg_log_warn(const char *format, ...)
{
    char text[LINE - 64];

    COMPOSE(text);
    if (count_warning(text) == 1 && sink.level >= HG_LOG_WARN) {
        write_line("warning: ", text);
    }
}

void
hg_log_info(const char *format, ...)
{
    char text[LINE - 64];

    if (sink.rank != 0 || sink.level < HG_LOG_INFO) {
        return;
    }
    COMPOSE(text);
    write_line("", text);
}

void
hg_log_debug(const char *format, ...)
{
    char text[LINE - 64];

    if (sink.level < HG_LOG_DEBUG) {
        return;
    }
    COMPOSE(text);
    write_line("debug: ", text);
}

int
hg_log_warning_count(void)
{
    return sink.n_warning;
}

const char *
hg_log_warning(int i, int64_t *times)
{
    *times = sink.warning[i].times;
    return sink.warning[i].text;
}

static int
is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

hg_progress
hg_progress_start(const char *phase, const char *unit, int64_t total)
{
    double now = hg_clock_seconds();
    hg_progress progress = {
        .phase = phase, .unit = unit, .total = total, .start = now, .last = now};

    return progress;
}

void
hg_progress_to(hg_progress *progress, int64_t done)
{
    double now = hg_clock_seconds(), spent = now - progress->start, rate;
    int terminal;

    progress->done = done;
    hg_alive();
    if (sink.rank != 0 || sink.level < HG_LOG_INFO) {
        return;
    }
    terminal = is_terminal();
    if (done <= 0 || now - progress->last < (terminal ? 0.2 : 60)) {
        return;
    }
    progress->last = now;
    rate = (double)done / spent;
    if (terminal) {
        pthread_mutex_lock(&lock);
        fprintf(stderr, "\r\033[K[%07.1f] %s: %.0f %% of %" PRId64 " %s, %.2g/s, %.0f s left",
                now, progress->phase, 100.0 * (double)done / (double)progress->total,
                progress->total, progress->unit, rate, (double)(progress->total - done) / rate);
        fflush(stderr);
        sink.terminal_line = 1;
        pthread_mutex_unlock(&lock);
        return;
    }
    hg_log_info("%s: %.0f %% of %" PRId64 " %s, %.3g/s, %.0f s left", progress->phase,
                100.0 * (double)done / (double)progress->total, progress->total, progress->unit,
                rate, (double)(progress->total - done) / rate);
}

void
hg_progress_end(hg_progress *progress)
{
    double spent = hg_clock_seconds() - progress->start;

    hg_log_info("%s: %" PRId64 " %s in %.2f s, %.3g/s", progress->phase, progress->total,
                progress->unit, spent, (double)progress->total / (spent > 1e-9 ? spent : 1e-9));
}
