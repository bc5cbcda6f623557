#include "mpi_fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "match/match_bound.h"

MPI_SUITE(match_bound);

enum { N = 600, LENGTH = 80 };

static const hg_match_bound_options usual = {
    .most = 50, .least = 10, .shared = 0.5, .rank_slope = 2.0 / 3};

/* Objects of one side before they are dealt out. */
typedef struct world_side {
    int64_t key[N];
    int n[N];
    uint64_t id[N][LENGTH];
} world_side;

/* Side 0 holds LENGTH particles per object; side 1 lost one in four of them to the object
 * after it, and has other ids of particles (2 x) and of objects (5000 - i), with odd ids
 * between.
 */
static void
make_sides(world_side *a, world_side *b)
{
    memset(a, 0, sizeof *a);
    memset(b, 0, sizeof *b);
    for (int i = 0; i < N; i++) {
        a->key[i] = 1000 + i;
        b->key[i] = 5000 - i;
    }
    for (int pass = 0; pass < 2; pass++) { /* an object's own particles are bound most */
        for (int i = 0; i < N * LENGTH; i++) {
            const uint64_t id = (hg_mix64((uint64_t)i) >> 2) | 1;
            const int from = i / LENGTH, k = i % LENGTH,
                      to = k % 4 == 3 ? (from + 1) % N : from;

            if (pass == 0) {
                a->id[from][a->n[from]++] = id;
            }
            if ((k % 4 == 3) == pass) {
                b->id[to][b->n[to]++] = k % 9 == 8 ? 2 * id + 1 : 2 * id;
            }
        }
    }
}

/* Objects in the order of `seed`, dealt to ranks unevenly. */
static void
deal(const hg_comm *comm, const world_side *side, uint64_t seed, hg_members *m)
{
    int order[N], n = 0;

    for (int i = 0; i < N; i++) {
        order[i] = i;
    }
    for (int i = N - 1; i > 0; i--) {
        const int j = (int)(hg_mix64(seed + (uint64_t)i) % (uint64_t)(i + 1)), t = order[i];

        order[i] = order[j];
        order[j] = t;
    }
    *m = (hg_members){0};
    cr_assert_eq(hg_mem_zeros(&m->key, N, sizeof *m->key), HG_OK);
    cr_assert_eq(hg_mem_zeros(&m->first, N + 1, sizeof *m->first), HG_OK);
    cr_assert_eq(hg_mem_zeros(&m->id, (size_t)N * LENGTH, sizeof *m->id), HG_OK);
    for (int k = 0; k < N; k++) {
        const int i = order[k];

        if (k * k % (comm->size + 1) % comm->size != comm->rank) {
            continue;
        }
        m->key[n] = side->key[i];
        memcpy(m->id + m->first[n], side->id[i], (size_t)side->n[i] * sizeof *m->id);
        m->first[n + 1] = m->first[n] + side->n[i];
        n++;
    }
    m->n = n;
}

static hg_status
match(const hg_comm *comm, const world_side *a, const world_side *b, uint64_t seed,
      const hg_match_bound_options *options, int64_t *n, hg_match_pair **all)
{
    hg_members side[2];
    hg_match_pair *pairs = NULL;
    int64_t n_pair = 0;
    hg_status status;

    *n = 0;
    *all = NULL;
    deal(comm, a, seed, &side[0]);
    deal(comm, b, seed + 77, &side[1]);
    status = hg_match_bound(comm, side, options, &n_pair, &pairs);
    if (status == HG_OK) {
        status = hg_comm_gather_rows(comm, n_pair, sizeof *pairs, pairs, n, all);
    }
    hg_mem_free(pairs);
    hg_members_clear(&side[0]);
    hg_members_clear(&side[1]);
    return status;
}

static int
by_key(const void *x, const void *y)
{
    const hg_match_pair *a = x, *b = y;

    return a->key[0] < b->key[0] ? -1 : a->key[0] > b->key[0];
}

Test(match_bound, twins_with_lost_particles_are_found_in_any_order)
{
    static world_side a, b;
    hg_match_bound_options options = usual;
    uint64_t first = 0;

    make_sides(&a, &b);
    cr_assert_eq(hg_id_rule_parse("even | / 2", &options.rule[1]), HG_OK);
    for (int size = 1; size <= world.size; size++) {
        hg_comm part;
        hg_match_pair *pairs = NULL;
        int64_t n = 0;
        uint64_t hash;

        cr_assert_eq(hg_comm_split(&world, world.rank < size ? 0 : -1, &part), HG_OK);
        for (uint64_t seed = 0; seed < 3 && part.size > 0; seed++) {
            cr_assert_eq(match(&part, &a, &b, seed, &options, &n, &pairs), HG_OK);
            cr_assert_eq(n, N);
            qsort(pairs, (size_t)n, sizeof *pairs, by_key);
            for (int i = 0; i < N; i++) {
                cr_assert_eq(pairs[i].key[0], 1000 + i);
                cr_assert_eq(pairs[i].key[1], 5000 - i);
                cr_assert_eq(pairs[i].given[0], 50);
                /* of the first 50, one in 4 went away and one in 9 became gas; of both, one
                 * in 36 */
                cr_assert_eq(pairs[i].shared[0], 50 - 12 - 5 + 1);
            }
            hash = hg_hash_bytes(pairs, (size_t)n * sizeof *pairs);
            first = first == 0 ? hash : first;
            cr_assert_eq(hash, first, "size %d seed %d", size, (int)seed);
            hg_mem_free(pairs);
        }
        hg_comm_clear(&part);
    }
    hg_comm_barrier(&world);
}

/* An object that swallowed two others belongs to the one that gives its core; objects without a
 * partner, with too few particles, or whose particles were scattered stay alone; equal votes go
 * to the smaller id whatever the order. */
Test(match_bound, merged_missing_small_and_tied_objects)
{
    static world_side a, b;
    hg_match_pair *pairs = NULL;
    int64_t n = 0;

    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    for (int i = 0; i < N; i++) {
        a.key[i] = i;
        b.key[i] = 10000 + i;
    }
    for (int k = 0; k < 40; k++) { /* 0 and 1 merged into 10000, core of 0 first */
        a.id[0][k] = b.id[0][k] = (uint64_t)(100 + k);
        a.id[1][k] = b.id[0][40 + k] = (uint64_t)(200 + k);
    }
    a.n[0] = a.n[1] = 40;
    b.n[0] = 80;
    for (int k = 0; k < 9; k++) { /* 2: one particle too few */
        a.id[2][k] = b.id[2][k] = (uint64_t)(300 + k);
    }
    a.n[2] = b.n[2] = 9;
    for (int k = 0; k < 40; k++) { /* 3: scattered over 10003 .. 10006 */
        a.id[3][k] = b.id[3 + k % 4][k / 4] = (uint64_t)(400 + k);
    }
    a.n[3] = 40;
    b.n[3] = b.n[4] = b.n[5] = b.n[6] = 10;
    for (int k = 0; k < 20; k++) { /* 7 and 8 hold the same particles, in 10007 */
        a.id[7][k] = a.id[8][k] = b.id[7][k] = (uint64_t)(500 + k);
    }
    a.n[7] = a.n[8] = b.n[7] = 20;
    for (int k = 0; k < 30; k++) { /* 9: a particle listed twice has one vote */
        a.id[9][k] = (uint64_t)(600 + k / 2);
        b.id[9][k] = (uint64_t)(600 + k);
    }
    a.n[9] = b.n[9] = 30;
    for (uint64_t seed = 0; seed < 4; seed++) {
        cr_assert_eq(match(&world, &a, &b, seed, &usual, &n, &pairs), HG_OK);
        qsort(pairs, (size_t)n, sizeof *pairs, by_key);
        cr_assert_eq(n, 3);
        cr_assert(pairs[0].key[0] == 0 && pairs[0].key[1] == 10000);
        cr_assert(pairs[0].shared[0] == 40 && pairs[0].given[0] == 40);
        cr_assert(pairs[0].shared[1] == 40 && pairs[0].given[1] == 50);
        cr_assert(pairs[1].key[0] == 7 && pairs[1].key[1] == 10007);
        cr_assert(pairs[2].key[0] == 9 && pairs[2].shared[0] == 15);
        hg_mem_free(pairs);
    }
}

Test(match_bound, failures_are_the_same_everywhere)
{
    static world_side a, b;
    hg_match_pair *pairs = NULL;
    int64_t n = 0;
    const int64_t used = hg_mem_used();
    fault_loop f = {.on_each = true};

    make_sides(&a, &b);
    b.key[3] = b.key[4];
    cr_assert_eq(match(&world, &a, &b, 1, &usual, &n, &pairs), HG_E_INPUT);
    cr_assert(strstr(hg_error_last()->message, "4996") != NULL);
    make_sides(&a, &b);
    while (fault_next(&f)) {
        fault_status(&f, match(&world, &a, &b, 1, &usual, &n, &pairs));
        hg_mem_free(pairs);
        all_assert(hg_mem_used() == used);
    }
    all_assert(f.n_failed > 4 * world.size);
}
