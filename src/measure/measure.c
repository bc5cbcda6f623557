/* For each catalogue and draw: one pass, then the mesh work of each sample; draws are averaged
 * at the end. All ranks hold the same curves, rank 0 writes them. */
#include "measure/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "halograft/cosmology.h"
#include "halograft/log.h"
#include "halograft_version.h"
#include "measure/measure_cluster.h"
#include "measure/measure_compare.h"
#include "measure/measure_labels.h"
#include "measure/measure_orphans.h"
#include "measure/measure_pairs.h"
#include "measure/measure_pass.h"
#include "measure/measure_source.h"
#include "measure/measure_zooms.h"
#include "par/stop.h"
#include "store/publish.h"
#include "suite/paths.h"

/* Numbers of objects per sample as one score per catalogue. */
static hg_status
add_counts(const hg_measure_plan *plan, const hg_measured *one, const hg_measure_pass *pass,
           hg_statistics *statistics)
{
    char name[HG_LABEL_MAX];
    hg_score *score = NULL;

    snprintf(name, sizeof name, "objects_%s", one->name);
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_text(&score->attributes, "catalogue", one->name));
    HG_TRY(
        hg_attributes_real(&score->attributes, "rows", (double)hg_catalog_n_row(one->catalog)));
    for (int s = 0; s < plan->n_sample; s++) {
        if (pass->has_sample >> s & 1) {
            HG_TRY(hg_attributes_real(&score->attributes, plan->sample[s].name,
                                      (double)pass->objects[s]));
        }
    }
    return HG_OK;
}

static hg_status
measure_draw(const hg_comm *comm, const hg_measure_plan *plan, hg_mesh *mesh,
             const hg_measured_set *set, const hg_measured *one,
             const hg_referred_set *referred, int draw, hg_statistics *statistics)
{
    hg_measure_pass pass;
    hg_status status;

    HG_TRY_OR(done, status, hg_measure_pass_run(comm, plan, set, one, draw, &pass));
    status = hg_measure_pass_curves(plan, set, one, &pass, statistics);
    if (status == HG_OK && draw == 0) {
        status = add_counts(plan, one, &pass, statistics);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    status = hg_measure_cluster(comm, plan, mesh, one, &pass, referred, draw == 0, statistics);
done:
    hg_measure_pass_clear(&pass);
    return status;
}

static hg_status
measure_catalogue(const hg_comm *comm, const hg_measure_plan *plan, hg_mesh *mesh,
                  const hg_measured_set *set, const hg_measured *one,
                  const hg_referred_set *referred, hg_statistics *statistics)
{
    const int first = statistics->n_curve;
    double began = hg_clock_seconds();
    hg_status status = HG_OK;

    hg_log_info("measure: %s, %" PRId64 " rows, %d %s", one->name,
                hg_catalog_n_row(one->catalog), one->n_draw,
                one->n_draw > 1 ? "draws" : "realisation");
    for (int draw = 0; draw < one->n_draw; draw++) {
        HG_TRY(hg_stop_check(comm, hg_clock_seconds() - began,
                             "nothing is measured in part, measure again"));
        began = hg_clock_seconds();
        HG_TRY(measure_draw(comm, plan, mesh, set, one, referred, draw, statistics));
    }
    if (one->n_draw > 1) {
        status = hg_statistics_average(statistics, first);
    }
    if (status == HG_OK) {
        status = hg_measure_orphans(plan, one, statistics);
    }
    return hg_comm_agree(comm, status);
}

static hg_status
add_provenance(const hg_comm *comm, const hg_params *params, const hg_measured_set *set,
               hg_statistics *statistics)
{
    hg_attributes *p = &statistics->provenance;

    HG_TRY(hg_attributes_text(p, "version", HG_VERSION));
    HG_TRY(hg_attributes_text(p, "commit", HG_COMMIT));
    HG_TRY(hg_attributes_text(p, "build", HG_BUILD));
    HG_TRY(hg_attributes_text(p, "mpi", hg_comm_version()));
    HG_TRY(hg_attributes_text(p, "fftw", hg_mesh_version()));
    HG_TRY(hg_attributes_text(p, "gsl", hg_gsl_version()));
    HG_TRY(hg_attributes_text(p, "run", params->meta.name));
    HG_TRY(hg_attributes_real(p, "seed", (double)params->meta.seed));
    HG_TRY(hg_attributes_real(p, "ranks", comm->size));
    for (int i = 0; i < set->n; i++) {
        char name[HG_LABEL_MAX], text[64];

        snprintf(name, sizeof name, "input_%.40s", set->source[i].name);
        snprintf(text, sizeof text, "%016" PRIx64, hg_catalog_identity(set->source[i].catalog));
        HG_TRY(hg_attributes_text(p, name, text));
    }
    return hg_text_add(&statistics->parameters, "%s", hg_params_text(params));
}

static hg_status
measure_all(const hg_comm *comm, const hg_measure_plan *plan, const hg_measured_set *set,
            hg_statistics *statistics)
{
    const hg_measured *truth = hg_measured_set_find(set, "truth");
    hg_mesh *mesh = NULL;
    hg_referred_set referred;
    int64_t n_row = 0, n_referred = 0;
    double box = 0;
    hg_status status = HG_OK;

    for (int i = 0; i < set->n && status == HG_OK; i++) {
        const int64_t n = hg_catalog_n_row(set->source[i].catalog);

        if (n > n_row) {
            n_row = n;
            box = hg_catalog_frame(set->source[i].catalog)->box;
        }
        n_referred += hg_measure_plan_referred(plan, set->source[i].name) != 0 ? n : 0;
        if (!set->source[i].is_reference) {
            status = hg_measure_pairs_check(&plan->params->measure, &set->source[i]);
        }
    }
    HG_TRY(hg_comm_agree(comm, status));
    status = hg_referred_set_read(comm, plan, set, &referred);
    if (status == HG_OK) {
        status = hg_measure_cluster_plan(comm, plan->params, n_row, n_referred, box, &mesh);
    }
    for (int i = 0; i < set->n && status == HG_OK; i++) {
        if (!set->source[i].is_reference) {
            status = measure_catalogue(comm, plan, mesh, set, &set->source[i], &referred,
                                       statistics);
        }
    }
    hg_referred_set_clear(&referred);
    hg_mesh_free(mesh);
    for (int i = 0; i < set->n && status == HG_OK && truth != NULL; i++) {
        if (&set->source[i] != truth && !set->source[i].is_reference) {
            status = hg_measure_compare(comm, plan, set, &set->source[i], truth, statistics);
            status = status != HG_OK ? status
                                     : hg_measure_labels(comm, plan, set, &set->source[i],
                                                         truth, statistics);
        }
    }
    return status;
}

hg_status
hg_measure_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    hg_measure_plan plan;
    hg_measured_set set = {.n = 0};
    hg_statistics statistics = {0};
    char path[HG_PATH_MAX];
    hg_status status;

    HG_TRY_OR(done, status, hg_comm_agree(comm, hg_measure_plan_init(params, &plan)));
    HG_TRY_OR(done, status, hg_paths_output(params, params->measure.file, sizeof path, path));
    HG_TRY_OR(done, status, hg_measured_set_open(comm, params, &set));
    HG_TRY_OR(done, status, hg_folder_make(comm, params->output.folder));
    if (!overwrite) { /* with it the old file stays until the new one replaces it */
        HG_TRY_OR(done, status, hg_output_claim(comm, path, false));
    }
    HG_TRY_OR(done, status, measure_all(comm, &plan, &set, &statistics));
    HG_TRY_OR(done, status, hg_measure_zooms(comm, &plan, &statistics));
    status = hg_statistics_align(&statistics, "mass_function");
    if (status == HG_OK) {
        status = hg_statistics_align(&statistics, "conditional_mass_function");
    }
    if (status == HG_OK) {
        status = add_provenance(comm, params, &set, &statistics);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status)); /* or a file is written in vain */
    if (comm->rank == 0) {
        status = hg_statistics_write(&statistics, path);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_log_info("measure: %d curves, %d maps and %d scores in %s", statistics.n_curve,
                statistics.n_map, statistics.n_score, path);
done:
    hg_statistics_clear(&statistics);
    hg_measured_set_close(&set);
    hg_measure_plan_clear(&plan);
    return status;
}
