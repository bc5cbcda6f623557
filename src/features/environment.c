/* Names follow from what is listed: delta_8, delta_mass_8, delta_gauss_4, delta_tophat_4,
 * tidal_4_1 .. tidal_4_3, d_5, d_massive; the point of a radius is written p (delta_0p5). */
#include "features/environment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "features/neighbours.h"

static void
write_number(double value, size_t n, char text[])
{
    snprintf(text, n, "%g", value);
    for (char *p = text; *p != '\0'; p++) {
        *p = *p == '.' ? 'p' : *p == '-' ? 'm' : *p;
    }
}

static hg_status
add_column(hg_environment *e, const hg_environment_column *like, const char *stem,
           const char *end)
{
    hg_environment_column *c = &e->column[e->n_column];

    if (e->n_column == HG_ENVIRONMENT_MAX) {
        return HG_FAIL(HG_E_PARAM, "section Environment asks for more than %d columns",
                       HG_ENVIRONMENT_MAX);
    }
    *c = *like;
    snprintf(c->name, sizeof c->name, "%s%s%s", stem, like->by_mass ? "mass_" : "", end);
    for (int i = 0; i < e->n_column; i++) {
        if (strcmp(e->column[i].name, c->name) == 0) {
            return HG_FAIL(HG_E_PARAM, "section Environment asks twice for the column '%s'",
                           c->name);
        }
    }
    e->n_column++;
    return HG_OK;
}

/* Columns of one kind at all radii of a list. */
static hg_status
add_radii(hg_environment *e, hg_surrounding kind, const char *stem, const char *key,
          const hg_reals *radii, bool by_mass)
{
    static const char *const what[] = {"overdensity in a sphere of radius",
                                       "overdensity smoothed with a Gaussian of",
                                       "overdensity smoothed with a top hat of",
                                       "eigenvalue of the tidal tensor, Gaussian of"};

    for (int i = 0; i < radii->n; i++) {
        hg_environment_column c = {.kind = kind, .by_mass = by_mass, .radius = radii->v[i]};
        char number[32], end[48];

        if (i > 0 && !(radii->v[i] > radii->v[i - 1])) {
            return HG_FAIL(HG_E_PARAM, "Environment.%s must ascend, and %g Mpc does not", key,
                           radii->v[i]);
        }
        write_number(c.radius, sizeof number, number);
        snprintf(c.description, sizeof c.description, "%s %g Mpc, tracers %s", what[kind],
                 c.radius, by_mass ? "by mass" : "counted");
        for (int k = 0; k < (kind == HG_SURROUNDING_TIDAL ? 3 : 1); k++) {
            c.number = k;
            snprintf(end, sizeof end, kind == HG_SURROUNDING_TIDAL ? "%s_%d" : "%s", number,
                     k + 1);
            HG_TRY(add_column(e, &c, stem, end));
        }
    }
    return HG_OK;
}

static hg_status
add_distances(hg_environment *e)
{
    const hg_params_environment *p = e->param;

    for (int i = 0; i < p->neighbours.n; i++) {
        const double n = p->neighbours.v[i];
        hg_environment_column c = {
            .kind = HG_SURROUNDING_NEIGHBOUR, .number = (int)n, .unit = "Mpc"};
        char end[16];

        if (n != rint(n)) {
            return HG_FAIL(HG_E_PARAM,
                           "Environment.neighbours lists %g, which is no number of "
                           "neighbours",
                           n);
        }
        snprintf(end, sizeof end, "%d", c.number);
        snprintf(c.description, sizeof c.description,
                 "distance to the tracer number %d by distance, at most %g Mpc", c.number,
                 p->farthest);
        HG_TRY(add_column(e, &c, "d_", end));
    }
    if (p->massive) {
        hg_environment_column c = {.kind = HG_SURROUNDING_MASSIVE, .unit = "Mpc"};

        snprintf(c.description, sizeof c.description,
                 "distance to the nearest more massive tracer, at most %g Mpc", p->farthest);
        return add_column(e, &c, "d_", "massive");
    }
    return HG_OK;
}

static hg_status
add_columns(hg_environment *e)
{
    const hg_params_environment *p = e->param;

    for (int by_mass = 0; by_mass < 2; by_mass++) {
        if (strcmp(p->weight, by_mass ? "number" : "mass") == 0) {
            continue;
        }
        HG_TRY(add_radii(e, HG_SURROUNDING_SPHERE, "delta_", "spheres", &p->spheres, by_mass));
        HG_TRY(add_radii(e, HG_SURROUNDING_GAUSS, "delta_gauss_", "gauss", &p->gauss, by_mass));
        HG_TRY(add_radii(e, HG_SURROUNDING_TOP_HAT, "delta_tophat_", "top_hat", &p->top_hat,
                         by_mass));
        HG_TRY(add_radii(e, HG_SURROUNDING_TIDAL, "tidal_", "tidal", &p->tidal, by_mass));
    }
    return add_distances(e);
}

hg_status
hg_environment_parse(const hg_params *params, hg_environment *e)
{
    const hg_params_environment *p = &params->environment;
    bool needs_mass = strcmp(p->weight, "number") != 0 || p->massive;
    hg_status status;

    *e = (hg_environment){.param = p};
    e->self = strcmp(p->self, "include") == 0 ? -1 : p->self_radius;
    HG_TRY_OR(fail, status, add_columns(e));
    if (e->n_column > 0 && p->select != NULL) {
        status = hg_expression_create(p->select, &e->select);
        if (status != HG_OK) {
            hg_error_prefix("Environment.select: ");
            goto fail;
        }
    }
    if (e->n_column > 0 && needs_mass) {
        status = hg_expression_create(p->mass, &e->mass);
        if (status != HG_OK) {
            hg_error_prefix("Environment.mass: ");
            goto fail;
        }
    }
    return HG_OK;
fail:
    hg_environment_clear(e);
    return status;
}

void
hg_environment_clear(hg_environment *e)
{
    hg_expression_free(e->select);
    hg_expression_free(e->mass);
    *e = (hg_environment){0};
}

hg_status
hg_environment_write(const hg_environment *e, hg_text *text)
{
    const hg_params_environment *p = e->param;

    HG_TRY(hg_text_add(text, "tracer: %s\nselect: %s\nmass: %s\n",
                       p->tracer.n == 0 ? "parent" : "catalogue",
                       p->select != NULL ? p->select : "all", p->mass));
    if (e->self < 0) {
        HG_TRY(hg_text_add(text, "self: included\n"));
    } else {
        HG_TRY(hg_text_add(text, "self: excluded within %g Mpc\n", e->self));
    }
    HG_TRY(hg_text_add(text, "farthest: %g Mpc\nmesh: %lld\ncolumns:", p->farthest,
                       (long long)p->mesh));
    for (int i = 0; i < e->n_column; i++) {
        HG_TRY(hg_text_add(text, " %s", e->column[i].name));
    }
    return hg_text_add(text, "\n");
}
