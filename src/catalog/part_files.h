/** Names of the files of a catalogue, and the exchange of an old catalogue for a new one.
 *
 * A catalogue that replaces another is written under staged names (".NAME.K.hdf5.new"), so that
 * the old one stays whole until the new one is. Layer: catalog.
 */
#ifndef HG_CATALOG_PART_FILES_H
#define HG_CATALOG_PART_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

/** In place of the number of a part: the other files of a catalogue. */
enum { HG_FILE_JOURNAL = -3, HG_FILE_MANIFEST = -2, HG_FILE_MASTER = -1 };

/** Name of a file of a catalogue.
 *
 * @local
 * @param[in]  path    NAME with its folder
 * @param[in]  number  of the part, or one of the above
 * @param[in]  staged  the name before the exchange
 * @param[in]  n       size of the buffer
 * @param[out] file    filled
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_part_file(const char *path, int64_t number, bool staged, size_t n,
                                     char file[]);

/** Remove all files of a catalogue whose number is `first` or above.
 *
 * @local
 * @param[in] path    NAME with its folder
 * @param[in] staged  the staged ones
 */
void hg_part_files_remove(const char *path, int64_t first, bool staged);

/** Remove what runs that were killed left under temporary names.
 *
 * @local
 * @param[in] path  NAME with its folder
 */
void hg_part_files_remove_temporary(const char *path);

/** Put the staged files in the place of the old ones: the old master goes first and the new one
 * comes last, so that at no instant a master stands over parts of both. Parts the new catalogue
 * does not have are removed. When the names behind the master or the flush of the folder fail,
 * the master is removed.
 *
 * @local
 * @param[in] path    NAME with its folder
 * @param[in] n_part  parts of the new catalogue
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_part_files_exchange(const char *path, int64_t n_part);

/** The same for a catalogue of one file, which takes the place of an old one in one step. When
 * what comes behind it fails, it goes back under its staged name with its journal.
 *
 * @local
 * @param[in] path  NAME with its folder
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_part_files_replace(const char *path);

#endif
