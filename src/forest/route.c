/* Routing of rows to their leaves. Each step down a tree is a load that depends on the one
 * before, so rows go down together. Near the root, where nodes are in the first cache, some
 * rows are held in registers. Further down a wave of many rows takes turns, and a row asks for
 * its next node when it is done with the last: as many loads are under way as the memory takes.
 * Leaves are their own children, so a step has no leaf test; rows that have arrived leave the
 * wave after a few steps, and others take their places. */
#include "forest/tree.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    PACKED = 0,      /* for the bits of a link: packed nodes, rows of keys */
    CHAINS = 10,     /* rows that begin together */
    TOP = 16,        /* their steps in registers */
    TOP_PACKED = 18, /* those to packed nodes, which cost less */
    WAVE = 96,       /* rows under way */
    BURST = 4,       /* steps of a wave between looks for leaves */
    BURST_PACKED = 3,
    LINE = 16,         /* features in a line of the cache */
    STRIDE_AHEAD = 128 /* longest rows that are fetched ahead as a whole */
};

/* the rows to route: floats, or keys where nodes are packed */
typedef struct queue {
    size_t n;
    const uint32_t *x;
    size_t stride;
    const uint32_t *index;
    size_t next;
} queue;

/* rows under way, in no order */
typedef struct wave {
    size_t n;
    uint32_t node[WAVE];
    const uint32_t *x[WAVE];
    uint32_t place[WAVE]; /* where its leaf goes */
} wave;

INLINE uint32_t
step_plain(hg_node a, int bits, const uint32_t x[])
{
    float value;

    memcpy(&value, x + (a.link & ((1u << bits) - 1)), sizeof value);
    return (a.link >> bits) + (value > a.t);
}

/* Written so that gcc adds the carry of the comparison. */
INLINE uint32_t
step_packed(const hg_packed_node *a, const uint32_t x[])
{
    const uint32_t value = x[(uint8_t)a->link], child = a->link >> HG_PACKED_BITS;

    return a->t < value ? child + 1 : child;
}

INLINE uint32_t
step(const void *node, int bits, uint32_t k, const uint32_t x[])
{
    return bits == PACKED ? step_packed((const hg_packed_node *)node + k, x)
                          : step_plain(((const hg_node *)node)[k], bits, x);
}

/* Note where a row is; returns whether it is under way. */
INLINE bool
note_leaf(const void *node, int bits, uint32_t k, uint32_t *leaf)
{
    if (bits == PACKED) {
        const uint32_t t = ((const hg_packed_node *)node)[k].t;

        *leaf = t & HG_LEAF_MASK;
        return t < HG_PACKED_LEAF;
    }
    *leaf = hg_leaf_number(((const hg_node *)node)[k]);
    return !hg_node_is_leaf(((const hg_node *)node)[k]);
}

INLINE const uint32_t *
row_at(const queue *q, size_t place)
{
    const size_t at = place < q->n ? place : q->n - 1;

    return q->x + (q->index != NULL ? q->index[at] : at) * q->stride;
}

/* Begin CHAINS rows; those that are at no leaf yet join the wave. Where `fixed` is not 0 it is
 * the stride, known when this is compiled, and that many rows follow: one register then points
 * at all of them. */
INLINE void
begin_rows(const void *node, int bits, size_t fixed, queue *q, wave *w, uint32_t leaf[])
{
    const uint32_t *x[CHAINS], *first = q->x + q->next * fixed;
    uint32_t k[CHAINS] = {0};

    for (size_t i = 0; i < CHAINS; i++) {
        const uint32_t *ahead = row_at(q, q->next + CHAINS + i);

        x[i] = fixed > 0 ? first + i * fixed : row_at(q, q->next + i);
        for (size_t f = 0; f < q->stride && q->stride <= STRIDE_AHEAD; f += LINE) {
            __builtin_prefetch(ahead + f);
        }
    }
    for (int s = 0; s < (bits == PACKED ? TOP_PACKED : TOP); s++) {
        for (size_t i = 0; i < CHAINS; i++) {
            k[i] = step(node, bits, k[i], fixed > 0 ? first + i * fixed : x[i]);
        }
    }
    for (size_t i = 0; i < CHAINS && q->next < q->n; i++, q->next++) {
        w->node[w->n] = k[i];
        w->x[w->n] = x[i];
        w->place[w->n] = (uint32_t)q->next;
        w->n += note_leaf(node, bits, k[i], leaf + q->next);
    }
}

INLINE void
advance(const void *node, int bits, wave *w)
{
    for (int s = 0; s < (bits == PACKED ? BURST_PACKED : BURST); s++) {
        for (size_t i = 0; i < w->n; i++) {
            w->node[i] = step(node, bits, w->node[i], w->x[i]);
            __builtin_prefetch((const hg_node *)node + w->node[i]);
        }
    }
}

/* note where the rows of a wave are, and keep those that are not at a leaf */
INLINE void
settle(const void *node, int bits, wave *w, uint32_t leaf[])
{
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++) {
        const uint32_t k = w->node[i], place = w->place[i];
        const uint32_t *x = w->x[i];

        w->node[n] = k;
        w->x[n] = x;
        w->place[n] = place;
        n += note_leaf(node, bits, k, leaf + place);
    }
    w->n = n;
}

INLINE void
route(const void *node, int bits, size_t fixed, queue *q, uint32_t leaf[])
{
    wave w = {.n = 0};

    while (q->next < q->n || w.n > 0) {
        while (w.n + CHAINS <= WAVE && q->next < q->n) {
            if (fixed > 0 && q->next + CHAINS <= q->n) {
                begin_rows(node, bits, fixed, q, &w, leaf);
            } else {
                begin_rows(node, bits, 0, q, &w, leaf);
            }
        }
        advance(node, bits, &w);
        settle(node, bits, &w, leaf);
    }
}

/* with code of its own for strides that are frequent */
INLINE void
route_strided(const void *node, int bits, queue *q, uint32_t leaf[])
{
    switch (q->index == NULL ? q->stride : 0) {
    case 8:
        route(node, bits, 8, q, leaf);
        break;
    case 16:
        route(node, bits, 16, q, leaf);
        break;
    case 24:
        route(node, bits, 24, q, leaf);
        break;
    case 32:
        route(node, bits, 32, q, leaf);
        break;
    default:
        route(node, bits, 0, q, leaf);
    }
}

void
hg_tree_route(const hg_node node[], int bits, size_t n, const float x[], size_t stride,
              const uint32_t index[], uint32_t leaf[])
{
    queue q = {n, (const uint32_t *)x, stride, index, 0};

    if (bits == 6) {
        route_strided(node, 6, &q, leaf);
    } else {
        route(node, 8, 0, &q, leaf);
    }
}

void
hg_packed_route(const hg_packed_node node[], size_t n, const uint32_t x[], size_t stride,
                uint32_t leaf[])
{
    queue q = {n, x, stride, NULL, 0};

    route_strided(node, PACKED, &q, leaf);
}

void
hg_tree_pack(const hg_node node[], int bits, size_t n, hg_packed_node to[])
{
    for (size_t k = 0; k < n; k++) {
        const uint32_t feature = node[k].link & ((1u << bits) - 1);

        to[k] = (hg_packed_node){hg_feature_key(node[k].t),
                                 node[k].link >> bits << HG_PACKED_BITS | feature};
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
            k[t] = step_plain(node[t][k[t]], bits, (const uint32_t *)x);
            n_done += hg_node_is_leaf(node[t][k[t]]);
        }
    } while (n_done < n_tree);
    for (int t = 0; t < n_tree; t++) {
        leaf[t] = hg_leaf_number(node[t][k[t]]);
    }
}
