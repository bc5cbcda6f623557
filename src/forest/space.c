/* The memory of a growing thread. */
#include "base/memory.h"
#include "forest/binned.h"

static hg_status
allocate_lanes(hg_space *space, const hg_rule *rule)
{
    const size_t n = (size_t)rule->n_lane, n_word = (size_t)rule->n_word;
    const size_t long_rows = (size_t)rule->n_target + 2 + 1, rows = (size_t)rule->n_channel + 5;
    char *at = NULL;

    HG_TRY(hg_mem_zeros(&space->lane_block, 8 * n * long_rows + 4 * n * rows + 4 * n_word, 1));
    at = space->lane_block;
    space->lanes.total = (int64_t *)(void *)at;
    at += 8 * n * (long_rows - 1);
    space->lanes.score = (double *)(void *)at;
    at += 8 * n;
    space->lanes.threshold = (float *)(void *)at;
    space->lanes.range.low = space->lanes.threshold + n;
    space->lanes.range.high = space->lanes.threshold + 2 * n;
    at += 3 * 4 * n;
    space->lanes.is_usable = (int32_t *)(void *)at;
    space->lanes.sum = space->lanes.is_usable + n;
    at += 4 * n * ((size_t)rule->n_channel + 1);
    space->lanes.is_feature = (int32_t *)(void *)at;
    at += 4 * n;
    space->lanes.priority = (uint32_t *)(void *)at;
    for (int f = 0; f < rule->n_feature; f++) {
        space->lanes.is_feature[f] = -1;
    }
    return HG_OK;
}

hg_status
hg_space_init_part(hg_space *space, const hg_plan *plan, size_t n)
{
    const hg_rule *rule = &plan->rule;
    const size_t n_leaf = n / (size_t)rule->min_leaf + 1, cache = (size_t)1 << 19;

    *space = (hg_space){.rule = *rule, .n_stack = 256};
    space->n_subtree = cache / (4 * rule->stride);
    HG_TRY(
        hg_mem_array(&space->second, space->n_subtree * rule->stride, sizeof *space->second));
    HG_TRY(allocate_lanes(space, rule));
    HG_TRY(hg_mem_array(&space->word, (HG_FRAMES_KEPT + 1) * (size_t)rule->n_word,
                        sizeof *space->word));
    HG_TRY(hg_mem_array(&space->range, (HG_FRAMES_KEPT + 2) * 2 * (size_t)rule->n_lane,
                        sizeof *space->range));
    HG_TRY(hg_mem_array(&space->stack, space->n_stack, sizeof *space->stack));
    HG_TRY(hg_mem_array(&space->node, 2 * n_leaf + 2, sizeof *space->node));
    hg_mem_large_pages(space->node);
    return HG_OK;
}

hg_status
hg_space_make_tree(hg_space *space, const hg_plan *plan)
{
    const size_t n = (size_t)plan->n, n_leaf = n / (size_t)plan->rule.min_leaf + 1;

    if (space->node == NULL) {
        HG_TRY(hg_mem_array(&space->node, 2 * n_leaf + 2, sizeof *space->node));
        hg_mem_large_pages(space->node);
    }
    HG_TRY(
        hg_mem_array(&space->mean, n_leaf * (size_t)plan->rule.n_target, sizeof *space->mean));
    HG_TRY(hg_mem_array(&space->count, n_leaf, sizeof *space->count));
    if (plan->options.scope == HG_TRAIN_DRAWS) {
        HG_TRY(hg_mem_array(&space->mate, n, sizeof *space->mate));
    }
    hg_mem_large_pages(space->mean);
    return HG_OK;
}

hg_status
hg_space_init(hg_space *space, const hg_plan *plan)
{
    const size_t n = (size_t)plan->n, n_target = (size_t)plan->rule.n_target;
    const size_t n_leaf = n / (size_t)plan->rule.min_leaf + 1;

    HG_TRY(hg_space_init_part(space, plan, n));
    HG_TRY(hg_space_make_tree(space, plan));
    if (plan->options.is_cut) {
        HG_TRY(hg_mem_array(&space->node_rows, 2 * n_leaf + 2, sizeof *space->node_rows));
        HG_TRY(hg_mem_array(&space->node_mean, (2 * n_leaf + 2) * n_target,
                            sizeof *space->node_mean));
    }
    if (plan->options.bag != HG_BAG_NONE && plan->options.scope != HG_TRAIN_MEANS) {
        HG_TRY(hg_mem_array(&space->leaf_oob, n_leaf * n_target, sizeof *space->leaf_oob));
    }
    if (plan->binned != NULL) {
        HG_TRY(hg_binned_space_create(plan, &space->binned));
    } else {
        HG_TRY(hg_mem_array(&space->record, n * plan->rule.stride, sizeof *space->record));
        hg_mem_large_pages(space->record);
    }
    HG_TRY(hg_mem_array(&space->copies, n, 1));
    HG_TRY(hg_mem_array(&space->leaf_of, n, sizeof *space->leaf_of));
    HG_TRY(hg_mem_array(&space->index, n, sizeof *space->index));
    HG_TRY(hg_mem_array(&space->found, n, sizeof *space->found));
    HG_TRY(hg_mem_zeros(&space->oob_sum, n * n_target, sizeof *space->oob_sum));
    HG_TRY(hg_mem_zeros(&space->oob_trees, n, sizeof *space->oob_trees));
    hg_mem_large_pages(space->leaf_oob);
    hg_mem_large_pages(space->leaf_of);
    return HG_OK;
}

void
hg_space_clear(hg_space *space)
{
    void *const blocks[] = {
        space->record, space->second, space->copies,    space->lane_block, space->word,
        space->stack,  space->node,   space->mean,      space->leaf_oob,   space->leaf_of,
        space->index,  space->found,  space->oob_sum,   space->oob_trees,  space->range,
        space->count,  space->mate,   space->node_rows, space->node_mean};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        hg_mem_free(blocks[i]);
    }
    hg_binned_space_free(space->binned);
    *space = (hg_space){0};
}
