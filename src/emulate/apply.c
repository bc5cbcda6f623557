/* From parameters to a finished catalogue: inputs, checks, output. The parts are grafted by
 * apply_parts. */
#include "emulate/apply.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/output.h"
#include "catalog/sanity.h"
#include "conf/schema_table.h"
#include "emulate/apply_columns.h"
#include "emulate/apply_draws.h"
#include "emulate/apply_parts.h"
#include "emulate/baryons.h"
#include "emulate/graft.h"
#include "emulate/sidecars.h"
#include "emulate/transport.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "store/publish.h"
#include "suite/frame_text.h"
#include "suite/paths.h"

/* A model with the redshift as a feature holds between the redshifts it has seen. */
static hg_status
check_redshift(const hg_grafter *g, double tolerance)
{
    const char *text = hg_forest_get_meta(hg_stages_forest(g->model, 0), "redshifts");
    const double z = hg_catalog_frame(g->catalog)->redshift;
    double low, high;

    if (text == NULL || sscanf(text, "%lf %lf", &low, &high) != 2) {
        return HG_FAIL(HG_E_FORMAT, "the model has the redshift as a feature but does not tell "
                                    "which redshifts it was trained on");
    }
    if (z < low - tolerance || z > high + tolerance) {
        return HG_FAIL(HG_E_INPUT,
                       "the model was trained between redshifts %.6g and %.6g, the parent has "
                       "%.6g: trees do not extrapolate; raise Parent.redshift_tolerance (now "
                       "%g) if that is meant",
                       low, high, z, tolerance);
    }
    return HG_OK;
}

static void
choose_factor(hg_grafter *g, const hg_frame *trained)
{
    const double factor = hg_baryons_factor(trained, hg_catalog_frame(g->catalog));
    const bool is_auto = strcmp(g->params->parent.baryon_factor, "auto") == 0,
               has_mass = hg_recipes_use(&g->features, HG_BARYONS_COLUMN);

    if (factor == 1) {
        return;
    }
    g->m_dm_factor = is_auto && has_mass && factor > 0 ? factor : 1;
    if (g->is_loud && g->m_dm_factor != 1) {
        hg_log_info(
            "apply: the model was trained on a hydrodynamical run and the parent has dark "
            "matter only: features see m_dm times 1 - Omega_b/Omega_m = %.4f (%.3f dex)",
            g->m_dm_factor, log10(g->m_dm_factor));
    } else if (g->is_loud) {
        hg_log_warn(
            "apply: the model was trained on haloes of a hydrodynamical run and is applied "
            "to a dark-matter-only run, and %s",
            !is_auto    ? "Parent.baryon_factor is none"
            : !has_mass ? "no factor takes off what baryons do to the masses it uses: "
                          "train on dark-matter-only twins (Zooms.features) where "
                          "there are some"
                        : "m_dm is higher there by 1/(1 - Omega_b/Omega_m): give "
                          "Parent.omega_b");
    }
}

static hg_status
check_frames(hg_grafter *g)
{
    const double tolerance = g->params->parent.redshift_tolerance;
    const bool has_epochs = hg_recipes_use(&g->features, "redshift");
    const char *text = hg_forest_get_meta(hg_stages_forest(g->model, 0), "frame");
    hg_frame trained;

    if (text == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_frame_parse(text, &trained));
    if (has_epochs) {
        HG_TRY(check_redshift(g, tolerance));
    }
    HG_TRY(hg_frame_compare(&trained, "the model", hg_catalog_frame(g->catalog), "the parent",
                            has_epochs ? (double)INFINITY : tolerance,
                            g->params->parent.cosmology_tolerance));
    choose_factor(g, &trained);
    return HG_OK;
}

static hg_status
check_quantiles(const hg_grafter *g)
{
    const double least = 1e-5; /* five digits tell the columns apart */
    double above = 0;

    if (g->options.n_quantile > HG_QUANTILES_MAX ||
        (g->options.n_quantile > 0 && !g->has_mean)) {
        return HG_FAIL(HG_E_PARAM,
                       "Scatter.quantiles takes up to %d levels, and Scatter.mean: true",
                       HG_QUANTILES_MAX);
    }
    for (int q = 0; q < g->options.n_quantile; q++) {
        const double level = g->options.level[q];

        if (!(level >= above + least && level <= 1 - least)) {
            return HG_FAIL(HG_E_PARAM,
                           "Scatter.quantiles must ascend between 0 and 1 in steps of %g or "
                           "more, and %g does not",
                           least, level);
        }
        above = level;
    }
    return HG_OK;
}

static hg_status
prepare(hg_grafter *g)
{
    if (!g->has_mean && (g->options.n_draw == 0 || g->options.method != HG_DRAW_LEAF)) {
        return HG_FAIL(
            HG_E_PARAM,
            "without the mean (Scatter.mean: false) there are only draws of leaf "
            "values: set Scatter.method to leaf-value and Scatter.draws to 1 or more");
    }
    if (!g->has_mean && (hg_stages_count(g->model) > 1 || hg_stages_is_label(g->model, 0))) {
        return HG_FAIL(HG_E_PARAM, "a model with hurdles, labels or chains works with means: "
                                   "set Scatter.mean to true");
    }
    HG_TRY(check_quantiles(g));
    HG_TRY(hg_recipes_of_model(g->model, false, &g->features));
    HG_TRY(hg_recipes_of_model(g->model, true, &g->targets));
    if (g->params->selection.apply != NULL) {
        HG_TRY(hg_expression_create(g->params->selection.apply, &g->selection));
    }
    if (hg_catalog_n_row(g->catalog) == 0) {
        return HG_FAIL(HG_E_INPUT, "the parent catalogue has no haloes");
    }
    HG_TRY(hg_apply_list_columns(g));
    if (g->is_loud) {
        hg_transports_warn(hg_forest_get_meta(hg_stages_forest(g->model, 0), "transport"),
                           g->catalog);
    }
    return check_frames(g);
}

/* Better to refuse now than to fill the disk after hours. The room of a shared file is taken
 * when it is made. */
static hg_status
check_space(const hg_comm *comm, const hg_grafter *g, const hg_output_options *options,
            int64_t n_left)
{
    const double share = (double)n_left / (double)hg_catalog_n_row(g->catalog);
    hg_status status = HG_OK;

    if (comm->rank == 0 && !(options->shared && share < 1)) {
        status = hg_space_check(options->path, share * hg_apply_estimate_bytes(g));
    }
    return hg_comm_agree(comm, status);
}

/* All that decides the bytes of the parts, a line each: what --resume compares. */
static hg_status
describe_identity(const hg_grafter *g, hg_text *text)
{
    static const char *const begins[] = {"Meta.",
                                         "Parent.format",
                                         "Parent.mapping",
                                         "Parent.partial",
                                         "Parent.on_bad_rows",
                                         "Parent.run",
                                         "Parent.box",
                                         "Parent.h",
                                         "Parent.omega",
                                         "Parent.redshift",
                                         "Parent.keep",
                                         "Parent.baryon",
                                         "Selection.apply",
                                         "Scatter.",
                                         "Output.domain",
                                         "Environment.",
                                         "Output.rows_per_part",
                                         "Output.layout"};

    HG_TRY(hg_text_add(
        text, "version: %s\nmodel: %016" PRIx64 "\nparent catalogue: %016" PRIx64 "\n",
        hg_version(), hg_stages_hash(g->model), hg_catalog_identity(g->catalog)));
    return hg_params_lines(g->params, sizeof begins / sizeof begins[0], begins, text);
}

static double
percentage(int64_t n, int64_t all)
{
    return all > 0 ? 100 * (double)n / (double)all : 0;
}

/* Of the rows of this run, which are not all where another one was resumed. */
static void
report(const hg_comm *comm, const hg_grafter *g, int64_t n_row, const char *path)
{
    int64_t counts[5] = {g->n_predicted, g->n_extrapolated, g->n_training,
                         g->n_domain[HG_DOMAIN_EDGE], g->n_domain[HG_DOMAIN_OUTSIDE]};

    hg_comm_sum(comm, 5, counts);
    hg_log_info("apply: %" PRId64 " of %" PRId64
                " haloes predicted, %.3g %% outside the training "
                "range in some feature, %" PRId64 " were training haloes (out-of-bag means)",
                counts[0], n_row, percentage(counts[1], counts[0]), counts[2]);
    if (g->has_domain) {
        hg_log_info(
            "apply: %.3g %% are outside the training domain, %.3g %% at its edge (1 and "
            "4 %% where haloes are like the training haloes)",
            percentage(counts[4], counts[0]), percentage(counts[3], counts[0]));
    }
    if (counts[0] == 0 && comm->rank == 0) {
        hg_log_warn(
            "apply: no halo passes Selection.apply, so the catalogue holds no prediction");
    }
    hg_log_info("apply: catalogue '%s.hdf5' in %" PRId64 " parts%s", path,
                hg_catalog_n_part(g->catalog),
                strcmp(g->params->output.layout, "shared") == 0 ? " of one file" : "");
}

static hg_status
fill_catalog(const hg_comm *comm, hg_grafter *g, const hg_output_options *options)
{
    hg_output *output = NULL;
    int64_t n_row = 0;
    hg_status status = HG_OK, end;

    HG_TRY(hg_output_create(comm, options, &output));
    for (int64_t part = 0; part < hg_catalog_n_part(g->catalog); part++) {
        n_row += hg_output_has_part(output, part) ? 0 : hg_catalog_part_rows(g->catalog, part);
    }
    const bool is_complete = hg_output_is_complete(output);

    if (is_complete) {
        hg_log_info("apply: catalogue '%s.hdf5' is complete, nothing is left to do",
                    options->path);
    } else {
        if (hg_output_n_done(output) > 0) {
            hg_log_info("apply: %" PRId64 " of %" PRId64 " parts are there already",
                        hg_output_n_done(output), hg_catalog_n_part(g->catalog));
        }
        status = check_space(comm, g, options, n_row);
        status = status == HG_OK ? hg_apply_parts(comm, g, output) : status;
    }
    end = hg_output_finish(comm, output, status != HG_OK);
    HG_TRY(status != HG_OK ? status : end);
    if (!is_complete) {
        report(comm, g, n_row, options->path);
    }
    return HG_OK;
}

static hg_status
write_catalog(const hg_comm *comm, hg_grafter *g, const char *path, bool resume, bool overwrite)
{
    char provenance[1024];
    hg_text identity = {0};
    hg_output_options options = {.path = path,
                                 .overwrite = overwrite,
                                 .frame = *hg_catalog_frame(g->catalog),
                                 .n_column = g->n_output,
                                 .column = g->output,
                                 .parameters = hg_params_text(g->params),
                                 .provenance = provenance,
                                 .run_name = g->params->meta.name,
                                 .resume = resume,
                                 .shared = strcmp(g->params->output.layout, "shared") == 0,
                                 .n_row = hg_catalog_n_row(g->catalog),
                                 .rows_per_part = g->params->output.rows_per_part,
                                 .seed = (uint64_t)g->params->meta.seed};
    hg_status status;

    snprintf(provenance, sizeof provenance,
             "model: {file: \"%.500s\", content_hash: %016" PRIx64
             "}\nparent: {identity: %016" PRIx64 ", rows: %" PRId64
             "}\nparameters_hash: %016" PRIx64 "\n",
             g->params->model.file, hg_stages_hash(g->model), hg_catalog_identity(g->catalog),
             hg_catalog_n_row(g->catalog), hg_params_hash(g->params));
    status = describe_identity(g, &identity);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    options.identity = hg_text_string(&identity);
    status = fill_catalog(comm, g, &options);
done:
    hg_text_clear(&identity);
    return status;
}

static hg_status
open_inputs(const hg_comm *comm, const hg_params *params, hg_stages **model,
            hg_catalog **catalog)
{
    char path[HG_PATH_MAX], buffer[HG_PATH_MAX];
    const char *file[1];
    hg_catalog_options options;

    HG_TRY(hg_paths_output(params, params->model.file, sizeof path, path));
    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    options.rows_per_part = params->output.rows_per_part;
    HG_TRY(hg_stages_load(comm, path, model));
    HG_TRY(hg_catalog_open(comm, &options, catalog));
    HG_TRY(hg_sanity_warn(comm, *catalog, "parent", true));
    return hg_sidecars_join_model(comm, params, *model, *catalog);
}

static hg_status
apply(const hg_comm *comm, const hg_params *params, bool resume, bool overwrite)
{
    char path[HG_PATH_MAX];
    hg_grafter *g = NULL;
    hg_stages *model = NULL;
    hg_catalog *catalog = NULL;
    hg_status status;

    HG_TRY(hg_paths_output(params, params->output.catalogue, sizeof path, path));
    HG_TRY_OR(done, status, hg_paths_make_folder(comm, path));
    HG_TRY_OR(done, status, open_inputs(comm, params, &model, &catalog));
    status = hg_mem_zeros(&g, 1, sizeof *g);
    if (status == HG_OK) {
        g->params = params;
        g->model = model;
        g->catalog = catalog;
        g->is_loud = comm->rank == 0;
        g->options = hg_apply_draws(params, model, g->is_loud);
        g->m_dm_factor = 1;
        g->has_mean = params->scatter.mean;
        g->has_domain = params->output.domain && g->has_mean;
        status = hg_apply_prepare(params, model, &g->options);
        status = status == HG_OK ? prepare(g) : status;
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_log_info("apply: %" PRId64 " haloes in %" PRId64
                " parts, %d features, %d targets, %d draws",
                hg_catalog_n_row(catalog), hg_catalog_n_part(catalog), g->features.n,
                g->targets.n, g->options.n_draw);
    status = write_catalog(comm, g, path, resume, overwrite);
done:
    if (g != NULL) {
        hg_recipes_clear(&g->features);
        hg_recipes_clear(&g->targets);
        hg_expression_free(g->selection);
    }
    hg_mem_free(g);
    hg_stages_free(model);
    hg_catalog_close(catalog);
    return status;
}

hg_status
hg_emulate_apply(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return apply(comm, params, false, overwrite);
}

hg_status
hg_emulate_apply_resume(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    return apply(comm, params, true, overwrite);
}
