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

#include "base/memory.h"
#include "catalog/check.h"
#include "catalog/files.h"
#include "catalog/format.h"
#include "catalog/layout.h"
#include "store/publish.h"
#include "store/textfile.h"

enum { SAMPLE = 10000, MAX_LISTED = 200 };

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

    HG_TRY(hg_text_add(report, "header:"));
    for (size_t i = 0; i < sizeof item / sizeof item[0]; i++) {
        if (isfinite(item[i].value)) {
            HG_TRY(
                hg_text_add(report, " %s %.6g%s;", item[i].name, item[i].value, item[i].unit));
        }
    }
    HG_TRY(hg_text_add(report, "%s\n", f->dark_matter_only ? " dark matter only" : ""));
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
                hg_text *report)
{
    static const char *const types[] = {"float64", "float32", "int64", "int32", "uint8"};
    const hg_column *c = &source->column;
    hg_table t = {.n = plan->n_row < SAMPLE ? plan->n_row : SAMPLE};
    double low = DBL_MAX, high = -DBL_MAX;
    int64_t odd = 0;
    char shape[16] = "";
    hg_status status;

    if (c->width > 1) {
        snprintf(shape, sizeof shape, "[%d]", c->width);
    }
    HG_TRY(
        hg_text_add(report, "  %-24s %-10s %s%-4s", c->name, c->unit, types[c->type], shape));
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
        HG_TRY(hg_text_add(report, " %.5g .. %.5g", low, high));
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

/* Median of M200c over what R200c says: a wrong h, a, unit or cosmology shows at once. */
static hg_status
describe_overdensity(const hg_plan *plan, const hg_format *format, hg_text *report)
{
    const hg_source *source[2] = {hg_plan_find(plan, "m200c"), hg_plan_find(plan, "r200c")};
    hg_table t = {.n = plan->n_row < SAMPLE ? plan->n_row : SAMPLE};
    double sum = 0;
    int64_t n = 0;
    hg_status status;

    if (source[0] == NULL || source[1] == NULL || !isfinite(plan->frame.h) ||
        !isfinite(plan->frame.omega_m)) {
        return HG_OK;
    }
    status = format->read(plan, 0, t.n, 2, source, &t);
    for (int64_t i = 0; i < t.n && status == HG_OK; i++) {
        double ratio = hg_check_overdensity((double)hg_table_f32(&t, "m200c")[i],
                                            (double)hg_table_f32(&t, "r200c")[i], &plan->frame);

        if (isfinite(ratio) && ratio > 0) {
            sum += log(ratio);
            n++;
        }
    }
    hg_table_clear(&t);
    if (status != HG_OK || n == 0) {
        return HG_OK;
    }
    return hg_text_add(report, "check: M200c is %.4f times what R200c and the header say%s\n",
                       exp(sum / (double)n),
                       fabs(sum / (double)n) > 0.01 ? ": WRONG, look at units, h, a and Omega_m"
                                                    : ", as it should be");
}

static hg_status
describe_plan(const hg_plan *plan, hg_text *report)
{
    const hg_format *format = hg_formats[plan->format];

    HG_TRY(hg_text_add(report, "rows: %" PRId64 " in %d file%s\n", plan->n_row, plan->n_file,
                       plan->n_file == 1 ? "" : "s"));
    HG_TRY(describe_frame(&plan->frame, report));
    HG_TRY(describe_overdensity(plan, format, report));
    HG_TRY(hg_text_add(
        report, "columns (name, unit, type, range in the first %d rows, source):\n", SAMPLE));
    /* canonical columns first */
    for (int s = 0; s < 2 * plan->n_source; s++) {
        const hg_source *source = &plan->source[s % plan->n_source];

        if ((hg_layout_find(source->column.name) != NULL) == (s < plan->n_source)) {
            HG_TRY(describe_column(plan, format, source, report));
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

/* Formats that are known by sight but not read yet. */
static const char *
recognise(hg_h5 *file)
{
    char text[64] = "";

    if (hg_h5_exists(file, "Header@OutputType") &&
        hg_h5_get_string(file, "Header", "OutputType", sizeof text, text) == HG_OK &&
        strcmp(text, "SOAP") == 0) {
        return "a SOAP catalogue of SWIFT (Header@OutputType is 'SOAP')";
    }
    if (hg_h5_exists(file, "FOF") && hg_h5_exists(file, "Header@ExpansionFactor")) {
        return "a group catalogue of EAGLE (group FOF, Header@ExpansionFactor)";
    }
    if (hg_h5_exists(file, "Header@NumPart_ThisFile") && hg_h5_exists(file, "PartType1")) {
        return "a particle snapshot of Gadget form (Header@NumPart_ThisFile, PartType1)";
    }
    return NULL;
}

static hg_status
describe_hdf5(const char *path, hg_text *report)
{
    hg_h5 *file = NULL;
    const char *kind;
    int n = 0;
    listing l;
    hg_status status, closed;

    HG_TRY(hg_h5_open(path, &file));
    kind = recognise(file);
    status = hg_text_add(report, "HDF5 file: %s\ndatasets:\n",
                         kind != NULL ? kind : "no format that is known by itself");
    l = (listing){file, "", report, &n};
    if (status == HG_OK) {
        status = hg_h5_list(file, "/", list_link, &l);
    }
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

static hg_status
describe_text(const char *path, hg_text *report)
{
    hg_textfile *file = NULL;
    char *line = NULL;
    hg_status status;

    HG_TRY(hg_textfile_open(path, &file));
    HG_TRY_OR(done, status, hg_text_add(report, "text file, it begins:\n"));
    for (int i = 0; i < 4; i++) {
        HG_TRY_OR(done, status, hg_textfile_line(file, &line));
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

/* A file that could not be planned: what it is, and why it cannot be read. */
static hg_status
describe_unknown(const char *path, const char *why, hg_text *report)
{
    hg_h5 *file = NULL;
    hg_status status = hg_h5_open(path, &file);

    if (status == HG_OK) {
        HG_TRY(hg_h5_close(file));
        HG_TRY(describe_hdf5(path, report));
    } else if (strstr(hg_error_last()->message, "is not an HDF5 file") != NULL) {
        status = describe_text(path, report);
        if (status != HG_OK) {
            HG_TRY(hg_text_add(report, "binary file: %s\n", hg_error_last()->message));
        }
    } else {
        return status;
    }
    return hg_text_add(report, "not readable as it stands: %s\n", why);
}

hg_status
hg_catalog_inspect(const char *path, const char *mapping, hg_text *report)
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
    options.partial = true;
    options.truth = true;
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
