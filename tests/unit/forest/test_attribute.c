/* Attributions: Shapley values against the sum over all coalitions of features, sums against
 * predictions, deep trees, and what two copies of a feature get. */
#include "mpi_test.h"

#include "forest/attribute.h"
#include "forest/shapley.h"
#include "forest_data.h"

MPI_SUITE(attribute);

enum { N = 400, P = 5, NO = 2, EXPLAINED = 12 };

static hg_forest *
train(const test_rows *r, hg_train_options o)
{
    hg_forest *f = NULL;

    cr_assert_eq(hg_forest_train(&world, &o, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    return f;
}

/* where the canonical rows stand among those of the test */
static uint32_t *
find_places(const hg_forest *f, const test_rows *r)
{
    uint32_t *place = NULL;

    cr_assert_eq(hg_mem_array(&place, (size_t)f->n_row, sizeof *place), HG_OK);
    for (int64_t i = 0; i < f->n_row; i++) {
        for (int64_t k = 0; k < r->data.n; k++) {
            place[i] = r->key[k] == f->key[i] ? (uint32_t)k : place[i];
        }
    }
    return place;
}

static hg_attribution
attribute(const hg_forest *f, const test_rows *r, int threads, int64_t n, const float x[])
{
    const size_t nt = (size_t)f->n_target, all = (size_t)n * (size_t)f->n_feature * nt;
    uint32_t *place = find_places(f, r);
    hg_attribution a = {0};

    cr_assert_eq(hg_mem_array(&a.base, nt, sizeof *a.base), HG_OK);
    cr_assert_eq(hg_mem_array(&a.path, all, sizeof *a.path), HG_OK);
    cr_assert_eq(hg_mem_array(&a.shapley, all, sizeof *a.shapley), HG_OK);
    cr_assert_eq(hg_forest_attribute(f, threads, r->x, place, n, x, &a), HG_OK, "%s",
                 hg_error_last()->message);
    hg_mem_free(place);
    return a;
}

static void
clear(hg_attribution *a)
{
    hg_mem_free(a->base);
    hg_mem_free(a->path);
    hg_mem_free(a->shapley);
}

/* largest difference of base plus parts from the prediction */
static double
miss(const hg_forest *f, int64_t n, const float x[], const double base[], const double part[])
{
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    const int nf = f->n_feature, nt = f->n_target;
    double *mean = NULL, worst = 0;

    cr_assert_eq(hg_mem_array(&mean, (size_t)(n * nt), sizeof *mean), HG_OK);
    cr_assert_eq(hg_forest_predict(f, &o, n, NULL, x, &(hg_prediction){.mean = mean}), HG_OK);
    for (int64_t i = 0; i < n; i++) {
        for (int t = 0; t < nt; t++) {
            double sum = base[t];

            for (int k = 0; k < nf; k++) {
                sum += part[(i * nf + k) * nt + t];
            }
            worst = fmax(worst, fabs(sum - mean[i * nt + t]));
        }
    }
    hg_mem_free(mean);
    return worst;
}

/* weight of the rows in the bag of a tree that pass a node, by their own walks */
static double
weigh(const hg_forest *f, const test_rows *r, const uint32_t place[], int tree, uint32_t node)
{
    const hg_node *all = f->node + f->node_offset[tree];
    const uint32_t mask = (1u << f->feature_bits) - 1;
    double sum = 0;

    for (int64_t i = 0; i < f->n_row; i++) {
        const float *x = r->x + (size_t)place[i] * (size_t)f->n_feature;
        uint32_t k = 0;

        while (k != node && !hg_node_is_leaf(all[k])) {
            k = (all[k].link >> f->feature_bits) + (x[all[k].link & mask] > all[k].t);
        }
        if (k == node) {
            sum += hg_forest_weight(f, i) * hg_bag_copies(f->options.bag, f->options.seed,
                                                          (uint64_t)tree, i, f->group[i]);
        }
    }
    return sum;
}

/* worth of a coalition: algorithm 1 of Lundberg et al. 2020, for target 1 */
static double
worth(const hg_forest *f, const double weight[], int tree, uint32_t k, const float x[],
      unsigned members)
{
    const hg_node node = f->node[f->node_offset[tree] + k];
    const uint32_t feature = node.link & ((1u << f->feature_bits) - 1),
                   child = node.link >> f->feature_bits;

    if (hg_node_is_leaf(node)) {
        return (double)f->mean[(f->leaf_offset[tree] + hg_leaf_number(node)) * NO + 1];
    }
    if (members >> feature & 1) {
        return worth(f, weight, tree, child + (x[feature] > node.t), x, members);
    }
    return (weight[child] * worth(f, weight, tree, child, x, members) +
            weight[child + 1] * worth(f, weight, tree, child + 1, x, members)) /
           weight[k];
}

static double
factorial(int n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

Test(attribute, shapley_values_are_those_of_the_sum_over_all_coalitions)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    test_rows r = make_rows(N, P, NO, 0, 1);
    double expected[EXPLAINED][P] = {{0}}, weight[2 * N], base = 0;
    hg_attribution a;
    uint32_t *place;
    hg_forest *f;

    o.trees = 5;
    o.min_leaf = 9;
    r.data.weight = r.weight;
    f = train(&r, o);
    place = find_places(f, &r);
    for (int t = 0; t < o.trees; t++) {
        for (uint64_t k = 0; k < f->node_offset[t + 1] - f->node_offset[t]; k++) {
            weight[k] = weigh(f, &r, place, t, (uint32_t)k);
        }
        base += worth(f, weight, t, 0, r.x, 0) / o.trees;
        for (int i = 0; i < EXPLAINED; i++) {
            double value[1 << P];

            for (unsigned s = 0; s < 1 << P; s++) {
                value[s] = worth(f, weight, t, 0, r.x + i * P, s);
            }
            for (unsigned s = 0; s < 1 << P; s++) {
                const int size = __builtin_popcount(s);

                for (int k = 0; k < P; k++) {
                    expected[i][k] +=
                        s >> k & 1 ? 0
                                   : (value[s | 1u << k] - value[s]) * factorial(size) *
                                         factorial(P - size - 1) / (factorial(P) * o.trees);
                }
            }
        }
    }
    a = attribute(f, &r, 2, EXPLAINED, r.x);
    cr_expect_float_eq(a.base[1], base, 1e-12);
    for (int i = 0; i < EXPLAINED; i++) {
        for (int k = 0; k < P; k++) {
            cr_expect_float_eq(a.shapley[(i * P + k) * NO + 1], expected[i][k], 1e-12,
                               "row %d, feature %d: %.15g, expected %.15g", i, k,
                               a.shapley[(i * P + k) * NO + 1], expected[i][k]);
        }
        cr_expect_eq(a.shapley[(i * P + 1) * NO + 1], 0, "a constant feature adds nothing");
    }
    cr_expect_lt(miss(f, EXPLAINED, r.x, a.base, a.path), 1e-12);
    clear(&a);
    hg_mem_free(place);
    hg_forest_free(f);
    clear_rows(&r);
}

Test(attribute, deep_trees_give_finite_values_that_sum_to_the_prediction)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    test_rows r = make_rows(N, 40, 1, 0, 1);
    hg_attribution one, two;
    hg_forest *f;

    /* features and the target span many decades: random thresholds cut off few rows at a time
     */
    for (int64_t i = 0; i < N; i++) {
        for (int k = 0; k < 40; k++) {
            r.x[i * 40 + k] = (float)exp(6 * (double)r.x[i * 40 + k]);
        }
        r.y[i] = log((double)r.x[i * 40]) + 0.1 * log((double)r.x[i * 40 + 7]);
    }
    o.trees = 6;
    o.min_leaf = 1;
    o.max_features = 0.03;
    f = train(&r, o);
    one = attribute(f, &r, 1, EXPLAINED, r.x);
    two = attribute(f, &r, 3, EXPLAINED, r.x);
    cr_expect_lt(miss(f, EXPLAINED, r.x, one.base, one.shapley), 1e-11);
    cr_expect_lt(miss(f, EXPLAINED, r.x, one.base, one.path), 1e-11);
    cr_expect_arr_eq(one.shapley, two.shapley, EXPLAINED * 40 * sizeof(double));
    cr_expect_arr_eq(one.path, two.path, EXPLAINED * 40 * sizeof(double));
    clear(&one);
    clear(&two);
    hg_forest_free(f);
    clear_rows(&r);
}

Test(attribute, rows_of_another_training_are_found_out)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    test_rows r = make_rows(N, P, NO, 0, 1);
    double base[NO];
    hg_attribution a = {.base = base};
    hg_forest *f;
    uint32_t *place;

    o.trees = 3;
    o.min_leaf = 1;
    f = train(&r, o);
    place = find_places(f, &r);
    for (int64_t i = 0; i < N * P; i++) {
        r.x[i] = -r.x[i];
    }
    cr_expect_eq(hg_forest_attribute(f, 1, r.x, place, 0, NULL, &a), HG_E_VERIFY);
    hg_mem_free(place);
    hg_forest_free(f);
    clear_rows(&r);
}

Test(attribute, the_quadrature_is_exact_for_its_degree)
{
    hg_quadrature q;

    for (int n = 1; n <= HG_SHAPLEY_POINTS; n = n < 8 ? n + 1 : 2 * n) {
        hg_quadrature_legendre(n, &q);
        for (int degree = 0; degree < 2 * n; degree++) {
            double sum = 0;

            for (int i = 0; i < n; i++) {
                sum += q.w[i] * pow(q.t[i], degree);
            }
            cr_expect_float_eq(sum * (degree + 1), 1, 1e-11, "%d points, degree %d: %.17g", n,
                               degree, sum * (degree + 1));
        }
    }
}
