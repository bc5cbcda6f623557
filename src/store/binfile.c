/* pread() keeps no place, so a file may be read in any order, and it takes 64-bit offsets. */
#include "store/binfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/publish.h"

struct hg_binfile {
    int handle;
    bool is_swapped;
    int64_t size;
    char path[HG_PATH_MAX];
};

hg_status
hg_binfile_open(const char *path, hg_binfile **file)
{
    struct stat info;
    hg_binfile *f = NULL;
    hg_status status;

    *file = NULL;
    hg_alive_file(path);
    HG_TRY(hg_mem_zeros(&f, 1, sizeof *f));
    f->handle = -1;
    HG_TRY_OR(fail, status, hg_text_path(sizeof f->path, f->path, "%s", path));
    f->handle = open(path, O_RDONLY | O_CLOEXEC);
    if (f->handle < 0) {
        status = HG_FAIL(errno == ENOENT ? HG_E_NOTFOUND : HG_E_READ,
                         "file '%s' cannot be read: %s", path, strerror(errno));
        goto fail;
    }
    if (fstat(f->handle, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = HG_FAIL(HG_E_READ, "'%s' is not a file that can be read", path);
        goto fail;
    }
    f->size = (int64_t)info.st_size;
    *file = f;
    return HG_OK;

fail:
    hg_binfile_close(f);
    return status;
}

void
hg_binfile_close(hg_binfile *file)
{
    if (file != NULL) {
        if (file->handle >= 0) {
            close(file->handle);
        }
        hg_mem_free(file);
    }
}

void
hg_binfile_swap(hg_binfile *file, bool is_swapped)
{
    file->is_swapped = is_swapped;
}

const char *
hg_binfile_path(const hg_binfile *file)
{
    return file->path;
}

int64_t
hg_binfile_size(const hg_binfile *file)
{
    return file->size;
}

static void
swap_bytes(size_t size, size_t n, unsigned char *data)
{
    for (size_t i = 0; i < n; i++, data += size) {
        for (size_t k = 0; k < size / 2; k++) {
            unsigned char byte = data[k];

            data[k] = data[size - 1 - k];
            data[size - 1 - k] = byte;
        }
    }
}

hg_status
hg_binfile_read(hg_binfile *file, int64_t offset, size_t size, size_t n, void *data)
{
    size_t want = size * n, got = 0;

    if (offset < 0 || offset > file->size || want > (size_t)(file->size - offset)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' ends at byte %" PRId64 ", but %zu bytes are wanted from byte "
                       "%" PRId64 ": it is cut, or not what its header says",
                       file->path, file->size, want, offset);
    }
    while (got < want) {
        ssize_t step =
            pread(file->handle, (char *)data + got, want - got, (off_t)(offset + (int64_t)got));

        if (step < 0 && errno == EINTR) {
            continue;
        }
        if (step <= 0) {
            return HG_FAIL(HG_E_READ, "file '%s' cannot be read at byte %" PRId64 ": %s",
                           file->path, offset + (int64_t)got,
                           step < 0 ? strerror(errno) : "it ended");
        }
        got += (size_t)step;
    }
    if (file->is_swapped && size > 1) {
        swap_bytes(size, n, data);
    }
    return HG_OK;
}
