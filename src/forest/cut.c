/* Trees that end earlier. A search compares forests many of which differ only in how far their
 * trees go on; the deepest of them holds the others, as growing asks nothing of the rows below
 * a node. Nodes are taken depth first, left before right, as they are grown, so that nodes and
 * leaves get the numbers of a training. */
#include "base/memory.h"
#include "forest/model.h"
#include "forest/stage.h"

/* a node that waits, and the one it becomes */
typedef struct hg_waiting {
    uint32_t from, to;
    int depth;
} hg_waiting;

static hg_status
check(const hg_forest *f, const hg_train_options *o)
{
    const hg_train_options *most = &f->options;
    const bool is_deeper =
        most->max_depth > 0 && (o->max_depth == 0 || o->max_depth > most->max_depth);

    if (f->inner == NULL || o->trees > most->trees || o->min_split < most->min_split ||
        is_deeper || o->min_leaf != most->min_leaf) {
        return HG_FAIL(HG_E_ARG,
                       "a forest of %d trees, min_split %d and max_depth %d does not hold one "
                       "of %d, %d and %d",
                       most->trees, most->min_split, most->max_depth, o->trees, o->min_split,
                       o->max_depth);
    }
    return HG_OK;
}

/* the forest without trees, and room for them */
static hg_status
begin(const hg_forest *f, const hg_train_options *o, hg_forest **cut)
{
    const size_t n_node = f->node_offset[o->trees], n_leaf = f->leaf_offset[o->trees];
    hg_forest *c = NULL;

    HG_TRY(hg_model_create(f->n_feature, f->n_target, o->trees, 0, cut));
    c = *cut;
    c->options = *o;
    c->options.threads = 0;
    c->weight_unit = f->weight_unit;
    c->is_weighted = f->is_weighted;
    memcpy(c->feature, f->feature, (size_t)f->n_feature * sizeof *c->feature);
    memcpy(c->target, f->target, (size_t)f->n_target * sizeof *c->target);
    memcpy(c->range, f->range, (size_t)f->n_feature * sizeof *c->range);
    memcpy(c->centre, f->centre, sizeof c->centre);
    memcpy(c->quantum, f->quantum, sizeof c->quantum);
    memcpy(c->scale, f->scale, sizeof c->scale);
    memcpy(c->target_weight, f->target_weight, sizeof c->target_weight);
    memcpy(c->cost, f->cost, sizeof c->cost);
    memcpy(c->limit, f->limit, sizeof c->limit);
    HG_TRY(hg_mem_array(&c->node, n_node, sizeof *c->node));
    HG_TRY(hg_mem_array(&c->mean, n_leaf * (size_t)f->n_target, sizeof *c->mean));
    return hg_mem_zeros(&c->mate_offset, n_leaf + 1, sizeof *c->mate_offset);
}

static void
cut_tree(const hg_forest *f, int t, hg_waiting stack[], hg_forest *c)
{
    const hg_train_options *o = &c->options;
    const uint32_t split_min =
        (uint32_t)(o->min_split > 2 * o->min_leaf ? o->min_split : 2 * o->min_leaf);
    const size_t n_target = (size_t)f->n_target;
    const uint32_t mask = (1u << f->feature_bits) - 1;
    const hg_node *from = f->node + f->node_offset[t];
    const float *leaf_mean = f->mean + f->leaf_offset[t] * n_target;
    hg_node *to = c->node + c->node_offset[t];
    float *mean = c->mean + c->leaf_offset[t] * n_target;
    uint32_t n_node = 2, n_leaf = 0;
    size_t height = 1;

    to[1] = from[1];
    stack[0] = (hg_waiting){0, 0, 0};
    while (height > 0) {
        const hg_waiting w = stack[--height];
        const hg_node node = from[w.from];
        const bool is_leaf = hg_node_is_leaf(node);

        if (is_leaf || f->inner[t].rows[w.from] < split_min ||
            (o->max_depth > 0 && w.depth >= o->max_depth)) {
            memcpy(mean + n_leaf * n_target,
                   is_leaf ? leaf_mean + hg_leaf_number(node) * n_target
                           : f->inner[t].mean + w.from * n_target,
                   n_target * sizeof *mean);
            to[w.to] = (hg_node){hg_leaf_nan(n_leaf++), w.to << f->feature_bits};
            continue;
        }
        to[w.to] = (hg_node){node.t, n_node << f->feature_bits | (node.link & mask)};
        for (uint32_t side = 2; side-- > 0;) { /* the left child on top */
            stack[height++] =
                (hg_waiting){(node.link >> f->feature_bits) + side, n_node + side, w.depth + 1};
        }
        n_node += 2;
    }
    c->node_offset[t + 1] = c->node_offset[t] + n_node;
    c->leaf_offset[t + 1] = c->leaf_offset[t] + n_leaf;
}

hg_status
hg_forest_cut(const hg_forest *f, const hg_train_options *o, hg_forest **cut)
{
    hg_waiting *stack = NULL;
    uint64_t most = 0;
    hg_status status;

    *cut = NULL;
    HG_TRY(check(f, o));
    for (int t = 0; t < o->trees; t++) {
        const uint64_t n = f->leaf_offset[t + 1] - f->leaf_offset[t];

        most = n > most ? n : most;
    }
    HG_TRY_OR(fail, status, hg_mem_array(&stack, most + 1, sizeof *stack));
    HG_TRY_OR(fail, status, begin(f, o, cut));
    for (int t = 0; t < o->trees; t++) {
        cut_tree(f, t, stack, *cut);
    }
    HG_TRY_OR(fail, status, hg_model_complete(*cut));
    hg_mem_free(stack);
    return HG_OK;

fail:
    hg_mem_free(stack);
    hg_forest_free(*cut);
    *cut = NULL;
    return status;
}

hg_status
hg_stages_cut(const hg_stages *stages, const hg_train_options *options, hg_stages **cut)
{
    hg_stages *m = NULL;
    hg_status status = HG_OK;

    *cut = NULL;
    HG_TRY(hg_mem_array(&m, 1, sizeof *m));
    *m = *stages;
    for (int s = 0; s < m->n; s++) {
        m->stage[s].forest = NULL;
    }
    for (int s = 0; s < m->n && status == HG_OK; s++) {
        hg_train_options o = *options;

        o.seed = stages->stage[s].forest->options.seed;
        status = m->stage[s].n_input > 0
                     ? HG_FAIL(HG_E_ARG, "stages that take results of others cannot be cut")
                     : hg_forest_cut(stages->stage[s].forest, &o, &m->stage[s].forest);
    }
    status = status == HG_OK ? hg_stages_complete(m) : status;
    if (status != HG_OK) {
        hg_stages_free(m);
        return status;
    }
    *cut = m;
    return HG_OK;
}
