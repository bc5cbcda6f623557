/* Errors of the out-of-bag means. Medians are order statistics of a sorted copy (the mean of
 * the two middle ones for an even number). Metrics with weights, bins and draws are computed in
 * stats; they cannot be shared from there, because forest stands below it. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "forest/model.h"

static double
find_median(size_t n, double v[])
{
    qsort(v, n, sizeof *v, hg_order_f64);
    return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

static double
find_nmad(size_t n, double e[])
{
    double median = find_median(n, e);

    for (size_t i = 0; i < n; i++) {
        e[i] = fabs(e[i] - median);
    }
    return 1.4826 * find_median(n, e);
}

/* metrics from targets and residuals; `e` takes the errors, NULL = no median */
static void
measure(const hg_forest *f, int target, const float value[], const float residual[], double e[],
        hg_oob_metrics *m)
{
    double y_mean = 0, p_mean = 0, yy = 0, pp = 0, py = 0, ee = 0, n;

    for (int64_t i = 0; i < f->n_row; i++) {
        size_t at = (size_t)i * (size_t)f->n_target + (size_t)target;

        if (!isnan(residual[at])) {
            if (e != NULL) {
                e[m->n] = -(double)residual[at];
            }
            m->n++;
            y_mean += (double)value[at];
            p_mean += (double)value[at] - (double)residual[at];
        }
    }
    if (m->n == 0) {
        return;
    }
    n = (double)m->n;
    y_mean /= n;
    p_mean /= n;
    for (int64_t i = 0; i < f->n_row; i++) {
        size_t at = (size_t)i * (size_t)f->n_target + (size_t)target;
        double r = (double)residual[at], y = (double)value[at] - y_mean;
        double p = (double)value[at] - r - p_mean;

        if (!isnan(residual[at])) {
            yy += y * y;
            pp += p * p;
            py += p * y;
            ee += r * r;
            m->bias -= r / n;
            m->mae += fabs(r) / n;
            m->within_02 += (fabs(r) < 0.2) / n;
        }
    }
    m->r2 = 1 - ee / yy;
    m->rmse = sqrt(ee / n);
    m->pearson = py / sqrt(pp * yy);
    m->nmad = e != NULL ? find_nmad((size_t)m->n, e) : (double)NAN;
}

/* rank 0 sees the files as memory; a median would need all errors at once */
static hg_status
measure_on_disk(const hg_forest *f, int target, hg_oob_metrics *m)
{
    float *value = NULL, *residual = NULL;
    hg_status status;

    if (f->spill == NULL) {
        return HG_OK;
    }
    status = hg_spill_map(f->spill, HG_SPILL_VALUE, &value);
    status = status != HG_OK ? status : hg_spill_map(f->spill, HG_SPILL_RESIDUAL, &residual);
    if (status == HG_OK) {
        measure(f, target, value, residual, NULL, m);
    }
    hg_spill_unmap(f->spill, HG_SPILL_VALUE, value);
    hg_spill_unmap(f->spill, HG_SPILL_RESIDUAL, residual);
    return status;
}

hg_status
hg_forest_oob_metrics(const hg_forest *f, int target, hg_oob_metrics *m)
{
    double *e = NULL;

    *m = (hg_oob_metrics){.r2 = (double)NAN, .pearson = (double)NAN};
    if (target < 0 || target >= f->n_target) {
        return HG_FAIL(HG_E_ARG, "there is no target %d: the forest has %d", target,
                       f->n_target);
    }
    if (f->is_on_disk) {
        return measure_on_disk(f, target, m);
    }
    HG_TRY(hg_mem_array(&e, (size_t)f->n_row, sizeof *e));
    measure(f, target, f->value, f->residual, e, m);
    hg_mem_free(e);
    return HG_OK;
}
