/* The forest object: memory, accessors, texts, and what is derived from its content. */
#include "forest/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "forest/row_sort.h"

/* of nodes, leaves and leaf-mates, so that no sum of bytes overflows, whatever a file says */
static const uint64_t COUNT_MAX = (uint64_t)1 << 48;

hg_status
hg_model_create(int n_feature, int n_target, int n_tree, int64_t n, hg_forest **forest)
{
    const size_t rows = (size_t)n, values = rows * (size_t)n_target, trees = (size_t)n_tree;
    hg_status status = HG_OK;
    hg_forest *f = NULL;

    *forest = NULL;
    HG_TRY(hg_mem_zeros(&f, 1, sizeof *f));
    f->n_feature = n_feature;
    f->n_target = n_target;
    f->n_tree = n_tree;
    f->n_row = n;
    f->feature_bits = n_feature <= 64 ? 6 : 8;
    f->weight_unit = 1;
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->feature, (size_t)n_feature, sizeof *f->feature));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->target, (size_t)n_target, sizeof *f->target));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->range, (size_t)n_feature, sizeof *f->range));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->node_offset, trees + 1, sizeof *f->node_offset));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->leaf_offset, trees + 1, sizeof *f->leaf_offset));
    HG_TRY_OR(fail, status,
              hg_mem_zeros(&f->importance, trees * (size_t)n_feature, sizeof *f->importance));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->is_full, trees, 1));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->key, rows, sizeof *f->key));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->group, rows, sizeof *f->group));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->parent, rows, sizeof *f->parent));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->value, values, sizeof *f->value));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->residual, values, sizeof *f->residual));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->shrink, rows, sizeof *f->shrink));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->oob_trees, rows, sizeof *f->oob_trees));
    HG_TRY_OR(fail, status, hg_mem_zeros(&f->weight, rows, sizeof *f->weight));
    *forest = f;
    return HG_OK;

fail:
    hg_forest_free(f);
    return status;
}

/* put an array behind those that stand in the block */
static void *
place(const hg_forest *f, size_t bytes, size_t *at)
{
    char *array = (char *)f->block.data + *at;

    *at += (bytes + 63) / 64 * 64;
    return array;
}

hg_status
hg_model_reserve_shared(const hg_comm *comm, hg_forest *f, uint64_t n_mate)
{
    const size_t n_node = f->node_offset[f->n_tree], n_leaf = f->leaf_offset[f->n_tree];
    const size_t bytes[] = {n_node * sizeof *f->node, (n_leaf + 1) * sizeof *f->mate_offset,
                            n_leaf * (size_t)f->n_target * sizeof *f->mean,
                            n_mate * sizeof *f->mate};
    size_t all = 0, at = 0;

    if (n_node > COUNT_MAX || n_leaf > COUNT_MAX || n_mate > COUNT_MAX) {
        return HG_FAIL(HG_E_MEMORY,
                       "%zu nodes, %zu leaves and %" PRIu64 " leaf-mates are too many", n_node,
                       n_leaf, n_mate);
    }
    for (int i = 0; i < 4; i++) {
        all += (bytes[i] + 63) / 64 * 64;
    }
    HG_TRY(hg_shared_create(comm, all, &f->block));
    f->node = place(f, bytes[0], &at);
    f->mate_offset = place(f, bytes[1], &at);
    f->mean = place(f, bytes[2], &at);
    f->mate = place(f, bytes[3], &at);
    if (!f->block.is_shared || f->block.node.rank == 0) {
        f->mate_offset[0] = 0;
    }
    return HG_OK;
}

static hg_shared_piece
piece_of(const hg_forest *f, const void *begin, size_t bytes, int owner)
{
    const char *start = begin, *block = f->block.data;

    return (hg_shared_piece){owner, (size_t)(start - block), bytes};
}

void
hg_model_pieces(const hg_forest *f, int first, int end, uint64_t mate, uint64_t n_mate,
                int owner, hg_shared_piece piece[4])
{
    const size_t node = f->node_offset[first], leaf = f->leaf_offset[first];
    const size_t n_leaf = f->leaf_offset[end] - leaf, n_target = (size_t)f->n_target;

    piece[0] =
        piece_of(f, f->node + node, (f->node_offset[end] - node) * sizeof *f->node, owner);
    piece[1] = piece_of(f, f->mate_offset + leaf + 1, n_leaf * sizeof *f->mate_offset, owner);
    piece[2] =
        piece_of(f, f->mean + leaf * n_target, n_leaf * n_target * sizeof *f->mean, owner);
    piece[3] = piece_of(f, f->mate + mate, n_mate * sizeof *f->mate, owner);
}

void
hg_forest_free(hg_forest *f)
{
    if (f == NULL) {
        return;
    }
    for (int i = 0; i < f->n_meta; i++) {
        hg_mem_free(f->meta[i].text);
    }
    if (f->block.data != NULL) {
        f->node = NULL;
        f->mean = NULL;
        f->mate_offset = NULL;
        f->mate = NULL;
        hg_shared_clear(&f->block.node, &f->block);
    }
    for (int t = 0; t < f->n_tree && f->inner != NULL; t++) {
        hg_mem_free(f->inner[t].rows);
        hg_mem_free(f->inner[t].mean);
    }
    void *const blocks[] = {f->inner,       f->feature,     f->target,     f->range,
                            f->node_offset, f->leaf_offset, f->node,       f->mean,
                            f->mate_offset, f->mate,        f->importance, f->key,
                            f->group,       f->parent,      f->value,      f->residual,
                            f->oob_trees,   f->weight,      f->lookup,     f->is_full,
                            f->meta,        f->shrink,      f->twin,       f->library,
                            f->class_value, f->lookup_begin};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        hg_mem_free(blocks[i]);
    }
    if (f->spill != NULL) {
        hg_spill_close(f->spill);
        hg_mem_free(f->spill);
    }
    hg_mem_free(f);
}

static int
compare_parents(const void *a, const void *b)
{
    const hg_parent_row *x = a, *y = b;

    if (x->key != y->key) {
        return x->key > y->key ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

static uint64_t
lookup_place(const hg_forest *f, uint64_t key)
{
    return f->lookup_bits > 0 ? key >> (64 - f->lookup_bits) : 0;
}

/* Keys of haloes are hashes, so their top bits alone tell nearly where a key stands: most
 * haloes are no training rows, and one look says so. */
static hg_status
mark_lookup(hg_forest *f)
{
    uint64_t place = 0;

    f->lookup_bits = 0;
    while (((int64_t)2 << f->lookup_bits) <= f->n_lookup) {
        f->lookup_bits++;
    }
    hg_mem_free(f->lookup_begin);
    HG_TRY(hg_mem_array(&f->lookup_begin, ((size_t)1 << f->lookup_bits) + 1,
                        sizeof *f->lookup_begin));
    for (int64_t i = 0; i < f->n_lookup; i++) {
        while (place <= lookup_place(f, f->lookup[i].key)) {
            f->lookup_begin[place++] = i;
        }
    }
    while (place <= (uint64_t)1 << f->lookup_bits) {
        f->lookup_begin[place++] = f->n_lookup;
    }
    return HG_OK;
}

static hg_status
build_lookup(hg_forest *f)
{
    int64_t n = 0;

    hg_mem_free(f->lookup);
    HG_TRY(hg_mem_array(&f->lookup, (size_t)f->n_row, sizeof *f->lookup));
    for (int64_t i = 0; i < f->n_row; i++) {
        if (f->parent[i] != 0) {
            f->lookup[n++] = (hg_parent_row){f->parent[i], (uint64_t)i};
        }
    }
    hg_sort(f->lookup, (size_t)n, sizeof *f->lookup, compare_parents);
    f->n_lookup = n;
    return mark_lookup(f);
}

/* a tree whose bag is empty was grown from all rows (bag.c) */
void
hg_model_mark_full(hg_forest *f)
{
    for (int t = 0; t < f->n_tree; t++) {
        const uint64_t tree = (uint64_t)f->options.first_tree + (uint64_t)t;
        int any = f->options.bag == HG_BAG_NONE;

        for (int64_t i = 0; i < f->n_row && !any; i++) {
            if (f->options.bag == HG_BAG_ROW || i == 0 || f->group[i] != f->group[i - 1]) {
                any = hg_bag_copies(f->options.bag, f->options.seed, tree, i, f->group[i]) > 0;
            }
        }
        f->is_full[t] = (unsigned char)!any;
    }
}

enum { FEED_BYTES = 1 << 22 };

/* feed an array of the forest, or of its spill */
static hg_status
feed(hg_hash *h, const hg_forest *f, hg_spill_kind kind, size_t n, const void *data)
{
    hg_status status = HG_OK;
    char *buffer = NULL;

    if (f->spill == NULL) {
        hg_hash_feed(h, data, n);
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&buffer, FEED_BYTES, 1));
    for (size_t at = 0; at < n && status == HG_OK; at += FEED_BYTES) {
        const size_t m = n - at < FEED_BYTES ? n - at : FEED_BYTES;

        status = hg_spill_read(f->spill, kind, (int64_t)at, m, buffer);
        hg_hash_feed(h, buffer, status == HG_OK ? m : 0);
    }
    hg_mem_free(buffer);
    return status;
}

static hg_status
feed_content(hg_hash *h, const hg_forest *f)
{
    const size_t n_node = f->node_offset[f->n_tree], n_leaf = f->leaf_offset[f->n_tree];
    const size_t n_target = (size_t)f->n_target, n_row = (size_t)f->n_row;
    const int32_t counts[] = {f->n_feature,    f->n_target,           f->n_tree,
                              f->feature_bits, f->options.first_tree, (int32_t)f->options.bag};
    const uint64_t n_mate = f->spill != NULL
                                ? (uint64_t)f->spill->bytes[HG_SPILL_MATE] / sizeof *f->mate
                                : f->mate_offset[n_leaf];

    hg_hash_feed(h, counts, sizeof counts);
    hg_hash_feed(h, &f->options.seed, sizeof f->options.seed);
    hg_hash_feed(h, f->node_offset, ((size_t)f->n_tree + 1) * sizeof *f->node_offset);
    hg_hash_feed(h, f->leaf_offset, ((size_t)f->n_tree + 1) * sizeof *f->leaf_offset);
    HG_TRY(feed(h, f, HG_SPILL_NODE, n_node * sizeof *f->node, f->node));
    HG_TRY(feed(h, f, HG_SPILL_MEAN, n_leaf * n_target * sizeof *f->mean, f->mean));
    HG_TRY(feed(h, f, HG_SPILL_OFFSET, (n_leaf + 1) * sizeof *f->mate_offset, f->mate_offset));
    HG_TRY(feed(h, f, HG_SPILL_MATE, n_mate * sizeof *f->mate, f->mate));
    HG_TRY(feed(h, f, HG_SPILL_KEY, n_row * sizeof *f->key, f->key));
    HG_TRY(feed(h, f, HG_SPILL_GROUP, n_row * sizeof *f->group, f->group));
    HG_TRY(feed(h, f, HG_SPILL_PARENT, n_row * sizeof *f->parent, f->parent));
    HG_TRY(feed(h, f, HG_SPILL_VALUE, n_row * n_target * sizeof *f->value, f->value));
    HG_TRY(feed(h, f, HG_SPILL_RESIDUAL, n_row * n_target * sizeof *f->residual, f->residual));
    HG_TRY(feed(h, f, HG_SPILL_SHRINK, n_row * sizeof *f->shrink, f->shrink));
    HG_TRY(feed(h, f, HG_SPILL_OOB_TREES, n_row * sizeof *f->oob_trees, f->oob_trees));
    HG_TRY(feed(h, f, HG_SPILL_WEIGHT, n_row * sizeof *f->weight, f->weight));
    hg_hash_feed(h, &f->weight_unit, sizeof f->weight_unit);
    hg_hash_feed(h, f->range, (size_t)f->n_feature * sizeof *f->range);
    hg_hash_feed(h, f->keep, n_target * sizeof *f->keep);
    hg_hash_feed(h, f->limit,
                 HG_LIMIT_LEVELS * (HG_NEAR_MEASURES + n_target) * sizeof *f->limit);
    if (f->twin != NULL) {
        hg_hash_feed(h, f->twin, n_row * n_target * sizeof *f->twin);
    }
    if (f->class_value != NULL) {
        hg_hash_feed(h, f->class_value, n_row * sizeof *f->class_value);
    }
    return HG_OK;
}

hg_status
hg_model_hash(hg_forest *f)
{
    hg_hash *h = hg_hash_create();
    hg_status status;

    if (h == NULL) {
        return HG_FAIL(HG_E_MEMORY, "allocation of a hash state failed");
    }
    status = feed_content(h, f);
    f->hash = hg_hash_value(h);
    hg_hash_free(h);
    return status;
}

hg_status
hg_model_complete(hg_forest *f)
{
    HG_TRY(build_lookup(f));
    hg_model_mark_full(f);
    for (int64_t i = 1; i < f->n_row; i++) {
        f->is_weighted |= f->weight[i] != f->weight[0];
    }
    for (int64_t i = 0; i < f->n_row && !f->has_residual; i++) {
        f->has_residual = hg_forest_oob_mean(f, i, NULL);
    }
    return hg_model_hash(f);
}

int64_t
hg_forest_find(const hg_forest *f, uint64_t parent_key)
{
    const int64_t *begin = f->lookup_begin + lookup_place(f, parent_key);
    int64_t low = begin[0], high = begin[1];
    const int64_t end = high;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (f->lookup[middle].key < parent_key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < end && f->lookup[low].key == parent_key ? (int64_t)f->lookup[low].row : -1;
}

int
hg_forest_oob_mean(const hg_forest *f, int64_t row, double mean[])
{
    const size_t at = (size_t)row * (size_t)f->n_target;

    for (int o = 0; o < f->n_target && mean != NULL; o++) {
        mean[o] = (double)f->value[at + (size_t)o] - (double)f->residual[at + (size_t)o];
    }
    return !isnan(f->residual[at]);
}

void
hg_forest_importance(const hg_forest *f, double importance[])
{
    double sum = 0;

    for (int i = 0; i < f->n_feature; i++) {
        importance[i] = 0;
        for (int t = 0; t < f->n_tree; t++) {
            importance[i] += f->importance[(size_t)t * (size_t)f->n_feature + (size_t)i];
        }
        sum += importance[i];
    }
    for (int i = 0; i < f->n_feature && sum > 0; i++) {
        importance[i] /= sum;
    }
}

hg_status
hg_forest_set_meta(hg_forest *f, const char *name, const char *text)
{
    char *copy = NULL;

    if (name[0] == '\0' || strlen(name) >= sizeof f->meta->name) {
        return HG_FAIL(HG_E_ARG, "the name '%s' of a model text is empty or longer than %zu",
                       name, sizeof f->meta->name - 1);
    }
    HG_TRY(hg_mem_string(&copy, text));
    for (int i = 0; i < f->n_meta; i++) {
        if (strcmp(f->meta[i].name, name) == 0) {
            hg_mem_free(f->meta[i].text);
            f->meta[i].text = copy;
            return HG_OK;
        }
    }
    if (hg_mem_resize(&f->meta, (size_t)f->n_meta + 1, sizeof *f->meta) != HG_OK) {
        hg_mem_free(copy);
        return HG_E_MEMORY;
    }
    memset(f->meta[f->n_meta].name, 0, sizeof f->meta->name);
    memcpy(f->meta[f->n_meta].name, name, strlen(name));
    f->meta[f->n_meta++].text = copy;
    return HG_OK;
}

const char *
hg_forest_get_meta(const hg_forest *f, const char *name)
{
    for (int i = 0; i < f->n_meta; i++) {
        if (strcmp(f->meta[i].name, name) == 0) {
            return f->meta[i].text;
        }
    }
    return NULL;
}

int
hg_forest_meta_count(const hg_forest *f)
{
    return f->n_meta;
}

const char *
hg_forest_meta_name(const hg_forest *f, int i)
{
    return f->meta[i].name;
}

int
hg_forest_features(const hg_forest *f)
{
    return f->n_feature;
}

int
hg_forest_targets(const hg_forest *f)
{
    return f->n_target;
}

int
hg_forest_trees(const hg_forest *f)
{
    return f->n_tree;
}

int64_t
hg_forest_rows(const hg_forest *f)
{
    return f->n_row;
}

int
hg_forest_mask_words(const hg_forest *f)
{
    return (f->n_feature + 63) / 64;
}

int64_t
hg_forest_nodes(const hg_forest *f)
{
    return (int64_t)f->node_offset[f->n_tree];
}

int64_t
hg_forest_leaves(const hg_forest *f)
{
    return (int64_t)f->leaf_offset[f->n_tree];
}

const hg_field_spec *
hg_forest_feature(const hg_forest *f, int i)
{
    return &f->feature[i];
}

const hg_field_spec *
hg_forest_target(const hg_forest *f, int i)
{
    return &f->target[i];
}

const hg_train_options *
hg_forest_options(const hg_forest *f)
{
    return &f->options;
}

hg_feature_range
hg_forest_range(const hg_forest *f, int i)
{
    return f->range[i];
}

const uint64_t *
hg_forest_keys(const hg_forest *f)
{
    return f->key;
}

const uint64_t *
hg_forest_groups(const hg_forest *f)
{
    return f->group;
}

const uint64_t *
hg_forest_parent_keys(const hg_forest *f)
{
    return f->parent;
}

const float *
hg_forest_target_values(const hg_forest *f)
{
    return f->value;
}

const float *
hg_forest_residuals(const hg_forest *f)
{
    return f->residual;
}

const uint16_t *
hg_forest_oob_trees(const hg_forest *f)
{
    return f->oob_trees;
}

double
hg_forest_keep(const hg_forest *f, int i)
{
    return f->keep[i];
}

void
hg_forest_limits(const hg_forest *f, int level, double limit[])
{
    const int n = HG_NEAR_MEASURES + f->n_target;

    memcpy(limit, f->limit + level * n, (size_t)n * sizeof *limit);
}

double
hg_forest_weight(const hg_forest *f, int64_t row)
{
    return f->weight[row] * f->weight_unit;
}

uint64_t
hg_forest_hash(const hg_forest *f)
{
    return f->hash;
}
