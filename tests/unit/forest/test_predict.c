/* Prediction and draws: means by hand, where draws come from, training rows, and the kernel at
 * the limits of its integers. */
#include "mpi_test.h"

#include <stdlib.h>
#include <string.h>

#include "forest/mates.h"
#include "forest_data.h"

MPI_SUITE(predict);

enum { N = 600, P = 5, NO = 3, NEW = 1000 };

static hg_forest *
train(const test_rows *r, hg_bag bag, int trees, int min_leaf)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = NULL;

    o.trees = trees;
    o.bag = bag;
    o.min_leaf = min_leaf;
    cr_assert_eq(hg_forest_train(&world, &o, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    return f;
}

/* leaf of a row by walking down one node at a time */
static uint64_t
walk(const hg_forest *f, int tree, const float x[])
{
    const hg_node *node = f->node + f->node_offset[tree];
    uint32_t k = 0;

    while (!hg_node_is_leaf(node[k])) {
        k = (node[k].link >> f->feature_bits) +
            (x[node[k].link & ((1u << f->feature_bits) - 1)] > node[k].t ? 1 : 0);
    }
    return f->leaf_offset[tree] + hg_leaf_number(node[k]);
}

static int64_t
place_of(const hg_forest *f, uint64_t key)
{
    int64_t i = 0;

    while (i < f->n_row && f->key[i] != key) {
        i++;
    }
    return i < f->n_row ? i : -1;
}

Test(predict, means_and_spreads_are_those_of_the_leaves)
{
    test_rows r = make_rows(N, P, NO, 0, 1), new = make_rows(N + NEW, P, NO, N, 1);
    hg_forest *f = train(&r, HG_BAG_ROW, 30, 5);
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *mean, *again, *spread;
    uint64_t outside[NEW];
    uint8_t origin[NEW];

    cr_assert_eq(hg_mem_array(&mean, NEW * NO, sizeof *mean), HG_OK);
    cr_assert_eq(hg_mem_array(&again, NEW * NO, sizeof *again), HG_OK);
    cr_assert_eq(hg_mem_array(&spread, NEW * NO, sizeof *spread), HG_OK);
    new.x[3 * P + 0] = 1e9f;
    new.x[3 * P + 4] = -1e9f;
    o.threads = 2;
    cr_assert_eq(hg_forest_predict(
                     f, &o, NEW, new.key, new.x,
                     &(hg_prediction){
                         .mean = mean, .spread = spread, .outside = outside, .origin = origin}),
                 HG_OK);
    for (int64_t i = 0; i < NEW; i++) {
        uint64_t mask = 0;

        for (int t = 0; t < NO; t++) {
            double sum = 0, square = 0;

            for (int k = 0; k < 30; k++) {
                double m = (double)f->mean[walk(f, k, new.x + i *P) * NO + (uint64_t)t];

                sum += m;
                square += m * m;
            }
            cr_assert_eq(mean[i * NO + t], sum / 30);
            cr_assert_float_eq(spread[i * NO + t],
                               sqrt(fmax(0, square / 30 - sum / 30 * (sum / 30))), 1e-6);
        }
        for (int k = 0; k < P; k++) {
            float min = HUGE_VALF, max = -HUGE_VALF;

            for (int64_t j = 0; j < N; j++) {
                min = fminf(min, r.x[j * P + k]);
                max = fmaxf(max, r.x[j * P + k]);
            }
            mask |= (uint64_t)(new.x[i * P + k] < min || new.x[i * P + k] > max) << k;
            cr_assert(f->range[k].min == min && f->range[k].max == max);
        }
        cr_assert_eq(outside[i], mask);
        cr_assert_eq(origin[i], HG_ROW_NEW);
    }
    cr_assert(outside[3] & 1u && outside[3] & 16u);
    for (int64_t i = 0; i < NEW; i++) { /* row by row, without keys */
        cr_assert_eq(hg_forest_predict(f, &o, 1, NULL, new.x + i *P,
                                       &(hg_prediction){.mean = again + i * NO}),
                     HG_OK);
    }
    cr_assert(memcmp(mean, again, NEW * NO * sizeof *mean) == 0);
    new.x[7 * P + 2] = NAN;
    cr_assert_eq(hg_forest_predict(f, &o, NEW, new.key, new.x, &(hg_prediction){.mean = mean}),
                 HG_E_INPUT);
    cr_assert(strstr(hg_error_last()->message, "'column 2'") != NULL);
    hg_mem_free(mean);
    hg_mem_free(again);
    hg_mem_free(spread);
    hg_forest_free(f);
    clear_rows(&r);
    clear_rows(&new);
}

Test(predict, training_rows_get_their_mean_over_trees_that_did_not_see_them)
{
    test_rows r = make_rows(N, P, NO, 0, 1);
    hg_forest *f = NULL;
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    uint64_t parent[N];
    double mean[N * NO], oob[NO], r2 = 0, y_mean = 0, ee = 0, yy = 0;
    uint8_t origin[N];
    hg_oob_metrics m;
    int n_oob = 0;

    /* every third row has no parent, the others another key: low numbers, or of all bits */
    for (int64_t i = 0; i < N; i++) {
        const uint64_t all_bits = ((uint64_t)i + 1) * UINT64_C(0x9E3779B97F4A7C15);

        parent[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1000000 + (uint64_t)i : all_bits;
    }
    r.data.parent_key = parent;
    f = train(&r, HG_BAG_ROW, 12, 5); /* few trees: not every row has five out of bag */
    cr_assert_eq(hg_forest_predict(f, &o, N, parent, r.x,
                                   &(hg_prediction){.mean = mean, .origin = origin}),
                 HG_OK);
    for (int64_t i = 0; i < N; i++) {
        int64_t at = place_of(f, r.key[i]);
        double sum[NO] = {0}, all[NO] = {0};
        int n = 0;

        for (int k = 0; k < 12; k++) {
            int is_oob = hg_bag_copies(HG_BAG_ROW, 1, (uint64_t)k, at, 0) == 0;

            n += is_oob;
            for (int t = 0; t < NO; t++) {
                double v = (double)f->mean[walk(f, k, r.x + i * P) * NO + (uint64_t)t];

                all[t] += v;
                sum[t] += is_oob ? v : 0;
            }
        }
        cr_assert_eq(n, f->oob_trees[at]);
        cr_assert_eq(hg_forest_oob_mean(f, at, oob), n >= 5);
        cr_assert_eq(origin[i], i % 3 == 0 ? HG_ROW_NEW : n >= 5 ? HG_ROW_OOB : HG_ROW_SEEN);
        for (int t = 0; t < NO; t++) {
            double expected = origin[i] == HG_ROW_OOB ? sum[t] / n : all[t] / 12;

            cr_assert_float_eq(mean[i * NO + t], expected, 1e-5);
            if (n >= 5) {
                cr_assert_float_eq((double)f->residual[at * NO + t],
                                   r.y[i * NO + t] - sum[t] / n, 1e-5);
            }
        }
        n_oob += n >= 5;
        cr_assert_eq(hg_forest_find(f, parent[i] != 0 ? parent[i] : 1),
                     parent[i] != 0 ? at : -1);
        cr_assert_eq(hg_forest_find(f, parent[i] ^ UINT64_C(1) << (i % 64)), -1);
    }
    cr_assert(n_oob > N / 4 && n_oob < N);
    /* metrics of target 1 by their definitions */
    cr_assert_eq(hg_forest_oob_metrics(f, 1, &m), HG_OK);
    cr_assert_eq(m.n, n_oob);
    for (int64_t i = 0; i < N; i++) {
        y_mean += hg_forest_oob_mean(f, i, NULL) ? (double)f->value[i * NO + 1] / n_oob : 0;
    }
    for (int64_t i = 0; i < N; i++) {
        double e = -(double)f->residual[i * NO + 1], y = (double)f->value[i * NO + 1] - y_mean;

        if (hg_forest_oob_mean(f, i, NULL)) {
            ee += e * e;
            yy += y * y;
        }
    }
    r2 = 1 - ee / yy;
    cr_assert(r2 > 0.5 && m.nmad > 0 && m.mae < m.rmse && m.pearson > r2);
    cr_assert_float_eq(m.r2, r2, 1e-12);
    cr_assert_float_eq(m.rmse, sqrt(ee / n_oob), 1e-12);
    cr_assert_eq(hg_forest_oob_metrics(f, NO, &m), HG_E_ARG);
    hg_forest_free(f);
    clear_rows(&r);
}

/* the training row whose residual was added, found by its value in the first target */
static int64_t
donor(const hg_forest *f, const double mean[], const double draw[])
{
    for (int64_t i = 0; i < f->n_row; i++) {
        int same = 1;

        for (int t = 0; t < NO; t++) {
            double r = (double)f->residual[i * NO + t], p = (double)f->value[i * NO + t] - r;
            double keep = hg_forest_keep(f, t), a = fabs(p - mean[t]);
            double d = copysign(fmax(0, fmin(fmin(a, keep), (8 * keep - a) / 4)), p - mean[t]);
            double b = 1 - d / (p - mean[t]), c = 1 - b * b * (1 - (double)f->shrink[i]);

            same &= fabs(draw[t] - (mean[t] + d + c * r)) < 1e-12;
        }
        if (same) {
            return i;
        }
    }
    return -1;
}

static int
are_leaf_mates(const hg_forest *f, const float x[], int64_t row, int must_be_oob, int64_t self)
{
    for (int k = 0; k < f->n_tree; k++) {
        uint64_t leaf = walk(f, k, x);

        for (uint64_t m = f->mate_offset[leaf]; m < f->mate_offset[leaf + 1]; m++) {
            if (f->mate[m] == row && (!must_be_oob || hg_model_is_oob(f, k, self))) {
                return 1;
            }
        }
    }
    return 0;
}

/* listed rows under a node, by recursion */
static uint64_t
rows_below(const hg_forest *f, int tree, uint32_t node, uint64_t n, uint64_t row[])
{
    const hg_node at = f->node[f->node_offset[tree] + node];

    if (hg_node_is_leaf(at)) {
        uint64_t leaf = f->leaf_offset[tree] + hg_leaf_number(at);

        for (uint64_t m = f->mate_offset[leaf]; m < f->mate_offset[leaf + 1]; m++) {
            row[n++] = f->mate[m];
        }
        return n;
    }
    n = rows_below(f, tree, at.link >> f->feature_bits, n, row);
    return rows_below(f, tree, (at.link >> f->feature_bits) + 1, n, row);
}

static uint32_t
step_down(const hg_forest *f, int tree, uint32_t node, const float x[])
{
    const hg_node at = f->node[f->node_offset[tree] + node];

    return (at.link >> f->feature_bits) +
           (x[at.link & ((1u << f->feature_bits) - 1)] > at.t ? 1 : 0);
}

/* rows near x as hg_mates_near() has them, found from the root down */
static uint64_t
near_rows(const hg_forest *f, int tree, const float x[], uint64_t least, uint64_t row[])
{
    const hg_node *node = f->node + f->node_offset[tree];
    uint32_t here = 0, beside = 0;
    uint64_t n = rows_below(f, tree, 0, 0, row);

    while (n >= least && !hg_node_is_leaf(node[here])) {
        uint32_t next = step_down(f, tree, here, x);

        beside = next % 2 == 0 ? next + 1 : next - 1; /* pairs begin at even numbers */
        here = next;
        n = rows_below(f, tree, here, 0, row);
    }
    if (n < least && beside > 0) {
        uint64_t need = least - n;

        while (!hg_node_is_leaf(node[beside]) &&
               rows_below(f, tree, beside, n, row) - n > 2 * need) {
            beside = step_down(f, tree, beside, x);
        }
        n = rows_below(f, tree, beside, n, row);
    }
    return n;
}

Test(predict, rows_to_draw_from_are_the_nearest_in_the_tree)
{
    test_rows r = make_rows(N, P, NO, 0, 1), new = make_rows(N + NEW, P, NO, N, 1);
    hg_forest *f = train(&r, HG_BAG_ROW, 12, 5);
    uint64_t expected[N];

    for (int64_t i = 0; i < NEW; i++) {
        const int tree = (int)(i % 12);
        const uint64_t least = (uint64_t)(i % 7 == 0 ? 10 * N : i % 60 + 1);
        hg_mate_pool pool = hg_mates_near(f, tree, new.x + i *P, least);
        uint64_t n = near_rows(f, tree, new.x + i *P, least, expected), found = 0;

        cr_assert_eq(pool.n[0] + pool.n[1], n, "%d rows for %d: %d and %d", (int)n, (int)least,
                     (int)pool.n[0], (int)pool.n[1]);
        for (int part = 0; part < 2; part++) {
            for (uint64_t k = 0; k < pool.n[part]; k++) {
                for (uint64_t e = 0; e < n; e++) {
                    found += expected[e] == f->mate[pool.begin[part] + k];
                }
            }
        }
        cr_assert_eq(found, n);
    }
    hg_forest_free(f);
    clear_rows(&r);
    clear_rows(&new);
}

Test(predict, draws_add_the_residual_vector_of_a_leaf_mate)
{
    enum { DRAWS = 8, SOME = 150 };
    test_rows r = make_rows(N, P, NO, 0, 1), new = make_rows(N + NEW, P, NO, N, 1);
    hg_forest *f = train(&r, HG_BAG_ROW, 12, 5), *none = train(&r, HG_BAG_NONE, 5, 5);
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *mean, *draw, *again;
    int n_same = 0;

    cr_assert_eq(hg_mem_array(&mean, SOME * NO, sizeof *mean), HG_OK);
    cr_assert_eq(hg_mem_array(&draw, DRAWS * SOME * NO, sizeof *draw), HG_OK);
    cr_assert_eq(hg_mem_array(&again, DRAWS * SOME * NO, sizeof *again), HG_OK);
    o.n_draw = DRAWS;
    o.mates = 1;
    for (int training = 0; training < 2; training++) {
        const test_rows *rows = training ? &r : &new;

        cr_assert_eq(hg_forest_predict(f, &o, SOME, rows->key, rows->x,
                                       &(hg_prediction){.mean = mean, .draw = draw}),
                     HG_OK);
        for (int64_t i = 0; i < SOME; i++) {
            int64_t self = training ? place_of(f, rows->key[i]) : -1;

            for (int64_t d = 0; d < DRAWS; d++) {
                int64_t from = donor(f, mean + i * NO, draw + (d * SOME + i) * NO);

                cr_assert(from >= 0 && from != self);
                cr_assert(are_leaf_mates(f, rows->x + i * P, from,
                                         training && f->oob_trees[self] > 0, self));
                n_same += d > 0 && memcmp(draw + i * NO, draw + (d * SOME + i) * NO,
                                          NO * sizeof *draw) == 0;
            }
        }
    }
    cr_assert(n_same < SOME * DRAWS / 4);
    /* a later realisation alone, in other company, is the same; another seed is not */
    o.n_draw = 1;
    o.first_realisation = 5;
    cr_assert_eq(hg_forest_predict(f, &o, 20, r.key + 100, r.x + 100 * P,
                                   &(hg_prediction){.draw = again}),
                 HG_OK);
    cr_assert(memcmp(again, draw + (5 * SOME + 100) * NO, 20 * NO * sizeof *draw) == 0);
    o.seed = 2;
    cr_assert_eq(hg_forest_predict(f, &o, 20, r.key + 100, r.x + 100 * P,
                                   &(hg_prediction){.draw = again}),
                 HG_OK);
    cr_assert(memcmp(again, draw + (5 * SOME + 100) * NO, 20 * NO * sizeof *draw) != 0);
    /* leaf values are targets of a training row; without a bag they are all there is */
    cr_assert_eq(
        hg_forest_predict(none, &o, 20, new.key, new.x, &(hg_prediction){.draw = again}),
        HG_E_PARAM);
    o.method = HG_DRAW_LEAF;
    cr_assert_eq(
        hg_forest_predict(none, &o, 20, new.key, new.x, &(hg_prediction){.draw = again}),
        HG_OK);
    for (int64_t i = 0; i < 20; i++) {
        int found = 0;

        for (int64_t j = 0; j < N; j++) {
            found |= again[i * NO] == (double)none->value[j * NO] &&
                     again[i * NO + 2] == (double)none->value[j * NO + 2] &&
                     are_leaf_mates(none, new.x + i *P, j, 0, -1);
        }
        cr_assert(found);
    }
    cr_assert_eq(hg_forest_predict(f, &o, 20, NULL, new.x, &(hg_prediction){.draw = again}),
                 HG_E_ARG);
    hg_mem_free(mean);
    hg_mem_free(draw);
    hg_mem_free(again);
    hg_forest_free(f);
    hg_forest_free(none);
    clear_rows(&r);
    clear_rows(&new);
}

Test(predict, draws_of_leaf_values_are_the_same_without_the_mean)
{
    enum { DRAWS = 3 };
    test_rows r = make_rows(N, P, NO, 0, 1), new = make_rows(N + NEW, P, NO, N, 1);
    hg_forest *f = train(&r, HG_BAG_ROW, 12, 5);
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *mean, *with, *without;
    uint8_t origin[2][NEW];

    cr_assert_eq(hg_mem_array(&mean, NEW * NO, sizeof *mean), HG_OK);
    cr_assert_eq(hg_mem_array(&with, DRAWS * NEW * NO, sizeof *with), HG_OK);
    cr_assert_eq(hg_mem_array(&without, DRAWS * NEW * NO, sizeof *without), HG_OK);
    o.n_draw = DRAWS;
    o.method = HG_DRAW_LEAF;
    o.threads = 2;
    for (int training = 0; training < 2; training++) {
        const test_rows *rows = training ? &r : &new;
        const int64_t n = training ? N : NEW;

        cr_assert_eq(hg_forest_predict(
                         f, &o, n, rows->key, rows->x,
                         &(hg_prediction){.mean = mean, .draw = with, .origin = origin[0]}),
                     HG_OK);
        cr_assert_eq(hg_forest_predict(f, &o, n, rows->key, rows->x,
                                       &(hg_prediction){.draw = without, .origin = origin[1]}),
                     HG_OK);
        cr_assert(memcmp(with, without, (size_t)(DRAWS * n * NO) * sizeof *with) == 0);
        cr_assert(memcmp(origin[0], origin[1], (size_t)n) == 0);
    }
    hg_mem_free(mean);
    hg_mem_free(with);
    hg_mem_free(without);
    hg_forest_free(f);
    clear_rows(&r);
    clear_rows(&new);
}

Test(predict, draws_follow_the_weights_of_the_mates)
{
    enum { DRAWS = 40000 };
    test_rows r = make_rows(8, 1, 1, 0, 1);
    hg_forest *f = NULL;
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *draw, count[8] = {0}, total = 0;
    uint64_t key[1] = {12345};
    float x[1] = {0};

    for (int i = 0; i < 8; i++) { /* one feature that is constant: every tree is one leaf */
        r.x[i] = 1;
        r.y[i] = i;
        r.weight[i] = 1 + i;
        total += 1 + i;
    }
    r.data.weight = r.weight;
    f = train(&r, HG_BAG_NONE, 3, 1);
    cr_assert_eq(hg_forest_leaves(f), 3);
    cr_assert_eq(hg_mem_array(&draw, DRAWS, sizeof *draw), HG_OK);
    o.n_draw = DRAWS;
    o.method = HG_DRAW_LEAF;
    cr_assert_eq(hg_forest_predict(f, &o, 1, key, x, &(hg_prediction){.draw = draw}), HG_OK);
    for (int d = 0; d < DRAWS; d++) {
        count[(int)draw[d]]++;
    }
    for (int i = 0; i < 8; i++) { /* within five standard deviations */
        double p = (1 + i) / total;

        cr_assert_float_eq(count[i] / DRAWS, p, 5 * sqrt(p * (1 - p) / DRAWS));
    }
    hg_mem_free(draw);
    hg_forest_free(f);
    clear_rows(&r);
}

Test(predict, sums_at_the_limit_of_the_integers_are_exact)
{
    enum { M = 4096 };
    test_rows r = make_rows(M, 2, 2, 0, 1);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = NULL;

    /* all but one row have the extreme target: any int32 sum that is flushed too late wraps */
    for (int i = 0; i < M; i++) {
        r.y[i * 2] = i == 0 ? -1 : 1;
        r.y[i * 2 + 1] = i == 0 ? 1 : -1;
    }
    o.trees = 20;
    o.max_depth = 1;
    for (int is_weighted = 0; is_weighted < 2; is_weighted++) {
        r.data.weight = is_weighted ? r.weight : NULL;
        cr_assert_eq(hg_forest_train(&world, &o, &r.data, &f), HG_OK);
        for (uint64_t leaf = 0; leaf < f->leaf_offset[20]; leaf++) {
            cr_assert_float_eq((double)f->mean[2 * leaf], 1, 0.2);
            cr_assert_float_eq((double)f->mean[2 * leaf] + (double)f->mean[2 * leaf + 1], 0,
                               1e-6);
        }
        hg_forest_free(f);
    }
    /* targets that do not vary */
    for (int i = 0; i < M; i++) {
        r.y[2 * i] = r.y[2 * i + 1] = 11.25;
    }
    o.max_depth = 0;
    cr_assert_eq(hg_forest_train(&world, &o, &r.data, &f), HG_OK);
    cr_assert_eq(hg_forest_leaves(f), 20);
    cr_assert_eq(f->mean[0], 11.25f);
    hg_forest_free(f);
    clear_rows(&r);
}
