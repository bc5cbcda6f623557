/** Wall time, and the process-wide table of phase times. Layer: base. */
#ifndef HG_BASE_CLOCK_H
#define HG_BASE_CLOCK_H

/** Seconds since the first call in this process (monotonic).
 *
 * @local
 */
double hg_clock_seconds(void);

/** Add the time between start and stop to the phase `name` (a string constant). Phases are
 * listed in order of their first start. Threads may time phases of their own; not for use
 * inside parallel regions.
 *
 * @local
 * @param[in] name  borrowed for the life of the process, at most 31 characters
 */
void hg_phase_start(const char *name);
void hg_phase_stop(const char *name);

/** Number of phases, and name and seconds of phase i on this rank.
 *
 * @local
 */
int hg_phase_count(void);
const char *hg_phase_name(int i);
double hg_phase_seconds(int i);

#endif
