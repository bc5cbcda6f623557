/** Matter of a mock as a particle snapshot. Layer: mock. */
#ifndef HG_MOCK_PARTICLES_H
#define HG_MOCK_PARTICLES_H

#include "mock/mock_hosts.h"

/** Write a keyed share of the mesh's particles as a Gadget-type HDF5 file: Coordinates
 * (float32, Mpc/h), Velocities (float32, km/s over sqrt(a)), ParticleIDs (int64) of PartType1,
 * in order of the mesh. Each stands for 1/share particles: MassTable holds the enlarged mass in
 * 1e10 Msun/h.
 *
 * @collective{comm}
 * @param[in] share  0 < share <= 1
 * @param[in] path   file; written under a temporary name and published
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mock_particles_write(const hg_comm *comm, const hg_mock_plan *plan,
                                                const hg_mock_fields *fields, double share,
                                                const char *path);

#endif
