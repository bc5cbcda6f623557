/* Every trial is one forest and one fold. The rank that leads a group sums its errors in the
 * order of the rows and notes them; at the end the sums of all ranks are joined. */
#include "validate/search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/schema_table.h"
#include "halograft/log.h"
#include "halograft/version.h"

bool
hg_search_wanted(const hg_params *params)
{
    const hg_params_validate *p = &params->validate;

    return strcmp(p->search, "none") != 0 || p->learning.n > 0;
}

/* ---- a trial ---- */
struct work {
    hg_search *search;
    const char *path, *identity;
    int first; /* trial noted first by this rank, -1 = none */
    double *mean, *probability;
    float *x;
    uint64_t *key;
};

static hg_status
allocate(struct work *w)
{
    const hg_folds *f = w->search->folds;
    const size_t nt = (size_t)f->validation->targets.n;
    int64_t most = 0;

    for (int k = 0; k < f->n; k++) {
        most = f->count[k] > most ? f->count[k] : most;
    }
    HG_TRY(hg_mem_array(&w->mean, (size_t)most * nt, sizeof *w->mean));
    HG_TRY(hg_mem_array(&w->probability, (size_t)most * nt, sizeof *w->probability));
    HG_TRY(hg_mem_array(&w->x, (size_t)most * (size_t)f->validation->features.n, sizeof *w->x));
    return hg_mem_array(&w->key, (size_t)most, sizeof *w->key);
}

static void
free_work(struct work *w)
{
    hg_mem_free(w->mean);
    hg_mem_free(w->probability);
    hg_mem_free(w->x);
    hg_mem_free(w->key);
}

/* Values count where truth and forest are open, labels everywhere. */
static hg_search_sum
sum_errors(const struct work *w, const hg_scored *e, int64_t n, const int64_t row[])
{
    const hg_validation *v = w->search->folds->validation;
    hg_search_sum sum = {0, 0};

    for (int64_t i = 0; i < n; i++) {
        const double d =
            hg_scored_guess(v, e, i, w->mean, w->probability) - hg_scored_truth(v, e, row[i]);

        if (isfinite(d)) {
            sum.weight += v->rows.weight[row[i]];
            sum.square += v->rows.weight[row[i]] * d * d;
        }
    }
    return sum;
}

static hg_status
predict(const hg_comm *group, struct work *w, const hg_stages *model, int64_t n,
        const int64_t row[])
{
    const int nt = w->search->folds->validation->targets.n;
    const size_t all = (size_t)n * (size_t)nt;
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    int64_t first, end;
    hg_prediction result = {0};

    options.training_rows = 0;
    hg_held_out_slice(n, group, &first, &end);
    memset(w->mean, 0, all * sizeof *w->mean);
    memset(w->probability, 0, all * sizeof *w->probability);
    result.mean = w->mean + first * nt;
    result.probability = w->probability + first * nt;
    HG_TRY(hg_comm_agree(group,
                         hg_held_out_predict(w->search->folds->validation, model, &options,
                                             w->search->folds->validation->rows.x, end - first,
                                             row + first, w->x, w->key, &result)));
    HG_TRY(hg_held_out_join(group, all, w->mean));
    return hg_held_out_join(group, all, w->probability);
}

static hg_status
test(void *context, const hg_comm *group, int trial, const hg_stages *model, int64_t n,
     const int64_t row[])
{
    struct work *w = context;
    hg_search *s = w->search;
    hg_status status = HG_OK;

    HG_TRY(predict(group, w, model, n, row));
    if (group->rank == 0) {
        for (int e = 0; e < s->n_entry; e++) {
            s->sum[(int64_t)trial * s->n_entry + e] = sum_errors(w, &s->entry[e], n, row);
        }
        w->first = w->first < 0 ? trial : w->first;
        status = hg_search_note(s, w->path, w->identity, w->first, trial);
    }
    return hg_comm_agree(group, status);
}

/* ---- all of them ---- */
/* All that decides the errors, a line each. */
static hg_status
describe_identity(const hg_search *s, hg_text *text)
{
    static const char *const begins[] = {
        "Meta.seed",      "Model.preset",    "Model.trees",      "Model.splitter",
        "Model.bins",     "Model.min_",      "Model.max_",       "Model.bag",
        "Model.weighted", "Validate.search", "Validate.learning"};
    const hg_validation *v = s->folds->validation;
    const hg_training_rows *r = &v->rows;
    const size_t n = (size_t)r->n;
    uint64_t hash = hg_hash_bytes(r->key, n * sizeof *r->key);

    hash = hg_hash_more(hash, r->x, n * (size_t)v->features.n * sizeof *r->x);
    hash = hg_hash_more(hash, r->y, n * (size_t)v->targets.n * sizeof *r->y);
    hash = hg_hash_more(hash, r->weight, n * sizeof *r->weight);
    hash = hg_hash_more(hash, r->group, n * sizeof *r->group);
    HG_TRY(hg_text_add(text, "version: %s\nrows: %016" PRIx64 "\nfolds: %s, %016" PRIx64 "\n",
                       hg_version(), hash, s->folds->text,
                       hg_hash_bytes(s->folds->of, n * sizeof *s->folds->of)));
    for (int t = 0; t < v->targets.n; t++) {
        HG_TRY(hg_text_add(text, "Targets.%s: %d %d %" PRIu32 " %.17g\n",
                           v->targets.spec[t].name, v->role[t].is_label, v->role[t].has_hurdle,
                           v->role[t].after, v->targets.recipe[t].weight));
    }
    return hg_params_lines(v->params, sizeof begins / sizeof begins[0], begins, text);
}

/* Sums over folds, and the standard error of their mean from their scatter. */
struct scatter {
    int n;
    double sum, square;
};

static void
add_fold(struct scatter *x, double value)
{
    if (isfinite(value)) {
        x->n++;
        x->sum += value;
        x->square += value * value;
    }
}

static double
standard_error(const struct scatter *x)
{
    const double n = x->n;

    return x->n > 1 ? sqrt(fmax(0, x->square - x->sum * x->sum / n) / (n * (n - 1)))
                    : (double)NAN;
}

/* Mean square error of an entry over its variance, in one fold or (-1) in all. */
static double
find_share(const hg_search *s, int point, int fold, int entry)
{
    const double variance = s->entry[entry].variance;
    double weight = 0, square = 0;

    for (int k = 0; k < s->folds->n; k++) {
        if (fold < 0 || k == fold) {
            const hg_search_sum *x =
                &s->sum[((int64_t)point * s->folds->n + k) * s->n_entry + entry];

            weight += x->weight;
            square += x->square;
        }
    }
    return square > 0 ? square / weight / variance : weight > 0 ? 0 : (double)NAN;
}

static void
find_result(hg_search *s, int point)
{
    hg_search_result *r = &s->result[point];
    struct scatter score = {0};

    for (int e = 0; e < s->n_entry; e++) {
        const double variance = s->entry[e].variance, share = find_share(s, point, -1, e);
        struct scatter folds = {0};

        for (int k = 0; k < s->folds->n; k++) {
            add_fold(&folds, find_share(s, point, k, e));
        }
        r->rmse[e] = sqrt(share * variance);
        r->rmse_error[e] = standard_error(&folds) * variance / (2 * r->rmse[e]);
        r->score += share / s->n_entry;
    }
    for (int k = 0; k < s->folds->n; k++) {
        double mean = 0;

        for (int e = 0; e < s->n_entry; e++) {
            mean += find_share(s, point, k, e) / s->n_entry;
        }
        add_fold(&score, mean);
    }
    r->error = standard_error(&score);
}

/* Of equal points the first is the better one. */
static void
find_results(hg_search *s)
{
    for (int i = 0; i < s->points.n; i++) {
        find_result(s, i);
    }
    for (int i = 0; i < s->points.n_search; i++) {
        s->result[i].rank = 1;
        for (int k = 0; k < s->points.n_search; k++) {
            const double mine = s->result[i].score, other = s->result[k].score;

            s->result[i].rank += other < mine || (k < i && other <= mine);
        }
    }
    for (int i = s->points.n_search; i < s->points.n; i++) {
        for (int k = 0; k < s->folds->n; k++) {
            hg_trial t = s->points.point[i];

            t.fold = k;
            s->result[i].rows += (double)hg_search_points_rows(s->folds, &t) / s->folds->n;
        }
    }
}

static hg_status
prepare(hg_search *s, hg_trial **trial, uint8_t **done, hg_text *identity)
{
    const int n_fold = s->folds->n;
    size_t n;

    HG_TRY(hg_search_points_list(s->folds, &s->points));
    n = (size_t)s->points.n * (size_t)n_fold;
    s->n_entry = hg_scored_list(s->folds->validation, s->entry);
    HG_TRY(hg_mem_zeros(&s->sum, n * (size_t)s->n_entry, sizeof *s->sum));
    HG_TRY(hg_mem_zeros(&s->result, (size_t)s->points.n, sizeof *s->result));
    HG_TRY(hg_mem_array(trial, n, sizeof **trial));
    HG_TRY(hg_mem_zeros(done, n, sizeof **done));
    for (size_t i = 0; i < n; i++) {
        (*trial)[i] = s->points.point[i / (size_t)n_fold];
        (*trial)[i].fold = (int)(i % (size_t)n_fold);
    }
    return describe_identity(s, identity);
}

static void
count_done(int n, const uint8_t done[])
{
    int n_done = 0;

    for (int i = 0; i < n; i++) {
        n_done += done[i];
    }
    if (n_done > 0) {
        hg_log_info("validate: %d of %d forests were tested by an earlier run", n_done, n);
    }
}

hg_status
hg_search_run(const hg_comm *comm, const hg_folds *folds, const char *path, bool resume,
              bool overwrite, hg_search *s)
{
    hg_trial *trial = NULL;
    uint8_t *done = NULL;
    hg_text identity = {0};
    struct work w = {.search = s, .path = path, .first = -1};
    hg_status status;
    int n;

    *s = (hg_search){.folds = folds};
    hg_phase_start("validate: search");
    HG_TRY_OR(done, status, hg_comm_agree(comm, prepare(s, &trial, &done, &identity)));
    HG_TRY_OR(done, status, hg_comm_agree(comm, allocate(&w)));
    n = s->points.n * folds->n;
    w.identity = hg_text_string(&identity);
    if (comm->rank == 0) {
        status = hg_search_journals_open(s, path, w.identity, resume, overwrite, done);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, done, (size_t)n * sizeof *done);
    count_done(n, done);
    HG_TRY_OR(done, status, hg_held_out_run(comm, folds, n, trial, done, test, &w));
    HG_TRY_OR(done, status,
              hg_held_out_join(comm, 2 * (size_t)n * (size_t)s->n_entry, &s->sum->weight));
    if (comm->rank == 0) {
        status = hg_search_journals_close(s, path, w.identity);
    }
    status = hg_comm_agree(comm, status);
    find_results(s);
done:
    free_work(&w);
    hg_mem_free(trial);
    hg_mem_free(done);
    hg_text_clear(&identity);
    hg_phase_stop("validate: search");
    return status;
}

void
hg_search_clear(hg_search *s)
{
    hg_search_points_clear(&s->points);
    hg_mem_free(s->sum);
    hg_mem_free(s->result);
    *s = (hg_search){0};
}
