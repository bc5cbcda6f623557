/* Linux tells through sched_getaffinity, getrlimit, /proc and /sys; elsewhere the answers are
 * "unknown" and "no limit". A batch system limits memory by the control group of the job step,
 * several levels below the mount point, so the groups above are asked too. */
#include "base/machine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

void
hg_machine_cores(uint64_t mask[])
{
    memset(mask, 0, HG_CORES_MAX / 8);
#ifdef __linux__
    cpu_set_t *set = CPU_ALLOC(HG_CORES_MAX);
    const size_t bytes = CPU_ALLOC_SIZE(HG_CORES_MAX);

    if (set != NULL && sched_getaffinity(0, bytes, set) == 0) {
        for (size_t i = 0; i < HG_CORES_MAX; i++) {
            mask[i / 64] |= CPU_ISSET_S(i, bytes, set) ? UINT64_C(1) << i % 64 : 0;
        }
    }
    if (set != NULL) {
        CPU_FREE(set);
    }
#endif
}

int64_t
hg_machine_limit(hg_limit limit)
{
    struct rlimit value;
    int failed = limit == HG_LIMIT_FILES   ? getrlimit(RLIMIT_NOFILE, &value)
                 : limit == HG_LIMIT_STACK ? getrlimit(RLIMIT_STACK, &value)
                                           : getrlimit(RLIMIT_FSIZE, &value);

    return failed || value.rlim_cur == RLIM_INFINITY || value.rlim_cur > INT64_MAX
               ? INT64_MAX
               : (int64_t)value.rlim_cur;
}

/* Files without a limit hold "max" or a number near 2^63. */
static int64_t
read_limit(const char *path)
{
    FILE *file = fopen(path, "r");
    int64_t bytes = 0;

    if (file != NULL && fscanf(file, "%" SCNd64, &bytes) != 1) {
        bytes = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return bytes > 0 && bytes < INT64_MAX / 2 ? bytes : INT64_MAX;
}

/* The least limit of a group and of those above it. */
static int64_t
walk_up(const char *mount, const char *group, const char *name)
{
    char place[4096], path[8300];
    int64_t least = INT64_MAX;
    char *slash = place;

    snprintf(place, sizeof place, "%s", group);
    while (slash != NULL) {
        int64_t bytes;

        snprintf(path, sizeof path, "%s%s/%s", mount, place, name);
        bytes = read_limit(path);
        least = bytes < least ? bytes : least;
        slash = strrchr(place, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    }
    return least;
}

int64_t
hg_machine_cgroup(const char *mount, const char *groups)
{
    char line[4096], old_mount[4096];
    FILE *file = fopen(groups, "r");
    int64_t least = walk_up(mount, "", "memory.max"), bytes;

    snprintf(old_mount, sizeof old_mount, "%s/memory", mount);
    bytes = walk_up(old_mount, "", "memory.limit_in_bytes");
    least = bytes < least ? bytes : least;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *second = strchr(line, ':');
        const char *group = second != NULL ? strchr(second + 1, ':') : NULL;

        line[strcspn(line, "\n")] = '\0';
        if (group == NULL) {
            continue;
        }
        bytes = strncmp(second, "::", 2) == 0 ? walk_up(mount, group + 1, "memory.max")
                : strncmp(second, ":memory:", 8) == 0
                    ? walk_up(old_mount, group + 1, "memory.limit_in_bytes")
                    : INT64_MAX;
        least = bytes < least ? bytes : least;
    }
    if (file != NULL) {
        fclose(file);
    }
    return least;
}

int64_t
hg_machine_available(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[256];
    int64_t kib = 0;

    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "MemAvailable: %" SCNd64, &kib) != 1) {
            kib = 0;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return 1024 * kib;
}
