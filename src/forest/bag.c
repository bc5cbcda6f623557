/* Bags and the memory of a growing thread. The number of copies of a row is Poisson(1) from one
 * 32-bit word through an integer table; four canonical rows share a Philox block, a group has a
 * block of its own. Records of the arena hold the targets times copies (times weight, in two
 * parts). A bag that came out empty (few groups) is replaced by all rows. */
#include "base/memory.h"
#include "forest/binned.h"

/* floor(2^32 P(X <= k)) for X ~ Poisson(1), k = 0, 1, ... */
static const uint32_t poisson_table[] = {
    1580030168u, 3160060337u, 3950075421u, 4213413783u, 4279248373u, 4292415291u, 4294609777u,
    4294923276u, 4294962463u, 4294966817u, 4294967252u, 4294967292u, 4294967295u};

static unsigned char
count_copies(uint32_t word)
{
    unsigned char n = 0;

    while (n < sizeof poisson_table / sizeof poisson_table[0] && word >= poisson_table[n]) {
        n++;
    }
    return n;
}

unsigned char
hg_bag_copies(hg_bag bag, uint64_t seed, uint64_t tree, int64_t row, uint64_t group)
{
    hg_stream stream;
    uint32_t word[4];

    if (bag == HG_BAG_NONE) {
        return 1;
    }
    stream = hg_stream_start(seed, tree, bag == HG_BAG_ROW ? (uint64_t)row / 4 : group,
                             HG_PURPOSE_BAG);
    hg_philox(stream.key, stream.counter, word);
    return count_copies(word[bag == HG_BAG_ROW ? row % 4 : 0]);
}

unsigned char
hg_bag_draw(const hg_plan *plan, uint64_t tree, unsigned char copies[])
{
    const hg_bag bag = plan->options.bag;
    const uint64_t seed = plan->options.seed;
    unsigned char most = 0;

    if (bag == HG_BAG_ROW) {
        hg_stream stream = hg_stream_start(seed, tree, 0, HG_PURPOSE_BAG);
        uint32_t word[4];

        for (int64_t i = 0; i < plan->n; i++) {
            const int64_t row = plan->first + i;

            if (i == 0 || row % 4 == 0) {
                stream.counter[0] = (uint32_t)(row / 4);
                stream.counter[1] = (uint32_t)((uint64_t)(row / 4) >> 32);
                hg_philox(stream.key, stream.counter, word);
            }
            copies[i] = count_copies(word[row % 4]);
            most = copies[i] > most ? copies[i] : most;
        }
        return most;
    }
    for (int64_t i = 0; i < plan->n; i++) {
        if (i > 0 && (bag == HG_BAG_NONE || plan->group[i] == plan->group[i - 1])) {
            copies[i] = copies[i - 1];
        } else {
            copies[i] =
                hg_bag_copies(bag, seed, tree, 0, bag == HG_BAG_NONE ? 0 : plan->group[i]);
        }
        most = copies[i] > most ? copies[i] : most;
    }
    return most;
}

void
hg_bag_scale(const hg_plan *plan, int64_t row, int32_t copies, hg_word *record, int64_t total[])
{
    const int n_target = plan->rule.n_target;
    hg_word *channel = record + plan->rule.n_feature;

    if (!plan->rule.is_weighted) {
        for (int o = 0; o < n_target; o++) {
            channel[o].i *= copies;
            total[o] += channel[o].i;
        }
        channel[n_target].i = (1 << HG_COUNT_SHIFT) | copies;
        total[n_target] += copies;
    } else {
        int64_t w = (int64_t)plan->weight[row] * copies;

        for (int o = n_target - 1; o >= 0; o--) { /* q_o stands in channel o: backwards */
            int64_t v = channel[o].i * w;

            channel[2 * o].i = (int32_t)(v >> HG_SPLIT_SHIFT);
            channel[2 * o + 1].i = (int32_t)(v & (((int64_t)1 << HG_SPLIT_SHIFT) - 1));
            total[o] += v;
        }
        channel[2 * n_target].i = (int32_t)w;
        channel[2 * n_target + 1].i = (1 << HG_COUNT_SHIFT) | copies;
        total[n_target] += w;
    }
    channel[plan->rule.n_channel].u = (uint32_t)row;
}

/* unweighted: |q| copies < 2^23 copies per row; weighted: parts below 2^24 */
size_t
hg_bag_flush(const hg_rule *rule, int most)
{
    const int64_t limit = INT32_MAX / ((1 << 23) - 1);
    size_t flush = HG_FLUSH_MAX;

    while (!rule->is_weighted && (int64_t)flush * most > limit) {
        flush /= 2;
    }
    return flush;
}

unsigned char
hg_bag_take(const hg_plan *plan, hg_space *space, uint64_t tree)
{
    const unsigned char most = hg_bag_draw(plan, tree, space->copies);

    if (most > 0) {
        return most;
    }
    memset(space->copies, 1, (size_t)plan->n);
    return 1;
}

size_t
hg_bag_fill(const hg_plan *plan, hg_space *space, uint64_t tree, int64_t total[])
{
    enum { RANGE_ROWS = 64 };
    const size_t stride = plan->rule.stride;
    const hg_range range = hg_space_range(space, 0);
    const unsigned char most = hg_bag_take(plan, space, tree);
    hg_word *record = space->record;
    size_t n = 0;

    memset(total, 0, (size_t)(plan->rule.n_target + 1) * sizeof total[0]);
    for (int64_t i = 0; i < plan->n; i++) {
        if (space->copies[i] > 0) {
            memcpy(record, plan->row + (size_t)i * stride, stride * sizeof *record);
            hg_bag_scale(plan, i, space->copies[i], record, total);
            record += stride;
            n++;
            if (n % RANGE_ROWS == 0) { /* rows that are still in the cache */
                plan->kernel->range(&plan->rule, n == RANGE_ROWS, RANGE_ROWS,
                                    record - RANGE_ROWS * stride, range);
            }
        }
    }
    plan->kernel->range(&plan->rule, n < RANGE_ROWS, n % RANGE_ROWS,
                        record - n % RANGE_ROWS * stride, range);
    space->rule = plan->rule;
    space->rule.flush = hg_bag_flush(&plan->rule, most);
    return n;
}

size_t
hg_bag_whole(const hg_plan *plan, hg_space *space, int64_t total[])
{
    const hg_rule *rule = &plan->rule;
    const size_t n = (size_t)plan->n, n_lane = (size_t)rule->n_lane;
    const hg_range root = hg_space_range(space, 0);
    float *low = root.low + (HG_FRAMES_KEPT + 1) * 2 * n_lane;

    if (space->whole[rule->n_target] == 0) { /* the first tree of this thread */
        for (size_t i = 0; i < n; i++) {
            const hg_word *channel = plan->row + i * rule->stride + rule->n_feature;

            for (int o = 0; o < rule->n_target; o++) {
                space->whole[o] += channel[o].i;
            }
        }
        space->whole[rule->n_target] = plan->n;
        plan->kernel->range(rule, 1, n, plan->row, (hg_range){low, low + n_lane});
    }
    memcpy(root.low, low, 2 * n_lane * sizeof *low);
    memcpy(total, space->whole, (size_t)(rule->n_target + 1) * sizeof *total);
    space->rule = plan->rule;
    space->rule.is_unit = 1;
    space->rule.flush = hg_bag_flush(&plan->rule, 1);
    return n;
}

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
