/** Points of a periodic cube in columns of cells, dealt to ranks with the ghosts they need.
 *
 * The cube is cut into side x side columns along z, each into `depth` cells. A rank owns a
 * rectangle of columns, chosen so that the estimated work is equal, and holds copies (ghosts)
 * of the columns within reach of it. Points keep their folded coordinates; that a column stands
 * beyond the edge of the box is told by an integer image, so differences are formed from the
 * same numbers on every rank. The grid depends on box, reach and the number of points alone.
 * Layer: table.
 */
#ifndef HG_TABLE_CELLS_H
#define HG_TABLE_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** Columns start at multiples of this many points; the room between holds points at infinity.
 */
enum { HG_CELLS_ALIGN = 8 };

/** What is searched for around each point. */
typedef struct hg_cells_search {
    double box;     /**< side of the periodic cube */
    double reach;   /**< largest separation across the columns, 0 < reach <= box / 2 */
    double reach_z; /**< largest separation along the columns, 0 < reach_z <= box / 2 */
    bool half; /**< ghosts on one side only: each pair is met once, see hg_cells_offset() */
} hg_cells_search;

/** Points of this rank, in one group or two that are kept apart (for cross counts). */
typedef struct hg_cells_points {
    int64_t n;
    const double (*position)[3]; /**< shape (n), any finite values; folded into the box */
    const double *weight;        /**< shape (n), or NULL for 1 */
} hg_cells_points;

/** Columns and points of this rank. */
typedef struct hg_cells {
    double box;
    int64_t side;            /**< columns along x and along y */
    int64_t depth;           /**< cells per column */
    int reach;               /**< columns to look at in each direction */
    bool half;               /**< ghosts on one side only */
    int64_t low[2], high[2]; /**< own columns: low <= index < high on both axes */
    int n_group;             /**< groups of points, 1 or 2 */
    int32_t n_column;        /**< columns with points held here */
    int32_t *local;          /**< shape (side, side): place of a column here, -1 = none */
    int64_t *first;    /**< shape (n_column, n_group, depth + 1): first point of each cell */
    int64_t n_slot;    /**< length of the arrays below; gaps hold points at infinity */
    double *x, *y, *z; /**< folded to [0, box) */
    double *weight;    /**< 1 where none were given */
    int64_t *id;       /**< global row number within its group */
    int64_t n_own, n_ghost;    /**< points */
    double work_own, work_all; /**< estimated work of this rank and of all */
} hg_cells;

/** Sort points into columns, dealing them to ranks. Points of a cell stand in the order of
 * their global rows.
 *
 * @collective{comm}
 * @param[in]  search   the same on all ranks
 * @param[in]  n_group  1 or 2
 * @param[in]  points   shape (n_group), of this rank
 * @param[out] cells    release with hg_cells_clear()
 * @return HG_OK; HG_E_ARG for a reach beyond half the box; HG_E_INPUT for a position that is
 * not finite; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_cells_create(const hg_comm *comm, const hg_cells_search *search,
                                        int n_group, const hg_cells_points points[],
                                        hg_cells *cells);
void hg_cells_clear(hg_cells *cells);

/** Largest memory of hg_cells_create() for points spread evenly; what stays is less than half.
 *
 * @local
 * @param[in] share  points of each rank, of all groups
 * @param[in] reach  across the columns, in units of the box, with `half`
 * @param[in] ranks  number of ranks
 * @return bytes per rank
 */
double hg_cells_bytes(double share, double reach, int ranks);

/** A coordinate folded to [0, box).
 *
 * @local
 */
double hg_cells_fold(double x, double box);

/** Cells of a column (x, y), which may lie up to one box outside.
 *
 * @local
 * @param[in]  ix, iy  -side <= index < 2 side
 * @param[in]  group   0, or 1 where there are two
 * @param[out] image   shape (2); boxes to add to the coordinates of its points
 * @return shape (depth + 1), first points of its cells and the end; NULL when the column is
 * empty or not held here
 */
const int64_t *hg_cells_column(const hg_cells *cells, int64_t ix, int64_t iy, int group,
                               int image[2]);

/** Offset number k of the columns to look at around a column; 0 is the column itself. With
 * `half`, each pair of columns is met from one side only.
 *
 * @local
 * @param[out] offset  shape (2)
 * @return false when there is no k-th offset
 */
bool hg_cells_offset(const hg_cells *cells, int k, int offset[2]);

#endif
