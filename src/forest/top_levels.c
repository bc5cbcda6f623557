/* One level of all trees at a time. A row has a slot per tree that names its node; a pass over
 * the rows moves slots to the children and takes ranges of the active nodes, a second one sums
 * the rows left of the thresholds. Ranges travel as integers in the order of the floats, sums
 * are integers, so the splits are those one process would choose. Threads share out the trees,
 * which have nothing in common but the rows. */
#include "forest/top_levels.h"

#include <math.h>
#include <omp.h>

#include "base/memory.h"
#include "forest/threads.h"

enum { ROWS_AT_ONCE = 2048 };

/* an active node and what is collected for it */
typedef struct hg_collect {
    int tree;
    int node;
    int tries;      /* thresholds drawn so far */
    int is_waiting; /* for sums */
    int64_t n_summed;
    float threshold[HG_FEATURES_MAX];
    int32_t is_usable[HG_FEATURES_MAX];
} hg_collect;

/* the work on one level */
typedef struct hg_level {
    const hg_plan *plan;
    hg_top *top;
    int n_tree;
    int64_t cut, split_min;
    int max_depth;
    int n_active;
    hg_collect *active; /* shape (n_active), tree by tree */
    int **active_of;    /* shape (n_tree): active node of each node, -1 = none */
    int64_t *range;     /* shape (n_active, 2, n_feature + n_target): low, -high; as integers */
    int32_t *sum;       /* shape (n_active, n_channel, n_lane) */
    int64_t *total;     /* shape (n_active, n_target + 2, n_feature) */
} hg_level;

static size_t
range_size(const hg_rule *rule)
{
    return (size_t)(rule->n_feature + rule->n_target);
}

static size_t
total_size(const hg_rule *rule)
{
    return (size_t)(rule->n_target + 2) * (size_t)rule->n_feature;
}

/* ---- bags and roots ---- */
static hg_status
draw_bag(const hg_plan *plan, uint64_t number, hg_top *top, int64_t *most)
{
    *top = (hg_top){.number = number};
    HG_TRY(hg_mem_array(&top->copies, (size_t)plan->n, 1));
    *most = hg_bag_draw(plan, number, top->copies);
    return HG_OK;
}

hg_status
hg_top_draw(const hg_comm *comm, const hg_plan *plan, uint64_t first, int n_tree, hg_top top[])
{
    hg_status status = HG_OK;
    int64_t *most = NULL;

    status = hg_mem_zeros(&most, (size_t)n_tree, sizeof *most);
    for (int t = 0; t < n_tree && status == HG_OK; t++) {
        status = draw_bag(plan, first + (uint64_t)t, &top[t], &most[t]);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    hg_comm_max(comm, (size_t)n_tree, most);
    for (int t = 0; t < n_tree; t++) {
        top[t].is_full = most[t] == 0;
        if (top[t].is_full && plan->n > 0) {
            memset(top[t].copies, 1, (size_t)plan->n);
        }
        top[t].flush = hg_bag_flush(&plan->rule, most[t] > 0 ? (int)most[t] : 1);
    }
end:
    hg_mem_free(most);
    return status;
}

/* what the node is to become */
static hg_top_kind
kind_of(const hg_level *l, const hg_top_node *node)
{
    if (node->n <= l->cut) {
        return HG_TOP_JOB;
    }
    return node->n >= l->split_min && node->depth < l->max_depth ? HG_TOP_ACTIVE : HG_TOP_LEAF;
}

/* the channels of a row in a bag, in the place they have in a record */
static void
scale_row(const hg_plan *plan, int64_t row, int copies, hg_word scaled[], int64_t total[])
{
    const hg_rule *rule = &plan->rule;

    memcpy(scaled + rule->n_feature, plan->row + (size_t)row * rule->stride + rule->n_feature,
           (size_t)rule->n_target * sizeof *scaled);
    hg_bag_scale(plan, row, copies, scaled, total);
}

static hg_status
start_trees(const hg_comm *comm, hg_level *l)
{
    const hg_plan *plan = l->plan;
    const int n_sum = plan->rule.n_target + 2;
    hg_status status = HG_OK;
    int64_t *sum = NULL;
    hg_word *scaled = NULL;

    status = hg_mem_zeros(&sum, (size_t)(l->n_tree * n_sum), sizeof *sum);
    status =
        status != HG_OK ? status : hg_mem_array(&scaled, plan->rule.stride, sizeof *scaled);
    for (int t = 0; t < l->n_tree && status == HG_OK; t++) {
        hg_top *top = &l->top[t];

        status = hg_mem_array(&top->slot, (size_t)plan->n, sizeof *top->slot);
        status = status != HG_OK ? status : hg_mem_zeros(&top->node, 64, sizeof *top->node);
        top->n_room = 64;
        top->n_node = 1;
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int t = 0; t < l->n_tree; t++) {
        hg_top *top = &l->top[t];

        for (int64_t i = 0; i < plan->n; i++) {
            top->slot[i] = top->copies[i] > 0 ? 0 : HG_TOP_OUT;
            if (top->copies[i] > 0) {
                scale_row(plan, i, top->copies[i], scaled, sum + t * n_sum);
                sum[t * n_sum + n_sum - 1]++;
            }
        }
    }
    hg_comm_sum(comm, (size_t)(l->n_tree * n_sum), sum);
    for (int t = 0; t < l->n_tree; t++) {
        hg_top_node *root = &l->top[t].node[0];

        root->path = 1;
        root->n = sum[t * n_sum + n_sum - 1];
        memcpy(root->total, sum + t * n_sum, (size_t)(n_sum - 1) * sizeof *sum);
        root->kind = kind_of(l, root);
    }
end:
    hg_mem_free(sum);
    hg_mem_free(scaled);
    return status;
}

/* ---- one level ---- */
static void
clear_level(hg_level *l)
{
    hg_mem_free(l->active);
    hg_mem_free(l->range);
    hg_mem_free(l->sum);
    hg_mem_free(l->total);
    l->active = NULL;
    l->range = NULL;
    l->sum = NULL;
    l->total = NULL;
    for (int t = 0; t < l->n_tree; t++) {
        hg_mem_free(l->active_of[t]);
        l->active_of[t] = NULL;
    }
}

/* list the active nodes and make room for them */
static hg_status
open_level(hg_level *l)
{
    const hg_rule *rule = &l->plan->rule;
    size_t n, n_range = 2 * range_size(rule);
    int at = 0;

    l->n_active = 0;
    for (int t = 0; t < l->n_tree; t++) {
        HG_TRY(hg_mem_array(&l->active_of[t], (size_t)l->top[t].n_node, sizeof(int)));
        for (int k = 0; k < l->top[t].n_node; k++) {
            int is_active = l->top[t].node[k].kind == HG_TOP_ACTIVE;

            l->active_of[t][k] = is_active ? l->n_active : -1;
            l->n_active += is_active;
        }
    }
    n = (size_t)l->n_active;
    HG_TRY(hg_mem_zeros(&l->active, n, sizeof *l->active));
    HG_TRY(hg_mem_array(&l->range, n * n_range, sizeof *l->range));
    HG_TRY(hg_mem_zeros(&l->sum, n * (size_t)(rule->n_channel * rule->n_lane), sizeof *l->sum));
    HG_TRY(hg_mem_zeros(&l->total, n * total_size(rule), sizeof *l->total));
    for (int t = 0; t < l->n_tree; t++) {
        for (int k = 0; k < l->top[t].n_node; k++) {
            if (l->active_of[t][k] >= 0) {
                l->active[at++] = (hg_collect){.tree = t, .node = k};
            }
        }
    }
    for (size_t i = 0; i < n * n_range; i++) {
        l->range[i] = INT64_MAX;
    }
    return HG_OK;
}

/* take a row into the range of its node */
static void
widen_range(const hg_rule *rule, const hg_word *x, int64_t low[])
{
    const size_t n = range_size(rule);

    for (int f = 0; f < rule->n_feature; f++) {
        const int64_t code = hg_domain_code(x[f].f);

        low[f] = code < low[f] ? code : low[f];
        low[n + (size_t)f] = -code < low[n + (size_t)f] ? -code : low[n + (size_t)f];
    }
    for (size_t o = (size_t)rule->n_feature; o < n; o++) {
        low[o] = x[o].i < low[o] ? x[o].i : low[o];
        low[n + o] = -(int64_t)x[o].i < low[n + o] ? -(int64_t)x[o].i : low[n + o];
    }
}

/* move the slots of some rows of a tree to the children, and take the ranges of active nodes */
static void
move_slots(const hg_level *l, int t, int64_t begin, int64_t end)
{
    const hg_rule *rule = &l->plan->rule;
    hg_top *top = &l->top[t];

    for (int64_t i = begin; i < end; i++) {
        const hg_word *x = l->plan->row + (size_t)i * rule->stride;
        const hg_top_node *node;
        int active;

        if (top->slot[i] == HG_TOP_OUT) {
            continue;
        }
        node = &top->node[top->slot[i]];
        if (node->kind == HG_TOP_INNER) {
            top->slot[i] = (uint16_t)(node->child + !(x[node->feature].f <= node->threshold));
        }
        active = l->active_of[t][top->slot[i]];
        if (active >= 0) {
            widen_range(rule, x, l->range + (size_t)active * 2 * range_size(rule));
        }
    }
}

/* add the int32 sums of an active node to its totals */
static void
flush_sums(const hg_level *l, int active)
{
    const hg_rule *rule = &l->plan->rule;
    const int n_target = rule->n_target, n_lane = rule->n_lane;
    int32_t *sum = l->sum + (size_t)active * (size_t)(rule->n_channel * n_lane);
    int64_t *total = l->total + (size_t)active * total_size(rule);
    const int32_t *count = sum + (size_t)(rule->n_channel - 1) * (size_t)n_lane;

    for (int f = 0; f < rule->n_feature; f++) {
        for (int o = 0; o < n_target; o++) {
            total[o * rule->n_feature + f] +=
                rule->is_weighted ? sum[2 * o * n_lane + f] * ((int64_t)1 << HG_SPLIT_SHIFT) +
                                        sum[(2 * o + 1) * n_lane + f]
                                  : sum[o * n_lane + f];
        }
        total[n_target * rule->n_feature + f] += rule->is_weighted
                                                     ? sum[2 * n_target * n_lane + f]
                                                     : count[f] & ((1 << HG_COUNT_SHIFT) - 1);
        total[(n_target + 1) * rule->n_feature + f] += count[f] >> HG_COUNT_SHIFT;
    }
    memset(sum, 0, (size_t)(rule->n_channel * n_lane) * sizeof *sum);
    l->active[active].n_summed = 0;
}

/* add a row to the sums of the features whose threshold it does not exceed */
static void
add_row(const hg_rule *rule, const hg_word *x, const hg_word *channel, const float threshold[],
        int32_t sum[])
{
    const int n_lane = rule->n_lane;
    int32_t mask[HG_FEATURES_MAX];

    for (int f = 0; f < n_lane; f++) {
        mask[f] = -(x[f].f <= threshold[f]);
    }
    for (int c = 0; c < rule->n_channel; c++) {
        const int32_t v = channel[c].i;

        for (int f = 0; f < n_lane; f++) {
            sum[c * n_lane + f] += mask[f] & v;
        }
    }
}

static void
sum_rows(const hg_level *l, int t, int64_t begin, int64_t end, hg_word scaled[])
{
    const hg_rule *rule = &l->plan->rule;
    const hg_top *top = &l->top[t];
    int64_t ignored[HG_SUMS_MAX] = {0};

    for (int64_t i = begin; i < end; i++) {
        const int active = top->slot[i] == HG_TOP_OUT ? -1 : l->active_of[t][top->slot[i]];
        hg_collect *c;

        if (active < 0 || !l->active[active].is_waiting) {
            continue;
        }
        c = &l->active[active];
        scale_row(l->plan, i, top->copies[i], scaled, ignored);
        add_row(rule, l->plan->row + (size_t)i * rule->stride, scaled + rule->n_feature,
                c->threshold,
                l->sum + (size_t)active * (size_t)(rule->n_channel * rule->n_lane));
        if (++c->n_summed == (int64_t)top->flush) {
            flush_sums(l, active);
        }
    }
}

/* a pass over the rows of this rank; blocks of rows stay in the cache for a thread's trees */
static hg_status
pass_over_rows(const hg_comm *comm, hg_level *l, int is_sum)
{
    const int wanted = l->plan->options.threads;
    const int n_thread = /* NOLINT: the analyser does not look into pragmas */
        hg_threads(wanted);
    const size_t stride = l->plan->rule.stride;
    hg_word *scaled = NULL;
    hg_status status = hg_mem_array(&scaled, (size_t)n_thread * stride, sizeof *scaled);

    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
#pragma omp parallel num_threads(n_thread)
    {
        const int me = omp_get_thread_num(), n = omp_get_num_threads();

        for (int64_t b = 0; b < l->plan->n; b += ROWS_AT_ONCE) {
            const int64_t end = b + ROWS_AT_ONCE < l->plan->n ? b + ROWS_AT_ONCE : l->plan->n;

            for (int t = me; t < l->n_tree; t += n) {
                if (is_sum) {
                    sum_rows(l, t, b, end, scaled + (size_t)me * stride);
                } else {
                    move_slots(l, t, b, end);
                }
            }
        }
    }
    for (int a = 0; a < l->n_active && is_sum; a++) {
        flush_sums(l, a);
    }
end:
    hg_mem_free(scaled);
    return status;
}

/* ---- splits ---- */
/* thresholds of an active node from its keyed words */
static void
set_thresholds(const hg_level *l, hg_collect *c, const int64_t low[], uint32_t priority[])
{
    const hg_top *top = &l->top[c->tree];
    const uint64_t path = top->node[c->node].path;
    const uint64_t word_path =
        c->tries == 0 ? path : hg_mix64(path + (uint64_t)c->tries * 0x9E3779B97F4A7C15u);
    hg_rule rule = l->plan->rule;
    const hg_stream stream =
        hg_stream_start(l->plan->options.seed, top->number, 0, HG_PURPOSE_THRESHOLD);

    memcpy(rule.key, stream.key, sizeof rule.key);
    for (int f = 0; f < rule.n_feature; f++) {
        const float min = hg_domain_value((uint32_t)low[f]);
        const float max = hg_domain_value((uint32_t)-low[range_size(&rule) + (size_t)f]);
        const uint32_t word = hg_kernel_word(
            rule.key, word_path, c->tries == 0 ? HG_PURPOSE_THRESHOLD : HG_PURPOSE_SPLIT, f);

        c->threshold[f] = hg_kernel_threshold(word, min, max);
        c->is_usable[f] = max > min + rule.constant_step ? -1 : 0;
    }
    for (int f = rule.n_feature; f < rule.n_lane; f++) {
        c->threshold[f] = -HUGE_VALF;
    }
    if (rule.n_candidate < rule.n_feature) {
        hg_kernel_candidates(&rule, path, &(hg_lanes){.priority = priority}, c->is_usable);
    }
}

/* The criterion as the kernel has it, for one feature; -1 when it is rejected. */
static double
score_feature(const hg_rule *rule, const hg_top_node *node, const int64_t total[], int f)
{
    const int n_target = rule->n_target;
    const double w = (double)node->total[n_target];
    const double weight = (double)total[n_target * rule->n_feature + f];
    const int64_t count = total[(n_target + 1) * rule->n_feature + f];
    double s = 0;

    if (count < rule->min_leaf || count > node->n - rule->min_leaf) {
        return -1;
    }
    for (int o = 0; o < n_target; o++) {
        const double mean = (double)node->total[o] / w;
        const double d = (double)total[o * rule->n_feature + f] - mean * weight;

        s += rule->cost[o] * (d * d);
    }
    return s / (weight * (w - weight));
}

/* add the two children of a node */
static hg_status
add_children(const hg_level *l, hg_top *top, int at, int feature, const int64_t total[])
{
    const int n_target = l->plan->rule.n_target, n_feature = l->plan->rule.n_feature;
    hg_top_node *node, *child;

    if (top->n_node + 2 > HG_TOP_NODES_MAX) {
        return HG_FAIL(
            HG_E_ARG, "a tree has more than %d nodes above the cut of %lld rows: raise the cut",
            (int)HG_TOP_NODES_MAX, (long long)l->cut);
    }
    if (top->n_node + 2 > top->n_room) {
        HG_TRY(hg_mem_resize(&top->node, 2 * (size_t)top->n_room, sizeof *top->node));
        top->n_room *= 2;
    }
    node = &top->node[at];
    node->child = top->n_node;
    top->n_node += 2;
    for (int side = 0; side < 2; side++) {
        const int64_t left = total[(n_target + 1) * n_feature + feature];

        child = &top->node[node->child + side];
        *child = (hg_top_node){.depth = node->depth + 1,
                               .n = side ? node->n - left : left,
                               .path = hg_mix64(2 * node->path + 1 + (uint64_t)side)};
        for (int o = 0; o <= n_target; o++) {
            const int64_t part = total[o * n_feature + feature];

            child->total[o] = side ? node->total[o] - part : part;
        }
        child->kind = kind_of(l, child);
    }
    return HG_OK;
}

/* choose the split of an active node, or make it a leaf, or have thresholds drawn anew */
static hg_status
decide(const hg_level *l, hg_collect *c, const int64_t total[])
{
    const hg_plan *plan = l->plan;
    hg_top *top = &l->top[c->tree];
    hg_top_node *node = &top->node[c->node];
    const double w = (double)node->total[plan->rule.n_target];
    const double gain_unit =
        1 / ((double)top->node[0].total[plan->rule.n_target] * plan->rule.n_target);
    double best = -1, gain;
    int feature = -1;

    for (int f = 0; f < plan->rule.n_feature; f++) {
        double score = c->is_usable[f] ? score_feature(&plan->rule, node, total, f) : -1;

        if (score > best) {
            best = score;
            feature = f;
        }
    }
    c->is_waiting = feature < 0 && c->tries < plan->options.redraw;
    if (c->is_waiting) {
        c->tries++;
        return HG_OK;
    }
    gain = best * w * gain_unit;
    if (feature < 0 || gain < plan->options.min_gain) {
        node->kind = HG_TOP_LEAF;
        return HG_OK;
    }
    top->importance[feature] += hg_gain(plan, gain);
    node->kind = HG_TOP_INNER;
    node->feature = feature;
    node->threshold = c->threshold[feature];
    return add_children(l, top, c->node, feature, total);
}

/* a node whose rows all have the same targets is a leaf */
static int
is_pure(const hg_rule *rule, const int64_t low[])
{
    const size_t n = range_size(rule);

    for (size_t o = (size_t)rule->n_feature; o < n; o++) {
        if (low[o] != -low[n + o]) {
            return 0;
        }
    }
    return 1;
}

/* split all active nodes */
static hg_status
split_level(const hg_comm *comm, hg_level *l)
{
    const hg_rule *rule = &l->plan->rule;
    const size_t n_range = 2 * range_size(rule), n_total = total_size(rule);
    hg_status status = HG_OK;
    uint32_t *priority = NULL;
    int n_waiting = 0;

    status = hg_mem_array(&priority, (size_t)rule->n_word, sizeof *priority);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    hg_comm_min(comm, (size_t)l->n_active * n_range, l->range);
    for (int a = 0; a < l->n_active; a++) {
        hg_collect *c = &l->active[a];

        c->is_waiting = !is_pure(rule, l->range + (size_t)a * n_range);
        n_waiting += c->is_waiting;
        if (!c->is_waiting) {
            l->top[c->tree].node[c->node].kind = HG_TOP_LEAF;
        }
    }
    while (n_waiting > 0) {
        for (int a = 0; a < l->n_active; a++) {
            if (l->active[a].is_waiting) {
                set_thresholds(l, &l->active[a], l->range + (size_t)a * n_range, priority);
            }
        }
        memset(l->total, 0, (size_t)l->n_active * n_total * sizeof *l->total);
        HG_TRY_OR(end, status, pass_over_rows(comm, l, 1));
        hg_comm_sum(comm, (size_t)l->n_active * n_total, l->total);
        n_waiting = 0;
        for (int a = 0; a < l->n_active && status == HG_OK; a++) {
            if (l->active[a].is_waiting) {
                status = decide(l, &l->active[a], l->total + (size_t)a * n_total);
                n_waiting += l->active[a].is_waiting;
            }
        }
        HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    }
end:
    hg_mem_free(priority);
    return status;
}

hg_status
hg_top_grow(const hg_comm *comm, const hg_plan *plan, uint64_t first, int n_tree, int64_t cut,
            hg_top top[])
{
    const hg_train_options *o = &plan->options;
    hg_level l = {.plan = plan, .top = top, .n_tree = n_tree, .cut = cut};
    hg_status status = HG_OK;

    l.split_min = o->min_split > 2 * o->min_leaf ? o->min_split : 2 * o->min_leaf;
    l.max_depth = o->max_depth > 0 ? o->max_depth : INT32_MAX;
    HG_TRY_OR(end, status, hg_top_draw(comm, plan, first, n_tree, top));
    HG_TRY_OR(end, status, start_trees(comm, &l));
    status = hg_mem_zeros(&l.active_of, (size_t)n_tree, sizeof *l.active_of);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    do {
        HG_TRY_OR(end, status, hg_comm_agree(comm, open_level(&l)));
        HG_TRY_OR(end, status, pass_over_rows(comm, &l, 0));
        if (l.n_active > 0) {
            HG_TRY_OR(end, status, split_level(comm, &l));
        }
        clear_level(&l);
    } while (l.n_active > 0);
end:
    if (l.active_of != NULL) {
        clear_level(&l);
    }
    hg_mem_free(l.active_of);
    return status;
}

void
hg_top_clear(hg_top *top)
{
    hg_mem_free(top->node);
    hg_mem_free(top->copies);
    hg_mem_free(top->slot);
    *top = (hg_top){0};
}
