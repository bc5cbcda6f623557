/** Zoom regions as two runs with particles: a hydrodynamical one and its dark-matter-only twin.
 * Layer: mock.
 */
#ifndef HG_MOCK_HYDRO_H
#define HG_MOCK_HYDRO_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "mock/mock_rows.h"

enum { HG_MOCK_PARTICLES = 100 }; /* longest list of particles that a halo brings */

/** Write the two runs of one region: NAME_dmo and NAME_hydro as catalogues, NAME_dmo_ids.hdf5
 * and NAME_hydro_ids.hdf5 as lists of particles.
 *
 * In the hydrodynamical run ids and row order are others, masses lack the baryons, haloes
 * have lost particles, and dark matter particles have the ids 2 x among gas with 2 x + 1. Each
 * run lacks some haloes, and some subhaloes are part of their host. The column `dmo_id` of the
 * hydrodynamical catalogue is the true twin, -1 = none.
 *
 * @collective{comm}
 * @param[in] row     shape (n), of one region, in order of id; on the only rank of `comm`
 * @param[in] weight  of the region
 * @param[in] path    NAME with its folder, which exists
 */
HG_MUST_CHECK hg_status hg_mock_hydro_write(const hg_comm *comm, const hg_mock_plan *plan,
                                            int64_t n, const hg_mock_row row[], float weight,
                                            const char *path, const char *parameters,
                                            bool overwrite);

#endif
