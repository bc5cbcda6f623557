/** Journals of work that may be resumed: a first line says what decides the results (the
 * identity), then there is one line for each piece that is done. Lines are JSON objects that
 * end with their xxh3; one that was torn by the end of a run or damaged since is passed over,
 * and its piece done again. Layer: store.
 */
#ifndef HG_STORE_JOURNAL_H
#define HG_STORE_JOURNAL_H

#include "halograft/error.h"

/** Write a journal atomically, replacing an older one.
 *
 * @local
 * @param[in] identity  lines "name: value" that hold no control characters but line ends
 * @param[in] lines     of pieces that are done, JSON objects, each with its end; "" = none
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_journal_begin(const char *path, const char *identity,
                                         const char *lines);

/** Append lines and flush them to disk. One process writes to a journal.
 *
 * @local
 * @param[in] lines  as above; the end of the last may be missing
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_journal_append(const char *path, const char *lines);

/** Take a line of a journal, as it was given; one that says nothing is passed over with HG_OK.
 *
 * @local
 */
typedef hg_status hg_journal_line(void *context, const char *line);

/** Read a journal.
 *
 * @local
 * @param[in] subject   what is resumed, for messages
 * @param[in] identity  of this run
 * @param[in] take      called for every whole line but the first
 * @return HG_OK; HG_E_NOTFOUND; HG_E_INPUT naming what has changed since; HG_E_FORMAT; the
 * failures of `take`
 */
HG_MUST_CHECK hg_status hg_journal_read(const char *path, const char *subject,
                                        const char *identity, hg_journal_line *take,
                                        void *context);

#endif
