/* What is done with a grown tree: rows out of bag are routed, their leaf's mean is added to
 * their out-of-bag sums (integers, so that any order and any number of ranks give the same),
 * and all rows are listed per leaf in canonical order. A leaf with more rows than the cap keeps
 * those with the lowest keyed words. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "forest/tree.h"

static void
add_oob(const hg_plan *plan, hg_space *space)
{
    const size_t n_target = (size_t)plan->rule.n_target;
    size_t n = 0;

    for (int64_t i = 0; i < plan->n; i++) {
        space->index[n] = (uint32_t)i;
        n += space->copies[i] == 0;
    }
    hg_tree_route(space->node, plan->feature_bits, n, &plan->row->f, plan->rule.stride,
                  space->index, space->found);
    for (size_t i = 0; i < n; i++) {
        const int64_t *mean = space->leaf_oob + space->found[i] * n_target;
        int64_t *sum = space->oob_sum + space->index[i] * n_target;

        space->leaf_of[space->index[i]] = space->found[i];
        space->oob_trees[space->index[i]]++;
        for (size_t o = 0; o < n_target; o++) {
            sum[o] += mean[o];
        }
    }
}

static int
compare_rows(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* rows below their keyed words, which are uniform: all of a share whose words are the lowest */
static size_t
draw_words(uint64_t seed, uint64_t tree, size_t n, const uint32_t row[], double share,
           uint64_t pair[])
{
    const uint64_t bound = share < 1 ? (uint64_t)(share * 0x1p32) : (uint64_t)1 << 32;
    size_t n_pair = 0;

    for (size_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(seed, tree, row[i], HG_PURPOSE_LEAF_CAP);
        const uint64_t word = hg_stream_word(&s);

        pair[n_pair] = word << 32 | row[i];
        n_pair += word < bound;
    }
    return n_pair;
}

hg_status
hg_leaf_sample(const hg_plan *plan, uint64_t tree, size_t n, const uint32_t row[], size_t cap,
               uint32_t kept[])
{
    const uint64_t seed = plan->options.seed;
    const double enough = (double)cap + 4 * sqrt((double)cap); /* nearly always */
    uint64_t *pair = NULL, *sorted;
    size_t n_pair, n_kept = 0;

    HG_TRY(hg_mem_array(&pair, 2 * n, sizeof *pair));
    n_pair = draw_words(seed, tree, n, row, enough / (double)n, pair);
    if (n_pair < cap) {
        n_pair = draw_words(seed, tree, n, row, 1, pair);
    }
    sorted = pair + n_pair;
    memcpy(sorted, pair, n_pair * sizeof *pair);
    qsort(sorted, n_pair, sizeof *sorted, hg_order_u64);
    for (size_t i = 0; i < n_pair; i++) {
        if (pair[i] <= sorted[cap - 1]) {
            kept[n_kept++] = (uint32_t)pair[i];
        }
    }
    hg_mem_free(pair);
    return HG_OK;
}

/* list the rows of each leaf, ascending, by a counting sort; space->index is scratch, since
 * there are not more leaves than rows */
static void
list_rows(hg_space *space, int64_t n)
{
    uint32_t at = 0;

    memset(space->count, 0, space->n_leaf * sizeof space->count[0]);
    for (int64_t i = 0; i < n; i++) {
        space->count[space->leaf_of[i]]++;
    }
    for (size_t leaf = 0; leaf < space->n_leaf; leaf++) {
        space->index[leaf] = at;
        at += space->count[leaf];
    }
    for (int64_t i = 0; i < n; i++) {
        space->mate[space->index[space->leaf_of[i]]++] = (uint32_t)i;
    }
}

/* put the rows of a leaf in ascending order */
static void
sort_rows(size_t n, uint32_t row[])
{
    enum { SHORT = 32 };

    if (n > SHORT) {
        qsort(row, n, sizeof *row, compare_rows);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const uint32_t keep = row[i];
        size_t k = i;

        for (; k > 0 && row[k - 1] > keep; k--) {
            row[k] = row[k - 1];
        }
        row[k] = keep;
    }
}

/* the leaf-mates of all leaves: rows that growth has listed only want sorting */
static hg_status
list_mates(const hg_plan *plan, hg_space *space, uint64_t tree)
{
    const size_t cap = (size_t)plan->options.leaf_mates_max;
    const int is_listed = space->n_mate > 0;
    uint32_t *from = space->mate, *to = space->mate;

    if (!is_listed) {
        list_rows(space, plan->n);
    }
    for (size_t leaf = 0; leaf < space->n_leaf; leaf++) {
        const size_t n = space->count[leaf];

        if (is_listed) {
            sort_rows(n, from);
        }
        if (n > cap) {
            HG_TRY(hg_leaf_sample(plan, tree, n, from, cap, to));
            space->count[leaf] = (uint32_t)cap;
        } else if (from != to) {
            memmove(to, from, n * sizeof *to);
        }
        from += n;
        to += space->count[leaf];
    }
    space->n_mate = (size_t)(to - space->mate);
    return HG_OK;
}

hg_status
hg_tree_finish(const hg_plan *plan, hg_space *space, uint64_t tree)
{
    if (space->leaf_oob != NULL) {
        add_oob(plan, space);
    }
    return space->mate != NULL ? list_mates(plan, space, tree) : HG_OK;
}

void
hg_tree_clear(hg_tree *tree)
{
    if (!tree->is_view) {
        hg_mem_free(tree->node);
    }
    hg_mem_free(tree->mean);
    hg_mem_free(tree->count);
    hg_mem_free(tree->mate);
    hg_mem_free(tree->importance);
    *tree = (hg_tree){0};
}
