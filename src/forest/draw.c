/* Scatter: what a leaf-mate lends to a row. One mate serves all targets, so that draws are
 * joint. How much of a mate's deviation from the mean is kept is measured in training (keep.c).
 * Rows that go to the same tree are taken together, while the tree is in the cache. */
#include <math.h>

#include "forest/library.h"
#include "forest/predict.h"

/* the draw of a row from its mate */
static void
put_draw(const hg_drawing *d, int64_t mate, const double *mean, double draw[])
{
    const hg_forest *f = d->f;

    for (int t = 0; t < f->n_target; t++) {
        if (mate < 0) {
            draw[t] = (double)NAN;
        } else if (d->method == HG_DRAW_LEAF) {
            draw[t] = (double)f->value[mate * f->n_target + t];
        } else {
            draw[t] = hg_mates_draw(f, mate, t, f->keep[t], mean[t]);
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

        bench->tree[i] = (uint32_t)hg_mates_tree(d->f, row[i], &stream);
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
    const hg_drawing d = hg_mates_begin(f, o, number);

    if (o->method == HG_DRAW_LIBRARY || o->method == HG_DRAW_TWINS) {
        for (int64_t i = 0; i < n; i++) {
            hg_library_draw(&d, key[i], x + i * f->n_feature, row[i], mean + i * f->n_target,
                            draw + i * f->n_target);
        }
        return;
    }
    sort_by_tree(&d, (size_t)n, key, row, bench);
    for (int t = 0; t < f->n_tree; t++) {
        const uint32_t begin = bench->begin[t], end = bench->begin[t + 1];

        if (d.least == 1) { /* no more than leaves are asked for: find eight at a time */
            hg_tree_route(f->node + f->node_offset[t], f->feature_bits, end - begin, x,
                          n_feature, bench->index + begin, bench->leaf);
        }
        for (uint32_t k = begin; k < end; k++) {
            const size_t i = bench->index[k];
            const float *at = x + i * n_feature;
            hg_stream mates =
                hg_stream_start(d.seed, d.realisation, key[i], HG_PURPOSE_LEAF_MATE);
            int64_t mate = d.least == 1 ? hg_mates_pick_leaf(&d, t, bench->leaf[k - begin], at,
                                                             row[i], &mates)
                                        : hg_mates_pick(&d, t, at, row[i], &mates);

            if (mate < 0) {
                mate = hg_mates_find(&d, key[i], at, row[i]);
            }
            put_draw(&d, mate, mean != NULL ? mean + i * n_target : NULL, draw + i * n_target);
        }
    }
}
