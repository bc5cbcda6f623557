/* All rows of a catalogue, part by part, in the columns that are named: the work of a reader.
 *
 *   bench_read FILES COLUMN...
 *
 * FILES is a path or a pattern with {file}. Prints rows, seconds, and seconds of processor
 * time.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "halograft/catalog.h"

static double
seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static hg_status
read_all(const hg_comm *comm, const char *files, int n, const char *const names[],
         int64_t *rows)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    hg_status status = HG_OK;

    options.n_file = 1;
    options.files = &files;
    *rows = 0;
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && status == HG_OK; part++) {
        hg_table table = {0};

        status = hg_catalog_read(catalog, part, n, names, &table);
        *rows += table.n;
        hg_table_clear(&table);
    }
    hg_catalog_close(catalog);
    return status;
}

int
main(int argc, char **argv)
{
    hg_comm world;
    double wall, cpu;
    int64_t rows = 0;
    hg_status status = hg_comm_start(&argc, &argv, &world);

    if (status == HG_OK && argc > 2) {
        wall = seconds(CLOCK_MONOTONIC);
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        status =
            read_all(&world, argv[1], argc - 2, (const char *const *)(void *)(argv + 2), &rows);
        printf("%lld %.4f %.4f\n", (long long)rows, seconds(CLOCK_MONOTONIC) - wall,
               seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
    if (status != HG_OK) {
        fprintf(stderr, "%s\n", hg_error_last()->message);
    }
    hg_comm_stop(&world);
    return status != HG_OK;
}
