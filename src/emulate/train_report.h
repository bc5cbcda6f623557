/** What the log says of a trained model. Layer: emulate. */
#ifndef HG_EMULATE_TRAIN_REPORT_H
#define HG_EMULATE_TRAIN_REPORT_H

#include "halograft/error.h"
#include "halograft/stages.h"

/** Log out-of-bag metrics of all targets, F1, AUC and Brier score of labels and gates, and
 * importances, of the stages that serve means.
 *
 * @local  to be called alike on all ranks
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_train_report(const hg_stages *model);

#endif
