/* The door to MPI. Messages above 256 MiB are cut into pieces, because counts are int and
 * because large single messages have a history of trouble. MPI's own errors stay fatal on our
 * duplicate communicator: after one, no further message can be trusted. */
#include "halograft/comm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alive.h"
#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "par/piece.h"

static int fault_count, fault_rank;
static int64_t n_message, n_byte;

void
hg_comm_count(size_t bytes)
{
    n_message++;
    n_byte += (int64_t)bytes;
}

void
hg_comm_traffic(int64_t *messages, int64_t *bytes)
{
    *messages = n_message;
    *bytes = n_byte;
}

static void
abort_all(void)
{
    MPI_Abort(MPI_COMM_WORLD, hg_status_exit_code(HG_E_FAULT));
}

/* The launcher that started this process speaks first: 'mpirun -n 1' in an allocation of four
 * tasks is meant. */
static int
promised_tasks(const char **name)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL) {
            *name = names[i];
            return atoi(value);
        }
    }
    return 1;
}

hg_status
hg_comm_start(int *argc, char ***argv, hg_comm *comm)
{
    const char *variable = NULL;
    int provided = 0, world = 1, promised = promised_tasks(&variable);

    *comm = (hg_comm){.mpi = MPI_COMM_NULL};
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    hg_error_on_abort(abort_all);
    MPI_Comm_size(MPI_COMM_WORLD, &world);
    HG_TRY(hg_comm_init(comm, MPI_COMM_WORLD));
    if (provided < MPI_THREAD_FUNNELED) {
        return HG_FAIL(HG_E_ENVIRONMENT, "this MPI library gives no thread support");
    }
    if (world == 1 && promised > 1) {
        return HG_FAIL(HG_E_ENVIRONMENT,
                       "%s promises %d tasks but MPI sees one rank, so every task would do the "
                       "whole work alone: start with 'srun --mpi=pmix' or with 'mpirun'",
                       variable, promised);
    }
    return HG_OK;
}

void
hg_comm_stop(hg_comm *comm)
{
    hg_comm_clear(comm);
    fflush(NULL);
    MPI_Finalize();
}

hg_status
hg_comm_init(hg_comm *comm, MPI_Comm mpi)
{
    const char *per_node = getenv("HG_RANKS_PER_NODE");
    MPI_Comm node = MPI_COMM_NULL;
    int is_first, n_per_node = per_node != NULL ? atoi(per_node) : 0;

    MPI_Comm_dup(mpi, &comm->mpi);
    MPI_Comm_rank(comm->mpi, &comm->rank);
    MPI_Comm_size(comm->mpi, &comm->size);
    if (n_per_node > 0) {
        MPI_Comm_split(comm->mpi, comm->rank / n_per_node, comm->rank, &node);
    } else {
        MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    }
    MPI_Comm_rank(node, &comm->node_rank);
    MPI_Comm_size(node, &comm->node_size);
    is_first = comm->node_rank == 0;
    MPI_Allreduce(&is_first, &comm->n_node, 1, MPI_INT, MPI_SUM, comm->mpi);
    MPI_Comm_free(&node);
    return HG_OK;
}

hg_status
hg_comm_split(const hg_comm *comm, int color, hg_comm *part)
{
    MPI_Comm mpi = MPI_COMM_NULL;

    *part = (hg_comm){.mpi = MPI_COMM_NULL};
    MPI_Comm_split(comm->mpi, color < 0 ? MPI_UNDEFINED : color, comm->rank, &mpi);
    if (mpi == MPI_COMM_NULL) {
        return HG_OK;
    }
    HG_TRY(hg_comm_init(part, mpi));
    MPI_Comm_free(&mpi);
    return HG_OK;
}

hg_status
hg_comm_node(const hg_comm *comm, hg_comm *node)
{
    int first = comm->rank;

    /* the ranks of one node share the world rank of the node's first rank as their colour */
    MPI_Comm mpi = MPI_COMM_NULL;
    const char *per_node = getenv("HG_RANKS_PER_NODE");
    int n_per_node = per_node != NULL ? atoi(per_node) : 0;

    if (n_per_node > 0) {
        first = comm->rank / n_per_node;
    } else {
        MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &mpi);
        MPI_Bcast(&first, 1, MPI_INT, 0, mpi);
        MPI_Comm_free(&mpi);
    }
    return hg_comm_split(comm, first, node);
}

void
hg_comm_clear(hg_comm *comm)
{
    if (comm->size > 0 && comm->mpi != MPI_COMM_NULL) {
        MPI_Comm_free(&comm->mpi);
    }
    *comm = (hg_comm){.mpi = MPI_COMM_NULL};
}

int
hg_fault_arm(int n, int rank)
{
    const int left = fault_count;

    fault_count = n;
    fault_rank = rank;
    return left;
}

hg_status
hg_comm_agree(const hg_comm *comm, hg_status status)
{
    struct {
        int status;
        int rank;
    } worst = {(int)status, comm->rank};
    hg_error_record record;

    if (fault_count > 0 && --fault_count == 0 && comm->rank == fault_rank) {
        fault_count = -1;
        worst.status = (int)HG_FAIL(HG_E_FAULT, "injected fault");
    }
    /* MAXLOC takes the lowest rank among equal statuses */
    hg_alive_wait(true);
    MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_2INT, MPI_MAXLOC, comm->mpi);
    hg_alive_wait(false);
    if (worst.status == HG_OK) {
        return HG_OK;
    }
    record = *hg_error_last();
    if (worst.rank == comm->rank && record.rank < 0) {
        record.rank = comm->rank;
    }
    MPI_Bcast(&record, (int)sizeof record, MPI_BYTE, worst.rank, comm->mpi);
    hg_error_set(&record);
    return (hg_status)worst.status;
}

void
hg_comm_barrier(const hg_comm *comm)
{
    hg_alive_wait(true);
    MPI_Barrier(comm->mpi);
    hg_alive_wait(false);
}

void
hg_comm_broadcast(const hg_comm *comm, int root, void *data, size_t n)
{
    char *p = data;

    for (size_t done = 0; done < n; done += HG_PIECE) {
        size_t piece = n - done < HG_PIECE ? n - done : HG_PIECE;

        hg_alive_wait(true);
        MPI_Bcast(p + done, (int)piece, MPI_BYTE, root, comm->mpi);
        hg_alive_wait(false);
        hg_comm_count(comm->rank == root ? piece : 0);
    }
}

static void
reduce(const hg_comm *comm, size_t n, void *x, MPI_Datatype type, MPI_Op op)
{
    const size_t step = HG_REDUCE_PIECE / 8;
    char *p = x;

    for (size_t done = 0; done < n; done += step) {
        size_t piece = n - done < step ? n - done : step;

        hg_alive_wait(true);
        MPI_Allreduce(MPI_IN_PLACE, p + 8 * done, (int)piece, type, op, comm->mpi);
        hg_alive_wait(false);
        hg_comm_count(8 * piece);
    }
}

void
hg_comm_sum(const hg_comm *comm, size_t n, int64_t x[])
{
    reduce(comm, n, x, MPI_INT64_T, MPI_SUM);
}

void
hg_comm_min(const hg_comm *comm, size_t n, int64_t x[])
{
    reduce(comm, n, x, MPI_INT64_T, MPI_MIN);
}

void
hg_comm_max(const hg_comm *comm, size_t n, int64_t x[])
{
    reduce(comm, n, x, MPI_INT64_T, MPI_MAX);
}

void
hg_comm_sum_double(const hg_comm *comm, size_t n, double x[])
{
    reduce(comm, n, x, MPI_DOUBLE, MPI_SUM);
}

void
hg_comm_min_double(const hg_comm *comm, size_t n, double x[])
{
    reduce(comm, n, x, MPI_DOUBLE, MPI_MIN);
}

void
hg_comm_max_double(const hg_comm *comm, size_t n, double x[])
{
    reduce(comm, n, x, MPI_DOUBLE, MPI_MAX);
}

int64_t
hg_comm_prefix(const hg_comm *comm, int64_t x)
{
    int64_t sum = 0;

    hg_alive_wait(true);
    MPI_Exscan(&x, &sum, 1, MPI_INT64_T, MPI_SUM, comm->mpi);
    hg_alive_wait(false);
    return comm->rank == 0 ? 0 : sum;
}

void
hg_comm_gather(const hg_comm *comm, const void *data, size_t n, void *all)
{
    HG_ASSERT(n < HG_PIECE);
    hg_alive_wait(true);
    MPI_Allgather(data, (int)n, MPI_BYTE, all, (int)n, MPI_BYTE, comm->mpi);
    hg_alive_wait(false);
    hg_comm_count(n);
}

void
hg_comm_send(const hg_comm *comm, int to, const void *data, size_t n)
{
    const char *p = data;

    for (size_t done = 0; done < n; done += HG_PIECE) {
        size_t piece = n - done < HG_PIECE ? n - done : HG_PIECE;

        hg_alive_wait(true);
        MPI_Send(p + done, (int)piece, MPI_BYTE, to, 1, comm->mpi);
        hg_alive_wait(false);
        hg_comm_count(piece);
    }
}

void
hg_comm_receive(const hg_comm *comm, int from, void *data, size_t n)
{
    char *p = data;

    for (size_t done = 0; done < n; done += HG_PIECE) {
        size_t piece = n - done < HG_PIECE ? n - done : HG_PIECE;

        hg_alive_wait(true);
        MPI_Recv(p + done, (int)piece, MPI_BYTE, from, 1, comm->mpi, MPI_STATUS_IGNORE);
        hg_alive_wait(false);
    }
}

/* Seconds this rank spent in a phase; 0 when it had no part in it. */
static double
find_seconds(const char *name)
{
    for (int i = 0; i < hg_phase_count(); i++) {
        if (strcmp(hg_phase_name(i), name) == 0) {
            return hg_phase_seconds(i);
        }
    }
    return 0;
}

bool
hg_comm_phase(const hg_comm *comm, int i, char name[32], double seconds[3])
{
    name[0] = '\0';
    /* ranks without work know fewer phases, so the list is that of rank 0 */
    if (comm->rank == 0 && i < hg_phase_count()) {
        snprintf(name, 32, "%s", hg_phase_name(i));
    }
    hg_comm_broadcast(comm, 0, name, 32);
    if (name[0] == '\0') {
        return false;
    }
    seconds[0] = seconds[1] = seconds[2] = find_seconds(name);
    hg_comm_min_double(comm, 1, &seconds[0]);
    hg_comm_sum_double(comm, 1, &seconds[1]);
    hg_comm_max_double(comm, 1, &seconds[2]);
    seconds[1] /= comm->size;
    return true;
}

void
hg_comm_report_times(const hg_comm *comm)
{
    int64_t memory[2] = {hg_mem_peak(), hg_mem_resident_peak()};
    char name[32];
    double seconds[3];

    for (int i = 0; hg_comm_phase(comm, i, name, seconds); i++) {
        hg_log_info("times: %-24s %8.2f s (min %.2f, mean %.2f over %d ranks)", name,
                    seconds[2], seconds[0], seconds[1], comm->size);
    }
    hg_comm_max(comm, 2, memory);
    hg_log_info("times: peak memory per rank %.1f MiB counted, %.1f MiB resident",
                (double)memory[0] / 1048576, (double)memory[1] / 1048576);
}

const char *
hg_comm_version(void)
{
    static char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int n = 0;

    if (version[0] == '\0') {
        MPI_Get_library_version(version, &n);
        version[strcspn(version, ",\n")] = '\0';
    }
    return version;
}
