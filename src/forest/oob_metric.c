/* Errors of the out-of-bag means. Medians are order statistics of a sorted copy (the mean of
 * the two middle ones for an even number). Metrics with weights, bins and draws are computed in
 * stats; they cannot be shared from there, because forest stands below it. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "forest/model.h"

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
find_median(size_t n, double v[])
{
    qsort(v, n, sizeof *v, compare_doubles);
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

hg_status
hg_forest_oob_metrics(const hg_forest *f, int target, hg_oob_metrics *m)
{
    double *e = NULL, y_mean = 0, p_mean = 0, yy = 0, pp = 0, py = 0, ee = 0, n;

    *m = (hg_oob_metrics){.r2 = (double)NAN, .pearson = (double)NAN};
    if (target < 0 || target >= f->n_target) {
        return HG_FAIL(HG_E_ARG, "there is no target %d: the forest has %d", target,
                       f->n_target);
    }
    HG_TRY(hg_mem_array(&e, (size_t)f->n_row, sizeof *e));
    for (int64_t i = 0; i < f->n_row; i++) {
        size_t at = (size_t)i * (size_t)f->n_target + (size_t)target;

        if (!isnan(f->residual[at])) {
            e[m->n++] = -(double)f->residual[at];
            y_mean += (double)f->value[at];
            p_mean += (double)f->value[at] - (double)f->residual[at];
        }
    }
    if (m->n == 0) {
        hg_mem_free(e);
        return HG_OK;
    }
    n = (double)m->n;
    y_mean /= n;
    p_mean /= n;
    for (int64_t i = 0; i < f->n_row; i++) {
        size_t at = (size_t)i * (size_t)f->n_target + (size_t)target;
        double r = (double)f->residual[at], y = (double)f->value[at] - y_mean;
        double p = (double)f->value[at] - r - p_mean;

        if (!isnan(f->residual[at])) {
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
    m->nmad = find_nmad((size_t)m->n, e);
    hg_mem_free(e);
    return HG_OK;
}
