/* Training, tree-parallel: every rank sees all rows, of which a node has one copy; a tree is
 * grown by whichever rank of a node, and whichever thread, is free. Streams are keyed by the
 * tree's number and all sums over rows are integers, so neither matters for the bits. What is
 * done per row and not per tree (scaling, residuals) each rank does for its range of the
 * canonical rows.
 */
#include <math.h>
#include <omp.h>

#include "base/memory.h"
#include "forest/binned.h"
#include "forest/calibrate.h"
#include "forest/harvest.h"
#include "forest/limits.h"
#include "forest/model.h"
#include "forest/scaling.h"
#include "forest/threads.h"
#include "halograft/log.h"
#include "par/shared.h"
#include "par/stop.h"

hg_status
hg_train_check(const hg_train_options *o, const hg_train_data *d)
{
    if (o->trees < 1 || o->first_tree < 0 || o->min_leaf < 1 || o->min_split < 2 ||
        o->max_depth < 0 || o->redraw < 0 || o->leaf_mates_max < 1 || o->oob_trees_min < 1) {
        return HG_FAIL(HG_E_ARG,
                       "an option of the training is out of range: trees %d, min_leaf %d, "
                       "min_split %d, max_depth %d, redraw %d, leaf_mates_max %d",
                       o->trees, o->min_leaf, o->min_split, o->max_depth, o->redraw,
                       o->leaf_mates_max);
    }
    if (o->splitter == HG_SPLITTER_BEST && (o->bins < 2 || o->bins > HG_BINS_MAX)) {
        return HG_FAIL(HG_E_ARG, "best splits take 2 to %d bins, not %d", HG_BINS_MAX, o->bins);
    }
    if (o->trees > UINT16_MAX) {
        return HG_FAIL(HG_E_ARG, "%d trees are more than %d", o->trees, UINT16_MAX);
    }
    if (!(o->max_features > 0 && o->max_features <= 1) || !(o->min_gain >= 0) ||
        !(o->constant_step >= 0)) {
        return HG_FAIL(HG_E_ARG,
                       "max_features %g must be in (0, 1], min_gain %g and constant_step %g "
                       "must not be negative",
                       o->max_features, o->min_gain, o->constant_step);
    }
    if (o->bag == HG_BAG_GROUP && d->n > 0 && d->group == NULL) {
        return HG_FAIL(HG_E_ARG, "bags by group need a group of each row");
    }
    if (o->is_cut && o->scope != HG_TRAIN_MEANS) {
        return HG_FAIL(HG_E_ARG, "only forests of means alone can be cut");
    }
    return hg_rows_check(d);
}

/* what the nodes of a tree would be as leaves */
static hg_status
keep_inner(const hg_plan *plan, const hg_space *space, const hg_forest *f, int t)
{
    const size_t n = space->n_node, n_value = n * (size_t)plan->rule.n_target;
    hg_inner *inner;

    if (f->inner == NULL) {
        return HG_OK;
    }
    inner = &f->inner[t];
    HG_TRY(hg_mem_array(&inner->rows, n, sizeof *inner->rows));
    HG_TRY(hg_mem_array(&inner->mean, n_value, sizeof *inner->mean));
    memcpy(inner->rows, space->node_rows, n * sizeof *inner->rows);
    memcpy(inner->mean, space->node_mean, n_value * sizeof *inner->mean);
    return HG_OK;
}

/* grow tree t, or rebuild it from its nodes */
static hg_status
make_tree(hg_harvest *harvest, hg_space *space, int t)
{
    const hg_plan *plan = harvest->plan;
    const uint64_t number = (uint64_t)plan->options.first_tree + (uint64_t)t;
    hg_tree *tree = &harvest->checkpoint->tree[t], stored = *tree;
    hg_status status;

    *tree = (hg_tree){0};
    if (stored.node != NULL) {
        status = hg_tree_restore(plan, space, number, &stored);
    } else if (plan->binned != NULL) {
        status = hg_tree_grow_best(plan, space, number);
    } else {
        status = hg_tree_grow(plan, space, number);
    }
    hg_tree_clear(&stored);
    HG_TRY(status);
    HG_TRY(hg_tree_finish(plan, space, number));
    HG_TRY(keep_inner(plan, space, harvest->checkpoint->forest, t));
    return hg_harvest_put(harvest, space, t);
}

/* grow tree t, unless the training is to stop; a failure lets nobody begin another */
static hg_status
grow_next(hg_harvest *harvest, hg_space *space, int t, hg_progress *progress)
{
    hg_status status =
        harvest->checkpoint->parts != NULL && hg_stop_wanted_here(0)
            ? HG_FAIL(
                  HG_STOPPED,
                  "stopped as requested, finished trees are in part files; --resume goes on")
            : make_tree(harvest, space, t);

    if (status != HG_OK) {
        hg_harvest_halt(harvest);
    }
    if (omp_get_thread_num() == 0) {
        hg_progress_to(progress, hg_harvest_done(harvest));
    }
    return status;
}

/* grow trees until there are none left; *at becomes the last one this thread has begun. Where
 * there are several ranks they join when every thread has grown one. */
static hg_status
grow_thread(const hg_comm *comm, hg_harvest *harvest, hg_space *space, hg_progress *progress,
            int *at)
{
    const int n_tree = harvest->n_tree;
    hg_status status = hg_space_init(space, harvest->plan), opened = HG_OK;
    int t = status == HG_OK ? hg_harvest_claim(harvest, 0) : n_tree;

    if (status != HG_OK) {
        hg_harvest_halt(harvest);
    }
    if (t < n_tree) {
        *at = t;
        status = grow_next(harvest, space, t, progress);
    }
    if (comm->size > 1) {
#pragma omp barrier
#pragma omp master
        {
            opened = hg_harvest_open(comm, harvest);
            progress->total = hg_harvest_wanted(harvest);
            if (opened != HG_OK) {
                hg_harvest_halt(harvest);
            }
        }
#pragma omp barrier
    }
    status = status != HG_OK ? status : opened;
    t = 0;
    while (status == HG_OK && (t = hg_harvest_claim(harvest, t)) < n_tree) {
        *at = t;
        status = grow_next(harvest, space, t, progress);
    }
    return status;
}

/* grow this rank's trees; out-of-bag sums of its trees are added to oob_sum and oob_trees */
static hg_status
grow_trees(const hg_comm *comm, hg_harvest *harvest, int64_t oob_sum[], int64_t oob_trees[])
{
    const hg_plan *plan = harvest->plan;
    const int n_wanted = hg_harvest_wanted(harvest);
    const int n_thread = /* NOLINT: the analyser does not look into pragmas */
        hg_threads(plan->options.threads);
    const size_t n_value = (size_t)plan->n * (size_t)plan->rule.n_target;
    hg_progress progress = hg_progress_start("train", "trees", n_wanted);
    hg_error_record record = {.status = HG_OK};
    int worst = harvest->n_tree;

#pragma omp parallel num_threads(n_thread < n_wanted ? n_thread : (n_wanted > 0 ? n_wanted : 1))
    {
        hg_space space = {0};
        int at = -1;
        hg_status status = grow_thread(comm, harvest, &space, &progress, &at);

#pragma omp critical(hg_forest_merge)
        {
            if (status != HG_OK && at < worst) {
                worst = at; /* NOLINT: read by the next thread */
                record = *hg_error_last();
            }
            for (size_t i = 0; i < n_value && status == HG_OK; i++) {
                oob_sum[i] += space.oob_sum[i];
            }
            for (int64_t i = 0; i < plan->n && status == HG_OK; i++) {
                oob_trees[i] += space.oob_trees[i];
            }
        }
        hg_space_clear(&space);
    }
    hg_progress_end(&progress);
    if (record.status != HG_OK) {
        hg_error_set(&record);
    }
    return record.status;
}

/* residuals of this rank's rows, gathered on all */
static hg_status
set_residuals(const hg_comm *comm, const hg_train_options *o, const hg_rows *rows,
              const int64_t oob_sum[], const int64_t oob_trees[], hg_forest *f)
{
    const size_t n_target = (size_t)f->n_target;
    hg_status status = HG_OK;
    float *residual = NULL;

    HG_TRY_OR(end, status,
              hg_comm_agree(
                  comm, hg_mem_array(&residual, (size_t)rows->n * n_target, sizeof *residual)));
    hg_scaling_residuals(o, rows, oob_sum + rows->first * f->n_target, oob_trees + rows->first,
                         f, residual);
    for (int64_t i = 0; i < f->n_row; i++) {
        f->oob_trees[i] = (uint16_t)oob_trees[i];
    }
    status =
        hg_comm_gather_into(comm, rows->n, n_target * sizeof *residual, residual, f->residual);
end:
    hg_mem_free(residual);
    return status;
}

/* what the forest keeps of the rows, and the records of all ranks, once per node */
static hg_status
share_rows(const hg_comm *comm, hg_rows *rows, const hg_shared *record, hg_forest *f,
           hg_plan *plan)
{
    const size_t n_target = (size_t)f->n_target, size = plan->rule.stride * sizeof(hg_word);
    float *value = NULL;
    hg_status status;

    HG_TRY(hg_comm_gather_into(comm, rows->n, sizeof *rows->key, rows->key, f->key));
    HG_TRY(hg_comm_gather_into(comm, rows->n, sizeof *rows->group, rows->group, f->group));
    HG_TRY(hg_comm_gather_into(comm, rows->n, sizeof *rows->parent, rows->parent, f->parent));
    HG_TRY(hg_comm_gather_into(comm, rows->n, sizeof *rows->integer, rows->integer, f->weight));
    HG_TRY_OR(
        end, status,
        hg_comm_agree(comm, hg_mem_array(&value, (size_t)rows->n * n_target, sizeof *value)));
    for (size_t i = 0; i < (size_t)rows->n * n_target; i++) {
        value[i] = (float)rows->y[i];
    }
    HG_TRY_OR(end, status,
              hg_comm_gather_into(comm, rows->n, n_target * sizeof *value, value, f->value));
    plan->is_whole = plan->options.bag == HG_BAG_NONE && !plan->rule.is_weighted &&
                     plan->options.splitter == HG_SPLITTER_RANDOM;
    for (int64_t i = 0; i < rows->n && plan->is_whole; i++) {
        int64_t total[HG_SUMS_MAX] = {0};

        hg_bag_scale(plan, rows->first + i, 1, rows->record + (size_t)i * plan->rule.stride,
                     total);
    }
    HG_TRY_OR(end, status, hg_shared_gather(comm, (size_t)rows->n * size, record));
    if (record->is_shared) {
        hg_log_info("train: %d ranks of a node share one copy of the rows", record->node.size);
    }
    plan->n = rows->n_all;
    plan->row = record->data;
    plan->group = f->group;
    plan->weight = f->is_weighted ? f->weight : NULL;
end:
    hg_mem_free(value);
    return status;
}

hg_status
hg_train_start(const hg_train_options *o, const hg_train_data *d, int64_t n, hg_forest **f)
{
    HG_TRY(hg_model_create(d->n_feature, d->n_target, o->trees, n, f));
    (*f)->options = *o;
    (*f)->options.threads = 0;
    if (o->is_cut) {
        HG_TRY(hg_mem_zeros(&(*f)->inner, (size_t)o->trees, sizeof *(*f)->inner));
    }
    memcpy((*f)->feature, d->feature, (size_t)d->n_feature * sizeof *d->feature);
    memcpy((*f)->target, d->target, (size_t)d->n_target * sizeof *d->target);
    return HG_OK;
}

/* A request to stop reaches the ranks at different trees: those that are finished are kept. */
static hg_status
keep_trees(const hg_comm *comm, hg_harvest *harvest)
{
    const hg_error_record stopped = *hg_error_last();

    (void)hg_stop_wanted(comm, 0);
    HG_TRY(hg_comm_agree(comm, hg_harvest_settle(harvest)));
    HG_TRY(hg_comm_agree(comm, hg_checkpoint_flush(harvest->checkpoint)));
    hg_error_set(&stopped);
    return HG_STOPPED;
}

static hg_status
train_rows(const hg_comm *comm, const hg_train_options *o, const hg_train_parts *parts,
           hg_rows *rows, const hg_shared *record, hg_plan *plan, hg_forest *f)
{
    const size_t n = (size_t)rows->n_all, n_value = n * (size_t)f->n_target;
    hg_status status = HG_OK;
    hg_tree *tree = NULL;
    int64_t *oob = NULL;
    hg_checkpoint checkpoint = {0};
    hg_harvest harvest = {0};
    hg_binned *binned = NULL;

    HG_TRY_OR(end, status, share_rows(comm, rows, record, f, plan));
    status = hg_mem_zeros(&tree, (size_t)o->trees, sizeof *tree);
    status = status != HG_OK ? status : hg_mem_zeros(&oob, n_value + n, sizeof *oob);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    if (o->splitter == HG_SPLITTER_BEST) {
        HG_TRY_OR(end, status, hg_binned_create(comm, plan, &binned));
        plan->binned = binned;
    }
    HG_TRY_OR(end, status, hg_checkpoint_begin(comm, parts, f, tree, &checkpoint));
    status = hg_harvest_begin(comm->rank, comm->size, plan, &checkpoint,
                              parts != NULL && parts->n_tree > 0, &harvest);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    status = hg_comm_agree(comm, grow_trees(comm, &harvest, oob, oob + n_value));
    if (status == HG_STOPPED) {
        status = keep_trees(comm, &harvest);
    }
    HG_TRY_OR(end, status, status);
    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_harvest_settle(&harvest)));
    if (parts != NULL && parts->n_tree > 0) {
        status = hg_comm_agree(comm, hg_checkpoint_flush(&checkpoint));
        goto end;
    }
    if (parts != NULL && parts->is_followed) {
        HG_TRY_OR(end, status, hg_comm_agree(comm, hg_checkpoint_flush_due(&checkpoint)));
    }
    HG_TRY_OR(end, status, hg_harvest_share(comm, &harvest, f));
    if (o->bag != HG_BAG_NONE) { /* else all counts are 0 */
        hg_comm_sum(comm, n_value + n, oob);
    }
    HG_TRY_OR(end, status, set_residuals(comm, o, rows, oob, oob + n_value, f));
    hg_model_mark_full(f);
    HG_TRY_OR(end, status,
              hg_calibrate_residuals(comm, o->threads, &plan->row->f, plan->rule.stride, f));
    HG_TRY_OR(end, status,
              hg_limits_choose(comm, o->threads, &plan->row->f, plan->rule.stride, f));
    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_model_complete(f)));
end:
    hg_harvest_clear(comm, &harvest);
    hg_checkpoint_end(&checkpoint);
    for (int t = 0; t < o->trees && tree != NULL; t++) {
        hg_tree_clear(&tree[t]);
    }
    hg_binned_free(comm, binned);
    hg_mem_free(tree);
    hg_mem_free(oob);
    return status;
}

hg_status
hg_forest_train(const hg_comm *comm, const hg_train_options *options, const hg_train_data *data,
                hg_forest **forest)
{
    return hg_forest_train_parts(comm, options, data, NULL, forest);
}

hg_status
hg_forest_train_parts(const hg_comm *comm, const hg_train_options *options,
                      const hg_train_data *data, const hg_train_parts *parts,
                      hg_forest **forest)
{
    hg_status status = HG_OK;
    hg_forest *f = NULL;
    hg_rows rows = {0};
    hg_shared record = {0};
    hg_plan plan = {0};

    *forest = NULL;
    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_train_check(options, data)));
    HG_TRY_OR(end, status, hg_rows_sort(comm, options->threads, data, &rows));
    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_train_start(options, data, rows.n_all, &f)));
    HG_TRY_OR(end, status, hg_scaling_make(comm, options, data, &rows, &record, f, &plan));
    HG_TRY_OR(end, status, train_rows(comm, options, parts, &rows, &record, &plan, f));
    if (parts == NULL || parts->n_tree == 0) {
        *forest = f;
        f = NULL;
    }
end:
    hg_forest_free(f);
    hg_rows_clear(&rows);
    hg_shared_clear(comm, &record);
    return status;
}
