/* Lists of variable length, as HBT keeps the particles of its subhaloes. HDF5 allocates each
 * list by itself, so they are read in blocks of rows and given back at once. */
#include <inttypes.h>

#include "base/memory.h"
#include "store/h5_private.h"
#include "store/publish.h"

enum { ROWS = 4096 };

static hg_status
visit_block(hg_h5 *file, const char *name, hid_t dset, int64_t first, int64_t n, hid_t type,
            int64_t most, hvl_t rows[], hg_h5_visit_list visit, void *context)
{
    const hsize_t start = (hsize_t)first, count = (hsize_t)n;
    hid_t space = H5Dget_space(dset), memory = H5Screate_simple(1, &count, NULL);
    herr_t rc = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL);
    hg_status status = HG_OK;

    if (rc >= 0) {
        rc = H5Dread(dset, type, memory, space, H5P_DEFAULT, rows);
    }
    if (rc < 0) {
        status = hg_h5_fail(HG_E_READ, file, name, "cannot read the lists");
    }
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        if ((int64_t)rows[i].len > most) {
            status = HG_FAIL(HG_E_FORMAT,
                             "list %" PRId64 " of '%s' in '%s' claims %zu members, more than "
                             "the file has bytes: it is damaged",
                             first + i, name, file->path, rows[i].len);
            break;
        }
        status = visit(first + i, (int64_t)rows[i].len, rows[i].p, context);
    }
    if (rc >= 0) {
        H5Dvlen_reclaim(type, memory, H5P_DEFAULT, rows);
    }
    H5Sclose(memory);
    H5Sclose(space);
    return status;
}

/* Rows of a list of integer lists. */
static hg_status
count_rows(hg_h5 *file, const char *name, hid_t dset, int64_t *n)
{
    hid_t type = H5Dget_type(dset), space = H5Dget_space(dset);
    hid_t element =
        H5Tget_class(type) == H5T_VLEN ? H5Tget_super(type) : H5Tcopy(H5T_NATIVE_DOUBLE);
    const bool is_good =
        H5Tget_class(element) == H5T_INTEGER && H5Sget_simple_extent_ndims(space) == 1;

    *n = is_good ? (int64_t)H5Sget_simple_extent_npoints(space) : 0;
    H5Tclose(element);
    H5Sclose(space);
    H5Tclose(type);
    return is_good ? HG_OK
                   : HG_FAIL(HG_E_FORMAT, "'%s' in '%s' does not hold lists of integers", name,
                             file->path);
}

hg_status
hg_h5_read_lists(hg_h5 *file, const char *name, int64_t *n, hg_h5_visit_list visit,
                 void *context)
{
    const int64_t most = hg_file_size(file->path); /* heaps of lists are never compressed */
    hid_t dset, type;
    hvl_t *rows = NULL;
    hg_status status;

    *n = 0;
    if (!hg_h5_is_dataset(file, name)) {
        return HG_FAIL(HG_E_NOTFOUND, "'%s' has no dataset '%s'", file->path, name);
    }
    dset = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (dset < 0) {
        return hg_h5_fail(HG_E_READ, file, name, "cannot open the lists");
    }
    type = H5Tvlen_create(H5T_NATIVE_UINT64);
    status = count_rows(file, name, dset, n);
    if (status == HG_OK) {
        status = hg_mem_array(&rows, ROWS, sizeof *rows);
    }
    for (int64_t i = 0; i < *n && status == HG_OK; i += ROWS) {
        status = visit_block(file, name, dset, i, *n - i < ROWS ? *n - i : ROWS, type, most,
                             rows, visit, context);
    }
    hg_mem_free(rows);
    H5Tclose(type);
    H5Dclose(dset);
    return status;
}
