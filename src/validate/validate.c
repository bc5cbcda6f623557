/* Rows, folds, forests, metrics, files: one after the other. */
#include "validate/validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "validate/resolution.h"
#include "validate/search.h"
#include "validate/transfer.h"
#include "validate/validate_output.h"

static hg_status
add_provenance(const hg_folds *folds, hg_statistics *statistics)
{
    const hg_validation *v = folds->validation;
    char code[128];

    snprintf(code, sizeof code, "halograft %s %s", hg_version(), hg_version_commit());
    HG_TRY(hg_attributes_text(&statistics->provenance, "code", code));
    HG_TRY(hg_attributes_text(&statistics->provenance, "name", v->params->meta.name));
    HG_TRY(hg_attributes_text(&statistics->provenance, "held_out", folds->text));
    HG_TRY(hg_attributes_real(&statistics->provenance, "rows", (double)v->rows.n));
    HG_TRY(hg_attributes_real(&statistics->provenance, "blocks", folds->n_block));
    return hg_text_add(&statistics->parameters, "%s", hg_params_text(v->params));
}

static hg_status
write_files(const hg_findings *found, const hg_transfer *transfer,
            const hg_resolution *resolution, const char *path, hg_statistics *statistics)
{
    char table[HG_PATH_MAX];

    HG_TRY(add_provenance(found->folds, statistics));
    HG_TRY(hg_findings_statistics(found, statistics));
    hg_findings_print(found);
    if (transfer->n > 0) {
        HG_TRY(hg_transfer_write(transfer, path, statistics));
    }
    if (resolution->n > 0) {
        HG_TRY(hg_resolution_write(resolution, path, statistics));
    }
    HG_TRY(hg_paths_table(path, "scores", sizeof table, table));
    HG_TRY(hg_findings_add_scores(found, table, &statistics->beside));
    if (found->folds->validation->params->validate.rows) {
        HG_TRY(hg_paths_table(path, "rows", sizeof table, table));
        HG_TRY(hg_findings_add_rows(found, table, &statistics->beside));
    }
    return hg_statistics_write(statistics, path);
}

/* Predictions of all rows, metrics and files. */
static hg_status
validate_folds(const hg_comm *comm, const hg_folds *folds, const char *path)
{
    hg_guesses guesses = {0};
    hg_cuts cuts = {0};
    hg_scoring scoring = {0};
    hg_transfer transfer = {0};
    hg_resolution resolution = {0};
    hg_statistics statistics = {0};
    const hg_findings found = {folds, &guesses, &cuts, &scoring};
    hg_status status;

    HG_TRY_OR(done, status, hg_guesses_make(comm, folds, &guesses));
    HG_TRY_OR(done, status, hg_comm_agree(comm, hg_cuts_make(folds, &cuts)));
    HG_TRY_OR(done, status, hg_scoring_run(comm, folds, &guesses, &cuts, &scoring));
    if (folds->validation->params->validate.parent) {
        HG_TRY_OR(done, status, hg_transfer_run(comm, folds, &guesses, &transfer));
    }
    if (folds->validation->coarsening.n > 0) {
        HG_TRY_OR(done, status, hg_resolution_run(comm, folds, &cuts, &resolution));
    }
    if (comm->rank == 0) {
        status = write_files(&found, &transfer, &resolution, path, &statistics);
    }
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        hg_log_info("validate: '%s' and tables beside it", path);
    }
done:
    hg_statistics_clear(&statistics);
    hg_resolution_clear(&resolution);
    hg_transfer_clear(&transfer);
    hg_scoring_clear(&scoring);
    hg_cuts_clear(&cuts);
    hg_guesses_clear(&guesses);
    return status;
}

/* Hyperparameters and learning curve. */
static hg_status
search_folds(const hg_comm *comm, const hg_folds *folds, const char *path, bool resume,
             bool overwrite)
{
    hg_search search = {0};
    hg_statistics statistics = {0};
    hg_status status;

    HG_TRY_OR(done, status, hg_search_run(comm, folds, path, resume, overwrite, &search));
    if (comm->rank == 0) {
        HG_TRY_OR(agree, status, add_provenance(folds, &statistics));
        status = hg_search_write(&search, path, &statistics);
    }
agree:
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        hg_log_info("validate: '%s' and tables beside it", path);
    }
done:
    hg_statistics_clear(&statistics);
    hg_search_clear(&search);
    return status;
}

static hg_status
run(const hg_comm *comm, const hg_params *params, bool resume, bool overwrite)
{
    const bool is_search = hg_search_wanted(params);
    char path[HG_PATH_MAX];
    hg_validation validation = {0};
    hg_folds folds = {0};
    hg_status status;

    if (resume && !is_search) {
        return HG_FAIL(HG_E_PARAM, "validate can resume a search or a learning curve alone: "
                                   "set Validate.search or Validate.learning, or leave out "
                                   "--resume");
    }
    HG_TRY(hg_paths_output(params,
                           is_search ? params->validate.search_file : params->validate.file,
                           sizeof path, path));
    HG_TRY(hg_paths_make_folder(comm, path));
    if (!overwrite && !resume) { /* an old file stays until the new one is whole */
        HG_TRY(hg_output_claim(comm, path, false));
    }
    HG_TRY_OR(done, status, hg_validation_open(comm, params, &validation));
    HG_TRY_OR(done, status, hg_comm_agree(comm, hg_validation_check_draws(&validation)));
    HG_TRY_OR(done, status, hg_comm_agree(comm, hg_folds_deal(&validation, &folds)));
    hg_log_info("validate: %s", folds.text);
    status = is_search ? search_folds(comm, &folds, path, resume, overwrite)
                       : validate_folds(comm, &folds, path);
done:
    hg_folds_clear(&folds);
    hg_validation_close(&validation);
    return status;
}

hg_status
hg_validate_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return run(comm, params, false, overwrite);
}

hg_status
hg_validate_resume(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return run(comm, params, true, overwrite);
}
