/** Everything about a mock universe that follows from its parameters alone: mass bins, how each
 * is placed, and the variances of its mesh. The same on every rank. Layer: mock.
 */
#ifndef HG_MOCK_PLAN_H
#define HG_MOCK_PLAN_H

#include <stdint.h>

#include "cosmo/peak_selection.h"
#include "halograft/cosmology.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "halograft/table.h"

enum { HG_MOCK_LEVELS = 24 };

/** Haloes of 0.1 dex in M200c. */
typedef struct hg_mock_bin {
    double low;      /**< Msun */
    double high;     /**< Msun */
    double above[2]; /**< n(>low) and n(>high) per Mpc^3 */
    double expected; /**< mean number in the box */
    int level;       /**< smoothing that places them */
    hg_peak_selection selection;
    double environment_mean; /**< of the environment's overdensity over their cells */
    double environment_rms;
} hg_mock_bin;

typedef struct hg_mock_plan {
    const hg_params_mock *param; /**< borrowed */
    hg_cosmology cosmology;
    double box; /**< Mpc */
    double redshift;
    double scale_factor;
    int mesh;
    uint64_t seed;
    double shift[2]; /**< theta of the law: dex of stellar mass, log odds of quenching */
    hg_mass_function *abundance;
    double *variance; /**< of the modes, by n^2 */
    int n_bin;
    hg_mock_bin *bin;
    int n_level;
    double radius[HG_MOCK_LEVELS]; /**< Mpc, of each level's top hat */
    double rms[HG_MOCK_LEVELS];    /**< of the overdensity in it, on this mesh */
} hg_mock_plan;

/** Cosmology of the parameters.
 *
 * @local
 */
hg_cosmology hg_mock_cosmology(const hg_params_mock *param);

/** Plan a universe.
 *
 * @local
 * @param[in]  param      borrowed for the life of the plan
 * @param[in]  cosmology  may differ from that of the parameters (small boxes)
 * @param[in]  box        side in Mpc
 * @param[in]  mesh       cells per side, even
 * @param[in]  seed       of this universe
 * @param[out] plan       owned by the caller, free with hg_mock_plan_free()
 * @return HG_OK; HG_E_ARG; HG_E_PARAM; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mock_plan_create(const hg_params_mock *param,
                                            const hg_cosmology *cosmology, double box, int mesh,
                                            uint64_t seed, hg_mock_plan **plan);
void hg_mock_plan_free(hg_mock_plan *plan);

/** Place of a cell on a cubic mesh whose last index runs fastest.
 *
 * @local
 * @param[in]  cell   0 <= cell < mesh^3
 * @param[in]  mesh   cells per side
 * @param[out] place  shape (3); whole numbers, in cells
 */
void hg_mock_cell_place(int64_t cell, int64_t mesh, double place[3]);

/** What holds for all rows of the universe's catalogues.
 *
 * @local
 */
hg_frame hg_mock_plan_frame(const hg_mock_plan *plan);

#endif
