#include "mpi_fault.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "field/modes.h"
#include "halograft/catalog.h"
#include "mock/mock.h"
#include "mock/mock_hosts.h"
#include "mock/mock_universe.h"
#include "mock/mock_zooms.h"
#include "store/publish.h"

MPI_SUITE(mock);

static hg_params *
read_params(const hg_comm *comm, int n, const char *const set[])
{
    hg_params_options options = {.n_set = n, .set = set, .snap = -1};
    hg_params *params = NULL;

    cr_assert_eq(hg_params_read(comm, &options, &params), HG_OK, "%s",
                 hg_error_last()->message);
    return params;
}

static void
make_universe(const hg_comm *comm, const hg_params *params, double radius, hg_mock_universe *u)
{
    hg_cosmology cosmology = hg_mock_cosmology(&params->mock);

    cr_assert_eq(hg_mock_universe_make(comm, &params->mock, &cosmology, params->mock.box,
                                       (int)params->mock.mesh, (uint64_t)params->meta.seed,
                                       radius, NULL, u),
                 HG_OK, "%s", hg_error_last()->message);
}

static uint64_t
hash_rows(const hg_comm *comm, const hg_mock_universe *u)
{
    int64_t n = 0;
    hg_mock_row *all = NULL;
    uint64_t hash = 0;

    cr_assert_eq(hg_comm_gather_rows(comm, u->n, sizeof *all, u->row, &n, &all), HG_OK);
    for (int64_t i = 0; i < n; i++) { /* not the padding */
        const hg_mock_row *r = &all[i];

        hash = hg_hash_more(hash, r, offsetof(hg_mock_row, region));
    }
    hg_mem_free(all);
    return hash;
}

static const char *const small[] = {"Mock.box=100 Mpc", "Mock.mesh=48"};

/* Global order, satellites behind their host and inside it, abundance as asked for. */
Test(mock, rows_are_in_order_and_satellites_inside_their_hosts)
{
    hg_params *params = read_params(&world, 2, small);
    hg_mock_universe u = {0};
    double chi2 = 0, last[2], before[64];
    int n_bin = 0, bad = 0;
    int64_t n_host = 0, n_row = 0, n_sub = 0;
    const hg_mock_row *host = NULL;

    make_universe(&world, params, 0, &u);
    hg_mock_universe_check(&world, &u, &chi2, &n_bin, &n_host, &n_row);
    all_assert(n_bin > 20 && chi2 < n_bin + 4 * sqrt(2.0 * n_bin));
    all_assert(n_row - n_host > n_host / 10 && n_row - n_host < n_host / 2);
    all_assert(u.n == 0 || hg_mock_row_is_host(&u.row[0]));
    for (int64_t i = 0; i < u.n; i++) {
        const hg_mock_row *r = &u.row[i];

        bad += i > 0 && r->id <= r[-1].id;
        for (int k = 0; k < 3; k++) {
            bad += !(r->position[k] >= 0 && r->position[k] < 100);
        }
        if (hg_mock_row_is_host(r)) {
            host = r;
            bad += !((double)r->m200c >= 0.999e11);
            continue;
        }
        n_sub++;
        bad += hg_mock_id_host(r->id) != host->id || r->m200c != host->m200c;
        bad += hg_mock_distance2(r->position, host->position, 100) >
               1.0001 * (double)(host->r200c * host->r200c);
        bad += fabs(sqrt(hg_mock_distance2(r->position, host->position, 100)) /
                        (double)host->r200c -
                    (double)r->host_distance) > 1e-4;
        bad += !(r->m_bound < r->m_peak) || !(r->m_peak <= 1.001f * host->m200c);
    }
    all_assert(bad == 0);
    hg_comm_sum(&world, 1, &n_sub);
    all_assert(n_sub == n_row - n_host);
    last[0] = u.n > 0 ? (double)hg_mock_id_cell(u.row[0].id) : -1;
    last[1] = u.n > 0 ? (double)hg_mock_id_cell(u.row[u.n - 1].id) : -1;
    hg_comm_gather(&world, last, sizeof last, before);
    for (int r = 1; r < world.size; r++) {
        cr_assert(before[2 * r] > before[2 * r - 1]);
    }
    hg_mock_universe_clear(&u);
    hg_params_free(params);
}

/* Environment standardised at fixed mass: mean 0 and rms 1 in every mass range, and so are the
 * latents that follow it; a measured correlation of concentration and environment of 0.2. */
Test(mock, the_environment_is_standard_at_fixed_mass)
{
    static const char *const set[] = {"Mock.box=200 Mpc", "Mock.mesh=96", "Mock.subhaloes=0"};
    hg_params *params = read_params(&world, 3, set);
    hg_mock_universe u = {0};
    double sum[4][4] = {{0}};

    make_universe(&world, params, 0, &u);
    for (int64_t i = 0; i < u.n; i++) {
        double e = (double)u.row[i].environment;
        int m = (int)fmin(3, fmax(0, log10((double)u.row[i].m200c / 1e11)));

        sum[m][0] += 1;
        sum[m][1] += e;
        sum[m][2] += e * e;
        sum[m][3] += e * hg_mock_row_concentration(u.plan, &u.row[i]);
    }
    hg_comm_sum_double(&world, 16, sum[0]);
    for (int m = 0; m < 4; m++) {
        double n = sum[m][0], mean = sum[m][1] / n, rms = sqrt(sum[m][2] / n - mean * mean);

        all_assert(n > 20);
        /* few independent 8-Mpc volumes: some 2e3 in the box */
        cr_assert(fabs(mean) < 0.1 + 4 / sqrt(n), "10^%d: mean %g of %g", 11 + m, mean, n);
        cr_assert(fabs(rms - 1) < 0.08 + 3 / sqrt(n), "10^%d: rms %g of %g", 11 + m, rms, n);
        cr_assert(fabs(sum[m][3] / n - 0.2) < 0.04 + 4 / sqrt(n));
    }
    hg_mock_universe_clear(&u);
    hg_params_free(params);
}

Test(mock, rows_have_the_same_bits_for_any_number_of_ranks)
{
    hg_params *params = read_params(&world, 2, small);
    uint64_t alone, now;
    hg_mock_universe u = {0};
    hg_comm part = {0};
    float *delta = NULL;
    size_t bytes;

    all_assert(hg_comm_split(&world, world.rank, &part) == HG_OK);
    make_universe(&part, params, 15, &u);
    alone = hash_rows(&part, &u);
    bytes = (size_t)(u.n_point * u.n_point * u.n_point) * sizeof *delta;
    delta = u.delta;
    u.delta = NULL;
    hg_mock_universe_clear(&u);
    hg_comm_clear(&part);
    for (int size = 2; size <= world.size; size++) {
        all_assert(hg_comm_split(&world, world.rank < size ? 0 : -1, &part) == HG_OK);
        if (part.size > 0) {
            make_universe(&part, params, 15, &u);
            now = hash_rows(&part, &u);
            cr_assert_eq(now, alone, "rank %d of %d", part.rank, size);
            cr_assert_eq(memcmp(delta, u.delta, bytes), 0, "rank %d of %d", part.rank, size);
            hg_mock_universe_clear(&u);
        }
        hg_comm_clear(&part);
    }
    hg_mem_free(delta);
    hg_params_free(params);
}

/* Modes of a field of counts and of the matter around it: b = sum Re(h m*) W / sum |m|^2 over
 * k < 0.07 / Mpc, m smoothed by the top hat W. */
static double
measure_bias(const hg_comm *comm, const hg_mock_universe *u, double radius, double low,
             double high, double *want, double *count)
{
    const hg_mock_plan *plan = u->plan;
    int n = u->n_point;
    size_t cells = (size_t)n * (size_t)n * (size_t)n;
    int64_t *lattice = NULL;
    hg_rowfft *fft = NULL;
    hg_mode *h = NULL, *m = NULL;
    double *real = NULL, sums[2] = {0}, two[2] = {0};

    cr_assert_eq(hg_rowfft_create(comm, n, &fft), HG_OK);
    cr_assert_eq(hg_mem_zeros(&lattice, cells, sizeof *lattice), HG_OK);
    cr_assert_eq(hg_mem_array(&real, fft->n_real, sizeof *real), HG_OK);
    cr_assert_eq(hg_mem_array(&h, fft->n_mode, sizeof *h), HG_OK);
    cr_assert_eq(hg_mem_array(&m, fft->n_mode, sizeof *m), HG_OK);
    for (int64_t i = 0; i < u->n; i++) {
        const hg_mock_row *r = &u->row[i];
        int64_t at = 0;

        if ((double)r->m200c < low || (double)r->m200c >= high) {
            continue;
        }
        for (int k = 0; k < 3; k++) {
            at = at * n + (int64_t)floor(r->position[k] / plan->box * n + 0.5) % n;
        }
        lattice[at]++;
        two[0] += plan->bin[r->bin].selection.bias + 1;
        two[1]++;
    }
    hg_comm_sum(comm, cells, lattice);
    hg_comm_sum_double(comm, 2, two);
    *want = two[0] / two[1];
    *count = two[1];
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < fft->n_real; i++) {
            size_t at = (size_t)fft->x_first * (size_t)(n * n) + i;

            real[i] = pass == 0 ? (double)lattice[at] * (double)cells / two[1] - 1
                                : (double)u->delta[at];
        }
        hg_rowfft_forward(comm, fft, real, pass == 0 ? h : m);
    }
    for (size_t i = 0; i < fft->n_mode; i++) {
        int64_t nk = n / 2 + 1, line = (int64_t)i / nk, z = (int64_t)i % nk;
        int x = (int)hg_wave_number(line / fft->y_n, n);
        int y = (int)hg_wave_number(fft->y_first + line % fft->y_n, n);
        double k = 2 * M_PI / plan->box * sqrt((double)(x * x + y * y + z * z));

        if (k > 0 && k < 0.07) {
            double w = hg_top_hat(k * radius), times = z > 0 ? 2 : 1;

            sums[0] += times * w * (h[i].re * m[i].re + h[i].im * m[i].im);
            sums[1] += times * (m[i].re * m[i].re + m[i].im * m[i].im);
        }
    }
    hg_comm_sum_double(comm, 2, sums);
    hg_mem_free(lattice);
    hg_mem_free(real);
    hg_mem_free(h);
    hg_mem_free(m);
    hg_rowfft_free(fft);
    return sums[0] / sums[1];
}

Test(mock, haloes_are_biased_as_the_mass_function_says)
{
    static const char *const set[] = {"Mock.box=400 Mpc", "Mock.mesh=128", "Mock.subhaloes=0",
                                      "Mock.mass_min=1e12 Msun", "Mock.fixed=true"};
    static const double edge[] = {1e12, 4e12, 2e13, 1e14, 1e16},
                        tolerance[] = {0.05, 0.05, 0.08, 0.2};
    hg_params *params = read_params(&world, 5, set);
    hg_mock_universe u = {0};

    make_universe(&world, params, 12, &u);
    for (int m = 0; m < 4; m++) {
        double want = 0, count = 0;
        double b = measure_bias(&world, &u, 12, edge[m], edge[m + 1], &want, &count);

        cr_assert(fabs(b / want - 1) < tolerance[m], "M > %g: bias %g, wanted %g, %g haloes",
                  edge[m], b, want, count);
    }
    hg_mock_universe_clear(&u);
    hg_params_free(params);
}

/* Hosts of the regions, weighted, make up the mass function of the box; unweighted they do not,
 * because dense places are over-represented. */
Test(mock, weighted_regions_make_up_the_whole_box)
{
    enum { REGIONS = 30 };
    static const char *const set[] = {"Mock.box=250 Mpc", "Mock.mesh=96", "Mock.subhaloes=0",
                                      "Mock.mass_min=3e11 Msun"};
    const double radius = 15, volume = 4 * M_PI / 3 * pow(radius, 3);
    hg_params *params = read_params(&world, 4, set);
    hg_region region[REGIONS];
    hg_mock_universe u = {0};
    hg_mock_row *row = NULL;
    double closest = 0, sum[4] = {0};
    int64_t n = 0, n_host, n_row;
    int n_bin, bad = 0;

    make_universe(&world, params, radius, &u);
    all_assert(hg_mock_zooms_choose(u.plan, u.n_point, u.delta, REGIONS, radius, 5, region,
                                    &closest) == HG_OK);
    all_assert(closest >= 2 * radius + 5);
    all_assert(hg_mock_universe_cut(&world, &u, REGIONS, region, &n, &row) == HG_OK);
    for (int64_t i = 0; i < n; i++) {
        const hg_region *g = &region[row[i].region];

        bad += row[i].region % world.size != world.rank;
        bad += hg_mock_distance2(row[i].position, g->centre, 250) >= radius * radius;
        sum[0] += g->weight / volume;
        sum[1] += g->weight * g->weight / volume / volume;
        sum[2] += 1 / volume / REGIONS;
    }
    all_assert(bad == 0);
    hg_comm_sum_double(&world, 4, sum);
    hg_mock_universe_check(&world, &u, &sum[3], &n_bin, &n_host, &n_row);
    sum[3] = (double)n_host / pow(250, 3);
    /* Poisson error, and 3 % for the spread within levels */
    cr_assert(fabs(sum[0] - sum[3]) < 2 * sqrt(sum[1]) + 0.03 * sum[3], "%g, %g +- %g", sum[0],
              sum[3], sqrt(sum[1]));
    cr_assert(sum[2] > 1.2 * sum[3], "unweighted %g, box %g", sum[2], sum[3]);
    hg_mem_free(row);
    hg_mock_universe_clear(&u);
    hg_params_free(params);
}

/* Whatever agreement fails, all ranks come back with the same status and nothing is kept. */
Test(mock, a_failure_anywhere_reaches_every_rank_and_leaks_nothing)
{
    static const char *const set[] = {"Mock.box=30 Mpc", "Mock.mesh=8"};
    static const char *const impossible[] = {
        "Mock.box=30 Mpc", "Mock.mesh=8", "Mock.zoom_radius=16 Mpc", "Output.folder=/nowhere"};
    hg_params *params = read_params(&world, 2, set);
    hg_cosmology cosmology = hg_mock_cosmology(&params->mock);
    int64_t before = hg_mem_used();
    fault_loop f = {.n = 0};

    while (fault_next(&f)) {
        hg_mock_universe u = {0};
        hg_status status =
            fault_status(&f, hg_mock_universe_make(&world, &params->mock, &cosmology, 30, 8, 9,
                                                   6, NULL, &u));

        if (status != HG_OK) {
            all_assert(u.row == NULL && u.plan == NULL && hg_mem_used() == before);
        }
        hg_mock_universe_clear(&u);
    }
    all_assert(f.n_failed > 29);
    hg_params_free(params);
    params = read_params(&world, 4, impossible);
    all_assert(hg_mock_run(&world, params, false) == HG_E_PARAM);
    all_assert(strstr(hg_error_last()->message, "Mock.zoom_radius") != NULL);
    all_assert(!hg_file_exists("/nowhere/parent.hdf5"));
    hg_params_free(params);
}

static hg_params *
pipeline_params(const hg_comm *comm, const char *folder)
{
    static char output[HG_PATH_MAX + 32];
    const char *set[] = {output,         "Mock.box=60 Mpc",         "Mock.mesh=32",
                         "Mock.zooms=3", "Mock.zoom_radius=10 Mpc", "Mock.zoom_buffer=1 Mpc",
                         "Mock.twins=1", "Mock.oracle=2",           "Mock.periodic=30 Mpc",
                         "Mock.boxes=1", "Mock.boxes_side=25 Mpc",  "Mock.particles=0.05"};

    snprintf(output, sizeof output, "Output.folder=%s", folder);
    return read_params(comm, sizeof set / sizeof set[0], set);
}

static const char *const written[] = {"parent.0.hdf5",          "truth.0.hdf5",
                                      "oracle.0.hdf5",          "periodic.0.hdf5",
                                      "particles.hdf5",         "regions.csv",
                                      "zooms/region_00.0.hdf5", "zooms/region_02_seed1.0.hdf5",
                                      "boxes/box_00.0.hdf5",    "boxes/boxes.csv"};

/* Zoom rows are the parent's, to the bit, and carry galaxies. */
static void
compare_zoom(const char *folder)
{
    static const char *const names[] = {"id", "position", "m200c", "vmax", "e_pot", "central"};
    char path[2][HG_PATH_MAX + 32];
    const char *file[2] = {path[0], path[1]};
    hg_table table[2] = {{0}};
    int64_t at = 0;

    snprintf(path[0], sizeof path[0], "%s/parent.hdf5", folder);
    snprintf(path[1], sizeof path[1], "%s/zooms/region_00.hdf5", folder);
    for (int i = 0; i < 2; i++) {
        hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
        hg_catalog *catalog = NULL;
        hg_comm self = {0};

        options.n_file = 1;
        options.files = &file[i];
        cr_assert_eq(hg_comm_init(&self, MPI_COMM_SELF), HG_OK);
        cr_assert_eq(hg_catalog_open(&self, &options, &catalog), HG_OK, "%s",
                     hg_error_last()->message);
        cr_assert_eq(hg_catalog_read(catalog, 0, 6, names, &table[i]), HG_OK, "%s",
                     hg_error_last()->message);
        hg_catalog_close(catalog);
        hg_comm_clear(&self);
    }
    cr_assert(table[1].n > 50 && table[1].n < table[0].n / 2);
    for (int64_t i = 0; i < table[1].n; i++) {
        while (hg_table_i64(&table[0], "id")[at] != hg_table_i64(&table[1], "id")[i]) {
            at++;
            cr_assert(at < table[0].n);
        }
        cr_assert_eq(memcmp(hg_table_f64(&table[0], "position") + 3 * at,
                            hg_table_f64(&table[1], "position") + 3 * i, 3 * sizeof(double)),
                     0);
        cr_assert_eq(hg_table_f32(&table[0], "vmax")[at], hg_table_f32(&table[1], "vmax")[i]);
        cr_assert_eq(hg_table_f32(&table[0], "e_pot")[at], hg_table_f32(&table[1], "e_pot")[i]);
    }
    hg_table_clear(&table[0]);
    hg_table_clear(&table[1]);
}

/* The truth opens for measuring only. */
static void
check_truth(const char *folder)
{
    char path[HG_PATH_MAX + 32];
    const char *file = path;
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    int64_t n = -1;

    options.n_file = 1;
    options.files = &file;
    snprintf(path, sizeof path, "%s/parent.hdf5", folder);
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    n = hg_catalog_n_row(catalog);
    for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
        const char *name = hg_catalog_column(catalog, i)->name;

        cr_assert(strcmp(name, "stellar_mass") != 0 && strcmp(name, "environment") != 0 &&
                      strcmp(name, "m_peak") != 0,
                  "'%s' in the parent", name);
    }
    hg_catalog_close(catalog);
    snprintf(path, sizeof path, "%s/truth.hdf5", folder);
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_INPUT);
    options.truth = true;
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_n_row(catalog) == n);
    hg_catalog_close(catalog);
}

/* A mock in the place of one with more regions and twins leaves none of theirs. */
static void
check_replaced(const char *folder)
{
    char output[HG_PATH_MAX + 32], path[HG_PATH_MAX + 64];
    const char *set[] = {output,         "Mock.box=60 Mpc",         "Mock.mesh=32",
                         "Mock.zooms=2", "Mock.zoom_radius=10 Mpc", "Mock.oracle=0",
                         "Mock.twins=0", "Mock.zoom_buffer=1 Mpc",  "Mock.periodic=0 Mpc"};
    static const char *const file[] = {"region_01.hdf5",       "region_01.0.hdf5",
                                       "region_02.hdf5",       "region_02.0.hdf5",
                                       "region_00_seed1.hdf5", "region_00_seed1.0.hdf5"};
    hg_params *params;

    snprintf(output, sizeof output, "Output.folder=%s", folder);
    params = read_params(&world, sizeof set / sizeof set[0], set);
    all_assert(hg_mock_run(&world, params, true) == HG_OK);
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        snprintf(path, sizeof path, "%s/zooms/%s", folder, file[i]);
        all_assert(hg_file_exists(path) == (i < 2));
    }
    hg_params_free(params);
}

Test(mock, files_have_the_same_bytes_for_any_number_of_ranks)
{
    char folder[2][HG_PATH_MAX] = {"/tmp/hg_mock_XXXXXX", ""}, command[HG_PATH_MAX + 16];
    hg_comm self = {0};
    hg_params *params;

    if (world.rank == 0) {
        cr_assert_not_null(mkdtemp(folder[0]));
    }
    hg_comm_broadcast(&world, 0, folder[0], sizeof folder[0]);
    snprintf(folder[1], sizeof folder[1], "%.100s/alone", folder[0]);
    params = pipeline_params(&world, folder[0]);
    all_assert(hg_mock_run(&world, params, false) == HG_OK);
    all_assert(hg_mock_run(&world, params, false) == HG_E_EXISTS);
    hg_params_free(params);
    all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
    if (world.rank == world.size - 1) {
        params = pipeline_params(&self, folder[1]);
        cr_assert_eq(hg_mock_run(&self, params, false), HG_OK);
        for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
            char path[HG_PATH_MAX + 64];
            uint64_t hash[2] = {0, 1};
            int64_t bytes[2] = {0, 1};

            for (int f = 0; f < 2; f++) {
                snprintf(path, sizeof path, "%s/%s", folder[f], written[i]);
                cr_assert_eq(hg_file_hash(path, &hash[f], &bytes[f]), HG_OK, "%s", path);
            }
            cr_assert(bytes[0] > 100 && bytes[0] == bytes[1] && hash[0] == hash[1],
                      "%s differs", path);
        }
        compare_zoom(folder[0]);
        hg_params_free(params);
    }
    hg_comm_barrier(&world);
    check_truth(folder[0]);
    check_replaced(folder[0]);
    hg_comm_clear(&self);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        snprintf(command, sizeof command, "rm -r '%.100s'", folder[0]);
        cr_assert_eq(system(command), 0);
    }
}
