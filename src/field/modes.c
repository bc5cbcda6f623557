/* Half of the modes are the conjugates of the others. kz > 0 is always drawn; on kz = 0 the
 * half-space ky > 0, or ky = 0 and kx > 0, is drawn and the rest is its mirror image, drawn
 * again from the partner's key so that no rank needs another's numbers. */
#include "field/modes.h"

#include <math.h>

#include "base/random.h"

size_t
hg_modes_table_size(int n)
{
    return 3 * (size_t)(n / 2) * (size_t)(n / 2) + 1;
}

void
hg_modes_variance(const hg_linear_power *power, double growth, double box, int n,
                  double table[])
{
    double fundamental = 2 * M_PI / box, scale = growth * growth / (box * box * box);

#pragma omp parallel for
    for (size_t i = 0; i < hg_modes_table_size(n); i++) {
        table[i] = scale * hg_linear_power_at(power, fundamental * sqrt((double)i));
    }
}

void
hg_modes_top_hat(double radius, double box, int n, double table[])
{
    double fundamental = 2 * M_PI / box;

#pragma omp parallel for
    for (size_t i = 0; i < hg_modes_table_size(n); i++) {
        table[i] = hg_top_hat(fundamental * sqrt((double)i) * radius);
    }
}

void
hg_modes_count(int n, int64_t table[])
{
    int half = n / 2;

    for (size_t i = 0; i < hg_modes_table_size(n); i++) {
        table[i] = 0;
    }
    for (int x = 0; x < half; x++) {
        for (int y = 0; y < half; y++) {
            int64_t times = (x > 0 ? 2 : 1) * (y > 0 ? 2 : 1);

            for (int z = 0; z < half; z++) {
                table[x * x + y * y + z * z] += times * (z > 0 ? 2 : 1);
            }
        }
    }
    table[0] = 0;
}

double
hg_modes_covariance(int n, const double variance[], const int64_t count[], const double a[],
                    const double b[])
{
    double sum = 0;

    for (size_t i = 1; i < hg_modes_table_size(n); i++) {
        sum += (double)count[i] * variance[i] * a[i] * b[i];
    }
    return sum;
}

/* 21 bits per component, shifted to be positive: one key per wave vector. */
static uint64_t
pack_wave(int x, int y, int z)
{
    const int64_t shift = 1 << 20;

    return (uint64_t)(x + shift) << 42 | (uint64_t)(y + shift) << 21 | (uint64_t)(z + shift);
}

static hg_mode
draw_mode(double variance, uint64_t seed, int x, int y, int z, bool fixed)
{
    bool mirror = z == 0 && (y < 0 || (y == 0 && x < 0));
    hg_stream s = hg_stream_start(seed, 0, mirror ? pack_wave(-x, -y, -z) : pack_wave(x, y, z),
                                  HG_PURPOSE_MODE);
    double u = hg_stream_open(&s), phase = 2 * M_PI * hg_stream_uniform(&s);
    double amplitude = sqrt(fixed ? variance : -variance * log(u));

    return (hg_mode){amplitude * cos(phase), (mirror ? -1 : 1) * amplitude * sin(phase)};
}

void
hg_modes_draw(const hg_rowfft *fft, const double variance[], uint64_t seed, bool fixed,
              bool paired, hg_mode mode[])
{
    int n = fft->n, half = n / 2;
    double sign = paired ? -1 : 1;

#pragma omp parallel for schedule(static)
    for (int ix = 0; ix < n; ix++) {
        int x = (int)hg_wave_number(ix, n);

        for (int64_t iy = 0; iy < fft->y_n; iy++) {
            int y = (int)hg_wave_number(fft->y_first + iy, n);
            hg_mode *row =
                mode + ((size_t)ix * (size_t)fft->y_n + (size_t)iy) * (size_t)(half + 1);

            for (int z = 0; z <= half; z++) {
                row[z].re = row[z].im = 0;
                if (x != half && y != half && z != half && (x != 0 || y != 0 || z != 0)) {
                    row[z] = draw_mode(variance[x * x + y * y + z * z], seed, x, y, z, fixed);
                    row[z].re *= sign;
                    row[z].im *= sign;
                }
            }
        }
    }
}

void
hg_modes_filter(const hg_rowfft *fft, const double table[], const hg_mode from[], hg_mode to[])
{
    int n = fft->n, half = n / 2;

#pragma omp parallel for schedule(static)
    for (int ix = 0; ix < n; ix++) {
        int x = (int)hg_wave_number(ix, n);

        for (int64_t iy = 0; iy < fft->y_n; iy++) {
            int y = (int)hg_wave_number(fft->y_first + iy, n);
            size_t first = ((size_t)ix * (size_t)fft->y_n + (size_t)iy) * (size_t)(half + 1);

            for (int z = 0; z <= half; z++) {
                double factor = table[x * x + y * y + z * z];

                to[first + (size_t)z].re = factor * from[first + (size_t)z].re;
                to[first + (size_t)z].im = factor * from[first + (size_t)z].im;
            }
        }
    }
}
