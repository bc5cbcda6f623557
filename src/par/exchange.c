/* Rows move between ranks in two steps: counts first, then the bytes, between pairs of ranks at
 * growing distance on a ring, so that no memory is needed, and in pieces, so that no single
 * message exceeds the piece size whatever the imbalance. */
#include <string.h>

#include "base/alive.h"
#include "base/memory.h"
#include "par/piece.h"

static int64_t
sum_before(const int64_t n[], int rank)
{
    int64_t sum = 0;

    for (int r = 0; r < rank; r++) {
        sum += n[r];
    }
    return sum;
}

/* Send one block and receive another; both sides know both sizes, so they make equal pieces. */
static void
swap_blocks(const hg_comm *comm, int to, const char *send, int64_t n_send, int from, char *recv,
            int64_t n_recv)
{
    for (int64_t done = 0; done < n_send || done < n_recv; done += HG_PIECE) {
        const int64_t ns = n_send - done < HG_PIECE ? n_send - done : HG_PIECE;
        const int64_t nr = n_recv - done < HG_PIECE ? n_recv - done : HG_PIECE;

        hg_alive_wait(true);
        MPI_Sendrecv(ns > 0 ? send + done : NULL, ns > 0 ? (int)ns : 0, MPI_BYTE,
                     ns > 0 ? to : MPI_PROC_NULL, 2, nr > 0 ? recv + done : NULL,
                     nr > 0 ? (int)nr : 0, MPI_BYTE, nr > 0 ? from : MPI_PROC_NULL, 2,
                     comm->mpi, MPI_STATUS_IGNORE);
        hg_alive_wait(false);
        if (ns > 0 && to != comm->rank) {
            hg_comm_count((size_t)ns);
        }
    }
}

void
hg_comm_alltoall(const hg_comm *comm, const void *send, const int64_t n_send[], void *recv,
                 const int64_t n_recv[])
{
    for (int step = 0; step < comm->size; step++) {
        const int to = (comm->rank + step) % comm->size;
        const int from = (comm->rank - step + comm->size) % comm->size;

        if (n_send[to] > 0 || n_recv[from] > 0) {
            swap_blocks(comm, to, (const char *)send + sum_before(n_send, to), n_send[to], from,
                        (char *)recv + sum_before(n_recv, from), n_recv[from]);
        }
    }
}

hg_status
hg_comm_exchange_sorted(const hg_comm *comm, size_t size, const void *rows,
                        const int64_t n_to[], int64_t *n_got, void *got)
{
    const size_t n_rank = (size_t)comm->size;
    char *recv = NULL;
    int64_t *n_send = NULL, *n_recv = NULL;
    int64_t total = 0;
    hg_status status = HG_OK;

    *n_got = 0;
    memcpy(got, &(void *){NULL}, sizeof(void *));
    HG_TRY_OR(ready, status, hg_mem_array(&n_send, n_rank, sizeof *n_send));
    HG_TRY_OR(ready, status, hg_mem_zeros(&n_recv, n_rank, sizeof *n_recv));
ready:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (size_t r = 0; r < n_rank; r++) {
        n_send[r] = n_to[r] * (int64_t)size;
    }
    hg_alive_wait(true);
    MPI_Alltoall(n_send, 1, MPI_INT64_T, n_recv, 1, MPI_INT64_T, comm->mpi);
    hg_alive_wait(false);
    for (size_t r = 0; r < n_rank; r++) {
        total += n_recv[r];
    }
    status = hg_mem_array(&recv, (size_t)total, 1);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_alltoall(comm, rows, n_send, recv, n_recv);
    *n_got = total / (int64_t)size;
    memcpy(got, &recv, sizeof recv);
    recv = NULL;
done:
    hg_mem_free(recv);
    hg_mem_free(n_recv);
    hg_mem_free(n_send);
    return status;
}

hg_status
hg_comm_exchange(const hg_comm *comm, int64_t n, size_t size, const void *rows,
                 const int target[], int64_t *n_got, void *got)
{
    const size_t n_rank = (size_t)comm->size;
    const char *from = rows;
    char *send = NULL;
    int64_t *n_to = NULL, *first = NULL;
    hg_status status = HG_OK;

    *n_got = 0;
    memcpy(got, &(void *){NULL}, sizeof(void *));
    HG_TRY_OR(ready, status, hg_mem_zeros(&n_to, n_rank, sizeof *n_to));
    HG_TRY_OR(ready, status, hg_mem_zeros(&first, n_rank, sizeof *first));
    HG_TRY_OR(ready, status, hg_mem_array(&send, (size_t)n, size));
ready:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        n_to[target[i]]++;
    }
    for (size_t r = 1; r < n_rank; r++) {
        first[r] = first[r - 1] + n_to[r - 1];
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(send + (size_t)first[target[i]]++ * size, from + (size_t)i * size, size);
    }
    status = hg_comm_exchange_sorted(comm, size, send, n_to, n_got, got);
done:
    hg_mem_free(send);
    hg_mem_free(first);
    hg_mem_free(n_to);
    return status;
}

hg_status
hg_comm_gather_into(const hg_comm *comm, int64_t n, size_t size, const void *rows, void *all)
{
    int64_t *count = NULL;
    char *at = all;
    hg_status status;

    status = hg_mem_zeros(&count, (size_t)comm->size, sizeof *count);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_gather(comm, &n, sizeof n, count);
    for (int r = 0; r < comm->size; r++) {
        if (r == comm->rank && n > 0) {
            memcpy(at, rows, (size_t)n * size);
        }
        hg_comm_broadcast(comm, r, at, (size_t)count[r] * size);
        at += (size_t)count[r] * size;
    }
done:
    hg_mem_free(count);
    return status;
}

hg_status
hg_comm_gather_rows(const hg_comm *comm, int64_t n, size_t size, const void *rows,
                    int64_t *n_all, void *all)
{
    char *block = NULL;
    hg_status status;

    memcpy(all, &(void *){NULL}, sizeof(void *));
    *n_all = n;
    hg_comm_sum(comm, 1, n_all);
    status = hg_mem_array(&block, (size_t)*n_all, size);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_comm_gather_into(comm, n, size, rows, block));
    memcpy(all, &block, sizeof block);
    block = NULL;
done:
    if (status != HG_OK) {
        *n_all = 0;
    }
    hg_mem_free(block);
    return status;
}
