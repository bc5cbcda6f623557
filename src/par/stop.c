/* One rank may see the file or the limit before another, so pieces that are agreed on ask with
 * a reduction; pieces that no other rank waits for ask alone. */
#include "par/stop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/clock.h"

enum { LOOK_SECONDS = 5 };

static volatile sig_atomic_t signalled;
static char stop_file[4096];
static double limit;
static double looked;
static int seen; /* the file, or the limit */

static void
on_signal(int number)
{
    (void)number;
    signalled = 1;
}

void
hg_stop_listen(const char *folder, double walltime)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    stop_file[0] = '\0';
    if (folder != NULL && strlen(folder) + 6 < sizeof stop_file) {
        snprintf(stop_file, sizeof stop_file, "%s/stop", folder);
    }
    limit = walltime;
    looked = -LOOK_SECONDS;
    seen = 0;
}

bool
hg_stop_wanted_here(double margin)
{
    const double now = hg_clock_seconds();
    bool wanted;

    hg_alive();
#pragma omp critical(hg_stop)
    {
        if (seen == 0 && stop_file[0] != '\0' && now - looked >= LOOK_SECONDS) {
            looked = now;
            seen = access(stop_file, F_OK) == 0;
        }
        seen |= limit > 0 && now + margin >= limit;
        wanted = seen != 0;
    }
    return wanted || signalled != 0;
}

bool
hg_stop_wanted(const hg_comm *comm, double margin)
{
    int64_t wanted = hg_stop_wanted_here(margin);

    hg_comm_max(comm, 1, &wanted);
    if (wanted != 0 && comm->rank == 0 && stop_file[0] != '\0') {
        unlink(stop_file);
    }
    return wanted != 0;
}

hg_status
hg_stop_check(const hg_comm *comm, double margin, const char *advice)
{
    return hg_stop_wanted(comm, margin)
               ? HG_FAIL(HG_STOPPED, "stopped as requested: %s", advice)
               : HG_OK;
}
