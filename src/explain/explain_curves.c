/* Importances as scores, dependence as curves, a plane as one curve for each point of its
 * second feature, and parts of predictions as points over the value of the feature. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "explain/explain_output.h"

static hg_status
add_score(const hg_importance_line *line, hg_statistics *statistics)
{
    char name[HG_LABEL_MAX];
    hg_score *score = NULL;

    snprintf(name, sizeof name, "importance_%.12s_%.40s_%.60s", line->method, line->target,
             line->set);
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "method", line->method));
    HG_TRY(hg_attributes_text(&score->attributes, "target", line->target));
    HG_TRY(hg_attributes_text(&score->attributes, "features", line->set));
    HG_TRY(hg_attributes_real(&score->attributes, "value", line->value));
    HG_TRY(hg_attributes_real(&score->attributes, "error", line->error));
    HG_TRY(hg_attributes_real(&score->attributes, "repeat_error", line->repeat));
    HG_TRY(hg_attributes_real(&score->attributes, "share", line->share));
    return hg_attributes_real(&score->attributes, "share_error", line->share_error);
}

/* ---- dependence ---- */
static void
label_feature(const hg_explanation *found, int feature, const char *target, hg_label *label)
{
    const hg_field_spec *spec = &found->folds->validation->features.spec[feature];

    snprintf(label->catalogue, sizeof label->catalogue, "model");
    snprintf(label->column, sizeof label->column, "%.63s", target);
    snprintf(label->x_name, sizeof label->x_name, "%s", spec->name);
    snprintf(label->y_name, sizeof label->y_name, "%.63s", target);
}

/* How a feature or target was made, for axes: "log10", "" = as it is. */
static hg_status
add_transforms(const hg_explanation *found, int feature, int target, hg_curve *curve)
{
    const hg_validation *v = found->folds->validation;

    HG_TRY(hg_attributes_text(&curve->attributes, "x_transform",
                              v->features.spec[feature].transform));
    HG_TRY(hg_attributes_text(&curve->attributes, "x_column_unit",
                              v->features.spec[feature].unit));
    HG_TRY(hg_attributes_text(&curve->attributes, "y_transform",
                              target < 0 ? "" : v->targets.spec[target].transform));
    return hg_attributes_text(&curve->attributes, "y_column_unit",
                              target < 0 ? "" : v->targets.spec[target].unit);
}

/* Points of feature 0 at point j of feature 1, or the whole curve. */
static hg_status
add_curve(const hg_explanation *found, const hg_dependence *d, int scored, int j,
          hg_statistics *statistics)
{
    static const char *const statistic[2][2] = {
        {"partial_dependence", "accumulated_effect"},
        {"partial_dependence_plane", "interaction_effect_plane"}};
    const hg_validation *v = found->folds->validation;
    const hg_scored *s = &found->dependences->scored[scored];
    const char *other =
        d->n_axis > 1 ? found->folds->validation->features.spec[d->feature[1]].name : "";
    hg_label label = {.log_x = false};
    hg_curve *curve = NULL;

    snprintf(label.statistic, sizeof label.statistic, "%s", statistic[d->n_axis - 1][d->kind]);
    label_feature(found, d->feature[0], s->name, &label);
    snprintf(label.name, sizeof label.name, "%.26s_%.32s_%.28s%s%.28s", label.statistic,
             s->name, v->features.spec[d->feature[0]].name, d->n_axis > 1 ? "+" : "", other);
    if (d->n_axis > 1) {
        char number[16];

        snprintf(number, sizeof number, "_%d", j);
        snprintf(label.name + strlen(label.name), sizeof label.name - strlen(label.name), "%s",
                 number);
        snprintf(label.sample, sizeof label.sample, "%.60s = %.6g", other, d->x[1][j]);
    }
    HG_TRY(hg_statistics_curve(statistics, &label, d->n[0], HG_CURVE_COUNT, &curve));
    for (int i = 0; i < d->n[0]; i++) {
        const size_t at = (size_t)(i * d->n[1] + j),
                     all = (size_t)scored * (size_t)d->n[0] * (size_t)d->n[1] + at;

        curve->x[i] = curve->x_low[i] = curve->x_high[i] = d->x[0][i];
        curve->y[i] = d->value[all];
        curve->error[i] = d->error[all];
        curve->count[i] = d->count[at];
    }
    if (d->n_axis > 1) {
        HG_TRY(hg_attributes_text(&curve->attributes, "other", other));
        HG_TRY(hg_attributes_real(&curve->attributes, "other_value", d->x[1][j]));
        HG_TRY(hg_attributes_real(&curve->attributes, "other_number", j));
        HG_TRY(hg_attributes_text(&curve->attributes, "other_transform",
                                  v->features.spec[d->feature[1]].transform));
        HG_TRY(hg_attributes_text(&curve->attributes, "other_column_unit",
                                  v->features.spec[d->feature[1]].unit));
    }
    HG_TRY(add_transforms(found, d->feature[0], s->is_label ? -1 : s->target, curve));
    return hg_attributes_real(&curve->attributes, "rows", (double)found->dependences->n_row);
}

/* ---- parts of predictions ---- */
static hg_status
add_parts(const hg_explanation *found, const hg_haloes_stage *stage, int o, int feature,
          bool is_path, hg_statistics *statistics)
{
    const hg_validation *v = found->folds->validation;
    const double *part = is_path ? stage->parts.path : stage->parts.shapley;
    const int nf = v->features.n;
    char target[80];
    hg_label label = {.log_x = false};
    hg_curve *curve = NULL;

    hg_haloes_output_name(found->model, stage->stage, o, sizeof target, target);
    snprintf(label.statistic, sizeof label.statistic, is_path ? "path_part" : "shapley_part");
    label_feature(found, feature, target, &label);
    snprintf(label.name, sizeof label.name, "%.12s_%.50s_%.50s", label.statistic, target,
             v->features.spec[feature].name);
    HG_TRY(hg_statistics_curve(statistics, &label, found->haloes->n, 0, &curve));
    for (int64_t i = 0; i < found->haloes->n; i++) {
        curve->x[i] = (double)found->haloes->x[i * nf + feature];
        curve->x_low[i] = curve->x_high[i] = curve->x[i];
        curve->y[i] = part[(i * nf + feature) * stage->n_target + o];
        curve->error[i] = (double)NAN;
    }
    HG_TRY(add_transforms(found, feature, -1, curve));
    return hg_attributes_real(&curve->attributes, "base", stage->parts.base[o]);
}

static hg_status
add_haloes(const hg_explanation *found, hg_statistics *statistics)
{
    for (int s = 0; s < found->haloes->n_stage; s++) {
        const hg_haloes_stage *stage = &found->haloes->stage[s];

        for (int o = 0; o < stage->n_target; o++) {
            for (int k = 0; k < found->folds->validation->features.n; k++) {
                HG_TRY(add_parts(found, stage, o, k, false, statistics));
                HG_TRY(add_parts(found, stage, o, k, true, statistics));
            }
        }
    }
    return HG_OK;
}

hg_status
hg_explanation_statistics(const hg_explanation *found, hg_statistics *statistics)
{
    for (int i = 0; i < found->n_line; i++) {
        HG_TRY(add_score(&found->line[i], statistics));
    }
    for (int k = 0; k < found->dependences->n; k++) {
        const hg_dependence *d = &found->dependences->v[k];

        for (int s = 0; s < found->dependences->n_scored; s++) {
            for (int j = 0; j < d->n[1]; j++) {
                HG_TRY(add_curve(found, d, s, j, statistics));
            }
        }
    }
    return add_haloes(found, statistics);
}
