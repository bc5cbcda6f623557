/** Features that are permuted, dropped or drawn together. Layer: explain. */
#ifndef HG_EXPLAIN_FEATURE_SETS_H
#define HG_EXPLAIN_FEATURE_SETS_H

#include "validate/validation.h"

/** Some features, by number. */
typedef struct hg_feature_set {
    char name[128]; /**< of the feature, or as the user wrote it */
    bool has[HG_FEATURES_MAX];
} hg_feature_set;

/** Sets in the order of the features, then of the groups; {0} is a valid empty list. */
typedef struct hg_feature_sets {
    int n;
    hg_feature_set *set;
} hg_feature_sets;

/** Every single feature, and the groups of Explain.groups.
 *
 * @local
 * @param[out] sets  release with hg_feature_sets_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for a name that is no feature, or a group of fewer than two
 * features; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_feature_sets_list(const hg_validation *validation,
                                             hg_feature_sets *sets);
void hg_feature_sets_clear(hg_feature_sets *sets);

/** Features joined by +, in the order written.
 *
 * @local
 * @param[in]  where    the parameter, for messages
 * @param[out] n        their number
 * @param[out] feature  shape (HG_FEATURES_MAX)
 * @return HG_OK; HG_E_PARAM for a name that is no feature, or comes twice
 */
HG_MUST_CHECK hg_status hg_feature_sets_parse(const hg_validation *validation,
                                              const char *where, const char *text, int *n,
                                              int feature[]);

#endif
