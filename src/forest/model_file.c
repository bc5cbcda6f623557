/* Model files. One rank writes HDF5 to a temporary name, seals it with the hash of its bytes
 * and publishes it; the content hash inside covers what decides predictions. Loading checks the
 * seal, the format and its version, shapes, links, and the content hash, in this order, before
 * the forest is given to the other ranks. */
#include "forest/model_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "halograft_version.h"
#include "store/publish.h"
#include "store/seal.h"

#define FORMAT "halograft-model"
enum { VERSION = 1, PIECE = 1 << 20 };

/* ---- options as attributes: one table for both ways ---- */
#define INTEGER_OPTIONS(X) \
    X(trees)               \
    X(first_tree)          \
    X(min_leaf)            \
    X(min_split)           \
    X(max_depth) X(redraw) X(scale_targets) X(leaf_mates_max) X(oob_trees_min) X(calibrate)
#define REAL_OPTIONS(X) X(max_features) X(min_gain) X(constant_step)

hg_status
hg_model_write_options(hg_h5 *file, const hg_forest *f)
{
    const hg_train_options *o = &f->options;
    char text[32];

#define PUT(name) HG_TRY(hg_h5_put_integer(file, "/stage0", #name, o->name));
    INTEGER_OPTIONS(PUT)
#undef PUT
#define PUT(name) HG_TRY(hg_h5_put_real(file, "/stage0", #name, o->name));
    REAL_OPTIONS(PUT)
#undef PUT
    HG_TRY(hg_h5_put_integer(file, "/stage0", "bag", (int64_t)o->bag));
    HG_TRY(hg_h5_put_integer(file, "/stage0", "feature_bits", f->feature_bits));
    HG_TRY(hg_h5_put_real(file, "/stage0", "weight_unit", f->weight_unit));
    snprintf(text, sizeof text, "%016" PRIx64, f->rows_hash);
    HG_TRY(hg_h5_put_string(file, "/stage0", "rows_hash", text));
    snprintf(text, sizeof text, "%" PRIu64, o->seed); /* 64 bits do not survive as a real */
    return hg_h5_put_string(file, "/stage0", "seed", text);
}

hg_status
hg_model_read_options(hg_h5 *file, hg_train_options *o, int *feature_bits, double *weight_unit)
{
    int64_t value = 0;
    char text[32];

#define GET(name)                                              \
    HG_TRY(hg_h5_get_integer(file, "/stage0", #name, &value)); \
    o->name = (int)value;
    INTEGER_OPTIONS(GET)
#undef GET
#define GET(name) HG_TRY(hg_h5_get_real(file, "/stage0", #name, &o->name));
    REAL_OPTIONS(GET)
#undef GET
    HG_TRY(hg_h5_get_integer(file, "/stage0", "bag", &value));
    o->bag = (hg_bag)value;
    HG_TRY(hg_h5_get_integer(file, "/stage0", "feature_bits", &value));
    *feature_bits = (int)value;
    HG_TRY(hg_h5_get_real(file, "/stage0", "weight_unit", weight_unit));
    HG_TRY(hg_h5_get_string(file, "/stage0", "seed", sizeof text, text));
    o->seed = strtoull(text, NULL, 10);
    return HG_OK;
}

/* ---- fields ---- */
#define SPEC_TEXTS(X) X(name) X(unit) X(expression) X(transform)

hg_status
hg_model_write_specs(hg_h5 *file, const char *group, int n, const hg_field_spec spec[])
{
    for (int i = 0; i < n; i++) {
        char path[64];

        snprintf(path, sizeof path, "%s/%03d", group, i);
        HG_TRY(hg_h5_group(file, path));
#define PUT(text) HG_TRY(hg_h5_put_string(file, path, #text, spec[i].text));
        SPEC_TEXTS(PUT)
#undef PUT
    }
    return HG_OK;
}

hg_status
hg_model_read_specs(hg_h5 *file, const char *group, int n, hg_field_spec spec[])
{
    for (int i = 0; i < n; i++) {
        char path[64];

        snprintf(path, sizeof path, "%s/%03d", group, i);
#define GET(text) \
    HG_TRY(hg_h5_get_string(file, path, #text, sizeof spec[i].text, spec[i].text));
        SPEC_TEXTS(GET)
#undef GET
    }
    return HG_OK;
}

static hg_status
move_scaling(hg_h5 *file, hg_forest *f, bool is_write)
{
    double *const data[] = {f->centre, f->quantum, f->scale, f->target_weight, f->cost};
    const char *const name[] = {"/targets/centre", "/targets/quantum", "/targets/scale",
                                "/targets/weight", "/targets/cost"};
    int64_t n = f->n_target;

    for (int i = 0; i < 5; i++) {
        HG_TRY(is_write ? hg_h5_write(file, name[i], HG_F64, 1, &n, NULL, data[i])
                        : hg_h5_read(file, name[i], 0, n, HG_F64, data[i]));
    }
    return HG_OK;
}

/* ---- nodes and leaf counts, whose form on disk differs ---- */
typedef struct hg_piece {
    float t[PIECE];
    uint32_t link[PIECE];
} hg_piece;

static hg_status
write_nodes(hg_h5 *file, const hg_forest *f, hg_piece *p)
{
    int64_t n = (int64_t)f->node_offset[f->n_tree], n_leaf = (int64_t)f->leaf_offset[f->n_tree];

    HG_TRY(hg_h5_reserve(file, "/stage0/node/threshold", HG_F32, 1, &n, NULL));
    HG_TRY(hg_h5_reserve(file, "/stage0/node/link", HG_U32, 1, &n, NULL));
    HG_TRY(hg_h5_reserve(file, "/stage0/leaf/count", HG_U32, 1, &n_leaf, NULL));
    for (int64_t b = 0; b < n; b += PIECE) {
        int64_t m = n - b < PIECE ? n - b : PIECE;

        for (int64_t i = 0; i < m; i++) {
            memcpy(&p->t[i], &f->node[b + i].t, sizeof p->t[i]); /* a NaN keeps its bits */
            p->link[i] = f->node[b + i].link;
        }
        HG_TRY(hg_h5_write_rows(file, "/stage0/node/threshold", b, m, HG_F32, p->t));
        HG_TRY(hg_h5_write_rows(file, "/stage0/node/link", b, m, HG_U32, p->link));
    }
    for (int64_t b = 0; b < n_leaf; b += PIECE) {
        int64_t m = n_leaf - b < PIECE ? n_leaf - b : PIECE;

        for (int64_t i = 0; i < m; i++) {
            p->link[i] = (uint32_t)(f->mate_offset[b + i + 1] - f->mate_offset[b + i]);
        }
        HG_TRY(hg_h5_write_rows(file, "/stage0/leaf/count", b, m, HG_U32, p->link));
    }
    return HG_OK;
}

static hg_status
read_nodes(hg_h5 *file, hg_forest *f, hg_piece *p)
{
    int64_t n = (int64_t)f->node_offset[f->n_tree], n_leaf = (int64_t)f->leaf_offset[f->n_tree];

    for (int64_t b = 0; b < n; b += PIECE) {
        int64_t m = n - b < PIECE ? n - b : PIECE;

        HG_TRY(hg_h5_read(file, "/stage0/node/threshold", b, m, HG_F32, p->t));
        HG_TRY(hg_h5_read(file, "/stage0/node/link", b, m, HG_U32, p->link));
        for (int64_t i = 0; i < m; i++) {
            memcpy(&f->node[b + i].t, &p->t[i], sizeof p->t[i]);
            f->node[b + i].link = p->link[i];
        }
    }
    for (int64_t b = 0; b < n_leaf; b += PIECE) {
        int64_t m = n_leaf - b < PIECE ? n_leaf - b : PIECE;

        HG_TRY(hg_h5_read(file, "/stage0/leaf/count", b, m, HG_U32, p->link));
        for (int64_t i = 0; i < m; i++) {
            f->mate_offset[b + i + 1] = f->mate_offset[b + i] + p->link[i];
        }
    }
    return HG_OK;
}

/* ---- whole files ---- */
static hg_status
write_content(hg_h5 *file, hg_forest *f, hg_piece *piece)
{
    const uint64_t n_mate = f->mate_offset[f->leaf_offset[f->n_tree]];
    hg_model_item item[HG_MODEL_ITEMS];
    char text[32];

    HG_TRY(hg_h5_put_string(file, "/", "format", FORMAT));
    HG_TRY(hg_h5_put_integer(file, "/", "version", VERSION));
    snprintf(text, sizeof text, "%016" PRIx64, f->hash);
    HG_TRY(hg_h5_put_string(file, "/", "content_hash", text));
    HG_TRY(hg_h5_group(file, "/provenance"));
    HG_TRY(hg_h5_put_string(file, "/provenance", "code_version", HG_VERSION " " HG_COMMIT));
    HG_TRY(hg_h5_group(file, "/meta"));
    for (int i = 0; i < f->n_meta; i++) {
        HG_TRY(hg_h5_put_string(file, "/meta", f->meta[i].name, f->meta[i].text));
    }
    HG_TRY(hg_model_write_specs(file, "/features", f->n_feature, f->feature));
    HG_TRY(hg_model_write_specs(file, "/targets", f->n_target, f->target));
    HG_TRY(move_scaling(file, f, true));
    HG_TRY(hg_h5_group(file, "/stage0"));
    HG_TRY(hg_model_write_options(file, f));
    hg_model_list(f, n_mate, item);
    for (int i = 0; i < HG_MODEL_ITEMS; i++) {
        int64_t dims[2] = {item[i].n, item[i].row};

        HG_TRY(hg_h5_write(file, item[i].name, item[i].type, item[i].row > 0 ? 2 : 1, dims,
                           NULL, item[i].data));
    }
    return write_nodes(file, f, piece);
}

static hg_status
write_file(hg_forest *f, const char *path)
{
    char temporary[HG_PATH_MAX];
    hg_status status = HG_OK, closed;
    hg_piece *piece = NULL;
    hg_h5 *file = NULL;

    HG_TRY(hg_publish_name(path, sizeof temporary, temporary));
    HG_TRY(hg_mem_array(&piece, 1, sizeof *piece));
    HG_TRY_OR(fail, status, hg_h5_create(temporary, &file));
    status = write_content(file, f, piece);
    closed = hg_h5_close(file);
    status = status != HG_OK ? status : closed;
    HG_TRY_OR(fail, status, status);
    HG_TRY_OR(fail, status, hg_seal_put(temporary));
    hg_mem_free(piece);
    return hg_publish(temporary, path, NULL);

fail:
    unlink(temporary);
    hg_mem_free(piece);
    return status;
}

hg_status
hg_forest_save(const hg_comm *comm, const hg_forest *forest, const char *path, int overwrite)
{
    hg_status status = HG_OK, agreed;

    if (comm->rank == 0) {
        if (!overwrite && hg_file_exists(path)) {
            status = HG_FAIL(HG_E_EXISTS,
                             "'%s' exists already: give --overwrite or another name", path);
        } else {
            hg_forest view =
                *forest; /* the table of arrays serves reading too and is not const */

            status = write_file(&view, path);
        }
    }
    agreed = hg_comm_agree(comm, status);
    if (agreed != HG_OK && status == HG_OK && comm->rank == 0) {
        unlink(path); /* what failed leaves nothing */
    }
    return agreed;
}

static hg_status
read_shape(hg_h5 *file, const char *name, int64_t *n, int64_t *row)
{
    hg_h5_info info;

    HG_TRY(hg_h5_describe(file, name, &info));
    *n = info.dims[0];
    *row = info.n_dim > 1 ? info.dims[1] : 1;
    return HG_OK;
}

static hg_status
check_format(hg_h5 *file, const char *path)
{
    char format[32];
    int64_t version = 0;

    hg_status status = hg_h5_get_string(file, "/", "format", sizeof format, format);

    if (status == HG_E_MEMORY) {
        return status;
    }
    if (status != HG_OK || strcmp(format, FORMAT) != 0) {
        return HG_FAIL(HG_E_FORMAT, "'%s' is not a halograft model", path);
    }
    HG_TRY(hg_h5_get_integer(file, "/", "version", &version));
    if (version > VERSION || version < 1) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' is a model of format version %" PRId64
                       ", this program reads up to %d: use a newer program",
                       path, version, VERSION);
    }
    return HG_OK;
}

/* sizes first, each against its limit, so that nothing is allocated from a wild number */
static hg_status
create_from_file(hg_h5 *file, const char *path, hg_forest **forest)
{
    int64_t n_feature = 0, n_target = 0, n_row = 0, n_offset = 0, one = 0;
    hg_train_options options = {0};
    double unit = 1;
    int bits = 0;

    HG_TRY(read_shape(file, "/features/range", &n_feature, &one));
    HG_TRY(read_shape(file, "/stage0/row/target", &n_row, &n_target));
    HG_TRY(read_shape(file, "/stage0/tree/node_offset", &n_offset, &one));
    HG_TRY(hg_model_read_options(file, &options, &bits, &unit));
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
read_item(hg_h5 *file, const char *path, const hg_model_item *item)
{
    int64_t n = 0, row = 0;

    HG_TRY(read_shape(file, item->name, &n, &row));
    if (n != item->n || row != (item->row > 0 ? item->row : 1)) {
        return HG_FAIL(HG_E_FORMAT,
                       "dataset '%s' in '%s' has %" PRId64 " rows of %" PRId64
                       ", expected %" PRId64,
                       item->name, path, n, row, item->n);
    }
    return hg_h5_read(file, item->name, 0, n, item->type, item->data);
}

/* offsets must rise and end where the arrays of nodes and leaves end */
static hg_status
check_offsets(hg_h5 *file, const char *path, const hg_forest *f)
{
    int64_t n_node = 0, n_leaf = 0, n_count = 0, n_link = 0, one = 0;
    int ok = f->node_offset[0] == 0 && f->leaf_offset[0] == 0;

    HG_TRY(read_shape(file, "/stage0/node/threshold", &n_node, &one));
    HG_TRY(read_shape(file, "/stage0/node/link", &n_link, &one));
    HG_TRY(read_shape(file, "/stage0/leaf/mean", &n_leaf, &one));
    HG_TRY(read_shape(file, "/stage0/leaf/count", &n_count, &one));
    for (int t = 0; t < f->n_tree; t++) {
        ok = ok && f->node_offset[t] <= f->node_offset[t + 1] &&
             f->leaf_offset[t] <= f->leaf_offset[t + 1];
    }
    ok = ok && f->node_offset[f->n_tree] == (uint64_t)n_node && n_node == n_link &&
         f->leaf_offset[f->n_tree] == (uint64_t)n_leaf && n_leaf == n_count;
    return ok ? HG_OK
              : HG_FAIL(HG_E_FORMAT, "the tree offsets in '%s' do not fit its nodes", path);
}

typedef struct hg_meta_walk {
    hg_h5 *file;
    hg_forest *forest;
} hg_meta_walk;

static hg_status
read_meta(const char *name, void *context)
{
    hg_meta_walk *walk = context;
    hg_text text = {0};
    hg_status status = hg_h5_get_text(walk->file, "/meta", name, &text);

    if (status == HG_OK) {
        status = hg_forest_set_meta(walk->forest, name, hg_text_string(&text));
    }
    hg_text_clear(&text);
    return status;
}

static hg_status
visit_attribute(const char *name, bool is_group, void *context)
{
    (void)is_group;
    return read_meta(name, context);
}

/* long texts are datasets; see hg_h5_put_string() */
static hg_status
visit_dataset(const char *name, bool is_group, void *context)
{
    return is_group ? HG_OK : read_meta(name, context);
}

static hg_status
read_content(hg_h5 *file, const char *path, hg_forest *f, hg_piece *piece)
{
    hg_model_item item[HG_MODEL_ITEMS];
    int64_t n_mate = 0, one = 0;
    uint64_t n_leaf;

    HG_TRY(hg_model_read_specs(file, "/features", f->n_feature, f->feature));
    HG_TRY(hg_model_read_specs(file, "/targets", f->n_target, f->target));
    HG_TRY(move_scaling(file, f, false));
    hg_model_list(f, 0, item);
    for (int i = 0; i < HG_MODEL_TREE_ITEMS; i++) {
        HG_TRY(read_item(file, path, &item[i]));
    }
    HG_TRY(check_offsets(file, path, f));
    HG_TRY(read_shape(file, "/stage0/leaf/row", &n_mate, &one));
    HG_TRY(hg_model_reserve(f, (uint64_t)n_mate));
    hg_model_list(f, (uint64_t)n_mate, item);
    for (int i = HG_MODEL_TREE_ITEMS; i < HG_MODEL_ITEMS; i++) {
        HG_TRY(read_item(file, path, &item[i]));
    }
    HG_TRY(read_nodes(file, f, piece));
    n_leaf = f->leaf_offset[f->n_tree];
    if (f->mate_offset[n_leaf] != (uint64_t)n_mate) {
        return HG_FAIL(HG_E_FORMAT, "the leaf counts in '%s' do not add up to its rows", path);
    }
    HG_TRY(hg_h5_list_attributes(file, "/meta", visit_attribute, &(hg_meta_walk){file, f}));
    return hg_h5_list(file, "/meta", visit_dataset, &(hg_meta_walk){file, f});
}

static hg_status
verify_hash(hg_h5 *file, const char *path, hg_forest *f)
{
    char text[32], wanted[32];

    HG_TRY(hg_model_check(f));
    HG_TRY(hg_model_complete(f));
    HG_TRY(hg_h5_get_string(file, "/", "content_hash", sizeof text, text));
    snprintf(wanted, sizeof wanted, "%016" PRIx64, f->hash);
    if (strcmp(text, wanted) != 0) {
        return HG_FAIL(HG_E_VERIFY, "the content of model '%s' has hash %s, but it says %s",
                       path, wanted, text);
    }
    return HG_OK;
}

static hg_status
read_file(const char *path, hg_forest **forest)
{
    hg_status status = HG_OK, closed;
    hg_piece *piece = NULL;
    hg_h5 *file = NULL;
    bool is_sealed = false;

    HG_TRY(hg_seal_check(path, &is_sealed));
    HG_TRY(hg_h5_open(path, &file));
    HG_TRY_OR(end, status, check_format(file, path));
    HG_TRY_OR(end, status, hg_mem_array(&piece, 1, sizeof *piece));
    HG_TRY_OR(end, status, create_from_file(file, path, forest));
    HG_TRY_OR(end, status, read_content(file, path, *forest, piece));
    HG_TRY_OR(end, status, verify_hash(file, path, *forest));
end:
    closed = hg_h5_close(file);
    hg_mem_free(piece);
    return status != HG_OK ? status : closed;
}

hg_status
hg_forest_load(const hg_comm *comm, const char *path, hg_forest **forest)
{
    hg_status status = HG_OK;
    hg_forest *f = NULL;

    *forest = NULL;
    if (comm->rank == 0) {
        status = read_file(path, &f);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    HG_TRY_OR(fail, status, hg_model_share(comm, &f));
    if (comm->rank > 0) {
        status = hg_model_complete(f);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    *forest = f;
    return HG_OK;

fail:
    hg_forest_free(f);
    return status;
}
