/* Ranks are split into as many groups as give the shortest time when every trial costs the same
 * and trees share out evenly; a group takes every n-th trial. Groups do not wait for each
 * other, so nothing is collective over all ranks before the last trial. */
#include "validate/held_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/library_classes.h"
#include "halograft/log.h"
#include "par/stop.h"
#include "table/split.h"

/* Number of groups for which ceil(trials / groups) / ranks per group is least. */
static int
choose_groups(int n_rank, int n_trial)
{
    double least = 0;
    int best = 1;

    for (int g = 1; g <= n_rank && g <= n_trial; g++) {
        const int turns = (n_trial + g - 1) / g, ranks = n_rank / g;
        const double time = (double)turns / ranks;

        if (g == 1 || time <= least) {
            least = time;
            best = g;
        }
    }
    return best;
}

/* Rows of a trial, packed for training. */
struct packed {
    int64_t n;
    float *x;
    double *y, *weight;
    uint64_t *key, *group;
};

bool
hg_held_out_trains(const hg_folds *f, const hg_trial *t, int64_t row)
{
    return hg_folds_train(f, row, t->fold) &&
           (t->share >= 1 || hg_split_takes(f->unit[row], f->split.seed + 2, t->share));
}

static hg_status
pack_rows(const hg_folds *f, const hg_trial *t, struct packed *p)
{
    const hg_training_rows *r = &f->validation->rows;
    const int nf = f->validation->features.n, nt = f->validation->targets.n;
    size_t n = 0;

    for (int64_t i = 0; i < r->n; i++) {
        n += hg_held_out_trains(f, t, i);
    }
    HG_TRY(hg_mem_array(&p->x, n * (size_t)nf, sizeof *p->x));
    HG_TRY(hg_mem_array(&p->y, n * (size_t)nt, sizeof *p->y));
    HG_TRY(hg_mem_array(&p->weight, n, sizeof *p->weight));
    HG_TRY(hg_mem_array(&p->key, n, sizeof *p->key));
    HG_TRY(hg_mem_array(&p->group, n, sizeof *p->group));
    for (int64_t i = 0; i < r->n; i++) {
        if (hg_held_out_trains(f, t, i)) {
            memcpy(p->x + p->n * nf, r->x + i * nf, (size_t)nf * sizeof *p->x);
            memcpy(p->y + p->n * nt, r->y + i * nt, (size_t)nt * sizeof *p->y);
            p->weight[p->n] = r->weight[i];
            p->key[p->n] = r->key[i];
            p->group[p->n++] = r->group[i];
        }
    }
    return HG_OK;
}

static void
free_packed(struct packed *p)
{
    hg_mem_free(p->x);
    hg_mem_free(p->y);
    hg_mem_free(p->weight);
    hg_mem_free(p->key);
    hg_mem_free(p->group);
    *p = (struct packed){0};
}

static hg_status
train(const hg_comm *group, const hg_folds *f, const hg_trial *t, hg_stages **model)
{
    const hg_validation *v = f->validation;
    double target_weight[HG_TARGETS_MAX] = {0};
    struct packed p = {0};
    hg_status status = group->rank == 0 ? pack_rows(f, t, &p) : HG_OK;
    hg_train_data data = {.n = p.n,
                          .n_feature = v->features.n,
                          .n_target = v->targets.n,
                          .x = p.x,
                          .y = p.y,
                          .weight = v->params->model.weighted ? p.weight : NULL,
                          .key = p.key,
                          .group = v->rows.has_group ? p.group : NULL,
                          .feature = v->features.spec,
                          .target = v->targets.spec,
                          .target_weight = target_weight};

    for (int i = 0; i < v->targets.n; i++) {
        target_weight[i] = v->targets.recipe[i].weight;
    }
    status = hg_comm_agree(group, status);
    if (status == HG_OK) {
        status = hg_stages_train(group, &t->options, &data, v->role, NULL, model);
    }
    if (status == HG_OK) {
        status =
            hg_library_classes_add(group, v->params, &v->features, p.n, p.key, p.x, *model);
    }
    free_packed(&p);
    return status;
}

static hg_status
list_rows(const hg_folds *f, int fold, int64_t **row)
{
    int64_t n = 0;

    HG_TRY(hg_mem_array(row, (size_t)f->count[fold], sizeof **row));
    for (int64_t i = 0; i < f->validation->rows.n; i++) {
        if (f->of[i] == fold) {
            (*row)[n++] = i;
        }
    }
    return HG_OK;
}

static hg_status
run_trial(const hg_comm *group, const hg_folds *f, const hg_trial *t, int number,
          hg_trial_visit *visit, void *context)
{
    const hg_log_level level = hg_log_change(HG_LOG_WARN); /* a line per forest is too much */
    hg_stages *model = NULL;
    int64_t *row = NULL;
    hg_status status;

    hg_log_change(level > HG_LOG_INFO || level < HG_LOG_WARN ? level : HG_LOG_WARN);
    HG_TRY_OR(done, status, hg_comm_agree(group, list_rows(f, t->fold, &row)));
    HG_TRY_OR(done, status, train(group, f, t, &model));
    status = visit(context, group, number, model, f->count[t->fold], row);
done:
    if (status != HG_OK && status != HG_STOPPED) {
        hg_error_prefix("fold %d: ", t->fold);
    }
    hg_log_change(level);
    hg_stages_free(model);
    hg_mem_free(row);
    return status;
}

hg_status
hg_held_out_run(const hg_comm *comm, const hg_folds *folds, int n, const hg_trial trial[],
                const uint8_t done[], hg_trial_visit *visit, void *context)
{
    hg_progress progress;
    hg_comm group = {0};
    int *todo = NULL, n_todo = 0, n_group, mine;
    hg_status status = hg_comm_agree(comm, hg_mem_array(&todo, (size_t)n, sizeof *todo));

    for (int i = 0; i < n && status == HG_OK; i++) {
        if (done == NULL || !done[i]) {
            todo[n_todo++] = i;
        }
    }
    if (status != HG_OK || n_todo == 0) {
        hg_mem_free(todo);
        return status;
    }
    n_group = choose_groups(comm->size, n_todo);
    mine = (int)((int64_t)comm->rank * n_group / comm->size);
    HG_TRY_OR(done, status, hg_comm_split(comm, mine, &group));
    progress =
        hg_progress_start("validate", "forests", (n_todo - mine + n_group - 1) / n_group);
    for (int i = mine; i < n_todo && status == HG_OK; i += n_group) {
        status = hg_stop_wanted(&group, 0)
                     ? HG_FAIL(HG_STOPPED, "stopped on request with %d of %d forests tested", i,
                               n_todo)
                     : run_trial(&group, folds, &trial[todo[i]], todo[i], visit, context);
        hg_progress_to(&progress, i / n_group + 1);
    }
    if (status == HG_OK) {
        hg_progress_end(&progress);
    }
    hg_comm_clear(&group);
done:
    hg_mem_free(todo);
    return hg_comm_agree(comm, status);
}

hg_status
hg_held_out_predict(const hg_validation *v, const hg_stages *model,
                    const hg_predict_options *options, int64_t n, const int64_t row[],
                    float x[], uint64_t key[], const hg_prediction *result)
{
    const int nf = v->features.n;

    for (int64_t i = 0; i < n; i++) {
        memcpy(x + i * nf, v->rows.x + row[i] * nf, (size_t)nf * sizeof *x);
        key[i] = v->rows.key[row[i]];
    }
    return hg_stages_predict(model, options, n, key, x, result);
}

void
hg_held_out_slice(int64_t n, const hg_comm *group, int64_t *first, int64_t *end)
{
    *first = n * group->rank / group->size;
    *end = n * (group->rank + 1) / group->size;
}

hg_status
hg_held_out_join(const hg_comm *comm, size_t n, double x[])
{
    int64_t *bits = NULL;

    HG_TRY(hg_comm_agree(comm, hg_mem_array(&bits, n, sizeof *bits)));
    memcpy(bits, x, n * sizeof *bits);
    hg_comm_sum(comm, n, bits);
    memcpy(x, bits, n * sizeof *bits);
    hg_mem_free(bits);
    return HG_OK;
}
