/** A sample of the haloes of the parent, with the features of the model. Layer: validate. */
#ifndef HG_VALIDATE_PARENT_SAMPLE_H
#define HG_VALIDATE_PARENT_SAMPLE_H

#include "validate/validation.h"

/** Haloes, ascending by row of the parent, the same on every rank; {0} is a valid empty one. */
typedef struct hg_parent_sample {
    int64_t n, n_all; /**< in the sample; in the parent and selected */
    int64_t *row;     /**< shape (n); of the parent */
    float *x;         /**< shape (n, n_feature); transformed */
    double *mass;     /**< shape (n); as that of the training rows */
    double *density;  /**< shape (n); Validate.overdensity; NULL = not known in the parent */
} hg_parent_sample;

/** Read a random sample of Validate.parent_rows haloes that pass Selection.apply, or all of
 * these that are picked. Which are in the sample follows from Meta.seed and their rows.
 *
 * @collective{comm}
 * @param[in]  pick    expression that picks haloes; NULL = a random sample
 * @param[in]  most    haloes that may be picked
 * @param[out] sample  release with hg_parent_sample_clear(), also after a failure
 * @return HG_OK; the failures of hg_catalog_open(); HG_E_NOTFOUND for columns that features
 * need; HG_E_PARAM for an expression that cannot be read; HG_E_INPUT without haloes or with
 * more than may be picked; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_parent_sample_read(const hg_comm *comm,
                                              const hg_validation *validation, const char *pick,
                                              int64_t most, hg_parent_sample *sample);
void hg_parent_sample_clear(hg_parent_sample *sample);

#endif
