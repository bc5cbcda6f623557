/** Whether files of halograft are what they were when they were written, and whether what they
 * hold is possible.
 *
 * What a file is decides what is looked at:
 * - a catalogue (its master): sizes and checksums of all parts and datasets, counts, units and
 *   descriptions, provenance, values (finite, in range, of the right sign), identities;
 * - a model: its seal, and the hash of its content;
 * - statistics: finite curves, symmetric covariances;
 * - a manifest (NAME.xxh3): every file it lists;
 * - a part of a catalogue: nothing, a note says that its master is to be given.
 * Layer: audit.
 */
#ifndef HG_AUDIT_VERIFY_H
#define HG_AUDIT_VERIFY_H

#include "audit/findings.h"
#include "halograft/comm.h"

/** Verify one file. Parts of a catalogue are dealt out over the ranks.
 *
 * @collective{comm}
 * @param[in]     path      master of a catalogue, model, statistics file or manifest
 * @param[in,out] findings  lines are added on rank 0; n_wrong is the same on all ranks
 * @return HG_OK, also when something is wrong; HG_E_NOTFOUND; HG_E_FORMAT when the file is none
 * of these; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_verify_file(const hg_comm *comm, const char *path,
                                       hg_findings *findings);

/** The same for the master of a catalogue.
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_verify_catalogue(const hg_comm *comm, const char *path,
                                            hg_findings *findings);

/** Judge all rows of a catalogue by what haloes of a universe can be (catalog/sanity.h): box,
 * overdensity, abundance, satellites, velocities. What is not is a note, never WRONG.
 *
 * @collective{comm}
 * @param[in] path  its master
 * @return as hg_verify_file(); HG_OK also when rows cannot be read, which is found elsewhere
 */
HG_MUST_CHECK hg_status hg_verify_sanity(const hg_comm *comm, const char *path,
                                         hg_findings *findings);

/** Compare the files of a manifest with their checksums. It has to list some, and NAME.hdf5
 * where that stands beside it.
 *
 * @local
 * @param[in] path  NAME.xxh3, lines "XXH3 (FILE) = SUM" with files beside it
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_verify_manifest(const char *path, hg_findings *findings);

#endif
