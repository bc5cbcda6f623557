/* delta = (d1 + exp(+i (tx + ty + tz)) d2) / 2, with the second mesh painted at u + 1/2: the
 * sign belongs to the forward transform exp(-ikx). The phase of a row is stepped along z by the
 * table of one axis: no trigonometric function per mode. */
#include "field/density.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define DEFINE_COMBINE(real)                                                                 \
    static void combine_##real(const hg_mesh *mesh, const hg_window *window, real *a,        \
                               const real *b)                                                \
    {                                                                                        \
        const int64_t n = mesh->n, n_z = mesh->n_kz, z0 = mesh->kz_first;                    \
        const double *c = window->cosine, *s = window->sine;                                 \
                                                                                             \
        _Pragma("omp parallel for schedule(static)") for (int64_t r = 0; r < mesh->n_ky * n; \
                                                          r++)                               \
        {                                                                                    \
            int64_t x = r % n, y = mesh->ky_first + r / n;                                   \
            double cr = 0.5 * (c[x] * c[y] - s[x] * s[y]);                                   \
            double sr = 0.5 * (c[x] * s[y] + s[x] * c[y]);                                   \
            real *restrict p = a + r * 2 * n_z;                                              \
            const real *restrict q = b + r * 2 * n_z;                                        \
                                                                                             \
            for (int64_t z = 0; z < n_z; z++) {                                              \
                double co = c[z0 + z], si = s[z0 + z];                                       \
                double cz = cr * co - sr * si, sz = cr * si + sr * co;                       \
                double re = (double)q[2 * z], im = (double)q[2 * z + 1];                     \
                                                                                             \
                p[2 * z] = (real)(0.5 * (double)p[2 * z] + cz * re - sz * im);               \
                p[2 * z + 1] = (real)(0.5 * (double)p[2 * z + 1] + cz * im + sz * re);       \
            }                                                                                \
        }                                                                                    \
    }

DEFINE_COMBINE(float)
DEFINE_COMBINE(double)

/* Factor that makes weights integers of 32 bits, or of as many as leave room for the sum of all
 * objects in one cell. It depends on the number and the largest weight alone, as does the power
 * of two above all weights. */
static double
integer_scale(const hg_comm *comm, int64_t n, const double weight[], int64_t n_all,
              double *bound)
{
    double largest = weight == NULL && n > 0 ? 1 : 0;
    int weight_bits, count_bits;

    for (int64_t i = 0; i < n && weight != NULL; i++) {
        largest = fmax(largest, fabs(weight[i]));
    }
    hg_comm_max_double(comm, 1, &largest);
    frexp(largest, &weight_bits);
    frexp((double)n_all, &count_bits);
    *bound = ldexp(1, weight_bits);
    return ldexp(1, (count_bits < 30 ? 32 : 62 - count_bits) - weight_bits);
}

/* Sums of w and w^2, as integers where they must not depend on the order. */
static hg_status
sum_weights(const hg_comm *comm, bool exact, int64_t n, const double weight[],
            hg_density *density, double *scale)
{
    double sum[2] = {(double)n, (double)n}, bound = 1;
    int64_t whole[3] = {0, 0, weight != NULL};

    density->n_object = n;
    hg_comm_sum(comm, 1, &density->n_object);
    *scale = exact ? integer_scale(comm, n, weight, density->n_object, &bound) : 1;
    if (weight != NULL) {
        sum[0] = sum[1] = 0;
        for (int64_t i = 0; i < n; i++) {
            sum[0] += weight[i];
            sum[1] += weight[i] * weight[i];
            whole[0] += exact ? llrint(*scale * weight[i]) : 0;
            whole[1] += exact ? llrint(*scale * weight[i] * (weight[i] / bound)) : 0;
        }
    }
    hg_comm_sum_double(comm, 2, sum);
    hg_comm_sum(comm, 3, whole);
    if (exact && whole[2] > 0) { /* a rank without objects may have no array of weights */
        sum[0] = (double)whole[0] / *scale;
        sum[1] = (double)whole[1] / *scale * bound;
    }
    density->weight_sum = sum[0];
    density->weight_sum2 = sum[1];
    if (density->n_object == 0) {
        return HG_FAIL(HG_E_INPUT, "there is no object to paint");
    }
    if (!(sum[0] > 0)) {
        return HG_FAIL(HG_E_INPUT, "the weights of the objects sum to %g, not above 0", sum[0]);
    }
    return HG_OK;
}

/* A field to paint to: integers on a reproducible mesh. */
static hg_status
make_field(hg_mesh *mesh, void **field)
{
    if (mesh->reproducible) {
        return hg_mem_zeros(field, mesh->n_real > 0 ? (size_t)mesh->n_real : 1,
                            sizeof(int64_t));
    }
    return hg_mesh_field(mesh, field);
}

/* Integers become reals in the same memory, which is read ahead of what is written. */
static void
round_field(const hg_mesh *mesh, double scale, void *field)
{
    const double unit = 1 / scale;
    char *p = field;

    for (int64_t i = 0; i < mesh->n_real; i++) {
        int64_t sum;
        double real;
        float single;

        memcpy(&sum, p + 8 * i, sizeof sum);
        real = unit * (double)sum;
        single = (float)real;
        if (mesh->precision == HG_PRECISION_DOUBLE) {
            memcpy(p + 8 * i, &real, sizeof real);
        } else {
            memcpy(p + 4 * i, &single, sizeof single);
        }
    }
}

/* Paint, transform, and leave delta in density->mode. */
static hg_status
fill_modes(const hg_comm *comm, hg_mesh *mesh, const hg_window *window, int64_t n,
           const double position[][3], const double weight[], double scale, hg_density *density,
           void *second)
{
    void *const field[2] = {density->mode, second};

    HG_TRY(hg_paint(comm, mesh, density->kernel, density->box, n, position, weight, scale,
                    density->mode, second));
    for (int i = 0; i < 2 && field[i] != NULL; i++) {
        if (mesh->reproducible) {
            round_field(mesh, scale, field[i]);
        }
        hg_mesh_forward(comm, mesh, field[i]);
    }
    if (second != NULL && mesh->precision == HG_PRECISION_DOUBLE) {
        combine_double(mesh, window, density->mode, second);
    } else if (second != NULL) {
        combine_float(mesh, window, density->mode, second);
    }
    return HG_OK;
}

hg_status
hg_density_create(const hg_comm *comm, hg_mesh *mesh, hg_kernel kernel, bool interlaced,
                  double box, int64_t n, const double position[][3], const double weight[],
                  hg_density *density)
{
    hg_window window = {0};
    void *second = NULL;
    double scale;
    hg_status status;

    *density = (hg_density){.box = box, .kernel = kernel, .interlaced = interlaced};
    HG_TRY(sum_weights(comm, mesh->reproducible, n, weight, density, &scale));
    HG_TRY_OR(agree, status, hg_window_init(&window, mesh->n, kernel));
    HG_TRY_OR(agree, status, make_field(mesh, &density->mode));
    if (interlaced) {
        HG_TRY_OR(agree, status, make_field(mesh, &second));
    }
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              fill_modes(comm, mesh, &window, n, position, weight, scale, density, second));
    hg_mem_free(second);
    second = NULL;
    if (mesh->reproducible) { /* give back the room of the integers */
        status = hg_mem_resize(&density->mode, (size_t)hg_mesh_bytes(mesh) + 1, 1);
        status = hg_comm_agree(comm, status);
    }
done:
    hg_mem_free(second);
    hg_window_clear(&window);
    if (status != HG_OK) {
        hg_density_clear(density);
    }
    return status;
}

void
hg_density_clear(hg_density *density)
{
    hg_mem_free(density->mode);
    memset(density, 0, sizeof *density);
}
