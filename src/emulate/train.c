/* The pipeline: recipes, rows, forest, metrics, file. What the columns mean travels with the
 * model as recipe texts; where the rows came from as YAML lines. */
#include "emulate/train.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "emulate/library_classes.h"
#include "emulate/scheme.h"
#include "emulate/train_report.h"
#include "emulate/training_rows.h"
#include "emulate/twins.h"
#include "halograft/log.h"
#include "halograft/stages.h"
#include "halograft/version.h"
#include "store/publish.h"
#include "suite/frame_text.h"
#include "suite/paths.h"

hg_train_options
hg_train_tree_options(const hg_params *params, bool has_group)
{
    const hg_params_model *m = &params->model;
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.trees = (int)m->trees;
    o.splitter = strcmp(m->splitter, "best") == 0 ? HG_SPLITTER_BEST : HG_SPLITTER_RANDOM;
    o.bins = (int)m->bins;
    o.min_leaf = (int)m->min_leaf;
    o.min_split = (int)m->min_split;
    o.max_depth = (int)m->max_depth;
    o.max_features = m->max_features;
    o.seed = (uint64_t)params->meta.seed;
    o.threads = (int)params->run.threads;
    o.bag = has_group ? HG_BAG_GROUP : HG_BAG_ROW;
    if (strcmp(m->bag, "none") == 0) {
        o.bag = HG_BAG_NONE;
    } else if (strcmp(m->bag, "row") == 0) {
        o.bag = HG_BAG_ROW;
    } else if (strcmp(m->bag, "group") == 0) {
        o.bag = HG_BAG_GROUP;
    }
    if (strcmp(m->preset, "scikit-learn") == 0) {
        o.constant_step = 1e-7;
    }
    return o;
}

static hg_status
set_meta(const hg_params *params, const hg_training_rows *rows, hg_forest *forest)
{
    hg_text frame = {0};
    char code[128];
    hg_status status = hg_frame_write(&rows->frame, &frame);

    if (status == HG_OK) {
        status = hg_forest_set_meta(forest, "frame", hg_text_string(&frame));
    }
    hg_text_clear(&frame);
    HG_TRY(status);
    if (rows->has_epochs) {
        snprintf(code, sizeof code, "%.17g %.17g", rows->redshift[0], rows->redshift[1]);
        HG_TRY(hg_forest_set_meta(forest, "redshifts", code));
    }
    HG_TRY(hg_forest_set_meta(forest, "parameters", hg_params_text(params)));
    HG_TRY(hg_forest_set_meta(forest, "inputs", hg_text_string(&rows->inputs)));
    if (hg_text_string(&rows->transport)[0] != '\0') {
        HG_TRY(hg_forest_set_meta(forest, "transport", hg_text_string(&rows->transport)));
    }
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        const char *recipe = hg_text_string(&rows->recipe[k]);

        if (recipe[0] != '\0') {
            HG_TRY(hg_forest_set_meta(forest, hg_derived_name((hg_derived_kind)k), recipe));
        }
    }
    HG_TRY(hg_forest_set_meta(forest, "name", params->meta.name));
    snprintf(code, sizeof code, "halograft %s %s", hg_version(), hg_version_commit());
    return hg_forest_set_meta(forest, "code", code);
}

/* give back an array of rows that the training has taken over */
static void
release_rows(void *owner, const void *array)
{
    hg_training_rows *r = owner;

    if (array == r->x) {
        hg_mem_free(r->x);
        r->x = NULL;
    } else if (array == r->y) {
        hg_mem_free(r->y);
        r->y = NULL;
    }
}

/* one forest whose rows stay where they are */
static hg_status
grow_by_rows(const hg_comm *comm, const hg_params *params, const hg_train_options *options,
             const hg_train_data *data, const hg_train_parts *parts, hg_stages **model)
{
    const hg_train_distribution d = {.path = parts->path, .cut = params->model.cut};
    hg_forest *forest = NULL;
    hg_status status;

    HG_TRY(hg_forest_train_distributed(comm, options, data, parts, &d, &forest));
    if (forest == NULL) {
        return HG_OK;
    }
    status = hg_comm_agree(comm, hg_stages_wrap(forest, model));
    if (status != HG_OK && *model == NULL) {
        hg_forest_free(forest);
    }
    return status;
}

static hg_status
grow(const hg_comm *comm, const hg_params *params, const hg_train_parts *parts,
     const hg_recipes *features, const hg_recipes *targets, const hg_target_role role[],
     hg_training_rows *rows, hg_stages **model)
{
    double target_weight[HG_TARGETS_MAX] = {0};
    hg_stage_shape shape[HG_STAGES_MAX];
    bool by_rows = false;
    int n_stage = 0;
    const hg_train_options options = hg_train_tree_options(params, rows->has_group);
    hg_train_data data = {.n = rows->n,
                          .n_feature = features->n,
                          .n_target = targets->n,
                          .x = rows->x,
                          .y = rows->y,
                          .weight = params->model.weighted ? rows->weight : NULL,
                          .key = rows->key,
                          .group = rows->has_group ? rows->group : NULL,
                          .parent_key = rows->parent_key,
                          .feature = features->spec,
                          .target = targets->spec,
                          .target_weight = target_weight};

    if (options.bag == HG_BAG_GROUP && !rows->has_group) {
        return HG_FAIL(
            HG_E_PARAM,
            "Model.bag is 'group' but rows have no group: set Selection.group, or give "
            "the zooms a region table or a column 'region'");
    }
    for (int t = 0; t < targets->n && t < HG_TARGETS_MAX; t++) {
        target_weight[t] = targets->recipe[t].weight;
    }
    HG_TRY(
        hg_comm_agree(comm, hg_stages_shapes(features->n, targets->n, role, &n_stage, shape)));
    HG_TRY(hg_scheme_agree(comm, params, rows->n, n_stage, shape,
                           rows->has_twins || params->scatter.library_by[0] != '\0', &by_rows));
    if (by_rows) {
        data.release = release_rows;
        data.owner = rows;
        return grow_by_rows(comm, params, &options, &data, parts, model);
    }
    return hg_stages_train(comm, &options, &data, role, parts, model);
}

static hg_status
count_rows(const hg_comm *comm, const hg_params *params, const hg_training_rows *rows)
{
    int64_t counts[6] = {rows->n,
                         rows->n_read,
                         rows->n_beyond,
                         rows->n_contaminated,
                         rows->n_lost[HG_DERIVED_ENVIRONMENT],
                         rows->n_lost[HG_DERIVED_HISTORY]};

    hg_comm_sum(comm, 6, counts);
    if (counts[4] > 0) {
        hg_log_info("train: %" PRId64 " rows at the edge of their zoom have no environment and "
                    "are left out",
                    counts[4]);
    }
    if (counts[5] > 0) {
        hg_log_info("train: %" PRId64 " rows are not found in the history and are left out",
                    counts[5]);
    }
    hg_log_info("train: %" PRId64 " of %" PRId64 " rows are used, bag by %s", counts[0],
                counts[1],
                rows->has_group && strcmp(params->model.bag, "auto") == 0 ? "group"
                                                                          : params->model.bag);
    hg_log_info("train: left out: %" PRId64 " beyond the radius of their region, %" PRId64
                " with more than %g of their mass in low-resolution particles, %" PRId64
                " by Selection or for want of a pair",
                counts[2], counts[3], params->zooms.contamination_max,
                counts[1] - counts[0] - counts[2] - counts[3]);
    if (rows->has_epochs && rows->redshift[0] < rows->redshift[1]) {
        hg_log_info("train: redshifts from %.4f to %.4f, the redshift is a feature",
                    rows->redshift[0], rows->redshift[1]);
    }
    if (counts[0] == 0) {
        return HG_FAIL(
            HG_E_INPUT,
            "no training rows are left of %" PRId64
            ": check Selection.train, the regions' radii and Zooms.contamination_max",
            counts[1]);
    }
    return HG_OK;
}

hg_status
hg_train_recipes(const hg_params *params, hg_recipes *features, hg_recipes *targets,
                 hg_target_role role[])
{
    HG_TRY(hg_recipes_parse(&params->features, "Features", features));
    HG_TRY(hg_recipes_parse(&params->targets, "Targets", targets));
    if (features->n > HG_FEATURES_MAX || targets->n > HG_TARGETS_MAX) {
        return HG_FAIL(HG_E_PARAM,
                       "%d features and %d targets are more than the limits %d and %d",
                       features->n, targets->n, HG_FEATURES_MAX, HG_TARGETS_MAX);
    }
    HG_TRY(hg_recipes_roles(targets, role));
    return hg_target_roles_check(targets->n, targets->spec, role);
}

/* Recipes, rows and forest of a run; rows are released, the caller releases the rest. */
static hg_status
train_model(const hg_comm *comm, const hg_params *params, const hg_train_parts *parts,
            hg_recipes *features, hg_recipes *targets, hg_stages **model)
{
    hg_target_role role[HG_TARGETS_MAX];
    hg_training_rows rows = {0};
    hg_status status;

    HG_TRY(hg_comm_agree(comm, hg_train_recipes(params, features, targets, role)));
    HG_TRY(hg_library_classes_check(params, features));
    hg_phase_start("train: read");
    status = hg_training_rows_read(comm, params, features, targets, &rows);
    hg_phase_stop("train: read");
    HG_TRY(status);
    HG_TRY_OR(done, status, count_rows(comm, params, &rows));
    hg_phase_start("train: grow");
    status = grow(comm, params, parts, features, targets, role, &rows, model);
    hg_phase_stop("train: grow");
    if (status == HG_OK && *model != NULL) {
        status =
            hg_library_classes_add(comm, params, features, rows.n, rows.key, rows.x, *model);
    }
    if (status == HG_OK && *model != NULL && rows.has_twins) {
        status = hg_twins_add(comm, params, features, targets, *model);
    }
    if (status == HG_OK && *model != NULL) {
        status = hg_comm_agree(comm, set_meta(params, &rows, hg_stages_forest(*model, 0)));
    }
done:
    hg_training_rows_clear(&rows);
    return status;
}

/* publish the model; its trees stand in it now, so the part files go */
static hg_status
write_model(const hg_comm *comm, const hg_stages *model, const char *path, bool overwrite)
{
    hg_status status;
    int64_t trees = 0, leaves = 0;

    hg_phase_start("train: write");
    status = hg_stages_save(comm, model, path, overwrite);
    hg_phase_stop("train: write");
    HG_TRY(status);
    for (int s = 0; s < hg_stages_count(model); s++) {
        trees += hg_forest_trees(hg_stages_forest(model, s));
        leaves += hg_forest_leaves(hg_stages_forest(model, s));
    }
    hg_log_info("train: model '%s', %" PRId64 " trees, %" PRId64
                " leaves, content hash %016" PRIx64,
                path, trees, leaves, hg_stages_hash(model));
    if (hg_forest_remove_parts(comm, path) != HG_OK && comm->rank == 0) {
        hg_log_warn("train: part files beside '%s' could not be removed and may be deleted",
                    path);
    }
    return HG_OK; /* the model is whole: what is left over does not make the training fail */
}

hg_status
hg_emulate_train_more(const hg_comm *comm, const hg_params *params, hg_train_mode mode,
                      bool overwrite)
{
    const hg_params_model *m = &params->model;
    char path[HG_PATH_MAX];
    hg_train_parts parts = {.path = path,
                            .interval = m->checkpoint,
                            .first_tree = (int)m->first_tree,
                            .n_tree = mode == HG_TRAIN_MERGE ? 0 : (int)m->task_trees,
                            .resume = mode == HG_TRAIN_RESUME,
                            .merge = mode == HG_TRAIN_MERGE,
                            .overwrite = overwrite};
    hg_recipes features = {0}, targets = {0};
    hg_stages *model = NULL;
    hg_status status;

    HG_TRY(hg_paths_output(params, m->file, sizeof path, path));
    HG_TRY(hg_paths_make_folder(comm, path));
    if (!overwrite && mode == HG_TRAIN_ANEW && parts.n_tree == 0) {
        HG_TRY(hg_output_claim(comm, path, false));
    }
    HG_TRY_OR(done, status, train_model(comm, params, &parts, &features, &targets, &model));
    if (model != NULL) {
        HG_TRY_OR(done, status, hg_comm_agree(comm, hg_train_report(model)));
        status = write_model(comm, model, path, overwrite || mode != HG_TRAIN_ANEW);
    } else {
        hg_log_info("train: trees %d to %d stand in part files beside '%s'; 'train --merge' "
                    "joins them when all %d are there",
                    parts.first_tree, parts.first_tree + parts.n_tree - 1, path, (int)m->trees);
    }
done:
    hg_stages_free(model);
    hg_recipes_clear(&features);
    hg_recipes_clear(&targets);
    return status;
}

hg_status
hg_emulate_train(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return hg_emulate_train_more(comm, params, HG_TRAIN_ANEW, overwrite);
}
