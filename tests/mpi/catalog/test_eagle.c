#include "mpi_test.h"

#include "base/text.h"
#include "catalog/inspect.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "read_catalog.h"
#include "store/h5.h"

MPI_SUITE(eagle);

/* Five groups with eleven subhaloes in twelve files, as public EAGLE files are: most hold
 * nothing and lack the tables then, group numbers count from 1, groups and their subhaloes
 * stand in different files, and part 10 comes after part 9. Redshift 1, h = 0.7. */
enum { N_GROUP = 5, N_SUB = 11, N_FILE = 12 };
static const int nsubs[N_GROUP] = {4, 0, 3, 1, 3};
static const int group_end[N_FILE] = {0, 2, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5};
static const int sub_end[N_FILE] = {0, 2, 5, 5, 5, 5, 5, 5, 5, 7, 9, 11};
static const double a = 0.5, h = 0.7, mpc = 3.085678e24, mass_unit = 1.989e43, speed = 1e5;

typedef struct kind {
    bool dark;       /* a run without baryons */
    int lacks;       /* file without Vmax, -1 = none */
    int wrong_total; /* file with another total, -1 = none */
} kind;

/* A dataset with the three attributes that every one of them carries. */
static hg_status
put(hg_h5 *file, const char *path, int n, int width, const double x[], double cgs, double aexp,
    double hexp)
{
    const int64_t dims[2] = {n, width};

    HG_TRY(hg_h5_write(file, path, HG_F64, width > 1 ? 2 : 1, dims, NULL, x));
    HG_TRY(hg_h5_put_real(file, path, "CGSConversionFactor", cgs));
    HG_TRY(hg_h5_put_real(file, path, "aexp-scale-exponent", aexp));
    HG_TRY(hg_h5_put_real(file, path, "h-scale-exponent", hexp));
    return hg_h5_put_string(file, path, "VarDescription", "what it is");
}

static hg_status
put_integers(hg_h5 *file, const char *path, int n, const int32_t x[])
{
    const int64_t dims[1] = {n};

    HG_TRY(hg_h5_write(file, path, HG_I32, 1, dims, NULL, x));
    HG_TRY(hg_h5_put_real(file, path, "CGSConversionFactor", 1));
    HG_TRY(hg_h5_put_real(file, path, "aexp-scale-exponent", 0));
    return hg_h5_put_real(file, path, "h-scale-exponent", 0);
}

static int
group_of(int sub, int *rank)
{
    int g = 0;

    for (*rank = sub; *rank >= nsubs[g]; g++) {
        *rank -= nsubs[g];
    }
    return g;
}

static int
first_of(int group)
{
    int first = 0;

    for (int g = 0; g < group; g++) {
        first += nsubs[g];
    }
    return first;
}

static hg_status
put_header(hg_h5 *file, const kind *k, int number, int n_group, int n_sub)
{
    const struct {
        const char *name;
        double value;
    } real[] = {{"ExpansionFactor", a}, {"Redshift", 1},       {"HubbleParam", h},
                {"BoxSize", 70},        {"Omega0", 0.307},     {"OmegaLambda", 0.693},
                {"OmegaBaryon", 0.048}, {"Time", 0.0123456789}};
    const struct {
        const char *name;
        int32_t value;
    } whole[] = {{"Ngroups", n_group},
                 {"Nsubgroups", n_sub},
                 {"TotNgroups", N_GROUP},
                 {"TotNsubgroups", N_SUB + (number == k->wrong_total)},
                 {"NumFilesPerSnapshot", N_FILE}};

    HG_TRY(hg_h5_group(file, "Header"));
    HG_TRY(hg_h5_group(file, "Units"));
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        HG_TRY(hg_h5_put_real(file, "Header", real[i].name, real[i].value));
    }
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        HG_TRY(hg_h5_put(file, "Header", whole[i].name, HG_I32, 1, &whole[i].value));
    }
    HG_TRY(hg_h5_put_real(file, "Units", "UnitLength_in_cm", mpc));
    HG_TRY(hg_h5_put_real(file, "Units", "UnitMass_in_g", mass_unit));
    return hg_h5_put_real(file, "Units", "UnitVelocity_in_cm_per_s", speed);
}

/* M200c of group g in 1e10 Msun/h, and the comoving radius in Mpc/h that belongs to it. */
static void
halo(int g, double *mass, double *radius)
{
    const double pi = 3.14159265358979323846, rho = 27.7536627 * (0.307 * 8 + 0.693);

    *mass = 100.0 * (g + 1);
    *radius = cbrt(*mass / (200 * rho * 4 * pi / 3)) / a;
}

static hg_status
put_groups(hg_h5 *file, int first, int n)
{
    double mass[N_GROUP], radius[N_GROUP], contam[N_GROUP], fof[N_GROUP];
    int32_t lord[N_GROUP], count[N_GROUP];

    for (int i = 0; i < n; i++) {
        int g = first + i;

        halo(g, &mass[i], &radius[i]);
        fof[i] = 2 * mass[i];
        contam[i] = g == 2 ? 0.1 * fof[i] : 0;
        lord[i] = nsubs[g] > 0 ? first_of(g) : N_SUB;
        count[i] = nsubs[g];
    }
    HG_TRY(put(file, "FOF/Group_M_Crit200", n, 1, mass, mass_unit, 0, -1));
    HG_TRY(put(file, "FOF/Group_R_Crit200", n, 1, radius, mpc, 1, -1));
    HG_TRY(put(file, "FOF/GroupMass", n, 1, fof, mass_unit, 0, -1));
    HG_TRY(put(file, "FOF/ContaminationMass", n, 1, contam, mass_unit, 0, -1));
    HG_TRY(put_integers(file, "FOF/FirstSubhaloID", n, lord));
    return put_integers(file, "FOF/NumOfSubhalos", n, count);
}

static hg_status
put_subhaloes(hg_h5 *file, const kind *k, int number, int first, int n)
{
    double x[3 * N_SUB], v[3 * N_SUB], m[N_SUB], type[6 * N_SUB], r[N_SUB], one[N_SUB];
    double kinetic[N_SUB], total[N_SUB];
    int32_t group[N_SUB], rank[N_SUB], len[N_SUB];

    for (int i = 0; i < n; i++) {
        int s = first + i;

        group[i] = 1 + group_of(s, &rank[i]);
        len[i] = 20 + s;
        m[i] = s + 1;
        r[i] = 0.01 * (s + 1);
        one[i] = 0.5;
        kinetic[i] = 3;
        total[i] = -4;
        for (int j = 0; j < 3; j++) {
            x[3 * i + j] = 7.0 * j + 0.7 * s;
            v[3 * i + j] = 100 + s;
        }
        for (int j = 0; j < 6; j++) {
            type[6 * i + j] = 0.7 * (j + 1);
        }
    }
    HG_TRY(put(file, "Subhalo/CentreOfPotential", n, 3, x, mpc, 1, -1));
    HG_TRY(put(file, "Subhalo/Velocity", n, 3, v, speed, 0, 0));
    HG_TRY(put(file, "Subhalo/Mass", n, 1, m, mass_unit, 0, -1));
    HG_TRY(put(file, "Subhalo/MassType", n, 6, type, mass_unit, 0, -1));
    HG_TRY(put(file, "Subhalo/HalfMassRad", n, 6, type, mpc, 1, -1));
    /* proper and without h here: the attributes say so, and they decide */
    HG_TRY(put(file, "Subhalo/VmaxRadius", n, 1, r, mpc, 0, 0));
    HG_TRY(put(file, "Subhalo/KineticEnergy", n, 1, kinetic, mass_unit * 1e10, 0, -1));
    HG_TRY(put(file, "Subhalo/TotalEnergy", n, 1, total, mass_unit * 1e10, 0, -1));
    HG_TRY(put(file, "Subhalo/ApertureMeasurements/Mass/030kpc", n, 6, type, mass_unit, 0, -1));
    HG_TRY(put(file, "Subhalo/SmootheElementAbuncdance", n, 1, one, 1, 0, 0));
    if (!k->dark) {
        /* Msun/yr, whatever the units of the file */
        HG_TRY(put(file, "Subhalo/StarFormationRate", n, 1, one, 6.30278e25, 0, 0));
    }
    if (number != k->lacks) {
        HG_TRY(put(file, "Subhalo/Vmax", n, 1, r, speed, 0, 0));
    }
    HG_TRY(put_integers(file, "Subhalo/SubLength", n, len));
    HG_TRY(put_integers(file, "Subhalo/SubGroupNumber", n, rank));
    return put_integers(file, "Subhalo/GroupNumber", n, group);
}

static hg_status
put_file(const kind *k, int number)
{
    const int g0 = number > 0 ? group_end[number - 1] : 0, g1 = group_end[number];
    const int s0 = number > 0 ? sub_end[number - 1] : 0, s1 = sub_end[number];
    char path[512];
    hg_h5 *file = NULL;
    hg_status status, closed;

    snprintf(path, sizeof path, "%s/eagle_subfind_tab_019_z001p004.%d.hdf5", test_folder,
             number);
    HG_TRY(hg_h5_create(path, &file));
    HG_TRY_OR(done, status, put_header(file, k, number, g1 - g0, s1 - s0));
    if (g1 > g0) {
        HG_TRY_OR(done, status, put_groups(file, g0, g1 - g0));
    }
    if (s1 > s0) {
        status = put_subhaloes(file, k, number, s0, s1 - s0);
    }
done:
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

static void
put_set(const kind *k)
{
    hg_comm_barrier(&world);
    for (int i = 0; i < N_FILE && world.rank == 0; i++) {
        cr_expect_eq(put_file(k, i), HG_OK, "%s", hg_error_last()->message);
    }
    hg_comm_barrier(&world);
}

static const kind hydro = {.lacks = -1, .wrong_total = -1};

static const char *
pattern(void)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/eagle_subfind_tab_019_z001p004.{file}.hdf5", test_folder);
    return path;
}

static hg_status
read_set(int64_t per_part, int n, const char *const names[], hg_table *table)
{
    const char *file = pattern();
    hg_catalog_options options = one_file(&file);

    options.rows_per_part = per_part;
    return read_catalog(&options, "eagle", n, names, table);
}

static bool
says(const char *text)
{
    bool found = strstr(hg_error_last()->message, text) != NULL;

    cr_expect(found, "'%s' is not in '%s'", text, hg_error_last()->message);
    return found;
}

static const char *const wanted[] = {"position",
                                     "velocity",
                                     "m_bound",
                                     "stellar_mass",
                                     "sfr",
                                     "r_vmax",
                                     "e_kin",
                                     "e_pot",
                                     "central",
                                     "host_id",
                                     "group",
                                     "n_part",
                                     "m200c",
                                     "r200c",
                                     "f_contam",
                                     "r_star",
                                     "ApertureMeasurements_Mass_030kpc[4]",
                                     "SmootheElementAbuncdance",
                                     "FOF_GroupMass"};
enum { N_WANTED = sizeof wanted / sizeof wanted[0] };

static void
expect_near(const hg_table *t, const char *name, int64_t row, double value)
{
    const hg_column *c = hg_table_find(t, name);

    all_assert(c != NULL);
    cr_expect_float_eq(hg_column_value(c, row, 0), value, 1e-6 * fabs(value),
                       "%s of row %d is %.9g, not %.9g", name, (int)row,
                       hg_column_value(c, row, 0), value);
}

static void
expect_rows(const hg_table *t)
{
    for (int s = 0; s < N_SUB; s++) {
        double mass, radius;
        int rank, g = group_of(s, &rank);

        halo(g, &mass, &radius);
        cr_expect_eq(hg_table_i64(t, "id")[s], s);
        cr_expect_eq(hg_table_i64(t, "group")[s], g + 1);
        cr_expect_eq(hg_table_i64(t, "n_part")[s], 20 + s);
        cr_expect_eq(hg_table_u8(t, "central")[s], rank == 0);
        cr_expect_eq(hg_table_i64(t, "host_id")[s], rank == 0 ? -1 : first_of(g));
        cr_expect_float_eq(hg_table_f64(t, "position")[3 * s + 1], (7 + 0.7 * s) / h, 1e-4);
        cr_expect_float_eq((double)hg_table_f32(t, "velocity")[3 * s], 100 + s, 1e-4);
        expect_near(t, "m_bound", s, 1e10 * (s + 1) / h);
        expect_near(t, "stellar_mass", s, 3.5e10 / h);
        expect_near(t, "ApertureMeasurements_Mass_030kpc[4]", s, 3.5e10 / h);
        expect_near(t, "sfr", s, 0.5);
        expect_near(t, "r_vmax", s, 0.01 * (s + 1) / a); /* stored proper, wanted comoving */
        expect_near(t, "r_star", s, 3.5 / h);
        expect_near(t, "e_kin", s, 3e10 / h);
        expect_near(t, "e_pot", s, -7e10 / h);
        expect_near(t, "m200c", s, mass * 1e10 / h);
        expect_near(t, "r200c", s, radius / h);
        expect_near(t, "FOF_GroupMass", s, 2 * mass * 1e10 / h);
        expect_near(t, "f_contam", s, g == 2 ? 0.1 : 0);
        expect_near(t, "SmootheElementAbuncdance", s, 0.5);
    }
}

Test(eagle, attributes_of_each_dataset_decide_its_unit)
{
    hg_table t = {0};

    share_folder();
    put_set(&hydro);
    for (int64_t per = 0; per <= 7; per += 3) {
        all_assert(read_set(per, N_WANTED, wanted, &t) == HG_OK);
        all_assert(t.n == N_SUB && !t.frame.dark_matter_only);
        cr_expect_float_eq(t.frame.box, 100, 1e-4);
        cr_expect(t.frame.redshift == 1 && t.frame.scale_factor == a && t.frame.h == h);
        cr_expect(t.frame.omega_m == 0.307 && t.frame.omega_b == 0.048);
        expect_rows(&t);
        hg_table_clear(&t);
    }
    drop_folder();
}

Test(eagle, dark_runs_and_incomplete_sets)
{
    const kind dark = {.dark = true, .lacks = 9, .wrong_total = -1};
    const char *names[] = {"r_half", "central", "host_id", "vmax"}, *files[3];
    char path[3][512];
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_table t = {0};

    share_folder();
    put_set(&dark);
    all_assert(read_set(0, 3, names, &t) == HG_OK);
    cr_expect(t.frame.dark_matter_only);
    expect_near(&t, "r_half", 0, 1.4 / h);
    hg_table_clear(&t);
    all_assert(read_set(0, 4, names, &t) == HG_E_NOTFOUND);
    cr_expect(says("no column 'vmax'"));
    /* files 9 to 11: groups 3 and 4 with all their subhaloes, but group 2 is missing */
    for (int i = 0; i < 3; i++) {
        snprintf(path[i], sizeof path[i], "%s/eagle_subfind_tab_019_z001p004.%d.hdf5",
                 test_folder, i + 9);
        files[i] = path[i];
    }
    options.n_file = 3;
    options.files = files;
    all_assert(read_catalog(&options, "eagle", 3, names, &t) == HG_E_INPUT);
    cr_expect(says("set partial"));
    options.partial = true;
    options.on_bad_rows = "drop";
    all_assert(read_catalog(&options, "eagle", 3, names, &t) == HG_OK);
    all_assert(t.n == 4 && hg_table_i64(&t, "id")[0] == 7);
    cr_expect(hg_table_u8(&t, "central")[0] == 1 && hg_table_u8(&t, "central")[2] == 0);
    hg_table_clear(&t);
    drop_folder();
}

Test(eagle, contradictions_are_named_and_inspect_tells_what_it_is)
{
    kind k = hydro;
    const char *name = "vmax", *file;
    hg_text report = {0};
    hg_h5 *h5 = NULL;
    hg_table t = {0};

    share_folder();
    k.wrong_total = 10;
    put_set(&k);
    all_assert(read_set(0, 1, &name, &t) == HG_E_INPUT);
    cr_expect(says("not one catalogue") && says(".10.hdf5"));
    put_set(&hydro);
    all_assert(hg_catalog_inspect(pattern(), NULL, -1, &report) == HG_OK);
    cr_expect_not_null(strstr(hg_text_string(&report), "format: eagle"), "%s",
                       hg_text_string(&report));
    cr_expect_not_null(strstr(hg_text_string(&report), "as it should be"), "%s",
                       hg_text_string(&report));
    hg_text_clear(&report);
    hg_comm_barrier(&world);
    file = in_folder("eagle_subfind_tab_019_z001p004.1.hdf5");
    if (world.rank == 0) { /* a position in a unit of mass */
        double x[6] = {0};

        cr_expect_eq(hg_h5_create(file, &h5), HG_OK);
        cr_expect_eq(put_header(h5, &hydro, 1, 2, 2), HG_OK);
        cr_expect_eq(put_groups(h5, 0, 2), HG_OK);
        cr_expect_eq(put(h5, "Subhalo/CentreOfPotential", 2, 3, x, mass_unit, 0, -1), HG_OK);
        cr_expect_eq(hg_h5_close(h5), HG_OK);
    }
    hg_comm_barrier(&world);
    all_assert(read_set(0, 1, &name, &t) == HG_E_FORMAT);
    cr_expect(says("CentreOfPotential") && says("Mpc"));
    drop_folder();
}
