/** The region table: which zooms there are, where they lie in the parent, and what they weigh.
 *
 * CSV with a header line:
 * region,run,hydro,dmo,hydro_ids,dmo_ids,match,twin,x,y,z,radius,weight,
 * delta,redshift,own_x,own_y,own_z,boundary,boundary_radius. Files are relative to the table's
 * folder; centre and radii in comoving Mpc in the parent's frame.
 * Only `region` and `hydro` must be there. Layer: suite.
 */
#ifndef HG_SUITE_REGIONS_H
#define HG_SUITE_REGIONS_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/table.h"

/** One row; NAN where a number is absent. */
typedef struct hg_region {
    int64_t region;
    char run[64];
    char hydro[1024];
    char dmo[1024];
    char hydro_ids[1024]; /**< lists of particles of the objects in `hydro`; "" = none */
    char dmo_ids[1024];   /**< of those in `dmo` */
    char match[1024];     /**< table of pairs; "" = where `match` writes it */
    char twin[1024]; /**< catalogue of a run that differs in the galaxies' seed; "" = none */
    char boundary[1024]; /**< tracers of the environment around the region; "" = none */
    double centre[3];
    double own[3]; /**< the same in the frame of the files, where that is another */
    double radius;
    double boundary_radius; /**< up to which the tracers of `boundary` are complete */
    double weight;
    double delta;
    double redshift;
} hg_region;

/** Read a region table on rank 0 and share it.
 *
 * @collective{comm}
 * @param[in]  path     table
 * @param[in]  run      name of the simulation for rows that have none
 * @param[out] n        number of regions
 * @param[out] regions  shape (n); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT naming line and column; HG_E_INPUT for an empty
 * table, a region that is listed twice at one redshift, or without one, or radii that cannot be
 */
HG_MUST_CHECK hg_status hg_regions_read(const hg_comm *comm, const char *path, const char *run,
                                        int *n, hg_region **regions);

/** Whether a point lies inside the radius of a region; always, when the region has no radius.
 *
 * @local
 * @param[in] box       side of the periodic box in Mpc; NAN when not periodic
 * @param[in] position  shape (3), Mpc, in the parent's frame
 */
bool hg_region_holds(const hg_region *region, double box, const double position[3]);

/** Drop the rows outside a region, by their column position; all stay where there is no region,
 * no radius or no such column.
 *
 * @local
 * @param[in]     region  may be NULL
 * @param[in]     table   in the frame of its catalogue
 * @param[in,out] keep    shape (table->n); becomes 0 for the rows outside
 */
void hg_region_cut(const hg_region *region, const hg_table *table, uint8_t keep[]);

/** Whether a region is listed more than once, at several redshifts.
 *
 * @local
 */
bool hg_regions_repeats(int n, const hg_region regions[], int i);

/** Effective number of regions, (sum w)^2 / sum w^2.
 *
 * @local
 */
double hg_regions_effective(int n, const hg_region regions[]);

#endif
