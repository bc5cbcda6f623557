/* wp is summed over bins by their area, which counts pairs above random: single bins are noisy.
 * A bin without pairs, where the curve has no value, counts as what the estimator gives for it.
 */
#include "measure/measure_orphans.h"

#include <math.h>
#include <stdio.h>

#include "halograft/log.h"

static const double one_halo = 0.6; /* Mpc/h */

/* Sum of wp times area up to a separation; NAN where no bin ends before it. */
static double
sum_up(const hg_curve *wp, double pi_max, double rp_max, double *last)
{
    double sum = (double)NAN;

    *last = 0;
    for (int64_t i = 0; i < wp->n && wp->x_high[i] <= rp_max; i++) {
        const double area = M_PI * (pow(wp->x_high[i], 2) - pow(wp->x_low[i], 2));

        sum = (i == 0 ? 0 : sum) + (isnan(wp->y[i]) ? -2 * pi_max : wp->y[i]) * area;
        *last = wp->x_high[i];
    }
    return sum;
}

static hg_status
add_score(const hg_measured *source, const char *sample, double ratio, double rp_max,
          hg_statistics *statistics)
{
    char name[HG_LABEL_MAX];
    hg_score *score = NULL;

    snprintf(name, sizeof name, "one_halo_%.60s_%.50s", sample, source->name);
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_real(&score->attributes, "without_orphans", ratio));
    return hg_attributes_real(&score->attributes, "rp_max", rp_max);
}

hg_status
hg_measure_orphans(const hg_measure_plan *plan, const hg_measured *source,
                   hg_statistics *statistics)
{
    const double pi_max = plan->params->measure.pi_max;
    const double rp_max = one_halo / hg_catalog_frame(source->catalog)->h;

    for (int s = 0; s < plan->n_sample; s++) {
        const hg_sample *sample = &plan->sample[s],
                        *other = &plan->sample[sample->without_orphans];
        char name[2][HG_LABEL_MAX + 4];
        const hg_curve *with, *without;
        double ratio, last;

        snprintf(name[0], sizeof name[0], "wp_%s", sample->name);
        snprintf(name[1], sizeof name[1], "wp_%s", other->name);
        with = hg_statistics_find(statistics, source->name, name[0]);
        without = hg_statistics_find(statistics, source->name, name[1]);
        if (sample->without_orphans == 0 || with == NULL || without == NULL) {
            continue;
        }
        ratio = sum_up(without, pi_max, rp_max, &last) / sum_up(with, pi_max, rp_max, &last);
        if (!isfinite(ratio)) {
            continue;
        }
        hg_log_info("measure: %s, sample %s: without orphans %.3f of wp(rp) below %.2f Mpc is "
                    "left",
                    source->name, sample->name, ratio, last);
        HG_TRY(add_score(source, sample->name, ratio, last, statistics));
    }
    return HG_OK;
}
