/* The rule `auto` takes the coarsest groups there are enough of: rows of one zoom share their
 * surroundings, so that single rows held out look better than the parent will. */
#include "validate/folds.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/order.h"
#include "halograft/log.h"

/* number of different values */
static hg_status
count_distinct(int64_t n, const uint64_t value[], int64_t *n_distinct)
{
    uint64_t *copy = NULL;

    *n_distinct = 0;
    HG_TRY(hg_mem_array(&copy, (size_t)n, sizeof *copy));
    memcpy(copy, value, (size_t)n * sizeof *copy);
    qsort(copy, (size_t)n, sizeof *copy, hg_order_u64);
    for (int64_t i = 0; i < n; i++) {
        *n_distinct += i == 0 || copy[i] != copy[i - 1];
    }
    hg_mem_free(copy);
    return HG_OK;
}

/* What is held out together, for `auto` the coarsest of which there are enough. */
static hg_status
choose_units(const hg_validation *v, const char **by, const uint64_t **unit)
{
    const hg_training_rows *r = &v->rows;
    const int64_t least = v->params->validate.folds > 2 ? v->params->validate.folds : 2;
    const struct {
        const char *name;
        const uint64_t *unit;
    } all[] = {{"region", r->place},
               {"simulation", r->simulation},
               {"group", r->group},
               {"rows", r->key}};

    *by = v->params->validate.by;
    *unit = NULL;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int64_t n_unit = 0;

        if (strcmp(*by, all[i].name) == 0) {
            *unit = all[i].unit;
            return HG_OK;
        }
        HG_TRY(count_distinct(r->n, all[i].unit, &n_unit));
        if (strcmp(*by, "auto") == 0 && n_unit >= least) {
            *by = all[i].name;
            *unit = all[i].unit;
            return HG_OK;
        }
    }
    return HG_OK;
}

/* Slabs of the box: the buffer keeps the surroundings of tested haloes out of the training. */
static double
largest_radius(const hg_params_environment *e)
{
    const hg_reals *lists[] = {&e->spheres, &e->gauss, &e->top_hat, &e->tidal};
    double most = 0;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (int k = 0; k < lists[i]->n; k++) {
            most = fmax(most, lists[i]->v[k]);
        }
    }
    return most;
}

static hg_status
deal_slabs(hg_folds *f)
{
    const hg_validation *v = f->validation;
    const double radius = largest_radius(&v->params->environment);

    f->split.kind = HG_SPLIT_SLABS;
    f->split.axis = v->params->validate.axis[0] - 'x';
    f->split.box = v->rows.frame.box;
    f->split.buffer = v->params->validate.buffer > 0 ? v->params->validate.buffer : radius;
    if (f->split.buffer < radius) {
        return HG_FAIL(HG_E_PARAM,
                       "Validate.buffer of %g Mpc is less than the largest radius of section "
                       "Environment, %g Mpc: haloes beside a slab would see into it",
                       f->split.buffer, radius);
    }
    HG_TRY(hg_split_check(&f->split));
    f->n = f->split.n_fold;
    for (int64_t i = 0; i < v->rows.n; i++) {
        f->of[i] = hg_split_slab(&f->split, hg_validation_extra_of(v, HG_EXTRA_PLACE, i));
        f->unit[i] = (uint64_t)f->of[i];
    }
    return HG_OK;
}

static hg_status
deal_column(hg_folds *f)
{
    const hg_validation *v = f->validation;
    const int64_t n = v->rows.n;
    uint64_t *value = NULL;
    int64_t n_value = 0;

    HG_TRY(hg_mem_array(&value, (size_t)n, sizeof *value));
    for (int64_t i = 0; i < n; i++) {
        const double x = hg_validation_extra_of(v, HG_EXTRA_FOLD, i);

        if (!(x >= 0 && x < 1e9 && x == floor(x))) {
            hg_mem_free(value);
            return HG_FAIL(HG_E_INPUT,
                           "Validate.column '%s' gives %g for a row, which is no number of a "
                           "fold: it must be 0, 1, 2, ...",
                           v->params->validate.column, x);
        }
        f->unit[i] = value[i] = (uint64_t)x;
    }
    qsort(value, (size_t)n, sizeof *value, hg_order_u64);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || value[i] != value[n_value - 1]) {
            value[n_value++] = value[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const uint64_t *found =
            bsearch(&f->unit[i], value, (size_t)n_value, sizeof *value, hg_order_u64);

        f->of[i] = (int)(found - value);
    }
    hg_mem_free(value);
    f->n = (int)n_value;
    return n_value > 1 ? HG_OK
                       : HG_FAIL(HG_E_INPUT,
                                 "Validate.column '%s' puts all rows into one fold, take 2 or "
                                 "more",
                                 v->params->validate.column);
}

/* A region and a fold of it. */
struct membership {
    uint64_t place;
    int64_t row;
};

static int
by_place(const void *a, const void *b)
{
    const struct membership *x = a, *y = b;

    return x->place != y->place ? (x->place > y->place) - (x->place < y->place)
                                : (x->row > y->row) - (x->row < y->row);
}

/* Rows of one region must stay together where the user says which fold they are in. */
static hg_status
check_regions(const hg_folds *f)
{
    const hg_training_rows *r = &f->validation->rows;
    struct membership *list = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&list, (size_t)r->n, sizeof *list));
    for (int64_t i = 0; i < r->n; i++) {
        list[i] = (struct membership){r->place[i], i};
    }
    qsort(list, (size_t)r->n, sizeof *list, by_place);
    for (int64_t i = 1; i < r->n && status == HG_OK && list[0].place != list[r->n - 1].place;
         i++) {
        const int a = f->of[list[i - 1].row], b = f->of[list[i].row];

        if (list[i].place == list[i - 1].place && a != b) {
            status = HG_FAIL(HG_E_INPUT,
                             "region %" PRId64 " is in two folds, number %d and %d: rows of "
                             "a region share their surroundings, so let Validate.column "
                             "depend on the region alone",
                             r->number[list[i].row], a, b);
        }
    }
    hg_mem_free(list);
    return status;
}

static hg_status
check_sizes(hg_folds *f)
{
    const hg_train_options *o = &f->validation->options;
    const int64_t n = f->validation->rows.n;

    HG_TRY(hg_mem_zeros(&f->count, (size_t)f->n, sizeof *f->count));
    for (int64_t i = 0; i < n; i++) {
        f->count[f->of[i]]++;
    }
    for (int k = 0; k < f->n; k++) {
        int64_t n_train = n - f->count[k];

        if (f->count[k] < o->min_leaf) {
            return HG_FAIL(HG_E_INPUT,
                           "fold %d of %d has %" PRId64 " rows, fewer than a leaf "
                           "(Model.min_leaf: %d): take fewer folds, or larger groups",
                           k, f->n, f->count[k], o->min_leaf);
        }
        for (int64_t i = 0; i < n && f->split.kind == HG_SPLIT_SLABS; i++) {
            n_train -= f->of[i] != k && !hg_folds_train(f, i, k); /* in the buffer */
        }
        if (n_train < 2 * o->min_leaf) {
            return HG_FAIL(HG_E_INPUT,
                           "fold %d of %d leaves %" PRId64 " rows to train on, fewer than two "
                           "leaves: take smaller folds or a smaller buffer",
                           k, f->n, n_train);
        }
    }
    return HG_OK;
}

/* Blocks for errors: many units are dealt into a few. */
static hg_status
deal_blocks(hg_folds *f)
{
    const int64_t n = f->validation->rows.n;
    int64_t n_unit = 0;
    hg_split split = {.kind = HG_SPLIT_GROUPS, .seed = f->split.seed + 1};

    HG_TRY(count_distinct(n, f->unit, &n_unit));
    split.n_fold = n_unit < f->validation->params->validate.blocks
                       ? (int)n_unit
                       : (int)f->validation->params->validate.blocks;
    return hg_split_deal(&split, n, f->unit, f->block, &f->n_block);
}

hg_status
hg_folds_deal(const hg_validation *v, hg_folds *f)
{
    const size_t n = (size_t)v->rows.n;
    const uint64_t *unit = NULL;
    const char *by = NULL;

    *f = (hg_folds){.validation = v,
                    .split = {.kind = HG_SPLIT_GROUPS,
                              .n_fold = (int)v->params->validate.folds,
                              .seed = (uint64_t)v->params->meta.seed}};
    HG_TRY(hg_mem_array(&f->of, n, sizeof *f->of));
    HG_TRY(hg_mem_array(&f->block, n, sizeof *f->block));
    HG_TRY(hg_mem_array(&f->unit, n, sizeof *f->unit));
    HG_TRY(choose_units(v, &by, &unit));
    f->split.group = by;
    if (strcmp(by, "slabs") == 0) {
        HG_TRY(deal_slabs(f));
    } else if (strcmp(by, "column") == 0) {
        HG_TRY(deal_column(f));
        HG_TRY(check_regions(f));
    } else if (unit == NULL) {
        return HG_FAIL(HG_E_INPUT,
                       "there is nothing to hold out: %" PRId64 " rows cannot be "
                       "dealt into %d folds",
                       v->rows.n, f->split.n_fold);
    } else {
        memcpy(f->unit, unit, n * sizeof *unit);
        f->split.kind = unit == v->rows.key ? HG_SPLIT_ROWS : HG_SPLIT_GROUPS;
        HG_TRY(hg_split_check(&f->split));
        if (hg_split_deal(&f->split, v->rows.n, unit, f->of, &f->n) != HG_OK) {
            hg_error_prefix("Validate.by is '%s', Validate.folds %d: ", v->params->validate.by,
                            f->split.n_fold);
            return hg_error_last()->status;
        }
    }
    HG_TRY(check_sizes(f));
    HG_TRY(deal_blocks(f));
    hg_split_describe(&f->split, f->n, sizeof f->text, f->text);
    if (strcmp(by, "column") == 0) {
        snprintf(f->text, sizeof f->text, "%d folds by %.100s", f->n,
                 v->params->validate.column);
    }
    if (strcmp(v->params->validate.by, "auto") == 0 && strcmp(by, "rows") == 0) {
        hg_log_warn("validate: rows have neither region nor group, so that neighbours of held-"
                    "out haloes are trained on: errors may be too small");
    }
    return HG_OK;
}

bool
hg_folds_train(const hg_folds *f, int64_t row, int k)
{
    return hg_split_trains(&f->split, f->of[row],
                           f->split.kind == HG_SPLIT_SLABS
                               ? hg_validation_extra_of(f->validation, HG_EXTRA_PLACE, row)
                               : 0,
                           k);
}

void
hg_folds_clear(hg_folds *f)
{
    hg_mem_free(f->of);
    hg_mem_free(f->block);
    hg_mem_free(f->unit);
    hg_mem_free(f->count);
    *f = (hg_folds){0};
}
