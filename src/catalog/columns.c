/* The mapping is parsed into the same sources that the other readers use: dataset, element,
 * factor, offset. Units are read by base/unit, so every power of h and a is written down by the
 * user and none is guessed. Text tables share all but the way rows are fetched (texttable.c).
 */
#include "catalog/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"
#include "catalog/layout.h"
#include "halograft/log.h"
#include "store/publish.h"

/* What is known while a mapping is read. */
typedef struct map_reader {
    const char *path;
    hg_yaml doc;
    hg_h5 *file; /* first input file, NULL for text tables */
    hg_plan *plan;
} map_reader;

static hg_status
read_entry(const hg_yaml *doc, const char *section, const char *key, const char **text)
{
    const hg_yaml_entry *entry = hg_yaml_find(doc, section, key);

    *text = NULL;
    if (entry == NULL) {
        return HG_OK;
    }
    if (entry->is_list || entry->n_value != 1) {
        return HG_FAIL(HG_E_PARAM, "line %d: %s.%s must be one text", entry->line, section,
                       key);
    }
    *text = entry->value[0];
    return HG_OK;
}

/* Read a mapping file and fill {snap} in its values; `is_filled` says whether there was one. */
static hg_status
read_document(const char *path, int64_t snap, hg_yaml *doc, bool *is_filled)
{
    HG_TRY(hg_yaml_read(path, doc));
    *is_filled = false;
    for (int i = 0; i < doc->n; i++) {
        hg_yaml_entry *e = &doc->entry[i];
        char filled[1024], *text = NULL;

        if (e->is_list || e->n_value != 1 || !hg_text_has_field(e->value[0], "snap")) {
            continue;
        }
        if (snap < 0) {
            return HG_FAIL(HG_E_PARAM, "mapping file '%s', line %d: '%s' needs --snap N", path,
                           e->line, e->value[0]);
        }
        HG_TRY(hg_text_fill(e->value[0], "snap", snap, sizeof filled, filled));
        HG_TRY(hg_mem_string(&text, filled));
        hg_mem_free(e->value[0]);
        e->value[0] = text;
        *is_filled = true;
    }
    return HG_OK;
}

/* Split "A, B, C" at commas into trimmed parts; returns their number. */
static int
split_commas(const char *text, char part[3][256])
{
    int n = 0;

    while (n < 3) {
        const char *comma = n < 2 ? strchr(text, ',') : NULL;
        char piece[256];

        snprintf(piece, sizeof piece, "%.*s",
                 comma != NULL ? (int)(comma - text) : (int)strlen(text), text);
        hg_text_trim(piece, 256, part[n++]);
        if (comma == NULL) {
            break;
        }
        text = comma + 1;
    }
    return n;
}

/* The number behind OBJECT@ATTRIBUTE. */
static hg_status
read_attribute(const map_reader *m, const char *text, double *value)
{
    const char *at = strrchr(text, '@');
    char object[256];

    if (m->file == NULL) {
        return HG_FAIL(HG_E_PARAM, "'%s': a text table has no attributes, give a number", text);
    }
    snprintf(object, sizeof object, "%.*s", (int)(at - text), text);
    return hg_h5_get_real(m->file, object, at + 1, value);
}

/* One value of the section Header, in canonical units; absent keys leave it alone. */
static hg_status
read_header(const map_reader *m, const char *key, const char *canonical, double *value)
{
    const hg_frame *frame = &m->plan->frame;
    char unit_key[64], part[3][256] = {"", "", ""};
    const char *text, *unit_text;
    hg_unit unit, want;

    HG_TRY(read_entry(&m->doc, "Header", key, &text));
    if (text == NULL) {
        return HG_OK;
    }
    snprintf(unit_key, sizeof unit_key, "%s_unit", key);
    HG_TRY(read_entry(&m->doc, "Header", unit_key, &unit_text));
    split_commas(text, part);
    if (strchr(part[0], '@') != NULL) {
        HG_TRY(read_attribute(m, part[0], value));
    } else if (!hg_text_real(part[0], value)) {
        /* "75 Mpc/h" */
        return hg_unit_value(text, canonical, frame->h, value);
    }
    unit_text = part[1][0] != '\0' ? part[1] : unit_text;
    if (unit_text == NULL) {
        return canonical[0] == '\0'
                   ? HG_OK
                   : HG_FAIL(HG_E_PARAM, "Header.%s has no unit: write '%s, UNIT'", key, text);
    }
    HG_TRY(hg_unit_parse(unit_text, &unit));
    HG_TRY(hg_unit_parse(canonical, &want));
    if (!hg_unit_same_dimension(&unit, &want)) {
        return HG_FAIL(HG_E_PARAM, "Header.%s has the unit '%s', but needs one like '%s'", key,
                       unit_text, canonical);
    }
    *value *= hg_unit_factor(&unit, frame->h, frame->scale_factor);
    if (!isfinite(*value)) {
        return HG_FAIL(HG_E_PARAM, "Header.%s: the unit '%s' needs h or a, which Header lacks",
                       key, unit_text);
    }
    return HG_OK;
}

static hg_status
read_frame(const map_reader *m)
{
    static const char *const known[] = {"box",
                                        "box_unit",
                                        "a",
                                        "redshift",
                                        "h",
                                        "omega_m",
                                        "omega_l",
                                        "omega_b",
                                        "sigma_8",
                                        "n_s",
                                        "particle_mass",
                                        "particle_mass_unit",
                                        "dark_matter_only"};
    const size_t n_known = sizeof known / sizeof known[0];
    hg_frame *frame = &m->plan->frame;
    double dmo = 0;

    for (int i = 0; i < m->doc.n; i++) {
        const hg_yaml_entry *e = &m->doc.entry[i];
        size_t k = 0;

        if (strcmp(e->section, "Header") != 0) {
            continue;
        }
        while (k < n_known && strcmp(known[k], e->key) != 0) {
            k++;
        }
        if (k == n_known) {
            return HG_FAIL(HG_E_PARAM, "line %d: Header.%s is not known%s", e->line, e->key,
                           hg_text_hint(e->key, n_known, known).text);
        }
    }
    HG_TRY(read_header(m, "h", "", &frame->h));
    HG_TRY(read_header(m, "a", "", &frame->scale_factor));
    HG_TRY(read_header(m, "redshift", "", &frame->redshift));
    HG_TRY(hg_frame_merge(&(hg_frame)HG_FRAME_UNKNOWN, m->path, frame));
    HG_TRY(read_header(m, "box", "Mpc", &frame->box));
    HG_TRY(read_header(m, "omega_m", "", &frame->omega_m));
    HG_TRY(read_header(m, "omega_l", "", &frame->omega_l));
    HG_TRY(read_header(m, "omega_b", "", &frame->omega_b));
    HG_TRY(read_header(m, "sigma_8", "", &frame->sigma_8));
    HG_TRY(read_header(m, "n_s", "", &frame->n_s));
    HG_TRY(read_header(m, "particle_mass", "Msun", &frame->particle_mass));
    HG_TRY(read_header(m, "dark_matter_only", "", &dmo));
    frame->dark_matter_only = dmo > 0;
    return HG_OK;
}

/* "Mpc^2 km/s" from a dimension, for free columns. */
static void
name_dimension(const hg_unit *unit, char text[HG_UNIT_MAX])
{
    const struct {
        const char *word;
        int power;
    } part[] = {{"Msun", unit->mass}, {"Mpc", unit->length}, {"km/s", unit->speed},
                {"s", unit->second},  {"K", unit->kelvin},   {"yr", unit->year}};
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        if (part[i].power == 0 || n + 10 > HG_UNIT_MAX) {
            continue;
        }
        if (part[i].power == -1 && n > 0) {
            n += (size_t)snprintf(text + n, HG_UNIT_MAX - n, "/%s", part[i].word);
        } else if (part[i].power == 1) {
            n += (size_t)snprintf(text + n, HG_UNIT_MAX - n, "%s%s", n > 0 ? " " : "",
                                  part[i].word);
        } else {
            n += (size_t)snprintf(text + n, HG_UNIT_MAX - n, "%s%s^%d", n > 0 ? " " : "",
                                  part[i].word, part[i].power);
        }
    }
}

static hg_status
set_unit(const map_reader *m, const hg_yaml_entry *entry, const char *text, bool canonical,
         hg_source *source)
{
    const hg_frame *frame = &m->plan->frame;
    hg_unit unit, want;

    HG_TRY(hg_unit_parse(text, &unit));
    if (canonical) {
        HG_TRY(hg_unit_parse(source->column.unit, &want));
        if (text[0] == '\0' && !hg_unit_same_dimension(&unit, &want)) {
            return HG_FAIL(HG_E_PARAM,
                           "line %d: column '%s' has no unit: write 'NAME, UNIT' with a unit "
                           "like '%s'",
                           entry->line, entry->key, source->column.unit);
        }
        if (!hg_unit_same_dimension(&unit, &want)) {
            return HG_FAIL(HG_E_PARAM,
                           "line %d: column '%s' has the unit '%s', but needs one like '%s'",
                           entry->line, entry->key, text, source->column.unit);
        }
    } else {
        name_dimension(&unit, source->column.unit);
        if (source->column.unit[0] == '\0' && unit.factor == 1 && unit.h == 0 && unit.a == 0 &&
            strcmp(text, "-") != 0) {
            snprintf(source->column.unit, HG_UNIT_MAX, "%.31s", text);
        }
    }
    source->factor = hg_unit_factor(&unit, frame->h, frame->scale_factor);
    if (!isfinite(source->factor)) {
        return HG_FAIL(HG_E_PARAM,
                       "line %d: the unit '%s' of column '%s' needs %s, which Header does not "
                       "give",
                       entry->line, text, entry->key,
                       isnan(frame->h) && unit.h != 0 ? "h" : "a");
    }
    return HG_OK;
}

/* "NAME", "NAME[k]": the path and the element. */
static hg_status
set_path(const hg_yaml_entry *entry, const char *text, int p, hg_source *source)
{
    const char *bracket = strrchr(text, '[');
    size_t n = strlen(text);
    char number[16];
    int64_t k = -1;

    if (bracket != NULL && n > 0 && text[n - 1] == ']') {
        snprintf(number, sizeof number, "%.*s", (int)(text + n - 1 - bracket) - 1, bracket + 1);
        if (!hg_text_integer(number, &k) || k < 0 || k > 100000) {
            return HG_FAIL(HG_E_PARAM, "line %d: '%s' is not a column of a matrix", entry->line,
                           text);
        }
        n = (size_t)(bracket - text);
    }
    if (n == 0 || n >= sizeof source->path[p]) {
        return HG_FAIL(HG_E_PARAM, "line %d: column '%s' has no source or too long a name",
                       entry->line, entry->key);
    }
    memcpy(source->path[p], text, n);
    source->path[p][n] = '\0';
    source->element[p] = (int)k;
    return HG_OK;
}

static hg_status
add_column(const map_reader *m, const hg_yaml_entry *entry)
{
    char part[3][256] = {"", "", ""}, piece[256], trimmed[256];
    const hg_layout_entry *layout = hg_layout_quantity(entry->key);
    hg_source *source = NULL;
    const char *rest;
    int p = 0;

    if (entry->is_list || entry->n_value != 1) {
        return HG_FAIL(HG_E_PARAM, "line %d: column '%s' must be one text", entry->line,
                       entry->key);
    }
    HG_TRY(hg_plan_add_source(m->plan, entry->key, &source));
    split_commas(entry->value[0], part);
    for (rest = part[0]; rest != NULL; p++) {
        const char *stop = strchr(rest, ';');

        if (p == 3) {
            return HG_FAIL(HG_E_PARAM, "line %d: column '%s' has more than three sources",
                           entry->line, entry->key);
        }
        snprintf(piece, sizeof piece, "%.*s",
                 stop != NULL ? (int)(stop - rest) : (int)strlen(rest), rest);
        HG_TRY(set_path(entry, hg_text_trim(piece, sizeof trimmed, trimmed), p, source));
        rest = stop != NULL ? stop + 1 : NULL;
    }
    if (p == 2 || (p == 3 && layout != NULL && layout->width != 3)) {
        return HG_FAIL(HG_E_PARAM, "line %d: column '%s' has %d sources", entry->line,
                       entry->key, p);
    }
    source->n_path = p;
    if (layout == NULL) {
        source->column.width = p;
    }
    if (part[2][0] != '\0' && !hg_text_real(part[2] + (part[2][0] == '+'), &source->offset)) {
        return HG_FAIL(HG_E_PARAM, "line %d: the offset '%s' of column '%s' is not a number",
                       entry->line, part[2], entry->key);
    }
    return set_unit(m, entry, part[1], layout != NULL, source);
}

static bool
is_integer(hg_column_type type)
{
    return type != HG_COLUMN_F32 && type != HG_COLUMN_F64;
}

/* Rows of one HDF5 file; every source must be there with the same number of rows. The first
 * file also gives free columns their type and width. */
static hg_status
check_sources(hg_h5 *file, hg_plan *plan, bool is_first, int64_t *rows)
{
    *rows = -1;
    for (int s = 0; s < plan->n_source; s++) {
        hg_source *source = &plan->source[s];
        const bool is_free = hg_layout_quantity(source->column.name) == NULL;

        for (int p = 0; p < source->n_path; p++) {
            hg_h5_info info;
            int64_t width;

            HG_TRY(hg_h5_describe(file, source->path[p], &info));
            width = source->element[p] >= 0 ? 1 : info.row;
            if (!info.numeric) {
                return HG_FAIL(HG_E_FORMAT, "dataset '%s' in '%s' does not hold numbers",
                               source->path[p], hg_h5_path(file));
            }
            if (source->element[p] >= info.row) {
                return HG_FAIL(HG_E_FORMAT,
                               "dataset '%s' in '%s' has %" PRId64
                               " elements per row, there is no [%d]",
                               source->path[p], hg_h5_path(file), info.row, source->element[p]);
            }
            if (is_first && is_free && source->n_path == 1) {
                source->column.width = (int)width;
            }
            if (width * source->n_path != source->column.width) {
                return HG_FAIL(HG_E_FORMAT,
                               "column '%s' needs %d elements per row, '%s' in '%s' has "
                               "%" PRId64,
                               source->column.name, source->column.width, source->path[p],
                               hg_h5_path(file), width);
            }
            if (*rows >= 0 && info.dims[0] != *rows) {
                return HG_FAIL(HG_E_FORMAT,
                               "dataset '%s' in '%s' has %" PRId64
                               " rows, others have %" PRId64,
                               source->path[p], hg_h5_path(file), info.dims[0], *rows);
            }
            *rows = info.dims[0];
            source->disk = is_first ? info.type : source->disk;
            source->whole = source->whole || (!is_free && is_integer(source->column.type) &&
                                              (info.type == HG_F32 || info.type == HG_F64) &&
                                              source->factor == 1 && source->offset == 0);
            if (is_first && is_free) {
                bool whole = info.type != HG_F32 && info.type != HG_F64 &&
                             source->factor == 1 && source->offset == 0;

                source->column.type = whole                 ? HG_COLUMN_I64
                                      : info.type == HG_F32 ? HG_COLUMN_F32
                                                            : HG_COLUMN_F64;
            }
        }
    }
    return HG_OK;
}

static hg_status
get_count(hg_h5 *file, const char *text, int64_t *count)
{
    const char *at = strrchr(text, '@');
    char object[256];

    if (at == NULL) {
        return HG_FAIL(HG_E_PARAM, "'%s' is not of the form OBJECT@ATTRIBUTE", text);
    }
    snprintf(object, sizeof object, "%.*s", (int)(at - text), text);
    return hg_h5_get_integer(file, object, at + 1, count);
}

static hg_status
plan_hdf5_file(const map_reader *m, hg_h5 *file, bool *is_first, int64_t *total)
{
    const char *rows_text, *total_text;
    hg_plan_file *added = NULL;
    int64_t stated = -1, rows = 0, all = -1;

    HG_TRY(read_entry(&m->doc, "File", "rows", &rows_text));
    HG_TRY(read_entry(&m->doc, "File", "total", &total_text));
    if (rows_text != NULL) {
        HG_TRY(get_count(file, rows_text, &stated));
    }
    if (total_text != NULL) {
        HG_TRY(get_count(file, total_text, &all));
        if (*total >= 0 && all != *total) {
            return HG_FAIL(HG_E_FORMAT,
                           "'%s' says %" PRId64 " rows in all, other files say %" PRId64,
                           hg_h5_path(file), all, *total);
        }
        *total = all;
    }
    /* a file that says it has no rows may lack the datasets */
    if (stated != 0) {
        HG_TRY(check_sources(file, m->plan, *is_first, &rows));
        *is_first = false;
        if (stated > 0 && stated != rows) {
            return HG_FAIL(HG_E_FORMAT,
                           "'%s' says it has %" PRId64 " rows, its datasets have %" PRId64,
                           hg_h5_path(file), stated, rows);
        }
    }
    return hg_plan_add_file(m->plan, hg_h5_path(file), rows, &added);
}

static hg_status
plan_hdf5(const hg_catalog_options *options, const hg_files *files, const map_reader *m)
{
    bool is_first = true;
    int64_t total = -1;

    for (int i = 0; i < files->n; i++) {
        hg_status status, closed;
        hg_h5 *file = NULL;

        HG_TRY(hg_h5_open(files->path[i], &file));
        status = plan_hdf5_file(m, file, &is_first, &total);
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    if (total >= 0 && total != m->plan->n_row) {
        if (!options->partial) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' says %" PRId64 " rows in all, the %d files have %" PRId64
                           ": files are missing; set partial to read what is there",
                           files->path[0], total, files->n, m->plan->n_row);
        }
        m->plan->incomplete = true;
        hg_log_warn("catalogue: partial, %" PRId64 " of %" PRId64 " rows", m->plan->n_row,
                    total);
    }
    return HG_OK;
}

static hg_status
read_mapping(map_reader *m)
{
    static const char *const sections[] = {"File", "Header", "Columns"};
    int n_column = 0;

    HG_TRY(read_frame(m));
    for (int i = 0; i < m->doc.n; i++) {
        const hg_yaml_entry *e = &m->doc.entry[i];
        bool known = false;

        for (int k = 0; k < 3; k++) {
            known = known || strcmp(e->section, sections[k]) == 0;
        }
        if (!known) {
            return HG_FAIL(HG_E_PARAM,
                           "line %d: section '%s' is not known: File, Header or Columns",
                           e->line, e->section);
        }
        if (strcmp(e->section, "Columns") == 0) {
            HG_TRY(add_column(m, e));
            n_column++;
        }
    }
    return n_column > 0 ? HG_OK
                        : HG_FAIL(HG_E_PARAM, "the section Columns is empty or missing");
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    map_reader m = {.path = options->mapping, .plan = plan};
    hg_text_plan *kind = NULL;
    bool is_filled = false;
    hg_status status, opened;

    if (options->mapping == NULL) {
        return HG_FAIL(HG_E_PARAM, "format columns needs a mapping file");
    }
    HG_TRY_OR(done, status, read_document(options->mapping, options->snap, &m.doc, &is_filled));
    plan->snap = is_filled ? options->snap : -1;
    HG_TRY_OR(done, status, hg_mem_zeros(&kind, 1, sizeof *kind));
    plan->extra = kind;
    plan->n_extra = sizeof *kind;
    opened = hg_h5_open(files->path[0], &m.file);
    if (opened != HG_OK && strstr(hg_error_last()->message, "is not an HDF5 file") == NULL) {
        status = opened;
        goto done;
    }
    status = read_mapping(&m);
    if (status != HG_OK) {
        hg_error_prefix("mapping file '%s': ", options->mapping);
        goto done;
    }
    if (m.file == NULL) {
        kind->is_text = 1;
        status = hg_texttable_plan(&m.doc, files, plan);
    } else {
        status = plan_hdf5(options, files, &m);
    }
done:
    if (m.file != NULL) {
        hg_status closed = hg_h5_close(m.file);

        status = status != HG_OK ? status : closed;
    }
    hg_yaml_clear(&m.doc);
    return status;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    const hg_text_plan *kind = plan->extra;

    return kind->is_text ? hg_texttable_read(plan, first, n, n_source, source, table)
                         : hg_plan_read_flat(plan, first, n, n_source, source, table);
}

hg_status
hg_columns_files(const char *mapping, int64_t snap, hg_files *files)
{
    char path[HG_PATH_MAX];
    const char *slash = strrchr(mapping, '/'), *text = NULL;
    hg_yaml doc = {0};
    bool is_filled;
    hg_status status;

    *files = (hg_files){0};
    HG_TRY_OR(done, status, read_document(mapping, snap, &doc, &is_filled));
    HG_TRY_OR(done, status, read_entry(&doc, "File", "pattern", &text));
    if (text == NULL) {
        status = HG_FAIL(
            HG_E_PARAM,
            "no file is named, neither in the parameters nor as File.pattern in '%s'", mapping);
        goto done;
    }
    HG_TRY_OR(done, status,
              hg_text_path(sizeof path, path, "%.*s%s",
                           text[0] != '/' && slash != NULL ? (int)(slash - mapping) + 1 : 0,
                           mapping, text));
    status = hg_files_expand(1, (const char *[]){path}, files);
done:
    hg_yaml_clear(&doc);
    return status;
}

const hg_format hg_format_columns = {
    .name = "columns", .probe = NULL, .plan = plan_files, .read = read_rows};
