/* The file system is tried the way outputs are written: HDF5 with checksums under a temporary
 * name, flushed, renamed, then read by another rank, which on other nodes shows a file system
 * that is not shared. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "audit/doctor.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "par/machine_test.h"
#include "store/h5.h"
#include "store/publish.h"

static const char *
name_of(const char *folder)
{
    static const struct {
        uint32_t magic;
        const char *name;
    } known[] = {{0x0BD00BD0, "Lustre"},  {0x47504653, "GPFS"}, {0x6969, "NFS"},
                 {0x19830326, "BeeGFS"},  {0x00C36400, "Ceph"}, {0x01021994, "tmpfs"},
                 {0x794C7630, "overlay"}, {0xEF53, "ext4"},     {0x58465342, "XFS"},
                 {0x9123683E, "Btrfs"},   {0x2FC12FC1, "ZFS"},  {0xFF534D42, "CIFS"},
                 {0x65735546, "FUSE"}};
    struct statfs info;

    if (statfs(folder, &info) == 0) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if ((uint32_t)info.f_type == known[i].magic) {
                return known[i].name;
            }
        }
    }
    return "another file system";
}

/* The folder itself, or the nearest one above it that exists. */
static hg_status
find_folder(const hg_comm *comm, const char *folder, char found[])
{
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = hg_text_path(HG_PATH_MAX, found, "%s", folder[0] != '\0' ? folder : ".");
        while (status == HG_OK && !hg_file_exists(found)) {
            char *slash = strrchr(found, '/');

            if (slash == NULL || slash == found) {
                strcpy(found, slash == NULL ? "." : "/");
                break;
            }
            *slash = '\0';
        }
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, found, HG_PATH_MAX);
    return HG_OK;
}

static hg_status
write_part(const char *path, int rank, int64_t n)
{
    const hg_h5_layout layout = HG_H5_PART;
    char temporary[HG_PATH_MAX];
    hg_h5 *file = NULL;
    int64_t *x = NULL;
    hg_status status, closed;

    HG_TRY(hg_mem_array(&x, (size_t)n, sizeof *x));
    for (int64_t i = 0; i < n; i++) {
        x[i] = (int64_t)hg_mix64((uint64_t)rank << 40 | (uint64_t)i);
    }
    HG_TRY_OR(done, status, hg_publish_name(path, sizeof temporary, temporary));
    HG_TRY_OR(done, status, hg_h5_create(temporary, &file));
    status = hg_h5_write(file, "x", HG_I64, 1, (int64_t[]){n}, &layout, x);
    closed = hg_h5_close(file);
    status = status == HG_OK ? closed : status;
    if (status == HG_OK) {
        status = hg_publish(temporary, path, NULL);
    } else {
        unlink(temporary);
    }
done:
    hg_mem_free(x);
    return status;
}

static hg_status
read_part(const char *path, int rank, int64_t n)
{
    hg_h5 *file = NULL;
    int64_t *x = NULL;
    hg_status status = HG_OK;

    (void)hg_file_await(path);
    HG_TRY(hg_mem_array(&x, (size_t)n, sizeof *x));
    HG_TRY_OR(done, status, hg_h5_open(path, &file));
    HG_TRY_OR(done, status, hg_h5_read(file, "x", 0, n, HG_I64, x));
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        if (x[i] != (int64_t)hg_mix64((uint64_t)rank << 40 | (uint64_t)i)) {
            status = HG_FAIL(HG_E_VERIFY, "value %" PRId64 " of '%s' is not what was written",
                             i, path);
        }
    }
done:
    status = hg_h5_close(file) == HG_OK ? status : HG_E_READ;
    hg_mem_free(x);
    return status;
}

/* Each rank writes a part and reads that of its neighbour; seconds of both. */
static hg_status
try_parts(const hg_comm *comm, const char *stem, int64_t n, double seconds[2])
{
    const int neighbour = (comm->rank + 1) % comm->size;
    char path[HG_PATH_MAX], other[HG_PATH_MAX];
    hg_status status;

    HG_TRY(
        hg_comm_agree(comm, hg_text_path(sizeof path, path, "%s.%d.hdf5", stem, comm->rank)));
    HG_TRY(
        hg_comm_agree(comm, hg_text_path(sizeof other, other, "%s.%d.hdf5", stem, neighbour)));
    hg_comm_barrier(comm);
    seconds[0] = hg_clock_seconds();
    status = hg_comm_agree(comm, write_part(path, comm->rank, n));
    seconds[1] = hg_clock_seconds();
    if (status == HG_OK) {
        status = hg_comm_agree(comm, read_part(other, neighbour, n));
    }
    seconds[0] = seconds[1] - seconds[0];
    seconds[1] = hg_clock_seconds() - seconds[1];
    unlink(path);
    hg_comm_max_double(comm, 2, seconds);
    return status;
}

static hg_status
tell_space(const hg_comm *comm, const char *folder, hg_diagnosis *d)
{
    struct statvfs info;
    double bytes = 0;

    if (comm->rank == 0 && statvfs(folder, &info) == 0) {
        bytes = (double)info.f_bavail * (double)info.f_frsize;
    }
    hg_comm_broadcast(comm, 0, &bytes, sizeof bytes);
    return hg_diagnosis_add(comm, d, bytes < 1e9 ? HG_FINDING_NOTE : HG_FINDING_OK, HG_OK,
                            "space", "'%s' is on %s with %.3g GB free", folder, name_of(folder),
                            bytes / 1e9);
}

/* The failure of a test as a line: the sentence is the same on all ranks after an agreement. */
static hg_status
tell_failure(const hg_comm *comm, const char *topic, hg_status status, hg_diagnosis *d)
{
    return status == HG_E_MEMORY ? status
                                 : hg_diagnosis_add(comm, d, HG_FINDING_WRONG,
                                                    status == HG_E_VERIFY ? status : HG_E_WRITE,
                                                    topic, "%s", hg_error_last()->message);
}

hg_status
hg_doctor_files(const hg_comm *comm, const hg_doctor_options *options, hg_diagnosis *diagnosis)
{
    const int64_t n = options->bytes / 8;
    const double total = (double)options->bytes * comm->size / 1e6;
    char folder[HG_PATH_MAX], stem[HG_PATH_MAX], shared[HG_PATH_MAX];
    double seconds[2] = {0, 0}, began;
    int64_t number = getpid();
    hg_status status;

    HG_TRY(find_folder(comm, options->folder, folder));
    HG_TRY(tell_space(comm, folder, diagnosis));
    hg_comm_broadcast(comm, 0, &number, sizeof number);
    HG_TRY(hg_comm_agree(
        comm, hg_text_path(sizeof stem, stem, "%s/.doctor-%" PRId64, folder, number)));
    status = try_parts(comm, stem, n, seconds);
    HG_TRY(status == HG_OK
               ? hg_diagnosis_add(comm, diagnosis, HG_FINDING_OK, HG_OK, "files",
                                  "write, flush, rename, read by another rank: %.0f MB/s out, "
                                  "%.0f MB/s in",
                                  total / seconds[0], total / seconds[1])
               : tell_failure(comm, "files", status, diagnosis));
    if (status != HG_OK) {
        return HG_OK;
    }
    HG_TRY(hg_comm_agree(comm, hg_text_path(sizeof shared, shared, "%s.mpi-io", stem)));
    began = hg_clock_seconds();
    status = hg_comm_file_test(comm, shared, (size_t)options->bytes);
    return status == HG_OK
               ? hg_diagnosis_add(comm, diagnosis, HG_FINDING_OK, HG_OK, "mpi-io",
                                  "independent writes to one file come back (%.2f s)",
                                  hg_clock_seconds() - began)
               : tell_failure(comm, "mpi-io", status, diagnosis);
}
