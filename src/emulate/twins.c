/* Two runs of a zoom that differ only in the seed of their galaxies give a halo two galaxies;
 * half the variance of their difference cannot be learned by anybody. It is compared with the
 * variance of the residuals, of which it is a part. */
#include "emulate/twins.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "emulate/library_classes.h"
#include "emulate/training_rows.h"
#include "halograft/log.h"

/* one line of the report; `which` is a class, or -1 for all rows */
static hg_status
report_target(const hg_comm *comm, const hg_forest *forest, int target,
              const hg_library_classes *classes, int which)
{
    const char *name = hg_forest_target(forest, target)->name;
    char of[64] = "";
    hg_twin_check c;

    HG_TRY(hg_forest_check_twins(forest, target, classes, which, &c));
    if (c.n == 0) {
        return HG_OK;
    }
    if (which >= 0) {
        snprintf(of, sizeof of, ", class %d of %d by %.30s", which + 1, classes->n,
                 hg_forest_feature(forest, classes->feature)->name);
    }
    hg_log_info("train: twins %-14s Var(d)/2 %.5f of residual variance %.5f, share %.3f "
                "(%" PRId64 " haloes%s); above it in %d of %d bins of the predicted value",
                name, c.chaos, c.residual, c.chaos / c.residual, c.n, of, c.n_above, c.n_bin);
    /* both variances are known to about sqrt(2 / n) */
    if (comm->rank == 0 && c.chaos > c.residual * (1 + 3 * sqrt(2 / (double)c.n))) {
        hg_log_warn("train: twins of '%s'%s differ by more than the residuals allow: are they "
                    "runs of the same zooms, with the same selection?",
                    name, of);
    }
    return HG_OK;
}

static hg_status
report_twins(const hg_comm *comm, const hg_forest *forest, const hg_library_classes *classes)
{
    for (int t = 0; t < hg_forest_targets(forest); t++) {
        HG_TRY(report_target(comm, forest, t, NULL, -1));
        for (int k = 0; k < classes->n && classes->n > 1; k++) {
            HG_TRY(report_target(comm, forest, t, classes, k));
        }
    }
    return HG_OK;
}

hg_status
hg_twins_add(const hg_comm *comm, const hg_params *params, hg_recipes *features,
             hg_recipes *targets, hg_stages *model)
{
    hg_training_rows rows = {0};
    hg_library_classes classes;
    hg_status status;

    HG_TRY(hg_training_twins_read(comm, params, features, targets, &rows));
    status = hg_stages_add_twins(comm, model, rows.n, rows.key, rows.y);
    hg_training_rows_clear(&rows);
    HG_TRY(status);
    status = hg_library_classes_find(params, model, &classes);
    for (int s = 0; s < hg_stages_count(model) && status == HG_OK; s++) {
        if (hg_stages_use(model, s) == HG_STAGE_BOTH && !hg_stages_is_label(model, s)) {
            status = report_twins(comm, hg_stages_forest(model, s), &classes);
        }
    }
    return hg_comm_agree(comm, status);
}
