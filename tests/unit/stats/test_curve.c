#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats/curve.h"
#include "store/publish.h"

static void
make_label(hg_label *label, const char *catalogue, const char *name, const char *statistic)
{
    *label = (hg_label){.log_x = true, .sample = "stellar_mass > 1e10", .x_unit = "Msun"};
    snprintf(label->catalogue, sizeof label->catalogue, "%s", catalogue);
    snprintf(label->name, sizeof label->name, "%s", name);
    snprintf(label->statistic, sizeof label->statistic, "%s", statistic);
}

static void
add_curve(hg_statistics *statistics, const char *name, const char *statistic, int64_t n,
          double shift)
{
    hg_label label;
    hg_curve *curve = NULL;

    make_label(&label, "draw", name, statistic);
    cr_assert_eq(
        hg_statistics_curve(statistics, &label, n, HG_CURVE_COUNT | HG_CURVE_BAND, &curve),
        HG_OK);
    for (int64_t i = 0; i < n; i++) {
        curve->x[i] = (double)i + 0.5;
        curve->x_low[i] = (double)i;
        curve->x_high[i] = (double)i + 1;
        curve->y[i] = i == 2 ? (double)NAN : (double)i + shift;
        curve->error[i] = 0.1;
        curve->low[i] = -1;
        curve->high[i] = 1.0 / 3;
        curve->count[i] = (int64_t)1 << 40;
    }
    cr_assert_eq(hg_attributes_real(&curve->attributes, "mesh", 256), HG_OK);
    cr_assert_eq(hg_attributes_text(&curve->attributes, "assignment", "pcs"), HG_OK);
}

/* One full matrix of a curve of three bins and one of two curves with independent bins. */
static void
add_covariances(hg_statistics *s)
{
    static const char *const names[] = {"power_10/5", "power_quadrupole"};
    hg_label label;
    hg_covariance *c = NULL;

    make_label(&label, "draw", "", "covariance");
    for (int diagonal = 0; diagonal < 2; diagonal++) {
        cr_assert_eq(hg_statistics_covariance(s, &label, diagonal ? "gaussian" : "jackknife",
                                              1 + diagonal, names, 3, diagonal, &c),
                     HG_OK);
        for (int i = 0; i < (diagonal ? 12 : 9); i++) {
            c->value[i] = i / 4.0;
        }
        for (int i = 0; i < 3; i++) {
            c->x_low[i] = i;
            c->x_high[i] = i + 1;
        }
        cr_assert_eq(hg_attributes_real(&c->attributes, "regions", 27), HG_OK);
    }
}

static void
check_covariances(const hg_statistics *s)
{
    const hg_covariance *full = &s->covariance[0], *diagonal = &s->covariance[1];

    cr_assert_eq(s->n_covariance, 2);
    diagonal = full->diagonal ? full : diagonal;
    full = &s->covariance[diagonal == &s->covariance[0]];
    cr_expect_str_eq(full->label.name, "jackknife_power_10/5");
    cr_expect_str_eq(full->kind, "jackknife");
    cr_expect(full->n == 3 && full->n_curve == 1 && full->x_high[2] == 3);
    cr_expect_eq(hg_covariance_value(full, 0, 1, 0, 2), 5 / 4.0);
    cr_expect_eq(hg_attributes_find(&full->attributes, "regions")->value, 27);
    cr_expect_eq(full->attributes.n, 1);
    cr_expect(diagonal->diagonal && diagonal->n_curve == 2);
    cr_expect_str_eq(diagonal->curve[1], "power_quadrupole");
    cr_expect_eq(hg_covariance_value(diagonal, 0, 2, 1, 2), 5 / 4.0);
    cr_expect_eq(hg_covariance_value(diagonal, 0, 2, 1, 1), 0);
}

Test(curve, a_statistics_file_gives_back_what_was_written)
{
    char folder[] = "/tmp/hg_curve_XXXXXX", path[128], twin[128], matrix[128];
    hg_statistics out = {0}, in = {0};
    hg_map *map = NULL;
    hg_score *score = NULL;
    hg_label label;
    const hg_curve *curve;
    hg_text csv = {0};

    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/statistics.hdf5", folder);
    snprintf(twin, sizeof twin, "%s/statistics.csv", folder);
    snprintf(matrix, sizeof matrix, "%s/statistics_covariance.csv", folder);
    add_curve(&out, "power_10/5", "power", 5, 0);
    add_curve(&out, "empty", "power", 0, 0);
    add_covariances(&out);
    make_label(&label, "truth", "slice", "slice");
    cr_assert_eq(hg_statistics_map(&out, &label, 2, 3, &map), HG_OK);
    for (int i = 0; i < 6; i++) {
        map->counts[i] = i * i;
    }
    map->x_edges[2] = 2;
    map->y_edges[3] = 3;
    cr_assert_eq(hg_statistics_score(&out, "draw_stellar_mass", &score), HG_OK);
    cr_assert_eq(hg_attributes_real(&score->attributes, "rmse", 0.125), HG_OK);
    cr_assert_eq(hg_attributes_text(&out.provenance, "version", "1"), HG_OK);
    cr_assert_eq(hg_text_add(&out.parameters, "Measure:\n  mesh: 256\n"), HG_OK);
    cr_assert_eq(hg_statistics_write(&out, path), HG_OK);
    cr_assert_eq(hg_statistics_read(path, &in), HG_OK);

    cr_assert_eq(in.n_curve, 2);
    curve = hg_statistics_find(&in, "draw", "power_10/5");
    cr_assert(curve != NULL);
    cr_expect_eq(curve->n, 5);
    cr_expect_eq(curve->count[4], (int64_t)1 << 40);
    cr_expect(curve->high[1] == 1.0 / 3 && curve->draw_error == NULL && isnan(curve->y[2]));
    cr_expect(curve->label.log_x && !curve->label.log_y);
    cr_expect_str_eq(curve->label.sample, "stellar_mass > 1e10");
    cr_expect_eq(hg_attributes_find(&curve->attributes, "mesh")->value, 256);
    cr_expect_str_eq(hg_attributes_find(&curve->attributes, "assignment")->text, "pcs");
    cr_assert_eq(in.n_map, 1);
    cr_expect(in.map[0].counts[5] == 25 && in.map[0].n_y == 3 && in.map[0].y_edges[3] == 3);
    cr_assert_eq(in.n_score, 1);
    cr_expect_eq(hg_attributes_find(&in.score[0].attributes, "rmse")->value, 0.125);
    cr_expect_str_eq(hg_text_string(&in.parameters), "Measure:\n  mesh: 256\n");

    cr_assert_eq(hg_text_read(twin, &csv), HG_OK);
    cr_expect(strstr(hg_text_string(&csv), "draw,power_10/5,power,\"stellar_mass > 1e10\",,1.5,"
                                           "1,2,1,0.10000000000000001,-1,0.33333333333333331,,"
                                           "1099511627776,\n") != NULL,
              "%s", hg_text_string(&csv));
    hg_text_clear(&csv);
    check_covariances(&in);
    cr_assert_eq(hg_text_read(matrix, &csv), HG_OK);
    cr_expect(strstr(hg_text_string(&csv),
                     "\ndraw,jackknife,power_10/5,power_10/5,1,2,2,3,1.25\n"
                     "draw,jackknife,power_10/5,power_10/5,2,3,2,3,2\n"
                     "draw,gaussian,power_10/5,power_10/5,0,1,0,1,0\n"
                     "draw,gaussian,power_10/5,power_quadrupole,0,1,0,1,"
                     "0.75\n") != NULL,
              "%s", hg_text_string(&csv));
    cr_expect(strstr(hg_text_string(&csv), ",1,2,0,1,") == NULL);
    hg_text_clear(&csv);
    remove(matrix);
    hg_statistics_clear(&in);
    hg_statistics_clear(&out);
    remove(path);
    remove(twin);
    rmdir(folder);
}

Test(curve, averages_over_draws_keep_other_curves)
{
    hg_statistics s = {0};
    const hg_curve *curve;
    const hg_covariance *c;

    add_covariances(&s);
    add_covariances(&s); /* of the second draw: the first ones are kept */
    s.covariance[3].value[0] = 9;
    add_curve(&s, "power_a", "power", 3, 100);
    add_curve(&s, "power_a", "power", 5, 0);
    add_curve(&s, "mass", "mass_function", 5, 0);
    add_curve(&s, "power_a", "power", 5, 2);
    add_curve(&s, "mass", "mass_function", 4, 2); /* a draw without the last bin */
    cr_assert_eq(hg_statistics_average(&s, 1), HG_OK);
    cr_assert_eq(s.n_curve, 3);
    cr_expect_eq(s.curve[0].y[1], 101);
    curve = &s.curve[1];
    cr_expect_str_eq(curve->label.name, "power_a");
    cr_expect_float_eq(curve->y[1], 2, 1e-15);
    cr_expect_float_eq(curve->draw_error[1], sqrt(2), 1e-15);
    cr_expect(isnan(curve->y[2]) && isnan(curve->draw_error[2]));
    cr_expect_eq(hg_attributes_find(&curve->attributes, "draws")->value, 2);
    cr_expect_float_eq(s.curve[2].y[4], 2, 1e-15); /* (4 + 0) / 2 */
    cr_assert_eq(s.n_covariance, 4); /* two were there, and one per curve of a sample */
    cr_expect_eq(s.covariance[1].value[0], 0);
    c = &s.covariance[2];
    cr_expect_str_eq(c->label.name, "draws_power_a");
    cr_expect(c->n == 5 && fabs(hg_covariance_value(c, 0, 1, 0, 3) - 2) < 1e-15);
    cr_expect(isnan(hg_covariance_value(c, 0, 2, 0, 3)) && c->x_low[4] == 4);
    cr_expect_eq(hg_attributes_find(&c->attributes, "draws")->value, 2);
    hg_statistics_clear(&s);
}

Test(curve, mass_functions_get_the_bins_that_any_of_them_has)
{
    hg_statistics s = {0};
    const hg_curve *truth, *mean;

    add_curve(&s, "mass", "mass_function", 5, 1);
    add_curve(&s, "mass", "mass_function", 3, 2);
    add_curve(&s, "power_a", "power", 2, 0);
    snprintf(s.curve[0].label.catalogue, sizeof s.curve[0].label.catalogue, "truth");
    for (int i = 0; i < 3; i++) { /* bins 1 to 3 of the grid */
        s.curve[1].x[i] += 1;
        s.curve[1].x_low[i] += 1;
        s.curve[1].x_high[i] += 1;
    }
    cr_assert_eq(hg_attributes_real(&s.curve[1].attributes, "upper_limit", 0.25), HG_OK);
    cr_assert_eq(hg_statistics_align(&s, "mass_function"), HG_OK);
    cr_assert_eq(s.n_curve, 3);
    cr_expect_eq(s.curve[2].n, 2);
    truth = hg_statistics_find(&s, "truth", "mass");
    mean = hg_statistics_find(&s, "draw", "mass");
    cr_assert(truth->n == 5 && mean->n == 5);
    for (int64_t i = 0; i < 5; i++) {
        cr_expect_eq(mean->x_low[i], truth->x_low[i]);
    }
    cr_expect(mean->y[0] == 0 && mean->count[0] == 0 && mean->error[0] == 0.25);
    cr_expect(mean->y[1] == 2 && mean->error[1] == 0.1 && mean->y[4] == 0);
    cr_expect_eq(truth->y[4], 5);
    cr_expect_eq(hg_attributes_find(&mean->attributes, "mesh")->value, 256);
    hg_statistics_clear(&s);
}

Test(curve, a_missing_file_is_not_found)
{
    hg_statistics s;

    cr_expect_eq(hg_statistics_read("/tmp/no/such/statistics.hdf5", &s), HG_E_NOTFOUND);
}
