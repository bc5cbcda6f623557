/** The canonical order of rows that lie on many ranks, and the way of their columns into it.
 * Layer: forest. */
#ifndef HG_FOREST_ROW_SORT_H
#define HG_FOREST_ROW_SORT_H

#include "halograft/comm.h"

/** Where each row of this rank goes, and where each row that comes stands; {0} is empty,
 * release with hg_route_clear(). */
typedef struct hg_route {
    int64_t n_from;     /**< rows of this rank as given */
    int64_t n;          /**< rows of this rank in canonical order */
    int64_t first;      /**< canonical number of the first of them */
    int64_t n_all;      /**< rows of all ranks */
    int64_t n_most;     /**< most rows from one rank to another, over all pairs */
    int64_t *n_send;    /**< shape (size): rows to each rank */
    int64_t *n_receive; /**< shape (size) */
    uint32_t *order;    /**< shape (n_from): rows as given, by rank they go to */
    uint32_t *place;    /**< shape (n): place of each row in the order of arrival; NULL on one
                           rank, whose rows come in theirs */
    int threads;        /**< that move columns on one rank */
} hg_route;

/** Sort the rows of all ranks by (group, key); rank r gets the canonical rows n_all r / size to
 * n_all (r + 1) / size - 1.
 *
 * @collective{comm}
 * @param[in]  threads    that move columns
 * @param[in]  has_group  whether there are groups, the same on all ranks; else all count as 0
 * @param[in]  group  shape (n)
 * @param[in]  key    shape (n)
 * @param[out] route  release with hg_route_clear(); empty on failure
 * @param[out] groups shape (route->n) in canonical order; owned, free with hg_mem_free()
 * @param[out] keys   the same
 * @return HG_OK; HG_E_INPUT for the smallest key that occurs twice, for no rows or too many;
 * HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_route_create(const hg_comm *comm, int threads, int64_t n,
                                        int has_group, const uint64_t group[],
                                        const uint64_t key[], hg_route *route,
                                        uint64_t **groups, uint64_t **keys);

/** Send a column on its way, in bounded pieces.
 *
 * @collective{comm}
 * @param[in]  size    bytes of an element, the same on all ranks
 * @param[in]  from    shape (n_from), rows as given
 * @param[out] to      shape (n), elements `stride` bytes apart, canonical order
 * @param[in]  stride  bytes, at least size
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_route_column(const hg_comm *comm, const hg_route *route, size_t size,
                                        const void *from, void *to, size_t stride);

/** Sort as qsort() does, after a look whether that is needed: rows often come in order.
 *
 * @local
 */
void hg_sort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

/** Release a route; an empty one is fine.
 *
 * @local
 */
void hg_route_clear(hg_route *route);

#endif
