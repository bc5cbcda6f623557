/* Twins and partners of the zooms of a mock, against what the mock knows. */
#include "mpi_folder.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/catalog.h"
#include "match/match.h"
#include "match/match_table.h"
#include "mock/mock.h"
#include "read_catalog.h"

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
