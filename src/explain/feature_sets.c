/* Features that say nearly the same stand in for each other: permuted or dropped one by one,
 * each looks as if it did not matter. Groups are for the user to name. */
#include "explain/feature_sets.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

hg_status
hg_feature_sets_parse(const hg_validation *v, const char *where, const char *text, int *n,
                      int feature[])
{
    *n = 0;
    while (text != NULL) {
        const char *end = strchr(text, '+');
        char name[64];

        snprintf(name, sizeof name, "%.*s", end != NULL ? (int)(end - text) : (int)strlen(text),
                 text);
        text = end != NULL ? end + 1 : NULL;
        if (*n == HG_FEATURES_MAX) {
            return HG_FAIL(HG_E_PARAM, "%s: a group has at most %d features", where,
                           HG_FEATURES_MAX);
        }
        HG_TRY(hg_recipes_feature(&v->features, where, name, &feature[*n]));
        for (int i = 0; i < *n; i++) {
            if (feature[i] == feature[*n]) {
                return HG_FAIL(HG_E_PARAM, "%s: '%s' comes twice in a group", where, name);
            }
        }
        (*n)++;
    }
    return HG_OK;
}

hg_status
hg_feature_sets_list(const hg_validation *v, hg_feature_sets *sets)
{
    const hg_strings *groups = &v->params->explain.groups;

    *sets = (hg_feature_sets){0};
    HG_TRY(hg_mem_zeros(&sets->set, (size_t)(v->features.n + groups->n), sizeof *sets->set));
    for (int f = 0; f < v->features.n; f++) {
        hg_feature_set *set = &sets->set[sets->n++];

        snprintf(set->name, sizeof set->name, "%s", v->features.spec[f].name);
        set->has[f] = true;
    }
    for (int g = 0; g < groups->n; g++) {
        hg_feature_set *set = &sets->set[sets->n++];
        int n, feature[HG_FEATURES_MAX];

        HG_TRY(hg_feature_sets_parse(v, "Explain.groups", groups->v[g], &n, feature));
        if (n < 2) {
            return HG_FAIL(HG_E_PARAM,
                           "Explain.groups: '%s' is one feature, which has its own line "
                           "anyway; join several by +",
                           groups->v[g]);
        }
        snprintf(set->name, sizeof set->name, "%.127s", groups->v[g]);
        for (int i = 0; i < n; i++) {
            set->has[feature[i]] = true;
        }
    }
    return HG_OK;
}

void
hg_feature_sets_clear(hg_feature_sets *sets)
{
    hg_mem_free(sets->set);
    *sets = (hg_feature_sets){0};
}
