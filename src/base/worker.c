/* A thread per piece of work instead of one that waits for orders: pieces take seconds, a
 * thread takes microseconds, and joining it is all the synchronisation there is. */
#include "base/worker.h"

static void *
run(void *argument)
{
    hg_worker *worker = argument;

    worker->record.status = worker->work(worker->context);
    if (worker->record.status != HG_OK) {
        worker->record = *hg_error_last();
    }
    return NULL;
}

void
hg_worker_start(hg_worker *worker, hg_status (*work)(void *context), void *context)
{
    *worker = (hg_worker){.work = work, .context = context};
    worker->has_thread = pthread_create(&worker->thread, NULL, run, worker) == 0;
    if (!worker->has_thread) {
        run(worker);
    }
}

hg_status
hg_worker_wait(hg_worker *worker)
{
    hg_status status;

    if (worker->has_thread) {
        pthread_join(worker->thread, NULL);
    }
    status = worker->record.status;
    if (status != HG_OK) {
        hg_error_set(&worker->record);
    }
    *worker = (hg_worker){0};
    return status;
}
