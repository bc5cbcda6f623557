/* The report is made from the same plan that a run would use, so it cannot tell another story
 * than the run. Value ranges come from the first rows only; they show a wrong unit at a glance
 * and cost nothing on a large file.
 */
#include "catalog/inspect.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "catalog/files.h"
#include "catalog/format.h"
#include "catalog/layout.h"
#include "catalog/sanity.h"
#include "store/publish.h"
#include "store/textfile.h"

enum { SAMPLE = 10000, SAMPLE_FILES = 64, MAX_LISTED = 200, SANITY_ROWS = 1 << 24 };

/* Rows that are looked at: few, and in few files. */
static int64_t
count_sample(const hg_plan *plan)
{
    const int64_t n = plan->n_file > SAMPLE_FILES && plan->file[SAMPLE_FILES].first > 0
                          ? plan->file[SAMPLE_FILES].first
                          : plan->n_row;

    return n < SAMPLE ? n : SAMPLE;
}

static hg_status
describe_frame(const hg_frame *f, hg_text *report)
{
    const struct {
        const char *name, *unit;
        double value;
    } item[] = {{"box", " Mpc", f->box},
                {"redshift", "", f->redshift},
                {"scale factor", "", f->scale_factor},
                {"h", "", f->h},
                {"Omega_m", "", f->omega_m},
                {"Omega_lambda", "", f->omega_l},
                {"Omega_b", "", f->omega_b},
                {"sigma_8", "", f->sigma_8},
                {"n_s", "", f->n_s},
                {"particle mass", " Msun", f->particle_mass}};
    bool missing = false;
    int n = 0;

    HG_TRY(hg_text_add(report, "header:"));
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        if (isfinite(item[i].value)) {
            /* a redshift of 1e-16 is a rounded 1/a - 1 */
            double value = fabs(item[i].value) < 1e-12 ? 0 : item[i].value;

            HG_TRY(hg_text_add(report, "%s %s %.6g%s", n++ > 0 ? "," : "", item[i].name, value,
                               item[i].unit));
        }
    }
    HG_TRY(hg_text_add(report, "%s\n", f->dark_matter_only ? ", dark matter only" : ""));
    for (size_t i = 0; i < 6; i++) {
        if (!isfinite(item[i].value)) {
            HG_TRY(hg_text_add(report, "%s %s", missing ? "," : "not known:", item[i].name));
            missing = true;
        }
    }
    return missing
               ? hg_text_add(report, " (give them in the parameters where they are needed)\n")
               : HG_OK;
}

/* Smallest and largest finite value of a column in the first rows. */
static hg_status
describe_column(const hg_plan *plan, const hg_format *format, const hg_source *source,
                int width, hg_text *report)
{
    static const char *const types[] = {"float64", "float32", "int64", "int32", "uint8"};
    const hg_column *c = &source->column;
    hg_table t = {.n = count_sample(plan)};
    double low = DBL_MAX, high = -DBL_MAX;
    int64_t odd = 0;
    char shape[16] = "";
    hg_status status;

    if (c->width > 1) {
        snprintf(shape, sizeof shape, "[%d]", c->width);
    }
    HG_TRY(hg_text_add(report, "  %-*s %-9s %-7s%-4s", width, c->name, c->unit, types[c->type],
                       shape));
    if (source->derived) {
        return hg_text_add(report, " row number\n");
    }
    status = format->read(plan, 0, t.n, 1, &source, &t);
    if (status != HG_OK) {
        hg_table_clear(&t);
        return hg_text_add(report, " cannot be read: %s\n", hg_error_last()->message);
    }
    for (int64_t i = 0; i < t.n; i++) {
        for (int k = 0; k < c->width; k++) {
            double value = hg_column_value(&t.column[0], i, k);

            odd += !isfinite(value);
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    }
    hg_table_clear(&t);
    if (low <= high) {
        const bool whole = c->type != HG_COLUMN_F64 && c->type != HG_COLUMN_F32;

        HG_TRY(whole ? hg_text_add(report, " %.0f .. %.0f", low, high)
                     : hg_text_add(report, " %.5g .. %.5g", low, high));
    }
    if (odd > 0) {
        HG_TRY(hg_text_add(report, ", %" PRId64 " not finite", odd));
    }
    if (source->path[0][0] != '\0') {
        HG_TRY(hg_text_add(report, "  from %s%s%s", source->path[0],
                           source->n_path > 1 ? ", ..." : "",
                           source->factor != 1 ? " (converted)" : ""));
    }
    return hg_text_add(report, "\n");
}

/* What a forgotten h, a or unit would spoil. */
static hg_status
describe_sanity(const hg_plan *plan, hg_text *report)
{
    static const char *const begins[] = {"check", "note", "check: WRONG"};
    hg_sanity s = {0};
    hg_sanity_verdict verdict;

    if (hg_formats[plan->format]->is_particles || plan->n_row == 0 ||
        hg_sanity_sample(plan, SANITY_ROWS, 0, 1, &s) != HG_OK) {
        return HG_OK; /* what cannot be read is said with its column */
    }
    HG_TRY(hg_sanity_judge(&s, &plan->frame, s.n_row == plan->n_row && !plan->incomplete, false,
                           &verdict));
    for (int i = 0; i < verdict.n; i++) {
        HG_TRY(hg_text_add(report, "%s: %s: %s\n", begins[verdict.line[i].kind],
                           verdict.line[i].topic, verdict.line[i].text));
    }
    return HG_OK;
}

static hg_status
describe_plan(const hg_plan *plan, hg_text *report)
{
    const hg_format *format = hg_formats[plan->format];
    int width = 16, n_file = 0;

    for (int i = 0; i < plan->n_file; i++) { /* a snapshot's file has an entry per type */
        n_file += i == 0 || strcmp(hg_plan_path(plan, i), hg_plan_path(plan, i - 1)) != 0;
    }

    HG_TRY(hg_text_add(report, "rows: %" PRId64 " in %d file%s\n", plan->n_row, n_file,
                       n_file == 1 ? "" : "s"));
    HG_TRY(describe_frame(&plan->frame, report));
    HG_TRY(describe_sanity(plan, report));
    if (plan->n_row == 0) {
        return hg_text_add(report, "no rows, so there are no columns to describe\n");
    }
    HG_TRY(plan->n_row > count_sample(plan)
               ? hg_text_add(report,
                             "columns (name, unit, type, range in the first %" PRId64
                             " rows, source):\n",
                             count_sample(plan))
               : hg_text_add(report, "columns (name, unit, type, range, source):\n"));
    for (int s = 0; s < plan->n_source; s++) {
        int length = (int)strlen(plan->source[s].column.name);

        width = length > width ? length : width;
    }
    /* canonical columns first */
    for (int s = 0; s < 2 * plan->n_source; s++) {
        const hg_source *source = &plan->source[s % plan->n_source];

        if ((hg_layout_find(source->column.name) != NULL) == (s < plan->n_source)) {
            HG_TRY(describe_column(plan, format, source, width, report));
        }
    }
    return HG_OK;
}

/* Walk of a file of unknown format. */
typedef struct listing {
    hg_h5 *file;
    const char *group;
    hg_text *report;
    int *n;
    bool has_heading; /* of the attributes */
} listing;

static hg_status
list_link(const char *name, bool is_group, void *context)
{
    listing *l = context, below = *l;
    char path[512];
    hg_h5_info info;

    if (++*l->n > MAX_LISTED) {
        return *l->n == MAX_LISTED + 1 ? hg_text_add(l->report, "  ...\n") : HG_OK;
    }
    HG_TRY(hg_text_path(sizeof path, path, "%s%s%s", l->group, l->group[0] != '\0' ? "/" : "",
                        name));
    if (is_group) {
        below.group = path;
        return hg_h5_list(l->file, path, list_link, &below);
    }
    if (hg_h5_describe(l->file, path, &info) != HG_OK) {
        return hg_text_add(l->report, "  %s: cannot be read\n", path);
    }
    HG_TRY(hg_text_add(l->report, "  %-40s %s (%" PRId64, path,
                       info.numeric ? hg_type_name(info.type) : "not numeric", info.dims[0]));
    for (int i = 1; i < info.n_dim; i++) {
        HG_TRY(hg_text_add(l->report, ", %" PRId64, info.dims[i]));
    }
    return hg_text_add(l->report, ")\n");
}

/* What is known by sight but is no catalogue that can be read: its name, and what to do. */
struct kind {
    const char *name, *advice;
};

static struct kind
recognise(hg_h5 *file)
{
    char text[64] = "";

    if (hg_h5_exists(file, "@format") &&
        hg_h5_get_string(file, "", "format", sizeof text, text) == HG_OK) {
        if (strcmp(text, "halograft-model") == 0) {
            return (struct kind){"a model made by 'halograft train'",
                                 "give it as Model.file to 'halograft apply'"};
        }
        if (strncmp(text, "halograft statistics", 20) == 0) {
            return (struct kind){"statistics made by 'halograft measure'",
                                 "'halograft report FILE' shows what is in it"};
        }
    }
    return (struct kind){NULL, NULL};
}

/* Attributes of an object, as a mapping file names them. */
static hg_status
list_attribute(const char *name, bool is_group, void *context)
{
    listing *l = context;
    char text[64] = "";
    double value;
    char full[512];

    (void)is_group;
    if (!l->has_heading) {
        HG_TRY(hg_text_add(l->report, "attributes:\n"));
        l->has_heading = true;
    }
    snprintf(full, sizeof full, "%.200s@%.200s", l->group, name);
    if (hg_h5_get_string(l->file, l->group, name, sizeof text, text) == HG_OK) {
        return hg_text_add(l->report, "  %-40s '%s'\n", full, text);
    }
    if (hg_h5_get_real(l->file, l->group, name, &value) == HG_OK) {
        return hg_text_add(l->report, "  %-40s %.8g\n", full, value);
    }
    return hg_text_add(l->report, "  %-40s (list)\n", full);
}

static hg_status
list_file(hg_h5 *file, hg_text *report)
{
    static const char *const objects[] = {"", "Header"};
    int n = 0;
    listing l = {file, "", report, &n, false};

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        l.group = objects[i];
        if (i == 0 || hg_h5_exists(file, objects[i])) {
            HG_TRY(hg_h5_list_attributes(file, objects[i], list_attribute, &l));
        }
    }
    l.group = "";
    HG_TRY(hg_text_add(report, "datasets:\n"));
    return hg_h5_list(file, "/", list_link, &l);
}

/* The forests of a model and what they predict. */
static hg_status
list_stages(hg_h5 *file, hg_text *report)
{
    static const char *const uses[] = {"", " for means", " for draws"};
    int64_t n = 0, use = 0, is_label = 0;
    char path[64], name[64];

    HG_TRY(hg_h5_get_integer(file, "", "stages", &n));
    for (int64_t s = 0; s < n && s < MAX_LISTED; s++) {
        snprintf(path, sizeof path, "stage%" PRId64, s);
        HG_TRY(hg_h5_get_integer(file, path, "use", &use));
        HG_TRY(hg_h5_get_integer(file, path, "label", &is_label));
        HG_TRY(hg_text_add(report, "stage %" PRId64 ", %s%s:", s,
                           is_label ? "labels" : "values",
                           use >= 0 && use < 3 ? uses[use] : ""));
        for (int t = 0;; t++) {
            snprintf(path, sizeof path, "stage%" PRId64 "/targets/%03d", s, t);
            if (!hg_h5_exists(file, path)) {
                break;
            }
            HG_TRY(hg_h5_get_string(file, path, "name", sizeof name, name));
            HG_TRY(hg_text_add(report, " %s", name));
        }
        HG_TRY(hg_text_add(report, "\n"));
    }
    return HG_OK;
}

/* The format whose look a file has, though it cannot be read as it stands. */
static hg_status
name_format(const char *path, hg_text *report)
{
    for (int f = 0; hg_formats[f] != NULL; f++) {
        hg_text reason = {0};
        hg_status status = HG_OK;
        const bool fits = hg_formats[f]->probe != NULL && hg_formats[f]->probe(path, &reason);

        if (fits) {
            status = hg_text_add(report, "format: %s, because %s", hg_formats[f]->name,
                                 hg_text_string(&reason));
        }
        hg_text_clear(&reason);
        if (fits || status != HG_OK) {
            return status;
        }
    }
    return hg_text_add(report, "HDF5 file: no format that is known by itself\n");
}

static hg_status
describe_hdf5(const char *path, const char *why, hg_text *report)
{
    hg_h5 *file = NULL;
    struct kind kind;
    hg_status status, closed;

    HG_TRY(hg_h5_open(path, &file));
    kind = recognise(file);
    status = kind.name != NULL ? hg_text_add(report, "HDF5 file: %s\n", kind.name)
                               : name_format(path, report);
    if (status == HG_OK && kind.advice == NULL) {
        status = list_file(file, report);
    } else if (status == HG_OK && hg_h5_exists(file, "@stages")) {
        status = list_stages(file, report);
    }
    closed = hg_h5_close(file);
    HG_TRY(status != HG_OK ? status : closed);
    return kind.advice != NULL ? hg_text_add(report, "no halo catalogue: %s\n", kind.advice)
                               : hg_text_add(report, "not readable as it stands: %s\n", why);
}

static hg_status
describe_text(const char *path, hg_text *report)
{
    hg_textfile *file = NULL;
    char *line = NULL;
    hg_status status;

    HG_TRY(hg_textfile_open(path, &file));
    for (int i = 0; i < 4; i++) {
        HG_TRY_OR(done, status, hg_textfile_line(file, &line));
        if (i == 0) {
            HG_TRY_OR(
                done, status,
                hg_text_add(report, line != NULL ? "text file, it begins:\n" : "empty file\n"));
        }
        if (line == NULL) {
            break;
        }
        if (i == 0 &&
            (strncmp(line, "#ID DescID", 10) == 0 || strncmp(line, "#id num_p", 9) == 0 ||
             strncmp(line, "#scale(0)", 9) == 0)) {
            HG_TRY_OR(done, status,
                      hg_text_add(report, "  (a halo list of Rockstar or consistent-trees)\n"));
        }
        HG_TRY_OR(done, status,
                  hg_text_add(report, "  %.200s%s\n", line, strlen(line) > 200 ? " ..." : ""));
    }
done:
    hg_textfile_close(file);
    return status;
}

static bool
ends_with(const char *text, const char *tail)
{
    size_t n = strlen(text), m = strlen(tail);

    return n >= m && strcmp(text + n - m, tail) == 0;
}

/* A file that could not be planned: what it is, and why it cannot be read. */
static hg_status
describe_unknown(const char *path, const char *why, hg_text *report)
{
    hg_h5 *file = NULL;
    struct stat info;
    hg_status status;

    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return hg_text_add(report, "a folder: name the files in it\n");
    }
    status = hg_h5_open(path, &file);
    if (status == HG_OK) {
        HG_TRY(hg_h5_close(file));
        return describe_hdf5(path, why, report);
    }
    if (strstr(hg_error_last()->message, "is not an HDF5 file") != NULL) {
        status = describe_text(path, report);
        if (status != HG_OK) {
            return hg_text_add(report, "binary file of %lld bytes, not HDF5: cannot be read\n",
                               (long long)info.st_size);
        }
        if (ends_with(path, ".yml") || ends_with(path, ".yaml")) {
            return hg_text_add(report,
                               "no halo catalogue: 'halograft params --check FILE' checks "
                               "a parameter file\n");
        }
    } else {
        return status;
    }
    return hg_text_add(report, "not readable as it stands: %s\n", why);
}

hg_status
hg_catalog_inspect(const char *path, const char *mapping, int64_t snap, hg_text *report)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_files files = {0};
    hg_text reason = {0};
    hg_plan plan = {0};
    char why[sizeof hg_error_last()->message];
    hg_status status;

    options.n_file = 1;
    options.files = &path;
    options.mapping = mapping;
    options.snap = snap;
    options.partial = true;
    options.truth = true;
    options.particles = true;
    HG_TRY(hg_files_expand(1, &path, &files));
    HG_TRY_OR(done, status, hg_text_add(report, "file: %s\n", path));
    if (hg_plan_make(&options, &plan) != HG_OK) {
        snprintf(why, sizeof why, "%s", hg_error_last()->message);
        status = describe_unknown(files.path[0], why, report);
        goto done;
    }
    if (mapping == NULL && !hg_formats[plan.format]->probe(files.path[0], &reason)) {
        hg_text_clear(&reason);
    }
    HG_TRY_OR(done, status,
              hg_text_add(report, "format: %s, because %s", hg_formats[plan.format]->name,
                          mapping != NULL ? "a mapping file describes it\n"
                                          : hg_text_string(&reason)));
    status = describe_plan(&plan, report);
done:
    hg_plan_clear(&plan);
    hg_text_clear(&reason);
    hg_files_clear(&files);
    return status;
}

/* Index of the format whose files form one catalogue together, -1 when there is none. */
static int
find_common_format(int n, const char *const paths[])
{
    for (int f = 0; hg_formats[f] != NULL; f++) {
        bool fits = hg_formats[f]->is_set;

        for (int i = 0; i < n && fits; i++) {
            hg_text reason = {0};

            fits = hg_formats[f]->probe(paths[i], &reason);
            hg_text_clear(&reason);
        }
        if (fits) {
            return f;
        }
    }
    return -1;
}

hg_status
hg_catalog_inspect_set(int n, const char *const paths[], hg_text *report, bool *is_set)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_plan plan = {0};
    hg_status status = HG_OK;

    *is_set = n > 1 && find_common_format(n, paths) >= 0;
    if (!*is_set) {
        return HG_OK;
    }
    options.n_file = n;
    options.files = paths;
    options.partial = true;
    options.particles = true;
    status = hg_plan_make(&options, &plan);
    if (status == HG_OK) {
        status = hg_text_add(report, "files: %s and %d more, one catalogue\nformat: %s\n",
                             paths[0], n - 1, hg_formats[plan.format]->name);
    }
    if (status == HG_OK) {
        status = describe_plan(&plan, report);
    }
    hg_plan_clear(&plan);
    return status;
}
