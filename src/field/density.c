/* delta = (d1 + exp(+i (tx + ty + tz)) d2) / 2, with the second mesh painted at u + 1/2: the
 * sign belongs to the forward transform exp(-ikx). The phase of a row is stepped along z by the
 * table of one axis: no trigonometric function per mode. */
#include "field/density.h"

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

static hg_status
sum_weights(const hg_comm *comm, int64_t n, const double weight[], hg_density *density)
{
    double sum[2] = {(double)n, (double)n};

    if (weight != NULL) {
        sum[0] = sum[1] = 0;
        for (int64_t i = 0; i < n; i++) {
            sum[0] += weight[i];
            sum[1] += weight[i] * weight[i];
        }
    }
    density->n_object = n;
    hg_comm_sum(comm, 1, &density->n_object);
    hg_comm_sum_double(comm, 2, sum);
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

hg_status
hg_density_create(const hg_comm *comm, hg_mesh *mesh, hg_kernel kernel, bool interlaced,
                  double box, int64_t n, const double position[][3], const double weight[],
                  hg_density *density)
{
    hg_window window = {0};
    void *second = NULL;
    hg_status status;

    *density = (hg_density){.box = box, .kernel = kernel, .interlaced = interlaced};
    HG_TRY(sum_weights(comm, n, weight, density));
    HG_TRY_OR(agree, status, hg_window_init(&window, mesh->n, kernel));
    HG_TRY_OR(agree, status, hg_mesh_field(mesh, &density->mode));
    if (interlaced) {
        HG_TRY_OR(agree, status, hg_mesh_field(mesh, &second));
    }
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_paint(comm, mesh, kernel, box, n, position, weight, density->mode, second));
    hg_mesh_forward(comm, mesh, density->mode);
    if (interlaced) {
        hg_mesh_forward(comm, mesh, second);
        if (mesh->precision == HG_PRECISION_DOUBLE) {
            combine_double(mesh, &window, density->mode, second);
        } else {
            combine_float(mesh, &window, density->mode, second);
        }
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
