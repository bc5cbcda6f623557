/** The watchdog: ends a run that makes no progress. Layer: cli. */
#ifndef HG_CLI_WATCHDOG_H
#define HG_CLI_WATCHDOG_H

/** Watch this process from a thread of its own: without a sign of life (base/alive.h) for
 * `timeout` seconds, or for twice as long while it waits for other ranks, it says on stderr
 * where it was and ends with exit code 9, so that the launcher ends the others. Waiting ranks
 * give more time, so that the rank that does not go on is the one that speaks.
 *
 * @local
 * @param[in] rank     of this process, for the message
 * @param[in] timeout  seconds; 0 = no watchdog
 */
void hg_watchdog_start(int rank, double timeout);

#endif
