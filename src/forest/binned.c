/* Rows as binned records. Each rank makes the bins from its share of the rows, and codes all of
 * them. A tree copies the records of its bag and multiplies their channels by the copies. */
#include "forest/binned.h"

#include "base/memory.h"

static void
set_layout(const hg_plan *plan, hg_binned *binned)
{
    const hg_rule *rule = &plan->rule;
    hg_layout *l = &binned->layout;
    size_t bytes;

    l->bins = &binned->bins;
    l->n_target = rule->n_target;
    l->n_lane = (rule->n_target + 2 + 7) / 8 * 8;
    l->is_wide = binned->bins.most > 256;
    l->is_long = rule->is_weighted;
    l->bin_at = ((size_t)rule->n_target + 3) * (l->is_long ? 8 : 4);
    bytes = l->bin_at + (size_t)rule->n_feature * (l->is_wide ? 2 : 1);
    l->stride = (bytes + HG_RECORD_ALIGN - 1) / HG_RECORD_ALIGN * HG_RECORD_ALIGN;
    l->min_leaf = rule->min_leaf;
    memcpy(l->cost, rule->cost, (size_t)rule->n_target * sizeof rule->cost[0]);
}

static void
put_channel(const hg_layout *l, unsigned char *record, int channel, int64_t value)
{
    const int32_t small = (int32_t)value;

    if (l->is_long) {
        memcpy(record + 8 * channel, &value, sizeof value);
    } else {
        memcpy(record + 4 * channel, &small, sizeof small);
    }
}

static void
code_row(const hg_plan *plan, const hg_binned *binned, int64_t row, unsigned char *to)
{
    const hg_layout *l = &binned->layout;
    const hg_word *from = plan->row + (size_t)row * plan->rule.stride;
    const int64_t w = plan->weight != NULL ? plan->weight[row] : 1;

    memset(to, 0, l->stride);
    for (int o = 0; o < l->n_target; o++) {
        put_channel(l, to, o, from[plan->rule.n_feature + o].i * w);
    }
    put_channel(l, to, l->n_target, w);
    put_channel(l, to, l->n_target + 1, 1);
    put_channel(l, to, l->n_target + 2, row);
    for (int f = 0; f < plan->rule.n_feature; f++) {
        const uint16_t bin = (uint16_t)hg_bins_find(&binned->bins, f, from[f].f);

        if (l->is_wide) {
            memcpy(to + l->bin_at + 2 * (size_t)f, &bin, sizeof bin);
        } else {
            to[l->bin_at + (size_t)f] = (unsigned char)bin;
        }
    }
}

/* the ranks that share the rows code a part each */
static void
code_rows(const hg_plan *plan, const hg_binned *b)
{
    const hg_comm *node = &b->shared.node;
    const int rank = b->shared.is_shared ? node->rank : 0;
    const int size = b->shared.is_shared ? node->size : 1;
    unsigned char *row = b->shared.data;

    for (int64_t i = plan->n * rank / size; i < plan->n * (rank + 1) / size; i++) {
        code_row(plan, b, i, row + (size_t)i * b->layout.stride);
    }
}

hg_status
hg_binned_create(const hg_comm *comm, const hg_plan *plan, hg_binned **binned)
{
    const int64_t begin = plan->n * comm->rank / comm->size;
    const int64_t end = plan->n * (comm->rank + 1) / comm->size;
    const size_t stride = plan->rule.stride;
    hg_status status = HG_OK;
    hg_binned *b = NULL;

    *binned = NULL;
    HG_TRY_OR(fail, status, hg_comm_agree(comm, hg_mem_zeros(&b, 1, sizeof *b)));
    HG_TRY_OR(fail, status,
              hg_bins_measure(comm, end - begin, plan->rule.n_feature,
                              &plan->row[(size_t)begin * stride].f, stride, plan->options.bins,
                              plan->rule.constant_step, &b->bins));
    set_layout(plan, b);
    b->kernel = hg_best_kernel_choose(plan->kernel->name);
    HG_TRY_OR(fail, status,
              hg_shared_create(comm, (size_t)plan->n * b->layout.stride, &b->shared));
    code_rows(plan, b);
    hg_shared_settle(comm, &b->shared);
    b->row = b->shared.data;
    *binned = b;
    return HG_OK;

fail:
    hg_binned_free(comm, b);
    return status;
}

void
hg_binned_free(const hg_comm *comm, hg_binned *binned)
{
    if (binned != NULL) {
        hg_bins_clear(&binned->bins);
        hg_shared_clear(comm, &binned->shared);
        hg_mem_free(binned);
    }
}

hg_status
hg_binned_space_create(const hg_plan *plan, hg_binned_space **space)
{
    const hg_layout *l = &plan->binned->layout;
    const size_t n = (size_t)plan->n, n_candidate = (size_t)plan->rule.n_candidate;
    const size_t most = (size_t)plan->binned->bins.most, n_lane = (size_t)l->n_lane;
    const size_t line = n_lane * sizeof(int64_t), slot = n_candidate * most * line;
    const size_t fits = HG_SLOTS_BYTES / slot;
    hg_binned_space *s = NULL;

    HG_TRY(hg_mem_zeros(&s, 1, sizeof *s));
    *space = s;
    s->n_slot = fits < HG_SLOTS_MAX ? (int)fits : HG_SLOTS_MAX;
    for (int i = 0; i < 2; i++) { /* vectors read beyond the channels of the last record */
        HG_TRY(hg_mem_zeros(&s->record[i], n * l->stride + line, 1));
        hg_mem_large_pages(s->record[i]);
    }
    HG_TRY(hg_mem_array(&s->groups.sum, most, line));
    HG_TRY(hg_mem_array(&s->groups.bin, most, sizeof *s->groups.bin));
    HG_TRY(hg_mem_zeros(&s->groups.line, most, line));
    HG_TRY(hg_mem_zeros(&s->groups.mark, (most + 63) / 64 * 64, 1));
    HG_TRY(hg_mem_array(&s->groups.key, HG_SORT_MAX, sizeof *s->groups.key));
    HG_TRY(hg_mem_array(&s->slot, (size_t)s->n_slot, slot));
    return hg_mem_array(&s->place, (size_t)s->n_slot * n_candidate, sizeof *s->place);
}

void
hg_binned_space_free(hg_binned_space *s)
{
    if (s != NULL) {
        void *const blocks[] = {
            s->record[0],   s->record[1],  s->groups.sum, s->groups.bin, s->groups.line,
            s->groups.mark, s->groups.key, s->slot,       s->place,      s};

        for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
            hg_mem_free(blocks[i]);
        }
    }
}

size_t
hg_binned_fill(const hg_plan *plan, hg_space *space, uint64_t tree, int64_t total[])
{
    const hg_layout *l = &plan->binned->layout;
    const unsigned char *from = plan->binned->row;
    unsigned char *to = space->binned->record[0];
    size_t n = 0;

    hg_bag_take(plan, space, tree);
    memset(total, 0, ((size_t)l->n_target + 1) * sizeof total[0]);
    for (int64_t i = 0; i < plan->n; i++, from += l->stride) {
        if (space->copies[i] == 0) {
            continue;
        }
        memcpy(to, from, l->stride);
        for (int c = 0; c <= l->n_target; c++) {
            int64_t value = hg_binned_channel(l, from, c) * space->copies[i];

            put_channel(l, to, c, value);
            total[c] += value;
        }
        to += l->stride;
        n++;
    }
    return n;
}
