/* The arrays of a forest as a table, and the check of what they hold. */
#include "forest/model_items.h"

#include <inttypes.h>
#include <string.h>

void
hg_model_list(hg_forest *f, uint64_t n_mate, hg_model_item item[HG_MODEL_ITEMS])
{
    const int64_t n = f->n_row, n_leaf = (int64_t)f->leaf_offset[f->n_tree];
    const int64_t trees = f->n_tree;
    const hg_model_item all[HG_MODEL_ITEMS] = {
        {"tree/node_offset", HG_U64, trees + 1, 0, f->node_offset},
        {"tree/leaf_offset", HG_U64, trees + 1, 0, f->leaf_offset},
        {"tree/importance", HG_F64, trees, f->n_feature, f->importance},
        {"features/range", HG_F32, f->n_feature, 4, f->range},
        {"leaf/mean", HG_F32, n_leaf, f->n_target, f->mean},
        {"leaf/row", HG_U32, (int64_t)n_mate, 0, f->mate},
        {"row/object", HG_U64, n, 0, f->key},
        {"row/group", HG_U64, n, 0, f->group},
        {"row/parent", HG_U64, n, 0, f->parent},
        {"row/target", HG_F32, n, f->n_target, f->value},
        {"row/residual", HG_F32, n, f->n_target, f->residual},
        {"row/shrink", HG_F32, n, 0, f->shrink},
        {"row/oob_trees", HG_U16, n, 0, f->oob_trees},
        {"row/weight", HG_U32, n, 0, f->weight},
        {"targets/keep", HG_F64, f->n_target, 0, f->keep},
        {"domain/limit", HG_F64, HG_LIMIT_LEVELS, HG_NEAR_MEASURES + f->n_target, f->limit},
    };

    memcpy(item, all, sizeof all);
}

float **
hg_model_optional(hg_forest *f, int k, hg_model_item *item)
{
    if (k == 0) {
        *item = (hg_model_item){"row/twin", HG_F32, f->n_row, f->n_target, f->twin};
        return &f->twin;
    }
    *item = (hg_model_item){"row/class", HG_F32, f->n_row, 0, f->class_value};
    return &f->class_value;
}

size_t
hg_model_item_bytes(const hg_model_item *item)
{
    return (size_t)item->n * (size_t)(item->row > 0 ? item->row : 1) * hg_type_size(item->type);
}

hg_status
hg_model_check_tree(const hg_forest *f, const hg_node node[], uint64_t n_node, uint64_t n_leaf,
                    int t)
{
    const uint32_t mask = (1u << f->feature_bits) - 1;

    if (n_node < 2 || n_leaf < 1) {
        return HG_FAIL(HG_E_FORMAT, "tree %d has no nodes", t);
    }
    for (uint64_t i = 0; i < n_node; i++) {
        uint64_t child = node[i].link >> f->feature_bits;
        int ok =
            hg_node_is_leaf(node[i])
                ? child == i && (node[i].link & mask) == 0 && hg_leaf_number(node[i]) < n_leaf
                : child > i && child + 1 < n_node && (int)(node[i].link & mask) < f->n_feature;

        if (!ok) {
            return HG_FAIL(HG_E_FORMAT, "node %" PRIu64 " of tree %d has an impossible link", i,
                           t);
        }
    }
    return HG_OK;
}

hg_status
hg_model_check(const hg_forest *f)
{
    const uint64_t n_leaf = f->leaf_offset[f->n_tree];

    for (int t = 0; t < f->n_tree; t++) {
        HG_TRY(hg_model_check_tree(f, f->node + f->node_offset[t],
                                   f->node_offset[t + 1] - f->node_offset[t],
                                   f->leaf_offset[t + 1] - f->leaf_offset[t], t));
    }
    for (uint64_t i = 0; i < f->mate_offset[n_leaf]; i++) {
        if (f->mate[i] >= f->n_row) {
            return HG_FAIL(HG_E_FORMAT, "a leaf lists row %" PRIu32 " of %" PRId64, f->mate[i],
                           f->n_row);
        }
    }
    return HG_OK;
}
