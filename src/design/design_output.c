/* The table is one that `mock` and `train` read: its column hydro names the file that the new
 * zoom is expected to have, weights stay empty, since the regions stand for no share of the
 * volume. */
#include "design/design_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "stats/curve.h"
#include "store/publish.h"
#include "suite/paths.h"

static const char *const kinds[] = {"given", "random", "peak"};

hg_status
hg_design_hull_folder(const char *path, char folder[HG_PATH_MAX])
{
    size_t n;

    HG_TRY(hg_paths_table(path, "hulls", HG_PATH_MAX, folder));
    n = strlen(folder) - strlen(".csv");
    folder[n] = '\0';
    return HG_OK;
}

static hg_status
add_hulls(const hg_design_result *r, const char *path, hg_bundle *bundle)
{
    char folder[HG_PATH_MAX], name[HG_PATH_MAX];
    int n_sphere = 0;

    HG_TRY(hg_design_hull_folder(path, folder));
    for (int k = 0; k < r->n; k++) {
        HG_TRY(hg_text_path(sizeof name, name, "%s/region_%02" PRId64 ".txt", folder,
                            r->number + k));
        HG_TRY(hg_design_hull_write(&r->hull[k], r->survey->box, name, bundle));
        n_sphere += r->hull[k].is_sphere;
    }
    if (n_sphere > 0) {
        hg_log_warn("design: %d of %d hulls are no Lagrangian regions but spheres about the "
                    "present centre, %g radii wide and wider where the region is dense: no "
                    "velocities tell where the matter came from",
                    n_sphere, r->n, r->params->design.grow);
    }
    return HG_OK;
}

static hg_status
add_row(const hg_design_result *r, int k, hg_text *text)
{
    const int i = r->choice[k].region;
    const hg_design_place *p = &r->candidates->place[i];
    const double redshift = hg_catalog_frame(r->survey->catalog)->redshift;

    HG_TRY(hg_text_add(text, "%" PRId64 ",%s,zooms/region_%02" PRId64 ".hdf5,", r->number + k,
                       r->params->zooms.run, r->number + k));
    for (int a = 0; a < 3; a++) {
        HG_TRY(hg_text_add_number(text, 17, p->centre[a], ','));
    }
    HG_TRY(hg_text_add(text, "%.17g,,", p->radius));
    HG_TRY(hg_text_add_number(text, 17, r->delta[i], ','));
    HG_TRY(hg_text_add_number(text, 17, redshift, ','));
    HG_TRY(hg_text_add(text, "%s,", kinds[r->candidates->kind[i]]));
    HG_TRY(hg_text_add_number(text, 17, r->content[i], ','));
    HG_TRY(hg_text_add_number(text, 17, r->problem->cost[i], ','));
    HG_TRY(hg_text_add_number(text, 17, r->choice[k].gain, ','));
    HG_TRY(hg_text_add_number(text, 17, r->error[k + 1][0], ','));
    HG_TRY(hg_text_add_number(text, 17, r->error[k + 1][1], ','));
    return hg_text_add(text, "%s\n", r->hull[k].is_sphere ? "sphere" : "velocity");
}

static hg_status
add_table(const hg_design_result *r, const char *path, hg_bundle *bundle)
{
    char table[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status =
        hg_text_add(&text, "region,run,hydro,x,y,z,radius,weight,delta,redshift,chosen_as,"
                           "content_mass,cost,expected_gain,expected_mass_function_error,"
                           "expected_power_error,hull_points\n");

    for (int k = 0; k < r->n && status == HG_OK; k++) {
        status = add_row(r, k, &text);
    }
    if (status == HG_OK) {
        status = hg_paths_table(path, "regions", sizeof table, table);
    }
    return hg_bundle_text(bundle, table, status, &text);
}

/* Expected error after each region. */
static hg_status
add_curve(const hg_design_result *r, int which, const char *name, hg_statistics *statistics)
{
    hg_label label = {.catalogue = "design",
                      .statistic = "design",
                      .x_name = "cost",
                      .y_name = "expected relative error"};
    hg_curve *curve;
    double cost = 0;

    snprintf(label.name, sizeof label.name, "design_%s", name);
    snprintf(label.column, sizeof label.column, "%s", r->params->design.target);
    snprintf(label.sample, sizeof label.sample, "%s", name);
    HG_TRY(hg_statistics_curve(statistics, &label, r->n + 1, 0, &curve));
    for (int k = 0; k <= r->n; k++) {
        cost += k > 0 ? r->problem->cost[r->choice[k - 1].region] : 0;
        curve->x[k] = curve->x_low[k] = curve->x_high[k] = cost;
        curve->y[k] = r->error[k][which];
        curve->error[k] = (double)NAN;
    }
    return HG_OK;
}

/* Centrals of the parent by x and y, on at most 128 cells a side, for the picture. */
static hg_status
add_map(const hg_design_result *r, hg_statistics *statistics)
{
    const hg_design_survey *s = r->survey;
    const int join = (s->n_side + 127) / 128, n = (s->n_side + join - 1) / join;
    hg_label label = {.catalogue = "design",
                      .name = "design_places",
                      .statistic = "design_places",
                      .x_name = "x",
                      .x_unit = "Mpc",
                      .y_name = "y",
                      .y_unit = "Mpc"};
    hg_map *map;

    HG_TRY(hg_statistics_map(statistics, &label, n, n, &map));
    for (int i = 0; i <= n; i++) {
        const int at = i * join < s->n_side ? i * join : s->n_side;

        map->x_edges[i] = map->y_edges[i] = s->box * at / s->n_side;
    }
    for (int i = 0; i < s->n_side * s->n_side; i++) {
        map->counts[i / s->n_side / join * n + i % s->n_side / join] += s->flat[i];
    }
    return HG_OK;
}

static hg_status
add_region(const hg_design_result *r, int i, const hg_design_choice *choice, int number,
           hg_statistics *statistics)
{
    static const char *const axis[] = {"x", "y", "z"};
    const hg_design_place *p = &r->candidates->place[i];
    char name[64];
    hg_score *score;

    if (choice == NULL) {
        snprintf(name, sizeof name, "given_%04d", number);
    } else {
        snprintf(name, sizeof name, "proposed_%04d", number);
    }
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "origin", kinds[r->candidates->kind[i]]));
    for (int a = 0; a < 3; a++) {
        HG_TRY(hg_attributes_real(&score->attributes, axis[a], p->centre[a]));
    }
    HG_TRY(hg_attributes_real(&score->attributes, "radius", p->radius));
    HG_TRY(hg_attributes_real(&score->attributes, "delta", r->delta[i]));
    HG_TRY(hg_attributes_real(&score->attributes, "content_mass", r->content[i]));
    if (choice != NULL) {
        HG_TRY(hg_attributes_real(&score->attributes, "region", (double)(r->number + number)));
        HG_TRY(hg_attributes_real(&score->attributes, "cost", r->problem->cost[i]));
        HG_TRY(hg_attributes_real(&score->attributes, "expected_gain", choice->gain));
    }
    return HG_OK;
}

static hg_status
add_provenance(const hg_design_result *r, hg_statistics *statistics)
{
    hg_attributes *p = &statistics->provenance;
    char code[128];

    snprintf(code, sizeof code, "halograft %s %s", hg_version(), hg_version_commit());
    HG_TRY(hg_attributes_text(p, "code", code));
    HG_TRY(hg_attributes_text(p, "name", r->params->meta.name));
    HG_TRY(hg_attributes_real(p, "candidates", r->candidates->n - r->candidates->n_given));
    HG_TRY(hg_attributes_real(p, "regions_given", r->candidates->n_given));
    HG_TRY(hg_attributes_real(p, "region_scatter", r->goal->scatter));
    HG_TRY(hg_attributes_real(p, "cells", r->survey->n_cell));
    return hg_text_add(&statistics->parameters, "%s", hg_params_text(r->params));
}

static hg_status
write_files(const hg_design_result *r, const char *path)
{
    hg_statistics statistics = {0};
    hg_status status = add_provenance(r, &statistics);

    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, add_curve(r, 0, "mass_function", &statistics));
    HG_TRY_OR(done, status, add_curve(r, 1, "power", &statistics));
    HG_TRY_OR(done, status, add_map(r, &statistics));
    for (int i = 0; i < r->candidates->n_given; i++) {
        HG_TRY_OR(done, status, add_region(r, i, NULL, i, &statistics));
    }
    for (int k = 0; k < r->n; k++) {
        HG_TRY_OR(done, status,
                  add_region(r, r->choice[k].region, &r->choice[k], k, &statistics));
    }
    HG_TRY_OR(done, status, add_hulls(r, path, &statistics.beside));
    HG_TRY_OR(done, status, add_table(r, path, &statistics.beside));
    status = hg_statistics_write(&statistics, path);
done:
    hg_statistics_clear(&statistics);
    return status;
}

static void
print_table(const hg_design_result *r)
{
    printf("%6s %9s %9s %9s %8s %8s %7s %9s %9s %9s\n", "region", "x/Mpc", "y/Mpc", "z/Mpc",
           "radius", "delta", "origin", "cost", "gain", "gain/cost");
    for (int k = 0; k < r->n; k++) {
        const int i = r->choice[k].region;
        const hg_design_place *p = &r->candidates->place[i];

        printf("%6" PRId64 " %9.2f %9.2f %9.2f %8.2f %+8.3f %7s %9.3g %9.3g %9.3g\n",
               r->number + k, p->centre[0], p->centre[1], p->centre[2], p->radius, r->delta[i],
               kinds[r->candidates->kind[i]], r->problem->cost[i], r->choice[k].gain,
               r->choice[k].gain / r->problem->cost[i]);
    }
    printf("expected relative error, before and after: mass function %.3g %.3g, P(k) %.3g "
           "%.3g\n",
           r->error[0][0], r->error[r->n][0], r->error[0][1], r->error[r->n][1]);
}

hg_status
hg_design_write(const hg_design_result *result, const char *path)
{
    HG_TRY(write_files(result, path));
    print_table(result);
    return HG_OK;
}
