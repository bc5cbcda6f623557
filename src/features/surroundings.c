/* Columns come in groups that share work: all spheres are one search, all distances to N-th
 * neighbours another, and all smoothed fields of one weight one forward transform. Counting in
 * spheres excludes a point itself by its distance; from a smoothed field its own share, the
 * smoothing window at distance zero, is subtracted, which adds a third to each eigenvalue of
 * the tidal tensor. */
#include "features/surroundings.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "field/modes.h"
#include "field/readout.h"
#include "field/smooth.h"

static const double cells_per_radius = 2.5; /* least radius of a mesh field, in cells */

static bool
is_smooth(const hg_environment_column *c)
{
    return c->kind == HG_SURROUNDING_GAUSS || c->kind == HG_SURROUNDING_TOP_HAT ||
           c->kind == HG_SURROUNDING_TIDAL;
}

hg_status
hg_surroundings_check(const hg_environment *e, double box)
{
    for (int i = 0; i < e->n_column; i++) {
        const hg_environment_column *c = &e->column[i];
        const double cell = box / (double)e->param->mesh;
        const double reach =
            c->kind == HG_SURROUNDING_NEIGHBOUR || c->kind == HG_SURROUNDING_MASSIVE
                ? e->param->farthest
                : c->radius;

        if (reach > box / 2) {
            return HG_FAIL(
                HG_E_PARAM,
                "'%s' of section Environment looks %g Mpc far, more than half the "
                "box of %g Mpc: take smaller radii, or a smaller Environment.farthest",
                c->name, reach, box);
        }
        if (is_smooth(c) && c->radius < cells_per_radius * cell * (1 - 1e-9)) {
            return HG_FAIL(HG_E_PARAM,
                           "'%s' needs mesh cells of %g Mpc at most, and Environment.mesh = "
                           "%lld makes them %g Mpc: set it to %.0f, or count in spheres",
                           c->name, c->radius / cells_per_radius, (long long)e->param->mesh,
                           cell, 2 * ceil(box * cells_per_radius / c->radius / 2));
        }
    }
    return HG_OK;
}

/* Columns of a kind and weight. */
static int
list_columns(const hg_environment *e, hg_surrounding kind, bool by_mass, int index[])
{
    int n = 0;

    for (int i = 0; i < e->n_column; i++) {
        if (e->column[i].kind == kind && e->column[i].by_mass == by_mass) {
            index[n++] = i;
        }
    }
    return n;
}

static void
put_columns(const hg_environment *e, int64_t n, int n_index, const int index[],
            const double from[], float value[])
{
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < n_index; k++) {
            value[i * e->n_column + index[k]] = (float)from[i * n_index + k];
        }
    }
}

/* counts or masses to contrasts with the mean */
static void
make_contrast(int64_t n, int n_radius, const double radius[], double density, double sum[])
{
    for (int64_t i = 0; i < n; i++) {
        for (int r = 0; r < n_radius; r++) {
            const double volume = 4 * M_PI / 3 * radius[r] * radius[r] * radius[r];

            sum[i * n_radius + r] = sum[i * n_radius + r] / (density * volume) - 1;
        }
    }
}

static hg_status
fill_spheres(const hg_comm *comm, const hg_environment *e, const hg_surroundings *where,
             const hg_places *tracer, const hg_surrounded *point, float value[])
{
    const hg_neighbourhood around = {where->box, e->self};
    const hg_reals *radii = &e->param->spheres;
    /* never 0, which would be NULL: a rank without points takes part in the same search */
    const size_t size = (size_t)(point->at.n + 1) * (size_t)radii->n;
    int index[2][HG_ENVIRONMENT_MAX];
    const int n_count = list_columns(e, HG_SURROUNDING_SPHERE, false, index[0]),
              n_mass = list_columns(e, HG_SURROUNDING_SPHERE, true, index[1]);
    double *sum[2] = {NULL, NULL};
    hg_status status;

    if (n_count + n_mass == 0) {
        return HG_OK;
    }
    HG_TRY_OR(agree, status, hg_mem_array(&sum[0], size, sizeof **sum));
    if (n_mass > 0) {
        HG_TRY_OR(agree, status, hg_mem_array(&sum[1], size, sizeof **sum));
    }
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_neighbours_count(comm, &around, radii->n, radii->v, &point->at, tracer, sum[0],
                                  sum[1]));
    if (n_count > 0) {
        make_contrast(point->at.n, radii->n, radii->v, where->density, sum[0]);
        put_columns(e, point->at.n, n_count, index[0], sum[0], value);
    }
    if (n_mass > 0) {
        make_contrast(point->at.n, radii->n, radii->v, where->mass, sum[1]);
        put_columns(e, point->at.n, n_mass, index[1], sum[1], value);
    }
done:
    hg_mem_free(sum[0]);
    hg_mem_free(sum[1]);
    return status;
}

static hg_status
fill_distances(const hg_comm *comm, const hg_environment *e, const hg_surroundings *where,
               const hg_places *tracer, const hg_surrounded *point, float value[])
{
    const hg_neighbourhood around = {where->box, e->self};
    int index[HG_ENVIRONMENT_MAX], number[HG_ENVIRONMENT_MAX];
    const int n_near = list_columns(e, HG_SURROUNDING_NEIGHBOUR, false, index);
    double *distance = NULL;
    hg_status status;

    status =
        hg_mem_array(&distance, (size_t)point->at.n * (size_t)(n_near + 1), sizeof *distance);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (n_near > 0) {
        for (int k = 0; k < n_near; k++) {
            number[k] = e->column[index[k]].number;
        }
        HG_TRY_OR(done, status,
                  hg_neighbours_distance(comm, &around, n_near, number, e->param->farthest,
                                         &point->at, tracer, distance));
        put_columns(e, point->at.n, n_near, index, distance, value);
    }
    if (list_columns(e, HG_SURROUNDING_MASSIVE, false, index) > 0) {
        HG_TRY_OR(done, status,
                  hg_neighbours_massive(comm, &around, e->param->farthest, &point->at, tracer,
                                        distance));
        put_columns(e, point->at.n, 1, index, distance, value);
    }
done:
    hg_mem_free(distance);
    return status;
}

/* What the smoothed fields of one weight share. */
typedef struct smoother {
    const hg_environment *e;
    const hg_surroundings *where;
    const hg_surrounded *point;
    bool by_mass;
    hg_mesh *mesh;
    hg_density density;
    hg_sampler sampler;
    void *field;
    double *table;
    double *read; /* shape (6, n) */
} smoother;

static hg_status
start_smoother(const hg_comm *comm, const hg_places *tracer, smoother *s)
{
    const hg_mesh_options options = {
        .n = s->e->param->mesh, .precision = HG_PRECISION_FLOAT, .reproducible = true};
    const size_t n = (size_t)s->point->at.n;
    hg_status status;

    HG_TRY(hg_mesh_create(comm, &options, &s->mesh));
    HG_TRY(hg_density_create(comm, s->mesh, HG_KERNEL_PCS, true, s->where->box, tracer->n,
                             tracer->position, s->by_mass ? tracer->mass : NULL, &s->density));
    HG_TRY(hg_sampler_create(comm, s->mesh, HG_KERNEL_PCS, s->where->box, s->point->at.n,
                             s->point->at.position, &s->sampler));
    status = hg_mesh_field(s->mesh, &s->field);
    if (status == HG_OK) {
        status = hg_mem_array(&s->table, hg_modes_table_size((int)options.n), sizeof *s->table);
    }
    if (status == HG_OK) {
        status = hg_mem_array(&s->read, 6 * n, sizeof *s->read);
    }
    return hg_comm_agree(comm, status);
}

static void
clear_smoother(smoother *s)
{
    hg_density_clear(&s->density);
    hg_sampler_clear(&s->sampler);
    hg_mesh_free(s->mesh);
    hg_mem_free(s->field);
    hg_mem_free(s->table);
    hg_mem_free(s->read);
}

/* What point i adds itself to the contrast at its place. */
static double
own_share(const smoother *s, const hg_environment_column *c, int64_t i)
{
    const double r3 = c->radius * c->radius * c->radius;
    const double window =
        c->kind == HG_SURROUNDING_TOP_HAT ? 3 / (4 * M_PI * r3) : pow(2 * M_PI, -1.5) / r3;

    if (s->e->self < 0 || !s->point->is_tracer[i]) {
        return 0;
    }
    return s->by_mass ? s->point->at.mass[i] / s->where->mass * window
                      : window / s->where->density;
}

static hg_status
fill_contrast(const hg_comm *comm, smoother *s, int column, float value[])
{
    const hg_environment_column *c = &s->e->column[column];
    const int64_t n = s->point->at.n;

    HG_TRY(hg_smooth_field(comm, s->mesh, &s->density, s->table, NULL, s->field));
    HG_TRY(hg_sampler_read(comm, s->mesh, &s->sampler, s->field, s->read));
    for (int64_t i = 0; i < n; i++) {
        value[i * s->e->n_column + column] = (float)(s->read[i] - own_share(s, c, i));
    }
    return HG_OK;
}

/* the three eigenvalues of one radius, which are neighbouring columns */
static hg_status
fill_tidal(const hg_comm *comm, smoother *s, int column, float value[])
{
    static const int axis[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    const hg_environment_column *c = &s->e->column[column];
    const int64_t n = s->point->at.n;

    for (int f = 0; f < 6; f++) {
        HG_TRY(hg_smooth_field(comm, s->mesh, &s->density, s->table, axis[f], s->field));
        HG_TRY(hg_sampler_read(comm, s->mesh, &s->sampler, s->field, s->read + f * n));
    }
    for (int64_t i = 0; i < n; i++) {
        const double own = own_share(s, c, i) / 3;
        double matrix[6], lambda[3];

        for (int f = 0; f < 6; f++) {
            matrix[f] = s->read[f * n + i];
        }
        hg_smooth_eigenvalues(matrix, lambda);
        for (int k = 0; k < 3; k++) {
            value[i * s->e->n_column + column + k] = (float)(lambda[k] - own);
        }
    }
    return HG_OK;
}

static hg_status
fill_smooth(const hg_comm *comm, smoother *s, const hg_places *tracer, float value[])
{
    const hg_environment *e = s->e;
    bool any = false;

    for (int i = 0; i < e->n_column; i++) {
        any = any || (is_smooth(&e->column[i]) && e->column[i].by_mass == s->by_mass);
    }
    if (!any) {
        return HG_OK;
    }
    HG_TRY(start_smoother(comm, tracer, s));
    for (int i = 0; i < e->n_column; i++) {
        const hg_environment_column *c = &e->column[i];

        if (!is_smooth(c) || c->by_mass != s->by_mass || c->number > 0) {
            continue;
        }
        hg_smooth_table(c->kind == HG_SURROUNDING_TOP_HAT ? HG_SMOOTHING_TOP_HAT
                                                          : HG_SMOOTHING_GAUSS,
                        c->radius, s->where->box, (int)e->param->mesh, s->table);
        if (c->kind == HG_SURROUNDING_TIDAL) {
            HG_TRY(fill_tidal(comm, s, i, value));
        } else {
            HG_TRY(fill_contrast(comm, s, i, value));
        }
    }
    return HG_OK;
}

hg_status
hg_surroundings_compute(const hg_comm *comm, const hg_environment *e,
                        const hg_surroundings *where, const hg_places *tracer,
                        const hg_surrounded *point, float value[])
{
    int64_t n = tracer->n;

    HG_TRY(hg_comm_agree(comm, hg_surroundings_check(e, where->box)));
    hg_comm_sum(comm, 1, &n);
    if (n == 0) {
        return HG_FAIL(HG_E_INPUT, "no row is a tracer of the environment: check "
                                   "Environment.select");
    }
    hg_phase_start("features: neighbours");
    HG_TRY(fill_spheres(comm, e, where, tracer, point, value));
    HG_TRY(fill_distances(comm, e, where, tracer, point, value));
    hg_phase_stop("features: neighbours");
    hg_phase_start("features: smooth");
    for (int by_mass = 0; by_mass < 2; by_mass++) {
        smoother s = {.e = e, .where = where, .point = point, .by_mass = by_mass};
        hg_status status = fill_smooth(comm, &s, tracer, value);

        clear_smoother(&s);
        HG_TRY(status);
    }
    hg_phase_stop("features: smooth");
    return HG_OK;
}
