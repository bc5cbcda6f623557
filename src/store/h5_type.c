/* Types of elements: ours in memory, and the one of ours that is nearest to a type on disk, so
 * that readers need no list of every width that codes in the field have used. */
#include "store/h5_private.h"

static const struct {
    size_t size;
    const char *name;
} types[] = {{8, "float64"}, {4, "float32"}, {8, "int64"}, {8, "uint64"}, {4, "int32"},
             {4, "uint32"},  {2, "uint16"},  {1, "uint8"}, {1, "int8"}};

size_t
hg_type_size(hg_type type)
{
    return types[type].size;
}

const char *
hg_type_name(hg_type type)
{
    return types[type].name;
}

hid_t
hg_h5_native(hg_type type)
{
    switch (type) {
    case HG_F64:
        return H5T_NATIVE_DOUBLE;
    case HG_F32:
        return H5T_NATIVE_FLOAT;
    case HG_I64:
        return H5T_NATIVE_INT64;
    case HG_U64:
        return H5T_NATIVE_UINT64;
    case HG_I32:
        return H5T_NATIVE_INT32;
    case HG_U32:
        return H5T_NATIVE_UINT32;
    case HG_U16:
        return H5T_NATIVE_UINT16;
    case HG_U8:
        return H5T_NATIVE_UINT8;
    case HG_I8:
        return H5T_NATIVE_INT8;
    }
    return H5I_INVALID_HID;
}

bool
hg_h5_nearest(hid_t disk, hg_type *type)
{
    H5T_class_t class = H5Tget_class(disk);
    size_t size = H5Tget_size(disk);
    bool is_signed = true;

    if (class == H5T_FLOAT) {
        *type = size > 4 ? HG_F64 : HG_F32;
        return true;
    }
    if (class == H5T_ENUM) {
        hid_t base = H5Tget_super(disk);

        is_signed = H5Tget_sign(base) != H5T_SGN_NONE;
        H5Tclose(base);
    } else if (class == H5T_INTEGER) {
        is_signed = H5Tget_sign(disk) != H5T_SGN_NONE;
    } else {
        return false;
    }
    if (size == 8) {
        *type = is_signed ? HG_I64 : HG_U64;
    } else if (size == 4) {
        *type = is_signed ? HG_I32 : HG_U32;
    } else if (size == 2) {
        *type = is_signed ? HG_I32 : HG_U16;
    } else {
        *type = is_signed ? HG_I8 : HG_U8;
    }
    return true;
}

/* Bytes of so many elements fit into 64 bits. */
#define ELEMENTS_MAX (INT64_C(1) << 56)

bool
hg_h5_take_shape(int n, const hsize_t dims[], hg_h5_info *info)
{
    info->n_dim = n;
    info->row = 1;
    for (int i = n - 1; i >= 0; i--) {
        const int64_t others = info->row > 0 ? info->row : 1;

        if (dims[i] > (hsize_t)(ELEMENTS_MAX / others)) {
            return false;
        }
        info->dims[i] = (int64_t)dims[i];
        info->row *= i > 0 ? info->dims[i] : 1;
    }
    return true;
}
