/* A regular sample of the canonical rows: the same for any distribution of the rows, and spread
 * over all groups. */
#include "forest/sample.h"

#include "base/memory.h"

int64_t
hg_sample_step(int64_t n_row)
{
    return (n_row + HG_SAMPLE_ROWS - 1) / HG_SAMPLE_ROWS;
}

int64_t
hg_sample_count(int64_t end, int64_t step)
{
    return (end + step - 1) / step;
}

hg_status
hg_sample_gather(const hg_comm *comm, const hg_plan *plan, const hg_forest *f, int64_t *n_all,
                 float **x)
{
    const int64_t step = hg_sample_step(f->n_row);
    const int64_t first = hg_sample_count(plan->first, step);
    const int64_t n = hg_sample_count(plan->first + plan->n, step) - first;
    const size_t width = (size_t)f->n_feature;
    float *mine = NULL;
    hg_status status;

    *x = NULL;
    status = hg_mem_array(&mine, (size_t)n * width, sizeof *mine);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        const size_t row = (size_t)((first + i) * step - plan->first);

        memcpy(mine + (size_t)i * width, plan->row + row * plan->rule.stride,
               width * sizeof *mine);
    }
    status = hg_comm_gather_rows(comm, n, width * sizeof *mine, mine, n_all, x);
done:
    hg_mem_free(mine);
    return status;
}

static const hg_spill_kind kinds[HG_VIEW_ARRAYS] = {
    HG_SPILL_NODE,   HG_SPILL_MEAN,     HG_SPILL_OFFSET, HG_SPILL_MATE,
    HG_SPILL_KEY,    HG_SPILL_GROUP,    HG_SPILL_PARENT, HG_SPILL_VALUE,
    HG_SPILL_SHRINK, HG_SPILL_RESIDUAL, HG_SPILL_WEIGHT, HG_SPILL_OOB_TREES};

static void
point(hg_forest *f, const hg_forest_view *view)
{
    f->node = view->data[0];
    f->mean = view->data[1];
    f->mate_offset = view->data[2];
    f->mate = view->data[3];
    f->key = view->data[4];
    f->group = view->data[5];
    f->parent = view->data[6];
    f->value = view->data[7];
    f->shrink = view->data[8];
    f->residual = view->data[9];
    f->weight = view->data[10];
    f->oob_trees = view->data[11];
}

hg_status
hg_view_open(hg_forest *f, hg_forest_view *view)
{
    *view = (hg_forest_view){{0}};
    for (int i = 0; i < HG_VIEW_ARRAYS; i++) {
        HG_TRY(hg_spill_map(f->spill, kinds[i], &view->data[i]));
    }
    point(f, view);
    return HG_OK;
}

void
hg_view_forget(const hg_forest *f, const hg_forest_view *view)
{
    for (int i = 0; i < HG_VIEW_ARRAYS; i++) {
        hg_spill_forget(f->spill, kinds[i], view->data[i]);
    }
}

void
hg_view_close(hg_forest *f, hg_forest_view *view)
{
    for (int i = 0; i < HG_VIEW_ARRAYS; i++) {
        hg_spill_unmap(f->spill, kinds[i], view->data[i]);
    }
    *view = (hg_forest_view){{0}};
    point(f, view);
}
