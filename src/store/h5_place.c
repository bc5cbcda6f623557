/* Where HDF5 has put the values of a dataset; contiguous ones alone stand in one place. */
#include "store/h5_private.h"

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
