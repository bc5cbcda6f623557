/* Calibration when no rank holds the forest. For a block of its rows a rank collects, tree by
 * tree, the leaf-mates' weights in words of their own: one segment per row and tree, chained.
 * Then each chain is summed in the order of the trees, as hg_calibrate_residuals() does. Rank 0
 * reads trees and hands round their nodes, and their leaf-mates in windows of leaves. How many
 * rows a block has follows from a bound on memory. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "forest/calibrate.h"

enum {
    CHUNK = 1 << 20,       /* words */
    WINDOW = 1 << 16,      /* leaves */
    HEAD = 3,              /* words of a segment before its pairs: next, n, sum of weights */
    BYTES_PER_ROW = 96,    /* memory of a block, per row of the rank */
    BLOCK_BYTES = 1 << 24, /* at least */
    BLOCK_ROWS = 1 << 10
};

/* The words of all segments; a segment does not cross chunks. Index 0 is no segment. */
typedef struct hg_words {
    uint32_t **chunk;
    size_t n_chunk;
    size_t at; /* next free word */
} hg_words;

/* A block of rows. */
typedef struct hg_block {
    const hg_plan *plan;
    const hg_forest *f;
    int64_t first, n; /* of this rank's rows */
    hg_words words;
    uint32_t *head, *tail;   /* shape (n): first and last segment */
    unsigned char *copies;   /* shape (n) */
    uint32_t *leaf;          /* shape (n) */
    uint64_t *order;         /* shape (n): leaf << 32 | row, of rows out of bag, ascending */
    hg_node *node;           /* shape (most nodes of a tree) */
    uint32_t *count;         /* shape (WINDOW) */
    uint32_t *mate, *weight; /* of a window */
    size_t n_room;
} hg_block;

/* sums over the trees of one row: a table of twice as many places as there can be leaf-mates */
typedef struct hg_sums {
    uint32_t mask; /* places - 1, a power of two less one */
    uint32_t *mate;
    double *weight; /* 0 = free */
    uint32_t *touched;
    uint32_t n_touched;
} hg_sums;

static uint32_t *
find_word(const hg_words *w, size_t at)
{
    return w->chunk[at / CHUNK] + at % CHUNK;
}

/* room for a segment of n words */
static hg_status
make_segment(hg_words *w, size_t n, uint32_t *at)
{
    if (w->at == 0 || w->at / CHUNK != (w->at + n - 1) / CHUNK) {
        w->at = (w->at + CHUNK - 1) / CHUNK * CHUNK;
        w->at += w->at == 0; /* 0 means none */
    }
    if (w->at / CHUNK >= w->n_chunk) {
        HG_TRY(hg_mem_resize(&w->chunk, w->n_chunk + 1, sizeof *w->chunk));
        w->chunk[w->n_chunk] = NULL;
        HG_TRY(hg_mem_array(&w->chunk[w->n_chunk], CHUNK, sizeof **w->chunk));
        w->n_chunk++;
    }
    if (w->at + n > UINT32_MAX) {
        return HG_FAIL(HG_E_MEMORY, "the leaf-mates of a block of rows exceed 16 GiB");
    }
    *at = (uint32_t)w->at;
    w->at += n;
    return HG_OK;
}

static void
clear_words(hg_words *w)
{
    for (size_t i = 0; i < w->n_chunk; i++) {
        hg_mem_free(w->chunk[i]);
    }
    hg_mem_free(w->chunk);
    *w = (hg_words){0};
}

/* chain the mates of a leaf that are in the bag to a row */
static hg_status
add_segment(hg_block *b, int64_t row, uint32_t n, const uint32_t mate[],
            const uint32_t weight[])
{
    uint32_t at = 0, sum = 0, used = 0, *word;

    for (uint32_t i = 0; i < n; i++) {
        sum += weight[i];
        used += weight[i] > 0;
    }
    if (used == 0) {
        return HG_OK;
    }
    HG_TRY(make_segment(&b->words, HEAD + 2 * (size_t)used, &at));
    word = find_word(&b->words, at);
    word[0] = 0;
    word[1] = used;
    word[2] = sum;
    word += HEAD;
    for (uint32_t i = 0; i < n; i++) {
        if (weight[i] > 0) {
            *word++ = mate[i];
            *word++ = weight[i];
        }
    }
    if (b->head[row] == 0) {
        b->head[row] = at;
    } else {
        find_word(&b->words, b->tail[row])[0] = at;
    }
    b->tail[row] = at;
    return HG_OK;
}

/* rows of the block that are out of the bag of tree t, by leaf; returns their number */
static int64_t
route_block(hg_block *b, int t, const int64_t oob_trees[])
{
    const hg_forest *f = b->f;
    hg_plan part = *b->plan;
    int64_t n = 0;

    part.n = b->n;
    part.first += b->first;
    part.row += (size_t)b->first * part.rule.stride;
    part.group = part.group != NULL ? part.group + b->first : NULL;
    if (f->is_full[t] || b->n == 0) {
        return 0;
    }
    hg_bag_draw(&part, (uint64_t)f->options.first_tree + (uint64_t)t, b->copies);
    hg_tree_route(b->node, f->feature_bits, (size_t)b->n, &part.row->f, part.rule.stride, NULL,
                  b->leaf);
    for (int64_t i = 0; i < b->n; i++) {
        if (b->copies[i] == 0 && oob_trees[b->first + i] >= f->options.oob_trees_min) {
            b->order[n++] = (uint64_t)b->leaf[i] << 32 | (uint64_t)i;
        }
    }
    if (n > 1) {
        qsort(b->order, (size_t)n, sizeof *b->order, hg_order_u64);
    }
    return n;
}

/* rank 0 reads a window of leaves, all get it; returns the number of leaf-mates */
static hg_status
read_window(const hg_comm *comm, hg_block *b, uint64_t leaf, uint64_t n_leaf, int64_t mate,
            int64_t *n_mate)
{
    const hg_spill *spill = b->f->spill;
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status =
            hg_spill_read(spill, HG_SPILL_COUNT, (int64_t)(4 * leaf), 4 * n_leaf, b->count);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, b->count, 4 * n_leaf);
    *n_mate = 0;
    for (uint64_t i = 0; i < n_leaf; i++) {
        *n_mate += b->count[i];
    }
    if ((size_t)*n_mate > b->n_room) {
        hg_mem_free(b->mate);
        hg_mem_free(b->weight);
        b->mate = b->weight = NULL;
        b->n_room = (size_t)*n_mate;
        status = hg_mem_array(&b->mate, b->n_room, sizeof *b->mate);
        status =
            status != HG_OK ? status : hg_mem_array(&b->weight, b->n_room, sizeof *b->weight);
    }
    if (comm->rank == 0 && status == HG_OK) {
        status = hg_spill_read(spill, HG_SPILL_MATE, 4 * mate, 4 * (size_t)*n_mate, b->mate);
        status = status != HG_OK ? status
                                 : hg_spill_read(spill, HG_SPILL_BAG, 4 * mate,
                                                 4 * (size_t)*n_mate, b->weight);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, b->mate, 4 * (size_t)*n_mate);
    hg_comm_broadcast(comm, 0, b->weight, 4 * (size_t)*n_mate);
    return HG_OK;
}

/* collect the leaf-mates of the block's rows in tree t, whose first leaf-mate is number `mate`
 */
static hg_status
collect_tree(const hg_comm *comm, hg_block *b, int t, int64_t mate, const int64_t oob_trees[])
{
    const hg_forest *f = b->f;
    const uint64_t n_leaf = f->leaf_offset[t + 1] - f->leaf_offset[t];
    const size_t bytes = (f->node_offset[t + 1] - f->node_offset[t]) * sizeof *b->node;
    hg_status status = HG_OK;
    int64_t n, at = 0;

    if (comm->rank == 0) {
        status = hg_spill_read(f->spill, HG_SPILL_NODE,
                               (int64_t)(f->node_offset[t] * sizeof *b->node), bytes, b->node);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, b->node, bytes);
    n = route_block(b, t, oob_trees);
    for (uint64_t first = 0; first < n_leaf; first += WINDOW) {
        const uint64_t m = n_leaf - first < WINDOW ? n_leaf - first : WINDOW;
        int64_t n_mate = 0;
        uint64_t leaf = first;
        size_t begin = 0;

        HG_TRY(read_window(comm, b, f->leaf_offset[t] + first, m, mate, &n_mate));
        mate += n_mate;
        for (; at < n && b->order[at] >> 32 < first + m && status == HG_OK; at++) {
            while (leaf < b->order[at] >> 32) {
                begin += b->count[leaf++ - first];
            }
            status = add_segment(b, (int64_t)(b->order[at] & UINT32_MAX),
                                 b->count[leaf - first], b->mate + begin, b->weight + begin);
        }
    }
    return hg_comm_agree(comm, status);
}

/* add the weights of a segment; returns its own sum of squares */
static double
add_weights(const uint32_t *word, hg_sums *s)
{
    const uint32_t n = word[1];
    const double sum = (double)word[2];
    double squares = 0;

    word += HEAD;
    for (uint32_t i = 0; i < n; i++, word += 2) {
        const double w = (double)word[1] / sum;
        uint32_t slot = (uint32_t)hg_mix64(word[0]) & s->mask;

        while (s->weight[slot] > 0 && s->mate[slot] != word[0]) {
            slot = (slot + 1) & s->mask;
        }
        if (!(s->weight[slot] > 0)) {
            s->mate[slot] = word[0];
            s->touched[s->n_touched++] = slot;
        }
        s->weight[slot] += w;
        squares += w * w;
    }
    return squares;
}

static float
calibrate_row(const hg_block *b, int64_t row, int64_t n_oob, hg_sums *s)
{
    double a = 0, q = 0;
    int n_used = 0;

    s->n_touched = 0;
    for (uint32_t at = b->head[row]; at != 0; at = find_word(&b->words, at)[0]) {
        a += add_weights(find_word(&b->words, at), s);
        n_used++;
    }
    for (uint32_t k = 0; k < s->n_touched; k++) {
        const double w = s->weight[s->touched[k]] / (n_used > 0 ? n_used : 1);

        q += w * w;
        s->weight[s->touched[k]] = 0;
    }
    return hg_calibrate_factor(a, q, n_used, (int)n_oob, b->f->n_tree);
}

static hg_status
make_sums(int n_tree, const hg_forest *f, hg_sums *s)
{
    const uint32_t most = (uint32_t)(n_tree * f->options.leaf_mates_max);
    uint32_t n = 64;

    while (n < 2 * most) {
        n *= 2;
    }
    s->mask = n - 1;
    HG_TRY(hg_mem_array(&s->mate, n, sizeof *s->mate));
    HG_TRY(hg_mem_zeros(&s->weight, n, sizeof *s->weight));
    return hg_mem_array(&s->touched, n, sizeof *s->touched);
}

static hg_status
make_block(const hg_plan *plan, const hg_forest *f, size_t n, hg_block *b)
{
    uint64_t most = 0;

    *b = (hg_block){.plan = plan, .f = f};
    for (int t = 0; t < f->n_tree; t++) {
        const uint64_t m = f->node_offset[t + 1] - f->node_offset[t];

        most = m > most ? m : most;
    }
    HG_TRY(hg_mem_array(&b->head, n, sizeof *b->head));
    HG_TRY(hg_mem_array(&b->tail, n, sizeof *b->tail));
    HG_TRY(hg_mem_array(&b->copies, n, 1));
    HG_TRY(hg_mem_array(&b->leaf, n, sizeof *b->leaf));
    HG_TRY(hg_mem_array(&b->order, n, sizeof *b->order));
    HG_TRY(hg_mem_array(&b->node, most, sizeof *b->node));
    return hg_mem_array(&b->count, WINDOW, sizeof *b->count);
}

static void
clear_block(hg_block *b)
{
    void *const blocks[] = {b->head, b->tail, b->copies, b->leaf, b->order,
                            b->node, b->mate, b->weight, b->count};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        hg_mem_free(blocks[i]);
    }
    clear_words(&b->words);
}

/* rows of a block, from the expected number of leaf-mates in the bag of a row's trees */
static int64_t
choose_rows(const hg_comm *comm, const hg_plan *plan, const hg_forest *f, int n_tree,
            const int64_t n_mate[])
{
    int64_t sum = 0, room = plan->n * BYTES_PER_ROW, rows;
    double words;

    for (int t = 0; t < n_tree; t++) {
        sum += n_mate[t];
    }
    /* a row stands in large leaves more often, and is out of a third of the bags */
    words =
        0.37 * n_tree * (HEAD + 2 * 0.63 * 1.5 * (double)sum / (double)f->leaf_offset[n_tree]);
    hg_comm_max(comm, 1, &room);
    room = room > BLOCK_BYTES ? room : BLOCK_BYTES;
    rows = (int64_t)((double)room / (4 * words + 24));
    return rows > BLOCK_ROWS ? rows : BLOCK_ROWS;
}

hg_status
hg_calibrate_rows(const hg_comm *comm, const hg_plan *plan, const hg_forest *f,
                  const int64_t n_mate[], const int64_t oob_trees[], float shrink[])
{
    const int n_tree = f->n_tree < HG_CALIBRATE_TREES ? f->n_tree : HG_CALIBRATE_TREES;
    const int64_t rows = choose_rows(comm, plan, f, n_tree, n_mate);
    int64_t most = plan->n;
    hg_sums sums = {0};
    hg_block b = {0};
    hg_status status;

    hg_comm_max(comm, 1, &most);
    status = make_block(plan, f, (size_t)(rows < plan->n ? rows : plan->n), &b);
    status = status != HG_OK ? status : make_sums(n_tree, f, &sums);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int64_t first = 0; first < most; first += rows) {
        int64_t mate = 0;

        b.first = first < plan->n ? first : plan->n;
        b.n = plan->n - b.first < rows ? plan->n - b.first : rows;
        if (b.n > 0) {
            memset(b.head, 0, (size_t)b.n * sizeof *b.head);
        }
        for (int t = 0; t < n_tree; t++) {
            HG_TRY_OR(end, status, collect_tree(comm, &b, t, mate, oob_trees));
            mate += n_mate[t];
        }
        for (int64_t i = 0; i < b.n; i++) {
            const int64_t n_oob = oob_trees[b.first + i];

            shrink[b.first + i] =
                n_oob >= f->options.oob_trees_min ? calibrate_row(&b, i, n_oob, &sums) : 1;
        }
        clear_words(&b.words);
    }
end:
    clear_block(&b);
    hg_mem_free(sums.mate);
    hg_mem_free(sums.weight);
    hg_mem_free(sums.touched);
    return status;
}
