/** From a parent with galaxies, its model and the zooms that are there to the zooms to run
 * next. Layer: design. */
#ifndef HG_DESIGN_DESIGN_H
#define HG_DESIGN_DESIGN_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Propose Design.regions spheres of the parent that lower the expected error of the mass
 * function and of P(k) most for their cost, and write Design.file (statistics), a region table
 * NAME_regions.csv that `mock` and, once the zooms have run, `train` read, and the folder
 * NAME_hulls with one file of Lagrangian points per region. The same bytes for any number of
 * ranks.
 *
 * @collective{comm}
 * @param[in] params     Parent, Zooms, Model, Output.catalogue, Design
 * @param[in] overwrite  replace existing files
 * @return HG_OK; HG_E_PARAM; HG_E_NOTFOUND without model or galaxies; HG_E_INPUT for a cost
 * that is not positive, or a target that is no logarithm; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_run(const hg_comm *comm, const hg_params *params,
                                      bool overwrite);

#endif
