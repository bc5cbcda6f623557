#include "mpi_test.h"

#include "base/memory.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "read_catalog.h"
#include "store/publish.h"

MPI_SUITE(run_table);

/* A text catalogue of five rows in runs 4, 9, 4, 5 and 9, and a run table. */
static hg_status
read_rows(const char *runs, const char *name, int64_t rows_per_part, bool drop, hg_table *table)
{
    static const char *const names[] = {"m200c", "sigma_8", "omega_m"};
    const char *files[1] = {in_folder("table.csv")};
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    if (world.rank == 0) {
        cr_assert_eq(hg_publish_text(in_folder("runs.csv"), runs), HG_OK);
        cr_assert_eq(hg_publish_text(in_folder("map.yml"),
                                     "Header: {redshift: 0}\nColumns:\n  run: run\n"
                                     "  m200c: \"M, Msun\"\n"),
                     HG_OK);
        cr_assert_eq(
            hg_publish_text(files[0], "run,M\n4,1e12\n9,2e12\n4,inf\n5,4e12\n9,5e12\n"), HG_OK);
    }
    hg_comm_barrier(&world);
    options.mapping = in_folder("map.yml");
    options.n_file = 1;
    options.files = files;
    options.rows_per_part = rows_per_part;
    options.run_table = in_folder("runs.csv");
    options.run = name;
    options.on_bad_rows = drop ? "drop" : "flag";
    return read_catalog(&options, "columns", 3, names, table);
}

static bool
says(const char *text)
{
    bool found = strstr(hg_error_last()->message, text) != NULL;

    cr_expect(found, "'%s' is not in '%s'", text, hg_error_last()->message);
    return found;
}

/* lines in any order; a run without a line gives NaN; dropped rows move nothing */
Test(run_table, rows_take_the_line_of_their_run_in_any_parts)
{
    static const char runs[] = "run,omega_m,sigma_8\n9,0.35,0.9\n4,0.15,0.7\n-3,1,1\n";
    hg_table table = {0};

    share_folder();
    for (int64_t per_part = 1; per_part <= 6; per_part++) {
        const double *omega, *sigma;

        all_assert(read_rows(runs, "unused", per_part, true, &table) == HG_OK);
        all_assert(table.n == 4);
        omega = hg_table_f64(&table, "omega_m");
        sigma = hg_table_f64(&table, "sigma_8");
        all_assert(omega[0] == 0.15 && omega[1] == 0.35 && isnan(omega[2]) && omega[3] == 0.35);
        all_assert(sigma[0] == 0.7 && sigma[1] == 0.9 && isnan(sigma[2]) && sigma[3] == 0.9);
        hg_table_clear(&table);
    }
    all_assert(hg_mem_used() == 0);
    drop_folder();
}

Test(run_table, a_run_without_a_column_takes_the_line_of_its_name)
{
    static const char runs[] = "#Name omega_m sigma_8\nLH_1 0.3 0.8\nLH_2 0.2 0.9\n";
    hg_table table = {0};

    share_folder();
    all_assert(read_rows(runs, "LH_2", 2, false, &table) == HG_OK);
    all_assert(table.n == 5);
    for (int64_t i = 0; i < 5; i++) {
        all_assert(hg_table_f64(&table, "omega_m")[i] == 0.2);
        all_assert(hg_table_f64(&table, "sigma_8")[i] == 0.9);
    }
    hg_table_clear(&table);
    all_assert(read_rows(runs, "LH_22", 2, false, &table) == HG_E_NOTFOUND);
    all_assert(says("no line for run 'LH_22' (there is 'LH_2')"));
    all_assert(hg_mem_used() == 0);
    drop_folder();
}

Test(run_table, mistakes_are_named)
{
    static const struct {
        const char *text, *part;
        hg_status status;
    } bad[] = {
        {"run,omega_m\n4,x\n", "line 2: 'x' in column 'omega_m' is not a number", HG_E_FORMAT},
        {"run,omega_m\n4,\n", "line 2: '' in column 'omega_m'", HG_E_FORMAT},
        {"run,omega_m\nLH_4,0.3\n", "'LH_4' in column 'run' is not an integer", HG_E_FORMAT},
        {"run,omega_m\n4,1\n9,1\n4,2\n", "lists run 4 twice", HG_E_INPUT},
        {"name,omega_m\nA,1\nA,2\n", "lists run 'A' twice", HG_E_INPUT},
        {"run,omega_m\n", "lists no runs", HG_E_INPUT},
        {"run,m200c\n4,1\n", "'m200c' is a column of run table", HG_E_INPUT},
        {"run\n4\n", "at least one more", HG_E_FORMAT},
        {"run,omega_n\n4,1\n", "no column 'sigma_8'", HG_E_NOTFOUND}};
    hg_table table = {0};

    share_folder();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        all_assert(read_rows(bad[i].text, "A", 0, false, &table) == bad[i].status);
        all_assert(says(bad[i].part));
        all_assert(hg_mem_used() == 0);
        hg_comm_barrier(&world);
    }
    drop_folder();
}
