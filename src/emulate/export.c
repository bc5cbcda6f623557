/* Every number of a row becomes a field of its own, because that is what tables of other
 * programs have. HDF5 datasets need their length beforehand: where rows are chosen, they are
 * counted in a pass of their own. Names and units of halotools: Hearin et al. 2017 (AJ 154,
 * 190) and its documentation of halo catalogues. */
#include "emulate/export.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"
#include "halograft/log.h"
#include "store/h5.h"
#include "store/publish.h"
#include "store/textout.h"

enum { MAX_FIELD = 1024 };

/* One number of a row. */
typedef struct field {
    char name[HG_NAME_MAX + 24];
    char unit[HG_UNIT_MAX + 8];
    int column, element;
    double factor;
    bool or_id; /* halo_hostid: the halo itself where there is no host */
} field;

typedef struct exporter {
    hg_extract extract;
    const char *path;
    char temporary[HG_PATH_MAX];
    bool is_hdf5, is_gz, is_halotools;
    int n_field;
    field *field; /* shape (MAX_FIELD) */
    int64_t n_row;
    hg_textout *text;
    hg_h5 *file;
} exporter;

static bool
ends_with(const char *text, const char *tail)
{
    const size_t n = strlen(text), m = strlen(tail);

    return n > m && strcmp(text + n - m, tail) == 0;
}

/* Name of a column in halotools, without halo_. */
static void
halotools_name(const char *name, char out[HG_NAME_MAX + 24])
{
    static const char *const map[][2] = {
        {"host_id", "upid"}, {"m_bound", "mbound"}, {"m200m", "m200b"},
        {"r200m", "r200b"},  {"r_s", "rs"},         {"r_vmax", "rvmax"},
        {"m_peak", "mpeak"}, {"v_peak", "vpeak"},   {"spin_peebles", "spin"},
        {"m_acc", "macc"},   {"spin", "j"}};
    const bool is_of_host = strncmp(name, "host_", 5) == 0 && strcmp(name, "host_id") != 0 &&
                            strcmp(name, "host_row") != 0;
    const char *own = is_of_host ? name + 5 : name;

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (strcmp(own, map[i][0]) == 0) {
            own = map[i][1];
            break;
        }
    }
    snprintf(out, HG_NAME_MAX + 24, "halo_%s%s", own, is_of_host ? "_host_halo" : "");
}

static void
element_name(const char *name, int width, int k, bool is_halotools, char out[HG_NAME_MAX + 24])
{
    const char *prefix = is_halotools ? "halo_" : "";

    if (strcmp(name, "position") == 0 && width == 3) {
        snprintf(out, HG_NAME_MAX + 24, "%s%c", prefix, "xyz"[k]);
    } else if (strcmp(name, "velocity") == 0 && width == 3) {
        snprintf(out, HG_NAME_MAX + 24, "%sv%c", prefix, "xyz"[k]);
    } else {
        char base[HG_NAME_MAX + 24];

        if (is_halotools) {
            halotools_name(name, base);
        } else {
            snprintf(base, sizeof base, "%s", name);
        }
        if (width == 1) {
            snprintf(out, HG_NAME_MAX + 24, "%s", base);
        } else {
            snprintf(out, HG_NAME_MAX + 24, "%.70s_%d", base, k);
        }
    }
}

/* Canonical values times this are per h. */
static hg_status
find_factor(const exporter *x, const char *unit, field *f)
{
    const double h = hg_catalog_frame(x->extract.catalog)->h;
    hg_unit u;

    f->factor = 1;
    snprintf(f->unit, sizeof f->unit, "%s", unit);
    if (!x->is_halotools) {
        return HG_OK;
    }
    HG_TRY(hg_unit_parse(unit, &u));
    if (u.mass + u.length != 0) {
        f->factor = pow(h, u.mass + u.length);
        snprintf(f->unit, sizeof f->unit, u.mass + u.length == 1 ? "%.32s/h" : "%.32s h^%d",
                 unit, -(u.mass + u.length));
    }
    return HG_OK;
}

static hg_status
list_fields(exporter *x)
{
    for (int c = 0; c < x->extract.n_column; c++) {
        const hg_output_column *column = &x->extract.column[c];
        const hg_column *found = hg_catalog_find(x->extract.catalog, column->name);
        const int width = found != NULL ? found->width : 1;

        for (int k = 0; k < width; k++) {
            field *f = &x->field[x->n_field];

            if (x->n_field + 1 >= MAX_FIELD) {
                return HG_FAIL(HG_E_PARAM, "more than %d numbers per halo are wanted",
                               MAX_FIELD - 2);
            }
            *f = (field){.column = c, .element = k};
            element_name(column->name, width, k, x->is_halotools, f->name);
            HG_TRY(find_factor(x, column->unit, f));
            x->n_field++;
        }
        if (x->is_halotools && strcmp(column->name, "host_id") == 0) {
            field *f = &x->field[x->n_field++];

            *f = (field){.name = "halo_hostid", .column = c, .factor = 1, .or_id = true};
        }
    }
    return HG_OK;
}

static bool
is_real(const hg_column *column)
{
    return column->type == HG_COLUMN_F64 || column->type == HG_COLUMN_F32;
}

/* Type of its datasets. */
static hg_type
type_of(const hg_column *column)
{
    return !is_real(column) ? HG_I64 : column->type == HG_COLUMN_F32 ? HG_F32 : HG_F64;
}

static int64_t
integer_at(const hg_table *t, const field *f, int64_t row)
{
    const hg_column *c = &t->column[f->column];
    const int64_t at = row * c->width + f->element;
    const int64_t value = c->type == HG_COLUMN_I64   ? ((const int64_t *)c->data)[at]
                          : c->type == HG_COLUMN_I32 ? ((const int32_t *)c->data)[at]
                                                     : ((const uint8_t *)c->data)[at];

    return f->or_id && value == -1 ? hg_table_i64(t, "id")[row] : value;
}

/* Digits that give the same number back; nan is what numpy and pandas read. */
static hg_status
add_number(const hg_table *t, const field *f, int64_t row, hg_text *line)
{
    const hg_column *c = &t->column[f->column];
    double value;

    if (!is_real(c)) {
        return hg_text_add(line, "%" PRId64, integer_at(t, f, row));
    }
    value = hg_column_value(c, row, f->element) * f->factor;
    if (!isfinite(value)) {
        return hg_text_add(line, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    }
    return hg_text_add(line, c->type == HG_COLUMN_F32 ? "%.9g" : "%.17g",
                       c->type == HG_COLUMN_F32 ? (double)(float)value : value);
}

static hg_status
write_lines(exporter *x, const hg_table *t)
{
    hg_text lines = {0};
    hg_status status = HG_OK;

    for (int64_t i = 0; i < t->n && status == HG_OK; i++) {
        for (int f = 0; f < x->n_field && status == HG_OK; f++) {
            status = add_number(t, &x->field[f], i, &lines);
            if (status == HG_OK) {
                status = hg_text_append(&lines, f + 1 < x->n_field ? "," : "\n", 1);
            }
        }
        if (status == HG_OK && (lines.n > 1 << 20 || i + 1 == t->n)) {
            status = hg_textout_write(x->text, lines.data, lines.n);
            lines.n = 0;
        }
    }
    hg_text_clear(&lines);
    return status;
}

static hg_status
write_names(exporter *x)
{
    for (int f = 0; f < x->n_field; f++) {
        HG_TRY(hg_textout_write(x->text, x->field[f].name, strlen(x->field[f].name)));
        HG_TRY(hg_textout_write(x->text, f + 1 < x->n_field ? "," : "\n", 1));
    }
    return HG_OK;
}

/* Rows of one part into the datasets, from row `first` on. */
static hg_status
write_datasets(exporter *x, const hg_table *t, int64_t first)
{
    void *data = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&data, (size_t)t->n, 8));
    for (int k = 0; k < x->n_field && status == HG_OK && t->n > 0; k++) {
        const field *f = &x->field[k];
        const hg_column *c = &t->column[f->column];
        const hg_type type = type_of(c);

        for (int64_t i = 0; i < t->n; i++) {
            if (type == HG_I64) {
                ((int64_t *)data)[i] = integer_at(t, f, i);
            } else {
                const double value = hg_column_value(c, i, f->element) * f->factor;

                if (type == HG_F32) {
                    ((float *)data)[i] = (float)value;
                } else {
                    ((double *)data)[i] = value;
                }
            }
        }
        status = hg_h5_write_rows(x->file, f->name, first, t->n, type, data);
    }
    hg_mem_free(data);
    return status;
}

static hg_status
describe_file(exporter *x)
{
    const hg_frame *frame = hg_catalog_frame(x->extract.catalog);
    const double h = x->is_halotools ? frame->h : 1;
    const struct {
        const char *name;
        double value;
    } item[] = {{"Lbox", frame->box * h},
                {"redshift", frame->redshift},
                {"particle_mass", frame->particle_mass * h},
                {"h", frame->h},
                {"Om0", frame->omega_m},
                {"Ob0", frame->omega_b}};

    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        if (isfinite(item[i].value)) {
            HG_TRY(hg_h5_put_real(x->file, "", item[i].name, item[i].value));
        }
    }
    return hg_h5_put_string(x->file, "", "format",
                            x->is_halotools ? "halograft table, halotools names"
                                            : "halograft table");
}

/* Types are those of the first part; an empty one has the same columns. */
static hg_status
reserve(exporter *x, const hg_table *t)
{
    for (int k = 0; k < x->n_field; k++) {
        const field *f = &x->field[k];
        const hg_column *c = &t->column[f->column];
        const hg_type type = type_of(c);

        HG_TRY(hg_h5_reserve(x->file, f->name, type, 1, &x->n_row, NULL));
        HG_TRY(hg_h5_put_string(x->file, f->name, "unit", f->unit));
    }
    return describe_file(x);
}

/* One pass over the parts; `count` counts rows and writes none. */
static hg_status
pass(const hg_comm *comm, exporter *x, bool count)
{
    const int64_t n_part = hg_catalog_n_part(x->extract.catalog);
    int64_t row = 0;

    for (int64_t p = 0; p < n_part || (p == 0 && n_part == 0); p++) {
        hg_table t = {.n = 0};
        hg_status status = hg_extract_part(comm, &x->extract, n_part > 0 ? p : -1, &t);

        if (status == HG_OK && !count && x->is_hdf5) {
            status = p == 0 ? reserve(x, &t) : HG_OK;
            status = status == HG_OK ? write_datasets(x, &t, row) : status;
        } else if (status == HG_OK && !count) {
            status = write_lines(x, &t);
        }
        row += t.n;
        hg_table_clear(&t);
        HG_TRY(status);
    }
    x->n_row = row;
    return HG_OK;
}

static hg_status
write_file(const hg_comm *comm, exporter *x)
{
    hg_status status, closed;

    if (x->is_hdf5) {
        HG_TRY(pass(comm, x, true));
        HG_TRY(hg_space_check(x->path, 8.0 * x->n_field * (double)x->n_row));
        HG_TRY(hg_h5_create(x->temporary, &x->file));
        status = pass(comm, x, false);
        closed = hg_h5_close(x->file);
    } else {
        HG_TRY(hg_textout_create(x->temporary, x->is_gz, &x->text));
        status = write_names(x);
        status = status == HG_OK ? pass(comm, x, false) : status;
        closed = hg_textout_close(x->text);
    }
    return status != HG_OK ? status : closed;
}

static hg_status
check_path(exporter *x, bool overwrite)
{
    x->is_hdf5 = ends_with(x->path, ".hdf5") || ends_with(x->path, ".h5");
    x->is_gz = ends_with(x->path, ".csv.gz");
    if (!x->is_hdf5 && !x->is_gz && !ends_with(x->path, ".csv")) {
        return HG_FAIL(HG_E_USAGE,
                       "'%s' tells no format: name the output .csv, .csv.gz or .hdf5", x->path);
    }
    if (hg_file_exists(x->path) && !overwrite) {
        return HG_FAIL(HG_E_EXISTS, "'%s' exists already: give --overwrite or another name",
                       x->path);
    }
    return hg_publish_begin(x->path, sizeof x->temporary, x->temporary);
}

static hg_status
prepare(const hg_comm *comm, const hg_params *params, const hg_extract_input *input,
        exporter *x)
{
    const hg_frame *frame;

    if (params->convert.orphans) {
        return HG_FAIL(HG_E_PARAM, "export adds no orphans: make a catalogue with them by "
                                   "convert, and export that");
    }
    HG_TRY(hg_mem_array(&x->field, MAX_FIELD, sizeof *x->field));
    HG_TRY(hg_extract_open(comm, params, input, &x->extract));
    frame = hg_catalog_frame(x->extract.catalog);
    if (x->is_halotools && !(frame->h > 0)) {
        return HG_FAIL(HG_E_INPUT,
                       "tables of halotools are in units of 1/h, but h is not known: "
                       "set Parent.h");
    }
    return list_fields(x);
}

hg_status
hg_export_run(const hg_comm *comm, const hg_params *params, const hg_extract_input *input,
              const char *path, bool overwrite)
{
    exporter x = {.path = path,
                  .is_halotools = strcmp(params->convert.style, "halotools") == 0};
    hg_status status;

    HG_ASSERT(comm->size == 1);
    HG_TRY_OR(done, status, check_path(&x, overwrite));
    HG_TRY_OR(done, status, prepare(comm, params, input, &x));
    status = write_file(comm, &x);
    if (status != HG_OK) {
        unlink(x.temporary);
        goto done;
    }
    HG_TRY_OR(done, status, hg_publish(x.temporary, path, NULL));
    hg_log_info("export: %" PRId64 " of %" PRId64 " haloes, %d columns, in '%s'", x.n_row,
                hg_catalog_n_row(x.extract.catalog), x.n_field, path);
done:
    hg_extract_clear(&x.extract);
    hg_mem_free(x.field);
    return status;
}
