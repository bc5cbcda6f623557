/* Files, groups and names. A handler of ours stands in for HDF5's automatic error printing: it
 * keeps the innermost message of the stack, because that is the one that says what happened
 * ("truncated file: eof = ..."), at the moment of the failure, because the next successful call
 * empties the stack. */
#include "store/h5_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alive.h"
#include "base/memory.h"
#include "store/h5_disk.h"

/* Why the last HDF5 call of this thread that failed did so. */
static _Thread_local char reason[256];

static herr_t
keep_innermost(unsigned n, const H5E_error2_t *error, void *context)
{
    (void)context;
    if (n == 0 && error->desc != NULL) {
        snprintf(reason, sizeof reason, "%s", error->desc);
    }
    return 0;
}

static herr_t
keep_reason(hid_t stack, void *context)
{
    return H5Ewalk2(stack, H5E_WALK_UPWARD, keep_innermost, context);
}

hg_status
hg_h5_fail(hg_status status, const hg_h5 *file, const char *object, const char *what)
{
    const char *why = reason[0] != '\0' ? reason : "no further reason given";

    return object[0] == '\0'
               ? HG_FAIL(status, "'%s': %s (HDF5: %s)", file->path, what, why)
               : HG_FAIL(status, "'%s' in '%s': %s (HDF5: %s)", object, file->path, what, why);
}

hg_status
hg_h5_check_disk(const hg_h5 *file)
{
    return file->error == 0 ? HG_OK
                            : HG_FAIL(HG_E_WRITE, "'%s' cannot be written: %s", file->path,
                                      strerror(file->error));
}

static hg_status
create_handle(const char *path, hg_h5 **file)
{
    /* per thread in thread-safe builds, hence at every open */
    hg_alive_file(path);
    H5open();
    H5Eset_auto2(H5E_DEFAULT, keep_reason, NULL);
    reason[0] = '\0';
    *file = NULL;
    if (strlen(path) >= sizeof((*file)->path)) {
        return HG_FAIL(HG_E_ARG, "path of %zu characters is too long", strlen(path));
    }
    HG_TRY(hg_mem_zeros(file, 1, sizeof **file));
    snprintf((*file)->path, sizeof((*file)->path), "%s", path);
    (*file)->id = H5I_INVALID_HID;
    return HG_OK;
}

hg_status
hg_h5_open(const char *path, hg_h5 **file)
{
    hg_h5 *f = NULL;
    hg_status status;

    *file = NULL;
    if (access(path, F_OK) != 0) {
        return HG_FAIL(HG_E_NOTFOUND, "file '%s' does not exist", path);
    }
    if (access(path, R_OK) != 0) {
        return HG_FAIL(HG_E_READ, "file '%s' cannot be read: %s", path, strerror(errno));
    }
    HG_TRY(create_handle(path, &f));
    if (H5Fis_hdf5(path) <= 0) {
        status = HG_FAIL(HG_E_FORMAT, "'%s' is not an HDF5 file", path);
        hg_mem_free(f);
        return status;
    }
    f->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f->id < 0) {
        status = hg_h5_fail(HG_E_FORMAT, f, "", "cannot be opened, the file may be truncated");
        hg_mem_free(f);
        return status;
    }
    *file = f;
    return HG_OK;
}

hg_status
hg_h5_create(const char *path, hg_h5 **file)
{
    hg_h5 *f = NULL;
    hg_status status;
    hid_t creation;

    HG_TRY(create_handle(path, &f));
    creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, 0);
    f->writable = true;
    f->id = hg_h5_disk_create(path, creation, &f->error);
    H5Pclose(creation);
    if (f->id < 0) {
        status = HG_FAIL(errno == ENOMEM ? HG_E_MEMORY : HG_E_WRITE,
                         "'%s' cannot be created: %s", path, strerror(errno));
        unlink(path); /* it may have come so far */
        hg_mem_free(f);
        return status;
    }
    *file = f;
    return HG_OK;
}

hg_status
hg_h5_close(hg_h5 *file)
{
    hg_status status = HG_OK;

    if (file == NULL) {
        return HG_OK;
    }
    if (file->id >= 0 && H5Fclose(file->id) < 0 && file->writable) {
        status = hg_h5_fail(HG_E_WRITE, file, "", "close failed");
    }
    status = status == HG_OK ? hg_h5_check_disk(file) : status;
    hg_mem_free(file);
    return status;
}

/* Whether every group on the way to `name` exists; H5Lexists does not check parents. */
static bool
link_exists(hid_t file, const char *name)
{
    char part[1024];
    size_t n = strlen(name);

    if (n == 0 || strcmp(name, "/") == 0) {
        return true;
    }
    if (n >= sizeof part) {
        return false;
    }
    for (size_t i = 1; i <= n; i++) {
        if (name[i] == '/' || name[i] == '\0') {
            memcpy(part, name, i);
            part[i] = '\0';
            if (H5Lexists(file, part, H5P_DEFAULT) <= 0) {
                return false;
            }
        }
    }
    return H5Oexists_by_name(file, name, H5P_DEFAULT) > 0;
}

bool
hg_h5_exists(hg_h5 *file, const char *name)
{
    char object[1024];
    const char *at = strrchr(name, '@');

    if (at == NULL) {
        return link_exists(file->id, name);
    }
    if ((size_t)(at - name) >= sizeof object) {
        return false;
    }
    memcpy(object, name, (size_t)(at - name));
    object[at - name] = '\0';
    return link_exists(file->id, object) &&
           H5Aexists_by_name(file->id, object[0] != '\0' ? object : "/", at + 1, H5P_DEFAULT) >
               0;
}

bool
hg_h5_is_dataset(hg_h5 *file, const char *name)
{
    H5O_info_t info;

    return link_exists(file->id, name) && strcmp(name, "/") != 0 && name[0] != '\0' &&
           H5Oget_info_by_name(file->id, name, &info, H5P_DEFAULT) >= 0 &&
           info.type == H5O_TYPE_DATASET;
}

hg_status
hg_h5_group(hg_h5 *file, const char *name)
{
    hid_t creation, group;

    if (link_exists(file->id, name)) {
        return HG_OK;
    }
    creation = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(creation, 1);
    group = H5Gcreate2(file->id, name, creation, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(creation);
    if (group < 0) {
        return hg_h5_fail(HG_E_WRITE, file, name, "cannot create the group");
    }
    H5Gclose(group);
    return HG_OK;
}

const char *
hg_h5_path(const hg_h5 *file)
{
    return file->path;
}

void
hg_h5_version(size_t n, char text[])
{
    unsigned major = 0, minor = 0, release = 0;

    H5get_libversion(&major, &minor, &release);
    snprintf(text, n, "%u.%u.%u", major, minor, release);
}
