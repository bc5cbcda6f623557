/* What is done with a grown tree: rows out of bag are routed, their leaf's mean is added to
 * their out-of-bag sums (integers, so that any order and any number of ranks give the same),
 * and all rows are listed per leaf in canonical order. A leaf with more rows than the cap keeps
 * those with the lowest keyed words. */
#include <stdlib.h>

#include "base/memory.h"
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

/* a row with its keyed word: 32 bits each */
static int
compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static int
compare_rows(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

hg_status
hg_leaf_sample(const hg_plan *plan, uint64_t tree, size_t n, const uint32_t row[], size_t cap,
               uint32_t kept[])
{
    uint64_t *pair = NULL;

    HG_TRY(hg_mem_array(&pair, n, sizeof *pair));
    for (size_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(plan->options.seed, tree, row[i], HG_PURPOSE_LEAF_CAP);

        pair[i] = (uint64_t)hg_stream_word(&s) << 32 | row[i];
    }
    qsort(pair, n, sizeof *pair, compare_words);
    for (size_t i = 0; i < cap; i++) {
        kept[i] = (uint32_t)pair[i];
    }
    qsort(kept, cap, sizeof *kept, compare_rows);
    hg_mem_free(pair);
    return HG_OK;
}

/* rows sorted by leaf, ascending in each: a counting sort. space->index gets the first place of
 * each leaf's rows (n_leaf <= n), space->found the rows. */
static void
sort_rows(hg_space *space, int64_t n, uint32_t count[])
{
    uint32_t at = 0;

    memset(count, 0, space->n_leaf * sizeof count[0]);
    for (int64_t i = 0; i < n; i++) {
        count[space->leaf_of[i]]++;
    }
    for (size_t leaf = 0; leaf < space->n_leaf; leaf++) {
        space->index[leaf] = at;
        at += count[leaf];
    }
    for (int64_t i = 0; i < n; i++) {
        space->found[space->index[space->leaf_of[i]]++] = (uint32_t)i;
    }
}

static hg_status
list_mates(const hg_plan *plan, hg_space *space, uint64_t tree, hg_tree *result)
{
    const size_t cap = (size_t)plan->options.leaf_mates_max;
    size_t n_mate = 0, from = 0, to = 0;

    HG_TRY(hg_mem_array(&result->count, space->n_leaf, sizeof *result->count));
    sort_rows(space, plan->n, result->count);
    for (size_t leaf = 0; leaf < space->n_leaf; leaf++) {
        n_mate += result->count[leaf] < cap ? result->count[leaf] : cap;
    }
    HG_TRY(hg_mem_array(&result->mate, n_mate, sizeof *result->mate));
    for (size_t leaf = 0; leaf < space->n_leaf; leaf++) {
        size_t n = result->count[leaf];

        if (n <= cap) {
            memcpy(result->mate + to, space->found + from, n * sizeof *result->mate);
        } else {
            HG_TRY(hg_leaf_sample(plan, tree, n, space->found + from, cap, result->mate + to));
            result->count[leaf] = (uint32_t)cap;
        }
        from += n;
        to += result->count[leaf];
    }
    result->n_mate = (int64_t)n_mate;
    return HG_OK;
}

hg_status
hg_tree_finish(const hg_plan *plan, hg_space *space, uint64_t tree, hg_tree *result)
{
    const size_t n_target = (size_t)plan->rule.n_target;
    const size_t n_feature = (size_t)plan->rule.n_feature;

    *result = (hg_tree){.n_node = (int64_t)space->n_node, .n_leaf = (int64_t)space->n_leaf};
    if (plan->options.bag != HG_BAG_NONE) {
        add_oob(plan, space);
    }
    HG_TRY(list_mates(plan, space, tree, result));
    HG_TRY(hg_mem_array(&result->node, space->n_node, sizeof *result->node));
    HG_TRY(hg_mem_array(&result->mean, space->n_leaf * n_target, sizeof *result->mean));
    HG_TRY(hg_mem_array(&result->importance, n_feature, sizeof *result->importance));
    memcpy(result->node, space->node, space->n_node * sizeof *result->node);
    memcpy(result->mean, space->mean, space->n_leaf * n_target * sizeof *result->mean);
    memcpy(result->importance, space->importance, n_feature * sizeof *result->importance);
    return HG_OK;
}

void
hg_tree_clear(hg_tree *tree)
{
    hg_mem_free(tree->node);
    hg_mem_free(tree->mean);
    hg_mem_free(tree->count);
    hg_mem_free(tree->mate);
    hg_mem_free(tree->importance);
    *tree = (hg_tree){0};
}
