#include "mpi_test.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/power.h"

MPI_SUITE(accuracy);

enum { N_MESH = 128, N_POINT = 400, N_ROW = 5 };

/* exp(-2 pi i k x) of all points for each wave index of one axis. */
typedef struct phases {
    double re[N_MESH][N_POINT], im[N_MESH][N_POINT];
} phases;

static void
fill_phases(const double (*point)[3], int axis, phases *table)
{
    for (int64_t i = 0; i < N_MESH; i++) {
        for (int p = 0; p < N_POINT; p++) {
            double angle = 2 * M_PI * (double)hg_wave_number(i, N_MESH) * point[p][axis];

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

/* Clumps of four points, four cells wide, so that power falls with k. (Clumps of 1.5 cells,
 * finer than the mesh is meant for, leave a bias of -1.7e-4 at 0.85 of the Nyquist wave
 * number.) */
static void
make_clumps(double (*point)[3])
{
    for (int i = 0; i < N_POINT; i++) {
        hg_stream clump = hg_stream_start(41, 0, (uint64_t)(i / 4), HG_PURPOSE_LATENT);
        hg_stream own = hg_stream_start(42, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            double x = hg_stream_uniform(&clump) + 4.0 / N_MESH * hg_stream_normal(&own);

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

/* PCS, interlaced, against direct sums of at least 2e4 modes a row: the accuracy promised, for
 * slabs and pencils. */
Test(accuracy, power_equals_direct_sums_up_to_the_nyquist_wave_number)
{
    static const double low[N_ROW] = {0.25, 0.46, 0.67, 0.83, 0.93};
    static const double high[N_ROW] = {0.33, 0.5, 0.7, 0.85, 0.95};
    static const double limit[N_ROW] = {2e-5, 2e-5, 1e-4, 1e-4, 5e-4};
    static double point[N_POINT][3];
    phases *table = NULL;
    hg_window window;

    all_assert(hg_mem_array(&table, 3, sizeof *table) == HG_OK);
    all_assert(hg_window_init(&window, N_MESH, HG_KERNEL_PCS) == HG_OK);
    make_clumps(point);
    for (int axis = 0; axis < 3; axis++) {
        fill_phases((const double(*)[3])point, axis, &table[axis]);
    }
    for (int b = HG_BACKEND_SLAB; b <= HG_BACKEND_PENCIL; b++) {
        const hg_mesh_options o = {
            .n = N_MESH, .precision = HG_PRECISION_DOUBLE, .backend = (hg_backend)b};
        double sum[3][N_ROW] = {{0}};
        hg_mesh *mesh = NULL;
        hg_density density;

        all_assert(hg_mesh_create(&world, &o, &mesh) == HG_OK);
        all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 1,
                                     world.rank == 0 ? N_POINT : 0, (const double(*)[3])point,
                                     NULL, &density) == HG_OK);
        for (int64_t r = 0; r < mesh->n_ky * N_MESH; r++) {
            const int64_t x = r % N_MESH, y = mesh->ky_first + r / N_MESH;
            const int64_t kx = hg_wave_number(x, N_MESH), ky = hg_wave_number(y, N_MESH);

            for (int64_t z = mesh->kz_first; z < mesh->kz_first + mesh->n_kz; z++) {
                const double k = sqrt((double)(kx * kx + ky * ky + z * z)) / (N_MESH / 2);

                for (int i = 0; i < N_ROW && z < N_MESH / 2; i++) {
                    if (k >= low[i] && k < high[i]) {
                        sum[0][i] += z == 0 ? 1 : 2;
                        sum[1][i] +=
                            (z == 0 ? 1 : 2) * mesh_power(mesh, &density, &window, x, y, z);
                        sum[2][i] += (z == 0 ? 1 : 2) * direct_power(table, x, y, z);
                    }
                }
            }
        }
        hg_comm_sum_double(&world, 3 * N_ROW, sum[0]);
        for (int i = 0; i < N_ROW; i++) {
            const double bias = sum[1][i] / sum[2][i] - 1;

            cr_expect(fabs(bias) < limit[i], "k / k_N %g: bias %g of %g modes", high[i], bias,
                      sum[0][i]);
            all_assert(sum[0][i] >= 2e4 && fabs(bias) < limit[i]);
        }
        hg_density_clear(&density);
        hg_mesh_free(mesh);
    }
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
