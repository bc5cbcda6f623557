/** Lists of input files: patterns with {file}, numeric order, duplicates. Layer: catalog. */
#ifndef HG_CATALOG_FILES_H
#define HG_CATALOG_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/error.h"

typedef struct hg_files {
    int n;
    char **path;
    int64_t *number; /**< number of the file in its set, -1 = none */
} hg_files;

/** Expand names and patterns; sort by number, so that part 10 comes after part 9.
 *
 * @local
 * @param[in]  n      number of names
 * @param[in]  names  paths, or patterns in which {file} (also {file:03d}) is any number
 * @param[out] files  release with hg_files_clear()
 * @return HG_OK; HG_E_NOTFOUND when a file is missing or a pattern matches nothing; HG_E_INPUT
 * when a file is named twice; HG_E_PARAM when there is no name
 */
HG_MUST_CHECK hg_status hg_files_expand(int n, const char *const names[], hg_files *files);
void hg_files_clear(hg_files *files);

#endif
