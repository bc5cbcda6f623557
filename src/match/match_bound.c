/* Particles go to the rank that their id hashes to, where those of both sides meet and vote.
 * Each step sorts what it got by keys that are unique, and weights are integers, so nothing
 * depends on who sent what. A vote is for an object, not for a candidate near in place or mass:
 * no search radius is needed, and haloes that moved are found. */
#include "match/match_bound.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"
#include "match/match_compare.h"

/* A particle on its way to the rank of its id. */
typedef struct particle_row {
    uint64_t id;
    int64_t key;   /* of its object */
    int32_t place; /* rank of binding from 0 among the kept; `most` for all that have no vote */
    int32_t given; /* voters of its object */
    int64_t side;
} particle_row;

static int
compare_particles(const void *x, const void *y)
{
    const particle_row *a = x, *b = y;

    HG_COMPARE(a->id, b->id)
    HG_COMPARE(a->side, b->side)
    HG_COMPARE(a->key, b->key)
    HG_COMPARE(a->place, b->place)
    return 0;
}

/* Particles of one object; `given` is known once its voters are counted. */
static int64_t
list_object(const hg_members *m, int64_t i, int side, const hg_match_bound_options *o,
            particle_row row[])
{
    int64_t n = 0;
    int32_t given;

    for (int64_t k = m->first[i]; k < m->first[i + 1]; k++) {
        uint64_t id = m->id[k];

        if (hg_id_rule_apply(&o->rule[side], &id)) {
            row[n] = (particle_row){.id = id,
                                    .key = m->key[i],
                                    .place = (int32_t)(n < o->most ? n : o->most),
                                    .side = side};
            n++;
        }
    }
    given = (int32_t)(n < o->most ? n : o->most);
    for (int64_t k = 0; k < n; k++) {
        row[k].given = given;
    }
    return n;
}

/* Particles of both sides on the rank of their ids, sorted. */
static hg_status
meet_particles(const hg_comm *comm, const hg_members side[2], const hg_match_bound_options *o,
               int64_t *n_got, particle_row **got)
{
    particle_row *row = NULL;
    int *target = NULL;
    int64_t room = 0, n = 0;
    hg_status status;

    for (int s = 0; s < 2; s++) {
        room += side[s].n > 0 ? side[s].first[side[s].n] - side[s].first[0] : 0;
    }
    status = hg_mem_array(&row, (size_t)room, sizeof *row);
    if (status == HG_OK) {
        status = hg_mem_array(&target, (size_t)room, sizeof *target);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int s = 0; s < 2; s++) {
        for (int64_t i = 0; i < side[s].n; i++) {
            n += list_object(&side[s], i, s, o, row + n);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        target[i] = hg_match_rank(comm->size, row[i].id);
    }
    HG_TRY_OR(done, status, hg_comm_exchange(comm, n, sizeof *row, row, target, n_got, got));
    if (*n_got > 0) {
        qsort(*got, (size_t)*n_got, sizeof **got, compare_particles);
    }
done:
    hg_mem_free(row);
    hg_mem_free(target);
    return status;
}

/* Weights in units of 2^-32 of the most bound particle's. */
static hg_status
make_weights(const hg_match_bound_options *o, int64_t **weight)
{
    HG_TRY(hg_mem_zeros(weight, (size_t)o->most + 1, sizeof **weight));
    for (int k = 0; k < o->most; k++) {
        (*weight)[k] = llround(0x1p32 * pow(k + 1, -o->rank_slope));
    }
    return HG_OK; /* the last one stays 0: no vote */
}

static bool
is_repeated(const particle_row *row)
{
    return row[-1].id == row[0].id && row[-1].side == row[0].side && row[-1].key == row[0].key;
}

/* One vote for each pair of objects that both hold a particle, when it counts for either. */
static int64_t
list_votes(int64_t n, const particle_row row[], int most, const int64_t weight[],
           hg_match_vote vote[])
{
    int64_t n_vote = 0;

    for (int64_t i = 0, end; i < n; i = end) {
        int64_t middle = i;

        for (end = i; end < n && row[end].id == row[i].id; end++) {
            middle += row[end].side == 0;
        }
        for (int64_t a = i; a < middle; a++) {
            for (int64_t b = middle; b < end; b++) {
                const particle_row *p[2] = {&row[a], &row[b]};
                hg_match_vote v = {0};

                if ((p[0]->place == most && p[1]->place == most) ||
                    (a > i && is_repeated(p[0])) || (b > middle && is_repeated(p[1]))) {
                    continue;
                }
                for (int s = 0; s < 2 && vote != NULL; s++) {
                    v.pair.key[s] = p[s]->key;
                    v.pair.given[s] = p[s]->given;
                    v.pair.shared[s] = p[s]->place < most;
                    v.weight[s] = weight[p[s]->place];
                }
                if (vote != NULL) {
                    vote[n_vote] = v;
                }
                n_vote++;
            }
        }
    }
    return n_vote;
}

static bool
is_enough(const hg_match_pair *pair, const hg_match_bound_options *o)
{
    for (int s = 0; s < 2; s++) {
        if (pair->shared[s] < o->least ||
            (double)pair->shared[s] < o->shared * (double)pair->given[s]) {
            return false;
        }
    }
    return true;
}

/* The pairs among those chosen by both sides that share enough. */
static hg_status
accept_pairs(int64_t n, const hg_match_vote vote[], const hg_match_bound_options *o,
             int64_t *n_pair, hg_match_pair **pairs)
{
    HG_TRY(hg_mem_array(pairs, (size_t)n, sizeof **pairs));
    for (int64_t i = 0; i < n; i++) {
        if (is_enough(&vote[i].pair, o)) {
            (*pairs)[(*n_pair)++] = vote[i].pair;
        }
    }
    return HG_OK;
}

/* Ids of objects must be unique, else two objects would vote as one. */
static hg_status
check_keys(const hg_comm *comm, const hg_members *m)
{
    int64_t n_got = 0, *got = NULL;
    int *target = NULL;
    hg_status status = hg_mem_array(&target, (size_t)m->n, sizeof *target);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < m->n; i++) {
        target[i] = hg_match_rank(comm->size, (uint64_t)m->key[i]);
    }
    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, m->n, sizeof *m->key, m->key, target, &n_got, &got));
    if (n_got > 0) {
        qsort(got, (size_t)n_got, sizeof *got, hg_order_i64);
    }
    for (int64_t i = 1; i < n_got && status == HG_OK; i++) {
        if (got[i] == got[i - 1]) {
            status =
                HG_FAIL(HG_E_INPUT, "object %" PRId64 " has two lists of particles", got[i]);
        }
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(got);
    hg_mem_free(target);
    return status;
}

static hg_status
collect_votes(const hg_comm *comm, const hg_members side[2], const hg_match_bound_options *o,
              int64_t *n, hg_match_vote **vote)
{
    particle_row *row = NULL;
    int64_t n_row = 0, *weight = NULL;
    hg_status status;

    HG_TRY_OR(done, status, meet_particles(comm, side, o, &n_row, &row));
    status = make_weights(o, &weight);
    if (status == HG_OK) {
        *n = list_votes(n_row, row, o->most, weight, NULL);
        status = hg_mem_array(vote, (size_t)*n, sizeof **vote);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    list_votes(n_row, row, o->most, weight, *vote);
done:
    hg_mem_free(row);
    hg_mem_free(weight);
    return status;
}

hg_status
hg_match_bound(const hg_comm *comm, const hg_members side[2],
               const hg_match_bound_options *options, int64_t *n, hg_match_pair **pairs)
{
    hg_match_vote *vote = NULL;
    int64_t n_vote = 0;
    hg_status status;

    *n = 0;
    *pairs = NULL;
    HG_TRY(check_keys(comm, &side[0]));
    HG_TRY(check_keys(comm, &side[1]));
    HG_TRY_OR(done, status, collect_votes(comm, side, options, &n_vote, &vote));
    HG_TRY_OR(done, status, hg_match_choose(comm, &n_vote, &vote));
    status = hg_comm_agree(comm, accept_pairs(n_vote, vote, options, n, pairs));
done:
    hg_mem_free(vote);
    if (status != HG_OK) {
        hg_mem_free(*pairs);
        *pairs = NULL;
        *n = 0;
    }
    return status;
}
