/** Signs of life of this process, for a watchdog: how much it has done, and where it is.
 * Layer: base. */
#ifndef HG_BASE_ALIVE_H
#define HG_BASE_ALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Say that work goes on; cheap, to be called between pieces of work of up to minutes.
 *
 * @local  thread-safe
 */
void hg_alive(void);

/** Say what is worked on: a phase (a string constant), or a file. Both are signs of life.
 *
 * @local  thread-safe
 */
void hg_alive_phase(const char *phase);
void hg_alive_file(const char *path);

/** Say that from now on (or no longer) other ranks are waited for; a sign of life.
 *
 * @local
 */
void hg_alive_wait(bool waits);

/** Number of signs so far, whether other ranks are waited for, and words for the phase and the
 * file of the last signs.
 *
 * @local  thread-safe
 */
int64_t hg_alive_count(void);
bool hg_alive_waits(void);
void hg_alive_text(size_t n, char text[]);

#endif
