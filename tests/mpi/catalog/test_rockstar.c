#include "mpi_test.h"

#include "catalog/check.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "read_catalog.h"

MPI_SUITE(rockstar);

/* the three tables of one halo and its satellite, as the codes' own headers describe them */
static const char list[] =
    "#ID DescID M200c Vmax Vrms Rvir Rs Np X Y Z VX VY VZ JX JY JZ Spin rs_klypin M200c Xoff "
    "b_to_a(500c) T/|U|\n"
    "#a = 0.500000\n"
    "#Om = 0.300000; Ol = 0.700000; h = 0.500000\n"
    "#FOF linking length: 0.280000\n"
    "#Particle mass: 1.00000e+09 Msun/h\n"
    "#Box size: 50.000000 Mpc/h\n"
    "#Units: Masses in Msun / h\n"
    "7 -1 9.9e11 300 173.2050807568877 400 40 1 -0.01 50.01 25 10 -20 30 1 2 3 0.03 41 1e12 5 "
    "0.7 0.6\n"
    "9 -1 1e11 100 173.2050807568877 200 20 1 1 2 3 1 2 3 1 2 3 0.04 21 2e11 6 0.8 0.5\n";
static const char chunk[] =
    "#id num_p mvir mbound_vir rvir vmax rvmax vrms x y z vx vy vz Jx Jy Jz E Spin m200b "
    "m200c\n"
    "#a = 0.500000\n"
    "#Bounds: (0.000000, 0.000000, 0.000000) - (25.000000, 50.000000, 50.000000)\n"
    "#Om = 0.300000; Ol = 0.700000; h = 0.500000\n"
    "#Particle mass: 1.00000e+09 Msun/h\n"
    "#Box size: 50.000000 Mpc/h\n"
    "7 1003 1e12 9.9e11 400 300 80 173.2050807568877 1 2 3 1 2 3 1 2 3 -1e10 0.03 9e11 8e11\n";
static const char merged[] =
    "#scale(0) id(1) desc_scale(2) pid(5) upid(6) phantom(8) sam_Mvir(9) Mvir(10) Rvir(11) "
    "rs(12) vrms(13) mmp?(14) vmax(16) x(17) y(18) z(19) vx(20) vy(21) vz(22) Mvir_all M200b "
    "Macc Mpeak Vpeak Halfmass_Scale Acc_Rate_Inst b_to_a(500c)(47)\n"
    "#Omega_M = 0.300000; Omega_L = 0.700000; h0 = 0.500000\n"
    "#Full box size = 50.000000 Mpc/h\n"
    "0.5 7 1 -1 -1 0 5e12 1e12 400 40 173.2050807568877 1 300 1 2 3 1 2 3 1.5e12 1.2e12 1e12 "
    "2e12 310 0.25 50 0.7\n"
    "0.5 9 1 11 7 0 5e12 1e11 200 20 173.2050807568877 1 100 2 3 4 1 2 3 1.5e11 1.2e11 1e11 "
    "3e11 150 0.20 -5 0.8\n"
    "0.5 11 1 7 7 1 5e12 1e11 200 20 173.2050807568877 1 100 2 3 4 1 2 3 1.5e11 1.2e11 1e11 "
    "3e11 150 0.20 -5 0.9\n";

static const char *
put(const char *name, const char *text)
{
    const char *path = in_folder(name);

    if (world.rank == 0) {
        FILE *file = fopen(path, "w");

        fputs(text, file);
        fclose(file);
    }
    hg_comm_barrier(&world);
    return path;
}

static hg_status
read_all(const char *path, double h, int64_t rows_per_part, int n, const char *const names[],
         hg_table *table)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.n_file = 1;
    options.files = &path;
    options.rows_per_part = rows_per_part;
    options.frame.h = h;
    return read_catalog(&options, "rockstar", n, names, table);
}

static bool
near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fabs(b);
}

static double
value(const hg_table *table, const char *name, int64_t row, int k)
{
    return hg_column_value(hg_table_find(table, name), row, k);
}

Test(rockstar, a_list_has_the_bound_mass_first_and_radii_in_kpc)
{
    static const char *const names[] = {"id",     "position", "velocity",    "m_bound",
                                        "m200c",  "rvir",     "r_s",         "sigma_v",
                                        "n_part", "x_off",    "b_to_a_500c_"};
    hg_table t = {0};

    share_folder();
    all_assert(read_all(put("out_1.list", list), (double)NAN, 1, 11, names, &t) == HG_OK);
    all_assert(t.n == 2 && t.frame.redshift == 1 && t.frame.h == 0.5 && t.frame.box == 100);
    all_assert(near(t.frame.particle_mass, 2e9) && t.frame.omega_m == 0.3);
    all_assert(hg_table_i64(&t, "id")[0] == 7 && hg_table_i64(&t, "id")[1] == 9);
    all_assert(near(value(&t, "m_bound", 0, 0), 1.98e12)); /* the first of two M200c */
    all_assert(near(value(&t, "m200c", 0, 0), 2e12));      /* the second */
    all_assert(near(value(&t, "rvir", 0, 0), 0.8));        /* 400 kpc/h */
    all_assert(near(value(&t, "r_s", 1, 0), 0.04));
    all_assert(near(value(&t, "x_off", 1, 0), 0.012));
    all_assert(near(value(&t, "sigma_v", 0, 0), 100)); /* three-dimensional in the file */
    all_assert(value(&t, "n_part", 0, 0) == 990);      /* not the internal Np */
    all_assert(near(value(&t, "position", 0, 0), 99.98) &&
               near(value(&t, "position", 0, 1), 0.02)); /* folded */
    all_assert(value(&t, "velocity", 0, 1) == -20);
    all_assert(near(value(&t, "b_to_a_500c_", 1, 0), 0.8));
    hg_table_clear(&t);
    drop_folder();
}

Test(rockstar, a_chunk_has_the_unbound_mass_in_mvir)
{
    static const char *const names[] = {"m_bound", "mvir",  "n_part",
                                        "r_vmax",  "m200m", "m200c"};
    static const char *const host[] = {"central"};
    hg_table t = {0};
    const char *path;

    share_folder();
    path = put("halos_1.0.ascii", chunk);
    all_assert(read_all(path, (double)NAN, 0, 6, names, &t) == HG_OK);
    all_assert(t.n == 1 && near(value(&t, "m_bound", 0, 0), 1.98e12));
    all_assert(near(value(&t, "mvir", 0, 0), 2e12) && value(&t, "n_part", 0, 0) == 1003);
    all_assert(near(value(&t, "r_vmax", 0, 0), 0.16));
    all_assert(near(value(&t, "m200m", 0, 0), 1.8e12) &&
               near(value(&t, "m200c", 0, 0), 1.6e12));
    hg_table_clear(&t);
    all_assert(read_all(path, (double)NAN, 0, 1, host, &t) == HG_E_NOTFOUND);
    hg_table_clear(&t);
    all_assert(read_all(path, 0.7, 0, 6, names, &t) == HG_E_INPUT); /* contradicts h = 0.5 */
    hg_table_clear(&t);
    drop_folder();
}

Test(rockstar, a_list_of_consistent_trees_has_hosts_history_and_phantoms)
{
    static const char *const names[] = {"central", "host_id", "flags",  "m_bound",  "mvir",
                                        "m_peak",  "v_peak",  "a_half", "acc_rate", "mmp_"};
    hg_table t = {0};

    share_folder();
    all_assert(read_all(put("hlist_0.5.list", merged), (double)NAN, 2, 10, names, &t) == HG_OK);
    all_assert(t.n == 3 && t.frame.redshift == 1 && t.frame.box == 100);
    all_assert(hg_table_u8(&t, "central")[0] == 1 && hg_table_u8(&t, "central")[1] == 0);
    all_assert(hg_table_i64(&t, "host_id")[0] == -1 && hg_table_i64(&t, "host_id")[1] == 7);
    all_assert((hg_table_i32(&t, "flags")[0] & HG_FLAG_PHANTOM) == 0 &&
               (hg_table_i32(&t, "flags")[2] & HG_FLAG_PHANTOM) != 0);
    all_assert(near(value(&t, "m_bound", 0, 0), 2e12) && near(value(&t, "mvir", 0, 0), 3e12));
    all_assert(near(value(&t, "m_peak", 1, 0), 6e11) && value(&t, "v_peak", 1, 0) == 150);
    all_assert(near(value(&t, "a_half", 0, 0), 0.25) && near(value(&t, "acc_rate", 0, 0), 100));
    all_assert(value(&t, "mmp_", 0, 0) == 1);
    hg_table_clear(&t);
    drop_folder();
}

Test(rockstar, what_cannot_be_read_is_said)
{
    static const char *const names[] = {"id"};
    static const char *const mass[] = {"m_bound"};
    hg_table t = {0};

    share_folder();
    all_assert(read_all(put("tree_0_0_0.dat",
                            "#scale(0) id(1) Mvir(2) vrms(3) vmax(4) x(5) y(6) z(7)\n"
                            "#Omega_M = 0.3; Omega_L = 0.7; h0 = 0.5\n12\n#tree 7\n"
                            "0.5 7 1e12 1 2 3 4 5\n"),
                        (double)NAN, 0, 1, names, &t) == HG_E_FORMAT);
    all_assert(strstr(hg_error_last()->message, "merger trees") != NULL);
    all_assert(read_all(put("a.list", "#id Mvir vrms vmax x y z\n1 1e12 1 2 3 4 5\n"),
                        (double)NAN, 0, 1, names, &t) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "which h") != NULL);
    all_assert(read_all(in_folder("a.list"), 0.5, 0, 1, names, &t) == HG_OK && t.n == 1);
    hg_table_clear(&t);
    all_assert(read_all(put("b.list", "#id Mvir vrms vmax x y z\n1 1e12 1 2 3 4 5\n"
                                      "2 1e12 1 2 3 4\n"),
                        0.5, 0, 1, names, &t) == HG_E_FORMAT);
    all_assert(strstr(hg_error_last()->message, "line 3") != NULL);
    hg_table_clear(&t);
    all_assert(read_all(put("c.list", "#id Mvir vrms vmax x y z\n1 -inf 1 2 3 4 5\n"), 0.5, 0,
                        1, mass, &t) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "m_bound") != NULL);
    hg_table_clear(&t);
    drop_folder();
}

Test(rockstar, real_lists_agree_with_their_text)
{
    static const char *const names[] = {"id", "m_bound", "mvir", "position", "rvir", "n_part"};
    const char *data = real_data();
    char path[512];
    hg_table t = {0};
    double mass = 0, mvir = 0;

    if (data == NULL) {
        cr_skip("no HG_DATA: the public Rockstar list is not read");
    }
    snprintf(path, sizeof path, "%s/rockstar/halos_0.2.ascii", data);
    all_assert(read_all(path, (double)NAN, 1000, 6, names, &t) == HG_OK);
    all_assert(t.n == 7346 && near(t.frame.box, 10 / 0.7));
    for (int64_t i = 0; i < t.n; i++) {
        mass += value(&t, "m_bound", i, 0);
        mvir += value(&t, "mvir", i, 0);
    }
    /* the first line reads 21182 135 5.548e+07 5.334e+07 10.131891 ... 0.000884 5.242393 */
    all_assert(value(&t, "id", 0, 0) == 21182 && value(&t, "n_part", 0, 0) == 135);
    all_assert(near(value(&t, "mvir", 0, 0), 5.548e7 / 0.7));
    all_assert(near(value(&t, "m_bound", 0, 0), 5.334e7 / 0.7));
    all_assert(near(value(&t, "rvir", 0, 0), 10.131891e-3 / 0.7));
    all_assert(near(value(&t, "position", 0, 1), 5.242393 / 0.7));
    all_assert(mass < mvir && mass > 0.5 * mvir);
    hg_table_clear(&t);
}
