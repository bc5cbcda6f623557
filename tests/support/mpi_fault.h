/** Agreements or allocations that fail one by one, each on one rank, until no rank gets as far.
 *
 *     fault_loop f = {.step = 1};
 *
 *     while (fault_next(&f)) {
 *         status = fault_status(&f, do_something(&world));
 *         ... what must hold when status is HG_OK, and what when it is not
 *     }
 *     all_assert(f.n_failed > 5);
 *
 * A run that succeeds is not the end: ranks count their agreements each by itself, and some of
 * them agree among few ranks, where the rank that should fail may be missing; and the rank that
 * lacks memory may be one that allocates little. HG_FAULTS=0 tries every agreement on each rank
 * and every tenth allocation, or every one where a loop takes steps that do not grow. */
#ifndef HG_TEST_MPI_FAULT_H
#define HG_TEST_MPI_FAULT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mpi_test.h"

typedef struct {
    bool of_memory; /* allocations fail, not agreements */
    bool on_each;   /* each on all ranks, not on one after the other */
    bool forgives;  /* the work may go on behind a failure of what is not needed */
    int step;       /* between those that are tried, 0 = 1 */
    double growth;  /* of the steps */
    int n, rank;    /* what fails, and where */
    int n_run;      /* so far */
    int n_failed;   /* runs of these */
    int n_forgiven; /* runs that went well although something failed */
    int n_past;     /* last runs in which no rank got as far */
} fault_loop;

static inline bool
fault_is_full(void)
{
    const char *asked = getenv("HG_FAULTS");

    return asked != NULL && strcmp(asked, "0") == 0;
}

/** Collective: let the next one fail; false at the end, when nothing is armed any more. */
static inline bool
fault_next(fault_loop *f)
{
    const bool is_full = fault_is_full(), on_each = f->on_each || (is_full && !f->of_memory);
    const int longest = f->of_memory && f->growth > 0 ? 10 : 1;

    if (f->n_past >= (f->of_memory ? world.size : 1)) {
        if (is_full && world.rank == 0) {
            printf("%d %s failed in %d runs, up to number %d\n", f->n_failed,
                   f->of_memory ? "allocations" : "agreements", f->n_run, f->n);
        }
        return false;
    }
    if (!on_each || f->n_run % world.size == 0) {
        f->n += f->n == 0 ? 1
                : is_full ? longest
                          : (f->step > 0 ? f->step : 1) + (int)(f->growth * f->n);
    }
    f->rank = (on_each ? f->n + f->n_run : f->n_run) % world.size;
    f->n_run++;
    if (f->of_memory) {
        hg_mem_fail_at(world.rank == f->rank ? f->n : 0);
    } else {
        hg_fault_arm(f->n, f->rank);
    }
    return true;
}

/** Collective: disarm, and look at what the work has returned: success where nothing failed,
 * else the failure that was asked for, on all ranks. */
static inline hg_status
fault_status(fault_loop *f, hg_status status)
{
    const hg_status expected = f->of_memory ? HG_E_MEMORY : HG_E_FAULT;
    int64_t missing, struck;

    if (f->of_memory) {
        missing = world.rank == f->rank ? hg_mem_fail_at(0) : INT64_MAX;
        struck = missing == 0;
    } else {
        missing = hg_fault_arm(0, 0);
        struck = missing < 0;
    }
    hg_comm_min(&world, 1, &missing);
    hg_comm_max(&world, 1, &struck);
    f->n_past = missing > 0 ? f->n_past + 1 : 0;
    f->n_failed += status != HG_OK;
    if (struck && f->forgives && is_same(status) && status == HG_OK) {
        f->n_forgiven++;
        return status;
    }
    cr_expect(status == (struck ? expected : HG_OK), "%s %d on rank %d %s: %d, %s",
              f->of_memory ? "allocation" : "agreement", f->n, f->rank,
              struck ? "failed" : "did not fail", (int)status, hg_error_last()->message);
    all_assert(status == (struck ? expected : HG_OK));
    return status;
}

#endif
