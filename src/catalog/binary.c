/* Rows are read in blocks, as they stand, and converted in double, as in plan.c. */
#include "catalog/binary.h"

#include <math.h>

#include "base/memory.h"

enum { BLOCK = 1 << 14 };

/* Number i of a block of raw numbers. */
static double
real_of(hg_type type, const void *raw, int64_t i)
{
    switch (type) {
    case HG_F64:
        return ((const double *)raw)[i];
    case HG_F32:
        return (double)((const float *)raw)[i];
    case HG_I64:
        return (double)((const int64_t *)raw)[i];
    case HG_U64:
        return (double)((const uint64_t *)raw)[i];
    case HG_I32:
        return (double)((const int32_t *)raw)[i];
    case HG_U32:
        return (double)((const uint32_t *)raw)[i];
    case HG_U16:
        return (double)((const uint16_t *)raw)[i];
    case HG_U8:
        return (double)((const uint8_t *)raw)[i];
    case HG_I8:
        return (double)((const int8_t *)raw)[i];
    }
    return (double)NAN;
}

/* The same as an integer; unsigned 64-bit numbers keep their bits. */
static int64_t
integer_of(hg_type type, const void *raw, int64_t i)
{
    if (type == HG_I64 || type == HG_U64) {
        return ((const int64_t *)raw)[i];
    }
    return (int64_t)real_of(type, raw, i);
}

hg_status
hg_binary_read(hg_binfile *file, const hg_binary_array *array, const hg_source *source,
               int64_t first, int64_t n, int64_t at, void *data)
{
    const hg_column *column = &source->column;
    const int only = source->element[0], row = array->row, width = column->width;
    const size_t size = hg_type_size(array->type);
    const bool whole = column->type == HG_COLUMN_I64 && source->factor == 1 &&
                       source->offset == 0 && array->type != HG_F32 && array->type != HG_F64;
    void *raw = NULL;
    hg_status status = HG_OK;

    HG_ASSERT(only >= 0 ? only < row && width == 1 : width == row);
    HG_TRY(hg_mem_array(&raw, (size_t)BLOCK * (size_t)row, size));
    for (int64_t done = 0; done < n; done += BLOCK) {
        const int64_t block = n - done < BLOCK ? n - done : BLOCK;

        HG_TRY_OR(done, status,
                  hg_binfile_read(file, array->at + (first + done) * row * (int64_t)size, size,
                                  (size_t)(block * row), raw));
        for (int64_t i = 0; i < block * width; i++) {
            const int64_t from = only >= 0 ? i * row + only : i, to = (at + done) * width + i;

            if (whole) {
                ((int64_t *)data)[to] = integer_of(array->type, raw, from);
            } else {
                hg_column_set(column->type, data, to,
                              (real_of(array->type, raw, from) + source->offset) *
                                  source->factor);
            }
        }
    }
done:
    hg_mem_free(raw);
    return status;
}
