/* One mesh plan serves all samples and catalogues. The positions of a sample, or of two, are
 * taken out of the kept rows, painted and transformed; P(k) and the large scales of xi(r) come
 * from the same sums over modes. In real space all lines of sight share one transform, in
 * redshift space each has its own. */
#include "measure/measure_cluster.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "measure/measure_memory.h"
#include "measure/measure_pairs.h"
#include "measure/measure_power.h"
#include "store/publish.h"
#include "suite/paths.h"

static bool
is_word(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

hg_status
hg_measure_cluster_plan(const hg_comm *comm, const hg_params *params, int64_t n_row,
                        int64_t n_referred, double box, hg_mesh **mesh)
{
    hg_mesh_options options = hg_measure_mesh(&params->measure);
    hg_measure_memory memory;
    char text[256], wisdom[HG_PATH_MAX];

    *mesh = NULL;
    hg_measure_memory_estimate(params, (double)n_row, (double)n_referred, box, comm->size,
                               omp_get_max_threads(), &memory);
    hg_measure_memory_text(params, &memory, sizeof text, text);
    hg_log_info("measure: %s", text);
    HG_TRY(hg_measure_memory_check(params, &memory));
    HG_TRY(hg_comm_agree(comm, hg_paths_wisdom(params, sizeof wisdom, wisdom)));
    /* the environment of rank 0 counts */
    hg_comm_broadcast(comm, 0, wisdom, sizeof wisdom);
    options.wisdom = wisdom[0] != '\0' ? wisdom : NULL;
    return hg_mesh_create(comm, &options, mesh);
}

/* Points and densities of both samples: of one line of sight in redshift space, of all in real
 * space. */
typedef struct sample_view {
    hg_points points[2];
    hg_density density[2];
} sample_view;

static void
clear_densities(sample_view *view)
{
    for (int k = 0; k < 2; k++) {
        hg_density_clear(&view->density[k]);
    }
}

static void
clear_view(sample_view *view)
{
    clear_densities(view);
    for (int k = 0; k < 2; k++) {
        hg_points_clear(&view->points[k]);
    }
}

/* Points of both samples, moved along a line of sight or not. */
static hg_status
take_points(const hg_comm *comm, const hg_sample_task *task, hg_los los, sample_view *view)
{
    hg_status status = HG_OK;

    clear_view(view);
    for (int k = 0; k < 2 && task->sample[k] >= 0 && status == HG_OK; k++) {
        status =
            hg_points_take(task->plan, task->pass[k], task->sample[k], los, &view->points[k]);
    }
    return hg_comm_agree(comm, status);
}

/* Densities of both samples, with the box folded so many times along each axis. */
static hg_status
paint_samples(const hg_comm *comm, hg_mesh *mesh, hg_sample_task *task, int64_t times,
              sample_view *view)
{
    const hg_params_measure *o = &task->plan->params->measure;
    const int n = task->sample[1] < 0 ? 1 : 2;
    hg_kernel kernel = HG_KERNEL_PCS;
    hg_status status = hg_kernel_parse(o->assignment, &kernel);

    clear_densities(view);
    for (int k = 0; k < n && status == HG_OK; k++) {
        const hg_points *p = &view->points[k];

        status =
            hg_density_create(comm, mesh, kernel, o->interlace, task->box / (double)times, p->n,
                              (const double(*)[3])p->position, p->weight, &view->density[k]);
        task->weight_sum[k] = view->density[k].weight_sum;
    }
    if (status != HG_OK) {
        hg_error_prefix("sample '%s' of catalogue '%s': ", task->name, task->source->name);
        return status;
    }
    task->common = n == 1 ? view->density[0].weight_sum2
                          : hg_points_common(comm, &view->points[0], &view->points[1]);
    task->shot =
        pow(task->box, 3) * task->common / (task->weight_sum[0] * task->weight_sum[n - 1]);
    return HG_OK;
}

/* What the box itself gives for line of sight number `line`, beside its sums. */
static hg_status
sum_box(const hg_comm *comm, const hg_mesh *mesh, const hg_sample_task *task,
        const sample_view *view, hg_los los, int line, const hg_fold_bins *bins,
        const hg_fine *fine, hg_mode_sums *sums)
{
    const hg_params_measure *o = &task->plan->params->measure;
    const hg_density *b = task->sample[1] < 0 ? NULL : &view->density[1];
    hg_wedges wedges = {0};

    if (sums->n_line > 1) {
        HG_TRY(hg_comm_agree(
            comm, hg_power_bin(fine, bins->first[1], bins->edge, &sums->line[line])));
    }
    if (o->wedges > 0 && los != HG_LOS_NONE) {
        HG_TRY(hg_wedges_measure(comm, mesh, &view->density[0], b, task->common, los,
                                 bins->first[1], bins->edge, (int)o->wedges, &wedges));
        hg_wedges_join(&sums->wedges, &wedges, line);
    }
    return HG_OK;
}

/* Sums over modes of one fold of the box for line of sight number `line`. */
static hg_status
sum_line(const hg_comm *comm, const hg_mesh *mesh, const hg_sample_task *task,
         const sample_view *view, hg_los los, int line, const hg_fold_bins *bins, int level,
         hg_mode_sums *sums)
{
    const hg_density *b = task->sample[1] < 0 ? NULL : &view->density[1];
    hg_fine fine = {0};
    hg_status status;

    HG_TRY(hg_fine_measure(comm, mesh, &view->density[0], b, task->common, los, &fine));
    hg_fine_unfold(&fine, hg_fold_times(bins, level));
    status = level == 0 ? sum_box(comm, mesh, task, view, los, line, bins, &fine, sums) : HG_OK;
    if (status == HG_OK) {
        hg_fine_join(&sums->fine[level], &fine, line);
    }
    hg_fine_clear(&fine);
    return status;
}

/* Modes and pairs of the lines of sight [first, end) that share their points. */
static hg_status
sum_view(const hg_comm *comm, hg_mesh *mesh, hg_sample_task *task, sample_view *view,
         const hg_los los[], int first, int end, hg_mode_sums *sums, hg_pair_sums *pairs)
{
    hg_fold_bins bins;
    hg_status status = hg_measure_power_bins(&task->plan->params->measure, &bins);

    HG_TRY(status);
    HG_TRY(take_points(comm, task, task->is_redshift ? los[first] : HG_LOS_NONE, view));
    hg_phase_start("measure: mesh");
    for (int level = bins.n_level - 1; level >= 0 && status == HG_OK; level--) {
        status = paint_samples(comm, mesh, task, hg_fold_times(&bins, level), view);
        for (int i = first; i < end && status == HG_OK; i++) {
            status = sum_line(comm, mesh, task, view, los[i], i, &bins, level, sums);
        }
    }
    hg_phase_stop("measure: mesh");
    clear_densities(view); /* their memory is wanted for the pairs */
    for (int i = first; i < end && status == HG_OK; i++) {
        status = hg_measure_pairs_count(comm, task, &view->points[0], &view->points[1], los[i],
                                        i, pairs);
    }
    return status;
}

/* All lines of sight in one space, then the curves of their means. */
static hg_status
measure_space(const hg_comm *comm, hg_mesh *mesh, hg_sample_task *task, bool with_slice)
{
    const hg_params_measure *o = &task->plan->params->measure;
    hg_los los[3];
    const int n_line = hg_measure_lines(o, los), n = n_line > 0 ? n_line : 1;
    const int step = task->is_redshift ? 1 : n;
    sample_view view = {.points = {{0}}};
    hg_mode_sums sums = {.n_line = n_line};
    hg_pair_sums pairs = {.distance = {0}};
    hg_status status = HG_OK;

    for (int i = 0; i < n; i += step) {
        HG_TRY_OR(done, status,
                  sum_view(comm, mesh, task, &view, los, i, i + step, &sums, &pairs));
    }
    status = hg_measure_power(task, &sums);
    if (status == HG_OK) {
        status = hg_measure_pairs_curves(task, &sums.fine[0], &pairs);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (with_slice && o->slice_depth > 0) {
        status = hg_measure_slice(comm, task, &view.points[0]);
    }
done:
    hg_pair_sums_clear(&pairs);
    hg_mode_sums_clear(&sums);
    clear_view(&view);
    return status;
}

/* Real space, redshift space, or both; nothing where a sample is empty. */
static hg_status
measure_power(const hg_comm *comm, hg_mesh *mesh, hg_sample_task *task)
{
    const char *space = task->plan->params->measure.space;
    bool with_slice = task->is_first && task->sample[1] < 0;

    for (int k = 0; k < 2 && task->sample[k] >= 0; k++) {
        task->objects[k] = task->pass[k]->objects[task->sample[k]];
        if (task->objects[k] == 0) {
            if (task->is_loud) {
                hg_log_warn(
                    "measure: sample '%s' of catalogue '%s' is empty: no clustering%s%s",
                    task->plan->sample[task->sample[k]].name, task->source->name,
                    task->sample[1] < 0 ? "" : " of ", task->sample[1] < 0 ? "" : task->name);
            }
            return HG_OK;
        }
    }
    if (!is_word(space, "redshift")) {
        HG_TRY(measure_space(comm, mesh, task, with_slice));
        with_slice = false;
    }
    if (!is_word(space, "real")) {
        task->is_redshift = true;
        HG_TRY(measure_space(comm, mesh, task, with_slice));
    }
    return HG_OK;
}

hg_status
hg_referred_set_read(const hg_comm *comm, const hg_measure_plan *plan,
                     const hg_measured_set *sources, hg_referred_set *set)
{
    *set = (hg_referred_set){.n = 0};
    for (int c = 0; c < plan->n_cross; c++) {
        const char *name = plan->cross[c].catalogue;
        const hg_measured *source = hg_measured_set_find(sources, name);
        bool is_read = name[0] == '\0';

        for (int i = 0; i < set->n; i++) {
            is_read = is_read || set->referred[i].source == source;
        }
        if (is_read) {
            continue;
        }
        if (source == NULL) {
            return HG_FAIL(HG_E_PARAM,
                           "'%s' in Measure.cross is neither a catalogue of "
                           "Measure.catalogues nor one of Measure.references",
                           name);
        }
        hg_referred *referred = &set->referred[set->n++];

        referred->source = source;
        HG_TRY(hg_measure_pass_points(comm, plan, sources, source,
                                      hg_measure_plan_referred(plan, name), &referred->pass));
    }
    return HG_OK;
}

void
hg_referred_set_clear(hg_referred_set *set)
{
    for (int i = 0; i < set->n; i++) {
        hg_measure_pass_clear(&set->referred[i].pass);
    }
    set->n = 0;
}

static hg_status
check_boxes(const hg_measured *a, const hg_measured *b)
{
    const double box[2] = {hg_catalog_frame(a->catalog)->box,
                           hg_catalog_frame(b->catalog)->box};

    if (!(fabs(box[0] - box[1]) <= 1e-6 * box[0])) {
        return HG_FAIL(HG_E_INPUT,
                       "catalogue '%s' has a box of %.9g Mpc and '%s' one of %.9g Mpc, so "
                       "Measure.cross cannot pair them",
                       a->name, box[0], b->name, box[1]);
    }
    return HG_OK;
}

/* Fill in the second sample of a pair; not `ready` where the pair is of no use here. */
static hg_status
choose_pair(const hg_cross *cross, const hg_referred_set *set, hg_sample_task *task,
            bool *ready)
{
    task->name = cross->name;
    task->sample[0] = cross->a;
    task->sample[1] = cross->b;
    *ready = (task->pass[0]->has_sample >> cross->a & 1) != 0;
    for (int i = 0; i < set->n && cross->catalogue[0] != '\0'; i++) {
        if (is_word(set->referred[i].source->name, cross->catalogue)) {
            task->pass[1] = &set->referred[i].pass;
            HG_TRY(check_boxes(task->source, set->referred[i].source));
        }
    }
    *ready = *ready && (task->pass[1]->has_sample >> cross->b & 1) != 0 &&
             !(cross->a == cross->b && is_word(task->source->name, cross->catalogue));
    return HG_OK;
}

hg_status
hg_measure_cluster(const hg_comm *comm, const hg_measure_plan *plan, hg_mesh *mesh,
                   const hg_measured *source, const hg_measure_pass *pass,
                   const hg_referred_set *referred, bool with_maps, hg_statistics *statistics)
{
    const hg_sample_task empty = {.plan = plan,
                                  .source = source,
                                  .pass = {pass, pass},
                                  .sample = {-1, -1},
                                  .box = hg_catalog_frame(source->catalog)->box,
                                  .is_loud = comm->rank == 0,
                                  .is_first = with_maps,
                                  .statistics = statistics};

    if (!(empty.box > 0) || !pass->has_position) {
        if (comm->rank == 0) {
            hg_log_warn("measure: catalogue '%s' has no %s: no clustering", source->name,
                        pass->has_position ? "periodic box" : "positions");
        }
        return HG_OK;
    }
    for (int s = 0; s < plan->n_sample; s++) {
        hg_sample_task task = empty;

        task.name = plan->sample[s].name;
        task.sample[0] = s;
        if ((pass->has_sample >> s & 1) && !plan->sample[s].is_hidden) {
            HG_TRY(measure_power(comm, mesh, &task));
        }
    }
    for (int c = 0; c < plan->n_cross; c++) {
        hg_sample_task task = empty;
        bool ready = false;

        HG_TRY(choose_pair(&plan->cross[c], referred, &task, &ready));
        if (ready) {
            HG_TRY(measure_power(comm, mesh, &task));
        }
    }
    return HG_OK;
}
