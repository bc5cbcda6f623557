/** Manifests of catalogues: the checksums of their files, NAME.xxh3. Layer: audit. */
#ifndef HG_AUDIT_MANIFEST_H
#define HG_AUDIT_MANIFEST_H

#include <stdbool.h>

#include "audit/findings.h"
#include "store/publish.h"

/** Compare files with the checksums of a manifest.
 *
 * @local
 * @param[in]  path         NAME.xxh3, lines "XXH3 (FILE) = SUM" with files beside it
 * @param[in]  own          name of a file that has to be among them, or NULL
 * @param[in]  alone        whether that file alone is compared
 * @param[out] own_matches  whether it is listed and has its checksum
 * @param[in,out] findings  what is wrong, or a line that nothing is
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_manifest_check(const char *path, const char *own, bool alone,
                                          bool *own_matches, hg_findings *findings);

/** The manifest beside a file NAME.hdf5, which is then the master of a catalogue.
 *
 * @local
 * @param[out] manifest  its path, empty when there is none
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_manifest_of_master(const char *path, char manifest[HG_PATH_MAX]);

/** Refuse a master that is not what its manifest says, or whose parts are not, and such a part
 * NAME.K.hdf5. Files without a manifest pass.
 *
 * @local
 * @return HG_OK; HG_E_VERIFY; the failures of hg_manifest_check()
 */
HG_MUST_CHECK hg_status hg_manifest_guard(const char *path);

#endif
