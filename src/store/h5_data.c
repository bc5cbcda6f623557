/* Datasets: their shapes, rows in and out, and those that stand in other files. Transfers are
 * cut into pieces of at most 256 MiB. */
#include "store/h5_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alive.h"
#include "base/memory.h"

enum { PIECE = 1 << 28 };

static hg_status
open_dataset(hg_h5 *file, const char *name, hid_t *dset)
{
    *dset = H5I_INVALID_HID;
    if (!hg_h5_is_dataset(file, name)) {
        return HG_FAIL(HG_E_NOTFOUND, "dataset '%s' does not exist in '%s'", name, file->path);
    }
    *dset = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (*dset < 0) {
        return hg_h5_fail(HG_E_READ, file, name, "cannot open the dataset");
    }
    return HG_OK;
}

static hg_status
describe(hg_h5 *file, const char *name, hid_t dset, hg_h5_info *info)
{
    hid_t space = H5Dget_space(dset), type = H5Dget_type(dset);
    hsize_t dims[H5S_MAX_RANK] = {1};
    int n_dim = H5Sget_simple_extent_ndims(space);

    *info = (hg_h5_info){.row = 1};
    if (n_dim > 0) {
        H5Sget_simple_extent_dims(space, dims, NULL);
    }
    info->numeric = hg_h5_nearest(type, &info->type);
    H5Tclose(type);
    H5Sclose(space);
    if (n_dim < 0 || n_dim > HG_H5_MAX_DIMS) {
        return HG_FAIL(HG_E_FORMAT, "dataset '%s' in '%s' has %d dimensions", name, file->path,
                       n_dim);
    }
    return hg_h5_take_shape(n_dim > 0 ? n_dim : 1, dims, info)
               ? HG_OK
               : HG_FAIL(HG_E_FORMAT, "the shape of dataset '%s' in '%s' cannot be", name,
                         file->path);
}

hg_status
hg_h5_describe(hg_h5 *file, const char *name, hg_h5_info *info)
{
    hid_t dset;
    hg_status status;

    if (hg_h5_is_member(file, name)) {
        return hg_h5_describe_member(file, name, info);
    }
    HG_TRY(open_dataset(file, name, &dset));
    status = describe(file, name, dset, info);
    H5Dclose(dset);
    return status;
}

/* Move rows [first, first + n), all elements or one column, in pieces. */
static hg_status
transfer(hg_h5 *file, const char *name, hid_t dset, const hg_h5_info *info, int64_t first,
         int64_t n, int64_t column, hg_type type, bool write, void *data)
{
    const int64_t row = column >= 0 ? 1 : info->row;
    const int64_t row_bytes = row * (int64_t)hg_type_size(type);
    const int64_t step = row_bytes >= PIECE ? 1 : PIECE / (row_bytes > 0 ? row_bytes : 1);
    char *p = data;

    for (int64_t done = 0; done < n; done += step) {
        int64_t piece = n - done < step ? n - done : step;
        hsize_t start[HG_H5_MAX_DIMS] = {(hsize_t)(first + done)};
        hsize_t count[HG_H5_MAX_DIMS] = {(hsize_t)piece};
        hid_t space = H5Dget_space(dset), memory;
        herr_t rc = 0;

        hg_alive();
        for (int i = 1; i < info->n_dim; i++) {
            start[i] = column >= 0 ? (hsize_t)column : 0;
            count[i] = column >= 0 ? 1 : (hsize_t)info->dims[i];
        }
        if (H5Sget_simple_extent_ndims(space) > 0) {
            rc = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        }
        /* of the same rank: spaces of other shapes are compared element by element */
        memory = H5Screate_simple(info->n_dim, count, NULL);
        if (rc >= 0) {
            rc = write ? H5Dwrite(dset, hg_h5_native(type), memory, space, H5P_DEFAULT, p)
                       : H5Dread(dset, hg_h5_native(type), memory, space, H5P_DEFAULT, p);
        }
        H5Sclose(memory);
        H5Sclose(space);
        if (rc < 0) {
            return hg_h5_fail(write ? HG_E_WRITE : HG_E_READ, file, name,
                              write ? "write failed" : "read failed, the data may be damaged");
        }
        HG_TRY(hg_h5_check_disk(file));
        p += piece * row_bytes;
    }
    return HG_OK;
}

static hg_status
check_range(hg_h5 *file, const char *name, const hg_h5_info *info, int64_t first, int64_t n,
            int64_t column)
{
    if (!info->numeric) {
        return HG_FAIL(HG_E_FORMAT, "dataset '%s' in '%s' does not hold numbers", name,
                       file->path);
    }
    if (first < 0 || first + n > info->dims[0]) {
        return HG_FAIL(HG_E_SHAPE,
                       "dataset '%s' in '%s' has %" PRId64 " rows, %" PRId64 " are needed",
                       name, file->path, info->dims[0], first + n);
    }
    if (column >= info->row || (column >= 0 && info->n_dim > 2)) {
        return HG_FAIL(HG_E_SHAPE, "dataset '%s' in '%s' has no column %" PRId64, name,
                       file->path, column);
    }
    return HG_OK;
}

static hg_status
read_checked(hg_h5 *file, const char *name, int64_t first, int64_t n, int64_t column,
             hg_type type, void *data)
{
    hg_h5_info info;
    hid_t dset;
    hg_status status;

    if (hg_h5_is_member(file, name)) {
        HG_TRY(hg_h5_describe_member(file, name, &info));
        HG_TRY(check_range(file, name, &info, first, n, column));
        return hg_h5_read_member(file, name, &info, first, n, column, type, data);
    }
    HG_TRY(open_dataset(file, name, &dset));
    HG_TRY_OR(done, status, describe(file, name, dset, &info));
    HG_TRY_OR(done, status, check_range(file, name, &info, first, n, column));
    if (n > 0) {
        status = transfer(file, name, dset, &info, first, n, column, type, false, data);
    }
done:
    H5Dclose(dset);
    return status;
}

hg_status
hg_h5_read(hg_h5 *file, const char *name, int64_t first, int64_t n, hg_type type, void *data)
{
    return read_checked(file, name, first, n, -1, type, data);
}

hg_status
hg_h5_read_column(hg_h5 *file, const char *name, int64_t first, int64_t n, int64_t column,
                  hg_type type, void *data)
{
    return read_checked(file, name, first, n, column, type, data);
}

hg_status
hg_h5_read_all(hg_h5 *file, const char *name, hg_type type, void *data, hg_h5_info *info)
{
    hg_h5_info here;
    void *block = NULL;
    hg_status status;

    memcpy(data, &block, sizeof block);
    HG_TRY(hg_h5_describe(file, name, &here));
    HG_TRY(hg_mem_array(&block, (size_t)(here.dims[0] * here.row), hg_type_size(type)));
    status = read_checked(file, name, 0, here.dims[0], -1, type, block);
    if (status != HG_OK) {
        hg_mem_free(block);
        return status;
    }
    memcpy(data, &block, sizeof block);
    if (info != NULL) {
        *info = here;
    }
    return HG_OK;
}

static void
set_fill(hid_t creation, hg_type type, double fill)
{
    int64_t integer = (fill == fill) ? (int64_t)fill : -1;
    float real = (float)fill;

    if (type == HG_F64) {
        H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &fill);
    } else if (type == HG_F32) {
        H5Pset_fill_value(creation, H5T_NATIVE_FLOAT, &real);
    } else {
        H5Pset_fill_value(creation, H5T_NATIVE_INT64, &integer);
    }
}

static hg_status
create_dataset(hg_h5 *file, const char *name, hg_type type, int n_dim, const int64_t dims[],
               const hg_h5_layout *layout, hid_t *dset)
{
    hsize_t size[HG_H5_MAX_DIMS] = {0}, chunk[HG_H5_MAX_DIMS] = {0};
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE), space;

    HG_ASSERT(n_dim >= 1 && n_dim <= HG_H5_MAX_DIMS);
    for (int i = 0; i < n_dim; i++) {
        size[i] = (hsize_t)dims[i];
        chunk[i] = dims[i] > 0 ? (hsize_t)dims[i] : 1;
    }
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, 0);
    if (layout != NULL) {
        set_fill(creation, type, layout->fill);
    }
    if (layout != NULL && layout->placed) {
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
    }
    if (layout != NULL && layout->chunk > 0 && dims[0] > 0) {
        chunk[0] = dims[0] < layout->chunk ? (hsize_t)dims[0] : (hsize_t)layout->chunk;
        H5Pset_chunk(creation, n_dim, chunk);
        if (layout->deflate > 0) {
            H5Pset_shuffle(creation);
            H5Pset_deflate(creation, (unsigned)layout->deflate);
        }
        if (layout->fletcher32) {
            H5Pset_fletcher32(creation);
        }
    }
    space = H5Screate_simple(n_dim, size, NULL);
    *dset = H5Dcreate2(file->id, name, hg_h5_native(type), space, links, creation, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(creation);
    return *dset >= 0 ? HG_OK : hg_h5_fail(HG_E_WRITE, file, name, "cannot create the dataset");
}

/* Flushed, so that a full disk is known now and not when the file is closed. */
static hg_status
close_dataset(hg_h5 *file, const char *name, hid_t dset, hg_status status)
{
    if (status == HG_OK && H5Dflush(dset) < 0) {
        status = hg_h5_fail(HG_E_WRITE, file, name, "flush failed");
    }
    if (H5Dclose(dset) < 0 && status == HG_OK) {
        status = hg_h5_fail(HG_E_WRITE, file, name, "close failed");
    }
    return status == HG_OK ? hg_h5_check_disk(file) : status;
}

hg_status
hg_h5_reserve(hg_h5 *file, const char *name, hg_type type, int n_dim, const int64_t dims[],
              const hg_h5_layout *layout)
{
    hid_t dset;

    HG_TRY(create_dataset(file, name, type, n_dim, dims, layout, &dset));
    return close_dataset(file, name, dset, HG_OK);
}

hg_status
hg_h5_write_rows(hg_h5 *file, const char *name, int64_t first, int64_t n, hg_type type,
                 const void *data)
{
    hg_h5_info info;
    hid_t dset;
    hg_status status;

    HG_TRY(open_dataset(file, name, &dset));
    HG_TRY_OR(done, status, describe(file, name, dset, &info));
    if (first < 0 || first + n > info.dims[0]) {
        status = HG_FAIL(HG_E_SHAPE, "dataset '%s' in '%s' has %" PRId64 " rows, not %" PRId64,
                         name, file->path, info.dims[0], first + n);
    } else if (n > 0) {
        /* HDF5 wants a non-const pointer in our shared path, it does not write through it */
        void *pointer;

        memcpy(&pointer, &data, sizeof pointer);
        status = transfer(file, name, dset, &info, first, n, -1, type, true, pointer);
    }
done:
    return close_dataset(file, name, dset, status);
}

hg_status
hg_h5_write(hg_h5 *file, const char *name, hg_type type, int n_dim, const int64_t dims[],
            const hg_h5_layout *layout, const void *data)
{
    HG_TRY(hg_h5_reserve(file, name, type, n_dim, dims, layout));
    return hg_h5_write_rows(file, name, 0, dims[0], type, data);
}

hg_status
hg_h5_virtual(hg_h5 *file, const char *name, hg_type type, int64_t row, int n_file,
              const char *const files[], const int64_t n_row[], double fill)
{
    const int n_dim = row > 1 ? 2 : 1;
    hsize_t dims[2] = {0, (hsize_t)row};
    hsize_t start[2] = {0, 0}, count[2] = {0, (hsize_t)row};
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
    hid_t space, dset;
    herr_t rc = 0;

    for (int i = 0; i < n_file; i++) {
        dims[0] += (hsize_t)n_row[i];
    }
    set_fill(creation, type, fill);
    H5Pset_obj_track_times(creation, 0);
    H5Pset_create_intermediate_group(links, 1);
    space = H5Screate_simple(n_dim, dims, NULL);
    for (int i = 0; i < n_file && rc >= 0; i++) {
        hid_t source;

        count[0] = (hsize_t)n_row[i];
        if (n_row[i] == 0) {
            continue;
        }
        source = H5Screate_simple(n_dim, count, NULL);
        rc = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        rc = rc < 0 ? rc : H5Pset_virtual(creation, space, files[i], name, source);
        H5Sclose(source);
        start[0] += count[0];
    }
    H5Sselect_all(space);
    dset = rc < 0 ? H5I_INVALID_HID
                  : H5Dcreate2(file->id, name, hg_h5_native(type), space, links, creation,
                               H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(creation);
    if (dset < 0) {
        return hg_h5_fail(HG_E_WRITE, file, name, "cannot create the virtual dataset");
    }
    return close_dataset(file, name, dset, HG_OK);
}

hg_status
hg_h5_list_sources(hg_h5 *file, const char *name, hg_h5_visit visit, void *context)
{
    const char *slash = strrchr(file->path, '/');
    const int folder = slash != NULL ? (int)(slash - file->path) + 1 : 0;
    char source[1024], path[sizeof file->path + sizeof source];
    size_t count = 0;
    hid_t dset, creation;
    hg_status status;

    HG_TRY(open_dataset(file, name, &dset));
    creation = H5Dget_create_plist(dset);
    if (H5Pget_layout(creation) == H5D_VIRTUAL) {
        H5Pget_virtual_count(creation, &count);
    }
    status = HG_OK;
    for (size_t i = 0; i < count && status == HG_OK; i++) {
        ssize_t n = H5Pget_virtual_filename(creation, i, source, sizeof source);

        if (n <= 0 || n >= (ssize_t)sizeof source || strcmp(source, ".") == 0 ||
            strchr(source, '%') != NULL) {
            continue;
        }
        snprintf(path, sizeof path, "%.*s%s", source[0] == '/' ? 0 : folder, file->path,
                 source);
        status = visit(path, false, context);
    }
    H5Pclose(creation);
    H5Dclose(dset);
    return status;
}
