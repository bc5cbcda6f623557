/** What the files h5*.c share. Calls go down: h5_data.c on members (h5_member.c), both on h5.c.
 * Layer: store, private. */
#ifndef HG_STORE_H5_PRIVATE_H
#define HG_STORE_H5_PRIVATE_H

#include <hdf5.h>

#include "store/h5.h"

struct hg_h5 {
    hid_t id;
    bool writable;
    int error; /**< errno of the first write to the disk that failed, 0 = none */
    char path[4096];
};

/** Raise a failure with HDF5's innermost message appended.
 *
 * @local
 */
hg_status hg_h5_fail(hg_status status, const hg_h5 *file, const char *object, const char *what);

/** Whether all that was written so far has reached the disk: HDF5 does not know of writes that
 * fail (h5_disk.h).
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
hg_status hg_h5_check_disk(const hg_h5 *file);

/** Native memory type, and the memory type nearest to a type on disk (false if not numeric).
 *
 * @local
 */
hid_t hg_h5_native(hg_type type);
bool hg_h5_nearest(hid_t disk, hg_type *type);

/** Enter the shape of a dataset; false when it cannot be.
 *
 * @local
 * @param[in]     n     dimensions, 1 to HG_H5_MAX_DIMS
 * @param[in,out] info  gets n_dim, dims and row
 */
bool hg_h5_take_shape(int n, const hsize_t dims[], hg_h5_info *info);

/** A member "DATASET/MEMBER" of a compound dataset: whether it is one, what it is, rows or one
 * column of it, and a visit to each member of a dataset.
 *
 * @local
 */
bool hg_h5_is_member(hg_h5 *file, const char *name);
hg_status hg_h5_describe_member(hg_h5 *file, const char *name, hg_h5_info *info);
hg_status hg_h5_read_member(hg_h5 *file, const char *name, const hg_h5_info *info,
                            int64_t first, int64_t n, int64_t column, hg_type type, void *data);
hg_status hg_h5_list_members(hg_h5 *file, const char *name, hg_h5_visit visit, void *context);

#endif
