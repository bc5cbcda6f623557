/* Growth of one tree of best splits. Nodes, words and stack are those of grow.c; a node's rows
 * are binned records that go to and fro between two arenas. Large nodes keep the histograms of
 * their candidates in a slot, which the larger child takes over: the rows of its sibling are
 * taken away instead of its own being added up. Slots are few; a node without one counts anew,
 * and integer sums make both ways the same. */
#include <stdlib.h>

#include "base/order.h"
#include "forest/binned.h"

/* Fewest rows of a node that keeps its histograms: a first choice, and some times its bins. */
enum { HG_KEEP_ROWS = 2048, HG_KEEP_TIMES = 4 };

typedef struct hg_growth {
    const hg_plan *plan;
    const hg_layout *layout;
    const hg_best_kernel *kernel;
    hg_space *space;
    hg_binned_space *binned;
    uint32_t key[2];
    size_t split_min;
    size_t keep_min; /* fewest rows of a node that keeps its histograms */
    int max_depth;
    double gain_unit;
} hg_growth;

static unsigned char *
find_records(const hg_growth *g, const hg_frame *frame)
{
    return g->binned->record[frame->side] + frame->begin * g->layout->stride;
}

/* ---- candidates ---- */
static int
compare_numbers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* features in the order in which they are tried: by priority and number */
static void
order_features(const hg_growth *g, uint64_t path, int feature[])
{
    const hg_rule *rule = &g->plan->rule;
    uint64_t key[HG_FEATURES_MAX];
    uint32_t *word = g->space->word;

    g->plan->kernel->draw(g->key, 1, &path, HG_PURPOSE_PRIORITY, rule->n_word, &word);
    for (int f = 0; f < rule->n_feature; f++) {
        key[f] = (uint64_t)word[f] << 32 | (uint32_t)f;
    }
    qsort(key, (size_t)rule->n_feature, sizeof key[0], hg_order_u64);
    for (int f = 0; f < rule->n_feature; f++) {
        feature[f] = (int)(key[f] & UINT32_MAX);
    }
}

/* the candidates of a node, ascending, and behind them the other features in order */
static void
find_candidates(const hg_growth *g, uint64_t path, int feature[])
{
    const hg_rule *rule = &g->plan->rule;

    if (rule->n_candidate == rule->n_feature) {
        for (int f = 0; f < rule->n_feature; f++) {
            feature[f] = f;
        }
        return;
    }
    order_features(g, path, feature);
    qsort(feature, (size_t)rule->n_candidate, sizeof feature[0], compare_numbers);
}

/* ---- histograms that are kept ---- */
static int *
find_places(const hg_growth *g, int slot)
{
    return g->binned->place + slot * g->plan->rule.n_candidate;
}

static int64_t *
find_histogram(const hg_growth *g, int slot, int place)
{
    const size_t size = (size_t)g->plan->binned->bins.most * (size_t)g->layout->n_lane;
    const size_t at = (size_t)slot * (size_t)g->plan->rule.n_candidate + (size_t)place;

    return g->binned->slot + at * size;
}

/* a free slot without histograms, or -1 */
static int
take_slot(const hg_growth *g)
{
    hg_binned_space *b = g->binned;

    for (int s = 0; s < b->n_slot; s++) {
        if (!(b->used >> s & 1)) {
            b->used |= 1u << s;
            for (int k = 0; k < g->plan->rule.n_candidate; k++) {
                find_places(g, s)[k] = -1;
            }
            return s;
        }
    }
    return -1;
}

static void
release_slot(const hg_growth *g, hg_frame *frame)
{
    if (frame->slot >= 0) {
        g->binned->used &= ~(1u << frame->slot);
        frame->slot = -1;
    }
}

static int
find_place(const hg_growth *g, int slot, int feature)
{
    const int *place = find_places(g, slot);

    for (int k = 0; k < g->plan->rule.n_candidate; k++) {
        if (place[k] == feature) {
            return k;
        }
    }
    return -1;
}

/* the histogram of a feature in the slot of a node, counted if it is not there */
static int64_t *
need_histogram(const hg_growth *g, const hg_frame *frame, int feature)
{
    int place = find_place(g, frame->slot, feature);
    int64_t *histogram;

    if (place >= 0) {
        return find_histogram(g, frame->slot, place);
    }
    place = find_place(g, frame->slot, -1);
    HG_ASSERT(place >= 0);
    find_places(g, frame->slot)[place] = feature;
    histogram = find_histogram(g, frame->slot, place);
    memset(histogram, 0,
           (size_t)hg_bins_count(g->layout->bins, feature) * (size_t)g->layout->n_lane *
               sizeof *histogram);
    g->kernel->add(g->layout, frame->n, find_records(g, frame), feature, 1, histogram);
    return histogram;
}

/* The larger child has its parent's slot: drop what it does not need, take away the rows of its
 * sibling from the rest. A sibling that is large as well has its own histograms made on the
 * way.
 */
static void
inherit_slot(const hg_growth *g, const hg_frame *large, hg_frame *small)
{
    const int n_candidate = g->plan->rule.n_candidate;
    int wanted[HG_FEATURES_MAX], its[HG_FEATURES_MAX];
    int *place = find_places(g, large->slot);

    find_candidates(g, large->path, wanted);
    if (small->n >= g->keep_min) {
        small->slot = take_slot(g);
        find_candidates(g, small->path, its);
    }
    for (int k = 0; k < n_candidate; k++) {
        int64_t *histogram = find_histogram(g, large->slot, k);
        const int f = place[k];

        if (f < 0) {
            continue;
        }
        if (bsearch(&f, wanted, (size_t)n_candidate, sizeof f, compare_numbers) == NULL) {
            place[k] = -1;
        } else if (small->slot >= 0 &&
                   bsearch(&f, its, (size_t)n_candidate, sizeof f, compare_numbers) != NULL) {
            hg_best_subtract(g->layout, f, need_histogram(g, small, f), histogram);
        } else {
            g->kernel->add(g->layout, small->n, find_records(g, small), f, -1, histogram);
        }
    }
}

/* ---- nodes ---- */
/* whether all rows have the same targets; channels hold them times weight and copies */
static int
is_pure(const hg_growth *g, const unsigned char *record, size_t n)
{
    const hg_layout *l = g->layout;
    int64_t first[HG_SUMS_MAX];

    for (int c = 0; c <= l->n_target; c++) {
        first[c] = hg_binned_channel(l, record, c);
    }
    for (size_t i = 1; i < n; i++) {
        const unsigned char *other = record + i * l->stride;
        const int64_t w = hg_binned_channel(l, other, l->n_target);

        for (int o = 0; o < l->n_target; o++) {
            if (first[o] / first[l->n_target] != hg_binned_channel(l, other, o) / w) {
                return 0;
            }
        }
    }
    return 1;
}

/* choose the best split; false when the node becomes a leaf */
static int
choose_split(const hg_growth *g, hg_frame *frame, hg_search *s)
{
    const hg_rule *rule = &g->plan->rule;
    int feature[HG_FEATURES_MAX] = {0};
    int64_t *histogram[HG_FEATURES_MAX] = {NULL};
    double gain;

    find_candidates(g, frame->path, feature);
    if (frame->slot < 0 && frame->n >= g->keep_min) {
        frame->slot = take_slot(g);
    }
    for (int k = 0; k < rule->n_candidate && frame->slot >= 0; k++) {
        histogram[k] = need_histogram(g, frame, feature[k]);
    }
    *s = (hg_search){.record = find_records(g, frame), .n = frame->n, .total = frame->total};
    s->n_candidate = rule->n_candidate;
    s->candidate = feature;
    s->histogram = frame->slot >= 0 ? histogram : NULL;
    s->feature = -1;
    s->score = -1;
    g->kernel->search(g->layout, s, &g->binned->groups);
    s->histogram = NULL;
    s->n_candidate = 1;
    for (int k = rule->n_candidate; k < rule->n_feature && s->n_varied == 0; k++) {
        s->candidate = feature + k; /* all were constant: on to the first that is not */
        g->kernel->search(g->layout, s, &g->binned->groups);
    }
    if (s->feature < 0) {
        return 0;
    }
    gain = s->score * (double)frame->total[rule->n_target] * g->gain_unit;
    if (gain < g->plan->options.min_gain) {
        return 0;
    }
    g->space->importance[s->feature] += hg_gain(g->plan, gain);
    return 1;
}

static void
make_leaf(const hg_growth *g, const hg_frame *frame)
{
    const hg_layout *l = g->layout;
    const uint32_t leaf = hg_leaf_add(g->plan, g->space, frame->node, frame->total);
    const unsigned char *record = find_records(g, frame);

    for (size_t i = 0; i < frame->n; i++, record += l->stride) {
        const uint32_t row = (uint32_t)hg_binned_channel(l, record, l->n_target + 2);

        hg_leaf_put(g->space, leaf, row);
    }
}

/* the frame becomes the right child, the frame above it the left one, which is grown first */
static void
make_children(const hg_growth *g, hg_frame *frame, const hg_search *s)
{
    const float t = hg_bins_threshold(g->layout->bins, s->feature, s->left, s->right);
    hg_frame *left = frame + 1;
    const int slot = frame->slot;

    g->kernel->scatter(g->layout, frame->n, find_records(g, frame),
                       g->binned->record[!frame->side] + frame->begin * g->layout->stride,
                       s->feature, s->left);
    *left = (hg_frame){.begin = frame->begin, .n = s->n_left, .side = !frame->side, .slot = -1};
    left->path = hg_mix64(2 * frame->path + 1);
    left->node = hg_pair_add(g->plan, g->space, frame, s->feature, t);
    left->depth = ++frame->depth;
    frame->side = left->side;
    frame->begin += s->n_left;
    frame->n -= s->n_left;
    frame->path = hg_mix64(2 * frame->path + 2);
    frame->node = left->node + 1;
    frame->slot = -1;
    for (int o = 0; o <= g->layout->n_target; o++) {
        left->total[o] = s->left_sum[o];
        frame->total[o] -= s->left_sum[o];
    }
    if (slot >= 0) {
        hg_frame *large = left->n > frame->n ? left : frame;

        large->slot = slot;
        if (large->n >= g->keep_min) {
            inherit_slot(g, large, large == left ? frame : left);
        } else {
            release_slot(g, large);
        }
    }
}

/* grow the node on top of the stack; returns the new height */
static size_t
grow_top(const hg_growth *g, size_t height)
{
    hg_frame *frame = &g->space->stack[height - 1];
    hg_search search;

    if (frame->n >= g->split_min && frame->depth < g->max_depth &&
        !is_pure(g, find_records(g, frame), frame->n) && choose_split(g, frame, &search)) {
        make_children(g, frame, &search);
        return height + 1;
    }
    release_slot(g, frame);
    make_leaf(g, frame);
    return height - 1;
}

hg_status
hg_tree_grow_best(const hg_plan *plan, hg_space *space, uint64_t tree)
{
    const hg_train_options *o = &plan->options;
    const hg_stream stream = hg_stream_start(o->seed, tree, 0, HG_PURPOSE_THRESHOLD);
    const size_t bins = (size_t)plan->binned->bins.most;
    hg_frame *root = &space->stack[0];
    hg_growth g = {.plan = plan, .space = space, .binned = space->binned};
    size_t height = 1;

    g.layout = &plan->binned->layout;
    g.kernel = plan->binned->kernel;
    g.binned->used = 0;
    *root = (hg_frame){.path = 1, .slot = -1};
    root->n = hg_binned_fill(plan, space, tree, root->total);
    memcpy(g.key, stream.key, sizeof g.key);
    g.split_min = (size_t)(o->min_split > 2 * o->min_leaf ? o->min_split : 2 * o->min_leaf);
    g.keep_min = HG_KEEP_TIMES * bins > HG_KEEP_ROWS ? HG_KEEP_TIMES * bins : HG_KEEP_ROWS;
    g.max_depth = o->max_depth > 0 ? o->max_depth : INT32_MAX;
    g.gain_unit = 1 / ((double)root->total[plan->rule.n_target] * plan->rule.n_target);
    hg_tree_start(plan, space);
    while (height > 0) {
        HG_TRY(hg_tree_reserve(plan, space, height));
        height = grow_top(&g, height);
    }
    return HG_OK;
}
