/* Nothing of MPI or HDF5 is called here, because the thread that hangs may hold their locks;
 * and _exit() runs no handlers that could wait for it. Time is counted in short steps, so that
 * a process that was stopped (a batch system may suspend jobs for hours) has not been silent.
 */
#include "cli/watchdog.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/clock.h"
#include "base/unit.h"
#include "conf/schema_table.h"

#define SECTION "Run"
#define KEY "hang_timeout"
#define LIMIT SECTION "." KEY
enum { EXIT_CODE = 9 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t is_changed;
    int rank;
    double timeout;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_changed = PTHREAD_COND_INITIALIZER};

static void
bark(double silent)
{
    char where[640], line[960];
    int n;

    hg_alive_text(sizeof where, where);
    n = snprintf(line, sizeof line,
                 "[%07.1f] error: rank %d has made no progress for %.0f s: %s; " LIMIT
                 " sets the limit\n",
                 hg_clock_seconds(), watch.rank, silent, where);
    if (write(STDERR_FILENO, line, (size_t)n) != n) {
        _exit(EXIT_CODE);
    }
    _exit(EXIT_CODE);
}

/* wait for a while, or until there is another limit, which is returned */
static double
doze(double seconds)
{
    struct timespec until;
    double timeout;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds;
    until.tv_nsec += (long)(1e9 * fmod(seconds, 1));
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&watch.lock);
    pthread_cond_timedwait(&watch.is_changed, &watch.lock, &until);
    timeout = watch.timeout;
    pthread_mutex_unlock(&watch.lock);
    return timeout;
}

static void *
look(void *context)
{
    int64_t count = hg_alive_count();
    double timeout = doze(0), silent = 0, last = hg_clock_seconds();

    for (;;) {
        const double step = timeout > 0 ? fmin(timeout / 20, 5) : 5;

        timeout = doze(step);
        const double now = hg_clock_seconds();

        silent += fmin(now - last, 2 * step);
        last = now;
        if (hg_alive_count() != count) {
            count = hg_alive_count();
            silent = 0;
        } else if (timeout > 0 && silent >= (hg_alive_waits() ? 2 : 1) * timeout) {
            bark(silent);
        }
    }
    return context;
}

void
hg_watchdog_start(int rank, int n_set, const char *const set[])
{
    const size_t n = strlen(LIMIT "=");
    const hg_schema_key *key = hg_schema_find(SECTION, KEY);
    const char *text = key->initial;
    pthread_t thread;

    for (int i = 0; i < n_set; i++) {
        text = strncmp(set[i], LIMIT "=", n) == 0 ? set[i] + n : text;
    }
    watch.rank = rank;
    if (hg_unit_value(text, key->unit, (double)NAN, &watch.timeout) != HG_OK) {
        watch.timeout = 0; /* reading the parameters will say what is wrong */
    }
    hg_alive_phase("parameters");
    if (pthread_create(&thread, NULL, look, NULL) == 0) {
        pthread_detach(thread);
    }
}

void
hg_watchdog_limit(double timeout)
{
    pthread_mutex_lock(&watch.lock);
    watch.timeout = timeout;
    pthread_cond_signal(&watch.is_changed);
    pthread_mutex_unlock(&watch.lock);
}
