/* A tree as a game: features in a coalition decide at nodes, at others the bag's shares do. For
 * one leaf the worth of a coalition is a product over the features on its path, of o (does the
 * row go this way?) for members and z (share of the bag that does) for others. Its multilinear
 * extension on the diagonal is prod (z + t (o - z)), and the Shapley value of feature i is
 * the integral of (o_i - z_i) times the product over the others: a polynomial, which
 * Gauss-Legendre integrates exactly. All factors are positive, so nothing cancels, however deep
 * the tree: the usual algorithm divides polynomials instead, and loses digits with depth.
 *
 * All leaves are visited once, depth first. An edge that asks for feature i replaces the factor
 * of i on its path. With G the sum over the leaves below of value times product, the edge adds
 * G (g_new - g_old), g = (o - z) / (z + t (o - z)): over the edges of a path this telescopes to
 * the term of the leaf. */
#include "forest/shapley.h"

#include <math.h>

#include "base/memory.h"

struct hg_shapley_level {
    uint32_t node;
    int n_done;                    /* children that have been entered */
    double old_share, old_follows; /* of the feature, before the child */
};

void
hg_quadrature_legendre(int n, hg_quadrature *q)
{
    const double pi = 3.14159265358979323846;

    q->n = n;
    for (int i = 0; i < n; i++) {
        double x = cos(pi * (i + 0.75) / (n + 0.5)), slope = 1;

        for (int step = 0; step < 8; step++) {
            double p = 1, before = 0;

            for (int k = 1; k <= n; k++) { /* P_k of P_(k-1) and P_(k-2) */
                const double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;

                before = p;
                p = next;
            }
            slope = n * (x * p - before) / (x * x - 1);
            x -= p / slope;
        }
        q->t[i] = 0.5 * (1 - x);
        q->w[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

hg_status
hg_shapley_reserve(hg_shapley *s, const hg_covered_tree *tree)
{
    const size_t n = (size_t)tree->depth + 1;

    if (s->level != NULL && s->depth >= tree->depth) {
        return HG_OK;
    }
    hg_shapley_clear(s);
    s->depth = tree->depth;
    HG_TRY(hg_mem_array(&s->level, n, sizeof *s->level));
    HG_TRY(hg_mem_array(&s->product, n * HG_SHAPLEY_POINTS, sizeof *s->product));
    HG_TRY(
        hg_mem_array(&s->sum, n * HG_SHAPLEY_POINTS * (size_t)tree->n_target, sizeof *s->sum));
    HG_TRY(hg_mem_array(&s->share, (size_t)tree->n_feature, sizeof *s->share));
    return hg_mem_array(&s->follows, (size_t)tree->n_feature, sizeof *s->follows);
}

void
hg_shapley_clear(hg_shapley *s)
{
    hg_mem_free(s->level);
    hg_mem_free(s->product);
    hg_mem_free(s->sum);
    hg_mem_free(s->share);
    hg_mem_free(s->follows);
    *s = (hg_shapley){0};
}

static double *
sum_of(const hg_shapley *s, const hg_covered_tree *tree, int l)
{
    return s->sum + (size_t)l * (size_t)tree->n_target * HG_SHAPLEY_POINTS;
}

/* come to a node at level l, whose product stands ready */
static void
enter(hg_shapley *s, const hg_covered_tree *tree, int n, int l, uint32_t node)
{
    const double *product = s->product + (size_t)l * HG_SHAPLEY_POINTS;
    const double *mean = tree->mean + (size_t)node * (size_t)tree->n_target;
    const bool is_leaf = hg_node_is_leaf(tree->node[node]);

    s->level[l] = (hg_shapley_level){.node = node, .n_done = is_leaf ? 2 : 0};
    for (int o = 0; o < tree->n_target; o++) {
        double *sum = sum_of(s, tree, l) + (size_t)o * HG_SHAPLEY_POINTS;

        for (int q = 0; q < n; q++) {
            sum[q] = is_leaf ? product[q] * mean[o] : 0;
        }
    }
}

/* go from level l to the next child */
static void
descend(hg_shapley *s, const hg_covered_tree *tree, const hg_quadrature *quadrature, int l,
        const float x[])
{
    hg_shapley_level *level = &s->level[l];
    const hg_node node = tree->node[level->node];
    const uint32_t feature = node.link & ((1u << tree->bits) - 1),
                   child = (node.link >> tree->bits) + (uint32_t)level->n_done;
    const double *product = s->product + (size_t)l * HG_SHAPLEY_POINTS;
    double *next = s->product + (size_t)(l + 1) * HG_SHAPLEY_POINTS;
    const double z0 = s->share[feature], o0 = s->follows[feature];
    const double z1 = z0 * (tree->weight[child] / tree->weight[level->node]);
    const double o1 = (x[feature] > node.t) == level->n_done ? o0 : 0;

    level->old_share = z0;
    level->old_follows = o0;
    level->n_done++;
    s->share[feature] = z1;
    s->follows[feature] = o1;
    for (int q = 0; q < quadrature->n; q++) {
        const double t = quadrature->t[q];

        next[q] = product[q] * ((z1 + t * (o1 - z1)) / (z0 + t * (o0 - z0)));
    }
    enter(s, tree, quadrature->n, l + 1, child);
}

/* leave the child of level l with its sums */
static void
ascend(hg_shapley *s, const hg_covered_tree *tree, const hg_quadrature *quadrature, int l,
       double value[])
{
    const hg_shapley_level *level = &s->level[l];
    const uint32_t feature = tree->node[level->node].link & ((1u << tree->bits) - 1);
    const double z1 = s->share[feature], o1 = s->follows[feature];
    const double z0 = level->old_share, o0 = level->old_follows;
    double factor[HG_SHAPLEY_POINTS];

    for (int q = 0; q < quadrature->n; q++) {
        const double t = quadrature->t[q];

        factor[q] = quadrature->w[q] *
                    ((o1 - z1) / (z1 + t * (o1 - z1)) - (o0 - z0) / (z0 + t * (o0 - z0)));
    }
    for (int o = 0; o < tree->n_target; o++) {
        const double *from = sum_of(s, tree, l + 1) + (size_t)o * HG_SHAPLEY_POINTS;
        double *to = sum_of(s, tree, l) + (size_t)o * HG_SHAPLEY_POINTS, added = 0;

        for (int q = 0; q < quadrature->n; q++) {
            added += factor[q] * from[q];
            to[q] += from[q];
        }
        value[(size_t)feature * (size_t)tree->n_target + (size_t)o] += added;
    }
    s->share[feature] = z0;
    s->follows[feature] = o0;
}

void
hg_shapley_add(hg_shapley *s, const hg_covered_tree *tree, const hg_quadrature *quadrature,
               const float x[], double value[])
{
    int l = 0;

    for (int f = 0; f < tree->n_feature; f++) {
        s->share[f] = s->follows[f] = 1;
    }
    for (int q = 0; q < quadrature->n; q++) {
        s->product[q] = 1;
    }
    enter(s, tree, quadrature->n, 0, 0);
    for (;;) {
        if (s->level[l].n_done < 2) {
            descend(s, tree, quadrature, l++, x);
        } else if (l > 0) {
            ascend(s, tree, quadrature, --l, value);
        } else {
            return;
        }
    }
}
