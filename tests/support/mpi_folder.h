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

static inline int
remove_inner(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    return walk->level > 0 ? remove_entry(path, info, kind, walk) : 0;
}

/** Collective: remove what is in a folder of that of the test; "" for this itself. */
static inline void
empty_folder(const char *name)
{
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        nftw(in_folder(name), remove_inner, 16, FTW_DEPTH | FTW_PHYS);
    }
    hg_comm_barrier(&world);
}

#endif
