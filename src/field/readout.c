/* The reverse of painting: copies of a point go to all owners of its cells, and each sends back
 * its part of the sum. Parts are rounded to integers of a unit that the largest cell of the
 * whole mesh sets, so their sum does not depend on how the cells are spread over ranks. */
#include "field/readout.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "field/assign.h"
#include "field/paint.h"

enum { SUM_BITS = 52 };

struct hg_sample_point {
    double u[3];
    int64_t index; /* on the rank that asked */
    int64_t rank;
};

/* One owner's part of an interpolation. */
typedef struct part_value {
    int64_t index;
    int64_t value;
} part_value;

/* Copies of the points of this rank for the owners of their cells. */
static hg_status
copy_points(const hg_comm *comm, const hg_mesh *mesh, hg_kernel kernel, int64_t n,
            const hg_mesh_point point[], int64_t *n_copy, struct hg_sample_point **copy,
            int **target)
{
    int owner[HG_PAINT_OWNERS_MAX];
    int64_t done = 0;

    *n_copy = 0;
    for (int64_t i = 0; i < n; i++) {
        *n_copy += hg_paint_owners(mesh, kernel, &point[i], false, owner);
    }
    HG_TRY(hg_mem_array(copy, (size_t)*n_copy, sizeof **copy));
    HG_TRY(hg_mem_array(target, (size_t)*n_copy, sizeof **target));
    for (int64_t i = 0; i < n; i++) {
        const int m = hg_paint_owners(mesh, kernel, &point[i], false, owner);

        for (int k = 0; k < m; k++, done++) {
            (*copy)[done] = (struct hg_sample_point){.index = i, .rank = comm->rank};
            memcpy((*copy)[done].u, point[i].u, sizeof point[i].u);
            (*target)[done] = owner[k];
        }
    }
    return HG_OK;
}

hg_status
hg_sampler_create(const hg_comm *comm, const hg_mesh *mesh, hg_kernel kernel, double box,
                  int64_t n, const double position[][3], hg_sampler *sampler)
{
    struct hg_sample_point *copy = NULL;
    hg_mesh_point *point = NULL;
    int *target = NULL;
    int64_t n_copy = 0;
    hg_status status;

    *sampler = (hg_sampler){.kernel = kernel, .n = n};
    status = hg_mem_array(&point, (size_t)n, sizeof *point);
    if (status == HG_OK) {
        status = hg_paint_convert(mesh, box, n, position, NULL, 1, point);
    }
    if (status == HG_OK) {
        status = copy_points(comm, mesh, kernel, n, point, &n_copy, &copy, &target);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_mem_free(point);
    point = NULL;
    status = hg_comm_exchange(comm, n_copy, sizeof *copy, copy, target, &sampler->n_here,
                              &sampler->here);
done:
    hg_mem_free(point);
    hg_mem_free(copy);
    hg_mem_free(target);
    if (status != HG_OK) {
        hg_sampler_clear(sampler);
    }
    return status;
}

void
hg_sampler_clear(hg_sampler *sampler)
{
    hg_mem_free(sampler->here);
    *sampler = (hg_sampler){0};
}

/* The largest power of two times which every sum over cells is an integer of SUM_BITS. */
static double
sum_scale(const hg_comm *comm, const hg_mesh *mesh, const void *field)
{
    double largest = 0;
    int bits;

#pragma omp parallel for reduction(max : largest)
    for (int64_t r = 0; r < mesh->n_x * mesh->n_y; r++) {
        for (int64_t z = 0; z < mesh->n; z++) {
            const int64_t i = r * mesh->row + z;
            const double v = mesh->precision == HG_PRECISION_DOUBLE
                                 ? ((const double *)field)[i]
                                 : (double)((const float *)field)[i];

            largest = fmax(largest, fabs(v));
        }
    }
    hg_comm_max_double(comm, 1, &largest);
    frexp(largest, &bits);
    return ldexp(1, SUM_BITS - bits);
}

#define DEFINE_SUM(real)                                                            \
    HG_ALWAYS_INLINE int64_t sum_cells_##real(const int order, const hg_mesh *mesh, \
                                              double scale, const double u[3],      \
                                              const real field[])                   \
    {                                                                               \
        const int64_t n = mesh->n;                                                  \
        double wx[4], wy[4], wz[4];                                                 \
        const int64_t x = hg_assign_axis(order, u[0], wx);                          \
        const int64_t y = hg_assign_axis(order, u[1], wy);                          \
        const int64_t z = hg_assign_axis(order, u[2], wz);                          \
        int64_t sum = 0;                                                            \
                                                                                    \
        for (int a = 0; a < order; a++) {                                           \
            const int64_t plane = hg_assign_wrap(x + a, n) - mesh->x_first;         \
                                                                                    \
            for (int b = 0; b < order && plane >= 0 && plane < mesh->n_x; b++) {    \
                const int64_t line = hg_assign_wrap(y + b, n) - mesh->y_first;      \
                const real *row = field + (plane * mesh->n_y + line) * mesh->row;   \
                double part = 0;                                                    \
                                                                                    \
                if (line < 0 || line >= mesh->n_y) {                                \
                    continue;                                                       \
                }                                                                   \
                for (int c = 0; c < order; c++) {                                   \
                    part += wz[c] * (double)row[hg_assign_wrap(z + c, n)];          \
                }                                                                   \
                sum += llrint(scale * (wx[a] * wy[b] * part));                      \
            }                                                                       \
        }                                                                           \
        return sum;                                                                 \
    }                                                                               \
                                                                                    \
    static int64_t read_##real(hg_kernel kernel, const hg_mesh *mesh, double scale, \
                               const double u[3], const void *field)                \
    {                                                                               \
        switch (kernel) {                                                           \
        case HG_KERNEL_NGP:                                                         \
            return sum_cells_##real(1, mesh, scale, u, field);                      \
        case HG_KERNEL_CIC:                                                         \
            return sum_cells_##real(2, mesh, scale, u, field);                      \
        case HG_KERNEL_TSC:                                                         \
            return sum_cells_##real(3, mesh, scale, u, field);                      \
        case HG_KERNEL_PCS:                                                         \
            break;                                                                  \
        }                                                                           \
        return sum_cells_##real(4, mesh, scale, u, field);                          \
    }

DEFINE_SUM(float)
DEFINE_SUM(double)

hg_status
hg_sampler_read(const hg_comm *comm, const hg_mesh *mesh, const hg_sampler *sampler,
                const void *field, double value[])
{
    const double scale = sum_scale(comm, mesh, field);
    part_value *part = NULL, *got = NULL;
    int64_t *sum = NULL, n_got = 0;
    int *target = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_mem_array(&part, (size_t)sampler->n_here, sizeof *part));
    HG_TRY_OR(agree, status, hg_mem_array(&target, (size_t)sampler->n_here, sizeof *target));
    HG_TRY_OR(agree, status, hg_mem_zeros(&sum, (size_t)sampler->n, sizeof *sum));
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
#pragma omp parallel for schedule(static, 4096)
    for (int64_t i = 0; i < sampler->n_here; i++) {
        const struct hg_sample_point *p = &sampler->here[i];

        part[i].index = p->index;
        part[i].value = mesh->precision == HG_PRECISION_DOUBLE
                            ? read_double(sampler->kernel, mesh, scale, p->u, field)
                            : read_float(sampler->kernel, mesh, scale, p->u, field);
        target[i] = (int)p->rank;
    }
    HG_TRY_OR(
        done, status,
        hg_comm_exchange(comm, sampler->n_here, sizeof *part, part, target, &n_got, &got));
    for (int64_t i = 0; i < n_got; i++) {
        sum[got[i].index] += got[i].value;
    }
    for (int64_t i = 0; i < sampler->n; i++) {
        value[i] = (double)sum[i] / scale;
    }
done:
    hg_mem_free(part);
    hg_mem_free(got);
    hg_mem_free(sum);
    hg_mem_free(target);
    return status;
}
