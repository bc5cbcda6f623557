/** The watchdog: ends a run that makes no progress. Layer: cli. */
#ifndef HG_CLI_WATCHDOG_H
#define HG_CLI_WATCHDOG_H

/** Watch this process from a thread of its own: without a sign of life (base/alive.h) for
 * Run.hang_timeout, or for twice as long while it waits for other ranks, it says on stderr
 * where it was and ends with exit code 9, so that the launcher ends the others. Waiting ranks
 * give more time, so that the rank that does not go on is the one that speaks. Until the
 * parameters are read the limit is that of the command line, or the default.
 *
 * @local
 * @param[in] rank   of this process, for the message
 * @param[in] n_set  number of "Section.key=value" texts of the command line
 * @param[in] set    shape (n_set)
 */
void hg_watchdog_start(int rank, int n_set, const char *const set[]);

/** Set the limit to that of the parameters.
 *
 * @local
 * @param[in] timeout  seconds; 0 = no limit
 */
void hg_watchdog_limit(double timeout);

#endif
