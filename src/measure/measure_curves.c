/* Mass functions and relations as curves, with all that defines them as attributes. A relation
 * gives three curves: the median with its 16 and 84 per cent, the standard deviation in dex,
 * and half the distance of the percentiles. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure/measure_pass.h"
#include "stats/relation.h"

static hg_status
add_common(const hg_measured *source, hg_attributes *attributes)
{
    const hg_frame *frame = hg_catalog_frame(source->catalog);

    HG_TRY(hg_attributes_real(attributes, "box", frame->box));
    HG_TRY(hg_attributes_real(attributes, "redshift", frame->redshift));
    HG_TRY(hg_attributes_text(attributes, "source", source->path));
    return HG_OK;
}

/* A unit to a power in words: "Mpc^-3 dex^-1" for a box, "dex^-1" for a catalogue without one.
 */
static hg_status
add_massfunc(const hg_measured_set *sources, const hg_measured *source, const char *column,
             const hg_massfunc *massfunc, hg_statistics *statistics)
{
    const double box = hg_catalog_frame(source->catalog)->box;
    const bool periodic = box > 0;
    hg_label label = {.statistic = "mass_function", .log_x = true, .log_y = true};
    hg_curve *curve = NULL;
    int first, end;

    hg_massfunc_range(massfunc, &first, &end);
    snprintf(label.name, sizeof label.name, "mass_function_%s", column);
    snprintf(label.catalogue, sizeof label.catalogue, "%s", source->name);
    snprintf(label.column, sizeof label.column, "%s", column);
    snprintf(label.x_name, sizeof label.x_name, "%s", column);
    snprintf(label.x_unit, sizeof label.x_unit, "%s", hg_measure_unit(sources, source, column));
    snprintf(label.y_name, sizeof label.y_name, "%s", periodic ? "dn/dlog10" : "dN/dlog10");
    snprintf(label.y_unit, sizeof label.y_unit, "%s", periodic ? "Mpc^-3 dex^-1" : "dex^-1");
    HG_TRY(hg_statistics_curve(statistics, &label, end - first, HG_CURVE_COUNT, &curve));
    for (int i = first; i < end; i++) {
        int k = i - first;

        curve->x[k] = hg_axis_centre(&massfunc->axis, i);
        curve->x_low[k] = hg_axis_edge(&massfunc->axis, i);
        curve->x_high[k] = hg_axis_edge(&massfunc->axis, i + 1);
        curve->count[k] = massfunc->count[i];
        hg_massfunc_bin(massfunc, periodic ? box * box * box : 1, i, &curve->y[k],
                        &curve->error[k]);
    }
    HG_TRY(hg_attributes_real(&curve->attributes, "width", massfunc->axis.step));
    HG_TRY(hg_attributes_text(&curve->attributes, "width_unit", "dex"));
    HG_TRY(
        hg_attributes_real(&curve->attributes, "upper_limit",
                           1.841 / ((periodic ? box * box * box : 1) * massfunc->axis.step)));
    HG_TRY(hg_attributes_real(&curve->attributes, "n_outside", (double)massfunc->n_outside));
    return add_common(source, &curve->attributes);
}

enum { MEDIAN, SCATTER, WIDTH };

static void
fill_relation_bin(const hg_relation *r, int kind, int k, hg_curve *curve)
{
    curve->count[k] = r->count;
    switch (kind) {
    case MEDIAN:
        curve->y[k] = pow(10, r->median);
        curve->low[k] = pow(10, r->low);
        curve->high[k] = pow(10, r->high);
        curve->error[k] = curve->y[k] * M_LN10 * r->mean_error * sqrt(M_PI / 2);
        break;
    case SCATTER:
        curve->y[k] = r->std;
        curve->error[k] = r->std_error;
        break;
    default:
        curve->y[k] = r->half_width;
        curve->error[k] = r->half_error;
        break;
    }
}

static hg_status
add_relation(const hg_measure_plan *plan, const hg_measured_set *sources,
             const hg_measured *source, const hg_related *related,
             const hg_histogram *histogram, int kind, hg_statistics *statistics)
{
    static const char *const tail[] = {"", "_scatter", "_width"};
    const hg_params_measure *o = &plan->params->measure;
    const char *column = related->column, *to = related->to;
    const bool is_shmr = strcmp(column, "stellar_mass") == 0 && strcmp(to, "m200c") == 0;
    hg_label label = {.log_x = true, .log_y = kind == MEDIAN};
    hg_curve *curve = NULL;
    hg_relation relation;
    int first, end;

    hg_histogram_range_x(histogram, &first, &end);
    snprintf(label.statistic, sizeof label.statistic, "%s%s", is_shmr ? "shmr" : "relation",
             tail[kind]);
    snprintf(label.name, sizeof label.name, "%.24s_%.48s%s%.48s", label.statistic, column,
             related->is_pair ? "_" : "", related->is_pair ? to : "");
    snprintf(label.catalogue, sizeof label.catalogue, "%s", source->name);
    snprintf(label.column, sizeof label.column, "%s", column);
    snprintf(label.x_name, sizeof label.x_name, "%s", to);
    snprintf(label.x_unit, sizeof label.x_unit, "%s", hg_measure_unit(sources, source, to));
    snprintf(label.y_name, sizeof label.y_name, kind == MEDIAN ? "%s" : "scatter of %.40s",
             column);
    snprintf(label.y_unit, sizeof label.y_unit, "%s",
             kind == MEDIAN ? hg_measure_unit(sources, source, column) : "dex");
    HG_TRY(hg_statistics_curve(statistics, &label, end - first,
                               HG_CURVE_COUNT | (kind == MEDIAN ? HG_CURVE_BAND : 0), &curve));
    for (int i = first; i < end; i++) {
        curve->x[i - first] = hg_axis_centre(&histogram->x, i);
        curve->x_low[i - first] = hg_axis_edge(&histogram->x, i);
        curve->x_high[i - first] = hg_axis_edge(&histogram->x, i + 1);
        hg_relation_bin(histogram, i, o->relation_least, &relation);
        fill_relation_bin(&relation, kind, i - first, curve);
    }
    HG_TRY(hg_attributes_text(&curve->attributes, "selection",
                              o->relation_where != NULL ? o->relation_where : ""));
    HG_TRY(hg_attributes_real(&curve->attributes, "least", (double)o->relation_least));
    if (related->is_pair) {
        char text[HG_NAME_MAX + 16];

        snprintf(text, sizeof text, "against %s", to);
        HG_TRY(hg_attributes_text(&curve->attributes, "variant", text));
    }
    HG_TRY(hg_attributes_real(&curve->attributes, "n_outside", (double)histogram->n_outside));
    return add_common(source, &curve->attributes);
}

hg_status
hg_measure_pass_curves(const hg_measure_plan *plan, const hg_measured_set *sources,
                       const hg_measured *source, const hg_measure_pass *pass,
                       hg_statistics *statistics)
{
    for (int i = 0; i < pass->n_mass; i++) {
        HG_TRY(add_massfunc(sources, source, pass->mass_column[i], &pass->massfunc[i],
                            statistics));
    }
    for (int i = 0; i < pass->n_relation; i++) {
        for (int kind = MEDIAN; kind <= WIDTH; kind++) {
            HG_TRY(add_relation(plan, sources, source, pass->related[i], &pass->relation[i],
                                kind, statistics));
        }
    }
    return hg_content_curves(plan, sources, source, pass->has_sample, &pass->content,
                             statistics);
}
