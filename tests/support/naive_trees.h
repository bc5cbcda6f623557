/** A second, naive grower of trees, to compare the forest with: recursion over lists of rows,
 * one feature at a time, sums in 64 bits. It shares with the code under test only the words,
 * the bag and the formula of a random threshold. Best splits are searched by trying every
 * boundary of every candidate over all rows of the node; the naive grower then sees the number
 * of a value's bin. Includes come with mpi_test.h. */
#ifndef HG_TEST_NAIVE_TREES_H
#define HG_TEST_NAIVE_TREES_H

#include <stdlib.h>
#include <string.h>

#include "forest/model.h"
#include "forest_data.h"

/* Have forests grown by the next variant of the kernel that this processor has; false behind
 * the last, when none is asked for any more. Begin with i = 0. */
static inline bool
next_variant(int *i)
{
    static const char *const name[] = {"portable", "avx2", "avx512"};
    const hg_kernel *kernel = NULL;

    while (*i < 3) {
        setenv("HG_SIMD", name[(*i)++], 1);
        if (hg_kernel_choose(&kernel) == HG_OK) {
            return true;
        }
    }
    unsetenv("HG_SIMD");
    return false;
}

/* the naive grower's view of a forest and its rows, in canonical order */
typedef struct truth {
    const hg_forest *f;
    const float *x; /* values, or numbers of bins */
    float *low;     /* shape (n_feature, n_row): values of the bins */
    float *high;
    int32_t *q;
    int64_t *w; /* weight times copies */
    double cost[HG_TARGETS_MAX];
    uint32_t key[2];
    int tree;
    double w_total;
    int n_inner;
    int n_leaf;
    int n_deepest;
    int n_redraw; /* nodes that were split by a second draw */
} truth;

typedef struct choice {
    int feature;
    float t;
    float cut; /* that parts the rows: t, or the number of a bin */
    double score;
} choice;

static inline float
value_at(const truth *g, uint32_t row, int f)
{
    return g->x[(int64_t)row * g->f->n_feature + f];
}

static inline double
score_split(const truth *g, const uint32_t row[], int n, int f, float t, int *n_left)
{
    int64_t s[HG_TARGETS_MAX] = {0}, left[HG_TARGETS_MAX] = {0}, w = 0, wl = 0;
    double score = 0;

    *n_left = 0;
    for (int i = 0; i < n; i++) {
        int is_left = value_at(g, row[i], f) <= t;

        *n_left += is_left;
        w += g->w[row[i]];
        wl += is_left ? g->w[row[i]] : 0;
        for (int o = 0; o < g->f->n_target; o++) {
            int64_t v = g->q[(int64_t)row[i] * g->f->n_target + o] * g->w[row[i]];

            s[o] += v;
            left[o] += is_left ? v : 0;
        }
    }
    for (int o = 0; o < g->f->n_target; o++) {
        double d = (double)left[o] - (double)s[o] / (double)w * (double)wl;

        score += g->cost[o] * (d * d);
    }
    return score / ((double)wl * ((double)w - (double)wl));
}

static inline void
find_limits(const truth *g, const uint32_t row[], int n, int f, float *min, float *max)
{
    *min = HUGE_VALF;
    *max = -HUGE_VALF;
    for (int i = 0; i < n; i++) {
        *min = fminf(*min, value_at(g, row[i], f));
        *max = fmaxf(*max, value_at(g, row[i], f));
    }
}

/* candidates by the words of scikit-learn's rule: the first K in random order, then on to the
 * first that is not constant */
static inline void
find_candidates(const truth *g, const uint32_t row[], int n, uint64_t path, int candidate[])
{
    const int n_feature = g->f->n_feature;
    int k = (int)(g->f->options.max_features * n_feature), visited = 0, any = 0;
    unsigned char seen[HG_FEATURES_MAX] = {0};

    k = k < 1 ? 1 : k;
    memset(candidate, 0, (size_t)n_feature * sizeof *candidate);
    while (visited < n_feature && (visited < k || !any)) {
        int next = -1;
        uint32_t least = 0;
        float min, max;

        for (int f = 0; f < n_feature; f++) {
            uint32_t word = hg_kernel_word(g->key, path, HG_PURPOSE_PRIORITY, f);

            if (!seen[f] && (next < 0 || word < least)) {
                next = f;
                least = word;
            }
        }
        seen[next] = 1;
        visited++;
        find_limits(g, row, n, next, &min, &max);
        candidate[next] = max > min;
        any |= max > min;
    }
}

/* one draw of thresholds; `words` keys them, `path` the candidates */
static inline choice
choose(const truth *g, const uint32_t row[], int n, uint64_t path, uint64_t words, int purpose)
{
    choice best = {-1, 0, 0, -1};
    int candidate[HG_FEATURES_MAX];

    find_candidates(g, row, n, path, candidate);
    for (int f = 0; f < g->f->n_feature; f++) {
        uint32_t word = hg_kernel_word(g->key, words, (uint32_t)purpose, f);
        float min, max, t;
        double score;
        int n_left;

        if (!candidate[f]) {
            continue;
        }
        find_limits(g, row, n, f, &min, &max);
        t = hg_kernel_threshold(word, min, max);
        cr_assert(t >= min && t < max);
        score = score_split(g, row, n, f, t, &n_left);
        if (n_left >= g->f->options.min_leaf && n - n_left >= g->f->options.min_leaf &&
            score > best.score) {
            best = (choice){f, t, t, score};
            if (n == 2 && g->f->options.min_leaf == 1 && g->f->options.max_features >= 1 &&
                g->f->options.redraw == 0) {
                break; /* two rows: all splits are alike, the first feature is taken */
            }
        }
    }
    return best;
}

/* the middle of two bins, towards minus infinity in float32 */
static inline float
find_middle(float a, float b)
{
    long double middle = ((long double)a + (long double)b) / 2;
    float t = (float)middle;

    while ((long double)t > middle) {
        t = nextafterf(t, -HUGE_VALF);
    }
    while (!(t < b)) {
        t = nextafterf(t, -HUGE_VALF);
    }
    cr_assert(a <= t && t < b);
    return t;
}

static inline choice
choose_best(const truth *g, const uint32_t row[], int n, uint64_t path)
{
    choice best = {-1, 0, 0, -1};
    int candidate[HG_FEATURES_MAX];

    find_candidates(g, row, n, path, candidate);
    for (int f = 0; f < g->f->n_feature; f++) {
        const int64_t first = f * g->f->n_row;
        float cut, next, max;

        if (!candidate[f]) {
            continue;
        }
        find_limits(g, row, n, f, &cut, &max);
        for (; cut < max; cut = next) { /* from each bin of the node to the next */
            double score;
            int n_left;

            next = max;
            for (int i = 0; i < n; i++) {
                float v = value_at(g, row[i], f);

                next = v > cut && v < next ? v : next;
            }
            score = score_split(g, row, n, f, cut, &n_left);
            if (n_left >= g->f->options.min_leaf && n - n_left >= g->f->options.min_leaf &&
                score > best.score) {
                float t = find_middle(g->high[first + (int)cut], g->low[first + (int)next]);

                best = (choice){f, t, cut, score};
            }
        }
    }
    return best;
}

static inline int
is_pure(const truth *g, const uint32_t row[], int n)
{
    const int n_target = g->f->n_target;

    for (int i = 1; i < n; i++) {
        if (memcmp(g->q + (int64_t)row[i] * n_target, g->q + (int64_t)row[0] * n_target,
                   (size_t)n_target * sizeof *g->q) != 0) {
            return 0;
        }
    }
    return 1;
}

static inline void
check_leaf(truth *g, hg_node node, const uint32_t row[], int n, int min_rows)
{
    const hg_forest *f = g->f;
    uint64_t leaf = f->leaf_offset[g->tree] + hg_leaf_number(node);

    cr_assert(n >= min_rows);
    cr_assert_eq(hg_leaf_number(node), (uint32_t)g->n_leaf, "leaves are numbered depth first");
    g->n_leaf++;
    for (int o = 0; o < f->n_target; o++) {
        double s = 0, w = 0;

        for (int i = 0; i < n; i++) {
            w += (double)g->w[row[i]];
            s += (double)g->w[row[i]] * (double)f->value[(int64_t)row[i] * f->n_target + o];
        }
        cr_assert_float_eq((double)f->mean[leaf * (uint64_t)f->n_target + (uint64_t)o], s / w,
                           2e-6 * (1 + fabs(s / w)));
    }
    for (int i = 0; i < n;
         i++) { /* every row of the bag is listed in its leaf, unless capped */
        int listed = f->mate_offset[leaf + 1] - f->mate_offset[leaf] ==
                     (uint64_t)f->options.leaf_mates_max;

        for (uint64_t m = f->mate_offset[leaf]; m < f->mate_offset[leaf + 1]; m++) {
            listed |= f->mate[m] == row[i];
        }
        cr_assert(listed);
    }
}

static inline void
check_node(truth *g, uint32_t at, uint32_t row[], int n, uint64_t path, int depth)
{
    const hg_forest *f = g->f;
    const hg_train_options *o = &f->options;
    const hg_node node = f->node[f->node_offset[g->tree] + at];
    choice best = {-1, 0, 0, -1};
    double w = 0;
    int n_left = 0;
    uint32_t child = node.link >> f->feature_bits;

    g->n_deepest = depth > g->n_deepest ? depth : g->n_deepest;
    for (int i = 0; i < n; i++) {
        w += (double)g->w[row[i]];
    }
    if (n >= o->min_split && n >= 2 * o->min_leaf && !is_pure(g, row, n) &&
        (o->max_depth == 0 || depth < o->max_depth)) {
        best = o->splitter == HG_SPLITTER_BEST
                   ? choose_best(g, row, n, path)
                   : choose(g, row, n, path, path, HG_PURPOSE_THRESHOLD);
        for (uint64_t k = 1; best.feature < 0 && k <= (uint64_t)o->redraw; k++) {
            best = choose(g, row, n, path, hg_mix64(path + k * 0x9E3779B97F4A7C15u),
                          HG_PURPOSE_SPLIT);
            g->n_redraw += best.feature >= 0;
        }
    }
    if (best.feature >= 0 && best.score * w / g->w_total / f->n_target < o->min_gain) {
        best.feature = -1;
    }
    if (best.feature < 0) {
        cr_assert(hg_node_is_leaf(node), "node %u of depth %d with %d rows", at, depth, n);
        cr_assert_eq(child, at);
        check_leaf(g, node, row, n, n < o->min_leaf ? n : o->min_leaf);
        return;
    }
    cr_assert(!hg_node_is_leaf(node), "node %u of depth %d with %d rows", at, depth, n);
    cr_assert_eq((int)(node.link & ((1u << f->feature_bits) - 1)), best.feature);
    cr_assert(memcmp(&node.t, &best.t, sizeof node.t) == 0);
    cr_assert_eq(child, (uint32_t)(2 + 2 * g->n_inner), "pairs stand depth first");
    g->n_inner++;
    for (int i = 0; i < n; i++) {
        if (value_at(g, row[i], best.feature) <= best.cut) {
            uint32_t keep = row[n_left];

            row[n_left++] = row[i];
            row[i] = keep;
        }
    }
    check_node(g, child, row, n_left, hg_mix64(2 * path + 1), depth + 1);
    check_node(g, child + 1, row + n_left, n - n_left, hg_mix64(2 * path + 2), depth + 1);
}

/* x in canonical order, found by key */
static inline float *
sort_features(const hg_forest *f, const test_rows *r)
{
    float *x = malloc((size_t)(f->n_row * f->n_feature) * sizeof *x);

    for (int64_t i = 0; i < f->n_row; i++) {
        int64_t from = 0;

        while (r->key[from] != f->key[i]) {
            from++;
        }
        memcpy(x + i * f->n_feature, r->x + from * f->n_feature,
               (size_t)f->n_feature * sizeof *x);
        for (int o = 0; o < f->n_target; o++) {
            cr_assert_eq(f->value[i * f->n_target + o], (float)r->y[from * f->n_target + o]);
        }
    }
    return x;
}

static inline int
compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* bins by their definition: x becomes the number of the bin, low and high get its values */
static inline void
set_bins(truth *g, float x[])
{
    const int n_feature = g->f->n_feature, most = g->f->options.bins;
    const int64_t n = g->f->n_row;
    float *sorted = malloc((size_t)n * sizeof *sorted),
          *edge = malloc((size_t)n * sizeof *edge);

    for (int f = 0; f < n_feature; f++) {
        float *low = g->low + f * n, *high = g->high + f * n;
        int n_edge = 0;

        for (int64_t i = 0; i < n; i++) {
            sorted[i] = x[i * n_feature + f];
        }
        qsort(sorted, (size_t)n, sizeof *sorted, compare_floats);
        for (int64_t i = 0; i < n; i++) {
            if (i == 0 || sorted[i] > sorted[i - 1]) {
                edge[n_edge++] = sorted[i];
            }
        }
        if (n_edge > most) { /* quantiles, and what follows a value that is two of them */
            n_edge = 0;
            for (int64_t k = 0; k < most; k++) {
                int64_t at = k * n / most, before = k > 0 ? (k - 1) * n / most : -1;

                if (k > 0 && sorted[at] == sorted[before]) {
                    while (at < n && sorted[at] == sorted[before]) {
                        at++;
                    }
                }
                if (at < n && (n_edge == 0 || sorted[at] > edge[n_edge - 1])) {
                    edge[n_edge++] = sorted[at];
                }
            }
        }
        for (int b = 0; b < n_edge; b++) {
            low[b] = HUGE_VALF;
            high[b] = -HUGE_VALF;
        }
        for (int64_t i = 0; i < n; i++) {
            float v = x[i * n_feature + f];
            int b = n_edge - 1;

            while (edge[b] > v) {
                b--;
            }
            low[b] = fminf(low[b], v);
            high[b] = fmaxf(high[b], v);
            x[i * n_feature + f] = (float)b;
        }
    }
    free(sorted);
    free(edge);
}

static inline void
check_tree(truth *g, int tree, const test_rows *r)
{
    const hg_forest *f = g->f;
    uint32_t *row = malloc((size_t)f->n_row * sizeof *row);
    hg_stream s = hg_stream_start(f->options.seed, (uint64_t)(f->options.first_tree + tree), 0,
                                  HG_PURPOSE_THRESHOLD);
    int n = 0;

    (void)r;
    g->tree = tree;
    g->w_total = 0;
    g->n_inner = g->n_leaf = 0;
    memcpy(g->key, s.key, sizeof s.key);
    for (int64_t i = 0; i < f->n_row; i++) {
        int copies = hg_bag_copies(f->options.bag, f->options.seed,
                                   (uint64_t)(f->options.first_tree + tree), i, f->group[i]);

        g->w[i] = (int64_t)f->weight[i] * copies;
        g->w_total += (double)g->w[i];
        row[n] = (uint32_t)i;
        n += copies > 0;
    }
    if (n == 0) { /* an empty bag: all rows */
        for (int64_t i = 0; i < f->n_row; i++) {
            g->w[i] = f->weight[i];
            g->w_total += (double)g->w[i];
            row[n++] = (uint32_t)i;
        }
    }
    check_node(g, 0, row, n, 1, 0);
    cr_assert_eq(f->node_offset[tree + 1] - f->node_offset[tree],
                 (uint64_t)(2 + 2 * g->n_inner));
    cr_assert_eq(f->leaf_offset[tree + 1] - f->leaf_offset[tree], (uint64_t)g->n_leaf);
    free(row);
}

/* returns the number of nodes that were split by a second draw */
static inline int
check_forest(const hg_train_options *options, const test_rows *r, int max_depth)
{
    hg_forest *f = NULL;
    truth g = {0};
    float *x;
    int64_t n;

    cr_assert_eq(hg_forest_train(&world, options, &r->data, &f), HG_OK, "%s",
                 hg_error_last()->message);
    n = f->n_row * f->n_target;
    x = sort_features(f, r);
    g = (truth){.f = f, .x = x};
    if (options->splitter == HG_SPLITTER_BEST) {
        g.low = malloc((size_t)(f->n_row * f->n_feature) * sizeof *g.low);
        g.high = malloc((size_t)(f->n_row * f->n_feature) * sizeof *g.high);
        set_bins(&g, x);
    }
    g.q = malloc((size_t)n * sizeof *g.q);
    g.w = malloc((size_t)f->n_row * sizeof *g.w);
    for (int o = 0; o < f->n_target; o++) {
        double mean = 0, square = 0, high = -HUGE_VAL;

        for (int64_t i = 0; i < r->data.n; i++) {
            high = fmax(high, r->y[i * f->n_target + o]);
        }
        cr_assert_float_eq(f->centre[o] + f->quantum[o] * ((1 << 23) - 1), high, 1e-12);
        for (int64_t i = 0; i < f->n_row; i++) {
            int64_t from = 0;
            double q;

            g.q[i * f->n_target + o] = 0;
            if (!(f->quantum[o] > 0)) {
                continue;
            }
            while (r->key[from] != f->key[i]) {
                from++;
            }
            q = rint((r->y[from * f->n_target + o] - f->centre[o]) / f->quantum[o]);
            g.q[i * f->n_target + o] = (int32_t)q;
            mean += q / (double)f->n_row;
            square += q * q / (double)f->n_row;
        }
        if (!(f->quantum[o] > 0)) {
            continue;
        }
        cr_assert_float_eq(f->scale[o] / f->quantum[o] / sqrt(square - mean * mean), 1, 1e-9);
        g.cost[o] = f->cost[o];
        cr_assert_float_eq(f->cost[o] * (square - mean * mean), 1, 1e-9);
    }
    for (int t = 0; t < options->trees; t++) {
        check_tree(&g, t, r);
    }
    cr_assert(max_depth == 0 || g.n_deepest <= max_depth);
    free(x);
    free(g.low);
    free(g.high);
    free(g.q);
    free(g.w);
    hg_forest_free(f);
    return g.n_redraw;
}

#endif
