/* Both files are walked in the order of names; what only one has is found by walking each and
 * looking for the name in the other. Datasets are compared in blocks of rows, so that a
 * catalogue of any length fits. */
#include "audit/diff.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/manifest.h"
#include "base/memory.h"
#include "store/h5.h"
#include "store/seal.h"

enum { ROWS = 1 << 20, LISTED_MAX = 20 };

typedef struct walk {
    hg_h5 *a, *b; /**< the walk follows the links of a */
    const hg_diff_options *options;
    hg_findings *findings;
    int64_t *n_object, *n_different;
    const char *group;
    bool is_second; /**< only look for what a has and b lacks */
} walk;

static hg_status HG_PRINTF(2, 3) differ(walk *w, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (++*w->n_different > LISTED_MAX) {
        w->findings->n_wrong++;
        return HG_OK;
    }
    return hg_findings_add(w->findings, HG_FINDING_WRONG, "differs", "%s", sentence);
}

/* ---- values ---- */

typedef struct difference {
    int64_t n, first;
    double a, b;              /**< the values there */
    double largest, relative; /**< largest |a - b|, and over max(|a|, |b|) */
} difference;

static void
compare_values(const hg_diff_options *o, double a, double b, int64_t row, difference *d)
{
    const double gap = fabs(a - b), scale = fmax(fabs(a), fabs(b));

    if (a == b || (isnan(a) && isnan(b))) {
        return;
    }
    if (isfinite(gap) && gap <= o->relative * scale + o->absolute) {
        return;
    }
    if (d->n++ == 0) {
        d->first = row;
        d->a = a;
        d->b = b;
    }
    if (isnan(gap)) {
        d->largest = d->relative = HUGE_VAL;
    } else {
        d->largest = fmax(d->largest, gap);
        d->relative = fmax(d->relative, gap / scale);
    }
}

static void
compare_integers(const hg_diff_options *o, int64_t a, int64_t b, int64_t row, difference *d)
{
    if (a != b) {
        /* doubles may hide the difference of large integers, which counts all the same */
        const int64_t before = d->n;

        compare_values(o, (double)a, (double)b, row, d);
        if (d->n == before && (double)a == (double)b && o->relative <= 0 && o->absolute <= 0) {
            d->first = d->n++ == 0 ? row : d->first;
        }
    }
}

static bool
is_real(hg_type type)
{
    return type == HG_F64 || type == HG_F32;
}

static hg_status
compare_block(walk *w, const char *path, int64_t first, int64_t n, const hg_h5_info *info,
              bool real, difference *d)
{
    const size_t count = (size_t)(n * info->row);
    const hg_type type = real ? HG_F64 : HG_I64;
    void *x = NULL, *y = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&x, count, sizeof(double)));
    HG_TRY_OR(done, status, hg_mem_array(&y, count, sizeof(double)));
    HG_TRY_OR(done, status, hg_h5_read(w->a, path, first, n, type, x));
    HG_TRY_OR(done, status, hg_h5_read(w->b, path, first, n, type, y));
    for (size_t i = 0; i < count; i++) {
        const int64_t row = first + (int64_t)i / info->row;

        if (real) {
            compare_values(w->options, ((double *)x)[i], ((double *)y)[i], row, d);
        } else {
            compare_integers(w->options, ((int64_t *)x)[i], ((int64_t *)y)[i], row, d);
        }
    }
done:
    hg_mem_free(x);
    hg_mem_free(y);
    return status;
}

static bool
same_shape(const hg_h5_info *a, const hg_h5_info *b)
{
    bool same = a->n_dim == b->n_dim;

    for (int i = 0; i < a->n_dim && same; i++) {
        same = a->dims[i] == b->dims[i];
    }
    return same;
}

static hg_status
compare_datasets(walk *w, const char *path)
{
    const int64_t most = w->options->rows_max > 0 ? w->options->rows_max : ROWS;
    const bool exact = w->options->relative <= 0 && w->options->absolute <= 0;
    hg_h5_info a, b;
    difference d = {.n = 0};

    HG_TRY(hg_h5_describe(w->a, path, &a));
    HG_TRY(hg_h5_describe(w->b, path, &b));
    if (!a.numeric || !b.numeric) {
        return a.numeric == b.numeric ? hg_findings_add(w->findings, HG_FINDING_NOTE, "skipped",
                                                        "'%s' holds no numbers", path)
                                      : differ(w, "'%s': numbers in one file only", path);
    }
    if (!same_shape(&a, &b)) {
        return differ(w, "'%s': %" PRId64 " x %" PRId64 " against %" PRId64 " x %" PRId64, path,
                      a.dims[0], a.row, b.dims[0], b.row);
    }
    if (a.type != b.type && (exact || is_real(a.type) != is_real(b.type))) {
        return differ(w, "'%s': type %s against %s", path, hg_type_name(a.type),
                      hg_type_name(b.type));
    }
    const int64_t rows = a.n_dim > 0 ? a.dims[0] : 1;
    const int64_t block =
        most / (a.row > 0 ? a.row : 1) > 0 ? most / (a.row > 0 ? a.row : 1) : 1;

    for (int64_t first = 0; first < rows; first += block) {
        const int64_t n = rows - first < block ? rows - first : block;

        HG_TRY(compare_block(w, path, first, n, &a, is_real(a.type), &d));
    }
    return d.n == 0 ? HG_OK
                    : differ(w,
                             "'%s': %" PRId64 " of %" PRId64
                             " values, largest difference %.6g (%.3g relative), first in row "
                             "%" PRId64 ": %.9g against %.9g",
                             path, d.n, rows * a.row, d.largest, d.relative, d.first, d.a, d.b);
}

/* ---- attributes ---- */

/* Texts may be long: the line in which they part is shown. */
static hg_status
differ_in_text(walk *w, const char *place, const char *a, const char *b)
{
    char line_a[128], line_b[128];
    const int64_t line = hg_text_difference(a, b, sizeof line_a, line_a, line_b);

    return differ(w, "attribute '%s', line %" PRId64 ": '%s' against '%s'", place, line, line_a,
                  line_b);
}

static hg_status
compare_texts(walk *w, const char *place, const char *name)
{
    hg_text text[2] = {{0}, {0}};
    hg_status status;

    HG_TRY_OR(done, status, hg_h5_get_lines(w->a, w->group, name, &text[0]));
    status = hg_h5_get_lines(w->b, w->group, name, &text[1]);
    if (status == HG_E_FORMAT) {
        status = differ(w, "attribute '%s': text in one file only", place);
    } else if (status == HG_OK &&
               strcmp(hg_text_string(&text[0]), hg_text_string(&text[1])) != 0) {
        status = differ_in_text(w, place, hg_text_string(&text[0]), hg_text_string(&text[1]));
    }
done:
    hg_text_clear(&text[0]);
    hg_text_clear(&text[1]);
    return status;
}

static hg_status
compare_numbers(walk *w, const char *place, const char *name, int64_t n)
{
    double *x = NULL, *y = NULL;
    difference d = {.n = 0};
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&x, (size_t)n, sizeof *x));
    HG_TRY_OR(done, status, hg_mem_array(&y, (size_t)n, sizeof *y));
    HG_TRY_OR(done, status, hg_h5_get_reals(w->a, w->group, name, (int)n, x));
    status = hg_h5_get_reals(w->b, w->group, name, (int)n, y);
    if (status == HG_E_FORMAT) {
        status = differ(w, "attribute '%s': a number in one file only", place);
    }
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        compare_values(w->options, x[i], y[i], i, &d);
    }
    if (status == HG_OK && d.n > 0) {
        status = differ(w, "attribute '%s': %.9g against %.9g", place, d.a, d.b);
    }
done:
    hg_mem_free(x);
    hg_mem_free(y);
    return status;
}

static hg_status
compare_attribute(walk *w, const char *name)
{
    char place[512];
    int64_t n = 0, m = 0;
    hg_status status;

    snprintf(place, sizeof place, "%.250s@%.250s", w->group, name);
    if (!hg_h5_exists(w->b, place)) {
        return differ(w, "attribute '%s' is in '%s' only", place, hg_h5_path(w->a));
    }
    if (w->is_second) {
        return HG_OK;
    }
    HG_TRY(hg_h5_attribute_size(w->a, w->group, name, &n));
    HG_TRY(hg_h5_attribute_size(w->b, w->group, name, &m));
    if (n != m) {
        return differ(w, "attribute '%s': %" PRId64 " values against %" PRId64, place, n, m);
    }
    status = compare_texts(w, place, name);
    return status == HG_E_FORMAT ? compare_numbers(w, place, name, n) : status;
}

/* What names the files of a run, or repeats its parameters, is provenance wherever it stands.
 */
static hg_status
visit_attribute(const char *name, bool is_group, void *context)
{
    static const char *const provenance[] = {"source", "truth", "inputs", "parameters"};
    walk *w = context;

    (void)is_group;
    for (size_t i = 0; i < sizeof provenance / sizeof provenance[0]; i++) {
        if (!w->options->provenance && strcmp(name, provenance[i]) == 0) {
            return HG_OK;
        }
    }
    return compare_attribute(w, name);
}

/* ---- objects ---- */

static hg_status
visit_object(const char *name, bool is_group, void *context)
{
    walk *w = context, below = *w;
    char path[1024];

    HG_TRY(hg_text_path(sizeof path, path, "%s%s%s", w->group, w->group[0] != '\0' ? "/" : "",
                        name));
    if (strcmp(path, "Provenance") == 0 && !w->options->provenance) {
        return HG_OK;
    }
    if (!hg_h5_exists(w->b, path)) {
        return differ(w, "'%s' is in '%s' only", path, hg_h5_path(w->a));
    }
    if (is_group == hg_h5_is_dataset(w->b, path)) {
        return w->is_second ? HG_OK : differ(w, "'%s': a group in one file only", path);
    }
    below.group = path;
    *w->n_object += !w->is_second;
    HG_TRY(hg_h5_list_attributes(w->a, path, visit_attribute, &below));
    if (is_group) {
        return hg_h5_list(w->a, path, visit_object, &below);
    }
    return w->is_second ? HG_OK : compare_datasets(w, path);
}

static hg_status
compare_open(walk *w)
{
    walk back = *w;

    HG_TRY(hg_h5_list_attributes(w->a, "", visit_attribute, w));
    HG_TRY(hg_h5_list(w->a, "/", visit_object, w));
    back.a = w->b;
    back.b = w->a;
    back.is_second = true;
    HG_TRY(hg_h5_list_attributes(back.a, "", visit_attribute, &back));
    return hg_h5_list(back.a, "/", visit_object, &back);
}

hg_status
hg_diff_files(const char *a, const char *b, const hg_diff_options *options,
              hg_findings *findings)
{
    int64_t n_object = 0, n_different = 0;
    walk w = {.options = options,
              .findings = findings,
              .n_object = &n_object,
              .n_different = &n_different,
              .group = ""};
    hg_status status, closed;
    bool is_sealed;

    HG_TRY(hg_findings_title(findings, "%s against %s", a, b));
    HG_TRY(hg_seal_check(a, &is_sealed));
    HG_TRY(hg_seal_check(b, &is_sealed));
    HG_TRY(hg_manifest_guard(a));
    HG_TRY(hg_manifest_guard(b));
    HG_TRY(hg_h5_open(a, &w.a));
    HG_TRY_OR(close, status, hg_h5_open(b, &w.b));
    HG_TRY_OR(close, status, compare_open(&w));
    if (n_different > LISTED_MAX) {
        HG_TRY_OR(close, status,
                  hg_findings_add(findings, HG_FINDING_NOTE, "differs", "and %" PRId64 " more",
                                  n_different - LISTED_MAX));
    }
    if (n_different == 0) {
        status = hg_findings_add(findings, HG_FINDING_OK, "same",
                                 "%" PRId64 " groups and datasets, with their attributes%s",
                                 n_object,
                                 options->provenance ? "" : "; provenance is not compared");
    }
close:
    closed = hg_h5_close(w.b);
    status = status != HG_OK ? status : closed;
    closed = hg_h5_close(w.a);
    return status != HG_OK ? status : closed;
}
