/** Host haloes of a mock universe: Poisson placement in Lagrangian cells, moved by 2LPT, and
 * the matter density of the moved mesh. Layer: mock.
 */
#ifndef HG_MOCK_HOSTS_H
#define HG_MOCK_HOSTS_H

#include "field/rowfft.h"
#include "halograft/comm.h"
#include "mock/mock_plan.h"

/** A host halo before it gets its properties. */
typedef struct hg_mock_host {
    int64_t id;
    int32_t bin;
    float offset[3];   /**< place in its cell, in cells, -0.5 to 0.5 */
    float mass;        /**< M200c in Msun */
    float environment; /**< linear overdensity in the environment radius, in sigma at fixed mass
                        */
    float velocity[3]; /**< km/s */
    double position[3]; /**< Mpc, in [0, box) */
} hg_mock_host;

/** The fields of a universe. Release with hg_mock_fields_clear(). */
typedef struct hg_mock_fields {
    hg_rowfft *fft;
    hg_mode *delta;     /**< linear modes */
    hg_mode *source;    /**< second-order source */
    float *shift[3];    /**< displacement in Mpc, shape (x_n, n, n) */
    float *ghost[3][2]; /**< its planes below and above, shape (n, n) */
} hg_mock_fields;

/** Identity of a halo: cell, level and ordinal of its host, number among its subhaloes (0 =
 * the host).
 *
 * @local
 */
int64_t hg_mock_id(int64_t cell, int level, int ordinal, int sub);
int64_t hg_mock_id_host(int64_t id);
int64_t hg_mock_id_cell(int64_t id);

/** Draw the modes of a universe and compute its displacements.
 *
 * @collective{comm}
 * @param[out] fields  release with hg_mock_fields_clear()
 */
HG_MUST_CHECK hg_status hg_mock_fields_make(const hg_comm *comm, const hg_mock_plan *plan,
                                            hg_mock_fields *fields);
void hg_mock_fields_clear(hg_mock_fields *fields);

/** One component of the velocity at all mesh points, with its ghost planes.
 *
 * @collective{comm}
 * @param[out] field  shape (x_n, n, n); km/s
 * @param[out] below, above  shape (n, n)
 */
HG_MUST_CHECK hg_status hg_mock_fields_velocity(const hg_comm *comm, const hg_mock_plan *plan,
                                                const hg_mock_fields *fields, int axis,
                                                float field[], float below[], float above[]);

/** Place the hosts of this rank's planes, in order of their id.
 *
 * @collective{comm}
 * @param[out] n_host  number on this rank
 * @param[out] hosts   shape (n_host); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY; HG_E_PARAM when a cell holds more haloes than an id can number
 */
HG_MUST_CHECK hg_status hg_mock_hosts_place(const hg_comm *comm, const hg_mock_plan *plan,
                                            const hg_mock_fields *fields, int64_t *n_host,
                                            hg_mock_host **hosts);

/** Overdensity of the moved matter in a top hat, on a cubic lattice, the same on all ranks.
 *
 * @collective{comm}
 * @param[in]  radius  Mpc
 * @param[out] n       lattice points per side, at i * box / n
 * @param[out] delta   shape (n, n, n); owned by the caller, free with hg_mem_free()
 */
HG_MUST_CHECK hg_status hg_mock_matter(const hg_comm *comm, const hg_mock_plan *plan,
                                       const hg_mock_fields *fields, double radius, int *n,
                                       float **delta);

#endif
