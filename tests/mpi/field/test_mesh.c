#include "mpi_test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "field/density.h"

MPI_SUITE(mesh);

/* A value for every cell that does not depend on the ranks. */
static double
cell_value(int64_t n, int64_t x, int64_t y, int64_t z)
{
    hg_stream s = hg_stream_start(3, 0, (uint64_t)((x * n + y) * n + z), HG_PURPOSE_LATENT);

    return hg_stream_normal(&s);
}

static void
set_cell(const hg_mesh *mesh, void *field, int64_t x, int64_t y, int64_t z, double value)
{
    int64_t i = ((x - mesh->x_first) * mesh->n_y + y - mesh->y_first) * mesh->row + z;

    if (mesh->precision == HG_PRECISION_DOUBLE) {
        ((double *)field)[i] = value;
    } else {
        ((float *)field)[i] = (float)value;
    }
}

/* Forward and back gives n^3 times the field; one mode against its direct sum. */
static void
check_round_trip(const hg_mesh_options *options, double limit)
{
    const int64_t n = options->n;
    hg_mesh *mesh = NULL;
    void *field = NULL;
    double worst = 0, total = (double)(n * n * n), direct[2] = {0, 0}, off = 0;
    int64_t owned[2], kx = n - 1, ky = 1, kz = n / 2 - 1;

    all_assert(hg_mesh_create(&world, options, &mesh) == HG_OK);
    all_assert(hg_mesh_field(mesh, &field) == HG_OK);
    owned[0] = mesh->n_x * mesh->n_y;
    owned[1] = mesh->n_ky * mesh->n_kz;
    hg_comm_sum(&world, 2, owned);
    all_assert(owned[0] == n * n && owned[1] == n * (n / 2 + 1));
    for (int64_t x = mesh->x_first; x < mesh->x_first + mesh->n_x; x++) {
        for (int64_t y = mesh->y_first; y < mesh->y_first + mesh->n_y; y++) {
            cr_expect_eq(mesh->x_owner[x] * mesh->n_column + mesh->y_owner[y], world.rank);
            for (int64_t z = 0; z < n; z++) {
                double v = cell_value(n, x, y, z);
                double phase = 2 * M_PI * (double)(kx * x + ky * y + kz * z) / (double)n;

                set_cell(mesh, field, x, y, z, v);
                direct[0] += v * cos(phase);
                direct[1] -= v * sin(phase);
            }
        }
    }
    hg_comm_sum_double(&world, 2, direct);
    hg_mesh_forward(&world, mesh, field);
    if (ky >= mesh->ky_first && ky < mesh->ky_first + mesh->n_ky && kz >= mesh->kz_first &&
        kz < mesh->kz_first + mesh->n_kz) {
        double mode[2];

        hg_mesh_mode(mesh, field, kx, ky, kz, mode);
        off = hypot(mode[0] - direct[0], mode[1] - direct[1]) / sqrt(total);
    }
    all_assert(off < limit);
    hg_mesh_backward(&world, mesh, field);
    for (int64_t x = mesh->x_first; x < mesh->x_first + mesh->n_x; x++) {
        for (int64_t y = mesh->y_first; y < mesh->y_first + mesh->n_y; y++) {
            for (int64_t z = 0; z < n; z++) {
                worst = fmax(worst, fabs(hg_mesh_cell(mesh, field, x, y, z) / total -
                                         cell_value(n, x, y, z)));
            }
        }
    }
    all_assert(worst < limit);
    hg_mem_free(field);
    hg_mesh_free(mesh);
}

Test(mesh, fields_transform_there_and_back_also_with_idle_ranks)
{
    for (int b = HG_BACKEND_AUTO; b <= HG_BACKEND_PENCIL; b++) {
        for (int columns = 0; columns <= (b == HG_BACKEND_PENCIL ? 1 : 0); columns++) {
            hg_mesh_options o = {.n = 16, .backend = (hg_backend)b};

            o.grid[0] = columns > 0 ? 1 : 0;
            o.grid[1] = columns > 0 ? world.size : 0;
            check_round_trip(&o, 1e-5);
            o.precision = HG_PRECISION_DOUBLE;
            check_round_trip(&o, 1e-13);
            o.n = 15;
            check_round_trip(&o, 1e-13);
            o.n = 2; /* three ranks, two planes */
            check_round_trip(&o, 1e-13);
            o.n = 32;
            omp_set_num_threads(2);
            check_round_trip(&o, 1e-13);
            omp_set_num_threads(1);
        }
    }
}

Test(mesh, a_mesh_too_large_for_the_counts_of_fftw_is_refused)
{
    hg_mesh *mesh = NULL;

    all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = 8192, .backend = HG_BACKEND_SLAB},
                              &mesh) == HG_E_ENVIRONMENT);
    all_assert(strstr(hg_error_last()->message, "ranks") != NULL);
    all_assert(
        hg_mesh_create(&world,
                       &(hg_mesh_options){.n = 8, .backend = HG_BACKEND_PENCIL, .grid = {2, 2}},
                       &mesh) == HG_E_ARG);
    all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = 1}, &mesh) == HG_E_ARG);
    hg_mem_budget(hg_mem_used() + 1000000);
    all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = 256}, &mesh) == HG_E_MEMORY);
    hg_mem_budget(0);
    all_assert(mesh == NULL);
}

enum { N_POINT = 300 };

static void
make_points(double box, double position[][3], double weight[])
{
    for (int64_t i = 0; i < N_POINT; i++) {
        hg_stream s = hg_stream_start(11, (uint64_t)world.rank, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            position[i][k] = box * (3 * hg_stream_uniform(&s) - 1); /* some outside */
        }
        weight[i] = 0.5 + hg_stream_uniform(&s);
    }
    position[0][0] = box;
    position[1][1] = -1e-18;
    position[2][2] = nextafter(box, 0);
}

/* Weight of a kernel at distance d (in cells) from a cell centre, written from its definition:
 * p-fold convolution of a top hat. */
static double
kernel_at(hg_kernel kernel, double d)
{
    d = fabs(d);
    switch (kernel) {
    case HG_KERNEL_NGP:
        return d < 0.5 ? 1 : 0;
    case HG_KERNEL_CIC:
        return d < 1 ? 1 - d : 0;
    case HG_KERNEL_TSC:
        return d < 0.5 ? 0.75 - d * d : d < 1.5 ? 0.5 * pow(1.5 - d, 2) : 0;
    case HG_KERNEL_PCS:
        break;
    }
    return d < 1 ? (4 - 6 * d * d + 3 * d * d * d) / 6 : d < 2 ? pow(2 - d, 3) / 6 : 0;
}

static double
brute_cell(int64_t n_all, double (*all)[4], hg_kernel kernel, double box, int64_t n,
           double shift, const int64_t cell[3])
{
    double sum = 0;

    for (int64_t i = 0; i < n_all; i++) {
        double w = all[i][3];

        for (int k = 0; k < 3; k++) {
            double d = all[i][k] / box * (double)n + shift - (double)cell[k];

            w *= kernel_at(kernel, d - (double)n * rint(d / (double)n));
        }
        sum += w;
    }
    return sum;
}

/* Cells against their definition, each 37th, and the mass of both fields. */
static void
check_painting(const hg_mesh_options *options, hg_kernel kernel, double box, int64_t n_mine,
               const double (*position)[3], const double *weight, int64_t n_all,
               double (*all)[4])
{
    const int64_t n = options->n;
    hg_mesh *mesh = NULL;
    void *field = NULL, *shifted = NULL;
    double total[2] = {0, 0}, worst = 0, mass = 0;

    for (int64_t i = 0; i < n_all; i++) {
        mass += all[i][3];
    }
    all_assert(hg_mesh_create(&world, options, &mesh) == HG_OK);
    all_assert(hg_mesh_field(mesh, &field) == HG_OK);
    all_assert(hg_mesh_field(mesh, &shifted) == HG_OK);
    all_assert(hg_paint(&world, mesh, kernel, box, n_mine, position, weight, 1, field,
                        shifted) == HG_OK);
    for (int64_t i = mesh->x_first * n * n; i < (mesh->x_first + mesh->n_x) * n * n; i++) {
        int64_t cell[3] = {i / n / n, i / n % n, i % n};

        if (cell[1] < mesh->y_first || cell[1] >= mesh->y_first + mesh->n_y) {
            continue;
        }
        for (int k = 0; k < 2; k++) {
            double here =
                hg_mesh_cell(mesh, k == 0 ? field : shifted, cell[0], cell[1], cell[2]);

            total[k] += here;
            if (i % 37 == 0) {
                worst = fmax(
                    worst, fabs(here - brute_cell(n_all, all, kernel, box, n, 0.5 * k, cell)));
            }
        }
    }
    hg_comm_sum_double(&world, 2, total);
    all_assert(fabs(total[0] / mass - 1) < 1e-12);
    all_assert(fabs(total[1] / mass - 1) < 1e-12);
    all_assert(worst < 1e-11);
    hg_mem_free(field);
    hg_mem_free(shifted);
    hg_mesh_free(mesh);
}

Test(mesh, painting_equals_the_definition_and_conserves_mass)
{
    const double box = 7.5;
    double position[N_POINT][3], weight[N_POINT], row[N_POINT][4], (*all)[4] = NULL;
    int64_t n_all = 0, n_mine = world.rank == 1 ? 0 : N_POINT; /* one rank brings nothing */

    make_points(box, position, weight);
    for (int i = 0; i < N_POINT; i++) {
        memcpy(row[i], position[i], sizeof position[i]);
        row[i][3] = weight[i];
    }
    all_assert(hg_comm_gather_rows(&world, n_mine, sizeof row[0], row, &n_all, &all) == HG_OK);
    for (int64_t n = 18; n <= 25; n += 7) {
        for (int p = 1; p <= 4; p++) {
            hg_mesh_options options = {.n = n, .precision = HG_PRECISION_DOUBLE};

            check_painting(&options, (hg_kernel)p, box, n_mine, (const double(*)[3])position,
                           weight, n_all, all);
            options.backend = HG_BACKEND_PENCIL;
            options.grid[0] = 1;
            options.grid[1] = world.size; /* cut in y */
            check_painting(&options, (hg_kernel)p, box, n_mine, (const double(*)[3])position,
                           weight, n_all, all);
        }
    }
    hg_mem_free(all);
}

Test(mesh, a_position_that_is_no_number_fails_on_every_rank)
{
    double position[2][3] = {{1, 2, 3}, {1, (double)NAN, 3}};
    hg_density density;
    hg_mesh *mesh = NULL;

    all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = 8}, &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 10.0,
                                 world.rank == world.size - 1 ? 2 : 1,
                                 (const double(*)[3])position, NULL, &density) == HG_E_INPUT);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 10.0, 0, NULL, NULL,
                                 &density) == HG_E_INPUT);
    hg_mesh_free(mesh);
}
