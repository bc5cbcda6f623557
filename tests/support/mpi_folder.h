/** The folder of a test, made and removed by rank 0 and known to all ranks. */
#ifndef HG_TEST_MPI_FOLDER_H
#define HG_TEST_MPI_FOLDER_H

#include "mpi_test.h"
#include "test_folder.h"

static void
share_folder(void)
{
    if (world.rank == 0) {
        folder_create();
    }
    hg_comm_broadcast(&world, 0, test_folder, sizeof test_folder);
}

static void
drop_folder(void)
{
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        folder_remove();
    }
}

/** Collective: remove a folder in that of the test, with what is in it. */
static inline void
empty_folder(const char *name)
{
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        nftw(in_folder(name), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    hg_comm_barrier(&world);
}

#endif
