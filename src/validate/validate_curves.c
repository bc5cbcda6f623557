/* Metrics as scores (all rows, centrals, satellites), as curves over the other cuts, histograms
 * of PIT values, and predicted values and residuals on a plane. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "stats/score.h"
#include "validate/validate_output.h"

enum { PIT_BINS = 20, PLANE_BINS = 80, DISTANCE_ROWS = 2000 };

/* ---- scores ---- */
static hg_status
add_score(const hg_findings *found, const hg_marks *m, hg_statistics *statistics)
{
    static const char *const with_error[] = {"rmse", "bias", "r2", "brier", "auc"};
    char target[80], bin[80], name[HG_LABEL_MAX];
    hg_score *score = NULL;

    hg_marks_target(found, m, sizeof target, target);
    hg_cut_name(&found->cuts->cut[m->cut], m->bin, sizeof bin, bin);
    snprintf(name, sizeof name, "held_out_%.30s_%.40s%s%.20s", hg_marks_method(found, m),
             target, m->cut > 0 ? "_" : "", m->cut > 0 ? bin : "");
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "catalogue", hg_marks_method(found, m)));
    HG_TRY(hg_attributes_text(&score->attributes, "column", target));
    HG_TRY(hg_attributes_text(&score->attributes, "sample", m->cut > 0 ? bin : ""));
    HG_TRY(hg_attributes_text(&score->attributes, "rows", "held out"));
    for (int i = 0; i < hg_marks_count(m->is_label); i++) {
        const char *metric = hg_marks_name(m->is_label, i);

        HG_TRY(hg_attributes_real(&score->attributes, metric, m->value[i]));
        for (size_t k = 0; k < sizeof with_error / sizeof with_error[0]; k++) {
            if (strcmp(metric, with_error[k]) == 0) {
                snprintf(name, sizeof name, "%s_error", metric);
                HG_TRY(hg_attributes_real(&score->attributes, name, m->error[i]));
            }
        }
    }
    return HG_OK;
}

/* ---- curves ---- */
static void
label_curve(const hg_findings *found, const hg_marks *m, const char *statistic, hg_label *label)
{
    char target[80];

    hg_marks_target(found, m, sizeof target, target);
    *label = (hg_label){.log_x = false};
    snprintf(label->statistic, sizeof label->statistic, "%s", statistic);
    snprintf(label->name, sizeof label->name, "%.50s_%.60s", statistic, target);
    snprintf(label->catalogue, sizeof label->catalogue, "%s", hg_marks_method(found, m));
    snprintf(label->column, sizeof label->column, "%.63s", target);
}

/* One metric over the bins of a cut; `m` is the entry of its first bin. */
static hg_status
add_metric_curve(const hg_findings *found, const hg_marks *m, const char *metric,
                 hg_statistics *statistics)
{
    const hg_cut *cut = &found->cuts->cut[m->cut];
    char statistic[48];
    hg_label label;
    hg_curve *curve = NULL;

    snprintf(statistic, sizeof statistic, "held_out_%.12s_%.16s", metric, cut->name);
    label_curve(found, m, statistic, &label);
    snprintf(label.x_name, sizeof label.x_name, "%s", cut->x_name);
    snprintf(label.y_name, sizeof label.y_name, "%s", metric);
    HG_TRY(hg_statistics_curve(statistics, &label, cut->n, HG_CURVE_COUNT, &curve));
    for (int b = 0; b < cut->n; b++) {
        const double n = hg_marks_value(&m[b], "n");

        curve->x[b] = cut->x[b];
        curve->x_low[b] = cut->x[cut->n + b];
        curve->x_high[b] = cut->x[2 * cut->n + b];
        curve->y[b] = hg_marks_value(&m[b], metric);
        curve->error[b] = hg_marks_error(&m[b], metric);
        curve->count[b] = isfinite(n) ? (int64_t)n : 0;
    }
    return hg_attributes_text(&curve->attributes, "description",
                              "Held-out rows; errors of a jackknife over blocks");
}

/* The mean of the rows that trained is left to the tables. */
static hg_status
add_curves(const hg_findings *found, const hg_marks *m, hg_statistics *statistics)
{
    static const char *const drawn[2][6] = {{"bias", "rmse", "r2", "cover68", "cover95"},
                                            {"brier", "auc"}};

    for (int k = 0; k < 6 && drawn[m->is_label][k] != NULL; k++) {
        const char *metric = drawn[m->is_label][k];

        if (m->method < 0 || (m->method > 0 && strncmp(metric, "cover", 5) != 0)) {
            HG_TRY(add_metric_curve(found, m, metric, statistics));
        }
    }
    return HG_OK;
}

static bool
is_target_row(const hg_findings *found, int64_t row, int t)
{
    return isfinite(hg_validation_truth(found->folds->validation, row, t)) &&
           isfinite(found->guesses->mean[row * found->guesses->n_target + t]);
}

/* Density of PIT values; 1 when the draws are right. */
static hg_status
add_pit(const hg_findings *found, const hg_marks *m, hg_statistics *statistics)
{
    const hg_guesses *g = found->guesses;
    hg_label label;
    hg_curve *curve = NULL;
    int64_t n = 0;

    label_curve(found, m, "pit", &label);
    snprintf(label.x_name, sizeof label.x_name, "PIT");
    snprintf(label.y_name, sizeof label.y_name, "density");
    HG_TRY(hg_statistics_curve(statistics, &label, PIT_BINS, HG_CURVE_COUNT, &curve));
    for (int64_t i = 0; i < g->n; i++) {
        const double pit = g->pit[i * g->n_target + m->target];

        if (is_target_row(found, i, m->target)) {
            curve->count[(int)fmin(PIT_BINS - 1, pit * PIT_BINS)]++;
            n++;
        }
    }
    for (int b = 0; b < PIT_BINS; b++) {
        const double expected = (double)n / PIT_BINS;

        curve->x_low[b] = (double)b / PIT_BINS;
        curve->x_high[b] = (b + 1.0) / PIT_BINS;
        curve->x[b] = (b + 0.5) / PIT_BINS;
        curve->y[b] = n > 0 ? (double)curve->count[b] / expected : (double)NAN;
        curve->error[b] = n > 0 ? sqrt((double)curve->count[b]) / expected : (double)NAN;
    }
    return hg_attributes_real(&curve->attributes, "ks", hg_marks_value(m, "pit_ks"));
}

/* ---- planes ---- */
struct range {
    double low, high;
};

static void
widen(struct range *r, double x)
{
    r->low = fmin(r->low, x);
    r->high = fmax(r->high, x);
}

static int
bin_in(const struct range *r, double x)
{
    const int bin = (int)((x - r->low) / (r->high - r->low) * PLANE_BINS);

    return bin < 0 ? 0 : bin < PLANE_BINS ? bin : PLANE_BINS - 1;
}

static void
fill_edges(const struct range *r, double edges[])
{
    for (int b = 0; b <= PLANE_BINS; b++) {
        edges[b] = r->low + (r->high - r->low) * b / PLANE_BINS;
    }
}

/* Predicted against true values, or errors against mass. */
static hg_status
add_plane(const hg_findings *found, const hg_marks *m, bool is_residual,
          hg_statistics *statistics)
{
    const hg_validation *v = found->folds->validation;
    const hg_guesses *g = found->guesses;
    const double far = (double)INFINITY;
    struct range rx = {far, -far}, ry = {far, -far};
    hg_label label;
    hg_map *map = NULL;

    label_curve(found, m, is_residual ? "residual" : "predicted_true", &label);
    snprintf(label.x_name, sizeof label.x_name, is_residual ? "%.60s" : "true %.55s",
             is_residual ? v->mass_name : label.column);
    snprintf(label.y_name, sizeof label.y_name,
             is_residual ? "predicted - true %.40s" : "predicted %.50s", label.column);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            if (!(rx.high > rx.low && ry.high > ry.low)) {
                return HG_OK;
            }
            HG_TRY(hg_statistics_map(statistics, &label, PLANE_BINS, PLANE_BINS, &map));
        }
        for (int64_t i = 0; i < g->n; i++) {
            const double truth = hg_validation_truth(v, i, m->target),
                         mean = g->mean[i * g->n_target + m->target],
                         x = is_residual ? v->mass[i] : truth,
                         y = is_residual ? mean - truth : mean;

            if (is_target_row(found, i, m->target) && pass == 0) {
                widen(&rx, x);
                widen(&ry, y);
            } else if (is_target_row(found, i, m->target)) {
                map->counts[bin_in(&rx, x) * PLANE_BINS + bin_in(&ry, y)]++;
            }
        }
    }
    fill_edges(&rx, map->x_edges);
    fill_edges(&ry, map->y_edges);
    return hg_attributes_text(&map->attributes, "rows", "held out");
}

/* ---- several targets together ---- */
static hg_status
copy_joint(const hg_findings *found, int64_t n, int n_plain, const int plain[], double truth[],
           double draw[])
{
    const hg_guesses *g = found->guesses;

    for (int p = 0; p < n_plain; p++) {
        double mean = 0, square = 0;

        for (int64_t i = 0; i < n; i++) {
            mean += hg_validation_truth(found->folds->validation, i, plain[p]) / (double)n;
        }
        for (int64_t i = 0; i < n; i++) {
            const double y = hg_validation_truth(found->folds->validation, i, plain[p]);

            square += (y - mean) * (y - mean) / (double)n;
            truth[i * n_plain + p] = y;
            draw[i * n_plain + p] = g->draw[i * g->n_target + plain[p]];
        }
        for (int64_t i = 0; i < n && square > 0; i++) {
            truth[i * n_plain + p] /= sqrt(square);
            draw[i * n_plain + p] /= sqrt(square);
        }
    }
    return HG_OK;
}

/* Energy score, and the energy distance of one draw from the truth over a sample of rows. */
static hg_status
add_joint(const hg_findings *found, hg_statistics *statistics)
{
    const hg_validation *v = found->folds->validation;
    const hg_guesses *g = found->guesses;
    const int64_t n = g->n < DISTANCE_ROWS ? g->n : DISTANCE_ROWS;
    double energy = 0, total = 0, distance = 0, *value = NULL;
    int plain[HG_TARGETS_MAX], n_plain = 0;
    hg_score *score = NULL;
    hg_status status;

    for (int t = 0; t < g->n_target; t++) {
        if (!v->role[t].is_label && !v->role[t].has_hurdle) {
            plain[n_plain++] = t;
        }
    }
    if (n_plain == 0 || g->n_draw == 0 || n < 2) {
        return HG_OK;
    }
    for (int64_t i = 0; i < g->n; i++) {
        energy += v->rows.weight[i] * g->energy[i];
        total += v->rows.weight[i];
    }
    HG_TRY(hg_mem_array(&value, 2 * (size_t)(n * n_plain), sizeof *value));
    status = copy_joint(found, n, n_plain, plain, value, value + n * n_plain);
    if (status == HG_OK) {
        status = hg_score_energy_distance(n, n, n_plain, value, value + n * n_plain, &distance);
    }
    hg_mem_free(value);
    HG_TRY(status);
    HG_TRY(hg_statistics_score(statistics, "held_out_joint", &score));
    HG_TRY(
        hg_attributes_text(&score->attributes, "unit", "standard deviations of each target"));
    HG_TRY(hg_attributes_real(&score->attributes, "targets", n_plain));
    HG_TRY(hg_attributes_real(&score->attributes, "energy_score", energy / total));
    HG_TRY(hg_attributes_real(&score->attributes, "energy_distance", distance));
    return hg_attributes_real(&score->attributes, "energy_distance_rows", (double)n);
}

hg_status
hg_findings_statistics(const hg_findings *found, hg_statistics *statistics)
{
    for (int64_t i = 0; i < found->scoring->n; i++) {
        const hg_marks *m = &found->scoring->marks[i];
        const bool is_kind = strcmp(found->cuts->cut[m->cut].name, "kind") == 0;

        if (m->cut == 0 || is_kind) {
            HG_TRY(add_score(found, m, statistics));
        } else if (m->bin == 0) {
            HG_TRY(add_curves(found, m, statistics));
        }
        if (m->cut == 0 && m->method < 0 && !m->is_label) {
            if (found->guesses->n_draw > 0) {
                HG_TRY(add_pit(found, m, statistics));
            }
            HG_TRY(add_plane(found, m, false, statistics));
            HG_TRY(add_plane(found, m, true, statistics));
        }
    }
    return add_joint(found, statistics);
}
