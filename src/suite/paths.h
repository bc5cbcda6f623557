/** Where a run's files are: defaults that follow from the output folder. Layer: suite. */
#ifndef HG_SUITE_PATHS_H
#define HG_SUITE_PATHS_H

#include <stddef.h>

#include "halograft/catalog.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Path of a file in the output folder, or `name` itself when it holds a slash.
 *
 * @local
 * @param[in]  n     size of the buffer
 * @param[out] path  filled
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_paths_output(const hg_params *params, const char *name, size_t n,
                                        char path[]);

/** Folder of a file, "." for a name without a slash.
 *
 * @local
 * @param[in]  path    of a file
 * @param[in]  n       size of the buffer
 * @param[out] folder  filled, without a slash at its end
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_paths_folder(const char *path, size_t n, char folder[]);

/** Path of a table beside a file NAME.hdf5: NAME_what.csv.
 *
 * @local
 * @param[in]  n      size of the buffer
 * @param[out] table  filled
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_paths_table(const char *path, const char *what, size_t n,
                                       char table[]);

/** Make the folder of an output file and its parents.
 *
 * @collective{comm}
 * @param[in] path  of a file
 * @return HG_OK; HG_E_WRITE; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_paths_make_folder(const hg_comm *comm, const char *path);

/** Folder of measured plans of FFTW: Measure.wisdom or its default.
 *
 * @local
 * @param[in]  n     size of the buffer
 * @param[out] path  filled; "" where none is wanted or the user has no home
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_paths_wisdom(const hg_params *params, size_t n, char path[]);

/** Whether the run works on the mock in its output folder: Parent.files is empty.
 *
 * @local
 */
bool hg_paths_is_mock(const hg_params *params);

/** Path of the region table, "" when training uses Zooms.files.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_paths_regions(const hg_params *params, size_t n, char path[]);

/** How to open the parent catalogue: Parent.files, or parent.hdf5 of the mock in the folder.
 *
 * @local
 * @param[in]  n        size of the buffer, which must live as long as `options`
 * @param[out] buffer   holds the default path
 * @param[out] file     shape (1); holds the pointer to it
 * @param[out] options  filled, borrows from params, buffer and file
 */
HG_MUST_CHECK hg_status hg_paths_parent(const hg_params *params, size_t n, char buffer[],
                                        const char *file[], hg_catalog_options *options);

/** How to open the catalogues of zooms; the caller adds the files.
 *
 * @local
 * @param[out] options  filled, borrows from params
 */
void hg_paths_zooms(const hg_params *params, hg_catalog_options *options);

#endif
