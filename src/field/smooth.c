/* One pass over the modes per field: the smoothing comes from a table over integer k^2, the
 * windows of the kernel from tables per axis, so that no mode costs a transcendental function.
 */
#include "field/smooth.h"

#include <math.h>

#include "base/memory.h"
#include "field/modes.h"
#include "field/wave.h"

void
hg_smooth_table(hg_smoothing smoothing, double radius, double box, int n, double table[])
{
    const double unit = 2 * M_PI * radius / box;

    if (smoothing == HG_SMOOTHING_TOP_HAT) {
        hg_modes_top_hat(radius, box, n, table);
        return;
    }
    for (size_t k2 = 0; k2 < hg_modes_table_size(n); k2++) {
        table[k2] = exp(-0.5 * unit * unit * (double)k2);
    }
}

/* Factors of the modes of one row along z. */
static void
row_factors(const hg_mesh *mesh, const hg_window *window, double norm, const double table[],
            const int axis[2], int64_t x, int64_t y, double factor[])
{
    const int64_t n = mesh->n;
    int64_t wave[3] = {hg_wave_number(x, n), hg_wave_number(y, n), 0};
    const bool nyquist = 2 * wave[0] == n || 2 * wave[1] == n;
    const double across = window->w[x] * window->w[y];

    for (int64_t z = 0; z < mesh->n_kz; z++) {
        const int64_t k2 =
            wave[0] * wave[0] + wave[1] * wave[1] + (mesh->kz_first + z) * (mesh->kz_first + z);
        const double w = across * window->w[mesh->kz_first + z];

        wave[2] = mesh->kz_first + z;
        factor[z] = nyquist || 2 * wave[2] == n || k2 == 0 ? 0 : norm * table[k2] / (w * w);
        if (axis != NULL && k2 > 0) {
            factor[z] *= (double)(wave[axis[0]] * wave[axis[1]]) / (double)k2;
        }
    }
}

hg_status
hg_smooth_field(const hg_comm *comm, const hg_mesh *mesh, const hg_density *density,
                const double table[], const int axis[2], void *field)
{
    const double norm = 1 / density->weight_sum;
    hg_window window = {0};
    double *factor = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_window_init(&window, mesh->n, density->kernel));
    HG_TRY_OR(agree, status,
              hg_mem_array(&factor, (size_t)(mesh->n_ky * mesh->n_kz), sizeof *factor));
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
#pragma omp parallel for schedule(static)
    for (int64_t y = 0; y < mesh->n_ky; y++) {
        double *f = factor + y * mesh->n_kz;

        for (int64_t x = 0; x < mesh->n; x++) {
            const int64_t first = (y * mesh->n + x) * mesh->n_kz;

            row_factors(mesh, &window, norm, table, axis, x, mesh->ky_first + y, f);
            for (int64_t z = 0; z < mesh->n_kz; z++) {
                const int64_t i = 2 * (first + z);

                if (mesh->precision == HG_PRECISION_DOUBLE) {
                    const double *from = density->mode;
                    double *to = field;

                    to[i] = f[z] * from[i];
                    to[i + 1] = f[z] * from[i + 1];
                } else {
                    const float *from = density->mode;
                    float *to = field;

                    to[i] = (float)(f[z] * (double)from[i]);
                    to[i + 1] = (float)(f[z] * (double)from[i + 1]);
                }
            }
        }
    }
    hg_mesh_backward(comm, mesh, field);
done:
    hg_mem_free(factor);
    hg_window_clear(&window);
    return status;
}

void
hg_smooth_eigenvalues(const double m[6], double value[3])
{
    const double mean = (m[0] + m[1] + m[2]) / 3;
    const double a = m[0] - mean, b = m[1] - mean, c = m[2] - mean;
    const double off = m[3] * m[3] + m[4] * m[4] + m[5] * m[5];
    const double p = sqrt((a * a + b * b + c * c + 2 * off) / 6);
    const double half = p > 0 ? (a * (b * c - m[5] * m[5]) - m[3] * (m[3] * c - m[5] * m[4]) +
                                 m[4] * (m[3] * m[5] - b * m[4])) /
                                    (2 * p * p * p)
                              : 0;
    const double angle = acos(half < -1 ? -1 : half > 1 ? 1 : half) / 3;

    value[0] = mean + 2 * p * cos(angle);
    value[2] = mean + 2 * p * cos(angle + 2 * M_PI / 3);
    value[1] = 3 * mean - value[0] - value[2];
}
