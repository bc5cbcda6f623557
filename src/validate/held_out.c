/* Ranks are split into as many groups as give the shortest time when every family of trials
 * costs the same and trees share out evenly; a group takes every n-th family. A rank on its own
 * trains the largest forest of a family and cuts the others out of it. Groups do not wait for
 * each other, so nothing is collective over all ranks before the last trial. */
#include "validate/held_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/library_classes.h"
#include "halograft/log.h"
#include "par/stop.h"
#include "table/split.h"
#include "validate/families.h"

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
    return (t->fold == HG_FOLD_NONE || hg_folds_train(f, row, t->fold)) &&
           (t->lost == NULL || !t->lost[row]) &&
           (t->share >= 1 || hg_split_takes(f->unit[row], f->split.seed + 2, t->share));
}

int
hg_trial_features(const hg_validation *v, const hg_trial *t, const float x[], float kept[])
{
    int n = 0;

    for (int f = 0; f < v->features.n; f++) {
        if (t->drop == NULL || !t->drop[f]) {
            kept[n++] = x[f];
        }
    }
    return n;
}

/* Their specifications. */
static int
list_features(const hg_validation *v, const hg_trial *t, hg_field_spec spec[])
{
    int n = 0;

    for (int f = 0; f < v->features.n; f++) {
        if (t->drop == NULL || !t->drop[f]) {
            spec[n++] = v->features.spec[f];
        }
    }
    return n;
}

static hg_status
pack_rows(const hg_folds *f, const hg_trial *t, struct packed *p)
{
    const hg_training_rows *r = &f->validation->rows;
    const int nf = f->validation->features.n, nt = f->validation->targets.n;
    const float *from = t->x != NULL ? t->x : r->x;
    size_t n = 0;
    float *x;

    for (int64_t i = 0; i < r->n; i++) {
        n += hg_held_out_trains(f, t, i);
    }
    HG_TRY(hg_mem_array(&p->x, n * (size_t)nf, sizeof *p->x));
    HG_TRY(hg_mem_array(&p->y, n * (size_t)nt, sizeof *p->y));
    HG_TRY(hg_mem_array(&p->weight, n, sizeof *p->weight));
    HG_TRY(hg_mem_array(&p->key, n, sizeof *p->key));
    HG_TRY(hg_mem_array(&p->group, n, sizeof *p->group));
    x = p->x;
    for (int64_t i = 0; i < r->n; i++) {
        if (hg_held_out_trains(f, t, i)) {
            x += hg_trial_features(f->validation, t, from + i * nf, x);
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

hg_status
hg_held_out_train(const hg_comm *comm, const hg_folds *f, const hg_trial *t, hg_stages **model)
{
    const hg_validation *v = f->validation;
    double target_weight[HG_TARGETS_MAX] = {0};
    struct packed p = {0};
    hg_field_spec feature[HG_FEATURES_MAX];
    hg_status status = comm->rank == 0 ? pack_rows(f, t, &p) : HG_OK;
    hg_train_data data = {.n = p.n,
                          .n_feature = list_features(v, t, feature),
                          .n_target = v->targets.n,
                          .x = p.x,
                          .y = p.y,
                          .weight = v->params->model.weighted ? p.weight : NULL,
                          .key = p.key,
                          .group = v->rows.has_group ? p.group : NULL,
                          .feature = feature,
                          .target = v->targets.spec,
                          .target_weight = target_weight};

    for (int i = 0; i < v->targets.n; i++) {
        target_weight[i] = v->targets.recipe[i].weight;
    }
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        status = hg_stages_train(comm, &t->options, &data, v->role, NULL, model);
    }
    if (status == HG_OK && t->options.scope == HG_TRAIN_DRAWS) {
        status = hg_library_classes_add(comm, v->params, &v->features, p.n, p.key, p.x, *model);
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

/* What the groups work on. */
struct work {
    const hg_folds *folds;
    const hg_trial *trial;
    hg_trial_visit *visit;
    void *context;
    int n_done; /* trials of this group */
};

static hg_status
test(const hg_comm *group, struct work *w, int number, const hg_stages *model,
     const int64_t row[])
{
    const int64_t n = w->folds->count[w->trial[number].fold];

    w->n_done++;
    return w->visit(w->context, group, number, model, n, row);
}

/* each trial with a forest of its own */
static hg_status
train_members(const hg_comm *group, struct work *w, const hg_family *family,
              const int64_t row[])
{
    hg_status status = HG_OK;

    for (int i = 0; i < family->n && status == HG_OK; i++) {
        hg_stages *model = NULL;

        status = hg_held_out_train(group, w->folds, &w->trial[family->member[i]], &model);
        status = status == HG_OK ? test(group, w, family->member[i], model, row) : status;
        hg_stages_free(model);
    }
    return status;
}

/* all trials with parts of one forest */
static hg_status
cut_members(const hg_comm *self, struct work *w, const hg_family *family, const int64_t row[])
{
    hg_trial whole = w->trial[family->member[0]];
    hg_stages *model = NULL;
    hg_status status;

    whole.options = family->options;
    whole.options.is_cut = 1;
    status = hg_held_out_train(self, w->folds, &whole, &model);
    for (int i = 0; i < family->n && status == HG_OK; i++) {
        const int number = family->member[i];
        hg_stages *cut = NULL;

        status = hg_stages_cut(model, &w->trial[number].options, &cut);
        status = status == HG_OK ? test(self, w, number, cut, row) : status;
        hg_stages_free(cut);
    }
    hg_stages_free(model);
    return status;
}

static hg_status
run_family(const hg_comm *group, struct work *w, const hg_family *family)
{
    const hg_log_level level = hg_log_change(HG_LOG_WARN); /* a line per forest is too much */
    const int fold = w->trial[family->member[0]].fold;
    int64_t *row = NULL;
    hg_status status;

    hg_log_change(level > HG_LOG_INFO || level < HG_LOG_WARN ? level : HG_LOG_WARN);
    HG_TRY_OR(done, status, hg_comm_agree(group, list_rows(w->folds, fold, &row)));
    status = group->size == 1 && family->n > 1 ? cut_members(group, w, family, row)
                                               : train_members(group, w, family, row);
done:
    if (status != HG_OK && status != HG_STOPPED) {
        hg_error_prefix("fold %d: ", fold);
    }
    hg_log_change(level);
    hg_mem_free(row);
    return status;
}

/* Forests of means that need nothing but their own rows can be cut. */
static bool
may_share(const hg_validation *v, int n, const hg_trial trial[])
{
    bool may = true;

    for (int t = 0; t < v->targets.n; t++) {
        may = may && v->role[t].after == 0;
    }
    for (int i = 0; i < n; i++) {
        may = may && trial[i].options.scope == HG_TRAIN_MEANS;
    }
    return may;
}

static hg_status
run_group(const hg_comm *group, int mine, int n_group, const hg_families *all, struct work *w)
{
    hg_progress progress;
    hg_status status = HG_OK;
    int n = 0;

    for (int i = mine; i < all->n; i += n_group) {
        n += all->family[i].n;
    }
    progress = hg_progress_start("validate", "forests", n);
    for (int i = mine; i < all->n && status == HG_OK; i += n_group) {
        status = hg_stop_wanted(group, 0)
                     ? HG_FAIL(HG_STOPPED,
                               "stopped on request with %d of the %d forests of this rank "
                               "tested",
                               w->n_done, n)
                     : run_family(group, w, &all->family[i]);
        hg_progress_to(&progress, w->n_done);
    }
    if (status == HG_OK) {
        hg_progress_end(&progress);
    }
    return status;
}

hg_status
hg_held_out_run(const hg_comm *comm, const hg_folds *folds, int n, const hg_trial trial[],
                const uint8_t done[], hg_trial_visit *visit, void *context)
{
    struct work w = {folds, trial, visit, context, 0};
    hg_families families = {0};
    hg_comm group = {0};
    hg_status status;
    int n_group, mine;

    HG_TRY_OR(end, status,
              hg_comm_agree(comm, hg_families_list(n, trial, done,
                                                   may_share(folds->validation, n, trial),
                                                   &families)));
    if (families.n > 0) {
        n_group = choose_groups(comm->size, families.n);
        mine = (int)((int64_t)comm->rank * n_group / comm->size);
        HG_TRY_OR(end, status, hg_comm_split(comm, mine, &group));
        status = run_group(&group, mine, n_group, &families, &w);
        hg_comm_clear(&group);
        status = hg_comm_agree(comm, status);
    }
end:
    hg_families_clear(&families);
    return status;
}

hg_status
hg_held_out_predict(const hg_validation *v, const hg_stages *model,
                    const hg_predict_options *options, const float all[], int64_t n,
                    const int64_t row[], float x[], uint64_t key[], const hg_prediction *result)
{
    const int nf = v->features.n;

    for (int64_t i = 0; i < n; i++) {
        memcpy(x + i * nf, all + row[i] * nf, (size_t)nf * sizeof *x);
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
    const hg_status status = hg_comm_agree(comm, hg_mem_array(&bits, n, sizeof *bits));

    if (status == HG_OK) {
        memcpy(bits, x, n * sizeof *bits);
        hg_comm_sum(comm, n, bits);
        memcpy(x, bits, n * sizeof *bits);
    }
    hg_mem_free(bits);
    return status;
}
