/* A vector of candidates at a time: their squared distances are compared with four squared
 * edges, and the counters are vectors too, so nothing is summed across lanes before the end of
 * a column. Four edges per pass and a window that fits the largest of them: small separations
 * are looked for in small windows only. Vectors are as wide as the registers of each variant,
 * because gcc 12 takes wider ones apart into single numbers where it compares them (measured:
 * four times slower). No variant contracts products and sums, so all give the same distances.
 */
#include "stats/pair_kernel.h"

#include <math.h>

enum { LANES_MAX = HG_CELLS_ALIGN };

#define INLINE static inline __attribute__((always_inline))

/* Home point and stretch of candidates of one loop. */
typedef struct run {
    const double *x, *y, *z; /* first candidate, aligned */
    double at[3], shift[3];  /* home point, image of the candidates */
    int64_t n;    /* candidates; vectors may reach beyond, where points are too far */
    int64_t skip; /* so many at the start do not count */
    const hg_pair_pass *pass;
} run;

/* Bits to or into the squared distances of a vector, skip of which do not count: infinity (or
 * no number) for those. Read from LANES_MAX - skip. */
#define FAR 0x7FF0000000000000
static const int64_t skipped[2 * LANES_MAX] = {FAR, FAR, FAR, FAR, FAR, FAR, FAR, FAR};

#define DEFINE_RUN(lanes)                                                                     \
    typedef double vector##lanes                                                              \
        __attribute__((vector_size((lanes) * sizeof(double)), aligned(8), may_alias));        \
    typedef int64_t integers##lanes                                                           \
        __attribute__((vector_size((lanes) * sizeof(int64_t)), aligned(8), may_alias));       \
                                                                                              \
    INLINE void count_run##lanes(const run *r, bool projected,                                \
                                 int64_t count[HG_PAIR_EDGES][LANES_MAX])                     \
    {                                                                                         \
        typedef vector##lanes vector;                                                         \
        typedef integers##lanes integers;                                                     \
        const integers magnitude = (integers){0} + INT64_MAX, infinite = (integers){0} + FAR; \
        const vector e0 = (vector){0} + r->pass->edge2[0],                                    \
                     e1 = (vector){0} + r->pass->edge2[1];                                    \
        const vector e2 = (vector){0} + r->pass->edge2[2],                                    \
                     e3 = (vector){0} + r->pass->edge2[3];                                    \
        const vector limit = (vector){0} + r->pass->limit;                                    \
        integers n0 = *(integers *)count[0], n1 = *(integers *)count[1];                      \
        integers n2 = *(integers *)count[2], n3 = *(integers *)count[3];                      \
                                                                                              \
        for (int64_t j = 0; j < r->n; j += (lanes)) {                                         \
            vector dx = (r->at[0] - *(const vector *)(r->x + j)) - r->shift[0];               \
            vector dy = (r->at[1] - *(const vector *)(r->y + j)) - r->shift[1];               \
            vector dz = (r->at[2] - *(const vector *)(r->z + j)) - r->shift[2];               \
            vector d2 = dx * dx + dy * dy;                                                    \
                                                                                              \
            if (projected) {                                                                  \
                integers near = (vector)((integers)dz & magnitude) < limit;                   \
                                                                                              \
                d2 = (vector)((integers)d2 | (~near & infinite));                             \
            } else {                                                                          \
                d2 += dz * dz;                                                                \
            }                                                                                 \
            if (j < r->skip) {                                                                \
                const int64_t out = r->skip - j < (lanes) ? r->skip - j : (lanes);            \
                                                                                              \
                d2 = (vector)((integers)d2 | *(const integers *)(skipped + LANES_MAX - out)); \
            }                                                                                 \
            n0 += (integers)(d2 < e0);                                                        \
            n1 += (integers)(d2 < e1);                                                        \
            n2 += (integers)(d2 < e2);                                                        \
            n3 += (integers)(d2 < e3);                                                        \
        }                                                                                     \
        *(integers *)count[0] = n0;                                                           \
        *(integers *)count[1] = n1;                                                           \
        *(integers *)count[2] = n2;                                                           \
        *(integers *)count[3] = n3;                                                           \
    }

DEFINE_RUN(2)
DEFINE_RUN(4)
DEFINE_RUN(8)

/* Window and loop for all points of the home column. */
INLINE void
count_columns(const hg_pair_columns *c, const hg_pair_pass *pass, bool projected, int lanes,
              int64_t below[])
{
    const hg_cells *cells = c->cells;
    int64_t count[HG_PAIR_EDGES][LANES_MAX] = {{0}};

    for (int64_t i = c->home[0]; i < c->home[cells->depth]; i++) {
        const double rest = pass->edge2[HG_PAIR_EDGES - 1] - hg_pair_least2(c, i);

        if (!(rest > 0)) {
            continue;
        }
        for (int image = c->same ? 0 : -1; image <= 1; image++) {
            run r = {.at = {cells->x[i], cells->y[i], cells->z[i]},
                     .shift = {c->shift[0], c->shift[1], image * cells->box},
                     .pass = pass};
            int64_t first, end;

            hg_pair_window(c, i, projected ? pass->limit : sqrt(rest), image, &first, &end);
            if (c->same && image == 0 && first <= i) {
                first = i + 1;
                r.skip = first % lanes;
            }
            if (first >= end) {
                continue;
            }
            first -= first % lanes;
            r.x = cells->x + first;
            r.y = cells->y + first;
            r.z = cells->z + first;
            r.n = end - first;
            if (lanes == 8) {
                count_run8(&r, projected, count);
            } else if (lanes == 4) {
                count_run4(&r, projected, count);
            } else {
                count_run2(&r, projected, count);
            }
        }
    }
    for (int k = 0; k < HG_PAIR_EDGES; k++) {
        for (int lane = 0; lane < LANES_MAX; lane++) {
            below[k] -= count[k][lane];
        }
    }
}

#define VARIANT(name, attribute, lanes)                                                  \
    attribute static void count_space_##name(const hg_pair_columns *columns,             \
                                             const hg_pair_pass *pass, int64_t below[])  \
    {                                                                                    \
        count_columns(columns, pass, false, lanes, below);                               \
    }                                                                                    \
    attribute static void count_across_##name(const hg_pair_columns *columns,            \
                                              const hg_pair_pass *pass, int64_t below[]) \
    {                                                                                    \
        count_columns(columns, pass, true, lanes, below);                                \
    }

VARIANT(plain, , 2)
#ifdef __x86_64__
VARIANT(avx2, __attribute__((target("avx2"))), 4)
VARIANT(avx512, __attribute__((target("avx512f,avx512dq,avx512vl"))), 8)
#endif

int
hg_pair_kernels(bool projected, hg_pair_counter variant[HG_PAIR_VARIANTS])
{
    int n = 0;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        variant[n++] = projected ? count_across_avx512 : count_space_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        variant[n++] = projected ? count_across_avx2 : count_space_avx2;
    }
#endif
    variant[n++] = projected ? count_across_plain : count_space_plain;
    return n;
}
