/* The source needs six second derivatives of phi1. They are made one after the other and folded
 * into a running sum, so that three real meshes suffice: with A = phi_xx, B = phi_yy, C =
 * phi_zz the diagonal part is A B + (A + B) C. Its box side cancels: k_i k_j / k^2 is a ratio.
 */
#include "field/displacement.h"

#include <math.h>

#include "base/memory.h"

hg_status
hg_lagrangian_factors(const hg_cosmology *cosmology, double z, hg_lagrangian *factors)
{
    double om = hg_cosmology_omega_m(cosmology, z), growth = 0, rate = 0;
    double speed = hg_cosmology_hubble(cosmology, z) / (1 + z);

    HG_TRY(hg_cosmology_growth(cosmology, z, &growth, &rate));
    factors->second = 3.0 / 7 * pow(om, -1.0 / 143);
    factors->speed1 = speed * rate;
    factors->speed2 = speed * 2 * pow(om, 6.0 / 11) * factors->second;
    return HG_OK;
}

/* Wave vector of element (ix, iy); false on the Nyquist planes. */
static bool
wave_xy(const hg_rowfft *fft, int64_t ix, int64_t iy, int wave[3])
{
    wave[0] = (int)hg_wave_number(ix, fft->n);
    wave[1] = (int)hg_wave_number(fft->y_first + iy, fft->n);
    return wave[0] != fft->n / 2 && wave[1] != fft->n / 2;
}

/* phi_ij = k_i k_j / k^2 delta. */
static void
second_derivative(const hg_rowfft *fft, int i, int j, const hg_mode delta[], hg_mode out[])
{
    int half = fft->n / 2;

#pragma omp parallel for
    for (int64_t ix = 0; ix < fft->n; ix++) {
        for (int64_t iy = 0; iy < fft->y_n; iy++) {
            int wave[3] = {0};
            bool inside = wave_xy(fft, ix, iy, wave);
            size_t first = (size_t)(ix * fft->y_n + iy) * (size_t)(half + 1);

            for (int z = 0; z <= half; z++) {
                int k2 = wave[0] * wave[0] + wave[1] * wave[1] + z * z;
                double factor = 0;

                wave[2] = z;
                if (inside && z != half && k2 > 0) {
                    factor = (double)(wave[i] * wave[j]) / k2;
                }
                out[first + (size_t)z].re = factor * delta[first + (size_t)z].re;
                out[first + (size_t)z].im = factor * delta[first + (size_t)z].im;
            }
        }
    }
}

/* Fold the next derivative into the sums; the order of `steps` below is part of the method. */
static void
fold_derivative(size_t n, int step, const double next[], double trace[], double sum[])
{
#pragma omp parallel for
    for (size_t c = 0; c < n; c++) {
        switch (step) {
        case 0:
            trace[c] = next[c];
            sum[c] = 0;
            break;
        case 1:
        case 2:
            sum[c] += trace[c] * next[c];
            trace[c] += next[c];
            break;
        default:
            sum[c] -= next[c] * next[c];
        }
    }
}

hg_status
hg_displacement_source(const hg_comm *comm, const hg_rowfft *fft, const hg_mode delta[],
                       hg_mode source[])
{
    static const int steps[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    double *next = NULL, *trace = NULL, *sum = NULL;
    int half = fft->n / 2;
    hg_status status;

    HG_TRY_OR(plan, status, hg_mem_array(&next, fft->n_real, sizeof *next));
    HG_TRY_OR(plan, status, hg_mem_array(&trace, fft->n_real, sizeof *trace));
    HG_TRY_OR(plan, status, hg_mem_array(&sum, fft->n_real, sizeof *sum));
plan:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int step = 0; step < 6; step++) {
        second_derivative(fft, steps[step][0], steps[step][1], delta, source);
        hg_rowfft_backward(comm, fft, source, next);
        fold_derivative(fft->n_real, step, next, trace, sum);
    }
    hg_rowfft_forward(comm, fft, sum, source);
#pragma omp parallel for
    for (int64_t ix = 0; ix < fft->n; ix++) {
        for (int64_t iy = 0; iy < fft->y_n; iy++) {
            int wave[3];
            bool inside = wave_xy(fft, ix, iy, wave);
            hg_mode *row = source + (size_t)(ix * fft->y_n + iy) * (size_t)(half + 1);

            for (int z = 0; z <= half; z++) {
                if (!inside || z == half || (wave[0] == 0 && wave[1] == 0 && z == 0)) {
                    row[z].re = row[z].im = 0;
                }
            }
        }
    }
done:
    hg_mem_free(next);
    hg_mem_free(trace);
    hg_mem_free(sum);
    return status;
}

/* i k_axis / k^2 (first delta + second source). */
static void
gradient(const hg_rowfft *fft, int axis, double box, double first, double second,
         const hg_mode delta[], const hg_mode source[], hg_mode out[])
{
    int half = fft->n / 2;
    double unit = box / (2 * M_PI);

#pragma omp parallel for
    for (int64_t ix = 0; ix < fft->n; ix++) {
        for (int64_t iy = 0; iy < fft->y_n; iy++) {
            int wave[3] = {0};
            bool inside = wave_xy(fft, ix, iy, wave);
            size_t at = (size_t)(ix * fft->y_n + iy) * (size_t)(half + 1);

            for (int z = 0; z <= half; z++, at++) {
                int k2 = wave[0] * wave[0] + wave[1] * wave[1] + z * z;
                double factor = 0, re = first * delta[at].re, im = first * delta[at].im;

                wave[2] = z;
                if (inside && z != half && k2 > 0) {
                    factor = unit * wave[axis] / k2;
                }
                if (source != NULL) {
                    re += second * source[at].re;
                    im += second * source[at].im;
                }
                out[at].re = -factor * im;
                out[at].im = factor * re;
            }
        }
    }
}

hg_status
hg_displacement_field(const hg_comm *comm, const hg_rowfft *fft, int axis, double box,
                      double first, double second, const hg_mode delta[],
                      const hg_mode source[], float field[])
{
    hg_mode *mode = NULL;
    double *real = NULL;
    hg_status status;

    HG_TRY_OR(plan, status, hg_mem_array(&mode, fft->n_mode, sizeof *mode));
    HG_TRY_OR(plan, status, hg_mem_array(&real, fft->n_real, sizeof *real));
plan:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    gradient(fft, axis, box, first, second, delta, source, mode);
    hg_rowfft_backward(comm, fft, mode, real);
#pragma omp parallel for
    for (size_t i = 0; i < fft->n_real; i++) {
        field[i] = (float)real[i];
    }
done:
    hg_mem_free(mode);
    hg_mem_free(real);
    return status;
}
