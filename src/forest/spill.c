/* Files are unlinked as soon as they are open, so nothing is left behind however the process
 * ends. */
#include "forest/spill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/publish.h"

enum { CALL_BYTES = 1 << 30 };

hg_status
hg_spill_open(const char *path, hg_spill *spill)
{
    char name[HG_PATH_MAX];

    *spill = (hg_spill){.is_open = 1};
    for (int k = 0; k < HG_SPILL_KINDS; k++) {
        spill->file[k] = -1;
    }
    for (int k = 0; k < HG_SPILL_KINDS; k++) {
        HG_TRY(hg_text_path(sizeof name, name, "%s.tmp-XXXXXX", path));
        spill->file[k] = mkstemp(name);
        if (spill->file[k] < 0) {
            return HG_FAIL(HG_E_WRITE, "no file can be made beside '%s': %s", path,
                           strerror(errno));
        }
        unlink(name);
    }
    return HG_OK;
}

hg_status
hg_spill_append(hg_spill *spill, hg_spill_kind kind, size_t n, const void *data)
{
    const char *at = data;

    while (n > 0) {
        ssize_t done = pwrite(spill->file[kind], at, n < CALL_BYTES ? n : CALL_BYTES,
                              (off_t)spill->bytes[kind]);

        if (done <= 0) {
            return HG_FAIL(HG_E_WRITE, "finished trees cannot be kept beside the model: %s",
                           strerror(errno));
        }
        at += done;
        n -= (size_t)done;
        spill->bytes[kind] += done;
    }
    return HG_OK;
}

hg_status
hg_spill_read(const hg_spill *spill, hg_spill_kind kind, int64_t offset, size_t n, void *data)
{
    char *at = data;

    while (n > 0) {
        ssize_t done =
            pread(spill->file[kind], at, n < CALL_BYTES ? n : CALL_BYTES, (off_t)offset);

        if (done <= 0) {
            return HG_FAIL(HG_E_READ, "finished trees beside the model cannot be read back: %s",
                           done < 0 ? strerror(errno) : "the file ends");
        }
        at += done;
        n -= (size_t)done;
        offset += done;
    }
    return HG_OK;
}

hg_status
hg_spill_map(const hg_spill *spill, hg_spill_kind kind, void *data)
{
    void *block = NULL;

    memcpy(data, &block, sizeof block);
    if (spill->bytes[kind] == 0) {
        return HG_OK;
    }
    block = mmap(NULL, (size_t)spill->bytes[kind], PROT_READ, MAP_SHARED, spill->file[kind], 0);
    if (block == MAP_FAILED) {
        return HG_FAIL(HG_E_READ, "finished trees beside the model cannot be mapped: %s",
                       strerror(errno));
    }
    madvise(block, (size_t)spill->bytes[kind], MADV_RANDOM);
    memcpy(data, &block, sizeof block);
    return HG_OK;
}

void
hg_spill_unmap(const hg_spill *spill, hg_spill_kind kind, void *data)
{
    if (data != NULL) {
        munmap(data, (size_t)spill->bytes[kind]);
    }
}

void
hg_spill_forget(const hg_spill *spill, hg_spill_kind kind, void *data)
{
    if (data != NULL) {
        madvise(data, (size_t)spill->bytes[kind], MADV_DONTNEED);
    }
}

void
hg_spill_close(hg_spill *spill)
{
    for (int k = 0; k < HG_SPILL_KINDS && spill->is_open; k++) {
        if (spill->file[k] >= 0) {
            close(spill->file[k]);
        }
    }
    *spill = (hg_spill){0};
}
