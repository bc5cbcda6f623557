/* Each rank writes parts of its own trees. Tree numbers are absolute and a tree is grown once,
 * so the lowest number makes the name of a part unique. On resuming, rank 0 lists the parts and
 * every rank reads the trees that fall to it now, whoever grew them. */
#include "forest/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "forest/model_file.h"
#include "forest/part_list.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "store/seal.h"

#define FORMAT "halograft-trees"
enum { IDLE, FRESH, KEPT };

/* what rank 0 finds to take trees from; parts in the way of a new training are removed */
static hg_status
find_sources(const hg_checkpoint *c, hg_part_list *names)
{
    const hg_train_parts *p = c->parts;
    const int first = c->forest->options.first_tree;

    HG_TRY(hg_part_list_find(p->path, p->stage, first + c->first, first + c->last, names));
    if (!p->resume && !p->merge) {
        if (names->n > 0 && !p->overwrite) {
            return HG_FAIL(HG_E_EXISTS,
                           "'%s' holds trees of an unfinished training: give --resume to go on "
                           "with it, --overwrite to start again",
                           names->v[0]);
        }
        HG_TRY(hg_part_list_remove(names));
        names->n = 0;
        return HG_OK;
    }
    return p->n_tree == 0 && hg_file_exists(p->path) ? hg_part_list_add(names, p->path) : HG_OK;
}

/* ---- reading ---- */
/* datasets of the stage in part files and in the model */
struct paths {
    char threshold[HG_STAGE_PATH], link[HG_STAGE_PATH], importance[HG_STAGE_PATH];
    char offset[HG_STAGE_PATH], number[HG_STAGE_PATH];
};

static struct paths
get_paths(const hg_checkpoint *c)
{
    struct paths p;

    hg_stage_path(c->parts->stage, "node/threshold", p.threshold);
    hg_stage_path(c->parts->stage, "node/link", p.link);
    hg_stage_path(c->parts->stage, "tree/importance", p.importance);
    hg_stage_path(c->parts->stage, "tree/node_offset", p.offset);
    hg_stage_path(c->parts->stage, "tree/number", p.number);
    return p;
}

static hg_status
refuse(const char *path, const char *key, double there, double here)
{
    return HG_FAIL(HG_E_INPUT,
                   "%s is %g, but the trees in '%s' were grown with %g: give that value, or "
                   "--overwrite to start again",
                   key, here, path, there);
}

static hg_status
compare_options(const hg_train_options *a, const hg_train_options *b, const char *path)
{
    const int is_best = b->splitter == HG_SPLITTER_BEST;
    const struct {
        const char *key;
        double there, here;
    } pair[] = {{"Model.min_leaf", a->min_leaf, b->min_leaf},
                {"Model.min_split", a->min_split, b->min_split},
                {"Model.max_depth", a->max_depth, b->max_depth},
                {"Model.max_features", a->max_features, b->max_features},
                {"Model.splitter (0 random, 1 best)", a->splitter, b->splitter},
                {"Model.bins", is_best ? a->bins : 0, is_best ? b->bins : 0},
                {"Model.bag (0 none, 1 row, 2 group)", a->bag, b->bag},
                {"Model.preset's smallest step", a->constant_step, b->constant_step},
                {"the number of redraws", a->redraw, b->redraw},
                {"the least gain", a->min_gain, b->min_gain},
                {"the scaling of targets", a->scale_targets, b->scale_targets}};

    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        if (pair[i].there < pair[i].here || pair[i].there > pair[i].here) {
            return refuse(path, pair[i].key, pair[i].there, pair[i].here);
        }
    }
    return a->seed == b->seed ? HG_OK
                              : refuse(path, "Meta.seed", (double)a->seed, (double)b->seed);
}

static hg_status
compare_specs(hg_h5 *file, const char *path, int stage, const char *section, const char *group,
              int n, const hg_field_spec mine[])
{
    hg_field_spec *theirs = NULL;
    hg_status status = HG_OK;
    char name[HG_STAGE_PATH];

    hg_spec_path(stage, group, n, name);
    if (hg_h5_exists(file, name)) {
        return HG_FAIL(HG_E_INPUT, "%s: the trees in '%s' were grown with more than %d",
                       section, path, n);
    }
    hg_spec_path(stage, group, n - 1, name);
    if (!hg_h5_exists(file, name)) {
        return HG_FAIL(HG_E_INPUT, "%s: the trees in '%s' were grown with fewer than %d",
                       section, path, n);
    }
    HG_TRY(hg_mem_zeros(&theirs, (size_t)n, sizeof *theirs));
    status = hg_model_read_specs(file, stage, group, n, theirs);
    for (int i = 0; i < n && status == HG_OK; i++) {
        if (strcmp(theirs[i].name, mine[i].name) != 0 ||
            strcmp(theirs[i].expression, mine[i].expression) != 0) {
            status = HG_FAIL(HG_E_INPUT,
                             "%s.%s is '%s', but the trees in '%s' were grown with '%s: %s'",
                             section, mine[i].name, mine[i].expression, path, theirs[i].name,
                             theirs[i].expression);
        }
    }
    hg_mem_free(theirs);
    return status;
}

static hg_status
compare_file(hg_h5 *file, const char *path, int stage, const hg_forest *f, int64_t *first_tree)
{
    char group[HG_STAGE_PATH];
    hg_train_options options = {0};
    char text[32];
    double unit;
    int bits;

    HG_TRY(hg_h5_get_string(file, "/", "format", sizeof text, text));
    if (strcmp(text, FORMAT) != 0 && strcmp(text, "halograft-model") != 0) {
        return HG_FAIL(HG_E_FORMAT, "'%s' holds no trees", path);
    }
    hg_stage_path(stage, NULL, group);
    if (!hg_h5_exists(file, group)) {
        return HG_FAIL(HG_E_INPUT,
                       "Targets: the trees in '%s' were grown for fewer stages, there is no "
                       "'%s'",
                       path, group);
    }
    HG_TRY(hg_model_read_options(file, stage, &options, &bits, &unit));
    *first_tree = options.first_tree;
    HG_TRY(compare_options(&options, &f->options, path));
    HG_TRY(compare_specs(file, path, stage, "Features", "features", f->n_feature, f->feature));
    return compare_specs(file, path, stage, "Targets", "targets", f->n_target, f->target);
}

/* whether the trees were grown from the rows of this training */
static hg_status
compare_rows(hg_h5 *file, const char *path, const hg_checkpoint *c, bool *is_same)
{
    char group[HG_STAGE_PATH], text[32], wanted[32];

    hg_stage_path(c->parts->stage, NULL, group);
    HG_TRY(hg_h5_get_string(file, group, "rows_hash", sizeof text, text));
    snprintf(wanted, sizeof wanted, "%016" PRIx64, c->forest->rows_hash);
    *is_same = strcmp(text, wanted) == 0;
    if (!*is_same && !c->parts->renew) {
        return HG_FAIL(HG_E_INPUT,
                       "the training rows (Zooms, Selection, Model.weighted, or what the files "
                       "hold) are not those the trees in '%s' were grown from",
                       path);
    }
    return HG_OK;
}

/* read tree i of a file, whose nodes begin at `at`, as tree t */
static hg_status
read_tree(hg_h5 *file, const hg_checkpoint *c, int64_t i, int64_t at, int64_t n, int t)
{
    const hg_forest *f = c->forest;
    const struct paths paths = get_paths(c);
    hg_tree *tree = &c->tree[t];
    hg_status status = HG_OK;
    float *threshold = NULL;
    uint32_t *link = NULL;

    tree->n_node = n;
    HG_TRY_OR(end, status, hg_mem_array(&threshold, (size_t)n, sizeof *threshold));
    HG_TRY_OR(end, status, hg_mem_array(&link, (size_t)n, sizeof *link));
    HG_TRY_OR(end, status, hg_mem_array(&tree->node, (size_t)n, sizeof *tree->node));
    HG_TRY_OR(end, status,
              hg_mem_array(&tree->importance, (size_t)f->n_feature, sizeof(double)));
    HG_TRY_OR(end, status, hg_h5_read(file, paths.threshold, at, n, HG_F32, threshold));
    HG_TRY_OR(end, status, hg_h5_read(file, paths.link, at, n, HG_U32, link));
    HG_TRY_OR(end, status, hg_h5_read(file, paths.importance, i, 1, HG_F64, tree->importance));
    for (int64_t k = 0; k < n; k++) {
        memcpy(&tree->node[k].t, &threshold[k], sizeof threshold[k]); /* a NaN keeps its bits */
        tree->node[k].link = link[k];
        tree->n_leaf += k != 1 && hg_node_is_leaf(tree->node[k]);
    }
    status = hg_model_check_tree(f, tree->node, (uint64_t)n, (uint64_t)tree->n_leaf, t);
end:
    hg_mem_free(threshold);
    hg_mem_free(link);
    if (status == HG_OK) {
        c->state[t] = KEPT;
    } else {
        hg_tree_clear(tree);
    }
    return status;
}

/* the trees of a file that fall to this rank and are not there yet */
static hg_status
read_trees(const hg_comm *comm, hg_h5 *file, const char *path, const hg_checkpoint *c,
           int64_t first_tree)
{
    const struct paths paths = get_paths(c);
    hg_status status = HG_OK;
    int64_t *offset = NULL, *number = NULL;
    hg_h5_info info;
    int64_t n;

    HG_TRY(hg_h5_read_all(file, paths.offset, HG_I64, &offset, &info));
    n = info.dims[0] - 1;
    if (hg_h5_exists(file, paths.number)) {
        HG_TRY_OR(end, status, hg_h5_read_all(file, paths.number, HG_I64, &number, &info));
        if (info.dims[0] != n) {
            status = HG_FAIL(HG_E_FORMAT, "'%s' does not number all of its trees", path);
        }
    }
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        int64_t t =
            (number != NULL ? number[i] : first_tree + i) - c->forest->options.first_tree;

        if (offset[i + 1] - offset[i] < 2) {
            status = HG_FAIL(HG_E_FORMAT, "a tree in '%s' has no nodes", path);
        } else if (t >= c->first && t < c->last && t % comm->size == comm->rank &&
                   c->state[t] == IDLE) {
            status = read_tree(file, c, i, offset[i], offset[i + 1] - offset[i], (int)t);
        }
    }
end:
    hg_mem_free(offset);
    hg_mem_free(number);
    return status;
}

static hg_status
take_file(const hg_comm *comm, const char *path, const hg_checkpoint *c)
{
    hg_status status, closed;
    int64_t first_tree = 0;
    hg_h5 *file = NULL;
    bool is_sealed, is_same = false;

    HG_TRY(hg_seal_check(path, &is_sealed));
    HG_TRY(hg_h5_open(path, &file));
    status = compare_file(file, path, c->parts->stage, c->forest, &first_tree);
    if (status == HG_OK) {
        status = compare_rows(file, path, c, &is_same);
    }
    if (status == HG_OK && is_same) {
        status = read_trees(comm, file, path, c, first_tree);
    }
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

/* ---- beginning and end ---- */
static hg_status
share_names(const hg_comm *comm, hg_part_list *names)
{
    hg_status status = HG_OK;

    hg_comm_broadcast(comm, 0, &names->n, sizeof names->n);
    if (comm->rank > 0) {
        status = hg_mem_array(&names->v, (size_t)names->n, sizeof *names->v);
    }
    HG_TRY(hg_comm_agree(comm, status));
    if (names->n > 0) {
        hg_comm_broadcast(comm, 0, names->v, (size_t)names->n * sizeof *names->v);
    }
    return HG_OK;
}

/* how many trees are there; all must be for a merge */
static hg_status
count_trees(const hg_comm *comm, const hg_checkpoint *c)
{
    int64_t n = 0, missing = c->last;

    for (int t = c->first; t < c->last; t++) {
        n += c->state[t] == KEPT;
        if (c->state[t] == IDLE && t % comm->size == comm->rank && t < missing) {
            missing = t;
        }
    }
    hg_comm_sum(comm, 1, &n);
    hg_comm_min(comm, 1, &missing);
    if (c->parts->resume || c->parts->merge) {
        hg_log_info("train: %" PRId64 " of %d trees are there already", n, c->last - c->first);
    }
    if (c->parts->merge && missing < c->last) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "tree %" PRId64 " is in no part file of '%s' (%" PRId64
                       " of %d trees are): grow it, or give --resume",
                       missing, c->parts->path, n, c->last);
    }
    return HG_OK;
}

hg_status
hg_checkpoint_begin(const hg_comm *comm, const hg_train_parts *parts, const hg_forest *forest,
                    hg_tree tree[], hg_checkpoint *c)
{
    hg_part_list names = {0};
    hg_status status = HG_OK;

    *c = (hg_checkpoint){.parts = parts, .forest = forest, .tree = tree};
    c->last = forest->n_tree;
    c->written = hg_clock_seconds();
    if (parts == NULL) {
        return HG_OK;
    }
    if (parts->n_tree > 0) {
        c->first = parts->first_tree;
        c->last = parts->first_tree + parts->n_tree;
    }
    if (c->first < 0 || c->last > forest->n_tree) {
        return HG_FAIL(HG_E_ARG, "trees %d to %d are not among the %d of the forest", c->first,
                       c->last - 1, forest->n_tree);
    }
    HG_TRY(
        hg_comm_agree(comm, hg_mem_zeros(&c->state, (size_t)forest->n_tree, sizeof *c->state)));
    if (comm->rank == 0) {
        status = find_sources(c, &names);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    HG_TRY_OR(end, status, share_names(comm, &names));
    for (int64_t i = 0; i < names.n && status == HG_OK; i++) {
        status = take_file(comm, names.v[i], c);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    status = count_trees(comm, c);
end:
    hg_mem_free(names.v);
    return status;
}

void
hg_checkpoint_end(hg_checkpoint *state)
{
    hg_mem_free(state->state);
    *state = (hg_checkpoint){0};
}

/* ---- writing ---- */
static hg_status
write_nodes(hg_h5 *file, const hg_checkpoint *c, const int64_t t[], int64_t n,
            const int64_t offset[])
{
    const int64_t shape[2] = {n, c->forest->n_feature};
    const struct paths paths = get_paths(c);
    hg_status status = HG_OK;
    float *threshold = NULL;
    uint32_t *link = NULL;
    size_t most = 0;

    for (int64_t i = 0; i < n; i++) {
        most = (size_t)c->tree[t[i]].n_node > most ? (size_t)c->tree[t[i]].n_node : most;
    }
    HG_TRY(hg_h5_reserve(file, paths.threshold, HG_F32, 1, &offset[n], NULL));
    HG_TRY(hg_h5_reserve(file, paths.link, HG_U32, 1, &offset[n], NULL));
    HG_TRY(hg_h5_reserve(file, paths.importance, HG_F64, 2, shape, NULL));
    HG_TRY_OR(end, status, hg_mem_array(&threshold, most, sizeof *threshold));
    HG_TRY_OR(end, status, hg_mem_array(&link, most, sizeof *link));
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        const hg_tree *tree = &c->tree[t[i]];

        for (int64_t k = 0; k < tree->n_node; k++) {
            memcpy(&threshold[k], &tree->node[k].t, sizeof threshold[k]);
            link[k] = tree->node[k].link;
        }
        status =
            hg_h5_write_rows(file, paths.threshold, offset[i], tree->n_node, HG_F32, threshold);
        status = status != HG_OK ? status
                                 : hg_h5_write_rows(file, paths.link, offset[i], tree->n_node,
                                                    HG_U32, link);
        status = status != HG_OK
                     ? status
                     : hg_h5_write_rows(file, paths.importance, i, 1, HG_F64, tree->importance);
    }
end:
    hg_mem_free(threshold);
    hg_mem_free(link);
    return status;
}

/* Finished trees that go into one file. */
struct part {
    const hg_checkpoint *c;
    const int64_t *tree; /* shape (n): numbers among those of the forest */
    int64_t n;
};

static hg_status
write_part(const void *context, hg_h5 *file)
{
    const struct part *part = context;
    const hg_checkpoint *c = part->c;
    const hg_forest *f = c->forest;
    const int64_t *t = part->tree, n = part->n;
    const struct paths paths = get_paths(c);
    hg_status status = HG_OK;
    const int64_t n_offset = n + 1;
    int64_t *block = NULL, *offset, *number;

    HG_TRY(hg_h5_put_string(file, "/", "format", FORMAT));
    HG_TRY(hg_h5_put_integer(file, "/", "version", 1));
    HG_TRY(hg_model_write_plan(file, c->parts->stage, f));
    HG_TRY(hg_mem_zeros(&block, (size_t)(2 * n_offset), sizeof *block));
    offset = block;
    number = block + n_offset;
    for (int64_t i = 0; i < n; i++) {
        number[i] = f->options.first_tree + t[i];
        offset[i + 1] = offset[i] + c->tree[t[i]].n_node;
    }
    status = hg_h5_write(file, paths.number, HG_I64, 1, &n, NULL, number);
    status = status != HG_OK
                 ? status
                 : hg_h5_write(file, paths.offset, HG_I64, 1, &n_offset, NULL, offset);
    status = status != HG_OK ? status : write_nodes(file, c, t, n, offset);
    hg_mem_free(block);
    return status;
}

static hg_status
fill_part(const void *part, const char *temporary)
{
    return hg_seal_file(temporary, write_part, part);
}

static hg_status
publish_part(const hg_checkpoint *c, const int64_t t[], int64_t n)
{
    const int first = c->forest->options.first_tree;
    const struct part part = {c, t, n};
    char path[HG_PATH_MAX];

    HG_TRY(hg_part_path(c->parts->path, c->parts->stage, first + t[0], first + t[n - 1], path));
    return hg_publish_file(path, fill_part, &part);
}

hg_status
hg_checkpoint_flush(hg_checkpoint *c)
{
    hg_status status = HG_OK;
    int64_t *t = NULL, n = 0;

    HG_TRY(hg_mem_array(&t, (size_t)c->forest->n_tree, sizeof *t));
    for (int i = c->first; i < c->last; i++) {
        if (c->state[i] == FRESH) {
            t[n++] = i;
        }
    }
    if (n > 0) {
        status = publish_part(c, t, n);
    }
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        c->state[t[i]] = KEPT;
    }
    hg_mem_free(t);
    c->written = hg_clock_seconds();
    return status;
}

hg_status
hg_checkpoint_flush_due(hg_checkpoint *c)
{
    if (!(c->parts->interval > 0) || hg_clock_seconds() - c->written < c->parts->interval) {
        return HG_OK;
    }
    return hg_checkpoint_flush(c);
}

hg_status
hg_checkpoint_note(hg_checkpoint *c, int t)
{
    if (c->parts == NULL || c->state[t] == KEPT) {
        return HG_OK;
    }
    c->state[t] = FRESH;
    return hg_checkpoint_flush_due(c);
}
