/** Rows of catalogues as points and tracers. Layer: features. */
#ifndef HG_FEATURES_HALO_POINTS_H
#define HG_FEATURES_HALO_POINTS_H

#include <stdint.h>

#include "features/environment.h"
#include "features/surroundings.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** Rows of this rank, of one catalogue after the other; {0} is empty. */
typedef struct hg_halo_points {
    int64_t n, room;
    double (*position)[3];
    double *mass; /**< NULL where none are wanted */
    unsigned char *is_tracer;
    int64_t *row;  /**< in their catalogue */
    double fewest; /**< particles of a tracer of this rank, HUGE_VAL where unknown */
    bool is_known; /**< numbers of particles are known */
} hg_halo_points;

/** How the rows of a catalogue are read. */
typedef struct hg_halo_reading {
    const hg_environment *e;
    bool has_mass;  /**< rows need masses */
    bool may_trace; /**< rows that pass Environment.select are tracers */
    int turn;       /**< rank r reads the parts with (part + turn) % size = r */
} hg_halo_reading;

/** Append the rows of a catalogue that this rank reads.
 *
 * @collective{comm}
 * @param[in]     what    who is read, for messages
 * @param[in,out] points  release with hg_halo_points_clear(), also on failure
 * @return HG_OK; HG_E_NOTFOUND when columns are missing; HG_E_INPUT for a mass that is not
 * finite, naming the row; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_halo_points_read(const hg_comm *comm, const hg_catalog *catalog,
                                            const hg_halo_reading *reading, const char *what,
                                            hg_halo_points *points);
void hg_halo_points_clear(hg_halo_points *points);

/** The tracers among points, copied.
 *
 * @local
 * @param[out] tracer  release with hg_halo_points_clear()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_halo_points_tracers(const hg_halo_points *points,
                                               hg_halo_points *tracer);

/** Points as the kernels take them; borrowed.
 *
 * @local
 * @param[in] first, n  points [first, first + n)
 */
hg_surrounded hg_halo_points_range(const hg_halo_points *points, int64_t first, int64_t n);

/** Refuse tracers below a number of particles.
 *
 * @collective{comm}
 * @param[in] least  particles
 * @return HG_OK, with a warning where numbers of particles are not known; HG_E_INPUT with the
 * number found
 */
HG_MUST_CHECK hg_status hg_halo_points_check(const hg_comm *comm, const hg_halo_points *tracer,
                                             double least);

#endif
