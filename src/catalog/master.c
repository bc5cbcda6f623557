/* Headers follow SOAP's groups and names, because swiftsimio takes them literally: exactly five
 * entries in Units, variable-length strings in SubhaloTypes, arrays of length one for scalars.
 * Missing sources of a virtual dataset read as fill value without an error, hence NaN and -1 as
 * fill, and rows, bytes and sums of all parts in Provenance/Parts, which readers compare. The
 * manifest has the line form of `xxhsum -H3`, so `xxhsum --check NAME.xxh3` verifies it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/layout.h"
#include "catalog/output_private.h"
#include "catalog/part_files.h"
#include "halograft_version.h"

enum { MAX_GROUPS = 64 };

/* Groups that hold datasets, each once, in the order of the columns. */
static int
list_groups(const hg_output *o, char group[MAX_GROUPS][128])
{
    int n = 0;

    for (int i = 0; i < o->options.n_column; i++) {
        const char *path = o->column[i].path, *slash = strrchr(path, '/');
        int length = slash != NULL ? (int)(slash - path) : 0, j = 0;
        char name[128];

        snprintf(name, sizeof name, "%.*s", length, path);
        while (j < n && strcmp(group[j], name) != 0) {
            j++;
        }
        if (j == n && n < MAX_GROUPS && length > 0) {
            memcpy(group[n++], name, sizeof name);
        }
    }
    return n;
}

static hg_status
write_cosmology(const hg_frame *frame, hg_h5 *file)
{

    const struct {
        const char *name;
        double value;
    } item[] = {{"H0 [internal units]", 100 * frame->h},
                {"h", frame->h},
                {"Omega_m", frame->omega_m},
                {"Omega_lambda", frame->omega_l},
                {"Omega_b", frame->omega_b},
                {"Omega_r", 0},
                {"w_0", -1},
                {"w_a", 0},
                {"sigma_8", frame->sigma_8},
                {"n_s", frame->n_s}};

    HG_TRY(hg_h5_group(file, "Cosmology"));
    HG_TRY(hg_h5_put_integer(file, "Cosmology", "Cosmological run", 1));
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        if (isfinite(item[i].value)) {
            HG_TRY(hg_h5_put_real(file, "Cosmology", item[i].name, item[i].value));
        }
    }
    return HG_OK;
}

static hg_status
write_units(hg_h5 *file)
{
    HG_TRY(hg_h5_group(file, "Units"));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit mass in cgs (U_M)", 1.988409870698051e33));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit length in cgs (U_L)", 3.0856775814913673e24));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit time in cgs (U_t)", 3.0856775814913673e19));
    HG_TRY(hg_h5_put_real(file, "Units", "Unit current in cgs (U_I)", 1));
    return hg_h5_put_real(file, "Units", "Unit temperature in cgs (U_T)", 1);
}

hg_status
hg_output_header(const hg_output *o, hg_h5 *file, int64_t part, int64_t rows)
{
    const hg_frame *frame = &o->options.frame;
    const double box[3] = {frame->box, frame->box, frame->box};
    const int64_t no_particles[7] = {0};
    char group[MAX_GROUPS][128];
    const char *groups[MAX_GROUPS];
    int n = list_groups(o, group);

    for (int i = 0; i < n; i++) {
        groups[i] = group[i];
    }
    HG_TRY(hg_h5_group(file, "Header"));
    HG_TRY(hg_h5_put(file, "Header", "BoxSize", HG_F64, 3, box));
    HG_TRY(hg_h5_put_integer(file, "Header", "Dimension", 3));
    HG_TRY(hg_h5_put_real(file, "Header", "Redshift", frame->redshift));
    HG_TRY(hg_h5_put_real(file, "Header", "Scale-factor", frame->scale_factor));
    HG_TRY(hg_h5_put_integer(file, "Header", "NumSubhalos_ThisFile", rows));
    if (part < 0) {
        HG_TRY(hg_h5_put_integer(file, "Header", "NumSubhalos_Total", rows));
        HG_TRY(hg_h5_put_integer(file, "Header", "NumFilesPerSnapshot", 1));
    }
    HG_TRY(hg_h5_put(file, "Header", "NumPart_ThisFile", HG_I64, 7, no_particles));
    HG_TRY(hg_h5_put_integer(file, "Header", "ThisFile", part < 0 ? 0 : part));
    HG_TRY(hg_h5_put_strings(file, "Header", "SubhaloTypes", n, groups));
    HG_TRY(hg_h5_put_string(file, "Header", "OutputType", "SOAP"));
    HG_TRY(hg_h5_put_string(file, "Header", "Code", "halograft"));
    HG_TRY(hg_h5_put_string(file, "Header", "RunName", o->run_name));
    HG_TRY(hg_h5_put_string(file, "Header", "FileKind", part < 0 ? "master" : "part"));
    HG_TRY(
        hg_h5_put_string(file, "Header", "Content", o->options.truth ? "truth" : "catalogue"));
    HG_TRY(hg_h5_put_integer(file, "Header", "DarkMatterOnly", frame->dark_matter_only));
    HG_TRY(hg_h5_put_integer(file, "Header", "Seed", (int64_t)o->options.seed));
    if (isfinite(frame->particle_mass)) {
        HG_TRY(hg_h5_put_real(file, "Header", "ParticleMass", frame->particle_mass));
    }
    HG_TRY(write_cosmology(frame, file));
    return write_units(file);
}

/* What may differ between two runs of the same input: time, host, ranks, libraries. */
static hg_status
write_provenance(const hg_output *o, hg_h5 *file, int n_rank)
{
    static const char *const variables[] = {"SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID",
                                            "OMP_NUM_THREADS"};
    char host[256] = "", date[64] = "", version[64] = "";
    time_t now = time(NULL);
    struct tm utc;

    gethostname(host, sizeof host - 1);
    strftime(date, sizeof date, "%H:%M:%S %Y-%m-%d GMT", gmtime_r(&now, &utc));
    hg_h5_version(sizeof version, version);
    HG_TRY(hg_h5_group(file, "Provenance"));
    HG_TRY(hg_h5_put_string(file, "Provenance", "Version", HG_VERSION));
    HG_TRY(hg_h5_put_string(file, "Provenance", "Commit", HG_COMMIT));
    HG_TRY(hg_h5_put_string(file, "Provenance", "Build", HG_BUILD));
    HG_TRY(hg_h5_put_string(file, "Provenance", "HDF5", version));
    HG_TRY(hg_h5_put_string(file, "Provenance", "MPI", hg_comm_version()));
    HG_TRY(hg_h5_put_string(file, "Provenance", "System", host));
    HG_TRY(hg_h5_put_string(file, "Provenance", "SnapshotDate", date));
    HG_TRY(hg_h5_put_integer(file, "Provenance", "Ranks", n_rank));
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);

        if (value != NULL) {
            HG_TRY(hg_h5_put_string(file, "Provenance", variables[i], value));
        }
    }
    HG_TRY(
        hg_h5_put_string(file, "Provenance", "Layout", o->options.shared ? "shared" : "parts"));
    HG_TRY(hg_h5_put_string(file, "Provenance", "Parameters", o->parameters));
    return hg_h5_put_string(file, "Provenance", "Details", o->provenance);
}

hg_status
hg_output_part_lists(const hg_output *o, int64_t n, unsigned char *records, hg_part_list list[])
{
    static const char *const names[HG_PART_LISTS] = {"Rows", "Bytes", "Hash", "Sums"};
    const int64_t n_column = o->options.n_column;
    hg_status status = HG_OK;

    for (int k = 0; k < HG_PART_LISTS; k++) {
        list[k] = (hg_part_list){.name = names[k],
                                 .type = k < 2 ? HG_I64 : HG_U64,
                                 .n_dim = k < 3 ? 1 : 2,
                                 .dims = {n, k < 3 ? 1 : n_column}};
    }
    for (int k = 0; k < HG_PART_LISTS && records != NULL && status == HG_OK; k++) {
        status = hg_mem_zeros(&list[k].data, (size_t)(list[k].dims[0] * list[k].dims[1]) + 1,
                              sizeof *list[k].data);
    }
    for (int64_t i = 0; i < n && records != NULL && status == HG_OK; i++) {
        const hg_part_record *r = hg_output_record(o, records, i);

        list[0].data[i] = r->rows;
        list[1].data[i] = r->bytes;
        memcpy(&list[2].data[i], &r->hash, sizeof r->hash);
        for (int64_t c = 0; c < n_column; c++) {
            memcpy(&list[3].data[i * n_column + c], &r->dataset[c].sum,
                   sizeof r->dataset[c].sum);
        }
    }
    if (status != HG_OK) {
        hg_output_clear_lists(list);
    }
    return status;
}

void
hg_output_clear_lists(hg_part_list list[])
{
    for (int k = 0; k < HG_PART_LISTS; k++) {
        hg_mem_free(list[k].data);
        list[k].data = NULL;
    }
}

static hg_status
write_parts(const hg_output *o, hg_h5 *file, int64_t n, unsigned char *records)
{
    const hg_h5_layout placed = {.placed = true};
    const int n_column = o->options.n_column < 256 ? o->options.n_column : 256;
    hg_part_list list[HG_PART_LISTS];
    const char *paths[256];
    char path[64];
    hg_status status;

    for (int c = 0; c < n_column; c++) {
        paths[c] = o->column[c].path;
    }
    HG_TRY(hg_output_part_lists(o, n, records, list));
    HG_TRY_OR(done, status, hg_h5_group(file, "Provenance/Parts"));
    for (int k = 0; k < HG_PART_LISTS; k++) {
        const hg_part_list *l = &list[k];

        snprintf(path, sizeof path, "Provenance/Parts/%s", l->name);
        HG_TRY_OR(done, status,
                  l->data != NULL
                      ? hg_h5_write(file, path, l->type, l->n_dim, l->dims, NULL, l->data)
                      : hg_h5_reserve(file, path, l->type, l->n_dim, l->dims, &placed));
    }
    if (n_column > 0) {
        status = hg_h5_put_strings(file, "Provenance/Parts", "Datasets", n_column, paths);
    }
done:
    hg_output_clear_lists(list);
    return status;
}

hg_status
hg_output_provenance(const hg_output *o, hg_h5 *file, int n_rank, int64_t n,
                     unsigned char *records)
{
    HG_TRY(write_provenance(o, file, n_rank));
    return write_parts(o, file, n, records);
}

/* Type and width of column c: from part 0, else (no parts) from the table of layouts. */
static hg_column
describe_column(const hg_output *o, int c, int64_t n, unsigned char *records)
{
    const hg_layout_entry *entry = hg_layout_quantity(o->column[c].name);
    hg_column column = {.type = entry != NULL ? entry->type : HG_COLUMN_F32,
                        .width = entry != NULL ? entry->width : 1};

    snprintf(column.name, sizeof column.name, "%s", o->column[c].name);
    snprintf(column.unit, sizeof column.unit, "%s", o->column[c].unit);
    if (n > 0) {
        const hg_part_dataset *d = &hg_output_record(o, records, 0)->dataset[c];

        column.type = (hg_column_type)d->type;
        column.width = d->width;
    }
    return column;
}

static hg_status
write_virtual(const hg_output *o, hg_h5 *file, int64_t n, unsigned char *records,
              const char *const names[], const int64_t rows[])
{
    for (int c = 0; c < o->options.n_column; c++) {
        const hg_output_column *declared = &o->column[c];
        hg_column column = describe_column(o, c, n, records);

        HG_TRY(hg_h5_virtual(file, declared->path, hg_layout_type(column.type), column.width,
                             (int)n, names, rows, hg_layout_fill(column.type)));
        HG_TRY(hg_layout_describe(file, declared->path, &column, declared->kind,
                                  declared->description, o->options.frame.scale_factor));
    }
    return HG_OK;
}

hg_status
hg_output_manifest(const hg_output *o, int64_t n, unsigned char *records, uint64_t master)
{
    const char *slash = strrchr(o->path, '/'), *base = slash != NULL ? slash + 1 : o->path;
    char path[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status;

    for (int64_t i = 0; i < n; i++) {
        HG_TRY_OR(done, status,
                  hg_text_add(&text, "XXH3 (%s.%" PRId64 ".hdf5) = %016" PRIx64 "\n", base, i,
                              hg_output_record(o, records, i)->hash));
    }
    HG_TRY_OR(done, status,
              hg_text_add(&text, "XXH3 (%s.hdf5) = %016" PRIx64 "\n", base, master));
    HG_TRY_OR(done, status,
              hg_part_file(o->path, HG_FILE_MANIFEST, o->is_staged, sizeof path, path));
    status = hg_publish_text(path, hg_text_string(&text));
done:
    hg_text_clear(&text);
    return status;
}

hg_status
hg_output_master(hg_output *o, int n_rank, int64_t n, unsigned char *records)
{
    const char *slash = strrchr(o->path, '/'), *base = slash != NULL ? slash + 1 : o->path;
    size_t length = strlen(base) + 32;
    char path[HG_PATH_MAX], temporary[HG_PATH_MAX], *pool = NULL;
    const char **names = NULL;
    int64_t *rows = NULL, total = 0;
    uint64_t hash = 0;
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY_OR(done, status, hg_mem_array(&pool, (size_t)n + 1, length));
    HG_TRY_OR(done, status, hg_mem_array(&names, (size_t)n + 1, sizeof *names));
    HG_TRY_OR(done, status, hg_mem_array(&rows, (size_t)n + 1, sizeof *rows));
    for (int64_t i = 0; i < n; i++) {
        char *name = pool + (size_t)i * length;

        snprintf(name, length, "%s.%" PRId64 ".hdf5", base, i);
        names[i] = name;
        rows[i] = hg_output_record(o, records, i)->rows;
        total += rows[i];
    }
    HG_TRY_OR(done, status,
              hg_part_file(o->path, HG_FILE_MASTER, o->is_staged, sizeof path, path));
    HG_TRY_OR(done, status, hg_publish_name(path, sizeof temporary, temporary));
    HG_TRY_OR(done, status, hg_h5_create(temporary, &file));
    HG_TRY_OR(close, status, hg_output_header(o, file, -1, total));
    HG_TRY_OR(close, status, write_virtual(o, file, n, records, names, rows));
    HG_TRY_OR(close, status, hg_output_provenance(o, file, n_rank, n, records));
close:
    closed = hg_h5_close(file);
    status = status != HG_OK ? status : closed;
    if (status != HG_OK) {
        unlink(temporary);
        goto done;
    }
    HG_TRY_OR(done, status, hg_publish(temporary, path, &hash));
    HG_TRY_OR(done, status, hg_output_manifest(o, n, records, hash));
    if (o->is_staged) {
        status = hg_part_files_exchange(o->path, n);
    }
done:
    hg_mem_free(pool);
    hg_mem_free(names);
    hg_mem_free(rows);
    return status;
}
