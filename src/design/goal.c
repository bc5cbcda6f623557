/* Shares of a cell come from its draws with half a draw added, so that an event that was never
 * drawn keeps a little variance. The slope dp/dy of a share with a shift of all galaxies is the
 * difference of the densities at the edges of the bin. */
#include "design/goal.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "table/recipe.h"

double
hg_design_region_scatter(int64_t n, const uint64_t group[], size_t stride,
                         const float residual[])
{
    double sum = 0, between = 0, within = 0, total = 0, squares = 0, n_group = 0;

    for (int64_t i = 0; i < n;) {
        double own = 0, own2 = 0, count = 0;
        int64_t k = i;

        for (; k < n && group[k] == group[i]; k++) {
            const double r = (double)residual[(size_t)k * stride];

            if (isfinite(r)) {
                own += r;
                own2 += r * r;
                count++;
            }
        }
        i = k;
        if (count > 0) {
            sum += own;
            between += own * own / count;
            within += own2 - own * own / count;
            total += count;
            squares += count * count;
            n_group++;
        }
    }
    if (n_group < 2 || total <= n_group) {
        return 0;
    }
    between = (between - sum * sum / total) / (n_group - 1);
    within /= total - n_group;
    return sqrt(fmax(0, (between - within) * (n_group - 1) / (total - squares / total)));
}

hg_status
hg_design_model_scatter(const hg_stages *model, const char *target, double *scatter)
{
    *scatter = 0;
    for (int s = 0; s < hg_stages_count(model); s++) {
        const hg_forest *forest = hg_stages_forest(model, s);
        const int n = hg_forest_targets(forest);

        for (int t = 0; t < n && !hg_stages_is_label(model, s); t++) {
            const hg_field_spec *spec = hg_forest_target(forest, t);

            if (strcmp(spec->name, target) != 0 || hg_stages_use(model, s) == HG_STAGE_MEAN) {
                continue;
            }
            if (strncmp(spec->transform, "log10", 5) != 0) {
                return HG_FAIL(HG_E_INPUT,
                               "Design.target '%s' is learned as '%s': design works with "
                               "targets whose transform is log10",
                               target, spec->transform);
            }
            *scatter =
                hg_forest_residuals(forest) == NULL
                    ? 0
                    : hg_design_region_scatter(hg_forest_rows(forest), hg_forest_groups(forest),
                                               (size_t)n, hg_forest_residuals(forest) + t);
            return HG_OK;
        }
    }
    return HG_FAIL(HG_E_INPUT, "the model has no target '%s' (Design.target)", target);
}

/* Draws of a cell between two steps. */
static double
draws_between(const hg_design_survey *s, int cell, int first, int end)
{
    const int64_t *drawn = s->drawn + (size_t)cell * (size_t)s->n_fine;
    int64_t sum = 0;

    for (int f = first; f < end; f++) {
        sum += drawn[f];
    }
    return (double)sum;
}

/* Draws of a cell per dex at an edge between steps. */
static double
density_at(const hg_design_survey *s, int cell, int edge)
{
    const int reach = 2, first = edge - reach > 0 ? edge - reach : 0,
              end = edge + reach < s->n_fine ? edge + reach : s->n_fine;

    return end > first ? draws_between(s, cell, first, end) / ((end - first) * HG_DESIGN_STEP)
                       : 0;
}

static double
objects_between(const hg_design_survey *s, int first, int end)
{
    double sum = 0;

    for (int c = 0; c < s->n_cell; c++) {
        sum += draws_between(s, c, first, end);
    }
    return sum / s->n_draw;
}

/* Mean bias of the centrals around haloes of a cell, times one unknown number. */
static double
bias_of(const hg_design_survey *s, int cell)
{
    const double n = s->n_side, mean = 27.0 * (double)s->n_central / (n * n * n);

    return (double)s->around[cell] / ((double)s->halo[cell] * mean) - 1;
}

static void
fill_quantity(const hg_design_survey *s, int q, int first, int end, hg_design_goal *g)
{
    const double total = objects_between(s, first, end);
    const bool is_sample = q >= g->n_bin;
    double bias = 0;

    g->objects[q] = total;
    for (int c = 0; c < s->n_cell && is_sample; c++) {
        if (s->halo[c] > 0) {
            bias += bias_of(s, c) * draws_between(s, c, first, end) / s->n_draw / total;
        }
    }
    for (int c = 0; c < s->n_cell; c++) {
        const size_t i = (size_t)q * (size_t)s->n_cell + (size_t)c;
        const double halo = (double)s->halo[c], draws = halo * s->n_draw;
        double share, slope, lever = 1;

        if (s->halo[c] == 0) {
            continue;
        }
        share = (draws_between(s, c, first, end) + 0.5) / (draws + 1);
        slope = (density_at(s, c, first) - (is_sample ? 0 : density_at(s, c, end))) / draws;
        g->within[i] = share * (1 - share);
        g->between[i] = g->scatter * slope * g->scatter * slope;
        if (is_sample) {
            lever = 2 * (bias_of(s, c) / bias - 1);
        }
        g->weight[i] = halo / total * lever * (halo / total * lever);
    }
}

static int
step_of(const hg_design_survey *s, double value)
{
    return (int)floor((log10(value) - s->fine_low) / HG_DESIGN_STEP + 0.5);
}

static double
value_of(const hg_design_survey *s, int step)
{
    return pow(10, s->fine_low + step * HG_DESIGN_STEP);
}

/* Steps that begin and end the quantities; returns how many there are. */
static int
list_quantities(const hg_design_survey *s, hg_design_goal *g, int first[], int end[])
{
    const hg_params_design *d = &s->params->design;
    const int width = (int)fmax(1, floor(d->width / HG_DESIGN_STEP + 0.5));

    for (int f = step_of(s, d->least); f + width <= s->n_fine; f += width) {
        if (objects_between(s, f, f + width) < d->objects_min) {
            break;
        }
        first[g->n_bin] = f;
        end[g->n_bin++] = f + width;
    }
    for (int t = 0; t < d->thresholds.n; t++) {
        const int f = step_of(s, d->thresholds.v[t]);

        if (objects_between(s, f, s->n_fine) >= d->objects_min) {
            first[g->n_bin + g->n_sample] = f;
            end[g->n_bin + g->n_sample++] = s->n_fine;
        }
    }
    return g->n_bin + g->n_sample;
}

hg_status
hg_design_goal_make(const hg_design_survey *survey, double scatter, hg_design_goal *goal)
{
    enum { MOST = 200 };
    const hg_params_design *d = &survey->params->design;
    int first[MOST] = {0}, end[MOST] = {0};
    size_t n, size;

    *goal = (hg_design_goal){.scatter = scatter};
    n = (size_t)list_quantities(survey, goal, first, end);
    if (goal->n_bin == 0 && d->power_weight < 1) {
        return HG_FAIL(HG_E_INPUT,
                       "the draws of '%s' put fewer than %g objects into the bin above %g "
                       "(Design.least): lower it, or Design.objects_min",
                       d->target, d->objects_min, d->least);
    }
    if (goal->n_sample == 0 && d->power_weight > 0) {
        return HG_FAIL(HG_E_INPUT,
                       "the draws of '%s' put fewer than %g objects above every one of "
                       "Design.thresholds: lower them, or Design.objects_min, or set "
                       "Design.power_weight to 0",
                       d->target, d->objects_min);
    }
    size = n * (size_t)survey->n_cell;
    HG_TRY(hg_mem_zeros(&goal->low, n, sizeof *goal->low));
    HG_TRY(hg_mem_zeros(&goal->high, n, sizeof *goal->high));
    HG_TRY(hg_mem_zeros(&goal->objects, n, sizeof *goal->objects));
    HG_TRY(hg_mem_zeros(&goal->within, size, sizeof *goal->within));
    HG_TRY(hg_mem_zeros(&goal->between, size, sizeof *goal->between));
    HG_TRY(hg_mem_zeros(&goal->weight, size, sizeof *goal->weight));
    for (int q = 0; q < (int)n; q++) {
        fill_quantity(survey, q, first[q], end[q], goal);
        goal->low[q] = value_of(survey, first[q]);
        goal->high[q] = q < goal->n_bin ? value_of(survey, end[q]) : (double)INFINITY;
    }
    return HG_OK;
}

void
hg_design_goal_clear(hg_design_goal *goal)
{
    hg_mem_free(goal->low);
    hg_mem_free(goal->high);
    hg_mem_free(goal->objects);
    hg_mem_free(goal->within);
    hg_mem_free(goal->between);
    hg_mem_free(goal->weight);
    *goal = (hg_design_goal){0};
}

void
hg_design_goal_balance(hg_design_goal *goal, const hg_design_problem *problem,
                       const double information[], double power_weight)
{
    const int from[3] = {0, goal->n_bin, goal->n_bin + goal->n_sample};
    const double share[2] = {1 - power_weight, power_weight};

    for (int k = 0; k < 2; k++) {
        const double error = hg_design_error(problem, from[k], from[k + 1], information);

        goal->start[k] = error / (from[k + 1] - from[k]);
        for (size_t i = (size_t)from[k] * (size_t)problem->n_cell;
             i < (size_t)from[k + 1] * (size_t)problem->n_cell; i++) {
            goal->weight[i] *= error > 0 ? share[k] / error : 0;
        }
    }
}

void
hg_design_goal_errors(const hg_design_goal *goal, const hg_design_problem *problem,
                      const double information[], double power_weight, double error[2])
{
    const double bins = hg_design_error(problem, 0, goal->n_bin, information),
                 samples =
                     hg_design_error(problem, goal->n_bin, problem->n_quantity, information);

    error[0] =
        power_weight < 1 ? sqrt(goal->start[0] * bins / (1 - power_weight)) : (double)NAN;
    error[1] = power_weight > 0 ? sqrt(goal->start[1] * samples / power_weight) : (double)NAN;
}
