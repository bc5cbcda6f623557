/* The table has a line per target, particle mass, bin and way; curves are over the particle
 * mass for all haloes, and over the mass of haloes for each particle mass. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/publish.h"
#include "suite/paths.h"
#include "validate/resolution.h"

enum { FEW = 30 };

static const char *const ways[HG_RESOLUTION_WAYS] = {"fine on fine", "fine on coarse",
                                                     "coarse on coarse"};

static void
name_bin(const hg_resolution *r, int bin, size_t n, char text[])
{
    if (bin == 0) {
        snprintf(text, n, "all");
    } else {
        hg_cut_name(r->cut, bin - 1, n, text);
    }
}

/* ---- table ---- */
static hg_status
add_lines(const hg_resolution *r, int k, int s, int bin, hg_text *text)
{
    const hg_resolution_mark *m = hg_resolution_at(r, k, s, bin);
    char name[80];

    name_bin(r, bin, sizeof name, name);
    for (int way = 0; way < HG_RESOLUTION_WAYS && m->n > 0; way++) {
        HG_TRY(hg_text_add(text, "%s,%.9g,%.9g,%s,%" PRId64 ",%.9g,%s,", r->scored[s].name,
                           r->factor[k], r->mass[k], name, m->n, m->kept, ways[way]));
        HG_TRY(hg_text_add_number(text, 9, m->bias[way], ','));
        HG_TRY(hg_text_add_number(text, 9, m->bias_error[way], ','));
        HG_TRY(hg_text_add_number(text, 9, m->rmse[way], ','));
        HG_TRY(hg_text_add_number(text, 9, m->rmse_error[way], '\n'));
    }
    return HG_OK;
}

static hg_status
add_table(const hg_resolution *r, const char *path, hg_bundle *bundle)
{
    char table[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status = hg_text_add(&text, "target,factor,particle_mass,rows,haloes,kept,"
                                          "features,bias,bias_error,rmse,rmse_error\n");

    for (int s = 0; s < r->n_scored; s++) {
        for (int k = 0; k < r->n; k++) {
            for (int b = 0; b <= r->cut->n && status == HG_OK; b++) {
                status = add_lines(r, k, s, b, &text);
            }
        }
    }
    if (status == HG_OK) {
        status = hg_paths_table(path, "resolution", sizeof table, table);
    }
    return hg_bundle_text(bundle, table, status, &text);
}

/* ---- terminal ---- */
static void
print_line(const hg_resolution *r, int k, int s, int bin)
{
    const hg_resolution_mark *m = hg_resolution_at(r, k, s, bin);
    char name[80];

    if (m->n == 0 || (bin > 0 && m->n < FEW)) {
        return;
    }
    name_bin(r, bin, sizeof name, name);
    printf("%10.4g %-18.18s %9" PRId64 " %6.1f", r->factor[k], name, m->n, 100 * m->kept);
    for (int way = 0; way < HG_RESOLUTION_WAYS; way++) {
        printf("  %7.4f %+8.4f", m->rmse[way], m->bias[way]);
    }
    printf("\n");
}

static void
print_table(const hg_resolution *r, int s)
{
    printf("\n%s with heavier particles (%g haloes or more per line): rms error and bias of "
           "models of fine and of coarse features\n%10s %-18s %9s %6s  %16s  %16s  %16s\n",
           r->scored[s].name, (double)FEW, "mass times", "rows", "haloes", "kept %", ways[0],
           ways[1], ways[2]);
    for (int k = 0; k < r->n; k++) {
        for (int b = 0; b <= r->cut->n; b++) {
            print_line(r, k, s, b);
        }
    }
}

/* ---- curves ---- */
static void
set_point(const hg_resolution_mark *m, int way, bool is_bias, int at, hg_curve *curve)
{
    curve->y[at] = is_bias ? m->bias[way] : m->rmse[way];
    curve->error[at] = is_bias ? m->bias_error[way] : m->rmse_error[way];
    curve->count[at] = m->n;
}

/* Over the mass of haloes at particle mass k, or (-1) over the particle mass. */
static hg_status
add_curve(const hg_resolution *r, int s, int k, int way, bool is_bias,
          hg_statistics *statistics)
{
    const hg_cut *cut = r->cut;
    const int n = k < 0 ? r->n : cut->n;
    hg_label label = {.log_x = k < 0};
    hg_curve *curve = NULL;

    snprintf(label.statistic, sizeof label.statistic, "resolution_%s%s",
             is_bias ? "bias" : "rmse", k < 0 ? "" : "_by_mass");
    snprintf(label.name, sizeof label.name, "%.40s_%.60s", label.statistic, r->scored[s].name);
    if (k >= 0) {
        snprintf(label.sample, sizeof label.sample, "particles %.4g times heavier",
                 r->factor[k]);
        snprintf(label.name, sizeof label.name, "%.40s_%.50s_%d", label.statistic,
                 r->scored[s].name, k + 1);
    }
    snprintf(label.catalogue, sizeof label.catalogue, "%s", ways[way]);
    snprintf(label.column, sizeof label.column, "%.63s", r->scored[s].name);
    snprintf(label.x_name, sizeof label.x_name, "%s", k < 0 ? "particle mass" : cut->x_name);
    snprintf(label.x_unit, sizeof label.x_unit, "%s", k < 0 ? "Msun" : "");
    snprintf(label.y_name, sizeof label.y_name, "%s", is_bias ? "bias" : "rms error");
    HG_TRY(hg_statistics_curve(statistics, &label, n, HG_CURVE_COUNT, &curve));
    for (int i = 0; i < n; i++) {
        curve->x[i] = k < 0 ? r->mass[i] : cut->x[i];
        curve->x_low[i] = k < 0 ? r->mass[i] : cut->x[n + i];
        curve->x_high[i] = k < 0 ? r->mass[i] : cut->x[2 * n + i];
        set_point(hg_resolution_at(r, k < 0 ? i : k, s, k < 0 ? 0 : 1 + i), way, is_bias, i,
                  curve);
    }
    return hg_attributes_text(&curve->attributes, "description",
                              "Held-out haloes that are not lost, the same for all curves; "
                              "errors of a jackknife over blocks");
}

hg_status
hg_resolution_write(const hg_resolution *r, const char *path, hg_statistics *statistics)
{
    HG_TRY(add_table(r, path, &statistics->beside));
    for (int s = 0; s < r->n_scored; s++) {
        for (int k = -1; k < r->n; k++) {
            for (int way = 0; way < HG_RESOLUTION_WAYS; way++) {
                HG_TRY(add_curve(r, s, k, way, false, statistics));
                HG_TRY(add_curve(r, s, k, way, true, statistics));
            }
        }
        print_table(r, s);
    }
    return HG_OK;
}
