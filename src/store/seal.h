/** Seals: the xxh3 of a file's bytes in 16 bytes behind its end, so that a damaged file is
 * known before any format library opens it. HDF5 ignores bytes behind the end it knows. Layer:
 * store. */
#ifndef HG_STORE_SEAL_H
#define HG_STORE_SEAL_H

#include <stdbool.h>

#include "halograft/error.h"
#include "store/h5.h"

/** What a sealed HDF5 file is to hold. */
typedef hg_status hg_seal_content(const void *context, hg_h5 *file);

/** Create an HDF5 file, have it filled, close it and seal it.
 *
 * @local
 * @return HG_OK; the failures of `content`; HG_E_WRITE; HG_E_READ; HG_E_MEMORY; what was
 * written stays then
 */
HG_MUST_CHECK hg_status hg_seal_file(const char *path, hg_seal_content *content,
                                     const void *context);

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
