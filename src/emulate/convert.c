/* Ranks read consecutive parts in rounds. The rows that are kept get their place in the output
 * from a sum over the ranks before, and go to the rank that writes the part they fall into:
 * part k is written by rank k mod size, as soon as it is full. So one pass is enough, no rank
 * holds more than a few parts, and parts do not depend on the number of ranks. */
#include "emulate/convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "emulate/duplicates.h"
#include "halograft/log.h"
#include "suite/paths.h"
#include "table/deal.h"

typedef struct converter {
    hg_extract extract;
    hg_output *output;
    hg_seen_ids seen;
    hg_table waiting; /* rows of this rank's next part */
    int64_t next;     /* that part */
    int64_t n_kept;   /* rows kept so far, over all ranks */
    int64_t n_orphan; /* of these, orphans */
    int64_t rows_per_part;
} converter;

/* Write the waiting rows that fill parts; at the end also the last one. */
static hg_status
write_parts(const hg_comm *comm, converter *c, bool is_end)
{
    const int64_t per = c->rows_per_part;
    int64_t done = 0;
    hg_status status = HG_OK;

    while (status == HG_OK && (c->waiting.n - done >= per || (is_end && done < c->waiting.n))) {
        const int64_t left = c->waiting.n - done;
        hg_table part = {.n = 0};

        status = hg_table_view(&c->waiting, done, left < per ? left : per, &part);
        if (status == HG_OK) {
            status = hg_output_part(c->output, c->next, &part);
        }
        hg_mem_free(part.column);
        c->next += comm->size;
        done += part.n;
    }
    if (status == HG_OK && done > 0) {
        uint8_t *keep = NULL;

        HG_TRY(hg_mem_zeros(&keep, (size_t)c->waiting.n, 1));
        for (int64_t i = done; i < c->waiting.n; i++) {
            keep[i] = 1;
        }
        hg_table_keep(&c->waiting, keep);
        hg_mem_free(keep);
    }
    return status;
}

/* Rows kept of one round go where they are written. */
static hg_status
pass_on(const hg_comm *comm, converter *c, const hg_table *table)
{
    const int64_t first = c->n_kept + hg_comm_prefix(comm, table->n);
    int64_t total = table->n;
    hg_table mine = {.n = 0};
    int *target = NULL;
    hg_status status = hg_mem_array(&target, (size_t)table->n, sizeof *target);

    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        target[i] = (int)((first + i) / c->rows_per_part % comm->size);
    }
    if (status == HG_OK) {
        status = hg_seen_ids_add(&c->seen, table);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_sum(comm, 1, &total);
    c->n_kept += total;
    HG_TRY_OR(done, status, hg_table_deal(comm, table, target, &mine));
    status = hg_table_append(&c->waiting, &mine);
    if (status == HG_OK) {
        status = write_parts(comm, c, false);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(target);
    hg_table_clear(&mine);
    return status;
}

static hg_status
add_orphans(const hg_comm *comm, converter *c)
{
    const int64_t before = c->n_kept;
    hg_table table = {.n = 0};
    hg_status status = hg_extract_orphans(comm, &c->extract, &table);

    if (status == HG_OK) {
        status = pass_on(comm, c, &table);
    }
    c->n_orphan = c->n_kept - before;
    hg_table_clear(&table);
    return status;
}

static hg_status
convert_parts(const hg_comm *comm, converter *c)
{
    const int64_t n_part = hg_catalog_n_part(c->extract.catalog);

    for (int64_t round = 0; round * comm->size < n_part; round++) {
        const int64_t part = round * comm->size + comm->rank;
        hg_table table = {.n = 0};
        hg_status status =
            hg_extract_part(comm, &c->extract, part < n_part ? part : -1, &table);

        if (status == HG_OK) {
            status = pass_on(comm, c, &table);
        }
        hg_table_clear(&table);
        HG_TRY(status);
    }
    if (c->extract.orphans != NULL) {
        HG_TRY(add_orphans(comm, c));
    }
    HG_TRY(hg_comm_agree(comm, write_parts(comm, c, true)));
    return hg_seen_ids_check(comm, &c->seen);
}

static void
report(const hg_comm *comm, converter *c, const char *path)
{
    const int64_t n_row = hg_catalog_n_row(c->extract.catalog);
    int64_t n_missing = c->extract.n_missing;

    hg_comm_sum(comm, 1, &n_missing);
    if (n_missing > 0) {
        hg_log_warn(
            "convert: %" PRId64 " haloes whose host is not in the catalogue are %s", n_missing,
            strcmp(c->extract.params->parent.on_bad_rows, "drop") == 0 ? "dropped" : "flagged");
    }
    hg_log_info("convert: %" PRId64 " of %" PRId64 " haloes, %d columns, in '%s.hdf5'",
                c->n_kept - c->n_orphan, n_row, c->extract.n_column, path);
    if (c->extract.orphans != NULL) {
        hg_log_info("convert: and %" PRId64 " orphans behind them", c->n_orphan);
    }
}

static hg_status
write_catalogue(const hg_comm *comm, converter *c, const char *path, bool overwrite)
{
    const hg_params *params = c->extract.params;
    const hg_catalog *catalog = c->extract.catalog;
    char provenance[512];
    const hg_output_options options = {.path = path,
                                       .overwrite = overwrite,
                                       .frame = *hg_catalog_frame(catalog),
                                       .n_column = c->extract.n_column,
                                       .column = c->extract.column,
                                       .parameters = hg_params_text(params),
                                       .provenance = provenance,
                                       .run_name = params->meta.name,
                                       .seed = (uint64_t)params->meta.seed};
    hg_status status, end;

    snprintf(provenance, sizeof provenance,
             "input: {format: %s, identity: %016" PRIx64 ", rows: %" PRId64
             "}\nparameters_hash: %016" PRIx64 "\n",
             hg_catalog_format(catalog), hg_catalog_identity(catalog),
             hg_catalog_n_row(catalog), hg_params_hash(params));
    HG_TRY(hg_paths_make_folder(comm, path));
    HG_TRY(hg_output_create(comm, &options, &c->output));
    hg_phase_start("convert");
    status = convert_parts(comm, c);
    hg_phase_stop("convert");
    end = hg_output_finish(comm, c->output, status != HG_OK);
    HG_TRY(status != HG_OK ? status : end);
    report(comm, c, path);
    return HG_OK;
}

hg_status
hg_convert_run(const hg_comm *comm, const hg_params *params, const hg_extract_input *input,
               const char *path, bool overwrite, bool dry_run)
{
    converter c = {.next = comm->rank, .rows_per_part = params->output.rows_per_part};
    char name[1024];
    hg_status status;

    HG_TRY_OR(done, status, hg_extract_open(comm, params, input, &c.extract));
    if (path == NULL) {
        HG_TRY_OR(done, status,
                  hg_paths_output(params, params->convert.name, sizeof name, name));
        path = name;
    }
    if (dry_run) {
        hg_log_info("convert: %s catalogue, %" PRId64 " haloes, %d columns to '%s.hdf5'",
                    hg_catalog_format(c.extract.catalog), hg_catalog_n_row(c.extract.catalog),
                    c.extract.n_column, path);
        goto done;
    }
    status = write_catalogue(comm, &c, path, overwrite);
done:
    hg_extract_clear(&c.extract);
    hg_seen_ids_clear(&c.seen);
    hg_table_clear(&c.waiting);
    return status;
}
