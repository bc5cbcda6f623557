/** The command `features`: environment and history of all haloes of a run. Layer: features. */
#ifndef HG_FEATURES_FEATURES_H
#define HG_FEATURES_FEATURES_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Compute the columns of the sections Environment and History for the parent and for every
 * training catalogue, and write them as side-cars, which training and application join.
 *
 * The side-cars are bit-identical for any number of ranks and threads.
 *
 * @collective{comm}
 * @param[in] params     Environment, History, Parent, Zooms, Output are used
 * @param[in] overwrite  replace existing side-cars
 * @return HG_OK; HG_E_PARAM when no section asks for a column, or one asks for what the box
 * does not allow; HG_E_NOTFOUND for missing files and columns; HG_E_EXISTS; HG_E_INPUT when
 * tracers are not complete, zooms lie in another frame than the parent, links cannot be, or no
 * halo of a catalogue is found in its history; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_features_make(const hg_comm *comm, const hg_params *params,
                                         bool overwrite);

#endif
