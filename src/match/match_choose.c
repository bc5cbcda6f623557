/* Votes go to the rank of the first object's id, which marks its choice, then to the second's.
 */
#include "match/match_choose.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "match/match_compare.h"

int
hg_match_rank(int size, uint64_t key)
{
    return (int)(hg_mix64(key) % (uint64_t)size);
}

static int
compare_votes(const void *x, const void *y)
{
    const hg_match_vote *a = x, *b = y;

    HG_COMPARE(a->pair.key[0], b->pair.key[0])
    HG_COMPARE(a->pair.key[1], b->pair.key[1])
    return 0;
}

/* The best choice of an object of side 1 stands first among its votes. */
static int
compare_choices(const void *x, const void *y)
{
    const hg_match_vote *a = x, *b = y;

    HG_COMPARE(a->pair.key[1], b->pair.key[1])
    HG_COMPARE(b->weight[1], a->weight[1])
    HG_COMPARE(a->pair.key[0], b->pair.key[0])
    return 0;
}

static int64_t
merge_votes(int64_t n, hg_match_vote vote[])
{
    int64_t to = 0;

    if (n > 0) {
        qsort(vote, (size_t)n, sizeof *vote, compare_votes);
    }
    for (int64_t i = 0; i < n; i++) {
        if (to > 0 && compare_votes(&vote[to - 1], &vote[i]) == 0) {
            for (int s = 0; s < 2; s++) {
                vote[to - 1].weight[s] += vote[i].weight[s];
                vote[to - 1].pair.shared[s] += vote[i].pair.shared[s];
            }
        } else {
            vote[to++] = vote[i];
        }
    }
    return to;
}

hg_status
hg_match_gather(const hg_comm *comm, int side, int64_t *n, hg_match_vote **vote)
{
    hg_match_vote *got = NULL;
    int *target = NULL;
    int64_t n_got = 0;
    hg_status status;

    *n = merge_votes(*n, *vote);
    status = hg_comm_agree(comm, hg_mem_array(&target, (size_t)*n, sizeof *target));
    if (status == HG_OK) {
        for (int64_t i = 0; i < *n; i++) {
            target[i] = hg_match_rank(comm->size, (uint64_t)(*vote)[i].pair.key[side]);
        }
        status = hg_comm_exchange(comm, *n, sizeof **vote, *vote, target, &n_got, &got);
    }
    hg_mem_free(target);
    hg_mem_free(*vote);
    *vote = got;
    *n = merge_votes(n_got, got);
    return status;
}

/* Each first object chooses; votes are in order of its key, then of the second's. */
static void
choose_first(int64_t n, hg_match_vote vote[])
{
    for (int64_t i = 0, end; i < n; i = end) {
        int64_t best = i;

        for (end = i; end < n && vote[end].pair.key[0] == vote[i].pair.key[0]; end++) {
            best = vote[end].weight[0] > vote[best].weight[0] ? end : best;
        }
        vote[best].chosen = vote[best].weight[0] > 0;
    }
}

/* Each second object chooses; what both have chosen is kept. */
static int64_t
choose_second(int64_t n, hg_match_vote vote[])
{
    int64_t to = 0, last = -1;

    if (n > 0) {
        qsort(vote, (size_t)n, sizeof *vote, compare_choices);
    }
    for (int64_t i = 0; i < n; i++) {
        const bool is_best = i == 0 || vote[i].pair.key[1] != last;

        last = vote[i].pair.key[1];
        if (is_best && vote[i].chosen && vote[i].weight[1] > 0) {
            vote[to++] = vote[i];
        }
    }
    if (to > 0) {
        qsort(vote, (size_t)to, sizeof *vote, compare_votes);
    }
    return to;
}

hg_status
hg_match_choose(const hg_comm *comm, int64_t *n, hg_match_vote **vote)
{
    HG_TRY(hg_match_gather(comm, 0, n, vote));
    choose_first(*n, *vote);
    HG_TRY(hg_match_gather(comm, 1, n, vote));
    *n = choose_second(*n, *vote);
    return HG_OK;
}
