/** Seals: the xxh3 of a file's bytes in 16 bytes behind its end, so that a damaged file is
 * known before any format library opens it. HDF5 ignores bytes behind the end it knows. Layer:
 * store. */
#ifndef HG_STORE_SEAL_H
#define HG_STORE_SEAL_H

#include <stdbool.h>

#include "halograft/error.h"

/** Append the seal to a closed file.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_seal_put(const char *path);

/** Check the seal of a file; a file without one passes.
 *
 * @local
 * @param[out] is_sealed  whether there was one
 * @return HG_OK; HG_E_NOTFOUND; HG_E_VERIFY when the bytes are not those that were sealed;
 *         HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_seal_check(const char *path, bool *is_sealed);

#endif
