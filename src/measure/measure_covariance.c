/* Both kinds are noisy: the Gaussian one as the spectrum itself is, the jackknife as its number
 * of regions allows. The file says so. */
#include "measure/measure_covariance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/log.h"

/* Labels of curves of the sample; names[k] is that of statistic[k]. */
static void
name_curves(const hg_sample_task *task, int n, const char *const statistic[], hg_label label[],
            const char *names[])
{
    for (int k = 0; k < n; k++) {
        hg_sample_label(task, statistic[k], &label[k]);
        names[k] = label[k].name;
    }
    snprintf(label[0].statistic, sizeof label[0].statistic, "covariance");
}

hg_status
hg_measure_gaussian(const hg_sample_task *task, const hg_power *power)
{
    static const char *const statistic[] = {"power", "power_quadrupole", "power_hexadecapole"};
    const int n_pole = power->n_pole;
    hg_label label[HG_POLES];
    const char *names[HG_POLES];
    hg_covariance *c = NULL;

    if (!task->plan->params->measure.covariance) {
        return HG_OK;
    }
    name_curves(task, n_pole, statistic, label, names);
    snprintf(label[0].x_name, sizeof label[0].x_name, "k");
    snprintf(label[0].x_unit, sizeof label[0].x_unit, "Mpc^-1");
    snprintf(label[0].y_unit, sizeof label[0].y_unit, "Mpc^6");
    HG_TRY(hg_statistics_covariance(task->statistics, label, "gaussian", n_pole, names,
                                    power->n, true, &c));
    for (int i = 0; i < power->n; i++) {
        c->x_low[i] = power->k_low[i];
        c->x_high[i] = power->k_high[i];
        for (int l = 0; l < n_pole; l++) {
            for (int other = 0; other < n_pole; other++) {
                c->value[(l * n_pole + other) * power->n + i] =
                    hg_power_covariance(power, i, l < other ? l : other, l < other ? other : l);
            }
        }
    }
    HG_TRY(hg_attributes_text(&c->attributes, "estimator",
                              "from the modes themselves, with shot noise; bins of k are "
                              "independent. As noisy as the spectrum: fits want the same with "
                              "a smooth model of P"));
    return hg_sample_attributes(task, &c->attributes);
}

static hg_status
describe_cut(const hg_sample_task *task, const hg_pairs *pairs, const hg_jackknife *cut,
             const char *statistic, hg_attributes *a)
{
    const double reach = hg_jackknife_reach(cut->side, task->box);

    if (pairs->edge[pairs->n] > reach && task->is_loud) {
        hg_log_warn("measure: jackknife errors of %s beyond %.3g Mpc, half a region, miss "
                    "fluctuations of the size of regions",
                    statistic, reach);
    }
    HG_TRY(hg_attributes_text(a, "estimator",
                              "cubes of the box left out in turn, terms linear in the density "
                              "removed, pairs across faces weighted (arXiv:2109.07071)"));
    HG_TRY(hg_attributes_real(a, "regions", cut->n_region));
    return hg_attributes_real(a, "trusted_below", reach);
}

hg_status
hg_measure_jackknife(const hg_sample_task *task, const hg_pairs *pairs, const hg_jackknife *cut,
                     const char *const statistic[])
{
    const bool projected = pairs->kind == HG_PAIRS_RP_PI;
    hg_label label[HG_POLES];
    const char *names[HG_POLES];
    hg_covariance *c = NULL;

    if (!task->plan->params->measure.covariance || cut->n_region == 0) {
        return HG_OK;
    }
    name_curves(task, cut->n_pole, statistic, label, names);
    snprintf(label[0].x_name, sizeof label[0].x_name, "%s",
             projected                   ? "rp"
             : pairs->kind == HG_PAIRS_R ? "r"
                                         : "s");
    snprintf(label[0].x_unit, sizeof label[0].x_unit, "Mpc");
    snprintf(label[0].y_unit, sizeof label[0].y_unit, "%s", projected ? "Mpc^2" : "");
    HG_TRY(hg_statistics_covariance(task->statistics, label, "jackknife", cut->n_pole, names,
                                    cut->n, false, &c));
    memcpy(c->x_low, pairs->edge, (size_t)cut->n * sizeof *c->x_low);
    memcpy(c->x_high, pairs->edge + 1, (size_t)cut->n * sizeof *c->x_high);
    hg_jackknife_covariance(cut, c->value);
    HG_TRY(describe_cut(task, pairs, cut, statistic[0], &c->attributes));
    return hg_sample_attributes(task, &c->attributes);
}

hg_status
hg_measure_jackknife_errors(const hg_jackknife *cut, int pole, int n, hg_curve *curve)
{
    const int m = cut->n_pole * cut->n;
    double *covariance = NULL;

    if (cut->n_region == 0) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&covariance, (size_t)m * (size_t)m, sizeof *covariance));
    hg_jackknife_covariance(cut, covariance);
    for (int i = 0; i < curve->n; i++) {
        const int k = pole * cut->n + i;

        curve->jackknife_error[i] = i < n ? sqrt(covariance[k * m + k]) : (double)NAN;
    }
    hg_mem_free(covariance);
    return HG_OK;
}
