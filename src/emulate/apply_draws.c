/* How the section Scatter becomes options of a prediction. */
#include "emulate/apply_draws.h"

#include <string.h>

#include "emulate/library_classes.h"
#include "halograft/log.h"

static const struct {
    const char *name;
    hg_draw_method method;
} methods[] = {{"leaf-residual", HG_DRAW_RESIDUAL},
               {"leaf-value", HG_DRAW_LEAF},
               {"library", HG_DRAW_LIBRARY},
               {"twins", HG_DRAW_TWINS}};

hg_predict_options
hg_apply_draws(const hg_params *params, const hg_stages *model, bool is_loud)
{
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;

    o.n_draw = strcmp(params->scatter.method, "none") == 0 ? 0 : (int)params->scatter.draws;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(params->scatter.method, methods[i].name) == 0) {
            o.method = methods[i].method;
        }
    }
    o.n_quantile = params->scatter.quantiles.n;
    o.level = params->scatter.quantiles.v;
    o.mates = (int)params->scatter.mates;
    o.seed = (uint64_t)params->meta.seed;
    o.threads = (int)params->run.threads;
    if (o.method != HG_DRAW_LEAF &&
        hg_forest_options(hg_stages_forest(model, 0))->bag == HG_BAG_NONE && o.n_draw > 0) {
        if (is_loud) {
            hg_log_warn("apply: the model was trained without a bag and has no residuals: "
                        "draws take leaf values instead");
        }
        o.method = HG_DRAW_LEAF;
    }
    return o;
}

hg_status
hg_apply_prepare(const hg_params *params, const hg_stages *model, const hg_predict_options *o)
{
    const bool from_library = o->method == HG_DRAW_LIBRARY || o->method == HG_DRAW_TWINS;
    hg_library_classes classes = {.feature = -1, .n = 1};

    if (from_library && o->n_draw > 0) {
        HG_TRY(hg_library_classes_find(params, model, &classes));
    }
    for (int s = 0; s < hg_stages_count(model) && o->n_draw > 0; s++) {
        const hg_stage_use use = hg_stages_use(model, s);
        hg_forest *forest = hg_stages_forest(model, s);

        if (hg_stages_is_label(model, s) || use == HG_STAGE_MEAN) {
            continue; /* labels are drawn as those of a leaf-mate, means not at all */
        }
        if (use == HG_STAGE_DRAW && o->method == HG_DRAW_TWINS) {
            return HG_FAIL(HG_E_PARAM,
                           "Scatter.method 'twins' cannot draw '%s', which comes after other "
                           "targets: take another method or train it without 'after'",
                           hg_forest_target(forest, 0)->name);
        }
        HG_TRY(from_library ? hg_forest_prepare_library(forest, o->method, &classes)
                            : hg_forest_check_method(forest, o->method));
    }
    return HG_OK;
}
