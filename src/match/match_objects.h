/** What matching knows of an object besides its particles. Layer: match. */
#ifndef HG_MATCH_OBJECTS_H
#define HG_MATCH_OBJECTS_H

#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "suite/regions.h"

typedef struct hg_match_object {
    int64_t id;
    int64_t row;        /**< in its catalogue */
    double position[3]; /**< comoving Mpc; 0 where it was not asked for */
    double mass;        /**< Msun */
    int64_t central;    /**< 1, 0, or -1 where the catalogue does not tell */
} hg_match_object;

/** What to read of a catalogue. */
typedef struct hg_match_reading {
    const hg_catalog_options *catalog;
    const char *mass; /**< column */
    bool with_place;  /**< positions, too */
    int n_region;     /**< keep what lies inside the radius of one of these, 0 = all */
    const hg_region *region;
    double margin; /**< Mpc added to the radii */
} hg_match_reading;

/** Read the objects of a catalogue; every rank keeps those of the parts it read.
 *
 * @collective{comm}
 * @param[out] frame   of the catalogue, or NULL
 * @param[out] n       objects on this rank
 * @param[out] objects shape (n); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_NOTFOUND for a missing column; HG_E_INPUT for a mass that is not positive
 */
HG_MUST_CHECK hg_status hg_match_objects_read(const hg_comm *comm,
                                              const hg_match_reading *reading, hg_frame *frame,
                                              int64_t *n, hg_match_object **objects);

#endif
