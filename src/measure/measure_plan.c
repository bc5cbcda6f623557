/* Samples come from the section Samples, or from thresholds. A pair of Measure.cross is a:b or
 * a:catalogue/b; the sample `all` of every row is there without being named. */
#include "measure/measure_plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hg_status
compile(const char *text, const char *what, const char *name, hg_expression **expression)
{
    if (hg_expression_create(text, expression) != HG_OK) {
        hg_error_prefix("%s '%s': ", what, name);
        return hg_error_last()->status;
    }
    return HG_OK;
}

/* The last '|' that is not half of '||', or NULL. */
static const char *
find_bar(const char *text)
{
    for (const char *c = text + strlen(text); c > text; c--) {
        if (c[-1] == '|' && c[0] != '|' && (c - 1 == text || c[-2] != '|')) {
            return c - 1;
        }
    }
    return NULL;
}

/* "expression" or "expression | weight expression". */
static hg_status
add_sample(hg_measure_plan *plan, const char *name, const char *text)
{
    hg_sample *sample = &plan->sample[plan->n_sample];
    const char *bar = find_bar(text), *weight;
    size_t n = bar != NULL ? (size_t)(bar - text) : strlen(text);

    if (plan->n_sample == HG_SAMPLE_MAX) {
        return HG_FAIL(HG_E_PARAM, "there are more than %d samples", HG_SAMPLE_MAX);
    }
    if (n >= sizeof sample->text) {
        return HG_FAIL(HG_E_PARAM, "the text of sample '%s' is too long", name);
    }
    snprintf(sample->name, sizeof sample->name, "%s", name);
    snprintf(sample->text, sizeof sample->text, "%.*s", (int)n, text);
    while (n > 0 && sample->text[n - 1] == ' ') {
        sample->text[--n] = '\0';
    }
    plan->n_sample++;
    HG_TRY(compile(sample->text, "sample", name, &sample->expression));
    if (bar == NULL) {
        return HG_OK;
    }
    weight = bar + 1 + strspn(bar + 1, " ");
    if (strncmp(weight, "weight ", 7) != 0 || strlen(weight) >= sizeof sample->weight_text) {
        return HG_FAIL(HG_E_PARAM,
                       "'%s' behind the bar of sample '%s' is no option; write '| weight "
                       "EXPRESSION'",
                       weight, name);
    }
    weight += 7 + strspn(weight + 7, " ");
    snprintf(sample->weight_text, sizeof sample->weight_text, "%s", weight);
    return compile(weight, "weight of sample", name, &sample->weight);
}

static hg_status
add_thresholds(hg_measure_plan *plan)
{
    const hg_params_measure *o = &plan->params->measure;

    plan->default_samples = true;
    for (int i = 0; i < o->thresholds.n; i++) {
        char name[HG_LABEL_MAX], text[256];

        snprintf(name, sizeof name, "%.80s_%.2f", o->threshold_column,
                 log10(o->thresholds.v[i]));
        snprintf(text, sizeof text, "%.80s > %.10g", o->threshold_column, o->thresholds.v[i]);
        HG_TRY(add_sample(plan, name, text));
    }
    return HG_OK;
}

static int
find_sample(const hg_measure_plan *plan, const char *name, size_t n)
{
    for (int s = 0; s < plan->n_sample; s++) {
        if (strlen(plan->sample[s].name) == n && strncmp(plan->sample[s].name, name, n) == 0) {
            return s;
        }
    }
    return -1;
}

/* A sample by its name; `all` is made when it is asked for first. */
static hg_status
need_sample(hg_measure_plan *plan, const char *entry, const char *name, size_t n, int *s)
{
    *s = find_sample(plan, name, n);
    if (*s < 0 && n == 3 && strncmp(name, "all", 3) == 0) {
        *s = plan->n_sample;
        HG_TRY(add_sample(plan, "all", "1 == 1"));
        plan->sample[*s].is_hidden = true;
    }
    if (*s < 0) {
        return HG_FAIL(HG_E_PARAM,
                       "'%.*s' in '%s' of Measure.cross is no sample; it is a name of the "
                       "section Samples, or 'all'",
                       (int)n, name, entry);
    }
    return HG_OK;
}

static hg_status
add_cross(hg_measure_plan *plan, const char *entry)
{
    hg_cross *cross = &plan->cross[plan->n_cross];
    const char *colon = strchr(entry, ':'), *slash = strchr(entry, '/'), *b;

    if (colon == NULL || colon == entry || colon[1] == '\0' || strchr(colon + 1, ':') != NULL ||
        (slash != NULL && slash < colon)) {
        return HG_FAIL(HG_E_PARAM,
                       "'%s' in Measure.cross is not sample:sample or "
                       "sample:catalogue/sample",
                       entry);
    }
    b = slash != NULL ? slash + 1 : colon + 1;
    HG_TRY(need_sample(plan, entry, entry, (size_t)(colon - entry), &cross->a));
    HG_TRY(need_sample(plan, entry, b, strlen(b), &cross->b));
    if (slash == NULL && cross->a == cross->b) {
        return HG_FAIL(HG_E_PARAM, "'%s' in Measure.cross is a sample with itself", entry);
    }
    if (slash != NULL) {
        snprintf(cross->catalogue, sizeof cross->catalogue, "%.*s", (int)(slash - colon - 1),
                 colon + 1);
    }
    snprintf(cross->name, sizeof cross->name, "%.*s_x_%.*s%s%.40s", (int)(colon - entry), entry,
             slash != NULL ? (int)(slash - colon - 1) : 0, colon + 1, slash != NULL ? "_" : "",
             b);
    plan->n_cross++;
    return HG_OK;
}

/* "column" against relation_to, or "column:other". */
static hg_status
add_relation(hg_measure_plan *plan, const char *entry)
{
    hg_related *related = &plan->related[plan->n_related];
    const char *colon = strchr(entry, ':');
    const int n = colon != NULL ? (int)(colon - entry) : (int)strlen(entry);
    const char *to = colon != NULL ? colon + 1 : plan->params->measure.relation_to;

    if (n == 0 || to[0] == '\0' || strchr(to, ':') != NULL) {
        return HG_FAIL(HG_E_PARAM, "'%s' in Measure.relations is not column or column:column",
                       entry);
    }
    snprintf(related->column, sizeof related->column, "%.*s", n, entry);
    snprintf(related->to, sizeof related->to, "%s", to);
    related->is_pair = colon != NULL;
    plan->n_related++;
    return HG_OK;
}

/* Behind each sample that is there so far, one of the same without orphans. */
static hg_status
add_without_orphans(hg_measure_plan *plan)
{
    const int n = plan->n_sample;

    for (int s = 0; s < n; s++) {
        hg_sample *sample = &plan->sample[s];
        char name[HG_LABEL_MAX], text[512];

        if (snprintf(name, sizeof name, "%s_found", sample->name) >= (int)sizeof name) {
            return HG_FAIL(HG_E_PARAM, "the name of sample '%s' is too long", sample->name);
        }
        snprintf(text, sizeof text, "(%s) && orphan == 0%s%s", sample->text,
                 sample->weight != NULL ? " | weight " : "", sample->weight_text);
        sample->without_orphans = plan->n_sample;
        HG_TRY(add_sample(plan, name, text));
        plan->sample[sample->without_orphans].is_found = true;
    }
    return HG_OK;
}

int
hg_measure_lines(const hg_params_measure *o, hg_los los[3])
{
    if (strcmp(o->line_of_sight, "mean") == 0) {
        los[0] = HG_LOS_X;
        los[1] = HG_LOS_Y;
        los[2] = HG_LOS_Z;
        return 3;
    }
    los[0] = strcmp(o->line_of_sight, "none") == 0 ? HG_LOS_NONE
                                                   : (hg_los)(o->line_of_sight[0] - 'x');
    return los[0] == HG_LOS_NONE ? 0 : 1;
}

uint64_t
hg_measure_plan_wanted(const hg_measure_plan *plan)
{
    uint64_t wanted = 0;

    for (int s = 0; s < plan->n_sample; s++) {
        wanted |= (uint64_t)!plan->sample[s].is_hidden << s;
    }
    for (int c = 0; c < plan->n_cross; c++) {
        wanted |= (uint64_t)1 << plan->cross[c].a;
        if (plan->cross[c].catalogue[0] == '\0') {
            wanted |= (uint64_t)1 << plan->cross[c].b;
        }
    }
    return wanted;
}

uint64_t
hg_measure_plan_referred(const hg_measure_plan *plan, const char *catalogue)
{
    uint64_t wanted = 0;

    for (int c = 0; c < plan->n_cross; c++) {
        if (strcmp(plan->cross[c].catalogue, catalogue) == 0) {
            wanted |= (uint64_t)1 << plan->cross[c].b;
        }
    }
    return wanted;
}

static hg_status
check_requests(const hg_params_measure *o)
{
    hg_fold_bins bins;

    for (int i = 0; i < o->host_bins.n; i++) {
        const double below = i > 0 ? o->host_bins.v[i - 1] : 0;

        if (!(o->host_bins.v[i] > below)) {
            return HG_FAIL(HG_E_PARAM, "Measure.host_bins do not increase from 0: %g, %g",
                           below, o->host_bins.v[i]);
        }
    }
    if (o->conditional.n > 0 && o->host_bins.n < 2) {
        return HG_FAIL(HG_E_PARAM, "Measure.host_bins needs two edges at least");
    }
    if (o->jackknife == 1 || o->jackknife == 2) {
        return HG_FAIL(HG_E_PARAM,
                       "Measure.jackknife is %d; a variance needs at least 3 regions per side",
                       (int)o->jackknife);
    }
    if (strcmp(o->space, "real") != 0 && strcmp(o->line_of_sight, "none") == 0) {
        return HG_FAIL(HG_E_PARAM,
                       "Measure.space is '%s', which needs an axis: set Measure.line_of_sight "
                       "to x, y, z or mean",
                       o->space);
    }
    if (o->k_width < 1) {
        return HG_FAIL(HG_E_PARAM,
                       "Measure.k_width is %g: bins of P(k) cannot be thinner than 1, the "
                       "distance of modes on an axis",
                       o->k_width);
    }
    if (hg_measure_power_bins(o, &bins) != HG_OK) {
        char why[512];

        snprintf(why, sizeof why, "%.500s", hg_error_last()->message);
        return HG_FAIL(HG_E_PARAM, "Measure.%s: %s", o->folds > 0 ? "folds" : "k_width", why);
    }
    return HG_OK;
}

hg_status
hg_measure_plan_init(const hg_params *params, hg_measure_plan *plan)
{
    const hg_params_measure *o = &params->measure;

    *plan = (hg_measure_plan){.params = params};
    plan->mass_axis = (hg_axis){.log = true,
                                .low = -10,
                                .step = o->mass_width,
                                .n = (int)ceil(30 / o->mass_width - 1e-9)};
    plan->relation_axis = (hg_axis){.log = true,
                                    .low = 4,
                                    .step = o->relation_width,
                                    .n = (int)ceil(14 / o->relation_width - 1e-9)};
    plan->fine_axis = (hg_axis){.log = true, .low = -12, .step = 0.002, .n = 15000};
    for (int i = 0; i < params->samples.n; i++) {
        HG_TRY(add_sample(plan, params->samples.v[i].name, params->samples.v[i].text));
    }
    if (params->samples.n == 0) {
        HG_TRY(add_thresholds(plan));
    }
    if (o->orphans) {
        HG_TRY(add_without_orphans(plan));
    }
    for (int i = 0; i < o->cross.n; i++) {
        if (plan->n_cross == HG_CROSS_MAX) {
            return HG_FAIL(HG_E_PARAM, "there are more than %d pairs in Measure.cross",
                           HG_CROSS_MAX);
        }
        HG_TRY(add_cross(plan, o->cross.v[i]));
    }
    for (int i = 0; i < o->relations.n; i++) {
        HG_TRY(add_relation(plan, o->relations.v[i]));
    }
    if (o->relations.n > 0 && o->relation_where != NULL) {
        HG_TRY(compile(o->relation_where, "Measure.relation_where", o->relation_where,
                       &plan->relation_where));
    }
    if (o->central != NULL) {
        HG_TRY(compile(o->central, "Measure.central", o->central, &plan->central));
    }
    if (o->quenched != NULL) {
        HG_TRY(compile(o->quenched, "Measure.quenched", o->quenched, &plan->quenched));
    }
    return check_requests(o);
}

hg_status
hg_measure_power_bins(const hg_params_measure *o, hg_fold_bins *bins)
{
    const hg_fold_options options = {.mesh = o->mesh,
                                     .n_level = 1 + (int)o->folds,
                                     .factor = (int)o->fold,
                                     .k_max = o->k_max,
                                     .width = o->k_width,
                                     .dlnk = o->dlnk};

    return hg_fold_bins_init(&options, bins);
}

void
hg_measure_plan_clear(hg_measure_plan *plan)
{
    for (int i = 0; i < plan->n_sample; i++) {
        hg_expression_free(plan->sample[i].expression);
        hg_expression_free(plan->sample[i].weight);
    }
    hg_expression_free(plan->relation_where);
    hg_expression_free(plan->central);
    hg_expression_free(plan->quenched);
    memset(plan, 0, sizeof *plan);
}
