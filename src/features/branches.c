/* Objects go to the rank that the label of their branch chooses, and doors, which lead from the
 * id of a halo to a label, to the rank that the halo chooses: looking up takes one exchange to
 * the door, one to the branch, and one back with the columns. */
#include "features/branches.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "features/tree_links.h"

typedef struct branch_row {
    int64_t label;
    hg_tree_row row;
} branch_row;

/* Where the branch of a halo is. */
typedef struct door {
    int64_t halo;
    int64_t label;
    double scale;
} door;

struct hg_branches {
    bool by_halo;
    int64_t n_row, n_door, n_broken;
    branch_row *row; /* by label, then time */
    door *door;      /* by halo, then time */
};

static int
by_label(const void *a, const void *b)
{
    const branch_row *x = a, *y = b;

    return x->label != y->label ? hg_tree_compare_ids(x->label, y->label)
                                : hg_tree_compare_reals(x->row.scale, y->row.scale);
}

static int
by_halo(const void *a, const void *b)
{
    const door *x = a, *y = b;

    return x->halo != y->halo     ? hg_tree_compare_ids(x->halo, y->halo)
           : x->scale != y->scale ? hg_tree_compare_reals(x->scale, y->scale)
                                  : hg_tree_compare_ids(x->label, y->label);
}

/* Bring the rows of each branch together, and the doors to where haloes are looked up. */
static hg_status
gather(const hg_comm *comm, const hg_tree_row row[], int64_t n, const int64_t label[],
       hg_branches *b)
{
    hg_status status = hg_mem_array(&b->row, (size_t)n, sizeof *b->row);

    if (status == HG_OK) {
        status = hg_mem_array(&b->door, (size_t)n, sizeof *b->door);
    }
    HG_TRY(hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        b->row[i] = (branch_row){label[i], row[i]};
        b->door[i] = (door){row[i].halo, label[i], row[i].scale};
    }
    b->n_row = b->n_door = n;
    HG_TRY(hg_tree_send(comm, sizeof *b->row, &b->n_row, &b->row));
    HG_TRY(hg_tree_send(comm, sizeof *b->door, &b->n_door, &b->door));
    hg_tree_sort(b->row, b->n_row, sizeof *b->row, by_label);
    hg_tree_sort(b->door, b->n_door, sizeof *b->door, by_halo);
    for (int64_t i = 1; i < b->n_door; i++) {
        if (b->door[i].halo == b->door[i - 1].halo && b->door[i].halo != HG_NO_LINK &&
            b->door[i].scale <= b->door[i - 1].scale) {
            return HG_FAIL(HG_E_INPUT,
                           "halo %" PRId64 " stands twice in the history at scale factor %.6g",
                           b->door[i].halo, b->door[i].scale);
        }
    }
    return HG_OK;
}

hg_status
hg_branches_make(const hg_comm *comm, hg_link_kind kind, bool look_by_halo, int64_t n,
                 hg_tree_row **row, hg_branches **branches)
{
    int64_t *label = NULL;
    hg_branches *b = NULL;
    hg_status status = hg_comm_agree(comm, hg_mem_zeros(&b, 1, sizeof *b));

    *branches = NULL;
    HG_TRY_OR(done, status, status);
    b->by_halo = look_by_halo;
    HG_TRY_OR(done, status, hg_tree_send(comm, sizeof **row, &n, row));
    status = hg_mem_array(&label, (size_t)n, sizeof *label);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_tree_labels(comm, kind, n, *row, label, &b->n_broken));
    status = hg_comm_agree(comm, gather(comm, *row, n, label, b));
done:
    hg_mem_free(*row);
    *row = NULL;
    hg_mem_free(label);
    if (status == HG_OK) {
        *branches = b;
    } else {
        hg_branches_free(b);
    }
    return status;
}

void
hg_branches_free(hg_branches *branches)
{
    if (branches != NULL) {
        hg_mem_free(branches->row);
        hg_mem_free(branches->door);
        hg_mem_free(branches);
    }
}

void
hg_branches_count(const hg_branches *branches, int64_t counts[])
{
    counts[0] = branches->n_row;
    counts[1] = 0;
    counts[2] = branches->n_broken;
    for (int64_t i = 0; i < branches->n_row; i++) {
        counts[1] += i == 0 || branches->row[i].label != branches->row[i - 1].label;
    }
}

/* A halo that is looked up: first by its id, then by the label of its branch. */
typedef struct search {
    int64_t id;
    int64_t index, rank;
    double scale;
} search;

/* The latest door of a halo that is not later than `scale`; NULL = none. */
static const door *
find_door(const hg_branches *b, int64_t halo, double scale)
{
    int64_t low = 0, high = b->n_door;
    const door *d;

    while (low < high) { /* the first one behind */
        const int64_t middle = low + (high - low) / 2;
        const door *m = &b->door[middle];

        if (m->halo < halo || (m->halo == halo && !(m->scale > scale * (1 + HG_SAME_TIME)))) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    d = low > 0 ? &b->door[low - 1] : NULL;
    return d == NULL || d->halo != halo || (b->by_halo && d->scale < scale * (1 - HG_SAME_TIME))
               ? NULL
               : d;
}

/* Rows of a branch up to a time. */
static int64_t
find_branch(const hg_branches *b, const search *s, int64_t *first)
{
    int64_t low = 0, high = b->n_row, n = 0;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (b->row[middle].label < s->id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *first = low;
    while (low + n < b->n_row && b->row[low + n].label == s->id &&
           b->row[low + n].row.scale <= s->scale) {
        n++;
    }
    return n;
}

/* Columns of one branch; `work` has room for scale factors and values. */
static void
fill_columns(const hg_branches *b, const search *s, hg_branch_fill *fill, const void *context,
             double *work, float out[])
{
    int64_t first;
    const int64_t n = find_branch(b, s, &first);

    for (int64_t i = 0; i < n; i++) {
        const hg_tree_row *row = &b->row[first + i].row;

        work[i] = row->scale;
        for (int v = 0; v < HG_BRANCH_VALUES; v++) {
            work[(v + 1) * n + i] = row->value[v];
        }
    }
    fill(context, (int)n, work, work + n, out);
}

static int64_t
longest_branch(const hg_branches *b)
{
    int64_t longest = 0;

    for (int64_t i = 0, n = 0; i < b->n_row; i++) {
        n = i > 0 && b->row[i].label == b->row[i - 1].label ? n + 1 : 1;
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* Bytes of a result: its index, then the columns. */
static size_t
result_size(int n_out)
{
    return sizeof(int64_t) + ((size_t)n_out + 1) / 2 * 2 * sizeof(float);
}

/* Fill columns of the haloes whose branches are here and send them to who asked. */
static hg_status
reply(const hg_comm *comm, const hg_branches *b, int64_t n, const search searches[],
      hg_branch_fill *fill, const void *context, int n_out, int64_t *n_got, char **got)
{
    const size_t size = result_size(n_out);
    char *result = NULL;
    int *target = NULL;
    double *work = NULL;
    hg_status status = hg_mem_zeros(&result, (size_t)n, size);

    if (status == HG_OK) {
        status = hg_mem_array(&target, (size_t)n, sizeof *target);
    }
    if (status == HG_OK) {
        status = hg_mem_array(&work, (size_t)longest_branch(b) * (HG_BRANCH_VALUES + 1),
                              sizeof *work);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        char *at = result + (size_t)i * size;

        memcpy(at, &searches[i].index, sizeof searches[i].index);
        fill_columns(b, &searches[i], fill, context, work,
                     (float *)(void *)(at + sizeof searches[i].index));
        target[i] = (int)searches[i].rank;
    }
    status = hg_comm_exchange(comm, n, size, result, target, n_got, got);
done:
    hg_mem_free(result);
    hg_mem_free(target);
    hg_mem_free(work);
    return status;
}

hg_status
hg_branches_ask(const hg_comm *comm, const hg_branches *branches, int64_t n,
                const int64_t halo[], double scale, hg_branch_fill *fill, const void *context,
                int n_out, float out[], int64_t *n_found)
{
    const double now = isnan(scale) ? HUGE_VAL : scale;
    search *searches = NULL;
    char *got = NULL;
    int64_t n_search = 0, n_here = 0;
    hg_status status = hg_mem_array(&searches, (size_t)n, sizeof *searches);

    *n_found = 0;
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        if (halo[i] != HG_NO_LINK) {
            searches[n_search++] = (search){halo[i], i, comm->rank, now};
        }
    }
    HG_TRY_OR(done, status, hg_tree_send(comm, sizeof *searches, &n_search, &searches));
    for (int64_t i = 0; i < n_search; i++) {
        const door *d = find_door(branches, searches[i].id, now);

        if (d != NULL) {
            searches[n_here] = searches[i];
            searches[n_here].id = d->label;
            searches[n_here++].scale = d->scale;
        }
    }
    HG_TRY_OR(done, status, hg_tree_send(comm, sizeof *searches, &n_here, &searches));
    HG_TRY_OR(done, status,
              reply(comm, branches, n_here, searches, fill, context, n_out, n_found, &got));
    for (int64_t i = 0; i < n * n_out; i++) {
        out[i] = NAN;
    }
    for (int64_t i = 0; i < *n_found; i++) {
        const char *at = got + (size_t)i * result_size(n_out);
        int64_t index;

        memcpy(&index, at, sizeof index);
        memcpy(out + index * n_out, at + sizeof index, (size_t)n_out * sizeof *out);
    }
done:
    hg_mem_free(searches);
    hg_mem_free(got);
    return status;
}
