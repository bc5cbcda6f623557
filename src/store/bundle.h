/** Files that are published together: all of them, or none. Layer: store.
 */
#ifndef HG_STORE_BUNDLE_H
#define HG_STORE_BUNDLE_H

#include "base/text.h"
#include "halograft/error.h"
#include "store/publish.h"

/** Files under their temporary names that wait for hg_bundle_publish(); {0} is a valid empty
 * one. */
typedef struct hg_bundle {
    int n, room;
    struct hg_bundle_file *file;
} hg_bundle;

/** Write a small text that was built with `status`, if that is HG_OK, under its temporary name,
 * and release it.
 *
 * @local
 * @param[in,out] bundle  release with hg_bundle_clear()
 * @param[in]     path    final name; not looked at unless `status` is HG_OK
 * @return `status`, or HG_E_WRITE, HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_bundle_text(hg_bundle *bundle, const char *path, hg_status status,
                                       hg_text *text);

/** Have a file written under its temporary name and take it in.
 *
 * @local
 * @param[in] path  final name
 * @return HG_OK; the failures of `fill`; HG_E_WRITE, HG_E_MEMORY; the temporary file is removed
 * then
 */
HG_MUST_CHECK hg_status hg_bundle_fill(hg_bundle *bundle, const char *path, hg_fill *fill,
                                       const void *context);

/** The lines of a table, of which not all need to be in memory at once. */
typedef struct hg_bundle_table {
    int64_t n; /**< rows */
    hg_status (*add_head)(const void *context, hg_text *text);
    hg_status (*add_row)(const void *context, int64_t row, hg_text *text);
    const void *context;
} hg_bundle_table;

/** Write a table of text under its temporary name, in pieces, and take it in.
 *
 * @local
 * @param[in] path  final name
 * @return as hg_bundle_fill()
 */
HG_MUST_CHECK hg_status hg_bundle_lines(hg_bundle *bundle, const char *path,
                                        const hg_bundle_table *lines);

/** Take in a closed file that was written to hg_publish_name(path): flush it to disk and read
 * it back.
 *
 * @local
 * @param[in] path  final name
 * @return HG_OK; HG_E_WRITE, HG_E_MEMORY; the temporary file is removed then
 */
HG_MUST_CHECK hg_status hg_bundle_file(hg_bundle *bundle, const char *path);

/** Give all files their final names, in the order in which they came; files of these names are
 * replaced.
 *
 * @local
 * @return HG_OK; HG_E_WRITE, and none of the files is left, but what they have replaced; the
 * bundle is empty
 */
HG_MUST_CHECK hg_status hg_bundle_publish(hg_bundle *bundle);

/** Remove the temporary files and release the list.
 *
 * @local
 */
void hg_bundle_clear(hg_bundle *bundle);

#endif
