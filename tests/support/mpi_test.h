/** Fixture and collective assertion of the MPI tests: one mpirun per Test() and rank count. */
#ifndef HG_TEST_MPI_TEST_H
#define HG_TEST_MPI_TEST_H

#include <criterion/criterion.h>
#include <mpi.h>

#include "halograft/comm.h"

#ifdef HG_SANITIZE
#include <sanitizer/lsan_interface.h>
#endif

static hg_comm world;

static void
mpi_setup(void)
{
#ifdef HG_SANITIZE
    __lsan_disable();
#endif
    MPI_Init(NULL, NULL);
#ifdef HG_SANITIZE
    __lsan_enable();
#endif
    cr_assert_eq(hg_comm_init(&world, MPI_COMM_WORLD), HG_OK);
}

static void
mpi_teardown(void)
{
    hg_comm_clear(&world);
#ifdef HG_SANITIZE
    if (__lsan_do_recoverable_leak_check()) {
        abort();
    }
#endif
    MPI_Finalize();
}

#define MPI_SUITE(name) TestSuite(name, .init = mpi_setup, .fini = mpi_teardown, .timeout = 120)

/** Collective: whether all ranks have the same status. */
static inline bool
is_same(hg_status status)
{
    int64_t low = (int64_t)status, high = (int64_t)status;

    hg_comm_min(&world, 1, &low);
    hg_comm_max(&world, 1, &high);
    return low == high;
}

/** Collective: all ranks stop when one fails, and the guilty one says why. */
#define all_assert(cond)                                                           \
    do {                                                                           \
        int here_ = !!(cond), everywhere_;                                         \
        MPI_Allreduce(&here_, &everywhere_, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD); \
        cr_expect(here_, "rank %d of %d: %s", world.rank, world.size, #cond);      \
        cr_assert(everywhere_, "on some rank: %s", #cond);                         \
    } while (0)

#endif
