/** Where the matter of a region came from: points in Lagrangian space for codes that make
 * initial conditions. Layer: design. */
#ifndef HG_DESIGN_HULL_H
#define HG_DESIGN_HULL_H

#include "design/survey.h"
#include "halograft/cosmology.h"
#include "store/bundle.h"

/** Points of one region. */
typedef struct hg_design_hull {
    int64_t n;
    double (*point)[3]; /**< shape (n); Mpc, in [0, box); owned */
    bool is_sphere;     /**< the Eulerian sphere, grown, since nothing better was known */
} hg_design_hull;

/** Points whose convex hull holds the Lagrangian region of each sphere.
 *
 * With velocities: every central within Design.grow radii goes back to q = x - v / (a H f),
 * with six points one Lagrangian radius (3 M / 4 pi rho_mean)^(1/3) away from it along the
 * axes. Otherwise, or with fewer than 4 centrals: points on the sphere of radius Design.grow
 * times radius times (1 + delta)^(1/3), where that is more than 1.
 *
 * @collective{comm}
 * @param[in]  n      regions
 * @param[in]  place  shape (n)
 * @param[in]  delta  shape (n); overdensities
 * @param[out] hull   shape (n); the points on rank 0; release each with hg_design_hull_clear(),
 *                    also after a failure
 * @return HG_OK; HG_E_NOTFOUND without velocities where Design.hull asks for them; HG_E_INPUT
 * when the parent does not tell its cosmology; HG_E_MEMORY
 * @source Zel'dovich 1970, A&A 5, 84
 */
HG_MUST_CHECK hg_status hg_design_hulls_make(const hg_comm *comm, hg_design_survey *survey,
                                             int n, const hg_design_place place[],
                                             const double delta[], hg_design_hull hull[]);
void hg_design_hull_clear(hg_design_hull *hull);

/** Write one point per line, three numbers in units of the box, as MUSIC reads with
 * `region_point_file`.
 *
 * @local
 * @param[in]     box     Mpc
 * @param[in,out] bundle  publishes the file
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_hull_write(const hg_design_hull *hull, double box,
                                             const char *path, hg_bundle *bundle);

/** Cosmology of the parent, of a flat universe where it does not tell.
 *
 * @local
 * @return whether Omega_m and h are known
 */
bool hg_design_cosmology(const hg_frame *frame, hg_cosmology *cosmology);

#endif
