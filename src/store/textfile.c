/* zlib reads plain files and compressed ones alike. A buffer of our own holds what was read and
 * not yet given out, so that offsets are known and lines may have any length. A file that was
 * cut in the middle of a compressed stream is seen at its end (Z_BUF_ERROR).
 */
#include "store/textfile.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alive.h"
#include "base/memory.h"
#include "store/publish.h"

enum { PIECE = 1 << 16, LONGEST = 1 << 24 };

struct hg_textfile {
    gzFile gz;
    char *buffer;
    size_t room;
    size_t start; /* first byte not yet given out */
    size_t end;
    int64_t base; /* offset in the text of buffer[0] */
    int64_t number;
    int64_t offset; /* of the line given last */
    char path[HG_PATH_MAX];
};

hg_status
hg_textfile_open(const char *path, hg_textfile **file)
{
    hg_textfile *f = NULL;
    hg_status status;

    *file = NULL;
    hg_alive_file(path);
    if (access(path, F_OK) != 0) {
        return HG_FAIL(HG_E_NOTFOUND, "file '%s' does not exist", path);
    }
    HG_TRY(hg_mem_zeros(&f, 1, sizeof *f));
    status = hg_text_path(sizeof f->path, f->path, "%s", path);
    if (status == HG_OK) {
        f->gz = gzopen(path, "rb");
        if (f->gz == NULL) {
            status = HG_FAIL(HG_E_READ, "file '%s' cannot be read: %s", path, strerror(errno));
        }
    }
    if (status != HG_OK) {
        hg_textfile_close(f);
        return status;
    }
    *file = f;
    return HG_OK;
}

void
hg_textfile_close(hg_textfile *file)
{
    if (file != NULL) {
        if (file->gz != NULL) {
            gzclose(file->gz);
        }
        hg_mem_free(file->buffer);
        hg_mem_free(file);
    }
}

/* Read one more piece behind what is there; `more` is false at the end of the file. */
static hg_status
fill_buffer(hg_textfile *f, int *more)
{
    int got, code = Z_OK;
    const char *reason;

    if (f->start > 0) {
        memmove(f->buffer, f->buffer + f->start, f->end - f->start);
        f->base += (int64_t)f->start;
        f->end -= f->start;
        f->start = 0;
    }
    if (f->end > LONGEST) {
        return HG_FAIL(HG_E_FORMAT, "line %" PRId64 " of '%s' is too long for a text table",
                       f->number + 1, f->path);
    }
    if (f->end + PIECE + 1 > f->room) {
        HG_TRY(hg_mem_resize(&f->buffer, 2 * f->room + PIECE + 1, 1));
        f->room = 2 * f->room + PIECE + 1;
    }
    got = gzread(f->gz, f->buffer + f->end, PIECE);
    if (got < PIECE) {
        reason = gzerror(f->gz, &code);
        if (got < 0 || code != Z_OK) {
            return HG_FAIL(HG_E_READ, "'%s' is damaged or cut after line %" PRId64 " (%s)",
                           f->path, f->number, code == Z_ERRNO ? strerror(errno) : reason);
        }
    }
    f->end += (size_t)got;
    *more = got > 0;
    return HG_OK;
}

hg_status
hg_textfile_line(hg_textfile *f, char **line)
{
    size_t seen = 0, n;
    char *stop = NULL;
    int more = 1;

    *line = NULL;
    for (;;) {
        stop = f->end > f->start + seen
                   ? memchr(f->buffer + f->start + seen, '\n', f->end - f->start - seen)
                   : NULL;
        if (stop != NULL) {
            break;
        }
        seen = f->end - f->start;
        HG_TRY(fill_buffer(f, &more));
        if (!more) {
            break;
        }
    }
    if (stop == NULL && f->end == f->start) {
        return HG_OK;
    }
    *line = f->buffer + f->start;
    n = (stop != NULL ? (size_t)(stop - f->buffer) : f->end) - f->start;
    f->offset = f->base + (int64_t)f->start;
    f->start += n + (stop != NULL);
    f->number++;
    (*line)[n] = '\0';
    if (strlen(*line) != n) {
        return HG_FAIL(HG_E_FORMAT,
                       "line %" PRId64 " of '%s' holds a zero byte: not a text file", f->number,
                       f->path);
    }
    if (n > 0 && (*line)[n - 1] == '\r') {
        (*line)[n - 1] = '\0';
    }
    return HG_OK;
}

int64_t
hg_textfile_number(const hg_textfile *file)
{
    return file->number;
}

int64_t
hg_textfile_offset(const hg_textfile *file)
{
    return file->offset;
}

hg_status
hg_textfile_seek(hg_textfile *f, int64_t offset, int64_t number)
{
    if (gzseek(f->gz, (z_off_t)offset, SEEK_SET) != (z_off_t)offset) {
        return HG_FAIL(HG_E_READ, "'%s' has no byte %" PRId64 ": it changed while it was read",
                       f->path, offset);
    }
    f->start = f->end = 0;
    f->base = offset;
    f->number = number - 1;
    return HG_OK;
}
