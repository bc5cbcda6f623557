/* Equal bins found by one multiplication; 1/step is rounded to an integer where it is one, so
 * that edges such as 10.2 dex fall where they are written. */
#include "stats/histogram.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

static double
inverse_step(double step)
{
    double inverse = 1 / step, near = rint(inverse);

    return fabs(inverse - near) < 1e-9 * near ? near : inverse;
}

int
hg_axis_bin(const hg_axis *axis, double value)
{
    double t = ((axis->log ? log10(value) : value) - axis->low) * inverse_step(axis->step);

    return t >= 0 && t < (double)axis->n ? (int)t : -1;
}

static double
axis_value(const hg_axis *axis, double bin)
{
    double t = axis->low + bin / inverse_step(axis->step);

    return axis->log ? pow(10, t) : t;
}

double
hg_axis_edge(const hg_axis *axis, int i)
{
    return axis_value(axis, i);
}

double
hg_axis_centre(const hg_axis *axis, int i)
{
    return axis_value(axis, i + 0.5);
}

hg_status
hg_histogram_init(const hg_axis *x, const hg_axis *y, hg_histogram *histogram)
{
    *histogram = (hg_histogram){.x = *x, .y = *y};
    if (x->n < 1 || y->n < 1 || !(x->step > 0) || !(y->step > 0)) {
        return HG_FAIL(HG_E_ARG,
                       "a histogram of %d by %d bins of width %g and %g is not possible", x->n,
                       y->n, x->step, y->step);
    }
    return hg_mem_zeros(&histogram->count, (size_t)x->n * (size_t)y->n,
                        sizeof *histogram->count);
}

void
hg_histogram_clear(hg_histogram *histogram)
{
    hg_mem_free(histogram->count);
    memset(histogram, 0, sizeof *histogram);
}

void
hg_histogram_add(hg_histogram *histogram, int64_t n, const double x[], const double y[],
                 const uint8_t keep[])
{
    for (int64_t i = 0; i < n; i++) {
        int a = 0, b = 0;

        if (keep != NULL && !keep[i]) {
            continue;
        }
        a = hg_axis_bin(&histogram->x, x[i]);
        b = a < 0 ? -1 : hg_axis_bin(&histogram->y, y[i]);
        if (b < 0) {
            histogram->n_outside++;
        } else {
            histogram->count[(int64_t)a * histogram->y.n + b]++;
        }
    }
}

/* Range of used bins of one axis: `along` elements at distance `step`, others at `other`. */
static void
find_range(const int64_t *count, int n, int64_t step, int n_other, int64_t other, int *first,
           int *end)
{
    *first = n;
    *end = 0;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n_other; k++) {
            if (count[i * step + k * other] != 0) {
                *first = i < *first ? i : *first;
                *end = i + 1;
                break;
            }
        }
    }
    *first = *end == 0 ? 0 : *first;
}

void
hg_histogram_range_x(const hg_histogram *h, int *first, int *end)
{
    find_range(h->count, h->x.n, h->y.n, h->y.n, 1, first, end);
}

void
hg_histogram_range_y(const hg_histogram *h, int *first, int *end)
{
    find_range(h->count, h->y.n, 1, h->x.n, h->y.n, first, end);
}

void
hg_histogram_sum(const hg_comm *comm, hg_histogram *histogram)
{
    int64_t low, high, n_y = histogram->y.n;
    int first, end;

    hg_histogram_range_x(histogram, &first, &end);
    low = end > 0 ? first : histogram->x.n;
    high = end;
    hg_comm_min(comm, 1, &low);
    hg_comm_max(comm, 1, &high);
    if (low < high) { /* the rows that any rank has used */
        hg_comm_sum(comm, (size_t)((high - low) * n_y), histogram->count + low * n_y);
    }
    hg_comm_sum(comm, 1, &histogram->n_outside);
}
