/* Probabilities against what the truth has, in a small universe. */
#include "measure_universe.h"

MPI_SUITE(measure_labels);

Test(measure_labels, frequencies_stand_beside_probabilities)
{
    char path[512], entry[1100];
    const char *const more[] = {"Targets.sfr=log10 | hurdle", "Measure.mesh=16",
                                "Measure.pairs=false", entry};
    int64_t count[2] = {0}, yes[2] = {0}, filled = 0;
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry,
             "Measure.catalogues=[truth=%s/truth.hdf5, mean=%s/galaxies.hdf5@mean]",
             test_folder, test_folder);
    all_assert(run_measure(&world, "labels.hdf5", 4, more, false) == HG_OK);
    snprintf(path, sizeof path, "%s/labels.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    for (int64_t i = 0; i < N; i++) {
        const made_row row = make_row(i);

        if (row.origin == 0) {
            count[i % 20 < 10]++;
            yes[i % 20 < 10] += row.sfr > 0;
        }
    }
    const hg_curve *curve = need_curve(&s, "mean", "reliability_sfr");

    all_assert(curve->n == 20 && strcmp(curve->label.column, "sfr") == 0);
    for (int64_t b = 0; b < curve->n; b++) {
        const int k = b == 17;

        filled += curve->count[b] > 0;
        if (b == 6 || b == 17) {
            const double share = (double)yes[k] / (double)count[k];

            all_assert(curve->count[b] == count[k] && fabs(curve->y[b] - share) < 1e-14);
            all_assert(fabs(curve->x[b] - (k == 1 ? 0.88 : 0.33)) < 1e-6);
            all_assert(fabs(curve->error[b] - sqrt(share * (1 - share) / (double)count[k])) <
                       1e-14);
        } else {
            all_assert(isnan(curve->y[b]));
        }
    }
    all_assert(filled == 2);
    hg_statistics_clear(&s);
    drop_universe();
}
