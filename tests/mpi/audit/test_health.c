/* The health test gives the recorded bits on any ranks and threads; the test of the file system
 * says what is wrong, the same on all ranks, and leaves nothing behind. */
#include "mpi_fault.h"

#include <dirent.h>

#include "audit/doctor.h"
#include "audit/health.h"
#include "mpi_folder.h"
#include "par/machine_test.h"

MPI_SUITE(health);

Test(health, bits_are_the_recorded_ones_with_any_threads)
{
    for (int threads = 1; threads <= 3; threads++) {
        hg_health health;

        all_assert(hg_health_test(&world, threads, 0, &health) == HG_OK);
        all_assert(health.model == hg_health_model);
        all_assert(health.prediction == hg_health_prediction);
        all_assert(health.speed > 0);
    }
}

static int
count_files(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = -2;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

Test(health, file_systems_are_tried_and_left_clean)
{
    hg_doctor_options options = {.threads = 1, .bytes = 100000};
    hg_diagnosis d = {.verdict = HG_OK};
    char missing[512];

    share_folder();
    options.folder = test_folder;
    all_assert(hg_doctor_files(&world, &options, &d) == HG_OK);
    all_assert(d.verdict == HG_OK && d.findings.n_wrong == 0);
    all_assert(world.rank != 0 || strstr(hg_text_string(&d.findings.text), "mpi-io") != NULL);
    snprintf(missing, sizeof missing, "%s/not/there", test_folder);
    options.folder = missing;
    all_assert(hg_doctor_files(&world, &options, &d) == HG_OK && d.verdict == HG_OK);
    hg_comm_barrier(&world);
    all_assert(count_files(test_folder) == 0);
    all_assert(hg_comm_file_test(&world, missing, 10) == HG_E_WRITE);
    hg_findings_clear(&d.findings);

    options.folder = "/proc";
    all_assert(hg_doctor_files(&world, &options, &d) == HG_OK);
    all_assert(d.verdict == HG_E_WRITE && d.findings.n_wrong == 1);
    hg_findings_clear(&d.findings);
    drop_folder();
}

Test(health, a_fault_at_any_agreement_ends_all_ranks_alike)
{
    hg_doctor_options options = {.threads = 1, .bytes = 1000};
    fault_loop f = {.on_each = true};

    share_folder();
    options.folder = test_folder;
    while (fault_next(&f)) {
        hg_diagnosis d = {.verdict = HG_OK};
        hg_status status = hg_doctor_files(&world, &options, &d);

        status =
            status == HG_OK && d.verdict != HG_OK ? HG_E_FAULT : status; /* it is told of */
        fault_status(&f, status);
        hg_comm_barrier(&world);
        all_assert(count_files(test_folder) == 0);
        hg_findings_clear(&d.findings);
        hg_comm_barrier(&world);
    }
    all_assert(f.n_failed > 4 * world.size);
    drop_folder();
}
