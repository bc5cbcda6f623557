/* The parent first, then what trains: regions with their twins, or Zooms.files. */
#include "features/run_catalogues.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"

static hg_status
open_member(const hg_comm *comm, const hg_catalog_options *options, hg_sidecar_of of,
            const hg_region *region, hg_run_catalogues *w)
{
    hg_run_catalogue *m = &w->member[w->n];

    *m = (hg_run_catalogue){.of = of, .region = region};
    snprintf(m->name, sizeof m->name, "%s", options->n_file > 0 ? options->files[0] : "");
    HG_TRY(hg_catalog_open(comm, options, &m->catalog));
    w->n++;
    return HG_OK;
}

static hg_status
open_zooms(const hg_comm *comm, const hg_params *params, hg_run_catalogues *w)
{
    const char *rows_of = params->zooms.features;
    char path[HG_PATH_MAX], is_there;
    hg_catalog_options options;

    HG_TRY(hg_paths_regions(params, sizeof path, path));
    hg_paths_zooms(params, &options);
    is_there = comm->rank == 0 && hg_file_exists(path);
    hg_comm_broadcast(comm, 0, &is_there, 1);
    if (path[0] != '\0' && (is_there || params->zooms.regions != NULL)) {
        HG_TRY(hg_regions_read(comm, path, params->zooms.run, &w->n_region, &w->regions));
    }
    HG_TRY(hg_comm_agree(
        comm, hg_mem_resize(&w->member, 2 * (size_t)w->n_region + 2, sizeof *w->member)));
    for (int i = 0; i < 2 * w->n_region; i++) {
        const hg_region *r = &w->regions[i / 2];
        const char *file = i % 2 != 0                      ? r->twin
                           : strcmp(rows_of, "dmo") == 0   ? r->dmo
                           : strcmp(rows_of, "hydro") == 0 ? r->hydro
                                                           : ""; /* the parent's rows train */

        if (file[0] != '\0') {
            options.n_file = 1;
            options.files = &file;
            options.run = r->run;
            HG_TRY(open_member(comm, &options, i % 2 == 0 ? HG_SIDECAR_REGION : HG_SIDECAR_TWIN,
                               r, w));
        }
    }
    if (path[0] == '\0') {
        options.n_file = params->zooms.files.n;
        options.files = params->zooms.files.v;
        HG_TRY(open_member(comm, &options, HG_SIDECAR_ZOOMS, NULL, w));
    }
    return HG_OK;
}

hg_status
hg_run_catalogues_open(const hg_comm *comm, const hg_params *params, hg_run_catalogues *members)
{
    char buffer[HG_PATH_MAX];
    const char *file[1];
    hg_catalog_options options;

    *members = (hg_run_catalogues){0};
    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    HG_TRY(hg_comm_agree(comm, hg_mem_array(&members->member, 1, sizeof *members->member)));
    HG_TRY(open_member(comm, &options, HG_SIDECAR_PARENT, NULL, members));
    return open_zooms(comm, params, members);
}

void
hg_run_catalogues_clear(hg_run_catalogues *members)
{
    for (int i = 0; i < members->n; i++) {
        hg_catalog_close(members->member[i].catalog);
    }
    hg_mem_free(members->member);
    hg_mem_free(members->regions);
    *members = (hg_run_catalogues){0};
}

hg_status
hg_run_catalogues_write(const hg_comm *comm, const hg_params *params, const hg_derived *derived,
                        const hg_run_catalogues *members, bool overwrite, const int64_t row[],
                        const float value[])
{
    char path[HG_PATH_MAX];
    hg_status status = HG_OK;

    hg_phase_start("features: write");
    for (int i = 0; i < members->n && status == HG_OK; i++) {
        const hg_run_catalogue *m = &members->member[i];

        HG_TRY(hg_sidecar_path(params, derived->kind, m->of, m->region, sizeof path, path));
        if (i == 0) {
            HG_TRY(hg_paths_make_folder(comm, path));
        }
        status = hg_sidecar_write(comm, params, derived, path, overwrite, m->catalog, i, m->n,
                                  row + m->first, value + m->first * derived->n_column);
    }
    hg_phase_stop("features: write");
    HG_TRY(status);
    HG_TRY(hg_sidecar_path(params, derived->kind, HG_SIDECAR_PARENT, NULL, sizeof path, path));
    hg_log_info("features: %d columns of the %s for the parent ('%s.hdf5') and %d training "
                "catalogues",
                derived->n_column, hg_derived_name(derived->kind), path, members->n - 1);
    return HG_OK;
}
