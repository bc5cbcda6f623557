/* Tree after tree: the training rows of its bag say what weight and mean its nodes have, then
 * the rows to explain are dealt over threads. Weights of nodes are sums of integers and every
 * row adds its trees in their order, so neither threads nor blocks change a bit. Model files
 * hold no means of nodes: they would be as large as the rest, for what is asked once. */
#include "forest/attribute.h"

#include <math.h>
#include <omp.h>

#include "base/memory.h"
#include "forest/shapley.h"
#include "forest/threads.h"

enum { BLOCK = 4096 };

/* what is known of the tree at work, and the memory of all threads */
typedef struct work {
    const hg_forest *f;
    int n_thread;
    const float *trained;
    const uint32_t *place;
    uint32_t *leaf;  /* shape (n_row): where a training row ends */
    uint8_t *copies; /* shape (n_row): in the bag */
    int64_t *total;  /* shape (leaves of a tree) */
    double *weight;  /* shape (nodes of a tree) */
    double *mean;    /* shape (nodes of a tree, n_target) */
    int *depth;      /* shape (nodes of a tree) */
    hg_covered_tree tree;
    hg_quadrature quadrature;
    hg_shapley *shapley; /* shape (n_thread) */
} work;

static hg_status
allocate(work *w)
{
    const hg_forest *f = w->f;
    size_t n_node = 0, n_leaf = 0;

    for (int t = 0; t < f->n_tree; t++) {
        const size_t nodes = f->node_offset[t + 1] - f->node_offset[t],
                     leaves = f->leaf_offset[t + 1] - f->leaf_offset[t];

        n_node = nodes > n_node ? nodes : n_node;
        n_leaf = leaves > n_leaf ? leaves : n_leaf;
    }
    HG_TRY(hg_mem_array(&w->leaf, (size_t)f->n_row, sizeof *w->leaf));
    HG_TRY(hg_mem_array(&w->copies, (size_t)f->n_row, sizeof *w->copies));
    HG_TRY(hg_mem_array(&w->total, n_leaf, sizeof *w->total));
    HG_TRY(hg_mem_array(&w->weight, n_node, sizeof *w->weight));
    HG_TRY(hg_mem_array(&w->mean, n_node * (size_t)f->n_target, sizeof *w->mean));
    HG_TRY(hg_mem_array(&w->depth, n_node, sizeof *w->depth));
    return hg_mem_zeros(&w->shapley, (size_t)w->n_thread, sizeof *w->shapley);
}

static void
free_work(work *w)
{
    hg_mem_free(w->leaf);
    hg_mem_free(w->copies);
    hg_mem_free(w->total);
    hg_mem_free(w->weight);
    hg_mem_free(w->mean);
    hg_mem_free(w->depth);
    for (int i = 0; i < w->n_thread && w->shapley != NULL; i++) {
        hg_shapley_clear(&w->shapley[i]);
    }
    hg_mem_free(w->shapley);
}

/* leaf and copies of every training row in tree t */
static void
route_rows(work *w, int t)
{
    const hg_forest *f = w->f;
    const uint64_t tree = (uint64_t)f->options.first_tree + (uint64_t)t;
    const int64_t n_block = (f->n_row + BLOCK - 1) / BLOCK;

#pragma omp parallel for num_threads(w->n_thread) schedule(static)
    for (int64_t b = 0; b < n_block; b++) {
        const int64_t first = b * BLOCK,
                      end = first + BLOCK < f->n_row ? first + BLOCK : f->n_row;

        hg_tree_route(f->node + f->node_offset[t], f->feature_bits, (size_t)(end - first),
                      w->trained, (size_t)f->n_feature, w->place + first, w->leaf + first);
        for (int64_t i = first; i < end; i++) {
            w->copies[i] = f->is_full[t] ? 1
                                         : hg_bag_copies(f->options.bag, f->options.seed, tree,
                                                         i, f->group[i]);
        }
    }
}

/* weights and means of nodes from those of leaves; a node stands before its children */
static void
sum_nodes(work *w, int t)
{
    const hg_forest *f = w->f;
    const hg_node *node = f->node + f->node_offset[t];
    const size_t nt = (size_t)f->n_target;

    for (size_t k = f->node_offset[t + 1] - f->node_offset[t]; k-- > 0;) {
        double *mean = w->mean + k * nt;
        const size_t child = node[k].link >> f->feature_bits;

        if (k == 1) {
            continue; /* unused */
        }
        if (hg_node_is_leaf(node[k])) {
            const uint32_t leaf = hg_leaf_number(node[k]);

            w->weight[k] = (double)w->total[leaf];
            for (size_t o = 0; o < nt; o++) {
                mean[o] = (double)f->mean[(f->leaf_offset[t] + leaf) * nt + o];
            }
            continue;
        }
        w->weight[k] = w->weight[child] + w->weight[child + 1];
        for (size_t o = 0; o < nt; o++) {
            mean[o] = (w->mean[child * nt + o] * w->weight[child] +
                       w->mean[(child + 1) * nt + o] * w->weight[child + 1]) /
                      w->weight[k];
        }
    }
}

/* the deepest leaf, and how many features the tree asks for */
static void
measure_shape(work *w, int t, int *depth, int *n_used)
{
    const hg_forest *f = w->f;
    const hg_node *node = f->node + f->node_offset[t];
    unsigned char is_used[HG_FEATURES_MAX] = {0};

    *depth = *n_used = 0;
    w->depth[0] = 0;
    for (size_t k = 0; k < f->node_offset[t + 1] - f->node_offset[t]; k++) {
        const size_t child = node[k].link >> f->feature_bits,
                     feature = node[k].link & ((1u << f->feature_bits) - 1);

        if (k == 1) {
            continue;
        }
        *depth = w->depth[k] > *depth ? w->depth[k] : *depth;
        if (!hg_node_is_leaf(node[k])) {
            w->depth[child] = w->depth[child + 1] = w->depth[k] + 1;
            *n_used += !is_used[feature];
            is_used[feature] = 1;
        }
    }
}

static hg_status
cover_tree(work *w, int t)
{
    const hg_forest *f = w->f;
    const size_t n_leaf = f->leaf_offset[t + 1] - f->leaf_offset[t];
    int depth, n_used;

    route_rows(w, t);
    memset(w->total, 0, n_leaf * sizeof *w->total);
    for (int64_t i = 0; i < f->n_row; i++) {
        w->total[w->leaf[i]] += (int64_t)f->weight[i] * w->copies[i];
    }
    for (size_t k = 0; k < n_leaf; k++) {
        if (w->total[k] == 0) {
            return HG_FAIL(HG_E_VERIFY,
                           "no row in the bag of tree %d reaches its leaf %zu: the rows are "
                           "not those that the model was trained on",
                           f->options.first_tree + t, k);
        }
    }
    sum_nodes(w, t);
    measure_shape(w, t, &depth, &n_used);
    w->tree = (hg_covered_tree){.node = f->node + f->node_offset[t],
                                .bits = f->feature_bits,
                                .n_feature = f->n_feature,
                                .n_target = f->n_target,
                                .depth = depth,
                                .weight = w->weight,
                                .mean = w->mean};
    n_used = n_used < depth ? n_used : depth;
    hg_quadrature_legendre(n_used > 0 ? (n_used + 1) / 2 : 1, &w->quadrature);
    return HG_OK;
}

static void
add_path(const hg_covered_tree *tree, const float x[], double value[])
{
    const size_t nt = (size_t)tree->n_target;
    size_t k = 0;

    while (!hg_node_is_leaf(tree->node[k])) {
        const hg_node node = tree->node[k];
        const size_t feature = node.link & ((1u << tree->bits) - 1),
                     child = (node.link >> tree->bits) + (x[feature] > node.t);

        for (size_t o = 0; o < nt; o++) {
            value[feature * nt + o] += tree->mean[child * nt + o] - tree->mean[k * nt + o];
        }
        k = child;
    }
}

static hg_status
explain_rows(work *w, int64_t n, const float x[], hg_attribution *result)
{
    const int64_t nf = w->f->n_feature, width = nf * w->f->n_target;

    for (int i = 0; i < w->n_thread && result->shapley != NULL; i++) {
        HG_TRY(hg_shapley_reserve(&w->shapley[i], &w->tree));
    }
#pragma omp parallel for num_threads(w->n_thread) schedule(dynamic, 1)
    for (int64_t i = 0; i < n; i++) {
        if (result->path != NULL) {
            add_path(&w->tree, x + i * nf, result->path + i * width);
        }
        if (result->shapley != NULL) {
            hg_shapley_add(&w->shapley[omp_get_thread_num()], &w->tree, &w->quadrature,
                           x + i * nf, result->shapley + i * width);
        }
    }
    return HG_OK;
}

static void
divide(int n_tree, size_t n, double value[])
{
    for (size_t i = 0; i < n && value != NULL; i++) {
        value[i] /= n_tree;
    }
}

hg_status
hg_forest_attribute(const hg_forest *f, int threads, const float trained[],
                    const uint32_t place[], int64_t n, const float x[], hg_attribution *result)
{
    work w = {.f = f, .n_thread = hg_threads(threads), .trained = trained, .place = place};
    const size_t nt = (size_t)f->n_target, all = (size_t)n * (size_t)f->n_feature * nt;
    hg_status status;

    if (f->is_on_disk) {
        return HG_FAIL(HG_E_ARG,
                       "a forest on disk explains nothing: load the file it was saved to");
    }
    memset(result->base, 0, nt * sizeof *result->base);
    if (result->path != NULL) {
        memset(result->path, 0, all * sizeof *result->path);
    }
    if (result->shapley != NULL) {
        memset(result->shapley, 0, all * sizeof *result->shapley);
    }
    status = allocate(&w);
    for (int t = 0; t < f->n_tree && status == HG_OK; t++) {
        status = cover_tree(&w, t);
        for (size_t o = 0; o < nt && status == HG_OK; o++) {
            result->base[o] += w.mean[o];
        }
        status = status == HG_OK ? explain_rows(&w, n, x, result) : status;
    }
    divide(f->n_tree, nt, result->base);
    divide(f->n_tree, all, result->path);
    divide(f->n_tree, all, result->shapley);
    free_work(&w);
    return status;
}

void
hg_forest_importance_error(const hg_forest *f, double error[])
{
    const size_t nf = (size_t)f->n_feature;
    const double n = f->n_tree;

    for (size_t k = 0; k < nf; k++) {
        double sum = 0, square = 0;

        for (int t = 0; t < f->n_tree; t++) {
            const double *gain = f->importance + (size_t)t * nf;
            double total = 0;

            for (size_t i = 0; i < nf; i++) {
                total += gain[i];
            }
            sum += total > 0 ? gain[k] / total : 0;
            square += total > 0 ? gain[k] / total * (gain[k] / total) : 0;
        }
        error[k] = n > 1 ? sqrt(fmax(0, square - sum * sum / n) / (n * (n - 1))) : (double)NAN;
    }
}
