/* A path that is wrong on one rank makes a collective open hang with some MPI-IO layers, so
 * rank 0 creates the file alone before all ranks open it. */
#include "par/machine_test.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/memory.h"
#include "base/random.h"
#include "par/piece.h"

int
hg_comm_node_cores(const hg_comm *comm)
{
    enum { WORDS = HG_CORES_MAX / 64 };
    uint64_t mask[WORDS];
    MPI_Comm node = MPI_COMM_NULL;
    int n = 0;

    hg_machine_cores(mask);
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    MPI_Allreduce(MPI_IN_PLACE, mask, WORDS, MPI_UINT64_T, MPI_BOR, node);
    MPI_Comm_free(&node);
    for (int i = 0; i < WORDS; i++) {
        n += __builtin_popcountll(mask[i]);
    }
    return n > 0 ? n : 1;
}

static hg_status
check(int code, const char *path, const char *what)
{
    char reason[MPI_MAX_ERROR_STRING];
    int n = 0;

    if (code == MPI_SUCCESS) {
        return HG_OK;
    }
    MPI_Error_string(code, reason, &n);
    reason[strcspn(reason, "\n")] = '\0';
    return HG_FAIL(HG_E_WRITE, "MPI-IO cannot %s '%s': %s", what, path, reason);
}

static hg_status
create_file(const hg_comm *comm, const char *path)
{
    hg_status status = HG_OK, agreed;
    MPI_File file;

    if (comm->rank == 0) {
        status = check(MPI_File_open(MPI_COMM_SELF, path,
                                     MPI_MODE_CREATE | MPI_MODE_EXCL | MPI_MODE_WRONLY,
                                     MPI_INFO_NULL, &file),
                       path, "create");
        status = status == HG_OK ? check(MPI_File_close(&file), path, "close") : status;
    }
    agreed = hg_comm_agree(comm, status);
    if (agreed != HG_OK && status == HG_OK && comm->rank == 0) {
        unlink(path);
    }
    return agreed;
}

/* The block of a rank in the file, written or read; the status is agreed upon. */
static hg_status
move_block(const hg_comm *comm, const char *path, bool write, int rank, size_t bytes,
           unsigned char *block)
{
    const MPI_Offset place = (MPI_Offset)rank * (MPI_Offset)bytes;
    hg_status status;
    MPI_File file;
    int code;

    HG_TRY(hg_comm_agree(
        comm, check(MPI_File_open(comm->mpi, path, write ? MPI_MODE_WRONLY : MPI_MODE_RDONLY,
                                  MPI_INFO_NULL, &file),
                    path, "open")));
    code = write
               ? MPI_File_write_at(file, place, block, (int)bytes, MPI_BYTE, MPI_STATUS_IGNORE)
               : MPI_File_read_at(file, place, block, (int)bytes, MPI_BYTE, MPI_STATUS_IGNORE);
    status = hg_comm_agree(comm, check(code, path, write ? "write" : "read"));
    if (status == HG_OK && write) {
        status = hg_comm_agree(comm, check(MPI_File_sync(file), path, "flush"));
    }
    code = MPI_File_close(&file);
    return hg_comm_agree(comm, status == HG_OK ? check(code, path, "close") : status);
}

static unsigned char
test_byte(int rank, size_t i)
{
    return (unsigned char)hg_mix64((uint64_t)rank << 32 | i >> 3);
}

static hg_status
compare_block(const char *path, int rank, size_t bytes, const unsigned char *block)
{
    for (size_t i = 0; i < bytes; i++) {
        if (block[i] != test_byte(rank, i)) {
            return HG_FAIL(HG_E_VERIFY,
                           "byte %zu of rank %d in '%s' is not what MPI-IO was given to write",
                           i, rank, path);
        }
    }
    return HG_OK;
}

hg_status
hg_comm_file_test(const hg_comm *comm, const char *path, size_t bytes)
{
    const int neighbour = (comm->rank + 1) % comm->size;
    unsigned char *block = NULL;
    hg_status status;

    HG_ASSERT(bytes <= HG_PIECE);
    HG_TRY_OR(done, status, hg_comm_agree(comm, hg_mem_array(&block, bytes, 1)));
    for (size_t i = 0; i < bytes; i++) {
        block[i] = test_byte(comm->rank, i);
    }
    status = create_file(comm, path);
    if (status == HG_OK) {
        status = move_block(comm, path, true, comm->rank, bytes, block);
        if (status == HG_OK) {
            memset(block, 0, bytes);
            status = move_block(comm, path, false, neighbour, bytes, block);
        }
        if (status == HG_OK) {
            status = hg_comm_agree(comm, compare_block(path, neighbour, bytes, block));
        }
        if (comm->rank == 0) {
            unlink(path);
        }
    }
done:
    hg_mem_free(block);
    return status;
}

double
hg_comm_clock_spread(const hg_comm *comm)
{
    struct timespec now;
    double time[2];

    MPI_Barrier(comm->mpi);
    clock_gettime(CLOCK_REALTIME, &now);
    time[0] = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    time[1] = -time[0];
    MPI_Allreduce(MPI_IN_PLACE, time, 2, MPI_DOUBLE, MPI_MAX, comm->mpi);
    return time[0] + time[1];
}
