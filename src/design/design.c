/* Survey, candidates, quantities, choice, hulls, files: one after the other. */
#include "design/design.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "design/design_output.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"

/* All that a design holds; {0} is a valid empty one. */
typedef struct design {
    const hg_params *params;
    hg_design_survey survey;
    hg_design_candidates candidates;
    hg_design_goal goal;
    hg_design_problem problem;
    int n_region, n_known; /* of the region table, and with a place */
    hg_region *region;
    double scatter;                 /* between regions, dex */
    double *cost, *delta, *content; /* shape (candidates.n) */
    double *information;            /* shape (quantities, cells) */
    hg_design_choice *choice;       /* shape (regions wanted) */
    double (*error)[2];             /* one more */
    hg_design_hull *hull;
} design;

static void
design_clear(design *d)
{
    for (int64_t k = 0; d->hull != NULL && k < d->params->design.regions; k++) {
        hg_design_hull_clear(&d->hull[k]);
    }
    hg_mem_free(d->hull);
    hg_mem_free(d->region);
    hg_mem_free(d->cost);
    hg_mem_free(d->delta);
    hg_mem_free(d->content);
    hg_mem_free(d->information);
    hg_mem_free(d->choice);
    hg_mem_free(d->error);
    hg_design_goal_clear(&d->goal);
    hg_design_candidates_clear(&d->candidates);
    hg_design_survey_close(&d->survey);
}

/* Regions that have run, where a table tells. */
static hg_status
read_regions(const hg_comm *comm, design *d)
{
    char path[HG_PATH_MAX], is_there;

    HG_TRY(hg_paths_regions(d->params, sizeof path, path));
    is_there = path[0] != '\0' &&
               (d->params->zooms.regions != NULL || (comm->rank == 0 && hg_file_exists(path)));
    hg_comm_broadcast(comm, 0, &is_there, 1);
    return is_there
               ? hg_regions_read(comm, path, d->params->zooms.run, &d->n_region, &d->region)
               : HG_OK;
}

/* What galaxies of a region have in common, by the parameters or the model. */
static hg_status
find_scatter(const hg_comm *comm, design *d)
{
    char path[HG_PATH_MAX];
    hg_stages *model = NULL;
    hg_status status;

    HG_TRY(hg_paths_output(d->params, d->params->model.file, sizeof path, path));
    status = hg_stages_load(comm, path, &model);
    if (status != HG_OK) {
        hg_error_prefix("design needs a model, which 'train' makes: ");
        return status;
    }
    status = hg_comm_agree(
        comm, hg_design_model_scatter(model, d->params->design.target, &d->scatter));
    hg_stages_free(model);
    if (isfinite(d->params->design.region_scatter)) {
        d->scatter = d->params->design.region_scatter;
    }
    return status;
}

/* Overdensity and matter of every sphere. */
static hg_status
weigh_spheres(design *d)
{
    const hg_design_survey *s = &d->survey;
    const double box3 = s->box * s->box * s->box;
    const size_t n = (size_t)d->candidates.n;
    hg_cosmology cosmology;
    double density = (double)NAN;
    int64_t total = 0;

    HG_TRY(hg_mem_array(&d->delta, n, sizeof *d->delta));
    HG_TRY(hg_mem_array(&d->content, n, sizeof *d->content));
    HG_TRY(hg_mem_array(&d->cost, n, sizeof *d->cost));
    if (hg_design_cosmology(hg_catalog_frame(s->catalog), &cosmology)) {
        density = hg_cosmology_rho_mean(&cosmology);
    }
    for (int c = 0; c < s->n_cell; c++) {
        total += s->halo[c];
    }
    for (size_t i = 0; i < n; i++) {
        const double r = d->candidates.place[i].radius, volume = 4 * M_PI / 3 * r * r * r;
        int64_t inside = 0;

        for (int c = 0; c < s->n_cell; c++) {
            inside += s->inside[i * (size_t)s->n_cell + (size_t)c];
        }
        d->delta[i] = (double)inside / (volume / box3 * (double)total) - 1;
        d->content[i] = density * volume * (1 + d->delta[i]);
    }
    return HG_OK;
}

static hg_status
fill_columns(const design *d, hg_table *table)
{
    const char *const name[] = {"radius", "volume", "delta", "content_mass"};
    const char *const unit[] = {"Mpc", "Mpc^3", "", "Msun"};

    table->n = d->candidates.n;
    for (int k = 0; k < 4; k++) {
        HG_TRY(hg_table_add(table, name[k], unit[k], HG_COLUMN_F64, 1, NULL));
    }
    for (int i = 0; i < d->candidates.n; i++) {
        const double r = d->candidates.place[i].radius;

        hg_table_f64(table, "radius")[i] = r;
        hg_table_f64(table, "volume")[i] = 4 * M_PI / 3 * r * r * r;
        hg_table_f64(table, "delta")[i] = d->delta[i];
        hg_table_f64(table, "content_mass")[i] = d->content[i];
    }
    return HG_OK;
}

static hg_status
price_spheres(design *d)
{
    const char *text = d->params->design.cost;
    hg_expression *expression = NULL;
    hg_table table = {0};
    hg_status status = hg_expression_create(text, &expression);

    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, fill_columns(d, &table));
    status = hg_expression_evaluate(expression, &table, d->cost);
done:
    if (status != HG_OK) {
        hg_error_prefix("Design.cost: ");
    }
    for (int i = d->candidates.n_given; i < d->candidates.n && status == HG_OK; i++) {
        const hg_design_place *p = &d->candidates.place[i];

        if (!(d->cost[i] > 0) || !isfinite(d->cost[i])) {
            status =
                HG_FAIL(HG_E_INPUT,
                        "Design.cost '%s' gives %g for the sphere of %g Mpc at (%g, %g, "
                        "%g) Mpc: every cost must be positive",
                        text, d->cost[i], p->radius, p->centre[0], p->centre[1], p->centre[2]);
        }
    }
    hg_expression_free(expression);
    hg_table_clear(&table);
    return status;
}

/* Quantities, and what the regions that are there tell of them. */
static hg_status
pose(design *d)
{
    const hg_params_design *o = &d->params->design;
    int n_quantity;

    HG_TRY(weigh_spheres(d));
    HG_TRY(price_spheres(d));
    HG_TRY(hg_design_goal_make(&d->survey, d->scatter, &d->goal));
    n_quantity = d->goal.n_bin + d->goal.n_sample;
    HG_TRY(hg_mem_zeros(&d->information, (size_t)n_quantity * (size_t)d->survey.n_cell,
                        sizeof *d->information));
    HG_TRY(hg_mem_zeros(&d->choice, (size_t)o->regions, sizeof *d->choice));
    HG_TRY(hg_mem_zeros(&d->error, (size_t)o->regions + 1, sizeof *d->error));
    HG_TRY(hg_mem_zeros(&d->hull, (size_t)o->regions, sizeof *d->hull));
    d->problem = (hg_design_problem){.n_cell = d->survey.n_cell,
                                     .n_quantity = n_quantity,
                                     .within = d->goal.within,
                                     .between = d->goal.between,
                                     .weight = d->goal.weight,
                                     .n_region = d->candidates.n,
                                     .place = d->candidates.place,
                                     .cost = d->cost,
                                     .count = d->survey.inside,
                                     .box = d->survey.box,
                                     .gap = o->gap};
    for (int r = 0; r < d->candidates.n_given; r++) {
        hg_design_inform(&d->problem, r, d->information);
    }
    hg_design_goal_balance(&d->goal, &d->problem, d->information, o->power_weight);
    return HG_OK;
}

/* Errors before and after each choice, told again from the beginning. */
static void
trace_errors(design *d)
{
    const hg_params_design *o = &d->params->design;
    const size_t n = (size_t)d->problem.n_quantity * (size_t)d->problem.n_cell;

    memset(d->information, 0, n * sizeof *d->information);
    for (int r = 0; r < d->candidates.n_given; r++) {
        hg_design_inform(&d->problem, r, d->information);
    }
    for (int64_t k = 0; k <= o->regions; k++) {
        if (k > 0) {
            hg_design_inform(&d->problem, d->choice[k - 1].region, d->information);
        }
        hg_design_goal_errors(&d->goal, &d->problem, d->information, o->power_weight,
                              d->error[k]);
    }
}

static hg_status
make_hulls(const hg_comm *comm, design *d)
{
    const int n = (int)d->params->design.regions;
    hg_design_place *place = NULL;
    double *delta = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_mem_array(&place, (size_t)n, sizeof *place));
    status = hg_mem_array(&delta, (size_t)n, sizeof *delta);
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int k = 0; k < n; k++) {
        place[k] = d->candidates.place[d->choice[k].region];
        delta[k] = d->delta[d->choice[k].region];
    }
    status = hg_design_hulls_make(comm, &d->survey, n, place, delta, d->hull);
done:
    hg_mem_free(place);
    hg_mem_free(delta);
    return status;
}

static hg_status
write_files(const hg_comm *comm, design *d, const char *path)
{
    hg_design_result result = {.params = d->params,
                               .survey = &d->survey,
                               .candidates = &d->candidates,
                               .problem = &d->problem,
                               .goal = &d->goal,
                               .delta = d->delta,
                               .content = d->content,
                               .n = (int)d->params->design.regions,
                               .choice = d->choice,
                               .error = (const double(*)[2])d->error,
                               .hull = d->hull};

    for (int r = 0; r < d->n_region; r++) {
        if (d->region[r].region >= result.number) {
            result.number = d->region[r].region + 1;
        }
    }
    return hg_comm_agree(comm, comm->rank == 0 ? hg_design_write(&result, path) : HG_OK);
}

static void
log_problem(const design *d)
{
    const hg_design_survey *s = &d->survey;

    hg_log_info("design: %" PRId64 " draws of '%s' for every halo, %d cells of haloes, %d bins "
                "of the mass function and %d samples",
                (int64_t)s->n_draw, d->params->design.target, s->n_cell, d->goal.n_bin,
                d->goal.n_sample);
    hg_log_info("design: %d regions are there, %d candidates; regions differ by %.3f dex rms",
                d->candidates.n_given, d->candidates.n - d->candidates.n_given, d->scatter);
}

static hg_status
make(const hg_comm *comm, design *d, const char *path)
{
    const hg_params_design *o = &d->params->design;

    hg_phase_start("design: survey");
    HG_TRY(find_scatter(comm, d));
    HG_TRY(read_regions(comm, d));
    HG_TRY(hg_design_survey_open(comm, d->params, &d->survey));
    HG_TRY(hg_design_survey_look(comm, &d->survey));
    HG_TRY(hg_comm_agree(comm, hg_design_candidates_make(d->params, d->survey.box, d->n_region,
                                                         d->region, d->survey.n_peak,
                                                         d->survey.peak, &d->candidates)));
    if (d->candidates.n_given < d->n_region && comm->rank == 0) {
        hg_log_warn("design: of %d lines of the region table %d have a centre and radius of "
                    "their own in the parent: the others count as not run",
                    d->n_region, d->candidates.n_given);
    }
    HG_TRY(hg_design_survey_count(comm, &d->candidates, &d->survey));
    hg_phase_stop("design: survey");
    hg_phase_start("design: choice");
    HG_TRY(hg_comm_agree(comm, pose(d)));
    log_problem(d);
    HG_TRY(hg_design_choose(comm, &d->problem, d->candidates.n_given, (int)o->regions,
                            d->information, d->choice));
    trace_errors(d);
    hg_phase_stop("design: choice");
    hg_phase_start("design: hulls");
    HG_TRY(make_hulls(comm, d));
    hg_phase_stop("design: hulls");
    return write_files(comm, d, path);
}

hg_status
hg_design_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    design d = {.params = params};
    char path[HG_PATH_MAX], folder[HG_PATH_MAX];
    hg_status status;

    if (params->design.radii.n == 0) {
        return HG_FAIL(HG_E_PARAM, "Design.radii is empty: give the radius of the new regions");
    }
    HG_TRY(hg_paths_output(params, params->design.file, sizeof path, path));
    HG_TRY(hg_design_hull_folder(path, folder));
    HG_TRY(hg_paths_make_folder(comm, path));
    if (!overwrite) {
        HG_TRY(hg_output_claim(comm, path, false));
    }
    HG_TRY(hg_folder_make(comm, folder));
    status = make(comm, &d, path);
    if (status == HG_OK) {
        hg_log_info("design: '%s' and tables beside it, hulls in '%s'", path, folder);
    }
    design_clear(&d);
    return status;
}
