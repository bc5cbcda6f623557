/* Published and directly summed answers in HG_DATA/clustering; skipped loudly where absent. */
#include "mpi_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "stats/power.h"
#include "store/h5.h"

MPI_SUITE(golden);

static bool
find_data(const char *name, size_t n, char path[])
{
    const char *folder = getenv("HG_DATA");

    cr_assert_eq(
        hg_text_path(n, path, "%s/clustering/%s", folder != NULL ? folder : "none", name),
        HG_OK);
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "SKIPPED: golden data '%s' is absent, set HG_DATA\n", path);
        return false;
    }
    return true;
}

static void
measure_points(int64_t n_mesh, hg_precision precision, hg_kernel kernel, bool interlaced,
               double box, int64_t n, const double (*point)[3], hg_fine *fine)
{
    hg_mesh *mesh = NULL;
    hg_density density;

    all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = n_mesh, .precision = precision},
                              &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, kernel, interlaced, box, n, point, NULL,
                                 &density) == HG_OK);
    all_assert(hg_fine_measure(&world, mesh, &density, NULL, density.weight_sum2, HG_LOS_Z,
                               fine) == HG_OK);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}

/* One line: k_lo k_hi k_mean modes, raw P0 P2 P4, subtracted P0 P2 P4. */
static int
read_lines(const char *path, int room, double line[][10])
{
    FILE *file = fopen(path, "r");
    char text[1024];
    int n = 0;

    cr_assert(file != NULL);
    while (n < room && fgets(text, sizeof text, file) != NULL) {
        double *v = line[n];

        n += sscanf(text, "%lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", v, v + 1, v + 2, v + 3,
                    v + 4, v + 5, v + 6, v + 7, v + 8, v + 9) == 10;
    }
    fclose(file);
    return n;
}

static void
check_lines(const char *path, const hg_fine *fine, int skip_last, double limit_raw,
            double limit_p0, double limit_p2, double limit_p4)
{
    double line[64][10], edge[65];
    int n = read_lines(path, 64, line) - skip_last;
    hg_power power;

    all_assert(n > 3);
    for (int i = 0; i <= n; i++) {
        edge[i] = (i < n ? line[i][0] : line[n - 1][1]) * fine->box / (2 * M_PI);
    }
    all_assert(hg_power_bin(fine, n, edge, &power) == HG_OK);
    for (int i = 0; i < n; i++) {
        const double *v = line[i];

        all_assert(power.modes[i] == (int64_t)v[3]);
        all_assert(fabs(power.k_mean[i] - v[2]) < 1e-11);
        all_assert(fabs(power.p[0][i] + power.shot[i] - v[4]) < limit_raw);
        all_assert(fabs(power.p[0][i] - v[7]) < limit_p0);
        all_assert(fabs(power.p[1][i] - v[8]) < limit_p2);
        all_assert(fabs(power.p[2][i] - v[9]) < limit_p4);
    }
    hg_power_clear(&power);
}

Test(golden, galaxies_of_a_box_have_the_reference_multipoles)
{
    const double box = 2600;
    char path[4096], table[4096];
    int64_t n = 73442, first = n * world.rank / world.size;
    int64_t m = n * (world.rank + 1) / world.size - first;
    double(*point)[3] = NULL, noise = box * box * box / (double)n;
    hg_h5 *file = NULL;
    hg_fine fine;

    if (!find_data("test_box.hdf5", sizeof path, path) ||
        !find_data("testbox_pk_N256_pcs_interlaced.txt", sizeof table, table)) {
        return;
    }
    all_assert(hg_mem_array(&point, (size_t)m, sizeof *point) == HG_OK);
    all_assert(hg_h5_open(path, &file) == HG_OK);
    all_assert(hg_h5_read(file, "xyz", first, m, HG_F64, point) == HG_OK);
    all_assert(hg_h5_close(file) == HG_OK);
    /* float costs 1e-6 V/n */
    measure_points(256, HG_PRECISION_FLOAT, HG_KERNEL_PCS, true, box, m,
                   (const double(*)[3])point, &fine);
    check_lines(table, &fine, 1, 1e-6 * noise, 1e-6 * noise, 1e-6 * noise, 1e-6 * noise);
    hg_fine_clear(&fine);
    if (world.size == 2) {
        measure_points(256, HG_PRECISION_DOUBLE, HG_KERNEL_PCS, true, box, m,
                       (const double(*)[3])point, &fine);
        check_lines(table, &fine, 1, 1e-9 * noise, 1e-9 * noise, 1e-9 * noise, 1e-9 * noise);
        hg_fine_clear(&fine);
    }
    hg_mem_free(point);
}

/* TSC on one mesh, divided by W^2: the mesh estimate itself, to rounding. */
static void
check_tsc_rows(const char *path, const hg_fine *fine)
{
    static const double edge[] = {0.005, 0.03, 0.055, 0.08, 0.105};
    double in_fundamentals[5];
    FILE *file = fopen(path, "r");
    char text[1024];
    hg_power power;
    int n = 0;

    cr_assert(file != NULL);
    for (int i = 0; i < 5; i++) {
        in_fundamentals[i] = edge[i] * fine->box / (2 * M_PI);
    }
    all_assert(hg_power_bin(fine, 4, in_fundamentals, &power) == HG_OK);
    while (fgets(text, sizeof text, file) != NULL) {
        double k, modes, p0, p2, shot;

        if (sscanf(text, "W2 %lf %lf %lf %lf %lf", &k, &modes, &p0, &p2, &shot) == 5) {
            all_assert(power.modes[n] == (int64_t)modes);
            all_assert(fabs(power.k_mean[n] - k) < 1e-12 * k);
            all_assert(fabs(power.p[0][n] + power.shot[n] - p0) < 1e-12 * p0);
            all_assert(fabs(power.shot[n] - shot) < 1e-12 * shot);
            n++;
        }
    }
    fclose(file);
    all_assert(n == 4);
    hg_power_clear(&power);
}

static const double point[3][3] = {{450, 456.69872981077807, 500},
                                   {500, 543.3012701892219, 500},
                                   {550, 456.69872981077807, 500}};

Test(golden, three_points_have_their_directly_summed_power)
{
    const double noise = 1e9 / 3;
    char path[4096], tsc[4096];
    int64_t first = 3 * world.rank / world.size, last = 3 * (world.rank + 1) / world.size;
    hg_fine fine;

    if (!find_data("triangle_direct_sum.txt", sizeof path, path) ||
        !find_data("triangle_tsc64.txt", sizeof tsc, tsc)) {
        return;
    }
    measure_points(64, HG_PRECISION_DOUBLE, HG_KERNEL_PCS, true, 1000, last - first,
                   point + first, &fine);
    check_lines(path, &fine, 0, 6e-5 * 3 * noise, 6e-5 * 3 * noise, 7e-4 * noise,
                2.1e-3 * noise);
    hg_fine_clear(&fine);
    measure_points(64, HG_PRECISION_DOUBLE, HG_KERNEL_TSC, false, 1000, last - first,
                   point + first, &fine);
    check_tsc_rows(tsc, &fine);
    hg_fine_clear(&fine);
}

/* What Triumvirate stores of the same points: k_centre or r_centre, mean, number, value. */
static void
read_triumvirate(const char *name, double line[4][4])
{
    char path[4096], text[1024];
    FILE *file = NULL;
    int n = 0;

    cr_assert(find_data(name, sizeof path, path));
    file = fopen(path, "r");
    cr_assert(file != NULL);
    while (n < 4 && fgets(text, sizeof text, file) != NULL) {
        n += sscanf(text, "%lf %lf %lf %lf", line[n], line[n] + 1, line[n] + 2, line[n] + 3) ==
             4;
    }
    fclose(file);
    cr_assert_eq(n, 4);
}

static bool
has_printed_digits(double value, double printed)
{
    char a[32], b[32];

    snprintf(a, sizeof a, "%.9e", value);
    snprintf(b, sizeof b, "%.9e", printed);
    return strcmp(a, b) == 0;
}

/* Sums over bins of width 0.025 or 25 that start at `low`: number, mean abscissa, value, value
 * L_2. */
static void
add_to_bins(double low, double width, double x, double mu2, double times, double value,
            double sum[4][4])
{
    const int i = x < low ? -1 : (int)((x - low) / width);

    if (i >= 0 && i < 4) {
        sum[i][0] += times;
        sum[i][1] += times * x;
        sum[i][2] += times * value;
        sum[i][3] += 5 * times * value * (1.5 * mu2 - 0.5);
    }
}

static void
check_triumvirate(const char *first, const char *second, double offset, double sum[4][4])
{
    double monopole[4][4], quadrupole[4][4];

    read_triumvirate(first, monopole);
    read_triumvirate(second, quadrupole);
    hg_comm_sum_double(&world, 16, sum[0]);
    for (int i = 0; i < 4; i++) {
        const double n = sum[i][0], p0 = sum[i][2] / n + offset, p2 = sum[i][3] / n;

        cr_expect(has_printed_digits(p0, monopole[i][3]), "%.9e instead of %.9e", p0,
                  monopole[i][3]);
        all_assert(n == monopole[i][2] && has_printed_digits(sum[i][1] / n, monopole[i][1]));
        all_assert(has_printed_digits(p0, monopole[i][3]));
        all_assert(has_printed_digits(p2, quadrupole[i][3]));
    }
}

/* The 3-point case of Triumvirate, TSC on one mesh. It differs in two ways: it divides by the
 * alias sum C instead of W^2, so that the shot noise is V/n in every mode, and it leaves -V/n
 * in the mode k = 0 when it transforms to xi, which lowers xi_0 by 1/n. With both it is met
 * digit by digit, in P_l and, binning cells of the lattice, in xi_l. */
Test(golden, three_points_have_the_digits_of_triumvirate)
{
    enum { MESH = 64 };
    const double box = 1000, volume = 1e9, unit = 2 * M_PI / box;
    const int64_t first = 3 * world.rank / world.size;
    const int64_t last = 3 * (world.rank + 1) / world.size;
    double sum[4][4] = {{0}}, xi[4][4] = {{0}};
    char path[4096];
    hg_mesh *mesh = NULL;
    hg_density density;
    hg_window window;

    if (!find_data("triumvirate_3pt/pk0_gpp.txt", sizeof path, path)) {
        return;
    }
    all_assert(hg_mesh_create(&world,
                              &(hg_mesh_options){.n = MESH, .precision = HG_PRECISION_DOUBLE},
                              &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_TSC, false, box, last - first,
                                 point + first, NULL, &density) == HG_OK);
    all_assert(hg_window_init(&window, MESH, HG_KERNEL_TSC) == HG_OK);
    for (int64_t r = 0; r < mesh->n_ky * MESH; r++) {
        const int64_t x = r % MESH, y = mesh->ky_first + r / MESH;
        const double kx = unit * (double)hg_wave_number(x, MESH);
        const double ky = unit * (double)hg_wave_number(y, MESH);

        for (int64_t z = mesh->kz_first; z < mesh->kz_first + mesh->n_kz; z++) {
            const double kz = unit * (double)z, k2 = kx * kx + ky * ky + kz * kz;
            double *mode = (double *)density.mode + 2 * (r * mesh->n_kz + z - mesh->kz_first);
            const double c = window.c[x] * window.c[y] * window.c[z];
            const double p = volume / 9 * (mode[0] * mode[0] + mode[1] * mode[1]) / c;

            if (k2 > 0) {
                add_to_bins(0.005, 0.025, sqrt(k2), kz * kz / k2,
                            z == 0 || 2 * z == MESH ? 1 : 2, p, sum);
            }
            mode[0] = k2 > 0 ? p / volume - 1.0 / 3 : 0;
            mode[1] = 0;
        }
    }
    check_triumvirate("triumvirate_3pt/pk0_gpp.txt", "triumvirate_3pt/pk2_gpp.txt", 0, sum);
    hg_mesh_backward(&world, mesh, density.mode);
    for (int64_t i = 0; i < mesh->n_x * mesh->n_y * MESH; i++) {
        const int64_t cell[3] = {mesh->x_first + i / MESH / mesh->n_y,
                                 mesh->y_first + i / MESH % mesh->n_y, i % MESH};
        double r2 = 0, z2 = 0;

        for (int k = 0; k < 3; k++) {
            z2 = pow(box / MESH * (double)hg_wave_number(cell[k], MESH), 2);
            r2 += z2;
        }
        if (r2 > 0) {
            add_to_bins(50, 25, sqrt(r2), z2 / r2, 1,
                        hg_mesh_cell(mesh, density.mode, cell[0], cell[1], cell[2]), xi);
        }
    }
    check_triumvirate("triumvirate_3pt/xi0_gpp.txt", "triumvirate_3pt/xi2_gpp.txt", -1.0 / 3,
                      xi);
    hg_window_clear(&window);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}
