/* How much of an out-of-bag residual is scatter, and how much the error of the mean it was
 * taken from.
 *
 * The mean at a point is sum_j w_j y_j over training rows; with scatter of variance s^2 about
 * it the mean's own error has the variance q s^2, q = sum_j w_j^2 (1/q is the effective number
 * of leaf-mates). A residual r = y - p then has the variance (1 + q_oob) s^2, and a draw p + c
 * r about the truth (q_all + c^2 (1 + q_oob)) s^2, which is s^2 for c^2 = (1 - q_all)/(1 +
 * q_oob). Without the factor c, draws scatter too widely, by several per cent where the
 * training rows are few.
 *
 * The weights are summed over at most HG_CALIBRATE_TREES out-of-bag trees of a row. With T
 * trees q_T = a/T + (1 - 1/T) b, where a is the mean of the trees' own sum of squares and b
 * that of pairs of trees, so q can be carried over to the number of trees in a residual and in
 * a prediction. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "forest/calibrate.h"
#include "forest/keep.h"
#include "forest/threads.h"

/* Working space of one thread. */
struct scratch {
    double *weight;    /* shape (n_row), zero between rows */
    uint32_t *touched; /* rows with a weight */
    size_t n_touched;
    size_t room;
};

/* Copies of every row in the bags of the first trees, shape (n_tree, n_row). */
static hg_status
fill_copies(const hg_forest *f, int n_tree, unsigned char **copies)
{
    const size_t n = (size_t)f->n_row;

    HG_TRY(hg_mem_array(copies, n * (size_t)n_tree, 1));
#pragma omp parallel for schedule(static)
    for (int t = 0; t < n_tree; t++) {
        const uint64_t number = (uint64_t)f->options.first_tree + (uint64_t)t;

        for (size_t i = 0; i < n; i++) {
            (*copies)[(size_t)t * n + i] = f->is_full[t]
                                               ? 1
                                               : hg_bag_copies(f->options.bag, f->options.seed,
                                                               number, (int64_t)i, f->group[i]);
        }
    }
    return HG_OK;
}

static double
mate_weight(const hg_forest *f, const unsigned char *copies, uint32_t mate)
{
    return (double)copies[mate] * (f->is_weighted ? (double)f->weight[mate] : 1.0);
}

/* Add a leaf's weights; returns the leaf's own sum of squares, or 0 when no mate is in the bag.
 */
static double
add_leaf(const hg_forest *f, uint64_t leaf, const unsigned char *copies, struct scratch *s)
{
    const uint64_t begin = f->mate_offset[leaf], end = f->mate_offset[leaf + 1];
    double sum = 0, squares = 0;

    for (uint64_t k = begin; k < end; k++) {
        sum += mate_weight(f, copies, f->mate[k]);
    }
    if (!(sum > 0)) {
        return 0;
    }
    for (uint64_t k = begin; k < end; k++) {
        const uint32_t mate = f->mate[k];
        const double w = mate_weight(f, copies, mate) / sum;

        if (w > 0) {
            if (s->weight[mate] == 0 && s->n_touched < s->room) {
                s->touched[s->n_touched++] = mate;
            }
            s->weight[mate] += w;
            squares += w * w;
        }
    }
    return squares;
}

float
hg_calibrate_factor(double a, double q, int n_used, int n_oob, int n_tree)
{
    double q_oob, q_all, square;

    if (n_used < 2) {
        return 1;
    }
    a /= n_used;
    q = (q - a / n_used) / (1 - 1.0 / n_used);
    q = q > 0 ? q : 0;
    q_oob = a / n_oob + (1 - 1.0 / n_oob) * q;
    q_all = a / n_tree + (1 - 1.0 / n_tree) * q;
    square = (1 - q_all) / (1 + q_oob);
    return square > 0 ? (float)sqrt(square) : 0;
}

/* The factor of one row, 1 when it has too few trees to tell. */
static float
calibrate_row(const hg_forest *f, int n_tree, const unsigned char *copies, int64_t row,
              const float x[], struct scratch *s)
{
    double a = 0, q = 0;
    int n_used = 0;

    s->n_touched = 0;
    for (int t = 0; t < n_tree; t++) {
        const unsigned char *bag = copies + (size_t)t * (size_t)f->n_row;
        uint32_t leaf = 0;
        double squares;

        if (bag[row] != 0) {
            continue;
        }
        hg_tree_route(f->node + f->node_offset[t], f->feature_bits, 1, x, 0, NULL, &leaf);
        squares = add_leaf(f, f->leaf_offset[t] + leaf, bag, s);
        a += squares;
        n_used += squares > 0;
    }
    for (size_t k = 0; k < s->n_touched; k++) {
        const double w = s->weight[s->touched[k]] / (n_used > 0 ? n_used : 1);

        q += w * w;
        s->weight[s->touched[k]] = 0;
    }
    return hg_calibrate_factor(a, q, n_used, f->oob_trees[row], f->n_tree);
}

static hg_status
make_scratch(const hg_forest *f, int n_tree, struct scratch *s)
{
    *s = (struct scratch){.room = (size_t)n_tree * (size_t)f->options.leaf_mates_max};
    HG_TRY(hg_mem_zeros(&s->weight, (size_t)f->n_row, sizeof *s->weight));
    return hg_mem_array(&s->touched, s->room, sizeof *s->touched);
}

static hg_status
calibrate_range(const hg_forest *f, int threads, const float x[], size_t stride, int64_t first,
                int64_t n, float factor[])
{
    const int n_tree = f->n_tree < HG_CALIBRATE_TREES ? f->n_tree : HG_CALIBRATE_TREES;
    const int n_thread = /* NOLINT: the analyser does not look into pragmas */
        hg_threads(threads);
    unsigned char *copies = NULL;
    hg_error_record record = {.status = HG_OK};

    HG_TRY(fill_copies(f, n_tree, &copies));
#pragma omp parallel num_threads(n_thread)
    {
        struct scratch s;
        hg_status status = make_scratch(f, n_tree, &s);

#pragma omp for schedule(dynamic, 256)
        for (int64_t i = 0; i < n; i++) {
            const int64_t row = first + i;

            factor[i] = 1;
            if (status == HG_OK && f->oob_trees[row] >= f->options.oob_trees_min) {
                factor[i] = calibrate_row(f, n_tree, copies, row, x + (size_t)row * stride, &s);
            }
        }
        hg_mem_free(s.weight);
        hg_mem_free(s.touched);
#pragma omp critical(hg_calibrate_status)
        if (status != HG_OK) {
            record = *hg_error_last();
        }
    }
    hg_mem_free(copies);
    if (record.status != HG_OK) {
        hg_error_set(&record); /* records are per thread */
    }
    return record.status;
}

hg_status
hg_calibrate_residuals(const hg_comm *comm, int threads, const float x[], size_t stride,
                       hg_forest *f)
{
    const int64_t first = f->n_row * comm->rank / comm->size;
    const int64_t n = f->n_row * (comm->rank + 1) / comm->size - first;
    float *factor = NULL, *all = NULL;
    int64_t n_all = 0;
    hg_status status;

    for (int64_t i = 0; i < f->n_row; i++) {
        f->shrink[i] = 1;
    }
    for (int t = 0; t < f->n_target; t++) {
        f->keep[t] = 0;
    }
    if (f->options.bag == HG_BAG_NONE || !f->options.calibrate ||
        f->options.scope != HG_TRAIN_DRAWS) {
        return HG_OK;
    }
    status = hg_mem_array(&factor, (size_t)n, sizeof *factor);
    if (status == HG_OK) {
        status = calibrate_range(f, threads, x, stride, first, n, factor);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_comm_gather_rows(comm, n, sizeof *factor, factor, &n_all, &all));
    memcpy(f->shrink, all, (size_t)n_all * sizeof *all);
    status = hg_comm_agree(comm, hg_keep_choose(f));
done:
    hg_mem_free(factor);
    hg_mem_free(all);
    return status;
}
