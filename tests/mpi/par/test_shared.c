/* Blocks that ranks of a node share: content, counted memory, nodes of several sizes, and what
 * is done where there is no window. */
#include "mpi_fault.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "par/shared.h"

MPI_SUITE(shared);

enum { ROWS = 30000, WORDS = 4 };

/* a communicator of all ranks whose nodes have `per_node` ranks; 0 = as the machine has it */
static hg_comm
make_nodes(int per_node)
{
    char text[16];
    hg_comm comm;

    snprintf(text, sizeof text, "%d", per_node);
    setenv("HG_RANKS_PER_NODE", text, 1);
    all_assert(hg_comm_split(&world, 0, &comm) == HG_OK);
    return comm;
}

/* gather rows of unequal counts and check every word; returns the bytes counted for the block
 */
static int64_t
gather_rows(const hg_comm *comm, int is_shared)
{
    const int64_t before = hg_mem_used();
    const int64_t n = comm->rank == 1 ? 0 : ROWS + comm->rank;
    const int64_t first = hg_comm_prefix(comm, n);
    int64_t n_all = n, *row, counted, wrong = 0;
    hg_shared s;

    hg_comm_sum(comm, 1, &n_all);
    all_assert(hg_shared_create(comm, (size_t)n_all * WORDS * sizeof *row, &s) == HG_OK);
    counted = hg_mem_used() - before;
    all_assert(s.is_shared == is_shared && (uintptr_t)s.data % 64 == 0);
    row = (int64_t *)s.data + first * WORDS;
    for (int64_t i = 0; i < n * WORDS; i++) {
        row[i] = 3 * (first * WORDS + i) + 1;
    }
    all_assert(hg_shared_gather(comm, (size_t)n * WORDS * sizeof *row, &s) == HG_OK);
    for (int64_t i = 0; i < n_all * WORDS; i++) {
        wrong += ((const int64_t *)s.data)[i] != 3 * i + 1;
    }
    all_assert(wrong == 0);
    hg_shared_clear(comm, &s);
    all_assert(hg_mem_used() == before);
    return counted;
}

Test(shared, rows_are_gathered_once_per_node_and_counted_in_parts)
{
    hg_comm comm = make_nodes(1);
    const int64_t alone = gather_rows(&comm, 0);

    hg_comm_clear(&comm);
    for (int per_node = 2; per_node <= world.size; per_node++) {
        const int first = world.rank / per_node * per_node; /* of this node */
        const int n = world.size - first < per_node ? world.size - first : per_node;

        comm = make_nodes(per_node);
        all_assert(gather_rows(&comm, n > 1) == alone / n);
        hg_comm_clear(&comm);
    }
    unsetenv("HG_RANKS_PER_NODE");
}

Test(shared, a_rank_has_its_own_block_where_sharing_is_off)
{
    hg_comm comm = make_nodes(world.size);
    int64_t own;

    setenv("HG_SHARED", "off", 1);
    own = gather_rows(&comm, 0);
    unsetenv("HG_SHARED");
    all_assert(gather_rows(&comm, world.size > 1) == own / world.size);
    hg_comm_clear(&comm);
    unsetenv("HG_RANKS_PER_NODE");
}

Test(shared, any_fault_reaches_every_rank_and_nothing_stays_counted)
{
    const int64_t before = hg_mem_used();
    const size_t bytes = 1 << 20;
    hg_comm comm = make_nodes(2);
    fault_loop f = {.on_each = true};
    hg_shared s;

    while (fault_next(&f)) {
        hg_status status = fault_status(&f, hg_shared_create(&comm, bytes, &s));

        all_assert(status == HG_OK || (s.data == NULL && hg_mem_used() == before));
        hg_shared_clear(&comm, &s);
        all_assert(hg_mem_used() == before);
    }
    all_assert(f.n_failed > 0);
    hg_mem_budget(before + (1 << 18)); /* less than half of the block */
    all_assert(hg_shared_create(&comm, bytes, &s) == HG_E_MEMORY);
    hg_mem_budget(0);
    all_assert(hg_mem_used() == before);
    hg_comm_clear(&comm);
    unsetenv("HG_RANKS_PER_NODE");
}
