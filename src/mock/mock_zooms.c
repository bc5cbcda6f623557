/* Levels are filled from the outside inwards, since the extremes have the fewest places. For a
 * level the nearest points to its nu are taken that keep their distance from all regions chosen
 * before; the outermost levels so get the extremes of the box themselves. Where no point keeps
 * the distance it is relaxed in steps, loudly by the caller. Volume shares count lattice points
 * between the midpoints of levels; a level without regions gives its share to its neighbour on
 * the side of the mean, and so on. */
#include "mock/mock_zooms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"

double
hg_mock_distance2(const double a[3], const double b[3], double box)
{
    double sum = 0;

    for (int k = 0; k < 3; k++) {
        double d = fabs(a[k] - b[k]);

        d = d > 0.5 * box ? box - d : d;
        sum += d * d;
    }
    return sum;
}

typedef struct search {
    int n_point;
    double box;
    const float *nu;
    int n_done;
    hg_region *region;
    double *chosen; /* nu of the chosen */
} search;

static void
point_position(const search *s, size_t i, double x[3])
{
    const double step = s->box / s->n_point;

    hg_mock_cell_place((int64_t)i, s->n_point, x);
    for (int k = 0; k < 3; k++) {
        x[k] *= step;
    }
}

static double
gap_to_chosen(const search *s, const double x[3])
{
    double least = HUGE_VAL;

    for (int r = 0; r < s->n_done; r++) {
        least = fmin(least, hg_mock_distance2(x, s->region[r].centre, s->box));
    }
    return sqrt(least);
}

/* Nearest point in nu that keeps `gap`; n_point^3 when there is none. */
static size_t
find_point(const search *s, double level, double gap)
{
    size_t n = (size_t)s->n_point, end = n * n * n, best = end;
    double nearest = HUGE_VAL, x[3];

    for (size_t i = 0; i < end; i++) {
        double off = fabs((double)s->nu[i] - level);

        if (off < nearest) {
            point_position(s, i, x);
            if (gap_to_chosen(s, x) >= gap) {
                nearest = off;
                best = i;
            }
        }
    }
    return best;
}

static hg_status
take_point(search *s, const hg_mock_plan *plan, double level, double radius, double buffer,
           const float delta[], double *closest)
{
    size_t n = (size_t)s->n_point, best = n * n * n;
    hg_region *r = &s->region[s->n_done];

    for (double gap = 2 * radius + buffer; best == n * n * n; gap *= 0.9) {
        if (gap < 1e-3 * s->box / s->n_point) {
            return HG_FAIL(HG_E_PARAM,
                           "the box has no place for %d zoom regions: ask for fewer "
                           "in Mock.zooms",
                           s->n_done + 1);
        }
        best = find_point(s, level, gap);
    }
    *r = (hg_region){.region = s->n_done,
                     .radius = radius,
                     .delta = (double)delta[best],
                     .redshift = plan->redshift};
    snprintf(r->run, sizeof r->run, "mock");
    point_position(s, best, r->centre);
    *closest = fmin(*closest, gap_to_chosen(s, r->centre));
    s->chosen[s->n_done++] = (double)s->nu[best];
    return HG_OK;
}

/* nu of every point; its smallest and largest value. */
static void
standardise(size_t n, const float delta[], float nu[], double range[2])
{
    double sum = 0, sum2 = 0, mean, rms;

    for (size_t i = 0; i < n; i++) {
        double l = log(fmax(1 + (double)delta[i], 1e-3));

        nu[i] = (float)l;
        sum += l;
        sum2 += l * l;
    }
    mean = sum / (double)n;
    rms = sqrt(fmax(sum2 / (double)n - mean * mean, 1e-30));
    range[0] = HUGE_VAL;
    range[1] = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        nu[i] = (float)(((double)nu[i] - mean) / rms);
        range[0] = fmin(range[0], (double)nu[i]);
        range[1] = fmax(range[1], (double)nu[i]);
    }
}

static int
level_of(double nu, const double range[2], int n_level)
{
    double step = n_level > 1 ? (range[1] - range[0]) / (n_level - 1) : 1;
    int level = n_level > 1 ? (int)floor((nu - range[0]) / step + 0.5) : 0;

    return level < 0 ? 0 : level < n_level ? level : n_level - 1;
}

/* Region weights from the share of points at every level. */
static void
weigh(const search *s, const double range[2], int n_level, double share[], int count[])
{
    size_t n = (size_t)s->n_point;
    int middle = level_of(0, range, n_level), total = s->n_done;

    for (int l = 0; l < n_level; l++) {
        share[l] = 0;
        count[l] = 0;
    }
    for (size_t i = 0; i < n * n * n; i++) {
        share[level_of((double)s->nu[i], range, n_level)] += 1.0 / (double)(n * n * n);
    }
    for (int r = 0; r < total; r++) {
        count[level_of(s->chosen[r], range, n_level)]++;
    }
    for (int l = 0; l < middle; l++) { /* outside inwards, towards the mean */
        if (count[l] == 0) {
            share[l + 1] += share[l];
        }
    }
    for (int l = n_level - 1; l > middle; l--) {
        if (count[l] == 0) {
            share[l - 1] += share[l];
        }
    }
    for (int off = 1; count[middle] == 0 && off < n_level; off++) { /* an empty middle */
        int below = middle - off, above = middle + off;
        int to = above < n_level && count[above] > 0 ? above : below;

        if (to >= 0 && count[to] > 0) {
            share[to] += share[middle];
            break;
        }
    }
    for (int r = 0; r < total; r++) {
        int l = level_of(s->chosen[r], range, n_level);

        s->region[r].weight = share[l] / count[l];
    }
}

hg_status
hg_mock_zooms_choose(const hg_mock_plan *plan, int n_point, const float delta[], int n,
                     double radius, double buffer, hg_region regions[], double *closest)
{
    size_t points = (size_t)n_point * (size_t)n_point * (size_t)n_point;
    int n_level = n / 2 > 1 ? n / 2 : 1, *count = NULL;
    double range[2], *work = NULL, *share;
    float *nu = NULL;
    hg_status status;
    search s;

    *closest = HUGE_VAL;
    HG_TRY_OR(done, status, hg_mem_array(&nu, points, sizeof *nu));
    HG_TRY_OR(done, status, hg_mem_array(&work, (size_t)(n + n_level), sizeof *work));
    HG_TRY_OR(done, status, hg_mem_array(&count, (size_t)n_level, sizeof *count));
    share = work + n;
    standardise(points, delta, nu, range);
    s = (search){n_point, plan->box, nu, 0, regions, work};
    for (int i = 0; i < n_level; i++) {
        int l = i % 2 == 0 ? n_level - 1 - i / 2 : i / 2;
        double level = n_level > 1 ? range[0] + l * (range[1] - range[0]) / (n_level - 1) : 0;
        int wanted = n / n_level + (i < n % n_level);

        for (int k = 0; k < wanted; k++) {
            HG_TRY_OR(done, status,
                      take_point(&s, plan, level, radius, buffer, delta, closest));
        }
    }
    weigh(&s, range, n_level, share, count);
done:
    hg_mem_free(nu);
    hg_mem_free(work);
    hg_mem_free(count);
    return status;
}

static hg_status
check_place(const hg_params_mock *param, const hg_region *r)
{
    const double sum = r->centre[0] + r->centre[1] + r->centre[2] + r->radius;

    if (!isfinite(sum)) {
        return HG_FAIL(HG_E_INPUT,
                       "Mock.zoom_table '%s': region %" PRId64 " lacks x, y, z or radius",
                       param->zoom_table, r->region);
    }
    for (int k = 0; k < 3; k++) {
        if (r->centre[k] < 0 || r->centre[k] >= param->box || 2 * r->radius > param->box) {
            return HG_FAIL(HG_E_INPUT,
                           "Mock.zoom_table '%s': region %" PRId64 ", %g Mpc about (%g, %g, "
                           "%g) Mpc, does not lie in the box of %g Mpc",
                           param->zoom_table, r->region, r->radius, r->centre[0], r->centre[1],
                           r->centre[2], param->box);
        }
    }
    return HG_OK;
}

hg_status
hg_mock_zooms_read(const hg_comm *comm, const hg_params_mock *param, int *n,
                   hg_region **regions)
{
    bool has_weight = true;
    hg_status status = HG_OK;

    HG_TRY(hg_regions_read(comm, param->zoom_table, "mock", n, regions));
    for (int r = 0; r < *n && status == HG_OK; r++) {
        status = check_place(param, &(*regions)[r]);
        has_weight = has_weight && isfinite((*regions)[r].weight);
    }
    for (int r = 0; r < *n && status == HG_OK; r++) {
        hg_region *region = &(*regions)[r];

        region->region = r;
        region->redshift = param->redshift;
        region->weight = has_weight ? region->weight : 1.0 / *n;
        snprintf(region->run, sizeof region->run, "mock");
    }
    if (status != HG_OK) {
        hg_mem_free(*regions);
        *regions = NULL;
        *n = 0;
    }
    return status;
}
