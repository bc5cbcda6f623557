/** The file driver that halograft writes HDF5 files with: bytes go where those of HDF5's own
 * driver would go, but a write that fails is not told to HDF5. Layer: store, private. */
#ifndef HG_STORE_H5_DISK_H
#define HG_STORE_H5_DISK_H

#include <hdf5.h>

/** Create a file, replacing an older one.
 *
 * @local
 * @param[in]  creation  property list of the file
 * @param[out] error     errno of the first write that failed, 0 while none has; it has to live
 *                       until the file is closed
 * @return the file; negative when it cannot be created
 */
hid_t hg_h5_disk_create(const char *path, hid_t creation, int *error);

#endif
