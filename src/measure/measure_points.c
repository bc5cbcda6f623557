/* Rows of a pass stand in the order of the catalogue, so two samples are merged by row number.
 * Ranks read equal ranges of catalogues with equally many rows. Sums over ranks are of
 * integers: the same bits for any number of them. */
#include "measure/measure_points.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

hg_status
hg_points_take(const hg_measure_plan *plan, const hg_measure_pass *pass, int sample, hg_los los,
               hg_points *points)
{
    int64_t n = 0;

    for (int64_t i = 0; i < pass->n_selected; i++) {
        n += (int64_t)(pass->selected[i].mask >> sample & 1);
    }
    *points = (hg_points){.n = n, .n_catalogue = pass->n_catalogue};
    HG_TRY(hg_mem_array(&points->position, (size_t)n, sizeof *points->position));
    HG_TRY(hg_mem_array(&points->row, (size_t)n, sizeof *points->row));
    if (plan->sample[sample].weight != NULL) {
        HG_TRY(hg_mem_array(&points->weight, (size_t)n, sizeof *points->weight));
        if (n > 0) {
            memcpy(points->weight, pass->weight[sample], (size_t)n * sizeof *points->weight);
        }
    }
    n = 0;
    for (int64_t i = 0; i < pass->n_selected; i++) {
        const hg_selected *selected = &pass->selected[i];

        if (selected->mask >> sample & 1) {
            memcpy(points->position[n], selected->position, sizeof selected->position);
            if (los != HG_LOS_NONE) { /* the estimators fold what leaves the box */
                points->position[n][los] +=
                    pass->mpc_per_speed * (double)pass->velocity[i][los];
            }
            points->row[n++] = selected->row;
        }
    }
    return HG_OK;
}

void
hg_points_clear(hg_points *points)
{
    hg_mem_free(points->position);
    hg_mem_free(points->weight);
    hg_mem_free(points->row);
    memset(points, 0, sizeof *points);
}

hg_cells_points
hg_points_view(const hg_points *points)
{
    return (hg_cells_points){.n = points->n,
                             .position = (const double(*)[3])points->position,
                             .weight = points->weight};
}

static bool
same_place(const double a[3], const double b[3])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

/* Products of weights of the rows that are in both: their number, the largest, and their sum as
 * integers, `scale` to one. */
typedef struct common_rows {
    int64_t n, sum;
    double largest;
} common_rows;

static common_rows
merge_rows(const hg_points *a, const hg_points *b, double scale)
{
    common_rows c = {0};

    for (int64_t i = 0, j = 0; i < a->n && j < b->n;) {
        if (a->row[i] == b->row[j]) {
            if (same_place(a->position[i], b->position[j])) {
                const double product = (a->weight != NULL ? a->weight[i] : 1) *
                                       (b->weight != NULL ? b->weight[j] : 1);

                c.n++;
                c.largest = fmax(c.largest, product);
                c.sum += llrint(scale * product);
            }
            i++;
            j++;
        } else if (a->row[i] < b->row[j]) {
            i++;
        } else {
            j++;
        }
    }
    return c;
}

double
hg_points_common(const hg_comm *comm, const hg_points *a, const hg_points *b)
{
    common_rows c = {0};
    int largest_bits, count_bits;
    double scale;

    if (a->n_catalogue != b->n_catalogue) {
        return 0;
    }
    c = merge_rows(a, b, 0);
    hg_comm_sum(comm, 1, &c.n);
    hg_comm_max_double(comm, 1, &c.largest);
    frexp(c.largest, &largest_bits);
    frexp((double)c.n, &count_bits);
    scale = ldexp(1, 62 - count_bits - largest_bits);
    c = merge_rows(a, b, scale);
    hg_comm_sum(comm, 1, &c.sum);
    return (double)c.sum / scale;
}
