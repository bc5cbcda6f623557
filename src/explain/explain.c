/* Rows and folds as validate has them, the model as train wrote it. */
#include "explain/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "explain/explain_output.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "store/publish.h"
#include "suite/paths.h"

/* Columns of the model are those of the parameters. */
static hg_status
check_columns(const char *what, int n, const hg_field_spec asked[], int n_model,
              const hg_field_spec *of_model(const void *, int), const void *model)
{
    for (int i = 0; i < n || i < n_model; i++) {
        const hg_field_spec *m = i < n_model ? of_model(model, i) : NULL;

        if (i >= n || m == NULL || strcmp(asked[i].name, m->name) != 0 ||
            strcmp(asked[i].expression, m->expression) != 0 ||
            strcmp(asked[i].transform, m->transform) != 0) {
            return HG_FAIL(HG_E_INPUT,
                           "%s %d is '%s' in the parameters and '%s' in the model, or made in "
                           "another way: train again, or give the parameters of the training",
                           what, i + 1, i < n ? asked[i].name : "", m != NULL ? m->name : "");
        }
    }
    return HG_OK;
}

static const hg_field_spec *
feature_of(const void *model, int i)
{
    return hg_forest_feature(hg_stages_forest(model, 0), i);
}

static const hg_field_spec *
target_of(const void *model, int i)
{
    return hg_stages_target(model, i);
}

/* before rows are read: where there is no model, that is said at once */
static hg_status
load_model(const hg_comm *comm, const hg_params *params, hg_stages **model)
{
    char path[HG_PATH_MAX];

    HG_TRY(hg_paths_output(params, params->model.file, sizeof path, path));
    hg_log_info("explain: model '%s'", path);
    return hg_stages_load(comm, path, model);
}

static hg_status
check_model(const hg_validation *v, const hg_stages *model)
{
    HG_TRY(check_columns("feature", v->features.n, v->features.spec,
                         hg_forest_features(hg_stages_forest(model, 0)), feature_of, model));
    return check_columns("target", v->targets.n, v->targets.spec, hg_stages_targets(model),
                         target_of, model);
}

static hg_status
add_provenance(const hg_explanation *found, hg_statistics *statistics)
{
    const hg_validation *v = found->folds->validation;
    char text[128];

    snprintf(text, sizeof text, "halograft %s %s", hg_version(), hg_version_commit());
    HG_TRY(hg_attributes_text(&statistics->provenance, "code", text));
    HG_TRY(hg_attributes_text(&statistics->provenance, "name", v->params->meta.name));
    HG_TRY(hg_attributes_text(&statistics->provenance, "held_out", found->folds->text));
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hg_stages_hash(found->model));
    HG_TRY(hg_attributes_text(&statistics->provenance, "model_content_hash", text));
    HG_TRY(hg_attributes_real(&statistics->provenance, "rows", (double)v->rows.n));
    return hg_text_add(&statistics->parameters, "%s", hg_params_text(v->params));
}

static hg_status
write_files(const hg_explanation *found, const char *path)
{
    hg_statistics statistics = {0};
    char table[HG_PATH_MAX];
    hg_status status;

    HG_TRY_OR(done, status, add_provenance(found, &statistics));
    HG_TRY_OR(done, status, hg_explanation_statistics(found, &statistics));
    HG_TRY_OR(done, status, hg_paths_table(path, "importance", sizeof table, table));
    HG_TRY_OR(done, status, hg_explanation_add_importance(found, table, &statistics.beside));
    if (found->haloes->n > 0) {
        HG_TRY_OR(done, status, hg_paths_table(path, "haloes", sizeof table, table));
        HG_TRY_OR(done, status, hg_explanation_add_haloes(found, table, &statistics.beside));
    }
    status = hg_statistics_write(&statistics, path);
done:
    hg_statistics_clear(&statistics);
    return status;
}

static hg_status
explain(const hg_comm *comm, const hg_folds *folds, const hg_stages *model, const char *path)
{
    hg_importance importance = {0};
    hg_dependences dependences = {0};
    hg_haloes haloes = {0};
    hg_explanation found = {folds, model, &importance, &dependences, &haloes, 0, NULL};
    hg_status status;

    HG_TRY_OR(done, status, hg_dependences_compute(comm, folds, model, &dependences));
    HG_TRY_OR(done, status, hg_haloes_explain(comm, folds->validation, model, &haloes));
    if (haloes.left_out.n > 0) {
        hg_log_warn("explain: %s not taken apart halo by halo: what comes after other targets "
                    "has their predictions among its features",
                    hg_text_string(&haloes.left_out));
    }
    HG_TRY_OR(done, status, hg_importance_measure(comm, folds, &importance));
    if (comm->rank == 0) {
        status = hg_explanation_list(&found);
        status = status == HG_OK ? write_files(&found, path) : status;
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (comm->rank == 0) {
        hg_explanation_print(&found);
    }
    hg_log_info("explain: '%s' and tables beside it", path);
done:
    hg_mem_free(found.line);
    hg_haloes_clear(&haloes);
    hg_dependences_clear(&dependences);
    hg_importance_clear(&importance);
    return status;
}

hg_status
hg_explain_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    char path[HG_PATH_MAX];
    hg_validation validation = {0};
    hg_folds folds = {0};
    hg_stages *model = NULL;
    hg_status status;

    HG_TRY(hg_paths_output(params, params->explain.file, sizeof path, path));
    HG_TRY(hg_paths_make_folder(comm, path));
    if (!overwrite) {
        HG_TRY(hg_output_claim(comm, path, false));
    }
    HG_TRY_OR(done, status, load_model(comm, params, &model));
    HG_TRY_OR(done, status, hg_validation_open(comm, params, &validation));
    HG_TRY_OR(done, status, hg_comm_agree(comm, check_model(&validation, model)));
    HG_TRY_OR(done, status, hg_comm_agree(comm, hg_folds_deal(&validation, &folds)));
    hg_log_info("explain: %s", folds.text);
    status = explain(comm, &folds, model, path);
done:
    hg_stages_free(model);
    hg_folds_clear(&folds);
    hg_validation_close(&validation);
    return status;
}
