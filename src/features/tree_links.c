/* Every object gets a label, the id of the last object of its main branch. An object knows its
 * successor once its descendant has chosen among its progenitors; labels are found by pointer
 * doubling, in as many exchanges as the longest branch has binary digits, where walking along
 * branches would take one per snapshot. Descendants must be later, so links cannot go round.
 * All choices are total orders on ids, masses and times, so the result does not depend on the
 * distribution of rows. */
#include "features/tree_links.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

static int
owner_of(const hg_comm *comm, int64_t id)
{
    return (int)(hg_hash_bytes(&id, sizeof id) % (uint64_t)comm->size);
}

hg_status
hg_tree_send(const hg_comm *comm, size_t size, int64_t *n, void *rows)
{
    char *from = NULL, *got = NULL;
    int *target = NULL;
    int64_t n_got = 0, id;
    hg_status status;

    memcpy(&from, rows, sizeof from);
    status = hg_mem_array(&target, (size_t)*n, sizeof *target);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < *n; i++) {
        memcpy(&id, from + (size_t)i * size, sizeof id);
        target[i] = owner_of(comm, id);
    }
    HG_TRY_OR(done, status, hg_comm_exchange(comm, *n, size, from, target, &n_got, &got));
    hg_mem_free(from);
    memcpy(rows, &got, sizeof got);
    *n = n_got;
done:
    hg_mem_free(target);
    return status;
}

int
hg_tree_compare_ids(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int
hg_tree_compare_reals(double a, double b)
{
    return (a > b) - (a < b);
}

void
hg_tree_sort(void *rows, int64_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n > 0) {
        qsort(rows, (size_t)n, size, compare);
    }
}

static int
by_id(const void *a, const void *b)
{
    const hg_tree_row *x = a, *y = b;

    return x->id != y->id ? hg_tree_compare_ids(x->id, y->id)
                          : hg_tree_compare_reals(x->scale, y->scale);
}

/* An object that may be the main progenitor of another, or names it. */
typedef struct claim {
    int64_t at; /* the object asked */
    int64_t from;
    int64_t is_main;
    double mass, scale;
} claim;

/* The best claim on an object comes first. */
static int
by_rank(const void *a, const void *b)
{
    const claim *x = a, *y = b;

    return x->at != y->at             ? hg_tree_compare_ids(x->at, y->at)
           : x->is_main != y->is_main ? hg_tree_compare_ids(y->is_main, x->is_main)
           : x->mass != y->mass       ? hg_tree_compare_reals(y->mass, x->mass)
                                      : hg_tree_compare_ids(x->from, y->from);
}

static const hg_tree_row *
find_row(const hg_tree_row row[], int64_t n, int64_t id)
{
    int64_t low = 0, high = n;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (row[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < n && row[low].id == id ? &row[low] : NULL;
}

static hg_status
check_rows(hg_link_kind kind, const hg_tree_row row[], int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        if (row[i].id == row[i - 1].id &&
            (kind != HG_LINK_TRACK || row[i].scale <= row[i - 1].scale)) {
            return HG_FAIL(HG_E_INPUT,
                           "object %" PRId64 " stands twice in the history, at scale factors "
                           "%.6g and %.6g: %s",
                           row[i].id, row[i - 1].scale, row[i].scale,
                           kind == HG_LINK_TRACK
                               ? "a track has one object per snapshot"
                               : "ids of trees must be unique over snapshots");
        }
    }
    return HG_OK;
}

static hg_status
check_times(const claim *c, const hg_tree_row *other, bool claims_progenitor)
{
    const double before = claims_progenitor ? other->scale : c->scale;
    const double after = claims_progenitor ? c->scale : other->scale;

    if (after > before) {
        return HG_OK;
    }
    return HG_FAIL(HG_E_INPUT,
                   "object %" PRId64 " at scale factor %.6g becomes object %" PRId64
                   " at %.6g, which is not later",
                   claims_progenitor ? other->id : c->from, before,
                   claims_progenitor ? c->from : other->id, after);
}

/* Best claims of descendants' progenitors go back as (progenitor, descendant). */
static hg_status
choose(const hg_tree_row row[], int64_t n, int64_t *n_claim, claim claims[], int64_t *n_broken)
{
    int64_t n_chosen = 0, last = HG_NO_LINK; /* nobody's descendant */

    hg_tree_sort(claims, *n_claim, sizeof *claims, by_rank);
    for (int64_t i = 0; i < *n_claim; i++) {
        const claim c = claims[i]; /* winners move to the front */
        const hg_tree_row *found = find_row(row, n, c.at);

        if (found == NULL) {
            ++*n_broken;
            continue;
        }
        HG_TRY(check_times(&c, found, false));
        if (c.at != last) {
            claims[n_chosen++] = (claim){.at = c.from, .from = c.at};
        }
        last = c.at;
    }
    *n_claim = n_chosen;
    return HG_OK;
}

/* Set successors from claims (progenitor, descendant); all come from one rank or another. */
static hg_status
succeed(const hg_tree_row row[], int64_t n, bool is_checked, int64_t n_claim, claim claims[],
        int64_t next[], int64_t *n_broken)
{
    hg_tree_sort(claims, n_claim, sizeof *claims, by_rank);
    for (int64_t i = 0; i < n_claim; i++) {
        const hg_tree_row *found = find_row(row, n, claims[i].at);

        if (found == NULL) {
            ++*n_broken;
            continue;
        }
        if (!is_checked) {
            HG_TRY(check_times(&claims[i], found, true));
        }
        if (i > 0 && claims[i].at == claims[i - 1].at) {
            return HG_FAIL(HG_E_INPUT,
                           "object %" PRId64 " is the main progenitor of both %" PRId64
                           " and %" PRId64,
                           claims[i].at, claims[i - 1].from, claims[i].from);
        }
        next[found - row] = claims[i].from;
    }
    return HG_OK;
}

/* The successor of each object on its main branch; the object itself at the end of one. */
static hg_status
find_next(const hg_comm *comm, hg_link_kind kind, const hg_tree_row row[], int64_t n,
          int64_t next[], int64_t *n_broken)
{
    claim *claims = NULL;
    int64_t n_claim = 0;
    hg_status status = hg_mem_array(&claims, (size_t)n, sizeof *claims);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        next[i] = row[i].id;
        if (kind != HG_LINK_TRACK && row[i].link != HG_NO_LINK) {
            claims[n_claim++] = (claim){.at = row[i].link,
                                        .from = row[i].id,
                                        .is_main = row[i].is_main,
                                        .mass = row[i].value[0] > 0 ? row[i].value[0] : 0,
                                        .scale = row[i].scale};
        }
    }
    if (kind == HG_LINK_TRACK) {
        goto done;
    }
    HG_TRY_OR(done, status, hg_tree_send(comm, sizeof *claims, &n_claim, &claims));
    if (kind == HG_LINK_DESCENDANT) {
        status = choose(row, n, &n_claim, claims, n_broken);
        HG_TRY_OR(done, status, hg_comm_agree(comm, status));
        HG_TRY_OR(done, status, hg_tree_send(comm, sizeof *claims, &n_claim, &claims));
    }
    status = succeed(row, n, kind == HG_LINK_DESCENDANT, n_claim, claims, next, n_broken);
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(claims);
    return status;
}

/* A question for the successor of an object, and the answer. */
typedef struct question {
    int64_t id; /* asked for, then its successor */
    int64_t index;
    int64_t rank;
} question;

/* Answer questions that stand on this rank and send the answers back. */
static hg_status
answer(const hg_comm *comm, const hg_tree_row row[], int64_t n, const int64_t next[],
       int64_t *n_question, question **questions)
{
    question *got = NULL;
    int *target = NULL;
    int64_t n_got = 0;
    hg_status status = hg_mem_array(&target, (size_t)*n_question, sizeof *target);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < *n_question; i++) {
        const hg_tree_row *found = find_row(row, n, (*questions)[i].id);

        HG_ASSERT(found != NULL); /* successors are objects */
        (*questions)[i].id = next[found - row];
        target[i] = (int)(*questions)[i].rank;
    }
    HG_TRY_OR(
        done, status,
        hg_comm_exchange(comm, *n_question, sizeof *got, *questions, target, &n_got, &got));
    hg_mem_free(*questions);
    *questions = got;
    *n_question = n_got;
done:
    hg_mem_free(target);
    return status;
}

/* Replace successors by the ends of branches. */
static hg_status
find_ends(const hg_comm *comm, const hg_tree_row row[], int64_t n, int64_t next[])
{
    question *questions = NULL;
    uint8_t *is_done = NULL;
    int64_t n_open;
    hg_status status = hg_comm_agree(comm, hg_mem_zeros(&is_done, (size_t)n, 1));

    do {
        int64_t n_question = 0;

        HG_TRY_OR(done, status, status);
        status = hg_mem_array(&questions, (size_t)n, sizeof *questions);
        HG_TRY_OR(done, status, hg_comm_agree(comm, status));
        for (int64_t i = 0; i < n; i++) {
            is_done[i] = is_done[i] || next[i] == row[i].id;
            if (!is_done[i]) {
                questions[n_question++] = (question){next[i], i, comm->rank};
            }
        }
        HG_TRY_OR(done, status, hg_tree_send(comm, sizeof *questions, &n_question, &questions));
        HG_TRY_OR(done, status, answer(comm, row, n, next, &n_question, &questions));
        n_open = 0;
        for (int64_t i = 0; i < n_question; i++) {
            const question *q = &questions[i];

            is_done[q->index] = next[q->index] == q->id; /* an end is its own successor */
            next[q->index] = q->id;
            n_open += !is_done[q->index];
        }
        hg_mem_free(questions);
        questions = NULL;
        hg_comm_sum(comm, 1, &n_open);
    } while (n_open > 0);
done:
    hg_mem_free(questions);
    hg_mem_free(is_done);
    return status;
}

hg_status
hg_tree_labels(const hg_comm *comm, hg_link_kind kind, int64_t n, hg_tree_row row[],
               int64_t label[], int64_t *n_broken)
{
    hg_tree_sort(row, n, sizeof *row, by_id);
    HG_TRY(hg_comm_agree(comm, check_rows(kind, row, n)));
    HG_TRY(find_next(comm, kind, row, n, label, n_broken));
    return find_ends(comm, row, n, label);
}
