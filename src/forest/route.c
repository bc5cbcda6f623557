/* Routing of rows to their leaves. Each step down a tree is a load that depends on the one
 * before, so rows go down together. Near the root, where nodes are in the first cache, some
 * rows are held in registers. Further down a wave of many rows takes turns, and a row asks for
 * its next node when it is done with the last: as many loads are under way as the memory takes.
 * Leaves are their own children, so a step has no leaf test; rows that have arrived leave the
 * wave after a few steps, and others take their places. */
#include "forest/tree.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    CHAINS = 10,       /* rows that begin together */
    TOP = 16,          /* their steps in registers */
    WAVE = 96,         /* rows under way */
    BURST = 4,         /* steps of a wave between looks for leaves */
    LINE = 16,         /* floats in a line of the cache */
    STRIDE_AHEAD = 128 /* longest rows that are fetched ahead as a whole */
};

/* the rows to route */
typedef struct queue {
    size_t n;
    const float *x;
    size_t stride;
    const uint32_t *index;
    size_t next;
} queue;

/* rows under way, in no order */
typedef struct wave {
    size_t n;
    uint32_t node[WAVE];
    const float *x[WAVE];
    uint32_t place[WAVE]; /* where its leaf goes */
} wave;

INLINE uint32_t
step(const hg_node node[], int bits, uint32_t k, const float x[])
{
    const hg_node a = node[k];

    return (a.link >> bits) + (x[a.link & ((1u << bits) - 1)] > a.t);
}

INLINE const float *
row_at(const queue *q, size_t place)
{
    const size_t at = place < q->n ? place : q->n - 1;

    return q->x + (q->index != NULL ? q->index[at] : at) * q->stride;
}

/* Begin CHAINS rows. Where `fixed` is not 0 it is the stride, known when this is compiled, and
 * that many rows follow: one register then points at all of them. */
INLINE void
begin_rows(const hg_node node[], int bits, size_t fixed, queue *q, wave *w)
{
    const float *x[CHAINS], *first = q->x + q->next * fixed;
    uint32_t k[CHAINS] = {0};

    for (size_t i = 0; i < CHAINS; i++) {
        const float *ahead = row_at(q, q->next + CHAINS + i);

        x[i] = fixed > 0 ? first + i * fixed : row_at(q, q->next + i);
        for (size_t f = 0; f < q->stride && q->stride <= STRIDE_AHEAD; f += LINE) {
            __builtin_prefetch(ahead + f);
        }
    }
    for (int s = 0; s < TOP; s++) {
        for (size_t i = 0; i < CHAINS; i++) {
            k[i] = step(node, bits, k[i], fixed > 0 ? first + i * fixed : x[i]);
        }
    }
    for (size_t i = 0; i < CHAINS && q->next < q->n; i++, w->n++) {
        w->node[w->n] = k[i];
        w->x[w->n] = x[i];
        w->place[w->n] = (uint32_t)q->next++;
    }
}

INLINE void
advance(const hg_node node[], int bits, wave *w)
{
    for (int s = 0; s < BURST; s++) {
        for (size_t i = 0; i < w->n; i++) {
            w->node[i] = step(node, bits, w->node[i], w->x[i]);
            __builtin_prefetch(node + w->node[i]);
        }
    }
}

/* note where the rows of a wave are, and keep those that are not at a leaf */
INLINE void
settle(const hg_node node[], wave *w, uint32_t leaf[])
{
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++) {
        const uint32_t k = w->node[i], place = w->place[i];
        const float *x = w->x[i];

        leaf[place] = hg_leaf_number(node[k]);
        w->node[n] = k;
        w->x[n] = x;
        w->place[n] = place;
        n += !hg_node_is_leaf(node[k]);
    }
    w->n = n;
}

INLINE void
route(const hg_node node[], int bits, size_t fixed, queue *q, uint32_t leaf[])
{
    wave w = {.n = 0};

    while (q->next < q->n || w.n > 0) {
        while (w.n + CHAINS <= WAVE && q->next < q->n) {
            if (fixed > 0 && q->next + CHAINS <= q->n) {
                begin_rows(node, bits, fixed, q, &w);
            } else {
                begin_rows(node, bits, 0, q, &w);
            }
        }
        advance(node, bits, &w);
        settle(node, &w, leaf);
    }
}

void
hg_tree_route(const hg_node node[], int bits, size_t n, const float x[], size_t stride,
              const uint32_t index[], uint32_t leaf[])
{
    queue q = {n, x, stride, index, 0};

    if (bits != 6) {
        route(node, 8, 0, &q, leaf);
        return;
    }
    switch (index == NULL ? stride : 0) {
    case 8:
        route(node, 6, 8, &q, leaf);
        break;
    case 16:
        route(node, 6, 16, &q, leaf);
        break;
    case 24:
        route(node, 6, 24, &q, leaf);
        break;
    case 32:
        route(node, 6, 32, &q, leaf);
        break;
    default:
        route(node, 6, 0, &q, leaf);
    }
}

void
hg_row_route(int n_tree, const hg_node *const node[], int bits, const float x[],
             uint32_t leaf[])
{
    uint32_t k[HG_TREES_TOGETHER] = {0};
    int n_done;

    do {
        n_done = 0;
        for (int t = 0; t < n_tree; t++) {
            k[t] = step(node[t], bits, k[t], x);
            n_done += hg_node_is_leaf(node[t][k[t]]);
        }
    } while (n_done < n_tree);
    for (int t = 0; t < n_tree; t++) {
        leaf[t] = hg_leaf_number(node[t][k[t]]);
    }
}
