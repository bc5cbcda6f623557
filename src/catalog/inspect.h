/** What a file is, with reasons: format, counts, columns with units and ranges, cosmology, and
 * what looks wrong. Layer: catalog.
 */
#ifndef HG_CATALOG_INSPECT_H
#define HG_CATALOG_INSPECT_H

#include <stdbool.h>

#include "base/text.h"
#include "halograft/error.h"

/** Append a report on a file, or on the files of a pattern with {file}, for a human reader.
 * Formats that are recognised but cannot be read, and files of no known format, are described
 * as far as possible (datasets, or the first line of a text).
 *
 * @local  serial: foreign HDF5 files may crash the library, better here than in a large run
 * @param[in]     path     file or pattern
 * @param[in]     mapping  mapping file of format columns, or NULL
 * @param[in]     snap     number for {snap} in the mapping file, negative = none
 * @param[in,out] report   text is appended
 * @return HG_OK, also when the file cannot be read as a catalogue (the report says why);
 * HG_E_NOTFOUND; HG_E_FORMAT for a damaged HDF5 file
 */
HG_MUST_CHECK hg_status hg_catalog_inspect(const char *path, const char *mapping, int64_t snap,
                                           hg_text *report);

/** Append one report on files that form one catalogue, such as the parts of a Subfind
 * catalogue.
 *
 * @local  serial
 * @param[in]     n       number of files
 * @param[in]     paths   shape (n)
 * @param[in,out] report  text is appended
 * @param[out]    is_set  whether they do; if not, nothing is appended
 * @return HG_OK; the failures of opening a catalogue
 */
HG_MUST_CHECK hg_status hg_catalog_inspect_set(int n, const char *const paths[],
                                               hg_text *report, bool *is_set);

#endif
