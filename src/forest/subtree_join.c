/* The whole tree from its top and its jobs. Pairs of nodes and leaves are numbered depth first,
 * left before right, as one process numbers them while it grows the tree: a walk over the top
 * gives each job its first pair and its first leaf, and a job's nodes are its own with these
 * added. */
#include <inttypes.h>

#include "base/memory.h"
#include "forest/subtree.h"

/* numbers of nodes and leaves of each job, and its root as a node of its own tree */
typedef struct hg_size {
    int64_t n_node;
    int64_t n_leaf;
    int64_t root;
} hg_size;

/* a node of the top and where it stands in the tree */
typedef struct hg_visit {
    int top;
    uint32_t node;
} hg_visit;

typedef struct hg_joint {
    const hg_plan *plan;
    const hg_top *top;
    const hg_jobs *jobs;
    const hg_size *size;
    hg_tree *tree;
    uint32_t n_node, n_leaf;
    uint32_t *pair; /* shape (n_node of the top): first pair of a job */
    uint32_t *leaf; /* first leaf of a job */
} hg_joint;

static hg_status
share_sizes(const hg_comm *comm, const hg_jobs *jobs, hg_size **size)
{
    HG_TRY(hg_comm_agree(comm, hg_mem_zeros(size, (size_t)jobs->n, sizeof **size)));
    for (int j = 0; j < jobs->n; j++) {
        const hg_job *job = &jobs->job[j];

        if (job->rank == comm->rank) {
            (*size)[j].n_node = job->n_node;
            (*size)[j].n_leaf = job->n_leaf;
            memcpy(&(*size)[j].root, &job->nodes[0], sizeof(int64_t));
        }
    }
    if (jobs->n > 0) { /* the same on all ranks */
        hg_comm_sum(comm, 3 * (size_t)jobs->n, &(*size)[0].n_node);
    }
    return HG_OK;
}

/* a node of a job as a node of the tree: `self` is its place there */
static hg_node
shift_node(const hg_plan *plan, hg_node node, uint32_t self, uint32_t pair, uint32_t leaf)
{
    const int bits = plan->feature_bits;
    const uint32_t feature = node.link & ((1u << bits) - 1);

    if (hg_node_is_leaf(node)) {
        return (hg_node){hg_leaf_nan((hg_leaf_number(node) + leaf) & HG_LEAF_MASK),
                         self << bits};
    }
    return (hg_node){node.t, ((node.link >> bits) - 2 + pair) << bits | feature};
}

/* one node of the top; returns whether its children follow */
static int
visit_node(hg_joint *j, hg_visit v)
{
    const hg_top_node *node = &j->top->node[v.top];
    const int bits = j->plan->feature_bits;
    hg_node root;

    if (node->kind == HG_TOP_INNER) {
        j->tree->node[v.node] =
            (hg_node){node->threshold, j->n_node << bits | (uint32_t)node->feature};
        return 1;
    }
    if (node->kind == HG_TOP_LEAF) {
        j->tree->node[v.node] =
            (hg_node){hg_leaf_nan(j->n_leaf++ & HG_LEAF_MASK), v.node << bits};
        return 0;
    }
    j->pair[v.top] = j->n_node;
    j->leaf[v.top] = j->n_leaf;
    memcpy(&root, &j->size[node->tag].root, sizeof root);
    j->tree->node[v.node] = shift_node(j->plan, root, v.node, j->n_node, j->n_leaf);
    j->n_node += (uint32_t)j->size[node->tag].n_node - 2;
    j->n_leaf += (uint32_t)j->size[node->tag].n_leaf;
    return 0;
}

/* number everything; the stack holds right children that wait */
static void
walk_top(hg_joint *j, hg_visit stack[])
{
    int height = 1;

    stack[0] = (hg_visit){0, 0};
    j->n_node = 2;
    while (height > 0) {
        const hg_visit v = stack[--height];

        if (visit_node(j, v)) {
            const int child = j->top->node[v.top].child;

            stack[height++] = (hg_visit){child + 1, j->n_node + 1};
            stack[height++] = (hg_visit){child, j->n_node};
            j->n_node += 2;
        }
    }
}

/* the nodes of the jobs, each from the rank that grew it */
static void
fill_jobs(const hg_comm *comm, const hg_joint *j)
{
    for (int k = 0; k < j->top->n_node; k++) {
        const hg_top_node *node = &j->top->node[k];
        const hg_job *job = node->kind == HG_TOP_JOB ? &j->jobs->job[node->tag] : NULL;
        const uint32_t first = j->pair[k];
        size_t n;

        if (job == NULL) {
            continue;
        }
        n = (size_t)j->size[node->tag].n_node - 2;
        for (size_t i = 0; i < n && job->rank == comm->rank; i++) {
            j->tree->node[first + i] =
                shift_node(j->plan, job->nodes[i + 2], first + (uint32_t)i, first, j->leaf[k]);
        }
        if (n > 0) {
            hg_comm_broadcast(comm, job->rank, j->tree->node + first, n * sizeof(hg_node));
        }
    }
}

/* sizes of the tree, against the limits of its layout */
static hg_status
make_tree(const hg_joint *j, hg_tree *tree)
{
    const int64_t limit = ((int64_t)1 << (32 - j->plan->feature_bits)) - 2;

    *tree = (hg_tree){.n_node = 2};
    for (int k = 0; k < j->top->n_node; k++) {
        const hg_top_node *node = &j->top->node[k];

        tree->n_node += node->kind == HG_TOP_INNER ? 2
                        : node->kind == HG_TOP_JOB ? j->size[node->tag].n_node - 2
                                                   : 0;
        tree->n_leaf += node->kind == HG_TOP_LEAF  ? 1
                        : node->kind == HG_TOP_JOB ? j->size[node->tag].n_leaf
                                                   : 0;
    }
    if (tree->n_node > limit || tree->n_leaf > HG_LEAF_MASK - 1) {
        return HG_FAIL(HG_E_ARG,
                       "a tree has more than %" PRId64 " nodes or %d leaves: raise min_leaf",
                       limit, HG_LEAF_MASK);
    }
    HG_TRY(hg_mem_zeros(&tree->node, (size_t)tree->n_node, sizeof *tree->node));
    return hg_mem_zeros(&tree->importance, (size_t)j->plan->rule.n_feature,
                        sizeof *tree->importance);
}

hg_status
hg_jobs_join(const hg_comm *comm, const hg_plan *plan, int t, const hg_top *top,
             const hg_jobs *jobs, hg_tree *tree)
{
    const size_t n_top = (size_t)top->n_node, n_feature = (size_t)plan->rule.n_feature;
    hg_joint j = {.plan = plan, .top = top, .jobs = jobs, .tree = tree};
    hg_status status = HG_OK;
    hg_visit *stack = NULL;
    hg_size *size = NULL;

    *tree = (hg_tree){0};
    HG_TRY_OR(end, status, share_sizes(comm, jobs, &size));
    j.size = size;
    status = make_tree(&j, tree);
    status = status != HG_OK ? status : hg_mem_array(&stack, n_top + 1, sizeof *stack);
    status = status != HG_OK ? status : hg_mem_zeros(&j.pair, n_top, sizeof *j.pair);
    status = status != HG_OK ? status : hg_mem_zeros(&j.leaf, n_top, sizeof *j.leaf);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    tree->node[1] = (hg_node){hg_leaf_nan(0), 1u << plan->feature_bits};
    walk_top(&j, stack);
    fill_jobs(comm, &j);
    memcpy(tree->importance, jobs->importance + (size_t)t * n_feature,
           n_feature * sizeof *tree->importance);
    hg_comm_sum_double(comm, n_feature, tree->importance); /* exact, see hg_gain() */
    for (size_t f = 0; f < n_feature; f++) {
        tree->importance[f] += top->importance[f];
    }
end:
    hg_mem_free(size);
    hg_mem_free(stack);
    hg_mem_free(j.pair);
    hg_mem_free(j.leaf);
    return status;
}
