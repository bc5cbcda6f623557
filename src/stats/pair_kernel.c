/* Eight candidates at a time, as vectors of the compiler: their squared distances are compared
 * with four squared edges, and the counters are vectors too, so nothing is summed across lanes
 * before the end of a column. Four edges per pass and a window that fits the largest of them:
 * small separations are looked for in small windows only. No variant contracts products and
 * sums, so all give the same distances. */
#include "stats/pair_kernel.h"

#include <math.h>

enum { LANES = HG_CELLS_ALIGN };

typedef double vector __attribute__((vector_size(LANES * sizeof(double)), may_alias));
typedef int64_t integers __attribute__((vector_size(LANES * sizeof(int64_t))));

#define INLINE static inline __attribute__((always_inline))

/* Window and loop for all points of the home column. */
INLINE void
count_columns(const hg_pair_columns *c, const hg_pair_pass *pass, bool projected,
              int64_t below[])
{
    static const integers lane = {0, 1, 2, 3, 4, 5, 6, 7};
    const integers infinite = (integers){0} + 0x7FF0000000000000; /* or-ed: inf or no number */
    const integers magnitude = (integers){0} + INT64_MAX;
    const vector limits = (vector){0} + pass->limit;
    const hg_cells *cells = c->cells;
    const double e0 = pass->edge2[0], e1 = pass->edge2[1], e2 = pass->edge2[2];
    const double e3 = pass->edge2[3], limit = pass->limit;
    integers n0 = {0}, n1 = {0}, n2 = {0}, n3 = {0};

    for (int64_t i = c->home[0]; i < c->home[cells->depth]; i++) {
        const double rest = e3 - hg_pair_least2(c, i);
        const double xi = cells->x[i], yi = cells->y[i], zi = cells->z[i];
        const double sx = c->shift[0], sy = c->shift[1];
        double span = limit;

        if (!(rest > 0)) {
            continue;
        }
        if (!projected) {
            span = sqrt(rest);
        }
        for (int image = c->same ? 0 : -1; image <= 1; image++) {
            const double sz = image * cells->box;
            const bool is_half = c->same && image == 0;
            int64_t first, end;

            hg_pair_window(c, i, span, image, &first, &end);
            if (first >= end) {
                continue;
            }
            first = is_half && first <= i ? i + 1 : first;
            first -= first % LANES;
            for (int64_t j = first; j < end; j += LANES) {
                vector dx = (xi - *(const vector *)(cells->x + j)) - sx;
                vector dy = (yi - *(const vector *)(cells->y + j)) - sy;
                vector dz = (zi - *(const vector *)(cells->z + j)) - sz;
                vector d2 = dx * dx + dy * dy;

                if (projected) {
                    integers near = (vector)((integers)dz & magnitude) < limits;

                    d2 = (vector)((integers)d2 | (~near & infinite));
                } else {
                    d2 += dz * dz;
                }
                if (is_half && j <= i) {
                    d2 = (vector)((integers)d2 |
                                  ((lane < (integers){0} + (i - j + 1)) & infinite));
                }
                n0 += (integers)(d2 < e0);
                n1 += (integers)(d2 < e1);
                n2 += (integers)(d2 < e2);
                n3 += (integers)(d2 < e3);
            }
        }
    }
    for (int k = 0; k < LANES; k++) {
        below[0] -= n0[k];
        below[1] -= n1[k];
        below[2] -= n2[k];
        below[3] -= n3[k];
    }
}

#define VARIANT(name, attribute)                                                         \
    attribute static void count_space_##name(const hg_pair_columns *columns,             \
                                             const hg_pair_pass *pass, int64_t below[])  \
    {                                                                                    \
        count_columns(columns, pass, false, below);                                      \
    }                                                                                    \
    attribute static void count_across_##name(const hg_pair_columns *columns,            \
                                              const hg_pair_pass *pass, int64_t below[]) \
    {                                                                                    \
        count_columns(columns, pass, true, below);                                       \
    }

VARIANT(plain, )
#ifdef __x86_64__
VARIANT(avx2, __attribute__((target("avx2"))))
VARIANT(avx512, __attribute__((target("avx512f,avx512dq,avx512vl"))))
#endif

hg_pair_counter
hg_pair_kernel(bool projected)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return projected ? count_across_avx512 : count_space_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return projected ? count_across_avx2 : count_space_avx2;
    }
#endif
    return projected ? count_across_plain : count_space_plain;
}
