#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/publish.h"
#include "test_folder.h"

static void
plant(const char *name)
{
    FILE *file = fopen(in_folder(name), "wb");

    cr_assert_not_null(file);
    fclose(file);
}

static void
make_old(const char *name, long seconds)
{
    const struct timespec times[2] = {{.tv_sec = time(NULL) - seconds},
                                      {.tv_sec = time(NULL) - seconds}};

    cr_assert_eq(utimensat(AT_FDCWD, in_folder(name), times, 0), 0);
}

/* The temporary name of a file, as a process that is dead by now has had it. */
static void
name_of_the_dead(const char *path, char name[HG_PATH_MAX])
{
    char host[64] = "";
    const pid_t child = fork();

    if (child == 0) {
        _exit(0);
    }
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(gethostname(host, sizeof host - 1), 0);
    snprintf(name, HG_PATH_MAX, ".%s.tmp-%ld@%s", path, (long)child, host);
}

Test(publish, leftovers_of_the_dead_are_removed_and_those_of_the_living_stay)
{
    char dead[HG_PATH_MAX], other[HG_PATH_MAX], alive[HG_PATH_MAX], temporary[HG_PATH_MAX];

    unsetenv("SLURM_JOB_ID");
    folder_create();
    name_of_the_dead("a.csv", dead);
    name_of_the_dead("b.csv", other);
    cr_assert_eq(hg_publish_name(in_folder("a.csv"), sizeof alive, alive), HG_OK);
    snprintf(temporary, sizeof temporary, ".a.csv.tmp-1@%s", strrchr(alive, '@') + 1);
    plant(dead);
    plant(other);                /* of another file */
    plant(temporary);            /* process 1 lives */
    plant(".a.csv.tmp-77");      /* of a batch job */
    plant(".a.csv.tmp-5@there"); /* of another host */
    plant(".a.csv.tmp-78");
    plant(".a.csv.tmp-6@there");
    make_old(".a.csv.tmp-78", 25 * 3600);
    make_old(".a.csv.tmp-6@there", 25 * 3600);
    make_old(temporary, 25 * 3600);
    cr_assert_eq(hg_publish_text(in_folder("a.csv"), "1\n"), HG_OK);
    cr_expect(hg_file_exists(in_folder("a.csv")));
    cr_expect(!hg_file_exists(alive));
    cr_expect(!hg_file_exists(in_folder(dead)));
    cr_expect(hg_file_exists(in_folder(other)));
    cr_expect(hg_file_exists(in_folder(temporary)));
    cr_expect(hg_file_exists(in_folder(".a.csv.tmp-77")));
    cr_expect(hg_file_exists(in_folder(".a.csv.tmp-5@there")));
    cr_expect(!hg_file_exists(in_folder(".a.csv.tmp-78")));
    cr_expect(!hg_file_exists(in_folder(".a.csv.tmp-6@there")));
    hg_publish_sweep(in_folder("b"));
    cr_expect(!hg_file_exists(in_folder(other)));
    folder_remove();
}

Test(publish, a_requeued_job_has_the_name_it_had)
{
    char name[HG_PATH_MAX];

    setenv("SLURM_JOB_ID", "4711", 1);
    cr_assert_eq(hg_publish_name("out/model.hdf5", sizeof name, name), HG_OK);
    cr_expect_str_eq(name, "out/.model.hdf5.tmp-4711");
}

static double
wait_for(const char *name, bool *is_there)
{
    struct timespec began, ended;

    clock_gettime(CLOCK_MONOTONIC, &began);
    *is_there = hg_file_await(in_folder(name));
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (double)(ended.tv_sec - began.tv_sec) +
           1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
}

Test(publish, a_name_that_comes_late_is_waited_for_and_one_that_never_comes_not_for_long)
{
    bool is_there = false;
    double took;
    pid_t child;

    folder_create();
    plant("here");
    took = wait_for("here", &is_there);
    cr_assert(is_there && took < 0.1, "%g s", took);
    child = fork();
    if (child == 0) {
        usleep(700000);
        mkdir(in_folder("late"), 0777);
        plant("late/file");
        _exit(0);
    }
    took = wait_for("late/file", &is_there);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert(is_there && took > 0.5, "%g s", took);
    took = wait_for("never/file", &is_there);
    cr_assert(!is_there && took > 3 && took < 7, "%g s", took);
    folder_remove();
}
