/* Members of compound datasets, addressed as if the dataset were a group: "Subhalos/Nbound".
 * So codes that write one compound dataset, and those that write one dataset per field, look
 * the same to a reader. HDF5 picks the member by its name from a memory type that holds nothing
 * else.
 */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "store/h5_private.h"

enum { BLOCK = 1 << 18 };

/* The dataset and the type of a member; false, with nothing open, when there is none. */
static bool
open_member(hg_h5 *file, const char *name, hid_t *dset, hid_t *type)
{
    const char *slash = strrchr(name, '/');
    char path[1024];
    hid_t compound;
    int index = -1;

    if (slash == NULL || (size_t)(slash - name) >= sizeof path) {
        return false;
    }
    memcpy(path, name, (size_t)(slash - name));
    path[slash - name] = '\0';
    if (!hg_h5_is_dataset(file, path)) {
        return false;
    }
    *dset = H5Dopen2(file->id, path, H5P_DEFAULT);
    if (*dset < 0) {
        return false;
    }
    compound = H5Dget_type(*dset);
    if (H5Tget_class(compound) == H5T_COMPOUND) {
        index = H5Tget_member_index(compound, slash + 1);
    }
    *type = index >= 0 ? H5Tget_member_type(compound, (unsigned)index) : H5I_INVALID_HID;
    H5Tclose(compound);
    if (*type < 0) {
        H5Dclose(*dset);
    }
    return *type >= 0;
}

bool
hg_h5_is_member(hg_h5 *file, const char *name)
{
    hid_t dset, type;

    if (!open_member(file, name, &dset, &type)) {
        return false;
    }
    H5Tclose(type);
    H5Dclose(dset);
    return true;
}

hg_status
hg_h5_describe_member(hg_h5 *file, const char *name, hg_h5_info *info)
{
    hsize_t dims[1 + H5S_MAX_RANK] = {0};
    hid_t dset, type, space;
    int n_dim = 0;

    *info = (hg_h5_info){.n_dim = 1, .row = 1};
    if (!open_member(file, name, &dset, &type)) {
        return HG_FAIL(HG_E_NOTFOUND, "'%s' does not exist in '%s'", name, file->path);
    }
    space = H5Dget_space(dset);
    dims[0] = (hsize_t)H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    if (H5Tget_class(type) == H5T_ARRAY && H5Tget_array_ndims(type) < HG_H5_MAX_DIMS) {
        hid_t element = H5Tget_super(type);

        n_dim = H5Tget_array_dims2(type, dims + 1);
        info->numeric = hg_h5_nearest(element, &info->type);
        H5Tclose(element);
    } else {
        info->numeric = hg_h5_nearest(type, &info->type);
    }
    H5Tclose(type);
    H5Dclose(dset);
    return hg_h5_take_shape(1 + n_dim, dims, info)
               ? HG_OK
               : HG_FAIL(HG_E_FORMAT, "the shape of dataset '%s' in '%s' cannot be", name,
                         file->path);
}

/* A compound of one member, as it comes into memory. */
static hid_t
make_type(const char *member, const hg_h5_info *info, hg_type type)
{
    const hid_t native = hg_h5_native(type);
    const size_t bytes = (size_t)info->row * hg_type_size(type);
    hid_t memory = H5Tcreate(H5T_COMPOUND, bytes);
    hsize_t dims[HG_H5_MAX_DIMS];

    if (info->n_dim == 1) {
        H5Tinsert(memory, member, 0, native);
        return memory;
    }
    for (int i = 1; i < info->n_dim; i++) {
        dims[i - 1] = (hsize_t)info->dims[i];
    }
    {
        hid_t array = H5Tarray_create2(native, (unsigned)info->n_dim - 1, dims);

        H5Tinsert(memory, member, 0, array);
        H5Tclose(array);
    }
    return memory;
}

static hg_status
read_block(hg_h5 *file, const char *name, hid_t dset, hid_t memory, int64_t first, int64_t n,
           void *data)
{
    const hsize_t start = (hsize_t)first, count = (hsize_t)n;
    hid_t space = H5Dget_space(dset), here = H5Screate_simple(1, &count, NULL);
    herr_t rc = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL);

    rc = rc < 0 ? rc : H5Dread(dset, memory, here, space, H5P_DEFAULT, data);
    H5Sclose(here);
    H5Sclose(space);
    return rc < 0 ? hg_h5_fail(HG_E_READ, file, name, "read failed, the data may be damaged")
                  : HG_OK;
}

hg_status
hg_h5_read_member(hg_h5 *file, const char *name, const hg_h5_info *info, int64_t first,
                  int64_t n, int64_t column, hg_type type, void *data)
{
    const size_t size = hg_type_size(type), row = (size_t)info->row * size;
    hid_t dset, disk, memory;
    char *to = data, *block = NULL;
    hg_status status = HG_OK;

    if (!open_member(file, name, &dset, &disk)) {
        return HG_FAIL(HG_E_NOTFOUND, "'%s' does not exist in '%s'", name, file->path);
    }
    memory = make_type(strrchr(name, '/') + 1, info, type);
    if (column >= 0) {
        status = hg_mem_array(&block, BLOCK, row);
    }
    for (int64_t done = 0; done < n && status == HG_OK; done += BLOCK) {
        const int64_t here = n - done < BLOCK ? n - done : BLOCK;

        status = read_block(file, name, dset, memory, first + done, here,
                            column >= 0 ? block : to + (size_t)done * row);
        for (int64_t i = 0; i < here && column >= 0 && status == HG_OK; i++) {
            memcpy(to + (size_t)(done + i) * size,
                   block + (size_t)i * row + (size_t)column * size, size);
        }
    }
    hg_mem_free(block);
    H5Tclose(memory);
    H5Tclose(disk);
    H5Dclose(dset);
    return status;
}

hg_status
hg_h5_list_members(hg_h5 *file, const char *name, hg_h5_visit visit, void *context)
{
    hid_t dset = H5Dopen2(file->id, name, H5P_DEFAULT), type = H5Dget_type(dset);
    const int n = H5Tget_class(type) == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
    hg_status status = HG_OK;

    for (int i = 0; i < n && status == HG_OK; i++) {
        char *member = H5Tget_member_name(type, (unsigned)i);

        status = visit(member, false, context);
        H5free_memory(member);
    }
    H5Tclose(type);
    H5Dclose(dset);
    return status;
}
