/* A counter that a watchdog may look at without a lock; the words have one. */
#include "base/alive.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int_fast64_t count;
static atomic_bool waiting;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *last_phase = "start";
static char last_file[512];

void
hg_alive(void)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

void
hg_alive_phase(const char *phase)
{
    pthread_mutex_lock(&lock);
    last_phase = phase;
    pthread_mutex_unlock(&lock);
    hg_alive();
}

void
hg_alive_file(const char *path)
{
    pthread_mutex_lock(&lock);
    snprintf(last_file, sizeof last_file, "%s", path);
    pthread_mutex_unlock(&lock);
    hg_alive();
}

void
hg_alive_wait(bool waits)
{
    atomic_store_explicit(&waiting, waits, memory_order_relaxed);
    hg_alive();
}

int64_t
hg_alive_count(void)
{
    return (int64_t)atomic_load_explicit(&count, memory_order_relaxed);
}

bool
hg_alive_waits(void)
{
    return atomic_load_explicit(&waiting, memory_order_relaxed);
}

void
hg_alive_text(size_t n, char text[])
{
    pthread_mutex_lock(&lock);
    if (last_file[0] != '\0') {
        snprintf(text, n, "phase '%s', last file '%s'", last_phase, last_file);
    } else {
        snprintf(text, n, "phase '%s'", last_phase);
    }
    pthread_mutex_unlock(&lock);
}
