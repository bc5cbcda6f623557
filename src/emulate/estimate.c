/* Counts come from headers, or from the mass function where the mock makes the haloes; costs
 * per row, tree and mesh cell were measured with params/demo.yml on two quiet cores. They hold
 * within a factor of about 1.5 there (docs/user/hpc.md); other machines differ by their clock.
 */
#include "emulate/estimate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/scheme.h"
#include "halograft/catalog.h"
#include "measure/measure_memory.h"
#include "mock/mock_plan.h"
#include "store/publish.h"
#include "suite/allowance.h"
#include "suite/paths.h"
#include "suite/recipes.h"
#include "suite/regions.h"

/* Seconds on one core. */
static const double mock_cell_s = 1.2e-6, mock_row_s = 4e-6, mock_oracle_s = 1e-6,
                    train_row_level_s = 15e-9, train_node_s = 150e-9, train_read_s = 5e-6,
                    predict_s = 55e-9, predict_draw_s = 2e-9, apply_row_s = 1e-6,
                    domain_row_s = 4e-6, quantiles_s = 2.3e-7, measure_cell_s = 2.6e-8,
                    measure_row_s = 3e-7;
static const double mebibyte = 1048576;

/* What is counted before anything is computed. */
struct counts {
    bool is_made; /* by the mock */
    double box;   /* of the parent; above 0 there is a mesh */
    int64_t parent, training;
    double leaves, realisations, samples;
    int n_stage; /* forests of the model */
    hg_stage_shape shape[HG_STAGES_MAX];
};

/* Bytes of memory per rank, bytes on disk, seconds of wall time of one step. */
struct cost {
    double memory, disk, seconds;
};

/* Hosts that the mock will make by its mass function; satellites add about a quarter. */
static hg_status
count_mock(const hg_params_mock *mock, int64_t *n_row)
{
    const hg_cosmology cosmology = hg_mock_cosmology(mock);
    hg_linear_power *power = NULL;
    hg_mass_function *abundance = NULL;
    hg_status status;

    HG_TRY(hg_linear_power_create(&cosmology, &power));
    status = hg_mass_function_create(
        power,
        strcmp(mock->mass_function, "tinker") == 0 ? HG_MASS_TINKER : HG_MASS_SHETH_TORMEN,
        mock->redshift, &abundance);
    if (status == HG_OK) {
        *n_row = (int64_t)(1.25 * hg_mass_function_above(abundance, mock->mass_min) *
                           pow(mock->box, 3));
    }
    hg_mass_function_free(abundance);
    hg_linear_power_free(power);
    return status;
}

/* Rows and box of the parent: from its header, or what the mock will make. */
static hg_status
count_parent(const hg_comm *comm, const hg_params *params, struct counts *c)
{
    char buffer[HG_PATH_MAX];
    const char *file[1];
    hg_catalog_options options;
    hg_catalog *catalog = NULL;

    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    if (hg_paths_is_mock(params)) {
        /* ranks of other nodes may see another folder than rank 0: one must decide */
        char is_made = comm->rank == 0 && hg_file_exists(buffer);

        hg_comm_broadcast(comm, 0, &is_made, 1);
        if (!is_made) {
            c->box = params->mock.box;
            return hg_comm_agree(comm, count_mock(&params->mock, &c->parent));
        }
    }
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    c->parent = hg_catalog_n_row(catalog);
    c->box = hg_catalog_frame(catalog)->box;
    hg_catalog_close(catalog);
    return HG_OK;
}

/* Rows of the training catalogues, before any selection. */
static hg_status
count_catalog(const hg_comm *comm, const hg_params *params, int n_file,
              const char *const files[], int64_t *n_row)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;

    options.format = params->zooms.format;
    options.mapping = params->zooms.mapping;
    options.snap = hg_params_snap(params);
    options.partial = params->zooms.partial;
    options.frame.h = params->zooms.h;
    options.n_file = n_file;
    options.files = files;
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    *n_row += hg_catalog_n_row(catalog);
    hg_catalog_close(catalog);
    return HG_OK;
}

static hg_status
count_training(const hg_comm *comm, const hg_params *params, struct counts *c)
{
    const hg_params_mock *mock = &params->mock;
    char path[HG_PATH_MAX];
    hg_region *regions = NULL;
    int n = 0;
    hg_status status;

    if (params->zooms.files.n > 0) {
        return count_catalog(comm, params, params->zooms.files.n, params->zooms.files.v,
                             &c->training);
    }
    if (params->zooms.regions == NULL && c->is_made) {
        /* zooms favour dense places: half as many haloes again as in the same volume */
        double share = (double)mock->zooms * 4.19 * pow(mock->zoom_radius / mock->box, 3);

        c->training = (int64_t)(1.5 * share * (double)c->parent);
        return HG_OK;
    }
    HG_TRY(hg_paths_regions(params, sizeof path, path));
    HG_TRY(hg_regions_read(comm, path, params->zooms.run, &n, &regions));
    status = HG_OK;
    for (int i = 0; i < n && status == HG_OK; i++) {
        const char *file = regions[i].hydro;

        status = count_catalog(comm, params, 1, &file, &c->training);
    }
    hg_mem_free(regions);
    return status;
}

/* Realisations that measure reads: every draw of every catalogue. */
static double
count_realisations(const hg_params *params, const struct counts *c)
{
    const hg_strings *entries = &params->measure.catalogues;
    const double draws = (double)params->scatter.draws;
    double n = 0;

    for (int i = 0; i < entries->n; i++) {
        n += strstr(entries->v[i], "@draws") != NULL ? draws : 1;
    }
    if (entries->n == 0) {
        n = draws + 1 + (c->is_made ? 1 + (double)params->mock.oracle : 0);
    }
    return n;
}

static struct cost
cost_of_mock(const hg_params *params, const struct counts *c, int ranks)
{
    const hg_params_mock *mock = &params->mock;
    const double cells = pow((double)mock->mesh, 3), rows = (double)c->parent;
    double side = fmin(fmin((double)mock->mesh, 256), 6 * mock->box / mock->environment_radius);
    double made = 8 * pow(side, 3);
    /* density, source and displacements, and then the environment; or with them three fields
     * for the source of second order */
    const double fields =
        fmax(5 * 8 * cells / ranks + made * (1 + 2.5 / ranks), 8 * 8 * cells / ranks);

    return (struct cost){
        .memory = fields + 100 * rows / ranks,
        .disk = rows * (106 + 205 + 42 * (double)mock->oracle) + 250 * (double)c->training,
        .seconds =
            (mock_cell_s * cells + rows * (mock_row_s + mock_oracle_s * (double)mock->oracle)) /
            ranks};
}

/* the forests that the targets of the parameters need */
static hg_status
count_stages(const hg_params *params, struct counts *c)
{
    hg_target_role role[HG_TARGETS_MAX];
    hg_recipes targets = {0};
    hg_status status;

    HG_TRY(hg_recipes_parse(&params->targets, "Targets", &targets));
    if (targets.n > HG_TARGETS_MAX) {
        hg_recipes_clear(&targets);
        return HG_FAIL(HG_E_PARAM, "%d targets are more than the limit %d", params->targets.n,
                       HG_TARGETS_MAX);
    }
    HG_TRY_OR(end, status, hg_recipes_roles(&targets, role));
    HG_TRY_OR(end, status, hg_target_roles_check(targets.n, targets.spec, role));
    status = hg_stages_shapes(params->features.n, targets.n, role, &c->n_stage, c->shape);
end:
    hg_recipes_clear(&targets);
    return status;
}

static struct cost
cost_of_train(const hg_params *params, const struct counts *c, const hg_scheme *scheme,
              int cores)
{
    const double rows = (double)c->training;
    const double model = hg_scheme_model(params, c->training, c->n_stage, c->shape, 1);
    const double levels = 1.3 * log2(c->leaves > 2 ? c->leaves : 2);
    const double tree = rows * levels * train_row_level_s + 2 * c->leaves * train_node_s;
    const double trees = (double)params->model.trees * c->n_stage;

    return (struct cost){.memory = scheme->by_rows ? scheme->rows : scheme->trees,
                         .disk = model,
                         .seconds = trees * tree / cores + rows * train_read_s};
}

/* Parts are dealt out in turn, so the first rank has the most rows. */
static double
rows_of_first_rank(int64_t rows, int64_t part, int ranks)
{
    int64_t n = 0;

    for (int64_t first = 0; first < rows; first += ranks * part) {
        n += rows - first < part ? rows - first : part;
    }
    return (double)n;
}

static struct cost
cost_of_apply(const hg_params *params, const struct counts *c, int threads, hg_ranks ranks)
{
    const double kept = 3 * 8 + 3 * 4 + 8 + 8 + 1, draws = (double)params->scatter.draws;
    const double n_feature = params->features.n, n_target = params->targets.n;
    const double part = fmin((double)c->parent, (double)params->output.rows_per_part);
    const double rows = rows_of_first_rank(c->parent, params->output.rows_per_part, ranks.all);
    const bool has_domain = params->output.domain && params->scatter.mean;
    const double n_quantile = params->scatter.quantiles.n, domain = has_domain ? 17 : 0;
    const double values = n_target * (1 + draws + n_quantile + (has_domain ? 1 : 0));
    const double results = 8 * values + (has_domain ? 21 : 0) + 9;
    const double columns = 4 * values + domain + 9;
    /* a table as read has the columns of the features; prediction has row, key and features
     * besides; giving back begins with the first columns and ends with all, and the draws */
    const double table = kept + 4 * n_feature;
    const double predicted = table + 16 + 4 * n_feature + results;
    const double written =
        table + 8 + fmax(results + 4 * n_target, 8 * n_target * draws + columns);
    const double most =
        (double)c->parent > part ? predicted + written : fmax(predicted, written);
    const double model =
        hg_scheme_model(params, c->training, c->n_stage, c->shape, ranks.sharing);

    return (struct cost){.memory = model + part * most,
                         .disk = (double)c->parent * (kept + columns),
                         .seconds =
                             rows * ((double)params->model.trees * c->n_stage *
                                         (predict_s + predict_draw_s * draws +
                                          (n_quantile > 0 ? quantiles_s : 0)) /
                                         threads +
                                     (has_domain ? domain_row_s / threads : 0) + apply_row_s)};
}

static struct cost
cost_of_measure(const hg_params *params, const struct counts *c, int ranks,
                const hg_measure_memory *memory)
{
    const double cells = c->box > 0 ? pow((double)params->measure.mesh, 3) : 0;

    return (struct cost){
        .memory = (c->box > 0 ? memory->total : 0) + HG_LIBRARY_MIB * mebibyte,
        .disk = 8 * mebibyte,
        .seconds = c->realisations *
                   (c->samples * (1 + (double)params->measure.folds) * measure_cell_s * cells +
                    measure_row_s * (double)c->parent) /
                   ranks};
}

static void
print_cost(const char *name, struct cost cost, struct cost *all)
{
    printf("%-10s %9.0f %9.0f %9.1f\n", name, cost.memory / mebibyte, cost.disk / mebibyte,
           cost.seconds);
    all->memory = fmax(all->memory, cost.memory);
    all->disk += cost.disk;
    all->seconds += cost.seconds;
}

static void
print_estimate(const hg_comm *comm, const hg_params *params, const struct counts *c,
               int threads, const hg_measure_memory *memory)
{
    const hg_ranks ranks = hg_scheme_ranks(comm->size, comm->node_size);
    const hg_scheme scheme =
        hg_scheme_choose(params, ranks, c->training, c->n_stage, c->shape, threads);
    struct cost all = {0, 0, 0};
    char text[256];

    printf("parent    %" PRId64 " haloes in %" PRId64 " parts%s\n", c->parent,
           (c->parent + params->output.rows_per_part - 1) / params->output.rows_per_part,
           c->is_made ? ", to be made" : "");
    printf("training  %s %" PRId64 " haloes, %d forest%s, about %.0f leaves a tree\n",
           c->is_made ? "about" : "at most", c->training, c->n_stage,
           c->n_stage == 1 ? "" : "s", c->leaves);
    printf("schemes   %.1f MiB/rank to train by trees, %.1f by rows, %.0f are there: by %s\n",
           scheme.trees / mebibyte, scheme.rows / mebibyte, scheme.limit / mebibyte,
           scheme.by_rows ? "rows" : "trees");
    printf("%-10s %9s %9s %9s\n", "step", "MiB/rank", "disk MiB", "seconds");
    if (c->is_made) {
        print_cost("mock", cost_of_mock(params, c, ranks.all), &all);
    }
    print_cost("train", cost_of_train(params, c, &scheme, ranks.all * threads), &all);
    print_cost("apply", cost_of_apply(params, c, threads, ranks), &all);
    print_cost("measure", cost_of_measure(params, c, ranks.all, memory), &all);
    printf("%-10s %9.0f %9.0f %9.1f  on %d rank%s x %d thread%s\n", "run",
           all.memory / mebibyte, all.disk / mebibyte, all.seconds, ranks.all,
           ranks.all == 1 ? "" : "s", threads, threads == 1 ? "" : "s");
    if (c->box > 0) {
        hg_measure_memory_text(params, memory, sizeof text, text);
        printf("%s\n", text);
    }
}

/* Everything that follows from headers and from what forests are needed; the parent is opened
 * where it is wanted, or where the zooms will be made with it. */
static hg_status
count_rows(const hg_comm *comm, const hg_params *params, bool has_parent, struct counts *c)
{
    c->is_made = hg_paths_is_mock(params);
    HG_TRY(hg_comm_agree(comm, count_stages(params, c)));
    if (has_parent || c->is_made) {
        HG_TRY(count_parent(comm, params, c));
    }
    HG_TRY(count_training(comm, params, c));
    c->training = (int64_t)(params->selection.train_fraction * (double)c->training);
    return HG_OK;
}

hg_status
hg_emulate_count_training(const hg_comm *comm, const hg_params *params, int64_t *n_row,
                          int64_t *n_parent, int *n_stage, hg_stage_shape shape[])
{
    struct counts c = {0};

    HG_TRY(count_rows(comm, params, n_parent != NULL, &c));
    *n_row = c.training;
    if (n_parent != NULL) {
        *n_parent = c.parent;
    }
    *n_stage = c.n_stage;
    memcpy(shape, c.shape, (size_t)c.n_stage * sizeof *shape);
    return HG_OK;
}

hg_status
hg_emulate_estimate(const hg_comm *comm, const hg_params *params, int threads)
{
    struct counts c = {0};
    hg_measure_memory memory;

    HG_TRY(count_rows(comm, params, true, &c));
    c.leaves = hg_scheme_leaves(&params->model, (double)c.training);
    c.realisations = count_realisations(params, &c);
    c.samples = params->samples.n > 0 ? params->samples.n : params->measure.thresholds.n;
    /* references are not opened here: each is taken as large as the parent */
    hg_measure_memory_estimate(params, (double)c.parent,
                               (double)c.parent * params->measure.references.n, c.box,
                               comm->size, threads, &memory);
    if (comm->rank == 0) {
        print_estimate(comm, params, &c, threads, &memory);
        fflush(stdout);
    }
    return c.box > 0 ? hg_measure_memory_check(params, &memory) : HG_OK;
}
