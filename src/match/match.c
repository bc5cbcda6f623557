/* Regions are matched one after the other by all ranks. For matching by place the parent is
 * read once, and what lies in or near a region is kept. */
#include "match/match.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "match/match_bound.h"
#include "match/match_nearest.h"
#include "match/match_table.h"
#include "store/publish.h"
#include "suite/paths.h"

static const double resolved = 10.5; /* log10 Msun: the log tells what is matched above it */

hg_status
hg_match_path(const hg_params *params, const hg_region *region, bool by_place, size_t n,
              char path[])
{
    if (region->match[0] != '\0') {
        return hg_text_path(n, path, "%s", region->match);
    }
    return hg_text_path(n, path, "%s/matches/%s_%02" PRId64 "_%s.hdf5", params->output.folder,
                        region->run, region->region, by_place ? "parent" : "dmo");
}

/* The same without its extension; tables are written to their own folder only. */
static hg_status
output_path(const hg_params *params, const hg_region *region, bool by_place, size_t n,
            char path[])
{
    return hg_text_path(n, path, "%s/matches/%s_%02" PRId64 "_%s", params->output.folder,
                        region->run, region->region, by_place ? "parent" : "dmo");
}

/* Read regions and refuse tables that exist. */
static hg_status
start(const hg_comm *comm, const hg_params *params, bool by_place, bool overwrite, int *n,
      hg_region **regions)
{
    char path[HG_PATH_MAX];

    HG_TRY(hg_paths_regions(params, sizeof path, path)); /* the same on all ranks */
    if (path[0] == '\0') {
        return HG_FAIL(HG_E_PARAM, "match needs a region table: name it in Zooms.regions; a "
                                   "whole box is a region without a radius");
    }
    HG_TRY(hg_regions_read(comm, path, params->zooms.run, n, regions));
    HG_TRY(hg_text_path(sizeof path, path, "%s/matches", params->output.folder));
    HG_TRY(hg_folder_make(comm, path));
    for (int r = 0; r < *n; r++) {
        char file[HG_PATH_MAX + 8];

        HG_TRY(output_path(params, &(*regions)[r], by_place, sizeof path, path));
        snprintf(file, sizeof file, "%s.hdf5", path);
        HG_TRY(hg_output_claim(comm, file, overwrite));
    }
    return HG_OK;
}

static hg_catalog_options
zoom_options(const hg_params *params, const char *const file[1])
{
    hg_catalog_options o = HG_CATALOG_OPTIONS_INIT;

    o.format = params->zooms.format;
    o.mapping = params->zooms.mapping;
    o.snap = hg_params_snap(params);
    o.partial = params->zooms.partial;
    o.on_bad_rows = params->zooms.on_bad_rows;
    o.frame.h = params->zooms.h;
    o.n_file = 1;
    o.files = file;
    return o;
}

/* Sums over regions, by type of object. */
typedef struct tally {
    int64_t n[3], matched[3], large[3], large_matched[3];
} tally;

static hg_status
add_tally(const hg_match_result *r, int side, tally *t)
{
    hg_match_fraction *f = NULL;
    int n = 0;
    hg_status status = hg_match_count(r, side, &n, &f);

    for (int i = 0; i < n && status == HG_OK; i++) {
        const int type = f[i].central == 1 ? 0 : f[i].central == 0 ? 1 : 2;

        t->n[type] += f[i].n;
        t->matched[type] += f[i].n_matched;
        if (f[i].mass_low >= resolved) {
            t->large[type] += f[i].n;
            t->large_matched[type] += f[i].n_matched;
        }
        hg_log_debug("match: %s of 10^%.1f to 10^%.1f Msun, %s: %" PRId64 " of %" PRId64,
                     side == 0 ? "objects" : "partners", f[i].mass_low, f[i].mass_low + 0.5,
                     type == 0   ? "centrals"
                     : type == 1 ? "satellites"
                                 : "of unknown type",
                     f[i].n_matched, f[i].n);
    }
    hg_mem_free(f);
    return status;
}

static void
log_tally(const char *what, const tally *t)
{
    static const char *const types[3] = {"centrals", "satellites", "objects of unknown type"};

    for (int k = 0; k < 3; k++) {
        if (t->n[k] > 0) {
            hg_log_info("match: %s: %" PRId64 " of %" PRId64 " %s have a partner (%.4f; %.4f "
                        "of %" PRId64 " above 10^%.1f Msun)",
                        what, t->matched[k], t->n[k], types[k],
                        (double)t->matched[k] / (double)t->n[k],
                        (double)t->large_matched[k] / fmax(1, (double)t->large[k]), t->large[k],
                        resolved);
        }
    }
}

/* Bring objects and pairs of a region together, sort and write them; `result` is used up. */
static hg_status
finish_region(const hg_comm *comm, const hg_params *params, const hg_region *region,
              const char *const name[2], hg_match_result *result, tally sums[2])
{
    hg_match_result all = {.by_place = result->by_place};
    char path[HG_PATH_MAX];
    hg_status status;

    for (int s = 0; s < 2; s++) {
        HG_TRY_OR(done, status,
                  hg_comm_gather_rows(comm, result->n[s], sizeof *result->object[s],
                                      result->object[s], &all.n[s], &all.object[s]));
    }
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, result->n_pair, sizeof *result->pair, result->pair,
                                  &all.n_pair, &all.pair));
    if (comm->rank == 0) {
        status = hg_match_sort(&all, name);
        if (status == HG_OK) {
            status = output_path(params, region, all.by_place, sizeof path, path);
        }
        if (status == HG_OK) {
            status =
                hg_match_table_write(&all, path, hg_params_text(params), params->match.csv);
        }
        for (int s = 0; s < 2 && status == HG_OK; s++) {
            status = add_tally(&all, s, &sums[s]);
        }
        if (status != HG_OK) {
            hg_error_prefix("region %" PRId64 " of '%s': ", region->region, region->run);
        }
    }
    status = hg_comm_agree(comm, status);
done:
    hg_match_result_clear(&all);
    hg_match_result_clear(result);
    return status;
}

static hg_status
check_bound_region(const hg_region *r)
{
    const char *missing = r->dmo[0] == '\0'         ? "dmo"
                          : r->hydro_ids[0] == '\0' ? "hydro_ids"
                          : r->dmo_ids[0] == '\0'   ? "dmo_ids"
                                                    : NULL;

    return missing == NULL
               ? HG_OK
               : HG_FAIL(HG_E_INPUT,
                         "region %" PRId64 " of '%s' has no file in column '%s' of the region "
                         "table, which matching by particles needs",
                         r->region, r->run, missing);
}

static hg_status
match_bound_region(const hg_comm *comm, const hg_params *params,
                   const hg_match_bound_options *options, const hg_region *region,
                   tally sums[2])
{
    const char *const name[2] = {region->hydro, region->dmo};
    const char *const ids[2] = {region->hydro_ids, region->dmo_ids};
    hg_match_result result = {0};
    hg_members members[2] = {{0}};
    hg_status status = HG_OK;

    HG_TRY(check_bound_region(region)); /* the same on all ranks */
    for (int s = 0; s < 2; s++) {
        const hg_catalog_options catalog = zoom_options(params, &name[s]);
        const hg_match_reading reading = {.catalog = &catalog, .mass = params->match.mass};
        const hg_members_options lists = {
            .format = params->match.ids, .ids = ids[s], .catalogue = name[s]};

        HG_TRY_OR(done, status,
                  hg_match_objects_read(comm, &reading, NULL, &result.n[s], &result.object[s]));
        HG_TRY_OR(done, status, hg_members_read(comm, &lists, &members[s]));
    }
    HG_TRY_OR(done, status,
              hg_match_bound(comm, members, options, &result.n_pair, &result.pair));
    status = finish_region(comm, params, region, name, &result, sums);
done:
    for (int s = 0; s < 2; s++) {
        hg_members_clear(&members[s]);
    }
    hg_match_result_clear(&result);
    return status;
}

static hg_status
bound_options(const hg_params_match *p, hg_match_bound_options *o)
{
    *o = (hg_match_bound_options){.most = (int)p->most,
                                  .least = (int)p->least,
                                  .shared = p->shared,
                                  .rank_slope = p->rank_slope};
    if (hg_id_rule_parse(p->hydro_rule, &o->rule[0]) != HG_OK) {
        hg_error_prefix("Match.hydro_rule: ");
        return HG_E_PARAM;
    }
    if (hg_id_rule_parse(p->dmo_rule, &o->rule[1]) != HG_OK) {
        hg_error_prefix("Match.dmo_rule: ");
        return HG_E_PARAM;
    }
    return HG_OK;
}

hg_status
hg_match_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    hg_match_bound_options options;
    hg_region *regions = NULL;
    tally sums[2] = {{.n = {0}}};
    int n = 0;
    hg_status status;

    HG_TRY(bound_options(&params->match, &options)); /* the same on all ranks */
    HG_TRY_OR(done, status, start(comm, params, false, overwrite, &n, &regions));
    hg_phase_start("match");
    for (int r = 0; r < n; r++) {
        HG_TRY_OR(done, status, match_bound_region(comm, params, &options, &regions[r], sums));
    }
    hg_phase_stop("match");
    log_tally("haloes with galaxies", &sums[0]);
    log_tally("dark-matter-only haloes", &sums[1]);
done:
    hg_mem_free(regions);
    return status;
}

/* Objects near one region, or all of a region without radius. */
static hg_status
pick_objects(const hg_region *region, double box, double margin, int64_t n,
             const hg_match_object object[], int64_t *n_got, hg_match_object **got)
{
    hg_region wide = *region;

    wide.radius += margin;
    *n_got = 0;
    HG_TRY(hg_mem_array(got, (size_t)n, sizeof **got));
    for (int64_t i = 0; i < n; i++) {
        if (hg_region_holds(&wide, box, object[i].position)) {
            (*got)[(*n_got)++] = object[i];
        }
    }
    return HG_OK;
}

/* What matching with the parent keeps from region to region. */
typedef struct parent_search {
    const hg_params *params;
    hg_match_nearest_options option;
    int n;
    hg_region *region;
    int64_t *n_zoom;
    hg_match_object **zoom; /* objects with galaxies, by region */
    double reach;
    int64_t n_parent;
    hg_match_object *parent;
} parent_search;

static hg_status
match_parent_region(const hg_comm *comm, parent_search *s, int r, const char *parent_name,
                    tally sums[2])
{
    const hg_region *region = &s->region[r];
    const char *const name[2] = {region->hydro, parent_name};
    hg_match_result result = {.by_place = true};
    hg_match_object *near = NULL;
    int64_t n[2] = {s->n_zoom[r], 0};
    hg_status status;

    status = pick_objects(region, s->option.frame.box, s->reach, s->n_parent, s->parent, &n[1],
                          &near);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    {
        const hg_match_object *const object[2] = {s->zoom[r], near};

        HG_TRY_OR(done, status,
                  hg_match_nearest(comm, n, object, &s->option, s->reach, &result.n_pair,
                                   &result.pair));
    }
    result.n[0] = n[0];
    result.n[1] = n[1];
    result.object[0] = s->zoom[r];
    result.object[1] = near;
    s->zoom[r] = near = NULL;
    status = finish_region(comm, s->params, region, name, &result, sums);
done:
    hg_mem_free(near);
    hg_match_result_clear(&result);
    return status;
}

static hg_status
read_parent_frame(const hg_comm *comm, const hg_catalog_options *options, hg_frame *frame)
{
    hg_catalog *catalog = NULL;

    HG_TRY(hg_catalog_open(comm, options, &catalog));
    *frame = *hg_catalog_frame(catalog);
    hg_catalog_close(catalog);
    return HG_OK;
}

/* Zoom objects inside their regions, the search radius, and the parent's objects nearby. */
static hg_status
read_all(const hg_comm *comm, parent_search *s, const hg_catalog_options *parent)
{
    hg_match_reading reading = {.mass = s->params->match.mass, .with_place = true};
    double reach;
    bool whole = false;
    hg_status status;

    HG_TRY(read_parent_frame(comm, parent, &s->option.frame));
    status = hg_mem_zeros(&s->n_zoom, (size_t)s->n, sizeof *s->n_zoom);
    if (status == HG_OK) {
        status = hg_mem_zeros(&s->zoom, (size_t)s->n, sizeof *s->zoom);
    }
    HG_TRY(hg_comm_agree(comm, status));
    for (int r = 0; r < s->n; r++) {
        const char *file = s->region[r].hydro;
        const hg_catalog_options zoom = zoom_options(s->params, &file);

        reading.catalog = &zoom;
        reading.n_region = isfinite(s->region[r].radius);
        reading.region = &s->region[r];
        whole = whole || reading.n_region == 0;
        HG_TRY(hg_match_objects_read(comm, &reading, NULL, &s->n_zoom[r], &s->zoom[r]));
        HG_TRY(hg_match_reach(comm, s->n_zoom[r], s->zoom[r], &s->option, &reach));
        s->reach = fmax(s->reach, reach);
    }
    reading.catalog = parent;
    reading.n_region = whole ? 0 : s->n;
    reading.region = s->region;
    reading.margin = s->reach;
    return hg_match_objects_read(comm, &reading, NULL, &s->n_parent, &s->parent);
}

hg_status
hg_match_to_parent(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    parent_search s = {.params = params,
                       .option = {.distance = params->match.distance,
                                  .mass_ratio = params->match.mass_ratio,
                                  .mass_shift = params->match.mass_shift}};
    hg_catalog_options parent;
    char buffer[HG_PATH_MAX];
    const char *file[1];
    tally sums[2] = {{.n = {0}}};
    hg_status status;

    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &parent));
    HG_TRY_OR(done, status, start(comm, params, true, overwrite, &s.n, &s.region));
    hg_phase_start("match");
    HG_TRY_OR(done, status, read_all(comm, &s, &parent));
    hg_log_info("match: partners are looked for within %.3g Mpc, less for lighter haloes",
                s.reach);
    for (int r = 0; r < s.n; r++) {
        HG_TRY_OR(done, status, match_parent_region(comm, &s, r, parent.files[0], sums));
    }
    hg_phase_stop("match");
    log_tally("haloes with galaxies", &sums[0]);
    log_tally("haloes of the parent in or near regions", &sums[1]);
done:
    for (int r = 0; r < s.n && s.zoom != NULL; r++) {
        hg_mem_free(s.zoom[r]);
    }
    hg_mem_free(s.zoom);
    hg_mem_free(s.n_zoom);
    hg_mem_free(s.parent);
    hg_mem_free(s.region);
    return status;
}
