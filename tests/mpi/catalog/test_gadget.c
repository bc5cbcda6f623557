/* Snapshots that the test writes as the codes do, with their traps. */
#include "mpi_folder.h"

#include <math.h>

#include "read_catalog.h"
#include "store/h5.h"

MPI_SUITE(gadget);

static const char *const names[] = {"position", "velocity", "mass", "type", "particle_id"};

static hg_status
read_snapshot(const char *path, bool partial, hg_table *table)
{
    hg_catalog_options options = one_file(&path);

    options.particles = true;
    options.partial = partial;
    return read_catalog(&options, "gadget", 5, names, table);
}

static bool
fails_with(const char *path, hg_status status, const char *word)
{
    hg_table t = {0};
    const hg_status got = read_snapshot(path, false, &t);
    const bool fits = got == status && strstr(hg_error_last()->message, word) != NULL;

    if (!fits) {
        fprintf(stderr, "%d: %s\n", (int)got, hg_error_last()->message);
    }
    hg_table_clear(&t);
    return fits;
}

/* Header of an Arepo file: a = 0.25, h = 0.5, kpc/h. */
static void
put_header(hg_h5 *file, const uint32_t here[6], const uint32_t total[6], const uint32_t high[6])
{
    const double table[6] = {0, 2};
    const struct {
        const char *name;
        double value;
    } item[] = {{"Time", 0.25},
                {"Redshift", 3},
                {"BoxSize", 1000},
                {"HubbleParam", 0.5},
                {"Omega0", 0.3},
                {"OmegaLambda", 0.7},
                {"UnitLength_in_cm", 3.085678e21},
                {"UnitMass_in_g", 1.989e43},
                {"UnitVelocity_in_cm_per_s", 1e5}};

    cr_assert_eq(hg_h5_group(file, "Header"), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_ThisFile", HG_U32, 6, here), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_Total", HG_U32, 6, total), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_Total_HighWord", HG_U32, 6, high), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "MassTable", HG_F64, 6, table), HG_OK);
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        cr_assert_eq(hg_h5_put_real(file, "Header", item[i].name, item[i].value), HG_OK);
    }
}

/* Particles of one type: positions 10 (first + i) + k, velocities 2 (first + i) + k. */
static void
put_type(hg_h5 *file, int type, int64_t n, int64_t first, bool masses)
{
    const int64_t dims[2] = {n, 3};
    double x[30], m[10];
    float v[30];
    uint64_t id[10];
    char path[64];

    for (int64_t i = 0; i < n; i++) {
        id[i] = UINT64_MAX - (uint64_t)(first + i);
        m[i] = 1 + (double)(first + i);
        for (int k = 0; k < 3; k++) {
            x[3 * i + k] = (double)(10 * (first + i) + k);
            v[3 * i + k] = (float)(2 * (first + i) + k);
        }
    }
    snprintf(path, sizeof path, "PartType%d/Coordinates", type);
    cr_assert_eq(hg_h5_write(file, path, HG_F64, 2, dims, NULL, x), HG_OK);
    snprintf(path, sizeof path, "PartType%d/Velocities", type);
    cr_assert_eq(hg_h5_write(file, path, HG_F32, 2, dims, NULL, v), HG_OK);
    snprintf(path, sizeof path, "PartType%d/ParticleIDs", type);
    cr_assert_eq(hg_h5_write(file, path, HG_U64, 1, dims, NULL, id), HG_OK);
    if (masses) {
        snprintf(path, sizeof path, "PartType%d/Masses", type);
        cr_assert_eq(hg_h5_write(file, path, HG_F64, 1, dims, NULL, m), HG_OK);
    }
}

/* Two files: gas in the first alone, dark matter in the second, tracers without places. */
static void
write_pair(void)
{
    const uint32_t here[2][6] = {{3, 0, 0, 4}, {0, 2}}, total[6] = {3, 2, 0, 4}, none[6] = {0};

    for (int f = 0; f < 2; f++) {
        hg_h5 *file = NULL;

        cr_assert_eq(hg_h5_create(in_folder(f == 0 ? "s.0.hdf5" : "s.1.hdf5"), &file), HG_OK);
        put_header(file, here[f], total, none);
        put_type(file, f, f == 0 ? 3 : 2, 5 * f, f == 0);
        if (f == 0) {
            cr_assert_eq(hg_h5_group(file, "PartType3"), HG_OK);
        }
        cr_assert_eq(hg_h5_close(file), HG_OK);
    }
}

Test(gadget, types_masses_and_units_of_several_files)
{
    hg_table t = {0};

    share_folder();
    if (world.rank == 0) {
        write_pair();
    }
    hg_comm_barrier(&world);
    all_assert(read_snapshot(in_folder("s.{file}.hdf5"), false, &t) == HG_OK);
    all_assert(t.n == 5 && fabs(t.frame.box - 2) < 1e-12);
    all_assert(fabs(t.frame.particle_mass - 4e10) < 1 && !t.frame.dark_matter_only);
    for (int64_t i = 0; i < 5; i++) {
        const int64_t j = i < 3 ? i : i + 2; /* of put_type() */
        const double mass = i < 3 ? 2e10 * (double)(1 + j) : 4e10;

        all_assert(hg_table_u8(&t, "type")[i] == (i < 3 ? 0 : 1));
        all_assert(hg_table_i64(&t, "id")[i] == i);
        all_assert(hg_table_i64(&t, "particle_id")[i] == -1 - j); /* bits of UINT64_MAX - j */
        all_assert(fabs((double)hg_table_f32(&t, "mass")[i] / mass - 1) < 1e-6);
        for (int k = 0; k < 3; k++) {
            all_assert(fabs(hg_table_f64(&t, "position")[3 * i + k] -
                            (double)(10 * j + k) * 2e-3) < 1e-12);
            all_assert((double)hg_table_f32(&t, "velocity")[3 * i + k] ==
                       0.5 * (double)(2 * j + k));
        }
    }
    hg_table_clear(&t);
    all_assert(fails_with(in_folder("s.0.hdf5"), HG_E_INPUT, "2 particles of type 1"));
    all_assert(read_snapshot(in_folder("s.0.hdf5"), true, &t) == HG_OK && t.n == 3);
    hg_table_clear(&t);
    drop_folder();
}

Test(gadget, haloes_are_not_made_of_particles)
{
    const char *path;
    hg_catalog_options options;
    hg_catalog *catalog = NULL;

    share_folder();
    if (world.rank == 0) {
        write_pair();
    }
    hg_comm_barrier(&world);
    path = in_folder("s.{file}.hdf5");
    options = one_file(&path);
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "halo finder") != NULL);
    drop_folder();
}

/* One file with dark matter: what it says there is, and what its positions are. */
static void
write_odd(const char *name, uint64_t total, bool wide, bool whole)
{
    const uint32_t here[6] = {0, 2}, low[6] = {0, (uint32_t)total},
                   high[6] = {0, (uint32_t)(total >> 32)};
    const uint64_t all[6] = {0, total};
    const int64_t dims[2] = {2, 3};
    const int32_t x[6] = {0};
    hg_h5 *file = NULL;

    cr_assert_eq(hg_h5_create(in_folder(name), &file), HG_OK);
    put_header(file, here, low, high);
    if (wide) { /* Gadget-4 */
        const uint32_t none[6] = {0};

        cr_assert_eq(hg_h5_put(file, "Header", "NumPart_Total", HG_U64, 6, all), HG_OK);
        cr_assert_eq(hg_h5_put(file, "Header", "NumPart_Total_HighWord", HG_U32, 6, none),
                     HG_OK);
    }
    if (whole) {
        cr_assert_eq(hg_h5_write(file, "PartType1/Coordinates", HG_I32, 2, dims, NULL, x),
                     HG_OK);
    } else {
        put_type(file, 1, 2, 0, false);
    }
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

Test(gadget, large_totals_and_integer_coordinates_are_seen)
{
    share_folder();
    if (world.rank == 0) {
        write_odd("high.hdf5", (1ULL << 32) + 2, false, false);
        write_odd("wide.hdf5", 10000000000, true, false);
        write_odd("whole.hdf5", 2, false, true);
    }
    hg_comm_barrier(&world);
    all_assert(fails_with(in_folder("high.hdf5"), HG_E_INPUT, "4294967298 particles"));
    all_assert(fails_with(in_folder("wide.hdf5"), HG_E_INPUT, "10000000000 particles"));
    all_assert(fails_with(in_folder("whole.hdf5"), HG_E_INPUT, "integer coordinates"));
    drop_folder();
}

static void
write_swift(const char *name, bool is_virtual)
{
    const int64_t here[7] = {0, 2};
    const double mean[7] = {0, 7};
    const double box[3] = {100, 100, 100};
    hg_h5 *file = NULL;

    cr_assert_eq(hg_h5_create(in_folder(name), &file), HG_OK);
    cr_assert_eq(hg_h5_group(file, "Header"), HG_OK);
    cr_assert_eq(hg_h5_group(file, "Units"), HG_OK);
    cr_assert_eq(hg_h5_group(file, "Cosmology"), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "NumPart_ThisFile", HG_I64, 7, here), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "TotalNumberOfParticles", HG_I64, 7, here), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "MassTable", HG_F64, 7, mean), HG_OK);
    cr_assert_eq(hg_h5_put(file, "Header", "BoxSize", HG_F64, 3, box), HG_OK);
    cr_assert_eq(hg_h5_put_real(file, "Header", "Scale-factor", 0.5), HG_OK);
    cr_assert_eq(hg_h5_put_integer(file, "Header", "Virtual", is_virtual), HG_OK);
    cr_assert_eq(hg_h5_put_real(file, "Cosmology", "h", 0.7), HG_OK);
    cr_assert_eq(hg_h5_put_real(file, "Cosmology", "Omega_m", 0.3), HG_OK);
    cr_assert_eq(
        hg_h5_put_real(file, "Units", "Unit length in cgs (U_L)", 3.0856775814913673e24),
        HG_OK);
    cr_assert_eq(hg_h5_put_real(file, "Units", "Unit mass in cgs (U_M)", 1.988409870698051e43),
                 HG_OK);
    cr_assert_eq(hg_h5_put_real(file, "Units", "Unit time in cgs (U_t)", 3.0856775814913673e19),
                 HG_OK);
    put_type(file, 1, 2, 0, true);
    cr_assert_eq(hg_h5_put_real(file, "PartType1/Velocities", "a-scale exponent", 1), HG_OK);
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

Test(gadget, swift_has_no_h_and_states_its_powers_of_a)
{
    hg_table t = {0};

    share_folder();
    if (world.rank == 0) {
        write_swift("swift.hdf5", false);
        write_swift("virtual.hdf5", true);
    }
    hg_comm_barrier(&world);
    all_assert(read_snapshot(in_folder("swift.hdf5"), false, &t) == HG_OK);
    all_assert(t.n == 2 && fabs(t.frame.box - 100) < 1e-9);
    all_assert(fabs(hg_table_f64(&t, "position")[3] - 10) < 1e-9);
    all_assert(fabs((double)hg_table_f32(&t, "velocity")[3] - 1) < 1e-6);
    all_assert(fabs((double)hg_table_f32(&t, "mass")[1] / 2e10 - 1) < 1e-6);
    hg_table_clear(&t);
    all_assert(fails_with(in_folder("virtual.hdf5"), HG_E_INPUT, "give its parts"));
    drop_folder();
}

/* A binary file as a code writes it. */
typedef struct binary {
    FILE *file;
    bool swap, named;
} binary;

static void
put_raw(const binary *b, size_t size, size_t n, const void *data)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char number[8];

        for (size_t k = 0; k < size; k++) {
            number[b->swap ? size - 1 - k : k] = ((const unsigned char *)data)[i * size + k];
        }
        fwrite(number, 1, size, b->file);
    }
}

static void
put_marker(const binary *b, uint32_t bytes)
{
    put_raw(b, 4, 1, &bytes);
}

static void
put_block(const binary *b, const char *name, size_t size, size_t n, const void *data)
{
    const uint32_t bytes = (uint32_t)(size * n);

    if (b->named) {
        put_marker(b, 8);
        fwrite(name, 1, 4, b->file);
        put_marker(b, bytes + 8);
        put_marker(b, 8);
    }
    put_marker(b, bytes);
    put_raw(b, size, n, data);
    put_marker(b, bytes);
}

/* Two gas particles with masses, two of dark matter with one mass, one star; box 20 kpc/h. */
static void
write_binary(const char *name, bool swap, bool named, bool wide)
{
    const int32_t here[6] = {2, 2, 0, 0, 1}, one = 1, zero = 0;
    const uint32_t garbage[6] = {0, 0, 228};
    const double table[8] = {0, 3, 0, 0, 0, 0, 0.25, 3}, end[4] = {20, 0.3, 0.7, 0.5};
    float x[15], m[3] = {1, 2, 5};
    double xd[15];
    uint32_t id[5];
    uint64_t id_wide[5];
    binary b = {fopen(in_folder(name), "wb"), swap, named};

    for (int i = 0; i < 15; i++) {
        x[i] = (float)i;
        xd[i] = i;
        id[i / 3] = 100 + (uint32_t)i / 3;
        id_wide[i / 3] = (UINT64_C(1) << 60) + 1 + (uint64_t)i / 3;
    }
    if (named) {
        put_marker(&b, 8);
        fwrite("HEAD", 1, 4, b.file);
        put_marker(&b, 264);
        put_marker(&b, 8);
    }
    put_marker(&b, 256);
    put_raw(&b, 4, 6, here);
    put_raw(&b, 8, 8, table);
    put_raw(&b, 4, 1, &zero);
    put_raw(&b, 4, 1, &zero);
    put_raw(&b, 4, 6, here);
    put_raw(&b, 4, 1, &zero);
    put_raw(&b, 4, 1, &one);
    put_raw(&b, 8, 4, end);
    put_raw(&b, 4, 1, &zero);
    put_raw(&b, 4, 1, &zero);
    put_raw(&b, 4, 6, garbage);
    for (int i = 0; i < 16; i++) {
        put_raw(&b, 4, 1, &zero);
    }
    put_marker(&b, 256);
    put_block(&b, "POS ", wide ? 8 : 4, 15, wide ? (const void *)xd : x);
    put_block(&b, "VEL ", 4, 15, x);
    put_block(&b, "ID  ", wide ? 8 : 4, 5, wide ? (const void *)id_wide : id);
    if (named) {
        put_block(&b, "U   ", 4, 2, x);
    }
    put_block(&b, "MASS", 4, 3, m);
    fclose(b.file);
}

Test(gadget, binary_files_of_both_formats_and_byte_orders)
{
    static const double mass[5] = {2e10, 4e10, 6e10, 6e10, 1e11};
    static const uint8_t type[5] = {0, 0, 1, 1, 4};

    share_folder();
    for (int kind = 0; kind < 8; kind++) {
        const bool wide = kind & 4;
        char name[16];
        hg_table t = {0};

        snprintf(name, sizeof name, "b%d", kind);
        if (world.rank == 0) {
            write_binary(name, kind & 1, kind & 2, wide);
        }
        hg_comm_barrier(&world);
        all_assert(read_snapshot(in_folder(name), false, &t) == HG_OK);
        all_assert(t.n == 5 && fabs(t.frame.box - 0.04) < 1e-12);
        for (int i = 0; i < 5; i++) {
            all_assert(hg_table_u8(&t, "type")[i] == type[i]);
            all_assert(fabs((double)hg_table_f32(&t, "mass")[i] / mass[i] - 1) < 1e-6);
            all_assert(hg_table_i64(&t, "particle_id")[i] ==
                       (wide ? (INT64_C(1) << 60) + 1 : 100) + i);
            for (int k = 0; k < 3; k++) {
                all_assert(fabs(hg_table_f64(&t, "position")[3 * i + k] - 2e-3 * (3 * i + k)) <
                           1e-12);
                all_assert(hg_table_f32(&t, "velocity")[3 * i + k] ==
                           0.5F * (float)(3 * i + k));
            }
        }
        hg_table_clear(&t);
    }
    if (world.rank == 0) {
        cr_expect_eq(truncate(in_folder("b0"), 390), 0);
        cr_expect_eq(truncate(in_folder("b3"), 524), 0);
    }
    hg_comm_barrier(&world);
    all_assert(fails_with(in_folder("b0"), HG_E_FORMAT, "cut or damaged: block VEL"));
    all_assert(fails_with(in_folder("b3"), HG_E_FORMAT, "ends before its block MASS"));
    drop_folder();
}
