/* Lists of particles in each format, written as the codes write them. Particle id p of object k
 * is 1000 k + p everywhere. */
#include "mpi_folder.h"

#include <string.h>

#include "base/memory.h"
#include "catalog/members.h"
#include "store/h5.h"

MPI_SUITE(members);

static void
write_i64(hg_h5 *file, const char *name, int64_t n, const int64_t x[])
{
    cr_assert_eq(hg_h5_write(file, name, HG_I64, 1, &n, NULL, x), HG_OK);
}

/* Column 1 of a matrix of 6, the others hold what nobody asked for. */
static void
write_by_type(hg_h5 *file, const char *name, int64_t n, const int64_t x[])
{
    const int64_t dims[2] = {n, 6};
    int32_t all[64];

    for (int64_t i = 0; i < 6 * n; i++) {
        all[i] = i % 6 == 1 ? (int32_t)x[i / 6] : 7777;
    }
    cr_assert_eq(hg_h5_write(file, name, HG_I32, 2, dims, NULL, all), HG_OK);
}

static hg_h5 *
create(const char *name)
{
    hg_h5 *file = NULL;

    cr_assert_eq(hg_h5_create(in_folder(name), &file), HG_OK);
    return file;
}

static void
close_file(hg_h5 *file)
{
    cr_assert_eq(hg_h5_close(file), HG_OK);
}

static void
write_text(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");

    cr_assert(f != NULL);
    fputs(text, f);
    fclose(f);
}

/* Read, gather, and compare with "key: id id ...; key: ..." in order of keys. */
static void
expect(const char *format, const char *ids, const char *catalogue, int64_t most,
       const char *expected)
{
    hg_members_options options = {.format = format,
                                  .ids = in_folder(ids),
                                  .most = most,
                                  .catalogue = catalogue != NULL ? in_folder(catalogue) : NULL};
    hg_members m = {0};
    struct row {
        int64_t key;
        uint64_t id[16];
        int64_t n;
    } mine[32], *all = NULL;
    int64_t n = 0;
    char text[2048] = "";

    cr_assert_eq(hg_members_read(&world, &options, &m), HG_OK, "%s", hg_error_last()->message);
    for (int64_t i = 0; i < m.n; i++) {
        mine[i] = (struct row){.key = m.key[i], .n = m.first[i + 1] - m.first[i]};
        memcpy(mine[i].id, m.id + m.first[i], (size_t)mine[i].n * sizeof *m.id);
    }
    cr_assert_eq(hg_comm_gather_rows(&world, m.n, sizeof *all, mine, &n, &all), HG_OK);
    for (int64_t key = 0; key < 100; key++) {
        for (int64_t i = 0; i < n; i++) {
            if (all[i].key == key) {
                sprintf(text + strlen(text), "%d:", (int)key);
                for (int64_t k = 0; k < all[i].n; k++) {
                    sprintf(text + strlen(text), " %d", (int)all[i].id[k]);
                }
                strcat(text, "; ");
            }
        }
    }
    cr_assert_str_eq(text, expected, "%s", format);
    hg_mem_free(all);
    hg_members_clear(&m);
}

static void
expect_failure(const char *format, const char *ids, const char *catalogue, hg_status status,
               const char *part)
{
    hg_members_options options = {.format = format,
                                  .ids = in_folder(ids),
                                  .catalogue = catalogue != NULL ? in_folder(catalogue) : NULL};
    hg_members m = {0};

    cr_assert_eq(hg_members_read(&world, &options, &m), status, "%s: %s", ids,
                 hg_error_last()->message);
    cr_assert(strstr(hg_error_last()->message, part) != NULL, "%s", hg_error_last()->message);
    cr_assert_eq(m.n, 0);
}

Test(members, own_layout_in_one_file_and_in_two)
{
    share_folder();
    if (world.rank == 0) {
        int64_t key[2] = {9, 4}, first[3] = {0, 3, 5}, key2 = 11, first2[2] = {0, 1};
        uint64_t id[5] = {9000, 9001, 9002, 4000, 4001}, id2 = 11000;
        const hg_members a = {2, key, first, id}, b = {1, &key2, first2, &id2};

        cr_assert_eq(hg_members_write(in_folder("l.0.hdf5"), &a), HG_OK);
        cr_assert_eq(hg_members_write(in_folder("l.1.hdf5"), &b), HG_OK);
    }
    hg_comm_barrier(&world);
    expect("auto", "l.0.hdf5", NULL, 0, "4: 4000 4001; 9: 9000 9001 9002; ");
    expect("halograft", "l.{file}.hdf5", NULL, 2, "4: 4000 4001; 9: 9000 9001; 11: 11000; ");
    expect_failure("gadget", "l.0.hdf5", NULL, HG_E_PARAM, "need the catalogue");
    expect_failure("eagle", "l.0.hdf5", "l.1.hdf5", HG_E_FORMAT, "IDs/ParticleID");
    expect_failure("auto", "nothing.hdf5", NULL, HG_E_FORMAT, "name it in Match.ids");
    expect_failure("halograft", "nothing.hdf5", NULL, HG_E_NOTFOUND, "nothing.hdf5");
    drop_folder();
}

/* Two groups: 4 particles of subhalo 0, 2 of subhalo 1, 1 unbound; a group without subhaloes;
 * 3 of subhalo 2, 2 unbound. The second group stands in another file than its subhalo, the
 * first file of the snapshot has no dark matter. */
static void
write_gadget(bool with_offsets)
{
    static const int64_t ids[] = {0, 1, 2, 3, 1000, 1001, 70, 71, 72, 2000, 2001, 2002, 80, 81};
    static const int64_t group[] = {7, 2, 5}, subs[] = {2, 0, 1}, sub[] = {4, 2, 3},
                         offset[] = {0, 4, 9};
    hg_h5 *file = create("tab.0.hdf5");

    write_by_type(file, "Group/GroupLenType", 2, group);
    write_i64(file, "Group/GroupNsubs", 2, subs);
    write_by_type(file, "Subhalo/SubhaloLenType", 1, sub);
    if (with_offsets) {
        write_by_type(file, "Subhalo/SubhaloOffsetType", 1, offset);
    }
    close_file(file);
    file = create("tab.1.hdf5");
    write_by_type(file, "Group/GroupLenType", 1, group + 2);
    write_i64(file, "Group/GroupNsubs", 1, subs + 2);
    write_by_type(file, "Subhalo/SubhaloLenType", 2, sub + 1);
    if (with_offsets) {
        write_by_type(file, "Subhalo/SubhaloOffsetType", 2, offset + 1);
    }
    close_file(file);
    file = create("snap.0.hdf5");
    write_i64(file, "PartType0/ParticleIDs", 3, ids);
    close_file(file);
    file = create("snap.1.hdf5");
    write_i64(file, "PartType1/ParticleIDs", 6, ids);
    close_file(file);
    file = create("snap.2.hdf5");
    write_i64(file, "PartType1/ParticleIDs", 8, ids + 6);
    close_file(file);
}

Test(members, gadget_order_with_groups_split_over_files)
{
    static const char *const right = "0: 0 1 2 3; 1: 1000 1001; 2: 2000 2001 2002; ";

    share_folder();
    for (int with_offsets = 0; with_offsets < 2; with_offsets++) {
        if (world.rank == 0) {
            write_gadget(with_offsets);
        }
        hg_comm_barrier(&world);
        expect("auto", "snap.{file}.hdf5", "tab.{file}.hdf5", 0, right);
        expect("gadget", "snap.{file}.hdf5", "tab.{file}.hdf5", 2,
               "0: 0 1; 1: 1000 1001; 2: 2000 2001; ");
        hg_comm_barrier(&world);
    }
    expect_failure("gadget", "snap.1.hdf5", "tab.{file}.hdf5", HG_E_INPUT,
                   "do not belong together");
    drop_folder();
}

Test(members, eagle_lists_of_all_types)
{
    share_folder();
    if (world.rank == 0) {
        static const int64_t ids[] = {50, 0, 3, 2, 4, 60, 1000, 1001}, offset[] = {1, 6},
                             length[] = {4, 2};
        hg_h5 *file = create("eagle_subfind_tab.0.hdf5");

        write_i64(file, "Subhalo/SubOffset", 1, offset);
        write_i64(file, "Subhalo/SubLength", 1, length);
        write_i64(file, "IDs/ParticleID", 3, ids);
        close_file(file);
        file = create("eagle_subfind_tab.1.hdf5");
        write_i64(file, "Subhalo/SubOffset", 1, offset + 1);
        write_i64(file, "Subhalo/SubLength", 1, length + 1);
        write_i64(file, "IDs/ParticleID", 5, ids + 3);
        close_file(file);
    }
    hg_comm_barrier(&world);
    expect("auto", "eagle_subfind_tab.{file}.hdf5", "eagle_subfind_tab.{file}.hdf5", 0,
           "0: 0 3 2 4; 1: 1000 1001; ");
    drop_folder();
}

Test(members, ahf_with_and_without_ids_of_haloes)
{
    share_folder();
    if (world.rank == 0) {
        write_text("a.0000.AHF_particles",
                   "2\n3 42\n42000 1\n42001\t0\n42002 1\n1\t 7\n7000 1\n");
        write_text("a.0001.AHF_particles", "1\n2 13\n13000 1\n13001 1\n");
        write_text("old.AHF_particles", "2\n10\n11\n1\n1000\n");
        write_text("cut.AHF_particles", "1\n3 42\n42000 1\n");
        write_text("bad.AHF_particles", "1\n1 42\nx 1\n");
    }
    hg_comm_barrier(&world);
    expect("auto", "a.{file}.AHF_particles", NULL, 0,
           "7: 7000; 13: 13000 13001; 42: 42000 42002; ");
    expect("ahf", "a.{file}.AHF_particles", NULL, 1, "7: 7000; 13: 13000; 42: 42000; ");
    expect_failure("ahf", "cut.AHF_particles", NULL, HG_E_FORMAT, "is cut here");
    expect_failure("ahf", "bad.AHF_particles", NULL, HG_E_FORMAT, "line 3: no particle id");
    drop_folder();
}

Test(members, rockstar_leaves_substructure_to_its_own_halo)
{
    static const char *const head =
        "#a = 1.0\n#Halo table begins here:\n##0 5 9 1 2 3\n#Particle table begins here:\n"
        "#x y z vx vy vz particle_id assigned_internal_haloid internal_haloid "
        "external_haloid\n";

    share_folder();
    if (world.rank == 0) {
        char text[2048];

        snprintf(text, sizeof text,
                 "%s1.5 0 0 0 0 0 3000 0 0 3\n1 0 0 0 0 0 5000 1 0 3\n1 0 0 0 0 0 3001 0 0 3\n"
                 "1 0 0 0 0 0 5000 1 1 5\n",
                 head);
        write_text("halos_0.0.particles", text);
        write_text("halos_0.1.particles", "1 0 0 0 0 0 3000 0 0 3\n");
        snprintf(text, sizeof text, "%s1 0 0 0 0 0 3.5 0 0 3\n", head);
        write_text("halos_1.0.particles", text);
    }
    hg_comm_barrier(&world);
    expect("auto", "halos_0.0.particles", NULL, 0, "3: 3000 3001; 5: 5000; ");
    expect_failure("rockstar", "halos_0.1.particles", NULL, HG_E_FORMAT, "no comment above");
    expect_failure("rockstar", "halos_1.0.particles", NULL, HG_E_FORMAT, "no whole numbers");
    drop_folder();
}
