/** How scatter is drawn, as the section Scatter says. Layer: emulate. */
#ifndef HG_EMULATE_APPLY_DRAWS_H
#define HG_EMULATE_APPLY_DRAWS_H

#include <stdbool.h>

#include "halograft/error.h"
#include "halograft/params.h"
#include "halograft/stages.h"

/** Options of a prediction with this model. A model without a bag has no residuals: its draws
 * take leaf values.
 *
 * @local
 * @param[in] is_loud  say so
 */
hg_predict_options hg_apply_draws(const hg_params *params, const hg_stages *model,
                                  bool is_loud);

/** Check that all stages have what draws take, and make their libraries.
 *
 * @local  not while others predict
 * @return HG_OK; HG_E_PARAM for twins of targets that come after others; the failures of
 * hg_library_classes_find(), hg_forest_prepare_library() and hg_forest_check_method()
 */
HG_MUST_CHECK hg_status hg_apply_prepare(const hg_params *params, const hg_stages *model,
                                         const hg_predict_options *o);

#endif
