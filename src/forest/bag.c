/* Bags. The number of copies of a row is Poisson(1) from one
 * 32-bit word through an integer table; four canonical rows share a Philox block, a group has a
 * block of its own. Records of the arena hold the targets times copies (times weight, in two
 * parts). A bag that came out empty (few groups) is replaced by all rows. */
#include "forest/tree.h"

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
