#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "field/displacement.h"
#include "field/modes.h"
#include "field/rowfft.h"

MPI_SUITE(rowfft);

static double
noise(int n, int64_t x, int64_t y, int64_t z)
{
    hg_stream s =
        hg_stream_start(3, (uint64_t)n, (uint64_t)((x * n + y) * n + z), HG_PURPOSE_MODE);

    return hg_stream_uniform(&s) - 0.5;
}

static double *
make_noise(const hg_rowfft *fft)
{
    double *real = NULL;
    int n = fft->n;

    cr_assert_eq(hg_mem_array(&real, fft->n_real, sizeof *real), HG_OK);
    for (size_t i = 0; i < fft->n_real; i++) {
        int64_t c = (int64_t)i;

        real[i] = noise(n, fft->x_first + c / n / n, c / n % n, c % n);
    }
    return real;
}

/* Hash of a distributed array whose concatenation over ranks is independent of the ranks. */
static uint64_t
hash_all(const hg_comm *comm, size_t n, size_t size, const void *data)
{
    int64_t n_all = 0;
    void *all = NULL;
    uint64_t hash;

    cr_assert_eq(hg_comm_gather_rows(comm, (int64_t)n, size, data, &n_all, &all), HG_OK);
    hash = hg_hash_bytes(all, (size_t)n_all * size);
    hg_mem_free(all);
    return hash;
}

Test(rowfft, modes_are_those_of_the_direct_sum_and_come_back)
{
    static const int sizes[] = {2, 6, 10};

    for (int s = 0; s < 3; s++) {
        int n = sizes[s];
        hg_rowfft *fft = NULL;
        double *real, *back = NULL, worst = 0;
        hg_mode *mode = NULL;
        int64_t planes;

        all_assert(hg_rowfft_create(&world, n, &fft) == HG_OK);
        planes = fft->x_n;
        hg_comm_sum(&world, 1, &planes);
        all_assert(planes == n);
        for (int64_t x = 0; x < fft->x_n; x++) {
            cr_assert_eq(hg_rowfft_owner(n, world.size, fft->x_first + x), world.rank);
        }
        real = make_noise(fft);
        cr_assert_eq(hg_mem_array(&mode, fft->n_mode, sizeof *mode), HG_OK);
        cr_assert_eq(hg_mem_array(&back, fft->n_real, sizeof *back), HG_OK);
        hg_rowfft_forward(&world, fft, real, mode);
        for (size_t i = 0; i < fft->n_mode; i++) {
            int64_t c = (int64_t)i, nk = n / 2 + 1;
            int64_t kx = c / nk / fft->y_n, ky = fft->y_first + c / nk % fft->y_n, kz = c % nk;
            double re = 0, im = 0;

            for (int64_t q = 0; q < (int64_t)n * n * n; q++) {
                int64_t x = q / n / n, y = q / n % n, z = q % n;
                double phase = -2 * M_PI * (double)((kx * x + ky * y + kz * z) % n) / n;

                re += noise(n, x, y, z) * cos(phase) / (n * n * n);
                im += noise(n, x, y, z) * sin(phase) / (n * n * n);
            }
            worst = fmax(worst, fmax(fabs(re - mode[i].re), fabs(im - mode[i].im)));
        }
        all_assert(worst < 1e-15 * n);
        hg_rowfft_backward(&world, fft, mode, back);
        for (size_t i = 0; i < fft->n_real; i++) {
            worst = fmax(worst, fabs(real[i] - back[i]));
        }
        all_assert(worst < 1e-14);
        hg_mem_free(real);
        hg_mem_free(back);
        hg_mem_free(mode);
        hg_rowfft_free(fft);
    }
    hg_rowfft *none = NULL;
    all_assert(hg_rowfft_create(&world, 7, &none) == HG_E_ARG && none == NULL);
}

/* One pass of the mock's field work over a communicator: hashes of real fields. */
static void
field_hashes(const hg_comm *comm, int n, uint64_t hash[4])
{
    hg_cosmology cosmology = HG_COSMOLOGY_INIT;
    hg_linear_power *power = NULL;
    hg_rowfft *fft = NULL;
    hg_mode *delta = NULL, *source = NULL;
    double *real, *variance = NULL;
    float *field = NULL;

    cr_assert_eq(hg_linear_power_create(&cosmology, &power), HG_OK);
    cr_assert_eq(hg_rowfft_create(comm, n, &fft), HG_OK);
    real = make_noise(fft);
    cr_assert_eq(hg_mem_array(&delta, fft->n_mode, sizeof *delta), HG_OK);
    cr_assert_eq(hg_mem_array(&source, fft->n_mode, sizeof *source), HG_OK);
    cr_assert_eq(hg_mem_array(&field, fft->n_real, sizeof *field), HG_OK);
    cr_assert_eq(hg_mem_array(&variance, hg_modes_table_size(n), sizeof *variance), HG_OK);
    hg_rowfft_forward(comm, fft, real, delta);
    hg_rowfft_backward(comm, fft, delta, real);
    hash[0] = hash_all(comm, fft->n_real, sizeof *real, real);
    hg_modes_variance(power, 1, 100, n, variance);
    hg_modes_draw(fft, variance, 5, false, false, delta);
    cr_assert_eq(hg_displacement_source(comm, fft, delta, source), HG_OK);
    for (int axis = 0; axis < 3; axis++) {
        cr_assert_eq(
            hg_displacement_field(comm, fft, axis, 100, 1, 3.0 / 7, delta, source, field),
            HG_OK);
        hash[1 + axis] = hash_all(comm, fft->n_real, sizeof *field, field);
    }
    hg_mem_free(real);
    hg_mem_free(delta);
    hg_mem_free(source);
    hg_mem_free(field);
    hg_mem_free(variance);
    hg_rowfft_free(fft);
    hg_linear_power_free(power);
}

Test(rowfft, bits_do_not_depend_on_the_number_of_ranks)
{
    static const int sizes[] = {2, 12, 30};

    for (int s = 0; s < 3; s++) {
        uint64_t alone[4], now[4];
        hg_comm self = {0};

        all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
        field_hashes(&self, sizes[s], alone);
        hg_comm_clear(&self);
        for (int size = 2; size <= world.size; size++) {
            hg_comm part = {0};

            all_assert(hg_comm_split(&world, world.rank < size ? 0 : -1, &part) == HG_OK);
            if (part.size > 0) {
                field_hashes(&part, sizes[s], now);
                cr_assert(memcmp(alone, now, sizeof now) == 0, "%d of %d ranks", part.rank,
                          size);
            }
            hg_comm_clear(&part);
        }
    }
}

Test(rowfft, ghost_planes_are_the_neighbours)
{
    enum { N = 6 };
    hg_rowfft *fft = NULL;
    float *field = NULL, below[N * N], above[N * N];

    all_assert(hg_rowfft_create(&world, N, &fft) == HG_OK);
    cr_assert_eq(hg_mem_array(&field, fft->n_real, sizeof *field), HG_OK);
    for (size_t i = 0; i < fft->n_real; i++) {
        field[i] = (float)((size_t)fft->x_first * N * N + i);
    }
    all_assert(hg_rowfft_ghosts(&world, fft, field, below, above) == HG_OK);
    for (int i = 0; fft->x_n > 0 && i < N * N; i++) {
        cr_assert_eq(below[i], (float)((fft->x_first + N - 1) % N * N * N + i));
        cr_assert_eq(above[i], (float)((fft->x_first + fft->x_n) % N * N * N + i));
    }
    hg_mem_free(field);
    hg_rowfft_free(fft);
}

/* Drawn modes are hermitian (a real field has exactly them), have the power asked for within
 * chi^2, and are those of the coarser mesh where both have them. */
Test(rowfft, drawn_modes_have_their_power_and_survive_refinement)
{
    enum { N = 32, COARSE = 16 };
    hg_rowfft *fft = NULL, *coarse = NULL;
    hg_mode *mode = NULL, *copy = NULL, *few = NULL, *all = NULL;
    double *real = NULL, variance[3 * N * N / 4 + 1], sum[4] = {0}, worst = 0;
    int64_t n_all = 0, count[3 * N * N / 4 + 1], total = 0;

    all_assert(hg_rowfft_create(&world, N, &fft) == HG_OK);
    all_assert(hg_rowfft_create(&world, COARSE, &coarse) == HG_OK);
    for (size_t i = 0; i < hg_modes_table_size(N); i++) {
        variance[i] = 1.0 / (1 + (double)i);
    }
    hg_modes_count(N, count);
    for (size_t i = 0; i < hg_modes_table_size(N); i++) {
        total += count[i];
    }
    all_assert(total == (N - 1) * (N - 1) * (N - 1) - 1);
    cr_assert_eq(hg_mem_array(&mode, fft->n_mode, sizeof *mode), HG_OK);
    cr_assert_eq(hg_mem_array(&copy, fft->n_mode, sizeof *copy), HG_OK);
    cr_assert_eq(hg_mem_array(&real, fft->n_real, sizeof *real), HG_OK);
    cr_assert_eq(hg_mem_array(&few, coarse->n_mode, sizeof *few), HG_OK);
    hg_modes_draw(fft, variance, 77, false, false, mode);
    memcpy(copy, mode, fft->n_mode * sizeof *mode);
    hg_rowfft_backward(&world, fft, copy, real);
    hg_rowfft_forward(&world, fft, real, copy);
    for (size_t i = 0; i < fft->n_mode; i++) {
        int z = (int)(i % (N / 2 + 1));
        double p = mode[i].re * mode[i].re + mode[i].im * mode[i].im;
        int64_t line = (int64_t)i / (N / 2 + 1), ky = fft->y_first + line % fft->y_n;
        int x = (int)hg_wave_number(line / fft->y_n, N), y = (int)hg_wave_number(ky, N);

        worst = fmax(worst, fmax(fabs(copy[i].re - mode[i].re), fabs(copy[i].im - mode[i].im)));
        if (p > 0 && z > 0) {
            p /= variance[x * x + y * y + z * z];
            sum[0] += 1;
            sum[1] += p;
            sum[2] += p * p;
            sum[3] += mode[i].re * mode[i].im / variance[x * x + y * y + z * z];
        }
    }
    all_assert(worst < 1e-14);
    hg_comm_sum_double(&world, 4, sum);
    all_assert(sum[0] == (N - 1) * (N - 1) * (N / 2 - 1));
    all_assert(fabs(sum[1] / sum[0] - 1) < 4 / sqrt(sum[0])); /* exponential: mean 1, rms 1 */
    all_assert(fabs(sum[2] / sum[0] - 2) < 4 * sqrt(20 / sum[0]));
    all_assert(fabs(sum[3] / sum[0]) < 4 * 0.5 / sqrt(sum[0]));
    hg_modes_draw(coarse, variance, 77, false, false, few);
    {
        /* the fine modes, as rows tagged by their order (kx, ky, kz) after a gather by rank */
        hg_mode one = {0};
        size_t nk = COARSE / 2 + 1;

        all_assert(hg_comm_gather_rows(&world, (int64_t)coarse->n_mode, sizeof one, few, &n_all,
                                       &all) == HG_OK);
        for (int64_t y = 0; y < fft->y_n; y++) {
            int ky = (int)hg_wave_number(fft->y_first + y, N), kc = (ky + COARSE) % COARSE, r,
                n_y;
            size_t start;

            if (abs(ky) >= COARSE / 2) {
                continue;
            }
            r = hg_rowfft_owner(COARSE, world.size, kc);
            start = (size_t)hg_rowfft_first(COARSE, world.size, r);
            n_y = (int)(hg_rowfft_first(COARSE, world.size, r + 1) - (int64_t)start);
            for (int x = 1 - COARSE / 2; x < COARSE / 2; x++) {
                size_t row =
                    start * COARSE + (size_t)((x + COARSE) % COARSE * n_y) + (size_t)kc - start;
                size_t fine = (size_t)((x + N) % N * fft->y_n + y) * (N / 2 + 1);

                for (size_t z = 0; z < nk - 1; z++) {
                    cr_assert_eq(all[row * nk + z].re, mode[fine + z].re);
                    cr_assert_eq(all[row * nk + z].im, mode[fine + z].im);
                }
            }
        }
    }
    hg_mem_free(mode);
    hg_mem_free(copy);
    hg_mem_free(real);
    hg_mem_free(few);
    hg_mem_free(all);
    hg_rowfft_free(fft);
    hg_rowfft_free(coarse);
}

/* Plane wave: the second order vanishes and the displacement is -(A/k) sin(k.q) k/|k|. Two
 * crossed waves along x and y: the source is phi_xx phi_yy = A B cos cos exactly. */
Test(rowfft, plane_waves_move_as_the_closed_form_says)
{
    enum { N = 24 };
    const double box = 60, unit = 2 * M_PI / box, amplitude = 0.3;
    hg_rowfft *fft = NULL;
    hg_mode *delta = NULL, *source = NULL;
    double *real = NULL, worst = 0;
    float *field = NULL;

    all_assert(hg_rowfft_create(&world, N, &fft) == HG_OK);
    cr_assert_eq(hg_mem_array(&delta, fft->n_mode, sizeof *delta), HG_OK);
    cr_assert_eq(hg_mem_array(&source, fft->n_mode, sizeof *source), HG_OK);
    cr_assert_eq(hg_mem_array(&real, fft->n_real, sizeof *real), HG_OK);
    cr_assert_eq(hg_mem_array(&field, fft->n_real, sizeof *field), HG_OK);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < fft->n_real; i++) {
            int64_t c = (int64_t)i, x = fft->x_first + c / N / N, y = c / N % N, z = c % N;
            double phase = 2 * M_PI / N * (double)(3 * x - 2 * y + z);

            real[i] = pass == 0 ? amplitude * cos(phase)
                                : amplitude * (cos(2 * M_PI / N * (double)(2 * x)) +
                                               0.5 * cos(2 * M_PI / N * (double)(3 * y)));
        }
        hg_rowfft_forward(&world, fft, real, delta);
        all_assert(hg_displacement_source(&world, fft, delta, source) == HG_OK);
        hg_rowfft_backward(&world, fft, source, real);
        for (size_t i = 0; i < fft->n_real; i++) {
            int64_t c = (int64_t)i, x = fft->x_first + c / N / N, y = c / N % N;
            double want = pass == 0 ? 0
                                    : 0.5 * amplitude * amplitude *
                                          cos(2 * M_PI / N * (double)(2 * x)) *
                                          cos(2 * M_PI / N * (double)(3 * y));

            worst = fmax(worst, fabs(real[i] - want));
        }
        all_assert(worst < 1e-14);
        for (int axis = 0; pass == 0 && axis < 3; axis++) {
            static const double wave[3] = {3, -2, 1};

            all_assert(hg_displacement_field(&world, fft, axis, box, 1, 3.0 / 7, delta, source,
                                             field) == HG_OK);
            for (size_t i = 0; i < fft->n_real; i++) {
                int64_t c = (int64_t)i, x = fft->x_first + c / N / N, y = c / N % N, z = c % N;
                double phase = 2 * M_PI / N * (double)(3 * x - 2 * y + z);
                double want = -amplitude * sin(phase) * wave[axis] / (14 * unit);

                worst = fmax(worst, fabs((double)field[i] - want));
            }
            all_assert(worst < 1e-6);
        }
        worst = 0;
    }
    hg_mem_free(delta);
    hg_mem_free(source);
    hg_mem_free(real);
    hg_mem_free(field);
    hg_rowfft_free(fft);
}
