/* Training on rows that no rank can hold. Trees go in batches: tops together, jobs together,
 * then each tree is joined, finished, and handed to rank 0's spill. Trees that stand in part
 * files skip the growth. What is kept per rank is its records and a few words per row and tree
 * of the batch; rank 0 collects the rest on disk, from which the model is hashed and written.
 */
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "forest/calibrate.h"
#include "forest/checkpoint.h"
#include "forest/finish_rows.h"
#include "forest/keep.h"
#include "forest/limits.h"
#include "forest/sample.h"
#include "forest/subtree.h"
#include "halograft/log.h"

enum { TREES_AT_ONCE = 8, CUT = 1000000, CUT_SHARE = 8192, PIECE_BYTES = 1 << 20 };

/* a training under way */
typedef struct hg_spread {
    const hg_train_options *options;
    const hg_train_parts *parts;
    int64_t cut;
    int trees_at_once;
    hg_rows rows;
    hg_plan plan;
    hg_forest *f; /* on disk */
    hg_checkpoint checkpoint;
    hg_tree *tree;        /* shape (trees): nodes of trees in part files, on their ranks */
    int64_t *has;         /* shape (trees): the tree stands in a part file */
    int64_t *n_mate;      /* shape (trees) */
    int64_t *oob_sum;     /* shape (n, n_target) */
    int64_t *oob_trees;   /* shape (n) */
    hg_progress progress; /* in trees */
} hg_spread;

static int
only_parts(const hg_spread *s)
{
    return s->parts != NULL && s->parts->n_tree > 0;
}

/* ---- one tree ---- */
/* the owner of tree t keeps its nodes for the next part file, where there are to be any */
static hg_status
keep_tree(const hg_comm *comm, hg_spread *s, int t, const hg_tree *tree)
{
    const size_t n_feature = (size_t)s->f->n_feature;
    hg_tree *kept = &s->tree[t];

    if (t % comm->size != comm->rank || s->parts == NULL ||
        (!(s->parts->interval > 0) && !only_parts(s))) {
        return HG_OK;
    }
    *kept = (hg_tree){.n_node = tree->n_node, .n_leaf = tree->n_leaf};
    HG_TRY(hg_mem_array(&kept->node, (size_t)tree->n_node, sizeof *kept->node));
    HG_TRY(hg_mem_array(&kept->importance, n_feature, sizeof *kept->importance));
    memcpy(kept->node, tree->node, (size_t)tree->n_node * sizeof *kept->node);
    memcpy(kept->importance, tree->importance, n_feature * sizeof *kept->importance);
    return hg_checkpoint_note(&s->checkpoint, t);
}

/* a tree of a part file, from its owner to all ranks */
static hg_status
share_tree(const hg_comm *comm, const hg_spread *s, int t, hg_tree *tree)
{
    const int owner = t % comm->size;
    const size_t n_feature = (size_t)s->f->n_feature;
    hg_status status;

    *tree = (hg_tree){.n_node = s->tree[t].n_node, .n_leaf = s->tree[t].n_leaf};
    hg_comm_broadcast(comm, owner, &tree->n_node, sizeof tree->n_node);
    hg_comm_broadcast(comm, owner, &tree->n_leaf, sizeof tree->n_leaf);
    status = hg_mem_array(&tree->node, (size_t)tree->n_node, sizeof *tree->node);
    status = status != HG_OK
                 ? status
                 : hg_mem_array(&tree->importance, n_feature, sizeof *tree->importance);
    HG_TRY(hg_comm_agree(comm, status));
    if (comm->rank == owner) {
        memcpy(tree->node, s->tree[t].node, (size_t)tree->n_node * sizeof *tree->node);
        memcpy(tree->importance, s->tree[t].importance, n_feature * sizeof *tree->importance);
    }
    hg_comm_broadcast(comm, owner, tree->node, (size_t)tree->n_node * sizeof *tree->node);
    hg_comm_broadcast(comm, owner, tree->importance, n_feature * sizeof *tree->importance);
    return HG_OK;
}

static hg_status
finish_tree(const hg_comm *comm, hg_spread *s, int t, const hg_top *top, hg_tree *tree)
{
    hg_forest *f = s->f;

    HG_TRY(hg_finish_tree(comm, &s->plan, top, tree, f->spill, s->oob_sum, s->oob_trees));
    s->n_mate[t] = tree->n_mate;
    f->is_full[t] = (unsigned char)top->is_full;
    f->node_offset[t + 1] = f->node_offset[t] + (uint64_t)tree->n_node;
    f->leaf_offset[t + 1] = f->leaf_offset[t] + (uint64_t)tree->n_leaf;
    memcpy(f->importance + (size_t)t * (size_t)f->n_feature, tree->importance,
           (size_t)f->n_feature * sizeof *f->importance);
    hg_progress_to(&s->progress, t + 1);
    return HG_OK;
}

/* ---- batches ---- */
static hg_status
grow_batch(const hg_comm *comm, hg_spread *s, int first, int n, hg_top top[])
{
    const uint64_t number = (uint64_t)s->options->first_tree + (uint64_t)first;
    hg_status status = HG_OK;
    hg_jobs jobs = {0};

    HG_TRY(hg_top_grow(comm, &s->plan, number, n, s->cut, top));
    HG_TRY_OR(end, status, hg_jobs_grow(comm, &s->plan, n, top, s->cut, &jobs));
    hg_mem_trim();                /* arenas come and go with each batch */
    for (int i = 0; i < n; i++) { /* the largest array, not needed any more */
        hg_mem_free(top[i].slot);
        top[i].slot = NULL;
    }
    for (int i = 0; i < n && status == HG_OK; i++) {
        hg_tree tree = {0};

        status = hg_jobs_join(comm, &s->plan, i, &top[i], &jobs, &tree);
        status = status != HG_OK ? status
                                 : hg_comm_agree(comm, keep_tree(comm, s, first + i, &tree));
        if (status == HG_OK && !only_parts(s)) {
            status = finish_tree(comm, s, first + i, &top[i], &tree);
        }
        hg_tree_clear(&tree);
    }
end:
    hg_jobs_clear(&jobs);
    return status;
}

static hg_status
take_batch(const hg_comm *comm, hg_spread *s, int first, int n, hg_top top[])
{
    const uint64_t number = (uint64_t)s->options->first_tree + (uint64_t)first;
    hg_status status = HG_OK;

    if (only_parts(s)) {
        return HG_OK;
    }
    HG_TRY(hg_top_draw(comm, &s->plan, number, n, top));
    for (int i = 0; i < n && status == HG_OK; i++) {
        hg_tree tree = {0};

        status = share_tree(comm, s, first + i, &tree);
        if (status == HG_OK) {
            status = finish_tree(comm, s, first + i, &top[i], &tree);
        }
        hg_tree_clear(&tree);
        hg_tree_clear(&s->tree[first + i]);
    }
    return status;
}

/* finished trees go to part files and out of memory */
static hg_status
flush_batch(hg_spread *s, int first, int n)
{
    if (s->parts != NULL && (s->parts->interval > 0 || only_parts(s))) {
        HG_TRY(hg_checkpoint_flush(&s->checkpoint));
    }
    for (int t = first; t < first + n; t++) {
        hg_tree_clear(&s->tree[t]);
    }
    return HG_OK;
}

static hg_status
grow_trees(const hg_comm *comm, hg_spread *s)
{
    const int last = s->checkpoint.last;
    hg_status status = HG_OK;
    hg_top *top = NULL;

    status = hg_mem_zeros(&top, (size_t)s->trees_at_once, sizeof *top);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int t = s->checkpoint.first, n; t < last && status == HG_OK; t += n) {
        for (n = 1; n < s->trees_at_once && t + n < last && s->has[t + n] == s->has[t]; n++) {
        }
        status = s->has[t] ? take_batch(comm, s, t, n, top) : grow_batch(comm, s, t, n, top);
        for (int i = 0; i < n; i++) {
            hg_top_clear(&top[i]);
        }
        status = status != HG_OK ? status : hg_comm_agree(comm, flush_batch(s, t, n));
        hg_mem_trim();
    }
end:
    hg_mem_free(top);
    return status;
}

/* ---- rows of the model ---- */
/* a column of all ranks to rank 0's spill, in the order of rows */
static hg_status
spill_column(const hg_comm *comm, hg_spread *s, hg_spill_kind kind, size_t size,
             const void *mine)
{
    hg_status status = HG_OK;
    int64_t *count = NULL;
    char *buffer = NULL;

    status = hg_mem_array(&count, (size_t)comm->size, sizeof *count);
    status = status != HG_OK || comm->rank > 0 ? status : hg_mem_array(&buffer, PIECE_BYTES, 1);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    hg_comm_gather(comm, &s->rows.n, sizeof s->rows.n, count);
    if (comm->rank == 0) {
        status = hg_spill_append(s->f->spill, kind, (size_t)count[0] * size, mine);
    }
    for (int r = 1; r < comm->size; r++) {
        const size_t bytes = (size_t)count[r] * size;

        for (size_t at = 0; at < bytes; at += PIECE_BYTES) {
            const size_t n = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;

            if (comm->rank == r) {
                hg_comm_send(comm, 0, (const char *)mine + at, n);
            } else if (comm->rank == 0) {
                hg_comm_receive(comm, r, buffer, n);
                status =
                    status != HG_OK ? status : hg_spill_append(s->f->spill, kind, n, buffer);
            }
        }
    }
    status = hg_comm_agree(comm, status);
end:
    hg_mem_free(count);
    hg_mem_free(buffer);
    return status;
}

/* what is chosen by a sample of the rows */
static hg_status
choose_from_sample(const hg_comm *comm, hg_spread *s)
{
    float *x = NULL;
    int64_t n = 0;
    hg_status status = HG_OK;

    if (s->options->bag != HG_BAG_NONE && s->options->calibrate) {
        HG_TRY_OR(end, status, hg_keep_choose_on_disk(comm, s->f));
    }
    HG_TRY_OR(end, status, hg_sample_gather(comm, &s->plan, s->f, &n, &x));
    status = hg_limits_choose_on_disk(comm, n, x, s->f);
end:
    hg_mem_free(x);
    return status;
}

/* values, residuals and their factors; input and sums are released on the way */
static hg_status
spill_results(const hg_comm *comm, hg_spread *s)
{
    const size_t n = (size_t)s->rows.n, n_target = (size_t)s->f->n_target;
    hg_status status = HG_OK;
    float *value = NULL;
    uint16_t *count = NULL;

    status = hg_mem_array(&value, n * n_target, sizeof *value);
    status = status != HG_OK ? status : hg_mem_array(&count, n, sizeof *count);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (size_t i = 0; i < n * n_target; i++) {
        value[i] = (float)s->rows.y[i];
    }
    HG_TRY_OR(end, status,
              spill_column(comm, s, HG_SPILL_VALUE, n_target * sizeof *value, value));
    hg_scaling_residuals(s->options, &s->rows, s->oob_sum, s->oob_trees, s->f, value);
    HG_TRY_OR(end, status,
              spill_column(comm, s, HG_SPILL_RESIDUAL, n_target * sizeof *value, value));
    hg_mem_free(s->rows.y);
    hg_mem_free(s->oob_sum);
    s->rows.y = NULL;
    s->oob_sum = NULL;
    for (int t = 0; t < s->f->n_target; t++) {
        s->f->keep[t] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        count[i] = (uint16_t)s->oob_trees[i];
        value[i] = 1;
        s->f->has_residual |= s->oob_trees[i] >= s->options->oob_trees_min;
    }
    if (s->options->bag != HG_BAG_NONE && s->options->calibrate) {
        HG_TRY_OR(end, status,
                  hg_calibrate_rows(comm, &s->plan, s->f, s->n_mate, s->oob_trees, value));
    }
    HG_TRY_OR(end, status, spill_column(comm, s, HG_SPILL_SHRINK, sizeof *value, value));
    HG_TRY_OR(end, status, spill_column(comm, s, HG_SPILL_OOB_TREES, sizeof *count, count));
    status = choose_from_sample(comm, s);
end:
    hg_mem_free(value);
    hg_mem_free(count);
    return status;
}

/* what growing trees does not need goes to disk at once */
static hg_status
spill_identity(const hg_comm *comm, hg_spread *s)
{
    hg_rows *r = &s->rows;

    HG_TRY(spill_column(comm, s, HG_SPILL_KEY, sizeof *r->key, r->key));
    HG_TRY(spill_column(comm, s, HG_SPILL_GROUP, sizeof *r->group, r->group));
    HG_TRY(spill_column(comm, s, HG_SPILL_PARENT, sizeof *r->parent, r->parent));
    HG_TRY(spill_column(comm, s, HG_SPILL_WEIGHT, sizeof *r->integer, r->integer));
    hg_mem_free(r->key);
    hg_mem_free(r->parent);
    r->key = r->parent = NULL;
    if (s->options->bag != HG_BAG_GROUP) {
        hg_mem_free(r->group);
        r->group = NULL;
    }
    hg_mem_trim();
    return HG_OK;
}

static hg_status
complete(const hg_comm *comm, hg_spread *s)
{
    int64_t has = 0;
    hg_status status = HG_OK;

    HG_TRY(spill_results(comm, s));
    has = s->f->has_residual;
    hg_comm_max(comm, 1, &has);
    s->f->has_residual = has != 0;
    if (comm->rank == 0) {
        status = hg_model_hash(s->f);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &s->f->hash, sizeof s->f->hash);
    return HG_OK;
}

/* ---- the whole ---- */
/* whether a tree stands in a part file, known to all */
static hg_status
share_states(const hg_comm *comm, hg_spread *s)
{
    HG_TRY(hg_comm_agree(comm, hg_mem_zeros(&s->has, (size_t)s->f->n_tree, sizeof *s->has)));
    for (int t = 0; t < s->f->n_tree; t++) {
        s->has[t] = s->tree[t].node != NULL;
    }
    hg_comm_max(comm, (size_t)s->f->n_tree, s->has);
    return HG_OK;
}

static hg_status
open_spill(const hg_comm *comm, const char *path, hg_forest *f)
{
    hg_status status = HG_OK;

    f->is_on_disk = 1;
    if (comm->rank == 0) {
        status = hg_mem_zeros(&f->spill, 1, sizeof *f->spill);
        status = status != HG_OK ? status : hg_spill_open(path, f->spill);
    }
    return hg_comm_agree(comm, status);
}

static void
choose_cut(const hg_comm *comm, const hg_train_distribution *d, hg_spread *s)
{
    const int64_t n = s->rows.n_all, share = n / comm->size / 4;

    s->cut = d->cut;
    if (s->cut <= 0) {
        s->cut = share < CUT ? share : CUT;
        s->cut = s->cut < n / CUT_SHARE ? n / CUT_SHARE : s->cut;
    }
    s->cut = s->cut < 1 ? 1 : s->cut;
    s->trees_at_once = d->trees_at_once > 0 ? d->trees_at_once : TREES_AT_ONCE;
}

static hg_status
prepare(const hg_comm *comm, const hg_train_data *data, const hg_train_distribution *d,
        hg_spread *s)
{
    size_t n;
    hg_status status;

    HG_TRY(hg_rows_sort(comm, s->options->threads, data, &s->rows));
    HG_TRY(hg_comm_agree(comm, hg_train_start(s->options, data, 0, &s->f)));
    s->f->n_row = s->rows.n_all;
    choose_cut(comm, d, s);
    HG_TRY(open_spill(comm, d->path, s->f));
    HG_TRY(hg_scaling_make(comm, s->options, data, &s->rows, NULL, s->f, &s->plan));
    HG_TRY(spill_identity(comm, s));
    s->plan.n = s->rows.n;
    s->plan.first = s->rows.first;
    s->plan.row = s->rows.record;
    s->plan.group = s->rows.group;
    s->plan.weight = s->f->is_weighted ? s->rows.integer : NULL;
    n = (size_t)s->rows.n;
    status = hg_mem_zeros(&s->tree, (size_t)s->f->n_tree, sizeof *s->tree);
    status = status != HG_OK
                 ? status
                 : hg_mem_zeros(&s->n_mate, (size_t)s->f->n_tree, sizeof *s->n_mate);
    status = status != HG_OK
                 ? status
                 : hg_mem_zeros(&s->oob_sum, n * (size_t)s->f->n_target, sizeof *s->oob_sum);
    status = status != HG_OK ? status : hg_mem_zeros(&s->oob_trees, n, sizeof *s->oob_trees);
    return hg_comm_agree(comm, status);
}

static void
clear_spread(hg_spread *s)
{
    hg_checkpoint_end(&s->checkpoint);
    for (int t = 0; s->f != NULL && t < s->f->n_tree && s->tree != NULL; t++) {
        hg_tree_clear(&s->tree[t]);
    }
    hg_mem_free(s->tree);
    hg_mem_free(s->has);
    hg_mem_free(s->n_mate);
    hg_mem_free(s->oob_sum);
    hg_mem_free(s->oob_trees);
    hg_rows_clear(&s->rows);
}

hg_status
hg_forest_train_distributed(const hg_comm *comm, const hg_train_options *options,
                            const hg_train_data *data, const hg_train_parts *parts,
                            const hg_train_distribution *distribution, hg_forest **forest)
{
    hg_spread s = {.options = options, .parts = parts};
    hg_status status = HG_OK;

    *forest = NULL;
    if (options->splitter == HG_SPLITTER_BEST) {
        return HG_FAIL(HG_E_ARG, "best splits need all training rows on every rank: train on "
                                 "fewer rows, or with Model.splitter random");
    }
    HG_TRY(hg_comm_agree(comm, hg_train_check(options, data)));
    HG_TRY_OR(end, status, prepare(comm, data, distribution, &s));
    hg_log_info("train: rows stay on %d ranks, nodes of up to %" PRId64
                " rows are grown by one rank",
                comm->size, s.cut);
    HG_TRY_OR(end, status, hg_checkpoint_begin(comm, parts, s.f, s.tree, &s.checkpoint));
    HG_TRY_OR(end, status, share_states(comm, &s));
    s.progress = hg_progress_start("train", "trees", s.f->n_tree);
    status = grow_trees(comm, &s);
    hg_progress_end(&s.progress);
    if (status == HG_OK && !only_parts(&s)) {
        status = complete(comm, &s);
    }
    if (status == HG_OK && !only_parts(&s)) {
        *forest = s.f;
    }
end:
    clear_spread(&s);
    if (*forest == NULL) {
        hg_forest_free(s.f);
    }
    return status;
}
