/* Galaxies of a small mock against its matter particles. */
#include "mpi_folder.h"

#include <math.h>
#include <stdio.h>

#include "measure/measure.h"
#include "mock/mock.h"
#include "stats/curve.h"
#include "store/publish.h"

MPI_SUITE(matter);

static const char mapping[] =
    "Header: {box: Header@BoxSize, box_unit: Mpc/h, redshift: Header@Redshift,\n"
    "         h: Header@HubbleParam, omega_m: Header@Omega0}\n"
    "Columns: {id: PartType1/ParticleIDs, position: \"PartType1/Coordinates, cMpc/h\"}\n";

/* Run a step with these entries besides those of all steps. */
static void
run_step(hg_status step(const hg_comm *, const hg_params *, bool), int n,
         const char *const more[])
{
    char folder[600];
    const char *set[20] = {folder,
                           "Mock.box=150 Mpc",
                           "Mock.mesh=64",
                           "Mock.zooms=0",
                           "Mock.oracle=0",
                           "Mock.periodic=0 Mpc",
                           "Mock.particles=0.5",
                           "Measure.mesh=64",
                           "Measure.pairs=false",
                           "Measure.zooms=false",
                           "Measure.slice_depth=0 Mpc",
                           "Measure.line_of_sight=z"};
    hg_params_options options = {.n_set = 12, .set = set, .snap = -1};
    hg_params *params = NULL;
    hg_status status;

    snprintf(folder, sizeof folder, "Output.folder=%s", test_folder);
    for (int i = 0; i < n; i++) {
        set[options.n_set++] = more[i];
    }
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    status = step(&world, params, true);
    hg_params_free(params);
    if (status != HG_OK) {
        fprintf(stderr, "%s\n", hg_error_last()->message);
    }
    all_assert(status == HG_OK);
}

/* On large scales galaxies trace matter with one bias: P_gm / P_mm = sqrt(P_gg / P_mm), and the
 * cross spectrum, which has no shot noise, is no larger than both allow. */
Test(matter, galaxies_are_biased_against_the_particles_of_the_mock)
{
    enum { FIRST = 1, BINS = 5 };
    char path[600], entry[3][700];
    const char *galaxies[] = {entry[0], entry[1], entry[2], "Measure.cross=[bright:matter/all]",
                              "Samples.bright=stellar_mass > 1e10 Msun"};
    const char *matter[] = {entry[0], entry[1], "Samples.matter=id >= 0",
                            "Measure.file=matter.hdf5"};
    const hg_curve *gg, *gm, *mm;
    double sum[3] = {0};
    hg_statistics s[2];
    hg_status status = HG_OK;

    share_folder();
    run_step(hg_mock_run, 0, NULL);
    snprintf(path, sizeof path, "%s/map.yml", test_folder);
    if (world.rank == 0) {
        status = hg_publish_text(path, mapping);
    }
    all_assert(status == HG_OK);
    snprintf(entry[0], sizeof entry[0], "Measure.catalogues=[truth=%s/truth.hdf5]",
             test_folder);
    snprintf(entry[1], sizeof entry[1], "Measure.references=[matter=%s/particles.hdf5]",
             test_folder);
    snprintf(entry[2], sizeof entry[2], "Measure.reference_mapping=%s", path);
    run_step(hg_measure_run, 5, galaxies);
    snprintf(entry[0], sizeof entry[0], "Measure.catalogues=[dark=%s/particles.hdf5]",
             test_folder);
    snprintf(entry[1], sizeof entry[1], "Measure.mapping=%s", path);
    run_step(hg_measure_run, 4, matter);
    snprintf(path, sizeof path, "%s/statistics.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s[0]) == HG_OK);
    snprintf(path, sizeof path, "%s/matter.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s[1]) == HG_OK);
    gg = hg_statistics_find(&s[0], "truth", "power_bright");
    gm = hg_statistics_find(&s[0], "truth", "power_bright_x_matter_all");
    mm = hg_statistics_find(&s[1], "dark", "power_matter");
    all_assert(gg != NULL && gm != NULL && mm != NULL);
    all_assert(hg_attributes_find(&gm->attributes, "shot_noise")->value == 0);
    all_assert(hg_attributes_find(&gm->attributes, "objects_b")->value ==
               hg_attributes_find(&mm->attributes, "objects")->value);
    for (int i = FIRST; i < FIRST + BINS; i++) {
        const double modes = (double)gm->count[i];

        all_assert(gm->count[i] == gg->count[i] && gm->count[i] == mm->count[i]);
        sum[0] += modes * gg->y[i];
        sum[1] += modes * gm->y[i];
        sum[2] += modes * mm->y[i];
    }
    all_assert(fabs(sum[1] / sqrt(sum[0] * sum[2]) - 1) < 0.06);
    all_assert(sum[1] / sum[2] > 0.9 && sum[1] / sum[2] < 1.3); /* above 1e10 Msun */
    hg_statistics_clear(&s[0]);
    hg_statistics_clear(&s[1]);
    drop_folder();
}
