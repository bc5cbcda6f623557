/* The first rank of a node allocates the window and the others map it. Each rank of a node
 * writes its own rows straight into it; only the first ranks of nodes exchange rows then, so a
 * row travels once per node and not once per rank. Where there is no window every rank is a
 * node of its own, and the same code runs. */
#include "par/shared.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/memory.h"

enum { LINE = 64, LEAST_BYTES = 1 << 18 };

/* ---- whether to share ---- */
/* whether the file system in which MPI libraries place windows has room, with an eighth to
 * spare: a page that is not there would only be missed when it is written */
static bool
has_room(size_t bytes)
{
    struct statvfs fs;

    return statvfs("/dev/shm", &fs) != 0 ||
           (double)fs.f_bavail * (double)fs.f_frsize > 1.125 * (double)bytes;
}

int
hg_shared_ranks(int per_node)
{
    const char *wanted = getenv("HG_SHARED");

    return wanted != NULL && strcmp(wanted, "off") == 0 ? 1 : per_node;
}

static bool
wants_window(const hg_comm *node, size_t bytes)
{
    int64_t yes = hg_shared_ranks(node->size) > 1 && (node->rank > 0 || has_room(bytes));

    hg_comm_min(node, 1, &yes);
    return yes != 0;
}

/* ---- windows ---- */
static void *
align_up(void *base)
{
    return (char *)base + (LINE - (uintptr_t)base % LINE) % LINE;
}

/* make the window of a node; false, on all of its ranks, when MPI refuses */
static bool
make_window(size_t bytes, hg_shared *s)
{
    const MPI_Aint here = s->node.rank == 0 ? (MPI_Aint)(bytes + LINE) : 0;
    MPI_Aint size = 0;
    void *base = NULL;
    int64_t is_made;
    int unit = 1;

    MPI_Comm_set_errhandler(s->node.mpi, MPI_ERRORS_RETURN);
    is_made = MPI_Win_allocate_shared(here, 1, MPI_INFO_NULL, s->node.mpi, &base, &s->window) ==
              MPI_SUCCESS;
    hg_comm_min(&s->node, 1, &is_made);
    if (!is_made) {
        return false;
    }
    MPI_Win_shared_query(s->window, 0, &size, &unit, &base);
    s->data = align_up(base); /* a page begins alike in every rank, so the shift is the same */
    MPI_Win_lock_all(MPI_MODE_NOCHECK, s->window);
    return true;
}

hg_status
hg_shared_create(const hg_comm *comm, size_t bytes, hg_shared *s)
{
    hg_status status = HG_OK;
    int64_t n_shared;

    *s = (hg_shared){.node = {.mpi = MPI_COMM_NULL}, .window = MPI_WIN_NULL};
    if (bytes < LEAST_BYTES || comm->size == 1) { /* no message for it */
        status = hg_mem_array(&s->data, bytes, 1);
        HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
        return HG_OK;
    }
    HG_TRY_OR(fail, status, hg_comm_node(comm, &s->node));
    s->is_shared = wants_window(&s->node, bytes);
    if (s->is_shared) {
        const int64_t part = (int64_t)bytes / s->node.size;

        status = hg_mem_take((size_t)part);
        s->counted = status == HG_OK ? part : 0;
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    if (s->is_shared && !make_window(bytes, s)) {
        hg_mem_give((size_t)s->counted);
        s->counted = 0;
        s->is_shared = false;
    }
    if (!s->is_shared) {
        hg_comm_clear(&s->node);
        status = hg_mem_array(&s->data, bytes, 1);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    n_shared = s->is_shared;
    hg_comm_sum(comm, 1, &n_shared);
    s->is_anywhere = n_shared > 0;
    return HG_OK;

fail:
    hg_shared_clear(comm, s);
    return status;
}

void
hg_shared_clear(const hg_comm *comm, hg_shared *s)
{
    (void)comm;
    if (!s->is_shared) {
        hg_mem_free(s->data);
    } else if (s->window != MPI_WIN_NULL && s->data != NULL) {
        MPI_Win_unlock_all(s->window);
        MPI_Win_free(&s->window);
    }
    hg_mem_give((size_t)s->counted);
    hg_comm_clear(&s->node);
    *s = (hg_shared){.node = {.mpi = MPI_COMM_NULL}, .window = MPI_WIN_NULL};
}

/* ---- use ---- */
void
hg_shared_settle(const hg_comm *comm, const hg_shared *s)
{
    (void)comm;
    if (s->is_shared) {
        MPI_Win_sync(s->window);
        hg_comm_barrier(&s->node);
        MPI_Win_sync(s->window);
    }
}

/* whose block each rank writes to, as a number among the blocks */
static hg_status
find_blocks(const hg_comm *comm, const hg_shared *s, int root[])
{
    int64_t *all = NULL, mine = comm->rank;
    hg_status status = hg_mem_array(&all, (size_t)comm->size, sizeof *all);
    int n_block = 0;

    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    if (s->is_shared) {
        hg_comm_broadcast(&s->node, 0, &mine, sizeof mine);
    }
    hg_comm_gather(comm, &mine, sizeof mine, all);
    for (int r = 0; r < comm->size; r++) { /* the first rank of a node is its lowest */
        const int lead = (int)all[r];

        root[r] = lead == r ? n_block++ : root[lead];
    }
end:
    hg_mem_free(all);
    return status;
}

hg_status
hg_shared_spread(const hg_comm *comm, size_t n, const hg_shared_piece piece[],
                 const hg_shared *s)
{
    const bool is_first = !s->is_shared || s->node.rank == 0;
    hg_comm blocks = {.mpi = MPI_COMM_NULL};
    char *data = s->data;
    int *root = NULL;
    hg_status status;

    if (!s->is_anywhere) { /* every rank is a block */
        for (size_t i = 0; i < n; i++) {
            hg_comm_broadcast(comm, piece[i].owner, data + piece[i].at, piece[i].bytes);
        }
        return HG_OK;
    }
    status = hg_mem_array(&root, (size_t)comm->size, sizeof *root);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    HG_TRY_OR(end, status, find_blocks(comm, s, root));
    HG_TRY_OR(end, status, hg_comm_split(comm, is_first ? 0 : -1, &blocks));
    hg_shared_settle(comm, s);
    for (size_t i = 0; i < n && is_first && blocks.size > 1; i++) {
        hg_comm_broadcast(&blocks, root[piece[i].owner], data + piece[i].at, piece[i].bytes);
    }
    hg_shared_settle(comm, s);
end:
    hg_comm_clear(&blocks);
    hg_mem_free(root);
    return status;
}

hg_status
hg_shared_gather(const hg_comm *comm, size_t bytes, const hg_shared *s)
{
    const hg_shared_piece mine = {comm->rank, 0, bytes};
    hg_shared_piece *piece = NULL;
    hg_status status;
    size_t at = 0;

    status = hg_mem_array(&piece, (size_t)comm->size, sizeof *piece);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    hg_comm_gather(comm, &mine, sizeof mine, piece);
    for (int r = 0; r < comm->size; r++) {
        piece[r].at = at;
        at += piece[r].bytes;
    }
    status = hg_shared_spread(comm, (size_t)comm->size, piece, s);
end:
    hg_mem_free(piece);
    return status;
}
