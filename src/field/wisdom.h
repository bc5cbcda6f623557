/** Measured plans of FFTW, kept in a folder for the next run. Layer: field, private to hg_mesh.
 *
 * A file belongs to one precision, mesh, cut, number of ranks and threads, kind of processor
 * and version of FFTW, all of them in its name. It is written under a name of its own and
 * renamed, so any number of jobs may share a folder: the last one wins, and none reads half a
 * file. Without the folder, or with a damaged file, plans are measured again; that is no
 * failure.
 */
#ifndef HG_FIELD_WISDOM_H
#define HG_FIELD_WISDOM_H

#include <stdbool.h>

#include "field/mesh.h"
#include "store/publish.h"

/** What was known before planning. */
typedef struct hg_wisdom {
    char path[HG_PATH_MAX]; /**< "" = nothing is kept */
    char *known;            /**< on rank 0 */
} hg_wisdom;

/** Teach all ranks what the folder holds for a mesh.
 *
 * @collective{comm}
 * @param[in]  mesh    with its shape
 * @param[in]  folder  made where it is missing
 * @param[out] wisdom  for hg_wisdom_end(), which has to follow
 */
void hg_wisdom_begin(const hg_comm *comm, const hg_mesh *mesh, const char *folder,
                     hg_wisdom *wisdom);

/** Keep what was learnt since.
 *
 * @collective{comm}
 * @param[in]     planned  false drops it
 * @param[in,out] wisdom   released
 */
void hg_wisdom_end(const hg_comm *comm, const hg_mesh *mesh, bool planned, hg_wisdom *wisdom);

#endif
