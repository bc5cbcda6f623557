/* Attributes and listings. Codes in the field write attributes as scalars, arrays of length
 * one, fixed or variable strings; one tolerant reader accepts them all. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "store/h5_private.h"

static const char *
object_name(const char *object)
{
    return object[0] == '\0' ? "/" : object;
}

static hg_status
put(hg_h5 *file, const char *object, const char *name, hid_t type, hid_t space,
    const void *data)
{
    const char *at = object_name(object);
    hid_t attribute;
    herr_t rc;

    if (!hg_h5_exists(file, at)) {
        return HG_FAIL(HG_E_NOTFOUND, "object '%s' does not exist in '%s'", object, file->path);
    }
    if (H5Aexists_by_name(file->id, at, name, H5P_DEFAULT) > 0) {
        H5Adelete_by_name(file->id, at, name, H5P_DEFAULT);
    }
    attribute = H5Acreate_by_name(file->id, at, name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                  H5P_DEFAULT);
    if (attribute < 0) {
        return hg_h5_fail(HG_E_WRITE, file, name, "cannot create the attribute");
    }
    rc = H5Awrite(attribute, type, data);
    if (H5Aclose(attribute) < 0 || rc < 0) {
        return hg_h5_fail(HG_E_WRITE, file, name, "cannot write the attribute");
    }
    return HG_OK;
}

hg_status
hg_h5_put(hg_h5 *file, const char *object, const char *name, hg_type type, int64_t n,
          const void *data)
{
    hsize_t dims = (hsize_t)n;
    hid_t space = H5Screate_simple(1, &dims, NULL);
    hg_status status = put(file, object, name, hg_h5_native(type), space, data);

    H5Sclose(space);
    return status;
}

hg_status
hg_h5_put_real(hg_h5 *file, const char *object, const char *name, double value)
{
    return hg_h5_put(file, object, name, HG_F64, 1, &value);
}

hg_status
hg_h5_put_integer(hg_h5 *file, const char *object, const char *name, int64_t value)
{
    return hg_h5_put(file, object, name, HG_I64, 1, &value);
}

hg_status
hg_h5_put_string(hg_h5 *file, const char *object, const char *name, const char *text)
{
    size_t n = strlen(text);
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    hg_status status;

    if (n > 60000) {
        /* attributes above 64 KiB do not fit in an object header: a dataset of bytes instead */
        char path[1024];
        int64_t length = (int64_t)n;

        H5Tclose(type);
        H5Sclose(space);
        snprintf(path, sizeof path, "%s/%s", strcmp(object, "/") == 0 ? "" : object, name);
        return hg_h5_write(file, path, HG_U8, 1, &length, NULL, text);
    }
    H5Tset_size(type, n + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    status = put(file, object, name, type, space, text);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

hg_status
hg_h5_put_strings(hg_h5 *file, const char *object, const char *name, int n,
                  const char *const text[])
{
    hsize_t dims = (hsize_t)n;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &dims, NULL);
    hg_status status;

    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    status = put(file, object, name, type, space, text);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

static hg_status
open_attribute(hg_h5 *file, const char *object, const char *name, hid_t *attribute)
{
    const char *at = object_name(object);

    *attribute = H5I_INVALID_HID;
    if (!hg_h5_exists(file, at) || H5Aexists_by_name(file->id, at, name, H5P_DEFAULT) <= 0) {
        return HG_FAIL(HG_E_NOTFOUND, "attribute '%s' of '%s' does not exist in '%s'", name, at,
                       file->path);
    }
    *attribute = H5Aopen_by_name(file->id, at, name, H5P_DEFAULT, H5P_DEFAULT);
    if (*attribute < 0) {
        return hg_h5_fail(HG_E_READ, file, name, "cannot open the attribute");
    }
    return HG_OK;
}

hg_status
hg_h5_attribute_size(hg_h5 *file, const char *object, const char *name, int64_t *n)
{
    hid_t attribute, space;

    HG_TRY(open_attribute(file, object, name, &attribute));
    space = H5Aget_space(attribute);
    *n = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    H5Aclose(attribute);
    return HG_OK;
}

hg_status
hg_h5_get_reals(hg_h5 *file, const char *object, const char *name, int n, double value[])
{
    hid_t attribute, type, space;
    hg_type nearest;
    double *all = NULL;
    hssize_t count;
    hg_status status = HG_OK;

    HG_TRY(open_attribute(file, object, name, &attribute));
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    count = H5Sget_simple_extent_npoints(space);
    if (!hg_h5_nearest(type, &nearest)) {
        status = HG_FAIL(HG_E_FORMAT, "attribute '%s' of '%s' in '%s' is not a number", name,
                         object_name(object), file->path);
    } else if (count < n) {
        status = HG_FAIL(HG_E_FORMAT, "attribute '%s' of '%s' in '%s' has %lld values, not %d",
                         name, object_name(object), file->path, (long long)count, n);
    } else if ((status = hg_mem_array(&all, (size_t)count, sizeof *all)) == HG_OK) {
        if (H5Aread(attribute, H5T_NATIVE_DOUBLE, all) < 0) {
            status = hg_h5_fail(HG_E_READ, file, name, "cannot read the attribute");
        } else {
            memcpy(value, all, (size_t)n * sizeof *all);
        }
    }
    hg_mem_free(all);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

hg_status
hg_h5_get_real(hg_h5 *file, const char *object, const char *name, double *value)
{
    return hg_h5_get_reals(file, object, name, 1, value);
}

hg_status
hg_h5_get_integer(hg_h5 *file, const char *object, const char *name, int64_t *value)
{
    hid_t attribute, type, space;
    hg_type nearest;
    hg_status status = HG_OK;
    hssize_t count;

    HG_TRY(open_attribute(file, object, name, &attribute));
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    count = H5Sget_simple_extent_npoints(space);
    if (!hg_h5_nearest(type, &nearest) || count != 1) {
        status = HG_FAIL(HG_E_FORMAT, "attribute '%s' of '%s' in '%s' is not one number", name,
                         object_name(object), file->path);
    } else if (H5Aread(attribute, H5T_NATIVE_INT64, value) < 0) {
        status = hg_h5_fail(HG_E_READ, file, name, "cannot read the attribute");
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

static hg_status
add_line(hg_text *text, bool is_first, const char *bytes, size_t n)
{
    HG_TRY(is_first ? HG_OK : hg_text_append(text, "\n", 1));
    return hg_text_append(text, bytes, n);
}

/* Strings of any kind: fixed, variable, scalar or array, of which the first `most` are joined
 * by line ends; trailing blanks are kept. */
static hg_status
read_strings(hg_h5 *file, const char *name, hid_t attribute, hid_t type, hid_t space,
             hssize_t most, hg_text *text)
{
    hssize_t count = H5Sget_simple_extent_npoints(space);
    size_t size = H5Tget_size(type);
    hid_t memory;
    char *bytes = NULL;
    hg_status status;

    if (count < 1) {
        return HG_OK;
    }
    memory = H5Tcopy(type);
    if (H5Tis_variable_str(type) > 0) {
        char **strings = NULL;

        HG_TRY_OR(done, status, hg_mem_zeros(&strings, (size_t)count, sizeof *strings));
        if (H5Aread(attribute, memory, strings) < 0) {
            status = hg_h5_fail(HG_E_READ, file, name, "cannot read the attribute");
        } else {
            for (hssize_t i = 0; i < count && i < most && status == HG_OK; i++) {
                const char *string = strings[i] != NULL ? strings[i] : "";

                status = add_line(text, i == 0, string, strlen(string));
            }
            H5Dvlen_reclaim(memory, space, H5P_DEFAULT, strings);
        }
        hg_mem_free(strings);
    } else {
        HG_TRY_OR(done, status, hg_mem_zeros(&bytes, (size_t)count * size + 1, 1));
        if (H5Aread(attribute, memory, bytes) < 0) {
            status = hg_h5_fail(HG_E_READ, file, name, "cannot read the attribute");
        } else {
            for (hssize_t i = 0; i < count && i < most && status == HG_OK; i++) {
                const char *string = bytes + (size_t)i * size;

                status = add_line(text, i == 0, string, strnlen(string, size));
            }
        }
    }
done:
    hg_mem_free(bytes);
    H5Tclose(memory);
    return status;
}

static hg_status
get_strings(hg_h5 *file, const char *object, const char *name, hssize_t most, hg_text *text)
{
    hid_t attribute, type, space;
    hg_status status;

    HG_TRY(open_attribute(file, object, name, &attribute));
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    if (H5Tget_class(type) != H5T_STRING) {
        status = HG_FAIL(HG_E_FORMAT, "attribute '%s' of '%s' in '%s' is not text", name,
                         object_name(object), file->path);
    } else {
        status = read_strings(file, name, attribute, type, space, most, text);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

hg_status
hg_h5_get_lines(hg_h5 *file, const char *object, const char *name, hg_text *text)
{
    return get_strings(file, object, name, INT64_MAX, text);
}

hg_status
hg_h5_get_text(hg_h5 *file, const char *object, const char *name, hg_text *text)
{
    char path[1024];
    hg_status status;

    snprintf(path, sizeof path, "%s/%s", strcmp(object, "/") == 0 ? "" : object, name);
    if (hg_h5_is_dataset(file, path)) {
        char *bytes = NULL;
        hg_h5_info info;

        HG_TRY(hg_h5_read_all(file, path, HG_U8, &bytes, &info));
        status = hg_text_append(text, bytes != NULL ? bytes : "", (size_t)info.dims[0]);
        hg_mem_free(bytes);
        return status;
    }
    return get_strings(file, object, name, 1, text);
}

hg_status
hg_h5_get_string(hg_h5 *file, const char *object, const char *name, size_t n, char text[])
{
    hg_text all = {0};
    hg_status status = hg_h5_get_text(file, object, name, &all);

    text[0] = '\0';
    if (status == HG_OK) {
        snprintf(text, n, "%s", hg_text_string(&all));
    }
    hg_text_clear(&all);
    return status;
}

struct walk {
    hg_h5 *file;
    const char *group;
    hg_h5_visit visit;
    void *context;
    hg_status status;
};

static herr_t
visit_link(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    struct walk *walk = data;
    H5O_info_t info;
    bool is_group;

    (void)link;
    if (H5Oexists_by_name(group, name, H5P_DEFAULT) <= 0 ||
        H5Oget_info_by_name(group, name, &info, H5P_DEFAULT) < 0) {
        return 0; /* a dangling external link */
    }
    is_group = info.type == H5O_TYPE_GROUP;
    walk->status = walk->visit(name, is_group, walk->context);
    return walk->status == HG_OK ? 0 : 1;
}

hg_status
hg_h5_list(hg_h5 *file, const char *group, hg_h5_visit visit, void *context)
{
    struct walk walk = {file, group, visit, context, HG_OK};
    const char *at = object_name(group);

    if (!hg_h5_exists(file, at)) {
        return HG_FAIL(HG_E_NOTFOUND, "group '%s' does not exist in '%s'", at, file->path);
    }
    if (hg_h5_is_dataset(file, at)) {
        return hg_h5_list_members(file, at, visit, context);
    }
    if (H5Literate_by_name(file->id, at, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, &walk,
                           H5P_DEFAULT) < 0) {
        return hg_h5_fail(HG_E_READ, file, at, "cannot list the group");
    }
    return walk.status;
}

static herr_t
visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    struct walk *walk = data;

    (void)object;
    (void)info;
    walk->status = walk->visit(name, false, walk->context);
    return walk->status == HG_OK ? 0 : 1;
}

hg_status
hg_h5_list_attributes(hg_h5 *file, const char *object, hg_h5_visit visit, void *context)
{
    struct walk walk = {file, object, visit, context, HG_OK};
    const char *at = object_name(object);

    if (!hg_h5_exists(file, at)) {
        return HG_FAIL(HG_E_NOTFOUND, "object '%s' does not exist in '%s'", at, file->path);
    }
    if (H5Aiterate_by_name(file->id, at, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute,
                           &walk, H5P_DEFAULT) < 0) {
        return hg_h5_fail(HG_E_READ, file, at, "cannot list the attributes");
    }
    return walk.status;
}
