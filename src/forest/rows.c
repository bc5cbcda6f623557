/* Gathering of training rows. Every rank gets all of them (trees are what is distributed), and
 * puts them into the order of (group, key): the place there is the canonical row number, which
 * keys bags and leaf-mates, so that nothing depends on the order or distribution of the input.
 */
#include "forest/rows.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

hg_status
hg_rows_check(const hg_train_data *d)
{
    if (d->n_feature < 1 || d->n_feature > HG_FEATURES_MAX || d->n_target < 1 ||
        d->n_target > HG_TARGETS_MAX) {
        return HG_FAIL(HG_E_SHAPE,
                       "%d features and %d targets: 1 to %d and 1 to %d are possible",
                       d->n_feature, d->n_target, HG_FEATURES_MAX, HG_TARGETS_MAX);
    }
    for (int o = 0; o < d->n_target && d->target_weight != NULL; o++) {
        if (!(d->target_weight[o] >= 0 && isfinite(d->target_weight[o]))) {
            return HG_FAIL(HG_E_ARG, "the weight %g of target '%s' is negative or not finite",
                           d->target_weight[o], d->target[o].name);
        }
    }
    for (int64_t i = 0; i < d->n; i++) {
        for (int f = 0; f < d->n_feature; f++) {
            float x = d->x[i * d->n_feature + f];

            if (!isfinite(x)) {
                return HG_FAIL(HG_E_INPUT,
                               "feature '%s' of the training row with key %" PRIu64 " is %g",
                               d->feature[f].name, d->key[i], (double)x);
            }
        }
        for (int o = 0; o < d->n_target; o++) {
            double y = d->y[i * d->n_target + o];

            if (!(fabs(y) <= (double)FLT_MAX / 4)) {
                return HG_FAIL(HG_E_INPUT,
                               "target '%s' of the training row with key %" PRIu64 " is %g",
                               d->target[o].name, d->key[i], y);
            }
        }
        if (d->weight != NULL && !(d->weight[i] > 0 && isfinite(d->weight[i]))) {
            return HG_FAIL(HG_E_INPUT,
                           "the weight of the training row with key %" PRIu64
                           " is %g: weights must be positive, leave out rows that do not count",
                           d->key[i], d->weight[i]);
        }
    }
    return HG_OK;
}

/* ranks must agree on the columns; ranks without rows may leave optional arrays NULL */
static hg_status
agree_shape(const hg_comm *comm, const hg_train_data *d, hg_rows *rows)
{
    int64_t low[2] = {d->n_feature, d->n_target}, high[2] = {d->n_feature, d->n_target};
    int64_t all[4] = {d->n > 0 && d->group != NULL, d->n > 0 && d->group == NULL,
                      d->n > 0 && d->weight != NULL, d->n > 0 && d->weight == NULL};

    hg_comm_min(comm, 2, low);
    hg_comm_max(comm, 2, high);
    hg_comm_max(comm, 4, all);
    rows->has_group = all[0] != 0;
    rows->has_weight = all[2] != 0;
    if (low[0] != high[0] || low[1] != high[1]) {
        return HG_FAIL(HG_E_SHAPE, "ranks differ in the number of features or targets");
    }
    if ((all[0] && all[1]) || (all[2] && all[3])) {
        return HG_FAIL(HG_E_SHAPE, "groups or weights are given on some ranks only");
    }
    return HG_OK;
}

typedef struct hg_place {
    uint64_t group;
    uint64_t key;
    int64_t row;
} hg_place;

static int
compare_places(const void *a, const void *b)
{
    const hg_place *x = a, *y = b;

    if (x->group != y->group) {
        return x->group > y->group ? 1 : -1;
    }
    return (x->key > y->key) - (x->key < y->key);
}

/* a key must be unique over all groups, not only in its own */
static hg_status
check_duplicates(const hg_rows *rows, hg_place place[])
{
    for (int64_t i = 0; i < rows->n; i++) {
        place[i] = (hg_place){0, rows->key[i], i};
    }
    qsort(place, (size_t)rows->n, sizeof *place, compare_places);
    for (int64_t i = 1; i < rows->n; i++) {
        if (place[i].key == place[i - 1].key) {
            return HG_FAIL(HG_E_INPUT,
                           "two training rows have the key %" PRIu64
                           ": is a file or a region listed twice",
                           place[i].key);
        }
    }
    return HG_OK;
}

/* permute rows of `size` bytes: row i becomes that of place i */
static hg_status
permute(void *array, size_t size, int64_t n, const hg_place place[])
{
    char *old = NULL, *sorted = NULL;

    memcpy(&old, array, sizeof old);
    if (old == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&sorted, (size_t)n, size));
    for (int64_t i = 0; i < n; i++) {
        memcpy(sorted + (size_t)i * size, old + (size_t)place[i].row * size, size);
    }
    memcpy(array, &sorted, sizeof sorted);
    hg_mem_free(old);
    return HG_OK;
}

static hg_status
sort_rows(const hg_train_data *d, hg_rows *r)
{
    hg_status status = HG_OK;
    hg_place *place = NULL;

    if (r->n == 0) {
        return HG_FAIL(HG_E_INPUT, "there are no training rows");
    }
    if (r->n > (int64_t)UINT32_MAX - 1) {
        return HG_FAIL(HG_E_INPUT, "%" PRId64 " training rows are more than 2^32 - 2", r->n);
    }
    HG_TRY(hg_mem_array(&place, (size_t)r->n, sizeof *place));
    HG_TRY_OR(end, status, check_duplicates(r, place));
    for (int64_t i = 0; i < r->n; i++) {
        place[i] = (hg_place){r->has_group ? r->group[i] : 0, r->key[i], i};
    }
    qsort(place, (size_t)r->n, sizeof *place, compare_places);
    HG_TRY_OR(end, status, permute(&r->key, sizeof *r->key, r->n, place));
    HG_TRY_OR(end, status, permute(&r->group, sizeof *r->group, r->n, place));
    HG_TRY_OR(end, status, permute(&r->parent, sizeof *r->parent, r->n, place));
    HG_TRY_OR(end, status, permute(&r->weight, sizeof *r->weight, r->n, place));
    HG_TRY_OR(end, status, permute(&r->x, (size_t)d->n_feature * sizeof *r->x, r->n, place));
    HG_TRY_OR(end, status, permute(&r->y, (size_t)d->n_target * sizeof *r->y, r->n, place));
end:
    hg_mem_free(place);
    return status;
}

hg_status
hg_rows_gather(const hg_comm *comm, const hg_train_data *d, hg_rows *r)
{
    hg_status status = HG_OK;
    const uint64_t *parent = d->parent_key != NULL ? d->parent_key : d->key;

    *r = (hg_rows){0};
    HG_TRY_OR(fail, status, hg_comm_agree(comm, agree_shape(comm, d, r)));
    HG_TRY_OR(fail, status,
              hg_comm_gather_rows(comm, d->n, sizeof *d->key, d->key, &r->n, &r->key));
    HG_TRY_OR(fail, status,
              hg_comm_gather_rows(comm, d->n, sizeof *parent, parent, &r->n, &r->parent));
    if (r->has_group) {
        HG_TRY_OR(
            fail, status,
            hg_comm_gather_rows(comm, d->n, sizeof *d->group, d->group, &r->n, &r->group));
    }
    if (r->has_weight) {
        HG_TRY_OR(
            fail, status,
            hg_comm_gather_rows(comm, d->n, sizeof *d->weight, d->weight, &r->n, &r->weight));
    }
    HG_TRY_OR(fail, status,
              hg_comm_gather_rows(comm, d->n, (size_t)d->n_feature * sizeof *d->x, d->x, &r->n,
                                  &r->x));
    HG_TRY_OR(fail, status,
              hg_comm_gather_rows(comm, d->n, (size_t)d->n_target * sizeof *d->y, d->y, &r->n,
                                  &r->y));
    HG_TRY_OR(fail, status, hg_comm_agree(comm, sort_rows(d, r)));
    return HG_OK;

fail:
    hg_rows_clear(r);
    return status;
}

void
hg_rows_clear(hg_rows *r)
{
    hg_mem_free(r->key);
    hg_mem_free(r->group);
    hg_mem_free(r->parent);
    hg_mem_free(r->weight);
    hg_mem_free(r->x);
    hg_mem_free(r->y);
    *r = (hg_rows){0};
}
