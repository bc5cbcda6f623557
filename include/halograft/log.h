/** The log: one line `[00012.3] phase: message` on stderr, seconds since the start of the
 * program.
 *
 * info is printed by rank 0 only and only from mock, measure, emulate and cli; warn and error
 * by any rank with its number; the same warning is printed once and counted. Results never go
 * through the log. Layer: base.
 */
#ifndef HALOGRAFT_LOG_H
#define HALOGRAFT_LOG_H

#include <stdint.h>

#include "halograft/error.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

typedef enum hg_log_level { HG_LOG_ERROR, HG_LOG_WARN, HG_LOG_INFO, HG_LOG_DEBUG } hg_log_level;

/** Set the rank whose lines are printed and the highest level shown.
 *
 * @local
 * @param[in] rank   this process's rank
 * @param[in] size   number of ranks
 * @param[in] level  highest level that is printed
 */
void hg_log_setup(int rank, int size, hg_log_level level);

/** Change the highest level shown, for a part of the work that is told otherwise.
 *
 * @local
 * @return the level there was
 */
hg_log_level hg_log_change(hg_log_level level);

/** Print a line. The text starts with the phase: "apply: 12 parts".
 *
 * @local
 * @param[in] format  printf format without a newline
 */
void hg_log_error(const char *format, ...) HG_PRINTF(1, 2);
void hg_log_warn(const char *format, ...) HG_PRINTF(1, 2);
void hg_log_info(const char *format, ...) HG_PRINTF(1, 2);
void hg_log_debug(const char *format, ...) HG_PRINTF(1, 2);

/** Number of distinct warnings so far on this rank; line `i` of them and how often it came.
 *
 * @local
 * @param[in]  i      0 <= i < hg_log_warning_count()
 * @param[out] times  how often the warning was given
 * @return borrowed text of the warning
 */
int hg_log_warning_count(void);
const char *hg_log_warning(int i, int64_t *times);

/** A long task that shows how far it is: on a terminal one redrawn line, else a line a minute.
 */
typedef struct hg_progress {
    const char *phase;
    const char *unit;
    int64_t total;
    int64_t done;
    double start;
    double last;
} hg_progress;

/** Begin, advance to `done` of `total`, and end a task (one closing line with the rate).
 *
 * @local  prints on rank 0 only
 * @param[in] phase  name of the phase, borrowed until the end
 * @param[in] unit   what is counted ("haloes"), borrowed until the end
 * @param[in] total  how much there is to do on this rank
 */
hg_progress hg_progress_start(const char *phase, const char *unit, int64_t total);
void hg_progress_to(hg_progress *progress, int64_t done);
void hg_progress_end(hg_progress *progress);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
