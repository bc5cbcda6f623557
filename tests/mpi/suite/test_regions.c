#include "mpi_fault.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/publish.h"
#include "suite/frame_text.h"
#include "suite/regions.h"

MPI_SUITE(regions);

static char path[64];

static hg_status
read_table(const char *text, int *n, hg_region **regions)
{
    hg_status status = HG_OK;

    if (world.rank == 0) {
        snprintf(path, sizeof path, "/tmp/hg_regions_%ld.csv", (long)getpid());
        status = hg_publish_text(path, text);
    }
    MPI_Bcast(path, (int)sizeof path, MPI_BYTE, 0, MPI_COMM_WORLD);
    cr_assert_eq(status, HG_OK);
    status = hg_regions_read(&world, path, "zoom", n, regions);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        unlink(path);
    }
    return status;
}

Test(regions, a_table_arrives_on_every_rank)
{
    hg_region *r = NULL;
    int n = 0;

    all_assert(read_table("# zooms\nregion, hydro, weight, radius, x, run, match, dmo_ids, "
                          "boundary, boundary_radius\n"
                          "3, a.hdf5, 0.25, 15, 1.5,,m.csv, , low.hdf5, 40\n\n"
                          "7, /b/c.hdf5, 0.75, , 2, R2,,i.hdf5, ,\n",
                          &n, &r) == HG_OK);
    all_assert(n == 2 && r[0].region == 3 && r[1].region == 7);
    all_assert(strcmp(r[0].run, "zoom") == 0 && strcmp(r[1].run, "R2") == 0);
    all_assert(strcmp(r[0].hydro, "/tmp/a.hdf5") == 0 && strcmp(r[1].hydro, "/b/c.hdf5") == 0);
    all_assert(strcmp(r[0].match, "/tmp/m.csv") == 0 && r[0].dmo_ids[0] == '\0');
    all_assert(r[1].match[0] == '\0' && strcmp(r[1].dmo_ids, "/tmp/i.hdf5") == 0);
    all_assert(strcmp(r[0].boundary, "/tmp/low.hdf5") == 0 && r[0].boundary_radius == 40);
    all_assert(r[1].boundary[0] == '\0' && isnan(r[1].boundary_radius));
    all_assert(r[0].radius == 15 && isnan(r[1].radius) && isnan(r[0].centre[1]));
    all_assert(fabs(hg_regions_effective(n, r) - 1 / (0.0625 + 0.5625)) < 1e-12);
    hg_mem_free(r);
    all_assert(hg_mem_used() == 0);
}

Test(regions, mistakes_are_named_with_line_and_column)
{
    static const struct {
        const char *text;
        const char *part;
        hg_status status;
    } bad[] = {
        {"region,hydro\n", "no regions", HG_E_INPUT},
        {"region,weight\n1,2\n", "no column 'hydro'", HG_E_FORMAT},
        {"region,hydro,radus\n1,a,2\n", "'radus', did you mean 'radius'", HG_E_FORMAT},
        {"region,hydro,weight\n1,a,x\n", "line 2: 'x' in column 'weight'", HG_E_FORMAT},
        {"region,hydro,weight\n1,a,-1\n", "negative", HG_E_INPUT},
        {"region,hydro\n1,a\n1,b\n", "line 3: region 1 of run 'zoom' is listed twice",
         HG_E_INPUT},
        {"region,hydro\n1,\n", "line 2: no file", HG_E_FORMAT},
        {"region,hydro,x\n1,a\n", "line 2: 2 fields, the header line has 3", HG_E_FORMAT},
        {"region,hydro,radius\n1,a,-2\n", "radius -2 is not positive", HG_E_INPUT},
        {"region,hydro,radius,boundary\n1,a,2,b\n", "needs a boundary_radius", HG_E_INPUT},
        {"region,hydro,radius,boundary,boundary_radius\n1,a,2,b,2\n",
         "beyond the radius of the region: 2 and 2", HG_E_INPUT}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hg_region *r = NULL;
        int n = 0;

        all_assert(read_table(bad[i].text, &n, &r) == bad[i].status);
        cr_expect(strstr(hg_error_last()->message, bad[i].part) != NULL, "%s",
                  hg_error_last()->message);
        all_assert(r == NULL && n == 0);
    }
}

Test(regions, every_agreement_may_fail_on_every_rank)
{
    fault_loop f = {.on_each = true};

    while (fault_next(&f)) {
        hg_region *r = NULL;
        int n_region = 0;

        all_assert((fault_status(&f, read_table("region,hydro\n1,a\n", &n_region, &r)) ==
                    HG_OK) == (r != NULL));
        hg_mem_free(r);
        all_assert(hg_mem_used() == 0);
    }
    all_assert(f.n_failed == 2 * world.size); /* two agreements, then success */
}

Test(regions, frames_are_written_read_and_compared)
{
    hg_frame a = HG_FRAME_UNKNOWN, b;
    hg_text text = {0};

    a.redshift = 0.1;
    a.omega_m = 0.3;
    a.h = 0.7;
    a.dark_matter_only = true;
    all_assert(hg_frame_write(&a, &text) == HG_OK);
    all_assert(hg_frame_parse(hg_text_string(&text), &b) == HG_OK);
    all_assert(b.redshift == 0.1 && b.omega_m == 0.3 && isnan(b.box) && b.dark_matter_only);
    all_assert(hg_frame_compare(&a, "a", &b, "b", 0, 0) == HG_OK);
    b.redshift = 0.12;
    all_assert(hg_frame_compare(&a, "the model", &b, "b", 0.01, 0.01) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "0.12") != NULL);
    b = a;
    b.h = 0.72;
    all_assert(hg_frame_compare(&a, "a", &b, "b", 0.01, 0.01) == HG_E_INPUT);
    b.h = (double)NAN;
    all_assert(hg_frame_compare(&a, "a", &b, "b", 0.01, 0.01) == HG_OK);
    all_assert(hg_frame_parse("redshift 0.1\n", &b) == HG_E_FORMAT);
    hg_text_clear(&text);
}
