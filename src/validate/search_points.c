/* An axis is a list of numbers; names of splitters stand for their numbers. */
#include "validate/search_points.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { POINTS_MAX = 65535, TRIALS_MAX = 10000000 };

static const char *const axis_names[HG_SEARCH_AXES] = {
    "trees", "splitter", "bins", "min_leaf", "min_split", "max_depth", "max_features"};
static const char *const splitter_names[] = {"random", "best"};

const char *
hg_search_axis_name(int axis)
{
    return axis_names[axis];
}

static double
get_value(const hg_train_options *o, int axis)
{
    const double value[HG_SEARCH_AXES] = {o->trees,       o->splitter,  o->bins,
                                          o->min_leaf,    o->min_split, o->max_depth,
                                          o->max_features};

    return value[axis];
}

static void
set_value(hg_train_options *o, int axis, double value)
{
    int *const whole[] = {&o->trees,    NULL,          &o->bins,
                          &o->min_leaf, &o->min_split, &o->max_depth};

    if (axis == HG_SEARCH_MAX_FEATURES) {
        o->max_features = value;
    } else if (axis == HG_SEARCH_SPLITTER) {
        o->splitter = (hg_splitter)value;
    } else {
        *whole[axis] = (int)value;
    }
}

void
hg_search_axis_text(const hg_trial *point, int axis, size_t n, char text[])
{
    if (axis == HG_SEARCH_SPLITTER) {
        snprintf(text, n, "%s", splitter_names[point->options.splitter]);
    } else {
        snprintf(text, n, "%.9g", get_value(&point->options, axis));
    }
}

/* ---- the lists ---- */
static hg_status
read_splitters(const hg_strings *names, hg_reals *list)
{
    list->n = names->n;
    for (int i = 0; i < names->n; i++) {
        int k = 0;

        while (k < 2 && strcmp(names->v[i], splitter_names[k]) != 0) {
            k++;
        }
        if (k == 2) {
            return HG_FAIL(HG_E_PARAM,
                           "Validate.search_splitter: '%s' is neither 'random' nor 'best'",
                           names->v[i]);
        }
        list->v[i] = k;
    }
    return HG_OK;
}

static hg_status
read_lists(const hg_params_validate *p, hg_reals list[])
{
    const hg_reals *given[HG_SEARCH_AXES] = {&p->search_trees,       NULL,
                                             &p->search_bins,        &p->search_min_leaf,
                                             &p->search_min_split,   &p->search_max_depth,
                                             &p->search_max_features};

    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        if (a == HG_SEARCH_SPLITTER) {
            HG_TRY(read_splitters(&p->search_splitter, &list[a]));
            continue;
        }
        list[a] = *given[a];
        for (int i = 0; i < list[a].n; i++) {
            const double x = list[a].v[i];

            if (a != HG_SEARCH_MAX_FEATURES && x != floor(x)) {
                return HG_FAIL(HG_E_PARAM, "Validate.search_%s: %g is no whole number",
                               axis_names[a], x);
            }
            if (a == HG_SEARCH_MAX_FEATURES && !(x > 0)) {
                return HG_FAIL(HG_E_PARAM,
                               "Validate.search_max_features: %g of the features is none, take "
                               "more",
                               x);
            }
        }
    }
    return HG_OK;
}

/* Points of the grid, or as many as were asked for. */
static hg_status
count_points(const hg_params_validate *p, const hg_reals list[], hg_search_points *points)
{
    int64_t n = 1;
    bool is_given = false;

    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        points->varied[a] = list[a].n > 0;
        is_given = is_given || list[a].n > 0;
        n *= list[a].n > 0 ? list[a].n : 1; /* at most 64^7 */
    }
    if (strcmp(p->search, "none") == 0) {
        return is_given ? HG_FAIL(HG_E_PARAM,
                                  "there are lists Validate.search_... but Validate.search is "
                                  "'none': set it to 'grid' or 'random', or take them out")
                        : HG_OK;
    }
    if (!is_given) {
        return HG_FAIL(HG_E_PARAM,
                       "Validate.search is '%s' but there is nothing to search: give a list, "
                       "such as Validate.search_min_leaf: [1, 3, 10]",
                       p->search);
    }
    n = strcmp(p->search, "random") == 0 ? p->search_points : n;
    if (n > POINTS_MAX) {
        return HG_FAIL(HG_E_PARAM,
                       "the grid has %" PRId64 " points, more than %d: shorten lists, or set "
                       "Validate.search to 'random'",
                       n, POINTS_MAX);
    }
    points->n_search = (int)n;
    return HG_OK;
}

/* ---- values ---- */
static void
set_grid(const hg_reals list[], int number, hg_train_options *o)
{
    for (int a = HG_SEARCH_AXES - 1; a >= 0; a--) {
        if (list[a].n > 0) {
            set_value(o, a, list[a].v[number % list[a].n]);
            number /= list[a].n;
        }
    }
}

static double
draw_value(const hg_reals *list, int axis, hg_stream *stream)
{
    const double u = hg_stream_uniform(stream);
    double low = list->v[0], high = list->v[0];

    if (axis == HG_SEARCH_SPLITTER || axis == HG_SEARCH_MAX_DEPTH) {
        return list->v[(int)(u * list->n)];
    }
    for (int i = 1; i < list->n; i++) {
        low = fmin(low, list->v[i]);
        high = fmax(high, list->v[i]);
    }
    return axis == HG_SEARCH_MAX_FEATURES ? low + (high - low) * u
                                          : fmin(high, round(low * pow(high / low, u)));
}

static void
set_random(const hg_reals list[], uint64_t seed, int number, hg_train_options *o)
{
    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        hg_stream s = hg_stream_start(seed, (uint64_t)a, (uint64_t)number, HG_PURPOSE_SEARCH);

        if (list[a].n > 0) {
            set_value(o, a, draw_value(&list[a], a, &s));
        }
    }
}

int64_t
hg_search_points_rows(const hg_folds *f, const hg_trial *trial)
{
    int64_t n = 0;

    for (int64_t i = 0; i < f->validation->rows.n; i++) {
        n += hg_held_out_trains(f, trial, i);
    }
    return n;
}

/* The smallest share of a learning curve, and the largest leaf of a search. */
static hg_status
check_rows(const hg_folds *f, const hg_search_points *p)
{
    int largest = 0;
    double least = 2;

    for (int i = 0; i < p->n; i++) {
        hg_trial t = p->point[i];

        if (t.options.min_leaf <= largest && t.share >= least) {
            continue;
        }
        largest = t.options.min_leaf > largest ? t.options.min_leaf : largest;
        least = fmin(least, t.share);
        for (t.fold = 0; t.fold < f->n; t.fold++) {
            const int64_t n = hg_search_points_rows(f, &t);

            if (n < 2 * (int64_t)t.options.min_leaf) {
                return HG_FAIL(HG_E_INPUT,
                               "fold %d leaves %" PRId64 " rows to train on, fewer than two "
                               "leaves, with min_leaf %d and a share of %g of the training: "
                               "take smaller leaves or larger shares",
                               t.fold, n, t.options.min_leaf, t.share);
            }
        }
    }
    return HG_OK;
}

hg_status
hg_search_points_list(const hg_folds *f, hg_search_points *points)
{
    const hg_params *params = f->validation->params;
    const hg_params_validate *p = &params->validate;
    hg_reals list[HG_SEARCH_AXES] = {{0}};
    hg_train_options options = f->validation->options;

    *points = (hg_search_points){0};
    HG_TRY(read_lists(p, list));
    HG_TRY(count_points(p, list, points));
    points->n = points->n_search + p->learning.n;
    if ((int64_t)points->n * f->n > TRIALS_MAX) {
        return HG_FAIL(HG_E_PARAM, "%d points by %d folds are too many forests: take fewer",
                       points->n, f->n);
    }
    options.scope = HG_TRAIN_MEANS;
    HG_TRY(hg_mem_array(&points->point, (size_t)points->n, sizeof *points->point));
    for (int i = 0; i < points->n; i++) {
        hg_trial *t = &points->point[i];

        *t = (hg_trial){.share = 1, .options = options};
        if (i >= points->n_search) {
            t->share = p->learning.v[i - points->n_search];
        } else if (strcmp(p->search, "grid") == 0) {
            set_grid(list, i, &t->options);
        } else {
            set_random(list, (uint64_t)params->meta.seed, i, &t->options);
        }
    }
    return check_rows(f, points);
}

void
hg_search_points_clear(hg_search_points *points)
{
    hg_mem_free(points->point);
    *points = (hg_search_points){0};
}
