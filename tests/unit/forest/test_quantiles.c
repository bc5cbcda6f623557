/* Conditional quantiles: against weights summed and sorted row by row, and on a law whose
 * quantiles are known. */
#include "mpi_test.h"

#include <stdlib.h>
#include <string.h>

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(quantiles);

enum { N = 500, P = 5, NO = 2, NEW = 300, TREES = 24, LEVELS = 5 };

static const double levels[LEVELS] = {0.05, 0.16, 0.5, 0.84, 0.95};

static hg_forest *
train(const test_rows *r, hg_bag bag, int min_leaf)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = NULL;

    o.trees = TREES;
    o.bag = bag;
    o.min_leaf = min_leaf;
    cr_assert_eq(hg_forest_train(&world, &o, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    return f;
}

typedef struct weighted {
    double value;
    double weight;
} weighted;

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* weights of all training rows for a row */
static void
weigh(const hg_forest *f, const float x[], int64_t self, double weight[N])
{
    memset(weight, 0, N * sizeof *weight);
    for (int t = 0; t < f->n_tree; t++) {
        const hg_node *node = f->node + f->node_offset[t];
        double total = 0;
        uint64_t leaf;
        uint32_t k = 0;

        if (self >= 0 && hg_model_is_oob(f, t, self) == 0) {
            continue;
        }
        while (!hg_node_is_leaf(node[k])) {
            k = (node[k].link >> f->feature_bits) +
                (x[node[k].link & ((1u << f->feature_bits) - 1)] > node[k].t ? 1 : 0);
        }
        leaf = f->leaf_offset[t] + hg_leaf_number(node[k]);
        for (int pass = 0; pass < 2; pass++) {
            for (uint64_t m = f->mate_offset[leaf]; m < f->mate_offset[leaf + 1]; m++) {
                const int64_t mate = f->mate[m];
                const int is_own =
                    self >= 0 && (mate == self || (f->options.bag == HG_BAG_GROUP &&
                                                   f->group[mate] == f->group[self]));
                const double w = is_own ? 0 : f->is_weighted ? f->weight[mate] : 1;

                total += pass == 0 ? w : 0;
                weight[mate] += pass == 1 && total > 0 ? w / total : 0;
            }
        }
    }
}

/* whether a value is the quantile, give or take what rounding does to the sums */
static int
is_quantile(const hg_forest *f, const double weight[N], int target, double level, double value)
{
    weighted row[N];
    double total = 0, below = 0, upto = 0;

    for (int i = 0; i < N; i++) {
        row[i] = (weighted){(double)f->value[i * NO + target], weight[i]};
        total += weight[i];
    }
    qsort(row, N, sizeof *row, compare);
    for (int i = 0; i < N; i++) {
        below += row[i].value < value ? row[i].weight : 0;
        upto += row[i].value <= value ? row[i].weight : 0;
    }
    return below < (level + 1e-5) * total && upto > (level - 1e-5) * total && upto > below;
}

Test(quantiles, are_those_of_weights_summed_by_hand)
{
    for (int k = 0; k < 4; k++) {
        test_rows r = make_rows(N, P, NO, 0, 1), new = make_rows(N + NEW, P, NO, N, 1);
        hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
        double *q, one[LEVELS * NO], weight[N];
        hg_forest *f;

        r.data.group = r.group;
        r.data.weight = k % 2 ? r.weight : NULL;
        f = train(&r, k < 2 ? HG_BAG_ROW : HG_BAG_GROUP, 5);
        o.n_quantile = LEVELS;
        o.level = levels;
        cr_assert_eq(hg_mem_array(&q, LEVELS * N * NO, sizeof *q), HG_OK);
        for (int part = 0; part < 2; part++) {
            const test_rows *rows = part ? &new : &r;
            const int64_t n = part ? NEW : N;

            o.threads = 2;
            cr_assert_eq(hg_forest_predict(f, &o, n, rows->key, rows->x,
                                           &(hg_prediction){.quantile = q}),
                         HG_OK);
            for (int64_t i = 0; i < n; i++) {
                const int64_t self = hg_forest_find(f, rows->key[i]);

                if (self >= 0 && !hg_forest_oob_mean(f, self, NULL)) {
                    continue;
                }
                weigh(f, rows->x + i * P, self, weight);
                for (int l = 0; l < LEVELS; l++) {
                    for (int t = 0; t < NO; t++) {
                        cr_assert(is_quantile(f, weight, t, levels[l], q[(l * n + i) * NO + t]),
                                  "row %d, level %g: %g", (int)i, levels[l],
                                  q[(l * n + i) * NO + t]);
                    }
                }
            }
            for (int64_t i = 0; i < n; i += 17) { /* alone, and without other results */
                cr_assert_eq(hg_forest_predict(f, &o, 1, rows->key + i, rows->x + i * P,
                                               &(hg_prediction){.quantile = one}),
                             HG_OK);
                for (int l = 0; l < LEVELS; l++) {
                    cr_assert(memcmp(one + l * NO, q + (l * n + i) * NO, NO * sizeof *q) == 0);
                }
            }
        }
        hg_mem_free(q);
        hg_forest_free(f);
        clear_rows(&r);
        clear_rows(&new);
    }
}

Test(quantiles, cover_a_law_with_known_quantiles)
{
    enum { MANY = 20000 };
    test_rows r = make_rows(2 * MANY, 2, 1, 0, 1);
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *q, below[LEVELS] = {0}, wrong[2] = {1.5, 0.5};
    hg_forest *f;

    for (int64_t i = 0; i < 2 * MANY; i++) { /* scatter that grows with feature 0 */
        hg_stream s = hg_stream_start(9, 0, (uint64_t)i, HG_PURPOSE_GALAXY);

        r.x[2 * i] = hg_stream_float(&s);
        r.x[2 * i + 1] = hg_stream_float(&s);
        r.y[i] = (double)r.x[2 * i + 1] + (0.1 + (double)r.x[2 * i]) * hg_stream_normal(&s);
    }
    r.data.n = MANY;
    f = train(&r, HG_BAG_ROW, 20);
    o.n_quantile = LEVELS;
    o.level = levels;
    cr_assert_eq(hg_mem_array(&q, LEVELS * MANY, sizeof *q), HG_OK);
    for (int training = 0; training < 2; training++) {
        const int64_t first = training ? 0 : MANY;

        memset(below, 0, sizeof below);
        cr_assert_eq(hg_forest_predict(f, &o, MANY, r.key + first, r.x + 2 * first,
                                       &(hg_prediction){.quantile = q}),
                     HG_OK);
        for (int l = 0; l < LEVELS; l++) {
            for (int64_t i = 0; i < MANY; i++) {
                below[l] += r.y[first + i] <= q[l * MANY + i];
            }
            /* five standard deviations, and what few rows per leaf cost */
            cr_expect_float_eq(below[l] / MANY, levels[l], 0.015, "level %g: %g", levels[l],
                               below[l] / MANY);
        }
    }
    o.level = wrong;
    o.n_quantile = 2;
    cr_assert_eq(hg_forest_predict(f, &o, 1, r.key, r.x, &(hg_prediction){.quantile = q}),
                 HG_E_ARG);
    hg_mem_free(q);
    hg_forest_free(f);
    clear_rows(&r);
}
