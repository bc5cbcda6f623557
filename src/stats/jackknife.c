/* With delta = density - mean, region k contributes the integral over x in k and y in the shell
 * around x of delta(x) delta(y). Of its four terms the pairs are counted; the others are
 * volumes of shells inside regions, summed over objects. These are found from numbers of
 * objects on a coarse mesh of whole cells per region: a quadrature over separations d, and for
 * each d the objects in the region moved by d, and in its overlap with itself. Bins are
 * symmetric in the sign of each component of d, so d of one octant are enough. Numbers on the
 * mesh are integers, the rest is done alike on all ranks. */
#include "stats/jackknife.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "stats/projected.h"

enum { CELLS = 60, RADIAL = 4, ANGULAR = 6, NODES = RADIAL * ANGULAR * ANGULAR, POLES = 3 };

/* One sample on the coarse mesh, whose axes are the turned ones. */
typedef struct coarse {
    double *block;  /* shape (m, m, m): objects in a cube as large as a region from a cell on */
    double *shared; /* shape (regions, c + 1, c + 1, c + 1): objects of a region that stay in it
                       when it is moved by whole cells, mean over signs */
    double sum;     /* over the box */
} coarse;

typedef struct setting {
    const hg_pairs *pairs;
    int side;      /* regions per side */
    int c, m;      /* cells per side of a region and of the box */
    double cell;   /* side of a cell */
    double weight; /* of pairs across faces */
    int n_group;
    coarse group[2];
} setting;

/* A separation, in cells, and its share of the integral over a bin, per estimate. */
typedef struct node {
    double d[3], share[POLES];
} node;

double
hg_jackknife_reach(int side, double box)
{
    return box / (2 * side);
}

/* Objects per cell, as integers; 1 in `count` stands for *unit. */
static void
count_cells(const hg_comm *comm, const setting *s, const hg_cells_points *points,
            int64_t *count, double *unit)
{
    const double scale = s->side / s->pairs->box;
    double most = 0;
    int exponent = 0;

    for (int64_t i = 0; i < points->n && points->weight != NULL; i++) {
        most = fmax(most, fabs(points->weight[i]));
    }
    hg_comm_max_double(comm, 1, &most);
    frexp(most, &exponent);
    *unit = most > 0 ? ldexp(1, exponent - 30) : 1;
    for (int64_t i = 0; i < points->n; i++) {
        int64_t place = 0;

        for (int k = 0; k < 3; k++) { /* first the region, as pairs have it, then the cell */
            const int axis = hg_pairs_axis(s->pairs->kind, s->pairs->los, k);
            const double x = hg_cells_fold(points->position[i][axis], s->pairs->box) * scale;
            const int region = (int)x < s->side ? (int)x : s->side - 1;
            const int within = (int)((x - region) * s->c);

            place = place * s->m + region * s->c + (within < s->c ? within : s->c - 1);
        }
        count[place] +=
            points->weight != NULL ? (int64_t)floor(points->weight[i] / *unit + 0.5) : 1;
    }
    hg_comm_sum(comm, (size_t)s->m * (size_t)s->m * (size_t)s->m, count);
}

/* Sums over c cells from each on, periodic, along one axis. */
static void
slide_axis(const setting *s, int axis, double *mesh, double *line)
{
    const int64_t m = s->m, stride = axis == 0 ? m * m : axis == 1 ? m : 1;

    for (int64_t row = 0; row < m * m; row++) {
        double *first = mesh + (axis == 0   ? row
                                : axis == 1 ? row / m * m * m + row % m
                                            : row * m);
        double sum = 0;

        for (int64_t i = 0; i < m; i++) {
            line[i] = first[i * stride];
            sum += i < s->c ? line[i] : 0;
        }
        for (int64_t i = 0; i < m; i++) {
            first[i * stride] = sum;
            sum += line[(i + s->c) % m] - line[i];
        }
    }
}

/* From numbers in n cells along one axis to those of the overlap with itself after a move of
 * 0 to n cells, mean over both directions. Lines are `stride` apart; `to` has one place more.
 */
static void
overlap_axis(int n, int64_t before, int64_t stride, const double *from, double *to)
{
    for (int64_t row = 0; row < before * stride; row++) {
        const double *in = from + row / stride * n * stride + row % stride;
        double *out = to + row / stride * (n + 1) * stride + row % stride;
        double total = 0, low = 0, high = 0;

        for (int i = 0; i < n; i++) {
            total += in[i * stride];
        }
        for (int u = 0; u <= n; u++) { /* low: first u cells, high: last u cells */
            out[u * stride] = total - 0.5 * (low + high);
            if (u < n) {
                low += in[u * stride];
                high += in[(n - 1 - u) * stride];
            }
        }
    }
}

/* Overlaps of all regions with themselves; scratch has room for two of (c + 1)^3. */
static void
overlap_regions(const setting *s, const double *mesh, double *scratch, double *shared)
{
    const int64_t c = s->c, m = s->m, n = (c + 1) * (c + 1) * (c + 1);
    double *other = scratch + n;

    for (int region = 0; region < s->side * s->side * s->side; region++) {
        const int64_t at[3] = {region / (s->side * s->side) * c, region / s->side % s->side * c,
                               region % s->side * c};

        for (int64_t x = 0; x < c; x++) {
            for (int64_t y = 0; y < c; y++) {
                memcpy(scratch + (x * c + y) * c,
                       mesh + ((at[0] + x) * m + at[1] + y) * m + at[2],
                       (size_t)c * sizeof *mesh);
            }
        }
        overlap_axis(s->c, c * c, 1, scratch, other);
        overlap_axis(s->c, c, c + 1, other, scratch);
        overlap_axis(s->c, 1, (c + 1) * (c + 1), scratch, shared + region * n);
    }
}

static hg_status
start_group(setting *s, int g, int64_t **count, double **scratch)
{
    const size_t m = (size_t)s->m, n = (size_t)s->c + 1, side = (size_t)s->side;

    HG_TRY(hg_mem_zeros(count, m * m * m, sizeof **count));
    HG_TRY(hg_mem_array(scratch, 2 * n * n * n + m, sizeof **scratch));
    HG_TRY(hg_mem_array(&s->group[g].block, m * m * m, sizeof(double)));
    return hg_mem_array(&s->group[g].shared, side * side * side * n * n * n, sizeof(double));
}

/* Everything of one sample; the same on all ranks. */
static hg_status
make_group(const hg_comm *comm, setting *s, const hg_cells_points *points, int g)
{
    coarse *group = &s->group[g];
    const int64_t n = (int64_t)s->m * s->m * s->m;
    int64_t *count = NULL;
    double *scratch = NULL, unit = 1;
    hg_status status = hg_comm_agree(comm, start_group(s, g, &count, &scratch));

    if (status == HG_OK) {
        count_cells(comm, s, points, count, &unit);
        for (int64_t i = 0; i < n; i++) {
            group->block[i] = unit * (double)count[i];
            group->sum += group->block[i];
        }
        overlap_regions(s, group->block, scratch, group->shared);
        for (int axis = 0; axis < 3; axis++) {
            slide_axis(s, axis, group->block, scratch);
        }
    }
    hg_mem_free(count);
    hg_mem_free(scratch);
    return status;
}

/* Nodes and weights of Gauss and Legendre on [low, high]. */
static void
gauss(const gsl_integration_glfixed_table *rule, size_t n, double low, double high, double x[],
      double w[])
{
    for (size_t i = 0; i < n; i++) {
        gsl_integration_glfixed_point(low, high, i, &x[i], &w[i], rule);
    }
}

/* Separations of a bin. Around the line of sight both kinds of bins are the same: spheres in
 * (s, mu) with poles, cylinders in (rp, pi) whose sum over pi is taken. */
static void
make_nodes(const setting *s, const gsl_integration_glfixed_table *const rule[2], int bin,
           node nodes[NODES])
{
    const hg_pairs *p = s->pairs;
    const bool across = p->kind == HG_PAIRS_RP_PI;
    double r[RADIAL], wr[RADIAL], v[ANGULAR], wv[ANGULAR], phi[ANGULAR], wphi[ANGULAR];

    gauss(rule[0], RADIAL, p->edge[bin], p->edge[bin + 1], r, wr);
    gauss(rule[1], ANGULAR, 0, across ? p->pi_max : 1, v, wv);
    gauss(rule[1], ANGULAR, 0, M_PI / 2, phi, wphi);
    for (int k = 0; k < NODES; k++) {
        const int i = k / (ANGULAR * ANGULAR), j = k / ANGULAR % ANGULAR, l = k % ANGULAR;
        const double rp = across ? r[i] : r[i] * sqrt(1 - v[j] * v[j]);
        const double volume = 8 * wr[i] * wv[j] * wphi[l] * (across ? r[i] : r[i] * r[i]);

        nodes[k].d[0] = rp * cos(phi[l]) / s->cell;
        nodes[k].d[1] = rp * sin(phi[l]) / s->cell;
        nodes[k].d[2] = (across ? v[j] : r[i] * v[j]) / s->cell;
        for (int pole = 0; pole < POLES; pole++) {
            nodes[k].share[pole] =
                volume *
                (across ? 2 * p->pi_max : (4 * pole + 1) * hg_legendre(2 * pole, v[j]));
        }
    }
}

/* Value at a place inside a cell of a mesh with `row` places per axis, linear between places.
 */
static double
interpolate(const double *mesh, int64_t at[3][2], int64_t row, const double rest[3])
{
    double sum = 0;

    for (int k = 0; k < 8; k++) {
        const int x = k >> 2, y = k >> 1 & 1, z = k & 1;

        sum += (x ? rest[0] : 1 - rest[0]) * (y ? rest[1] : 1 - rest[1]) *
               (z ? rest[2] : 1 - rest[2]) * mesh[(at[0][x] * row + at[1][y]) * row + at[2][z]];
    }
    return sum;
}

/* Objects in a region moved by d, mean over signs. */
static double
moved(const setting *s, const coarse *group, const int region[3], const double d[3])
{
    double sum = 0;

    for (int sign = 0; sign < 8; sign++) {
        int64_t at[3][2];
        double rest[3];

        for (int a = 0; a < 3; a++) {
            const double x = region[a] * s->c + (sign >> a & 1 ? -d[a] : d[a]);

            rest[a] = x - floor(x);
            at[a][0] = ((int64_t)floor(x) + s->m) % s->m;
            at[a][1] = (at[a][0] + 1) % s->m;
        }
        sum += interpolate(group->block, at, s->m, rest) / 8;
    }
    return sum;
}

/* Objects of a region that are in it also when it is moved by d, mean over signs. */
static double
kept(const setting *s, const coarse *group, int region, const double d[3])
{
    const int64_t row = s->c + 1;
    int64_t at[3][2];
    double rest[3];

    for (int a = 0; a < 3; a++) {
        if (d[a] >= s->c) {
            return 0;
        }
        at[a][0] = (int64_t)d[a];
        at[a][1] = at[a][0] + 1;
        rest[a] = d[a] - (double)at[a][0];
    }
    return interpolate(group->shared + region * row * row * row, at, row, rest);
}

/* What must be added to the weighted pairs of a bin with members in a region: minus the terms
 * linear in the density, plus the constant one. */
static void
put_region(const setting *s, int k, const node nodes[NODES], int n_pole, double part[POLES])
{
    const coarse *a = &s->group[0], *b = &s->group[s->n_group - 1];
    const double side = s->pairs->box / s->side, volume = pow(s->pairs->box, 3);
    const double mean_a = a->sum / volume, mean_b = b->sum / volume;
    const int region[3] = {k / (s->side * s->side), k / s->side % s->side, k % s->side};
    static const double still[3] = {0, 0, 0};
    const double n_a = kept(s, a, k, still), n_b = kept(s, b, k, still);
    const double level = 2 * mean_a * mean_b * side * side * side - n_a * mean_b - n_b * mean_a;

    for (int i = 0; i < NODES; i++) {
        const double *d = nodes[i].d;
        double room = mean_a * mean_b, stay[2], come[2];

        for (int axis = 0; axis < 3; axis++) {
            room *= fmax(side - d[axis] * s->cell, 0);
        }
        come[0] = moved(s, a, region, d);
        stay[0] = kept(s, a, k, d);
        come[1] = a == b ? come[0] : moved(s, b, region, d);
        stay[1] = a == b ? stay[0] : kept(s, b, k, d);

        const double touch = level - mean_b * come[0] - mean_a * come[1];
        const double inside = room - mean_b * stay[0] - mean_a * stay[1];

        for (int pole = 0; pole < n_pole; pole++) {
            part[pole] +=
                nodes[i].share[pole] * (s->weight * touch + (1 - 2 * s->weight) * inside);
        }
    }
}

/* Pairs of a bin with members in a region, weighted like its estimate. */
static double
weigh_pairs(const setting *s, int bin, int k, int pole)
{
    const hg_pairs *p = s->pairs;
    const int n_region = s->side * s->side * s->side;
    double sum = 0;

    for (int j = 0; j < p->n_second; j++) {
        const int64_t i = ((int64_t)bin * p->n_second + j) * n_region + k;
        const double inside = (double)p->inside[i] * p->part;
        const double touch = (double)p->touch[i] * p->part * (p->cross ? 1 : 2);
        const double factor = p->kind == HG_PAIRS_RP_PI ? 2 * p->pi_max
                              : p->kind == HG_PAIRS_S_MU
                                  ? (4 * pole + 1) * hg_legendre_mean(2 * pole, j, p->n_second)
                                  : 1;

        sum += factor * (inside + s->weight * (touch - 2 * inside));
    }
    return sum;
}

/* Number of a region along the axes of the box, from that along the turned ones. */
static int
turn_region(const setting *s, int k)
{
    const int turned[3] = {k / (s->side * s->side), k / s->side % s->side, k % s->side};
    int at[3];

    for (int a = 0; a < 3; a++) {
        at[hg_pairs_axis(s->pairs->kind, s->pairs->los, a)] = turned[a];
    }
    return (at[0] * s->side + at[1]) * s->side + at[2];
}

static void
add_parts(const setting *s, const gsl_integration_glfixed_table *const rule[2],
          hg_jackknife *jackknife)
{
    const int n = jackknife->n, n_pole = jackknife->n_pole;

#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < n; i++) {
        const double expected = hg_pairs_random(s->pairs, i, 0) * s->pairs->n_second;
        node nodes[NODES];

        make_nodes(s, rule, i, nodes);
        for (int k = 0; k < jackknife->n_region; k++) {
            double *to = jackknife->part + (int64_t)turn_region(s, k) * n_pole * n;
            double part[POLES] = {0};

            put_region(s, k, nodes, n_pole, part);
            for (int pole = 0; pole < n_pole; pole++) {
                to[pole * n + i] += (part[pole] + weigh_pairs(s, i, k, pole)) / expected;
            }
        }
        for (int j = 0; j < s->pairs->n_second; j++) {
            jackknife->count[i] += s->pairs->count[(int64_t)i * s->pairs->n_second + j];
        }
    }
}

static hg_status
start_jackknife(const hg_pairs_task *task, const hg_pairs *pairs, hg_jackknife *jackknife)
{
    const int n_pole = pairs->kind == HG_PAIRS_S_MU ? POLES : 1;
    const int n_region = task->regions * task->regions * task->regions;

    if (task->regions < 2 || pairs->touch == NULL) {
        return HG_FAIL(HG_E_ARG, "a jackknife needs pairs of at least 2 regions per side");
    }
    if (jackknife->part != NULL) {
        return jackknife->n == pairs->n && jackknife->n_pole == n_pole &&
                       jackknife->n_region == n_region
                   ? HG_OK
                   : HG_FAIL(HG_E_ARG, "pairs of other bins were added to a jackknife");
    }
    *jackknife = (hg_jackknife){
        .side = task->regions, .n_region = n_region, .n_pole = n_pole, .n = pairs->n};
    HG_TRY(hg_mem_zeros(&jackknife->count, (size_t)pairs->n, sizeof *jackknife->count));
    return hg_mem_zeros(&jackknife->part, (size_t)n_region * (size_t)(n_pole * pairs->n),
                        sizeof *jackknife->part);
}

hg_status
hg_jackknife_add(const hg_comm *comm, const hg_pairs_task *task, const hg_pairs *pairs,
                 hg_jackknife *jackknife)
{
    const double n_region = pow(task->regions, 3);
    setting s = {.pairs = pairs,
                 .side = task->regions,
                 .weight = n_region / (2 + sqrt(2) * (n_region - 1)),
                 .n_group = task->cross ? 2 : 1};
    gsl_integration_glfixed_table *rule[2] = {NULL, NULL};
    hg_status status;

    HG_TRY_OR(done, status, hg_comm_agree(comm, start_jackknife(task, pairs, jackknife)));
    s.c = (CELLS + s.side - 1) / s.side;
    s.m = s.c * s.side;
    s.cell = pairs->box / s.m;
    for (int g = 0; g < s.n_group; g++) {
        HG_TRY_OR(done, status, make_group(comm, &s, g == 0 ? &task->a : &task->b, g));
    }
    rule[0] = gsl_integration_glfixed_table_alloc(RADIAL);
    rule[1] = gsl_integration_glfixed_table_alloc(ANGULAR);
    if (rule[0] == NULL || rule[1] == NULL) {
        status = HG_FAIL(HG_E_MEMORY, "no memory for a quadrature rule");
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    add_parts(&s, (const gsl_integration_glfixed_table *const *)rule, jackknife);
    jackknife->lines++;
done:
    for (int k = 0; k < 2; k++) {
        if (rule[k] != NULL) {
            gsl_integration_glfixed_table_free(rule[k]);
        }
        hg_mem_free(s.group[k].block);
        hg_mem_free(s.group[k].shared);
    }
    return status;
}

void
hg_jackknife_covariance(const hg_jackknife *jackknife, double covariance[])
{
    const int n = jackknife->n, m = n * jackknife->n_pole;
    const double r = jackknife->n_region, lines = jackknife->lines;

    for (int i = 0; i < m; i++) {
        for (int j = i; j < m; j++) {
            double sum[3] = {0};

            for (int k = 0; k < jackknife->n_region; k++) {
                const double a = jackknife->part[k * m + i], b = jackknife->part[k * m + j];

                sum[0] += a;
                sum[1] += b;
            }
            for (int k = 0; k < jackknife->n_region; k++) {
                const double a = jackknife->part[k * m + i], b = jackknife->part[k * m + j];

                sum[2] += (a - sum[0] / r) * (b - sum[1] / r);
            }
            const bool known = jackknife->count[i % n] > 0 && jackknife->count[j % n] > 0;

            covariance[i * m + j] = covariance[j * m + i] =
                known ? r / (r - 1) * sum[2] / (lines * lines) : (double)NAN;
        }
    }
}

void
hg_jackknife_clear(hg_jackknife *jackknife)
{
    hg_mem_free(jackknife->count);
    hg_mem_free(jackknife->part);
    *jackknife = (hg_jackknife){0};
}
