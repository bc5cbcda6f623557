/* The copy of a tree from the memory in which it was grown, still in the cache, to its place is
 * the only one that ranks of a node make: pages of the model are touched once, and those trees
 * are grown in are used again and again. Ranks tell each other the sizes of their trees through
 * the block; none waits for another before it has grown its last. */
#include "forest/harvest.h"

#include <stdatomic.h>

#include "base/memory.h"
#include "forest/threads.h"

/* ---- who grows which tree ---- */
static uint32_t
reserved(int rank)
{
    return 2 * ((uint32_t)rank + 1);
}

static int
is_mine(const hg_harvest *h, int t)
{
    return atomic_load(&h->grown[t].owner) / 2 == reserved(h->rank) / 2;
}

/* the rank that has grown a tree, once all are */
static int
get_owner(const hg_harvest *h, int t)
{
    return (int)(atomic_load(&h->grown[t].owner) / 2) - 1;
}

int
hg_harvest_claim(hg_harvest *h, int t)
{
    const int first = h->checkpoint->first, last = h->checkpoint->last;

    for (t = t > first ? t : first; t < last && !atomic_load(&h->growth->is_halted); t++) {
        uint32_t owner = atomic_load(&h->grown[t].owner);

        if ((owner == 0 || owner == reserved(h->rank)) &&
            atomic_compare_exchange_strong(&h->grown[t].owner, &owner, reserved(h->rank) + 1)) {
            return t;
        }
    }
    return h->n_tree;
}

void
hg_harvest_halt(hg_harvest *h)
{
    atomic_store(&h->growth->is_halted, 1);
}

int
hg_harvest_done(const hg_harvest *h)
{
    return (int)atomic_load(&h->growth->n_done);
}

int
hg_harvest_wanted(const hg_harvest *h)
{
    int n = 0;

    for (int t = h->checkpoint->first; t < h->checkpoint->last; t++) {
        n += h->is_joint || is_mine(h, t);
    }
    return n;
}

/* ---- beginning and end ---- */
hg_status
hg_harvest_begin(int rank, int size, const hg_plan *plan, hg_checkpoint *checkpoint,
                 int only_parts, hg_harvest *h)
{
    const int n = plan->options.trees;

    *h = (hg_harvest){.plan = plan, .checkpoint = checkpoint, .n_tree = n, .next = rank};
    h->rank = rank;
    h->n_rank = h->step = size;
    h->is_open = size == 1;
    h->is_apart = only_parts;
    HG_TRY(hg_mem_zeros(&h->place, (size_t)n, sizeof *h->place));
    HG_TRY(hg_mem_zeros(&h->own, (size_t)n, sizeof *h->own));
    h->grown = h->own;
    h->growth = &h->own_growth;
    for (int t = 0; t < n; t++) {
        atomic_init(&h->own[t].owner, reserved(t % size));
    }
    return HG_OK;
}

void
hg_harvest_clear(const hg_comm *comm, hg_harvest *h)
{
    if (!h->is_joint) {
        hg_mem_free(h->node);
        hg_mem_free(h->mean);
        hg_mem_free(h->mate_offset);
        hg_mem_free(h->mate);
    }
    hg_mem_free(h->place);
    hg_mem_free(h->own);
    hg_tree_clear(&h->spare);
    hg_shared_clear(comm, &h->block);
    *h = (hg_harvest){0};
}

/* ---- the arrays of a thread ---- */
/* take the finished tree, with its arrays, out of a thread's memory */
static hg_tree
take_arrays(hg_space *space)
{
    hg_tree tree = {.n_node = (int64_t)space->n_node,
                    .n_leaf = (int64_t)space->n_leaf,
                    .n_mate = (int64_t)space->n_mate,
                    .node = space->node,
                    .mean = space->mean,
                    .count = space->count,
                    .mate = space->mate};

    space->node = NULL;
    space->mean = NULL;
    space->count = space->mate = NULL;
    return tree;
}

static void
give_arrays(hg_space *space, hg_tree *tree)
{
    space->node = tree->node;
    space->mean = tree->mean;
    space->count = tree->count;
    space->mate = tree->mate;
    tree->node = NULL;
    tree->mean = NULL;
    tree->count = tree->mate = NULL;
}

/* a tree of which nothing but its own bytes is kept, for one that stays apart */
static hg_status
copy_tree(const hg_plan *plan, const hg_space *space, hg_tree *tree)
{
    const size_t n_value = space->n_leaf * (size_t)plan->rule.n_target;

    *tree = (hg_tree){.n_node = (int64_t)space->n_node,
                      .n_leaf = (int64_t)space->n_leaf,
                      .n_mate = (int64_t)space->n_mate};
    HG_TRY(hg_mem_array(&tree->node, space->n_node, sizeof *tree->node));
    HG_TRY(hg_mem_array(&tree->mean, n_value, sizeof *tree->mean));
    HG_TRY(hg_mem_array(&tree->count, space->n_leaf, sizeof *tree->count));
    HG_TRY(hg_mem_array(&tree->mate, space->n_mate, sizeof *tree->mate));
    memcpy(tree->node, space->node, space->n_node * sizeof *tree->node);
    memcpy(tree->mean, space->mean, n_value * sizeof *tree->mean);
    memcpy(tree->count, space->count, space->n_leaf * sizeof *tree->count);
    if (space->n_mate > 0) {
        memcpy(tree->mate, space->mate, space->n_mate * sizeof *tree->mate);
    }
    return HG_OK;
}

/* ---- places ---- */
static int
is_ready(const hg_harvest *h, int t)
{
    return atomic_load_explicit(&h->grown[t].is_ready, memory_order_acquire) != 0;
}

static void
set_ready(hg_grown_tree *grown, hg_place_of_tree size)
{
    grown->size = size;
    atomic_store_explicit(&grown->is_ready, 1, memory_order_release);
}

/* room for n trees little larger than one of a size */
static void
set_room(hg_harvest *h, size_t n, hg_place_of_tree size)
{
    h->room.node = n * (size.node + size.node / 32 + 2);
    h->room.leaf = n * (size.leaf + size.leaf / 32 + 1);
    h->room.mate = n * (size.mate + size.mate / 32 + 1);
}

/* arrays for this rank's trees */
static hg_status
make_room(hg_harvest *h)
{
    const size_t n = (size_t)((h->n_tree - h->next + h->step - 1) / h->step);
    const size_t n_target = (size_t)h->plan->rule.n_target;

    set_room(h, n, h->grown[h->next].size);
    HG_TRY(hg_mem_array(&h->node, h->room.node, sizeof *h->node));
    HG_TRY(hg_mem_array(&h->mean, h->room.leaf * n_target, sizeof *h->mean));
    HG_TRY(hg_mem_array(&h->mate_offset, h->room.leaf + 1, sizeof *h->mate_offset));
    HG_TRY(hg_mem_array(&h->mate, h->room.mate, sizeof *h->mate));
    h->mate_offset[0] = 0;
    return HG_OK;
}

/* the next array of a block; at = NULL adds up what is needed */
static void *
next_array(char *block, size_t bytes, size_t *at)
{
    char *array = block != NULL ? block + *at : NULL;

    *at += (bytes + 63) / 64 * 64;
    return array;
}

/* place the arrays in a block; returns the bytes they take */
static size_t
lay_out(hg_harvest *h, char *block)
{
    const size_t n_value = h->room.leaf * (size_t)h->plan->rule.n_target;
    size_t at = 0;

    h->node = next_array(block, h->room.node * sizeof *h->node, &at);
    h->mate_offset = next_array(block, (h->room.leaf + 1) * sizeof *h->mate_offset, &at);
    h->mean = next_array(block, n_value * sizeof *h->mean, &at);
    h->mate = next_array(block, h->room.mate * sizeof *h->mate, &at);
    h->grown = next_array(block, (size_t)h->n_tree * sizeof *h->grown, &at);
    h->growth = next_array(block, sizeof *h->growth, &at);
    return at;
}

/* let ranks of the node, which are all there are, begin with an empty block; trees that are
 * grown, or loaded from part files, already remain with their ranks, the others are for anyone
 */
static void
join_ranks(const hg_comm *comm, hg_harvest *h)
{
    (void)lay_out(h, h->block.data);
    h->is_joint = 1;
    h->next = 0;
    h->step = 1;
    if (h->block.node.rank == 0) {
        memset(h->grown, 0, (size_t)h->n_tree * sizeof *h->grown);
        memset(h->growth, 0, sizeof *h->growth);
        h->mate_offset[0] = 0;
    }
    hg_shared_settle(comm, &h->block);
    for (int t = h->rank; t < h->n_tree; t += h->n_rank) {
        const uint32_t owner = atomic_load(&h->own[t].owner);

        if (owner != reserved(h->rank) || h->checkpoint->tree[t].node != NULL) {
            atomic_store(&h->grown[t].owner, owner);
        }
        if (h->own[t].is_ready) {
            set_ready(&h->grown[t], h->own[t].size);
        }
    }
    atomic_fetch_add(&h->growth->n_done, atomic_load(&h->own_growth.n_done));
    if (atomic_load(&h->own_growth.is_halted)) {
        hg_harvest_halt(h);
    }
    hg_shared_settle(comm, &h->block);
}

hg_status
hg_harvest_open(const hg_comm *comm, hg_harvest *h)
{
    int64_t most[3] = {0, 0, 0};
    hg_status status = HG_OK;

    h->is_open = 1;
    if (h->is_apart) {
        return HG_OK;
    }
    for (int t = h->rank; t < h->n_tree; t += h->n_rank) {
        const hg_place_of_tree *size = &h->grown[t].size;

        most[0] = (int64_t)size->node > most[0] ? (int64_t)size->node : most[0];
        most[1] = (int64_t)size->leaf > most[1] ? (int64_t)size->leaf : most[1];
        most[2] = (int64_t)size->mate > most[2] ? (int64_t)size->mate : most[2];
    }
    hg_comm_max(comm, 3, most);
    set_room(h, (size_t)h->n_tree,
             (hg_place_of_tree){(size_t)most[0], (size_t)most[1], (size_t)most[2]});
    status = hg_shared_create(comm, lay_out(h, NULL), &h->block);
    h->grown = h->own;
    h->growth = &h->own_growth;
    if (status != HG_OK) {
        h->is_apart = 1;
    } else if (h->block.is_shared && h->block.node.size == comm->size) {
        join_ranks(comm, h);
    } else {
        hg_shared_clear(comm, &h->block);
    }
    return status;
}

/* give places to the trees that are next; one thread at a time */
static hg_status
find_places(hg_harvest *h)
{
    for (; h->next < h->n_tree && h->is_open && !h->is_apart && is_ready(h, h->next);
         h->next += h->step) {
        const hg_place_of_tree *size = &h->grown[h->next].size;
        hg_place_of_tree *used = &h->used;

        if (h->node == NULL) {
            const hg_status status = make_room(h);

            if (status != HG_OK) {
                h->is_apart = 1; /* some arrays may stand; other threads must not fill them */
                return status;
            }
        }
        if (used->node + size->node > h->room.node || used->leaf + size->leaf > h->room.leaf ||
            used->mate + size->mate > h->room.mate) {
            h->is_apart = 1;
            return HG_OK;
        }
        h->place[h->next] = *used;
        used->node += size->node;
        used->leaf += size->leaf;
        used->mate += size->mate;
    }
    return HG_OK;
}

/* copy a tree to its place, of which it becomes a view; its arrays remain */
static hg_tree
fill_place(const hg_harvest *h, int t)
{
    const size_t n_target = (size_t)h->plan->rule.n_target;
    const hg_place_of_tree at = h->place[t];
    hg_tree *tree = &h->checkpoint->tree[t], arrays = *tree;
    uint64_t mate = at.mate;

    memcpy(h->node + at.node, tree->node, (size_t)tree->n_node * sizeof *tree->node);
    memcpy(h->mean + at.leaf * n_target, tree->mean,
           (size_t)tree->n_leaf * n_target * sizeof *tree->mean);
    if (tree->n_mate > 0) {
        memcpy(h->mate + at.mate, tree->mate, (size_t)tree->n_mate * sizeof *tree->mate);
    }
    for (size_t i = 0; i < (size_t)tree->n_leaf; i++) {
        mate += tree->count[i];
        h->mate_offset[at.leaf + i + 1] = mate;
    }
    tree->node = h->node + at.node;
    tree->is_view = 1;
    tree->mean = NULL;
    tree->count = tree->mate = NULL;
    arrays.importance = NULL;
    return arrays;
}

/* a thread that has no arrays gets these, else they wait for one */
static void
return_arrays(hg_harvest *h, hg_space *space, hg_tree *arrays)
{
    if (space->node == NULL) {
        give_arrays(space, arrays);
    }
#pragma omp critical(hg_forest_harvest)
    if (h->spare.node == NULL) {
        h->spare = *arrays;
        *arrays = (hg_tree){0};
    }
    hg_tree_clear(arrays);
}

static hg_status
find_arrays(hg_harvest *h, hg_space *space)
{
#pragma omp critical(hg_forest_harvest)
    if (space->node == NULL && h->spare.node != NULL) {
        give_arrays(space, &h->spare);
        h->spare = (hg_tree){0};
    }
    return space->node != NULL ? HG_OK : hg_space_make_tree(space, h->plan);
}

static hg_status
note(hg_checkpoint *checkpoint, int t)
{
    hg_status status;

#pragma omp critical(hg_forest_checkpoint)
    status = hg_checkpoint_note(checkpoint, t);
    return status;
}

/* fill those places from first to end that are of this rank's trees */
static hg_status
fill_places(hg_harvest *h, hg_space *space, int first, int end)
{
    for (int i = first; i < end; i += h->step) {
        if (is_mine(h, i)) {
            hg_tree arrays = fill_place(h, i);

            return_arrays(h, space, &arrays);
            HG_TRY(note(h->checkpoint, i));
        }
    }
    return HG_OK;
}

hg_status
hg_harvest_put(hg_harvest *h, hg_space *space, int t)
{
    const size_t n_feature = (size_t)h->plan->rule.n_feature;
    const hg_place_of_tree size = {space->n_node, space->n_leaf, space->n_mate};
    hg_tree *tree = &h->checkpoint->tree[t], grown;
    hg_status status;
    int first = 0, end = 0, is_apart;

#pragma omp critical(hg_forest_harvest)
    is_apart = h->is_apart;
    if (is_apart) {
        status = copy_tree(h->plan, space, &grown);
    } else {
        grown = take_arrays(space);
        status = HG_OK;
    }
    *tree = grown;
    HG_TRY(status);
    HG_TRY(hg_mem_array(&tree->importance, n_feature, sizeof *tree->importance));
    memcpy(tree->importance, space->importance, n_feature * sizeof *tree->importance);
#pragma omp critical(hg_forest_harvest)
    {
        set_ready(&h->grown[t], size);
        atomic_fetch_add(&h->growth->n_done, 1);
        first = h->next;
        status = find_places(h);
        end = h->next;
        is_apart = h->is_apart;
    }
    HG_TRY(status);
    HG_TRY(fill_places(h, space, first, end));
    if (is_apart) {
        HG_TRY(note(h->checkpoint, t));
    }
    return find_arrays(h, space);
}

hg_status
hg_harvest_settle(hg_harvest *h)
{
    hg_space none = {0};
    const int first = h->next;
    hg_status status = find_places(h);

    status = status != HG_OK ? status : fill_places(h, &none, first, h->next);
    for (int t = 0; t < h->n_tree && status == HG_OK; t++) {
        status = is_mine(h, t) && is_ready(h, t) ? note(h->checkpoint, t) : HG_OK;
    }
    hg_space_clear(&none);
    return status;
}

/* ---- into the forest ---- */
/* counts of all trees on all ranks */
static void
set_offsets(const hg_comm *comm, const hg_harvest *h, hg_forest *f, int64_t count[])
{
    const hg_tree *tree = h->checkpoint->tree;
    const int n_tree = f->n_tree;

    for (int t = 0; t < n_tree; t++) {
        const int here = is_mine(h, t);

        count[3 * t] = here ? tree[t].n_node : 0;
        count[3 * t + 1] = here ? tree[t].n_leaf : 0;
        count[3 * t + 2] = here ? tree[t].n_mate : 0;
    }
    hg_comm_sum(comm, 3 * (size_t)n_tree, count);
    for (int t = 0; t < n_tree; t++) {
        f->node_offset[t + 1] = f->node_offset[t] + (uint64_t)count[3 * t];
        f->leaf_offset[t + 1] = f->leaf_offset[t] + (uint64_t)count[3 * t + 1];
    }
}

/* all trees are in place already */
static void
give_all(const hg_comm *comm, hg_harvest *h, hg_forest *f)
{
    hg_shared_settle(comm, &h->block);
    f->block = h->block;
    f->node = h->node;
    f->mean = h->mean;
    f->mate_offset = h->mate_offset;
    f->mate = h->mate;
    h->block = (hg_shared){0};
    h->grown = h->own;
    h->growth = &h->own_growth;
    h->node = NULL;
    h->mean = NULL;
    h->mate_offset = NULL;
    h->mate = NULL;
}

/* copy a tree of this rank to where it belongs */
static void
copy_to_forest(const hg_harvest *h, int t, uint64_t mate, hg_forest *f)
{
    const hg_tree *tree = &h->checkpoint->tree[t];
    const size_t n_target = (size_t)f->n_target, n_leaf = (size_t)tree->n_leaf;
    const size_t leaf = f->leaf_offset[t];
    const hg_place_of_tree at = h->place[t];
    const float *mean = tree->is_view ? h->mean + at.leaf * n_target : tree->mean;
    const uint32_t *mates = tree->is_view ? h->mate + at.mate : tree->mate;
    const uint64_t *offset = h->mate_offset + at.leaf;

    memcpy(f->node + f->node_offset[t], tree->node, (size_t)tree->n_node * sizeof *f->node);
    memcpy(f->mean + leaf * n_target, mean, n_leaf * n_target * sizeof *f->mean);
    if (tree->n_mate > 0) {
        memcpy(f->mate + mate, mates, (size_t)tree->n_mate * sizeof *f->mate);
    }
    for (size_t i = 0; i < n_leaf; i++) {
        mate += tree->is_view ? offset[i + 1] - offset[i] : tree->count[i];
        f->mate_offset[leaf + i + 1] = mate;
    }
}

/* copy this rank's trees, by all threads, and give them to the other nodes; mate[t] is where
 * the leaf-mates of a tree begin */
static hg_status
exchange_trees(const hg_comm *comm, hg_harvest *h, const uint64_t mate[], hg_forest *f)
{
    const int threads = /* NOLINT: the analyser does not look into pragmas */
        h->plan->options.threads;
    hg_shared_piece *piece = NULL;
    hg_status status = hg_mem_array(&piece, 4 * (size_t)f->n_tree, sizeof *piece);

    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
#pragma omp parallel for schedule(dynamic, 1) num_threads(hg_threads(threads))
    for (int t = 0; t < f->n_tree; t++) {
        if (is_mine(h, t)) {
            copy_to_forest(h, t, mate[t], f);
        }
    }
    for (int t = 0; t < f->n_tree; t++) {
        hg_model_pieces(f, t, t + 1, mate[t], mate[t + 1] - mate[t], get_owner(h, t),
                        piece + 4 * (size_t)t);
    }
    status = hg_shared_spread(comm, 4 * (size_t)f->n_tree, piece, &f->block);
end:
    hg_mem_free(piece);
    return status;
}

hg_status
hg_harvest_share(const hg_comm *comm, hg_harvest *h, hg_forest *f)
{
    const size_t n_tree = (size_t)f->n_tree, n_feature = (size_t)f->n_feature;
    const hg_tree *tree = h->checkpoint->tree;
    hg_status status = HG_OK;
    int64_t *count = NULL;
    uint64_t *mate = NULL;

    status = hg_mem_array(&count, 3 * n_tree, sizeof *count);
    status = status != HG_OK ? status : hg_mem_zeros(&mate, n_tree + 1, sizeof *mate);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    set_offsets(comm, h, f, count);
    for (size_t t = 0; t < n_tree; t++) {
        mate[t + 1] = mate[t] + (uint64_t)count[3 * t + 2];
    }
    for (size_t t = 0; t < n_tree; t++) {
        double *importance = f->importance + t * n_feature;
        const int owner = get_owner(h, (int)t);

        if (owner == comm->rank) {
            memcpy(importance, tree[t].importance, n_feature * sizeof *importance);
        }
        hg_comm_broadcast(comm, owner, importance, n_feature * sizeof *importance);
    }
    if ((comm->size == 1 || h->is_joint) && h->next >= h->n_tree) {
        give_all(comm, h, f);
    } else {
        HG_TRY_OR(end, status, hg_model_reserve_shared(comm, f, mate[n_tree]));
        HG_TRY_OR(end, status, exchange_trees(comm, h, mate, f));
    }
end:
    hg_mem_free(count);
    hg_mem_free(mate);
    return status;
}
