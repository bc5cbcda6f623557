/* Limits of control groups are read from trees of files made here; what the running system says
 * is compared with what the C library says. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/machine.h"
#include "test_folder.h"

TestSuite(machine, .init = folder_create, .fini = folder_remove);

static void
put(const char *name, const char *text)
{
    char path[1024], *slash;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    for (slash = strchr(path + strlen(test_folder) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static int64_t
limit_of(void)
{
    char mount[512], groups[512];

    snprintf(mount, sizeof mount, "%s/fs", test_folder);
    snprintf(groups, sizeof groups, "%s/cgroup", test_folder);
    return hg_machine_cgroup(mount, groups);
}

Test(machine, the_least_limit_above_a_process_counts)
{
    cr_assert_eq(limit_of(), INT64_MAX, "no files, no limit");
    put("cgroup", "0::/system.slice/job_7/step_0/task_0\n");
    put("fs/system.slice/job_7/step_0/task_0/memory.max", "max\n");
    put("fs/system.slice/job_7/step_0/memory.max", "5000000000\n");
    cr_assert_eq(limit_of(), 5000000000);
    put("fs/system.slice/job_7/memory.max", "4000000000\n");
    cr_assert_eq(limit_of(), 4000000000);
    put("fs/memory.max", "3000000000\n");
    cr_assert_eq(limit_of(), 3000000000);
}

Test(machine, the_first_version_of_control_groups_is_read_too)
{
    put("cgroup", "11:cpuset:/slurm/job_7\n5:memory:/slurm/job_7\n0::/init.scope\n");
    put("fs/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("fs/cpuset/slurm/job_7/memory.limit_in_bytes", "1\n");
    cr_assert_eq(limit_of(), INT64_MAX);
    put("fs/memory/slurm/memory.limit_in_bytes", "6000000000\n");
    put("fs/memory/slurm/job_7/memory.limit_in_bytes", "7000000000\n");
    cr_assert_eq(limit_of(), 6000000000);
}

Test(machine, broken_lists_of_groups_do_no_harm)
{
    put("cgroup", "\n:\n::\n0::\n0:memory\n:memory:\n0::no/slash/first\n");
    put("fs/memory.max", "-5\n");
    cr_assert_eq(limit_of(), INT64_MAX);
}

Test(machine, limits_are_those_of_the_process)
{
    struct rlimit files = {.rlim_cur = 77, .rlim_max = 77};
    uint64_t mask[HG_CORES_MAX / 64];
    int n = 0;

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    cr_assert_eq(hg_machine_limit(HG_LIMIT_FILES), 77);
    cr_assert(hg_machine_limit(HG_LIMIT_STACK) > 0);
    cr_assert(hg_machine_available() > 0);
    hg_machine_cores(mask);
    for (int i = 0; i < HG_CORES_MAX / 64; i++) {
        n += __builtin_popcountll(mask[i]);
    }
    cr_assert(n >= 1 && n <= sysconf(_SC_NPROCESSORS_CONF), "%d cores", n);
}
