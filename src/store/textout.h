/** Text files written in pieces, plain or compressed by gzip. Layer: store, the door to zlib.
 */
#ifndef HG_STORE_TEXTOUT_H
#define HG_STORE_TEXTOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "halograft/error.h"

typedef struct hg_textout hg_textout;

/** Create a file, replacing an existing one. Equal texts give equal bytes.
 *
 * @local
 * @param[in]  path        file, usually a temporary name (store/publish.h)
 * @param[in]  compressed  by gzip
 * @param[out] file        owned by the caller, close with hg_textout_close()
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_textout_create(const char *path, bool compressed, hg_textout **file);

/** Append bytes.
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_textout_write(hg_textout *file, const char *bytes, size_t n);

/** Write what is left and release the file; NULL is fine.
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_textout_close(hg_textout *file);

#endif
