/* What all curves of a sample say of it. */
#include <stdio.h>
#include <string.h>

#include "measure/measure_sample.h"

void
hg_sample_label(const hg_sample_task *task, const char *statistic, hg_label *label)
{
    const bool is_variant =
        task->is_redshift && strcmp(task->plan->params->measure.space, "both") == 0;

    *label = (hg_label){.log_x = true};
    snprintf(label->statistic, sizeof label->statistic, "%s", statistic);
    snprintf(label->name, sizeof label->name, "%.28s%s_%.89s", statistic,
             is_variant ? "_redshift" : "", task->name);
    snprintf(label->catalogue, sizeof label->catalogue, "%s", task->source->name);
    snprintf(label->sample, sizeof label->sample, "%s", task->name);
}

/* What defines the objects: selections, weights, numbers. */
static hg_status
describe_objects(const hg_sample_task *task, hg_attributes *a)
{
    static const char *const names[2][5] = {
        {"selection", "weight", "objects", "weight_sum", "number_density"},
        {"selection_b", "weight_b", "objects_b", "weight_sum_b", "number_density_b"}};
    const double volume = task->box * task->box * task->box;

    for (int k = 0; k < 2 && task->sample[k] >= 0; k++) {
        const hg_sample *sample = &task->plan->sample[task->sample[k]];

        HG_TRY(hg_attributes_text(a, names[k][0], sample->text));
        if (sample->weight != NULL) {
            HG_TRY(hg_attributes_text(a, names[k][1], sample->weight_text));
        }
        HG_TRY(hg_attributes_real(a, names[k][2], (double)task->objects[k]));
        HG_TRY(hg_attributes_real(a, names[k][3], task->weight_sum[k]));
        HG_TRY(hg_attributes_real(a, names[k][4], (double)task->objects[k] / volume));
    }
    return hg_attributes_real(a, task->sample[1] < 0 ? "weight_sum2" : "common", task->common);
}

hg_status
hg_sample_attributes(const hg_sample_task *task, hg_attributes *a)
{
    const hg_params_measure *o = &task->plan->params->measure;

    HG_TRY(describe_objects(task, a));
    HG_TRY(hg_attributes_text(a, "source", task->source->path));
    HG_TRY(hg_attributes_text(a, "assignment", o->assignment));
    HG_TRY(hg_attributes_text(a, "precision", o->precision));
    HG_TRY(hg_attributes_text(a, "space", task->is_redshift ? "redshift" : "real"));
    if (strcmp(o->space, "both") == 0) {
        HG_TRY(hg_attributes_text(a, "variant", task->is_redshift ? "redshift space" : ""));
    }
    HG_TRY(hg_attributes_text(a, "line_of_sight", o->line_of_sight));
    HG_TRY(hg_attributes_real(a, "mesh", (double)o->mesh));
    HG_TRY(hg_attributes_real(a, "interlaced", o->interlace ? 1 : 0));
    HG_TRY(hg_attributes_real(a, "box", task->box));
    HG_TRY(
        hg_attributes_real(a, "redshift", hg_catalog_frame(task->source->catalog)->redshift));
    return hg_attributes_real(a, "shot_noise", task->shot);
}
