/* zlib writes both: in its transparent mode it only buffers. Its header holds no time. */
#include "store/textout.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "store/publish.h"

struct hg_textout {
    gzFile gz;
    char path[HG_PATH_MAX];
};

static hg_status
fail(const hg_textout *f)
{
    int code = 0;
    const char *why = f->gz != NULL ? gzerror(f->gz, &code) : "";

    return HG_FAIL(HG_E_WRITE, "file '%s' cannot be written: %s", f->path,
                   f->gz != NULL && code != Z_ERRNO ? why : strerror(errno));
}

hg_status
hg_textout_create(const char *path, bool compressed, hg_textout **file)
{
    hg_textout *f = NULL;
    hg_status status;

    *file = NULL;
    HG_TRY(hg_mem_zeros(&f, 1, sizeof *f));
    status = hg_text_path(sizeof f->path, f->path, "%s", path);
    if (status == HG_OK) {
        f->gz = gzopen(path, compressed ? "wb6" : "wbT");
        status = f->gz == NULL ? fail(f) : HG_OK;
    }
    if (status != HG_OK) {
        hg_mem_free(f);
        return status;
    }
    *file = f;
    return HG_OK;
}

hg_status
hg_textout_write(hg_textout *file, const char *bytes, size_t n)
{
    const size_t most = 1 << 30;

    while (n > 0) {
        const size_t step = n < most ? n : most;

        if (gzwrite(file->gz, bytes, (unsigned)step) != (int)step) {
            return fail(file);
        }
        bytes += step;
        n -= step;
    }
    return HG_OK;
}

hg_status
hg_textout_close(hg_textout *file)
{
    hg_status status = HG_OK;

    if (file == NULL) {
        return HG_OK;
    }
    if (gzclose(file->gz) != Z_OK) {
        status =
            HG_FAIL(HG_E_WRITE, "file '%s' cannot be written: %s", file->path, strerror(errno));
    }
    hg_mem_free(file);
    return status;
}
