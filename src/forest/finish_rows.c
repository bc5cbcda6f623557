/* All rows are routed through the tree where they are. Sums of leaves are summed over ranks as
 * one dense array, which every rank needs for its out-of-bag rows anyway. Leaf-mates go to the
 * rank that owns their leaf, window of leaves by window, so that buffers stay bounded; a rank
 * sends of a leaf no more than the cap, with the lowest keyed words, since no other can be
 * kept. Owners merge, cap again, and hand the lists to rank 0 in the order of leaves. */
#include "forest/finish_rows.h"

#include <inttypes.h>

#include "base/memory.h"

enum { WINDOW_ROWS = 1 << 17, WINDOW_SHARE = 32, BLOCK = 4096 };

/* a row in a leaf, on its way to the leaf's owner */
typedef struct hg_mate {
    uint32_t leaf;
    uint32_t row;
    uint32_t weight;
} hg_mate;

/* a list of leaf-mates, leaf by leaf */
typedef struct hg_list {
    int64_t n_leaf;
    int64_t n_mate;
    uint32_t *count;
    uint32_t *mate;
    uint32_t *weight;
} hg_list;

/* one tree over this rank's rows */
typedef struct hg_finish {
    const hg_plan *plan;
    const hg_top *top;
    const hg_tree *tree;
    uint32_t *leaf_of; /* shape (n) */
    uint32_t *order;   /* shape (n): rows of this rank, leaf by leaf */
    uint32_t *begin;   /* shape (n_leaf + 1): where each leaf begins in order */
    int64_t *sum;      /* shape (n_leaf, n_target + 1) */
} hg_finish;

static void
clear_list(hg_list *list)
{
    hg_mem_free(list->count);
    hg_mem_free(list->mate);
    hg_mem_free(list->weight);
    *list = (hg_list){0};
}

static uint32_t
weight_of(const hg_finish *s, int64_t i)
{
    return s->top->copies[i] * (s->plan->weight != NULL ? s->plan->weight[i] : 1);
}

/* ---- leaves and means ---- */
static void
route_rows(const hg_finish *s)
{
    const hg_plan *plan = s->plan;

#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < plan->n; b += BLOCK) {
        const int64_t n = plan->n - b < BLOCK ? plan->n - b : BLOCK;

        hg_tree_route(s->tree->node, plan->feature_bits, (size_t)n,
                      &plan->row[(size_t)b * plan->rule.stride].f, plan->rule.stride, NULL,
                      s->leaf_of + b);
    }
}

static void
sum_leaves(const hg_comm *comm, const hg_finish *s)
{
    const hg_plan *plan = s->plan;
    const size_t n_target = (size_t)plan->rule.n_target;

    for (int64_t i = 0; i < plan->n; i++) {
        const hg_word *q = plan->row + (size_t)i * plan->rule.stride + plan->rule.n_feature;
        int64_t *sum = s->sum + s->leaf_of[i] * (n_target + 1);
        const int64_t w = weight_of(s, i);

        for (size_t o = 0; o < n_target; o++) {
            sum[o] += q[o].i * w;
        }
        sum[n_target] += w;
    }
    hg_comm_sum(comm, (size_t)s->tree->n_leaf * (n_target + 1), s->sum);
}

/* turn sums into means in 1/256 quanta, and keep the means themselves on rank 0 */
static hg_status
set_means(const hg_comm *comm, const hg_finish *s, hg_spill *spill)
{
    const size_t n_target = (size_t)s->plan->rule.n_target;
    hg_status status = HG_OK;
    float *mean = NULL;

    HG_TRY(hg_mem_array(&mean, BLOCK * n_target, sizeof *mean));
    for (int64_t b = 0; b < s->tree->n_leaf && status == HG_OK; b += BLOCK) {
        const int64_t n = s->tree->n_leaf - b < BLOCK ? s->tree->n_leaf - b : BLOCK;

        for (int64_t i = 0; i < n && status == HG_OK; i++) {
            int64_t *sum = s->sum + (size_t)(b + i) * (n_target + 1), oob[HG_TARGETS_MAX];

            if (sum[n_target] <= 0) {
                status = HG_FAIL(HG_E_VERIFY, "tree %" PRIu64 " has a leaf without rows",
                                 s->top->number);
                break;
            }
            hg_leaf_set(s->plan, sum, mean + (size_t)i * n_target, oob);
            memcpy(sum, oob, n_target * sizeof *sum);
        }
        if (comm->rank == 0 && status == HG_OK) {
            status = hg_spill_append(spill, HG_SPILL_MEAN, (size_t)n * n_target * sizeof *mean,
                                     mean);
        }
    }
    hg_mem_free(mean);
    return status;
}

static void
add_oob(const hg_finish *s, int64_t oob_sum[], int64_t oob_trees[])
{
    const size_t n_target = (size_t)s->plan->rule.n_target;

    for (int64_t i = 0; i < s->plan->n; i++) {
        if (s->top->copies[i] == 0) {
            const int64_t *mean = s->sum + s->leaf_of[i] * (n_target + 1);

            oob_trees[i]++;
            for (size_t o = 0; o < n_target; o++) {
                oob_sum[(size_t)i * n_target + o] += mean[o];
            }
        }
    }
}

/* ---- leaf-mates ---- */
/* rows by leaf: a counting sort */
static void
sort_rows(const hg_finish *s)
{
    const int64_t n_leaf = s->tree->n_leaf;
    uint32_t at = 0;

    memset(s->begin, 0, ((size_t)n_leaf + 1) * sizeof *s->begin);
    for (int64_t i = 0; i < s->plan->n; i++) {
        s->begin[s->leaf_of[i]]++;
    }
    for (int64_t l = 0; l <= n_leaf; l++) {
        const uint32_t n = s->begin[l];

        s->begin[l] = at;
        at += n;
    }
    for (int64_t i = 0; i < s->plan->n; i++) {
        s->order[s->begin[s->leaf_of[i]]++] = (uint32_t)i;
    }
    for (int64_t l = n_leaf; l > 0; l--) { /* each begins where the one before ended */
        s->begin[l] = s->begin[l - 1];
    }
    s->begin[0] = 0;
}

/* this rank's rows of leaves first to last - 1, at most the cap of each */
static hg_status
list_window(int n_rank, const hg_finish *s, int64_t first, int64_t last, hg_mate **list,
            int **target, int64_t *n)
{
    const uint32_t n_row = s->begin[last] - s->begin[first];
    const size_t cap = (size_t)s->plan->options.leaf_mates_max;
    uint32_t *row = NULL;
    hg_status status = HG_OK;

    *n = 0;
    HG_TRY_OR(end, status, hg_mem_array(list, n_row, sizeof **list));
    HG_TRY_OR(end, status, hg_mem_array(target, n_row, sizeof **target));
    HG_TRY_OR(end, status, hg_mem_array(&row, n_row, sizeof *row));
    for (int64_t l = first; l < last; l++) {
        size_t m = s->begin[l + 1] - s->begin[l];

        for (size_t i = 0; i < m; i++) {
            row[i] = (uint32_t)s->plan->first + s->order[s->begin[l] + i];
        }
        if (m > cap) {
            HG_TRY_OR(end, status, hg_leaf_sample(s->plan, s->top->number, m, row, cap, row));
            m = cap;
        }
        for (size_t i = 0; i < m; i++, (*n)++) {
            (*list)[*n] =
                (hg_mate){(uint32_t)l, row[i], weight_of(s, (int64_t)row[i] - s->plan->first)};
            (*target)[*n] = (int)((l - first) * n_rank / (last - first));
        }
    }
end:
    hg_mem_free(row);
    return status;
}

/* the weights of the rows that were kept of a leaf; both lists ascend */
static void
keep_weights(size_t n, const uint32_t row[], uint32_t weight[], size_t n_kept,
             const uint32_t kept[])
{
    size_t at = 0;

    for (size_t i = 0; i < n && at < n_kept; i++) {
        if (row[i] == kept[at]) {
            weight[at++] = weight[i];
        }
    }
}

/* Sort what came for leaves first to first + n_leaf - 1, stably, so that rows ascend in each
 * leaf: senders come in the order of their rows. */
static hg_status
merge_window(const hg_finish *s, int64_t first, int64_t n_leaf, int64_t n, const hg_mate got[],
             hg_list *list)
{
    const size_t cap = (size_t)s->plan->options.leaf_mates_max;
    uint32_t *begin = NULL, *kept = NULL;
    hg_status status = HG_OK;
    uint32_t at = 0;

    list->n_leaf = n_leaf;
    HG_TRY_OR(end, status, hg_mem_zeros(&begin, (size_t)n_leaf + 1, sizeof *begin));
    HG_TRY_OR(end, status, hg_mem_array(&kept, cap, sizeof *kept));
    HG_TRY_OR(end, status, hg_mem_zeros(&list->count, (size_t)n_leaf, sizeof *list->count));
    HG_TRY_OR(end, status, hg_mem_array(&list->mate, (size_t)n, sizeof *list->mate));
    HG_TRY_OR(end, status, hg_mem_array(&list->weight, (size_t)n, sizeof *list->weight));
    for (int64_t i = 0; i < n; i++) {
        list->count[got[i].leaf - (uint32_t)first]++;
    }
    for (int64_t l = 0; l < n_leaf; l++) {
        begin[l] = at;
        at += list->count[l];
    }
    for (int64_t i = 0; i < n; i++) {
        const uint32_t to = begin[got[i].leaf - (uint32_t)first]++;

        list->mate[to] = got[i].row;
        list->weight[to] = got[i].weight;
    }
    at = 0;
    for (int64_t l = 0; l < n_leaf; l++) {
        const size_t m = list->count[l];
        uint32_t *mate = list->mate + (begin[l] - m), *weight = list->weight + (begin[l] - m);

        if (m > cap) {
            HG_TRY_OR(end, status, hg_leaf_sample(s->plan, s->top->number, m, mate, cap, kept));
            keep_weights(m, mate, weight, cap, kept);
            memcpy(mate, kept, cap * sizeof *kept);
            list->count[l] = (uint32_t)cap;
        }
        memmove(list->mate + at, mate, list->count[l] * sizeof *mate);
        memmove(list->weight + at, weight, list->count[l] * sizeof *weight);
        at += list->count[l];
    }
    list->n_mate = at;
end:
    hg_mem_free(begin);
    hg_mem_free(kept);
    return status;
}

/* where the leaf-mates of each leaf end */
static hg_status
spill_offsets(hg_spill *spill, const hg_list *list)
{
    uint64_t *offset = NULL, at = (uint64_t)spill->bytes[HG_SPILL_MATE] / sizeof *list->mate;
    hg_status status;

    HG_TRY(hg_mem_array(&offset, (size_t)list->n_leaf + 1, sizeof *offset));
    offset[0] = 0; /* in front of the first leaf of all */
    for (int64_t l = 0; l < list->n_leaf; l++) {
        at += list->count[l];
        offset[l + 1] = at;
    }
    status = spill->bytes[HG_SPILL_OFFSET] == 0
                 ? hg_spill_append(spill, HG_SPILL_OFFSET, sizeof *offset, offset)
                 : HG_OK;
    status = status != HG_OK
                 ? status
                 : hg_spill_append(spill, HG_SPILL_OFFSET,
                                   (size_t)list->n_leaf * sizeof *offset, offset + 1);
    hg_mem_free(offset);
    return status;
}

static hg_status
spill_list(hg_spill *spill, const hg_list *list)
{
    HG_TRY(spill_offsets(spill, list));
    HG_TRY(hg_spill_append(spill, HG_SPILL_COUNT, (size_t)list->n_leaf * 4, list->count));
    HG_TRY(hg_spill_append(spill, HG_SPILL_MATE, (size_t)list->n_mate * 4, list->mate));
    return hg_spill_append(spill, HG_SPILL_BAG, (size_t)list->n_mate * 4, list->weight);
}

/* the owners' lists to rank 0, in the order of leaves */
static hg_status
hand_over(const hg_comm *comm, const hg_list *mine, hg_spill *spill, int64_t *n_mate)
{
    const int64_t size[2] = {mine->n_leaf, mine->n_mate};
    int64_t *all = NULL, most[2] = {0, 0};
    hg_list other = {0};
    hg_status status;

    status = hg_mem_array(&all, 2 * (size_t)comm->size, sizeof *all);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    hg_comm_gather(comm, size, sizeof size, all);
    for (int r = 0; r < comm->size; r++) {
        *n_mate += all[2 * r + 1];
        for (int k = 0; k < 2; k++) {
            most[k] = all[2 * r + k] > most[k] ? all[2 * r + k] : most[k];
        }
    }
    if (comm->rank == 0) {
        status = hg_mem_array(&other.count, (size_t)most[0], sizeof *other.count);
        status = status != HG_OK
                     ? status
                     : hg_mem_array(&other.mate, (size_t)most[1], sizeof *other.mate);
        status = status != HG_OK
                     ? status
                     : hg_mem_array(&other.weight, (size_t)most[1], sizeof *other.weight);
        status = status != HG_OK ? status : spill_list(spill, mine);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    if (comm->rank > 0) {
        hg_comm_send(comm, 0, mine->count, (size_t)size[0] * 4);
        hg_comm_send(comm, 0, mine->mate, (size_t)size[1] * 4);
        hg_comm_send(comm, 0, mine->weight, (size_t)size[1] * 4);
    }
    for (int r = 1; r < comm->size && comm->rank == 0; r++) {
        other.n_leaf = all[2 * r];
        other.n_mate = all[2 * r + 1];
        hg_comm_receive(comm, r, other.count, (size_t)other.n_leaf * 4);
        hg_comm_receive(comm, r, other.mate, (size_t)other.n_mate * 4);
        hg_comm_receive(comm, r, other.weight, (size_t)other.n_mate * 4);
        status = status != HG_OK ? status : spill_list(spill, &other);
    }
    status = hg_comm_agree(comm, status);
end:
    hg_mem_free(all);
    clear_list(&other);
    return status;
}

/* lists of leaves first to last - 1 */
static hg_status
do_window(const hg_comm *comm, const hg_finish *s, int64_t first, int64_t last, hg_spill *spill,
          int64_t *n_mate)
{
    const int64_t w = last - first; /* of which this rank owns those with l * size / w = rank */
    const int64_t low = (w * comm->rank + comm->size - 1) / comm->size;
    const int64_t high = (w * (comm->rank + 1) + comm->size - 1) / comm->size;
    hg_mate *send = NULL, *got = NULL;
    hg_list list = {0};
    int *target = NULL;
    int64_t n = 0, n_got = 0;
    hg_status status;

    status = list_window(comm->size, s, first, last, &send, &target, &n);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    HG_TRY_OR(end, status, hg_comm_exchange(comm, n, sizeof *send, send, target, &n_got, &got));
    status = merge_window(s, first + low, high - low, n_got, got, &list);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    status = hand_over(comm, &list, spill, n_mate);
end:
    hg_mem_free(send);
    hg_mem_free(got);
    hg_mem_free(target);
    clear_list(&list);
    return status;
}

hg_status
hg_finish_tree(const hg_comm *comm, const hg_plan *plan, const hg_top *top, hg_tree *tree,
               hg_spill *spill, int64_t oob_sum[], int64_t oob_trees[])
{
    const size_t n = (size_t)plan->n, n_leaf = (size_t)tree->n_leaf;
    hg_finish s = {.plan = plan, .top = top, .tree = tree};
    int64_t n_all = plan->n, window, rows;
    hg_status status;

    hg_comm_sum(comm, 1, &n_all);
    rows = n_all / WINDOW_SHARE < (int64_t)WINDOW_ROWS * comm->size
               ? n_all / WINDOW_SHARE
               : (int64_t)WINDOW_ROWS * comm->size;
    window = (int64_t)((double)n_leaf / (double)n_all * (double)rows);
    window = window < comm->size ? comm->size : window;
    status = hg_mem_array(&s.leaf_of, n, sizeof *s.leaf_of);
    status = status != HG_OK ? status
                             : hg_mem_zeros(&s.sum, n_leaf * (size_t)(plan->rule.n_target + 1),
                                            sizeof *s.sum);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    route_rows(&s);
    sum_leaves(comm, &s);
    status = set_means(comm, &s, spill);
    if (status == HG_OK && comm->rank == 0) {
        status = hg_spill_append(spill, HG_SPILL_NODE,
                                 (size_t)tree->n_node * sizeof *tree->node, tree->node);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    add_oob(&s, oob_sum, oob_trees);
    hg_mem_free(s.sum);
    s.sum = NULL;
    status = hg_mem_array(&s.order, n, sizeof *s.order);
    status = status != HG_OK ? status : hg_mem_array(&s.begin, n_leaf + 1, sizeof *s.begin);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    sort_rows(&s);
    tree->n_mate = 0;
    for (int64_t first = 0; first < tree->n_leaf; first += window) {
        const int64_t last = first + window < tree->n_leaf ? first + window : tree->n_leaf;

        HG_TRY_OR(end, status, do_window(comm, &s, first, last, spill, &tree->n_mate));
    }
end:
    hg_mem_free(s.leaf_of);
    hg_mem_free(s.sum);
    hg_mem_free(s.order);
    hg_mem_free(s.begin);
    return status;
}
