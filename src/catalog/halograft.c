/* Halograft's own layout. A master only lists its parts here: rows are read from the part files
 * themselves, because a virtual dataset gives fill values without an error where a part is
 * missing. Each dataset carries the name of its column, so nothing is guessed from paths.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/format.h"
#include "catalog/soap.h"
#include "store/publish.h"

/* Whether a word of a group is there and is `want`. A failure to read is not "no": the truth
 * of a mock must not slip through because memory was short. */
static hg_status
compare_word(hg_h5 *file, const char *group, const char *name, const char *want, bool *same)
{
    char text[64] = "", path[80];

    *same = false;
    snprintf(path, sizeof path, "%s@%s", group, name);
    if (hg_h5_exists(file, path)) {
        HG_TRY(hg_h5_get_string(file, group, name, sizeof text, text));
        *same = strcmp(text, want) == 0;
    }
    return HG_OK;
}

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    bool ours = false;

    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    ours = compare_word(file, "Header", "Code", "halograft", &ours) == HG_OK && ours &&
           hg_h5_exists(file, "Header@FileKind");
    if (ours && hg_text_add(reason, "Header@Code is 'halograft'\n") != HG_OK) {
        ours = false;
    }
    return hg_h5_close(file) == HG_OK && ours;
}

/* Walk of the groups of a file: every dataset with an attribute Column is a column. */
typedef struct walk {
    hg_h5 *file;
    hg_plan *plan;
    const char *group;
    bool compare; /**< not the first file: columns must be known already */
} walk;

static hg_status
add_column(walk *w, const char *path)
{
    char name[HG_NAME_MAX] = "", unit[HG_UNIT_MAX] = "";
    const hg_source *known;
    hg_source *source = NULL;
    hg_h5_info info;

    HG_TRY(hg_h5_describe(w->file, path, &info));
    HG_TRY(hg_h5_get_string(w->file, path, "Column", sizeof name, name));
    HG_TRY(hg_h5_get_string(w->file, path, "Unit", sizeof unit, unit));
    known = hg_plan_find(w->plan, name);
    if (w->compare) {
        if (known == NULL || known->column.width != info.row) {
            return HG_FAIL(HG_E_FORMAT, "column '%s' of '%s' is not in '%s'", name,
                           hg_h5_path(w->file), hg_plan_path(w->plan, 0));
        }
        return HG_OK;
    }
    HG_TRY(hg_plan_add_source(w->plan, name, &source));
    snprintf(source->column.unit, sizeof source->column.unit, "%s", unit);
    snprintf(source->path[0], sizeof source->path[0], "%s", path);
    source->disk = info.type;
    source->column.width = (int)info.row;
    source->column.type = info.type == HG_F64   ? HG_COLUMN_F64
                          : info.type == HG_F32 ? HG_COLUMN_F32
                          : info.type == HG_I32 ? HG_COLUMN_I32
                          : info.type == HG_U8  ? HG_COLUMN_U8
                                                : HG_COLUMN_I64;
    return HG_OK;
}

static hg_status
visit(const char *name, bool is_group, void *context)
{
    static const char *const skipped[] = {"Header", "Cosmology", "Units", "Provenance"};
    walk *w = context, below = *w;
    char path[128], column[160];

    for (size_t i = 0; i < 4 && w->group[0] == '\0'; i++) {
        if (strcmp(name, skipped[i]) == 0) {
            return HG_OK;
        }
    }
    HG_TRY(hg_text_path(sizeof path, path, "%s%s%s", w->group, w->group[0] != '\0' ? "/" : "",
                        name));
    if (is_group) {
        below.group = path;
        return hg_h5_list(w->file, path, visit, &below);
    }
    snprintf(column, sizeof column, "%s@Column", path);
    return hg_h5_exists(w->file, column) ? add_column(w, path) : HG_OK;
}

/* Parts of a master: there, and as long as they were when the master was written. */
static hg_status
add_parts(hg_h5 *file, const char *path, hg_plan *plan)
{
    char part[HG_PATH_MAX + 32];
    int64_t *rows = NULL, *bytes = NULL;
    hg_h5_info info;
    hg_plan_file *added = NULL;
    hg_status status;

    HG_TRY_OR(done, status,
              hg_h5_read_all(file, "Provenance/Parts/Rows", HG_I64, &rows, &info));
    HG_TRY_OR(done, status,
              hg_h5_read_all(file, "Provenance/Parts/Bytes", HG_I64, &bytes, NULL));
    for (int64_t k = 0; k < info.dims[0]; k++) {
        int64_t size;

        snprintf(part, sizeof part, "%.*s.%" PRId64 ".hdf5", (int)strlen(path) - 5, path, k);
        size = hg_file_size(part);
        if (size < 0) {
            status =
                HG_FAIL(HG_E_NOTFOUND, "part '%s' of catalogue '%s' is missing", part, path);
            goto done;
        }
        if (size != bytes[k]) {
            status = HG_FAIL(HG_E_INPUT,
                             "part '%s' has %" PRId64 " bytes, but %" PRId64
                             " when catalogue '%s' was written: it is damaged or replaced",
                             part, size, bytes[k], path);
            goto done;
        }
        HG_TRY_OR(done, status, hg_plan_add_file(plan, part, rows[k], &added));
    }
    if (info.dims[0] == 0) {
        status = hg_plan_add_file(plan, path, 0, &added);
    }
done:
    hg_mem_free(rows);
    hg_mem_free(bytes);
    return status;
}

static hg_status
add_catalogue(const hg_catalog_options *options, const char *path, hg_plan *plan)
{
    bool again = plan->n_file > 0;
    hg_plan_file *added = NULL;
    hg_h5 *file = NULL;
    hg_frame frame = HG_FRAME_UNKNOWN;
    hg_status status, closed;
    bool ours = false, truth = false, master = false, shared = false;
    walk w;

    HG_TRY(hg_h5_open(path, &file));
    HG_TRY_OR(close, status, compare_word(file, "Header", "Code", "halograft", &ours));
    HG_TRY_OR(close, status, compare_word(file, "Header", "Content", "truth", &truth));
    HG_TRY_OR(close, status, compare_word(file, "Header", "FileKind", "master", &master));
    HG_TRY_OR(close, status, compare_word(file, "Provenance", "Layout", "shared", &shared));
    if (!ours) {
        status = HG_FAIL(HG_E_FORMAT, "'%s' is not a catalogue of halograft", path);
        goto close;
    }
    if (truth && !options->truth) {
        status =
            HG_FAIL(HG_E_INPUT,
                    "'%s' is the truth of a mock: it may be measured, but not trained on or "
                    "applied to",
                    path);
        goto close;
    }
    HG_TRY_OR(close, status, hg_soap_frame(file, again ? &frame : &plan->frame));
    if (again) {
        HG_TRY_OR(close, status, hg_frame_merge(&plan->frame, path, &frame));
    }
    if (master && !shared) {
        HG_TRY_OR(close, status, add_parts(file, path, plan));
    } else {
        int64_t rows = 0;

        HG_TRY_OR(close, status,
                  hg_h5_get_integer(file, "Header", "NumSubhalos_ThisFile", &rows));
        HG_TRY_OR(close, status, hg_plan_add_file(plan, path, rows, &added));
    }
    w = (walk){file, plan, "", again};
    status = hg_h5_list(file, "/", visit, &w);
close:
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    plan->allow_nan = true;
    for (int i = 0; i < files->n; i++) {
        HG_TRY(add_catalogue(options, files->path[i], plan));
    }
    return HG_OK;
}

const hg_format hg_format_halograft = {
    .name = "halograft", .probe = probe, .plan = plan_files, .read = hg_plan_read_flat};
