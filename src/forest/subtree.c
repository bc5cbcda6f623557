/* Jobs go to ranks as in the rule of longest processing time first (Graham 1969): sorted by
 * rows, each to the rank with the fewest rows so far. In a round every rank gets as many of its
 * jobs as it has room for. Records travel scaled by the bag, in bounded pieces, straight into
 * the arena where they are grown. The numbering of the whole tree follows from the tops alone,
 * which all ranks know, and from the sizes of the jobs. */
#include "forest/subtree.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "forest/threads.h"

enum { PIECE_BYTES = 1 << 20 };

/* ---- who grows what ---- */
static int
compare_jobs(const void *a, const void *b)
{
    const hg_job *x = a, *y = b;

    if (x->n != y->n) {
        return x->n < y->n ? 1 : -1;
    }
    if (x->tree != y->tree) {
        return x->tree > y->tree ? 1 : -1;
    }
    return (x->path > y->path) - (x->path < y->path);
}

static hg_status
list_jobs(const hg_comm *comm, int n_tree, hg_top top[], int64_t room, hg_jobs *jobs)
{
    int64_t *load = NULL, *bin;
    int n = 0;

    for (int t = 0; t < n_tree; t++) {
        for (int k = 0; k < top[t].n_node; k++) {
            n += top[t].node[k].kind == HG_TOP_JOB;
        }
    }
    HG_TRY(hg_mem_zeros(&jobs->job, (size_t)n, sizeof *jobs->job));
    for (int t = 0; t < n_tree; t++) {
        for (int k = 0; k < top[t].n_node; k++) {
            const hg_top_node *node = &top[t].node[k];

            if (node->kind == HG_TOP_JOB) {
                jobs->job[jobs->n++] =
                    (hg_job){.tree = t, .node = k, .n = node->n, .path = node->path};
            }
        }
    }
    if (n > 1) {
        qsort(jobs->job, (size_t)n, sizeof *jobs->job, compare_jobs);
    }
    HG_TRY(hg_mem_zeros(&load, 3 * (size_t)comm->size, sizeof *load));
    bin = load + comm->size; /* rows and number of the bin that is being filled, per rank */
    for (int j = 0; j < n; j++) {
        hg_job *job = &jobs->job[j];
        int r = 0;

        for (int k = 1; k < comm->size; k++) {
            r = load[k] < load[r] ? k : r;
        }
        if (bin[2 * r] > 0 && bin[2 * r] + job->n > room) {
            bin[2 * r] = 0;
            bin[2 * r + 1]++;
        }
        load[r] += job->n;
        bin[2 * r] += job->n;
        job->rank = r;
        job->round = (int)bin[2 * r + 1];
        jobs->n_round = job->round >= jobs->n_round ? job->round + 1 : jobs->n_round;
        top[job->tree].node[job->node].tag = j;
    }
    hg_mem_free(load);
    return HG_OK;
}

/* ---- one round ---- */
/* the jobs of a round, by rank, and the rows this rank has of them */
typedef struct hg_round {
    const hg_plan *plan;
    const hg_top *top;
    hg_jobs *jobs;
    int n;
    int *job;        /* shape (n): numbers, rank by rank */
    int64_t *first;  /* shape (n + 1): where the rows of each begin in `row` */
    int64_t *count;  /* shape (size, n): rows every rank has of each */
    uint32_t *row;   /* rows of this rank, job by job */
    int64_t *offset; /* shape (n): first record of each in the arena of its rank */
    hg_word *arena;
    hg_space *space; /* shape (n_thread) */
    int n_thread;
} hg_round;

static void
close_round(hg_round *r)
{
    hg_mem_free(r->job);
    hg_mem_free(r->first);
    hg_mem_free(r->count);
    hg_mem_free(r->row);
    hg_mem_free(r->offset);
    r->job = NULL;
    r->first = r->count = r->offset = NULL;
    r->row = NULL;
}

/* place in the round of the job a row is in, -1 when it is in none */
static int
find_job(const hg_top *top, int64_t row, const int place[])
{
    const hg_top_node *node;

    if (top->slot[row] == HG_TOP_OUT) {
        return -1;
    }
    node = &top->node[top->slot[row]];
    return node->kind == HG_TOP_JOB ? place[node->tag] : -1;
}

/* list the jobs of a round and this rank's rows of them; place has -1 for all other jobs */
static hg_status
open_round(const hg_comm *comm, int number, int n_tree, hg_round *r, int place[],
           unsigned char has[])
{
    const hg_jobs *jobs = r->jobs;
    int64_t *mine = NULL, load = 0;
    hg_status status = HG_OK;
    int at = 0;

    r->n = 0;
    memset(has, 0, (size_t)n_tree);
    for (int j = 0; j < jobs->n; j++) {
        place[j] = -1;
        r->n += jobs->job[j].round == number;
    }
    status = hg_mem_array(&r->job, (size_t)r->n, sizeof *r->job);
    status =
        status != HG_OK ? status : hg_mem_zeros(&r->first, (size_t)r->n + 1, sizeof *r->first);
    status =
        status != HG_OK ? status : hg_mem_array(&r->offset, (size_t)r->n, sizeof *r->offset);
    status = status != HG_OK
                 ? status
                 : hg_mem_array(&r->count, (size_t)comm->size * (size_t)r->n, sizeof *r->count);
    status = status != HG_OK ? status : hg_mem_zeros(&mine, (size_t)r->n, sizeof *mine);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int k = 0; k < comm->size; k++) {
        load = 0;
        for (int j = 0; j < jobs->n; j++) {
            if (jobs->job[j].round == number && jobs->job[j].rank == k) {
                r->offset[at] = load;
                load += jobs->job[j].n;
                place[j] = at;
                has[jobs->job[j].tree] = 1;
                r->job[at++] = j;
            }
        }
    }
    for (int t = 0; t < n_tree; t++) {
        for (int64_t i = 0; i < r->plan->n && has[t]; i++) {
            const int p = find_job(&r->top[t], i, place);

            if (p >= 0) {
                mine[p]++;
            }
        }
    }
    hg_comm_gather(comm, mine, (size_t)r->n * sizeof *mine, r->count);
    for (int p = 0; p < r->n; p++) {
        r->first[p + 1] = r->first[p] + mine[p];
        mine[p] = r->first[p];
    }
    status = hg_mem_array(&r->row, (size_t)r->first[r->n], sizeof *r->row);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int t = 0; t < n_tree; t++) {
        for (int64_t i = 0; i < r->plan->n && has[t]; i++) {
            const int p = find_job(&r->top[t], i, place);

            if (p >= 0) {
                r->row[mine[p]++] = (uint32_t)i;
            }
        }
    }
end:
    hg_mem_free(mine);
    return status;
}

/* rows that rank `from` has for rank `to` in this round; and the first and last job there */
static int64_t
count_rows(const hg_round *r, int from, int to, int *begin, int *end)
{
    int64_t n = 0;

    *begin = 0;
    while (*begin < r->n && r->jobs->job[r->job[*begin]].rank < to) {
        (*begin)++;
    }
    *end = *begin;
    while (*end < r->n && r->jobs->job[r->job[*end]].rank == to) {
        n += r->count[(size_t)from * (size_t)r->n + (size_t)(*end)++];
    }
    return n;
}

/* rows of a block of n that fall into piece k of at most m */
static int64_t
piece_of(int64_t n, int64_t k, int64_t m)
{
    return n <= k * m ? 0 : n - k * m < m ? n - k * m : m;
}

/* copy piece k of the rows for one rank, scaled, to `to`; returns its end */
static hg_word *
pack_piece(const hg_round *r, int64_t first, int64_t n, int place, hg_word *to)
{
    const hg_plan *plan = r->plan;
    const size_t stride = plan->rule.stride;
    int64_t ignored[HG_SUMS_MAX] = {0};

    for (int64_t i = first; i < first + n; i++, to += stride) {
        while (i >= r->first[place + 1]) {
            place++;
        }
        memcpy(to, plan->row + r->row[i] * stride, stride * sizeof *to);
        hg_bag_scale(plan, r->row[i],
                     r->top[r->jobs->job[r->job[place]].tree].copies[r->row[i]], to, ignored);
    }
    return to;
}

/* where the next record of a sender goes */
typedef struct hg_cursor {
    int place;
    int64_t done; /* of the sender's rows of this job */
} hg_cursor;

static const hg_word *
unpack_piece(const hg_round *r, int from, int64_t n, int64_t filled[], hg_cursor *c,
             const hg_word *got)
{
    const size_t stride = r->plan->rule.stride;

    for (int64_t i = 0; i < n; i++, got += stride) {
        while (c->done >= r->count[(size_t)from * (size_t)r->n + (size_t)c->place]) {
            c->place++;
            c->done = 0;
        }
        c->done++;
        memcpy(r->arena + (size_t)(r->offset[c->place] + filled[c->place]++) * stride, got,
               stride * sizeof *got);
    }
    return got;
}

/* send the records of the round to the ranks that grow them */
static hg_status
move_records(const hg_comm *comm, const hg_round *r)
{
    const size_t n_rank = (size_t)comm->size;
    const size_t bytes = r->plan->rule.stride * sizeof(hg_word);
    const int64_t fit = (int64_t)((size_t)PIECE_BYTES / (bytes * n_rank)),
                  m = fit > 0 ? fit : 1;
    hg_word *send = NULL, *got = NULL;
    int64_t *size = NULL, *filled = NULL, most = 0;
    hg_cursor *cursor = NULL;
    hg_status status;
    int begin, end;

    for (int a = 0; a < comm->size; a++) {
        for (int b = 0; b < comm->size; b++) {
            const int64_t n = count_rows(r, a, b, &begin, &end);

            most = n > most ? n : most;
        }
    }
    status = hg_mem_array(&send, n_rank * (size_t)(m < most ? m : most), bytes);
    status = status != HG_OK
                 ? status
                 : hg_mem_array(&got, n_rank * (size_t)(m < most ? m : most), bytes);
    status = status != HG_OK ? status : hg_mem_array(&size, 2 * n_rank, sizeof *size);
    status = status != HG_OK ? status : hg_mem_zeros(&cursor, n_rank, sizeof *cursor);
    status = status != HG_OK ? status : hg_mem_zeros(&filled, (size_t)r->n, sizeof *filled);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int64_t k = 0; k * m < most; k++) {
        hg_word *to = send;
        const hg_word *from = got;

        for (int s = 0; s < comm->size; s++) {
            int64_t n = piece_of(count_rows(r, comm->rank, s, &begin, &end), k, m);

            to = n > 0 ? pack_piece(r, r->first[begin] + k * m, n, begin, to) : to;
            size[s] = n * (int64_t)bytes;
            n = piece_of(count_rows(r, s, comm->rank, &begin, &end), k, m);
            size[comm->size + s] = n * (int64_t)bytes;
            cursor[s].place = k == 0 ? begin : cursor[s].place;
        }
        hg_comm_alltoall(comm, send, size, got, size + comm->size);
        for (int s = 0; s < comm->size; s++) {
            from = unpack_piece(r, s, size[comm->size + s] / (int64_t)bytes, filled, &cursor[s],
                                from);
        }
    }
end:
    hg_mem_free(send);
    hg_mem_free(got);
    hg_mem_free(size);
    hg_mem_free(cursor);
    hg_mem_free(filled);
    return status;
}

/* grow one job in the memory of a thread */
static hg_status
grow_job(const hg_round *r, int place, hg_space *space)
{
    hg_job *job = &r->jobs->job[r->job[place]];
    const hg_top *top = &r->top[job->tree];
    const hg_top_node *node = &top->node[job->node];
    const size_t n_feature = (size_t)r->plan->rule.n_feature;
    hg_frame start = {.n = (size_t)node->n, .path = node->path, .depth = node->depth};
    double *importance = r->jobs->importance + (size_t)job->tree * n_feature;

    memcpy(start.total, node->total, sizeof start.total);
    space->record = r->arena + (size_t)r->offset[place] * r->plan->rule.stride;
    HG_TRY(hg_tree_grow_part(r->plan, space, top->number, &start, top->flush,
                             (double)top->node[0].total[r->plan->rule.n_target]));
    job->n_node = (int64_t)space->n_node;
    job->n_leaf = (int64_t)space->n_leaf;
    HG_TRY(hg_mem_array(&job->nodes, space->n_node, sizeof *job->nodes));
    memcpy(job->nodes, space->node, space->n_node * sizeof *job->nodes);
#pragma omp critical(hg_forest_importance)
    for (size_t f = 0; f < n_feature; f++) {
        importance[f] += space->importance[f]; /* exact in any order, see hg_gain() */
    }
    return HG_OK;
}

static hg_status
grow_jobs(const hg_comm *comm, const hg_round *r)
{
    hg_error_record record = {.status = HG_OK};

#pragma omp parallel for schedule(dynamic, 1) num_threads(r->n_thread)
    for (int p = 0; p < r->n; p++) {
        if (r->jobs->job[r->job[p]].rank == comm->rank) {
            hg_status status = grow_job(r, p, &r->space[omp_get_thread_num()]);

            if (status != HG_OK) {
#pragma omp critical(hg_forest_merge)
                record = *hg_error_last();
            }
        }
    }
    if (record.status != HG_OK) {
        hg_error_set(&record); /* records are per thread */
    }
    return record.status;
}

/* ---- all rounds ---- */
/* arena and threads' memory for the largest round and job of this rank */
static hg_status
make_space(const hg_comm *comm, hg_round *r)
{
    const hg_jobs *jobs = r->jobs;
    int64_t most = 0, largest = 0, *load = NULL;

    HG_TRY(hg_mem_zeros(&load, (size_t)jobs->n_round, sizeof *load));
    for (int j = 0; j < jobs->n; j++) {
        const hg_job *job = &jobs->job[j];

        if (job->rank == comm->rank) {
            load[job->round] += job->n;
            most = load[job->round] > most ? load[job->round] : most;
            largest = job->n > largest ? job->n : largest;
        }
    }
    hg_mem_free(load);
    HG_TRY(hg_mem_array(&r->arena, (size_t)most * r->plan->rule.stride, sizeof *r->arena));
    HG_TRY(hg_mem_zeros(&r->space, (size_t)r->n_thread, sizeof *r->space));
    for (int i = 0; i < r->n_thread && largest > 0; i++) {
        HG_TRY(hg_space_init_part(&r->space[i], r->plan, (size_t)largest));
    }
    return HG_OK;
}

hg_status
hg_jobs_grow(const hg_comm *comm, const hg_plan *plan, int n_tree, hg_top top[], int64_t room,
             hg_jobs *jobs)
{
    const int wanted = plan->options.threads;
    hg_round r = {.plan = plan, .top = top, .jobs = jobs};
    hg_status status = HG_OK;
    int *place = NULL;
    unsigned char *has = NULL;

    *jobs = (hg_jobs){0};
    r.n_thread = hg_threads(wanted);
    status = list_jobs(comm, n_tree, top, room, jobs);
    status = status != HG_OK
                 ? status
                 : hg_mem_zeros(&jobs->importance, (size_t)(n_tree * plan->rule.n_feature),
                                sizeof *jobs->importance);
    status = status != HG_OK ? status : hg_mem_array(&place, (size_t)jobs->n, sizeof *place);
    status = status != HG_OK ? status : hg_mem_array(&has, (size_t)n_tree, 1);
    status = status != HG_OK ? status : make_space(comm, &r);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int k = 0; k < jobs->n_round; k++) {
        HG_TRY_OR(end, status, open_round(comm, k, n_tree, &r, place, has));
        HG_TRY_OR(end, status, move_records(comm, &r));
        HG_TRY_OR(end, status, hg_comm_agree(comm, grow_jobs(comm, &r)));
        close_round(&r);
    }
end:
    close_round(&r);
    for (int i = 0; i < r.n_thread && r.space != NULL; i++) {
        r.space[i].record = NULL; /* part of the arena */
        hg_space_clear(&r.space[i]);
    }
    hg_mem_free(r.space);
    hg_mem_free(r.arena);
    hg_mem_free(place);
    hg_mem_free(has);
    return status;
}

void
hg_jobs_clear(hg_jobs *jobs)
{
    for (int j = 0; j < jobs->n; j++) {
        hg_mem_free(jobs->job[j].nodes);
    }
    hg_mem_free(jobs->job);
    hg_mem_free(jobs->importance);
    *jobs = (hg_jobs){0};
}
