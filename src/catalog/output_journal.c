/* The journal of a catalogue in the making, written by rank 0 only: a first line says what
 * decides its bytes, then there is one line for each part, flushed to disk when the part stands
 * under its name. Where a part lies and what it holds follows from its number alone, so any
 * number of ranks may go on. A line that was torn by the end of a run is ignored, and the part
 * made again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/output_private.h"
#include "catalog/part_files.h"
#include "halograft/log.h"
#include "store/journal.h"

/* ---- writing ---- */

static hg_status
add_line(const hg_output *o, const hg_part_record *r, hg_text *text)
{
    HG_TRY(hg_text_add(text,
                       "{\"part\": %" PRId64 ", \"rows\": %" PRId64 ", \"bytes\": %" PRId64
                       ", \"xxh3\": \"%016" PRIx64 "\", \"columns\": \"",
                       r->part, r->rows, r->bytes, r->hash));
    for (int c = 0; c < o->options.n_column; c++) {
        HG_TRY(hg_text_add(text, "%s%" PRId32 ":%" PRId32 ":%016" PRIx64, c > 0 ? " " : "",
                           r->dataset[c].type, r->dataset[c].width, r->dataset[c].sum));
    }
    return hg_text_add(text, "\"}\n");
}

static hg_status
append_lines(const hg_output *o, int64_t n, unsigned char *records)
{
    char path[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status = HG_OK;

    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        status = add_line(o, hg_output_record(o, records, i), &text);
    }
    if (status == HG_OK && n > 0) {
        status = hg_part_file(o->path, HG_FILE_JOURNAL, o->is_staged, sizeof path, path);
        status = status == HG_OK ? hg_journal_append(path, hg_text_string(&text)) : status;
    }
    hg_text_clear(&text);
    return status;
}

hg_status
hg_output_commit(const hg_comm *comm, hg_output *output)
{
    const int64_t n_new = output->n_record - output->n_committed;
    unsigned char *records = NULL;
    int64_t n = 0;
    hg_status status = HG_OK;

    HG_TRY(hg_comm_gather_rows(
        comm, n_new, hg_output_record_size(output),
        n_new > 0 ? hg_output_record(output, output->record, output->n_committed) : NULL, &n,
        &records));
    if (comm->rank == 0) {
        status = append_lines(output, n, records);
    }
    hg_mem_free(records);
    HG_TRY(hg_comm_agree(comm, status));
    output->n_committed = output->n_record;
    output->n_listed += n;
    return HG_OK;
}

hg_status
hg_output_journal_begin(const hg_output *o, int64_t n, unsigned char *records)
{
    char path[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status;

    for (int64_t i = 0; i < n; i++) {
        HG_TRY_OR(done, status, add_line(o, hg_output_record(o, records, i), &text));
    }
    HG_TRY_OR(done, status,
              hg_part_file(o->path, HG_FILE_JOURNAL, o->is_staged, sizeof path, path));
    status = hg_journal_begin(path, o->options.identity, hg_text_string(&text));
done:
    hg_text_clear(&text);
    return status;
}

/* ---- reading ---- */

static bool
take_line(const hg_output *o, const char *line, hg_part_record *r)
{
    int used = 0;

    if (sscanf(line,
               "{\"part\": %" SCNd64 ", \"rows\": %" SCNd64 ", \"bytes\": %" SCNd64
               ", \"xxh3\": \"%16" SCNx64 "\", \"columns\": \"%n",
               &r->part, &r->rows, &r->bytes, &r->hash, &used) != 4 ||
        used == 0 || r->part < 0 || r->rows < 0) {
        return false;
    }
    for (int c = 0; c < o->options.n_column; c++) {
        int more = 0;

        if (sscanf(line + used, "%" SCNd32 ":%" SCNd32 ":%16" SCNx64 "%n", &r->dataset[c].type,
                   &r->dataset[c].width, &r->dataset[c].sum, &more) != 3) {
            return false;
        }
        used += more;
        used += line[used] == ' ';
    }
    return strcmp(line + used, "\"}") == 0;
}

/* Parts in order, each once. */
static void
sort_records(const hg_output *o, int64_t *n, unsigned char *records)
{
    int64_t kept = 0;

    if (*n > 1) {
        qsort(records, (size_t)*n, hg_output_record_size(o), hg_output_compare);
    }
    for (int64_t i = 0; i < *n; i++) {
        const hg_part_record *r = hg_output_record(o, records, i);

        if (kept == 0 || hg_output_record(o, records, kept - 1)->part != r->part) {
            memmove(hg_output_record(o, records, kept++), r, hg_output_record_size(o));
        }
    }
    *n = kept;
}

/* Records of a journal that is read. */
struct reading {
    const hg_output *output;
    int64_t n, room;
    unsigned char *records;
};

static hg_status
take_record(void *context, const char *line)
{
    struct reading *r = context;

    if (r->n == r->room) {
        r->room = 2 * r->room + 64;
        HG_TRY(hg_mem_resize(&r->records, (size_t)r->room, hg_output_record_size(r->output)));
    }
    r->n += take_line(r->output, line, hg_output_record(r->output, r->records, r->n));
    return HG_OK;
}

hg_status
hg_output_journal_read(const hg_output *o, int64_t *n, unsigned char **records)
{
    char path[HG_PATH_MAX];
    struct reading r = {.output = o};
    hg_status status;

    *n = 0;
    HG_TRY(hg_part_file(o->path, HG_FILE_JOURNAL, o->is_staged, sizeof path, path));
    status = hg_journal_read(path, o->path, o->options.identity, take_record, &r);
    if (status == HG_OK) {
        sort_records(o, &r.n, r.records);
        *n = r.n;
    }
    *records = r.records;
    return status;
}

bool
hg_output_part_stands(const hg_output *o, const hg_part_record *r)
{
    char path[HG_PATH_MAX];
    uint64_t hash = 0;
    int64_t bytes = 0;

    if (o->options.shared) {
        return hg_output_shared_stands(o, r);
    }
    return hg_part_file(o->path, r->part, o->is_staged, sizeof path, path) == HG_OK &&
           hg_file_exists(path) && hg_file_hash(path, &hash, &bytes) == HG_OK &&
           bytes == r->bytes && hash == r->hash;
}

/* ---- going on ---- */

static bool
has_file(const hg_output *o, int64_t number, bool staged)
{
    char path[HG_PATH_MAX];

    return hg_part_file(o->path, number, staged, sizeof path, path) == HG_OK &&
           hg_file_exists(path);
}

/* What there is to go on with (rank 0). The staged catalogue of a run that was to replace
 * another comes first. */
static hg_status
find_earlier(hg_output *o, bool *found, int64_t *n, unsigned char **records)
{
    const bool has_master = has_file(o, HG_FILE_MASTER, false);

    o->is_staged = has_file(o, HG_FILE_JOURNAL, true);
    *found = o->is_staged || has_file(o, HG_FILE_JOURNAL, false);
    if (!*found) {
        return HG_OK;
    }
    HG_TRY(hg_output_journal_read(o, n, records));
    o->is_complete = has_master && !o->is_staged;
    return HG_OK;
}

/* Of the parts that the journal lists, those that stand; each rank looks at its share. */
static hg_status
keep_good(const hg_comm *comm, hg_output *o, int64_t n, unsigned char *records)
{
    int64_t *good = NULL;
    hg_part_record *mine = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_mem_zeros(&good, (size_t)n + 1, sizeof *good));
    HG_TRY_OR(agree, status, hg_mem_array(&o->done, (size_t)n + 1, sizeof *o->done));
    for (int64_t i = comm->rank; i < n && status == HG_OK; i += comm->size) {
        const hg_part_record *r = hg_output_record(o, records, i);

        good[i] = hg_output_part_stands(o, r);
        if (good[i] != 0) {
            status = hg_output_add_record(o, &mine);
            if (status == HG_OK) {
                memcpy(mine, r, hg_output_record_size(o));
                o->n_record++;
            }
        }
    }
agree:
    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        hg_comm_sum(comm, (size_t)n, good);
        for (int64_t i = 0; i < n; i++) {
            if (good[i] != 0) {
                memmove(hg_output_record(o, records, o->n_done),
                        hg_output_record(o, records, i), hg_output_record_size(o));
                o->done[o->n_done] = hg_output_record(o, records, o->n_done)->part;
                o->n_done++;
            } else if (comm->rank == 0) {
                hg_log_warn("part %" PRId64 " of '%s' is damaged or missing and is made again",
                            hg_output_record(o, records, i)->part, o->path);
            }
        }
        o->n_committed = o->n_record;
        o->n_listed = o->n_done;
    }
    hg_mem_free(good);
    return status;
}

/* Rank 0's find on all ranks. */
static hg_status
share_earlier(const hg_comm *comm, hg_output *o, bool *found, int64_t *n,
              unsigned char **records)
{
    hg_status status = HG_OK;

    hg_comm_broadcast(comm, 0, found, sizeof *found);
    hg_comm_broadcast(comm, 0, &o->is_staged, sizeof o->is_staged);
    hg_comm_broadcast(comm, 0, &o->is_complete, sizeof o->is_complete);
    hg_comm_broadcast(comm, 0, n, sizeof *n);
    if (comm->rank != 0) {
        status = hg_mem_array(records, (size_t)*n, hg_output_record_size(o));
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, *records, (size_t)*n * hg_output_record_size(o));
    return HG_OK;
}

/* Whether a finished catalogue is in the way, and may be replaced. Of an unfinished one nothing
 * is kept. A shared one is always staged. */
static hg_status
look_for_old(hg_output *o)
{
    char master[HG_PATH_MAX];
    bool has_old;

    HG_TRY(hg_part_file(o->path, HG_FILE_MASTER, false, sizeof master, master));
    has_old = hg_file_exists(master);
    o->is_staged = has_old || o->options.shared;
    if (has_old && !o->options.overwrite) {
        return HG_FAIL(HG_E_EXISTS, "'%s' exists already: give --overwrite or another folder",
                       master);
    }
    hg_part_files_remove_temporary(o->path);
    hg_part_files_remove(o->path, HG_FILE_JOURNAL, true);
    if (!has_old) {
        hg_part_files_remove(o->path, HG_FILE_JOURNAL, false);
    }
    return o->identity != NULL ? hg_output_journal_begin(o, 0, NULL) : HG_OK;
}

hg_status
hg_output_begin(const hg_comm *comm, hg_output *o)
{
    hg_status status = comm->rank == 0 ? look_for_old(o) : HG_OK;

    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &o->is_staged, sizeof o->is_staged);
    return HG_OK;
}

hg_status
hg_output_resume(const hg_comm *comm, hg_output *o)
{
    unsigned char *records = NULL;
    int64_t n = 0;
    bool found = false;
    hg_status status;

    status = comm->rank == 0 ? find_earlier(o, &found, &n, &records) : HG_OK;
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, share_earlier(comm, o, &found, &n, &records));
    if (!found) {
        status = hg_output_begin(comm, o);
        goto done;
    }
    if (!o->is_complete) {
        HG_TRY_OR(done, status, keep_good(comm, o, n, records));
    }
    if (comm->rank == 0 && !o->is_complete) {
        hg_part_files_remove_temporary(o->path);
        status = hg_output_journal_begin(o, o->n_done, records);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(records);
    return status;
}

bool
hg_output_has_part(const hg_output *o, int64_t part)
{
    return o->n_done > 0 &&
           bsearch(&part, o->done, (size_t)o->n_done, sizeof part, hg_output_compare) != NULL;
}

bool
hg_output_is_complete(const hg_output *o)
{
    return o->is_complete;
}

int64_t
hg_output_n_done(const hg_output *o)
{
    return o->n_done;
}
