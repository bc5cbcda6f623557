#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/power.h"

MPI_SUITE(accuracy);

enum { N_MESH = 128, N_POINT = 400, N_ROW = 5, COARSE = 48, SAMPLES = 64 };
static const double low[N_ROW] = {0.25, 0.46, 0.67, 0.83, 0.93};
static const double high[N_ROW] = {0.33, 0.5, 0.7, 0.85, 0.95};
static const double limit[N_ROW] = {2e-5, 2e-5, 1e-4, 1e-4, 5e-4};

/* exp(-2 pi i k x) of all points for each wave index of one axis. */
typedef struct phases {
    double re[N_MESH][N_POINT], im[N_MESH][N_POINT];
} phases;

static void
fill_phases(int64_t n, const double (*point)[3], int axis, phases *table)
{
    for (int64_t i = 0; i < n; i++) {
        for (int p = 0; p < N_POINT; p++) {
            double angle = 2 * M_PI * (double)hg_wave_number(i, n) * point[p][axis];

            table->re[i][p] = cos(angle);
            table->im[i][p] = -sin(angle);
        }
    }
}

/* |sum exp(-ikx)|^2 / n^2, term by term. */
static double
direct_power(const phases table[3], int64_t x, int64_t y, int64_t z)
{
    double re = 0, im = 0;

    for (int p = 0; p < N_POINT; p++) {
        double a = table[0].re[x][p], b = table[0].im[x][p];
        double c = table[1].re[y][p], d = table[1].im[y][p];
        double e = a * c - b * d, f = a * d + b * c;

        re += e * table[2].re[z][p] - f * table[2].im[z][p];
        im += e * table[2].im[z][p] + f * table[2].re[z][p];
    }
    return (re * re + im * im) / ((double)N_POINT * N_POINT);
}

/* Normal clumps of four points, so that power falls with k; width as a share of the box. */
static void
make_clumps(int sample, double width, double (*point)[3])
{
    for (int i = 0; i < N_POINT; i++) {
        hg_stream clump =
            hg_stream_start(41, (uint64_t)sample, (uint64_t)(i / 4), HG_PURPOSE_LATENT);
        hg_stream own = hg_stream_start(42, (uint64_t)sample, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            double x = hg_stream_uniform(&clump) + width * hg_stream_normal(&own);

            point[i][k] = x - floor(x);
        }
    }
}

/* Window and aliased shot noise of a mode, from the closed forms of the window tables. */
static double
mesh_power(const hg_mesh *mesh, const hg_density *density, const hg_window *w, int64_t x,
           int64_t y, int64_t z)
{
    double mode[2], window = w->w[x] * w->w[y] * w->w[z];
    double shot = 0.5 * (w->c[x] * w->c[y] * w->c[z] + w->a[x] * w->a[y] * w->a[z]) / N_POINT;

    hg_mesh_mode(mesh, density->mode, x, y, z, mode);
    return ((mode[0] * mode[0] + mode[1] * mode[1]) / ((double)N_POINT * N_POINT) - shot) /
               (window * window) +
           1.0 / N_POINT;
}

/* Numbers of modes, and sums of the mesh's and of the true power, in rows of k over all ranks.
 */
static void
sum_rows(hg_mesh *mesh, const hg_window *window, const double (*point)[3], phases table[3],
         double sum[3][N_ROW])
{
    const int64_t n = mesh->n;
    hg_density density;

    for (int axis = 0; axis < 3; axis++) {
        fill_phases(n, point, axis, &table[axis]);
    }
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 1,
                                 world.rank == 0 ? N_POINT : 0, point, NULL,
                                 &density) == HG_OK);
    memset(sum, 0, 3 * N_ROW * sizeof sum[0][0]);
    for (int64_t r = 0; r < mesh->n_ky * n; r++) {
        const int64_t x = r % n, y = mesh->ky_first + r / n;
        const int64_t kx = hg_wave_number(x, n), ky = hg_wave_number(y, n);

        for (int64_t z = mesh->kz_first; z < mesh->kz_first + mesh->n_kz; z++) {
            const double k = 2 * sqrt((double)(kx * kx + ky * ky + z * z)) / (double)n;

            for (int i = 0; i < N_ROW && z < n / 2; i++) {
                if (k >= low[i] && k < high[i]) {
                    const double g = z == 0 ? 1 : 2;

                    sum[0][i] += g;
                    sum[1][i] += g * mesh_power(mesh, &density, window, x, y, z);
                    sum[2][i] += g * direct_power(table, x, y, z);
                }
            }
        }
    }
    hg_comm_sum_double(&world, 3 * N_ROW, sum[0]);
    hg_density_clear(&density);
}

/* PCS, interlaced, against direct sums of at least 2e4 modes a row: the accuracy promised, for
 * slabs and pencils. */
Test(accuracy, power_equals_direct_sums_up_to_the_nyquist_wave_number)
{
    static double point[N_POINT][3];
    phases *table = NULL;
    hg_window window;

    all_assert(hg_mem_array(&table, 3, sizeof *table) == HG_OK);
    all_assert(hg_window_init(&window, N_MESH, HG_KERNEL_PCS) == HG_OK);
    make_clumps(0, 4.0 / N_MESH, point);
    for (int b = HG_BACKEND_SLAB; b <= HG_BACKEND_PENCIL; b++) {
        const hg_mesh_options o = {
            .n = N_MESH, .precision = HG_PRECISION_DOUBLE, .backend = (hg_backend)b};
        double sum[3][N_ROW];
        hg_mesh *mesh = NULL;

        all_assert(hg_mesh_create(&world, &o, &mesh) == HG_OK);
        sum_rows(mesh, &window, (const double(*)[3])point, table, sum);
        for (int i = 0; i < N_ROW; i++) {
            const double bias = sum[1][i] / sum[2][i] - 1;

            cr_expect(fabs(bias) < limit[i], "k / k_N %g: bias %g of %g modes", high[i], bias,
                      sum[0][i]);
            all_assert(sum[0][i] >= 2e4 && fabs(bias) < limit[i]);
        }
        hg_mesh_free(mesh);
    }
    hg_window_clear(&window);
    hg_mem_free(table);
}

/* Clumps of 1.5 cells have no bias either. One sample of so few points differs from its direct
 * sum by more, however many modes are summed, because the places of points within their cells
 * do not average out; the mean over samples shows that it is scatter. */
Test(accuracy, clumps_as_small_as_cells_have_no_bias)
{
    const hg_mesh_options o = {.n = COARSE, .precision = HG_PRECISION_DOUBLE};
    static double point[N_POINT][3];
    double mean[N_ROW] = {0}, square[N_ROW] = {0};
    phases *table = NULL;
    hg_mesh *mesh = NULL;
    hg_window window;

    all_assert(hg_mem_array(&table, 3, sizeof *table) == HG_OK);
    all_assert(hg_window_init(&window, COARSE, HG_KERNEL_PCS) == HG_OK);
    all_assert(hg_mesh_create(&world, &o, &mesh) == HG_OK);
    for (int s = 0; s < SAMPLES; s++) {
        double sum[3][N_ROW];

        make_clumps(s, 1.5 / COARSE, point);
        sum_rows(mesh, &window, (const double(*)[3])point, table, sum);
        for (int i = 0; i < N_ROW; i++) {
            mean[i] += (sum[1][i] / sum[2][i] - 1) / SAMPLES;
            square[i] += pow(sum[1][i] / sum[2][i] - 1, 2) / SAMPLES;
        }
    }
    for (int i = 0; i < N_ROW; i++) {
        const double error = sqrt((square[i] - mean[i] * mean[i]) / (SAMPLES - 1));

        cr_expect(fabs(mean[i]) < 3.5 * error, "k / k_N %g: bias %g, error %g", high[i],
                  mean[i], error);
        all_assert(fabs(mean[i]) < 3.5 * error && fabs(mean[i]) < limit[i]);
        all_assert(error < 0.5 * limit[i]); /* small enough to tell */
    }
    hg_mesh_free(mesh);
    hg_window_clear(&window);
    hg_mem_free(table);
}

/* Sum of |mode|^2 over all modes is n^3 times that of the squared cells; the modes, with those
 * that the transform leaves out, number n^3. */
Test(accuracy, parseval_holds_on_both_backends)
{
    for (int64_t n = 11; n <= 12; n++) {
        for (int b = HG_BACKEND_SLAB; b <= HG_BACKEND_PENCIL; b++) {
            const hg_mesh_options o = {
                .n = n, .precision = HG_PRECISION_DOUBLE, .backend = (hg_backend)b};
            double sum[3] = {0, 0, 0};
            double *field = NULL;
            hg_mesh *mesh = NULL;

            all_assert(hg_mesh_create(&world, &o, &mesh) == HG_OK);
            all_assert(hg_mesh_field(mesh, (void **)&field) == HG_OK);
            for (int64_t r = 0; r < mesh->n_x * mesh->n_y; r++) {
                for (int64_t z = 0; z < n; z++) {
                    hg_stream s = hg_stream_start(5, (uint64_t)world.rank,
                                                  (uint64_t)(r * n + z), HG_PURPOSE_LATENT);

                    field[r * mesh->row + z] = hg_stream_normal(&s);
                    sum[0] += pow(field[r * mesh->row + z], 2);
                }
            }
            hg_mesh_forward(&world, mesh, field);
            for (int64_t r = 0; r < mesh->n_ky * n; r++) {
                for (int64_t z = mesh->kz_first; z < mesh->kz_first + mesh->n_kz; z++) {
                    const double g = z == 0 || 2 * z == n ? 1 : 2;
                    double mode[2];

                    hg_mesh_mode(mesh, field, r % n, mesh->ky_first + r / n, z, mode);
                    sum[1] += g * (mode[0] * mode[0] + mode[1] * mode[1]);
                    sum[2] += g;
                }
            }
            hg_comm_sum_double(&world, 3, sum);
            all_assert(fabs(sum[1] / (double)(n * n * n) / sum[0] - 1) < 1e-13);
            all_assert(sum[2] == (double)(n * n * n));
            hg_mem_free(field);
            hg_mesh_free(mesh);
        }
    }
}
