/* Each id goes to the rank that its hash says, which sorts what it got. */
#include "emulate/duplicates.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "table/identity.h"

typedef struct hg_seen_id {
    int64_t id, place, row;
} seen_id;

static int
compare_ids(const void *a, const void *b)
{
    const seen_id *x = a, *y = b;

    if (x->id != y->id) {
        return (x->id > y->id) - (x->id < y->id);
    }
    if (x->place != y->place) {
        return (x->place > y->place) - (x->place < y->place);
    }
    return (x->row > y->row) - (x->row < y->row);
}

hg_status
hg_seen_ids_add(hg_seen_ids *seen, const hg_table *table)
{
    const hg_column *region = hg_table_find(table, "region"),
                    *run = hg_table_find(table, "run");
    const int64_t *id = hg_table_i64(table, "id"), *row = hg_table_i64(table, "row");

    if (seen->n + table->n > seen->room) {
        const int64_t room = seen->n + table->n + seen->room / 2;

        HG_TRY(hg_mem_resize(&seen->id, (size_t)room, sizeof *seen->id));
        seen->room = room;
    }
    for (int64_t i = 0; i < table->n; i++) {
        seen->id[seen->n++] = (seen_id){id[i], hg_halo_place(region, run, i), row[i]};
    }
    return HG_OK;
}

hg_status
hg_seen_ids_check(const hg_comm *comm, const hg_seen_ids *seen)
{
    seen_id *got = NULL;
    int *target = NULL;
    int64_t n = 0;
    hg_status status = hg_mem_array(&target, (size_t)seen->n, sizeof *target);

    for (int64_t i = 0; i < seen->n && status == HG_OK; i++) {
        target[i] = (int)(hg_halo_key_of((uint64_t)seen->id[i].place, seen->id[i].id) %
                          (uint64_t)comm->size);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, seen->n, sizeof *got, seen->id, target, &n, &got));
    if (n > 1) {
        qsort(got, (size_t)n, sizeof *got, compare_ids);
    }
    for (int64_t i = 1; i < n && status == HG_OK; i++) {
        if (got[i].id == got[i - 1].id && got[i].place == got[i - 1].place) {
            status = HG_FAIL(HG_E_INPUT,
                             "id %" PRId64 " comes twice in the catalogue, in rows %" PRId64
                             " and %" PRId64 ": ids must be unique",
                             got[i].id, got[i - 1].row, got[i].row);
        }
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(got);
    hg_mem_free(target);
    return status;
}

void
hg_seen_ids_clear(hg_seen_ids *seen)
{
    hg_mem_free(seen->id);
    *seen = (hg_seen_ids){0};
}
