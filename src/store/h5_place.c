/* Where HDF5 has put the values of a dataset, contiguous ones alone stand in one place; and
 * where it puts what it cannot write to the disk. */
#include "store/h5_private.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

hg_status
hg_h5_place(hg_h5 *file, const char *name, int64_t *offset)
{
    hg_h5_info info;
    haddr_t address;
    hid_t dset;

    *offset = 0;
    HG_TRY(hg_h5_describe(file, name, &info));
    if (info.dims[0] == 0 || info.row == 0) {
        return HG_OK;
    }
    dset = H5Dopen2(file->id, name, H5P_DEFAULT);
    address = dset >= 0 ? H5Dget_offset(dset) : HADDR_UNDEF;
    if (dset >= 0) {
        H5Dclose(dset);
    }
    if (address == HADDR_UNDEF) {
        return hg_h5_fail(HG_E_FORMAT, file, name, "the dataset has no place of its own");
    }
    *offset = (int64_t)address;
    return HG_OK;
}

void
hg_h5_give_up(const hg_h5 *file)
{
    void *handle = NULL;
    int nowhere;

    if (H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) < 0 || handle == NULL) {
        return;
    }
    nowhere = memfd_create("halograft", MFD_CLOEXEC);
    if (nowhere >= 0) {
        off_t from = 0;

        /* what it has written it may read again on the way to the end */
        while (sendfile(nowhere, *(const int *)handle, &from, (size_t)1 << 24) > 0) {
        }
        dup2(nowhere, *(const int *)handle);
        close(nowhere);
    }
}
