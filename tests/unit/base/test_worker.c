#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/worker.h"

struct request {
    bool fails;
    bool is_done;
    pthread_t thread;
};

static hg_status
serve(void *context)
{
    struct request *r = context;

    r->is_done = true;
    r->thread = pthread_self();
    return r->fails ? HG_FAIL(HG_E_READ, "page %d is torn", 7) : HG_OK;
}

Test(worker, a_failure_is_handed_over_with_its_sentence)
{
    struct request good = {.fails = false}, bad = {.fails = true};
    hg_worker worker = {0};

    cr_assert_eq(hg_worker_wait(&worker), HG_OK); /* nothing was started */
    hg_worker_start(&worker, serve, &good);
    cr_assert_eq(hg_worker_wait(&worker), HG_OK);
    cr_assert(good.is_done && !pthread_equal(good.thread, pthread_self()));
    hg_worker_start(&worker, serve, &bad);
    cr_assert_eq(HG_FAIL(HG_E_ARG, "of this thread"), HG_E_ARG);
    cr_assert_eq(hg_worker_wait(&worker), HG_E_READ);
    cr_assert_eq(hg_error_last()->status, HG_E_READ);
    cr_assert(strcmp(hg_error_last()->message, "page 7 is torn") == 0);
    cr_assert_eq(hg_worker_wait(&worker), HG_OK);
}
