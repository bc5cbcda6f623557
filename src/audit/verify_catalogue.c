/* Rank 0 reads the master and hands out what it says of the parts; every rank then reads its
 * share of the parts once for the checksum of the file and once for the values. The parts of a
 * shared catalogue are ranges of rows of the master itself, whose checksum stands in the
 * manifest. What is wrong with parts is collected as lines, those of lower ranks first. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/verify.h"
#include "audit/verify_values.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/order.h"
#include "catalog/part_files.h"
#include "store/h5.h"
#include "store/publish.h"
#include "table/identity.h"

enum { LINES_MAX = 5, LINE = 512 };

/** A dataset as the master describes it. */
typedef struct dataset {
    char path[128], name[HG_NAME_MAX], unit[HG_UNIT_MAX], kind[16];
} dataset;

/** What the master says, on all ranks. */
typedef struct scope {
    char base[HG_PATH_MAX]; /**< path without ".hdf5" */
    hg_frame frame;
    int64_t n_row, n_part, n_dataset;
    bool is_shared;        /**< one file for all parts */
    int64_t *rows, *bytes; /**< shape (n_part) */
    uint64_t *hash;        /**< shape (n_part) */
    uint64_t *sum;         /**< shape (n_part, n_dataset) */
    dataset *dataset;      /**< shape (n_dataset) */
} scope;

/** What this rank found. */
typedef struct tally {
    int64_t n_damaged, n_line;
    char line[LINES_MAX][LINE];
    hg_value_tally *value; /**< shape (n_dataset) */
    uint64_t *key;         /**< identities of the rows of this rank's parts */
    int64_t n_key;
} tally;

static void
clear_scope(scope *s)
{
    hg_mem_free(s->rows);
    hg_mem_free(s->bytes);
    hg_mem_free(s->hash);
    hg_mem_free(s->sum);
    hg_mem_free(s->dataset);
}

/* ---- the master ---- */

/* Every dataset the master lists, and whether each says what it is. */
static hg_status
read_datasets(hg_h5 *file, scope *s, hg_findings *findings)
{
    static const char *const wanted[] = {"Column", "Unit", "Description", "Quantity kind"};
    hg_text lines = {0};
    char *at, *save = NULL, text[256], path[256];
    int64_t n = 0, silent = 0;
    hg_status status;

    HG_TRY_OR(done, status, hg_h5_get_lines(file, "Provenance/Parts", "Datasets", &lines));
    HG_TRY_OR(done, status,
              hg_mem_zeros(&s->dataset, (size_t)s->n_dataset + 1, sizeof *s->dataset));
    for (at = lines.data != NULL ? strtok_r(lines.data, "\n", &save) : NULL;
         at != NULL && n < s->n_dataset; at = strtok_r(NULL, "\n", &save), n++) {
        dataset *d = &s->dataset[n];

        HG_TRY_OR(done, status, hg_text_path(sizeof d->path, d->path, "%s", at));
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
            snprintf(path, sizeof path, "%s@%s", at, wanted[i]);
            text[0] = '\0';
            if (hg_h5_exists(file, path)) {
                HG_TRY_OR(done, status,
                          hg_h5_get_string(file, at, wanted[i], sizeof text, text));
            }
            silent += !hg_h5_exists(file, path) || (text[0] == '\0' && i != 1);
            char *const to[] = {d->name, d->unit, NULL, d->kind};
            const size_t room[] = {sizeof d->name, sizeof d->unit, 0, sizeof d->kind};

            if (to[i] != NULL) {
                snprintf(to[i], room[i], "%s", text);
            }
        }
    }
    if (n < s->n_dataset) {
        status = HG_FAIL(HG_E_FORMAT,
                         "Provenance/Parts of '%s.hdf5' names %" PRId64 " datasets for %" PRId64
                         " columns of sums",
                         s->base, n, s->n_dataset);
        goto done;
    }
    status = hg_findings_add(findings, silent > 0 ? HG_FINDING_WRONG : HG_FINDING_OK, "columns",
                             silent > 0 ? "%" PRId64 " attributes with name, unit, description "
                                          "or kind of a column are missing"
                                        : "%" PRId64 " columns say their unit, description and "
                                          "kind",
                             silent > 0 ? silent : n);
done:
    hg_text_clear(&lines);
    return status;
}

static hg_status
check_provenance(hg_h5 *file, hg_findings *findings)
{
    static const char *const wanted[] = {"Version", "Commit",       "Build",
                                         "HDF5",    "MPI",          "Ranks",
                                         "System",  "SnapshotDate", "Parameters"};
    char path[64];

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        snprintf(path, sizeof path, "Provenance@%s", wanted[i]);
        if (!hg_h5_exists(file, path) &&
            !(i == 8 && hg_h5_exists(file, "Provenance/Parameters"))) {
            return hg_findings_add(findings, HG_FINDING_WRONG, "provenance",
                                   "attribute '%s' is missing", wanted[i]);
        }
    }
    return hg_findings_add(findings, HG_FINDING_OK, "provenance",
                           "version, build, libraries, date and parameters are there");
}

static hg_status
check_counts(hg_h5 *file, const scope *s, hg_findings *findings)
{
    int64_t total = 0, parts = 0;

    HG_TRY(hg_h5_get_integer(file, "Header", "NumSubhalos_Total", &total));
    for (int64_t k = 0; k < s->n_part; k++) {
        parts += s->rows[k];
    }
    for (int64_t c = 0; c < s->n_dataset; c++) {
        hg_h5_info info;

        HG_TRY(hg_h5_describe(file, s->dataset[c].path, &info));
        if (info.dims[0] != total) {
            return hg_findings_add(findings, HG_FINDING_WRONG, "counts",
                                   "dataset '%s' has %" PRId64
                                   " rows, the header says %" PRId64,
                                   s->dataset[c].path, info.dims[0], total);
        }
    }
    return parts == total
               ? hg_findings_add(findings, HG_FINDING_OK, "counts",
                                 "%" PRId64 " rows in %" PRId64 " parts, as the header says",
                                 total, s->n_part)
               : hg_findings_add(findings, HG_FINDING_WRONG, "counts",
                                 "the parts have %" PRId64 " rows, the header says %" PRId64,
                                 parts, total);
}

static hg_status
read_master(const char *path, scope *s, hg_findings *findings)
{
    hg_h5 *file = NULL;
    hg_h5_info info;
    hg_status status, closed;

    HG_TRY(hg_text_path(sizeof s->base, s->base, "%.*s", (int)strlen(path) - 5, path));
    HG_TRY(hg_h5_open(path, &file));
    HG_TRY_OR(close, status,
              hg_h5_read_all(file, "Provenance/Parts/Rows", HG_I64, &s->rows, &info));
    s->n_part = info.dims[0];
    HG_TRY_OR(close, status,
              hg_h5_read_all(file, "Provenance/Parts/Bytes", HG_I64, &s->bytes, NULL));
    HG_TRY_OR(close, status,
              hg_h5_read_all(file, "Provenance/Parts/Hash", HG_U64, &s->hash, NULL));
    HG_TRY_OR(close, status,
              hg_h5_read_all(file, "Provenance/Parts/Sums", HG_U64, &s->sum, &info));
    s->n_dataset = info.n_dim == 2 ? info.dims[1] : 0;
    s->frame = (hg_frame)HG_FRAME_UNKNOWN;
    HG_TRY_OR(close, status, hg_h5_get_reals(file, "Header", "BoxSize", 1, &s->frame.box));
    if (hg_h5_exists(file, "Provenance@Layout")) {
        char layout[16] = "";

        HG_TRY_OR(close, status,
                  hg_h5_get_string(file, "Provenance", "Layout", sizeof layout, layout));
        s->is_shared = strcmp(layout, "shared") == 0;
    }
    HG_TRY_OR(close, status, read_datasets(file, s, findings));
    HG_TRY_OR(close, status, check_counts(file, s, findings));
    status = check_provenance(file, findings);
close:
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

/* What rank 0 has read, on all ranks. */
static hg_status
share_scope(const hg_comm *comm, scope *s)
{
    hg_status status = HG_OK;

    hg_comm_broadcast(comm, 0, s->base, sizeof s->base);
    hg_comm_broadcast(comm, 0, &s->frame, sizeof s->frame);
    hg_comm_broadcast(comm, 0, &s->n_part, sizeof s->n_part);
    hg_comm_broadcast(comm, 0, &s->is_shared, sizeof s->is_shared);
    hg_comm_broadcast(comm, 0, &s->n_dataset, sizeof s->n_dataset);
    const size_t n = (size_t)s->n_part, m = (size_t)s->n_dataset;

    if (comm->rank != 0) {
        HG_TRY_OR(agree, status, hg_mem_array(&s->rows, n, sizeof *s->rows));
        HG_TRY_OR(agree, status, hg_mem_array(&s->bytes, n, sizeof *s->bytes));
        HG_TRY_OR(agree, status, hg_mem_array(&s->hash, n, sizeof *s->hash));
        HG_TRY_OR(agree, status, hg_mem_array(&s->sum, n * m, sizeof *s->sum));
        status = hg_mem_array(&s->dataset, m, sizeof *s->dataset);
    }
agree:
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, s->rows, n * sizeof *s->rows);
    hg_comm_broadcast(comm, 0, s->bytes, n * sizeof *s->bytes);
    hg_comm_broadcast(comm, 0, s->hash, n * sizeof *s->hash);
    hg_comm_broadcast(comm, 0, s->sum, n * m * sizeof *s->sum);
    hg_comm_broadcast(comm, 0, s->dataset, m * sizeof *s->dataset);
    return HG_OK;
}

/* ---- the parts ---- */

static void HG_PRINTF(2, 3) complain(tally *t, const char *format, ...)
{
    va_list arguments;

    if (t->n_line < LINES_MAX) {
        va_start(arguments, format);
        vsnprintf(t->line[t->n_line++], LINE, format, arguments);
        va_end(arguments);
    }
}

/* The rows of part k, from its file or from the one that all share. */
static hg_status
read_rows(const scope *s, hg_h5 *file, const char *path, int64_t k, int64_t first, hg_type type,
          int64_t row, void *data)
{
    const int64_t n = s->rows[k];
    void *block = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&block, (size_t)(n * row), hg_type_size(type)));
    status = hg_h5_read(file, path, s->is_shared ? first : 0, n, type, block);
    if (status != HG_OK) {
        hg_mem_free(block);
        return status;
    }
    memcpy(data, &block, sizeof block);
    return HG_OK;
}

static hg_status
check_dataset(const scope *s, hg_h5 *file, int64_t k, int64_t c, int64_t first, tally *t)
{
    const int64_t rows = s->is_shared ? s->n_row : s->rows[k];
    const dataset *d = &s->dataset[c];
    hg_value_rule rule;
    hg_h5_info info;
    void *data = NULL;
    hg_status status;

    HG_TRY(hg_h5_describe(file, d->path, &info));
    if (info.dims[0] != rows) {
        t->n_damaged++;
        complain(t, "part %" PRId64 ": '%s' has %" PRId64 " rows, the master says %" PRId64, k,
                 d->path, info.dims[0], rows);
        return HG_OK;
    }
    status = read_rows(s, file, d->path, k, first, info.type, info.row, &data);
    if (status == HG_OK) {
        const size_t bytes = (size_t)(s->rows[k] * info.row) * hg_type_size(info.type);

        if (hg_hash_bytes(data, bytes) != s->sum[k * s->n_dataset + c]) {
            t->n_damaged++;
            complain(t, "part %" PRId64 ": '%s' is not what was written", k, d->path);
        }
        rule = hg_value_rule_of(d->name, d->unit, d->kind, &s->frame);
        hg_value_count(&rule, info.type, s->rows[k], info.row, data, first, &t->value[c]);
    }
    hg_mem_free(data);
    return status;
}

static const dataset *
find_dataset(const scope *s, const char *name)
{
    for (int64_t c = 0; c < s->n_dataset; c++) {
        if (strcmp(s->dataset[c].name, name) == 0) {
            return &s->dataset[c];
        }
    }
    return NULL;
}

/* Identities of a part's rows, where the catalogue has ids. */
static hg_status
collect_keys(const scope *s, hg_h5 *file, int64_t k, int64_t first, tally *t)
{
    const dataset *id = find_dataset(s, "id"), *region = find_dataset(s, "region");
    int64_t *ids = NULL, *regions = NULL;
    const int64_t n = s->rows[k];
    hg_status status = HG_OK;

    if (id == NULL || n == 0) {
        return HG_OK;
    }
    HG_TRY_OR(done, status, read_rows(s, file, id->path, k, first, HG_I64, 1, &ids));
    if (region != NULL) {
        HG_TRY_OR(done, status,
                  read_rows(s, file, region->path, k, first, HG_I64, 1, &regions));
    }
    HG_TRY_OR(done, status, hg_mem_resize(&t->key, (size_t)(t->n_key + n), sizeof *t->key));
    for (int64_t i = 0; i < n; i++) {
        t->key[t->n_key++] = hg_halo_key("", regions != NULL ? regions[i] : 0, ids[i]);
    }
done:
    hg_mem_free(ids);
    hg_mem_free(regions);
    return status;
}

static hg_status
read_part(const scope *s, const char *path, int64_t k, int64_t first, tally *t)
{
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_open(path, &file));
    status = HG_OK;
    for (int64_t c = 0; c < s->n_dataset && status == HG_OK; c++) {
        status = check_dataset(s, file, k, c, first, t);
    }
    status = status == HG_OK ? collect_keys(s, file, k, first, t) : status;
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

/* A part that cannot be read is a finding, no failure; too little memory is one. */
static hg_status
check_part(const scope *s, int64_t k, int64_t first, tally *t)
{
    char path[HG_PATH_MAX];
    uint64_t hash = s->hash[k];
    int64_t bytes = s->bytes[k];
    hg_status status;

    HG_TRY(hg_part_file(s->base, s->is_shared ? HG_FILE_MASTER : k, false, sizeof path, path));
    status = s->is_shared ? HG_OK : hg_file_hash(path, &hash, &bytes);
    if (status == HG_OK && (bytes != s->bytes[k] || hash != s->hash[k])) {
        t->n_damaged++;
        if (bytes != s->bytes[k]) {
            complain(t, "part %" PRId64 " has %" PRId64 " bytes, the master says %" PRId64, k,
                     bytes, s->bytes[k]);
        } else {
            complain(t, "part %" PRId64 " does not match its checksum", k);
        }
        return HG_OK; /* HDF5 may crash on what is not what was written */
    }
    status = status == HG_OK ? read_part(s, path, k, first, t) : status;
    if (status != HG_OK && status != HG_E_MEMORY) {
        t->n_damaged++;
        complain(t, "part %" PRId64 ": %s", k, hg_error_last()->message);
        status = HG_OK;
    }
    return status;
}

/* ---- all ranks together ---- */

static hg_status
report_parts(const hg_comm *comm, const scope *s, const tally *t, hg_findings *findings)
{
    char(*all)[LINE] = NULL;
    int64_t n = 0, damaged = t->n_damaged;
    hg_status status = HG_OK;

    hg_comm_sum(comm, 1, &damaged);
    HG_TRY(hg_comm_gather_rows(comm, t->n_line, LINE, t->line, &n, &all));
    if (comm->rank == 0) {
        for (int64_t i = 0; i < n && i < LINES_MAX && status == HG_OK; i++) {
            status = hg_findings_add(findings, HG_FINDING_WRONG, "files", "%s", all[i]);
        }
        if (status == HG_OK && damaged > n) {
            status = hg_findings_add(findings, HG_FINDING_NOTE, "files",
                                     "%" PRId64 " more of this kind", damaged - n);
        }
        if (status == HG_OK && damaged > 0) {
            status = hg_findings_add(findings, HG_FINDING_NOTE, "files",
                                     "values are looked at in the parts that match only");
        } else if (status == HG_OK) {
            status = hg_findings_add(findings, HG_FINDING_OK, "files",
                                     "%" PRId64 " parts and %" PRId64
                                     " datasets match the checksums of the master",
                                     s->n_part, s->n_part * s->n_dataset);
        }
    }
    hg_mem_free(all);
    return hg_comm_agree(comm, status);
}

static hg_status
report_column(const dataset *d, const hg_frame *frame, const hg_value_tally *v, int64_t n_row,
              hg_findings *findings)
{
    const hg_value_rule rule = hg_value_rule_of(d->name, d->unit, d->kind, frame);

    if (v->n_outside > 0 || v->n_infinite > 0 || (v->n_nan > 0 && !rule.nan_allowed)) {
        return hg_findings_add(findings, HG_FINDING_WRONG, "values",
                               "'%s' should be %s: %" PRId64 " outside, %" PRId64
                               " infinite, %" PRId64 " NaN, first in row %" PRId64,
                               d->path, rule.text, v->n_outside, v->n_infinite,
                               rule.nan_allowed ? 0 : v->n_nan, v->first);
    }
    if (v->n_nan == n_row && n_row > 0) {
        return hg_findings_add(findings, HG_FINDING_NOTE, "values", "'%s' has no value at all",
                               d->path);
    }
    return HG_OK;
}

static hg_status
report_values(const hg_comm *comm, const scope *s, tally *t, hg_findings *findings)
{
    const int before = findings->n_wrong;
    hg_status status = HG_OK;

    for (int64_t c = 0; c < s->n_dataset; c++) {
        int64_t sums[3] = {t->value[c].n_nan, t->value[c].n_infinite, t->value[c].n_outside};

        hg_comm_sum(comm, 3, sums);
        hg_comm_min(comm, 1, &t->value[c].first);
        t->value[c] = (hg_value_tally){sums[0], sums[1], sums[2], t->value[c].first};
        if (comm->rank == 0 && status == HG_OK) {
            status = report_column(&s->dataset[c], &s->frame, &t->value[c], s->n_row, findings);
        }
    }
    if (comm->rank == 0 && status == HG_OK && findings->n_wrong == before) {
        status = hg_findings_add(findings, HG_FINDING_OK, "values",
                                 "finite and in range, or NaN where there is no value");
    }
    return hg_comm_agree(comm, status);
}

/* Every identity goes to the rank its key names, where equal ones meet. */
static hg_status
report_identities(const hg_comm *comm, const scope *s, tally *t, hg_findings *findings)
{
    int *target = NULL;
    uint64_t *got = NULL;
    int64_t n = 0, twice = 0;
    hg_status status;

    status = hg_mem_array(&target, (size_t)t->n_key, sizeof *target);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < t->n_key; i++) {
        target[i] = (int)(t->key[i] % (uint64_t)comm->size);
    }
    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, t->n_key, sizeof *t->key, t->key, target, &n, &got));
    if (n > 1) {
        qsort(got, (size_t)n, sizeof *got, hg_order_u64);
    }
    for (int64_t i = 1; i < n; i++) {
        twice += got[i] == got[i - 1];
    }
    hg_comm_sum(comm, 1, &twice);
    if (comm->rank == 0 && find_dataset(s, "id") != NULL) {
        status = twice > 0 ? hg_findings_add(findings, HG_FINDING_WRONG, "identities",
                                             "%" PRId64 " rows repeat the id of another", twice)
                           : hg_findings_add(findings, HG_FINDING_OK, "identities",
                                             "no id comes twice");
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(target);
    hg_mem_free(got);
    return status;
}

static hg_status
check_parts(const hg_comm *comm, const scope *s, tally *t)
{
    int64_t first = 0;
    hg_status status;

    HG_TRY_OR(agree, status,
              hg_mem_zeros(&t->value, (size_t)s->n_dataset + 1, sizeof *t->value));
    for (int64_t c = 0; c < s->n_dataset; c++) {
        t->value[c].first = INT64_MAX;
    }
    for (int64_t k = 0; k < s->n_part && status == HG_OK; k++) {
        if (k % comm->size == comm->rank) {
            status = check_part(s, k, first, t);
        }
        first += s->rows[k];
    }
agree:
    return hg_comm_agree(comm, status);
}

hg_status
hg_verify_catalogue(const hg_comm *comm, const char *path, hg_findings *findings)
{
    scope s = {.n_part = 0};
    tally t = {.n_damaged = 0};
    hg_status status;

    status = comm->rank == 0 ? read_master(path, &s, findings) : HG_OK;
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, share_scope(comm, &s));
    for (int64_t k = 0; k < s.n_part; k++) {
        s.n_row += s.rows[k];
    }
    HG_TRY_OR(done, status, check_parts(comm, &s, &t));
    HG_TRY_OR(done, status, report_parts(comm, &s, &t, findings));
    HG_TRY_OR(done, status, report_values(comm, &s, &t, findings));
    HG_TRY_OR(done, status, report_identities(comm, &s, &t, findings));
    hg_comm_sum(comm, 1, &t.n_damaged);
    status = t.n_damaged == 0 ? hg_verify_sanity(comm, path, findings) : HG_OK;
done:
    clear_scope(&s);
    hg_mem_free(t.value);
    hg_mem_free(t.key);
    return status;
}
