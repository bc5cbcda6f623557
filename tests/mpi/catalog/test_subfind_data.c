#include "mpi_test.h"

#include "base/hash.h"
#include "catalog_test.h"

MPI_SUITE(subfind_data);

/* Hash of the rows of parts first, first + step, ...; summed, so that the order is free. */
static int64_t
hash_rows(const hg_catalog *catalog, int64_t first, int64_t step, int n,
          const char *const names[])
{
    uint64_t sum = 0;

    for (int64_t part = first; part < hg_catalog_n_part(catalog); part += step) {
        hg_table t = {0};
        uint64_t hash = hg_hash_bytes(&part, sizeof part);

        cr_expect_eq(hg_catalog_read(catalog, part, n, names, &t), HG_OK, "%s",
                     hg_error_last()->message);
        for (int c = 0; c < t.n_column; c++) {
            static const size_t size[] = {8, 4, 8, 4, 1};
            const hg_column *col = &t.column[c];

            hash = hg_hash_more(hash, col->data, (size_t)(t.n * col->width) * size[col->type]);
        }
        sum += hash >> 8;
        hg_table_clear(&t);
    }
    return (int64_t)sum;
}

Test(subfind_data, real_group_files_agree_with_the_independent_table)
{
    static const char *const names[] = {"central", "m_bound",  "vmax",      "sigma_v",
                                        "r_half",  "sfr",      "m_dm",      "stellar_mass",
                                        "bh_mass", "velocity", "flag",      "n_part",
                                        "m200c",   "r200c",    "GroupNsubs"};
    static const char *const same[] = {"m_bound", "vmax",         "sigma_v",  "r_half", "sfr",
                                       "m_dm",    "stellar_mass", "velocity", "n_part"};
    const char *data = real_data(), *file, *tests = strstr(__FILE__, "/tests/mpi/");
    char groups[512], table_path[512], map[4096];
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL, *table = NULL;
    hg_table a = {0}, b = {0};
    int64_t joined = 0, centrals = 0, promised = 0;

    if (data == NULL) {
        return;
    }
    snprintf(groups, sizeof groups, "%s/tng100-1_z0_groupcat/fof_subhalo_tab_099.{file}.hdf5",
             data);
    snprintf(table_path, sizeof table_path, "%s/tng100-1_z0_tables/centrals_Mstar_gt_0.1.h5",
             data);
    snprintf(map, sizeof map, "%.*s/params/mappings/tng100-1_centrals.yml",
             (int)(tests - __FILE__), __FILE__);
    file = groups;
    options.n_file = 1;
    options.files = &file;
    options.partial = true;
    all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
    all_assert(hg_catalog_n_part(catalog) == 1);
    all_assert(hg_catalog_read(catalog, 0, 15, names, &a) == HG_OK);
    file = table_path;
    options.mapping = map;
    options.partial = false;
    all_assert(hg_catalog_open(&world, &options, &table) == HG_OK);
    all_assert(hg_catalog_read(table, 0, 9, same, &b) == HG_OK);
    for (int64_t i = 0, j = 0; i < a.n; i++) {
        int64_t id = hg_table_i64(&a, "id")[i];

        if (hg_table_u8(&a, "central")[i]) {
            centrals++;
            promised += hg_table_i64(&a, "GroupNsubs")[i];
        }
        while (j < b.n && hg_table_i64(&b, "id")[j] < id) {
            j++;
        }
        if (j == b.n || hg_table_i64(&b, "id")[j] != id) {
            continue;
        }
        joined++;
        cr_expect_eq(hg_table_u8(&a, "central")[i], 1);
        for (int c = 0; c < 9; c++) {
            const hg_column *x = hg_table_find(&a, same[c]), *y = hg_table_find(&b, same[c]);
            size_t row = (size_t)x->width * (x->type == HG_COLUMN_I64 ? 8 : 4);

            cr_expect_eq(memcmp((char *)x->data + (size_t)i * row,
                                (char *)y->data + (size_t)j * row, row),
                         0, "%s of id %lld", same[c], (long long)id);
        }
    }
    /* each of the 64 groups has one central, and M* > 1e9 Msun/h holds for all of them */
    cr_expect_eq(centrals, 64, "%lld", (long long)centrals);
    cr_expect_eq(joined, 64, "%lld", (long long)joined);
    cr_expect_eq(promised, a.n, "GroupNsubs sums to %lld", (long long)promised);
    all_assert(joined > 0);
    hg_table_clear(&a);
    hg_table_clear(&b);
    hg_catalog_close(catalog);
    hg_catalog_close(table);
}

Test(subfind_data, real_sets_are_the_same_for_any_ranks)
{
    static const struct {
        const char *pattern;
        int64_t rows;
    } item[] = {{"tng100-1_z0_groupcat/fof_subhalo_tab_099.{file}.hdf5", 52322},
                {"ethos_zoom_groupcat/fof_subhalo_tab_127.{file}.hdf5", 13089}};
    static const char *const names[] = {"position", "velocity", "central", "m200c", "vmax",
                                        "m_bound",  "host_id",  "spin",    "group"};
    const char *data = real_data();

    if (data == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        char path[512];
        const char *file = path;
        hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
        hg_catalog *catalog = NULL;
        int64_t sum, alone;

        snprintf(path, sizeof path, "%s/%s", data, item[i].pattern);
        options.n_file = 1;
        options.files = &file;
        options.partial = true;
        options.on_bad_rows = "drop";
        options.rows_per_part = 5000;
        all_assert(hg_catalog_open(&world, &options, &catalog) == HG_OK);
        all_assert(hg_catalog_n_row(catalog) == item[i].rows);
        alone = hash_rows(catalog, 0, 1, 9, names);
        sum = hash_rows(catalog, world.rank, world.size, 9, names);
        hg_comm_sum(&world, 1, &sum);
        all_assert(sum == alone);
        hg_catalog_close(catalog);
    }
}
