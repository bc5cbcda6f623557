/** The mock universe as a pipeline: parameters in, catalogues with known answers out.
 *
 * Writes to Output.folder: parent.hdf5 (features only), truth.hdf5 and oracle.hdf5 (row-aligned
 * with it), zooms/region_KK.hdf5 and regions.csv, periodic.hdf5, boxes/, particles.hdf5, and
 * mock.done when all of them stand. Rows are in order of their Lagrangian cell; all bytes are
 * the same for any number of ranks and threads. Layer: mock.
 */
#ifndef HG_MOCK_H
#define HG_MOCK_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/params.h"

/** Make the universe of the section Mock and write all of it.
 *
 * @collective{comm}
 * @param[in] overwrite  replace existing files
 * @return HG_OK; HG_E_PARAM; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mock_run(const hg_comm *comm, const hg_params *params,
                                    bool overwrite);

/** Whether Output.folder holds the whole universe of these parameters and this version.
 *
 * @collective{comm}
 * @param[out] is_done  filled
 * @return HG_OK; HG_E_INPUT when it holds the universe of other ones; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mock_is_done(const hg_comm *comm, const hg_params *params,
                                        bool *is_done);

#endif
