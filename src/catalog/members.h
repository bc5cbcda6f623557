/** Particles of objects: which are whose, most bound first. Layer: catalog. */
#ifndef HG_CATALOG_MEMBERS_H
#define HG_CATALOG_MEMBERS_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** Objects of this rank with their particles; {0} is empty. */
typedef struct hg_members {
    int64_t n;    /**< objects on this rank */
    int64_t *key; /**< shape (n); id of the object, as in the column `id` of its catalogue */
    int64_t
        *first;   /**< shape (n + 1); its particles are id[first[i]] .. id[first[i + 1] - 1] */
    uint64_t *id; /**< shape (first[n]); ids of particles, most bound first */
} hg_members;

typedef struct hg_members_options {
    const char *format;    /**< "auto", or a name of the list below */
    const char *ids;       /**< file with particle ids, or a pattern with {file} */
    const char *catalogue; /**< of the objects, likewise; gadget and eagle need it */
    int64_t most;          /**< particles read per object, the most bound; 0 = all */
} hg_members_options;

/** Read lists of particles, shared out over ranks by their number.
 *
 * - halograft: Objects/Id, Objects/Offset, Objects/Length and Particles/Id in each file;
 * - gadget: PartType1/ParticleIDs of a snapshot in the order of the catalogue. Gadget-4 gives
 *   Subhalo/SubhaloOffsetType; else subhaloes follow one another from the start of their group;
 * - eagle: Subhalo/SubOffset and SubLength of the catalogue, IDs/ParticleID of all types;
 * - hbt: SubhaloParticles beside Subhalos/TrackId, in the order of binding;
 * - ahf: AHF_particles, text; only particles of type 1 where types are told;
 * - rockstar: .particles, text, not in order of binding; only particles of the halo itself.
 * Objects of gadget and eagle have the number of their subhalo as id.
 *
 * @collective{comm}
 * @param[out] members  release with hg_members_clear()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT; HG_E_INPUT for a list that ends behind the last
 * particle; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_members_read(const hg_comm *comm, const hg_members_options *options,
                                        hg_members *members);

/** Release the arrays; the object is then empty.
 *
 * @local
 */
void hg_members_clear(hg_members *members);

/** Write lists in the layout "halograft", atomically.
 *
 * @local
 * @param[in] path  of the file
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_members_write(const char *path, const hg_members *members);

#endif
