/** Columns of raw binary files: arrays that stand one after another. Layer: catalog. */
#ifndef HG_CATALOG_BINARY_H
#define HG_CATALOG_BINARY_H

#include "catalog/format.h"
#include "store/binfile.h"

/** One array in a file. */
typedef struct hg_binary_array {
    int64_t at;   /**< offset of its first number, in bytes */
    hg_type type; /**< of its numbers */
    int32_t row;  /**< numbers per row */
} hg_binary_array;

/** Read rows [first, first + n) of an array into rows [at, ...) of a column, converted.
 *
 * @local
 * @param[in]  source  element, offset and factor are applied; integers without conversion keep
 * all their digits
 * @param[out] data    the whole column, shape (rows, width)
 * @return HG_OK; HG_E_READ; HG_E_FORMAT; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_binary_read(hg_binfile *file, const hg_binary_array *array,
                                       const hg_source *source, int64_t first, int64_t n,
                                       int64_t at, void *data);

#endif
