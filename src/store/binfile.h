/** Raw binary files of either byte order. Layer: store. */
#ifndef HG_STORE_BINFILE_H
#define HG_STORE_BINFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

typedef struct hg_binfile hg_binfile;

/** Open a file for reading.
 *
 * @local
 * @param[out] file  owned by the caller, close with hg_binfile_close()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_binfile_open(const char *path, hg_binfile **file);
void hg_binfile_close(hg_binfile *file);

/** Whether numbers are stored in the other byte order than this machine's; false at first.
 *
 * @local
 */
void hg_binfile_swap(hg_binfile *file, bool is_swapped);

/** Path, borrowed, and size in bytes.
 *
 * @local
 */
const char *hg_binfile_path(const hg_binfile *file);
int64_t hg_binfile_size(const hg_binfile *file);

/** Read `n` numbers of `size` bytes from a place, in this machine's byte order.
 *
 * @local
 * @param[in]  offset  of the first, in bytes
 * @param[in]  size    1, 2, 4 or 8
 * @param[out] data    shape (n) of numbers of that size
 * @return HG_OK; HG_E_READ; HG_E_FORMAT when the file ends before
 */
HG_MUST_CHECK hg_status hg_binfile_read(hg_binfile *file, int64_t offset, size_t size, size_t n,
                                        void *data);

#endif
