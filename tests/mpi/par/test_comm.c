#include "mpi_test.h"

#include <string.h>

#include "base/memory.h"

MPI_SUITE(comm);

Test(comm, agreement_gives_the_worst_status_and_its_message_on_every_rank)
{
    hg_status status = HG_OK;

    all_assert(hg_comm_agree(&world, HG_OK) == HG_OK);
    if (world.rank == world.size - 1) {
        status = HG_FAIL(HG_E_READ, "file '%s' is broken on rank %d", "x", world.rank);
    }
    status = hg_comm_agree(&world, status);
    all_assert(status == HG_E_READ);
    all_assert(hg_error_last()->rank == world.size - 1);
    all_assert(strstr(hg_error_last()->message, "'x' is broken") != NULL);
}

Test(comm, an_armed_fault_reaches_every_rank)
{
    for (int rank = 0; rank < world.size; rank++) {
        hg_fault_arm(2, rank);
        all_assert(hg_comm_agree(&world, HG_OK) == HG_OK);
        all_assert(hg_comm_agree(&world, HG_OK) == HG_E_FAULT);
        all_assert(hg_comm_agree(&world, HG_OK) == HG_OK);
    }
}

Test(comm, rows_arrive_at_their_target_in_order)
{
    enum { N = 1000 };
    int64_t row[N], *got = NULL, n_got = 0, sum = 0;
    int target[N];

    for (int i = 0; i < N; i++) {
        row[i] = world.rank * N + i;
        target[i] = (int)((row[i] * 7 + row[i] / 13) % world.size);
    }
    all_assert(hg_comm_exchange(&world, N, sizeof row[0], row, target, &n_got, &got) == HG_OK);
    for (int64_t i = 0; i < n_got; i++) {
        cr_expect((got[i] * 7 + got[i] / 13) % world.size == world.rank);
        cr_expect(i == 0 || got[i] > got[i - 1]);
        sum += got[i];
    }
    hg_comm_sum(&world, 1, &n_got);
    hg_comm_sum(&world, 1, &sum);
    all_assert(n_got == (int64_t)N * world.size);
    all_assert(sum == n_got * (n_got - 1) / 2);
    hg_mem_free(got);
}

Test(comm, ranks_without_rows_take_part_in_gathering)
{
    int64_t n = world.rank == 0 ? 0 : world.rank, row[8], n_all = 0, *all = NULL;

    for (int64_t i = 0; i < n; i++) {
        row[i] = 10 * world.rank + i;
    }
    all_assert(hg_comm_gather_rows(&world, n, sizeof row[0], row, &n_all, &all) == HG_OK);
    all_assert(n_all == world.size * (world.size - 1) / 2);
    for (int64_t i = 1; i < n_all; i++) {
        cr_expect(all[i] > all[i - 1]);
    }
    hg_mem_free(all);
}
