/* The rows of the parent and of all zooms are points of one search, because zooms lie in the
 * parent's box and its tracers surround them too: many small catalogues cost no more than their
 * rows. With Environment.zooms = own each training catalogue is searched by itself. There the
 * catalogue ends at the radius of its region, or where the tracers of its boundary end: what
 * reaches beyond is not known, so it is NaN and the row does not train. */
#include "features/environment_columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "features/environment.h"
#include "features/halo_points.h"
#include "features/surroundings.h"
#include "halograft/log.h"
#include "suite/paths.h"

typedef struct work {
    const hg_params *params;
    hg_environment e;
    hg_run_catalogues *members; /* the first is the parent */
    hg_halo_points points, tracers;
    hg_surroundings where; /* the parent's */
    int64_t n_edge;        /* rows without some column */
} work;

static void
clear_work(work *w)
{
    hg_halo_points_clear(&w->points);
    hg_halo_points_clear(&w->tracers);
    hg_environment_clear(&w->e);
}

/* Whether the files of a region have a frame of their own. */
static bool
has_own_frame(const hg_region *region)
{
    return region != NULL && isfinite(region->own[0]);
}

/* Zooms whose positions are told in another box cannot be looked up in the parent's, unless the
 * place of their centre is known in both. */
static hg_status
check_zoom(const work *w, const hg_run_catalogue *m)
{
    const double box = hg_catalog_frame(m->catalog)->box;
    const bool in_parent = strcmp(w->e.param->zooms, "parent") == 0,
               is_moved = has_own_frame(m->region);

    if (in_parent && is_moved && !isfinite(m->region->centre[0])) {
        return HG_FAIL(
            HG_E_INPUT,
            "the region of '%s' has a centre in its own frame (own_x) and none in the "
            "parent (x), where its haloes would be looked up: give it, or set "
            "Environment.zooms to own",
            m->name);
    }
    if (in_parent && !is_moved && isfinite(box) &&
        fabs(box - w->where.box) > 1e-6 * w->where.box) {
        return HG_FAIL(
            HG_E_INPUT,
            "'%s' has a box of %g Mpc and the parent one of %g Mpc, so its haloes do "
            "not lie in the parent: set Environment.zooms to own",
            m->name, box, w->where.box);
    }
    return HG_OK;
}

/* Whether box and zooms allow the recipe. */
static hg_status
check_members(work *w)
{
    w->where.box = hg_catalog_frame(w->members->member[0].catalog)->box;
    if (!(w->where.box > 0)) {
        return HG_FAIL(HG_E_INPUT, "the parent has no periodic box: give it in Parent.box");
    }
    HG_TRY(hg_surroundings_check(&w->e, w->where.box));
    for (int i = 1; i < w->members->n; i++) {
        HG_TRY(check_zoom(w, &w->members->member[i]));
    }
    return HG_OK;
}

/* The points of a catalogue; errors name it. */
static hg_status
read_points(const hg_comm *comm, hg_catalog *catalog, const char *name,
            const hg_halo_reading *reading, hg_halo_points *points)
{
    const hg_status status = hg_halo_points_read(comm, catalog, reading, "Environment", points);

    if (status != HG_OK && strstr(hg_error_last()->message, name) == NULL) {
        hg_error_prefix("'%s': ", name);
    }
    return status;
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
    options.snap = hg_params_snap(w->params);
    options.particles = true;
    options.frame.box = w->params->parent.box;
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    if (fabs(hg_catalog_frame(catalog)->box - w->where.box) > 1e-6 * w->where.box) {
        status = HG_FAIL(HG_E_INPUT, "the tracers '%s' have a box of %g Mpc, the parent of %g",
                         p->tracer.v[0], hg_catalog_frame(catalog)->box, w->where.box);
        goto done;
    }
    HG_TRY_OR(done, status, read_points(comm, catalog, p->tracer.v[0], &reading, &all));
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

/* Points from `first` on, of a zoom in a frame of its own, get their places in the parent. */
static void
move_to_parent(const hg_region *r, const hg_catalog *catalog, int64_t first,
               hg_halo_points *points)
{
    const double box = hg_catalog_frame(catalog)->box;

    for (int64_t i = first; has_own_frame(r) && isfinite(r->centre[0]) && i < points->n; i++) {
        for (int k = 0; k < 3; k++) {
            const double d = points->position[i][k] - r->own[k];

            points->position[i][k] = r->centre[k] + (box > 0 ? remainder(d, box) : d);
        }
    }
}

static hg_status
read_members(const hg_comm *comm, work *w)
{
    for (int i = 0; i < w->members->n; i++) {
        hg_run_catalogue *m = &w->members->member[i];
        const bool may_trace = w->e.param->tracer.n == 0;
        const bool has_mass = w->e.mass != NULL && (may_trace || w->e.param->massive);
        const hg_halo_reading reading = {
            .e = &w->e, .has_mass = has_mass, .may_trace = may_trace, .turn = i};

        m->first = w->points.n;
        HG_TRY(read_points(comm, m->catalog, m->name, &reading, &w->points));
        m->n = w->points.n - m->first;
        move_to_parent(m->region, m->catalog, m->first, &w->points);
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

static bool
has_boundary(const hg_region *region)
{
    return region != NULL && region->boundary[0] != '\0';
}

/* Distance of a point from the centre of a region, as places are told after move_to_parent().
 */
static double
distance_from(const hg_region *region, double box, const double position[3])
{
    const double *centre = isfinite(region->centre[0]) ? region->centre : region->own;
    double d2 = 0;

    for (int k = 0; k < 3; k++) {
        const double d = remainder(position[k] - centre[k], box);

        d2 += d * d;
    }
    return sqrt(d2);
}

/* Values that looked beyond what is known of a region become NaN; returns the number of rows
 * with some. */
static int64_t
cut_edge(const work *w, const hg_region *region, const hg_surrounded *point, float value[])
{
    const double edge = has_boundary(region) ? region->boundary_radius : region->radius;
    int64_t n_cut = 0;

    for (int64_t i = 0; i < point->at.n; i++) {
        const double d = distance_from(region, w->where.box, point->at.position[i]);
        bool is_cut = false;

        for (int c = 0; c < w->e.n_column; c++) {
            float *v = &value[i * w->e.n_column + c];

            if (d + reach_of(&w->e.column[c], *v) > edge) {
                *v = NAN;
                is_cut = true;
            }
        }
        n_cut += is_cut && d < region->radius;
    }
    return n_cut;
}

/* The tracers of a region's boundary, behind those of its own rows. Where both are of one kind,
 * rows count inside the radius and the boundary outside; where tracers are a catalogue of their
 * own (Environment.tracer), that of the boundary holds all. */
static hg_status
add_boundary(const hg_comm *comm, const work *w, const hg_region *region,
             hg_halo_points *points)
{
    const bool is_alone = w->e.param->tracer.n > 0;
    const hg_halo_reading reading = {
        .e = &w->e, .has_mass = w->e.mass != NULL, .may_trace = true};
    const char *file = region->boundary;
    const int64_t n_own = points->n;
    hg_catalog_options options;
    hg_catalog *catalog = NULL;
    hg_status status;

    hg_paths_zooms(w->params, &options);
    options.format = "auto"; /* may be particles where zooms are haloes */
    options.n_file = 1;
    options.files = &file;
    options.run = region->run;
    options.particles = true;
    points->fewest = HUGE_VAL; /* the rows' own are not in question */
    points->is_known = false;
    HG_TRY(hg_catalog_open(comm, &options, &catalog));
    status = read_points(comm, catalog, file, &reading, points);
    if (status == HG_OK) {
        move_to_parent(region, catalog, n_own, points);
    }
    hg_catalog_close(catalog);
    HG_TRY(status);
    for (int64_t i = 0; i < points->n; i++) {
        const double d = distance_from(region, w->where.box, points->position[i]);

        points->is_tracer[i] = points->is_tracer[i] &&
                               (is_alone || (i < n_own) == (d <= region->radius)) &&
                               d <= region->boundary_radius;
    }
    return hg_halo_points_check(comm, points, w->e.param->particles_min);
}

/* What traces the surroundings of the rows of one training catalogue. */
static hg_status
own_tracers(const hg_comm *comm, const work *w, const hg_run_catalogue *m,
            hg_halo_points *tracers)
{
    hg_halo_points view = w->points, all = {0};
    hg_status status;

    if (w->e.param->tracer.n > 0 && !has_boundary(m->region)) {
        return HG_FAIL(HG_E_PARAM,
                       "Environment.tracer gives tracers of the parent, and '%s' has none of "
                       "the kind: name them in column 'boundary' of the region table, or set "
                       "Environment.zooms to parent",
                       m->name);
    }
    view.n = m->n;
    if (m->n > 0) {
        view.position += m->first;
        view.is_tracer += m->first;
        view.mass = view.mass != NULL ? view.mass + m->first : NULL;
    }
    if (!has_boundary(m->region)) {
        return hg_comm_agree(comm, hg_halo_points_tracers(&view, tracers));
    }
    status = hg_comm_agree(comm, hg_halo_points_tracers(&view, &all));
    if (status == HG_OK) {
        status = add_boundary(comm, w, m->region, &all);
    }
    if (status == HG_OK) {
        status = hg_comm_agree(comm, hg_halo_points_tracers(&all, tracers));
    }
    hg_halo_points_clear(&all);
    return status;
}

/* Surroundings of the rows of one training catalogue among its own tracers. */
static hg_status
compute_own(const hg_comm *comm, work *w, const hg_run_catalogue *m, float value[])
{
    const hg_surrounded point = hg_halo_points_range(&w->points, m->first, m->n);
    const double own_box = hg_catalog_frame(m->catalog)->box;
    const bool has_edge = m->region != NULL && isfinite(m->region->radius);
    hg_surroundings where = w->where;
    hg_halo_points tracers = {0};
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
    status = own_tracers(comm, w, m, &tracers);
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
        hg_halo_points_range(&w->points, 0, is_own ? w->members->member[0].n : w->points.n);

    HG_TRY(hg_surroundings_compute(comm, &w->e, &w->where, &tracer, &point, value));
    for (int i = 1; i < w->members->n && is_own; i++) {
        const hg_run_catalogue *m = &w->members->member[i];

        HG_TRY(compute_own(comm, w, m, value + m->first * w->e.n_column));
    }
    if (is_own) {
        hg_comm_sum(comm, 1, &w->n_edge);
        hg_log_info("features: %" PRId64
                    " rows of zooms look beyond what is known around their region "
                    "and have no environment",
                    w->n_edge);
    }
    return HG_OK;
}

static hg_status
make(const hg_comm *comm, work *w, const hg_derived *derived, bool overwrite)
{
    float *value = NULL;
    int64_t counts[2];
    hg_status status;

    HG_TRY(hg_comm_agree(comm, hg_environment_parse(w->params, &w->e)));
    HG_TRY(hg_comm_agree(comm, check_members(w)));
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
                counts[0], w->members->n, counts[1], w->where.density);
    status = hg_mem_array(&value, (size_t)w->points.n * (size_t)w->e.n_column, sizeof *value);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, compute(comm, w, value));
    status = hg_run_catalogues_write(comm, w->params, derived, w->members, overwrite,
                                     w->points.row, value);
done:
    hg_mem_free(value);
    return status;
}

hg_status
hg_environment_columns(const hg_comm *comm, const hg_params *params, const hg_derived *derived,
                       hg_run_catalogues *members, bool overwrite)
{
    work *w = NULL;
    hg_status status = hg_comm_agree(comm, hg_mem_zeros(&w, 1, sizeof *w));

    if (status == HG_OK) {
        w->params = params;
        w->members = members;
        status = make(comm, w, derived, overwrite);
        clear_work(w);
    }
    hg_mem_free(w);
    return status;
}
