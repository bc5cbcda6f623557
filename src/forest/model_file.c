/* One forest as the group /stageS of a file. Reading checks sizes against their limits before
 * anything is allocated, then shapes, links and the content hash, which covers what decides
 * predictions. */
#include "forest/model_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum { PIECE = 1 << 20 };

void
hg_stage_path(int stage, const char *name, char path[HG_STAGE_PATH])
{
    snprintf(path, HG_STAGE_PATH, "/stage%d%s%.100s", stage, name != NULL ? "/" : "",
             name != NULL ? name : "");
}

/* ---- options as attributes: one table for both ways ---- */
#define INTEGER_OPTIONS(X) \
    X(trees)               \
    X(first_tree)          \
    X(bins)                \
    X(min_leaf)            \
    X(min_split)           \
    X(max_depth) X(redraw) X(scale_targets) X(leaf_mates_max) X(oob_trees_min) X(calibrate)
#define REAL_OPTIONS(X) X(max_features) X(min_gain) X(constant_step)

hg_status
hg_model_write_options(hg_h5 *file, int stage, const hg_forest *f)
{
    const hg_train_options *o = &f->options;
    char group[HG_STAGE_PATH], text[32];

    hg_stage_path(stage, NULL, group);
#define PUT(name) HG_TRY(hg_h5_put_integer(file, group, #name, o->name));
    INTEGER_OPTIONS(PUT)
#undef PUT
#define PUT(name) HG_TRY(hg_h5_put_real(file, group, #name, o->name));
    REAL_OPTIONS(PUT)
#undef PUT
    HG_TRY(hg_h5_put_integer(file, group, "splitter", (int64_t)o->splitter));
    HG_TRY(hg_h5_put_integer(file, group, "bag", (int64_t)o->bag));
    HG_TRY(hg_h5_put_integer(file, group, "feature_bits", f->feature_bits));
    HG_TRY(hg_h5_put_real(file, group, "weight_unit", f->weight_unit));
    snprintf(text, sizeof text, "%016" PRIx64, f->rows_hash);
    HG_TRY(hg_h5_put_string(file, group, "rows_hash", text));
    snprintf(text, sizeof text, "%" PRIu64, o->seed); /* 64 bits do not survive as a real */
    return hg_h5_put_string(file, group, "seed", text);
}

hg_status
hg_model_read_options(hg_h5 *file, int stage, hg_train_options *o, int *feature_bits,
                      double *weight_unit)
{
    int64_t value = 0;
    char group[HG_STAGE_PATH], text[32];

    hg_stage_path(stage, NULL, group);
#define GET(name)                                          \
    HG_TRY(hg_h5_get_integer(file, group, #name, &value)); \
    o->name = (int)value;
    INTEGER_OPTIONS(GET)
#undef GET
#define GET(name) HG_TRY(hg_h5_get_real(file, group, #name, &o->name));
    REAL_OPTIONS(GET)
#undef GET
    HG_TRY(hg_h5_get_integer(file, group, "splitter", &value));
    o->splitter = (hg_splitter)value;
    HG_TRY(hg_h5_get_integer(file, group, "bag", &value));
    o->bag = (hg_bag)value;
    HG_TRY(hg_h5_get_integer(file, group, "feature_bits", &value));
    *feature_bits = (int)value;
    HG_TRY(hg_h5_get_real(file, group, "weight_unit", weight_unit));
    HG_TRY(hg_h5_get_string(file, group, "seed", sizeof text, text));
    o->seed = strtoull(text, NULL, 10);
    return HG_OK;
}

/* ---- fields ---- */
#define SPEC_TEXTS(X) X(name) X(unit) X(expression) X(transform)

void
hg_spec_path(int stage, const char *group, int i, char path[HG_STAGE_PATH])
{
    snprintf(path, HG_STAGE_PATH, "/stage%d/%.80s/%03d", stage, group, i);
}

hg_status
hg_model_write_specs(hg_h5 *file, int stage, const char *group, int n,
                     const hg_field_spec spec[])
{
    for (int i = 0; i < n; i++) {
        char path[HG_STAGE_PATH];

        hg_spec_path(stage, group, i, path);
        HG_TRY(hg_h5_group(file, path));
#define PUT(text) HG_TRY(hg_h5_put_string(file, path, #text, spec[i].text));
        SPEC_TEXTS(PUT)
#undef PUT
    }
    return HG_OK;
}

hg_status
hg_model_read_specs(hg_h5 *file, int stage, const char *group, int n, hg_field_spec spec[])
{
    for (int i = 0; i < n; i++) {
        char path[HG_STAGE_PATH];

        hg_spec_path(stage, group, i, path);
#define GET(text) \
    HG_TRY(hg_h5_get_string(file, path, #text, sizeof spec[i].text, spec[i].text));
        SPEC_TEXTS(GET)
#undef GET
    }
    return HG_OK;
}

hg_status
hg_model_write_plan(hg_h5 *file, int stage, const hg_forest *f)
{
    char path[HG_STAGE_PATH];

    hg_stage_path(stage, NULL, path);
    HG_TRY(hg_h5_group(file, path));
    HG_TRY(hg_model_write_specs(file, stage, "features", f->n_feature, f->feature));
    HG_TRY(hg_model_write_specs(file, stage, "targets", f->n_target, f->target));
    return hg_model_write_options(file, stage, f);
}

static hg_status
move_scaling(hg_h5 *file, int stage, hg_forest *f, bool is_write)
{
    double *const data[] = {f->centre, f->quantum, f->scale, f->target_weight, f->cost};
    const char *const name[] = {"targets/centre", "targets/quantum", "targets/scale",
                                "targets/weight", "targets/cost"};
    int64_t n = f->n_target;

    for (int i = 0; i < 5; i++) {
        char path[HG_STAGE_PATH];

        hg_stage_path(stage, name[i], path);
        HG_TRY(is_write ? hg_h5_write(file, path, HG_F64, 1, &n, NULL, data[i])
                        : hg_h5_read(file, path, 0, n, HG_F64, data[i]));
    }
    return HG_OK;
}

/* ---- nodes and leaf counts, whose form on disk differs ---- */
typedef struct hg_piece {
    hg_node node[PIECE];
    float t[PIECE];
    uint32_t link[PIECE];
} hg_piece;

static hg_status
write_nodes(hg_h5 *file, int stage, const hg_forest *f, hg_piece *p)
{
    int64_t n = (int64_t)f->node_offset[f->n_tree], n_leaf = (int64_t)f->leaf_offset[f->n_tree];
    char threshold[HG_STAGE_PATH], link[HG_STAGE_PATH], count[HG_STAGE_PATH];

    hg_stage_path(stage, "node/threshold", threshold);
    hg_stage_path(stage, "node/link", link);
    hg_stage_path(stage, "leaf/count", count);
    HG_TRY(hg_h5_reserve(file, threshold, HG_F32, 1, &n, NULL));
    HG_TRY(hg_h5_reserve(file, link, HG_U32, 1, &n, NULL));
    HG_TRY(hg_h5_reserve(file, count, HG_U32, 1, &n_leaf, NULL));
    for (int64_t b = 0; b < n; b += PIECE) {
        int64_t m = n - b < PIECE ? n - b : PIECE;
        const hg_node *node = f->spill != NULL ? p->node : f->node + b;

        if (f->spill != NULL) {
            HG_TRY(hg_spill_read(f->spill, HG_SPILL_NODE, b * (int64_t)sizeof *node,
                                 (size_t)m * sizeof *node, p->node));
        }
        for (int64_t i = 0; i < m; i++) {
            memcpy(&p->t[i], &node[i].t, sizeof p->t[i]); /* a NaN keeps its bits */
            p->link[i] = node[i].link;
        }
        HG_TRY(hg_h5_write_rows(file, threshold, b, m, HG_F32, p->t));
        HG_TRY(hg_h5_write_rows(file, link, b, m, HG_U32, p->link));
    }
    for (int64_t b = 0; b < n_leaf; b += PIECE) {
        int64_t m = n_leaf - b < PIECE ? n_leaf - b : PIECE;

        if (f->spill != NULL) {
            HG_TRY(hg_spill_read(f->spill, HG_SPILL_COUNT, b * (int64_t)sizeof *p->link,
                                 (size_t)m * sizeof *p->link, p->link));
        }
        for (int64_t i = 0; i < m && f->spill == NULL; i++) {
            p->link[i] = (uint32_t)(f->mate_offset[b + i + 1] - f->mate_offset[b + i]);
        }
        HG_TRY(hg_h5_write_rows(file, count, b, m, HG_U32, p->link));
    }
    return HG_OK;
}

static hg_status
read_nodes(hg_h5 *file, int stage, hg_forest *f, hg_piece *p)
{
    int64_t n = (int64_t)f->node_offset[f->n_tree], n_leaf = (int64_t)f->leaf_offset[f->n_tree];
    char threshold[HG_STAGE_PATH], link[HG_STAGE_PATH], count[HG_STAGE_PATH];

    hg_stage_path(stage, "node/threshold", threshold);
    hg_stage_path(stage, "node/link", link);
    hg_stage_path(stage, "leaf/count", count);
    for (int64_t b = 0; b < n; b += PIECE) {
        int64_t m = n - b < PIECE ? n - b : PIECE;

        HG_TRY(hg_h5_read(file, threshold, b, m, HG_F32, p->t));
        HG_TRY(hg_h5_read(file, link, b, m, HG_U32, p->link));
        for (int64_t i = 0; i < m; i++) {
            memcpy(&f->node[b + i].t, &p->t[i], sizeof p->t[i]);
            f->node[b + i].link = p->link[i];
        }
    }
    for (int64_t b = 0; b < n_leaf; b += PIECE) {
        int64_t m = n_leaf - b < PIECE ? n_leaf - b : PIECE;

        HG_TRY(hg_h5_read(file, count, b, m, HG_U32, p->link));
        for (int64_t i = 0; i < m; i++) {
            f->mate_offset[b + i + 1] = f->mate_offset[b + i] + p->link[i];
        }
    }
    return HG_OK;
}

/* ---- whole files ---- */
/* copy an array from the spill of a forest on disk */
static hg_status
copy_item(hg_h5 *file, const char *path, const hg_model_item *item, const hg_spill *spill,
          hg_spill_kind kind)
{
    const int64_t dims[2] = {item->n, item->row};
    const size_t row = hg_type_size(item->type) * (size_t)(item->row > 0 ? item->row : 1);
    hg_status status;
    char *buffer = NULL;

    HG_TRY(hg_h5_reserve(file, path, item->type, item->row > 0 ? 2 : 1, dims, NULL));
    status = hg_mem_array(&buffer, PIECE, row);
    for (int64_t b = 0; b < item->n && status == HG_OK; b += PIECE) {
        const int64_t m = item->n - b < PIECE ? item->n - b : PIECE;

        status = hg_spill_read(spill, kind, b * (int64_t)row, (size_t)m * row, buffer);
        status =
            status != HG_OK ? status : hg_h5_write_rows(file, path, b, m, item->type, buffer);
    }
    hg_mem_free(buffer);
    return status;
}

static hg_status
write_items(hg_h5 *file, int stage, hg_forest *f)
{
    const uint64_t n_mate = f->spill != NULL
                                ? (uint64_t)f->spill->bytes[HG_SPILL_MATE] / sizeof *f->mate
                                : f->mate_offset[f->leaf_offset[f->n_tree]];
    hg_model_item item[HG_MODEL_ITEMS];
    char path[HG_STAGE_PATH];

    hg_model_list(f, n_mate, item);
    for (int i = 0; i < HG_MODEL_ITEMS; i++) {
        int64_t dims[2] = {item[i].n, item[i].row};

        hg_stage_path(stage, item[i].name, path);
        HG_TRY(f->spill != NULL && item[i].data == NULL
                   ? copy_item(file, path, &item[i], f->spill,
                               (hg_spill_kind)(HG_SPILL_MEAN + i - HG_MODEL_SPILL_ITEM))
                   : hg_h5_write(file, path, item[i].type, item[i].row > 0 ? 2 : 1, dims, NULL,
                                 item[i].data));
    }
    return HG_OK;
}

static hg_status
write_optional(hg_h5 *file, int stage, hg_forest *f)
{
    for (int k = 0; k < HG_MODEL_OPTIONAL; k++) {
        char path[HG_STAGE_PATH];
        hg_model_item item;

        if (*hg_model_optional(f, k, &item) != NULL) {
            const int64_t dims[2] = {item.n, item.row};

            hg_stage_path(stage, item.name, path);
            HG_TRY(hg_h5_write(file, path, item.type, item.row > 0 ? 2 : 1, dims, NULL,
                               item.data));
        }
    }
    return HG_OK;
}

hg_status
hg_model_write(hg_h5 *file, int stage, const hg_forest *forest)
{
    hg_forest view = *forest; /* the table of arrays serves reading too and is not const */
    char path[HG_STAGE_PATH], text[32];
    hg_piece *piece = NULL;
    hg_status status;

    HG_TRY(hg_model_write_plan(file, stage, forest));
    hg_stage_path(stage, NULL, path);
    snprintf(text, sizeof text, "%016" PRIx64, forest->hash);
    HG_TRY(hg_h5_put_string(file, path, "content_hash", text));
    HG_TRY(move_scaling(file, stage, &view, true));
    HG_TRY(write_items(file, stage, &view));
    HG_TRY(write_optional(file, stage, &view));
    HG_TRY(hg_mem_array(&piece, 1, sizeof *piece));
    status = write_nodes(file, stage, forest, piece);
    hg_mem_free(piece);
    return status;
}

static hg_status
read_shape(hg_h5 *file, int stage, const char *name, int64_t *n, int64_t *row)
{
    char path[HG_STAGE_PATH];
    hg_h5_info info;

    hg_stage_path(stage, name, path);
    HG_TRY(hg_h5_describe(file, path, &info));
    *n = info.dims[0];
    *row = info.n_dim > 1 ? info.dims[1] : 1;
    return HG_OK;
}

/* sizes first, each against its limit, so that nothing is allocated from a wild number */
static hg_status
create_from_file(hg_h5 *file, const char *path, int stage, hg_forest **forest)
{
    int64_t n_feature = 0, n_target = 0, n_row = 0, n_offset = 0, one = 0;
    hg_train_options options = {0};
    double unit = 1;
    int bits = 0;

    HG_TRY(read_shape(file, stage, "features/range", &n_feature, &one));
    HG_TRY(read_shape(file, stage, "row/target", &n_row, &n_target));
    HG_TRY(read_shape(file, stage, "tree/node_offset", &n_offset, &one));
    HG_TRY(hg_model_read_options(file, stage, &options, &bits, &unit));
    if (n_feature < 1 || n_feature > HG_FEATURES_MAX || n_target < 1 ||
        n_target > HG_TARGETS_MAX || n_row < 1 || n_row > UINT32_MAX || n_offset < 2 ||
        n_offset > UINT16_MAX + 1 || options.trees != n_offset - 1 ||
        bits != (n_feature <= 64 ? 6 : 8) || options.bag > HG_BAG_GROUP) {
        return HG_FAIL(HG_E_FORMAT, "the shapes or options in '%s' are impossible", path);
    }
    HG_TRY(hg_model_create((int)n_feature, (int)n_target, (int)n_offset - 1, n_row, forest));
    (*forest)->options = options;
    (*forest)->weight_unit = unit;
    return HG_OK;
}

static hg_status
read_item(hg_h5 *file, const char *path, int stage, const hg_model_item *item)
{
    int64_t n = 0, row = 0;
    char name[HG_STAGE_PATH];

    hg_stage_path(stage, item->name, name);
    HG_TRY(read_shape(file, stage, item->name, &n, &row));
    if (n != item->n || row != (item->row > 0 ? item->row : 1)) {
        return HG_FAIL(HG_E_FORMAT,
                       "dataset '%s' in '%s' has %" PRId64 " rows of %" PRId64
                       ", expected %" PRId64,
                       name, path, n, row, item->n);
    }
    return hg_h5_read(file, name, 0, n, item->type, item->data);
}

static hg_status
read_optional(hg_h5 *file, const char *path, int stage, hg_forest *f)
{
    for (int k = 0; k < HG_MODEL_OPTIONAL; k++) {
        char name[HG_STAGE_PATH];
        hg_model_item item;
        float **array = hg_model_optional(f, k, &item);

        hg_stage_path(stage, item.name, name);
        if (hg_h5_exists(file, name)) {
            HG_TRY(hg_mem_array(array, hg_model_item_bytes(&item) / sizeof **array,
                                sizeof **array));
            item.data = *array;
            HG_TRY(read_item(file, path, stage, &item));
        }
    }
    return HG_OK;
}

/* offsets must rise and end where the arrays of nodes and leaves end */
static hg_status
check_offsets(hg_h5 *file, const char *path, int stage, const hg_forest *f)
{
    int64_t n_node = 0, n_leaf = 0, n_count = 0, n_link = 0, one = 0;
    int ok = f->node_offset[0] == 0 && f->leaf_offset[0] == 0;

    HG_TRY(read_shape(file, stage, "node/threshold", &n_node, &one));
    HG_TRY(read_shape(file, stage, "node/link", &n_link, &one));
    HG_TRY(read_shape(file, stage, "leaf/mean", &n_leaf, &one));
    HG_TRY(read_shape(file, stage, "leaf/count", &n_count, &one));
    for (int t = 0; t < f->n_tree; t++) {
        ok = ok && f->node_offset[t] <= f->node_offset[t + 1] &&
             f->leaf_offset[t] <= f->leaf_offset[t + 1];
    }
    ok = ok && f->node_offset[f->n_tree] == (uint64_t)n_node && n_node == n_link &&
         f->leaf_offset[f->n_tree] == (uint64_t)n_leaf && n_leaf == n_count;
    return ok ? HG_OK
              : HG_FAIL(HG_E_FORMAT, "the tree offsets in '%s' do not fit its nodes", path);
}

hg_status
hg_model_read_sizes(hg_h5 *file, const char *path, int stage, hg_forest **forest,
                    uint64_t *n_mate)
{
    hg_model_item item[HG_MODEL_ITEMS];
    int64_t n = 0, one = 0;
    hg_forest *f;

    *forest = NULL;
    HG_TRY(create_from_file(file, path, stage, forest));
    f = *forest;
    HG_TRY(hg_model_read_specs(file, stage, "features", f->n_feature, f->feature));
    HG_TRY(hg_model_read_specs(file, stage, "targets", f->n_target, f->target));
    HG_TRY(move_scaling(file, stage, f, false));
    hg_model_list(f, 0, item);
    for (int i = 0; i < HG_MODEL_TREE_ITEMS; i++) {
        HG_TRY(read_item(file, path, stage, &item[i]));
    }
    HG_TRY(check_offsets(file, path, stage, f));
    HG_TRY(read_shape(file, stage, "leaf/row", &n, &one));
    *n_mate = (uint64_t)n;
    return HG_OK;
}

static hg_status
verify_hash(hg_h5 *file, const char *path, int stage, hg_forest *f)
{
    char group[HG_STAGE_PATH], text[32], wanted[32];

    HG_TRY(hg_model_check(f));
    HG_TRY(hg_model_complete(f));
    hg_stage_path(stage, NULL, group);
    HG_TRY(hg_h5_get_string(file, group, "content_hash", sizeof text, text));
    snprintf(wanted, sizeof wanted, "%016" PRIx64, f->hash);
    if (strcmp(text, wanted) != 0) {
        return HG_FAIL(HG_E_VERIFY, "the content of model '%s' has hash %s, but it says %s",
                       path, wanted, text);
    }
    return HG_OK;
}

hg_status
hg_model_read_arrays(hg_h5 *file, const char *path, int stage, uint64_t n_mate, hg_forest *f)
{
    hg_model_item item[HG_MODEL_ITEMS];
    hg_piece *piece = NULL;
    hg_status status;

    hg_model_list(f, n_mate, item);
    for (int i = HG_MODEL_TREE_ITEMS; i < HG_MODEL_ITEMS; i++) {
        HG_TRY(read_item(file, path, stage, &item[i]));
    }
    HG_TRY(read_optional(file, path, stage, f));
    HG_TRY(hg_mem_array(&piece, 1, sizeof *piece));
    status = read_nodes(file, stage, f, piece);
    hg_mem_free(piece);
    HG_TRY(status);
    if (f->mate_offset[f->leaf_offset[f->n_tree]] != n_mate) {
        return HG_FAIL(HG_E_FORMAT, "the leaf counts in '%s' do not add up to its rows", path);
    }
    return verify_hash(file, path, stage, f);
}
