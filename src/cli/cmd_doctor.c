/* Doctor: is this launch, on this machine, with this file system fit for a run? The answers go
 * to stdout; the first that is wrong decides the exit code. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/doctor.h"
#include "cli/command.h"
#include "halograft/log.h"

/* A parameter file names the folder and the limits, a folder stands for itself. */
static hg_status
take_argument(const hg_comm *comm, const hg_options *options, hg_params **params,
              hg_doctor_options *doctor)
{
    struct stat info;
    int is_file = 0;

    if (options->n_file > 1) {
        return HG_FAIL(HG_E_USAGE, "doctor needs one folder or parameter file, %d were given",
                       options->n_file);
    }
    if (options->n_file == 1 && comm->rank == 0) {
        is_file = stat(options->file[0], &info) == 0 && !S_ISDIR(info.st_mode);
    }
    hg_comm_broadcast(comm, 0, &is_file, sizeof is_file);
    if (is_file) {
        HG_TRY(hg_options_params(comm, options, params));
        doctor->folder = (*params)->output.folder;
    } else {
        hg_params_options only_set = {
            .n_set = options->n_set, .set = options->set, .snap = options->snap};

        HG_TRY(hg_params_read(comm, &only_set, params));
        doctor->folder = options->n_file == 1 ? options->file[0] : ".";
    }
    doctor->memory_max = (*params)->run.memory_max;
    doctor->threads = hg_cmd_threads(comm, *params);
    return HG_OK;
}

hg_status
hg_cmd_doctor(const hg_comm *comm, const hg_options *options)
{
    hg_doctor_options doctor = {.bytes = INT64_C(4) << 20};
    hg_params *params = NULL;
    hg_diagnosis diagnosis;
    const hg_findings *found = &diagnosis.findings;
    hg_status status;

    HG_TRY_OR(done, status, take_argument(comm, options, &params, &doctor));
    if (!options->verbose) {
        hg_log_setup(comm->rank, comm->size, HG_LOG_WARN);
    }
    status = hg_doctor_run(comm, &doctor, &diagnosis);
    if (comm->rank == 0) {
        fputs(hg_text_string(&found->text), stdout);
        fflush(stdout);
    }
    if (status == HG_OK && diagnosis.verdict != HG_OK) {
        status = comm->rank == 0 ? HG_FAIL(diagnosis.verdict, "%s", found->first) : HG_OK;
        status = hg_comm_agree(comm, status);
    }
    hg_findings_clear(&diagnosis.findings);
done:
    hg_params_free(params);
    return status;
}
