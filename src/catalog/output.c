/* Parts are written by the serial driver, one file per part, so that no rank waits for another
 * and a full disk is seen by the rank that meets it. A part holds nothing that depends on the
 * number of ranks, the time or the host: equal data give equal bytes. The master is written
 * last by rank 0 from the records that each rank kept of its parts (rows, bytes, xxh3 of the
 * file and of each dataset as it stood in memory), and the manifest after it. Time, host and
 * ranks stand in the group Provenance of the master only.
 */
#include "catalog/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "catalog/layout.h"
#include "catalog/output_private.h"
#include "catalog/part_files.h"
#include "halograft/catalog.h"
#include "store/publish.h"
#include "table/deal.h"

static hg_status
copy_options(const hg_output_options *options, hg_output *o)
{
    o->options = *options;
    o->options.path = o->path;
    o->options.column = NULL;
    o->options.parameters = o->options.provenance = o->options.run_name = NULL;
    o->options.identity = NULL;
    HG_TRY(hg_text_path(sizeof o->path, o->path, "%s", options->path));
    HG_TRY(hg_mem_string(&o->parameters, options->parameters ? options->parameters : ""));
    HG_TRY(hg_mem_string(&o->provenance, options->provenance ? options->provenance : ""));
    HG_TRY(hg_mem_string(&o->run_name, options->run_name ? options->run_name : "halograft"));
    if (options->identity != NULL) {
        HG_TRY(hg_mem_string(&o->identity, options->identity));
        o->options.identity = o->identity;
    }
    HG_TRY(hg_mem_array(&o->column, (size_t)options->n_column, sizeof *o->column));
    for (int i = 0; i < options->n_column; i++) {
        hg_output_column *c = &o->column[i];
        const hg_layout_entry *entry;

        *c = options->column[i];
        entry = hg_layout_quantity(c->name);
        if (c->path[0] == '\0') {
            HG_TRY(hg_layout_place(c->name, sizeof c->path, c->path));
        }
        if (c->unit[0] == '\0' && entry != NULL) {
            snprintf(c->unit, sizeof c->unit, "%s", entry->unit);
        }
        for (int j = 0; j < i; j++) {
            if (strcmp(o->column[j].path, c->path) == 0) {
                return HG_FAIL(HG_E_ARG, "columns '%s' and '%s' would both be dataset '%s'",
                               o->column[j].name, c->name, c->path);
            }
        }
    }
    return HG_OK;
}

static void
free_output(hg_output *output)
{
    if (output != NULL) {
        hg_mem_free(output->parameters);
        hg_mem_free(output->provenance);
        hg_mem_free(output->run_name);
        hg_mem_free(output->identity);
        hg_mem_free(output->done);
        hg_mem_free(output->column);
        hg_mem_free(output->record);
        hg_mem_free(output->place);
        hg_rawfile_close(output->shared);
        hg_mem_free(output);
    }
}

hg_status
hg_output_create(const hg_comm *comm, const hg_output_options *options, hg_output **output)
{
    hg_output *o = NULL;
    hg_status status;

    *output = NULL;
    HG_TRY_OR(agree, status, hg_mem_zeros(&o, 1, sizeof *o));
    HG_TRY_OR(agree, status, copy_options(options, o));
agree:
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    if (o->options.resume && o->identity != NULL) {
        HG_TRY_OR(fail, status, hg_output_resume(comm, o));
    } else {
        HG_TRY_OR(fail, status, hg_output_begin(comm, o));
    }
    *output = o;
    return HG_OK;

fail:
    free_output(o);
    return status;
}

static hg_status
write_columns(hg_output *o, hg_h5 *file, const hg_table *table, hg_part_record *record)
{
    for (int i = 0; i < o->options.n_column; i++) {
        const hg_output_column *c = &o->column[i];
        const hg_column *data = NULL;
        hg_h5_layout layout = HG_H5_PART;
        hg_column described;
        int64_t dims[2] = {table->n, 1};
        size_t row;

        HG_TRY(hg_table_need(table, c->name, &data));
        described = *data;
        snprintf(described.unit, sizeof described.unit, "%s", c->unit);
        layout.fill = hg_layout_fill(data->type);
        dims[1] = data->width;
        row = (size_t)data->width * hg_type_size(hg_layout_type(data->type));
        HG_TRY(hg_h5_write(file, c->path, hg_layout_type(data->type), data->width > 1 ? 2 : 1,
                           dims, &layout, data->data));
        HG_TRY(hg_layout_describe(file, c->path, &described, c->kind, c->description,
                                  o->options.frame.scale_factor));
        record->dataset[i].sum = hg_hash_bytes(data->data, (size_t)table->n * row);
        record->dataset[i].type = (int32_t)data->type;
        record->dataset[i].width = data->width;
    }
    return HG_OK;
}

/* Bytes of the declared columns of a table. */
static double
bytes_of(const hg_output *o, const hg_table *table)
{
    double row = 0;

    for (int i = 0; i < o->options.n_column; i++) {
        const hg_column *c = hg_table_find(table, o->column[i].name);

        row += c != NULL ? (double)c->width * (double)hg_type_size(hg_layout_type(c->type)) : 0;
    }
    return row * (double)table->n;
}

hg_status
hg_output_part(hg_output *output, int64_t part, const hg_table *table)
{
    char path[HG_PATH_MAX], temporary[HG_PATH_MAX];
    hg_part_record *record = NULL;
    hg_h5 *file = NULL;
    hg_status status, closed;

    if (output->options.shared) {
        return hg_output_shared_part(output, part, table);
    }
    HG_TRY(hg_output_add_record(output, &record));
    HG_TRY(hg_part_file(output->path, part, output->is_staged, sizeof path, path));
    HG_TRY(hg_publish_name(path, sizeof temporary, temporary));
    HG_TRY(hg_space_check(path, bytes_of(output, table)));
    HG_TRY(hg_h5_create(temporary, &file));
    HG_TRY_OR(close, status, hg_output_header(output, file, part, table->n));
    HG_TRY_OR(close, status, write_columns(output, file, table, record));
close:
    closed = hg_h5_close(file);
    if (status != HG_OK || closed != HG_OK) {
        unlink(temporary);
        return status != HG_OK ? status : closed;
    }
    record->part = part;
    record->rows = table->n;
    record->bytes = hg_file_size(temporary);
    HG_TRY(hg_publish(temporary, path, &record->hash));
    output->n_record++;
    return HG_OK;
}

/* All parts there, each once, with the same types. */
static hg_status
check_records(const hg_output *o, unsigned char *records, int64_t n)
{
    const hg_part_record *first = n > 0 ? hg_output_record(o, records, 0) : NULL;

    for (int64_t i = 0; i < n; i++) {
        const hg_part_record *r = hg_output_record(o, records, i);

        if (r->part != i) {
            return HG_FAIL(HG_E_ARG, "part %" PRId64 " of catalogue '%s' was %s", i, o->path,
                           r->part < i ? "written twice" : "not written");
        }
        for (int c = 0; c < o->options.n_column; c++) {
            if (r->dataset[c].type != first->dataset[c].type ||
                r->dataset[c].width != first->dataset[c].width) {
                return HG_FAIL(HG_E_SHAPE,
                               "column '%s' has another type in part %" PRId64
                               " than in part 0 of catalogue '%s'",
                               o->column[c].name, i, o->path);
            }
        }
    }
    return HG_OK;
}

static void
remove_own_parts(const hg_output *o)
{
    char path[HG_PATH_MAX];

    for (int64_t i = o->n_committed; i < o->n_record && !o->options.shared; i++) {
        if (hg_part_file(o->path, hg_output_record(o, o->record, i)->part, o->is_staged,
                         sizeof path, path) == HG_OK) {
            unlink(path);
        }
    }
}

/* What a run that failed leaves: nothing, or the journal and the parts it lists. The parts of a
 * shared catalogue stand in its file, which is kept while there are some. */
static void
remove_rest(const hg_output *o)
{
    static const int64_t last[] = {HG_FILE_MANIFEST, HG_FILE_MASTER};
    char path[HG_PATH_MAX];

    if (o->identity == NULL || (o->options.shared && o->n_listed == 0)) {
        hg_part_files_remove(o->path, HG_FILE_JOURNAL, o->is_staged);
        return;
    }
    for (size_t i = 0; i < (o->options.shared ? 1 : sizeof last / sizeof last[0]); i++) {
        if (hg_part_file(o->path, last[i], o->is_staged, sizeof path, path) == HG_OK) {
            unlink(path);
        }
    }
}

hg_status
hg_output_finish(const hg_comm *comm, hg_output *output, bool failed)
{
    unsigned char *records = NULL;
    int64_t n = 0, stop = failed || output == NULL;
    hg_status status = HG_OK;

    if (output != NULL && output->is_complete) {
        goto done;
    }
    hg_comm_max(comm, 1, &stop);
    if (stop) {
        goto done;
    }
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, output->n_record, hg_output_record_size(output),
                                  output->record, &n, &records));
    if (n > 1) {
        qsort(records, (size_t)n, hg_output_record_size(output), hg_output_compare);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, check_records(output, records, n)));
    if (output->options.shared) {
        status = hg_output_shared_seal(comm, output, n, records);
    } else {
        status = comm->rank == 0 ? hg_output_master(output, comm->size, n, records) : HG_OK;
        status = hg_comm_agree(comm, status);
    }
done:
    if (output != NULL && !output->is_complete && (stop || status != HG_OK)) {
        remove_own_parts(output);
        if (comm->rank == 0) {
            remove_rest(output);
        }
    }
    hg_mem_free(records);
    free_output(output);
    return status;
}

/* Whether there is room for the rows of all ranks. */
static hg_status
check_space(const hg_comm *comm, const hg_output *o, const hg_table *table)
{
    double bytes = bytes_of(o, table);
    hg_status status = HG_OK;

    hg_comm_sum_double(comm, 1, &bytes);
    if (comm->rank == 0) {
        status = hg_space_check(o->path, bytes);
    }
    return hg_comm_agree(comm, status);
}

/* Part k goes to rank k mod size. */
static hg_status
deal_parts(const hg_comm *comm, const hg_table *table, int64_t first, hg_table *mine)
{
    int *target = NULL;
    hg_status status;

    *mine = (hg_table){.frame = table->frame};
    status = hg_mem_array(&target, (size_t)table->n, sizeof *target);
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        target[i] = (int)((first + i) / HG_ROWS_PER_PART % comm->size);
    }
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        status = hg_table_deal(comm, table, target, mine);
    }
    hg_mem_free(target);
    return status;
}

hg_status
hg_output_table(const hg_comm *comm, const hg_output_options *options, const hg_table *table)
{
    int64_t first = hg_comm_prefix(comm, table->n), total = table->n, done = 0;
    hg_table mine = {0};
    hg_output *output = NULL;
    hg_status status, finished;

    hg_comm_sum(comm, 1, &total);
    HG_TRY_OR(free, status, deal_parts(comm, table, first, &mine));
    HG_TRY_OR(free, status, hg_output_create(comm, options, &output));
    status = check_space(comm, output, &mine);
    for (int64_t part = 0; part * HG_ROWS_PER_PART < total; part++) {
        int64_t n = total - part * HG_ROWS_PER_PART;
        hg_table view = {0};

        n = n < HG_ROWS_PER_PART ? n : HG_ROWS_PER_PART;
        if (status != HG_OK || part % comm->size != comm->rank) {
            continue;
        }
        status = hg_table_view(&mine, done, n, &view);
        if (status == HG_OK) {
            status = hg_output_part(output, part, &view);
        }
        done += n;
        hg_mem_free(view.column);
    }
    status = hg_comm_agree(comm, status);
    finished = hg_output_finish(comm, output, status != HG_OK);
    status = status != HG_OK ? status : finished;
free:
    hg_table_clear(&mine);
    return status;
}
