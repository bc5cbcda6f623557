#include <criterion/criterion.h>
#include <errno.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/h5.h"
#include "store/publish.h"
#include "test_folder.h"

enum { N_GROUP = 12, N_ROW = 700 };

static int close_error, sync_error; /* what the next call ends with, 0 = it succeeds */

static int
end_with(int *error, int result)
{
    if (*error == 0) {
        return result;
    }
    errno = *error;
    *error = 0;
    return -1;
}

/* In the places of the system's. */
int
close(int file)
{
    return end_with(&close_error, (int)syscall(SYS_close, file));
}

int
fsync(int file)
{
    return end_with(&sync_error, (int)syscall(SYS_fsync, file));
}

/* Datasets in groups, some in chunks, and attributes, so that raw data and metadata mix. */
static hg_status
write_file(const char *path)
{
    const hg_h5_layout part = HG_H5_PART;
    const int64_t n = N_ROW;
    double data[N_ROW];
    char name[32];
    hg_h5 *file = NULL;
    hg_status status, closed;

    for (int i = 0; i < N_ROW; i++) {
        data[i] = i * 0.37;
    }
    HG_TRY(hg_h5_create(path, &file));
    status = hg_h5_put_string(file, "", "format", "some");
    for (int g = 0; g < N_GROUP && status == HG_OK; g++) {
        snprintf(name, sizeof name, "group%d/data", g);
        status = hg_h5_write(file, name, HG_F64, 1, &n, g % 2 == 0 ? &part : NULL, data);
        status = status == HG_OK ? hg_h5_put_string(file, name, "unit", "Msun") : status;
    }
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

/* As a full disk does, a limit of the size of files lets writes fail from some byte on. The
 * library ends as it does when MPI ends. */
static int
write_with_limit(const char *path, rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    hg_status status;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    status = write_file(path);
    return H5close() < 0 || hg_mem_used() != 0 ? 99 : (int)status;
}

Test(h5_disk, a_full_disk_is_told_at_every_position_and_hdf5_survives)
{
    const char *path;
    int64_t size;

    folder_create();
    path = in_folder("full.hdf5");
    cr_assert_eq(write_file(path), HG_OK);
    size = hg_file_size(path);
    cr_assert_gt(size, N_GROUP * N_ROW * 4);
    for (int64_t at = 0; at < size; at += size / 150) {
        const pid_t child = fork();
        int state = -1;

        if (child == 0) {
            _exit(write_with_limit(path, (rlim_t)at));
        }
        cr_assert_eq(waitpid(child, &state, 0), child);
        cr_expect(WIFEXITED(state) && WEXITSTATUS(state) == (int)HG_E_WRITE,
                  "byte %ld of %ld: state %x", (long)at, (long)size, (unsigned)state);
    }
    folder_remove();
}

/* The bytes are those of HDF5's own driver, so files of all versions are the same. */
Test(h5_disk, bytes_are_those_of_the_usual_driver)
{
    const hsize_t n = 3000;
    int64_t bytes[2];
    uint64_t hash[2];
    float data[3000];
    const char *name[2];

    folder_create();
    name[0] = in_folder("ours.hdf5");
    name[1] = in_folder("theirs.hdf5");
    for (int i = 0; i < 3000; i++) {
        data[i] = (float)i;
    }
    for (int k = 0; k < 2; k++) {
        hg_h5 *file = NULL;
        hid_t creation = H5Pcreate(H5P_FILE_CREATE), sets = H5Pcreate(H5P_DATASET_CREATE), raw,
              space, set;

        if (k == 0) {
            const int64_t size = (int64_t)n;

            cr_assert_eq(hg_h5_create(name[0], &file), HG_OK);
            cr_assert_eq(hg_h5_write(file, "data", HG_F32, 1, &size, NULL, data), HG_OK);
            cr_assert_eq(hg_h5_close(file), HG_OK);
        } else {
            H5Pset_obj_track_times(creation, 0);
            H5Pset_obj_track_times(sets, 0);
            raw = H5Fcreate(name[1], H5F_ACC_TRUNC, creation, H5P_DEFAULT);
            space = H5Screate_simple(1, &n, NULL);
            set = H5Dcreate2(raw, "data", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, sets,
                             H5P_DEFAULT);
            H5Dflush(set);
            H5Dclose(set);
            set = H5Dopen2(raw, "data", H5P_DEFAULT);
            H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
            H5Dflush(set);
            H5Dclose(set);
            H5Sclose(space);
            cr_assert_geq(H5Fclose(raw), 0);
        }
        H5Pclose(creation);
        H5Pclose(sets);
        cr_assert_eq(hg_file_hash(name[k], &hash[k], &bytes[k]), HG_OK);
    }
    cr_expect_eq(bytes[0], bytes[1]);
    cr_expect_eq(hash[0], hash[1]);
    folder_remove();
}

/* A quota of a network file system may show when the file is closed or flushed only. */
Test(h5_disk, a_failing_close_or_flush_publishes_nothing)
{
    char temporary[HG_PATH_MAX];
    const char *path;

    folder_create();
    path = in_folder("late.hdf5");
    cr_assert_eq(hg_publish_begin(path, sizeof temporary, temporary), HG_OK);
    close_error = EDQUOT;
    cr_assert_eq(write_file(temporary), HG_E_WRITE);
    cr_expect(strstr(hg_error_last()->message, strerror(EDQUOT)) != NULL, "%s",
              hg_error_last()->message);
    cr_expect_eq(close_error, 0);

    cr_assert_eq(write_file(temporary), HG_OK);
    sync_error = EIO;
    cr_assert_eq(hg_publish(temporary, path, NULL), HG_E_WRITE);
    cr_expect(strstr(hg_error_last()->message, strerror(EIO)) != NULL, "%s",
              hg_error_last()->message);
    cr_expect(!hg_file_exists(path) && !hg_file_exists(temporary));

    /* of the folder, when the file has its name already */
    cr_assert_eq(write_file(temporary), HG_OK);
    sync_error = EIO;
    cr_assert_eq(hg_publish_rename(temporary, path), HG_E_WRITE);
    cr_expect(!hg_file_exists(path) && !hg_file_exists(temporary));
    cr_expect_eq(hg_mem_used(), 0);
    folder_remove();
}
