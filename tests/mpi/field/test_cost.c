/* ranks: 8 */
#include "mpi_test.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "field/cost.h"
#include "field/density.h"

MPI_SUITE(cost);

/* Every byte that leaves this rank, FFTW's own messages included: these functions stand before
 * those of the library. */
static int64_t sent;

static int64_t
type_bytes(int count, MPI_Datatype type)
{
    int size = 0;

    PMPI_Type_size(type, &size);
    return (int64_t)count * size;
}

static int
rank_in(MPI_Comm comm)
{
    int rank = 0;

    PMPI_Comm_rank(comm, &rank);
    return rank;
}

static int
size_of(MPI_Comm comm)
{
    int size = 0;

    PMPI_Comm_size(comm, &size);
    return size;
}

int
MPI_Sendrecv(const void *send, int n_send, MPI_Datatype send_type, int to, int tag, void *recv,
             int n_recv, MPI_Datatype recv_type, int from, int recv_tag, MPI_Comm comm,
             MPI_Status *status)
{
    sent += to != rank_in(comm) && to != MPI_PROC_NULL ? type_bytes(n_send, send_type) : 0;
    return PMPI_Sendrecv(send, n_send, send_type, to, tag, recv, n_recv, recv_type, from,
                         recv_tag, comm, status);
}

int
MPI_Alltoall(const void *send, int n_send, MPI_Datatype send_type, void *recv, int n_recv,
             MPI_Datatype recv_type, MPI_Comm comm)
{
    sent += (size_of(comm) - 1) * type_bytes(n_send, send_type);
    return PMPI_Alltoall(send, n_send, send_type, recv, n_recv, recv_type, comm);
}

int
MPI_Alltoallv(const void *send, const int n_send[], const int at[], MPI_Datatype send_type,
              void *recv, const int n_recv[], const int recv_at[], MPI_Datatype recv_type,
              MPI_Comm comm)
{
    for (int r = 0; r < size_of(comm); r++) {
        sent += r != rank_in(comm) ? type_bytes(n_send[r], send_type) : 0;
    }
    return PMPI_Alltoallv(send, n_send, at, send_type, recv, n_recv, recv_at, recv_type, comm);
}

int
MPI_Alltoallw(const void *send, const int n_send[], const int at[],
              const MPI_Datatype send_type[], void *recv, const int n_recv[],
              const int recv_at[], const MPI_Datatype recv_type[], MPI_Comm comm)
{
    for (int r = 0; r < size_of(comm); r++) {
        sent += r != rank_in(comm) ? type_bytes(n_send[r], send_type[r]) : 0;
    }
    return PMPI_Alltoallw(send, n_send, at, send_type, recv, n_recv, recv_at, recv_type, comm);
}

/* Largest over ranks of what a density really took and sent, against the estimate. */
static void
check_cost(const hg_mesh_options *o, int64_t n_object, double box)
{
    const int64_t mine =
        n_object * (world.rank + 1) / world.size - n_object * world.rank / world.size;
    double(*position)[3] = NULL, memory, ghosts, transforms;
    int64_t found[3], before;
    hg_density density;
    hg_mesh *mesh = NULL;
    hg_mesh_cost cost;

    cr_assert_eq(hg_mem_array(&position, (size_t)mine, sizeof *position), HG_OK);
    for (int64_t i = 0; i < mine; i++) {
        hg_stream s = hg_stream_start(3, (uint64_t)world.rank, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            position[i][k] = box * hg_stream_uniform(&s);
        }
    }
    before = hg_mem_used();
    all_assert(hg_mesh_create(&world, o, &mesh) == HG_OK);
    sent = 0;
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, mine,
                                 (const double(*)[3])position, NULL, &density) == HG_OK);
    found[0] = hg_mem_peak() - before;
    found[1] = sent;
    sent = 0;
    hg_mesh_forward(&world, mesh, density.mode);
    found[2] = sent;
    hg_comm_max(&world, 3, found);
    hg_mesh_cost_estimate(o, world.size, 1, HG_KERNEL_PCS, true, (double)n_object, &cost);
    memory = cost.work + cost.paint + cost.points;
    ghosts = cost.ghosts;
    transforms = cost.transform;
    if (world.rank == 0) {
        fprintf(stderr, "memory %.4g of %.4g, ghosts %.4g of %.4g, transform %.4g of %.4g\n",
                memory, (double)found[0], ghosts, (double)(found[1] - 2 * found[2]), transforms,
                (double)found[2]);
    }
    all_assert(cost.backend == mesh->backend);
    all_assert(fabs(memory / (double)found[0] - 1) < 0.1);
    all_assert(fabs(transforms / (double)found[2] - 1) < 0.02);
    all_assert(fabs((ghosts + 2 * transforms) / (double)found[1] - 1) < 0.05);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
    hg_mem_free(position);
}

Test(cost, slabs_take_and_send_what_was_estimated)
{
    check_cost(&(hg_mesh_options){.n = 128}, 200000, 100);
}

Test(cost, pencils_take_and_send_what_was_estimated)
{
    check_cost(&(hg_mesh_options){.n = 128, .backend = HG_BACKEND_PENCIL, .grid = {2, 4}},
               200000, 100);
}

Test(cost, exact_pencils_take_and_send_what_was_estimated)
{
    check_cost(&(hg_mesh_options){.n = 90, .reproducible = true, .grid = {4, 2}}, 50000, 100);
}
