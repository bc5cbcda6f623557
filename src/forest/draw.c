/* Scatter: the residual vector of a leaf-mate. Tree and leaf-mate come from streams keyed by
 * (seed, realisation, key), so a halo has the same draw wherever and with whatever neighbours
 * it is computed. A training row looks for a tree that did not see it, and no row ever gets its
 * own residual. Mates without a residual do not count; if a leaf has none left, the next tree
 * of the stream is tried, and after many the trees in order. Rows that go to the same tree are
 * routed together: the time of a draw is that of passing one tree. */
#include <math.h>

#include "forest/predict.h"

enum { TREE_TRIES = 64, MATE_TRIES = 8 };

/* what one draw needs to know */
typedef struct hg_drawing {
    const hg_forest *f;
    hg_draw_method method;
    uint64_t seed;
    uint64_t realisation;
} hg_drawing;

/* whether row `mate` may lend its scatter to training row `self` (or to a new one, -1) */
static int
is_eligible(const hg_drawing *d, uint32_t mate, int64_t self)
{
    const hg_forest *f = d->f;

    if (self >= 0 && (mate == self || f->parent[mate] == f->parent[self])) {
        return 0;
    }
    return d->method == HG_DRAW_LEAF || !isnan(f->residual[(size_t)mate * (size_t)f->n_target]);
}

/* sum of weights over the eligible mates; picks the one that contains `point` when asked */
static uint64_t
walk_mates(const hg_drawing *d, uint64_t begin, uint64_t end, int64_t self, uint64_t point,
           int64_t *picked)
{
    uint64_t sum = 0;

    *picked = -1;
    for (uint64_t i = begin; i < end; i++) {
        if (is_eligible(d, d->f->mate[i], self)) {
            sum += d->f->is_weighted ? d->f->weight[d->f->mate[i]] : 1;
            if (*picked < 0 && point < sum) {
                *picked = d->f->mate[i];
            }
        }
    }
    return sum;
}

/* one of the eligible mates of a leaf, in proportion to weight, or -1 */
static int64_t
pick_mate(const hg_drawing *d, uint64_t leaf, int64_t self, hg_stream *stream)
{
    const uint64_t begin = d->f->mate_offset[leaf], end = d->f->mate_offset[leaf + 1];
    int64_t picked = -1;
    uint64_t sum;

    if (begin == end) {
        return -1;
    }
    for (int k = 0; k < MATE_TRIES && !d->f->is_weighted; k++) {
        uint32_t mate = d->f->mate[begin + hg_stream_below(stream, (uint32_t)(end - begin))];

        if (is_eligible(d, mate, self)) {
            return mate;
        }
    }
    sum = walk_mates(d, begin, end, self, UINT64_MAX, &picked);
    if (sum > 0) {
        double u = hg_stream_uniform(stream);
        uint64_t point = (uint64_t)(u * (double)sum);

        walk_mates(d, begin, end, self, point < sum ? point : sum - 1, &picked);
    }
    return picked;
}

static uint64_t
find_leaf(const hg_forest *f, int tree, const float x[])
{
    uint32_t leaf = 0;

    hg_tree_route(f->node + f->node_offset[tree], f->feature_bits, 1, x, (size_t)f->n_feature,
                  NULL, &leaf);
    return f->leaf_offset[tree] + leaf;
}

/* the first tree of a row's stream: for a training row one that did not see it, where there is
 * one */
static int
pick_tree(const hg_forest *f, int64_t self, hg_stream *stream)
{
    int tree = (int)hg_stream_below(stream, (uint32_t)f->n_tree);

    if (self < 0 || f->oob_trees[self] == 0) {
        return tree;
    }
    for (int k = 0; k < TREE_TRIES && !hg_model_is_oob(f, tree, self); k++) {
        tree = (int)hg_stream_below(stream, (uint32_t)f->n_tree);
    }
    for (int k = 0; k < f->n_tree && !hg_model_is_oob(f, tree, self); k++) {
        tree = (tree + 1) % f->n_tree;
    }
    return tree;
}

/* the mate of one row; -1 only if no tree has an eligible one */
static int64_t
find_mate(const hg_drawing *d, uint64_t key, const float x[], int64_t self)
{
    hg_stream trees = hg_stream_start(d->seed, d->realisation, key, HG_PURPOSE_DRAW_TREE);
    hg_stream mates = hg_stream_start(d->seed, d->realisation, key, HG_PURPOSE_LEAF_MATE);
    int64_t mate = -1;

    for (int k = 0; k < TREE_TRIES && mate < 0; k++) {
        int tree = pick_tree(d->f, self, &trees);

        mate = pick_mate(d, find_leaf(d->f, tree, x), self, &mates);
    }
    for (int t = 0; t < d->f->n_tree && mate < 0; t++) {
        mate = pick_mate(d, find_leaf(d->f, t, x), self, &mates);
    }
    return mate;
}

/* the draw of a row from its mate */
static void
put_draw(const hg_drawing *d, int64_t mate, const double mean[], double draw[])
{
    const size_t n_target = (size_t)d->f->n_target;
    const size_t from = (size_t)(mate < 0 ? 0 : mate) * n_target;

    for (size_t t = 0; t < n_target; t++) {
        if (mate < 0) {
            draw[t] = (double)NAN;
        } else if (d->method == HG_DRAW_LEAF) {
            draw[t] = (double)d->f->value[from + t];
        } else {
            draw[t] = mean[t] + (double)d->f->shrink[mate] * (double)d->f->residual[from + t];
        }
    }
}

/* rows in the order of the first trees of their streams; bench->begin[t] becomes the first
 * place of tree t */
static void
sort_by_tree(const hg_drawing *d, size_t n, const uint64_t key[], const int64_t row[],
             hg_draw_bench *bench)
{
    const int n_tree = d->f->n_tree;
    uint32_t at = 0;

    memset(bench->begin, 0, ((size_t)n_tree + 1) * sizeof *bench->begin);
    for (size_t i = 0; i < n; i++) {
        hg_stream stream =
            hg_stream_start(d->seed, d->realisation, key[i], HG_PURPOSE_DRAW_TREE);

        bench->tree[i] = (uint32_t)pick_tree(d->f, row[i], &stream);
        bench->begin[bench->tree[i]]++;
    }
    for (int t = 0; t <= n_tree; t++) {
        uint32_t count = bench->begin[t];

        bench->begin[t] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++) {
        bench->index[bench->begin[bench->tree[i]]++] = (uint32_t)i;
    }
    for (int t = n_tree; t > 0; t--) {
        bench->begin[t] = bench->begin[t - 1];
    }
    bench->begin[0] = 0;
}

void
hg_draw_rows(const hg_forest *f, const hg_predict_options *o, int number, int64_t n,
             const uint64_t key[], const float x[], const int64_t row[], const double mean[],
             hg_draw_bench *bench, double draw[])
{
    const size_t n_target = (size_t)f->n_target, n_feature = (size_t)f->n_feature;
    const hg_drawing d = {f, o->method, o->seed, o->first_realisation + (uint64_t)number};

    sort_by_tree(&d, (size_t)n, key, row, bench);
    for (int t = 0; t < f->n_tree; t++) {
        const uint32_t begin = bench->begin[t], end = bench->begin[t + 1];

        hg_tree_route(f->node + f->node_offset[t], f->feature_bits, end - begin, x, n_feature,
                      bench->index + begin, bench->leaf);
        for (uint32_t k = begin; k < end; k++) {
            const size_t i = bench->index[k];
            hg_stream mates =
                hg_stream_start(d.seed, d.realisation, key[i], HG_PURPOSE_LEAF_MATE);
            int64_t mate =
                pick_mate(&d, f->leaf_offset[t] + bench->leaf[k - begin], row[i], &mates);

            if (mate < 0) {
                mate = find_mate(&d, key[i], x + i * n_feature, row[i]);
            }
            put_draw(&d, mate, mean + i * n_target, draw + i * n_target);
        }
    }
}
