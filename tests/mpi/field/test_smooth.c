/* ranks: 1 2 5 */
#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "field/modes.h"
#include "field/readout.h"
#include "field/smooth.h"

MPI_SUITE(smooth);

enum { SIDE = 48, POINTS = 3000, PROBES = 200 };
static const double box = 120;

static void
make_points(uint64_t seed, int64_t n, double point[][3], double weight[])
{
    for (int64_t i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(seed, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        for (int k = 0; k < 3; k++) {
            point[i][k] = i % 3 == 0 || i == 0 ? box * hg_stream_uniform(&s)
                                               : point[i - 1][k] + 3 * hg_stream_normal(&s);
        }
        weight[i] = 0.1 + hg_stream_uniform(&s);
    }
}

/* A plane wave A cos(k x) as a density whose cells hold 1 + the wave. */
static void
make_wave(hg_mesh *mesh, double amplitude, const int wave[3], hg_density *density)
{
    const double n = (double)mesh->n;
    double *field;

    *density = (hg_density){.box = box, .kernel = HG_KERNEL_PCS, .weight_sum = n * n * n};
    all_assert(hg_mesh_field(mesh, &density->mode) == HG_OK);
    field = density->mode;
    for (int64_t x = 0; x < mesh->n_x; x++) {
        for (int64_t y = 0; y < mesh->n_y; y++) {
            for (int64_t z = 0; z < mesh->n; z++) {
                const double phase = 2 * M_PI / n *
                                     (double)(wave[0] * (mesh->x_first + x) +
                                              wave[1] * (mesh->y_first + y) + wave[2] * z);

                field[(x * mesh->n_y + y) * mesh->row + z] = 1 + amplitude * cos(phase);
            }
        }
    }
    hg_mesh_forward(&world, mesh, density->mode);
}

static double
pcs_window(const int wave[3])
{
    double product = 1;

    for (int k = 0; k < 3; k++) {
        const double t = M_PI * wave[k] / SIDE;

        product *= t > 0 ? pow(sin(t) / t, 4) : 1;
    }
    return product;
}

/* A wave of one k is multiplied by the window, and its tidal tensor has one eigenvalue.
 * Painting divides the wave by the kernel's window once more, for the wave here was not
 * painted. Between cells the kernel adds images of the wave at other k, hence the tolerance. */
Test(smooth, plane_wave_has_one_tidal_eigenvalue)
{
    static const int axes[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    static const int waves[3][3] = {{1, 0, 0}, {2, 2, 0}, {1, 2, 3}};
    const hg_mesh_options options = {
        .n = SIDE, .precision = HG_PRECISION_DOUBLE, .reproducible = true};
    double(*probe)[3] = NULL, *weight = NULL, *table = NULL, *value = NULL;
    hg_sampler sampler;
    hg_mesh *mesh = NULL;
    void *field = NULL;

    all_assert(hg_mem_array(&probe, PROBES, sizeof *probe) == HG_OK);
    all_assert(hg_mem_array(&weight, PROBES, sizeof *weight) == HG_OK);
    all_assert(hg_mem_array(&value, 7 * PROBES, sizeof *value) == HG_OK);
    all_assert(hg_mem_array(&table, hg_modes_table_size(SIDE), sizeof *table) == HG_OK);
    make_points((uint64_t)(4 + world.rank), PROBES, probe, weight);
    memset(probe[0], 0, sizeof probe[0]); /* the crest */
    all_assert(hg_mesh_create(&world, &options, &mesh) == HG_OK);
    all_assert(hg_mesh_field(mesh, &field) == HG_OK);
    all_assert(hg_sampler_create(&world, mesh, HG_KERNEL_PCS, box, PROBES,
                                 (const double(*)[3])probe, &sampler) == HG_OK);
    for (int w = 0; w < 3; w++) {
        for (int s = 0; s < 2; s++) {
            const int *wave = waves[w];
            const double radius = 10,
                         k = 2 * M_PI / box *
                             sqrt(wave[0] * wave[0] + wave[1] * wave[1] + wave[2] * wave[2]);
            const double kr = k * radius,
                         window = s == 0 ? exp(-0.5 * kr * kr)
                                         : 3 * (sin(kr) - kr * cos(kr)) / (kr * kr * kr);
            const double amplitude = 0.3 * window / pcs_window(wave);
            hg_density density;
            double worst = 0;

            make_wave(mesh, 0.3, wave, &density);
            hg_smooth_table(s == 0 ? HG_SMOOTHING_GAUSS : HG_SMOOTHING_TOP_HAT, radius, box,
                            SIDE, table);
            for (int f = 0; f < 7; f++) {
                all_assert(hg_smooth_field(&world, mesh, &density, table,
                                           f < 6 ? axes[f] : NULL, field) == HG_OK);
                all_assert(hg_sampler_read(&world, mesh, &sampler, field, value + f * PROBES) ==
                           HG_OK);
            }
            for (int i = 0; i < PROBES; i++) {
                double matrix[6], lambda[3], phase = 0, want;

                for (int f = 0; f < 6; f++) {
                    matrix[f] = value[f * PROBES + i];
                }
                for (int a = 0; a < 3; a++) {
                    phase += 2 * M_PI / box * wave[a] * probe[i][a];
                }
                want = amplitude * cos(phase);
                hg_smooth_eigenvalues(matrix, lambda);
                worst = fmax(worst, fabs(value[6 * PROBES + i] - want));
                worst = fmax(worst, fabs(lambda[0] - fmax(want, 0)));
                worst = fmax(worst, fabs(lambda[1]));
                worst = fmax(worst, fabs(lambda[2] - fmin(want, 0)));
            }
            all_assert(worst < 2e-4 * fabs(amplitude));
            hg_density_clear(&density);
        }
    }
    hg_sampler_clear(&sampler);
    hg_mesh_free(mesh);
    hg_mem_free(field);
    hg_mem_free(table);
    hg_mem_free(value);
    hg_mem_free(weight);
    hg_mem_free(probe);
}

/* Everything a rank needs for one call on one communicator. */
static uint64_t
smooth_at_probes(const hg_comm *comm, hg_precision precision, hg_smoothing smoothing,
                 double radius, int64_t n, const double point[][3], const double weight[],
                 int64_t n_probe, const double probe[][3], double value[])
{
    const hg_mesh_options options = {.n = SIDE, .precision = precision, .reproducible = true};
    const int axis[2] = {0, 1};
    double *table = NULL, *shear = NULL;
    hg_density density;
    hg_sampler sampler;
    hg_mesh *mesh = NULL;
    void *field = NULL;
    uint64_t hash;

    cr_assert_eq(hg_mem_array(&table, hg_modes_table_size(SIDE), sizeof *table), HG_OK);
    cr_assert_eq(hg_mem_array(&shear, (size_t)n_probe, sizeof *shear), HG_OK);
    cr_assert_eq(hg_mesh_create(comm, &options, &mesh), HG_OK);
    cr_assert_eq(
        hg_density_create(comm, mesh, HG_KERNEL_PCS, true, box, n, point, weight, &density),
        HG_OK);
    cr_assert_eq(hg_mesh_field(mesh, &field), HG_OK);
    cr_assert_eq(hg_sampler_create(comm, mesh, HG_KERNEL_PCS, box, n_probe, probe, &sampler),
                 HG_OK);
    hg_smooth_table(smoothing, radius, box, SIDE, table);
    cr_assert_eq(hg_smooth_field(comm, mesh, &density, table, axis, field), HG_OK);
    cr_assert_eq(hg_sampler_read(comm, mesh, &sampler, field, shear), HG_OK);
    cr_assert_eq(hg_smooth_field(comm, mesh, &density, table, NULL, field), HG_OK);
    cr_assert_eq(hg_sampler_read(comm, mesh, &sampler, field, value), HG_OK);
    hash = hg_hash_more(hg_hash_bytes(value, (size_t)n_probe * sizeof *value), shear,
                        (size_t)n_probe * sizeof *shear);
    hg_sampler_clear(&sampler);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
    hg_mem_free(field);
    hg_mem_free(shear);
    hg_mem_free(table);
    return hash;
}

/* Sum over objects and images of the smoothing kernel itself. */
static double
direct_contrast(double radius, int64_t n, const double point[][3], const double weight[],
                const double at[3])
{
    double sum = 0, total = 0;

    for (int64_t i = 0; i < n; i++) {
        double d2[3][3];

        for (int k = 0; k < 3; k++) {
            for (int m = 0; m < 3; m++) {
                const double d = remainder(point[i][k] - at[k], box) + (m - 1) * box;

                d2[k][m] = d * d;
            }
        }
        for (int m = 0; m < 27; m++) {
            sum += weight[i] * exp(-0.5 * (d2[0][m / 9] + d2[1][m / 3 % 3] + d2[2][m % 3]) /
                                   (radius * radius));
        }
        total += weight[i];
    }
    return sum / (pow(2 * M_PI, 1.5) * radius * radius * radius) * box * box * box / total - 1;
}

Test(smooth, gaussian_contrast_equals_a_direct_sum)
{
    static double point[POINTS][3], probe[PROBES][3], weight[POINTS], unused[PROBES],
        value[PROBES];
    const int64_t first = POINTS * world.rank / world.size,
                  end = POINTS * (world.rank + 1) / world.size;
    const double radius = 2.5 * box / SIDE;
    double worst = 0, largest = 0;

    make_points(1, POINTS, point, weight);
    make_points((uint64_t)(50 + world.rank), PROBES, probe, unused);
    smooth_at_probes(&world, HG_PRECISION_DOUBLE, HG_SMOOTHING_GAUSS, radius, end - first,
                     (const double(*)[3])point + first, weight + first, PROBES,
                     (const double(*)[3])probe, value);
    for (int i = 0; i < PROBES; i++) {
        const double want =
            direct_contrast(radius, POINTS, (const double(*)[3])point, weight, probe[i]);

        worst = fmax(worst, fabs(value[i] - want));
        largest = fmax(largest, fabs(want));
    }
    all_assert(largest > 0.8);
    all_assert(worst < 5e-4); /* smallest radius that is allowed; falls with larger ones */
}

Test(smooth, bits_are_the_same_for_any_ranks)
{
    static double point[POINTS][3], probe[PROBES][3], weight[POINTS], unused[PROBES],
        value[2][PROBES], gathered[PROBES];

    make_points(1, POINTS, point, weight);
    make_points(2, PROBES, probe, unused);
    for (int p = 0; p < 2; p++) {
        const hg_precision precision = p == 0 ? HG_PRECISION_FLOAT : HG_PRECISION_DOUBLE;

        for (int size = 1; size <= world.size; size++) {
            hg_comm part;
            const bool inside = world.rank < size;

            all_assert(hg_comm_split(&world, inside ? 0 : -1, &part) == HG_OK);
            if (inside) {
                const int64_t n0 = POINTS * (int64_t)part.rank / size,
                              n1 = POINTS * (int64_t)(part.rank + 1) / size;
                const int64_t p0 = PROBES * (int64_t)part.rank / size,
                              p1 = PROBES * (int64_t)(part.rank + 1) / size;

                smooth_at_probes(&part, precision, HG_SMOOTHING_TOP_HAT, 9, n1 - n0,
                                 (const double(*)[3])point + n0, weight + n0, p1 - p0,
                                 (const double(*)[3])probe + p0, value[size > 1]);
                cr_assert_eq(hg_comm_gather_into(&part, p1 - p0, sizeof(double),
                                                 value[size > 1], gathered),
                             HG_OK);
                if (size == 1) {
                    memcpy(value[0], gathered, sizeof gathered);
                }
                cr_assert(world.rank > 0 || memcmp(gathered, value[0], sizeof gathered) == 0,
                          "%d ranks", size);
            }
            hg_comm_clear(&part);
        }
    }
}
