/* One mesh plan serves all samples and catalogues. A sample's positions are gathered from the
 * kept rows, painted, transformed and summed once; P(k) and the large scales of xi(r) come from
 * the same sums. */
#include "emulate/measure_cluster.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "emulate/measure_memory.h"
#include "emulate/measure_pairs.h"
#include "halograft/log.h"

enum { EDGE_MAX = 1024 };

static bool
is_word(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

hg_status
hg_measure_cluster_plan(const hg_comm *comm, const hg_params *params, int64_t n_row,
                        hg_mesh **mesh)
{
    const hg_mesh_options options = hg_measure_mesh(&params->measure);
    hg_measure_memory memory;
    char text[256];

    *mesh = NULL;
    hg_measure_memory_estimate(params, (double)n_row, comm->size, omp_get_max_threads(),
                               &memory);
    hg_measure_memory_text(params, &memory, sizeof text, text);
    hg_log_info("measure: %s", text);
    HG_TRY(hg_measure_memory_check(params, &memory));
    return hg_mesh_create(comm, &options, mesh);
}

hg_los
hg_measure_los(const hg_params_measure *o)
{
    return is_word(o->line_of_sight, "none") ? HG_LOS_NONE
                                             : (hg_los)(o->line_of_sight[0] - 'x');
}

hg_status
hg_sample_attributes(const hg_sample_task *task, hg_attributes *a)
{
    const hg_params_measure *o = &task->plan->params->measure;
    const double volume = task->box * task->box * task->box;

    HG_TRY(hg_attributes_text(a, "selection", task->sample->text));
    HG_TRY(hg_attributes_text(a, "source", task->source->path));
    HG_TRY(hg_attributes_text(a, "assignment", o->assignment));
    HG_TRY(hg_attributes_text(a, "precision", o->precision));
    HG_TRY(hg_attributes_text(a, "space", o->space));
    HG_TRY(hg_attributes_text(a, "line_of_sight", o->line_of_sight));
    HG_TRY(hg_attributes_real(a, "mesh", (double)o->mesh));
    HG_TRY(hg_attributes_real(a, "interlaced", o->interlace ? 1 : 0));
    HG_TRY(hg_attributes_real(a, "box", task->box));
    HG_TRY(
        hg_attributes_real(a, "redshift", hg_catalog_frame(task->source->catalog)->redshift));
    HG_TRY(hg_attributes_real(a, "objects", (double)task->objects));
    HG_TRY(hg_attributes_real(a, "number_density", (double)task->objects / volume));
    return hg_attributes_real(a, "shot_noise", task->shot);
}

void
hg_sample_label(const hg_sample_task *task, const char *statistic, hg_label *label)
{
    *label = (hg_label){.log_x = true};
    snprintf(label->statistic, sizeof label->statistic, "%s", statistic);
    snprintf(label->name, sizeof label->name, "%.20s_%.100s", statistic, task->sample->name);
    snprintf(label->catalogue, sizeof label->catalogue, "%s", task->source->name);
    snprintf(label->sample, sizeof label->sample, "%s", task->sample->name);
}

static hg_status
add_power(const hg_sample_task *task, const hg_fine *fine)
{
    static const char *const name[HG_POLES] = {"power", "power_quadrupole",
                                               "power_hexadecapole"};
    const hg_params_measure *o = &task->plan->params->measure;
    double edge[EDGE_MAX];
    int n = hg_bin_edges(0.5, 0.5 * (double)o->mesh * o->k_max, o->k_width, o->dlnk, EDGE_MAX,
                         edge);
    hg_power power;
    hg_status status = HG_OK;

    HG_TRY(hg_power_bin(fine, n, edge, &power));
    for (int l = 0; l < power.n_pole && l < HG_POLES && status == HG_OK; l++) {
        hg_label label;
        hg_curve *curve = NULL;

        hg_sample_label(task, name[l], &label);
        label.log_y = l == 0;
        snprintf(label.x_name, sizeof label.x_name, "k");
        snprintf(label.x_unit, sizeof label.x_unit, "Mpc^-1");
        snprintf(label.y_name, sizeof label.y_name, "P_%d", 2 * l);
        snprintf(label.y_unit, sizeof label.y_unit, "Mpc^3");
        HG_TRY_OR(done, status,
                  hg_statistics_curve(task->statistics, &label, n, HG_CURVE_COUNT, &curve));
        for (int i = 0; i < n; i++) {
            double middle = 0.5 * (power.k_low[i] + power.k_high[i]);

            curve->x[i] = power.modes[i] > 0 ? power.k_mean[i] : middle;
            curve->x_low[i] = power.k_low[i];
            curve->x_high[i] = power.k_high[i];
            curve->y[i] = power.p[l][i];
            curve->error[i] = power.sigma[l][i];
            curve->count[i] = power.modes[i];
        }
        status = hg_sample_attributes(task, &curve->attributes);
    }
done:
    hg_power_clear(&power);
    return status;
}

static hg_status
measure_clustering(const hg_comm *comm, hg_mesh *mesh, hg_sample_task *task, int64_t n,
                   const double position[][3])
{
    const hg_params_measure *o = &task->plan->params->measure;
    hg_kernel kernel = HG_KERNEL_PCS;
    hg_density density = {0};
    hg_fine fine = {0};
    hg_status status;

    HG_TRY(hg_kernel_parse(o->assignment, &kernel));
    hg_phase_start("measure: mesh");
    HG_TRY_OR(done, status,
              hg_density_create(comm, mesh, kernel, o->interlace, task->box, n, position, NULL,
                                &density));
    HG_TRY_OR(done, status,
              hg_fine_measure(comm, mesh, &density, NULL, density.weight_sum2,
                              hg_measure_los(o), &fine));
    hg_density_clear(&density);
    task->shot = task->box * task->box * task->box / (double)task->objects;
    status = add_power(task, &fine);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_phase_stop("measure: mesh");
    status = hg_measure_pairs(comm, task, &fine, n, position);
    hg_phase_start("measure: mesh");
done:
    hg_phase_stop("measure: mesh");
    hg_density_clear(&density);
    hg_fine_clear(&fine);
    return status;
}

/* Objects with z in the lowest slice_depth of the box, on the (x, y) plane. */
static hg_status
add_slice(const hg_comm *comm, const hg_sample_task *task, int64_t n,
          const double position[][3])
{
    const hg_params_measure *o = &task->plan->params->measure;
    const hg_axis axis = {.step = task->box / (double)o->slice_cells, .n = (int)o->slice_cells};
    hg_histogram histogram = {.n_outside = 0};
    hg_label label;
    hg_map *map = NULL;
    hg_status status = hg_histogram_init(&axis, &axis, &histogram);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        double z = position[i][2] - task->box * floor(position[i][2] / task->box);

        if (z < o->slice_depth) {
            hg_histogram_add(&histogram, 1, &position[i][0], &position[i][1], NULL);
        }
    }
    hg_histogram_sum(comm, &histogram);
    hg_sample_label(task, "slice", &label);
    label.log_x = false;
    snprintf(label.x_name, sizeof label.x_name, "x");
    snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
    snprintf(label.y_name, sizeof label.y_name, "y");
    snprintf(label.y_unit, sizeof label.y_unit, "Mpc");
    HG_TRY_OR(done, status, hg_statistics_map(task->statistics, &label, axis.n, axis.n, &map));
    memcpy(map->counts, histogram.count, (size_t)(axis.n * axis.n) * sizeof *map->counts);
    for (int i = 0; i <= axis.n; i++) {
        map->x_edges[i] = map->y_edges[i] = hg_axis_edge(&axis, i);
    }
    HG_TRY_OR(done, status,
              hg_attributes_text(&map->attributes, "selection", task->sample->text));
    HG_TRY_OR(done, status,
              hg_attributes_real(&map->attributes, "depth", fmin(o->slice_depth, task->box)));
    status = hg_attributes_text(&map->attributes, "depth_unit", "Mpc");
done:
    hg_histogram_clear(&histogram);
    return status;
}

static hg_status
gather_positions(const hg_measure_pass *pass, int sample, int64_t *n, double (**position)[3])
{
    int64_t count = 0;

    for (int64_t i = 0; i < pass->n_selected; i++) {
        count += (int64_t)(pass->selected[i].mask >> sample & 1);
    }
    *n = 0;
    HG_TRY(hg_mem_array(position, (size_t)count, sizeof **position));
    for (int64_t i = 0; i < pass->n_selected; i++) {
        if (pass->selected[i].mask >> sample & 1) {
            memcpy((*position)[(*n)++], pass->selected[i].position, sizeof **position);
        }
    }
    return HG_OK;
}

static hg_status
measure_sample(const hg_comm *comm, hg_mesh *mesh, hg_sample_task *task,
               const hg_measure_pass *pass, int sample, bool with_maps)
{
    double(*position)[3] = NULL;
    int64_t n = 0;
    hg_status status = gather_positions(pass, sample, &n, &position);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              measure_clustering(comm, mesh, task, n, (const double(*)[3])position));
    if (with_maps && task->plan->params->measure.slice_depth > 0) {
        status = hg_comm_agree(comm, add_slice(comm, task, n, (const double(*)[3])position));
    }
done:
    hg_mem_free(position);
    return status;
}

hg_status
hg_measure_cluster(const hg_comm *comm, const hg_measure_plan *plan, hg_mesh *mesh,
                   const hg_measured *source, const hg_measure_pass *pass, bool with_maps,
                   hg_statistics *statistics)
{
    const double box = hg_catalog_frame(source->catalog)->box;

    if (!(box > 0) || !pass->has_position) {
        if (comm->rank == 0) {
            hg_log_warn("measure: catalogue '%s' has no %s: no clustering", source->name,
                        pass->has_position ? "periodic box" : "positions");
        }
        return HG_OK;
    }
    for (int s = 0; s < plan->n_sample; s++) {
        hg_sample_task task = {.plan = plan,
                               .source = source,
                               .sample = &plan->sample[s],
                               .box = box,
                               .objects = pass->objects[s],
                               .is_loud = comm->rank == 0,
                               .is_first = with_maps,
                               .statistics = statistics};

        if (!(pass->has_sample >> s & 1)) {
            continue;
        }
        if (pass->objects[s] == 0) {
            if (task.is_loud) {
                hg_log_warn("measure: sample '%s' of catalogue '%s' is empty: no clustering",
                            plan->sample[s].name, source->name);
            }
            continue;
        }
        HG_TRY(measure_sample(comm, mesh, &task, pass, s, with_maps));
    }
    return HG_OK;
}
