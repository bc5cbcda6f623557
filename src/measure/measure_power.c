/* Curves of the modes of a sample. Spectra of several lines of sight share most of what is
 * random in them, so their mean keeps the error of one, and their spread is a check and no
 * error. */
#include "measure/measure_power.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure/measure_covariance.h"

static void
label_power(const hg_sample_task *task, const char *statistic, hg_label *label)
{
    hg_sample_label(task, statistic, label);
    snprintf(label->x_name, sizeof label->x_name, "k");
    snprintf(label->x_unit, sizeof label->x_unit, "Mpc^-1");
    snprintf(label->y_unit, sizeof label->y_unit, "Mpc^3");
}

/* Spread over lines of sight, root mean square over bins, in units of the error. */
static hg_status
describe_spread(const hg_mode_sums *sums, int l, hg_attributes *a)
{
    double square = 0;
    int n = 0;

    for (int i = 0; i < sums->line[0].n; i++) {
        double mean = 0;

        for (int k = 0; k < sums->n_line; k++) {
            mean += sums->line[k].p[l][i] / sums->n_line;
        }
        for (int k = 0; k < sums->n_line && sums->line[0].modes[i] > 0; k++) {
            square += pow((sums->line[k].p[l][i] - mean) / sums->line[k].sigma[l][i], 2) /
                      (sums->n_line - 1);
        }
        n += sums->line[0].modes[i] > 0;
    }
    return hg_attributes_real(a, "line_of_sight_spread", sqrt(square / n));
}

/* The multipole of place l; times > 0 tells that it is that of one fold alone. */
static hg_status
add_pole(const hg_sample_task *task, int64_t times, const hg_power *power, int l,
         hg_curve **added)
{
    static const char *const name[HG_POLES] = {"power", "power_quadrupole",
                                               "power_hexadecapole"};
    char statistic[64];
    hg_label label;
    hg_curve *curve = NULL;

    snprintf(statistic, sizeof statistic, "%s_fold%" PRId64, name[l], times);
    label_power(task, times > 0 ? statistic : name[l], &label);
    if (times > 0) {
        snprintf(label.statistic, sizeof label.statistic, "%s_fold", name[l]);
    }
    label.log_y = l == 0;
    snprintf(label.y_name, sizeof label.y_name, "P_%d", 2 * l);
    HG_TRY(hg_statistics_curve(task->statistics, &label, power->n, HG_CURVE_COUNT, &curve));
    for (int i = 0; i < power->n; i++) {
        double middle = 0.5 * (power->k_low[i] + power->k_high[i]);

        curve->x[i] = power->modes[i] > 0 ? power->k_mean[i] : middle;
        curve->x_low[i] = power->k_low[i];
        curve->x_high[i] = power->k_high[i];
        curve->y[i] = power->p[l][i];
        curve->error[i] = power->sigma[l][i];
        curve->count[i] = power->modes[i];
    }
    *added = curve;
    return hg_sample_attributes(task, &curve->attributes);
}

/* Multipoles of one fold, each compared with those of all joined where that has more modes. */
static hg_status
add_fold(const hg_sample_task *task, const hg_mode_sums *sums, const hg_fold_bins *bins,
         const hg_power *joined, int level)
{
    const int64_t times = hg_fold_times(bins, level);
    hg_power one;
    hg_status status = HG_OK;

    HG_TRY(hg_fold_level(bins, &sums->fine[level], level, &one));
    for (int l = 0; l < one.n_pole && l < HG_POLES; l++) {
        int n = 0;
        const double chi2 = hg_fold_overlap(bins, level, joined, &one, l, &n);
        hg_curve *curve = NULL;

        HG_TRY_OR(done, status, add_pole(task, times, &one, l, &curve));
        HG_TRY_OR(done, status, hg_attributes_real(&curve->attributes, "fold", (double)times));
        HG_TRY_OR(done, status, hg_attributes_real(&curve->attributes, "overlap_bins", n));
        HG_TRY_OR(done, status, hg_attributes_real(&curve->attributes, "overlap_chi2", chi2));
    }
done:
    hg_power_clear(&one);
    return status;
}

/* Where each fold takes over in the joined curve. */
static hg_status
describe_folds(const hg_fold_bins *bins, const hg_power *power, hg_attributes *a)
{
    for (int level = 1; level < bins->n_level; level++) {
        char name[64];

        snprintf(name, sizeof name, "fold%" PRId64 "_from", hg_fold_times(bins, level));
        HG_TRY(hg_attributes_real(a, name, power->k_low[bins->first[level]]));
    }
    return HG_OK;
}

static hg_status
add_poles(const hg_sample_task *task, const hg_mode_sums *sums, const hg_fold_bins *bins)
{
    hg_power power;
    hg_status status = HG_OK;

    HG_TRY(hg_fold_join(bins, sums->fine, &power));
    for (int l = 0; l < power.n_pole && l < HG_POLES; l++) {
        hg_curve *curve = NULL;

        HG_TRY_OR(done, status, add_pole(task, 0, &power, l, &curve));
        HG_TRY_OR(done, status, describe_folds(bins, &power, &curve->attributes));
        if (sums->n_line > 1) {
            HG_TRY_OR(done, status, describe_spread(sums, l, &curve->attributes));
        }
    }
    status = hg_measure_gaussian(task, &power);
    for (int level = 1; level < bins->n_level && status == HG_OK; level++) {
        status = add_fold(task, sums, bins, &power, level);
    }
done:
    hg_power_clear(&power);
    return status;
}

/* One bin of mu as a curve of k. */
static hg_status
add_wedge(const hg_sample_task *task, const hg_wedges *wedges, const double edge[], int j)
{
    const double fundamental = 2 * M_PI / task->box;
    const double low = (double)j / wedges->n_mu, high = (double)(j + 1) / wedges->n_mu;
    hg_label label;
    hg_curve *curve = NULL;
    char text[64];

    snprintf(text, sizeof text, "power_wedge%d", j + 1);
    label_power(task, text, &label);
    snprintf(label.statistic, sizeof label.statistic, "power_wedge");
    label.log_y = true;
    snprintf(label.y_name, sizeof label.y_name, "P(k, mu)");
    HG_TRY(hg_statistics_curve(task->statistics, &label, wedges->n, HG_CURVE_COUNT, &curve));
    for (int i = 0; i < wedges->n; i++) {
        const double *sum = wedges->sum + 4 * (i * wedges->n_mu + j);
        const double modes = sum[HG_FINE_MODES] > 0 ? sum[HG_FINE_MODES] : (double)NAN;

        curve->x_low[i] = fundamental * edge[i];
        curve->x_high[i] = fundamental * edge[i + 1];
        curve->count[i] = (int64_t)sum[HG_FINE_MODES];
        curve->x[i] = curve->count[i] > 0
                          ? fundamental * wedges->k_sum[i * wedges->n_mu + j] / modes
                          : 0.5 * (curve->x_low[i] + curve->x_high[i]);
        curve->y[i] = sum[HG_FINE_P0] / modes;
        curve->error[i] = sqrt(sum[HG_FINE_Q0]) / modes;
    }
    HG_TRY(hg_attributes_real(&curve->attributes, "mu_low", low));
    HG_TRY(hg_attributes_real(&curve->attributes, "mu_high", high));
    HG_TRY(hg_sample_attributes(task, &curve->attributes));
    snprintf(text, sizeof text, "mu %.3g to %.3g%s", low, high,
             task->is_redshift ? ", redshift space" : "");
    return hg_attributes_text(&curve->attributes, "variant", text);
}

hg_status
hg_measure_power(const hg_sample_task *task, const hg_mode_sums *sums)
{
    hg_fold_bins bins;

    HG_TRY(hg_measure_power_bins(&task->plan->params->measure, &bins));
    HG_TRY(add_poles(task, sums, &bins));
    for (int j = 0; j < sums->wedges.n_mu; j++) {
        HG_TRY(add_wedge(task, &sums->wedges, bins.edge, j));
    }
    return HG_OK;
}

void
hg_mode_sums_clear(hg_mode_sums *sums)
{
    for (int level = 0; level < HG_FOLD_LEVELS; level++) {
        hg_fine_clear(&sums->fine[level]);
    }
    for (int k = 0; k < 3; k++) {
        hg_power_clear(&sums->line[k]);
    }
    hg_wedges_clear(&sums->wedges);
}

hg_status
hg_measure_slice(const hg_comm *comm, const hg_sample_task *task, const hg_points *points)
{
    const hg_params_measure *o = &task->plan->params->measure;
    const hg_axis axis = {.step = task->box / (double)o->slice_cells, .n = (int)o->slice_cells};
    hg_histogram histogram = {.n_outside = 0};
    hg_label label;
    hg_map *map = NULL;
    hg_status status = hg_histogram_init(&axis, &axis, &histogram);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < points->n; i++) {
        double z =
            points->position[i][2] - task->box * floor(points->position[i][2] / task->box);

        if (z < o->slice_depth) {
            hg_histogram_add(&histogram, 1, &points->position[i][0], &points->position[i][1],
                             NULL);
        }
    }
    hg_histogram_sum(comm, &histogram);
    hg_sample_label(task, "slice", &label);
    label.log_x = false;
    snprintf(label.x_name, sizeof label.x_name, "x");
    snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
    snprintf(label.y_name, sizeof label.y_name, "y");
    snprintf(label.y_unit, sizeof label.y_unit, "Mpc");
    HG_TRY_OR(done, status, hg_statistics_map(task->statistics, &label, axis.n, axis.n, &map));
    memcpy(map->counts, histogram.count, (size_t)(axis.n * axis.n) * sizeof *map->counts);
    for (int i = 0; i <= axis.n; i++) {
        map->x_edges[i] = map->y_edges[i] = hg_axis_edge(&axis, i);
    }
    HG_TRY_OR(done, status,
              hg_attributes_text(&map->attributes, "selection",
                                 task->plan->sample[task->sample[0]].text));
    HG_TRY_OR(done, status,
              hg_attributes_real(&map->attributes, "depth", fmin(o->slice_depth, task->box)));
    status = hg_attributes_text(&map->attributes, "depth_unit", "Mpc");
done:
    hg_histogram_clear(&histogram);
    return hg_comm_agree(comm, status);
}
