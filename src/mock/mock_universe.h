/** A mock universe in memory: its plan, its rows on this rank, and its smoothed matter.
 *
 * Layer: mock.
 */
#ifndef HG_MOCK_UNIVERSE_H
#define HG_MOCK_UNIVERSE_H

#include "halograft/comm.h"
#include "mock/mock_rows.h"
#include "suite/regions.h"

typedef struct hg_mock_universe {
    hg_mock_plan *plan;
    int64_t n;        /**< rows on this rank, in global order over ranks */
    hg_mock_row *row; /**< shape (n) */
    int n_point;      /**< lattice points per side of the matter, 0 = none */
    float *delta;     /**< shape (n_point^3); overdensity in the zoom radius, on all ranks */
} hg_mock_universe;

/** Make a universe.
 *
 * @collective{comm}
 * @param[in]  cosmology  its cosmology
 * @param[in]  box        side in Mpc
 * @param[in]  mesh       cells per side
 * @param[in]  radius     top hat of the matter wanted, Mpc; 0 = no matter
 * @param[in]  particles  file for the particle snapshot, or NULL
 * @param[out] universe   release with hg_mock_universe_clear()
 */
HG_MUST_CHECK hg_status hg_mock_universe_make(const hg_comm *comm, const hg_params_mock *param,
                                              const hg_cosmology *cosmology, double box,
                                              int mesh, uint64_t seed, double radius,
                                              const char *particles,
                                              hg_mock_universe *universe);
void hg_mock_universe_clear(hg_mock_universe *universe);

/** Rows inside each region, brought to the rank that writes it: region k goes to k mod size.
 * Their `region` is set; they stay in global order within each region.
 *
 * @collective{comm}
 * @param[out] n_got  rows on this rank
 * @param[out] got    shape (n_got); owned by the caller, free with hg_mem_free()
 */
HG_MUST_CHECK hg_status hg_mock_universe_cut(const hg_comm *comm,
                                             const hg_mock_universe *universe, int n_region,
                                             const hg_region region[], int64_t *n_got,
                                             hg_mock_row **got);

/** Compare the number of hosts per mass bin with the input abundance.
 *
 * @collective{comm}
 * @param[out] chi2    sum over bins with at least 10 expected of (n - expected)^2 / expected
 * @param[out] n_bin   number of such bins
 * @param[out] n_host  hosts of all ranks
 * @param[out] n_row   rows of all ranks
 */
void hg_mock_universe_check(const hg_comm *comm, const hg_mock_universe *universe, double *chi2,
                            int *n_bin, int64_t *n_host, int64_t *n_row);

#endif
