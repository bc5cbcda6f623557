/* Values are scored by the forest, labels by stats; both on out-of-bag means. */
#include "emulate/train_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "halograft/log.h"
#include "stats/metric.h"

static hg_status
report_value(const hg_forest *forest, int t)
{
    hg_oob_metrics m;

    HG_TRY(hg_forest_oob_metrics(forest, t, &m));
    hg_log_info("train: out of bag %-14s R2 %.4f rms %.4f bias %+.4f NMAD %.4f Pearson %.4f "
                "within 0.2 %.3f (%" PRId64 " rows)",
                hg_forest_target(forest, t)->name, m.r2, m.rmse, m.bias, m.nmad, m.pearson,
                m.within_02, m.n);
    return HG_OK;
}

static hg_status
score_label(const hg_forest *forest, int t, hg_label_metric *m)
{
    const int64_t n = hg_forest_rows(forest), n_target = hg_forest_targets(forest);
    const float *label = hg_forest_target_values(forest);
    double *truth = NULL, mean[HG_TARGETS_MAX];
    int64_t n_known = 0;
    hg_status status;

    HG_TRY(hg_mem_array(&truth, 2 * (size_t)n, sizeof *truth));
    for (int64_t i = 0; i < n; i++) {
        if (hg_forest_oob_mean(forest, i, mean)) {
            truth[n_known] = (double)label[i * n_target + t];
            truth[n + n_known] = mean[t];
            n_known++;
        }
    }
    status = hg_metric_labels(n_known, truth, truth + n, NULL, m);
    hg_mem_free(truth);
    return status;
}

static hg_status
report_label(const hg_forest *forest, int t, bool is_gate)
{
    char name[80];
    hg_label_metric m;

    HG_TRY(score_label(forest, t, &m));
    snprintf(name, sizeof name, "%.60s%s", hg_forest_target(forest, t)->name,
             is_gate ? " open" : "");
    hg_log_info("train: out of bag %-14s share %.4f F1 %.4f AUC %.4f Brier %.4f, by its share "
                "alone %.4f (%" PRId64 " rows)",
                name, m.share, m.f1, m.auc, m.brier, m.share * (1 - m.share), m.n);
    if (is_gate && !(m.share < 1) && m.n > 0) {
        hg_log_info("train: the hurdle of '%s' closes no training row",
                    hg_forest_target(forest, t)->name);
    }
    return HG_OK;
}

hg_status
hg_train_report(const hg_stages *model)
{
    double importance[HG_FEATURES_MAX];

    for (int s = 0; s < hg_stages_count(model); s++) {
        const hg_forest *forest = hg_stages_forest(model, s);

        if (hg_stages_use(model, s) == HG_STAGE_DRAW) {
            continue;
        }
        for (int o = 0; o < hg_forest_targets(forest); o++) {
            HG_TRY(hg_stages_is_label(model, s)
                       ? report_label(forest, o, hg_stages_is_gate(model, s, o))
                       : report_value(forest, o));
        }
        hg_forest_importance(forest, importance);
        for (int f = 0; f < hg_forest_features(forest); f++) {
            hg_log_info("train: impurity importance %-20s %.4f",
                        hg_forest_feature(forest, f)->name, importance[f]);
        }
    }
    return HG_OK;
}
