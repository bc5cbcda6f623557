/** A sample of the training rows that does not depend on their order. Layer: explain. */
#ifndef HG_EXPLAIN_ROW_SAMPLE_H
#define HG_EXPLAIN_ROW_SAMPLE_H

#include <stdint.h>

#include "validate/validation.h"

/** A row, and the random word that gives it its place in an order. */
typedef struct hg_row_word {
    uint64_t word;
    int64_t row;
} hg_row_word;

/** Compare two of them for qsort(): by word, equal ones by row.
 *
 * @local
 * @return below, at or above 0
 */
int hg_row_word_order(const void *a, const void *b);

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
