/* Candidates are few (thousands) and haloes many, so that candidates lie in a mesh of cells no
 * smaller than the largest radius, and each halo looks at the 27 cells around it. */
#include "design/candidates.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

enum { MOST_CELLS = 64 };

double
hg_design_distance2(double box, const double a[3], const double b[3])
{
    double sum = 0;

    for (int k = 0; k < 3; k++) {
        double d = a[k] - b[k];

        d -= box * round(d / box);
        sum += d * d;
    }
    return sum;
}

static int
compare_peaks(const void *a, const void *b)
{
    const hg_design_peak *x = a, *y = b;

    if (x->mass < y->mass || x->mass > y->mass) {
        return x->mass < y->mass ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

void
hg_design_peaks_keep(int64_t *n, int64_t most, hg_design_peak peak[])
{
    if (*n > 0) {
        qsort(peak, (size_t)*n, sizeof *peak, compare_peaks);
    }
    *n = *n < most ? *n : most;
}

static void
add_place(hg_design_candidates *c, const double centre[3], double radius, int kind)
{
    hg_design_place *place = &c->place[c->n];

    for (int k = 0; k < 3; k++) {
        place->centre[k] = centre[k] - c->box * floor(centre[k] / c->box);
    }
    place->radius = radius;
    c->kind[c->n++] = kind;
}

static void
add_given(hg_design_candidates *c, int n_region, const hg_region region[])
{
    for (int r = 0; r < n_region; r++) {
        bool is_new = region[r].radius > 0 && isfinite(region[r].radius) &&
                      isfinite(region[r].centre[0] + region[r].centre[1] + region[r].centre[2]);

        for (int s = 0; s < r && is_new; s++) {
            is_new = region[s].region != region[r].region ||
                     hg_design_distance2(c->box, region[s].centre, region[r].centre) > 0;
        }
        if (is_new) {
            add_place(c, region[r].centre, region[r].radius, HG_DESIGN_GIVEN);
        }
    }
    c->n_given = c->n;
}

static int
cell_of(const hg_design_candidates *c, const double position[3], int cell[3])
{
    for (int k = 0; k < 3; k++) {
        cell[k] = (int)(position[k] / c->box * c->n_side);
        cell[k] = cell[k] < 0 ? 0 : cell[k] < c->n_side ? cell[k] : c->n_side - 1;
    }
    return (cell[0] * c->n_side + cell[1]) * c->n_side + cell[2];
}

/* Sort into cells, in order within each. */
static hg_status
make_mesh(hg_design_candidates *c)
{
    double widest = 0;
    size_t n_cell;
    int cell[3];

    for (int i = 0; i < c->n; i++) {
        widest = fmax(widest, c->place[i].radius);
    }
    c->n_side = (int)fmin(MOST_CELLS, fmax(1, floor(c->box / widest)));
    n_cell = (size_t)c->n_side * (size_t)c->n_side * (size_t)c->n_side;
    HG_TRY(hg_mem_zeros(&c->start, n_cell + 1, sizeof *c->start));
    HG_TRY(hg_mem_array(&c->member, (size_t)c->n, sizeof *c->member));
    for (int i = 0; i < c->n; i++) {
        c->start[cell_of(c, c->place[i].centre, cell) + 1]++;
    }
    for (size_t i = 0; i < n_cell; i++) {
        c->start[i + 1] += c->start[i];
    }
    for (int i = c->n - 1; i >= 0; i--) { /* each cell fills from its end */
        int at = cell_of(c, c->place[i].centre, cell);

        c->member[--c->start[at + 1]] = i;
    }
    for (size_t i = 0; i < n_cell; i++) { /* begins moved down by one cell */
        c->start[i] = c->start[i + 1];
    }
    c->start[n_cell] = c->n;
    return HG_OK;
}

hg_status
hg_design_candidates_make(const hg_params *params, double box, int n_region,
                          const hg_region region[], int64_t n_peak, const hg_design_peak peak[],
                          hg_design_candidates *candidates)
{
    const hg_params_design *d = &params->design;
    const int64_t n_new = (d->candidates + n_peak) * d->radii.n, n = n_region + n_new;
    hg_design_candidates *c = candidates;

    *c = (hg_design_candidates){.box = box};
    for (int r = 0; r < d->radii.n; r++) {
        if (d->radii.v[r] > box / 2) {
            return HG_FAIL(HG_E_PARAM,
                           "Design.radii: %g Mpc is more than half the parent's box of %g Mpc",
                           d->radii.v[r], box);
        }
    }
    if (d->regions > n_new) {
        return HG_FAIL(HG_E_PARAM,
                       "%" PRId64 " regions are wanted of %" PRId64
                       " candidates: raise Design.candidates or Design.peaks",
                       d->regions, n_new);
    }
    HG_TRY(hg_mem_array(&c->place, (size_t)n, sizeof *c->place));
    HG_TRY(hg_mem_array(&c->kind, (size_t)n, sizeof *c->kind));
    add_given(c, n_region, region);
    for (int r = 0; r < d->radii.n; r++) {
        for (int64_t i = 0; i < d->candidates; i++) {
            hg_stream s = hg_stream_start((uint64_t)params->meta.seed, 0, (uint64_t)i,
                                          HG_PURPOSE_CANDIDATE);
            double centre[3];

            for (int k = 0; k < 3; k++) {
                centre[k] = box * hg_stream_uniform(&s);
            }
            add_place(c, centre, d->radii.v[r], HG_DESIGN_RANDOM);
        }
        for (int64_t i = 0; i < n_peak; i++) {
            add_place(c, peak[i].centre, d->radii.v[r], HG_DESIGN_PEAK);
        }
    }
    return make_mesh(c);
}

void
hg_design_candidates_clear(hg_design_candidates *candidates)
{
    hg_mem_free(candidates->place);
    hg_mem_free(candidates->kind);
    hg_mem_free(candidates->start);
    hg_mem_free(candidates->member);
    *candidates = (hg_design_candidates){0};
}

/* Neighbours of a cell along one axis, each once. */
static int
list_side(int n, int at, int side[3])
{
    if (n < 3) {
        for (int i = 0; i < n; i++) {
            side[i] = i;
        }
        return n;
    }
    for (int i = 0; i < 3; i++) {
        side[i] = (at + i - 1 + n) % n;
    }
    return 3;
}

int
hg_design_candidates_at(const hg_design_candidates *candidates, const double position[3],
                        int found[])
{
    const hg_design_candidates *c = candidates;
    int at[3], side[3][3] = {{0}}, n_side[3], n = 0;

    (void)cell_of(c, position, at);
    for (int k = 0; k < 3; k++) {
        n_side[k] = list_side(c->n_side, at[k], side[k]);
    }
    for (int i = 0; i < n_side[0] * n_side[1] * n_side[2]; i++) {
        const int x = side[0][i / (n_side[1] * n_side[2])],
                  y = side[1][i / n_side[2] % n_side[1]], z = side[2][i % n_side[2]];
        const int cell = (x * c->n_side + y) * c->n_side + z;

        for (int m = c->start[cell]; m < c->start[cell + 1]; m++) {
            const hg_design_place *p = &c->place[c->member[m]];

            if (hg_design_distance2(c->box, p->centre, position) <= p->radius * p->radius) {
                found[n++] = c->member[m];
            }
        }
    }
    return n;
}
