/* Links are sorted by descendant once, so that siblings lie together and the best of them is
 * chosen in one pass. Values are interpolated in logarithms: haloes grow by factors. */
#include "features/history.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

struct entry {
    int64_t id;
    int64_t row;
};

static int
by_id(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static hg_status
sort_ids(const hg_links *links, struct entry entry[])
{
    for (int64_t i = 0; i < links->n; i++) {
        entry[i] = (struct entry){links->id[i], i};
    }
    if (links->n > 0) {
        qsort(entry, (size_t)links->n, sizeof *entry, by_id);
    }
    for (int64_t i = 1; i < links->n; i++) {
        if (entry[i].id == entry[i - 1].id) {
            return HG_FAIL(HG_E_INPUT, "object %" PRId64 " stands twice in the links",
                           entry[i].id);
        }
    }
    return HG_OK;
}

/* Whether object a is the better main progenitor. */
static bool
is_better(const hg_links *links, int64_t a, int64_t b)
{
    const int main_a = links->is_main != NULL ? links->is_main[a] : 0;
    const int main_b = links->is_main != NULL ? links->is_main[b] : 0;

    if (main_a != main_b) {
        return main_a > main_b;
    }
    if (links->mass[a] > links->mass[b] || links->mass[a] < links->mass[b]) {
        return links->mass[a] > links->mass[b];
    }
    return links->id[a] < links->id[b];
}

hg_status
hg_links_progenitors(const hg_links *links, int64_t progenitor[])
{
    struct entry *entry = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&entry, (size_t)links->n, sizeof *entry));
    HG_TRY_OR(done, status, sort_ids(links, entry));
    for (int64_t i = 0; i < links->n; i++) {
        progenitor[i] = -1;
    }
    for (int64_t i = 0; i < links->n; i++) {
        const struct entry wanted = {links->descendant[i], 0};
        const struct entry *found =
            links->descendant[i] < 0
                ? NULL
                : bsearch(&wanted, entry, (size_t)links->n, sizeof *entry, by_id);

        if (found == NULL) {
            continue;
        }
        if (found->row == i) {
            status =
                HG_FAIL(HG_E_INPUT, "object %" PRId64 " is its own descendant", links->id[i]);
            goto done;
        }
        if (progenitor[found->row] < 0 || is_better(links, i, progenitor[found->row])) {
            progenitor[found->row] = i;
        }
    }
done:
    hg_mem_free(entry);
    return status;
}

hg_status
hg_links_branch(const int64_t progenitor[], int64_t row, int room, int64_t branch[],
                int *n_branch)
{
    *n_branch = 0;
    for (int64_t r = row; r >= 0; r = progenitor[r]) {
        if (*n_branch == room) {
            return HG_FAIL(HG_E_INPUT,
                           "a branch has more than %d objects: it is longer than there are "
                           "snapshots, or its links go round",
                           room);
        }
        branch[(*n_branch)++] = r;
    }
    return HG_OK;
}

/* logarithms linear between two snapshots */
static double
interpolate(const hg_branch *b, int i, int j, double scale)
{
    const double t = log(scale / b->scale[i]) / log(b->scale[j] / b->scale[i]);

    return b->value[i] * pow(b->value[j] / b->value[i], t);
}

static double
value_at(const hg_branch *b, double scale)
{
    int before = -1;

    for (int i = 0; i < b->n; i++) {
        if (!(b->value[i] > 0)) {
            continue;
        }
        if (b->scale[i] >= scale) {
            return b->scale[i] <= scale ? b->value[i]
                   : before < 0         ? 0
                                        : interpolate(b, before, i, scale);
        }
        before = i;
    }
    return before < 0 ? (double)NAN : b->value[before];
}

void
hg_branch_at(const hg_branch *branch, int n, const double epoch[], double value[])
{
    for (int i = 0; i < n; i++) {
        value[i] = value_at(branch, epoch[i]);
    }
}

hg_peak
hg_branch_peak(const hg_branch *b)
{
    hg_peak peak = {(double)NAN, (double)NAN, (double)NAN};
    int last = -1, before = -1;

    for (int i = 0; i < b->n; i++) {
        if (b->value[i] > 0) {
            last = i;
            if (!(b->value[i] <= peak.value)) {
                peak.value = b->value[i];
                peak.scale = b->scale[i];
            }
        }
    }
    for (int i = 0; i <= last; i++) {
        const double half = 0.5 * b->value[last];

        if (b->value[i] >= half) {
            peak.half_scale = b->scale[i];
            if (before >= 0) {
                peak.half_scale =
                    b->scale[before] *
                    pow(b->scale[i] / b->scale[before],
                        log(half / b->value[before]) / log(b->value[i] / b->value[before]));
            }
            break;
        }
        before = b->value[i] > 0 ? i : before;
    }
    return peak;
}
