/* What haloes hold, against counts by hand and the law of a small universe: stellar masses are
 * lognormal about a line, three of four rows are centrals, one of ten has no star formation. */
#include "measure_universe.h"

MPI_SUITE(measure_content);

static const double threshold = 1e12, scatter = 0.2;

/* Share of galaxies above a mass, at a host mass. */
static double
share_above(double log_host, double mass)
{
    return 0.5 * erfc((log10(mass) - (1.4 * log_host - 6)) / (scatter * M_SQRT2));
}

/* The same, mean over a bin that is filled evenly. */
static double
mean_share(double low, double high, double mass)
{
    double sum = 0;

    for (int k = 0; k < 100; k++) {
        sum += share_above(log10(low) + (k + 0.5) / 100 * log10(high / low), mass) / 100;
    }
    return sum;
}

static void
check_occupation(const hg_statistics *s)
{
    const hg_curve *central = need_curve(s, "truth", "hod_central_heavy");
    const hg_curve *satellite = need_curve(s, "truth", "hod_satellite_heavy");
    int64_t hosts = 0, compared = 0;

    all_assert(central->n == satellite->n);
    for (int64_t b = 0; b < central->n; b++) {
        int64_t host = 0, in[2] = {0};

        hosts += central->count[b];
        if (b == 0 || b == central->n - 1) {
            continue; /* not filled evenly */
        }
        for (int64_t i = 0; i < N; i++) {
            const made_row row = make_row(i);

            const double m = (double)row.m200c;

            if (m >= central->x_low[b] && m < central->x_high[b]) {
                host += row.central;
                in[row.central] += (double)row.truth > threshold;
            }
        }
        const double n = (double)host;
        const double p = fmin(mean_share(central->x_low[b], central->x_high[b], threshold), 1);

        all_assert(central->count[b] == host && satellite->count[b] == host);
        all_assert(fabs(central->y[b] - (double)in[1] / n) < 1e-14);
        all_assert(fabs(satellite->y[b] - (double)in[0] / n) < 1e-14);
        all_assert(fabs(central->y[b] - p) < 5 * sqrt(p * (1 - p) / n) + 1e-3);
        all_assert(fabs(satellite->y[b] - p / 3) < 5 * sqrt(p / 3 / n) + 5e-3);
        all_assert(central->error[b] > 0 && satellite->error[b] > 0);
        all_assert(in[0] == 0 || fabs(satellite->error[b] - sqrt((double)in[0]) / n) < 1e-14);
        compared += p > 0.02 && p < 0.98;
    }
    all_assert(hosts == N - N / 4 && compared >= 2);
}

/* Integrated over mass, the conditional mass functions give the galaxies per host. */
static void
check_conditional(const hg_statistics *s)
{
    static const char *const names[] = {"conditional_stellar_mass_central_12.00",
                                        "conditional_stellar_mass_satellite_12.00"};

    for (int kind = 0; kind < 2; kind++) {
        const hg_curve *curve = need_curve(s, "truth", names[kind]);
        double sum = 0;

        all_assert(attribute_of(curve, "host_low") == 1e12 &&
                   attribute_of(curve, "host_high") == 1e13);
        for (int64_t b = 0; b < curve->n; b++) {
            const double above = mean_share(1e12, 1e13, curve->x_low[b]) -
                                 mean_share(1e12, 1e13, curve->x_high[b]);
            const double law = above / 0.2 * (kind == 0 ? 1 : 1.0 / 3);

            all_assert(fabs(curve->y[b] - law) < 5 * curve->error[b] + 0.01 * law);
            sum += curve->y[b] * 0.2;
        }
        all_assert(kind == 0 ? fabs(sum - 1) < 1e-12 : fabs(sum - 1.0 / 3) < 0.01);
    }
}

static void
check_quenched(const hg_statistics *s)
{
    /* every tenth row is quenched, every fourth from the fourth on a satellite: none is both */
    static const char *const kinds[] = {"central", "satellite", "all"};
    static const double share[] = {0.4 / 3, 0, 0.1};
    int64_t total[3] = {0};

    for (int k = 0; k < 3; k++) {
        char name[HG_LABEL_MAX];

        snprintf(name, sizeof name, "quenched_fraction_stellar_mass_%s", kinds[k]);
        const hg_curve *curve = need_curve(s, "truth", name);

        for (int64_t b = 0; b < curve->n; b++) {
            total[k] += curve->count[b];
            if (curve->count[b] > 1000) {
                const double sigma = sqrt(share[k] * (1 - share[k]) / (double)curve->count[b]);

                all_assert(fabs(curve->y[b] - share[k]) <= 5 * sigma);
                all_assert(curve->error[b] > 0 && curve->error[b] < 1e-3 + 1.3 * sigma &&
                           curve->error[b] > 0.7 * sigma);
            }
        }
    }
    all_assert(total[0] + total[1] == total[2] && total[2] == N && total[1] == N / 4);
}

/* Where there is star formation its rate is 1e-10 of the stellar mass, so all percentiles are.
 */
static void
check_relation(const hg_statistics *s)
{
    const hg_curve *curve = need_curve(s, "truth", "relation_sfr_stellar_mass");
    const hg_curve *plain = need_curve(s, "truth", "shmr_stellar_mass");
    int known = 0;

    all_assert(strcmp(curve->label.x_name, "stellar_mass") == 0 &&
               strcmp(plain->label.x_name, "m200c") == 0);
    for (int64_t b = 0; b < curve->n; b++) {
        if (curve->count[b] > 1000 && curve->x_low[b] > 1e10 && curve->x_high[b] < 1e12) {
            all_assert(fabs(log10(curve->y[b] / curve->x[b]) + 10) < 0.02);
            all_assert(curve->low[b] >= 0.99e-10 * curve->x_low[b] &&
                       curve->high[b] <= 1.01e-10 * curve->x_high[b]);
            known++;
        }
    }
    all_assert(known > 3);
}

Test(measure_content, of_haloes_is_that_of_the_law)
{
    char path[512], entry[1100];
    const char *const more[] = {"Samples.heavy=stellar_mass > 1e12", "Measure.mesh=16",
                                "Measure.pairs=false",
                                "Measure.relations=[sfr:stellar_mass, stellar_mass]", entry};
    static const char *const bad[][2] = {
        {"Measure.host_bins=[1e13 Msun, 1e12 Msun]", "increase"},
        {"Measure.quenched=sfr <", "Measure.quenched"},
        {"Measure.relations=[a:b:c]", "'a:b:c'"}};
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry,
             "Measure.catalogues=[truth=%s/truth.hdf5, draw=%s/galaxies.hdf5@draws]",
             test_folder, test_folder);
    hg_status status = run_measure(&world, "content.hdf5", 5, more, false);

    all_assert(status == HG_OK);
    snprintf(path, sizeof path, "%s/content.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    check_occupation(&s);
    check_conditional(&s);
    check_quenched(&s);
    check_relation(&s);
    all_assert(need_curve(&s, "draw", "hod_central_heavy")->draw_error != NULL);
    all_assert(hg_statistics_find(&s, "draw", "quenched_fraction_stellar_mass_all") == NULL);
    hg_statistics_clear(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        all_assert(run_measure(&world, "bad.hdf5", 1, &bad[i][0], false) == HG_E_PARAM);
        all_assert(strstr(hg_error_last()->message, bad[i][1]) != NULL);
    }
    drop_universe();
}
