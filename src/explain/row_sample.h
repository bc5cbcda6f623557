/** A sample of the training rows that does not depend on their order. Layer: explain. */
#ifndef HG_EXPLAIN_ROW_SAMPLE_H
#define HG_EXPLAIN_ROW_SAMPLE_H

#include "validate/validation.h"

/** Choose rows by their key and the seed.
 *
 * @local
 * @param[in]  most  rows wanted
 * @param[out] n     rows chosen: `most`, or all
 * @param[out] row   shape (n), ascending; owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_row_sample(const hg_validation *validation, int64_t most, int64_t *n,
                                      int64_t **row);

#endif
