/** Files and table of a design. Layer: design. */
#ifndef HG_DESIGN_OUTPUT_H
#define HG_DESIGN_OUTPUT_H

#include "design/goal.h"
#include "design/hull.h"
#include "store/publish.h"

/** What was found; all borrowed. */
typedef struct hg_design_result {
    const hg_params *params;
    const hg_design_survey *survey;
    const hg_design_candidates *candidates;
    const hg_design_problem *problem;
    const hg_design_goal *goal;
    const double *delta, *content; /**< shape (candidates->n); overdensity, Msun */
    int n;
    const hg_design_choice *choice; /**< shape (n) */
    const double (*error)[2];       /**< shape (n + 1); before, and after each region */
    const hg_design_hull *hull;     /**< shape (n) */
    int64_t number;                 /**< of the first new region */
} hg_design_result;

/** Write the statistics file, the region table and the hulls, and print the table.
 *
 * @local  rank 0
 * @param[in] path  NAME.hdf5
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_write(const hg_design_result *result, const char *path);

/** Folder of the files of Lagrangian points: NAME_hulls for NAME.hdf5.
 *
 * @local
 * @param[out] folder  filled
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_design_hull_folder(const char *path, char folder[HG_PATH_MAX]);

#endif
