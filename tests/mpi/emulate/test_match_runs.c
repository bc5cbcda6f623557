/* Twins and partners of the zooms of a mock, against what the mock knows. */
#include "mpi_folder.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/training_rows.h"
#include "halograft/catalog.h"
#include "match/match.h"
#include "match/match_table.h"
#include "mock/mock.h"
#include "read_catalog.h"
#include "table/identity.h"

MPI_SUITE(match_runs);

static hg_params *
read_params(const hg_comm *comm, int n_more, const char *const more[])
{
    char folder[512], regions[512];
    const char *set[24] = {"Mock.box=80 Mpc",
                           "Mock.mesh=40",
                           "Mock.zooms=2",
                           "Mock.zoom_radius=14 Mpc",
                           "Mock.hydro=true",
                           "Mock.oracle=0",
                           "Mock.periodic=0 Mpc",
                           "Mock.mass_min=3e10 Msun",
                           "Match.hydro_rule=even | / 2"};
    hg_params_options options = {.n_set = 11, .set = set, .snap = -1};
    hg_params *params = NULL;

    snprintf(folder, sizeof folder, "Output.folder=%s", in_folder("mock"));
    snprintf(regions, sizeof regions, "Zooms.regions=%s", in_folder("mock/regions_hydro.csv"));
    set[9] = folder;
    set[10] = regions;
    for (int i = 0; i < n_more; i++) {
        set[options.n_set++] = more[i];
    }
    cr_assert_eq(hg_params_read(comm, &options, &params), HG_OK, "%s",
                 hg_error_last()->message);
    return params;
}

/* How good the pairs of a region are. */
typedef struct score {
    int64_t n_large, n_found; /* objects above 200 particles with a partner, and found */
    int64_t n_pair, n_wrong;
} score;

static void
judge(int region, const char *truth, const char *table, score *s)
{
    static const char *const columns[] = {"id", "n_part", "dmo_id", "parent_id"};
    char path[600];
    const char *name = path;
    hg_catalog_options options = one_file(&name);
    hg_table hydro;
    hg_match_link *links = NULL;
    int64_t n = 0;

    snprintf(path, sizeof path, "%s/mock/zooms/region_%02d_hydro.hdf5", test_folder, region);
    cr_assert_eq(read_catalog(&options, "halograft", 4, columns, &hydro), HG_OK, "%s",
                 hg_error_last()->message);
    snprintf(path, sizeof path, "%s/mock/matches/mock_%02d_%s", test_folder, region, table);
    cr_assert_eq(hg_match_table_read(&world, path, &n, &links), HG_OK, "%s",
                 hg_error_last()->message);
    s->n_pair += n;
    for (int64_t i = 0; i < hydro.n; i++) {
        const int64_t id = hg_table_i64(&hydro, "id")[i], t = hg_table_i64(&hydro, truth)[i];
        int64_t found = -1;

        for (int64_t k = 0; k < n; k++) {
            found = links[k].id == id ? links[k].partner : found;
        }
        s->n_wrong += found >= 0 && found != t;
        if (hg_table_i64(&hydro, "n_part")[i] > 200 && t >= 0) {
            s->n_large++;
            s->n_found += found == t;
        }
    }
    hg_mem_free(links);
    hg_table_clear(&hydro);
}

static void
make_mock(void)
{
    hg_params *params = read_params(&world, 0, NULL);

    cr_assert_eq(hg_mock_run(&world, params, false), HG_OK, "%s", hg_error_last()->message);
    hg_params_free(params);
}

Test(match_runs, twins_of_a_mock_are_found_and_none_is_wrong)
{
    hg_params *params;
    score s = {0};

    share_folder();
    make_mock();
    params = read_params(&world, 0, NULL);
    cr_assert_eq(hg_match_run(&world, params, false), HG_OK, "%s", hg_error_last()->message);
    for (int r = 0; r < 2; r++) {
        judge(r, "dmo_id", "dmo.hdf5", &s);
    }
    cr_assert(s.n_large > 400, "%d", (int)s.n_large);
    cr_assert((double)s.n_found >= 0.99 * (double)s.n_large, "%d of %d", (int)s.n_found,
              (int)s.n_large);
    cr_assert_eq(s.n_wrong, 0);
    cr_assert_eq(hg_match_run(&world, params, false), HG_E_EXISTS);

    /* the text table holds the same pairs; any number of ranks writes the same bytes */
    for (int r = 0; r < 2; r++) {
        score text = {0}, binary = {0};

        judge(r, "dmo_id", "dmo.csv", &text);
        judge(r, "dmo_id", "dmo.hdf5", &binary);
        cr_assert(memcmp(&text, &binary, sizeof text) == 0);
    }
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        rename(in_folder("mock/matches"), in_folder("first"));
    }
    hg_comm_barrier(&world);
    for (int size = 1; size < world.size; size++) {
        hg_comm part;

        cr_assert_eq(hg_comm_split(&world, world.rank < size ? 0 : -1, &part), HG_OK);
        if (part.size > 0) {
            hg_params *again = read_params(&part, 0, NULL);

            cr_assert_eq(hg_match_run(&part, again, true), HG_OK);
            hg_params_free(again);
        }
        hg_comm_barrier(&world);
        cr_assert(same_bytes(in_folder("first/mock_00_dmo.hdf5"),
                             in_folder("mock/matches/mock_00_dmo.hdf5")));
        cr_assert(same_bytes(in_folder("first/mock_01_dmo.csv"),
                             in_folder("mock/matches/mock_01_dmo.csv")));
        hg_comm_clear(&part);
    }
    hg_params_free(params);
    drop_folder();
}

Test(match_runs, partners_in_the_parent_survive_shifted_centres_and_masses)
{
    static const char *const shift[] = {"Match.mass_shift=0.074"};
    hg_params *params;
    score s = {0};

    share_folder();
    make_mock();
    params = read_params(&world, 1, shift);
    cr_assert_eq(hg_match_to_parent(&world, params, false), HG_OK, "%s",
                 hg_error_last()->message);
    for (int r = 0; r < 2; r++) {
        judge(r, "parent_id", "parent.hdf5", &s);
    }
    cr_assert((double)s.n_found >= 0.99 * (double)s.n_large, "%d of %d", (int)s.n_found,
              (int)s.n_large);
    cr_assert((double)s.n_wrong <= 0.005 * (double)s.n_pair, "%d of %d", (int)s.n_wrong,
              (int)s.n_pair);
    hg_params_free(params);
    drop_folder();
}

/* Rows of one catalogue of the mock. */
static void
read_rows(const char *name, int n, const char *const columns[], hg_table *table)
{
    const char *path = in_folder(name);
    hg_catalog_options options = one_file(&path);

    cr_assert_eq(read_catalog(&options, "halograft", n, columns, table), HG_OK, "%s",
                 hg_error_last()->message);
}

/* One training row. */
typedef struct learned {
    uint64_t key, parent_key;
    double x, y, weight;
} learned;

/* What training must see of region `region`: rows of the partner's catalogue inside the radius
 * with the galaxies of the table of pairs. Returns how many there are; counts what is not among
 * the rows of training. */
static int64_t
expect_rows(int region, bool by_place, const hg_region *r, int64_t n, const learned row[],
            int *n_bad)
{
    static const char *const features[] = {"id", "m_bound", "position"}, *const galaxies[] = {
                                                                             "id",
                                                                             "stellar_mass"};
    char name[80];
    hg_table partner, hydro;
    hg_match_link *links = NULL;
    int64_t n_link = 0, n_expected = 0;

    snprintf(name, sizeof name, "mock/zooms/region_%02d_dmo.hdf5", region);
    read_rows(by_place ? "mock/parent.hdf5" : name, 3, features, &partner);
    snprintf(name, sizeof name, "mock/zooms/region_%02d_hydro.hdf5", region);
    read_rows(name, 2, galaxies, &hydro);
    snprintf(name, sizeof name, "mock/matches/mock_%02d_%s.hdf5", region,
             by_place ? "parent" : "dmo");
    cr_assert_eq(hg_match_table_read(&world, in_folder(name), &n_link, &links), HG_OK);
    for (int64_t k = 0; k < n_link; k++) {
        const uint64_t key = hg_halo_key("mock", region, links[k].partner);
        int64_t p = 0, h = 0, found = -1;

        while (hg_table_i64(&partner, "id")[p] != links[k].partner) {
            p++;
        }
        while (hg_table_i64(&hydro, "id")[h] != links[k].id) {
            h++;
        }
        if (!hg_region_holds(r, 80, hg_table_f64(&partner, "position") + 3 * p)) {
            continue;
        }
        n_expected++;
        for (int64_t i = 0; i < n; i++) {
            found = row[i].key == key ? i : found;
        }
        *n_bad += found < 0 ||
                  row[found].x !=
                      (double)(float)log10((double)hg_table_f32(&partner, "m_bound")[p]) ||
                  row[found].y != log10((double)hg_table_f32(&hydro, "stellar_mass")[h]) ||
                  fabs(row[found].weight - r->weight) > 1e-6 * r->weight ||
                  (by_place && row[found].parent_key !=
                                   hg_halo_key("parent", HG_NO_REGION, links[k].partner));
    }
    hg_mem_free(links);
    hg_table_clear(&partner);
    hg_table_clear(&hydro);
    return n_expected;
}

static void
check_training(bool by_place)
{
    const char *const set[] = {by_place ? "Zooms.features=parent" : "Zooms.features=dmo",
                               "Features.m_bound=log10", "Targets.stellar_mass=log10"};
    hg_params *params = read_params(&world, 3, set);
    hg_recipes features = {0}, targets = {0};
    hg_training_rows rows = {0};
    hg_region *regions = NULL;
    learned *mine = NULL, *all = NULL;
    int64_t n = 0, n_expected = 0;
    int n_region = 0, n_bad = 0;

    cr_assert_eq(by_place ? hg_match_to_parent(&world, params, false)
                          : hg_match_run(&world, params, false),
                 HG_OK);
    cr_assert_eq(hg_recipes_parse(&params->features, "Features", &features), HG_OK);
    cr_assert_eq(hg_recipes_parse(&params->targets, "Targets", &targets), HG_OK);
    cr_assert_eq(hg_training_rows_read(&world, params, &features, &targets, &rows), HG_OK, "%s",
                 hg_error_last()->message);
    cr_assert_eq(hg_mem_array(&mine, (size_t)rows.n, sizeof *mine), HG_OK);
    for (int64_t i = 0; i < rows.n; i++) {
        mine[i] = (learned){rows.key[i], rows.parent_key[i], (double)rows.x[i], rows.y[i],
                            rows.weight[i]};
    }
    cr_assert_eq(hg_comm_gather_rows(&world, rows.n, sizeof *mine, mine, &n, &all), HG_OK);
    cr_assert_eq(hg_regions_read(&world, params->zooms.regions, "zoom", &n_region, &regions),
                 HG_OK);
    for (int r = 0; r < n_region; r++) {
        n_expected += expect_rows(r, by_place, &regions[r], n, all, &n_bad);
    }
    cr_assert(n_expected > 500);
    cr_assert_eq(n, n_expected);
    cr_assert_eq(n_bad, 0);
    hg_mem_free(mine);
    hg_mem_free(all);
    hg_mem_free(regions);
    hg_training_rows_clear(&rows);
    hg_recipes_clear(&features);
    hg_recipes_clear(&targets);
    hg_params_free(params);
}

Test(match_runs, training_joins_galaxies_with_features_of_the_partner)
{
    share_folder();
    make_mock();
    check_training(false);
    check_training(true);
    drop_folder();
}

Test(match_runs, bad_tables_are_named)
{
    static const struct {
        const char *text, *part;
        hg_status status;
    } bad[] = {
        {"id,partner\n1,2\n", "does not name the columns", HG_E_FORMAT},
        {"partner_id,id\n2,1\n3\n", "line 3: no whole number in column id", HG_E_FORMAT},
        {"id,partner_id\n1,x\n", "line 2: no whole number in column partner_id", HG_E_FORMAT},
        {"id,partner_id\n1,2\n1,3\n", "id 1 stands twice", HG_E_INPUT},
        {"id,partner_id\n1,2\n3,2\n", "partner 2 stands twice", HG_E_INPUT}};
    hg_match_link *links = NULL;
    int64_t n = 0;

    share_folder();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (world.rank == 0) {
            FILE *f = fopen(in_folder("t.csv"), "w");

            fputs(bad[i].text, f);
            fclose(f);
        }
        hg_comm_barrier(&world);
        cr_assert_eq(hg_match_table_read(&world, in_folder("t.csv"), &n, &links),
                     bad[i].status);
        cr_assert(strstr(hg_error_last()->message, bad[i].part) != NULL, "%s",
                  hg_error_last()->message);
        hg_comm_barrier(&world);
    }
    if (world.rank == 0) {
        FILE *f = fopen(in_folder("t.csv"), "w");

        fputs("row, id ,partner_id\n0,11,5\n1,12,-1\n2,13,4\n", f);
        fclose(f);
    }
    hg_comm_barrier(&world);
    cr_assert_eq(hg_match_table_read(&world, in_folder("t.csv"), &n, &links), HG_OK);
    cr_assert(n == 2 && links[0].partner == 4 && links[0].id == 13 && links[1].id == 11);
    hg_mem_free(links);
    drop_folder();
}
