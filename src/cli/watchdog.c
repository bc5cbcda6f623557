/* Nothing of MPI or HDF5 is called here, because the thread that hangs may hold their locks;
 * and _exit() runs no handlers that could wait for it. */
#include "cli/watchdog.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/clock.h"

enum { EXIT_CODE = 9 };

static struct {
    int rank;
    double timeout;
} watch;

static void
bark(double silent)
{
    char where[640], line[960];
    int n;

    hg_alive_text(sizeof where, where);
    n = snprintf(line, sizeof line,
                 "[%07.1f] error: rank %d has made no progress for %.0f s: %s; "
                 "Run.hang_timeout sets the limit\n",
                 hg_clock_seconds(), watch.rank, silent, where);
    if (write(STDERR_FILENO, line, (size_t)n) != n) {
        _exit(EXIT_CODE);
    }
    _exit(EXIT_CODE);
}

static void *
look(void *context)
{
    const double step = watch.timeout / 20 < 5 ? watch.timeout / 20 : 5;
    int64_t count = hg_alive_count();
    double since = hg_clock_seconds();

    for (;;) {
        usleep((useconds_t)(1e6 * step));
        const double now = hg_clock_seconds();

        if (hg_alive_count() != count) {
            count = hg_alive_count();
            since = now;
        } else if (now - since >= (hg_alive_waits() ? 2 : 1) * watch.timeout) {
            bark(now - since);
        }
    }
    return context;
}

void
hg_watchdog_start(int rank, double timeout)
{
    pthread_t thread;

    watch.rank = rank;
    watch.timeout = timeout;
    if (timeout > 0 && pthread_create(&thread, NULL, look, NULL) == 0) {
        pthread_detach(thread);
    }
}
