/** Classes of haloes with libraries of scatter of their own. Layer: emulate. */
#ifndef HG_EMULATE_LIBRARY_CLASSES_H
#define HG_EMULATE_LIBRARY_CLASSES_H

#include "halograft/comm.h"
#include "halograft/params.h"
#include "halograft/stages.h"
#include "suite/recipes.h"

/** Whether Scatter.library_by, where it is given, names a feature.
 *
 * @local
 * @return HG_OK; HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_library_classes_check(const hg_params *params,
                                                 const hg_recipes *features);

/** Keep the feature of Scatter.library_by with a model; nothing where it is not given.
 *
 * @collective{comm}
 * @param[in]     n      rows of this rank that the model was trained on
 * @param[in]     key    shape (n)
 * @param[in]     x      shape (n, features->n)
 * @param[in,out] model  the same on all ranks
 * @return HG_OK; HG_E_PARAM when it is no feature; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_library_classes_add(const hg_comm *comm, const hg_params *params,
                                               const hg_recipes *features, int64_t n,
                                               const uint64_t key[], const float x[],
                                               hg_stages *model);

/** The classes that Scatter asks for; one of all haloes without Scatter.library_by.
 *
 * @local
 * @param[out] classes  of all stages
 * @return HG_OK; HG_E_PARAM when the model was trained without them
 */
HG_MUST_CHECK hg_status hg_library_classes_find(const hg_params *params, const hg_stages *model,
                                                hg_library_classes *classes);

#endif
