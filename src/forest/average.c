/* A block of rows passes tree after tree, so that one tree stays in the cache while all rows
 * pass through it. Sums over trees are taken for several trees at once: their memory moves once
 * for these, and the means of leaves to come are fetched ahead. A row's values are added in
 * double in tree order, whatever its place in a block. */
#include "forest/average.h"

#include <math.h>

#include "base/memory.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    TOGETHER = 8, /* trees of which sums are taken */
    AHEAD = 8,    /* rows fetched ahead */
    PACKED_NODES_MAX = 1 << 19,
    PACKED_NODES_PER_ROW = 4
};

/* Nodes of the largest tree, if trees are to be packed: where the rows of a block are many
 * enough to pay for that, and steps are not spent in waiting for memory anyway. 0 = no. */
static size_t
packed_nodes(const hg_forest *f, size_t n)
{
    size_t most = 0;

    for (int t = 0; t < f->n_tree; t++) {
        const size_t n_node = f->node_offset[t + 1] - f->node_offset[t];

        most = n_node > most ? n_node : most;
    }
    return most <= PACKED_NODES_MAX && most / PACKED_NODES_PER_ROW <= n ? most : 0;
}

hg_status
hg_average_init(const hg_forest *f, size_t n, int n_seen, bool has_spread, hg_average *a)
{
    const size_t n_target = (size_t)f->n_target, n_packed = packed_nodes(f, n);

    a->n_seen = n_seen;
    if (n_packed > 0) {
        HG_TRY(hg_mem_array(&a->packed, n_packed, sizeof *a->packed));
    }
    HG_TRY(hg_mem_array(&a->seen, (size_t)n_seen * n, sizeof *a->seen));
    HG_TRY(hg_mem_array(&a->leaf, TOGETHER * n, sizeof *a->leaf));
    HG_TRY(hg_mem_array(&a->order, n, sizeof *a->order));
    a->stride = ((size_t)f->n_feature + 7) / 8 * 8;
    HG_TRY(hg_mem_zeros(&a->x, n * a->stride, sizeof *a->x));
    HG_TRY(hg_mem_array(&a->sum, n * n_target, sizeof *a->sum));
    return has_spread ? hg_mem_array(&a->square, n * n_target, sizeof *a->square) : HG_OK;
}

void
hg_average_clear(hg_average *a)
{
    hg_mem_free(a->seen);
    hg_mem_free(a->leaf);
    hg_mem_free(a->order);
    hg_mem_free(a->x);
    hg_mem_free(a->packed);
    hg_mem_free(a->sum);
    hg_mem_free(a->square);
    *a = (hg_average){0};
}

/* one pass of a radix sort of places by the digit of their leaf that starts at bit `shift` */
static void
sort_digit(size_t n, const uint32_t leaf[], int shift, const uint32_t from[], uint32_t to[])
{
    enum { DIGIT_BITS = HG_LEAF_BITS / 2, DIGITS = 1 << DIGIT_BITS };
    uint32_t begin[DIGITS + 1] = {0};

    for (size_t i = 0; i < n; i++) {
        begin[(leaf[i] >> shift & (DIGITS - 1)) + 1]++;
    }
    for (int k = 0; k < DIGITS; k++) {
        begin[k + 1] += begin[k];
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t place = from != NULL ? from[i] : (uint32_t)i;

        to[begin[leaf[place] >> shift & (DIGITS - 1)]++] = place;
    }
}

static void
copy_row(size_t n_feature, const float x[], bool as_keys, uint32_t to[])
{
    if (!as_keys) {
        memcpy(to, x, n_feature * sizeof *x);
        return;
    }
    for (size_t i = 0; i < n_feature; i++) {
        to[i] = hg_row_key(x[i]);
    }
}

/* Pass the first tree, and put rows and leaves into the order of its leaves: rows that share a
 * leaf there take like ways through the other trees, so that their nodes are in the cache. */
static void
arrange_rows(const hg_forest *f, const float x[], hg_average *a, uint32_t leaf[])
{
    const size_t n_feature = (size_t)f->n_feature;
    uint32_t *given = a->leaf + a->n, *spare = a->leaf + 2 * a->n; /* not in use yet */

    hg_tree_route(f->node, f->feature_bits, a->n, x, n_feature, NULL, given);
    sort_digit(a->n, given, 0, NULL, spare);
    sort_digit(a->n, given, HG_LEAF_BITS / 2, spare, a->order);
    for (size_t i = 0; i < a->n; i++) {
        const size_t ahead = i + AHEAD < a->n ? i + AHEAD : i;

        __builtin_prefetch(x + a->order[ahead] * n_feature);
        copy_row(n_feature, x + a->order[i] * n_feature, a->packed != NULL,
                 a->x + i * a->stride);
        leaf[i] = given[a->order[i]];
    }
}

static void
pass_tree(const hg_forest *f, int tree, hg_average *a, uint32_t leaf[])
{
    const hg_node *node = f->node + f->node_offset[tree];

    if (a->packed == NULL) {
        hg_tree_route(node, f->feature_bits, a->n, (const float *)a->x, a->stride, NULL, leaf);
        return;
    }
    hg_tree_pack(node, f->feature_bits, f->node_offset[tree + 1] - f->node_offset[tree],
                 a->packed);
    hg_packed_route(a->packed, a->n, a->x, a->stride, leaf);
}

/* Add the means of leaves in `n_tree` trees from the first on. Bounds that are known when this
 * is compiled let sums stay in registers. */
INLINE void
add_trees(const hg_forest *f, int first, int n_tree, int n_target, bool has_square,
          const uint32_t leaf[], hg_average *a)
{
    const float *mean[TOGETHER];

    for (int t = 0; t < n_tree; t++) {
        mean[t] = f->mean + f->leaf_offset[first + t] * (size_t)n_target;
    }
    for (size_t i = 0; i < a->n; i++) {
        const size_t at = i * (size_t)n_target, ahead = i + AHEAD < a->n ? i + AHEAD : i;
        double sum[HG_TARGETS_MAX], square[HG_TARGETS_MAX];

        for (int o = 0; o < n_target; o++) {
            sum[o] = first > 0 ? a->sum[at + (size_t)o] : 0;
            square[o] = first > 0 && has_square ? a->square[at + (size_t)o] : 0;
        }
        for (int t = 0; t < n_tree; t++) {
            const uint32_t *of = leaf + (size_t)t * a->n;
            const float *value = mean[t] + of[i] * (size_t)n_target;

            __builtin_prefetch(mean[t] + of[ahead] * (size_t)n_target);
            for (int o = 0; o < n_target; o++) {
                const double m = (double)value[o], d = m - f->centre[o];

                sum[o] += m;
                square[o] += has_square ? d * d : 0;
            }
        }
        for (int o = 0; o < n_target; o++) {
            a->sum[at + (size_t)o] = sum[o];
            if (has_square) {
                a->square[at + (size_t)o] = square[o];
            }
        }
    }
}

#define CASES(HG_CASE) HG_CASE(1) HG_CASE(2) HG_CASE(3) HG_CASE(4) HG_CASE(5) HG_CASE(6)

static void
add_leaves(const hg_forest *f, int first, int n_tree, const uint32_t leaf[], hg_average *a)
{
    switch (a->square != NULL ? -f->n_target : f->n_target) {
#define HG_CASE(n)                                      \
    case n:                                             \
        add_trees(f, first, n_tree, n, false, leaf, a); \
        break;                                          \
    case -(n):                                          \
        add_trees(f, first, n_tree, n, true, leaf, a);  \
        break;
        CASES(HG_CASE)
#undef HG_CASE
    default:
        add_trees(f, first, n_tree, f->n_target, a->square != NULL, leaf, a);
    }
}

/* means and spreads from the sums, in the order of the rows as given */
static void
finish(const hg_forest *f, const hg_average *a, double mean[], double spread[])
{
    const size_t n_target = (size_t)f->n_target;

    for (size_t i = 0; i < a->n; i++) {
        for (size_t o = 0; o < n_target; o++) {
            const size_t at = i * n_target + o, to = a->order[i] * n_target + o;

            mean[to] = a->sum[at] / f->n_tree;
            if (spread != NULL) {
                double d = mean[to] - f->centre[o];
                double variance = a->square[at] / f->n_tree - d * d;

                spread[to] = variance > 0 ? sqrt(variance) : 0;
            }
        }
    }
}

void
hg_average_block(const hg_forest *f, size_t n, const float x[], hg_average *a, double mean[],
                 double spread[])
{
    a->n = n;
    for (int first = 0, n_tree; first < f->n_tree; first += n_tree) {
        const int end = first < a->n_seen ? a->n_seen : f->n_tree;
        uint32_t *leaf = first < a->n_seen ? a->seen + (size_t)first * n : a->leaf;

        n_tree = end - first < TOGETHER ? end - first : TOGETHER;
        for (int t = 0; t < n_tree; t++) {
            if (first + t == 0) {
                arrange_rows(f, x, a, leaf);
            } else {
                pass_tree(f, first + t, a, leaf + (size_t)t * n);
            }
        }
        add_leaves(f, first, n_tree, leaf, a);
    }
    finish(f, a, mean, spread);
}
