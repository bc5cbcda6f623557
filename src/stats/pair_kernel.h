/** The loops over two columns of points, in variants for the vectors of the machine. Layer:
 * stats.
 */
#ifndef HG_STATS_PAIR_KERNEL_H
#define HG_STATS_PAIR_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "table/cells.h"

enum { HG_PAIR_EDGES = 4 }; /* edges that are compared in one pass */

/** Points of a home column against those of one column near it. */
typedef struct hg_pair_columns {
    const hg_cells *cells;
    const int64_t *home, *near; /**< first points of the cells, as hg_cells_column() */
    double shift[2];            /**< image of the near column, in lengths */
    double low[2], high[2];     /**< a little more than the ground of the near column */
    bool same;                  /**< the near column is the home column: j > i */
} hg_pair_columns;

/** One pass: how many pairs are below each of four squared edges. */
typedef struct hg_pair_pass {
    double edge2[HG_PAIR_EDGES]; /**< the last is the largest; 0 counts nothing */
    bool projected;              /**< distance across the columns, with |dz| < limit */
    double limit;
} hg_pair_pass;

/** Add the numbers of unordered pairs below the edges.
 *
 * @local
 * @param[in,out] below  shape (HG_PAIR_EDGES)
 */
typedef void (*hg_pair_counter)(const hg_pair_columns *columns, const hg_pair_pass *pass,
                                int64_t below[]);

enum { HG_PAIR_VARIANTS = 3 };

/** The variants this machine can run, the fastest first; all give the same counts.
 *
 * @local
 * @param[in]  projected  false for distances in space
 * @param[out] variant    shape (HG_PAIR_VARIANTS)
 * @return their number, at least 1
 */
int hg_pair_kernels(bool projected, hg_pair_counter variant[HG_PAIR_VARIANTS]);

/** Range of points of the near column whose z lies within `span` of that of a home point.
 *
 * @local
 * @param[in]  i      home point
 * @param[in]  span   not negative
 * @param[in]  image  -1, 0 or 1: copy of the near column along z
 * @param[out] first, end  points; empty when first >= end
 */
static inline void
hg_pair_window(const hg_pair_columns *c, int64_t i, double span, int image, int64_t *first,
               int64_t *end)
{
    const hg_cells *cells = c->cells;
    const double box = cells->box, scale = (double)cells->depth / box;
    const double z = cells->z[i] - image * box, pad = span + 1e-9 * box;
    const double low = (z - pad) * scale, high = (z + pad) * scale;

    if (high < 0 || low >= (double)cells->depth) {
        *first = *end = 0;
        return;
    }
    *first = c->near[low > 0 ? (int64_t)low : 0];
    *end = c->near[high < (double)(cells->depth - 1) ? (int64_t)high + 1 : cells->depth];
}

/** Square of the smallest distance across the columns from a home point to the near column.
 *
 * @local
 */
static inline double
hg_pair_least2(const hg_pair_columns *c, int64_t i)
{
    const double x = c->cells->x[i], y = c->cells->y[i];
    double dx = x < c->low[0] ? c->low[0] - x : x > c->high[0] ? x - c->high[0] : 0;
    double dy = y < c->low[1] ? c->low[1] - y : y > c->high[1] ? y - c->high[1] : 0;

    return dx * dx + dy * dy;
}

#endif
