/* Lists of AHF: real ones, and those of parallel runs as the manual describes them. */
#include "mpi_folder.h"

#include <math.h>

#include "read_catalog.h"

MPI_SUITE(ahf);

static const char *const names[] = {
    "position", "velocity", "host_id",      "central", "mvir",    "rvir",  "sigma_v",
    "f_contam", "n_part",   "spin_bullock", "r_vmax",  "m_bound", "e_kin", "stellar_mass"};

static hg_status
read_lists(const char *path, hg_table *table)
{
    hg_catalog_options options = one_file(&path);

    options.frame.h = 0.5;
    options.frame.box = 100;
    options.rows_per_part = 2;
    return read_catalog(&options, "ahf", 14, names, table);
}

static void
write_list(const char *name, const char *const rows[])
{
    FILE *f = fopen(in_folder(name), "w");

    fputs(
        "#ID(1)\thostHalo(2)\tnumSubStruct(3)\tMvir(4)\tnpart(5)\tXc(6)\tYc(7)\tZc(8)\tVXc(9)\t"
        "VYc(10)\tVZc(11)\tRvir(12)\tRmax(13)\tsigV(14)\tlambda(15)\tfMhires(16)\tEkin(17)\t"
        "M_star(18)\tcNFW(19)\t\n",
        f);
    for (int i = 0; rows[i] != NULL; i++) {
        fprintf(f,
                "%s\t1e12\t100\t%d\t2000\t3000\t1\t2\t3\t200\t20\t173.20508\t0.03\t0.98\t4e15\t"
                "1e10\t7\t\n",
                rows[i], 1000 * (i + 1));
    }
    fclose(f);
}

Test(ahf, files_of_ranks_with_hashed_ids)
{
    static const char *const first[] = {"9223372036854775810\t0\t3",
                                        "17\t9223372036854775810\t0", NULL},
                             *const empty[] = {NULL},
                             *const last[] = {"18446744073709551000\t17\t0", "5\t99\t0", NULL};
    hg_table t = {0};

    share_folder();
    if (world.rank == 0) {
        write_list("h.0000.z0.000.AHF_halos", first);
        write_list("h.0001.z0.000.AHF_halos", empty);
        write_list("h.0010.z0.000.AHF_halos", last);
    }
    hg_comm_barrier(&world);
    all_assert(read_lists(in_folder("h.{file:04d}.z0.000.AHF_halos"), &t) == HG_OK);
    all_assert(t.n == 4);
    /* ids above 2^63 keep their bits */
    all_assert((uint64_t)hg_table_i64(&t, "id")[0] == 9223372036854775810U);
    all_assert((uint64_t)hg_table_i64(&t, "id")[2] == 18446744073709551000U);
    all_assert(hg_table_i64(&t, "host_id")[0] == -1 && hg_table_u8(&t, "central")[0] == 1);
    all_assert((uint64_t)hg_table_i64(&t, "host_id")[1] == 9223372036854775810U);
    all_assert(hg_table_u8(&t, "central")[1] == 0 && hg_table_u8(&t, "central")[3] == 0);
    all_assert(hg_table_f64(&t, "position")[3] == 4 && hg_table_f64(&t, "position")[1] == 4);
    all_assert(hg_table_f32(&t, "velocity")[2] == 3);
    all_assert(hg_table_f32(&t, "mvir")[0] == 2e12F && hg_table_f32(&t, "m_bound")[0] == 2e12F);
    all_assert(fabsf(hg_table_f32(&t, "rvir")[0] - 0.4F) < 1e-6F);
    all_assert(fabsf(hg_table_f32(&t, "r_vmax")[0] - 0.04F) < 1e-7F);
    all_assert(fabsf(hg_table_f32(&t, "sigma_v")[0] - 100) < 1e-3F);
    all_assert(fabsf(hg_table_f32(&t, "f_contam")[0] - 0.02F) < 1e-6F);
    all_assert(hg_table_f32(&t, "e_kin")[0] == 8e15F && hg_table_i64(&t, "n_part")[0] == 100);
    all_assert(hg_table_f32(&t, "stellar_mass")[3] == 2e10F);
    hg_table_clear(&t);
    drop_folder();
}

Test(ahf, the_halo_zero_may_be_a_host)
{
    static const char *const rows[] = {"0\t-1\t1", "1\t0\t0", NULL};
    hg_catalog_options options;
    hg_catalog *catalog = NULL;
    const char *path;
    hg_table t = {0};

    share_folder();
    if (world.rank == 0) {
        write_list("s.AHF_halos", rows);
    }
    hg_comm_barrier(&world);
    all_assert(read_lists(in_folder("s.AHF_halos"), &t) == HG_OK && t.n == 2);
    all_assert(hg_table_i64(&t, "host_id")[0] == -1 && hg_table_i64(&t, "host_id")[1] == 0);
    all_assert(hg_table_u8(&t, "central")[0] == 1 && hg_table_u8(&t, "central")[1] == 0);
    hg_table_clear(&t);
    path = in_folder("s.AHF_halos");
    options = one_file(&path);
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "set h") != NULL);
    drop_folder();
}

Test(ahf, real_lists)
{
    const char *data = real_data(), *path;
    char name[512];
    hg_table t = {0};

    if (data == NULL) {
        return;
    }
    snprintf(name, sizeof name,
             "%s/rockstar_ahf_tiny/test_ahf_merger_tree/tiny.000640.z2.964.AHF_halos", data);
    path = name;
    all_assert(read_lists(path, &t) == HG_OK && t.n == 9);
    all_assert(fabsf(hg_table_f32(&t, "mvir")[0] / 4.68136e11F - 1) < 1e-6F);
    all_assert(fabs(hg_table_f64(&t, "position")[0] / (2 * 18.49438646187) - 1) < 1e-12);
    all_assert(fabsf(hg_table_f32(&t, "f_contam")[0] - 0.094287F) < 1e-6F);
    all_assert(fabsf(hg_table_f32(&t, "sigma_v")[0] * sqrtf(3) - 200.36F) < 1e-3F);
    all_assert(fabsf(hg_table_f32(&t, "stellar_mass")[0] / (2 * 1.17e10F) - 1) < 1e-6F);
    for (int64_t i = 0; i < t.n; i++) {
        all_assert(hg_table_u8(&t, "central")[i] == 1 && hg_table_i64(&t, "id")[i] == i);
    }
    hg_table_clear(&t);
}
