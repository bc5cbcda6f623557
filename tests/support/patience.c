/* Ranks that wait sleep instead of asking for the core again and again: preloaded to the ranks
 * of tests. Open MPI calls sched_yield() between two looks at its queues (mpi_yield_when_idle),
 * and the kernel gives the core back at once: with more ranks than cores a third of the time of
 * a test went into that. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOOP_NS = 3000, PATIENCE = 20, SLEEP_NS = 30000 };

static int64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int
sched_yield(void)
{
    static _Thread_local int64_t last;
    static _Thread_local int looks;
    const struct timespec pause = {.tv_nsec = SLEEP_NS};

    /* what takes longer than a look was work: a message has come */
    looks = now() - last < LOOP_NS ? looks + 1 : 0;
    if (looks < PATIENCE) {
        syscall(SYS_sched_yield);
    } else {
        if (looks == PATIENCE) { /* sleep for as long as asked, not 0.05 ms more */
            prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
        }
        nanosleep(&pause, NULL);
    }
    last = now();
    return 0;
}
