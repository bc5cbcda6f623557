/** Trials whose forests are one forest that ends earlier or later. Layer: validate. */
#ifndef HG_VALIDATE_FAMILIES_H
#define HG_VALIDATE_FAMILIES_H

#include "validate/held_out.h"

/** Trials that one training serves. */
typedef struct hg_family {
    int n;
    const int *member;        /**< shape (n); numbers of trials, ascending; borrowed */
    hg_train_options options; /**< of the forest that holds those of all of them */
} hg_family;

/** All of them; {0} is a valid empty list. */
typedef struct hg_families {
    int n;
    hg_family *family; /**< shape (n), by their first members */
    int *member;       /**< shape (trials) */
} hg_families;

/** Put trials that train on the same rows and features, and differ in nothing but the number of
 * trees, min_split and max_depth, into families; all others are alone.
 *
 * @local
 * @param[in]  n         trials
 * @param[in]  trial     shape (n)
 * @param[in]  done      shape (n): trials to leave out; NULL = none
 * @param[in]  may_share false: all are alone
 * @param[out] families  release with hg_families_clear(), also after a failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_families_list(int n, const hg_trial trial[], const uint8_t done[],
                                         bool may_share, hg_families *families);
void hg_families_clear(hg_families *families);

#endif
