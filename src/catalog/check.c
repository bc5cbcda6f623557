/* Each rule looks at one column; a row is bad when one of its values is. Bad rows are collected
 * in a mask and told once, with counts and the first five, because one wrong unit makes every
 * row bad and nobody wants a million lines.
 */
#include "catalog/check.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/layout.h"
#include "halograft/log.h"

enum { SHOWN = 5 };

/* What was found so far in a table. */
typedef struct findings {
    int64_t n_bad;
    int64_t n_host; /**< of these, rows without their host */
    int shown;
    hg_text text;
    uint8_t *mask; /**< shape (n): 0 or flag bits */
} findings;

static hg_status
report_row(const hg_plan *plan, int64_t first, const hg_column *column, int64_t i, int k,
           const char *why, int bit, findings *f)
{
    int file = hg_plan_find_file(plan, first + i);
    const char *path = hg_plan_path(plan, file), *slash = strrchr(path, '/');

    if (f->mask[i] == 0) {
        f->n_bad++;
        f->n_host += bit == HG_FLAG_MISSING_HOST;
        if (f->shown < SHOWN) {
            HG_TRY(hg_text_add(
                &f->text, "%s'%.120s' row %" PRId64 ": %s%s = %.9g %s",
                f->shown > 0 ? "; " : "", f->shown > 0 && slash != NULL ? slash + 1 : path,
                first + i - plan->file[file].first, column->name,
                column->width > 1 ? (const char *[]){"[0]", "[1]", "[2]"}[k % 3] : "",
                hg_column_value(column, i, k), why));
            f->shown++;
        }
    }
    f->mask[i] = (uint8_t)(f->mask[i] | bit);
    return HG_OK;
}

/* Fold a position in place; false when it is outside by more than a thousandth of the box. */
static bool
fold_position(double box, double *x)
{
    if (!isfinite(*x)) {
        return false;
    }
    if (!(box > 0)) {
        return true;
    }
    if (*x < -0.001 * box || *x > 1.001 * box) {
        return false;
    }
    if (*x < 0) {
        *x += box;
    }
    if (*x >= box) {
        *x -= box;
    }
    return true;
}

static const char *
judge(hg_rule rule, double value, bool allow_nan)
{
    if (allow_nan && isnan(value)) {
        return NULL;
    }
    if (!isfinite(value)) {
        return "is not finite";
    }
    if (rule == HG_RULE_POSITIVE && !(value > 0)) {
        return "is not positive";
    }
    if (rule == HG_RULE_SPEED && fabs(value) >= 2e4) {
        return "is too fast, check the unit";
    }
    return NULL;
}

static bool
names_host(const hg_column *column)
{
    return strcmp(column->name, "central") == 0 || strcmp(column->name, "host_id") == 0;
}

/* One pass without branches, also not those of &&: most columns of most parts are good. */
static bool
all_within(const float x[], int64_t n, hg_rule rule)
{
    const float low = rule == HG_RULE_POSITIVE ? FLT_TRUE_MIN
                      : rule == HG_RULE_SPEED  ? -2e4F
                                               : -FLT_MAX;
    const float high = rule == HG_RULE_SPEED ? 2e4F : FLT_MAX;
    int bad = 0;

    for (int64_t i = 0; i < n; i++) {
        bad |= !((x[i] >= low) & (x[i] <= high));
    }
    return !bad;
}

/* The same for positions, which are folded where they are not: no box has all of space. */
static bool
all_in_box(const double x[], int64_t n, double box)
{
    const double end = box > 0 ? box : HUGE_VAL, low = box > 0 ? 0 : -DBL_MAX;
    int64_t bad = 0; /* as wide as the values, else the loop has no vectors */

    for (int64_t i = 0; i < n; i++) {
        const int64_t is_in = (x[i] >= low) & (x[i] < end);

        bad |= is_in - 1;
    }
    return bad == 0;
}

static hg_status
check_column(const hg_plan *plan, int64_t first, const hg_table *table, const hg_column *column,
             findings *f)
{
    char base[HG_NAME_MAX]; /* "position[0]" obeys the rule of "position" */
    const hg_layout_entry *entry;
    hg_rule rule;
    bool real = column->type == HG_COLUMN_F64 || column->type == HG_COLUMN_F32;

    snprintf(base, sizeof base, "%.*s", (int)strcspn(column->name, "["), column->name);
    entry = hg_layout_find(base);
    rule = entry != NULL ? entry->rule : HG_RULE_FINITE;
    if (names_host(column)) {
        for (int64_t i = 0; i < table->n; i++) {
            double value = hg_column_value(column, i, 0);

            if (value ==
                (column->type == HG_COLUMN_I64 ? HG_HOST_MISSING : HG_CENTRAL_UNKNOWN)) {
                HG_TRY(report_row(plan, first, column, i, 0, "(its host is missing)",
                                  HG_FLAG_MISSING_HOST, f));
            }
        }
        return HG_OK;
    }
    if (!real || rule == HG_RULE_NONE ||
        (column->type == HG_COLUMN_F32 &&
         all_within(column->data, table->n * column->width, rule)) ||
        (rule == HG_RULE_POSITION && column->type == HG_COLUMN_F64 &&
         all_in_box(column->data, table->n * column->width, plan->frame.box))) {
        return HG_OK;
    }
    for (int64_t i = 0; i < table->n; i++) {
        for (int k = 0; k < column->width; k++) {
            const char *why;

            if (rule == HG_RULE_POSITION) {
                double *x = (double *)column->data + i * column->width + k;

                why = fold_position(plan->frame.box, x) ? NULL : "is outside the box";
            } else {
                why = judge(rule, hg_column_value(column, i, k), plan->allow_nan);
            }
            if (why != NULL) {
                HG_TRY(report_row(plan, first, column, i, k, why, HG_FLAG_BAD, f));
            }
        }
    }
    return HG_OK;
}

static hg_status
flag_rows(const findings *f, hg_table *table)
{
    const hg_column *old = hg_table_find(table, "flags");
    int32_t *flags = NULL;

    if (old != NULL && old->type == HG_COLUMN_I32) {
        flags = old->data;
    } else {
        HG_TRY(hg_table_add(table, "flags", "", HG_COLUMN_I32, 1, &flags));
        memset(flags, 0, (size_t)table->n * sizeof *flags);
    }
    for (int64_t i = 0; i < table->n; i++) {
        flags[i] |= f->mask[i];
    }
    return HG_OK;
}

static hg_status
act_on(const hg_plan *plan, findings *f, hg_table *table)
{
    if (plan->on_bad_rows == HG_BAD_FLAG) {
        return flag_rows(f, table);
    }
    if (f->n_bad == 0) {
        return HG_OK;
    }
    if (plan->on_bad_rows == HG_BAD_DROP) {
        hg_log_warn("catalogue: %" PRId64 " of %" PRId64
                    " rows hold impossible values and are dropped: %.400s%s",
                    f->n_bad, table->n, hg_text_string(&f->text),
                    f->n_bad > f->shown ? "; ..." : "");
        for (int64_t i = 0; i < table->n; i++) {
            f->mask[i] = f->mask[i] == 0;
        }
        hg_table_keep(table, f->mask);
        return HG_OK;
    }
    return HG_FAIL(HG_E_INPUT,
                   "%" PRId64 " of %" PRId64
                   " rows hold impossible values%s: %.700s%s; correct "
                   "the input, or set on_bad_rows of its section to drop",
                   f->n_bad, table->n, f->n_host > 0 ? " or miss their host" : "",
                   hg_text_string(&f->text), f->n_bad > f->shown ? "; ..." : "");
}

hg_status
hg_check_rows(const hg_plan *plan, int64_t first, hg_table *table)
{
    findings f = {0};
    hg_status status;

    HG_TRY(hg_mem_zeros(&f.mask, (size_t)table->n, 1));
    status = HG_OK;
    /* hosts first: their absence explains what else is missing in a row */
    for (int c = 0; c < 2 * table->n_column && status == HG_OK; c++) {
        const hg_column *column = &table->column[c % table->n_column];

        if (names_host(column) == (c < table->n_column)) {
            status = check_column(plan, first, table, column, &f);
        }
    }
    if (status == HG_OK) {
        status = act_on(plan, &f, table);
    }
    hg_text_clear(&f.text);
    hg_mem_free(f.mask);
    return status;
}

typedef struct key {
    int64_t id;
    int64_t region;
    int64_t row;
} key;

static int
compare_keys(const void *a, const void *b)
{
    const key *x = a, *y = b;

    if (x->id != y->id) {
        return (x->id > y->id) - (x->id < y->id);
    }
    if (x->region != y->region) {
        return (x->region > y->region) - (x->region < y->region);
    }
    return (x->row > y->row) - (x->row < y->row);
}

hg_status
hg_check_ids(const hg_plan *plan, int64_t first, const hg_table *table)
{
    const hg_column *region = hg_table_find(table, "region"),
                    *run = hg_table_find(table, "run");
    const int64_t *id = hg_table_i64(table, "id");
    bool rising = true;
    key *sorted = NULL;
    hg_status status = HG_OK;

    for (int64_t i = 1; i < table->n && rising; i++) {
        rising = id[i] > id[i - 1];
    }
    if (rising || plan->trees || (region == NULL && hg_plan_find(plan, "region") != NULL) ||
        (run == NULL && hg_plan_find(plan, "run") != NULL)) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&sorted, (size_t)table->n, sizeof *sorted));
    for (int64_t i = 0; i < table->n; i++) {
        const int64_t r = region != NULL ? hg_column_integer(region, i) : 0;
        const int64_t s = run != NULL ? hg_column_integer(run, i) : 0;

        sorted[i] = (key){id[i], (int64_t)((uint64_t)r + ((uint64_t)s << 32)), first + i};
    }
    qsort(sorted, (size_t)table->n, sizeof *sorted, compare_keys);
    for (int64_t i = 1; i < table->n; i++) {
        if (sorted[i].id == sorted[i - 1].id && sorted[i].region == sorted[i - 1].region) {
            status = HG_FAIL(HG_E_INPUT,
                             "id %" PRId64 " comes twice in '%s', in rows %" PRId64
                             " and %" PRId64 " of the catalogue: ids must be unique",
                             sorted[i].id, hg_plan_path(plan, hg_plan_find_file(plan, first)),
                             sorted[i - 1].row, sorted[i].row);
            break;
        }
    }
    hg_mem_free(sorted);
    return status;
}

double
hg_check_overdensity(double mass, double radius, const hg_frame *frame)
{
    const double a = frame->scale_factor, pi = 3.14159265358979323846;
    const double omega_l = isnan(frame->omega_l) ? 1 - frame->omega_m : frame->omega_l;
    const double e2 =
        frame->omega_m / (a * a * a) + (1 - frame->omega_m - omega_l) / (a * a) + omega_l;
    const double rho = 2.77536627e11 * frame->h * frame->h * e2;
    const double r = a * radius;

    if (!(mass > 0) || !(radius > 0)) {
        return (double)NAN;
    }
    return mass / (200 * rho * 4 * pi / 3 * r * r * r);
}
