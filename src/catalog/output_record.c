/* What a rank keeps of the parts it wrote: records whose size depends on the number of columns.
 */
#include <string.h>

#include "base/memory.h"
#include "catalog/output_private.h"

/* The head and one entry per column. */
size_t
hg_output_record_size(const hg_output *o)
{
    return sizeof(hg_part_record) + (size_t)o->options.n_column * sizeof(hg_part_dataset);
}

hg_part_record *
hg_output_record(const hg_output *o, unsigned char *records, int64_t i)
{
    return (hg_part_record *)(void *)(records + (size_t)i * hg_output_record_size(o));
}

hg_status
hg_output_add_record(hg_output *o, hg_part_record **record)
{
    if (o->n_record == o->room) {
        int64_t room = 2 * o->room + 4;

        HG_TRY(hg_mem_resize(&o->record, (size_t)room, hg_output_record_size(o)));
        o->room = room;
    }
    *record = hg_output_record(o, o->record, o->n_record);
    memset(*record, 0, hg_output_record_size(o));
    return HG_OK;
}

int
hg_output_compare(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}
