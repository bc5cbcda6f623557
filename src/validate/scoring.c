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
    int64_t n;     /* rows of the entry */
    int64_t *row;  /* shape (n), and room for as many */
    double *value; /* room for four arrays of all rows */
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

/* Metrics that need more than predictions; of the forest alone the scores of draws. */
static void
add_more(const struct sheet *s, const hg_marks *m, int64_t n, const double truth[],
         const double weight[], double reference, const hg_metric *metric, const int64_t row[],
         double *scratch, double value[])
{
    const hg_validation *v = s->folds->validation;
    const hg_reals *floor = &v->params->validate.irreducible;
    double *more = value + hg_metric_count(), crps = 0, total = 0, cover[2];
    int64_t n_pit = 0;

    more[0] = hg_metric_gain(n, truth, weight, reference, metric->rmse);
    if (m->target < floor->n && floor->v[m->target] > 0) {
        more[1] = metric->rmse * metric->rmse - floor->v[m->target] * floor->v[m->target];
    }
    if (m->method >= 0 || s->guesses->n_draw == 0) {
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = row[i] * s->guesses->n_target + m->target;

        if (isfinite(s->guesses->crps[at])) {
            crps += weight[i] * s->guesses->crps[at];
            total += weight[i];
        }
        scratch[n_pit++] = s->guesses->pit[at];
    }
    more[2] = total > 0 ? crps / total : (double)NAN;
    if (n_pit > 0) {
        more[3] = hg_score_uniformity(n_pit, scratch, cover);
        more[4] = cover[0];
        more[5] = cover[1];
    }
}

/* Metrics of the rows of the sheet, without those of one block (-1 = all); returns how many
 * rows there were. */
static hg_status
mark_rows(const struct sheet *s, const hg_marks *m, int block, double value[], int64_t *n_used)
{
    const hg_validation *v = s->folds->validation;
    const int64_t all = s->guesses->n;
    double *truth = s->value, *guess = truth + all, *weight = guess + all,
           *scratch = weight + all, reference = 0, total = 0;
    int64_t *row = s->row + s->n, n = 0;
    const bool is_hurdle = m->is_label && !v->role[m->target].is_label;

    for (int i = 0; i < HG_MARKS_MAX; i++) {
        value[i] = (double)NAN;
    }
    for (int64_t k = 0; k < s->n; k++) {
        const int64_t i = s->row[k];

        if (s->folds->block[i] == block || !is_scored(s, m, i)) {
            continue;
        }
        truth[n] = hg_validation_truth(v, i, m->target);
        truth[n] = is_hurdle ? isfinite(truth[n]) : truth[n];
        guess[n] = guess_of(s->guesses, m, i, is_hurdle);
        weight[n] = v->rows.weight[i];
        reference += weight[n] * s->guesses->reference[i * s->guesses->n_target + m->target];
        total += weight[n];
        row[n++] = i;
    }
    *n_used = n;
    if (m->is_label) {
        hg_label_metric metric;

        HG_TRY(hg_metric_labels(n, truth, guess, weight, &metric));
        for (int i = 0; i < hg_label_metric_count(); i++) {
            value[i] = hg_label_metric_value(&metric, i);
        }
    } else {
        hg_metric metric;

        HG_TRY(hg_metric_compute(n, truth, guess, weight, &metric));
        for (int i = 0; i < hg_metric_count(); i++) {
            value[i] = hg_metric_value(&metric, i);
        }
        if (n > 0) {
            add_more(s, m, n, truth, weight, reference / total, &metric, row, scratch, value);
        }
    }
    return HG_OK;
}

/* Jackknife over the blocks that have rows here. */
static hg_status
find_errors(const struct sheet *s, hg_marks *m, int64_t n_rows)
{
    const int count = hg_marks_count(m->is_label);
    double sum[HG_MARKS_MAX] = {0}, square[HG_MARKS_MAX] = {0}, value[HG_MARKS_MAX];
    int n_block = 0;

    for (int b = 0; b < s->folds->n_block; b++) {
        int64_t n = 0;

        HG_TRY(mark_rows(s, m, b, value, &n));
        if (n == n_rows || n == 0) {
            continue;
        }
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
    const hg_cut *cut = &cuts->cut[m->cut];
    int64_t n = 0;

    s->n = 0;
    for (int64_t i = 0; i < s->guesses->n; i++) {
        if (cut->bin[i] == m->bin) {
            s->row[s->n++] = i;
        }
    }
    for (int i = 0; i < HG_MARKS_MAX; i++) {
        m->error[i] = (double)NAN;
    }
    HG_TRY(mark_rows(s, m, -1, m->value, &n));
    if (n == 0 || (m->method >= 0 && m->cut > 0)) {
        return HG_OK;
    }
    return find_errors(s, m, n);
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
    hg_status status = hg_mem_array(&s.row, 2 * (size_t)g->n, sizeof *s.row);

    if (status == HG_OK) {
        status = hg_mem_array(&s.value, 4 * (size_t)g->n, sizeof *s.value);
    }
    for (int64_t i = comm->rank; i < scoring->n && status == HG_OK; i += comm->size) {
        status = mark_entry(&s, cuts, &scoring->marks[i]);
    }
    hg_mem_free(s.row);
    hg_mem_free(s.value);
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
