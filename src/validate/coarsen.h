/** Haloes as a simulation of heavier particles would have seen them. Layer: validate. */
#ifndef HG_VALIDATE_COARSEN_H
#define HG_VALIDATE_COARSEN_H

#include "halograft/params.h"
#include "halograft/table.h"
#include "suite/recipes.h"

/** What is asked for; {0} asks for nothing, release with hg_coarsening_clear(). */
typedef struct hg_coarsening {
    const hg_params *params;
    const hg_recipes *features;
    hg_expression *mass; /**< whose particles are counted */
    int n;               /**< coarser particle masses; 0 = none */
    int n_value; /**< values per row: of each mass all features and whether it is lost */
} hg_coarsening;

/** Read the parameters.
 *
 * @local
 * @param[in]  features    borrowed
 * @param[out] coarsening  release with hg_coarsening_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for an expression that cannot be read
 */
HG_MUST_CHECK hg_status hg_coarsening_open(const hg_params *params, const hg_recipes *features,
                                           hg_coarsening *coarsening);
void hg_coarsening_clear(hg_coarsening *coarsening);

/** Coarser particle mass k, Msun, and the factor to it.
 *
 * @local
 * @param[in] particle_mass  of the catalogue, Msun, where Validate.particle_mass is not given
 * @return the factor, at least 1; HG_E_INPUT without a particle mass; HG_E_PARAM for particles
 * lighter than those of the catalogue
 */
HG_MUST_CHECK hg_status hg_coarsening_factor(const hg_coarsening *coarsening, int k,
                                             double particle_mass, double *mass,
                                             double *factor);

/** How a column is made coarser, in words; NULL for one that stays as it is.
 *
 * @local
 */
const char *hg_coarsening_rule(const char *column);

/** The features of haloes of f times heavier particles.
 *
 * A halo of N particles keeps each with probability 1/f: N' = N/f + sqrt(N/f (1 - 1/f)) g,
 * rounded, g a standard normal number. Its masses are N' particles, those of a host with a
 * number of the host; masses of the past have numbers of their own. Radii of overdensities
 * go with the cube root of their mass, the potential energy with the square of the mass. What
 * is measured with N' particles gets a relative error k sqrt((1 - 1/f)/N'): k = 1 for half-mass
 * radii, 0.41 for velocity dispersions, 0.91 for maximum circular velocities. The latter also
 * fall by [1 + (e/r)^2]^(-1/2), e the softening and r their radius, over the same at the
 * softening of the catalogue; e grows with the cube root of f. A halo is lost when N' is below
 * Validate.particles_min. Numbers are keyed by halo, so that they are the same for any ranks.
 *
 * @local
 * @param[in]  table   rows with the columns of the features
 * @param[in]  key     shape (rows) of haloes
 * @param[in]  place   shape (rows) of runs and regions
 * @param[in]  stride  distance between rows in `value`
 * @param[out] value   shape (rows, n_value) at that stride; lost haloes keep their features
 * @return HG_OK; HG_E_NOTFOUND; HG_E_INPUT; HG_E_MEMORY
 * @source variance of a quantile: Cramer 1946, Mathematical Methods of Statistics, 28.5, for a
 * radius that holds half the mass where M grows as r; of a dispersion from 3 N' components
 * sigma/sqrt(6 N'); V^2 = G M(<r)/r with 0.3 N' particles within r (NFW of concentration 10);
 * softening: Springel et al. 2008, MNRAS 391, 1685, section 3
 */
HG_MUST_CHECK hg_status hg_coarsening_evaluate(const hg_coarsening *coarsening,
                                               const hg_table *table, const uint64_t key[],
                                               const uint64_t place[], size_t stride,
                                               double value[]);

#endif
