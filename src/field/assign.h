/** Weights of the cells a point touches along one axis, for painting and for reading out.
 *
 * Inlined into loops that know the order, so that their trip counts are constant. Layer: field.
 */
#ifndef HG_FIELD_ASSIGN_H
#define HG_FIELD_ASSIGN_H

#include <stdint.h>

#define HG_ALWAYS_INLINE static inline __attribute__((always_inline))

/** Weights of the `order` cells touched along one axis, and the first of them, which may lie up
 * to one cell outside.
 *
 * @local
 * @param[in]  order  1 (NGP) to 4 (PCS)
 * @param[in]  u      coordinate in cells, not negative
 * @param[out] w      the first `order` are filled; their sum is 1
 * @source Hockney & Eastwood 1981; Sefusatti et al. 2016 (arXiv:1512.07295)
 */
HG_ALWAYS_INLINE int64_t
hg_assign_axis(const int order, double u, double w[4])
{
    int64_t i = (int64_t)(order == 1 || order == 3 ? u + 0.5 : u);
    double d = u - (double)i, e = 1 - d;

    switch (order) {
    case 1:
        w[0] = 1;
        return i;
    case 2:
        w[0] = e;
        w[1] = d;
        return i;
    case 3:
        w[0] = 0.5 * (0.5 - d) * (0.5 - d);
        w[1] = 0.75 - d * d;
        w[2] = 0.5 * (0.5 + d) * (0.5 + d);
        return i - 1;
    default:
        w[0] = e * e * e * (1.0 / 6);
        w[1] = (4 + d * d * (3 * d - 6)) * (1.0 / 6);
        w[2] = (4 + e * e * (3 * e - 6)) * (1.0 / 6);
        w[3] = d * d * d * (1.0 / 6);
        return i - 1;
    }
}

/** An index at most n outside [0, n), folded into it.
 *
 * @local
 */
HG_ALWAYS_INLINE int64_t
hg_assign_wrap(int64_t i, int64_t n)
{
    return i < 0 ? i + n : i >= n ? i - n : i;
}

#endif
