/* Random forests of objects whose branches a plain walk knows. */
#include "mpi_fault.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "features/branches.h"

MPI_SUITE(branches);

enum { N = 500, TIMES = 20, OUT = 3, ABSENT = 12345 };

static hg_tree_row object[N];
static int progenitor[N]; /* by the plain rule, -1 = none */

static bool
is_better(const hg_tree_row *a, const hg_tree_row *b)
{
    return a->is_main != b->is_main     ? a->is_main > b->is_main
           : a->value[0] != b->value[0] ? a->value[0] > b->value[0]
                                        : a->id < b->id;
}

/* Ids use all 64 bits; masses tie; some links skip times, lead nowhere, or are not there. */
static void
make_forest(uint64_t seed)
{
    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(seed, 0, (uint64_t)i, HG_PURPOSE_LATENT);
        const int time = 1 + i * TIMES / N;

        object[i] = (hg_tree_row){.scale = (double)time / TIMES};
        object[i].id = (int64_t)((uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        object[i].halo = object[i].id;
        object[i].value[0] = 1 + floor(4 * hg_stream_uniform(&s));
        object[i].value[1] = hg_stream_uniform(&s);
        object[i].is_main = hg_stream_uniform(&s) < 0.3;
        object[i].link = HG_NO_LINK;
    }
    for (int i = 0; i < N; i++) {
        hg_stream s = hg_stream_start(seed + 1, 0, (uint64_t)i, HG_PURPOSE_LATENT);
        const double u = hg_stream_uniform(&s);
        const int later = i + N / TIMES + (int)(2.0 * N / TIMES * hg_stream_uniform(&s));

        progenitor[i] = -1;
        if (u < 0.9 && later < N && object[later].scale > object[i].scale) {
            object[i].link = object[later].id;
        } else if (u > 0.97) {
            object[i].link = ABSENT;
        }
    }
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < N; k++) {
            if (object[k].link == object[i].id &&
                (progenitor[i] < 0 || is_better(&object[k], &object[progenitor[i]]))) {
                progenitor[i] = k;
            }
        }
    }
}

static void
fill(const void *context, int n, const double scale[], const double value[], float out[])
{
    (void)context;
    out[0] = (float)n;
    out[1] = (float)scale[0];
    out[2] = 0;
    for (int i = 0; i < n; i++) {
        out[2] += (float)(value[n + i] * scale[i]);
    }
}

/* The same from the plain rule. */
static void
walk(int i, float out[])
{
    double scale[TIMES], value[2 * TIMES];
    int path[TIMES], n = 0;

    for (int at = i; at >= 0; at = progenitor[at]) {
        path[n++] = at;
    }
    for (int k = 0; k < n; k++) {
        scale[k] = object[path[n - 1 - k]].scale;
        value[n + k] = object[path[n - 1 - k]].value[1];
    }
    fill(NULL, n, scale, value, out);
}

/* All objects, dealt over a communicator, are looked up by all of its ranks. */
static hg_status
ask(const hg_comm *comm, hg_link_kind kind, float out[], int64_t *n_found, int64_t counts[3])
{
    hg_tree_row *row = NULL;
    hg_branches *branches = NULL;
    int64_t id[N], n = 0;
    hg_status status = hg_comm_agree(comm, hg_mem_array(&row, N, sizeof *row));

    for (int i = 0; i < N && status == HG_OK; i++) {
        id[i] = object[i].id;
        if ((i * 7 + 3) % comm->size == comm->rank) {
            row[n] = object[i];
            if (kind == HG_LINK_PROGENITOR) {
                row[n].link = progenitor[i] < 0 ? HG_NO_LINK : object[progenitor[i]].id;
            }
            n++;
        }
    }
    if (status == HG_OK) {
        status = hg_branches_make(comm, kind, false, n, &row, &branches);
    }
    if (status == HG_OK) {
        hg_branches_count(branches, counts);
        status =
            hg_branches_ask(comm, branches, N, id, (double)NAN, fill, NULL, OUT, out, n_found);
    }
    hg_mem_free(row);
    hg_branches_free(branches);
    return status;
}

Test(branches, every_object_has_the_branch_of_a_plain_walk)
{
    static float out[N * OUT];

    for (uint64_t seed = 1; seed < 4; seed++) {
        make_forest(10 * seed);
        for (int kind = HG_LINK_DESCENDANT; kind <= HG_LINK_PROGENITOR; kind++) {
            int64_t found = 0, counts[3], n_broken = 0;
            int n_wrong = 0;

            all_assert(ask(&world, (hg_link_kind)kind, out, &found, counts) == HG_OK);
            hg_comm_sum(&world, 3, counts);
            for (int i = 0; i < N; i++) {
                float expected[OUT];

                walk(i, expected);
                n_wrong += memcmp(expected, &out[i * OUT], sizeof expected) != 0;
                n_broken += kind == HG_LINK_DESCENDANT && object[i].link == ABSENT;
            }
            all_assert(n_wrong == 0 && found == N);
            all_assert(counts[0] == N && counts[2] == n_broken);
        }
    }
    all_assert(hg_mem_used() == 0);
}

Test(branches, finding_them_may_fail_anywhere)
{
    static float out[N * OUT];
    int64_t found, counts[3];

    make_forest(5);
    for (int way = 0; way < 2; way++) { /* an agreement, an allocation */
        fault_loop f = {.of_memory = way == 1, .on_each = true};

        while (fault_next(&f)) {
            fault_status(&f, ask(&world, HG_LINK_DESCENDANT, out, &found, counts));
            all_assert(hg_mem_used() == 0);
        }
        all_assert(f.n_failed > 9 * world.size);
    }
}
