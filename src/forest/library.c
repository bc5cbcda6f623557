/* A library lists training rows by the predicted value of the first target, in bins of equal
 * numbers, and lends a whole vector of scatter: the calibrated out-of-bag residual, or the
 * difference to a twin run over sqrt(2). Twins differ in the seed of the galaxy model only, so
 * the difference of two has twice the variance of what is chaotic (Maltz et al. 2024,
 * arXiv:2410.24082); its sign means nothing and is drawn. Twins know nothing of what the mean
 * misses: they scatter too little where features do not tell all. The order of rows is made
 * when it is asked for, from the residuals in the model. Classes (centrals and satellites, bins
 * of mass) have libraries of their own, one behind the other. */
#include "forest/library.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { BIN_ROWS = 200, TRIES = 64, CLASS_ROWS = 50 };

/* a row and what it is sorted by */
typedef struct hg_sorted_row {
    double value;
    uint32_t row;
    int class;
} hg_sorted_row;

static int
compare_rows(const void *a, const void *b)
{
    const hg_sorted_row *x = a, *y = b;

    return x->class != y->class   ? x->class - y->class
           : x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                  : (x->row > y->row) - (x->row < y->row);
}

static int
has_vector(const hg_forest *f, int64_t row, hg_draw_method method)
{
    const size_t at = (size_t)row * (size_t)f->n_target;

    return !isnan(f->residual[at]) &&
           (method != HG_DRAW_TWINS || (f->twin != NULL && !isnan(f->twin[at])));
}

/* the class of a value of the feature */
static int
class_of(const hg_library_classes *classes, float value)
{
    int k = 0;

    while (k < classes->n - 1 && (double)value >= classes->edge[k]) {
        k++;
    }
    return k;
}

static int
class_of_row(const hg_forest *f, const hg_library_classes *classes, int64_t row)
{
    return classes == NULL || classes->n == 1 ? 0 : class_of(classes, f->class_value[row]);
}

/* rows with a vector in the order of their classes and out-of-bag means of a target; `which`
 * is a class or -1 for all rows */
static hg_status
sort_rows(const hg_forest *f, hg_draw_method method, int target,
          const hg_library_classes *classes, int which, int64_t *n, hg_sorted_row **sorted)
{
    double mean[HG_TARGETS_MAX];

    *n = 0;
    HG_TRY(hg_mem_array(sorted, (size_t)f->n_row, sizeof **sorted));
    for (int64_t i = 0; i < f->n_row; i++) {
        const int class = class_of_row(f, classes, i);

        if (has_vector(f, i, method) && (which < 0 || class == which) &&
            hg_forest_oob_mean(f, i, mean)) {
            (*sorted)[(*n)++] = (hg_sorted_row){mean[target], (uint32_t)i, class};
        }
    }
    qsort(*sorted, (size_t)*n, sizeof **sorted, compare_rows);
    return HG_OK;
}

/* where classes begin in the library; each must have rows enough */
static hg_status
count_classes(hg_forest *f, const hg_sorted_row sorted[])
{
    int64_t at = 0;

    for (int k = 0; k < f->classes.n; k++) {
        f->class_begin[k] = at;
        while (at < f->n_library && sorted[at].class == k) {
            at++;
        }
        if (f->classes.n > 1 && at - f->class_begin[k] < CLASS_ROWS) {
            return HG_FAIL(
                HG_E_PARAM,
                "class %d of %d by '%s' has %" PRId64
                " training haloes with scatter to draw, at least %d are needed: join "
                "classes by Scatter.library_edges",
                k + 1, f->classes.n, f->feature[f->classes.feature].name,
                at - f->class_begin[k], CLASS_ROWS);
        }
    }
    f->class_begin[f->classes.n] = at;
    return HG_OK;
}

hg_status
hg_forest_prepare_library(hg_forest *f, hg_draw_method method,
                          const hg_library_classes *classes)
{
    hg_sorted_row *sorted = NULL;
    hg_status status;

    f->classes = classes != NULL ? *classes : (hg_library_classes){.feature = -1, .n = 1};
    HG_TRY_OR(done, status, sort_rows(f, method, 0, classes, -1, &f->n_library, &sorted));
    hg_mem_free(f->library);
    f->library = NULL;
    if (f->n_library == 0) {
        status = HG_FAIL(HG_E_PARAM, "the model has no %s",
                         method == HG_DRAW_TWINS
                             ? "twin runs to draw from: name them in the region table, and "
                               "train with a bag and enough trees"
                             : "out-of-bag residuals to draw from: train with a bag and more "
                               "trees (Model.bag, Model.trees)");
        goto done;
    }
    HG_TRY_OR(done, status, count_classes(f, sorted));
    status = hg_mem_array(&f->library, (size_t)f->n_library, sizeof *f->library);
    for (int64_t i = 0; i < f->n_library && status == HG_OK; i++) {
        f->library[i] = sorted[i].row;
    }
done:
    hg_mem_free(sorted);
    return status;
}

/* rows of a part of the library whose out-of-bag mean of the first target is below a value */
static int64_t
count_below(const hg_forest *f, int64_t begin, int64_t end, double value)
{
    int64_t low = begin, high = end;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const size_t at = (size_t)f->library[middle] * (size_t)f->n_target;

        if ((double)f->value[at] - (double)f->residual[at] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - begin;
}

void
hg_library_draw(const hg_drawing *d, uint64_t key, const float x[], int64_t self,
                const double mean[], double draw[])
{
    const hg_forest *f = d->f;
    const int class = f->classes.n > 1 ? class_of(&f->classes, x[f->classes.feature]) : 0;
    const int64_t begin = f->class_begin[class], n = f->class_begin[class + 1] - begin;
    const int64_t n_bin = n < BIN_ROWS ? 1 : n / BIN_ROWS;
    const int64_t at = count_below(f, begin, begin + n, mean[0]);
    const int64_t bin = at * n_bin / (n + 1);
    const int64_t first = begin + bin * n / n_bin, last = begin + (bin + 1) * n / n_bin;
    hg_stream s = hg_stream_start(d->seed, d->realisation, key, HG_PURPOSE_LIBRARY);
    int64_t row = -1;

    for (int k = 0; k < TRIES && row < 0 && n > 0; k++) {
        row = f->library[first + hg_stream_below(&s, (uint32_t)(last - first))];
        row = hg_mates_are_eligible(d, (uint32_t)row, self) ? row : -1;
    }
    for (int t = 0; t < f->n_target; t++) {
        const int64_t from = row * f->n_target + t;

        if (row < 0) {
            draw[t] = (double)NAN;
        } else if (d->method == HG_DRAW_TWINS) {
            draw[t] = (double)f->twin[from];
        } else {
            draw[t] = (double)f->shrink[row] * (double)f->residual[from];
        }
    }
    if (d->method == HG_DRAW_TWINS && hg_stream_word(&s) >> 31) {
        for (int t = 0; t < f->n_target; t++) {
            draw[t] = -draw[t];
        }
    }
    for (int t = 0; t < f->n_target; t++) {
        draw[t] += mean[t];
    }
}

hg_status
hg_forest_check_twins(const hg_forest *f, int target, const hg_library_classes *classes,
                      int which, hg_twin_check *check)
{
    hg_sorted_row *sorted = NULL;
    int64_t n = 0;

    *check = (hg_twin_check){0};
    HG_TRY(sort_rows(f, HG_DRAW_TWINS, target, classes, which, &n, &sorted));
    check->n = n;
    check->n_bin = (int)(n < BIN_ROWS ? n > 0 : n / BIN_ROWS);
    for (int b = 0; b < check->n_bin; b++) {
        double chaos = 0, residual = 0;

        for (int64_t i = b * n / check->n_bin; i < (b + 1) * n / check->n_bin; i++) {
            const size_t row = sorted[i].row;
            const size_t at = row * (size_t)f->n_target + (size_t)target;
            const double d = (double)f->twin[at], r = (double)f->residual[at];

            chaos += d * d;
            residual += (double)f->shrink[row] * r * r;
        }
        check->n_above += chaos > residual;
        check->chaos += chaos / (double)n;
        check->residual += residual / (double)n;
    }
    hg_mem_free(sorted);
    return HG_OK;
}
