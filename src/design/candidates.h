/** Where zoom regions could be: spheres about random points and about the most massive haloes,
 * and which of them hold a point. Layer: design. */
#ifndef HG_DESIGN_CANDIDATES_H
#define HG_DESIGN_CANDIDATES_H

#include "design/gain.h"
#include "halograft/params.h"
#include "suite/regions.h"

/** A rare object of the parent. */
typedef struct hg_design_peak {
    double mass; /**< Msun */
    int64_t row; /**< of the parent */
    double centre[3];
} hg_design_peak;

enum { HG_DESIGN_GIVEN, HG_DESIGN_RANDOM, HG_DESIGN_PEAK };

/** Regions that are there, then candidates, in a mesh for finding them; {0} is a valid empty
 * one. */
typedef struct hg_design_candidates {
    int n, n_given;
    hg_design_place *place; /**< shape (n) */
    int *kind;              /**< shape (n); HG_DESIGN_... */
    double box;             /**< Mpc */
    int n_side;             /**< cells per side of the mesh */
    int *start;             /**< shape (n_side^3 + 1) */
    int *member;            /**< shape (n); candidates by cell */
} hg_design_candidates;

/** Merge lists of rare objects: the most massive first, of equals the lower row first.
 *
 * @local
 * @param[in,out] n     objects; at most `most` on return
 * @param[in]     most  objects to keep
 * @param[in,out] peak  shape (n)
 */
void hg_design_peaks_keep(int64_t *n, int64_t most, hg_design_peak peak[]);

/** List the regions of a table that have a place, and candidates of every radius of
 * Design.radii about Design.candidates random points and about the peaks.
 *
 * @local
 * @param[in]  box         side of the parent, Mpc
 * @param[in]  n_region    regions of the table; of one at several redshifts the first counts
 * @param[in]  region      shape (n_region)
 * @param[in]  n_peak      peaks
 * @param[in]  peak        shape (n_peak)
 * @param[out] candidates  release with hg_design_candidates_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for a radius above half the box, or more regions wanted than
 * candidates; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_candidates_make(const hg_params *params, double box,
                                                  int n_region, const hg_region region[],
                                                  int64_t n_peak, const hg_design_peak peak[],
                                                  hg_design_candidates *candidates);
void hg_design_candidates_clear(hg_design_candidates *candidates);

/** Spheres that hold a point.
 *
 * @local
 * @param[in]  position  shape (3); Mpc, in [0, box)
 * @param[out] found     shape (candidates->n); their numbers
 * @return how many there are
 */
int hg_design_candidates_at(const hg_design_candidates *candidates, const double position[3],
                            int found[]);

/** Squared distance of two points in a periodic box.
 *
 * @local
 * @param[in] box  Mpc
 * @return Mpc^2
 */
double hg_design_distance2(double box, const double a[3], const double b[3]);

#endif
