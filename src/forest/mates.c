/* The search for a leaf-mate. Tree and mate come from streams keyed by (seed, realisation,
 * key), so a halo has the same draw wherever and with whatever neighbours it is computed. A
 * training row looks for a tree that did not see it, and no row ever gets its own residual.
 * Mates without a residual do not count; if a tree has none left, the next tree of the stream
 * is tried, and after many the trees in order.
 *
 * Residuals are drawn from more rows than those of the leaf: once the mean is taken off,
 * scatter changes slowly over features, and the few rows of a leaf are a poor sample of it.
 * Extremely randomised splits are uneven, so that the first branch with enough rows may have
 * ten times as many; of the branch that would bring too many only the end next to the row is
 * taken. Leaves are numbered in the order of the tree, so the rows of a branch stand together.
 */
#include "forest/mates.h"

#include <math.h>

enum { TREE_TRIES = 64, MATE_TRIES = 8, CLIMB_MAX = 64 };

hg_drawing
hg_mates_begin(const hg_forest *f, const hg_predict_options *o, int number)
{
    uint64_t least = (uint64_t)(o->mates > 0 ? o->mates : sqrt((double)f->n_row) / 3);

    return (hg_drawing){f, o->method, o->method == HG_DRAW_LEAF || least < 1 ? 1 : least,
                        o->seed, o->first_realisation + (uint64_t)number};
}

/* a branch: its top node and the leaves it spans */
typedef struct branch {
    uint32_t top;
    uint32_t first;
    uint32_t last;
} branch;

/* the leaf at one end of a branch: side 0 the first, 1 the last */
static uint32_t
end_of_branch(const hg_node node[], int bits, uint32_t at, uint32_t side)
{
    while (!hg_node_is_leaf(node[at])) {
        at = (node[at].link >> bits) + side;
    }
    return hg_leaf_number(node[at]);
}

/* rows of a branch; a foreign model may number its leaves otherwise, then it has none */
static uint64_t
branch_rows(const uint64_t offset[], const branch *b)
{
    return b->first <= b->last ? offset[b->last + 1] - offset[b->first] : 0;
}

static uint32_t
child_of(const hg_forest *f, hg_node node, const float x[])
{
    return (node.link >> f->feature_bits) +
           (x[node.link & ((1u << f->feature_bits) - 1)] > node.t);
}

/* the part of a branch on the way of a row through it, at most twice `need` rows or one leaf */
static void
narrow(const hg_forest *f, const hg_node node[], const uint64_t offset[], const float x[],
       uint64_t need, branch *b)
{
    while (!hg_node_is_leaf(node[b->top]) && branch_rows(offset, b) > 2 * need) {
        const uint32_t left = node[b->top].link >> f->feature_bits;
        const uint32_t next = child_of(f, node[b->top], x);

        if (next == left) {
            b->last = end_of_branch(node, f->feature_bits, next, 1);
        } else {
            b->first = end_of_branch(node, f->feature_bits, next, 0);
        }
        b->top = next;
    }
}

hg_mate_pool
hg_mates_near(const hg_forest *f, int tree, const float x[], uint64_t least)
{
    const hg_node *node = f->node + f->node_offset[tree];
    const uint64_t *offset = f->mate_offset + f->leaf_offset[tree];
    uint32_t path[CLIMB_MAX]; /* a ring of the nodes above */
    branch here = {0}, beside = {.first = 1};
    size_t depth = 0;

    while (!hg_node_is_leaf(node[here.top])) {
        path[depth++ % CLIMB_MAX] = here.top;
        here.top = child_of(f, node[here.top], x);
    }
    here.first = here.last = hg_leaf_number(node[here.top]);
    for (int up = 0; up < CLIMB_MAX && depth > 0 && branch_rows(offset, &here) < least; up++) {
        const uint32_t above = path[--depth % CLIMB_MAX];
        const uint32_t left = node[above].link >> f->feature_bits;

        beside.top = here.top == left ? left + 1 : left;
        beside.first = end_of_branch(node, f->feature_bits, beside.top, 0);
        beside.last = end_of_branch(node, f->feature_bits, beside.top, 1);
        if (branch_rows(offset, &here) + branch_rows(offset, &beside) >= least) {
            narrow(f, node, offset, x, least - branch_rows(offset, &here), &beside);
            break;
        }
        here.first = beside.first < here.first ? beside.first : here.first;
        here.last = beside.last > here.last ? beside.last : here.last;
        here.top = above;
        beside = (branch){.first = 1};
    }
    return (hg_mate_pool){{offset[here.first], offset[beside.first]},
                          {branch_rows(offset, &here), branch_rows(offset, &beside)}};
}

int
hg_mates_are_eligible(const hg_drawing *d, uint32_t mate, int64_t self)
{
    const hg_forest *f = d->f;

    if (self >= 0 &&
        (mate == self || (f->parent[self] != 0 && f->parent[mate] == f->parent[self]))) {
        return 0;
    }
    return d->method == HG_DRAW_LEAF || !isnan(f->residual[(size_t)mate * (size_t)f->n_target]);
}

static uint32_t
mate_at(const hg_forest *f, const hg_mate_pool *pool, uint64_t i)
{
    return f->mate[i < pool->n[0] ? pool->begin[0] + i : pool->begin[1] + (i - pool->n[0])];
}

/* sum of weights over the eligible mates; picks the one that contains `point` when asked */
static uint64_t
walk_mates(const hg_drawing *d, const hg_mate_pool *pool, int64_t self, uint64_t point,
           int64_t *picked)
{
    uint64_t sum = 0;

    *picked = -1;
    for (uint64_t i = 0; i < pool->n[0] + pool->n[1]; i++) {
        const uint32_t mate = mate_at(d->f, pool, i);

        if (hg_mates_are_eligible(d, mate, self)) {
            sum += d->f->is_weighted ? d->f->weight[mate] : 1;
            if (*picked < 0 && point < sum) {
                *picked = mate;
            }
        }
    }
    return sum;
}

/* one of the eligible mates of a pool, in proportion to weight, or -1 */
static int64_t
pick_mate(const hg_drawing *d, const hg_mate_pool *pool, int64_t self, hg_stream *stream)
{
    const uint64_t n = pool->n[0] + pool->n[1];
    int64_t picked = -1;
    uint64_t sum;

    if (n == 0) {
        return -1;
    }
    for (int k = 0; k < MATE_TRIES && !d->f->is_weighted; k++) {
        uint32_t mate = mate_at(d->f, pool, hg_stream_below(stream, (uint32_t)n));

        if (hg_mates_are_eligible(d, mate, self)) {
            return mate;
        }
    }
    sum = walk_mates(d, pool, self, UINT64_MAX, &picked);
    if (sum > 0) {
        double u = hg_stream_uniform(stream);
        uint64_t point = (uint64_t)(u * (double)sum);

        walk_mates(d, pool, self, point < sum ? point : sum - 1, &picked);
    }
    return picked;
}

int64_t
hg_mates_pick(const hg_drawing *d, int tree, const float x[], int64_t self, hg_stream *stream)
{
    const hg_mate_pool pool = hg_mates_near(d->f, tree, x, d->least);

    return pick_mate(d, &pool, self, stream);
}

int64_t
hg_mates_pick_leaf(const hg_drawing *d, int tree, uint32_t leaf, const float x[], int64_t self,
                   hg_stream *stream)
{
    const uint64_t *offset = d->f->mate_offset + d->f->leaf_offset[tree] + leaf;
    const hg_mate_pool pool = {{offset[0], 0}, {offset[1] - offset[0], 0}};

    /* a leaf without listed rows stands for the branch above it */
    return pool.n[0] > 0 ? pick_mate(d, &pool, self, stream)
                         : hg_mates_pick(d, tree, x, self, stream);
}

int
hg_mates_tree(const hg_forest *f, int64_t self, hg_stream *stream)
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

int64_t
hg_mates_find(const hg_drawing *d, uint64_t key, const float x[], int64_t self)
{
    hg_stream trees = hg_stream_start(d->seed, d->realisation, key, HG_PURPOSE_DRAW_TREE);
    hg_stream mates = hg_stream_start(d->seed, d->realisation, key, HG_PURPOSE_LEAF_MATE);
    int64_t mate = -1;

    for (int k = 0; k < TREE_TRIES && mate < 0; k++) {
        int tree = hg_mates_tree(d->f, self, &trees);

        mate = hg_mates_pick(d, tree, x, self, &mates);
    }
    for (int t = 0; t < d->f->n_tree && mate < 0; t++) {
        mate = hg_mates_pick(d, t, x, self, &mates);
    }
    return mate;
}
