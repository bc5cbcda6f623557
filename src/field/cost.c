/* The formulas follow what hg_mesh_create(), hg_paint() and the transforms allocate and send;
 * tests/mpi/field/test_cost.c holds them against the counted bytes of real runs. */
#include "field/cost.h"

#include <math.h>

#include "field/paint.h"
#include "field/pencil.h"
#include "field/rowfft.h"
#include "field/slab.h"

static double
share(int n, int size, int r)
{
    return (double)(hg_rowfft_first(n, size, r + 1) - hg_rowfft_first(n, size, r));
}

/* Planes in equal blocks but the last: FFTW's own rule. */
static void
estimate_slab(int64_t n, int size, double element, hg_mesh_cost *cost)
{
    const int64_t nk = n / 2 + 1;
    const double planes = ceil((double)n / size), row = (double)nk;

    cost->grid[0] = size;
    cost->grid[1] = 1;
    cost->field = planes * (double)n * row * element;
    cost->transform = planes * ((double)n - planes) * row * element;
}

/* A rank in row i and column j of the grid, and the largest of them all. */
static void
estimate_pencil(const hg_mesh_options *o, int size, double element, hg_mesh_cost *cost)
{
    const int n = (int)o->n, nk = n / 2 + 1;
    const double side = n;

    cost->grid[0] = o->grid[0];
    cost->grid[1] = o->grid[1];
    if (o->grid[0] == 0 && o->grid[1] == 0) {
        hg_pencil_grid(n, size, cost->grid);
    }
    for (int i = 0; i < cost->grid[0]; i++) {
        const double n_x = share(n, cost->grid[0], i);

        for (int j = 0; j < cost->grid[1]; j++) {
            const double n_y = share(n, cost->grid[1], j), n_kz = share(nk, cost->grid[1], j);
            const double cells = fmax(n_x * n_y * nk, n_x * side * n_kz);
            const double sent = n_x * n_y * (nk - n_kz) + n_x * (side - n_x) * n_kz;

            cost->field = fmax(cost->field, cells * element);
            cost->transform = fmax(cost->transform, sent * element);
        }
    }
    cost->work = cost->field;
}

/* Owners of the cells a kernel touches along an axis, for points anywhere. */
static double
owners_per_point(int64_t n, int parts, int reach)
{
    return fmin(1 + (double)parts * (reach - 1) / (double)n, fmin(parts, reach));
}

static void
estimate_points(int64_t n, hg_kernel kernel, bool interlaced, int size, double n_object,
                hg_mesh_cost *cost)
{
    const int reach = (int)kernel + (interlaced ? 1 : 0);
    const double copies =
        owners_per_point(n, cost->grid[0], reach) * owners_per_point(n, cost->grid[1], reach);
    const double mine = n_object / size, round = fmin(mine, HG_PAINT_ROUND);
    const double point = sizeof(hg_mesh_point), blocks = fmax(1, floor((double)n / 8));

    if (size == 1) {
        cost->points = 2 * round * point;
    } else {
        cost->ghosts = mine * copies * point * (size - 1) / size;
        cost->points = round * (point + copies * (3 * point + sizeof(int)));
    }
    cost->points += 8 * blocks * blocks;
}

void
hg_mesh_cost_estimate(const hg_mesh_options *o, int size, int threads, hg_kernel kernel,
                      bool interlaced, double n_object, hg_mesh_cost *cost)
{
    const double element = o->precision == HG_PRECISION_DOUBLE ? 16 : 8;
    const double fields = interlaced ? 2 : 1;

    *cost = (hg_mesh_cost){.backend = hg_mesh_backend(o, size)};
    if (cost->backend == HG_BACKEND_SLAB) {
        estimate_slab(o->n, size, element, cost);
    } else {
        estimate_pencil(o, size, element, cost);
        cost->work += (double)hg_lines_bytes((int)o->n, o->precision, threads);
    }
    cost->work += 2.0 * (double)o->n * sizeof(int) + 5.0 * (double)o->n * sizeof(double);
    /* integers in place of floats while a reproducible field is painted */
    cost->paint = fields * cost->field * (o->reproducible && element < 16 ? 2 : 1);
    estimate_points(o->n, kernel, interlaced, size, n_object, cost);
}
