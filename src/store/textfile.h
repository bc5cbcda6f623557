/** Text files line by line, plain or compressed by gzip. Layer: store, the door to zlib. */
#ifndef HG_STORE_TEXTFILE_H
#define HG_STORE_TEXTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

typedef struct hg_textfile hg_textfile;

/** Open a text file; whether it is compressed is seen from its first bytes.
 *
 * @local
 * @param[out] file  owned by the caller, close with hg_textfile_close()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_textfile_open(const char *path, hg_textfile **file);
void hg_textfile_close(hg_textfile *file);

/** Read the next line without its end ("\n" or "\r\n").
 *
 * @local
 * @param[out] line  borrowed until the next call, may be changed by the caller; NULL at the end
 * @return HG_OK; HG_E_READ when the file is damaged or cut; HG_E_FORMAT for a line above 16 MiB
 * or with a zero byte
 */
HG_MUST_CHECK hg_status hg_textfile_line(hg_textfile *file, char **line);

/** Number of the line read last, from 1; and where it begins, in bytes of the text.
 *
 * @local
 */
int64_t hg_textfile_number(const hg_textfile *file);
int64_t hg_textfile_offset(const hg_textfile *file);

/** Go to a place that hg_textfile_offset() gave; `number` is the number of that line.
 *
 * @local  in compressed files all that comes before is read again
 */
HG_MUST_CHECK hg_status hg_textfile_seek(hg_textfile *file, int64_t offset, int64_t number);

#endif
