/* Phases are few (tens), so a linear table searched by name is enough. A phase belongs to one
 * thread at a time; the lock guards the table. */
#include "base/clock.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alive.h"

enum { MAX_PHASES = 48 };

static struct {
    const char *name;
    double since;
    double total;
} phases[MAX_PHASES];
static int n_phase;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

double
hg_clock_seconds(void)
{
    static double first = -1;
    struct timespec t;
    double now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    if (first < 0) {
        first = now;
    }
    return now - first;
}

static int
find_phase(const char *name)
{
    int i = 0;

    pthread_mutex_lock(&lock);
    while (i < n_phase && strcmp(phases[i].name, name) != 0) {
        i++;
    }
    if (i == MAX_PHASES) {
        i = MAX_PHASES - 1;
    } else if (i == n_phase) {
        phases[n_phase++].name = name;
    }
    pthread_mutex_unlock(&lock);
    return i;
}

void
hg_phase_start(const char *name)
{
    hg_alive_phase(name);
    phases[find_phase(name)].since = hg_clock_seconds();
}

void
hg_phase_stop(const char *name)
{
    int i = find_phase(name);

    hg_alive();
    phases[i].total += hg_clock_seconds() - phases[i].since;
}

int
hg_phase_count(void)
{
    return n_phase;
}

const char *
hg_phase_name(int i)
{
    return phases[i].name;
}

double
hg_phase_seconds(int i)
{
    return phases[i].total;
}
