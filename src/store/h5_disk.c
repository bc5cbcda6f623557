/* HDF5 1.10 cannot live with a failed write: it keeps what it could not write, tries again when
 * the file is closed, and where that fails too, the file is closed by half and the library
 * crashes when the program ends. So it is not told. From the first failure on the file goes on
 * in memory, in a nameless copy of what has been written, which costs nothing while all is
 * well, and *error says that the file on the disk is worthless. Everything else is as in HDF5's
 * driver "sec2", whose flags decide how metadata are laid out, hence the bytes. */
#include "store/h5_disk.h"

#if H5_VERSION_GE(1, 13, 2)
#include <H5FDdevelop.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM_LEAST = 1 << 20, NUMBER = 260 };

/** What a property list says: where to note failures. */
typedef struct setting {
    int *error;
} setting;

/** An open file; HDF5's part comes first. */
typedef struct disk {
    H5FD_t base;
    int handle;
    int *error;
    char *memory; /**< in the place of the file once a write has failed */
    size_t room;
    haddr_t eoa, eof;
} disk;

static disk *
of(H5FD_t *file)
{
    return (disk *)(void *)file;
}

/* Pages that are never touched take no memory. */
static bool
make_room(disk *d, size_t n)
{
    const size_t room = n > 2 * d->room ? n + ROOM_LEAST : 2 * d->room;
    void *memory;

    if (n <= d->room) {
        return true;
    }
    memory = d->memory == NULL ? mmap(NULL, room, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                               : mremap(d->memory, d->room, room, MREMAP_MAYMOVE);
    if (memory == MAP_FAILED) {
        return false;
    }
    d->memory = memory;
    d->room = room;
    return true;
}

/* What is there of n bytes; the rest is left alone. */
static bool
get_bytes(int handle, haddr_t at, size_t n, char *to)
{
    while (n > 0) {
        const ssize_t done = pread(handle, to, n, (off_t)at);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done == 0;
        }
        to += done;
        at += (haddr_t)done;
        n -= (size_t)done;
    }
    return true;
}

static bool
put_bytes(int handle, haddr_t at, size_t n, const char *from)
{
    while (n > 0) {
        const ssize_t done = pwrite(handle, from, n, (off_t)at);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        from += done;
        at += (haddr_t)done;
        n -= (size_t)done;
    }
    return true;
}

/* Note the failure and go on in memory; what cannot be read any more is of no use to anybody.
 */
static bool
leave_disk(disk *d)
{
    *d->error = errno != 0 ? errno : EIO;
    if (!make_room(d, (size_t)d->eof + 1)) {
        return false;
    }
    (void)get_bytes(d->handle, 0, (size_t)d->eof, d->memory);
    return true;
}

static herr_t
write_bytes(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n,
            const void *data)
{
    disk *d = of(file);

    (void)type;
    (void)transfer;
    if (d->memory == NULL && !put_bytes(d->handle, at, n, data) && !leave_disk(d)) {
        return -1;
    }
    if (d->memory != NULL) {
        if (!make_room(d, (size_t)at + n)) {
            return -1;
        }
        memcpy(d->memory + at, data, n);
    }
    if (at + n > d->eof) {
        d->eof = at + n;
    }
    return 0;
}

/* Behind the end there are zeros. */
static herr_t
read_bytes(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, void *data)
{
    const disk *d = of(file);

    (void)type;
    (void)transfer;
    memset(data, 0, n);
    if (d->memory == NULL) {
        return get_bytes(d->handle, at, n, data) ? 0 : -1;
    }
    if (at < d->room) {
        memcpy(data, d->memory + at, n < d->room - at ? n : d->room - at);
    }
    return 0;
}

static H5FD_t *
open_file(const char *path, unsigned flags, hid_t access, haddr_t most)
{
    const setting *s = H5Pget_driver_info(access);
    disk *d;

    (void)most;
    /* files are made anew, others are never opened with this driver */
    d = s != NULL && (flags & H5F_ACC_TRUNC) != 0 ? calloc(1, sizeof *d) : NULL;
    if (d == NULL) {
        return NULL;
    }
    d->error = s->error;
    d->handle = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (d->handle < 0) {
        free(d);
        return NULL;
    }
    return &d->base;
}

static herr_t
close_file(H5FD_t *file)
{
    disk *d = of(file);

    /* network file systems may tell of a full quota here only */
    if (close(d->handle) != 0 && *d->error == 0) {
        *d->error = errno;
    }
    if (d->memory != NULL) {
        munmap(d->memory, d->room);
    }
    free(d);
    return 0;
}

static herr_t
query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t
get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const disk *)(const void *)file)->eoa;
}

static herr_t
set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t at)
{
    (void)type;
    of(file)->eoa = at;
    return 0;
}

static haddr_t
get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const disk *)(const void *)file)->eof;
}

static herr_t
truncate_file(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    disk *d = of(file);

    (void)transfer;
    (void)closing;
    if (d->eoa == d->eof) {
        return 0;
    }
    if (d->memory == NULL && ftruncate(d->handle, (off_t)d->eoa) != 0 && !leave_disk(d)) {
        return -1;
    }
    d->eof = d->eoa;
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)NUMBER,
#endif
    .name = "halograft",
    .maxaddr = ((haddr_t)1 << 62) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(setting),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_eoa,
    .set_eoa = set_eoa,
    .get_eof = get_eof,
    .read = read_bytes,
    .write = write_bytes,
    .truncate = truncate_file,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* Registered once and kept: H5FD_close() of HDF5 1.10 gives the driver back before it reads
 * from it how to close the file, so the last file of a driver would be closed through freed
 * memory. */
static hid_t
find_driver(void)
{
    static hid_t number = H5I_INVALID_HID;

    if (H5Iget_type(number) != H5I_VFL) {
        number = H5FDregister(&driver);
    }
    return number;
}

hid_t
hg_h5_disk_create(const char *path, hid_t creation, int *error)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), number = find_driver();
    const setting where = {error};
    hid_t file = H5I_INVALID_HID;

    *error = 0;
    if (access >= 0 && number >= 0 && H5Pset_driver(access, number, &where) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0) {
        file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    }
    if (access >= 0) {
        H5Pclose(access);
    }
    return file;
}
