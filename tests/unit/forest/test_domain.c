/* How rows stand to the training rows: surroundings and spreads by brute force, limits by their
 * definition, flags where training rows were left out. */
#include "mpi_test.h"

#include <stdlib.h>
#include <string.h>

#include "forest/limits.h"
#include "forest_data.h"

MPI_SUITE(domain);

enum { N = 1200, P = 5, NO = 2, NEW = 700, TREES = 60 };

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

/* results for n rows; free with clear_results() */
typedef struct results {
    hg_prediction p;
    double *spread, *n_eff;
    uint64_t *outside, *in_tails;
    int32_t *n_group;
    uint8_t *domain, *origin;
} results;

static results
predict(const hg_forest *f, int64_t n, const uint64_t key[], const float x[], int threads)
{
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    const size_t words = (size_t)n * (size_t)hg_forest_mask_words(f);
    results r = {.spread = NULL};
    hg_status status = hg_mem_array(&r.spread, (size_t)n * (size_t)f->n_target, sizeof(double));

    status = status != HG_OK ? status : hg_mem_array(&r.n_eff, (size_t)n, sizeof *r.n_eff);
    status = status != HG_OK ? status : hg_mem_array(&r.outside, words, sizeof *r.outside);
    status = status != HG_OK ? status : hg_mem_array(&r.in_tails, words, sizeof *r.in_tails);
    status = status != HG_OK ? status : hg_mem_array(&r.n_group, (size_t)n, sizeof *r.n_group);
    status = status != HG_OK ? status : hg_mem_array(&r.domain, (size_t)n, 1);
    status = status != HG_OK ? status : hg_mem_array(&r.origin, (size_t)n, 1);
    cr_assert_eq(status, HG_OK);
    r.p = (hg_prediction){.spread = r.spread,
                          .outside = r.outside,
                          .in_tails = r.in_tails,
                          .n_eff = r.n_eff,
                          .n_group = r.n_group,
                          .domain = r.domain,
                          .origin = r.origin};
    o.threads = threads;
    cr_assert_eq(hg_forest_predict(f, &o, n, key, x, &r.p), HG_OK, "%s",
                 hg_error_last()->message);
    return r;
}

static void
clear_results(results *r)
{
    hg_mem_free(r->spread);
    hg_mem_free(r->n_eff);
    hg_mem_free(r->outside);
    hg_mem_free(r->in_tails);
    hg_mem_free(r->n_group);
    hg_mem_free(r->domain);
    hg_mem_free(r->origin);
}

static uint64_t
leaf_of(const hg_forest *f, int tree, const float x[])
{
    const hg_node *node = f->node + f->node_offset[tree];
    uint32_t k = 0;

    while (!hg_node_is_leaf(node[k])) {
        k = (node[k].link >> f->feature_bits) +
            (x[node[k].link & ((1u << f->feature_bits) - 1)] > node[k].t ? 1 : 0);
    }
    return f->leaf_offset[tree] + hg_leaf_number(node[k]);
}

/* what the definitions say of a row, with a weight for every training row */
static void
expect(const hg_forest *f, const float x[], int64_t self, double *n_eff, int *n_group,
       double spread[])
{
    double weight[N] = {0}, own = 0, both = 0, pairs, sum[NO] = {0}, square[NO] = {0};
    char seen[N] = {0};
    int n = 0, n_near = 0;

    for (int t = 0; t < f->n_tree; t++) {
        const uint64_t leaf = leaf_of(f, t, x);
        double total = 0;

        if (self >= 0 &&
            hg_bag_copies(f->options.bag, 1, (uint64_t)t, self, f->group[self]) > 0) {
            continue;
        }
        for (int o = 0; o < NO; o++) {
            sum[o] += (double)f->mean[leaf * NO + (uint64_t)o];
            square[o] += pow((double)f->mean[leaf * NO + (uint64_t)o], 2);
        }
        n++;
        if (n_near == TREES / 4) {
            continue;
        }
        n_near++;
        for (int pass = 0; pass < 2; pass++) {
            for (uint64_t m = f->mate_offset[leaf]; m < f->mate_offset[leaf + 1]; m++) {
                const uint32_t mate = f->mate[m];
                const double w = f->is_weighted ? f->weight[mate] : 1;

                if (self >= 0 && (mate == self || (f->options.bag == HG_BAG_GROUP &&
                                                   f->group[mate] == f->group[self]))) {
                    continue;
                }
                total += pass == 0 ? w : 0;
                weight[mate] += pass == 1 ? w / total : 0;
                own += pass == 1 ? pow(w / total, 2) : 0;
            }
        }
    }
    *n_group = 0;
    for (int i = 0; i < f->n_row; i++) {
        both += pow(weight[i] / n_near, 2);
        for (int g = 0; g < i && weight[i] > 0; g++) {
            seen[i] = (char)(seen[i] || (weight[g] > 0 && f->group[g] == f->group[i]));
        }
        *n_group += weight[i] > 0 && !seen[i];
    }
    own /= n_near;
    pairs = (both - own / n_near) / (1 - 1.0 / n_near);
    *n_eff = 1 / (own / f->n_tree + (1 - 1.0 / f->n_tree) * pairs);
    for (int o = 0; o < NO; o++) {
        double variance = fmax(0, square[o] / n - pow(sum[o] / n, 2));

        spread[o] =
            sqrt(self < 0 ? variance : variance * n / (n - 1.0) * (f->n_tree - 1) / f->n_tree);
    }
}

static int
is_beyond(const hg_forest *f, int level, double n_eff, int n_group, const double spread[])
{
    double limit[2 + NO];

    hg_forest_limits(f, level, limit);
    return n_eff < limit[0] || n_group < limit[1] || spread[0] > limit[2] ||
           spread[1] > limit[3];
}

static void
check_rows(const hg_forest *f, const test_rows *rows, int64_t n, int count[4])
{
    results r = predict(f, n, rows->key, rows->x, 2), one;

    for (int64_t i = 0; i < n; i++) {
        const int64_t self = hg_forest_find(f, rows->key[i]);
        double n_eff, spread[NO];
        int n_group, flag;

        cr_assert_eq(r.origin[i], self >= 0 ? HG_ROW_OOB : HG_ROW_NEW);
        expect(f, rows->x + i * P, self, &n_eff, &n_group, spread);
        cr_assert_float_eq(r.n_eff[i] / n_eff, 1, 1e-5);
        cr_assert_eq(r.n_group[i], n_group);
        for (int o = 0; o < NO; o++) {
            cr_assert_float_eq(r.spread[i * NO + o], spread[o], 1e-6);
        }
        flag = r.outside[i] != 0 || is_beyond(f, 1, r.n_eff[i], n_group, r.spread + i * NO)
                   ? HG_DOMAIN_OUTSIDE
               : is_beyond(f, 0, r.n_eff[i], n_group, r.spread + i * NO) ? HG_DOMAIN_EDGE
                                                                         : HG_DOMAIN_INSIDE;
        cr_assert_eq(r.domain[i], flag);
        count[flag]++;
        count[3] += r.in_tails[i] != 0;
        cr_assert((r.outside[i] & ~r.in_tails[i]) == 0);
    }
    for (int64_t i = 0; i < n; i += 13) { /* alone, the same */
        one = predict(f, 1, rows->key + i, rows->x + i * P, 1);
        cr_assert(one.n_eff[0] == r.n_eff[i] && one.n_group[0] == r.n_group[i] &&
                  one.domain[0] == r.domain[i] && one.in_tails[0] == r.in_tails[i] &&
                  memcmp(one.spread, r.spread + i * NO, NO * sizeof *r.spread) == 0);
        clear_results(&one);
    }
    clear_results(&r);
}

Test(domain, surroundings_are_those_of_the_leaves)
{
    for (int bag = HG_BAG_ROW; bag <= HG_BAG_GROUP; bag++) {
        for (int is_weighted = 0; is_weighted < 2; is_weighted++) {
            test_rows r = make_rows(N, P, NO, 0, 1), new = make_rows(N + NEW, P, NO, N, 1);
            int of_training[4] = {0}, of_new[4] = {0};
            hg_forest *f;

            r.data.group = r.group;
            r.data.weight = is_weighted ? r.weight : NULL;
            f = train(&r, (hg_bag)bag, TREES, 5);
            check_rows(f, &r, N, of_training);
            check_rows(f, &new, NEW, of_new);
            /* every training row is in the sample: the shares are those that were chosen */
            cr_assert(of_training[HG_DOMAIN_OUTSIDE] <= N / 100 &&
                      of_training[HG_DOMAIN_OUTSIDE] >= N / 200);
            cr_assert(of_training[HG_DOMAIN_OUTSIDE] + of_training[HG_DOMAIN_EDGE] <= N / 20 &&
                      of_training[HG_DOMAIN_OUTSIDE] + of_training[HG_DOMAIN_EDGE] >= N / 30);
            cr_assert(of_training[3] > 0 && of_training[3] < N / 20);
            /* and nearly so of rows that are like them; with a bag by group a training row sees
             * seven of eight groups, these see all */
            cr_expect(of_new[HG_DOMAIN_OUTSIDE] + of_new[HG_DOMAIN_EDGE] < 2 * NEW / 20 &&
                          of_new[HG_DOMAIN_OUTSIDE] + of_new[HG_DOMAIN_EDGE] >
                              (bag == HG_BAG_ROW ? NEW / 50 : NEW / 200),
                      "%d and %d of %d", of_new[1], of_new[2], NEW);
            hg_forest_free(f);
            clear_rows(&r);
            clear_rows(&new);
        }
    }
}

Test(domain, a_tree_of_one_leaf_has_all_rows_behind_it)
{
    test_rows r = make_rows(8, 1, 1, 0, 1);
    float x[1] = {1};
    uint64_t key[1] = {12345};
    double limit[3];

    for (int i = 0; i < 8; i++) {
        r.x[i] = 1;
        r.weight[i] = 1 + i;
    }
    r.data.group = r.group;
    for (int is_weighted = 0; is_weighted < 2; is_weighted++) {
        hg_forest *f;
        results one;

        r.data.weight = is_weighted ? r.weight : NULL;
        f = train(&r, HG_BAG_NONE, 9, 1);
        one = predict(f, 1, key, x, 1);
        cr_assert_float_eq(one.n_eff[0], is_weighted ? 36.0 * 36 / 204 : 8, 1e-5);
        cr_assert_eq(one.n_group[0], 8);
        cr_assert_float_eq(one.spread[0], 0, 1e-7);
        cr_assert_eq(one.domain[0], HG_DOMAIN_INSIDE); /* no bag, no limits */
        hg_forest_limits(f, 0, limit);
        cr_assert(isnan(limit[0]) && isnan(limit[2]));
        clear_results(&one);
        x[0] = 1.5f;
        one = predict(f, 1, key, x, 1);
        cr_assert_eq(one.domain[0], HG_DOMAIN_OUTSIDE);
        cr_assert(one.outside[0] == 1 && one.in_tails[0] == 1);
        clear_results(&one);
        x[0] = 1;
        hg_forest_free(f);
    }
    clear_rows(&r);
}

Test(domain, masks_have_a_bit_for_each_of_256_features)
{
    enum { WIDE = 256 };
    test_rows r = make_rows(300, WIDE, 1, 0, 1);
    hg_forest *f = train(&r, HG_BAG_ROW, 4, 20);
    float x[WIDE];
    uint64_t key[1] = {5};

    cr_assert_eq(hg_forest_mask_words(f), 4);
    for (int k = 0; k < WIDE; k++) {
        results one;

        memcpy(x, r.x, sizeof x);
        for (int i = 0; i < WIDE; i++) {
            x[i] = f->range[i].q001;
        }
        x[k] = k % 2 == 0 ? 1e9f : -1e9f;
        one = predict(f, 1, key, x, 1);
        for (int w = 0; w < 4; w++) {
            cr_assert_eq(one.outside[w], k / 64 == w ? (uint64_t)1 << (k % 64) : 0);
            cr_assert_eq(one.in_tails[w], one.outside[w]);
        }
        cr_assert_eq(one.domain[0], HG_DOMAIN_OUTSIDE);
        clear_results(&one);
    }
    hg_forest_free(f);
    clear_rows(&r);
}

/* rows of [0, 1)^2 with a steep target; those of the corner x0, x1 > 0.6 are left out of the
 * training, though each of their features is inside its range */
Test(domain, rows_from_a_hole_in_the_training_are_flagged_and_err_more)
{
    enum { ALL = 6000 };
    test_rows r = make_rows(ALL, 2, 1, 0, 1);
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *y, *mean, error[2] = {0};
    int64_t n = 0, n_flag[2][3] = {{0}}, n_of[2] = {0};
    hg_forest *f;
    results res;

    cr_assert_eq(hg_mem_array(&y, ALL, sizeof *y), HG_OK);
    cr_assert_eq(hg_mem_array(&mean, ALL, sizeof *mean), HG_OK);
    for (int64_t i = 0; i < ALL; i++) {
        const double u = test_uniform((uint64_t)i, 50), v = test_uniform((uint64_t)i, 51);

        if (i < ALL / 2 && u > 0.6 && v > 0.6) {
            continue;
        }
        r.x[2 * n] = (float)u;
        r.x[2 * n + 1] = (float)v;
        r.y[n] = y[n] = 4 * u * v + 0.1 * (test_uniform((uint64_t)i, 52) - 0.5);
        n++;
    }
    r.data.n = n - ALL / 2; /* the second half is new */
    f = train(&r, HG_BAG_ROW, 64, 5);
    res = predict(f, ALL / 2, r.key + r.data.n, r.x + 2 * r.data.n, 2);
    cr_assert_eq(hg_forest_predict(f, &o, ALL / 2, r.key + r.data.n, r.x + 2 * r.data.n,
                                   &(hg_prediction){.mean = mean}),
                 HG_OK);
    for (int64_t i = 0; i < ALL / 2; i++) {
        const float *x = r.x + 2 * (r.data.n + i);
        const int in_hole = x[0] > 0.65f && x[1] > 0.65f;

        n_flag[in_hole][res.domain[i]]++;
        n_of[res.domain[i] > 0]++;
        error[res.domain[i] > 0] += fabs(mean[i] - y[r.data.n + i]);
    }
    cr_expect(n_flag[1][1] + n_flag[1][2] >
                  3 * (n_flag[1][0] + n_flag[1][1] + n_flag[1][2]) / 8,
              "%d %d %d in the hole", (int)n_flag[1][0], (int)n_flag[1][1], (int)n_flag[1][2]);
    cr_expect(n_flag[0][1] + n_flag[0][2] < n_flag[0][0] / 11, "%d %d %d elsewhere",
              (int)n_flag[0][0], (int)n_flag[0][1], (int)n_flag[0][2]);
    cr_expect(error[1] / (double)n_of[1] > 3 * error[0] / (double)n_of[0], "%g against %g",
              error[1] / (double)n_of[1], error[0] / (double)n_of[0]);
    clear_results(&res);
    hg_mem_free(y);
    hg_mem_free(mean);
    hg_forest_free(f);
    clear_rows(&r);
}
