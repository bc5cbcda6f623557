/** Lists of input files: patterns with {file}, numeric order, duplicates. Layer: catalog. */
#ifndef HG_CATALOG_FILES_H
#define HG_CATALOG_FILES_H

#include <stdbool.h>
#include <stddef.h>
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

/** A number that the headers of all files of a set must share. */
typedef struct hg_header_item {
    const char *name; /**< as the message calls it */
    double a, b;      /**< in the first file and in another */
} hg_header_item;

/** Compare the headers of two files of a set.
 *
 * @local
 * @param[in] item         shape (n)
 * @param[in] tolerance    largest relative difference; 0 = none, and then NAN differs from NAN
 * @param[in] what         "catalogue" or "snapshot", for the message
 * @param[in] first, path  names of the files of a and b
 * @return HG_OK; HG_E_INPUT naming the number, both values and both files
 */
HG_MUST_CHECK hg_status hg_header_agree(size_t n, const hg_header_item item[], double tolerance,
                                        const char *what, const char *first, const char *path);

#endif
