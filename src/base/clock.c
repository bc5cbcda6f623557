/* Phases are few (tens), so a linear table searched by name is enough. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

enum { MAX_PHASES = 48 };

static struct {
    const char *name;
    double since;
    double total;
} phases[MAX_PHASES];
static int n_phase;

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
    for (int i = 0; i < n_phase; i++) {
        if (strcmp(phases[i].name, name) == 0) {
            return i;
        }
    }
    if (n_phase == MAX_PHASES) {
        return MAX_PHASES - 1;
    }
    phases[n_phase].name = name;
    return n_phase++;
}

void
hg_phase_start(const char *name)
{
    phases[find_phase(name)].since = hg_clock_seconds();
}

void
hg_phase_stop(const char *name)
{
    int i = find_phase(name);

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
