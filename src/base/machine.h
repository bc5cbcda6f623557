/** What this process may use of the machine: cores, memory, limits. Layer: base. */
#ifndef HG_BASE_MACHINE_H
#define HG_BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

enum { HG_CORES_MAX = 8192 }; /**< cores of a node that are told apart */

/** The cores this process may run on, as bits of a mask; all 0 where the system does not tell.
 *
 * @local
 * @param[out] mask  shape (HG_CORES_MAX / 64)
 */
void hg_machine_cores(uint64_t mask[]);

/** Limits of the process that `ulimit` shows. */
typedef enum hg_limit {
    HG_LIMIT_FILES,    /**< open files */
    HG_LIMIT_STACK,    /**< bytes of stack */
    HG_LIMIT_FILE_SIZE /**< bytes of a written file */
} hg_limit;

/** Value of a limit; INT64_MAX where there is none.
 *
 * @local
 */
int64_t hg_machine_limit(hg_limit limit);

/** Memory limit in bytes of the control groups a process is in: the least of its group and the
 * groups above; INT64_MAX where there is none. Both versions of control groups are known.
 *
 * @local
 * @param[in] mount   where control groups are, mostly "/sys/fs/cgroup"
 * @param[in] groups  list of the process's groups, mostly "/proc/self/cgroup"
 */
int64_t hg_machine_cgroup(const char *mount, const char *groups);

/** Memory in bytes that new work could get now, by the system's estimate (0 if unknown).
 *
 * @local
 */
int64_t hg_machine_available(void);

#endif
