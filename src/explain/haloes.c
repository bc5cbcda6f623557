/* Ranks take slices of the haloes; each lets the training rows down the trees for itself, which
 * costs as much as predicting them once. */
#include "explain/haloes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "explain/row_sample.h"
#include "validate/held_out.h"
#include "validate/parent_sample.h"

void
hg_haloes_output_name(const hg_stages *model, int stage, int o, size_t n, char name[])
{
    snprintf(name, n, "%.56s%s", hg_forest_target(hg_stages_forest(model, stage), o)->name,
             hg_stages_is_gate(model, stage, o) ? " open" : "");
}

/* where the training rows of a forest stand among all rows, which are in the order of keys */
static hg_status
find_places(const hg_validation *v, const hg_forest *f, uint32_t place[])
{
    const uint64_t *key = hg_forest_keys(f);

    if (v->rows.n > UINT32_MAX) {
        return HG_FAIL(HG_E_INPUT, "%" PRId64 " rows are more than explain can hold",
                       v->rows.n);
    }
    for (int64_t i = 0; i < hg_forest_rows(f); i++) {
        int64_t low = 0, high = v->rows.n;

        while (low < high) {
            const int64_t middle = low + (high - low) / 2;

            if (v->rows.key[middle] < key[i]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == v->rows.n || v->rows.key[low] != key[i]) {
            return HG_FAIL(HG_E_INPUT,
                           "the model was trained on the row with key %016" PRIx64
                           ", which is not among the %" PRId64
                           " rows read now: train again, or give the catalogues and the "
                           "section Selection of the training",
                           key[i], v->rows.n);
        }
        place[i] = (uint32_t)low;
    }
    return HG_OK;
}

static hg_status
allocate(int64_t n, int n_feature, hg_haloes_stage *s)
{
    const size_t all = (size_t)n * (size_t)n_feature * (size_t)s->n_target;

    HG_TRY(hg_mem_zeros(&s->mean, (size_t)(n * s->n_target), sizeof *s->mean));
    HG_TRY(hg_mem_zeros(&s->parts.base, (size_t)s->n_target, sizeof *s->parts.base));
    HG_TRY(hg_mem_zeros(&s->parts.path, all, sizeof *s->parts.path));
    return hg_mem_zeros(&s->parts.shapley, all, sizeof *s->parts.shapley);
}

/* the haloes first to end - 1; the base is kept by rank 0 alone */
static hg_status
explain_slice(const hg_validation *v, const hg_forest *f, const hg_haloes *all, int rank,
              int64_t first, int64_t end, hg_haloes_stage *s)
{
    const int64_t n = end - first, nf = v->features.n, width = nf * s->n_target;
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    const hg_prediction result = {.mean = s->mean + first * s->n_target};
    hg_attribution parts = {s->parts.base, s->parts.path + first * width,
                            s->parts.shapley + first * width};
    uint32_t *place = NULL;
    const float *x = all->x + first * nf;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&place, (size_t)hg_forest_rows(f), sizeof *place));
    HG_TRY_OR(done, status, find_places(v, f, place));
    HG_TRY_OR(done, status, hg_forest_predict(f, &options, n, NULL, x, &result));
    status = hg_forest_attribute(f, 0, v->rows.x, place, n, x, &parts);
    if (rank > 0) {
        memset(s->parts.base, 0, (size_t)s->n_target * sizeof *s->parts.base);
    }
done:
    hg_mem_free(place);
    return status;
}

static hg_status
join(const hg_comm *comm, int64_t n, int n_feature, hg_haloes_stage *s)
{
    const size_t all = (size_t)n * (size_t)n_feature * (size_t)s->n_target;

    HG_TRY(hg_held_out_join(comm, (size_t)s->n_target, s->parts.base));
    HG_TRY(hg_held_out_join(comm, (size_t)(n * s->n_target), s->mean));
    HG_TRY(hg_held_out_join(comm, all, s->parts.path));
    return hg_held_out_join(comm, all, s->parts.shapley);
}

static hg_status
explain_stage(const hg_comm *comm, const hg_validation *v, const hg_stages *model, int number,
              hg_haloes *all)
{
    const hg_forest *f = hg_stages_forest(model, number);
    hg_haloes_stage *s = &all->stage[all->n_stage++];
    int64_t first, end;
    hg_status status;

    *s = (hg_haloes_stage){.stage = number, .n_target = hg_forest_targets(f)};
    hg_held_out_slice(all->n, comm, &first, &end);
    status = allocate(all->n, v->features.n, s);
    if (status == HG_OK) {
        status = explain_slice(v, f, all, comm->rank, first, end, s);
    }
    HG_TRY(hg_comm_agree(comm, status));
    return join(comm, all->n, v->features.n, s);
}

static hg_status
name_left_out(const hg_stages *model, int number, hg_text *text)
{
    char name[80];

    for (int o = 0; o < hg_forest_targets(hg_stages_forest(model, number)); o++) {
        hg_haloes_output_name(model, number, o, sizeof name, name);
        HG_TRY(hg_text_add(text, "%s'%s'", text->n > 0 ? ", " : "", name));
    }
    return HG_OK;
}

static hg_status
take_training(const hg_validation *v, hg_haloes *all)
{
    const int nf = v->features.n;

    HG_TRY(hg_row_sample(v, v->params->explain.haloes, &all->n, &all->row));
    HG_TRY(hg_mem_array(&all->x, (size_t)all->n * (size_t)nf, sizeof *all->x));
    for (int64_t i = 0; i < all->n; i++) {
        memcpy(all->x + i * nf, v->rows.x + all->row[i] * nf, (size_t)nf * sizeof *all->x);
    }
    return HG_OK;
}

static hg_status
take_parent(const hg_comm *comm, const hg_validation *v, hg_haloes *all)
{
    hg_parent_sample sample = {0};
    const hg_status status = hg_parent_sample_read(comm, v, v->params->explain.parent,
                                                   v->params->explain.haloes, &sample);

    if (status == HG_OK) { /* its rows and features stay */
        all->of_parent = true;
        all->n = sample.n;
        all->row = sample.row;
        all->x = sample.x;
        sample.row = NULL;
        sample.x = NULL;
    }
    hg_parent_sample_clear(&sample);
    return status;
}

hg_status
hg_haloes_explain(const hg_comm *comm, const hg_validation *v, const hg_stages *model,
                  hg_haloes *all)
{
    hg_status status;

    *all = (hg_haloes){0};
    if (v->params->explain.haloes == 0) {
        return HG_OK;
    }
    hg_phase_start("explain: haloes");
    status = v->params->explain.parent != NULL ? take_parent(comm, v, all)
                                               : hg_comm_agree(comm, take_training(v, all));
    for (int s = 0; s < hg_stages_count(model) && status == HG_OK; s++) {
        if (hg_stages_use(model, s) == HG_STAGE_DRAW) {
            continue;
        }
        if (hg_forest_features(hg_stages_forest(model, s)) != v->features.n) {
            status = hg_comm_agree(comm, name_left_out(model, s, &all->left_out));
            continue;
        }
        status = explain_stage(comm, v, model, s, all);
    }
    hg_phase_stop("explain: haloes");
    return status;
}

void
hg_haloes_clear(hg_haloes *haloes)
{
    for (int s = 0; s < haloes->n_stage; s++) {
        hg_mem_free(haloes->stage[s].mean);
        hg_mem_free(haloes->stage[s].parts.base);
        hg_mem_free(haloes->stage[s].parts.path);
        hg_mem_free(haloes->stage[s].parts.shapley);
    }
    hg_text_clear(&haloes->left_out);
    hg_mem_free(haloes->row);
    hg_mem_free(haloes->x);
    *haloes = (hg_haloes){0};
}
