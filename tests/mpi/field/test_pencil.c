/* ranks: 6 */
#include "mpi_fault.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "field/density.h"
#include "par/transpose.h"

MPI_SUITE(pencil);

/* Grids of six ranks: one column, one row, both cuts, and two ranks that idle. */
static const int grids[][2] = {{6, 1}, {1, 6}, {2, 3}, {3, 2}, {2, 2}, {0, 0}};
enum { N_GRID = sizeof grids / sizeof grids[0], N_POINT = 500 };

/* All modes of a field on every rank, shape (n, n, n / 2 + 1, 2) in (ky, kx, kz). */
static double *
gather_modes(const hg_mesh *mesh, const void *field)
{
    const int64_t n = mesh->n, nk = n / 2 + 1;
    double *all = NULL;

    cr_assert_eq(hg_mem_zeros(&all, (size_t)(2 * n * n * nk), sizeof *all), HG_OK);
    for (int64_t y = mesh->ky_first; y < mesh->ky_first + mesh->n_ky; y++) {
        for (int64_t x = 0; x < n; x++) {
            for (int64_t z = mesh->kz_first; z < mesh->kz_first + mesh->n_kz; z++) {
                hg_mesh_mode(mesh, field, x, y, z, &all[2 * ((y * n + x) * nk + z)]);
            }
        }
    }
    hg_comm_sum_double(&world, (size_t)(2 * n * n * nk), all);
    return all;
}

/* Modes of the same points, painted and transformed. */
static double *
modes_of_points(const hg_mesh_options *options)
{
    double position[N_POINT][3], *all;
    hg_density density;
    hg_mesh *mesh = NULL;
    int n = 0;

    for (uint64_t i = (uint64_t)world.rank; i < N_POINT; i += (uint64_t)world.size) {
        hg_stream s = hg_stream_start(8, 0, i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            position[n][k] = hg_stream_uniform(&s);
        }
        n++;
    }
    all_assert(hg_mesh_create(&world, options, &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 1, n,
                                 (const double(*)[3])position, NULL, &density) == HG_OK);
    all = gather_modes(mesh, density.mode);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
    return all;
}

/* Even and odd meshes, more ranks than planes included: slabs are the oracle of pencils. */
Test(pencil, every_grid_of_ranks_has_the_modes_of_slabs)
{
    static const int64_t sizes[] = {3, 4, 9, 16};

    for (int s = 0; s < 4; s++) {
        const int64_t n = sizes[s], length = 2 * n * n * (n / 2 + 1);
        hg_mesh_options o = {
            .n = n, .precision = HG_PRECISION_DOUBLE, .backend = HG_BACKEND_SLAB};
        double *slab = modes_of_points(&o);

        o.backend = HG_BACKEND_PENCIL;
        for (int g = 0; g < N_GRID; g++) {
            double worst = 0, *pencil;

            memcpy(o.grid, grids[g], sizeof o.grid);
            pencil = modes_of_points(&o);
            for (int64_t i = 0; i < length; i++) {
                worst = fmax(worst, fabs(pencil[i] - slab[i]));
            }
            all_assert(worst < 1e-11);
            hg_mem_free(pencil);
        }
        hg_mem_free(slab);
    }
}

Test(pencil, the_backend_is_chosen_by_ranks_and_counts)
{
    static const struct {
        int64_t n;
        hg_backend backend;
    } cases[] = {{4, HG_BACKEND_PENCIL}, {11, HG_BACKEND_PENCIL}, {12, HG_BACKEND_SLAB}};

    for (int i = 0; i < 3; i++) {
        hg_mesh *mesh = NULL;

        all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = cases[i].n}, &mesh) == HG_OK);
        all_assert(mesh->backend == cases[i].backend);
        all_assert(cases[i].n > 4 || (mesh->n_row == 4 && mesh->n_column == 1));
        hg_mesh_free(mesh);
    }
}

/* A 3-D array cut along its first axis becomes cut along its second, in messages of any size.
 */
Test(pencil, transposed_blocks_arrive_in_whatever_pieces)
{
    enum { NX = 17, NY = 13, NZ = 5 };
    const int64_t x0 = NX * world.rank / world.size, x1 = NX * (world.rank + 1) / world.size;
    const int64_t y0 = NY * world.rank / world.size, y1 = NY * (world.rank + 1) / world.size;
    int64_t a[NX * NY * NZ], b[NX * NY * NZ];
    hg_block to[6], from[6];

    for (int r = 0; r < world.size; r++) {
        int64_t x = NX * r / world.size, y = NY * r / world.size;
        int64_t n_x = NX * (r + 1) / world.size - x, n_y = NY * (r + 1) / world.size - y;

        to[r] = (hg_block){.first = y * NZ, .n = {x1 - x0, n_y, NZ}, .stride = {NY * NZ, NZ}};
        from[r] = (hg_block){.first = x * NZ, .n = {n_x, y1 - y0, NZ}, .stride = {NZ, NX * NZ}};
    }
    for (int64_t most = 0; most <= 1000; most += 100) {
        hg_transpose *t = NULL;

        all_assert(hg_transpose_create(&world, sizeof a[0], most, to, from, &t) == HG_OK);
        all_assert(hg_transpose_bytes(t, false) ==
                   (int64_t)sizeof a[0] * (x1 - x0) * (NY - (y1 - y0)) * NZ);
        for (int64_t i = 0; i < (x1 - x0) * NY * NZ; i++) {
            a[i] = x0 * NY * NZ + i;
        }
        memset(b, 0, sizeof b);
        hg_transpose_execute(&world, t, false, a, b);
        for (int64_t i = 0; i < (y1 - y0) * NX * NZ; i++) {
            int64_t y = y0 + i / (NX * NZ), x = i / NZ % NX;

            cr_assert_eq(b[i], (x * NY + y) * NZ + i % NZ);
        }
        memset(a, 0, sizeof a);
        hg_transpose_execute(&world, t, true, b, a);
        for (int64_t i = 0; i < (x1 - x0) * NY * NZ; i++) {
            cr_assert_eq(a[i], x0 * NY * NZ + i);
        }
        hg_transpose_free(t);
    }
}

/* Whatever agreement fails on whatever rank, all get it and nothing is left. */
Test(pencil, every_agreement_may_fail_on_every_rank)
{
    const hg_mesh_options o = {.n = 8, .backend = HG_BACKEND_PENCIL, .grid = {2, 2}};
    const int64_t used = hg_mem_used();
    fault_loop f = {.on_each = true};

    while (fault_next(&f)) {
        hg_mesh *mesh = NULL;

        fault_status(&f, hg_mesh_create(&world, &o, &mesh));
        hg_mesh_free(mesh);
        all_assert(hg_mem_used() == used);
    }
    all_assert(f.n_failed > 4 * world.size);
}
