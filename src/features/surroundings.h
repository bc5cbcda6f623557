/** The columns of an environment recipe at points, from tracers. Layer: features. */
#ifndef HG_FEATURES_SURROUNDINGS_H
#define HG_FEATURES_SURROUNDINGS_H

#include <stdint.h>

#include "features/environment.h"
#include "features/neighbours.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** Where tracers and points are, and how dense tracers are there on the mean. */
typedef struct hg_surroundings {
    double box;     /**< side of the periodic box, Mpc */
    double density; /**< tracers per Mpc^3 */
    double mass;    /**< mass of tracers, Msun per Mpc^3; unused without masses */
} hg_surroundings;

/** Points of this rank. */
typedef struct hg_surrounded {
    hg_places at;
    const unsigned char *is_tracer; /**< shape (at.n): is among the tracers; its own share of a
                                         smoothed field is taken off where self is excluded */
} hg_surrounded;

/** Check that a box allows a recipe.
 *
 * @local
 * @param[in] box  Mpc
 * @return HG_OK; HG_E_PARAM naming radius, mesh and what would do
 */
HG_MUST_CHECK hg_status hg_surroundings_check(const hg_environment *e, double box);

/** Compute all columns.
 *
 * @collective{comm}
 * @param[in]  where   box and mean densities
 * @param[in]  tracer  of this rank, with masses where the recipe has some
 * @param[in]  point   of this rank, likewise
 * @param[out] value   shape (point->at.n, e->n_column); the same bits for any number of ranks
 * @return HG_OK; HG_E_PARAM as hg_surroundings_check(); HG_E_INPUT without tracers; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_surroundings_compute(const hg_comm *comm, const hg_environment *e,
                                                const hg_surroundings *where,
                                                const hg_places *tracer,
                                                const hg_surrounded *point, float value[]);

#endif
