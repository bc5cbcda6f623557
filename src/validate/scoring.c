/* Entries are shared out over ranks one by one and joined; each is the work of one rank, so
 * that nothing depends on the number of ranks. All methods are scored on the same rows: those
 * whose truth is open and that the forest expects to be open. */
#include "validate/scoring.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "stats/metric.h"
#include "stats/score.h"
#include "validate/held_out.h"

static const char *const more_names[] = {"gain",   "excess",  "crps",
                                         "pit_ks", "cover68", "cover95"};
enum { N_MORE = sizeof more_names / sizeof more_names[0] };

int
hg_marks_count(bool is_label)
{
    return is_label ? hg_label_metric_count() : hg_metric_count() + N_MORE;
}

const char *
hg_marks_name(bool is_label, int i)
{
    if (is_label) {
        return hg_label_metric_name(i);
    }
    return i < hg_metric_count() ? hg_metric_name(i) : more_names[i - hg_metric_count()];
}

static double
find_named(const hg_marks *m, const double list[], const char *name)
{
    for (int i = 0; i < hg_marks_count(m->is_label); i++) {
        if (strcmp(hg_marks_name(m->is_label, i), name) == 0) {
            return list[i];
        }
    }
    return (double)NAN;
}

double
hg_marks_value(const hg_marks *marks, const char *name)
{
    return find_named(marks, marks->value, name);
}

double
hg_marks_error(const hg_marks *marks, const char *name)
{
    return find_named(marks, marks->error, name);
}

/* ---- the rows of one entry ---- */
struct sheet {
    const hg_folds *folds;
    const hg_guesses *guesses;
    int64_t n;    /* scored rows of the entry */
    int64_t *row; /* shape (n); room for all rows, as in what follows */
    double *truth, *guess, *weight, *part, *scratch; /* part: weights of some of the rows */
    hg_metric_order order;
};

static double
guess_of(const hg_guesses *g, const hg_marks *m, int64_t row, bool is_hurdle)
{
    const int64_t at = row * g->n_target + m->target;

    if (m->method >= 0) {
        return g->rival[m->method * g->n * g->n_target + at];
    }
    return is_hurdle ? g->probability[at] : g->mean[at];
}

/* whether a row counts: labels all, values where truth and forest are open */
static bool
is_scored(const struct sheet *s, const hg_marks *m, int64_t row)
{
    const int64_t at = row * s->guesses->n_target + m->target;

    return m->is_label ||
           (isfinite(hg_validation_truth(s->folds->validation, row, m->target)) &&
            isfinite(s->guesses->mean[at]));
}

/* The rows of a bin that count, in order. */
static hg_status
fill_sheet(struct sheet *s, const hg_cut *cut, const hg_marks *m)
{
    const hg_validation *v = s->folds->validation;
    const bool is_hurdle = m->is_label && !v->role[m->target].is_label;

    s->n = 0;
    for (int64_t i = 0; i < s->guesses->n; i++) {
        double truth;

        if (cut->bin[i] != m->bin || !is_scored(s, m, i)) {
            continue;
        }
        truth = hg_validation_truth(v, i, m->target);
        s->truth[s->n] = is_hurdle ? isfinite(truth) : truth;
        s->guess[s->n] = guess_of(s->guesses, m, i, is_hurdle);
        s->weight[s->n] = v->rows.weight[i];
        s->row[s->n++] = i;
    }
    hg_metric_order_clear(&s->order);
    return hg_metric_sort(s->n, m->is_label ? NULL : s->truth, s->guess, &s->order);
}

/* What is expected of a row without knowing anything of it: the mean over the rows. */
static double
find_reference(const struct sheet *s, const hg_marks *m, const double weight[])
{
    double sum = 0, total = 0;

    for (int64_t k = 0; k < s->n; k++) {
        sum += weight[k] * s->guesses->reference[s->row[k] * s->guesses->n_target + m->target];
        total += weight[k];
    }
    return sum / total;
}

/* Metrics that need more than predictions; of the forest alone the scores of draws. */
static void
add_more(const struct sheet *s, const hg_marks *m, const double weight[],
         const hg_metric *metric, double value[])
{
    const hg_validation *v = s->folds->validation;
    const hg_reals *floor = &v->params->validate.irreducible;
    double *more = value + hg_metric_count(), crps = 0, total = 0, cover[2];
    int64_t n_pit = 0;

    more[0] =
        hg_metric_gain(s->n, s->truth, weight, find_reference(s, m, weight), metric->rmse);
    if (m->target < floor->n && floor->v[m->target] > 0) {
        more[1] = metric->rmse * metric->rmse - floor->v[m->target] * floor->v[m->target];
    }
    if (m->method >= 0 || s->guesses->n_draw == 0) {
        return;
    }
    for (int64_t k = 0; k < s->n; k++) {
        const int64_t at = s->row[k] * s->guesses->n_target + m->target;

        if (!(weight[k] > 0)) {
            continue;
        }
        if (isfinite(s->guesses->crps[at])) {
            crps += weight[k] * s->guesses->crps[at];
            total += weight[k];
        }
        s->scratch[n_pit++] = s->guesses->pit[at];
    }
    more[2] = total > 0 ? crps / total : (double)NAN;
    if (n_pit > 0) {
        more[3] = hg_score_uniformity(n_pit, s->scratch, cover);
        more[4] = cover[0];
        more[5] = cover[1];
    }
}

/* Metrics of the rows of the sheet that have weight. */
static hg_status
mark_rows(const struct sheet *s, const hg_marks *m, const double weight[], double value[])
{
    for (int i = 0; i < HG_MARKS_MAX; i++) {
        value[i] = (double)NAN;
    }
    if (m->is_label) {
        hg_label_metric metric;

        HG_TRY(hg_metric_weigh_labels(&s->order, s->truth, s->guess, weight, &metric));
        for (int i = 0; i < hg_label_metric_count(); i++) {
            value[i] = hg_label_metric_value(&metric, i);
        }
    } else {
        hg_metric metric;

        HG_TRY(hg_metric_weigh(&s->order, s->truth, s->guess, weight, &metric));
        for (int i = 0; i < hg_metric_count(); i++) {
            value[i] = hg_metric_value(&metric, i);
        }
        if (s->n > 0) {
            add_more(s, m, weight, &metric, value);
        }
    }
    return HG_OK;
}

/* Take the weight from the rows of a block; returns how many rows keep theirs. */
static int64_t
leave_out(const struct sheet *s, int block)
{
    int64_t n = 0;

    for (int64_t k = 0; k < s->n; k++) {
        const bool is_out = s->folds->block[s->row[k]] == block;

        s->part[k] = is_out ? 0 : s->weight[k];
        n += !is_out;
    }
    return n;
}

/* Jackknife over the blocks that have rows here. */
static hg_status
find_errors(const struct sheet *s, hg_marks *m)
{
    const int count = hg_marks_count(m->is_label);
    double sum[HG_MARKS_MAX] = {0}, square[HG_MARKS_MAX] = {0}, value[HG_MARKS_MAX];
    int n_block = 0;

    for (int b = 0; b < s->folds->n_block; b++) {
        const int64_t n = leave_out(s, b);

        if (n == s->n || n == 0) {
            continue;
        }
        HG_TRY(mark_rows(s, m, s->part, value));
        n_block++;
        for (int i = 0; i < count; i++) { /* about the value itself: differences are small */
            const double d = value[i] - m->value[i];

            sum[i] += d;
            square[i] += d * d;
        }
    }
    for (int i = 0; i < count && n_block > 1; i++) {
        const double variance = square[i] - sum[i] * sum[i] / n_block;

        m->error[i] = sqrt(fmax(0, variance) * (n_block - 1) / n_block);
    }
    return HG_OK;
}

static hg_status
mark_entry(struct sheet *s, const hg_cuts *cuts, hg_marks *m)
{
    for (int i = 0; i < HG_MARKS_MAX; i++) {
        m->error[i] = (double)NAN;
    }
    HG_TRY(fill_sheet(s, &cuts->cut[m->cut], m));
    HG_TRY(mark_rows(s, m, s->weight, m->value));
    if (s->n == 0 || (m->method >= 0 && m->cut > 0)) {
        return HG_OK;
    }
    return find_errors(s, m);
}

/* ---- which entries there are ---- */
static int64_t
list_entries(const hg_validation *v, const hg_guesses *g, const hg_cuts *cuts, hg_marks marks[])
{
    int64_t n = 0;

    for (int t = 0; t < v->targets.n; t++) {
        for (int kind = 0; kind < 2; kind++) {
            const bool is_label = kind == 1;

            if (is_label ? !v->role[t].is_label && !v->role[t].has_hurdle
                         : v->role[t].is_label) {
                continue;
            }
            for (int method = -1; method < (is_label ? 0 : g->n_rival); method++) {
                for (int c = 0; c < cuts->n; c++) {
                    for (int b = 0; b < cuts->cut[c].n; b++, n++) {
                        if (marks != NULL) {
                            marks[n] = (hg_marks){.target = t,
                                                  .is_label = is_label,
                                                  .method = method,
                                                  .cut = c,
                                                  .bin = b};
                        }
                    }
                }
            }
        }
    }
    return n;
}

static hg_status
mark_all(const hg_comm *comm, const hg_folds *folds, const hg_guesses *g, const hg_cuts *cuts,
         hg_scoring *scoring)
{
    struct sheet s = {.folds = folds, .guesses = g};
    double **const array[] = {&s.truth, &s.guess, &s.weight, &s.part, &s.scratch};
    hg_status status = hg_mem_array(&s.row, (size_t)g->n, sizeof *s.row);

    for (size_t k = 0; k < sizeof array / sizeof array[0] && status == HG_OK; k++) {
        status = hg_mem_array(array[k], (size_t)g->n, sizeof **array[k]);
    }
    for (int64_t i = comm->rank; i < scoring->n && status == HG_OK; i += comm->size) {
        status = mark_entry(&s, cuts, &scoring->marks[i]);
    }
    hg_metric_order_clear(&s.order);
    hg_mem_free(s.row);
    for (size_t k = 0; k < sizeof array / sizeof array[0]; k++) {
        hg_mem_free(*array[k]);
    }
    return hg_comm_agree(comm, status);
}

/* The entries of all ranks on every rank. */
static hg_status
join_entries(const hg_comm *comm, hg_scoring *scoring)
{
    const size_t width = 2 * HG_MARKS_MAX;
    double *all = NULL;
    hg_status status =
        hg_comm_agree(comm, hg_mem_zeros(&all, (size_t)scoring->n * width, sizeof *all));

    for (int64_t i = comm->rank; i < scoring->n && status == HG_OK; i += comm->size) {
        memcpy(all + (size_t)i * width, scoring->marks[i].value,
               sizeof scoring->marks[i].value);
        memcpy(all + (size_t)i * width + HG_MARKS_MAX, scoring->marks[i].error,
               sizeof scoring->marks[i].error);
    }
    if (status == HG_OK) {
        status = hg_held_out_join(comm, (size_t)scoring->n * width, all);
    }
    for (int64_t i = 0; i < scoring->n && status == HG_OK; i++) {
        memcpy(scoring->marks[i].value, all + (size_t)i * width,
               sizeof scoring->marks[i].value);
        memcpy(scoring->marks[i].error, all + (size_t)i * width + HG_MARKS_MAX,
               sizeof scoring->marks[i].error);
    }
    hg_mem_free(all);
    return status;
}

hg_status
hg_scoring_run(const hg_comm *comm, const hg_folds *folds, const hg_guesses *g,
               const hg_cuts *cuts, hg_scoring *scoring)
{
    hg_status status;

    *scoring = (hg_scoring){.n = list_entries(folds->validation, g, cuts, NULL)};
    HG_TRY(hg_comm_agree(
        comm, hg_mem_array(&scoring->marks, (size_t)scoring->n, sizeof *scoring->marks)));
    list_entries(folds->validation, g, cuts, scoring->marks);
    hg_phase_start("validate: score");
    status = mark_all(comm, folds, g, cuts, scoring);
    if (status == HG_OK) {
        status = join_entries(comm, scoring);
    }
    hg_phase_stop("validate: score");
    return status;
}

void
hg_scoring_clear(hg_scoring *scoring)
{
    hg_mem_free(scoring->marks);
    *scoring = (hg_scoring){0};
}
