/* The rows of the parent and of all zooms are points of one search, because zooms lie in the
 * parent's box and its tracers surround them too: many small catalogues cost no more than their
 * rows. With Environment.zooms = own each training catalogue is searched by itself. There the
 * catalogue ends at the radius of its region: what reaches beyond is not known, so it is NaN
 * and the row does not train. */
#include "features/features.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "features/environment.h"
#include "features/halo_points.h"
#include "features/sidecar.h"
#include "features/surroundings.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "suite/regions.h"

/* A catalogue whose rows want an environment. */
typedef struct member {
    hg_sidecar_of of;
    const hg_region *region; /* NULL without */
    hg_catalog *catalog;
    char name[1024];
    int64_t first, n; /* points of this rank */
} member;

typedef struct work {
    const hg_params *params;
    hg_environment e;
    hg_region *regions;
    int n_region;
    int n_member; /* the first is the parent */
    member *member;
    hg_halo_points points, tracers;
    hg_surroundings where; /* the parent's */
    int64_t n_edge;        /* rows without some column */
} work;

static void
clear_work(work *w)
{
    for (int i = 0; i < w->n_member; i++) {
        hg_catalog_close(w->member[i].catalog);
    }
    hg_mem_free(w->member);
    hg_mem_free(w->regions);
    hg_halo_points_clear(&w->points);
    hg_halo_points_clear(&w->tracers);
    hg_environment_clear(&w->e);
}

static hg_status
open_member(const hg_comm *comm, const hg_catalog_options *options, hg_sidecar_of of,
            const hg_region *region, work *w)
{
    member *m = &w->member[w->n_member];

    *m = (member){.of = of, .region = region};
    snprintf(m->name, sizeof m->name, "%s", options->n_file > 0 ? options->files[0] : "");
    HG_TRY(hg_catalog_open(comm, options, &m->catalog));
    w->n_member++;
    return HG_OK;
}

/* Zooms whose positions are told in another box cannot be looked up in the parent's. */
static hg_status
check_zoom(const work *w, const member *m)
{
    const double box = hg_catalog_frame(m->catalog)->box;

    if (strcmp(w->e.param->zooms, "parent") == 0 && isfinite(box) &&
        fabs(box - w->where.box) > 1e-6 * w->where.box) {
        return HG_FAIL(
            HG_E_INPUT,
            "'%s' has a box of %g Mpc and the parent one of %g Mpc, so its haloes do "
            "not lie in the parent: set Environment.zooms to own",
            m->name, box, w->where.box);
    }
    return HG_OK;
}

static hg_status
open_zooms(const hg_comm *comm, work *w)
{
    const char *rows_of = w->params->zooms.features;
    char path[HG_PATH_MAX], is_there;
    hg_catalog_options options;

    HG_TRY(hg_paths_regions(w->params, sizeof path, path));
    hg_paths_zooms(w->params, &options);
    is_there = comm->rank == 0 && hg_file_exists(path);
    hg_comm_broadcast(comm, 0, &is_there, 1);
    if (path[0] != '\0' && (is_there || w->params->zooms.regions != NULL)) {
        HG_TRY(hg_regions_read(comm, path, w->params->zooms.run, &w->n_region, &w->regions));
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
        options.n_file = w->params->zooms.files.n;
        options.files = w->params->zooms.files.v;
        HG_TRY(open_member(comm, &options, HG_SIDECAR_ZOOMS, NULL, w));
    }
    for (int i = 1; i < w->n_member; i++) {
        HG_TRY(hg_comm_agree(comm, check_zoom(w, &w->member[i])));
    }
    return HG_OK;
}

static hg_status
open_members(const hg_comm *comm, work *w)
{
    char buffer[HG_PATH_MAX];
    const char *file[1];
    hg_catalog_options options;

    HG_TRY(hg_paths_parent(w->params, sizeof buffer, buffer, file, &options));
    HG_TRY(hg_comm_agree(comm, hg_mem_array(&w->member, 1, sizeof *w->member)));
    HG_TRY(open_member(comm, &options, HG_SIDECAR_PARENT, NULL, w));
    w->where.box = hg_catalog_frame(w->member[0].catalog)->box;
    if (!(w->where.box > 0)) {
        return HG_FAIL(HG_E_INPUT, "the parent has no periodic box: give it in Parent.box");
    }
    HG_TRY(hg_comm_agree(comm, hg_surroundings_check(&w->e, w->where.box)));
    return open_zooms(comm, w);
}

/* Tracers from a catalogue of their own. */
static hg_status
read_tracers(const hg_comm *comm, work *w)
{
    const hg_params_environment *p = w->e.param;
    const hg_halo_reading reading = {
        .e = &w->e, .has_mass = w->e.mass != NULL, .may_trace = true};
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_halo_points all = {0};
    hg_catalog *catalog = NULL;
    hg_status status;

    options.n_file = p->tracer.n;
    options.files = p->tracer.v;
    options.mapping = p->tracer_mapping;
    options.frame.box = w->params->parent.box;
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    if (fabs(hg_catalog_frame(catalog)->box - w->where.box) > 1e-6 * w->where.box) {
        status = HG_FAIL(HG_E_INPUT, "the tracers '%s' have a box of %g Mpc, the parent of %g",
                         p->tracer.v[0], hg_catalog_frame(catalog)->box, w->where.box);
        goto done;
    }
    HG_TRY_OR(done, status, hg_halo_points_read(comm, catalog, &reading, "Environment", &all));
    status = hg_comm_agree(comm, hg_halo_points_tracers(&all, &w->tracers));
done:
    hg_halo_points_clear(&all);
    hg_catalog_close(catalog);
    return status;
}

/* Number and mass of tracers per volume. */
static hg_status
find_density(const hg_comm *comm, const hg_halo_points *tracers, double box,
             hg_surroundings *where)
{
    const hg_places places = hg_halo_points_range(tracers, 0, tracers->n).at;
    const double volume = box * box * box;
    int64_t n = tracers->n;
    double mass = 0;

    hg_comm_sum(comm, 1, &n);
    HG_TRY(hg_neighbours_total(comm, &places, &mass));
    *where = (hg_surroundings){box, (double)n / volume, mass / volume};
    return HG_OK;
}

static hg_status
read_members(const hg_comm *comm, work *w)
{
    const bool is_own = strcmp(w->e.param->zooms, "own") == 0;

    for (int i = 0; i < w->n_member; i++) {
        member *m = &w->member[i];
        const bool may_trace = w->e.param->tracer.n == 0 || (is_own && i > 0);
        const hg_halo_reading reading = {
            .e = &w->e, .has_mass = w->e.mass != NULL, .may_trace = may_trace, .turn = i};
        hg_status status;

        m->first = w->points.n;
        status = hg_halo_points_read(comm, m->catalog, &reading, "Environment", &w->points);
        if (status != HG_OK && strstr(hg_error_last()->message, m->name) == NULL) {
            hg_error_prefix("'%s': ", m->name);
        }
        HG_TRY(status);
        m->n = w->points.n - m->first;
        if (i == 0 && w->e.param->tracer.n == 0) {
            HG_TRY(hg_comm_agree(comm, hg_halo_points_tracers(&w->points, &w->tracers)));
            HG_TRY(hg_halo_points_check(comm, &w->tracers, w->e.param->particles_min));
        }
    }
    return HG_OK;
}

/* How far a column of a row has looked. */
static double
reach_of(const hg_environment_column *c, float value)
{
    return c->kind == HG_SURROUNDING_NEIGHBOUR || c->kind == HG_SURROUNDING_MASSIVE
               ? (double)value
               : c->radius;
}

/* Values that looked beyond the region become NaN; returns the number of rows with some. */
static int64_t
cut_edge(const work *w, const hg_region *region, const hg_surrounded *point, float value[])
{
    int64_t n_cut = 0;

    for (int64_t i = 0; i < point->at.n; i++) {
        double d2 = 0;
        bool is_cut = false;

        for (int k = 0; k < 3; k++) {
            const double d =
                remainder(point->at.position[i][k] - region->centre[k], w->where.box);

            d2 += d * d;
        }
        for (int c = 0; c < w->e.n_column; c++) {
            float *v = &value[i * w->e.n_column + c];

            if (sqrt(d2) + reach_of(&w->e.column[c], *v) > region->radius) {
                *v = NAN;
                is_cut = true;
            }
        }
        n_cut += is_cut && sqrt(d2) < region->radius;
    }
    return n_cut;
}

/* Surroundings of the rows of one training catalogue among themselves. */
static hg_status
compute_own(const hg_comm *comm, work *w, const member *m, float value[])
{
    const hg_surrounded point = hg_halo_points_range(&w->points, m->first, m->n);
    const double own_box = hg_catalog_frame(m->catalog)->box;
    const bool has_edge = m->region != NULL && isfinite(m->region->radius);
    hg_surroundings where = w->where;
    hg_halo_points view = w->points, tracers = {0};
    hg_status status;

    for (int i = 0; i < w->e.n_column; i++) {
        if (has_edge && w->e.column[i].kind != HG_SURROUNDING_SPHERE &&
            w->e.column[i].kind != HG_SURROUNDING_NEIGHBOUR &&
            w->e.column[i].kind != HG_SURROUNDING_MASSIVE) {
            return HG_FAIL(HG_E_PARAM,
                           "'%s' is smoothed on a mesh, and a region has no mean density and "
                           "no outside: set Environment.zooms to parent, or use spheres",
                           w->e.column[i].name);
        }
    }
    view.n = m->n;
    if (m->n > 0) {
        view.position += m->first;
        view.is_tracer += m->first;
        view.mass = view.mass != NULL ? view.mass + m->first : NULL;
    }
    status = hg_comm_agree(comm, hg_halo_points_tracers(&view, &tracers));
    if (status == HG_OK && !has_edge && own_box > 0) {
        status = find_density(comm, &tracers, own_box, &where);
    }
    if (status == HG_OK) {
        const hg_places places = hg_halo_points_range(&tracers, 0, tracers.n).at;

        status = hg_surroundings_compute(comm, &w->e, &where, &places, &point, value);
    }
    if (status == HG_OK && has_edge) {
        w->n_edge += cut_edge(w, m->region, &point, value);
    }
    hg_halo_points_clear(&tracers);
    return status;
}

static hg_status
compute(const hg_comm *comm, work *w, float value[])
{
    const bool is_own = strcmp(w->e.param->zooms, "own") == 0;
    const hg_places tracer = hg_halo_points_range(&w->tracers, 0, w->tracers.n).at;
    const hg_surrounded point =
        hg_halo_points_range(&w->points, 0, is_own ? w->member[0].n : w->points.n);

    HG_TRY(hg_surroundings_compute(comm, &w->e, &w->where, &tracer, &point, value));
    for (int i = 1; i < w->n_member && is_own; i++) {
        const member *m = &w->member[i];

        HG_TRY(compute_own(comm, w, m, value + m->first * w->e.n_column));
    }
    if (is_own) {
        hg_comm_sum(comm, 1, &w->n_edge);
        hg_log_info("features: %" PRId64 " rows of zooms look beyond the edge of their region "
                    "and have no environment",
                    w->n_edge);
    }
    return HG_OK;
}

static hg_status
write_members(const hg_comm *comm, const work *w, bool overwrite, const float value[])
{
    char path[HG_PATH_MAX];

    for (int i = 0; i < w->n_member; i++) {
        const member *m = &w->member[i];

        HG_TRY(hg_sidecar_path(w->params, m->of, m->region, sizeof path, path));
        if (i == 0) {
            HG_TRY(hg_paths_make_folder(comm, path));
        }
        HG_TRY(hg_sidecar_write(comm, w->params, &w->e, path, overwrite, m->catalog, i, m->n,
                                w->points.row + m->first, value + m->first * w->e.n_column));
    }
    HG_TRY(hg_sidecar_path(w->params, HG_SIDECAR_PARENT, NULL, sizeof path, path));
    hg_log_info("features: %d columns for the parent ('%s.hdf5') and %d training catalogues",
                w->e.n_column, path, w->n_member - 1);
    return HG_OK;
}

static hg_status
make(const hg_comm *comm, bool overwrite, work *w)
{
    float *value = NULL;
    int64_t counts[2];
    hg_status status;

    status = hg_environment_parse(w->params, &w->e);
    if (status == HG_OK && w->e.n_column == 0) {
        status = HG_FAIL(HG_E_PARAM, "section Environment asks for no column: list radii in "
                                     "spheres, gauss, tidal, ...");
    }
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(open_members(comm, w));
    hg_phase_start("features: read");
    if (w->e.param->tracer.n > 0) {
        HG_TRY(read_tracers(comm, w));
        HG_TRY(hg_halo_points_check(comm, &w->tracers, w->e.param->particles_min));
    }
    HG_TRY(read_members(comm, w));
    hg_phase_stop("features: read");
    HG_TRY(find_density(comm, &w->tracers, w->where.box, &w->where));
    counts[0] = w->points.n;
    counts[1] = w->tracers.n;
    hg_comm_sum(comm, 2, counts);
    hg_log_info("features: %" PRId64 " haloes in %d catalogues, %" PRId64
                " tracers, %.3g per Mpc^3",
                counts[0], w->n_member, counts[1], w->where.density);
    status = hg_mem_array(&value, (size_t)w->points.n * (size_t)w->e.n_column, sizeof *value);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, compute(comm, w, value));
    hg_phase_start("features: write");
    status = write_members(comm, w, overwrite, value);
    hg_phase_stop("features: write");
done:
    hg_mem_free(value);
    return status;
}

hg_status
hg_features_make(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    work *w = NULL;
    hg_status status;

    status = hg_comm_agree(comm, hg_mem_zeros(&w, 1, sizeof *w));
    if (status == HG_OK) {
        w->params = params;
        status = make(comm, overwrite, w);
    }
    if (w != NULL) {
        clear_work(w);
    }
    hg_mem_free(w);
    return status;
}
