#include <criterion/criterion.h>

#include "base/text.h"
#include "catalog/inspect.h"
#include "catalog_test.h"
#include "store/h5.h"

TestSuite(inspect, .init = folder_create, .fini = folder_remove);

static void
expect(const char *path, const char *mapping, const char *const words[])
{
    hg_text report = {0};

    cr_expect_eq(hg_catalog_inspect(path, mapping, -1, &report), HG_OK, "%s",
                 hg_error_last()->message);
    for (int i = 0; words[i] != NULL; i++) {
        cr_expect_not_null(strstr(hg_text_string(&report), words[i]), "no '%s' in\n%s",
                           words[i], hg_text_string(&report));
    }
    hg_text_clear(&report);
}

Test(inspect, unknown_files_are_described)
{
    double x[4] = {1, 2, 3, 4};
    int64_t dims[2] = {2, 2};
    hg_h5 *file = NULL;
    hg_text report = {0};
    FILE *text = fopen(in_folder("t.list"), "w");

    cr_assert_eq(hg_h5_create(in_folder("u.hdf5"), &file), HG_OK);
    cr_assert_eq(hg_h5_write(file, "a/b", HG_F64, 2, dims, NULL, x), HG_OK);
    cr_assert_eq(hg_h5_close(file), HG_OK);
    fputs("#ID DescID Mvir\n1 2 3\n", text);
    fclose(text);
    expect(in_folder("u.hdf5"), NULL,
           (const char *[]){"no format that is known", "a/b", "float64 (2, 2)", "mapping file",
                            NULL});
    expect(in_folder("t.list"), NULL,
           (const char *[]){"text file", "Rockstar", "#ID DescID Mvir", NULL});
    cr_expect_eq(hg_catalog_inspect(in_folder("none.hdf5"), NULL, -1, &report), HG_E_NOTFOUND);
    cr_assert_eq(truncate(in_folder("u.hdf5"), 1500), 0);
    cr_expect_eq(hg_catalog_inspect(in_folder("u.hdf5"), NULL, -1, &report), HG_E_FORMAT);
    hg_text_clear(&report);
}

Test(inspect, what_is_no_catalogue_is_named)
{
    hg_h5 *file = NULL;
    FILE *f = fopen(in_folder("noise.bin"), "wb");

    cr_assert_eq(hg_h5_create(in_folder("model.hdf5"), &file), HG_OK);
    cr_assert_eq(hg_h5_put_string(file, "", "format", "halograft-model"), HG_OK);
    cr_assert_eq(hg_h5_close(file), HG_OK);
    fwrite("\0\1\2\3", 1, 4, f);
    fclose(f);
    fclose(fopen(in_folder("none.txt"), "w"));
    f = fopen(in_folder("p.yml"), "w");
    fputs("Meta: {seed: 1}\n", f);
    fclose(f);
    expect(in_folder("model.hdf5"), NULL,
           (const char *[]){"a model made by", "Model.file", NULL});
    expect(in_folder("noise.bin"), NULL, (const char *[]){"binary file of 4 bytes", NULL});
    expect(in_folder("none.txt"), NULL, (const char *[]){"empty file", NULL});
    expect(in_folder("p.yml"), NULL, (const char *[]){"params --check", NULL});
    expect(in_folder("."), NULL, (const char *[]){"a folder", NULL});
}

Test(inspect, a_mapped_table_shows_units_and_ranges)
{
    FILE *text = fopen(in_folder("t.csv"), "w"), *map = fopen(in_folder("m.yml"), "w");

    fputs("ID,M,R\n1,1e12,0.2\n2,8e12,0.4\n", text);
    fclose(text);
    fputs("Header: {h: 0.5, redshift: 0, omega_m: 0.3}\n"
          "Columns: {id: ID, m200c: 'M, Msun/h', r200c: 'R, Mpc/h'}\n",
          map);
    fclose(map);
    expect(in_folder("t.csv"), in_folder("m.yml"),
           (const char *[]){"format: columns", "rows: 2 in 1 file", "h 0.5", "m200c", "Msun",
                            "2e+12 .. 1.6e+13", "overdensity: M200c is 0.5376",
                            "not known: box", NULL});
}

Test(inspect, public_files_are_told_apart)
{
    static const struct {
        const char *file, *words[4];
    } item[] = {
        {"tng100-1_z0_groupcat/fof_subhalo_tab_099.100.hdf5",
         {"format: subfind", "rows: 2249", "as it should be", "SubhaloStellarPhotometrics"}},
        {"ethos_zoom_groupcat/fof_subhalo_tab_127.1.hdf5",
         {"format: subfind", "rows: 0", "box 144.739", "redshift"}},
        {"ethos_zoom_groupcat/fof_subhalo_tab_127.{file}.hdf5",
         {"format: subfind", "rows: 13089", "dark matter only", "as it should be"}},
        {"snapshots/snapshot_z0_gadget_style.hdf5",
         {"format: gadget", "rows: 262144", "box 47.50", "particle_id"}},
        {"rockstar/halos_0.2.ascii",
         {"format: rockstar", "rows: 7346", "redshift 10.3", "r_vmax"}},
        {"illustris1_galaxies/illustris1_galaxies.h5",
         {"no format that is known", "snap_135/PosX", "float32 (4577)", "mapping file"}}};
    const char *data = real_data();
    char path[512];

    if (data == NULL) {
        cr_skip("no HG_DATA: the public files are not looked at");
    }
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        const char *words[5] = {NULL};

        memcpy(words, item[i].words, sizeof item[i].words);
        snprintf(path, sizeof path, "%s/%s", data, item[i].file);
        expect(path, NULL, words);
    }
}
