/* Parts are dealt round robin, shifted by a turn, so that many small catalogues are spread over
 * all ranks. The number of particles of a tracer is its column n_part, or else its mass over
 * the particle mass of the simulation. */
#include "features/halo_points.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/log.h"
#include "suite/recipes.h"

static hg_status
list_names(const hg_catalog *catalog, const hg_halo_reading *reading, const char *what,
           hg_names *names)
{
    names->n = 0;
    HG_TRY(hg_names_add(names, "position"));
    if (reading->may_trace) {
        HG_TRY(hg_names_add_expression(names, reading->e->select));
    }
    if (reading->has_mass) {
        HG_TRY(hg_names_add_expression(names, reading->e->mass));
    }
    HG_TRY(hg_names_check(names, catalog, what));
    if (reading->may_trace && hg_catalog_find(catalog, "n_part") != NULL) {
        HG_TRY(hg_names_add(names, "n_part"));
    }
    return hg_names_add(names, HG_CATALOG_ROW);
}

static hg_status
make_room(int64_t more, bool has_mass, hg_halo_points *p)
{
    int64_t room = p->n + more;

    if (room <= p->room) {
        return HG_OK;
    }
    room += room / 4;
    HG_TRY(hg_mem_resize(&p->position, (size_t)room, sizeof *p->position));
    HG_TRY(hg_mem_resize(&p->is_tracer, (size_t)room, 1));
    HG_TRY(hg_mem_resize(&p->row, (size_t)room, sizeof *p->row));
    if (has_mass) {
        HG_TRY(hg_mem_resize(&p->mass, (size_t)room, sizeof *p->mass));
    }
    p->room = room;
    return HG_OK;
}

static hg_status
take_masses(const hg_halo_reading *reading, const hg_table *table, hg_halo_points *p)
{
    double *mass = p->mass + p->n;

    if (hg_expression_evaluate(reading->e->mass, table, mass) != HG_OK) {
        hg_error_prefix("Environment.mass: ");
        return hg_error_last()->status;
    }
    for (int64_t i = 0; i < table->n; i++) {
        if (!isfinite(mass[i])) {
            return HG_FAIL(HG_E_INPUT, "Environment.mass is %g in row %" PRId64, mass[i],
                           table->first + i);
        }
    }
    return HG_OK;
}

/* Which rows are tracers, and how few particles they have. */
static hg_status
take_tracers(const hg_halo_reading *reading, const hg_table *table, hg_halo_points *p)
{
    const hg_column *particles = hg_table_find(table, "n_part");
    const double particle_mass = table->frame.particle_mass;
    uint8_t *is_tracer = p->is_tracer + p->n;

    memset(is_tracer, 1, (size_t)table->n);
    if (hg_expression_keep(reading->e->select, table, is_tracer) != HG_OK) {
        hg_error_prefix("Environment.select: ");
        return hg_error_last()->status;
    }
    for (int64_t i = 0; i < table->n; i++) {
        if (is_tracer[i] && particles != NULL) {
            p->fewest = fmin(p->fewest, hg_column_value(particles, i, 0));
        } else if (is_tracer[i] && reading->has_mass && particle_mass > 0) {
            p->fewest = fmin(p->fewest, p->mass[p->n + i] / particle_mass);
        }
    }
    return HG_OK;
}

static hg_status
take_rows(const hg_halo_reading *reading, const hg_table *table, hg_halo_points *p)
{
    const hg_column *position = hg_table_find(table, "position");
    const int64_t *row = hg_table_i64(table, HG_CATALOG_ROW);

    HG_TRY(make_room(table->n, reading->has_mass, p));
    if (reading->has_mass) {
        HG_TRY(take_masses(reading, table, p));
    }
    memset(p->is_tracer + p->n, 0, (size_t)table->n);
    if (reading->may_trace) {
        HG_TRY(take_tracers(reading, table, p));
    }
    for (int64_t i = 0; i < table->n; i++) {
        for (int k = 0; k < 3; k++) {
            p->position[p->n + i][k] = hg_column_value(position, i, k);
        }
        p->row[p->n + i] = row[i];
    }
    p->n += table->n;
    return HG_OK;
}

hg_status
hg_halo_points_read(const hg_comm *comm, const hg_catalog *catalog,
                    const hg_halo_reading *reading, const char *what, hg_halo_points *points)
{
    hg_names names;
    hg_status status;

    if (points->n == 0 && !points->is_known) {
        points->fewest = HUGE_VAL;
    }
    points->is_known = points->is_known || hg_catalog_find(catalog, "n_part") != NULL ||
                       (reading->has_mass && hg_catalog_frame(catalog)->particle_mass > 0);
    HG_TRY(hg_comm_agree(comm, list_names(catalog, reading, what, &names)));
    status = HG_OK;
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && status == HG_OK; part++) {
        hg_table table = {0};

        if ((part + reading->turn) % comm->size != comm->rank) {
            continue;
        }
        status = hg_catalog_read(catalog, part, names.n, names.p, &table);
        if (status == HG_OK) {
            status = take_rows(reading, &table, points);
        }
        hg_table_clear(&table);
    }
    return hg_comm_agree(comm, status);
}

void
hg_halo_points_clear(hg_halo_points *points)
{
    hg_mem_free(points->position);
    hg_mem_free(points->mass);
    hg_mem_free(points->is_tracer);
    hg_mem_free(points->row);
    *points = (hg_halo_points){0};
}

hg_status
hg_halo_points_tracers(const hg_halo_points *points, hg_halo_points *tracer)
{
    int64_t n = 0;

    *tracer = (hg_halo_points){.fewest = points->fewest, .is_known = points->is_known};
    for (int64_t i = 0; i < points->n; i++) {
        n += points->is_tracer[i];
    }
    HG_TRY(make_room(n, points->mass != NULL, tracer));
    for (int64_t i = 0; i < points->n; i++) {
        if (points->is_tracer[i]) {
            memcpy(tracer->position[tracer->n], points->position[i],
                   sizeof tracer->position[0]);
            tracer->is_tracer[tracer->n] = 1;
            if (points->mass != NULL) {
                tracer->mass[tracer->n] = points->mass[i];
            }
            tracer->n++;
        }
    }
    return HG_OK;
}

hg_surrounded
hg_halo_points_range(const hg_halo_points *points, int64_t first, int64_t n)
{
    hg_surrounded s = {.at = {n, NULL, NULL}, .is_tracer = NULL};

    if (n > 0) {
        s.at.position = (const double(*)[3])points->position + first;
        s.at.mass = points->mass != NULL ? points->mass + first : NULL;
        s.is_tracer = points->is_tracer + first;
    }
    return s;
}

hg_status
hg_halo_points_check(const hg_comm *comm, const hg_halo_points *tracer, double least)
{
    double fewest = tracer->fewest;

    if (!tracer->is_known) {
        if (comm->rank == 0 && least > 0) {
            hg_log_warn("features: the catalogue of tracers tells no numbers of particles: "
                        "whether they are complete cannot be checked");
        }
        return HG_OK;
    }
    hg_comm_min_double(comm, 1, &fewest);
    if (fewest < least) {
        return HG_FAIL(HG_E_INPUT,
                       "the tracers reach down to %.0f particles, fewer than "
                       "Environment.particles_min = %g: so small haloes are not complete, "
                       "select larger ones in Environment.select",
                       fewest, least);
    }
    return HG_OK;
}
