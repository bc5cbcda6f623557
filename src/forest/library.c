/* A library lists training rows by the predicted value of the first target, in bins of equal
 * numbers, and lends a whole vector of scatter: the calibrated out-of-bag residual, or the
 * difference to a twin run over sqrt(2). Twins differ in the seed of the galaxy model only, so
 * the difference of two has twice the variance of what is chaotic (Maltz et al. 2024,
 * arXiv:2410.24082); its sign means nothing and is drawn. Twins know nothing of what the mean
 * misses: they scatter too little where features do not tell all. The order of rows is made
 * when it is asked for, from the residuals in the model. */
#include "forest/library.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { BIN_ROWS = 200, TRIES = 64 };

/* a row and what it is sorted by */
typedef struct hg_sorted_row {
    double value;
    uint32_t row;
} hg_sorted_row;

static int
compare_rows(const void *a, const void *b)
{
    const hg_sorted_row *x = a, *y = b;

    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

static int
has_vector(const hg_forest *f, int64_t row, hg_draw_method method)
{
    const size_t at = (size_t)row * (size_t)f->n_target;

    return !isnan(f->residual[at]) &&
           (method != HG_DRAW_TWINS || (f->twin != NULL && !isnan(f->twin[at])));
}

/* rows with a vector in the order of their out-of-bag means of a target */
static hg_status
sort_rows(const hg_forest *f, hg_draw_method method, int target, int64_t *n,
          hg_sorted_row **sorted)
{
    double mean[HG_TARGETS_MAX];

    *n = 0;
    HG_TRY(hg_mem_array(sorted, (size_t)f->n_row, sizeof **sorted));
    for (int64_t i = 0; i < f->n_row; i++) {
        if (has_vector(f, i, method) && hg_forest_oob_mean(f, i, mean)) {
            (*sorted)[(*n)++] = (hg_sorted_row){mean[target], (uint32_t)i};
        }
    }
    qsort(*sorted, (size_t)*n, sizeof **sorted, compare_rows);
    return HG_OK;
}

hg_status
hg_forest_prepare_library(hg_forest *f, hg_draw_method method)
{
    hg_sorted_row *sorted = NULL;
    hg_status status;

    HG_TRY(sort_rows(f, method, 0, &f->n_library, &sorted));
    hg_mem_free(f->library);
    f->library = NULL;
    if (f->n_library == 0) {
        hg_mem_free(sorted);
        return HG_FAIL(HG_E_PARAM, "the model has no %s",
                       method == HG_DRAW_TWINS
                           ? "twin runs to draw from: name them in the region table, and train "
                             "with a bag and enough trees"
                           : "out-of-bag residuals to draw from: train with a bag and more "
                             "trees (Model.bag, Model.trees)");
    }
    status = hg_mem_array(&f->library, (size_t)f->n_library, sizeof *f->library);
    for (int64_t i = 0; i < f->n_library && status == HG_OK; i++) {
        f->library[i] = sorted[i].row;
    }
    hg_mem_free(sorted);
    return status;
}

/* rows of the library whose out-of-bag mean of the first target is below a value */
static int64_t
count_below(const hg_forest *f, double value)
{
    int64_t low = 0, high = f->n_library;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const size_t at = (size_t)f->library[middle] * (size_t)f->n_target;

        if ((double)f->value[at] - (double)f->residual[at] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
hg_library_draw(const hg_drawing *d, uint64_t key, int64_t self, const double mean[],
                double draw[])
{
    const hg_forest *f = d->f;
    const int64_t n = f->n_library, n_bin = n < BIN_ROWS ? 1 : n / BIN_ROWS;
    const int64_t at = n > 0 ? count_below(f, mean[0]) : 0;
    const int64_t bin = at * n_bin / (n + 1);
    const int64_t first = bin * n / n_bin, last = (bin + 1) * n / n_bin;
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

/* ---- twins ---- */
static int
compare_keys(const void *a, const void *b)
{
    const hg_parent_row *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

/* differences of this rank's rows that are training rows: (row, d / sqrt(2) ...) */
static hg_status
match_rows(const hg_forest *f, int64_t n, const uint64_t key[], const double y[],
           int64_t *n_match, double **match)
{
    const int64_t width = f->n_target + 1;
    hg_parent_row *index = NULL;

    *n_match = 0;
    HG_TRY(hg_mem_array(match, (size_t)(n * width), sizeof **match));
    HG_TRY(hg_mem_array(&index, (size_t)f->n_row, sizeof *index));
    for (int64_t i = 0; i < f->n_row; i++) {
        index[i] = (hg_parent_row){f->key[i], (uint64_t)i};
    }
    qsort(index, (size_t)f->n_row, sizeof *index, compare_keys);
    for (int64_t i = 0; i < n; i++) {
        const hg_parent_row wanted = {key[i], 0},
                            *found = bsearch(&wanted, index, (size_t)f->n_row, sizeof *index,
                                             compare_keys);
        double *to = *match + *n_match * width;

        if (found != NULL) {
            to[0] = (double)found->row;
            for (int t = 0; t < f->n_target; t++) {
                to[t + 1] = ((double)f->value[(int64_t)found->row * f->n_target + t] -
                             y[i * f->n_target + t]) *
                            sqrt(0.5);
            }
            ++*n_match;
        }
    }
    hg_mem_free(index);
    return HG_OK;
}

hg_status
hg_forest_add_twins(const hg_comm *comm, hg_forest *f, int64_t n, const uint64_t key[],
                    const double y[])
{
    const size_t width = (size_t)f->n_target + 1, n_value = (size_t)f->n_row * (width - 1);
    double *match = NULL, *all = NULL;
    int64_t n_match = 0, n_all = 0;
    hg_status status;

    if (f->is_on_disk) {
        return HG_FAIL(HG_E_ARG, "a model on disk cannot take twin runs: train it in memory");
    }
    status = match_rows(f, n, key, y, &n_match, &match);
    if (status == HG_OK && f->twin == NULL) {
        status = hg_mem_array(&f->twin, n_value, sizeof *f->twin);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, n_match, width * sizeof *match, match, &n_all, &all));
    for (size_t i = 0; i < n_value; i++) {
        f->twin[i] = NAN;
    }
    for (int64_t i = 0; i < n_all; i++) {
        const double *from = all + (size_t)i * width;

        for (size_t t = 1; t < width; t++) {
            f->twin[(size_t)from[0] * (width - 1) + t - 1] = (float)from[t];
        }
    }
    status = hg_comm_agree(comm, hg_model_complete(f));
done:
    hg_mem_free(match);
    hg_mem_free(all);
    return status;
}

hg_status
hg_forest_check_twins(const hg_forest *f, int target, hg_twin_check *check)
{
    hg_sorted_row *sorted = NULL;
    int64_t n = 0;

    *check = (hg_twin_check){0};
    HG_TRY(sort_rows(f, HG_DRAW_TWINS, target, &n, &sorted));
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
