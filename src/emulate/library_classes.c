/* Scatter.library_by names a feature; the model keeps its value of every training halo, and the
 * edges between classes are a matter of the draw. */
#include "emulate/library_classes.h"

#include <string.h>

static const char meta_name[] = "library_by";

/* number of the feature that Scatter.library_by names, or -1 */
static int
find_feature(const hg_params *params, const hg_recipes *features)
{
    for (int i = 0; i < features->n; i++) {
        if (strcmp(features->spec[i].name, params->scatter.library_by) == 0) {
            return i;
        }
    }
    return -1;
}

hg_status
hg_library_classes_check(const hg_params *params, const hg_recipes *features)
{
    const char *feature = params->scatter.library_by;

    if (feature[0] != '\0' && find_feature(params, features) < 0) {
        return HG_FAIL(HG_E_PARAM, "Scatter.library_by '%s' is no feature", feature);
    }
    return HG_OK;
}

hg_status
hg_library_classes_add(const hg_comm *comm, const hg_params *params, const hg_recipes *features,
                       int64_t n, const uint64_t key[], const float x[], hg_stages *model)
{
    const char *feature = params->scatter.library_by;
    const int at = find_feature(params, features);

    HG_TRY(hg_library_classes_check(params, features));
    if (feature[0] == '\0') {
        return HG_OK;
    }
    HG_TRY(hg_stages_add_class(comm, model, n, key, n > 0 ? x + at : x, (size_t)features->n));
    return hg_comm_agree(comm,
                         hg_forest_set_meta(hg_stages_forest(model, 0), meta_name, feature));
}

hg_status
hg_library_classes_find(const hg_params *params, const hg_stages *model,
                        hg_library_classes *classes)
{
    const hg_forest *first = hg_stages_forest(model, 0);
    const char *feature = params->scatter.library_by,
               *kept = hg_forest_get_meta(first, meta_name);
    int at = 0;

    *classes = (hg_library_classes){.feature = -1, .n = 1};
    if (feature[0] == '\0') {
        return HG_OK;
    }
    if (kept == NULL || strcmp(kept, feature) != 0) {
        return HG_FAIL(HG_E_PARAM,
                       "the model keeps no classes by '%s': train it with Scatter.library_by",
                       feature);
    }
    while (strcmp(hg_forest_feature(first, at)->name, feature) != 0) {
        at++; /* the text was written with the features */
    }
    for (int s = 0; s < hg_stages_count(model); s++) {
        if (!hg_stages_is_label(model, s) && hg_stages_use(model, s) != HG_STAGE_MEAN) {
            return hg_forest_classes(hg_stages_forest(model, s), at,
                                     params->scatter.library_edges.n,
                                     params->scatter.library_edges.v, classes);
        }
    }
    return HG_OK;
}
