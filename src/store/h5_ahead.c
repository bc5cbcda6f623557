/* HDF5 reads one dataset after the other and waits for each, and a disk that is asked for one
 * thing at a time stands still while values are converted. So the system is told what will be
 * read next, and fetches it meanwhile. Where HDF5 does not say where values stand (its driver
 * is another, the layout is compact), nothing is told: this is a hint, never an error. */
#include <fcntl.h>
#include <string.h>

#include "store/h5_private.h"

/* The handle of the system for an open file, or -1. */
static int
find_handle(const hg_h5 *file)
{
    const hid_t access = H5Fget_access_plist(file->id);
    void *handle = NULL;
    int found = -1;

    if (access >= 0 && H5Pget_driver(access) == H5FD_SEC2 &&
        H5Fget_vfd_handle(file->id, access, &handle) >= 0 && handle != NULL) {
        memcpy(&found, handle, sizeof found);
    }
    if (access >= 0) {
        H5Pclose(access);
    }
    return found;
}

/* Where the chunk that holds a row begins and ends. */
static bool
find_chunk(hid_t dset, int n_dim, int64_t row, hsize_t *begin, hsize_t *end)
{
    hsize_t at[H5S_MAX_RANK] = {0}, size = 0;
    haddr_t address = HADDR_UNDEF;
    unsigned filters = 0;

    HG_ASSERT(n_dim >= 1 && n_dim <= H5S_MAX_RANK);
    at[0] = (hsize_t)row;
    if (H5Dget_chunk_info_by_coord(dset, at, &filters, &address, &size) < 0 ||
        address == HADDR_UNDEF) {
        return false;
    }
    *begin = address;
    *end = address + size;
    return true;
}

/* The bytes of rows [first, first + n) of an open dataset: exactly those of a contiguous one;
 * of a chunked one all between the first and the last chunk where that is little more. */
static bool
find_bytes(hid_t dset, int64_t first, int64_t n, hsize_t *begin, hsize_t *end)
{
    const hid_t space = H5Dget_space(dset), type = H5Dget_type(dset),
                creation = H5Dget_create_plist(dset);
    const int n_dim = H5Sget_simple_extent_ndims(space);
    const H5D_layout_t layout = H5Pget_layout(creation);
    hsize_t dims[H5S_MAX_RANK] = {0}, row = H5Tget_size(type), last[2] = {0, 0};
    bool found = false;

    if (n_dim >= 1 && H5Sget_simple_extent_dims(space, dims, NULL) >= 0 &&
        (hsize_t)(first + n) <= dims[0]) {
        for (int i = 1; i < n_dim; i++) {
            row *= dims[i];
        }
        if (layout == H5D_CONTIGUOUS) {
            const haddr_t address = H5Dget_offset(dset);

            found = address != HADDR_UNDEF;
            *begin = address + (hsize_t)first * row;
            *end = *begin + (hsize_t)n * row;
        } else if (layout == H5D_CHUNKED) {
            found = find_chunk(dset, n_dim, first, begin, end) &&
                    find_chunk(dset, n_dim, first + n - 1, &last[0], &last[1]) &&
                    last[1] >= *end &&
                    last[1] - *begin <= 2 * ((hsize_t)n * row + *end - *begin);
            *end = last[1];
        }
    }
    H5Pclose(creation);
    H5Tclose(type);
    H5Sclose(space);
    return found;
}

/* The dataset of a name, which may name a member of a compound one; negative for none. */
static hid_t
open_holder(hg_h5 *file, const char *name)
{
    const char *slash = strrchr(name, '/');
    char holder[1024];

    if (hg_h5_is_dataset(file, name)) {
        return H5Dopen2(file->id, name, H5P_DEFAULT);
    }
    if (slash == NULL || (size_t)(slash - name) >= sizeof holder) {
        return H5I_INVALID_HID;
    }
    memcpy(holder, name, (size_t)(slash - name));
    holder[slash - name] = '\0';
    return hg_h5_is_dataset(file, holder) ? H5Dopen2(file->id, holder, H5P_DEFAULT)
                                          : H5I_INVALID_HID;
}

void
hg_h5_read_ahead(hg_h5 *file, const char *name, int64_t first, int64_t n)
{
    const int handle = n > 0 ? find_handle(file) : -1;
    const hid_t dset = handle >= 0 ? open_holder(file, name) : H5I_INVALID_HID;
    hsize_t begin = 0, end = 0;

    if (dset < 0) {
        return;
    }
    if (find_bytes(dset, first, n, &begin, &end)) {
        (void)posix_fadvise(handle, (off_t)begin, (off_t)(end - begin), POSIX_FADV_WILLNEED);
    }
    H5Dclose(dset);
}
