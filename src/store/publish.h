/** Atomic publication of files, checksums of files, and folders.
 *
 * Only whole files bear final names: write to the temporary name, then publish. Layer: store.
 */
#ifndef HG_STORE_PUBLISH_H
#define HG_STORE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "halograft/comm.h"
#include "halograft/error.h"

enum { HG_PATH_MAX = 4096 };

/** Temporary name of a file: ".NAME.tmp-JOB" in the same folder, JOB the number of a Slurm job,
 * else PROCESS@HOST.
 *
 * @local
 * @param[in]  path  final name
 * @param[in]  n     size of the buffer
 * @param[out] temporary  the name to write to
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_publish_name(const char *path, size_t n, char temporary[]);

/** Remove what runs that were killed have left: temporary files whose names begin with a dot
 * and the last part of `stem`, and whose process is dead or, of other hosts and batch jobs,
 * that nobody has written to for a day. Reads the whole folder.
 *
 * @local
 */
void hg_publish_sweep(const char *stem);

/** hg_publish_sweep() and hg_publish_name(), for all files but the many parts of catalogues.
 *
 * @local
 * @return as hg_publish_name()
 */
HG_MUST_CHECK hg_status hg_publish_begin(const char *path, size_t n, char temporary[]);

/** Flush a finished temporary file to disk and read it back in full.
 *
 * @local
 * @param[in]  temporary  from hg_publish_name(), closed
 * @param[out] hash       xxh3 of the file's bytes, or NULL
 * @return HG_OK; HG_E_WRITE (full disk, quota); the temporary file is removed then
 */
HG_MUST_CHECK hg_status hg_publish_flush(const char *temporary, uint64_t *hash);

/** Flush a finished temporary file to disk, read it back in full, rename it to its final name,
 * and flush the folder.
 *
 * @local
 * @param[in]  temporary  from hg_publish_name(), closed
 * @param[in]  path       final name; replaced when it exists
 * @param[out] hash       xxh3 of the file's bytes, or NULL
 * @return HG_OK; HG_E_WRITE (full disk, quota, permission); the temporary file is removed then
 */
HG_MUST_CHECK hg_status hg_publish(const char *temporary, const char *path, uint64_t *hash);

/** Rename a file that was flushed to disk, and flush the folder.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; then there is neither file
 */
HG_MUST_CHECK hg_status hg_publish_rename(const char *temporary, const char *path);

/** Flush the folder of a file, so that renames in it last.
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_folder_sync(const char *path);

/** Write a file under a temporary name and close it.
 *
 * @local
 * @param[in] context    as given to hg_publish_fill()
 * @param[in] temporary  the name to write to
 */
typedef hg_status hg_fill(const void *context, const char *temporary);

/** Have a file written under the temporary name of `path`, or written and published.
 *
 * @local
 * @return HG_OK; the failures of `fill`, and of hg_publish(); there is no temporary file then
 */
HG_MUST_CHECK hg_status hg_publish_fill(const char *path, hg_fill *fill, const void *context);
HG_MUST_CHECK hg_status hg_publish_file(const char *path, hg_fill *fill, const void *context);

/** Write a small text file under the temporary name of `path`.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; there is no temporary file then
 */
HG_MUST_CHECK hg_status hg_publish_write(const char *path, const char *text);

/** Write a small text file atomically.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_publish_text(const char *path, const char *text);

/** xxh3 of a file's bytes, and its size.
 *
 * @local
 * @return HG_OK; HG_E_NOTFOUND; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_file_hash(const char *path, uint64_t *hash, int64_t *bytes);

/** Whether a path exists, and its size in bytes (-1 when it does not).
 *
 * @local
 */
bool hg_file_exists(const char *path);
int64_t hg_file_size(const char *path);

/** Wait for what another rank has made: network file systems show a new name late.
 *
 * @local
 * @return whether it exists; false after 4 s
 */
bool hg_file_await(const char *path);

/** Create a folder and its parents on rank 0; all ranks see it on return.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_folder_make(const hg_comm *comm, const char *path);

/** Refuse to overwrite: HG_E_EXISTS when `path` exists and `overwrite` is false; with
 * `overwrite` the old file is removed.
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_output_claim(const hg_comm *comm, const char *path, bool overwrite);

/** Free space that hg_space_check() wants, relative to what is to be written; 1.1 at first.
 *
 * @local  for all threads of the process
 */
void hg_space_margin(double margin);

/** Refuse to begin a file for which there is no room. Quotas are not seen here, only by the
 * write itself.
 *
 * @local
 * @param[in] path   of the file, in the folder that is looked at
 * @param[in] bytes  of the file, as far as is known
 * @return HG_OK; HG_E_WRITE with both numbers
 */
HG_MUST_CHECK hg_status hg_space_check(const char *path, double bytes);

#endif
