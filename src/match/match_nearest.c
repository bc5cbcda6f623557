/* Candidates come from columns of cells with ghosts; a rank looks around the first objects of
 * its own columns. How much a pair is wanted is an integer of the scaled distance, so both
 * sides compare the same number. */
#include "match/match_nearest.h"

#include <math.h>

#include "base/memory.h"
#include "halograft/cosmology.h"
#include "table/cells.h"

/* Objects in cells: group 0 and group 1, with the log of the mass as weight. */
typedef struct nearest {
    const hg_match_nearest_options *option;
    hg_cosmology cosmology;
    double reach;
    double (*position[2])[3];
    double *mass[2];
    int64_t n_id[2];
    int64_t *id[2]; /* of all ranks, by global number */
    hg_cells cells;
    int64_t n, room;
    hg_match_vote *vote;
} nearest;

static hg_status
take_cosmology(const hg_frame *f, hg_cosmology *c)
{
    *c = (hg_cosmology)HG_COSMOLOGY_INIT;
    if (!(f->omega_m > 0) || !(f->h > 0) || !isfinite(f->redshift)) {
        return HG_FAIL(HG_E_INPUT, "matching by place needs redshift, h and Omega_m of the "
                                   "parent: give Parent.redshift, h and omega_m");
    }
    c->h = f->h;
    c->omega_m = f->omega_m;
    c->omega_l = isfinite(f->omega_l) ? f->omega_l : 1 - f->omega_m;
    return HG_OK;
}

static double
radius_of(const nearest *s, double log_mass)
{
    return s->option->distance *
           hg_cosmology_r200c(&s->cosmology, s->option->frame.redshift, pow(10, log_mass));
}

hg_status
hg_match_reach(const hg_comm *comm, int64_t n, const hg_match_object object[],
               const hg_match_nearest_options *options, double *reach)
{
    nearest s = {.option = options};
    double most = 0;

    *reach = 0;
    HG_TRY(take_cosmology(&options->frame, &s.cosmology)); /* the same on all ranks */
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, object[i].mass);
    }
    hg_comm_max_double(comm, 1, &most);
    if (most > 0) {
        *reach = radius_of(&s, log10(most) + options->mass_shift);
    }
    return HG_OK;
}

static hg_status
list_points(nearest *s, const int64_t n[2], const hg_match_object *const object[2])
{
    for (int g = 0; g < 2; g++) {
        HG_TRY(hg_mem_array(&s->position[g], (size_t)n[g], sizeof *s->position[g]));
        HG_TRY(hg_mem_array(&s->mass[g], (size_t)n[g], sizeof *s->mass[g]));
        for (int64_t i = 0; i < n[g]; i++) {
            const hg_match_object *o = &object[g][i];

            for (int k = 0; k < 3; k++) {
                s->position[g][i][k] = o->position[k];
            }
            s->mass[g][i] = log10(o->mass) + (g == 0 ? s->option->mass_shift : 0);
        }
    }
    return HG_OK;
}

/* Ids by the numbers that the cells give. */
static hg_status
share_ids(const hg_comm *comm, nearest *s, const int64_t n[2],
          const hg_match_object *const object[2])
{
    for (int g = 0; g < 2; g++) {
        int64_t *own = NULL;
        hg_status status = hg_mem_array(&own, (size_t)n[g], sizeof *own);

        status = hg_comm_agree(comm, status);
        for (int64_t i = 0; i < n[g] && status == HG_OK; i++) {
            own[i] = object[g][i].id;
        }
        if (status == HG_OK) {
            status = hg_comm_gather_rows(comm, n[g], sizeof *own, own, &s->n_id[g], &s->id[g]);
        }
        hg_mem_free(own);
        HG_TRY(status);
    }
    return HG_OK;
}

/* Consider object b of group 1 for object a of group 0, both slots. */
static hg_status
try_pair(nearest *s, int64_t a, int64_t b)
{
    const hg_cells *c = &s->cells;
    const double box = c->box, limit = radius_of(s, c->weight[a]);
    const double d[3] = {c->x[b] - c->x[a], c->y[b] - c->y[a], c->z[b] - c->z[a]};
    const double ratio = c->weight[b] - c->weight[a], scaled = ratio / s->option->mass_ratio;
    double r2 = 0, measure;

    for (int k = 0; k < 3; k++) {
        const double off = d[k] - box * round(d[k] / box);

        r2 += off * off;
    }
    if (r2 > limit * limit || fabs(scaled) > 1) {
        return HG_OK;
    }
    if (s->n == s->room) {
        s->room = 2 * s->room + 1024;
        HG_TRY(hg_mem_resize(&s->vote, (size_t)s->room, sizeof *s->vote));
    }
    measure = r2 / (limit * limit) + scaled * scaled; /* at most 2 */
    s->vote[s->n] = (hg_match_vote){.pair = {.key = {s->id[0][c->id[a]], s->id[1][c->id[b]]},
                                             .distance = sqrt(r2) / limit * s->option->distance,
                                             .mass_ratio = ratio}};
    s->vote[s->n].weight[0] = s->vote[s->n].weight[1] =
        1 + (int64_t)((2 - fmin(measure, 2)) * 0x1p60);
    s->n++;
    return HG_OK;
}

/* All objects of group 1 in one column that may be near an object of group 0. */
static hg_status
search_column(nearest *s, int64_t a, int64_t ix, int64_t iy)
{
    const hg_cells *c = &s->cells;
    const int64_t reach = (int64_t)ceil(s->reach * (double)c->depth / c->box) + 1;
    const int64_t at = (int64_t)(c->z[a] * ((double)c->depth / c->box));
    const int64_t all = 2 * reach + 1 < c->depth ? 2 * reach + 1 : c->depth;
    int image[2];
    const int64_t *first = hg_cells_column(c, ix, iy, 1, image);

    for (int64_t k = 0; first != NULL && k < all; k++) {
        const int64_t cell = ((at - (all - 1) / 2 + k) % c->depth + c->depth) % c->depth;

        for (int64_t b = first[cell]; b < first[cell + 1]; b++) {
            HG_TRY(try_pair(s, a, b));
        }
    }
    return HG_OK;
}

/* Look around all first objects of this rank's columns. A column is looked at once, also where
 * the box is so small that offsets meet again round it. */
static hg_status
search_all(nearest *s)
{
    const hg_cells *c = &s->cells;
    const int64_t width =
        2 * (int64_t)c->reach + 1 < c->side ? 2 * (int64_t)c->reach + 1 : c->side;

    for (int64_t ix = c->low[0]; ix < c->high[0]; ix++) {
        for (int64_t iy = c->low[1]; iy < c->high[1]; iy++) {
            int image[2];
            const int64_t *own = hg_cells_column(c, ix, iy, 0, image);

            for (int64_t a = own != NULL ? own[0] : 0; own != NULL && a < own[c->depth]; a++) {
                for (int64_t k = 0; k < width * width; k++) {
                    HG_TRY(search_column(s, a, ix - (width - 1) / 2 + k / width,
                                         iy - (width - 1) / 2 + k % width));
                }
            }
        }
    }
    return HG_OK;
}

static void
clear_search(nearest *s)
{
    for (int g = 0; g < 2; g++) {
        hg_mem_free(s->position[g]);
        hg_mem_free(s->mass[g]);
        hg_mem_free(s->id[g]);
    }
    hg_cells_clear(&s->cells);
    hg_mem_free(s->vote);
}

/* A side for a box that is not periodic: wide enough that nothing meets round it. */
static double
box_of(const hg_comm *comm, const nearest *s, const int64_t n[2])
{
    double range[2] = {HUGE_VAL, -HUGE_VAL};

    if (isfinite(s->option->frame.box)) {
        return s->option->frame.box;
    }
    for (int g = 0; g < 2; g++) {
        for (int64_t i = 0; i < n[g]; i++) {
            for (int k = 0; k < 3; k++) {
                range[0] = fmin(range[0], s->position[g][i][k]);
                range[1] = fmax(range[1], s->position[g][i][k]);
            }
        }
    }
    hg_comm_min_double(comm, 1, &range[0]);
    hg_comm_max_double(comm, 1, &range[1]);
    return fmax(range[1] - range[0], 0) + 4 * s->reach;
}

hg_status
hg_match_nearest(const hg_comm *comm, const int64_t n[2],
                 const hg_match_object *const object[2],
                 const hg_match_nearest_options *options, double reach, int64_t *n_pair,
                 hg_match_pair **pairs)
{
    nearest s = {.option = options, .reach = reach};
    hg_cells_search search = {.reach = reach, .reach_z = reach};
    hg_cells_points points[2];
    hg_status status;

    *n_pair = 0;
    *pairs = NULL;
    if (!(reach > 0)) {
        return HG_OK;
    }
    status = take_cosmology(&options->frame, &s.cosmology);
    if (status == HG_OK) {
        status = list_points(&s, n, object);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, share_ids(comm, &s, n, object));
    search.box = box_of(comm, &s, n);
    for (int g = 0; g < 2; g++) {
        points[g] = (hg_cells_points){n[g], (const double(*)[3])s.position[g], s.mass[g]};
    }
    HG_TRY_OR(done, status, hg_cells_create(comm, &search, 2, points, &s.cells));
    HG_TRY_OR(done, status, hg_comm_agree(comm, search_all(&s)));
    HG_TRY_OR(done, status, hg_match_choose(comm, &s.n, &s.vote));
    status = hg_mem_array(pairs, (size_t)s.n, sizeof **pairs);
    for (int64_t i = 0; i < s.n && status == HG_OK; i++) {
        (*pairs)[i] = s.vote[i].pair;
    }
    *n_pair = s.n;
    status = hg_comm_agree(comm, status);
done:
    clear_search(&s);
    if (status != HG_OK) {
        hg_mem_free(*pairs);
        *pairs = NULL;
        *n_pair = 0;
    }
    return status;
}
