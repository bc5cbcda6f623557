/* Points and tracers are two groups in columns of cells. Each rank looks from the points it
 * owns at all tracers near them and sends what it found back to the ranks that asked. Counts
 * and sums of masses are integers, nearest distances do not depend on the order in which they
 * are met. Distances are searched for in steps: most points find theirs within the reach the
 * mean density suggests, so only the few others look twice as far, and again. */
#include "features/neighbours.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "table/cells.h"

enum { STRETCH = 256, MASS_BITS = 40 };

static const double pad = 1e-9; /* of the box: windows along z are never too short */

/* A result: a distance or an integer. */
typedef union found {
    double real;
    int64_t whole;
} found;

/* What is done with tracers near a point. */
typedef struct search {
    const hg_neighbourhood *where;
    double reach;
    int width;        /* results per point */
    found initial;    /* what they start from */
    const double *r2; /* shape (n_radius); squares of radii */
    int n_radius;
    void (*take)(const struct search *s, double mass, int n, const double d2[],
                 const double weight[], found v[]);
} search;

/* A point this rank owns. */
typedef struct home {
    int64_t slot;
    int64_t column[2];
} home;

static hg_status
list_homes(const hg_cells *cells, int64_t *n, home **list)
{
    *n = 0;
    for (int pass = 0; pass < 2; pass++) {
        int64_t k = 0;

        for (int64_t ix = cells->low[0]; ix < cells->high[0]; ix++) {
            for (int64_t iy = cells->low[1]; iy < cells->high[1]; iy++) {
                int image[2];
                const int64_t *first = hg_cells_column(cells, ix, iy, 0, image);

                for (int64_t i = first != NULL ? first[0] : 0;
                     first != NULL && i < first[cells->depth]; i++, k++) {
                    if (pass == 1) {
                        (*list)[k] = (home){.slot = i, .column = {ix, iy}};
                    }
                }
            }
        }
        if (pass == 0) {
            *n = k;
            HG_TRY(hg_mem_array(list, (size_t)k, sizeof **list));
        }
    }
    return HG_OK;
}

/* Tracers [first, end) of a column whose image is `shift` away. */
static void
look_at_stretch(const search *s, const hg_cells *cells, int64_t slot, const double shift[3],
                int64_t first, int64_t end, found v[])
{
    const double x = cells->x[slot], y = cells->y[slot], z = cells->z[slot];
    double d2[STRETCH];

    for (int64_t from = first; from < end; from += STRETCH) {
        const int n = (int)(end - from < STRETCH ? end - from : STRETCH);

#pragma omp simd
        for (int k = 0; k < n; k++) {
            const double dx = (x - cells->x[from + k]) - shift[0];
            const double dy = (y - cells->y[from + k]) - shift[1];
            const double dz = (z - cells->z[from + k]) - shift[2];

            d2[k] = dx * dx + dy * dy + dz * dz;
        }
        s->take(s, cells->weight[slot], n, d2, cells->weight + from, v);
    }
}

/* All tracers of a column that may be within reach along z, by image. */
static void
look_at_column(const search *s, const hg_cells *cells, const home *h, const int64_t first[],
               const int image[2], found v[])
{
    const double box = cells->box, reach = s->reach + pad * box;

    for (int k = -1; k <= 1; k++) {
        const double shift[3] = {image[0] * box, image[1] * box, k * box};
        const double low = cells->z[h->slot] - reach - shift[2];
        const double high = cells->z[h->slot] + reach - shift[2];
        const double scale = (double)cells->depth / box;
        int64_t i, j;

        if (high < 0 || low >= box) {
            continue;
        }
        i = low > 0 ? (int64_t)(low * scale) : 0;
        j = high < box ? (int64_t)(high * scale) : cells->depth - 1;
        i = i < cells->depth ? i : cells->depth - 1;
        j = j < cells->depth ? j : cells->depth - 1;
        look_at_stretch(s, cells, h->slot, shift, first[i], first[j + 1], v);
    }
}

static void
look_around(const search *s, const hg_cells *cells, const home *h, found v[])
{
    int offset[2];

    for (int w = 0; w < s->width; w++) {
        v[w] = s->initial;
    }
    for (int k = 0; hg_cells_offset(cells, k, offset); k++) {
        int image[2];
        const int64_t *first = hg_cells_column(cells, h->column[0] + offset[0],
                                               h->column[1] + offset[1], 1, image);

        if (first != NULL) {
            look_at_column(s, cells, h, first, image, v);
        }
    }
}

/* Send what was found back: row = id and results. */
static hg_status
send_back(const hg_comm *comm, const hg_cells *cells, const search *s, int64_t n_point,
          int64_t n, const home list[], const found row[], found value[])
{
    const size_t width = (size_t)s->width + 1;
    const int64_t start = hg_comm_prefix(comm, n_point);
    int64_t *first = NULL, n_got = 0;
    found *got = NULL;
    int *target = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_mem_array(&first, (size_t)comm->size, sizeof *first));
    HG_TRY_OR(agree, status, hg_mem_array(&target, (size_t)n, sizeof *target));
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_gather(comm, &start, sizeof start, first);
    for (int64_t i = 0; i < n; i++) {
        int low = 0, high = comm->size;

        while (high - low > 1) { /* the last rank that starts at or before the point */
            const int middle = (low + high) / 2;

            *(first[middle] <= cells->id[list[i].slot] ? &low : &high) = middle;
        }
        target[i] = low;
    }
    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, n, width * sizeof *row, row, target, &n_got, &got));
    for (int64_t i = 0; i < n_got; i++) {
        const found *r = got + (size_t)i * width;

        memcpy(value + (r[0].whole - start) * s->width, r + 1, (width - 1) * sizeof *r);
    }
done:
    hg_mem_free(got);
    hg_mem_free(target);
    hg_mem_free(first);
    return status;
}

/* Look from all points at all tracers within reach. */
static hg_status
search_box(const hg_comm *comm, const search *s, const hg_places *point,
           const hg_places *tracer, found value[])
{
    const hg_cells_search range = {
        .box = s->where->box, .reach = s->reach, .reach_z = s->reach};
    const hg_cells_points group[2] = {{point->n, point->position, point->mass},
                                      {tracer->n, tracer->position, tracer->mass}};
    const size_t width = (size_t)s->width + 1;
    hg_cells cells = {0};
    home *list = NULL;
    found *row = NULL;
    int64_t n = 0;
    hg_status status;

    HG_TRY(hg_cells_create(comm, &range, 2, group, &cells));
    HG_TRY_OR(agree, status, list_homes(&cells, &n, &list));
    HG_TRY_OR(agree, status, hg_mem_array(&row, (size_t)n * width, sizeof *row));
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t i = 0; i < n; i++) {
        row[(size_t)i * width].whole = cells.id[list[i].slot];
        look_around(s, &cells, &list[i], row + (size_t)i * width + 1);
    }
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    status = send_back(comm, &cells, s, point->n, n, list, row, value);
done:
    hg_mem_free(row);
    hg_mem_free(list);
    hg_cells_clear(&cells);
    return status;
}

/* Masses as integers of at most MASS_BITS whose sum fits into 64 bits; NULL stays NULL. Points
 * and tracers are rounded alike, so equal masses stay equal. */
static hg_status
round_masses(const hg_comm *comm, const hg_places *point, const hg_places *tracer,
             double *scale, double *rounded[2])
{
    const hg_places *const both[2] = {point, tracer};
    int64_t n_all = tracer->n;
    double largest = 0;
    int count_bits, mass_bits;

    rounded[0] = rounded[1] = NULL;
    for (int g = 0; g < 2; g++) {
        for (int64_t i = 0; i < both[g]->n && both[g]->mass != NULL; i++) {
            largest = fmax(largest, fabs(both[g]->mass[i]));
        }
    }
    hg_comm_max_double(comm, 1, &largest);
    hg_comm_sum(comm, 1, &n_all);
    frexp((double)n_all, &count_bits);
    frexp(largest, &mass_bits);
    *scale = ldexp(1, (count_bits < 22 ? MASS_BITS : 62 - count_bits) - mass_bits);
    for (int g = 0; g < 2; g++) {
        if (both[g]->mass == NULL) {
            continue;
        }
        HG_TRY(hg_mem_array(&rounded[g], (size_t)both[g]->n, sizeof **rounded));
        for (int64_t i = 0; i < both[g]->n; i++) {
            rounded[g][i] = rint(*scale * both[g]->mass[i]);
        }
    }
    return HG_OK;
}

hg_status
hg_neighbours_total(const hg_comm *comm, const hg_places *tracer, double *sum)
{
    const hg_places none = {0, NULL, NULL};
    double *rounded[2], scale;
    int64_t whole = 0;
    hg_status status;

    status = hg_comm_agree(comm, round_masses(comm, &none, tracer, &scale, rounded));
    for (int64_t i = 0; i < tracer->n && status == HG_OK && rounded[1] != NULL; i++) {
        whole += (int64_t)rounded[1][i];
    }
    hg_comm_sum(comm, 1, &whole);
    *sum = (double)whole / scale;
    hg_mem_free(rounded[1]);
    return status;
}

/* the innermost sphere that holds a tracer gets it; the others take it from there in the end */
static void
take_counts(const search *s, double mass, int n, const double d2[], const double weight[],
            found v[])
{
    const double most = s->r2[s->n_radius - 1];
    const double self = s->where->self, self2 = self < 0 ? -1 : self * self;

    (void)mass;
    for (int k = 0; k < n; k++) {
        if (d2[k] < most && d2[k] > self2) {
            int r = s->n_radius - 1;

            while (r > 0 && d2[k] < s->r2[r - 1]) {
                r--;
            }
            v[r].whole++;
            if (s->width > s->n_radius) {
                v[s->n_radius + r].whole += (int64_t)weight[k];
            }
        }
    }
}

/* Results of innermost spheres to those of all, in the caller's arrays. */
static void
add_up_spheres(int64_t n, int n_radius, int width, double scale, const found value[],
               double count[], double mass[])
{
    for (int64_t i = 0; i < n; i++) {
        const found *v = value + i * width;
        int64_t sum[2] = {0, 0};

        for (int r = 0; r < n_radius; r++) {
            sum[0] += v[r].whole;
            count[i * n_radius + r] = (double)sum[0];
            if (mass != NULL) {
                sum[1] += v[n_radius + r].whole;
                mass[i * n_radius + r] = (double)sum[1] / scale;
            }
        }
    }
}

hg_status
hg_neighbours_count(const hg_comm *comm, const hg_neighbourhood *where, int n_radius,
                    const double radius[], const hg_places *point, const hg_places *tracer,
                    double count[], double mass[])
{
    const hg_places bare = {point->n, point->position, NULL};
    hg_places heavy = {tracer->n, tracer->position, mass != NULL ? tracer->mass : NULL};
    double r2[HG_NEIGHBOURS_MAX], *rounded[2], scale;
    const search s = {.where = where,
                      .reach = radius[n_radius - 1],
                      .width = mass != NULL ? 2 * n_radius : n_radius,
                      .r2 = r2,
                      .n_radius = n_radius,
                      .take = take_counts};
    found *value = NULL;
    hg_status status;

    HG_ASSERT(n_radius > 0 && n_radius <= HG_NEIGHBOURS_MAX);
    for (int r = 0; r < n_radius; r++) {
        r2[r] = radius[r] * radius[r];
    }
    status = round_masses(comm, &bare, &heavy, &scale, rounded);
    if (status == HG_OK) {
        status = hg_mem_array(&value, (size_t)point->n * (size_t)s.width, sizeof *value);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    heavy.mass = rounded[1];
    HG_TRY_OR(done, status, search_box(comm, &s, &bare, &heavy, value));
    add_up_spheres(point->n, n_radius, s.width, scale, value, count, mass);
done:
    hg_mem_free(value);
    hg_mem_free(rounded[1]);
    return status;
}

/* the nearest ones, sorted */
static void
take_nearest(const search *s, double mass, int n, const double d2[], const double weight[],
             found v[])
{
    const double self = s->where->self, self2 = self < 0 ? -1 : self * self;

    (void)mass;
    (void)weight;
    for (int k = 0; k < n; k++) {
        if (d2[k] < v[s->width - 1].real && d2[k] > self2) {
            int w = s->width - 1;

            for (; w > 0 && d2[k] < v[w - 1].real; w--) {
                v[w] = v[w - 1];
            }
            v[w].real = d2[k];
        }
    }
}

static void
take_massive(const search *s, double mass, int n, const double d2[], const double weight[],
             found v[])
{
    const double self = s->where->self, self2 = self < 0 ? -1 : self * self;

    for (int k = 0; k < n; k++) {
        if (weight[k] > mass && d2[k] < v[0].real && d2[k] > self2) {
            v[0].real = d2[k];
        }
    }
}

/* Points that have not found what they look for, and where they stand. */
typedef struct unresolved {
    int64_t n;
    int64_t *row; /* shape (n): among all points */
    double (*position)[3];
    double *mass; /* NULL where points have none */
} unresolved;

static hg_status
start_unresolved(const hg_places *point, unresolved *u)
{
    *u = (unresolved){.n = point->n};
    HG_TRY(hg_mem_array(&u->row, (size_t)u->n, sizeof *u->row));
    HG_TRY(hg_mem_array(&u->position, (size_t)u->n, sizeof *u->position));
    if (point->mass != NULL) {
        HG_TRY(hg_mem_array(&u->mass, (size_t)u->n, sizeof *u->mass));
    }
    for (int64_t i = 0; i < u->n; i++) {
        u->row[i] = i;
        memcpy(u->position[i], point->position[i], sizeof u->position[i]);
        if (u->mass != NULL) {
            u->mass[i] = point->mass[i];
        }
    }
    return HG_OK;
}

static void
clear_unresolved(unresolved *u)
{
    hg_mem_free(u->row);
    hg_mem_free(u->position);
    hg_mem_free(u->mass);
}

/* Keep what was found within reach; the other points move up. */
static void
settle(const search *s, unresolved *u, const found value[], double squared[])
{
    int64_t left = 0;

    for (int64_t i = 0; i < u->n; i++) {
        const found *v = value + i * s->width;

        for (int w = 0; w < s->width; w++) {
            squared[u->row[i] * s->width + w] = v[w].real;
        }
        /* a distance found beyond the reach need not be the smallest */
        if (!(v[s->width - 1].real < s->reach * s->reach)) {
            u->row[left] = u->row[i];
            memmove(u->position[left], u->position[i], sizeof u->position[i]);
            if (u->mass != NULL) {
                u->mass[left] = u->mass[i];
            }
            left++;
        }
    }
    u->n = left;
}

/* Tracers that may be the more massive neighbour of some point left. */
static hg_places
thin_tracers(const hg_comm *comm, const unresolved *u, const hg_places *tracer,
             double (*position)[3], double mass[])
{
    double least = HUGE_VAL;
    int64_t n = 0;

    for (int64_t i = 0; i < u->n; i++) {
        least = fmin(least, u->mass[i]);
    }
    hg_comm_min_double(comm, 1, &least);
    for (int64_t i = 0; i < tracer->n; i++) {
        if (tracer->mass[i] > least) {
            memcpy(position[n], tracer->position[i], sizeof position[n]);
            mass[n++] = tracer->mass[i];
        }
    }
    return (hg_places){n, (const double(*)[3])position, mass};
}

/* The reach that holds some tracers at mean density. */
static double
first_reach(const hg_comm *comm, const search *s, int64_t n_tracer, double farthest)
{
    const double box = s->where->box;
    int64_t n = n_tracer;
    double reach;

    hg_comm_sum(comm, 1, &n);
    reach = 1.5 * box * cbrt(3 * (double)(s->width + 2) / (4 * M_PI * (double)(n > 0 ? n : 1)));
    return fmin(reach, farthest);
}

/* Search with growing reach until all have found theirs, or `farthest` is reached. */
static hg_status
search_wider(const hg_comm *comm, search *s, double farthest, const hg_places *point,
             const hg_places *tracer, bool thins, double squared[])
{
    double(*position)[3] = NULL, *mass = NULL;
    found *value = NULL;
    unresolved u = {0};
    int64_t left = 1;
    hg_status status;

    s->initial.real = HUGE_VAL;
    status = start_unresolved(point, &u);
    if (status == HG_OK) {
        status = hg_mem_array(&value, (size_t)point->n * (size_t)s->width, sizeof *value);
    }
    if (status == HG_OK && thins) {
        status = hg_mem_array(&position, (size_t)tracer->n, sizeof *position);
        status =
            status == HG_OK ? hg_mem_array(&mass, (size_t)tracer->n, sizeof *mass) : status;
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    s->reach = first_reach(comm, s, tracer->n, farthest);
    for (;;) {
        const hg_places near = thins ? thin_tracers(comm, &u, tracer, position, mass) : *tracer;

        HG_TRY_OR(done, status,
                  search_box(comm, s, &(hg_places){u.n, (const double(*)[3])u.position, u.mass},
                             &near, value));
        settle(s, &u, value, squared);
        left = u.n;
        hg_comm_sum(comm, 1, &left);
        if (left == 0 || s->reach >= farthest) {
            break;
        }
        s->reach = fmin(2 * s->reach, farthest);
    }
done:
    hg_mem_free(value);
    hg_mem_free(position);
    hg_mem_free(mass);
    clear_unresolved(&u);
    return status;
}

static double
bounded_root(double squared, double farthest)
{
    return fmin(sqrt(squared), farthest);
}

hg_status
hg_neighbours_distance(const hg_comm *comm, const hg_neighbourhood *where, int n_rank,
                       const int rank[], double farthest, const hg_places *point,
                       const hg_places *tracer, double distance[])
{
    const hg_places bare[2] = {{point->n, point->position, NULL},
                               {tracer->n, tracer->position, NULL}};
    search s = {.where = where, .take = take_nearest};
    double *squared = NULL;
    hg_status status;

    for (int r = 0; r < n_rank; r++) {
        HG_ASSERT(rank[r] >= 1 && rank[r] <= HG_NEIGHBOURS_MAX);
        s.width = rank[r] > s.width ? rank[r] : s.width;
    }
    status = hg_mem_array(&squared, (size_t)point->n * (size_t)s.width, sizeof *squared);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              search_wider(comm, &s, farthest, &bare[0], &bare[1], false, squared));
    for (int64_t i = 0; i < point->n; i++) {
        for (int r = 0; r < n_rank; r++) {
            distance[i * n_rank + r] =
                bounded_root(squared[i * s.width + rank[r] - 1], farthest);
        }
    }
done:
    hg_mem_free(squared);
    return status;
}

hg_status
hg_neighbours_massive(const hg_comm *comm, const hg_neighbourhood *where, double farthest,
                      const hg_places *point, const hg_places *tracer, double distance[])
{
    search s = {.where = where, .width = 1, .take = take_massive};
    double *rounded[2] = {NULL, NULL}, *squared = NULL, scale;
    hg_status status = round_masses(comm, point, tracer, &scale, rounded);

    if (status == HG_OK) {
        status = hg_mem_array(&squared, (size_t)point->n, sizeof *squared);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(
        done, status,
        search_wider(comm, &s, farthest, &(hg_places){point->n, point->position, rounded[0]},
                     &(hg_places){tracer->n, tracer->position, rounded[1]}, true, squared));
    for (int64_t i = 0; i < point->n; i++) {
        distance[i] = bounded_root(squared[i], farthest);
    }
done:
    hg_mem_free(squared);
    hg_mem_free(rounded[0]);
    hg_mem_free(rounded[1]);
    return status;
}
