/** Requests to stop at the next clean point: SIGUSR1, a file, or a wall-clock limit.
 *
 * The handler of the signal sets a flag and nothing else. Whoever works in pieces asks between
 * them and leaves with HG_STOPPED, which the program turns into exit code 75. A batch system
 * sends the signal (`#SBATCH --signal=USR1@300`), mpirun passes it on to all ranks. Layer: par.
 */
#ifndef HG_PAR_STOP_H
#define HG_PAR_STOP_H

#include <stdbool.h>

#include "halograft/comm.h"

/** Listen to SIGUSR1, and set the other two ways to stop; replaces what was set before, but a
 * signal that came stays: the program listens from its first line on, because batch systems may
 * send it while MPI starts, and unheard it would kill.
 *
 * @local
 * @param[in] folder    a file "stop" in it stops the run, and is removed then; NULL = none
 * @param[in] walltime  seconds since the start of the process, 0 = no limit
 */
void hg_stop_listen(const char *folder, double walltime);

/** Whether this rank knows of a request. The file is looked for every few seconds only.
 *
 * @local  thread-safe
 * @param[in] margin  seconds that the next piece of work will take
 */
bool hg_stop_wanted_here(double margin);

/** Whether any rank knows of one; rank 0 removes the file.
 *
 * @collective{comm}
 */
bool hg_stop_wanted(const hg_comm *comm, double margin);

/** Leave here if a stop is wanted.
 *
 * @collective{comm}
 * @param[in] margin  seconds that the next piece of work will take
 * @param[in] advice  end of the sentence: what is there, and how to go on
 * @return HG_OK; HG_STOPPED
 */
HG_MUST_CHECK hg_status hg_stop_check(const hg_comm *comm, double margin, const char *advice);

#endif
