/* Every rank gets a range of the rows in the order of (group, key): the place there is the
 * canonical row number, which keys bags and leaf-mates, so that nothing depends on the order or
 * distribution of the input. */
#include "forest/rows.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "forest/threads.h"

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

/* make room for a column and send it on its way */
static hg_status
move_column(const hg_comm *comm, const hg_route *route, size_t size, const void *from, void *to)
{
    void *column = NULL;
    hg_status status = hg_mem_array(&column, (size_t)route->n, size);

    memcpy(to, &column, sizeof column);
    HG_TRY(hg_comm_agree(comm, status));
    return hg_route_column(comm, route, size, from, column, size);
}

/* give a column back to its owner */
static void
release(const hg_train_data *d, const void *array)
{
    if (d->release != NULL && array != NULL) {
        d->release(d->owner, array);
    }
}

hg_status
hg_rows_sort(const hg_comm *comm, int threads, const hg_train_data *d, hg_rows *r)
{
    const uint64_t *parent = d->parent_key != NULL ? d->parent_key : d->key;
    hg_status status = HG_OK;

    *r = (hg_rows){0};
    HG_TRY_OR(fail, status, hg_comm_agree(comm, agree_shape(comm, d, r)));
    HG_TRY_OR(fail, status,
              hg_route_create(comm, hg_threads(threads), d->n, r->has_group, d->group, d->key,
                              &r->route, &r->group, &r->key));
    r->n = r->route.n;
    r->first = r->route.first;
    r->n_all = r->route.n_all;
    HG_TRY_OR(fail, status, move_column(comm, &r->route, sizeof *parent, parent, &r->parent));
    release(d, d->parent_key);
    release(d, d->key);
    release(d, d->group);
    if (r->has_weight) {
        HG_TRY_OR(fail, status,
                  move_column(comm, &r->route, sizeof *d->weight, d->weight, &r->weight));
    }
    HG_TRY_OR(fail, status,
              move_column(comm, &r->route, (size_t)d->n_target * sizeof *d->y, d->y, &r->y));
    release(d, d->weight);
    release(d, d->y);
    return HG_OK;

fail:
    hg_rows_clear(r);
    return status;
}

hg_status
hg_rows_place_features(const hg_comm *comm, const hg_train_data *d, size_t stride,
                       const hg_shared *block, hg_rows *r)
{
    const size_t rest = stride - (size_t)d->n_feature;
    const int threads = /* NOLINT: the analyser does not look into pragmas */
        r->route.threads;
    hg_status status = HG_OK;

    r->is_shared = block != NULL;
    if (r->is_shared) {
        r->record = (hg_word *)block->data + (size_t)r->first * stride;
    } else {
        status = hg_mem_array(&r->record, (size_t)r->n * stride, sizeof *r->record);
    }
    HG_TRY(hg_comm_agree(comm, status));
    status = hg_route_column(comm, &r->route, (size_t)d->n_feature * sizeof *d->x, d->x,
                             r->record, stride * sizeof *r->record);
    hg_route_clear(&r->route);
    HG_TRY(status);
    release(d, d->x);
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < r->n; i++) {
        hg_word *x = r->record + (size_t)i * stride;

        for (int k = 0; k < d->n_feature; k++) {
            x[k].f += 0.0f; /* -0 becomes +0 */
        }
        memset(x + d->n_feature, 0, rest * sizeof *x);
    }
    return HG_OK;
}

void
hg_rows_clear(hg_rows *r)
{
    hg_route_clear(&r->route);
    hg_mem_free(r->key);
    hg_mem_free(r->group);
    hg_mem_free(r->parent);
    hg_mem_free(r->weight);
    hg_mem_free(r->y);
    hg_mem_free(r->integer);
    if (!r->is_shared) {
        hg_mem_free(r->record);
    }
    *r = (hg_rows){0};
}
