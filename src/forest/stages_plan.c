/* Which forests a model needs. Targets with the same inputs stand together: plain values in one
 * forest; labels and gates in one, so that a draw takes the labels of one leaf-mate together;
 * values behind a hurdle in one forest for each set of rows that are open, since a forest needs
 * all its targets in every row. A forest of labels is a forest of numbers that are 0 or 1: half
 * the Gini impurity of a node is the variance of its labels (p (1 - p) against 2 p (1 - p)), so
 * the same split wins (Breiman et al. 1984, Classification and Regression Trees, section 4.3).
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "forest/stages_plan.h"

hg_status
hg_target_roles_check(int n, const hg_field_spec target[], const hg_target_role role[])
{
    uint32_t done = 0, before;

    for (int t = 0; t < n; t++) {
        if ((role[t].after >> n) != 0 || (role[t].is_label && role[t].has_hurdle)) {
            return HG_FAIL(HG_E_ARG,
                           "target '%s' follows a target that does not exist, or is a label "
                           "with a hurdle",
                           target[t].name);
        }
    }
    do {
        before = done;
        for (int t = 0; t < n; t++) {
            done |= (role[t].after & ~done) == 0 ? 1u << t : 0;
        }
    } while (done != before);
    for (int t = 0; t < n; t++) {
        if ((done >> t & 1) == 0) {
            return HG_FAIL(HG_E_PARAM,
                           "target '%s' comes after itself, by way of the others: 'after' must "
                           "not run in a circle",
                           target[t].name);
        }
    }
    return HG_OK;
}

/* labels of this rank's rows: each 0 or 1; values where there is no hurdle */
static hg_status
check_values(const hg_train_data *d, const hg_target_role role[])
{
    for (int64_t i = 0; i < d->n; i++) {
        for (int t = 0; t < d->n_target; t++) {
            double y = d->y[i * d->n_target + t];

            if (role[t].is_label && !(y >= 0 && (y <= 0 || (y >= 1 && y <= 1)))) {
                return HG_FAIL(HG_E_INPUT,
                               "label '%s' of the row with key %" PRIu64
                               " is %g: it must be 0 or 1",
                               d->target[t].name, d->key[i], y);
            }
        }
    }
    return HG_OK;
}

/* rows, and for each target those that are 1 or open; over all ranks */
static hg_status
check_counts(const hg_comm *comm, const hg_train_data *d, const hg_target_role role[])
{
    int64_t n[HG_TARGETS_MAX + 1] = {0};

    for (int64_t i = 0; i < d->n; i++) {
        for (int t = 0; t < d->n_target; t++) {
            double y = d->y[i * d->n_target + t];

            n[t] += role[t].is_label ? y > 0 : !isnan(y);
        }
    }
    n[d->n_target] = d->n;
    hg_comm_sum(comm, (size_t)d->n_target + 1, n);
    for (int t = 0; t < d->n_target && n[d->n_target] > 0; t++) {
        if (role[t].is_label && (n[t] == 0 || n[t] == n[d->n_target])) {
            return HG_FAIL(HG_E_INPUT,
                           "label '%s' is %d in all %" PRId64
                           " training rows: there is nothing to tell apart",
                           d->target[t].name, n[t] > 0, n[d->n_target]);
        }
        if (role[t].has_hurdle && n[t] == 0) {
            return HG_FAIL(HG_E_INPUT,
                           "target '%s' is above its hurdle in none of the %" PRId64
                           " training rows",
                           d->target[t].name, n[d->n_target]);
        }
    }
    return HG_OK;
}

/* whether two targets are open on the same rows, of all ranks */
static void
compare_open(const hg_comm *comm, const hg_train_data *d,
             int64_t same[HG_TARGETS_MAX][HG_TARGETS_MAX])
{
    for (int a = 0; a < d->n_target; a++) {
        for (int b = 0; b < d->n_target; b++) {
            same[a][b] = 1;
            for (int64_t i = 0; i < d->n && same[a][b]; i++) {
                same[a][b] =
                    !isnan(d->y[i * d->n_target + a]) == !isnan(d->y[i * d->n_target + b]);
            }
        }
    }
    hg_comm_min(comm, HG_TARGETS_MAX * HG_TARGETS_MAX, same[0]);
}

static void
add_output(hg_stage *stage, int target, hg_part part)
{
    stage->output[stage->n_output++] = (hg_stage_column){target, (int32_t)part};
}

/* add a stage, or with inputs a pair of stages, with the outputs of `stage` */
static void
add_stage(const hg_target_role role[], uint32_t after, hg_stage stage, hg_stages *m)
{
    if (stage.n_output == 0) {
        return;
    }
    for (int t = 0; t < HG_TARGETS_MAX; t++) {
        if ((after >> t & 1) != 0) {
            if (role[t].has_hurdle) {
                stage.input[stage.n_input++] = (hg_stage_column){t, HG_PART_OPEN};
            }
            stage.input[stage.n_input++] = (hg_stage_column){t, HG_PART_VALUE};
        }
    }
    stage.use = after == 0 ? HG_STAGE_BOTH : HG_STAGE_MEAN;
    m->stage[m->n++] = stage;
    if (after != 0) {
        stage.use = HG_STAGE_DRAW;
        m->stage[m->n++] = stage;
    }
}

/* the stages of the targets whose inputs are exactly `after` */
static void
plan_group(int n_target, const hg_target_role role[],
           int64_t same[HG_TARGETS_MAX][HG_TARGETS_MAX], uint32_t after, hg_stages *m)
{
    hg_stage plain = {0}, labels = {.is_label = 1};
    uint32_t done = 0;

    for (int t = 0; t < n_target; t++) {
        if (role[t].after != after) {
            continue;
        }
        if (role[t].is_label || role[t].has_hurdle) {
            add_output(&labels, t, role[t].is_label ? HG_PART_VALUE : HG_PART_OPEN);
        } else {
            add_output(&plain, t, HG_PART_VALUE);
        }
    }
    add_stage(role, after, plain, m);
    add_stage(role, after, labels, m);
    for (int t = 0; t < n_target; t++) {
        hg_stage open = {0};

        for (int u = t; u < n_target && role[t].has_hurdle && role[t].after == after; u++) {
            if (role[u].has_hurdle && role[u].after == after && same[t][u] &&
                (done >> u & 1) == 0) {
                add_output(&open, u, HG_PART_VALUE);
                done |= 1u << u;
            }
        }
        add_stage(role, after, open, m);
    }
}

/* what the first target comes after that can be made when those in `done` are */
static uint32_t
find_next(int n_target, const hg_target_role role[], uint32_t done)
{
    for (int t = 0; t < n_target; t++) {
        if ((done >> t & 1) == 0 && (role[t].after & ~done) == 0) {
            return role[t].after;
        }
    }
    return 0;
}

/* all stages; same[a][b] says whether targets a and b are open on the same rows */
static void
plan_all(int n_target, const hg_target_role role[],
         int64_t same[HG_TARGETS_MAX][HG_TARGETS_MAX], hg_stages *m)
{
    uint32_t done = 0;

    while (done != (1u << n_target) - 1) {
        const uint32_t after = find_next(n_target, role, done);
        uint32_t planned = done;

        plan_group(n_target, role, same, after, m);
        for (int t = 0; t < n_target; t++) {
            planned |= role[t].after == after ? 1u << t : 0;
        }
        done = planned;
    }
}

hg_status
hg_stages_shapes(int n_feature, int n_target, const hg_target_role role[], int *n,
                 hg_stage_shape shape[HG_STAGES_MAX])
{
    int64_t same[HG_TARGETS_MAX][HG_TARGETS_MAX] = {{0}};
    hg_stages *m = NULL;

    HG_TRY(hg_mem_zeros(&m, 1, sizeof *m));
    for (int t = 0; t < n_target; t++) {
        same[t][t] = 1;
    }
    plan_all(n_target, role, same, m);
    *n = m->n;
    for (int s = 0; s < m->n; s++) {
        const hg_stage *stage = &m->stage[s];

        shape[s] =
            (hg_stage_shape){n_feature + stage->n_input, stage->n_output, stage->is_label};
    }
    hg_mem_free(m);
    return HG_OK;
}

hg_status
hg_stages_plan(const hg_comm *comm, const hg_train_data *d, const hg_target_role role[],
               hg_stages *m)
{
    int64_t same[HG_TARGETS_MAX][HG_TARGETS_MAX], least = d->n_target, most = d->n_target;
    hg_status status = HG_OK;

    hg_comm_min(comm, 1, &least);
    hg_comm_max(comm, 1, &most);
    if (least < 1 || most > HG_TARGETS_MAX || least != most) {
        status = HG_FAIL(HG_E_SHAPE, "%d targets: there must be 1 to %d, as many on all ranks",
                         d->n_target, HG_TARGETS_MAX);
    }
    status = status == HG_OK ? hg_target_roles_check(d->n_target, d->target, role) : status;
    status = status == HG_OK ? check_values(d, role) : status;
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(check_counts(comm, d, role));
    compare_open(comm, d, same);
    plan_all(d->n_target, role, same, m);
    return HG_OK;
}
