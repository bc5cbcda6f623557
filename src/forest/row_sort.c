/* Rows are sorted by (group, key) over ranks by exact splitters: the pair that stands at each
 * boundary of the ranks' shares is found byte by byte, counting pairs below a candidate with a
 * binary search in each rank's sorted rows. The shares are then exactly equal,
 * whatever the distribution of the keys, which samples would not guarantee. Columns follow one
 * by one in bounded pieces straight to their places, so no second copy of the rows is ever
 * held. Keys that occur twice meet on the rank their hash names. */
#include "forest/row_sort.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/order.h"
#include "base/random.h"

enum { PIECE_BYTES = 1 << 20, LEVELS = 255 };

typedef struct hg_place {
    uint64_t group;
    uint64_t key;
    uint64_t row;
} hg_place;

static int
compare_places(const void *a, const void *b)
{
    const hg_place *x = a, *y = b;

    if (x->group != y->group) {
        return x->group > y->group ? 1 : -1;
    }
    return (x->key > y->key) - (x->key < y->key);
}

void
hg_sort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    const char *at = base;
    size_t i = 1;

    while (i < n && compare(at + (i - 1) * size, at + i * size) <= 0) {
        i++;
    }
    if (i < n) {
        qsort(base, n, size, compare);
    }
}

/* the order of unsigned numbers in that of signed ones, for sums over ranks */
static int64_t
to_signed(uint64_t x)
{
    x ^= (uint64_t)1 << 63;
    return x <= INT64_MAX ? (int64_t)x : (int64_t)(x - INT64_MAX - 1) + INT64_MIN;
}

static uint64_t
from_signed(int64_t x)
{
    return (uint64_t)x ^ (uint64_t)1 << 63;
}

/* a key must be unique over all groups, not only in its own */
static hg_status
check_duplicates(const hg_comm *comm, int64_t n, const uint64_t key[])
{
    hg_status status = HG_OK;
    int *target = NULL;
    uint64_t *got = NULL;
    int64_t n_got = 0, twice[2] = {INT64_MAX, 0};

    status = hg_mem_array(&target, (size_t)n, sizeof *target);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        target[i] = (int)(hg_mix64(key[i]) % (uint64_t)comm->size);
    }
    HG_TRY_OR(end, status, hg_comm_exchange(comm, n, sizeof *key, key, target, &n_got, &got));
    hg_sort(got, (size_t)n_got, sizeof *got, hg_order_u64);
    for (int64_t i = 1; i < n_got; i++) {
        if (got[i] == got[i - 1] && twice[1] == 0) {
            twice[0] = to_signed(got[i]);
            twice[1] = 1;
        }
    }
    hg_comm_min(comm, 1, &twice[0]);
    hg_comm_max(comm, 1, &twice[1]);
    if (twice[1]) {
        status = HG_FAIL(HG_E_INPUT,
                         "two training rows have the key %" PRIu64
                         ": is a file or a region listed twice",
                         from_signed(twice[0]));
    }
    status = hg_comm_agree(comm, status);
end:
    hg_mem_free(target);
    hg_mem_free(got);
    return status;
}

/* number of sorted pairs below (group, key), or not above it */
static int64_t
count_below(int64_t n, const hg_place place[], uint64_t group, uint64_t key, int or_equal)
{
    const hg_place wanted = {group, key, 0};
    int64_t low = 0, high = n;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (compare_places(&place[middle], &wanted) < or_equal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* One half of the search: the smallest value for which more than `target` pairs are not above
 * it; of the group with any key, or of the key in a known group. A byte at a time: the counts
 * of all but the highest of its values are summed over ranks at once. */
static void
search(const hg_comm *comm, int64_t n, const hg_place place[], int n_split,
       const int64_t target[], const uint64_t group[], uint64_t value[], int64_t count[])
{
    for (int s = 0; s < n_split; s++) {
        value[s] = 0;
    }
    for (int bit = 56; bit >= 0; bit -= 8) { /* `value` is what is known from the top */
        for (int i = 0; i < n_split * LEVELS; i++) {
            const int s = i / LEVELS;
            const uint64_t top = value[s] + (((uint64_t)(i % LEVELS) + 1) << bit) - 1;

            count[i] = group == NULL ? count_below(n, place, top, UINT64_MAX, 1)
                                     : count_below(n, place, group[s], top, 1);
        }
        hg_comm_sum(comm, (size_t)n_split * LEVELS, count);
        for (int s = 0; s < n_split; s++) {
            uint64_t byte = 0;

            while (byte < LEVELS && count[(uint64_t)s * LEVELS + byte] <= target[s]) {
                byte++;
            }
            value[s] += byte << bit;
        }
    }
}

/* how many of this rank's sorted rows go to each rank */
static hg_status
split_rows(const hg_comm *comm, int has_group, const hg_place place[], hg_route *r)
{
    const int n_split = comm->size - 1;
    int64_t *count = NULL, *target;
    uint64_t *group = NULL, *key;
    hg_status status = HG_OK;

    status = hg_mem_array(&count, (LEVELS + 1) * (size_t)comm->size, sizeof *count);
    status =
        status != HG_OK ? status : hg_mem_zeros(&group, 2 * (size_t)comm->size, sizeof *group);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    target = count + LEVELS * comm->size;
    key = group + comm->size;
    for (int s = 0; s < n_split; s++) {
        target[s] =
            r->n_all / comm->size * (s + 1) + r->n_all % comm->size * (s + 1) / comm->size;
    }
    if (has_group) {
        search(comm, r->n_from, place, n_split, target, NULL, group, count);
    }
    search(comm, r->n_from, place, n_split, target, group, key, count);
    for (int s = 0; s <= n_split; s++) {
        int64_t from = s == 0 ? 0 : count_below(r->n_from, place, group[s - 1], key[s - 1], 0);
        int64_t to =
            s == n_split ? r->n_from : count_below(r->n_from, place, group[s], key[s], 0);

        r->n_send[s] = to - from;
        r->n_most = to - from > r->n_most ? to - from : r->n_most;
    }
    hg_comm_max(comm, 1, &r->n_most);
end:
    hg_mem_free(count);
    hg_mem_free(group);
    return status;
}

/* each rank learns how many rows come from where */
static hg_status
count_arrivals(const hg_comm *comm, hg_route *r)
{
    int64_t *all = NULL;
    hg_status status;

    status = hg_mem_array(&all, (size_t)comm->size * (size_t)comm->size, sizeof *all);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    hg_comm_gather(comm, r->n_send, (size_t)comm->size * sizeof *r->n_send, all);
    for (int s = 0; s < comm->size; s++) {
        r->n_receive[s] = all[s * comm->size + comm->rank];
        r->n += r->n_receive[s];
    }
    r->first = hg_comm_prefix(comm, r->n);
end:
    hg_mem_free(all);
    return status;
}

static hg_status
sort_local(int64_t n, const uint64_t group[], const uint64_t key[], hg_place **place)
{
    HG_TRY(hg_mem_array(place, (size_t)n, sizeof **place));
    for (int64_t i = 0; i < n; i++) {
        (*place)[i] = (hg_place){group != NULL ? group[i] : 0, key[i], (uint64_t)i};
    }
    hg_sort(*place, (size_t)n, sizeof **place, compare_places);
    return HG_OK;
}

/* the rows that came, sorted: their places, groups and keys */
static hg_status
sort_arrivals(const uint64_t pair[], hg_route *r, uint64_t **groups, uint64_t **keys)
{
    hg_place *place = NULL;

    HG_TRY(hg_mem_array(&place, (size_t)r->n, sizeof *place));
    for (int64_t i = 0; i < r->n; i++) {
        place[i] = (hg_place){pair[2 * i], pair[2 * i + 1], (uint64_t)i};
    }
    hg_sort(place, (size_t)r->n, sizeof *place, compare_places);
    for (int64_t i = 0; i < r->n; i++) {
        (*groups)[i] = place[i].group;
        (*keys)[i] = place[i].key;
        r->place[place[i].row] = (uint32_t)i;
    }
    hg_mem_free(place);
    return HG_OK;
}

/* exchange the pairs themselves and sort those that came */
static hg_status
exchange_pairs(const hg_comm *comm, hg_place **place, hg_route *r, uint64_t **groups,
               uint64_t **keys)
{
    hg_status status = HG_OK;
    uint64_t *send = NULL, *got = NULL;

    status = hg_mem_array(&r->order, (size_t)r->n_from, sizeof *r->order);
    status =
        status != HG_OK ? status : hg_mem_array(&send, 2 * (size_t)r->n_from, sizeof *send);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < r->n_from; i++) {
        r->order[i] = (uint32_t)(*place)[i].row;
        send[2 * i] = (*place)[i].group;
        send[2 * i + 1] = (*place)[i].key;
    }
    hg_mem_free(*place);
    *place = NULL;
    status = hg_mem_array(&r->place, (size_t)r->n, sizeof *r->place);
    status = status != HG_OK ? status : hg_mem_array(&got, 2 * (size_t)r->n, sizeof *got);
    status = status != HG_OK ? status : hg_mem_array(groups, (size_t)r->n, sizeof **groups);
    status = status != HG_OK ? status : hg_mem_array(keys, (size_t)r->n, sizeof **keys);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int s = 0; s < comm->size; s++) {
        r->n_send[s] *= 2 * (int64_t)sizeof *send;
        r->n_receive[s] *= 2 * (int64_t)sizeof *send;
    }
    hg_comm_alltoall(comm, send, r->n_send, got, r->n_receive);
    for (int s = 0; s < comm->size; s++) {
        r->n_send[s] /= 2 * (int64_t)sizeof *send;
        r->n_receive[s] /= 2 * (int64_t)sizeof *send;
    }
    hg_mem_free(send);
    send = NULL;
    status = hg_comm_agree(comm, sort_arrivals(got, r, groups, keys));
end:
    hg_mem_free(send);
    hg_mem_free(got);
    return status;
}

/* the rows of the only rank stay where they are, in their order */
static hg_status
keep_pairs(hg_place **place, hg_route *r, uint64_t **groups, uint64_t **keys)
{
    const size_t n = (size_t)r->n_from;

    r->n = r->n_from;
    HG_TRY(hg_mem_array(&r->order, n, sizeof *r->order));
    HG_TRY(hg_mem_array(groups, n, sizeof **groups));
    HG_TRY(hg_mem_array(keys, n, sizeof **keys));
    for (size_t i = 0; i < n; i++) {
        r->order[i] = (uint32_t)(*place)[i].row;
        (*groups)[i] = (*place)[i].group;
        (*keys)[i] = (*place)[i].key;
    }
    hg_mem_free(*place);
    *place = NULL;
    return HG_OK;
}

static hg_status
count_rows(const hg_comm *comm, hg_route *r)
{
    r->n_all = r->n_from;
    hg_comm_sum(comm, 1, &r->n_all);
    if (r->n_all == 0) {
        return HG_FAIL(HG_E_INPUT, "there are no training rows");
    }
    if (r->n_all > (int64_t)UINT32_MAX - 1) {
        return HG_FAIL(HG_E_INPUT, "%" PRId64 " training rows are more than 2^32 - 2",
                       r->n_all);
    }
    HG_TRY(hg_mem_zeros(&r->n_send, (size_t)comm->size, sizeof *r->n_send));
    return hg_mem_zeros(&r->n_receive, (size_t)comm->size, sizeof *r->n_receive);
}

hg_status
hg_route_create(const hg_comm *comm, int threads, int64_t n, int has_group,
                const uint64_t group[], const uint64_t key[], hg_route *r, uint64_t **groups,
                uint64_t **keys)
{
    hg_status status = HG_OK;
    hg_place *place = NULL;

    *r = (hg_route){.n_from = n, .threads = threads};
    *groups = *keys = NULL;
    HG_TRY_OR(fail, status, hg_comm_agree(comm, count_rows(comm, r)));
    HG_TRY_OR(fail, status, check_duplicates(comm, n, key));
    HG_TRY_OR(fail, status,
              hg_comm_agree(comm, sort_local(n, has_group ? group : NULL, key, &place)));
    if (comm->size == 1) {
        HG_TRY_OR(fail, status, keep_pairs(&place, r, groups, keys));
        return HG_OK;
    }
    HG_TRY_OR(fail, status, split_rows(comm, has_group, place, r));
    HG_TRY_OR(fail, status, count_arrivals(comm, r));
    HG_TRY_OR(fail, status, exchange_pairs(comm, &place, r, groups, keys));
    return HG_OK;

fail:
    hg_mem_free(place);
    hg_mem_free(*groups);
    hg_mem_free(*keys);
    *groups = *keys = NULL;
    hg_route_clear(r);
    return status;
}

/* rows of a block of n that fall into piece k of at most m */
static int64_t
piece_of(int64_t n, int64_t k, int64_t m)
{
    return n <= k * m ? 0 : n - k * m < m ? n - k * m : m;
}

hg_status
hg_route_column(const hg_comm *comm, const hg_route *r, size_t size, const void *from, void *to,
                size_t stride)
{
    const size_t n_rank = (size_t)comm->size;
    const size_t fit = (size_t)PIECE_BYTES / (size * n_rank);
    const int64_t m = r->n_most < (int64_t)fit ? (r->n_most > 0 ? r->n_most : 1)
                      : fit > 0                ? (int64_t)fit
                                               : 1;
    char *send = NULL, *got = NULL, *base = to;
    int64_t *bytes = NULL;
    hg_status status;

    if (comm->size == 1) {
#pragma omp parallel for num_threads(r->threads)
        for (int64_t i = 0; i < r->n; i++) {
            memcpy(base + (size_t)i * stride, (const char *)from + r->order[i] * size, size);
        }
        return HG_OK;
    }
    status = hg_mem_array(&send, n_rank * (size_t)m, size);
    status = status != HG_OK ? status : hg_mem_array(&got, n_rank * (size_t)m, size);
    status = status != HG_OK ? status : hg_mem_array(&bytes, 2 * n_rank, sizeof *bytes);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int64_t k = 0; k * m < r->n_most; k++) {
        char *at = send;

        for (int64_t s = 0, row = 0; s < comm->size; row += r->n_send[s++]) {
            const int64_t n = piece_of(r->n_send[s], k, m);

            for (int64_t i = 0; i < n; i++, at += size) {
                memcpy(at, (const char *)from + r->order[row + k * m + i] * size, size);
            }
            bytes[s] = n * (int64_t)size;
            bytes[comm->size + s] = piece_of(r->n_receive[s], k, m) * (int64_t)size;
        }
        hg_comm_alltoall(comm, send, bytes, got, bytes + comm->size);
        at = got;
        for (int64_t s = 0, row = 0; s < comm->size; row += r->n_receive[s++]) {
            const int64_t n = piece_of(r->n_receive[s], k, m);

            for (int64_t i = 0; i < n; i++, at += size) {
                memcpy(base + r->place[row + k * m + i] * stride, at, size);
            }
        }
    }
end:
    hg_mem_free(send);
    hg_mem_free(got);
    hg_mem_free(bytes);
    return status;
}

void
hg_route_clear(hg_route *r)
{
    hg_mem_free(r->n_send);
    hg_mem_free(r->n_receive);
    hg_mem_free(r->order);
    hg_mem_free(r->place);
    *r = (hg_route){0};
}
