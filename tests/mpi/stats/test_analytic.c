/* Samples whose spectra and correlations are known in closed form. */
#include "mpi_test.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/correlation.h"
#include "stats/pairs.h"
#include "stats/power.h"

MPI_SUITE(analytic);

/* A Thomas process: Poisson parents, each with a Poisson number of children, normal around it.
 */
enum { PARENTS = 1500, ROOM = 10000, REALISATIONS = 16, THOMAS_MESH = 96 };
enum { K_BINS = 8, R_BINS = 6, SHELLS = 2, THOMAS = K_BINS + R_BINS + SHELLS };
static const double box = 100, spread = 3, mean_children = 4;

/* All points of a realisation on every rank; pairs is the number of ordered pairs of siblings.
 */
static int64_t
make_thomas(int realisation, double (*point)[3], double *pairs)
{
    int64_t n = 0;

    *pairs = 0;
    for (int i = 0; i < PARENTS; i++) {
        hg_stream s =
            hg_stream_start(61, (uint64_t)realisation, (uint64_t)i, HG_PURPOSE_LATENT);
        double centre[3];

        for (int k = 0; k < 3; k++) {
            centre[k] = box * hg_stream_uniform(&s);
        }
        const int64_t m = hg_stream_poisson(&s, mean_children);

        cr_assert(n + m <= ROOM);
        for (int64_t j = 0; j < m; j++, n++) {
            for (int k = 0; k < 3; k++) {
                point[n][k] = centre[k] + spread * hg_stream_normal(&s);
            }
        }
        *pairs += (double)(m * (m - 1));
    }
    return n;
}

/* Share of the pairs of siblings closer than r: their distance is normal with 2 spread^2. */
static double
share_within(double r)
{
    const double t = r / (2 * spread);

    return erf(t) - 2 / sqrt(M_PI) * t * exp(-t * t);
}

static double
shell_volume(double low, double high)
{
    return 4 * M_PI / 3 * (pow(high, 3) - pow(low, 3));
}

/* Measured minus expected of one realisation: P(k) over its limit at k = 0, xi from pairs, and
 * xi from the mesh. */
static void
compare_thomas(hg_mesh *mesh, int realisation, double difference[THOMAS])
{
    static const double r_edge[R_BINS + 1] = {0.5, 2, 3, 4, 6, 8, 11};
    static const double shell[SHELLS + 1] = {8.5, 11, 14};
    static double point[ROOM][3];
    double siblings, k_edge[K_BINS + 1], xi[SHELLS];
    const int64_t n = make_thomas(realisation, point, &siblings);
    const int64_t first = n * world.rank / world.size;
    const int64_t mine = n * (world.rank + 1) / world.size - first;
    const double(*here)[3] = (const double(*)[3])point + first;
    const double volume = pow(box, 3), square = (double)n * (double)n;
    const hg_pairs_bins bins = {.n = R_BINS, .edge = r_edge, .n_second = 1};
    hg_density density;
    hg_fine fine;
    hg_power power;
    hg_pairs pairs;

    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, box, mine, here, NULL,
                                 &density) == HG_OK);
    all_assert(hg_fine_measure(&world, mesh, &density, NULL, density.weight_sum2, HG_LOS_NONE,
                               &fine) == HG_OK);
    all_assert(hg_bin_edges(1, 9, 1, 0, K_BINS + 1, k_edge) == K_BINS);
    all_assert(hg_power_bin(&fine, K_BINS, k_edge, &power) == HG_OK);
    for (int i = 0; i < K_BINS; i++) {
        const double expected = volume * siblings / square;
        double mean = 0, modes = 0;

        for (int64_t n2 = (i + 1) * (i + 1); n2 < (i + 2) * (i + 2); n2++) {
            const double k = 2 * M_PI / box * sqrt((double)n2);

            mean += fine.sum[n2 * fine.n_sum] * exp(-k * k * spread * spread);
            modes += fine.sum[n2 * fine.n_sum];
        }
        difference[i] = power.p[0][i] / expected - mean / modes;
    }
    all_assert(hg_pairs_count(&world, &bins, box, mine, here, NULL, &pairs) == HG_OK);
    for (int i = 0; i < R_BINS; i++) {
        const double share = share_within(r_edge[i + 1]) - share_within(r_edge[i]);
        const double v = shell_volume(r_edge[i], r_edge[i + 1]) / volume;
        const double all = (double)n * (double)(n - 1);

        difference[K_BINS + i] = hg_pairs_xi(&pairs, i, 0) - siblings / all * (share / v - 1);
    }
    all_assert(hg_correlation_shells(&fine, 0, SHELLS, shell, xi, NULL) == HG_OK);
    for (int i = 0; i < SHELLS; i++) {
        const double share = share_within(shell[i + 1]) - share_within(shell[i]);
        const double v = shell_volume(shell[i], shell[i + 1]) / volume;

        difference[K_BINS + R_BINS + i] = xi[i] - siblings / square * (share / v - 1);
    }
    hg_pairs_clear(&pairs);
    hg_power_clear(&power);
    hg_fine_clear(&fine);
    hg_density_clear(&density);
}

/* P(k) = V sum m (m - 1) / n^2 exp(-k^2 s^2) for m children per parent, and xi is a Gaussian of
 * width sqrt(2) s: the mean over realisations, within its error as they scatter. */
Test(analytic, a_thomas_process_has_its_closed_form)
{
    double sum[THOMAS] = {0}, square[THOMAS] = {0};
    hg_mesh *mesh = NULL;

    all_assert(hg_mesh_create(&world, &(hg_mesh_options){.n = THOMAS_MESH}, &mesh) == HG_OK);
    for (int r = 0; r < REALISATIONS; r++) {
        double difference[THOMAS];

        compare_thomas(mesh, r, difference);
        for (int i = 0; i < THOMAS; i++) {
            sum[i] += difference[i] / REALISATIONS;
            square[i] += difference[i] * difference[i] / REALISATIONS;
        }
    }
    for (int i = 0; i < THOMAS; i++) {
        const double error = sqrt((square[i] - sum[i] * sum[i]) / (REALISATIONS - 1));

        cr_expect(fabs(sum[i]) < 4 * error, "statistic %d: %g off, error %g", i, sum[i], error);
        all_assert(fabs(sum[i]) < 4 * error);
        /* errors are small enough to see a wrong amplitude or width */
        all_assert(error < (i < 2 ? 0.1 : i < K_BINS ? 0.03 : 0.02));
    }
    hg_mesh_free(mesh);
}

/* Plane waves of all wave numbers up to N_MAX, equal in power, displace a lattice; velocities
 * are those of linear theory, v = f a H psi, which in redshift space move points by f psi. */
enum { SIDE = 32, N_MAX = 8, WAVES = 4096, LATTICE = SIDE * SIDE * SIDE };
static const double growth = 0.55, amplitude = 1e-5;

typedef struct plane_wave {
    int n[3], square;
    int phase; /* in units of 2 pi / SIDE */
} plane_wave;

/* One of k and -k of all waves. */
static int
make_waves(plane_wave wave[])
{
    hg_stream s = hg_stream_start(71, 0, 0, HG_PURPOSE_MODE);
    int n_wave = 0;

    for (int x = 0; x <= N_MAX; x++) {
        for (int y = x > 0 ? -N_MAX : 0; y <= N_MAX; y++) {
            for (int z = x > 0 || y > 0 ? -N_MAX : 1; z <= N_MAX; z++) {
                const int square = x * x + y * y + z * z;

                if (square <= N_MAX * N_MAX) {
                    cr_assert(n_wave < WAVES);
                    wave[n_wave++] = (plane_wave){.n = {x, y, z},
                                                  .square = square,
                                                  .phase = (int)(SIDE * hg_stream_uniform(&s))};
                }
            }
        }
    }
    return n_wave;
}

/* Lattice points of this rank, seen in redshift space along y; the box has side 1. */
static int64_t
make_moved_lattice(double (*point)[3])
{
    plane_wave wave[WAVES];
    const int n_wave = make_waves(wave);
    double sine[SIDE];
    int64_t n = 0;

    for (int i = 0; i < SIDE; i++) {
        sine[i] = sin(2 * M_PI * i / SIDE);
    }
    for (int i = world.rank; i < LATTICE; i += world.size, n++) {
        const int q[3] = {i / SIDE / SIDE, i / SIDE % SIDE, i % SIDE};
        double psi[3] = {0};

        for (int w = 0; w < n_wave; w++) {
            const int *k = wave[w].n;
            const int angle = k[0] * q[0] + k[1] * q[1] + k[2] * q[2] + wave[w].phase;
            const double a = amplitude / (2 * M_PI * wave[w].square) * sine[angle & (SIDE - 1)];

            for (int d = 0; d < 3; d++) {
                psi[d] += a * k[d];
            }
        }
        for (int d = 0; d < 3; d++) {
            point[n][d] = (double)q[d] / SIDE + psi[d] * (d == 1 ? 1 + growth : 1);
        }
    }
    return n;
}

/* Mean of (2l + 1) (1 + f mu^2)^2 L_l over the wave numbers of [low, high). */
static void
average_directions(double low, double high, double mean[3])
{
    double n = 0;

    mean[0] = mean[1] = mean[2] = 0;
    for (int i = 0; i < 17 * 17 * 17; i++) {
        const int x = i / 289 - 8, y = i / 17 % 17 - 8, z = i % 17 - 8;
        const double square = x * x + y * y + z * z;

        if (square >= low * low && square < high * high) {
            const double mu2 = y * y / square, p = pow(1 + growth * mu2, 2);

            mean[0] += p;
            mean[1] += 5 * p * (1.5 * mu2 - 0.5);
            mean[2] += 9 * p * (35 * mu2 * mu2 - 30 * mu2 + 3) / 8;
            n++;
        }
    }
    for (int l = 0; l < 3; l++) {
        mean[l] /= n;
    }
}

/* Waves of equal power P seen along y have (1 + f mu^2)^2 P (Kaiser 1987). In the directions
 * that the bins have, multipoles are exact; over many directions they become those of the
 * closed form, (1 + 2f/3 + f^2/5) P and (4f/3 + 4f^2/7) P. */
Test(analytic, linear_velocities_give_the_multipoles_of_kaiser)
{
    enum { BINS = 3 };
    static const double edge[BINS + 1] = {2, 4.5, 6, 8}, f = growth,
                                    p = amplitude * amplitude / 4;
    static double point[LATTICE][3];
    const int64_t n = make_moved_lattice(point);
    double sum[2] = {0}, modes = 0;
    hg_mesh *mesh = NULL;
    hg_density density;
    hg_fine fine;
    hg_power power;

    all_assert(hg_mesh_create(&world,
                              &(hg_mesh_options){.n = 64, .precision = HG_PRECISION_DOUBLE},
                              &mesh) == HG_OK);
    all_assert(hg_density_create(&world, mesh, HG_KERNEL_PCS, true, 1, n,
                                 (const double(*)[3])point, NULL, &density) == HG_OK);
    /* a lattice has no shot noise */
    all_assert(hg_fine_measure(&world, mesh, &density, NULL, 0, HG_LOS_Y, &fine) == HG_OK);
    all_assert(hg_power_bin(&fine, BINS, edge, &power) == HG_OK);
    for (int i = 0; i < BINS; i++) {
        double expected[3];

        average_directions(edge[i], edge[i + 1], expected);
        for (int l = 0; l < 3; l++) {
            const double off = power.p[l][i] / p - expected[l];

            cr_expect(fabs(off) < 5e-4, "bin %d, multipole %d: %g off", i, 2 * l, off);
            all_assert(fabs(off) < 5e-4);
        }
        sum[0] += power.p[0][i] / p * (double)power.modes[i];
        sum[1] += power.p[1][i] / p * (double)power.modes[i];
        modes += (double)power.modes[i];
    }
    all_assert(fabs(sum[0] / modes / (1 + 2 * f / 3 + f * f / 5) - 1) < 1e-3);
    all_assert(fabs(sum[1] / modes / (4 * f / 3 + 4 * f * f / 7) - 1) < 0.02);
    hg_power_clear(&power);
    hg_fine_clear(&fine);
    hg_density_clear(&density);
    hg_mesh_free(mesh);
}
