/* What libraries need to know of training rows beside their residuals: the difference to a twin
 * run, and the feature that tells classes apart. Rows come in any order from any rank, and are
 * found by key. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "forest/library.h"

static int
compare_keys(const void *a, const void *b)
{
    const hg_parent_row *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

/* the canonical row of each key, -1 where it is no training row */
static hg_status
find_rows(const hg_forest *f, int64_t n, const uint64_t key[], int64_t **row)
{
    hg_parent_row *index = NULL;

    HG_TRY(hg_mem_array(row, (size_t)n, sizeof **row));
    HG_TRY(hg_mem_array(&index, (size_t)f->n_row, sizeof *index));
    for (int64_t i = 0; i < f->n_row; i++) {
        index[i] = (hg_parent_row){f->key[i], (uint64_t)i};
    }
    qsort(index, (size_t)f->n_row, sizeof *index, compare_keys);
    for (int64_t i = 0; i < n; i++) {
        const hg_parent_row wanted = {key[i], 0},
                            *found = bsearch(&wanted, index, (size_t)f->n_row, sizeof *index,
                                             compare_keys);

        (*row)[i] = found != NULL ? (int64_t)found->row : -1;
    }
    hg_mem_free(index);
    return HG_OK;
}

/* Fill an array of the forest, `width` values per row, from the rows of all ranks: `match` has
 * the row and its values, n_match times; rows that nobody has become NaN. */
static hg_status
fill_rows(const hg_comm *comm, hg_forest *f, size_t width, int64_t n_match,
          const double match[], float **array)
{
    const size_t n_value = (size_t)f->n_row * width;
    double *all = NULL;
    int64_t n_all = 0;
    hg_status status = HG_OK;

    if (*array == NULL) {
        status = hg_mem_array(array, n_value, sizeof **array);
    }
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY_OR(
        done, status,
        hg_comm_gather_rows(comm, n_match, (width + 1) * sizeof *match, match, &n_all, &all));
    for (size_t i = 0; i < n_value; i++) {
        (*array)[i] = NAN;
    }
    for (int64_t i = 0; i < n_all; i++) {
        const double *from = all + (size_t)i * (width + 1);

        for (size_t t = 0; t < width; t++) {
            (*array)[(size_t)from[0] * width + t] = (float)from[t + 1];
        }
    }
    status = hg_comm_agree(comm, hg_model_complete(f));
done:
    hg_mem_free(all);
    return status;
}

/* differences of this rank's rows that are training rows: (row, d / sqrt(2) ...) */
static hg_status
match_twins(const hg_forest *f, int64_t n, const uint64_t key[], const double y[],
            int64_t *n_match, double **match)
{
    const int64_t width = f->n_target + 1;
    int64_t *row = NULL;
    hg_status status;

    *n_match = 0;
    HG_TRY(hg_mem_array(match, (size_t)(n * width), sizeof **match));
    HG_TRY_OR(done, status, find_rows(f, n, key, &row));
    for (int64_t i = 0; i < n; i++) {
        double *to = *match + *n_match * width;

        if (row[i] < 0) {
            continue;
        }
        to[0] = (double)row[i];
        for (int t = 0; t < f->n_target; t++) {
            to[t + 1] = ((double)f->value[row[i] * f->n_target + t] - y[i * f->n_target + t]) *
                        sqrt(0.5);
        }
        ++*n_match;
    }
done:
    hg_mem_free(row);
    return status;
}

/* (row, value) of this rank's rows that are training rows */
static hg_status
match_class(const hg_forest *f, int64_t n, const uint64_t key[], const float x[], size_t stride,
            int64_t *n_match, double **match)
{
    int64_t *row = NULL;
    hg_status status;

    *n_match = 0;
    HG_TRY(hg_mem_array(match, (size_t)n * 2, sizeof **match));
    HG_TRY_OR(done, status, find_rows(f, n, key, &row));
    for (int64_t i = 0; i < n; i++) {
        if (row[i] >= 0) {
            (*match)[2 * *n_match] = (double)row[i];
            (*match)[2 * *n_match + 1] = (double)x[(size_t)i * stride];
            ++*n_match;
        }
    }
done:
    hg_mem_free(row);
    return status;
}

hg_status
hg_forest_add_twins(const hg_comm *comm, hg_forest *f, int64_t n, const uint64_t key[],
                    const double y[])
{
    double *match = NULL;
    int64_t n_match = 0;
    hg_status status;

    if (f->is_on_disk) {
        return HG_FAIL(HG_E_ARG, "a model on disk cannot take twin runs: train it in memory");
    }
    status = hg_comm_agree(comm, match_twins(f, n, key, y, &n_match, &match));
    if (status == HG_OK) {
        status = fill_rows(comm, f, (size_t)f->n_target, n_match, match, &f->twin);
    }
    hg_mem_free(match);
    return status;
}

hg_status
hg_forest_add_class(const hg_comm *comm, hg_forest *f, int64_t n, const uint64_t key[],
                    const float x[], size_t stride)
{
    double *match = NULL;
    int64_t n_match = 0;
    hg_status status;

    if (f->is_on_disk) {
        return HG_FAIL(HG_E_ARG, "a model on disk cannot take classes: train it in memory");
    }
    status = hg_comm_agree(comm, match_class(f, n, key, x, stride, &n_match, &match));
    if (status == HG_OK) {
        status = fill_rows(comm, f, 1, n_match, match, &f->class_value);
    }
    hg_mem_free(match);
    return status;
}

/* distinct values, ascending; returns their number, or one more than fit */
static int
distinct_values(const hg_forest *f, float value[HG_LIBRARY_CLASSES])
{
    int n = 0;

    for (int64_t i = 0; i < f->n_row; i++) {
        const float v = f->class_value[i];
        int at = 0;

        while (at < n && value[at] < v) {
            at++;
        }
        if (isnan(v) || (at < n && value[at] == v)) {
            continue;
        }
        if (n == HG_LIBRARY_CLASSES) {
            return n + 1;
        }
        for (int k = n++; k > at; k--) {
            value[k] = value[k - 1];
        }
        value[at] = v;
    }
    return n;
}

hg_status
hg_forest_classes(const hg_forest *f, int feature, int n_edge, const double edge[],
                  hg_library_classes *classes)
{
    float value[HG_LIBRARY_CLASSES];
    int n;

    *classes = (hg_library_classes){.feature = feature, .n = n_edge + 1};
    if (f->class_value == NULL) {
        return HG_FAIL(HG_E_PARAM, "the model keeps no classes: train it with "
                                   "Scatter.library_by");
    }
    if (n_edge >= HG_LIBRARY_CLASSES) {
        return HG_FAIL(HG_E_PARAM, "%d edges of classes, at most %d are possible", n_edge,
                       HG_LIBRARY_CLASSES - 1);
    }
    for (int k = 0; k < n_edge; k++) {
        if (!(k == 0 || edge[k] > edge[k - 1])) {
            return HG_FAIL(HG_E_PARAM, "Scatter.library_edges must ascend, %g stands before %g",
                           edge[k - 1], edge[k]);
        }
        classes->edge[k] = edge[k];
    }
    if (n_edge > 0) {
        return HG_OK;
    }
    n = distinct_values(f, value);
    if (n > HG_LIBRARY_CLASSES) {
        return HG_FAIL(HG_E_PARAM,
                       "'%s' has more than %d values, too many for a library each: give "
                       "Scatter.library_edges",
                       f->feature[feature].name, HG_LIBRARY_CLASSES);
    }
    for (int k = 1; k < n; k++) {
        classes->edge[k - 1] = ((double)value[k - 1] + (double)value[k]) / 2;
    }
    classes->n = n > 1 ? n : 1;
    return HG_OK;
}
