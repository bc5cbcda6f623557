/* Growth of one tree from moved records: each split moves the records of a node, so a node is a
 * contiguous range and a subtree soon fits the cache. Large nodes are partitioned in place;
 * from a subtree of half a MiB on, records go to and fro between the arena and a second buffer
 * without any unpredictable branch. Words are keyed by the node's path (root 1, child mix64(2
 * path + 1 + side)), not by the order of growth. The stack is explicit: degenerate rows give a
 * depth of about n. Nodes come out depth first because the left child is grown first. */
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "forest/tree.h"

/* what does not change while a tree is grown */
typedef struct hg_growth {
    const hg_plan *plan;
    hg_space *space;
    const hg_rule *rule;
    size_t split_min; /* fewest rows of a node that may be split */
    int max_depth;
    int has_shortcut; /* two rows need no search */
    double gain_unit; /* gain = score * w * gain_unit */
} hg_growth;

/* where the records of a node stand or, but for those given, may be moved to */
static hg_word *
find_place(const hg_growth *g, const hg_frame *frame)
{
    return frame->side ? g->space->second + (frame->begin - frame->base) * g->rule->stride
                       : g->space->record + frame->begin * g->rule->stride;
}

static const hg_word *
find_records(const hg_growth *g, const hg_frame *frame)
{
    return frame->is_given ? g->plan->row : find_place(g, frame);
}

static int64_t
join_parts(const hg_word *channel)
{
    return channel[0].i * ((int64_t)1 << HG_SPLIT_SHIFT) + channel[1].i;
}

/* whether all rows have the same targets; channels hold them times weight and copies */
static int
is_pure(const hg_rule *rule, const hg_word *record, size_t n)
{
    const int n_target = rule->n_target;
    const hg_word *a = record + rule->n_feature;

    for (size_t i = 1; i < n; i++) {
        const hg_word *b = a + i * rule->stride;

        for (int o = 0; o < n_target; o++) {
            if (rule->is_weighted) {
                if (join_parts(a + 2 * o) / a[2 * n_target].i !=
                    join_parts(b + 2 * o) / b[2 * n_target].i) {
                    return 0;
                }
            } else {
                const int32_t low = (1 << HG_COUNT_SHIFT) - 1;

                if (a[o].i * (int64_t)(b[n_target].i & low) !=
                    b[o].i * (int64_t)(a[n_target].i & low)) {
                    return 0;
                }
            }
        }
    }
    return 1;
}

void
hg_leaf_set(const hg_plan *plan, const int64_t total[], float mean[], int64_t oob[])
{
    const int n_target = plan->rule.n_target;
    const double w = (double)total[n_target];

    for (int o = 0; o < n_target; o++) {
        double q = (double)total[o] / w;

        mean[o] = (float)(plan->centre[o] + plan->quantum[o] * q);
        if (oob != NULL) {
            oob[o] = llrint(q * HG_OOB_QUANTUM);
        }
    }
}

/* a leaf of the tree in the thread's memory */
static void
set_leaf(const hg_plan *plan, hg_space *space, uint32_t leaf, const int64_t total[])
{
    const size_t at = (size_t)leaf * (size_t)plan->rule.n_target;

    if (space->mean != NULL) {
        hg_leaf_set(plan, total, space->mean + at,
                    space->leaf_oob != NULL ? space->leaf_oob + at : NULL);
        space->count[leaf] = 0;
    }
}

uint32_t
hg_leaf_add(const hg_plan *plan, hg_space *space, uint32_t node, const int64_t total[])
{
    const uint32_t leaf = (uint32_t)space->n_leaf++;

    set_leaf(plan, space, leaf, total);
    space->node[node] = (hg_node){hg_leaf_nan(leaf & HG_LEAF_MASK), node << plan->feature_bits};
    return leaf;
}

uint32_t
hg_pair_add(const hg_plan *plan, hg_space *space, const hg_frame *frame, int feature,
            float threshold)
{
    const uint32_t child = (uint32_t)space->n_node, node = frame->node;

    if (space->node_rows != NULL) {
        space->node_rows[node] = (uint32_t)frame->n;
        hg_leaf_set(plan, frame->total, space->node_mean + node * (size_t)plan->rule.n_target,
                    NULL);
    }
    space->n_node += 2;
    space->node[node] = (hg_node){threshold, child << plan->feature_bits | (uint32_t)feature};
    return child;
}

static void
make_leaf(hg_growth *g, uint32_t node, const int64_t total[], const hg_word *record, size_t n)
{
    const uint32_t leaf = hg_leaf_add(g->plan, g->space, node, total);
    const hg_word *row = record + g->rule->n_feature + g->rule->n_channel;

    for (size_t i = 0; i < n; i++) {
        hg_leaf_put(g->space, leaf, row[i * g->rule->stride].u);
    }
}

/* Two rows, all features tried, nothing rejected: every split parts them with the same gain, so
 * the lowest feature that differs wins, and one word is enough. */
static int
split_pair(hg_growth *g, const hg_frame *frame)
{
    const hg_rule *rule = g->rule;
    const hg_word *a = find_records(g, frame), *b = a + rule->stride;
    int64_t total[2][HG_SUMS_MAX];
    double w = (double)frame->total[rule->n_target], score = 0, gain;
    float t;
    uint32_t child;
    int f = 0;

    while (f < rule->n_feature && a[f].f == b[f].f) {
        f++;
    }
    if (f == rule->n_feature) {
        return 0;
    }
    if (a[f].f > b[f].f) {
        const hg_word *keep = a;

        a = b;
        b = keep;
    }
    for (int o = 0; o <= rule->n_target; o++) {
        const hg_word *q = a + rule->n_feature + (rule->is_weighted ? 2 * o : o);

        total[0][o] = o < rule->n_target  ? (rule->is_weighted ? join_parts(q) : q->i)
                      : rule->is_weighted ? q->i
                                          : q->i & ((1 << HG_COUNT_SHIFT) - 1);
        total[1][o] = frame->total[o] - total[0][o];
    }
    for (int o = 0; o < rule->n_target; o++) {
        double d = (double)total[0][o] -
                   (double)frame->total[o] / w * (double)total[0][rule->n_target];

        score += rule->cost[o] * (d * d);
    }
    score /= (double)total[0][rule->n_target] * (double)total[1][rule->n_target];
    gain = score * w * g->gain_unit;
    if (gain < g->plan->options.min_gain) {
        return 0;
    }
    g->space->importance[f] += hg_gain(g->plan, gain);
    t = hg_kernel_threshold(hg_kernel_word(rule->key, frame->path, HG_PURPOSE_THRESHOLD, f),
                            a[f].f, b[f].f);
    child = hg_pair_add(g->plan, g->space, frame, f, t);
    make_leaf(g, child, total[0], a, 1);
    make_leaf(g, child + 1, total[1], b, 1);
    return 1;
}

/* choose a split, drawing anew as often as allowed; false when the node becomes a leaf */
static int
choose_split(hg_growth *g, const hg_frame *frame, uint32_t *word, hg_split *split)
{
    const hg_rule *rule = g->rule;
    const hg_kernel *kernel = g->plan->kernel;
    double gain;

    if (!frame->has_word) {
        kernel->draw(rule->key, 1, &frame->path, HG_PURPOSE_THRESHOLD, rule->n_word, &word);
    }
    split->record = find_records(g, frame);
    split->n = frame->n;
    split->total = frame->total;
    split->word = word;
    split->path = frame->path;
    split->has_range = frame->has_range;
    split->range = hg_space_range(g->space, (size_t)(frame - g->space->stack));
    kernel->split(rule, &g->space->lanes, split);
    for (int k = 1; split->feature < 0 && k <= g->plan->options.redraw; k++) {
        uint64_t path = hg_mix64(frame->path + (uint64_t)k * 0x9E3779B97F4A7C15u);

        kernel->draw(rule->key, 1, &path, HG_PURPOSE_SPLIT, rule->n_word, &word);
        kernel->split(rule, &g->space->lanes, split);
    }
    if (split->feature < 0) {
        return 0;
    }
    gain = split->score * (double)frame->total[rule->n_target] * g->gain_unit;
    if (gain < g->plan->options.min_gain) {
        return 0;
    }
    g->space->importance[split->feature] += hg_gain(g->plan, gain);
    return 1;
}

/* move the records of a node; tells where its children are */
static void
move_records(hg_growth *g, hg_frame *frame, const hg_split *split)
{
    const hg_kernel *kernel = g->plan->kernel;
    const size_t stride = g->rule->stride;
    const size_t place = (size_t)(frame - g->space->stack);
    const hg_range left = hg_space_range(g->space, place + 1);
    const hg_range right = hg_space_range(g->space, place);
    hg_word *from = find_place(g, frame);

    if (frame->is_given) {
        kernel->divide(g->rule, frame->n, g->plan->row, from, split->feature, split->threshold,
                       left, right);
        frame->is_given = 0;
        return;
    }
    if (frame->base == SIZE_MAX && frame->n > g->space->n_subtree) {
        kernel->partition(g->rule, frame->n, from, split->feature, split->threshold, left,
                          right);
        frame->has_range = place + 1 < HG_FRAMES_KEPT;
        return;
    }
    frame->has_range = 0;
    if (frame->base == SIZE_MAX) {
        frame->base = frame->begin;
    }
    frame->side = !frame->side;
    kernel->scatter(stride, frame->n, from, find_place(g, frame), split->feature,
                    split->threshold);
}

static int
may_split(const hg_growth *g, size_t n, int depth)
{
    return n >= g->split_min && depth < g->max_depth;
}

/* The two children of a split node, with their words drawn together: the frame becomes the
 * right child, the frame above it the left one, which is grown first. */
static void
make_children(hg_growth *g, hg_frame *frame, const hg_split *split, uint32_t *word[2])
{
    const size_t least = g->has_shortcut ? 3 : g->split_min;
    const int n_sum = g->rule->n_target + 1;
    hg_frame *left = frame + 1;
    uint32_t *wanted[2];
    uint64_t path[2];
    int n = 0;

    left->begin = frame->begin;
    left->n = split->n_left;
    left->base = frame->base;
    left->path = hg_mix64(2 * frame->path + 1);
    left->node = hg_pair_add(g->plan, g->space, frame, split->feature, split->threshold);
    left->depth = ++frame->depth;
    left->side = frame->side;
    left->is_given = 0;
    left->has_range = frame->has_range;
    frame->begin += split->n_left;
    frame->n -= split->n_left;
    frame->path = hg_mix64(2 * frame->path + 2);
    frame->node = left->node + 1;
    for (int o = 0; o < n_sum; o++) {
        left->total[o] = split->left[o];
        frame->total[o] -= split->left[o];
    }
    for (int s = 0; s < 2; s++) {
        hg_frame *child = s ? frame : left;

        child->has_word =
            word[s] != NULL && child->n >= least && may_split(g, child->n, child->depth);
        if (child->has_word) {
            path[n] = child->path;
            wanted[n++] = word[s];
        }
    }
    if (n > 0) {
        g->plan->kernel->draw(g->rule->key, n, path, HG_PURPOSE_THRESHOLD, g->rule->n_word,
                              wanted);
    }
}

/* the words of the frame at a place of the stack; NULL beyond those kept */
static uint32_t *
find_word(const hg_growth *g, size_t place)
{
    return place < HG_FRAMES_KEPT ? g->space->word + place * (size_t)g->rule->n_word : NULL;
}

/* grow the node on top of the stack; returns the new height */
static size_t
grow_top(hg_growth *g, size_t height)
{
    hg_frame *frame = &g->space->stack[height - 1];
    const hg_word *record = find_records(g, frame);
    uint32_t *word = find_word(g, height - 1);
    hg_split split;

    if (may_split(g, frame->n, frame->depth) && !is_pure(g->rule, record, frame->n)) {
        if (frame->n == 2 && g->has_shortcut) {
            if (split_pair(g, frame)) {
                return height - 1;
            }
        } else {
            if (word == NULL) {
                word = g->space->word + HG_FRAMES_KEPT * (size_t)g->rule->n_word;
            }
            if (choose_split(g, frame, word, &split)) {
                uint32_t *words[2] = {find_word(g, height), find_word(g, height - 1)};

                move_records(g, frame, &split);
                make_children(g, frame, &split, words);
                return height + 1;
            }
        }
    }
    make_leaf(g, frame->node, frame->total, record, frame->n);
    return height - 1;
}

void
hg_tree_start(const hg_plan *plan, hg_space *space)
{
    space->n_node = 2;
    space->n_leaf = 0;
    space->n_mate = 0;
    space->node[1] = (hg_node){hg_leaf_nan(0), 1u << plan->feature_bits};
    memset(space->importance, 0, sizeof space->importance);
}

hg_status
hg_tree_reserve(const hg_plan *plan, hg_space *space, size_t height)
{
    const size_t limit = ((size_t)1 << (32 - plan->feature_bits)) - 2;

    if (space->n_node > limit || space->n_leaf > HG_LEAF_MASK - 1) {
        return HG_FAIL(HG_E_ARG, "a tree has more than %zu nodes or %d leaves: raise min_leaf",
                       limit, HG_LEAF_MASK);
    }
    if (height + 1 > space->n_stack) {
        HG_TRY(hg_mem_resize(&space->stack, 2 * space->n_stack, sizeof *space->stack));
        space->n_stack *= 2;
    }
    return HG_OK;
}

/* grow the node at the bottom of the stack, whose records stand in the arena */
static hg_status
grow_root(const hg_plan *plan, hg_space *space, uint64_t tree, double weight)
{
    const hg_train_options *o = &plan->options;
    hg_stream stream = hg_stream_start(o->seed, tree, 0, HG_PURPOSE_THRESHOLD);
    hg_growth g = {.plan = plan, .space = space, .rule = &space->rule};
    size_t height = 1;

    memcpy(space->rule.key, stream.key, sizeof stream.key);
    g.split_min = (size_t)(o->min_split > 2 * o->min_leaf ? o->min_split : 2 * o->min_leaf);
    g.max_depth = o->max_depth > 0 ? o->max_depth : INT32_MAX;
    g.has_shortcut = g.rule->n_candidate == g.rule->n_feature && g.split_min == 2 &&
                     o->redraw == 0 && !(g.rule->constant_step > 0);
    g.gain_unit = 1 / (weight * g.rule->n_target);
    hg_tree_start(plan, space);
    while (height > 0) {
        HG_TRY(hg_tree_reserve(plan, space, height));
        height = grow_top(&g, height);
    }
    return HG_OK;
}

hg_status
hg_tree_grow(const hg_plan *plan, hg_space *space, uint64_t tree)
{
    hg_frame *root = &space->stack[0];

    *root = (hg_frame){.base = SIZE_MAX, .path = 1, .has_range = 1, .is_given = plan->is_whole};
    root->n = plan->is_whole ? hg_bag_whole(plan, space, root->total)
                             : hg_bag_fill(plan, space, tree, root->total);
    return grow_root(plan, space, tree, (double)root->total[plan->rule.n_target]);
}

hg_status
hg_tree_grow_part(const hg_plan *plan, hg_space *space, uint64_t tree, const hg_frame *start,
                  size_t flush, double weight)
{
    space->rule = plan->rule;
    space->rule.flush = flush;
    space->stack[0] = *start;
    space->stack[0].base = SIZE_MAX;
    return grow_root(plan, space, tree, weight);
}

/* sums of targets and weight per leaf over the rows in the bag, which are routed */
static void
sum_leaves(const hg_plan *plan, hg_space *space, int64_t sum[])
{
    const size_t n_sum = (size_t)plan->rule.n_target + 1, stride = plan->rule.stride;
    size_t n = 0;

    for (int64_t i = 0; i < plan->n; i++) {
        space->index[n] = (uint32_t)i;
        n += space->copies[i] > 0;
    }
    hg_tree_route(space->node, plan->feature_bits, n, &plan->row->f, stride, space->index,
                  space->found);
    for (size_t i = 0; i < n; i++) {
        const uint32_t row = space->index[i];
        const hg_word *q = plan->row + row * stride + plan->rule.n_feature;
        const int64_t w =
            (int64_t)space->copies[row] * (plan->weight != NULL ? plan->weight[row] : 1);
        int64_t *leaf = sum + space->found[i] * n_sum;

        space->leaf_of[row] = space->found[i];
        for (size_t o = 0; o + 1 < n_sum; o++) {
            leaf[o] += q[o].i * w;
        }
        leaf[n_sum - 1] += w;
    }
}

hg_status
hg_tree_restore(const hg_plan *plan, hg_space *space, uint64_t tree, const hg_tree *stored)
{
    const size_t n_sum = (size_t)plan->rule.n_target + 1, n_leaf = (size_t)stored->n_leaf;
    const size_t most = (size_t)plan->n / (size_t)plan->rule.min_leaf + 1;
    hg_status status = HG_OK;
    int64_t *sum = NULL;

    if (n_leaf > most || (size_t)stored->n_node > 2 * most + 2) {
        return HG_FAIL(HG_E_VERIFY, "tree %" PRIu64 " has more leaves than rows allow", tree);
    }
    HG_TRY(hg_mem_zeros(&sum, n_leaf * n_sum, sizeof *sum));
    hg_bag_take(plan, space, tree);
    memcpy(space->node, stored->node, (size_t)stored->n_node * sizeof *space->node);
    memcpy(space->importance, stored->importance,
           (size_t)plan->rule.n_feature * sizeof *space->importance);
    space->n_node = (size_t)stored->n_node;
    space->n_leaf = n_leaf;
    space->n_mate = 0;
    sum_leaves(plan, space, sum);
    for (size_t leaf = 0; leaf < n_leaf && status == HG_OK; leaf++) {
        if (sum[leaf * n_sum + n_sum - 1] > 0) {
            set_leaf(plan, space, (uint32_t)leaf, sum + leaf * n_sum);
        } else {
            status = HG_FAIL(HG_E_VERIFY, "tree %" PRIu64 " has a leaf without rows", tree);
        }
    }
    hg_mem_free(sum);
    return status;
}
