/* Statistics of a small universe with known answers, measured on all ranks and by each rank
 * alone. */
#include "measure_universe.h"

#include "stats/metric.h"

MPI_SUITE(measure);

/* Galaxies of a region with a mass in [low, high). */
static double
count_region(int r, double low, double high)
{
    double inside = 0;

    for (int64_t i = 0; i < N; i++) {
        made_row row = make_row(i);
        double m = (double)row.truth, d2 = 0;

        for (int k = 0; k < 3; k++) {
            double d = fabs(row.position[k] - region_x[r]);

            d2 += pow(d > 50 ? 100 - d : d, 2);
        }
        inside += m >= low && m < high && sqrt(d2) <= region_r[r];
    }
    return inside;
}

/* Densities are weighted by region. Of two regions a resampling takes the first twice, both, or
 * the second twice, in 1, 2 and 1 of four cases; an empty bin has 1.84 objects of mean weight.
 */
static void
check_zooms(const hg_statistics *s)
{
    const hg_curve *mass = hg_statistics_find(s, "zooms", "mass_function_stellar_mass");
    const int64_t b = mass->n / 2;
    double density[2], number[2], mixed = 0, square = 0, mean, sigma, limit = 0, total = 0;
    int64_t empty = 0;

    all_assert(mass->low != NULL);
    for (int r = 0; r < 2; r++) {
        const double volume = 4 * M_PI / 3 * pow(region_r[r], 3) * 0.2;
        const double all = count_region(r, 0, HUGE_VAL);

        number[r] = count_region(r, mass->x_low[b], mass->x_high[b]);
        density[r] = number[r] / volume;
        mixed += region_w[r] * density[r];
        limit += region_w[r] * all / volume;
        total += all;
    }
    mean = 0.25 * density[0] + 0.5 * mixed + 0.25 * density[1];
    square = 0.25 * pow(density[0] - mean, 2) + 0.5 * pow(mixed - mean, 2) +
             0.25 * pow(density[1] - mean, 2);
    sigma = sqrt(square);
    all_assert((double)mass->count[b] == number[0] + number[1] && mass->count[b] > 100);
    all_assert(fabs(mass->y[b] / mixed - 1) < 1e-12);
    all_assert(fabs(mass->error[b] / sigma - 1) < 0.15); /* 200 resamplings */
    all_assert(fabs(mass->low[b] / fmin(density[0], density[1]) - 1) < 1e-12);
    all_assert(fabs(mass->high[b] / fmax(density[0], density[1]) - 1) < 1e-12);
    for (int64_t k = 0; k < mass->n; k++) {
        empty += mass->count[k] == 0;
        all_assert(mass->count[k] > 0 ||
                   fabs(mass->error[k] * total / (1.841 * limit) - 1) < 1e-9);
    }
    all_assert(empty > 0);
}

static void
check_tables(const hg_statistics *s)
{
    const hg_curve *mass = hg_statistics_find(s, "truth", "mass_function_stellar_mass");
    const hg_curve *shmr = hg_statistics_find(s, "truth", "shmr_stellar_mass");
    const hg_curve *scatter = hg_statistics_find(s, "truth", "shmr_scatter_stellar_mass");
    const hg_curve *draws = hg_statistics_find(s, "draw", "mass_function_stellar_mass");
    int64_t total = 0, central = 0, n_central = 0;

    all_assert(mass != NULL && shmr != NULL && scatter != NULL && draws != NULL);
    for (int64_t i = 0; i < N; i++) {
        n_central += make_row(i).central;
    }
    for (int64_t b = 0; b < mass->n; b++) {
        int64_t count = 0;

        for (int64_t i = 0; i < N && b == mass->n / 2; i++) {
            double m = (double)make_row(i).truth;

            count += m >= mass->x_low[b] && m < mass->x_high[b];
        }
        all_assert(b != mass->n / 2 || mass->count[b] == count);
        all_assert(fabs(mass->y[b] - (double)mass->count[b] / 1e6 / 0.2) < 1e-12);
        total += mass->count[b];
    }
    all_assert(total == N);
    for (int64_t b = 0; b < shmr->n; b++) {
        central += shmr->count[b];
        /* the law at the middle of the bin, and its scatter; the bins at the ends are uneven */
        if (b > 0 && b < shmr->n - 1 && shmr->count[b] > 1000) {
            all_assert(fabs(log10(shmr->y[b]) - 1.4 * log10(shmr->x[b]) + 6) < 0.06);
            all_assert(fabs(scatter->y[b] - sqrt(0.04 + 1.96 * 0.04 / 12)) < 0.02);
            all_assert(shmr->low[b] < shmr->y[b] && shmr->y[b] < shmr->high[b]);
        }
    }
    all_assert(central == n_central);
    all_assert(draws->draw_error != NULL &&
               hg_attributes_find(&draws->attributes, "draws")->value == 2);
}

static void
check_comparison(const hg_statistics *s)
{
    static double truth[N], mean[N];
    const hg_attribute *r2 = NULL, *n = NULL;
    int64_t used = 0, counted = 0;
    hg_metric metric;

    for (int64_t i = 0; i < N; i++) {
        made_row row = make_row(i);

        if (row.origin == 0) {
            truth[used] = log10((double)row.truth);
            mean[used++] = log10((double)row.mean);
        }
    }
    all_assert(hg_metric_compute(used, truth, mean, NULL, &metric) == HG_OK);
    for (int i = 0; i < s->n_score; i++) {
        if (strcmp(s->score[i].name, "mean_predicted_true_stellar_mass") == 0) {
            r2 = hg_attributes_find(&s->score[i].attributes, "r2");
            n = hg_attributes_find(&s->score[i].attributes, "n");
        }
    }
    all_assert(r2 != NULL && fabs(r2->value - metric.r2) < 1e-12 && n->value == (double)used);
    for (int i = 0; i < s->n_map; i++) {
        const hg_map *map = &s->map[i];

        if (strcmp(map->label.name, "predicted_true_stellar_mass") == 0 &&
            strcmp(map->label.catalogue, "draw") == 0) {
            for (int64_t c = 0; c < map->n_x * map->n_y; c++) {
                counted += map->counts[c];
            }
        }
    }
    all_assert(counted == used);
}

static void
check_clustering(const hg_statistics *s)
{
    const hg_curve *power = hg_statistics_find(s, "truth", "power_stellar_mass_10.00");
    const hg_curve *xi = hg_statistics_find(s, "truth", "xi_stellar_mass_10.00");
    int64_t objects = 0, sliced = 0, counted = 0;
    double best = 0;

    for (int64_t i = 0; i < N; i++) {
        made_row row = make_row(i);
        bool in = row.truth > 1e10F;

        objects += in;
        sliced += in && row.position[2] < 20;
    }
    all_assert(power != NULL && xi != NULL);
    all_assert(hg_attributes_find(&power->attributes, "objects")->value == (double)objects);
    for (int i = 0; i < s->n_map; i++) {
        const hg_map *map = &s->map[i];

        if (strcmp(map->label.name, "slice_stellar_mass_10.00") == 0 &&
            strcmp(map->label.catalogue, "truth") == 0) {
            for (int64_t c = 0; c < map->n_x * map->n_y; c++) {
                counted += map->counts[c];
            }
        }
    }
    all_assert(counted == sliced);
    /* close pairs give power at low k, far above its error */
    for (int64_t i = 0; i < power->n; i++) {
        best = fmax(best, fabs(power->y[i] / power->error[i]));
        all_assert(power->count[i] > 0 && isfinite(power->y[i]) && power->error[i] > 0);
    }
    all_assert(best > 5);
    all_assert(hg_statistics_find(s, "truth", "power_quadrupole_stellar_mass_10.00") != NULL);
    all_assert(hg_statistics_find(s, "draw", "power_stellar_mass_10.00")->draw_error != NULL);
    all_assert(xi->n > 2);
}

/* Companions stand in the bin of their separation; everything else is as for random points. */
static void
check_pairs(const hg_statistics *s, double separation)
{
    const hg_curve *xi = hg_statistics_find(s, "truth", "xi_stellar_mass_10.00");
    const hg_curve *wp = hg_statistics_find(s, "truth", "wp_stellar_mass_10.00");
    const hg_curve *mono = hg_statistics_find(s, "truth", "xi_monopole_stellar_mass_10.00");
    const double match = hg_attributes_find(&xi->attributes, "r_match")->value;
    const double n = hg_attributes_find(&xi->attributes, "objects")->value;
    const double across = sqrt(4.5);
    int64_t companions = 0;
    int met = 0, last = 0;

    for (int64_t i = 0; i < N; i += 2) {
        companions += make_row(i).truth > 1e10F && make_row(i + 1).truth > 1e10F;
    }
    all_assert(fabs(match - 6.25) < 1e-12 && wp != NULL && mono != NULL);
    for (int64_t i = 0; i < xi->n && xi->x_high[i] <= match * (1 + 1e-9); i++) {
        const double low = xi->x_low[i], high = xi->x_high[i];
        const double random = n * (n - 1) * 4 * M_PI / 3 * (pow(high, 3) - pow(low, 3)) / 1e6;
        bool is_here = separation >= low && separation < high;
        double expected = random + (is_here ? 2 * (double)companions : 0);

        all_assert(fabs((double)xi->count[i] - expected) < 8 * sqrt(2 * random) + 8);
        all_assert(fabs(xi->y[i] - ((double)xi->count[i] / random - 1)) < 1e-9 ||
                   xi->count[i] == 0);
        all_assert(mono->count[i] == xi->count[i] && fabs(mono->y[i] - xi->y[i]) < 1e-9);
        met += is_here;
        last = (int)i;
    }
    all_assert(met == 1 && last + 2 < xi->n && fabs(xi->x_low[last + 1] - match) < 1e-9);
    all_assert(hg_attributes_find(&xi->attributes, "overlap_bins")->value == 2);
    all_assert(hg_attributes_find(&xi->attributes, "overlap_chi2")->value < 4);
    met = 0;
    for (int64_t i = 0; i < wp->n; i++) {
        const double low = wp->x_low[i], high = wp->x_high[i];
        const double random = n * (n - 1) * M_PI * (high * high - low * low) * 10 / 1e6;
        bool is_here = across >= low && across < high;

        met += is_here;
        all_assert(fabs((double)wp->count[i] - random -
                        (is_here ? 2.0 * (double)companions : 0)) < 8 * sqrt(2 * random) + 8);
        all_assert(fabs(wp->y[i] - 10 * ((double)wp->count[i] / random - 1)) < 1e-6 ||
                   wp->count[i] == 0);
    }
    all_assert(met == 1);
}

/* Integers equal, powers to 1e-6 of P + S. */
static void
check_same(const hg_statistics *a, const hg_statistics *b)
{
    all_assert(a->n_curve == b->n_curve && a->n_map == b->n_map && a->n_score == b->n_score);
    for (int i = 0; i < a->n_curve; i++) {
        const hg_curve *p = &a->curve[i], *q = &b->curve[i];
        const hg_attribute *shot = hg_attributes_find(&p->attributes, "shot_noise");
        bool is_power = strncmp(p->label.statistic, "power", 5) == 0;
        bool is_xi = strncmp(p->label.statistic, "xi", 2) == 0;

        all_assert(p->n == q->n && strcmp(p->label.name, q->label.name) == 0);
        for (int64_t k = 0; k < p->n; k++) {
            double limit = is_power ? 1e-6 * (fabs(p->y[k]) + 9 * shot->value)
                           : is_xi  ? 1e-5 * p->error[k]
                                    : 0;

            all_assert(p->count == NULL || p->count[k] == q->count[k]);
            all_assert(fabs(p->y[k] - q->y[k]) <= limit || (isnan(p->y[k]) && isnan(q->y[k])));
        }
    }
    for (int i = 0; i < a->n_map; i++) {
        const hg_map *p = &a->map[i], *q = &b->map[i];

        all_assert(
            memcmp(p->counts, q->counts, (size_t)(p->n_x * p->n_y) * sizeof *p->counts) == 0);
    }
    for (int i = 0; i < a->n_score; i++) {
        const hg_attributes *p = &a->score[i].attributes, *q = &b->score[i].attributes;

        for (int k = 0; k < p->n; k++) {
            all_assert(p->v[k].is_text || p->v[k].value == q->v[k].value);
        }
    }
}

Test(measure, a_run_folder_gives_all_statistics_for_any_number_of_ranks)
{
    hg_statistics all, one;
    hg_status alone = HG_OK;
    char path[512];
    hg_comm self;

    make_universe();
    write_regions();
    all_assert(run_measure(&world, "statistics.hdf5", 0, NULL, false) == HG_OK);
    snprintf(path, sizeof path, "%s/statistics.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &all) == HG_OK);
    check_tables(&all);
    check_comparison(&all);
    check_clustering(&all);
    check_pairs(&all, sqrt(6.75));
    check_zooms(&all);
    if (world.size > 1) { /* the same by one rank */
        all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
        if (world.rank == 0) {
            alone = run_measure(&self, "alone.hdf5", 0, NULL, false);
        }
        all_assert(alone == HG_OK);
        snprintf(path, sizeof path, "%s/alone.hdf5", test_folder);
        all_assert(hg_statistics_read(path, &one) == HG_OK);
        check_same(&all, &one);
        hg_statistics_clear(&one);
        hg_comm_clear(&self);
    }
    hg_statistics_clear(&all);
    drop_universe();
}

/* Two folds by 4 reach 16 times further, for one sample and for two. */
Test(measure, folds_reach_beyond_the_mesh)
{
    char path[512], entry[512];
    const char *more[4] = {entry, "Measure.folds=2", "Measure.cross=[guests:all]",
                           "Samples.guests=stellar_mass > 1e10"};
    const char *const bad[2] = {entry, "Measure.folds=1"};
    const hg_curve *joined, *one, *pole;
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry, "Measure.catalogues=[truth=%s/truth.hdf5]", test_folder);
    all_assert(run_measure(&world, "fold.hdf5", 4, more, false) == HG_OK);
    snprintf(path, sizeof path, "%s/fold.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    joined = need_curve(&s, "truth", "power_guests");
    one = need_curve(&s, "truth", "power_fold4_guests");
    pole = need_curve(&s, "truth", "power_hexadecapole_fold16_guests_x_all");
    all_assert(fabs(joined->x_high[joined->n - 1] / (0.9 * M_PI * 128 / 100 * 16) - 1) < 1e-9);
    all_assert(fabs(attribute_of(joined, "fold4_from") / (0.85 * M_PI * 128 / 100) - 1) < 1e-9);
    all_assert(one->x_low[0] < attribute_of(joined, "fold4_from"));
    all_assert(attribute_of(one, "overlap_bins") >= 1);
    all_assert(attribute_of(one, "overlap_chi2") < 6);
    all_assert(pole->x_high[pole->n - 1] == joined->x_high[joined->n - 1]);
    all_assert(attribute_of(pole, "fold") == 16);
    hg_statistics_clear(&s);
    snprintf(entry, sizeof entry, "Measure.mesh=64");
    all_assert(run_measure(&world, "bad.hdf5", 2, bad, false) == HG_E_PARAM);
    all_assert(strstr(hg_error_last()->message, "from 113 cells on") != NULL);
    drop_universe();
}

Test(measure, velocities_move_objects_into_redshift_space)
{
    char path[512], entry[512];
    const char *more[3] = {entry, "Measure.space=redshift", "Measure.line_of_sight=none"};
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry, "Measure.catalogues=[truth=%s/truth.hdf5]", test_folder);
    all_assert(run_measure(&world, "z.hdf5", 3, more, false) == HG_E_PARAM);
    all_assert(strstr(hg_error_last()->message, "line_of_sight") != NULL);
    all_assert(run_measure(&world, "z.hdf5", 2, more, false) == HG_OK);
    snprintf(path, sizeof path, "%s/z.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    check_pairs(&s, sqrt(4.5)); /* companions move next to each other along z */
    hg_statistics_clear(&s);
    hg_comm_barrier(&world);
    if (world.rank == 0) { /* without the parent there are no velocities */
        snprintf(path, sizeof path, "%s/parent.hdf5", test_folder);
        cr_expect_eq(remove(path), 0);
    }
    hg_comm_barrier(&world);
    all_assert(run_measure(&world, "z2.hdf5", 2, more, false) == HG_E_NOTFOUND);
    all_assert(strstr(hg_error_last()->message, "'velocity'") != NULL);
    drop_universe();
}

static bool
is_guest(const made_row *row)
{
    return row->central == 0 && row->m200c > 1e13F;
}

/* Sums of weights of the rows of two samples, and of those in both. */
static void
sum_rows(double sum[2], double *common)
{
    sum[0] = sum[1] = *common = 0;
    for (int64_t i = 0; i < N; i++) {
        const made_row row = make_row(i);
        const double w = (double)row.truth;

        sum[0] += row.truth > 6e12F ? w : 0;
        sum[1] += is_guest(&row);
        *common += row.truth > 6e12F && is_guest(&row) ? w : 0;
    }
}

/* For a weighted sample, a second one and the pair of them. */
static void
check_cross(const hg_statistics *s)
{
    const hg_curve *cross = need_curve(s, "truth", "power_heavy_x_guests");
    const hg_curve *weighted = need_curve(s, "truth", "power_heavy");
    const hg_curve *xi = need_curve(s, "truth", "xi_heavy_x_guests");
    const hg_curve *own = need_curve(s, "draw", "power_guests_x_truth_guests");
    double sum[2], common;

    sum_rows(sum, &common);
    all_assert(fabs(attribute_of(cross, "shot_noise") / (1e6 * common / sum[0] / sum[1]) - 1) <
               1e-9);
    all_assert(attribute_of(weighted, "shot_noise") > attribute_of(cross, "shot_noise"));
    all_assert(fabs(attribute_of(cross, "weight_sum") / sum[0] - 1) < 1e-9);
    all_assert(attribute_of(cross, "objects_b") == sum[1]);
    /* the draw has the haloes of the truth: paired with it, they give their own spectrum */
    all_assert(hg_statistics_find(s, "truth", "power_guests_x_truth_guests") == NULL);
    for (int64_t i = 0; i < own->n; i++) {
        const hg_curve *alone = need_curve(s, "truth", "power_guests");

        all_assert(fabs(own->y[i] - alone->y[i]) <
                   1e-6 * (fabs(alone->y[i]) + attribute_of(alone, "shot_noise")));
    }
    /* companions within 3 Mpc, counted once per pair of samples */
    all_assert(attribute_of(xi, "overlap_chi2") < 4 && attribute_of(xi, "r_match") > 0);
    for (int64_t i = 0; i < xi->n && xi->x_high[i] <= attribute_of(xi, "r_match"); i++) {
        all_assert((xi->x_low[i] <= sqrt(6.75) && xi->x_high[i] > sqrt(6.75)) ==
                   (xi->y[i] > 4.5 * xi->error[i]));
    }
}

Test(measure, samples_are_paired_weighted_and_seen_from_all_sides)
{
    char path[512], entry[1100];
    const char *const more[] = {"Samples.heavy=stellar_mass > 6e12 | weight stellar_mass",
                                "Samples.guests=central == 0 && m200c > 1e13",
                                "Samples.nobody=stellar_mass > 1e30",
                                "Measure.cross=[heavy:guests, guests:truth/guests]",
                                "Measure.line_of_sight=mean",
                                "Measure.space=both",
                                "Measure.wedges=4",
                                "Measure.mesh=64",
                                "Measure.mu_bins=10",
                                entry};
    static const char *const bad[][2] = {
        {"Measure.cross=[heavy]", "sample:sample"},
        {"Measure.jackknife=2", "at least 3"},
        {"Measure.cross=[heavy:light]", "'light'"},
        {"Measure.cross=[heavy:heavy]", "itself"},
        {"Measure.cross=[heavy:nowhere/heavy]", "'nowhere'"},
        {"Samples.guests=stellar_mass > 9 | wait 3", "'wait 3'"},
        {"Samples.guests=stellar_mass > 9 | weight -1 * stellar_mass", "not negative"}};
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry,
             "Measure.catalogues=[truth=%s/truth.hdf5, draw=%s/galaxies.hdf5@draw]",
             test_folder, test_folder);
    hg_status status = run_measure(&world, "cross.hdf5", 10, more, false);

    if (status != HG_OK) {
        fprintf(stderr, "%s\n", hg_error_last()->message);
    }
    all_assert(status == HG_OK);
    snprintf(path, sizeof path, "%s/cross.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    check_cross(&s);
    /* an empty sample has no clustering, and the others have theirs */
    all_assert(hg_statistics_find(&s, "truth", "power_nobody") == NULL);
    all_assert(hg_statistics_find(&s, "truth", "xi_nobody") == NULL);
    all_assert(attribute_of(need_curve(&s, "truth", "power_quadrupole_guests"),
                            "line_of_sight_spread") > 0);
    all_assert(need_curve(&s, "truth", "xi_quadrupole_guests")->n ==
               need_curve(&s, "truth", "xi_guests")->n);
    /* velocities along z only bring companions closer: the quadrupole of redshift space differs
     */
    all_assert(need_curve(&s, "truth", "xi_redshift_guests")->y[0] !=
               need_curve(&s, "truth", "xi_guests")->y[0]);
    all_assert(need_curve(&s, "truth", "power_wedge4_redshift_guests")->n > 3);
    hg_statistics_clear(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *set[2] = {more[0], bad[i][0]};

        all_assert(run_measure(&world, "bad.hdf5", 2, set, false) != HG_OK);
        if (strstr(hg_error_last()->message, bad[i][1]) == NULL) {
            fprintf(stderr, "%s\n", hg_error_last()->message);
        }
        all_assert(strstr(hg_error_last()->message, bad[i][1]) != NULL);
    }
    drop_universe();
}

Test(measure, bad_requests_fail_in_one_sentence_and_leave_the_old_file)
{
    static const char *const bad[] = {"Measure.catalogues=[nothing]",
                                      "Measure.catalogues=[a=/no/such/file.hdf5]",
                                      "Run.memory_max=1 MiB", "Measure.assignment=tsc"};
    const hg_status expected[] = {HG_E_PARAM, HG_E_NOTFOUND, HG_E_MEMORY, HG_E_EXISTS};
    char path[512], entry[512];
    const char *sample[2] = {entry, "Samples.odd=colour > 1"};
    uint64_t before = 0, after = 0;
    int64_t bytes = 0;

    make_universe();
    snprintf(path, sizeof path, "%s/statistics.hdf5", test_folder);
    snprintf(entry, sizeof entry, "Measure.catalogues=[t=%s/truth.hdf5]", test_folder);
    all_assert(run_measure(&world, "statistics.hdf5", 1, (const char *const[]){entry}, false) ==
               HG_OK);
    hg_comm_barrier(&world);
    all_assert(hg_file_hash(path, &before, &bytes) == HG_OK);
    for (int i = 0; i < 4; i++) {
        all_assert(run_measure(&world, "statistics.hdf5", 1, &bad[i], i < 3) == expected[i]);
        all_assert(hg_error_last()->message[0] != '\0');
    }
    all_assert(run_measure(&world, "statistics.hdf5", 2, sample, true) == HG_E_NOTFOUND);
    all_assert(strstr(hg_error_last()->message, "'colour'") != NULL);
    all_assert(hg_file_hash(path, &after, &bytes) == HG_OK);
    all_assert(before == after);
    drop_universe();
}
