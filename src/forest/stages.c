/* The object that holds the stages of a model, and what follows from them. */
#include "forest/stage.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "forest/model.h"

hg_status
hg_stages_wrap(hg_forest *forest, hg_stages **stages)
{
    hg_stages *m = NULL;
    hg_status status;

    *stages = NULL;
    HG_TRY(hg_mem_zeros(&m, 1, sizeof *m));
    m->n = 1;
    m->stage[0].forest = forest;
    m->stage[0].n_output = forest->n_target;
    for (int o = 0; o < forest->n_target; o++) {
        m->stage[0].output[o].target = o;
    }
    status = hg_stages_complete(m);
    if (status != HG_OK) {
        hg_mem_free(m);
        return status;
    }
    *stages = m;
    return HG_OK;
}

void
hg_stages_free(hg_stages *stages)
{
    for (int s = 0; stages != NULL && s < HG_STAGES_MAX; s++) { /* also stages half read */
        hg_forest_free(stages->stage[s].forest);
    }
    hg_mem_free(stages);
}

static hg_status
hash_stages(hg_stages *m)
{
    hg_hash *h = NULL;

    m->hash = m->stage[0].forest->hash;
    if (m->n == 1 && !m->stage[0].is_label) {
        return HG_OK;
    }
    h = hg_hash_create();
    if (h == NULL) {
        return HG_FAIL(HG_E_MEMORY, "allocation of a hash state failed");
    }
    for (int s = 0; s < m->n; s++) {
        const hg_stage *stage = &m->stage[s];
        const int32_t counts[] = {(int32_t)stage->use, stage->is_label, stage->n_output,
                                  stage->n_input};

        hg_hash_feed(h, &stage->forest->hash, sizeof stage->forest->hash);
        hg_hash_feed(h, counts, sizeof counts);
        hg_hash_feed(h, stage->output, (size_t)stage->n_output * sizeof *stage->output);
        hg_hash_feed(h, stage->input, (size_t)stage->n_input * sizeof *stage->input);
        hg_hash_feed(h, stage->closed, (size_t)stage->n_input * sizeof *stage->closed);
    }
    m->hash = hg_hash_value(h);
    hg_hash_free(h);
    return HG_OK;
}

/* whether a column stands in a stage before s that serves the same results */
static int
is_made_before(const hg_stages *m, int s, hg_stage_column column, hg_stage_use use)
{
    for (int k = 0; k < s; k++) {
        const hg_stage *stage = &m->stage[k];

        for (int o = 0; o < stage->n_output; o++) {
            if (stage->output[o].target == column.target &&
                stage->output[o].part == column.part &&
                (stage->use == use || stage->use == HG_STAGE_BOTH)) {
                return 1;
            }
        }
    }
    return 0;
}

static hg_status
check_stage(const hg_stages *m, int s)
{
    const hg_stage *stage = &m->stage[s];
    int ok = stage->n_output == stage->forest->n_target &&
             stage->forest->n_feature == m->stage[0].forest->n_feature + stage->n_input &&
             (stage->use == HG_STAGE_BOTH) == (stage->n_input == 0);

    for (int o = 0; o < stage->n_output && ok; o++) {
        const hg_stage_column c = stage->output[o];

        ok = c.target >= 0 && c.target < HG_TARGETS_MAX &&
             (c.part == HG_PART_VALUE || (c.part == HG_PART_OPEN && stage->is_label)) &&
             !is_made_before(m, s, c, stage->use);
    }
    for (int i = 0; i < stage->n_input && ok; i++) {
        ok = is_made_before(m, s, stage->input[i], stage->use);
    }
    return ok ? HG_OK : HG_FAIL(HG_E_FORMAT, "stage %d of the model has impossible columns", s);
}

/* the role of the target of output o of a stage */
static void
take_output(hg_stages *m, const hg_stage *stage, int o)
{
    const hg_stage_column c = stage->output[o];
    hg_target_role *role = &m->role[c.target];

    m->n_target = c.target >= m->n_target ? c.target + 1 : m->n_target;
    m->target[c.target] = stage->forest->target[o];
    role->has_hurdle |= c.part == HG_PART_OPEN;
    role->is_label |= stage->is_label && c.part == HG_PART_VALUE;
    for (int i = 0; i < stage->n_input; i++) {
        role->after |= 1u << stage->input[i].target;
    }
}

hg_status
hg_stages_complete(hg_stages *m)
{
    m->n_target = 0;
    memset(m->role, 0, sizeof m->role);
    for (int s = 0; s < m->n; s++) {
        HG_TRY(check_stage(m, s));
        for (int o = 0; o < m->stage[s].n_output; o++) {
            take_output(m, &m->stage[s], o);
        }
    }
    for (int t = 0; t < m->n_target; t++) {
        const hg_stage_column value = {t, HG_PART_VALUE};

        if (!is_made_before(m, m->n, value, HG_STAGE_MEAN) ||
            !is_made_before(m, m->n, value, HG_STAGE_DRAW)) {
            return HG_FAIL(HG_E_FORMAT, "no stage of the model gives target %d", t);
        }
    }
    return hash_stages(m);
}

/* twins of the targets of a stage, of rows where all of them have a value */
static hg_status
select_twins(const hg_stages *m, const hg_stage *stage, int64_t n, const uint64_t key[],
             const double y[], int64_t *n_some, uint64_t **some_key, double **some_y)
{
    *n_some = 0;
    HG_TRY(hg_mem_array(some_key, (size_t)n, sizeof **some_key));
    HG_TRY(hg_mem_array(some_y, (size_t)(n * stage->n_output), sizeof **some_y));
    for (int64_t i = 0; i < n; i++) {
        int ok = 1;

        for (int o = 0; o < stage->n_output; o++) {
            const double value = y[i * m->n_target + stage->output[o].target];

            (*some_y)[*n_some * stage->n_output + o] = value;
            ok = ok && !isnan(value);
        }
        (*some_key)[*n_some] = key[i];
        *n_some += ok;
    }
    return HG_OK;
}

hg_status
hg_stages_add_twins(const hg_comm *comm, hg_stages *m, int64_t n, const uint64_t key[],
                    const double y[])
{
    hg_status status = HG_OK;

    for (int s = 0; s < m->n && status == HG_OK; s++) {
        const hg_stage *stage = &m->stage[s];
        uint64_t *some_key = NULL;
        double *some_y = NULL;
        int64_t n_some;

        if (stage->is_label || stage->use != HG_STAGE_BOTH) {
            continue;
        }
        status =
            hg_comm_agree(comm, select_twins(m, stage, n, key, y, &n_some, &some_key, &some_y));
        if (status == HG_OK) {
            status = hg_forest_add_twins(comm, stage->forest, n_some, some_key, some_y);
        }
        hg_mem_free(some_key);
        hg_mem_free(some_y);
    }
    HG_TRY(status);
    return hg_comm_agree(comm, hg_stages_complete(m));
}

hg_status
hg_stages_add_class(const hg_comm *comm, hg_stages *m, int64_t n, const uint64_t key[],
                    const float x[], size_t stride)
{
    for (int s = 0; s < m->n; s++) {
        if (!m->stage[s].is_label && m->stage[s].use != HG_STAGE_MEAN) {
            HG_TRY(hg_forest_add_class(comm, m->stage[s].forest, n, key, x, stride));
        }
    }
    return hg_comm_agree(comm, hg_stages_complete(m));
}

int
hg_stages_count(const hg_stages *stages)
{
    return stages->n;
}

hg_forest *
hg_stages_forest(const hg_stages *stages, int s)
{
    return stages->stage[s].forest;
}

hg_stage_use
hg_stages_use(const hg_stages *stages, int s)
{
    return stages->stage[s].use;
}

int
hg_stages_is_label(const hg_stages *stages, int s)
{
    return stages->stage[s].is_label;
}

int
hg_stages_is_gate(const hg_stages *stages, int s, int o)
{
    return stages->stage[s].output[o].part == HG_PART_OPEN;
}

int
hg_stages_targets(const hg_stages *stages)
{
    return stages->n_target;
}

const hg_field_spec *
hg_stages_target(const hg_stages *stages, int t)
{
    return &stages->target[t];
}

const hg_target_role *
hg_stages_role(const hg_stages *stages, int t)
{
    return &stages->role[t];
}

uint64_t
hg_stages_hash(const hg_stages *stages)
{
    return stages->hash;
}
