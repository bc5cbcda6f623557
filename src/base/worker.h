/** Work that goes on beside the calling thread: one piece at a time, its failure handed over.
 * Layer: base.
 */
#ifndef HG_BASE_WORKER_H
#define HG_BASE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "halograft/error.h"

/** One piece of work; {0} is idle. */
typedef struct hg_worker {
    hg_status (*work)(void *context);
    void *context;
    bool has_thread;
    pthread_t thread;
    hg_error_record record; /**< of the thread, when the work failed */
} hg_worker;

/** Start a piece of work on a thread of its own; where none can be had the work is done at
 * once. The work must not call MPI, and nobody else may use what it uses before
 * hg_worker_wait().
 *
 * @local
 * @param[in,out] worker   idle; borrowed until hg_worker_wait()
 * @param[in]     work     what to do
 * @param[in]     context  for `work`; borrowed
 */
void hg_worker_start(hg_worker *worker, hg_status (*work)(void *context), void *context);

/** Wait for the end of the work; the error record of its thread becomes that of the caller when
 * it failed.
 *
 * @local
 * @return what the work returned; HG_OK for an idle worker
 */
HG_MUST_CHECK hg_status hg_worker_wait(hg_worker *worker);

#endif
