/* Linear theory moves whole haloes back to where they formed, and to within a few Mpc that is
 * where initial conditions need resolution; the margin is the growth of the sphere. Points are
 * sorted by row, so that files do not depend on ranks. */
#include "design/hull.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/publish.h"

enum { SPHERE_POINTS = 200, POINTS_PER_HALO = 7 };

/* A central near a region. */
typedef struct seed {
    int64_t region, row;
    double q[3], reach;
} seed;

/* What the pass needs. */
typedef struct gathering {
    int n;
    const hg_design_place *place;
    double grow, per_velocity, mass_to_volume; /* Mpc per km/s; Mpc^3 per Msun */
    int64_t n_seed, room;
    seed *seed;
} gathering;

bool
hg_design_cosmology(const hg_frame *frame, hg_cosmology *cosmology)
{
    *cosmology = (hg_cosmology)HG_COSMOLOGY_INIT;
    cosmology->h = frame->h;
    cosmology->omega_m = frame->omega_m;
    cosmology->omega_l = isfinite(frame->omega_l) ? frame->omega_l : 1 - frame->omega_m;
    return frame->h > 0 && frame->omega_m > 0;
}

void
hg_design_hull_clear(hg_design_hull *hull)
{
    hg_mem_free(hull->point);
    *hull = (hg_design_hull){0};
}

static hg_status
add_seed(gathering *g, const seed *s)
{
    if (g->n_seed == g->room) {
        g->room = 2 * g->room + 1024;
        HG_TRY(hg_mem_resize(&g->seed, (size_t)g->room, sizeof *g->seed));
    }
    g->seed[g->n_seed++] = *s;
    return HG_OK;
}

static hg_status
gather_rows(hg_design_survey *survey, const hg_table *table, void *work)
{
    gathering *g = work;
    const hg_column *position = hg_table_find(table, "position"),
                    *velocity = hg_table_find(table, "velocity");
    double *mass = NULL, *central = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_design_evaluate(survey->mass, "Design.mass", table, &mass));
    HG_TRY_OR(done, status,
              hg_design_evaluate(survey->central, "Measure.central", table, &central));
    for (int64_t i = 0; i < table->n; i++) {
        double x[3], v[3];

        for (int k = 0; k < 3; k++) {
            x[k] = hg_column_value(position, i, k);
            v[k] = hg_column_value(velocity, i, k);
        }
        for (int r = 0; r < g->n && central[i] > 0; r++) {
            const double reach = g->grow * g->place[r].radius;
            seed s = {.region = r, .row = table->first + i};

            if (hg_design_distance2(survey->box, x, g->place[r].centre) > reach * reach ||
                !isfinite(v[0] + v[1] + v[2])) {
                continue;
            }
            for (int k = 0; k < 3; k++) {
                s.q[k] = x[k] - g->per_velocity * v[k];
            }
            s.reach = mass[i] > 0 ? cbrt(g->mass_to_volume * mass[i]) : 0;
            HG_TRY_OR(done, status, add_seed(g, &s));
        }
    }
done:
    hg_mem_free(mass);
    hg_mem_free(central);
    return status;
}

static int
compare_seeds(const void *a, const void *b)
{
    const seed *x = a, *y = b;

    if (x->region != y->region) {
        return x->region < y->region ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

static void
put_point(hg_design_hull *hull, double box, const double centre[3], const double shift[3])
{
    double *p = hull->point[hull->n++];

    for (int k = 0; k < 3; k++) {
        p[k] = centre[k] + shift[k];
        p[k] -= box * floor(p[k] / box);
    }
}

/* Evenly spread points on a sphere: equal steps of z, turned by the golden angle. */
static hg_status
make_sphere(const hg_design_place *place, double delta, double grow, double box,
            hg_design_hull *hull)
{
    const double radius = place->radius * grow * cbrt(fmax(1, 1 + delta)),
                 golden = M_PI * (3 - sqrt(5.0));

    hull->is_sphere = true;
    HG_TRY(hg_mem_array(&hull->point, SPHERE_POINTS, sizeof *hull->point));
    for (int i = 0; i < SPHERE_POINTS; i++) {
        const double z = 1 - (2 * i + 1.0) / SPHERE_POINTS, rho = sqrt(1 - z * z);
        const double shift[3] = {radius * rho * cos(golden * i), radius * rho * sin(golden * i),
                                 radius * z};

        put_point(hull, box, place->centre, shift);
    }
    return HG_OK;
}

static hg_status
make_hull(int64_t n, const seed seeds[], double box, hg_design_hull *hull)
{
    HG_TRY(hg_mem_array(&hull->point, (size_t)(n * POINTS_PER_HALO), sizeof *hull->point));
    for (int64_t i = 0; i < n; i++) {
        put_point(hull, box, seeds[i].q, (double[3]){0});
        for (int k = 0; k < POINTS_PER_HALO - 1; k++) {
            double shift[3] = {0};

            shift[k / 2] = k % 2 == 0 ? seeds[i].reach : -seeds[i].reach;
            put_point(hull, box, seeds[i].q, shift);
        }
    }
    return HG_OK;
}

/* What moves haloes back; false where nothing is known. */
static hg_status
prepare(const hg_design_survey *s, bool has_velocity, gathering *g, bool *is_known)
{
    const hg_params_design *d = &s->params->design;
    const hg_frame *frame = hg_catalog_frame(s->catalog);
    const bool must = strcmp(d->hull, "velocity") == 0;
    const double z = frame->redshift;
    hg_cosmology cosmology;
    double growth, rate;

    *is_known = false;
    if (strcmp(d->hull, "sphere") == 0 || (!must && !has_velocity)) {
        return HG_OK;
    }
    if (!has_velocity) {
        return HG_FAIL(HG_E_NOTFOUND, "the parent has no column 'velocity', which Design.hull: "
                                      "velocity needs");
    }
    if (!hg_design_cosmology(frame, &cosmology) || !isfinite(z)) {
        return must ? HG_FAIL(HG_E_INPUT, "Omega_m, h or the redshift of the parent is not "
                                          "known: give Parent.omega_m, h and redshift")
                    : HG_OK;
    }
    HG_TRY(hg_cosmology_growth(&cosmology, z, &growth, &rate));
    g->per_velocity = (1 + z) / (hg_cosmology_hubble(&cosmology, z) * rate);
    g->mass_to_volume = 3 / (4 * M_PI * hg_cosmology_rho_mean(&cosmology));
    *is_known = true;
    return HG_OK;
}

hg_status
hg_design_hulls_make(const hg_comm *comm, hg_design_survey *survey, int n,
                     const hg_design_place place[], const double delta[], hg_design_hull hull[])
{
    const double grow = survey->params->design.grow;
    gathering g = {.n = n, .place = place, .grow = grow};
    hg_names names = {0};
    seed *all = NULL;
    int64_t n_all = 0;
    bool is_known = false;
    hg_status status =
        prepare(survey, hg_catalog_find(survey->catalog, "velocity") != NULL, &g, &is_known);

    HG_TRY_OR(agree, status, status);
    HG_TRY_OR(agree, status, hg_names_add(&names, "position"));
    HG_TRY_OR(agree, status, hg_names_add(&names, "velocity"));
    HG_TRY_OR(agree, status, hg_names_add_expression(&names, survey->mass));
    status = hg_names_add_expression(&names, survey->central);
agree:
    HG_TRY(hg_comm_agree(comm, status));
    if (is_known) {
        HG_TRY_OR(done, status, hg_design_survey_pass(comm, survey, &names, gather_rows, &g));
    }
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, g.n_seed, sizeof *all, g.seed, &n_all, &all));
    if (n_all > 0) {
        qsort(all, (size_t)n_all, sizeof *all, compare_seeds);
    }
    for (int64_t r = 0, from = 0, end; r < n && comm->rank == 0 && status == HG_OK; r++) {
        for (end = from; end < n_all && all[end].region == r; end++) {
        }
        status = end - from < 4 ? make_sphere(&place[r], delta[r], grow, survey->box, &hull[r])
                                : make_hull(end - from, all + from, survey->box, &hull[r]);
        from = end;
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(g.seed);
    hg_mem_free(all);
    return status;
}

hg_status
hg_design_hull_write(const hg_design_hull *hull, double box, const char *path,
                     hg_bundle *bundle)
{
    hg_text text = {0};
    hg_status status = HG_OK;

    for (int64_t i = 0; i < hull->n && status == HG_OK; i++) {
        const double *p = hull->point[i];

        status = hg_text_add(&text, "%.9f %.9f %.9f\n", p[0] / box, p[1] / box, p[2] / box);
    }
    return hg_bundle_text(bundle, path, status, &text);
}
