/* ranks: 1 */
/* What measuring takes against what is foreseen; a few parts are never spread evenly over
 * ranks. */
#include "measure_universe.h"

#include "measure/measure_memory.h"

MPI_SUITE(measure_memory);

/* What a pair of samples takes beyond a single one, counted and estimated. */
Test(measure_memory, memory_of_pairs_of_samples_is_foreseen)
{
    char entry[1100];
    const char *more[] = {entry, "Measure.mesh=192", "Measure.pairs=false",
                          "Samples.a=stellar_mass > 1e10", "Measure.cross=[a:draw/a]"};
    double found[2], foreseen[2];

    make_universe();
    for (int pair = 0; pair < 2; pair++) {
        const char *set[5] = {more[1], more[3], more[4]};
        hg_params_options options = {.n_set = 2 + pair, .set = set, .snap = -1};
        hg_params *params = NULL;
        hg_measure_memory memory;

        snprintf(entry, sizeof entry,
                 "Measure.catalogues=[truth=%s/truth.hdf5, draw=%s/galaxies.hdf5@draw]",
                 test_folder, test_folder);
        all_assert(run_measure(&world, "memory.hdf5", 4 + pair, more, true) == HG_OK);
        found[pair] = (double)hg_mem_peak();
        all_assert(hg_params_read(&world, &options, &params) == HG_OK);
        hg_measure_memory_estimate(params, N, pair * N, 100, 1, 1, &memory);
        foreseen[pair] = memory.total;
        hg_params_free(params);
    }
    fprintf(stderr, "a pair takes %.4g more, foreseen %.4g\n", found[1] - found[0],
            foreseen[1] - foreseen[0]);
    all_assert(fabs((found[1] - found[0]) / (foreseen[1] - foreseen[0]) - 1) < 0.2);
    drop_universe();
}
