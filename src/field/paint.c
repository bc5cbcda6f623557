/* Objects travel, not planes of cells: 1e9 haloes on 4096^3 cells are 0.015 per cell, so a copy
 * of each object for every owner it touches is far smaller than ghost planes, and it works for
 * ranks with one plane or none. Points come in rounds of fixed size, so that the buffers stay
 * small whatever the catalogue. */
#include "field/paint.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

#include "base/memory.h"

static double
fold(double x, double box)
{
    double f = x - box * floor(x / box);

    return f >= box || f < 0 ? 0 : f;
}

hg_status
hg_paint_convert(const hg_mesh *mesh, double box, int64_t n, const double position[][3],
                 const double weight[], double scale, hg_mesh_point point[])
{
    const double side = (double)mesh->n;
    int64_t bad = -1;

    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            double u = fold(position[i][k], box) / box * side;

            if (!isfinite(position[i][k])) {
                bad = i;
            }
            point[i].u[k] = u >= side ? 0 : u;
        }
        point[i].weight = weight != NULL ? scale * weight[i] : scale;
    }
    if (bad >= 0) {
        return HG_FAIL(HG_E_INPUT,
                       "position (%g, %g, %g) of object %" PRId64 " on this rank is not finite",
                       position[bad][0], position[bad][1], position[bad][2], bad);
    }
    return HG_OK;
}

/* First plane touched by a kernel of order p: NGP and TSC are centred on the nearest cell. */
static int64_t
first_plane(hg_kernel kernel, double u)
{
    switch (kernel) {
    case HG_KERNEL_NGP:
        return (int64_t)(u + 0.5);
    case HG_KERNEL_CIC:
        return (int64_t)u;
    case HG_KERNEL_TSC:
        return (int64_t)(u + 0.5) - 1;
    case HG_KERNEL_PCS:
        break;
    }
    return (int64_t)u - 1;
}

/* Owners of all planes touched along one axis; at most five, so a linear search for repeats. */
static int
find_owners(int64_t n_cell, const int plane_owner[], hg_kernel kernel, double u, bool shifted,
            int owner[HG_PAINT_REACH])
{
    int64_t low = first_plane(kernel, u);
    int64_t high = (shifted ? first_plane(kernel, u + 0.5) : low) + (int)kernel - 1;
    int n = 0;

    for (int64_t x = low; x <= high; x++) {
        int one = plane_owner[((x % n_cell) + n_cell) % n_cell];
        int i = 0;

        while (i < n && owner[i] != one) {
            i++;
        }
        if (i == n) {
            owner[n++] = one;
        }
    }
    return n;
}

int
hg_paint_owners(const hg_mesh *mesh, hg_kernel kernel, const hg_mesh_point *point, bool shifted,
                int target[HG_PAINT_OWNERS_MAX])
{
    int row[HG_PAINT_REACH], column[HG_PAINT_REACH] = {0}, n_column = 1, n = 0;
    int n_row = find_owners(mesh->n, mesh->x_owner, kernel, point->u[0], shifted, row);

    if (mesh->n_column > 1) {
        n_column = find_owners(mesh->n, mesh->y_owner, kernel, point->u[1], shifted, column);
    }
    for (int i = 0; i < n_row; i++) {
        for (int j = 0; j < n_column; j++) {
            target[n++] = row[i] * mesh->n_column + column[j];
        }
    }
    return n;
}

/* Copies of the points for their owners, moved there. */
static hg_status
exchange_points(const hg_comm *comm, const hg_mesh *mesh, hg_kernel kernel, bool shifted,
                int64_t n, const hg_mesh_point point[], hg_status status, int64_t *n_got,
                hg_mesh_point **got)
{
    hg_mesh_point *copy = NULL;
    int *target = NULL, each[HG_PAINT_OWNERS_MAX];
    int64_t total = 0, done = 0;

    *got = NULL;
    if (status == HG_OK) {
        for (int64_t i = 0; i < n; i++) {
            total += hg_paint_owners(mesh, kernel, &point[i], shifted, each);
        }
        status = hg_mem_array(&copy, (size_t)total, sizeof *copy);
    }
    if (status == HG_OK) {
        status = hg_mem_array(&target, (size_t)total, sizeof *target);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        int m = hg_paint_owners(mesh, kernel, &point[i], shifted, each);

        for (int k = 0; k < m; k++) {
            copy[done] = point[i];
            target[done++] = each[k];
        }
    }
    status = hg_comm_exchange(comm, total, sizeof *copy, copy, target, n_got, got);
done:
    hg_mem_free(target);
    hg_mem_free(copy);
    return status;
}

static hg_status
paint_round(const hg_comm *comm, const hg_mesh *mesh, hg_kernel kernel, double box, int64_t n,
            const double position[][3], const double weight[], double scale, void *field,
            void *shifted)
{
    hg_mesh_point *point = NULL, *got = NULL;
    int64_t n_got = n;
    hg_status status = hg_mem_array(&point, (size_t)n, sizeof *point);

    if (status == HG_OK) {
        status = hg_paint_convert(mesh, box, n, position, weight, scale, point);
    }
    if (comm->size > 1) {
        HG_TRY_OR(done, status,
                  exchange_points(comm, mesh, kernel, shifted != NULL, n, point, status, &n_got,
                                  &got));
        hg_mem_free(point);
        point = NULL;
    }
    if (status == HG_OK) {
        status =
            hg_paint_local(mesh, kernel, n_got, point != NULL ? point : got, field, shifted);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(got);
    hg_mem_free(point);
    return status;
}

hg_status
hg_paint(const hg_comm *comm, const hg_mesh *mesh, hg_kernel kernel, double box, int64_t n,
         const double position[][3], const double weight[], double scale, void *field,
         void *shifted)
{
    int64_t most = n;

    hg_comm_max(comm, 1, &most);
    for (int64_t done = 0; done < most; done += HG_PAINT_ROUND) {
        int64_t first = done < n ? done : n;
        int64_t m = n - first < HG_PAINT_ROUND ? n - first : HG_PAINT_ROUND;

        HG_TRY(paint_round(comm, mesh, kernel, box, m, m > 0 ? position + first : NULL,
                           weight != NULL && m > 0 ? weight + first : NULL, scale, field,
                           shifted));
    }
    return HG_OK;
}
