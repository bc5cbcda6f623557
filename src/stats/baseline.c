/* Isotonic regression and matching become points (x, y) with straight lines between them; ties
 * in x are merged first, so that nothing depends on the order of rows of equal value. Scatter
 * of matching is a sum over normal quantiles of equal weight, not a draw. The ridge solves its
 * normal equations by Cholesky: the penalty keeps them definite. */
#include "stats/baseline.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

struct hg_baseline {
    hg_baseline_kind kind;
    double mean;     /* of the target */
    double slope;    /* line */
    double mean_x;   /* line */
    int64_t n_knot;  /* isotonic, matching */
    double *knot;    /* shape (2, n_knot): x ascending, then y */
    int n_feature;   /* ridge */
    bool has_square; /* ridge: squares and products */
    int n_term;
    double *ridge; /* shape (2 n_feature + 2 n_term): centre, 1/scale, mean and coefficient of
                      terms */
};

/* A value with the weight and place it came with. */
typedef struct item {
    double x, y, w;
    int64_t row;
} item;

static int
by_x(const void *a, const void *b)
{
    const item *p = a, *q = b;

    return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->row > q->row) - (p->row < q->row);
}

static double
weight_of(const double weight[], int64_t i)
{
    return weight != NULL ? weight[i] : 1;
}

/* Mean of the target, and the line through the first feature. */
static void
fit_line(hg_baseline *b, int64_t n, int n_feature, const double x[], const double y[],
         const double weight[], double total)
{
    double var = 0, cov = 0;

    for (int64_t i = 0; i < n; i++) {
        b->mean += weight_of(weight, i) * y[i] / total;
        b->mean_x +=
            b->kind == HG_BASELINE_MEAN ? 0 : weight_of(weight, i) * x[i * n_feature] / total;
    }
    for (int64_t i = 0; i < n && b->kind != HG_BASELINE_MEAN; i++) {
        const double dx = x[i * n_feature] - b->mean_x;

        var += weight_of(weight, i) * dx * dx;
        cov += weight_of(weight, i) * dx * (y[i] - b->mean);
    }
    b->slope = var > 0 ? cov / var : 0;
}

/* Rows in order of x, those of equal x as one with their mean y; returns how many. */
static int64_t
merge_rows(int64_t n, const double x[], const double y[], const double weight[], item list[])
{
    int64_t n_list = 0;

    for (int64_t i = 0; i < n; i++) {
        list[i] = (item){x[i], y[i], weight_of(weight, i), i};
    }
    qsort(list, (size_t)n, sizeof *list, by_x);
    for (int64_t i = 0; i < n; i++) {
        item *last = n_list > 0 ? &list[n_list - 1] : NULL;

        if (last != NULL && last->x == list[i].x) {
            const double w = last->w + list[i].w;

            last->y += w > 0 ? (list[i].y - last->y) * list[i].w / w : 0;
            last->w = w;
        } else {
            list[n_list++] = list[i];
        }
    }
    return n_list;
}

static hg_status
make_knots(hg_baseline *b, int64_t n, const item list[])
{
    HG_TRY(hg_mem_array(&b->knot, 2 * (size_t)n, sizeof *b->knot));
    b->n_knot = n;
    for (int64_t i = 0; i < n; i++) {
        b->knot[i] = list[i].x;
        b->knot[n + i] = list[i].y;
    }
    return HG_OK;
}

/* Pool adjacent violators: blocks are merged until their means rise (or fall). */
static hg_status
fit_isotonic(hg_baseline *b, int64_t n, item list[])
{
    const double sign = b->slope < 0 ? -1 : 1;
    int64_t *end = NULL, n_block = 0;
    item *block = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&end, (size_t)n, sizeof *end));
    HG_TRY_OR(done, status, hg_mem_array(&block, (size_t)n, sizeof *block));
    for (int64_t i = 0; i < n; i++) {
        block[n_block] = list[i];
        end[n_block++] = i + 1;
        while (n_block > 1 && sign * block[n_block - 2].y >= sign * block[n_block - 1].y) {
            item *a = &block[n_block - 2], *c = &block[n_block - 1];
            const double w = a->w + c->w;

            a->y += w > 0 ? (c->y - a->y) * c->w / w : 0;
            a->w = w;
            end[n_block - 2] = end[n_block - 1];
            n_block--;
        }
    }
    for (int64_t k = 0, i = 0; k < n_block; k++) {
        for (; i < end[k]; i++) {
            list[i].y = block[k].y;
        }
    }
    status = make_knots(b, n, list);
done:
    hg_mem_free(block);
    hg_mem_free(end);
    return status;
}

/* How far ranks have been followed in sorted items; they are asked for in ascending order. */
typedef struct ladder {
    int64_t n;
    const item *sorted;
    int64_t k;          /* the item below the rank, or the first */
    double below, rank; /* weight before it; weight that has been asked for */
} ladder;

/* Value (x) of the items where the next one of a weight stands among them, by mid-ranks. */
static double
next_value(ladder *at, double weight)
{
    const item *s = at->sorted;
    const double rank = at->rank + 0.5 * weight;

    at->rank += weight;
    while (at->k + 1 < at->n && at->below + s[at->k].w + 0.5 * s[at->k + 1].w <= rank) {
        at->below += s[at->k].w;
        at->k++;
    }
    if (at->k + 1 < at->n) {
        const double here = at->below + 0.5 * s[at->k].w;
        const double next = at->below + s[at->k].w + 0.5 * s[at->k + 1].w;

        if (rank > here && next > here) {
            return s[at->k].x + (s[at->k + 1].x - s[at->k].x) * (rank - here) / (next - here);
        }
    }
    return s[at->k].x;
}

enum { SCATTER_NODES = 16 };

/* Spread matched values, rank them again, and average over the nodes of each. The values rise
 * (or fall) along the list, so each node's do, and all are met in order without sorting. */
static hg_status
add_scatter(int64_t n, item list[], bool falls, double sigma, int64_t n_target,
            const item target[])
{
    ladder at = {.n = n_target, .sorted = target};
    double offset[SCATTER_NODES], *sum = NULL;
    int64_t met[SCATTER_NODES] = {0};

    HG_TRY(hg_mem_zeros(&sum, (size_t)n, sizeof *sum));
    for (int k = 0; k < SCATTER_NODES; k++) {
        offset[k] = sigma * gsl_cdf_ugaussian_Pinv((k + 0.5) / SCATTER_NODES);
    }
    for (int64_t i = 0; i < n * SCATTER_NODES; i++) {
        int64_t next = -1;
        double least = 0;
        int node = 0;

        for (int k = 0; k < SCATTER_NODES; k++) {
            const int64_t one = falls ? n - 1 - met[k] : met[k];
            const double x = met[k] < n ? list[one].y + offset[k] : (double)INFINITY;

            if (met[k] < n && (next < 0 || x < least || (x == least && one < next))) {
                next = one;
                least = x;
                node = k;
            }
        }
        met[node]++;
        sum[next] += next_value(&at, list[next].w / SCATTER_NODES) / SCATTER_NODES;
    }
    for (int64_t i = 0; i < n; i++) {
        list[i].y = sum[i];
    }
    hg_mem_free(sum);
    return HG_OK;
}

static hg_status
fit_matching(hg_baseline *b, double sigma, int64_t n, const double y[], const double weight[],
             int64_t n_list, item list[])
{
    const bool falls = b->slope < 0;
    ladder at = {.n = n};
    item *target = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&target, (size_t)n, sizeof *target));
    for (int64_t i = 0; i < n; i++) {
        target[i] = (item){.x = y[i], .w = weight_of(weight, i), .row = i};
    }
    qsort(target, (size_t)n, sizeof *target, by_x);
    at.sorted = target;
    /* items, sorted by x, get the value of the sorted targets at their rank */
    for (int64_t i = 0; i < n_list; i++) {
        item *one = falls ? &list[n_list - 1 - i] : &list[i];

        one->y = next_value(&at, one->w);
    }
    if (sigma > 0) {
        status = add_scatter(n_list, list, falls, sigma, n, target);
    }
    if (status == HG_OK) {
        status = make_knots(b, n_list, list);
    }
    hg_mem_free(target);
    return status;
}

/* ---- ridge ---- */
static int
count_terms(int n_feature)
{
    return n_feature + n_feature * (n_feature + 1) / 2;
}

/* Standardised features of a row, then squares and products. */
static void
make_terms(const hg_baseline *b, const double x[], double term[])
{
    int k = b->n_feature;

    for (int f = 0; f < b->n_feature; f++) {
        term[f] = (x[f] - b->ridge[f]) * b->ridge[b->n_feature + f];
    }
    for (int f = 0; f < b->n_feature && b->has_square; f++) {
        for (int g = f; g < b->n_feature; g++) {
            term[k++] = term[f] * term[g];
        }
    }
}

static void
standardise(hg_baseline *b, int64_t n, const double x[], const double weight[], double total)
{
    const int nf = b->n_feature;

    for (int f = 0; f < nf; f++) {
        double mean = 0, square = 0;

        for (int64_t i = 0; i < n; i++) {
            mean += weight_of(weight, i) * x[i * nf + f] / total;
        }
        for (int64_t i = 0; i < n; i++) {
            const double d = x[i * nf + f] - mean;

            square += weight_of(weight, i) * d * d / total;
        }
        b->ridge[f] = mean;
        b->ridge[nf + f] = square > 0 ? 1 / sqrt(square) : 0;
    }
}

/* Solve a x = b for a positive definite matrix of which the lower half is given; both are
 * overwritten. */
static void
solve_cholesky(int m, double a[], double b[])
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = a[i * m + j];

            for (int k = 0; k < j; k++) {
                sum -= a[i * m + k] * a[j * m + k];
            }
            a[i * m + j] = i == j ? sqrt(sum) : sum / a[j * m + j];
        }
        for (int k = 0; k < i; k++) {
            b[i] -= a[i * m + k] * b[k];
        }
        b[i] /= a[i * m + i];
    }
    for (int i = m - 1; i >= 0; i--) {
        for (int k = i + 1; k < m; k++) {
            b[i] -= a[k * m + i] * b[k];
        }
        b[i] /= a[i * m + i];
    }
}

static hg_status
fit_ridge(hg_baseline *b, double alpha, int64_t n, const double x[], const double y[],
          const double weight[], double total)
{
    const int nf = b->n_feature, m = b->n_term;
    double *mean = b->ridge + 2 * nf, *coefficient = mean + m, *normal = NULL, *term = NULL;
    hg_status status;

    standardise(b, n, x, weight, total);
    HG_TRY(hg_mem_zeros(&normal, (size_t)m * (size_t)m, sizeof *normal));
    HG_TRY_OR(done, status, hg_mem_array(&term, (size_t)m, sizeof *term));
    for (int64_t i = 0; i < n; i++) {
        make_terms(b, x + i * nf, term);
        for (int k = 0; k < m; k++) {
            mean[k] += weight_of(weight, i) * term[k] / total;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        make_terms(b, x + i * nf, term);
        for (int k = 0; k < m; k++) {
            term[k] -= mean[k];
            coefficient[k] += weight_of(weight, i) * term[k] * (y[i] - b->mean);
            for (int l = 0; l <= k; l++) {
                normal[k * m + l] += weight_of(weight, i) * term[k] * term[l];
            }
        }
    }
    for (int k = 0; k < m; k++) {
        normal[k * m + k] += alpha;
    }
    solve_cholesky(m, normal, coefficient);
done:
    hg_mem_free(term);
    hg_mem_free(normal);
    return status;
}

static hg_status
prepare_ridge(hg_baseline *b, int n_feature)
{
    b->n_feature = n_feature;
    b->has_square = count_terms(n_feature) <= HG_BASELINE_TERMS;
    b->n_term = b->has_square ? count_terms(n_feature) : n_feature;
    return hg_mem_zeros(&b->ridge, 2 * (size_t)(n_feature + b->n_term), sizeof *b->ridge);
}

static hg_status
fit_knots(hg_baseline *b, double strength, int64_t n, const double x[], const double y[],
          const double weight[])
{
    item *list = NULL;
    int64_t n_list;
    hg_status status;

    HG_TRY(hg_mem_array(&list, (size_t)n, sizeof *list));
    n_list = merge_rows(n, x, y, weight, list);
    status = b->kind == HG_BASELINE_ISOTONIC
                 ? fit_isotonic(b, n_list, list)
                 : fit_matching(b, strength, n, y, weight, n_list, list);
    hg_mem_free(list);
    return status;
}

hg_status
hg_baseline_fit(hg_baseline_kind kind, double strength, int64_t n, int n_feature,
                const double x[], const double y[], const double weight[],
                hg_baseline **baseline)
{
    hg_baseline *b = NULL;
    double total = 0;
    hg_status status;

    *baseline = NULL;
    if (n < 1 || (kind == HG_BASELINE_MATCHING && !(strength >= 0)) ||
        (kind == HG_BASELINE_RIDGE && !(strength > 0))) {
        return HG_FAIL(HG_E_ARG, "a baseline of %lld rows with strength %g cannot be fitted",
                       (long long)n, strength);
    }
    for (int64_t i = 0; i < n; i++) {
        total += weight_of(weight, i);
    }
    if (!(total > 0)) {
        return HG_FAIL(HG_E_INPUT, "the weights of the rows to fit sum to %g", total);
    }
    HG_TRY(hg_mem_zeros(&b, 1, sizeof *b));
    b->kind = kind;
    fit_line(b, n, n_feature, x, y, weight, total);
    if (kind == HG_BASELINE_RIDGE) {
        HG_TRY_OR(fail, status, prepare_ridge(b, n_feature));
        HG_TRY_OR(fail, status, fit_ridge(b, strength, n, x, y, weight, total));
    } else if (kind == HG_BASELINE_ISOTONIC || kind == HG_BASELINE_MATCHING) {
        HG_TRY_OR(fail, status, fit_knots(b, strength, n, x, y, weight));
    }
    *baseline = b;
    return HG_OK;

fail:
    hg_baseline_free(b);
    return status;
}

static double
interpolate(const hg_baseline *b, double x)
{
    const double *at = b->knot, *y = b->knot + b->n_knot;
    int64_t low = 0, high = b->n_knot - 1;

    if (!(x > at[low])) {
        return y[low];
    }
    if (x >= at[high]) {
        return y[high];
    }
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;

        *(at[middle] <= x ? &low : &high) = middle;
    }
    return y[low] + (y[high] - y[low]) * (x - at[low]) / (at[high] - at[low]);
}

static double
evaluate_ridge(const hg_baseline *b, const double x[])
{
    const double *mean = b->ridge + 2 * b->n_feature, *coefficient = mean + b->n_term;
    double term[HG_BASELINE_TERMS] = {0}, sum = b->mean;

    make_terms(b, x, term);
    for (int k = 0; k < b->n_term; k++) {
        sum += coefficient[k] * (term[k] - mean[k]);
    }
    return sum;
}

void
hg_baseline_predict(const hg_baseline *b, int64_t n, const double x[], double predicted[])
{
    for (int64_t i = 0; i < n; i++) {
        switch (b->kind) {
        case HG_BASELINE_MEAN:
            predicted[i] = b->mean;
            break;
        case HG_BASELINE_LINE:
            predicted[i] = b->mean + b->slope * (x[i] - b->mean_x);
            break;
        case HG_BASELINE_RIDGE:
            predicted[i] = evaluate_ridge(b, x + i * b->n_feature);
            break;
        default:
            predicted[i] = interpolate(b, x[i]);
        }
    }
}

void
hg_baseline_free(hg_baseline *b)
{
    if (b != NULL) {
        hg_mem_free(b->knot);
        hg_mem_free(b->ridge);
        hg_mem_free(b);
    }
}
