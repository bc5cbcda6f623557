/* The arrays of training rows: growing, thinning, gathering. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/training_rows.h"

hg_status
hg_training_rows_room(hg_training_rows *rows, int64_t n, int n_feature, int n_target)
{
    const size_t room = (size_t)(rows->n + n);

    if ((int64_t)room <= rows->room) {
        return HG_OK;
    }
    HG_TRY(hg_mem_resize(&rows->x, room * (size_t)n_feature, sizeof *rows->x));
    HG_TRY(hg_mem_resize(&rows->y, room * (size_t)n_target, sizeof *rows->y));
    HG_TRY(hg_mem_resize(&rows->weight, room, sizeof *rows->weight));
    HG_TRY(hg_mem_resize(&rows->key, room, sizeof *rows->key));
    HG_TRY(hg_mem_resize(&rows->group, room, sizeof *rows->group));
    HG_TRY(hg_mem_resize(&rows->parent_key, room, sizeof *rows->parent_key));
    if (rows->n_extra > 0) {
        HG_TRY(hg_mem_resize(&rows->extra, room * (size_t)rows->n_extra, sizeof *rows->extra));
        HG_TRY(hg_mem_resize(&rows->place, room, sizeof *rows->place));
        HG_TRY(hg_mem_resize(&rows->simulation, room, sizeof *rows->simulation));
        HG_TRY(hg_mem_resize(&rows->number, room, sizeof *rows->number));
    }
    rows->room = (int64_t)room;
    return HG_OK;
}

void
hg_training_rows_drop(hg_training_rows *rows, int64_t first, int64_t n, const uint8_t keep[])
{
    int64_t to = first;

    for (int64_t i = 0; i < n; i++) {
        if (keep[i]) {
            rows->key[to] = rows->key[first + i];
            rows->group[to] = rows->group[first + i];
            rows->parent_key[to] = rows->parent_key[first + i];
            rows->weight[to] = rows->weight[first + i];
            if (rows->n_extra > 0) {
                rows->place[to] = rows->place[first + i];
                rows->simulation[to] = rows->simulation[first + i];
                rows->number[to] = rows->number[first + i];
            }
            to++;
        }
    }
    rows->n = to;
}

void
hg_training_rows_clear(hg_training_rows *rows)
{
    hg_mem_free(rows->x);
    hg_mem_free(rows->y);
    hg_mem_free(rows->weight);
    hg_mem_free(rows->key);
    hg_mem_free(rows->group);
    hg_mem_free(rows->parent_key);
    hg_mem_free(rows->extra);
    hg_mem_free(rows->place);
    hg_mem_free(rows->simulation);
    hg_mem_free(rows->number);
    hg_text_clear(&rows->inputs);
    hg_text_clear(&rows->transport);
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        hg_text_clear(&rows->recipe[k]);
    }
    *rows = (hg_training_rows){0};
}

/* A key and where its row stands. */
struct place {
    uint64_t key;
    int64_t row;
};

static int
by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

/* Replace an array (of `size` bytes per row) by that of all ranks in the order of `list`;
 * `array` is the address of the pointer to it. */
static hg_status
gather_array(const hg_comm *comm, int64_t n, size_t size, int64_t n_all,
             const struct place list[], void *array)
{
    char *old, *all = NULL, *sorted = NULL;
    int64_t n_got = 0;

    memcpy(&old, array, sizeof old);
    HG_TRY(hg_comm_gather_rows(comm, n, size, old, &n_got, &all));
    if (hg_comm_agree(comm, hg_mem_array(&sorted, (size_t)n_all, size)) != HG_OK) {
        hg_mem_free(all);
        hg_mem_free(sorted);
        return hg_error_last()->status;
    }
    for (int64_t i = 0; i < n_all; i++) {
        memcpy(sorted + (size_t)i * size, all + (size_t)list[i].row * size, size);
    }
    hg_mem_free(all);
    hg_mem_free(old);
    memcpy(array, &sorted, sizeof sorted);
    return HG_OK;
}

/* Rows of all ranks in the order of their keys. */
static hg_status
order_rows(const hg_comm *comm, const hg_training_rows *rows, int64_t *n_all,
           struct place **list)
{
    uint64_t *key = NULL;
    hg_status status;

    HG_TRY(hg_comm_gather_rows(comm, rows->n, sizeof *key, rows->key, n_all, &key));
    status = hg_mem_array(list, (size_t)*n_all, sizeof **list);
    for (int64_t i = 0; i < *n_all && status == HG_OK; i++) {
        (*list)[i] = (struct place){key[i], i};
    }
    hg_mem_free(key);
    HG_TRY(hg_comm_agree(comm, status));
    qsort(*list, (size_t)*n_all, sizeof **list, by_key);
    for (int64_t i = 1; i < *n_all; i++) {
        if ((*list)[i].key == (*list)[i - 1].key) {
            return HG_FAIL(HG_E_INPUT,
                           "two rows have the key %016" PRIx64 ": run, region and id "
                           "must tell rows apart",
                           (*list)[i].key);
        }
    }
    return HG_OK;
}

hg_status
hg_training_rows_gather(const hg_comm *comm, int n_feature, int n_target,
                        hg_training_rows *rows)
{
    const struct {
        void *array;
        size_t size;
    } part[] = {{&rows->x, (size_t)n_feature * sizeof *rows->x},
                {&rows->y, (size_t)n_target * sizeof *rows->y},
                {&rows->weight, sizeof *rows->weight},
                {&rows->group, sizeof *rows->group},
                {&rows->parent_key, sizeof *rows->parent_key},
                {&rows->key, sizeof *rows->key},
                {&rows->extra, (size_t)rows->n_extra * sizeof *rows->extra},
                {&rows->place, sizeof *rows->place},
                {&rows->simulation, sizeof *rows->simulation},
                {&rows->number, sizeof *rows->number}};
    const size_t n_part = rows->n_extra > 0 ? sizeof part / sizeof part[0] : 6;
    struct place *list = NULL;
    int64_t n_all = 0;
    hg_status status = order_rows(comm, rows, &n_all, &list);

    for (size_t i = 0; i < n_part && status == HG_OK; i++) {
        status = gather_array(comm, rows->n, part[i].size, n_all, list, part[i].array);
    }
    if (status == HG_OK) {
        rows->n = rows->room = n_all;
    }
    hg_mem_free(list);
    return status;
}
