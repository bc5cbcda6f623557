/* Covariances in the statistics file of a small universe. */
#include "measure_universe.h"

MPI_SUITE(measure_covariance);

static const hg_covariance *
need_covariance(const hg_statistics *s, const char *catalogue, const char *name)
{
    const hg_covariance *found = NULL;

    for (int i = 0; i < s->n_covariance; i++) {
        const hg_label *label = &s->covariance[i].label;

        if (strcmp(label->catalogue, catalogue) == 0 && strcmp(label->name, name) == 0) {
            found = &s->covariance[i];
        }
    }
    all_assert(found != NULL);
    return found;
}

/* Errors are the roots of what stands on the diagonals; draws are apart. */
static void
check_covariances(const hg_statistics *s)
{
    static const char *const names[] = {"xi_guests", "xi_monopole_redshift_guests", "wp_guests",
                                        "wp_heavy_x_guests"};
    const hg_covariance *g = need_covariance(s, "truth", "gaussian_power_guests");

    all_assert(g->n_curve == 3 && g->diagonal);
    for (int l = 0; l < 3; l++) {
        const hg_curve *p = need_curve(s, "truth", g->curve[l]);

        for (int64_t i = 0; i < g->n; i++) {
            all_assert(fabs(hg_covariance_value(g, l, i, l, i) / pow(p->error[i], 2) - 1) <
                       1e-12);
            all_assert(p->x_low[i] == g->x_low[i]);
        }
    }
    for (int k = 0; k < 4; k++) {
        const hg_curve *curve = need_curve(s, "truth", names[k]);
        char name[HG_LABEL_MAX];

        snprintf(name, sizeof name, "jackknife_%s", names[k]);
        const hg_covariance *c = need_covariance(s, "truth", name);

        all_assert(attribute_of(curve, "box") == 100 && curve->jackknife_error != NULL);
        all_assert(c->n_curve == (k == 1 ? 3 : 1) && c->n > 3 && c->n <= curve->n);
        all_assert(hg_attributes_find(&c->attributes, "regions")->value == 27);
        for (int64_t i = 0; i < curve->n; i++) {
            const double e = curve->jackknife_error[i];

            if (i >= c->n || curve->count[i] == 0) {
                all_assert(isnan(e));
                continue;
            }
            all_assert(fabs(hg_covariance_value(c, 0, i, 0, i) - e * e) <= 1e-12 * e * e);
            all_assert(c->x_low[i] == curve->x_low[i] && e > 0);
        }
    }
}

Test(measure_covariance, regions_of_the_box_give_covariances)
{
    char path[512], entry[1100];
    const char *const more[] = {"Samples.heavy=stellar_mass > 6e12 | weight stellar_mass",
                                "Samples.guests=central == 0 && m200c > 1e13",
                                "Measure.cross=[heavy:guests]",
                                "Measure.space=both",
                                "Measure.mesh=64",
                                "Measure.mu_bins=10",
                                "Measure.jackknife=3",
                                entry};
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry, "Measure.catalogues=[truth=%s/truth.hdf5]", test_folder);
    all_assert(run_measure(&world, "cut.hdf5", 8, more, false) == HG_OK);
    snprintf(path, sizeof path, "%s/cut.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    check_covariances(&s);
    hg_statistics_clear(&s);
    drop_universe();
}

/* The variance over two draws stands in the file beside that of the modes. */
Test(measure_covariance, draws_are_kept_apart)
{
    char path[512], entry[1100];
    hg_statistics s;

    make_universe();
    snprintf(entry, sizeof entry, "Measure.catalogues=[draw=%s/galaxies.hdf5@draws]",
             test_folder);
    all_assert(run_measure(&world, "draws.hdf5", 1, (const char *const[]){entry}, false) ==
               HG_OK);
    snprintf(path, sizeof path, "%s/draws.hdf5", test_folder);
    all_assert(hg_statistics_read(path, &s) == HG_OK);
    const hg_curve *curve = need_curve(&s, "draw", "power_stellar_mass_10.00");
    const hg_covariance *c = need_covariance(&s, "draw", "draws_power_stellar_mass_10.00");
    const hg_covariance *g = need_covariance(&s, "draw", "gaussian_power_stellar_mass_10.00");

    all_assert(c->n == curve->n && g->n == curve->n && strcmp(c->kind, "draws") == 0);
    for (int64_t i = 0; i < c->n; i++) {
        const double e = curve->draw_error[i];

        all_assert(fabs(hg_covariance_value(c, 0, i, 0, i) - e * e) <= 1e-12 * e * e);
        all_assert(hg_covariance_value(g, 0, i, 0, i) > 0);
    }
    hg_statistics_clear(&s);
    drop_universe();
}
