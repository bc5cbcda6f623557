#include "mpi_test.h"

#include "base/text.h"
#include "catalog/inspect.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "read_catalog.h"
#include "store/h5.h"

MPI_SUITE(soap);

/* Fourteen subhaloes at z = 1 as SOAP writes them: attributes are arrays of length one, there
 * is no h, a satellite may stand before its host, spherical overdensities are 0 for satellites,
 * and masked values are 0 too. */
enum { N = 14 };
static const int64_t host[N] = {-1, 0, 0, -1, 5, -1, 3, 12, -1, 8, -1, -1, -1, 0};
static const double a = 0.5, msun = 1.98841e33, mpc = 3.08567758e24;

typedef struct kind {
    bool old;     /* early FLAMINGO: no "Value stored as physical" */
    bool dark;    /* a run without baryons: the counts of a mask do not exist */
    int first, n; /* rows in the file */
    int n_file;
} kind;

static const kind whole = {.n = N, .n_file = 1};

/* Row r has 30 r dark matter particles and 20 r stars. */
static hg_status
describe(hg_h5 *file, const kind *k, const char *path, const double exponent[3], double aexp,
         bool physical, const char *const mask[], int threshold)
{
    static const char *const names[] = {"U_M exponent", "U_L exponent", "U_t exponent"};
    const uint8_t is_physical = physical, is_masked = mask != NULL;
    int n = 0;

    for (int i = 0; i < 3; i++) {
        HG_TRY(hg_h5_put_real(file, path, names[i], exponent[i]));
    }
    HG_TRY(hg_h5_put_real(file, path, "U_I exponent", 0));
    HG_TRY(hg_h5_put_real(file, path, "U_T exponent", 0));
    HG_TRY(hg_h5_put_real(file, path, "h-scale exponent", 0));
    HG_TRY(hg_h5_put_real(file, path, "a-scale exponent", aexp));
    if (!k->old) {
        HG_TRY(hg_h5_put(file, path, "Value stored as physical", HG_U8, 1, &is_physical));
    }
    HG_TRY(hg_h5_put(file, path, "Masked", HG_U8, 1, &is_masked));
    if (mask != NULL) {
        while (mask[n] != NULL) {
            n++;
        }
        HG_TRY(hg_h5_put_strings(file, path, "Mask Datasets", n, mask));
        HG_TRY(hg_h5_put_integer(file, path, "Mask Threshold", threshold));
    }
    return HG_OK;
}

static hg_status
put(hg_h5 *file, const kind *k, const char *path, int width, const double x[], int m, int l,
    int t, double aexp, bool physical)
{
    const int64_t dims[2] = {k->n, width};

    HG_TRY(hg_h5_write(file, path, HG_F64, width > 1 ? 2 : 1, dims, NULL,
                       x + (ptrdiff_t)width * k->first));
    return describe(file, k, path, (const double[]){m, l, t}, aexp, physical, NULL, 0);
}

static hg_status
put_integers(hg_h5 *file, const kind *k, const char *path, const int64_t x[])
{
    const int64_t dims[1] = {k->n};

    HG_TRY(hg_h5_write(file, path, HG_I64, 1, dims, NULL, x + k->first));
    return describe(file, k, path, (const double[]){0, 0, 0}, 0, true, NULL, 0);
}

static hg_status
put_header(hg_h5 *file, const kind *k, int64_t rows)
{
    const double box[3] = {100, 100, 100};
    const int32_t count = (int32_t)rows, n_file = k->n_file;

    HG_TRY(hg_h5_group(file, "Header"));
    HG_TRY(hg_h5_group(file, "Units"));
    HG_TRY(hg_h5_group(file, "Cosmology"));
    HG_TRY(hg_h5_put(file, "Header", "BoxSize", HG_F64, 3, box));
    HG_TRY(hg_h5_put_real(file, "Header", "Redshift", 1));
    HG_TRY(hg_h5_put_real(file, "Header", "Scale-factor", a));
    HG_TRY(hg_h5_put(file, "Header", "NumSubhalos_ThisFile", HG_I32, 1, &count));
    HG_TRY(hg_h5_put(file, "Header", "NumSubhalos_Total", HG_I32, 1, &count));
    HG_TRY(hg_h5_put(file, "Header", "NumFilesPerSnapshot", HG_I32, 1, &n_file));
    HG_TRY(hg_h5_put_string(file, "Header", "OutputType", "SOAP"));
    HG_TRY(hg_h5_put_string(file, "Header", "Code", "SOAP"));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit mass in cgs (U_M)", 1e10 * msun));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit length in cgs (U_L)", mpc));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit time in cgs (U_t)", mpc / 1e5));
    HG_TRY(hg_h5_put_real(file, "Cosmology", "h", 0.681));
    HG_TRY(hg_h5_put_real(file, "Cosmology", "Omega_m", 0.306));
    HG_TRY(hg_h5_put_real(file, "Cosmology", "Omega_lambda", 0.694));
    return hg_h5_put_real(file, "Cosmology", "Omega_b", 0.0486);
}

/* M200c of a central in 1e10 Msun, and the comoving radius in Mpc that belongs to it. */
static void
overdensity(int row, double *mass, double *radius)
{
    const double pi = 3.14159265358979323846;
    const double rho = 27.7536627 * 0.681 * 0.681 * (0.306 * 8 + 0.694);

    *mass = 100.0 * (row + 1);
    *radius = cbrt(*mass / (200 * rho * 4 * pi / 3)) / a;
}

static hg_status
put_halo_properties(hg_h5 *file, const kind *k)
{
    static const char *const both[] = {"BoundSubhalo/NumberOfDarkMatterParticles",
                                       "BoundSubhalo/NumberOfStarParticles", NULL};
    static const char rvmax[] = "BoundSubhalo/MaximumCircularVelocityRadiusUnsoftened";
    double x[3 * N], v[3 * N], m[N], mass[N], radius[N], star[N], r[N], spin[3 * N], sfr[N];
    const int64_t dims[1] = {k->n};

    for (int i = 0; i < N; i++) {
        overdensity(i, &mass[i], &radius[i]);
        mass[i] = host[i] >= 0 ? 0 : mass[i];
        radius[i] = host[i] >= 0 ? 0 : radius[i];
        m[i] = i + 1;
        r[i] = 0.01 * (i + 1);
        star[i] = 50 * i < 100 ? 0 : 3 + i;
        sfr[i] = 1;
        for (int j = 0; j < 3; j++) {
            x[3 * i + j] = 7 * i + j;
            v[3 * i + j] = 100 + i;
            spin[3 * i + j] = 2;
        }
    }
    HG_TRY(put(file, k, "InputHalos/HaloCentre", 3, x, 0, 1, 0, 1, false));
    HG_TRY(put(file, k, "BoundSubhalo/CentreOfMassVelocity", 3, v, 0, 1, -1, 0, false));
    HG_TRY(put(file, k, "BoundSubhalo/TotalMass", 1, m, 1, 0, 0, 0, true));
    HG_TRY(put(file, k, rvmax, 1, r, 0, 1, 0, 1, true)); /* stored proper */
    HG_TRY(put(file, k, "BoundSubhalo/AngularMomentumDarkMatter", 3, spin, 0, 2, -1, 0, true));
    HG_TRY(put(file, k, "BoundSubhalo/TotalThermalStuff", 1, m, 1, 3, -2, 0, true));
    HG_TRY(put(file, k, "SO/200_crit/TotalMass", 1, mass, 1, 0, 0, 0, true));
    HG_TRY(put(file, k, "SO/200_crit/SORadius", 1, radius, 0, 1, 0, 1, false));
    HG_TRY(hg_h5_write(file, "ExclusiveSphere/30kpc/StellarMass", HG_F64, 1, dims, NULL,
                       star + k->first));
    HG_TRY(describe(file, k, "ExclusiveSphere/30kpc/StellarMass", (const double[]){1, 0, 0}, 0,
                    true, both, k->dark ? 61 : 100));
    if (!k->dark) {
        HG_TRY(put(file, k, "BoundSubhalo/StellarMass", 1, star, 1, 0, 0, 0, true));
        HG_TRY(put(file, k, "BoundSubhalo/StarFormationRate", 1, sfr, 1, 0, -1, 0, true));
    }
    return HG_OK;
}

static hg_status
put_rows(hg_h5 *file, const kind *k)
{
    int64_t track[N], index[N], central[N], n[N], fof[N], dark[N], star[N];

    for (int i = 0; i < N; i++) {
        track[i] = 1000 - 7 * i;
        index[i] = 40 + i; /* row of the finder's catalogue, not of this one */
        central[i] = host[i] < 0;
        n[i] = 50 * i;
        fof[i] = i;
        dark[i] = 30 * i;
        star[i] = 20 * i;
    }
    HG_TRY(put_integers(file, k, "InputHalos/HBTplus/TrackId", track));
    HG_TRY(put_integers(file, k, "InputHalos/HBTplus/HostFOFId", fof));
    HG_TRY(put_integers(file, k, "InputHalos/HaloCatalogueIndex", index));
    HG_TRY(put_integers(file, k, "InputHalos/IsCentral", central));
    HG_TRY(put_integers(file, k, "InputHalos/NumberOfBoundParticles", n));
    HG_TRY(put_integers(file, k, "SOAP/HostHaloIndex", host));
    HG_TRY(put_integers(file, k, "BoundSubhalo/NumberOfDarkMatterParticles", dark));
    if (!k->dark) {
        HG_TRY(put_integers(file, k, "BoundSubhalo/NumberOfStarParticles", star));
    }
    return put_halo_properties(file, k);
}

static void
put_file(const char *name, const kind *k, int64_t total)
{
    hg_h5 *file = NULL;

    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_expect_eq(hg_h5_create(in_folder(name), &file), HG_OK);
        cr_expect_eq(put_header(file, k, total), HG_OK, "%s", hg_error_last()->message);
        cr_expect_eq(put_rows(file, k), HG_OK, "%s", hg_error_last()->message);
        cr_expect_eq(hg_h5_close(file), HG_OK);
    }
    hg_comm_barrier(&world);
}

static hg_status
read_file(const char *name, int64_t per_part, int n, const char *const names[], hg_table *table)
{
    const char *path = in_folder(name);
    hg_catalog_options options = one_file(&path);

    options.rows_per_part = per_part;
    return read_catalog(&options, "soap", n, names, table);
}

static bool
says(const char *text)
{
    bool found = strstr(hg_error_last()->message, text) != NULL;

    cr_expect(found, "'%s' is not in '%s'", text, hg_error_last()->message);
    return found;
}

static void
expect_near(const hg_table *t, const char *name, int row, double value)
{
    const hg_column *c = hg_table_find(t, name);

    all_assert(c != NULL);
    cr_expect_float_eq(hg_column_value(c, row, 0), value, 1e-6 * fabs(value),
                       "%s of row %d is %.9g, not %.9g", name, row, hg_column_value(c, row, 0),
                       value);
}

static const char *const wanted[] = {"position",
                                     "velocity",
                                     "central",
                                     "group",
                                     "n_part",
                                     "m_bound",
                                     "r_vmax",
                                     "m200c",
                                     "r200c",
                                     "host_id",
                                     "host_row",
                                     "row",
                                     "BoundSubhalo_AngularMomentumDarkMatter",
                                     "BoundSubhalo_TotalThermalStuff",
                                     "InputHalos_HaloCatalogueIndex",
                                     "stellar_mass",
                                     "sfr"};
enum { N_WANTED = sizeof wanted / sizeof wanted[0], N_DARK = N_WANTED - 2 };

static void
expect_rows(const hg_table *t, bool old)
{
    for (int i = 0; i < N; i++) {
        double mass, radius;

        overdensity(host[i] >= 0 ? (int)host[i] : i, &mass, &radius);
        cr_expect_eq(hg_table_i64(t, "id")[i], 1000 - 7 * i);
        cr_expect_eq(hg_table_i64(t, "row")[i], i);
        cr_expect_eq(hg_table_i64(t, "InputHalos_HaloCatalogueIndex")[i], 40 + i);
        cr_expect_eq(hg_table_u8(t, "central")[i], host[i] < 0);
        cr_expect_eq(hg_table_i64(t, "host_row")[i], host[i]);
        cr_expect_eq(hg_table_i64(t, "host_id")[i], host[i] < 0 ? -1 : 1000 - 7 * host[i]);
        cr_expect_eq(hg_table_i64(t, "n_part")[i], 50 * i);
        expect_near(t, "position", i, 7 * i);
        expect_near(t, "velocity", i, 100 + i);
        expect_near(t, "m_bound", i, 1e10 * (i + 1));
        expect_near(t, "r_vmax", i, 0.01 * (i + 1) / (old ? 1 : a));
        expect_near(t, "BoundSubhalo_AngularMomentumDarkMatter", i, 2);
        expect_near(t, "BoundSubhalo_TotalThermalStuff", i, i + 1); /* as stored */
        expect_near(t, "m200c", i, mass * 1e10); /* of the host for satellites */
        expect_near(t, "r200c", i, radius);
    }
}

Test(soap, units_hosts_and_masks_are_understood)
{
    const kind old = {.n = N, .n_file = 1, .old = true};
    const char *masked = "ExclusiveSphere_30kpc_StellarMass";
    hg_table t = {0};

    share_folder();
    for (int64_t per = 0; per <= 8; per += 4) {
        put_file("halo_properties_0077.hdf5", &whole, N);
        all_assert(read_file("halo_properties_0077.hdf5", per, N_WANTED, wanted, &t) == HG_OK);
        all_assert(t.n == N && !t.frame.dark_matter_only);
        cr_expect_float_eq(t.frame.box, 100, 1e-12);
        cr_expect(t.frame.h == 0.681 && t.frame.scale_factor == a && t.frame.omega_m == 0.306);
        expect_rows(&t, false);
        expect_near(&t, "stellar_mass", 9, 12e10);
        expect_near(&t, "sfr", 9, 1e10 / (mpc / 1e5 / 3.15576e7));
        hg_table_clear(&t);
    }
    all_assert(read_file("halo_properties_0077.hdf5", 5, 1, &masked, &t) == HG_OK);
    for (int i = 0; i < N; i++) { /* computed from 100 particles on, so from row 2 */
        const double value = hg_table_f64(&t, masked)[i];

        cr_expect(i < 2 ? isnan(value) : fabs(value - 1e10 * (3 + i)) < 1e4, "%d: %g", i,
                  value);
    }
    hg_table_clear(&t);
    put_file("old.hdf5", &old, N);
    all_assert(read_file("old.hdf5", 0, N_WANTED, wanted, &t) == HG_OK);
    expect_rows(&t, true);
    hg_table_clear(&t);
    drop_folder();
}

Test(soap, runs_of_dark_matter_lack_the_counts_of_stars)
{
    const kind dark = {.n = N, .n_file = 1, .dark = true};
    const char *masked = "ExclusiveSphere_30kpc_StellarMass";
    hg_text report = {0};
    hg_table t = {0};

    share_folder();
    put_file("dark.hdf5", &dark, N);
    all_assert(read_file("dark.hdf5", 0, N_DARK, wanted, &t) == HG_OK);
    all_assert(t.frame.dark_matter_only);
    expect_rows(&t, false);
    hg_table_clear(&t);
    all_assert(read_file("dark.hdf5", 0, 1, &masked, &t) == HG_OK);
    cr_expect(isnan(hg_table_f64(&t, masked)[2]) && !isnan(hg_table_f64(&t, masked)[3]));
    hg_table_clear(&t);
    all_assert(hg_catalog_inspect(in_folder("dark.hdf5"), NULL, -1, &report) == HG_OK);
    cr_expect_not_null(strstr(hg_text_string(&report), "format: soap, because Header"));
    cr_expect_not_null(strstr(hg_text_string(&report), "as it should be"), "%s",
                       hg_text_string(&report));
    hg_text_clear(&report);
    drop_folder();
}

/* A virtual file over two parts. */
static hg_status
put_master(hg_h5 *file)
{
    const struct {
        const char *path;
        hg_type type;
        int width;
    } item[] = {{"InputHalos/HaloCentre", HG_F64, 3},
                {"InputHalos/HBTplus/TrackId", HG_I64, 1},
                {"BoundSubhalo/TotalMass", HG_F64, 1}};
    const char *parts[] = {"soap.0.hdf5", "soap.1.hdf5"};
    const int64_t rows[] = {5, N - 5};
    const uint8_t is_virtual = 1;
    const kind two = {.n = N, .n_file = 2};

    HG_TRY(put_header(file, &two, N));
    HG_TRY(hg_h5_put(file, "Header", "Virtual", HG_U8, 1, &is_virtual));
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        HG_TRY(
            hg_h5_virtual(file, item[i].path, item[i].type, item[i].width, 2, parts, rows, 0));
    }
    HG_TRY(describe(file, &two, item[0].path, (const double[]){0, 1, 0}, 1, false, NULL, 0));
    HG_TRY(describe(file, &two, item[1].path, (const double[]){0, 0, 0}, 0, true, NULL, 0));
    return describe(file, &two, item[2].path, (const double[]){1, 0, 0}, 0, true, NULL, 0);
}

Test(soap, parts_and_incomplete_files_are_refused)
{
    const kind part[2] = {{.n = 5, .n_file = 2}, {.first = 5, .n = N - 5, .n_file = 2}};
    const char *names[] = {"m_bound", "position"};
    hg_h5 *file = NULL;
    hg_table t = {0};

    share_folder();
    put_file("soap.0.hdf5", &part[0], N);
    put_file("soap.1.hdf5", &part[1], N);
    if (world.rank == 0) {
        cr_expect_eq(hg_h5_create(in_folder("soap.hdf5"), &file), HG_OK);
        cr_expect_eq(put_master(file), HG_OK, "%s", hg_error_last()->message);
        cr_expect_eq(hg_h5_close(file), HG_OK);
    }
    hg_comm_barrier(&world);
    all_assert(read_file("soap.1.hdf5", 0, 2, names, &t) == HG_E_INPUT);
    cr_expect(says("one of 2 parts") && says("soap.hdf5"));
    all_assert(read_file("soap.hdf5", 4, 2, names, &t) == HG_OK);
    all_assert(t.n == N);
    expect_near(&t, "m_bound", 9, 10e10);
    expect_near(&t, "position", 9, 63);
    hg_table_clear(&t);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_expect_eq(remove(in_folder("soap.1.hdf5")), 0);
    }
    hg_comm_barrier(&world);
    all_assert(read_file("soap.hdf5", 4, 2, names, &t) == HG_E_NOTFOUND);
    cr_expect(says("soap.1.hdf5") && says("missing"));
    put_file("short.hdf5", &whole, N + 1);
    all_assert(read_file("short.hdf5", 0, 2, names, &t) == HG_E_INPUT);
    cr_expect(says("14 rows") && says("promises 15"));
    /* 2^32 + 14 rows would look like this in the header: the low bits must agree */
    put_file("large.hdf5", &whole, (int64_t)(1ULL << 32) + N);
    all_assert(read_file("large.hdf5", 0, 2, names, &t) == HG_OK);
    hg_table_clear(&t);
    drop_folder();
}
