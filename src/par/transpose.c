/* MPI_Alltoallw with a derived type per block, so nothing is packed by hand and no count can
 * overflow. Large blocks are cut along their first axis into rounds; all ranks
 * of the communicator make the same number of rounds. A rank's block for itself is copied. */
#include "par/transpose.h"

#include <string.h>

#include "base/alive.h"
#include "base/memory.h"
#include "par/piece.h"

struct hg_transpose {
    int size; /* ranks */
    int rank;
    int n_round;
    size_t element;
    hg_block own[2];    /* what stays here: from where, to where */
    int *count;         /* shape (2, n_round, size); 1, or 0 for an empty block */
    int *zero;          /* shape (size); displacements stand in the types */
    MPI_Datatype *type; /* shape (2, n_round, size) */
    int64_t bytes[2];   /* that leave this rank, forward and back */
};

static int64_t
count_bytes(const hg_block *block, size_t element)
{
    return block->n[0] * block->n[1] * block->n[2] * (int64_t)element;
}

/* Part `round` of `n_round` of a block as a type with its displacement. */
static int
make_type(const hg_block *block, size_t element, int round, int n_round, MPI_Datatype *type)
{
    const int64_t low = block->n[0] * round / n_round;
    const int64_t n = block->n[0] * (round + 1) / n_round - low;
    const MPI_Aint size = (MPI_Aint)element;
    const MPI_Aint first = (MPI_Aint)(block->first + low * block->stride[0]) * size;
    MPI_Datatype row, plane, box;

    *type = MPI_BYTE;
    if (n == 0 || block->n[1] == 0 || block->n[2] == 0) {
        return 0;
    }
    MPI_Type_contiguous((int)(block->n[2] * (int64_t)element), MPI_BYTE, &row);
    MPI_Type_create_hvector((int)block->n[1], 1, (MPI_Aint)block->stride[1] * size, row,
                            &plane);
    MPI_Type_create_hvector((int)n, 1, (MPI_Aint)block->stride[0] * size, plane, &box);
    MPI_Type_create_hindexed_block(1, 1, &first, box, type);
    MPI_Type_commit(type);
    MPI_Type_free(&box);
    MPI_Type_free(&plane);
    MPI_Type_free(&row);
    return 1;
}

static void
make_types(hg_transpose *t, const hg_block to[], const hg_block from[])
{
    for (int way = 0; way < 2; way++) {
        const hg_block *block = way == 0 ? to : from;

        for (int round = 0; round < t->n_round; round++) {
            for (int r = 0; r < t->size; r++) {
                size_t i = (size_t)((way * t->n_round + round) * t->size + r);

                t->type[i] = MPI_BYTE;
                if (r != t->rank) {
                    t->count[i] =
                        make_type(&block[r], t->element, round, t->n_round, &t->type[i]);
                }
            }
        }
    }
}

hg_status
hg_transpose_create(const hg_comm *comm, size_t element, int64_t most, const hg_block to[],
                    const hg_block from[], hg_transpose **out)
{
    hg_transpose *t = NULL;
    int64_t n_round = 1;
    size_t n_type = 0;
    hg_status status;

    *out = NULL;
    most = most > 0 ? most : HG_PIECE;
    for (int r = 0; r < comm->size; r++) {
        int64_t need = (count_bytes(&to[r], element) + most - 1) / most;

        n_round = need > n_round ? need : n_round;
    }
    hg_comm_max(comm, 1, &n_round);
    n_type = 2 * (size_t)n_round * (size_t)comm->size;
    HG_TRY_OR(plan, status, hg_mem_zeros(&t, 1, sizeof *t));
    HG_TRY_OR(plan, status, hg_mem_zeros(&t->count, n_type, sizeof *t->count));
    HG_TRY_OR(plan, status, hg_mem_zeros(&t->zero, (size_t)comm->size, sizeof *t->zero));
    HG_TRY_OR(plan, status, hg_mem_zeros(&t->type, n_type, sizeof(MPI_Datatype)));
plan:
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    t->size = comm->size;
    t->rank = comm->rank;
    t->n_round = (int)n_round;
    t->element = element;
    t->own[0] = to[comm->rank];
    t->own[1] = from[comm->rank];
    for (int r = 0; r < comm->size; r++) {
        t->bytes[0] += r != comm->rank ? count_bytes(&to[r], element) : 0;
        t->bytes[1] += r != comm->rank ? count_bytes(&from[r], element) : 0;
    }
    make_types(t, to, from);
    *out = t;
    return HG_OK;
fail:
    hg_transpose_free(t);
    return status;
}

void
hg_transpose_free(hg_transpose *t)
{
    if (t == NULL) {
        return;
    }
    for (int i = 0; t->count != NULL && i < 2 * t->n_round * t->size; i++) {
        if (t->count[i] > 0) {
            MPI_Type_free(&t->type[i]);
        }
    }
    hg_mem_free(t->count);
    hg_mem_free(t->zero);
    hg_mem_free(t->type);
    hg_mem_free(t);
}

static void
copy_own(const hg_transpose *t, const hg_block *from, const char *send, const hg_block *to,
         char *recv)
{
    const size_t size = t->element, bytes = (size_t)from->n[2] * size;
    const int64_t n = bytes > 0 ? from->n[0] : 0; /* nothing may have no memory */

#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < from->n[1]; j++) {
            memcpy(recv + (size_t)(to->first + i * to->stride[0] + j * to->stride[1]) * size,
                   send +
                       (size_t)(from->first + i * from->stride[0] + j * from->stride[1]) * size,
                   bytes);
        }
    }
}

void
hg_transpose_execute(const hg_comm *comm, const hg_transpose *t, bool back, const void *send,
                     void *recv)
{
    const int n = t->n_round * t->size;

    copy_own(t, &t->own[back], send, &t->own[!back], recv);
    for (int first = 0; first < n && t->size > 1; first += t->size) {
        const int out = first + (back ? n : 0), in = first + (back ? 0 : n);

        hg_alive_wait(true);
        MPI_Alltoallw(send, t->count + out, t->zero, t->type + out, recv, t->count + in,
                      t->zero, t->type + in, comm->mpi);
        hg_alive_wait(false);
    }
}

int64_t
hg_transpose_bytes(const hg_transpose *t, bool back)
{
    return t->bytes[back];
}
