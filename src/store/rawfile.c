/* pwrite() at offsets that HDF5 has given beforehand, in place of MPI-IO: its errors come from
 * the system call itself, no library caches or merges what ranks write, and no write can change
 * the structure of the file (ADR 10). */
#include "store/rawfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/binfile.h"
#include "store/publish.h"

enum { PIECE = 1 << 28 };

struct hg_rawfile {
    int handle;
    char path[HG_PATH_MAX];
};

hg_status
hg_rawfile_reserve(const char *path, int64_t bytes)
{
    int handle = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    int reason;

    if (handle < 0) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be opened: %s", path, strerror(errno));
    }
    reason = bytes > 0 ? posix_fallocate(handle, 0, bytes) : 0;
    if (fsync(handle) != 0 && reason == 0) {
        reason = errno;
    }
    if (close(handle) != 0 && reason == 0) {
        reason = errno;
    }
    return reason == 0 ? HG_OK
                       : HG_FAIL(HG_E_WRITE, "no room of %" PRId64 " bytes for '%s': %s", bytes,
                                 path, strerror(reason));
}

hg_status
hg_rawfile_open(const char *path, hg_rawfile **file)
{
    hg_rawfile *f = NULL;
    hg_status status;

    *file = NULL;
    hg_alive_file(path);
    HG_TRY(hg_mem_zeros(&f, 1, sizeof *f));
    f->handle = -1;
    HG_TRY_OR(fail, status, hg_text_path(sizeof f->path, f->path, "%s", path));
    (void)hg_file_await(path);
    f->handle = open(path, O_WRONLY | O_CLOEXEC);
    if (f->handle < 0) {
        status = HG_FAIL(HG_E_WRITE, "'%s' cannot be opened: %s", path, strerror(errno));
        goto fail;
    }
    *file = f;
    return HG_OK;

fail:
    hg_mem_free(f);
    return status;
}

hg_status
hg_rawfile_write(hg_rawfile *file, int64_t offset, size_t n, const void *bytes)
{
    const char *p = bytes;

    while (n > 0) {
        const ssize_t done = pwrite(file->handle, p, n < PIECE ? n : PIECE, (off_t)offset);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return HG_FAIL(HG_E_WRITE, "'%s' cannot be written: %s", file->path,
                           done < 0 ? strerror(errno) : "nothing was taken");
        }
        p += done;
        offset += done;
        n -= (size_t)done;
    }
    return HG_OK;
}

hg_status
hg_rawfile_sync(hg_rawfile *file)
{
    if (fsync(file->handle) != 0) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be flushed to disk: %s", file->path,
                       strerror(errno));
    }
    posix_fadvise(file->handle, 0, 0, POSIX_FADV_DONTNEED);
    return HG_OK;
}

void
hg_rawfile_close(hg_rawfile *file)
{
    if (file != NULL) {
        close(file->handle);
        hg_mem_free(file);
    }
}

/* ---- the test of a file system ---- */

/* Blocks that share pages, sectors and stripes with those of other ranks. */
enum { BLOCKS = 4, BLOCK = 9973 };

static int64_t
block_offset(const hg_comm *comm, int rank, int i)
{
    return ((int64_t)i * comm->size + rank) * BLOCK;
}

static void
fill_block(int rank, int i, unsigned char block[BLOCK])
{
    for (int k = 0; k < BLOCK; k++) {
        block[k] = (unsigned char)(1 + (31 * rank + 17 * i + k) % 251);
    }
}

static hg_status
write_blocks(const hg_comm *comm, const char *path)
{
    unsigned char block[BLOCK];
    hg_rawfile *file = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_rawfile_open(path, &file));
    for (int i = 0; i < BLOCKS && status == HG_OK; i++) {
        fill_block(comm->rank, i, block);
        status = hg_rawfile_write(file, block_offset(comm, comm->rank, i), BLOCK, block);
    }
    status = status == HG_OK ? hg_rawfile_sync(file) : status;
    hg_rawfile_close(file);
    return status;
}

static hg_status
compare_blocks(const hg_comm *comm, const char *path)
{
    const int neighbour = (comm->rank + 1) % comm->size;
    unsigned char want[BLOCK], got[BLOCK];
    hg_binfile *file = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_binfile_open(path, &file));
    for (int i = 0; i < BLOCKS && status == HG_OK; i++) {
        fill_block(neighbour, i, want);
        status = hg_binfile_read(file, block_offset(comm, neighbour, i), 1, BLOCK, got);
        if (status == HG_OK && memcmp(want, got, BLOCK) != 0) {
            status = HG_FAIL(HG_E_WRITE,
                             "the file system of '%s' does not keep what several ranks write "
                             "to one file: set Output.layout to parts",
                             path);
        }
    }
    hg_binfile_close(file);
    return status;
}

static hg_status
make_file(const hg_comm *comm, const char *path)
{
    int handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (handle < 0 || close(handle) != 0) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be created: %s", path, strerror(errno));
    }
    return hg_rawfile_reserve(path, block_offset(comm, 0, BLOCKS));
}

hg_status
hg_rawfile_test(const hg_comm *comm, const char *path)
{
    char temporary[HG_PATH_MAX] = "";
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = hg_publish_begin(path, sizeof temporary, temporary);
        status = status == HG_OK ? make_file(comm, temporary) : status;
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, temporary, sizeof temporary);
    HG_TRY_OR(done, status, hg_comm_agree(comm, write_blocks(comm, temporary)));
    status = hg_comm_agree(comm, compare_blocks(comm, temporary));
done:
    if (comm->rank == 0 && temporary[0] != '\0') {
        unlink(temporary);
    }
    return status;
}
