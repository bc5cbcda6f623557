/* Two runs of a zoom that differ only in the seed of their galaxies give a halo two galaxies;
 * half the variance of their difference cannot be learned by anybody. It is compared with the
 * variance of the residuals, of which it is a part. */
#include "emulate/twins.h"

#include <inttypes.h>
#include <math.h>

#include "emulate/training_rows.h"
#include "halograft/log.h"

static hg_status
report_twins(const hg_comm *comm, const hg_forest *forest)
{
    for (int t = 0; t < hg_forest_targets(forest); t++) {
        const char *name = hg_forest_target(forest, t)->name;
        hg_twin_check c;

        HG_TRY(hg_forest_check_twins(forest, t, &c));
        if (c.n == 0) {
            continue;
        }
        hg_log_info("train: twins %-14s Var(d)/2 %.5f of residual variance %.5f, share %.3f "
                    "(%" PRId64 " haloes); above it in %d of %d bins of the predicted value",
                    name, c.chaos, c.residual, c.chaos / c.residual, c.n, c.n_above, c.n_bin);
        /* both variances are known to about sqrt(2 / n) */
        if (comm->rank == 0 && c.chaos > c.residual * (1 + 3 * sqrt(2 / (double)c.n))) {
            hg_log_warn("train: twins of '%s' differ by more than the residuals allow: are "
                        "they runs of the same zooms, with the same selection?",
                        name);
        }
    }
    return HG_OK;
}

hg_status
hg_twins_add(const hg_comm *comm, const hg_params *params, hg_recipes *features,
             hg_recipes *targets, hg_stages *model)
{
    hg_training_rows rows = {0};
    hg_status status;

    HG_TRY(hg_training_twins_read(comm, params, features, targets, &rows));
    status = hg_stages_add_twins(comm, model, rows.n, rows.key, rows.y);
    hg_training_rows_clear(&rows);
    HG_TRY(status);
    for (int s = 0; s < hg_stages_count(model) && status == HG_OK; s++) {
        if (hg_stages_use(model, s) == HG_STAGE_BOTH && !hg_stages_is_label(model, s)) {
            status = report_twins(comm, hg_stages_forest(model, s));
        }
    }
    return hg_comm_agree(comm, status);
}
