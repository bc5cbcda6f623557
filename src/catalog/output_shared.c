/* One file for the whole catalogue. Rank 0 makes it with the serial driver: all groups and
 * attributes, and a place for every dataset, without filters and one after the other; the room
 * is taken on disk there and then. From then on no rank changes the structure: rows are written
 * to the places of their part, whoever has them, and the sums of the parts to the places kept
 * for them. The file is staged until all parts were read back by another rank than wrote them.
 * Parts of a run that was killed stand if their sums say so (ADR 10). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog/layout.h"
#include "catalog/output_private.h"
#include "catalog/part_files.h"
#include "halograft/log.h"

static int64_t
first_row(const hg_output *o, int64_t part)
{
    return part * o->options.rows_per_part;
}

static int64_t
rows_of(const hg_output *o, int64_t part)
{
    const int64_t left = o->options.n_row - first_row(o, part);

    return left < o->options.rows_per_part ? left : o->options.rows_per_part;
}

static hg_status
staged_file(const hg_output *o, size_t n, char path[])
{
    return hg_part_file(o->path, HG_FILE_MASTER, true, n, path);
}

/* ---- making the file ---- */

static hg_status
place_columns(const hg_output *o, hg_h5 *file, const hg_table *sample)
{
    for (int i = 0; i < o->options.n_column; i++) {
        const hg_output_column *c = &o->column[i];
        const hg_column *data = NULL;
        hg_h5_layout layout = {.placed = true};
        hg_column described;
        int64_t dims[2] = {o->options.n_row, 1};

        HG_TRY(hg_table_need(sample, c->name, &data));
        described = *data;
        snprintf(described.unit, sizeof described.unit, "%s", c->unit);
        dims[1] = data->width;
        layout.fill = hg_layout_fill(data->type);
        HG_TRY(hg_h5_reserve(file, c->path, hg_layout_type(data->type), data->width > 1 ? 2 : 1,
                             dims, &layout));
        HG_TRY(hg_layout_describe(file, c->path, &described, c->kind, c->description,
                                  o->options.frame.scale_factor));
    }
    return HG_OK;
}

/* All of the file, with ample room for its structure. */
static int64_t
bytes_of(const hg_output *o, const hg_table *sample)
{
    int64_t row = 0;

    for (int i = 0; i < o->options.n_column; i++) {
        const hg_column *c = hg_table_find(sample, o->column[i].name);

        row += c != NULL ? c->width * (int64_t)hg_type_size(hg_layout_type(c->type)) : 0;
    }
    return row * o->options.n_row + (1 << 18) + ((int64_t)o->options.n_column << 13);
}

static hg_status
make_file(const hg_comm *comm, const hg_output *o, const hg_table *sample)
{
    const int64_t n =
        (o->options.n_row + o->options.rows_per_part - 1) / o->options.rows_per_part;
    char path[HG_PATH_MAX], temporary[HG_PATH_MAX];
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(staged_file(o, sizeof path, path));
    HG_TRY(hg_publish_name(path, sizeof temporary, temporary));
    /* HDF5 shall not be the one to find the disk full: it may crash when the program ends */
    status = hg_rawfile_reserve(temporary, bytes_of(o, sample));
    if (status != HG_OK) {
        unlink(temporary);
        return status;
    }
    HG_TRY(hg_h5_create(temporary, &file));
    HG_TRY_OR(close, status, hg_output_header(o, file, -1, o->options.n_row));
    HG_TRY_OR(close, status, place_columns(o, file, sample));
    status = hg_output_provenance(o, file, comm->size, n, NULL);
close:
    closed = hg_h5_close(file);
    status = status != HG_OK ? status : closed;
    if (status == HG_OK) {
        status = hg_rawfile_reserve(temporary, hg_file_size(temporary));
    }
    if (status != HG_OK) {
        unlink(temporary);
        return status;
    }
    return hg_publish_rename(temporary, path);
}

static hg_status
find_places(const hg_output *o)
{
    char path[HG_PATH_MAX];
    hg_h5 *file = NULL;
    hg_status status = HG_OK, closed;

    HG_TRY(staged_file(o, sizeof path, path));
    HG_TRY(hg_h5_open(path, &file));
    for (int i = 0; i < o->options.n_column && status == HG_OK; i++) {
        status = hg_h5_place(file, o->column[i].path, &o->place[i]);
    }
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

static hg_status
test_folder(const hg_comm *comm, const hg_output *o)
{
    char path[HG_PATH_MAX];

    HG_TRY(hg_comm_agree(comm, staged_file(o, sizeof path, path)));
    return hg_rawfile_test(comm, path);
}

hg_status
hg_output_shape(const hg_comm *comm, hg_output *o, const hg_table *sample)
{
    const size_t n = (size_t)o->options.n_column;
    char path[HG_PATH_MAX];
    hg_status status;

    if (!o->options.shared || o->is_complete) {
        return HG_OK;
    }
    HG_TRY(test_folder(comm, o));
    status = hg_mem_zeros(&o->place, n + 1, sizeof *o->place);
    if (status == HG_OK && comm->rank == 0) {
        status = o->n_done == 0 ? make_file(comm, o, sample) : HG_OK;
        status = status == HG_OK ? find_places(o) : status;
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, o->place, n * sizeof *o->place);
    status = staged_file(o, sizeof path, path);
    status = status == HG_OK ? hg_rawfile_open(path, &o->shared) : status;
    return hg_comm_agree(comm, status);
}

/* ---- parts ---- */

hg_status
hg_output_shared_part(hg_output *o, int64_t part, const hg_table *table)
{
    hg_part_record *record = NULL;

    if (o->shared == NULL || table->n != rows_of(o, part)) {
        return HG_FAIL(HG_E_ARG, "part %" PRId64 " of '%s' has %" PRId64 " rows, not %" PRId64,
                       part, o->path, table->n, rows_of(o, part));
    }
    HG_TRY(hg_output_add_record(o, &record));
    record->part = part;
    record->rows = table->n;
    for (int i = 0; i < o->options.n_column; i++) {
        const hg_column *data = NULL;
        size_t row, bytes;

        HG_TRY(hg_table_need(table, o->column[i].name, &data));
        row = (size_t)data->width * hg_type_size(hg_layout_type(data->type));
        bytes = (size_t)table->n * row;
        record->dataset[i] = (hg_part_dataset){hg_hash_bytes(data->data, bytes),
                                               (int32_t)data->type, data->width};
        record->bytes += (int64_t)bytes;
        record->hash =
            hg_hash_more(record->hash, &record->dataset[i].sum, sizeof record->dataset[i].sum);
        HG_TRY(hg_rawfile_write(o->shared, o->place[i] + first_row(o, part) * (int64_t)row,
                                bytes, data->data));
    }
    HG_TRY(hg_rawfile_sync(o->shared));
    o->n_record++;
    return HG_OK;
}

/* Whether the rows of a part in an open file are those of its record. */
static hg_status
compare_part(const hg_output *o, hg_h5 *file, const hg_part_record *r, bool *same)
{
    void *data = NULL;
    hg_status status = HG_OK;

    *same = r->rows == rows_of(o, r->part);
    for (int i = 0; i < o->options.n_column && *same && status == HG_OK; i++) {
        const hg_type type = hg_layout_type((hg_column_type)r->dataset[i].type);
        const size_t n = (size_t)(r->rows * r->dataset[i].width);
        hg_h5_info info;

        HG_TRY(hg_h5_describe(file, o->column[i].path, &info));
        *same = info.type == type && info.row == r->dataset[i].width &&
                info.dims[0] == o->options.n_row;
        status = hg_mem_array(&data, n, hg_type_size(type));
        if (status == HG_OK && *same) {
            status =
                hg_h5_read(file, o->column[i].path, first_row(o, r->part), r->rows, type, data);
            *same = status == HG_OK &&
                    hg_hash_bytes(data, n * hg_type_size(type)) == r->dataset[i].sum;
        }
        hg_mem_free(data);
    }
    return status;
}

bool
hg_output_shared_stands(const hg_output *o, const hg_part_record *r)
{
    char path[HG_PATH_MAX];
    hg_h5 *file = NULL;
    bool same = false;

    if (staged_file(o, sizeof path, path) != HG_OK || !hg_file_exists(path) ||
        hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    same = compare_part(o, file, r, &same) == HG_OK && same;
    return hg_h5_close(file) == HG_OK && same;
}

/* ---- the end ---- */

/* Each rank reads parts that its neighbour wrote, where parts go round the ranks. */
static hg_status
verify_parts(const hg_comm *comm, const hg_output *o, int64_t n, unsigned char *records)
{
    char path[HG_PATH_MAX];
    hg_h5 *file = NULL;
    hg_status status = HG_OK, closed;

    HG_TRY(staged_file(o, sizeof path, path));
    HG_TRY(hg_h5_open(path, &file));
    for (int64_t k = (comm->rank + 1) % comm->size; k < n && status == HG_OK; k += comm->size) {
        bool same = false;

        status = compare_part(o, file, hg_output_record(o, records, k), &same);
        if (status == HG_OK && !same) {
            status = HG_FAIL(HG_E_WRITE,
                             "part %" PRId64
                             " of '%s' is not on disk what was written: set Output.layout to "
                             "parts, or look after the file system",
                             k, o->path);
        }
    }
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

static hg_status
write_lists(hg_output *o, int64_t n, unsigned char *records)
{
    hg_part_list list[HG_PART_LISTS];
    char path[HG_PATH_MAX], name[64];
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(staged_file(o, sizeof path, path));
    HG_TRY(hg_output_part_lists(o, n, records, list));
    HG_TRY_OR(done, status, hg_h5_open(path, &file));
    for (int k = 0; k < HG_PART_LISTS && status == HG_OK; k++) {
        int64_t place = 0;

        snprintf(name, sizeof name, "Provenance/Parts/%s", list[k].name);
        status = hg_h5_place(file, name, &place);
        if (status == HG_OK) {
            status = hg_rawfile_write(o->shared, place,
                                      (size_t)(list[k].dims[0] * list[k].dims[1]) *
                                          hg_type_size(list[k].type),
                                      list[k].data);
        }
    }
    closed = hg_h5_close(file);
    status = status != HG_OK ? status : closed;
    status = status == HG_OK ? hg_rawfile_sync(o->shared) : status;
done:
    hg_output_clear_lists(list);
    return status;
}

static hg_status
publish(hg_output *o, int64_t n, unsigned char *records)
{
    char path[HG_PATH_MAX];
    uint64_t hash = 0;
    int64_t bytes = 0;

    HG_TRY(staged_file(o, sizeof path, path));
    HG_TRY(write_lists(o, n, records));
    HG_TRY(hg_file_hash(path, &hash, &bytes));
    HG_TRY(hg_output_manifest(o, 0, NULL, hash));
    return hg_part_files_replace(o->path);
}

hg_status
hg_output_shared_seal(const hg_comm *comm, hg_output *o, int64_t n, unsigned char *records)
{
    HG_TRY(hg_comm_agree(comm, verify_parts(comm, o, n, records)));
    return hg_comm_agree(comm, comm->rank == 0 ? publish(o, n, records) : HG_OK);
}
