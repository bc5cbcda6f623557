/** Tracers around points of a periodic box: counts in spheres and distances, exact and the same
 * for any number of ranks, threads and any order of rows. Layer: features.
 */
#ifndef HG_FEATURES_NEIGHBOURS_H
#define HG_FEATURES_NEIGHBOURS_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

enum { HG_NEIGHBOURS_MAX = 64 };

/** Points of this rank: those asked about, or the tracers around them. */
typedef struct hg_places {
    int64_t n;
    const double (*position)[3]; /**< shape (n), any finite values; folded into the box */
    const double *mass;          /**< shape (n), or NULL where no mass is needed */
} hg_places;

/** What a box is searched for. */
typedef struct hg_neighbourhood {
    double box;  /**< side of the periodic cube */
    double self; /**< tracers at this distance or nearer are the point itself and do not count;
                      negative = all count */
} hg_neighbourhood;

/** Count tracers nearer than each of some radii, and sum their masses.
 *
 * @collective{comm}
 * @param[in]  n_radius  at most HG_NEIGHBOURS_MAX
 * @param[in]  radius    shape (n_radius), ascending, the last at most half the box
 * @param[in]  point     of this rank; no mass needed
 * @param[in]  tracer    of this rank; each counts once
 * @param[out] count     shape (point->n, n_radius)
 * @param[out] mass      shape (point->n, n_radius), exact to 2^-32 of the largest mass or
 * better; NULL on all ranks = not wanted, then tracers need no mass
 * @return HG_OK; HG_E_ARG for radii beyond half the box; HG_E_INPUT for a position that is not
 * finite; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_neighbours_count(const hg_comm *comm, const hg_neighbourhood *where,
                                            int n_radius, const double radius[],
                                            const hg_places *point, const hg_places *tracer,
                                            double count[], double mass[]);

/** Distances to the N-th nearest tracers.
 *
 * @collective{comm}
 * @param[in]  n_rank    at most HG_NEIGHBOURS_MAX
 * @param[in]  rank      shape (n_rank); N, from 1 to HG_NEIGHBOURS_MAX
 * @param[in]  farthest  distances from here on are given as this
 * @param[out] distance  shape (point->n, n_rank)
 * @return as hg_neighbours_count()
 */
HG_MUST_CHECK hg_status hg_neighbours_distance(const hg_comm *comm,
                                               const hg_neighbourhood *where, int n_rank,
                                               const int rank[], double farthest,
                                               const hg_places *point, const hg_places *tracer,
                                               double distance[]);

/** Distances to the nearest tracer of more mass than a point.
 *
 * @collective{comm}
 * @param[in]  farthest  distances from here on are given as this
 * @param[in]  point     with masses
 * @param[in]  tracer    with masses
 * @param[out] distance  shape (point->n)
 * @return as hg_neighbours_count()
 */
HG_MUST_CHECK hg_status hg_neighbours_massive(const hg_comm *comm,
                                              const hg_neighbourhood *where, double farthest,
                                              const hg_places *point, const hg_places *tracer,
                                              double distance[]);

/** Sum of all masses, as integers, so that it does not depend on ranks and order.
 *
 * @collective{comm}
 * @param[in]  tracer  with or without masses
 * @param[out] sum     in the unit of the masses; 0 without
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_neighbours_total(const hg_comm *comm, const hg_places *tracer,
                                            double *sum);

#endif
