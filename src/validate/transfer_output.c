/* One table with one number per line, one of the parent's haloes, and sentences for whoever
 * reads nothing else. Warnings are about what no error bar of the validation holds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/order.h"
#include "base/text.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "validate/transfer.h"

enum { FEW = 30, FEW_SHOWN = 10, BINS_MAX = 64 };

/* Haloes of a bin of mass or of surroundings. */
struct group {
    double low, high;
    int64_t n, n_training; /* of the parent's sample; training haloes, all */
    double edge, outside, lacking;
};

struct groups {
    int n_mass, n_density;
    struct group mass[BINS_MAX], density[BINS_MAX];
};

static hg_status
add_line(hg_text *text, const char *what, const char *of, const char *quantity, double value)
{
    return isfinite(value) ? hg_text_add(text, "%s,%s,%s,%.9g\n", what, of, quantity, value)
                           : HG_OK;
}

static hg_status
add_feature(const hg_transfer *x, int f, hg_text *text)
{
    const hg_transfer_feature *r = &x->feature[f];
    const char *name = x->folds->validation->features.spec[f].name;

    HG_TRY(add_line(text, "feature", name, "ks", r->ks));
    HG_TRY(add_line(text, "feature", name, "shift_at_mass", r->at_mass.shift));
    HG_TRY(add_line(text, "feature", name, "scatter_at_mass", r->at_mass.scatter));
    HG_TRY(add_line(text, "feature", name, "ks_at_mass", r->at_mass.ks));
    HG_TRY(add_line(text, "feature", name, "ks_noise", r->at_mass.noise));
    HG_TRY(add_line(text, "feature", name, "below", r->below));
    return add_line(text, "feature", name, "above", r->above);
}

/* ---- groups ---- */
static bool
is_lacking(const hg_transfer *x, int64_t i)
{
    return x->parent_ratio[i] >= x->ratio_max * (1 - 1e-9);
}

static void
fill_group(const hg_transfer *x, const double of_parent[], const double of_training[],
           struct group *g)
{
    for (int64_t i = 0; i < x->parent.n; i++) {
        if (of_parent[i] >= g->low && of_parent[i] < g->high) {
            g->n++;
            g->edge += x->domain[i] == HG_DOMAIN_EDGE;
            g->outside += x->domain[i] == HG_DOMAIN_OUTSIDE;
            g->lacking += is_lacking(x, i);
        }
    }
    for (int64_t i = 0; i < x->folds->validation->rows.n && of_training != NULL; i++) {
        g->n_training += of_training[i] >= g->low && of_training[i] < g->high;
    }
    if (g->n > 0) {
        g->edge /= (double)g->n;
        g->outside /= (double)g->n;
        g->lacking /= (double)g->n;
    }
}

/* Bins of mass that the parent fills. */
static int
list_masses(const hg_transfer *x, struct group group[])
{
    const hg_validation *v = x->folds->validation;
    const double width = v->params->validate.mass_width;
    double low = (double)INFINITY, high = -(double)INFINITY;
    int n = 0;

    for (int64_t i = 0; i < x->parent.n; i++) {
        low = fmin(low, x->parent.mass[i]);
        high = fmax(high, x->parent.mass[i]);
    }
    for (double k = floor(low / width); k * width <= high && n < BINS_MAX; k++) {
        group[n] = (struct group){.low = k * width, .high = (k + 1) * width};
        fill_group(x, x->parent.mass, v->mass, &group[n]);
        n += group[n].n > 0;
    }
    return n;
}

/* Shares of the parent by its surroundings, the rarest apart. */
static hg_status
list_surroundings(const hg_transfer *x, struct group group[], int *n)
{
    static const double share[] = {0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1};
    enum { GROUPS = sizeof share / sizeof share[0] - 1 };
    const hg_validation *v = x->folds->validation;
    double *sorted = NULL, *training = NULL;
    hg_status status;

    *n = 0;
    if (x->parent.density == NULL) {
        return HG_OK;
    }
    HG_TRY_OR(end, status, hg_mem_array(&sorted, (size_t)x->parent.n, sizeof *sorted));
    HG_TRY_OR(end, status, hg_mem_array(&training, (size_t)v->rows.n, sizeof *training));
    memcpy(sorted, x->parent.density, (size_t)x->parent.n * sizeof *sorted);
    qsort(sorted, (size_t)x->parent.n, sizeof *sorted, hg_order_f64);
    for (int64_t i = 0; i < v->rows.n; i++) {
        training[i] = hg_validation_extra_of(v, HG_EXTRA_OVERDENSITY, i);
    }
    for (int k = 0; k < GROUPS; k++) {
        struct group *g = &group[*n];

        *g = (struct group){.low = sorted[(int64_t)(share[k] * (double)(x->parent.n - 1))]};
        g->high = k + 1 < GROUPS ? sorted[(int64_t)(share[k + 1] * (double)(x->parent.n - 1))]
                                 : nextafter(sorted[x->parent.n - 1], (double)INFINITY);
        fill_group(x, x->parent.density, training, g);
        *n += g->n > 0;
    }
end:
    hg_mem_free(sorted);
    hg_mem_free(training);
    return status;
}

static hg_status
add_group(const hg_transfer *x, const char *what, const struct group *g, hg_text *text)
{
    char of[48];

    snprintf(of, sizeof of, "%.4g to %.4g", g->low, g->high);
    HG_TRY(add_line(text, what, of, "share", (double)g->n / (double)x->parent.n));
    HG_TRY(add_line(text, what, of, "training_haloes", (double)g->n_training));
    HG_TRY(add_line(text, what, of, "edge", g->edge));
    HG_TRY(add_line(text, what, of, "outside", g->outside));
    return add_line(text, what, of, "lacking", g->lacking);
}

/* Mean squares of expected errors, mean expected bias and median width in a group of masses. */
static hg_status
add_errors(const hg_transfer *x, int t, const struct group *g, hg_text *text)
{
    const hg_transfer_target *r = &x->target[t];
    char of[HG_LABEL_MAX];
    double square = 0, bias = 0;
    int64_t n = 0;

    for (int64_t i = 0; i < x->parent.n; i++) {
        if (x->parent.mass[i] >= g->low && x->parent.mass[i] < g->high) {
            square += r->error[i] * r->error[i];
            bias += r->bias_of[i];
            n++;
        }
    }
    snprintf(of, sizeof of, "%.60s at mass %.4g to %.4g",
             x->folds->validation->targets.spec[t].name, g->low, g->high);
    HG_TRY(add_line(text, "expected", of, "rmse", sqrt(square / (double)n)));
    return add_line(text, "expected", of, "bias", bias / (double)n);
}

static hg_status
add_distance(const hg_transfer *x, int t, hg_text *text)
{
    const hg_transfer_target *r = &x->target[t];
    char of[HG_LABEL_MAX];

    for (int b = 0; b < r->n_bin; b++) {
        snprintf(of, sizeof of, "%.60s bin %d", x->folds->validation->targets.spec[t].name, b);
        HG_TRY(add_line(text, "distance", of, "from", r->edge[b]));
        HG_TRY(add_line(text, "distance", of, "to", r->edge[b + 1]));
        HG_TRY(add_line(text, "distance", of, "rmse", r->rmse[b]));
        HG_TRY(add_line(text, "distance", of, "bias", r->bias[b]));
        HG_TRY(add_line(text, "distance", of, "n_eff", r->n_eff[b]));
    }
    return HG_OK;
}

/* ---- tables ---- */
static hg_status
add_table(const hg_transfer *x, const struct groups *all, const char *path, hg_bundle *bundle)
{
    hg_text text = {0};
    hg_status status = hg_text_add(&text, "what,of,quantity,value\n");

    for (int f = 0; f < x->folds->validation->features.n && status == HG_OK; f++) {
        status = add_feature(x, f, &text);
    }
    for (int g = 0; g < all->n_mass && status == HG_OK; g++) {
        status = add_group(x, "mass", &all->mass[g], &text);
        for (int t = 0; t < x->guesses->n_target && status == HG_OK; t++) {
            status = x->target[t].n_bin > 0 ? add_errors(x, t, &all->mass[g], &text) : HG_OK;
        }
    }
    for (int g = 0; g < all->n_density && status == HG_OK; g++) {
        status = add_group(x, "surroundings", &all->density[g], &text);
    }
    for (int t = 0; t < x->guesses->n_target && status == HG_OK; t++) {
        status = add_distance(x, t, &text);
    }
    return hg_bundle_text(bundle, path, status, &text);
}

static hg_status
add_halo(const void *context, int64_t i, hg_text *text)
{
    const hg_transfer *x = context;
    const int nt = x->guesses->n_target;

    HG_TRY(hg_text_add(text, "%" PRId64 ",%.9g,%.9g,%.9g,%d", x->parent.row[i],
                       x->parent.mass[i], x->parent_ratio[i], x->parent_distance[i],
                       x->domain[i]));
    for (int t = 0; t < nt; t++) {
        const hg_transfer_target *r = &x->target[t];

        if (r->n_bin > 0) {
            HG_TRY(hg_text_add(text, ",%.9g,%.9g,%.9g", x->mean[i * nt + t], r->error[i],
                               r->bias_of[i]));
            for (int l = 0; l < HG_TRANSFER_LEVELS; l++) {
                HG_TRY(hg_text_add(text, ",%.9g", r->half[l * x->parent.n + i]));
            }
        }
    }
    return hg_text_append(text, "\n", 1);
}

static hg_status
add_halo_head(const void *context, hg_text *text)
{
    const hg_transfer *x = context;

    HG_TRY(hg_text_add(text, "row,mass,ratio,distance,domain"));
    for (int t = 0; t < x->guesses->n_target; t++) {
        const char *name = x->folds->validation->targets.spec[t].name;

        if (x->target[t].n_bin > 0) {
            HG_TRY(hg_text_add(text, ",%s_mean,%s_error,%s_bias,%s_half68,%s_half95", name,
                               name, name, name, name));
        }
    }
    return hg_text_append(text, "\n", 1);
}

/* ---- words ---- */
/* A warning on the terminal, which the report puts on top. */
static hg_status
warn(hg_statistics *statistics, const char *text)
{
    char name[32];
    int n = 0;

    for (int i = 0; i < statistics->provenance.n; i++) {
        n += strncmp(statistics->provenance.v[i].name, "warning_", 8) == 0;
    }
    printf("warning: %s\n", text);
    snprintf(name, sizeof name, "warning_%d", n + 1);
    return hg_attributes_text(&statistics->provenance, name, text);
}

/* a number, or a dash where there was nothing to compare */
static void
print_cell(int width, double value)
{
    char text[48] = "-";

    if (isfinite(value)) {
        snprintf(text, sizeof text, "%.4f", value);
    }
    printf(" %*s", width, text);
}

static void
print_features(const hg_transfer *x)
{
    printf("\n%" PRId64 " haloes of the parent beside %" PRId64
           " training haloes (training minus parent, at fixed mass)\n"
           "%-24s %9s %9s %8s %8s %8s %9s\n",
           x->parent.n, x->n, "feature", "shift", "scatter", "KS", "noise", "KS all",
           "beyond %");
    for (int f = 0; f < x->folds->validation->features.n; f++) {
        const hg_transfer_feature *r = &x->feature[f];

        printf("%-24s", x->folds->validation->features.spec[f].name);
        print_cell(9, r->at_mass.shift);
        print_cell(9, r->at_mass.scatter);
        print_cell(8, r->at_mass.ks);
        print_cell(8, r->at_mass.noise);
        printf(" %8.4f %9.3f\n", r->ks, 100 * (r->below + r->above));
    }
}

static void
print_target(const hg_transfer *x, int t)
{
    const hg_transfer_target *r = &x->target[t];
    const int64_t n = x->parent.n;
    double square = 0, bias = 0;
    int64_t n_infinite = 0;

    if (r->n_bin == 0) {
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        square += r->error[i] * r->error[i] / (double)n;
        bias += r->bias_of[i] / (double)n;
        n_infinite += isinf(r->half[(HG_TRANSFER_LEVELS - 1) * n + i]);
    }
    printf("%s in the parent: expected rms error %.4f, bias %+.4f; from %.4f nearest to the "
           "training haloes to %.4f farthest",
           x->folds->validation->targets.spec[t].name, sqrt(square), bias, r->rmse[0],
           r->rmse[r->n_bin - 1]);
    if (n_infinite > 0) {
        printf("; no interval of %g %% for %.2g %% of its haloes",
               100 * hg_transfer_levels[HG_TRANSFER_LEVELS - 1],
               100 * (double)n_infinite / (double)n);
    }
    printf("\n");
}

/* Groups of haloes of which there are next to none in the zooms. */
static hg_status
warn_groups(const hg_transfer *x, const char *name, int n, const struct group group[],
            hg_statistics *statistics)
{
    char text[256];

    for (int g = 0; g < n; g++) {
        if (group[g].n_training < FEW) {
            snprintf(text, sizeof text,
                     "the parent has haloes with %.80s from %.4g to %.4g (%.2g %% of it), the "
                     "zooms have %" PRId64 " to learn from",
                     name, group[g].low, group[g].high,
                     100 * (double)group[g].n / (double)x->parent.n, group[g].n_training);
            HG_TRY(warn(statistics, text));
        }
    }
    return HG_OK;
}

/* What the parent has and the zooms lack. */
static hg_status
warn_lacks(const hg_transfer *x, const struct groups *all, hg_statistics *statistics)
{
    const hg_validation *v = x->folds->validation;
    const int n_before = statistics->provenance.n;
    int64_t n_lacking = 0;
    char text[256];

    HG_TRY(warn_groups(x, v->mass_name, all->n_mass, all->mass, statistics));
    HG_TRY(warn_groups(x, v->params->validate.overdensity, all->n_density, all->density,
                       statistics));
    for (int f = 0; f < v->features.n; f++) {
        const double beyond[] = {x->feature[f].below, x->feature[f].above};

        for (int s = 0; s < 2; s++) {
            if (beyond[s] > 1e-3) {
                snprintf(text, sizeof text,
                         "%.2g %% of the parent's haloes have %s '%s' than any training halo",
                         100 * beyond[s], s == 0 ? "a lower" : "a higher",
                         v->features.spec[f].name);
                HG_TRY(warn(statistics, text));
            }
        }
    }
    for (int64_t i = 0; i < x->parent.n; i++) {
        n_lacking += is_lacking(x, i);
    }
    if (n_lacking > 0) {
        snprintf(text, sizeof text,
                 "%.2g %% of the parent's haloes have next to no training haloes like them: "
                 "nothing tells how good their galaxies are",
                 100 * (double)n_lacking / (double)x->parent.n);
        HG_TRY(warn(statistics, text));
    }
    if (statistics->provenance.n == n_before) {
        printf("the training haloes cover the parent: no mass and no feature is missing\n");
    }
    return HG_OK;
}

/* ---- curves ---- */
static hg_status
add_curve(const hg_transfer *x, int t, hg_statistics *statistics)
{
    const hg_transfer_target *r = &x->target[t];
    hg_label label = {.catalogue = "forest", .statistic = "error_by_distance"};
    hg_curve *curve = NULL;

    snprintf(label.name, sizeof label.name, "error_by_distance_%.60s",
             x->folds->validation->targets.spec[t].name);
    snprintf(label.column, sizeof label.column, "%.60s",
             x->folds->validation->targets.spec[t].name);
    snprintf(label.x_name, sizeof label.x_name, "distance from the training haloes");
    snprintf(label.y_name, sizeof label.y_name, "expected rms error");
    HG_TRY(hg_statistics_curve(statistics, &label, r->n_bin, 0, &curve));
    for (int b = 0; b < r->n_bin; b++) {
        curve->x[b] = r->centre[b];
        curve->x_low[b] = r->edge[b];
        curve->x_high[b] = r->edge[b + 1];
        curve->y[b] = r->rmse[b];
        curve->error[b] = r->n_eff[b] > 0 ? r->rmse[b] / sqrt(2 * r->n_eff[b]) : 0;
    }
    return HG_OK;
}

/* What a curve over the bins of mass shows. */
typedef struct hg_mass_curve {
    const char *statistic, *y_name, *catalogue;
    int target; /* -1 = none */
    const char *text;
} hg_mass_curve;

static hg_status
open_mass_curve(const hg_transfer *x, const struct groups *all, const hg_mass_curve *what,
                hg_statistics *statistics, hg_curve **curve)
{
    const hg_validation *v = x->folds->validation;
    const char *target = what->target >= 0 ? v->targets.spec[what->target].name : "";
    hg_label label = {.log_x = false};

    snprintf(label.catalogue, sizeof label.catalogue, "%s", what->catalogue);
    snprintf(label.statistic, sizeof label.statistic, "%s", what->statistic);
    snprintf(label.name, sizeof label.name, "%.40s%s%.60s", what->statistic,
             what->target >= 0 ? "_" : "", target);
    snprintf(label.column, sizeof label.column, "%.60s", target);
    snprintf(label.x_name, sizeof label.x_name, "%s", v->mass_name);
    snprintf(label.y_name, sizeof label.y_name, "%s", what->y_name);
    HG_TRY(hg_statistics_curve(statistics, &label, all->n_mass, HG_CURVE_COUNT, curve));
    for (int g = 0; g < all->n_mass; g++) {
        (*curve)->x[g] = 0.5 * (all->mass[g].low + all->mass[g].high);
        (*curve)->x_low[g] = all->mass[g].low;
        (*curve)->x_high[g] = all->mass[g].high;
        (*curve)->error[g] = (double)NAN;
        (*curve)->count[g] = all->mass[g].n;
    }
    return hg_attributes_text(&(*curve)->attributes, "description", what->text);
}

/* Shares of the parent that the training domain flags, and that have none like them. */
static hg_status
add_flags(const hg_transfer *x, const struct groups *all, hg_statistics *statistics)
{
    static const char *const names[] = {"at the edge", "outside", "lacking"};

    for (int k = 0; k < 3; k++) {
        const hg_mass_curve what = {"parent_flags", "share of the parent", names[k], -1,
                                    "Haloes of the parent that the training domain flags, and "
                                    "those that have next to no "
                                    "training haloes like them; bins of 10 haloes or more"};
        hg_curve *curve = NULL;

        HG_TRY(open_mass_curve(x, all, &what, statistics, &curve));
        for (int g = 0; g < all->n_mass; g++) {
            const double share[] = {all->mass[g].edge, all->mass[g].outside,
                                    all->mass[g].lacking};

            curve->y[g] = all->mass[g].n >= FEW_SHOWN ? share[k] : (double)NAN;
            curve->error[g] = sqrt(share[k] * (1 - share[k]) / (double)all->mass[g].n);
        }
    }
    return HG_OK;
}

/* Median half width of an interval over the haloes of a group; those without one are wider. */
static double
median_width(const hg_transfer *x, int t, int level, const struct group *g, double sorted[])
{
    int64_t n = 0;

    for (int64_t i = 0; i < x->parent.n; i++) {
        if (x->parent.mass[i] >= g->low && x->parent.mass[i] < g->high) {
            sorted[n++] = x->target[t].half[level * x->parent.n + i];
        }
    }
    qsort(sorted, (size_t)n, sizeof *sorted, hg_order_f64);
    return n >= FEW_SHOWN && isfinite(sorted[n / 2]) ? sorted[n / 2] : (double)NAN;
}

static hg_status
add_widths(const hg_transfer *x, int t, const struct groups *all, hg_statistics *statistics)
{
    static const char *const names[HG_TRANSFER_LEVELS] = {"68 per cent", "95 per cent"};
    double *sorted = NULL;
    hg_status status = hg_mem_array(&sorted, (size_t)x->parent.n, sizeof *sorted);

    for (int l = 0; l < HG_TRANSFER_LEVELS && status == HG_OK; l++) {
        const hg_mass_curve what = {
            "parent_interval", "half width", names[l], t,
            "Median half width of the interval that holds this share of the galaxies about the "
            "mean, where training haloes are alike; bins of 10 haloes or more"};
        hg_curve *curve = NULL;

        status = open_mass_curve(x, all, &what, statistics, &curve);
        for (int g = 0; g < all->n_mass && status == HG_OK; g++) {
            curve->y[g] = median_width(x, t, l, &all->mass[g], sorted);
        }
    }
    hg_mem_free(sorted);
    return status;
}

/* Features here and there, a line each of the report's table. */
static hg_status
add_shift(const hg_transfer *x, int f, hg_statistics *statistics)
{
    const hg_transfer_feature *r = &x->feature[f];
    const char *name = x->folds->validation->features.spec[f].name;
    const struct {
        const char *name;
        double value;
    } list[] = {{"shift_at_mass", r->at_mass.shift},
                {"scatter_at_mass", r->at_mass.scatter},
                {"ks_at_mass", r->at_mass.ks},
                {"ks_noise", r->at_mass.noise},
                {"ks", r->ks},
                {"below_training", r->below},
                {"above_training", r->above}};
    char label[HG_LABEL_MAX];
    hg_score *score = NULL;

    snprintf(label, sizeof label, "parent_%.60s", name);
    HG_TRY(hg_statistics_score(statistics, label, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "feature", name));
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        HG_TRY(hg_attributes_real(&score->attributes, list[i].name, list[i].value));
    }
    return HG_OK;
}

static hg_status
add_pictures(const hg_transfer *x, const struct groups *all, hg_statistics *statistics)
{
    for (int f = 0; f < x->folds->validation->features.n; f++) {
        HG_TRY(add_shift(x, f, statistics));
    }
    HG_TRY(add_flags(x, all, statistics));
    for (int t = 0; t < x->guesses->n_target; t++) {
        if (x->target[t].n_bin > 0) {
            HG_TRY(add_curve(x, t, statistics));
            HG_TRY(add_widths(x, t, all, statistics));
        }
    }
    return HG_OK;
}

hg_status
hg_transfer_write(const hg_transfer *x, const char *path, hg_statistics *statistics)
{
    struct groups all = {0};
    char table[HG_PATH_MAX];

    all.n_mass = list_masses(x, all.mass);
    HG_TRY(list_surroundings(x, all.density, &all.n_density));
    HG_TRY(hg_paths_table(path, "parent", sizeof table, table));
    HG_TRY(add_table(x, &all, table, &statistics->beside));
    if (x->folds->validation->params->validate.rows) {
        HG_TRY(hg_paths_table(path, "parent_rows", sizeof table, table));
        HG_TRY(
            hg_bundle_lines(&statistics->beside, table,
                            &(const hg_bundle_table){x->parent.n, add_halo_head, add_halo, x}));
    }
    HG_TRY(add_pictures(x, &all, statistics));
    print_features(x);
    for (int t = 0; t < x->guesses->n_target; t++) {
        print_target(x, t);
    }
    return warn_lacks(x, &all, statistics);
}
