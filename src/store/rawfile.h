/** Files that several ranks write to at once, each at places of its own that are known
 * beforehand. Layer: store.
 */
#ifndef HG_STORE_RAWFILE_H
#define HG_STORE_RAWFILE_H

#include <stddef.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

typedef struct hg_rawfile hg_rawfile;

/** Take the room of a file on disk, making it if it is not there, so that later writes within
 * it cannot meet a full disk.
 *
 * @local
 * @param[in] bytes  size of the file; a shorter one is made longer with zeros
 * @return HG_OK; HG_E_WRITE (no space, quota, limit of file sizes)
 */
HG_MUST_CHECK hg_status hg_rawfile_reserve(const char *path, int64_t bytes);

/** Open an existing file for writing. A file that another node has made may be seen late: up to
 * ten seconds are waited for it.
 *
 * @local
 * @param[out] file  owned by the caller, close with hg_rawfile_close()
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rawfile_open(const char *path, hg_rawfile **file);

/** Write bytes to a place, in pieces of at most 256 MiB.
 *
 * @local
 * @param[in] offset  of the first, in bytes
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_rawfile_write(hg_rawfile *file, int64_t offset, size_t n,
                                         const void *bytes);

/** Flush what was written to disk, and let go of it in memory, so that it is read from there.
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_rawfile_sync(hg_rawfile *file);

/** Close and release; NULL is fine. What was not flushed before may be lost unseen.
 *
 * @local
 */
void hg_rawfile_close(hg_rawfile *file);

/** Whether a file system keeps what all ranks write to one file side by side: each rank writes
 * blocks between those of the others, closes, opens again, and compares the blocks of its
 * neighbour. The file is removed.
 *
 * @collective{comm}
 * @param[in] path  of the file that will be written; the test uses a temporary name beside it
 * @return HG_OK; HG_E_WRITE naming the folder
 */
HG_MUST_CHECK hg_status hg_rawfile_test(const hg_comm *comm, const char *path);

#endif
