#include "mpi_fault.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "read_catalog.h"
#include "store/h5.h"
#include "store/publish.h"

MPI_SUITE(subfind);

static bool
says(const char *text)
{
    bool found = strstr(hg_error_last()->message, text) != NULL;

    cr_expect(found, "'%s' is not in '%s'", text, hg_error_last()->message);
    return found;
}

/* A universe of 8 groups with 15 subhaloes in 5 files; groups and their subhaloes often stand
 * in different files, files 0 and 3 have no subhaloes, file 2 has no groups. */
enum { N_GROUP = 8, N_SUB = 15, N_FILE = 5 };
static const int nsubs[N_GROUP] = {3, 0, 1, 2, 0, 4, 1, 4};
static const int group_end[N_FILE] = {3, 4, 4, 6, 8}, sub_end[N_FILE] = {0, 7, 10, 10, 15};

/* How a set of files is written. */
typedef struct kind {
    bool gadget4;    /* other names, Parameters, ranks, proper radii */
    bool h_free;     /* Gadget-4 with H0 in its own units */
    bool f64;        /* zoom: double precision */
    hg_type lord;    /* type of GroupFirstSub */
    bool no_units;   /* no Parameters */
    int lacks;       /* file without SubhaloVmax, -1 = none */
    bool bare;       /* empty files lack the groups Group and Subhalo */
    double unit;     /* code unit of length in Mpc (per h) */
    int wrong_total; /* file with a wrong total, -1 = none */
} kind;

static int
group_of(int sub, int *rank)
{
    int g = 0, first = 0;

    while (sub >= first + nsubs[g]) {
        first += nsubs[g++];
    }
    *rank = sub - first;
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
    const char *sub = k->gadget4 ? "Nsubhalos" : "Nsubgroups", *cosmology = "Header";
    char name[64];

    HG_TRY(hg_h5_group(file, "Header"));
    HG_TRY(hg_h5_put_integer(file, "Header", "Ngroups_ThisFile", n_group));
    HG_TRY(hg_h5_put_integer(file, "Header", "Ngroups_Total",
                             N_GROUP + (k->wrong_total == number)));
    snprintf(name, sizeof name, "%s_ThisFile", sub);
    HG_TRY(hg_h5_put_integer(file, "Header", name, n_sub));
    snprintf(name, sizeof name, "%s_Total", sub);
    HG_TRY(hg_h5_put_integer(file, "Header", name, N_SUB));
    HG_TRY(hg_h5_put_integer(file, "Header", "NumFiles", N_FILE));
    HG_TRY(hg_h5_put_real(file, "Header", "Time", 0.5));
    HG_TRY(hg_h5_put_real(file, "Header", "Redshift", 1));
    HG_TRY(hg_h5_put_real(file, "Header", "BoxSize", 70 / k->unit));
    if (k->gadget4) {
        cosmology = "Parameters";
        HG_TRY(hg_h5_group(file, "Parameters"));
    }
    HG_TRY(hg_h5_put_real(file, cosmology, "HubbleParam", 0.7));
    HG_TRY(hg_h5_put_real(file, cosmology, "Omega0", 0.3));
    HG_TRY(hg_h5_put_real(file, cosmology, "OmegaLambda", 0.7));
    if (!k->no_units) {
        double hubble = 100 * k->unit * (k->h_free ? 0.7 : 1);

        HG_TRY(hg_h5_group(file, "Parameters"));
        HG_TRY(hg_h5_put_real(file, "Parameters", "UnitLength_in_cm", 3.085678e24 * k->unit));
        HG_TRY(hg_h5_put_real(file, "Parameters", "UnitMass_in_g", 1.989e43));
        HG_TRY(hg_h5_put_real(file, "Parameters", "UnitVelocity_in_cm_per_s", 1e5));
        HG_TRY(hg_h5_put_real(file, "Parameters", "Hubble", hubble));
    }
    return HG_OK;
}

/* M200c of group g in 1e10 Msun/h, and the radius that belongs to it in code units, comoving.
 */
static void
halo(const kind *k, int g, double *mass, double *radius)
{
    const double pi = 3.14159265358979323846, rho = 27.7536627 * (0.3 * 8 + 0.7);

    *mass = 100.0 * (g + 1);
    *radius = 2 * cbrt(*mass / (200 * rho * 4 * pi / 3)) / k->unit;
}

static hg_status
put_groups(hg_h5 *file, const kind *k, int first, int n)
{
    double mass[N_GROUP], radius[N_GROUP], velocity[3 * N_GROUP];
    int64_t lord[N_GROUP], dims[2] = {n, 3};
    uint32_t lord32[N_GROUP];
    int32_t count[N_GROUP], small[N_GROUP];
    hg_type real = k->f64 ? HG_F64 : HG_F32;
    float mass32[N_GROUP], radius32[N_GROUP];

    for (int i = 0; i < n; i++) {
        int g = first + i;

        halo(k, g, &mass[i], &radius[i]);
        mass32[i] = (float)mass[i];
        radius32[i] = (float)radius[i];
        count[i] = nsubs[g];
        lord[i] = nsubs[g] > 0 ? first_of(g) : -1;
        lord32[i] = (uint32_t)lord[i];
        small[i] = (int32_t)lord[i];
        velocity[3 * i] = velocity[3 * i + 1] = velocity[3 * i + 2] = g;
    }
    HG_TRY(hg_h5_write(file, "Group/Group_M_Crit200", real, 1, dims, NULL,
                       k->f64 ? (void *)mass : (void *)mass32));
    HG_TRY(hg_h5_write(file, "Group/Group_R_Crit200", real, 1, dims, NULL,
                       k->f64 ? (void *)radius : (void *)radius32));
    HG_TRY(hg_h5_write(file, "Group/GroupNsubs", HG_I32, 1, dims, NULL, count));
    HG_TRY(hg_h5_write(file, "Group/GroupVel", HG_F64, 2, dims, NULL, velocity));
    return hg_h5_write(file, "Group/GroupFirstSub", k->lord, 1, dims, NULL,
                       k->lord == HG_I64   ? (void *)lord
                       : k->lord == HG_U32 ? (void *)lord32
                                           : (void *)small);
}

static hg_status
put_subhaloes(hg_h5 *file, const kind *k, int number, int first, int n)
{
    double x[3 * N_SUB], r[N_SUB], v[N_SUB], m[6 * N_SUB];
    int64_t dims[2] = {n, 3}, types[2] = {n, 6}, group[N_SUB];
    int32_t rank[N_SUB], len[N_SUB];
    int8_t flag[N_SUB];

    for (int i = 0; i < n; i++) {
        int s = first + i;

        group[i] = group_of(s, &rank[i]);
        r[i] = 0.07 / k->unit;
        v[i] = 100 + s;
        len[i] = 20 + s;
        flag[i] = (int8_t)(s != 4);
        for (int j = 0; j < 3; j++) {
            x[3 * i + j] = (7.0 * j + 0.7 * s) / k->unit;
        }
        for (int j = 0; j < 6; j++) {
            m[6 * i + j] = 7 * (j + 1);
        }
    }
    HG_TRY(hg_h5_write(file, "Subhalo/SubhaloPos", HG_F64, 2, dims, NULL, x));
    HG_TRY(hg_h5_write(file, "Subhalo/SubhaloHalfmassRad", HG_F64, 1, dims, NULL, r));
    HG_TRY(hg_h5_write(file, "Subhalo/SubhaloMassType", HG_F64, 2, types, NULL, m));
    HG_TRY(hg_h5_write(file, "Subhalo/SubhaloLen", HG_I32, 1, dims, NULL, len));
    HG_TRY(hg_h5_write(file, "Subhalo/SubhaloFlag", HG_I8, 1, dims, NULL, flag));
    if (k->lacks != number) {
        HG_TRY(hg_h5_write(file, "Subhalo/SubhaloVmax", HG_F64, 1, dims, NULL, v));
    }
    if (k->gadget4) {
        HG_TRY(hg_h5_write(file, "Subhalo/SubhaloRankInGr", HG_I32, 1, dims, NULL, rank));
        return hg_h5_write(file, "Subhalo/SubhaloGroupNr", HG_I64, 1, dims, NULL, group);
    }
    return hg_h5_write(file, "Subhalo/SubhaloGrNr", HG_I64, 1, dims, NULL, group);
}

/* Write file `number` of the set below the test's folder. */
static hg_status
put_file(const kind *k, int number)
{
    const int g0 = number > 0 ? group_end[number - 1] : 0, g1 = group_end[number];
    const int s0 = number > 0 ? sub_end[number - 1] : 0, s1 = sub_end[number];
    char path[512];
    hg_h5 *file = NULL;
    hg_status status, closed;

    snprintf(path, sizeof path, "%s/tab.%d.hdf5", test_folder, number);
    HG_TRY(hg_h5_create(path, &file));
    HG_TRY_OR(done, status, put_header(file, k, number, g1 - g0, s1 - s0));
    if (!k->bare || g1 > g0) {
        HG_TRY_OR(done, status, hg_h5_group(file, "Group"));
    }
    if (!k->bare || s1 > s0) {
        HG_TRY_OR(done, status, hg_h5_group(file, "Subhalo"));
    }
    if (g1 > g0) {
        HG_TRY_OR(done, status, put_groups(file, k, g0, g1 - g0));
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

static const kind arepo = {.lord = HG_I32, .lacks = -1, .unit = 1e-3, .wrong_total = -1};

/* Open files, read all rows in parts of `per_part`. */
static hg_status
read_set(int n_file, const char *const files[], bool partial, int64_t per_part, int n,
         const char *const names[], hg_table *table)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.n_file = n_file;
    options.files = files;
    options.partial = partial;
    options.rows_per_part = per_part;
    return read_catalog(&options, "subfind", n, names, table);
}

static const char *
pattern(void)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/tab.{file}.hdf5", test_folder);
    return path;
}

static const char *const wanted[] = {"position", "central", "host_id",  "group",
                                     "m200c",    "r200c",   "r_half",   "stellar_mass",
                                     "n_part",   "flag",    "GroupVel", "SubhaloMassType[1]"};
enum { N_WANTED = sizeof wanted / sizeof wanted[0] };

/* Rows [first, ...) of the universe; `h` is the factor of lengths and masses, `a` of r_half. */
static void
expect_rows(const hg_table *t, int first, double h, double a)
{
    for (int64_t i = 0; i < t->n; i++) {
        int rank, s = first + (int)i, g = group_of(s, &rank);

        cr_expect_eq(hg_table_i64(t, "id")[i], s);
        cr_expect_eq(hg_table_i64(t, "group")[i], g);
        cr_expect_eq(hg_table_u8(t, "central")[i], rank == 0);
        cr_expect_eq(hg_table_i64(t, "host_id")[i], rank == 0 ? -1 : first_of(g));
        cr_expect_eq(hg_table_i64(t, "n_part")[i], 20 + s);
        cr_expect_eq(hg_table_i32(t, "flag")[i], s != 4);
        cr_expect_float_eq(hg_table_f64(t, "position")[3 * i + 1], (7 + 0.7 * s) / h, 1e-9);
        cr_expect_float_eq((double)hg_table_f32(t, "m200c")[i] / (1e12 * (g + 1) / h), 1, 1e-6);
        cr_expect_float_eq((double)hg_table_f32(t, "r_half")[i], 0.07 / h / a, 1e-6);
        cr_expect_float_eq((double)hg_table_f32(t, "stellar_mass")[i] / (35e10 / h), 1, 1e-6);
        cr_expect_float_eq(hg_table_f64(t, "GroupVel")[3 * i + 2], g / 0.5, 1e-9);
        cr_expect_float_eq(hg_table_f64(t, "SubhaloMassType[1]")[i] / (14e10 / h), 1, 1e-9);
    }
}

Test(subfind, groups_and_subhaloes_in_different_files_are_joined)
{
    const char *files[1];
    hg_table t = {0}, cut = {0};
    kind k = arepo;

    share_folder();
    files[0] = pattern();
    put_set(&k);
    all_assert(read_set(1, files, false, 0, N_WANTED, wanted, &t) == HG_OK);
    all_assert(t.n == N_SUB && fabs(t.frame.box - 100) < 1e-9 && t.frame.redshift == 1);
    expect_rows(&t, 0, 0.7, 1);
    for (int64_t per = 1; per <= 8; per += 3) {
        all_assert(read_set(1, files, false, per, N_WANTED, wanted, &cut) == HG_OK);
        all_assert(cut.n == N_SUB);
        expect_rows(&cut, 0, 0.7, 1);
        hg_table_clear(&cut);
    }
    hg_table_clear(&t);
    drop_folder();
}

Test(subfind, the_habits_of_each_code_are_understood)
{
    const struct {
        kind k;
        double h, a;
    } item[] = {
        /* Illustris-1: unsigned with all ones for "none"; empty files without the groups */
        {{.lord = HG_U32, .lacks = -1, .unit = 1e-3, .wrong_total = -1, .bare = true}, 0.7, 1},
        /* zoom in double precision without Parameters, in Mpc/h and in kpc/h */
        {{.lord = HG_I32,
          .lacks = -1,
          .unit = 1,
          .wrong_total = -1,
          .no_units = true,
          .f64 = true},
         0.7,
         1},
        {{.lord = HG_I32, .lacks = -1, .unit = 1e-3, .wrong_total = -1, .no_units = true},
         0.7,
         1},
        /* Gadget-4: proper radii, ranks, cosmology in Parameters */
        {{.lord = HG_I64, .lacks = -1, .unit = 1, .wrong_total = -1, .gadget4 = true},
         0.7,
         0.5},
        /* Gadget-4 with H0 in its own units: no h anywhere */
        {{.lord = HG_I64,
          .lacks = -1,
          .unit = 1,
          .wrong_total = -1,
          .gadget4 = true,
          .h_free = true},
         1,
         0.5}};
    const char *files[1];

    share_folder();
    files[0] = pattern();
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        hg_table t = {0};

        put_set(&item[i].k);
        all_assert(read_set(1, files, false, 4, N_WANTED, wanted, &t) == HG_OK);
        all_assert(t.n == N_SUB && fabs(t.frame.box - 70 / item[i].h) < 1e-9);
        all_assert(t.frame.h == 0.7 && t.frame.omega_m == 0.3);
        expect_rows(&t, 0, item[i].h, item[i].a);
        hg_table_clear(&t);
    }
    drop_folder();
}

Test(subfind, incomplete_sets_keep_global_numbers)
{
    /* files of the set, first row and rows that they hold */
    static const struct {
        int n, file[4], first, rows;
        const char *fails; /* NULL = readable */
    } item[] = {
        {3, {0, 1, 2}, 0, 10, "miss their host"}, /* group 5 stands in file 3 */
        {4, {0, 1, 2, 3}, 0, 10, NULL},
        {2, {0, 1}, 0, 7, "miss their host"},
        {2, {3, 4}, 10, 5, NULL},
        {1, {4}, 10, 5, NULL},
        {1, {2}, 7, 3, "cannot be found"},    /* subhaloes without any group */
        {2, {2, 3}, 7, 3, "cannot be found"}, /* three of four rows: which is not decided */
        {3, {2, 3, 4}, 7, 8, NULL},
        {1, {3}, 10, 0, NULL}};
    share_folder();
    put_set(&arepo);
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        char path[4][512];
        const char *files[4];
        hg_table t = {0};
        hg_status status;

        for (int f = 0; f < item[i].n; f++) {
            snprintf(path[f], sizeof path[f], "%s/tab.%d.hdf5", test_folder, item[i].file[f]);
            files[f] = path[f];
        }
        all_assert(read_set(item[i].n, files, false, 4, N_WANTED, wanted, &t) == HG_E_INPUT);
        all_assert(says("set partial"));
        status = read_set(item[i].n, files, true, 0, N_WANTED, wanted, &t);
        if (item[i].fails != NULL) {
            all_assert(status == HG_E_INPUT && says(item[i].fails));
            continue;
        }
        cr_expect_eq(status, HG_OK, "set %zu: %s", i, hg_error_last()->message);
        all_assert(status == HG_OK && t.n == item[i].rows);
        expect_rows(&t, item[i].first, 0.7, 1);
        hg_table_clear(&t);
    }
    drop_folder();
}

Test(subfind, rows_without_their_host_are_dropped_or_flagged_when_asked_for)
{
    char path[3][512];
    const char *files[3] = {path[0], path[1], path[2]};
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    hg_table t = {0};

    share_folder();
    put_set(&arepo);
    for (int f = 0; f < 3; f++) {
        snprintf(path[f], sizeof path[f], "%s/tab.%d.hdf5", test_folder, f);
    }
    options.files = files;
    options.n_file = 3;
    options.partial = true;
    options.on_bad_rows = "drop";
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_read(catalog, 0, N_WANTED, wanted, &t) == HG_OK);
    all_assert(t.n == 6); /* groups 0, 2 and 3 */
    expect_rows(&t, 0, 0.7, 1);
    hg_table_clear(&t);
    hg_catalog_close(catalog);
    options.on_bad_rows = "flag";
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_read(catalog, 0, 1, (const char *[]){"central"}, &t) == HG_OK);
    all_assert(t.n == 10 && hg_table_i32(&t, "flags")[5] == 0);
    all_assert(hg_table_i32(&t, "flags")[6] == 16 && hg_table_i32(&t, "flags")[9] == 16);
    hg_table_clear(&t);
    hg_catalog_close(catalog);
    drop_folder();
}

Test(subfind, wrong_sets_get_one_clear_sentence)
{
    const char *files[2], *vmax = "vmax";
    char path[512], copy[512];
    hg_table t = {0};
    kind k = arepo;

    share_folder();
    files[0] = pattern();
    k.wrong_total = 3;
    put_set(&k);
    all_assert(read_set(1, files, false, 0, 1, &vmax, &t) == HG_E_INPUT);
    all_assert(says("not one catalogue") && says("tab.3.hdf5"));
    k = arepo;
    k.lacks = 4;
    put_set(&k);
    all_assert(read_set(1, files, false, 0, 1, &vmax, &t) == HG_E_NOTFOUND);
    all_assert(says("no column 'vmax'"));
    put_set(&arepo);
    all_assert(read_set(1, files, false, 0, 1, &vmax, &t) == HG_OK);
    hg_table_clear(&t);
    snprintf(path, sizeof path, "%s/tab.4.hdf5", test_folder);
    snprintf(copy, sizeof copy, "%s/copy.4.hdf5", test_folder);
    if (world.rank == 0) {
        cr_expect_eq(symlink(path, copy), 0);
    }
    hg_comm_barrier(&world);
    files[1] = copy;
    all_assert(read_set(2, files, false, 0, 1, &vmax, &t) == HG_E_INPUT);
    all_assert(says("are both file 4"));
    files[0] = files[1] = path;
    all_assert(read_set(2, files, true, 0, 1, &vmax, &t) == HG_E_INPUT);
    all_assert(says("named twice"));
    files[0] = pattern();
    if (world.rank == 0) {
        cr_expect_eq(truncate(path, hg_file_size(path) / 2), 0);
    }
    hg_comm_barrier(&world);
    all_assert(read_set(1, files, false, 0, 1, &vmax, &t) == HG_E_FORMAT);
    all_assert(says("truncated") && says("tab.4.hdf5"));
    files[0] = in_folder("no.{file}.hdf5");
    all_assert(read_set(1, files, false, 0, 1, &vmax, &t) == HG_E_NOTFOUND);
    all_assert(says("no file matches"));
    drop_folder();
}

Test(subfind, every_agreement_of_open_may_fail)
{
    const char *file;
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    fault_loop f = {.on_each = true};

    share_folder();
    file = pattern();
    put_set(&arepo);
    options.n_file = 1;
    options.files = &file;
    while (fault_next(&f)) {
        hg_catalog *catalog = NULL;

        all_assert((fault_status(&f, hg_catalog_open(&world, &options, &catalog)) == HG_OK) ==
                   (catalog != NULL));
        hg_catalog_close(catalog);
    }
    all_assert(f.n_failed == 2 * world.size);
    drop_folder();
}
