/* Everything is a count of rows, so it is the same for any ranks; a host is a central, and all
 * rows carry the mass of their host. Errors of shares are binomial, those of numbers Poisson;
 * where nothing or everything was counted they are those of half an object more, or upper
 * limits, never zero. */
#include "measure/measure_content.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/log.h"
#include "measure/measure_pass.h"

enum { CENTRAL, SATELLITE, KINDS };

static const char *const kind_name[KINDS + 1] = {"central", "satellite", "all"};
static const double upper_limit = 1.841; /* objects, 84 per cent, where none is seen */

static bool
has_names(const hg_measured_set *sources, const hg_measured *source, int draw,
          const hg_expression *expression)
{
    for (int i = 0; expression != NULL && i < hg_expression_n_name(expression); i++) {
        if (!hg_measured_has(sources, source, draw, hg_expression_name(expression, i))) {
            return false;
        }
    }
    return expression != NULL;
}

static hg_status
start_content(const hg_measure_plan *plan, hg_content *c)
{
    const hg_params_measure *o = &plan->params->measure;
    const int64_t n_mass = plan->relation_axis.n, n_value = plan->mass_axis.n;
    const int64_t n_bin = o->host_bins.n - 1;
    const int64_t n_member = (int64_t)plan->n_sample * KINDS * n_mass;
    const int64_t n_conditional = c->n_conditional * n_bin * KINDS * n_value;

    c->n = n_mass + n_member + n_bin + n_conditional + 2 * KINDS * n_value;
    HG_TRY(hg_mem_zeros(&c->block, (size_t)c->n, sizeof *c->block));
    c->host = c->block;
    c->member = c->host + n_mass;
    c->bin_host = c->member + n_member;
    c->conditional_count = c->bin_host + n_bin;
    c->quenched = c->conditional_count + n_conditional;
    return HG_OK;
}

hg_status
hg_content_choose(const hg_measure_plan *plan, const hg_measured_set *sources,
                  const hg_measured *source, int draw, hg_names *names, hg_content *c)
{
    const hg_params_measure *o = &plan->params->measure;

    *c = (hg_content){.has_host = (o->hod || o->conditional.n > 0) &&
                                  has_names(sources, source, draw, plan->central) &&
                                  hg_measured_has(sources, source, draw, o->host_mass)};
    c->has_quenched = has_names(sources, source, draw, plan->quenched) &&
                      has_names(sources, source, draw, plan->central) &&
                      hg_measured_has(sources, source, draw, o->quenched_column);
    for (int i = 0; i < o->conditional.n && c->has_host; i++) {
        if (hg_measured_has(sources, source, draw, o->conditional.v[i])) {
            c->conditional[c->n_conditional++] = o->conditional.v[i];
            HG_TRY(hg_names_add(names, o->conditional.v[i]));
        }
    }
    if (c->has_host) {
        HG_TRY(hg_names_add(names, o->host_mass));
    }
    if (c->has_quenched) {
        HG_TRY(hg_names_add_expression(names, plan->quenched));
        HG_TRY(hg_names_add(names, o->quenched_column));
    }
    if (!c->has_host && !c->has_quenched) {
        hg_log_debug("measure: catalogue '%s' has no columns for the content of haloes",
                     source->name);
        return HG_OK;
    }
    HG_TRY(hg_names_add_expression(names, plan->central));
    return start_content(plan, c);
}

/* Bin of host mass, or -1. */
static int
host_bin(const hg_params_measure *o, double mass)
{
    for (int i = 0; i < o->host_bins.n - 1; i++) {
        if (mass >= o->host_bins.v[i] && mass < o->host_bins.v[i + 1]) {
            return i;
        }
    }
    return -1;
}

/* Hosts, and members of samples, by host mass. */
static void
count_members(const hg_measure_plan *plan, int64_t n, const double host[],
              const double central[], const uint64_t mask[], hg_content *c)
{
    const hg_axis *axis = &plan->relation_axis;

    for (int64_t i = 0; i < n; i++) {
        const int bin = hg_axis_bin(axis, host[i]),
                  wide = host_bin(&plan->params->measure, host[i]);
        const int kind = central[i] != 0 ? CENTRAL : SATELLITE;

        c->host[bin < 0 ? 0 : bin] += kind == CENTRAL && bin >= 0;
        if (kind == CENTRAL && wide >= 0) {
            c->bin_host[wide]++;
        }
        for (int s = 0; s < plan->n_sample && bin >= 0; s++) {
            c->member[(s * KINDS + kind) * axis->n + bin] += (int64_t)(mask[i] >> s & 1);
        }
    }
}

static hg_status
count_conditional(const hg_measure_plan *plan, const hg_table *table, const double host[],
                  const double central[], double *value, hg_content *c)
{
    const hg_params_measure *o = &plan->params->measure;
    const int n_bin = (int)o->host_bins.n - 1;

    for (int k = 0; k < c->n_conditional; k++) {
        HG_TRY(hg_measure_column(table, c->conditional[k], value));
        for (int64_t i = 0; i < table->n; i++) {
            const int wide = host_bin(o, host[i]),
                      bin = hg_axis_bin(&plan->mass_axis, value[i]);
            const int kind = central[i] != 0 ? CENTRAL : SATELLITE;

            if (wide >= 0 && bin >= 0) {
                c->conditional_count[((k * n_bin + wide) * KINDS + kind) * plan->mass_axis.n +
                                     bin]++;
            }
        }
    }
    return HG_OK;
}

static hg_status
count_quenched(const hg_measure_plan *plan, const hg_table *table, const double central[],
               double *value, double *is_quenched, hg_content *c)
{
    const int64_t n = plan->mass_axis.n;

    HG_TRY(hg_measure_column(table, plan->params->measure.quenched_column, value));
    HG_TRY(hg_expression_evaluate(plan->quenched, table, is_quenched));
    for (int64_t i = 0; i < table->n; i++) {
        const int bin = hg_axis_bin(&plan->mass_axis, value[i]);
        const int kind = central[i] != 0 ? CENTRAL : SATELLITE;

        if (bin >= 0 && !isnan(is_quenched[i])) {
            c->quenched[kind * n + bin]++;
            c->quenched[(KINDS + kind) * n + bin] += is_quenched[i] != 0;
        }
    }
    return HG_OK;
}

hg_status
hg_content_add(const hg_measure_plan *plan, const hg_table *table, const uint64_t mask[],
               hg_content *c)
{
    const size_t n = (size_t)table->n;
    double *central = NULL, *host, *value, *other;
    hg_status status = HG_OK;

    if (c->block == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&central, 4 * n, sizeof *central));
    host = central + n;
    value = host + n;
    other = value + n;
    HG_TRY_OR(done, status, hg_expression_evaluate(plan->central, table, central));
    if (c->has_host) {
        HG_TRY_OR(done, status,
                  hg_measure_column(table, plan->params->measure.host_mass, host));
        count_members(plan, table->n, host, central, mask, c);
        HG_TRY_OR(done, status, count_conditional(plan, table, host, central, value, c));
    }
    if (c->has_quenched) {
        status = count_quenched(plan, table, central, value, other, c);
    }
done:
    hg_mem_free(central);
    return status;
}

void
hg_content_sum(const hg_comm *comm, hg_content *c)
{
    hg_comm_sum(comm, (size_t)c->n, c->block);
}

void
hg_content_clear(hg_content *c)
{
    hg_mem_free(c->block);
    *c = (hg_content){0};
}

/* First and one past the last bin that holds something. */
static void
find_range(const hg_axis *axis, const int64_t count[], int *first, int *end)
{
    *first = 0;
    *end = axis->n;
    while (*end > 0 && count[*end - 1] == 0) {
        --*end;
    }
    while (*first < *end && count[*first] == 0) {
        ++*first;
    }
}

static hg_status
add_curve(const hg_measured *source, const hg_label *label, const hg_axis *axis, int first,
          int end, hg_statistics *statistics, hg_curve **curve)
{
    const hg_frame *frame = hg_catalog_frame(source->catalog);

    HG_TRY(hg_statistics_curve(statistics, label, end - first, HG_CURVE_COUNT, curve));
    for (int i = first; i < end; i++) {
        (*curve)->x[i - first] = hg_axis_centre(axis, i);
        (*curve)->x_low[i - first] = hg_axis_edge(axis, i);
        (*curve)->x_high[i - first] = hg_axis_edge(axis, i + 1);
    }
    HG_TRY(hg_attributes_real(&(*curve)->attributes, "box", frame->box));
    HG_TRY(hg_attributes_real(&(*curve)->attributes, "redshift", frame->redshift));
    return hg_attributes_text(&(*curve)->attributes, "source", source->path);
}

/* A share k/n and its binomial error; that of half an object more where it would be zero. */
static void
put_share(int64_t k, int64_t n, double *y, double *error)
{
    const double p = (double)k / (double)n, q = ((double)k + 0.5) / ((double)n + 1);

    *y = n > 0 ? p : (double)NAN;
    *error =
        n > 0 ? sqrt((k == 0 || k == n ? q * (1 - q) : p * (1 - p)) / (double)n) : (double)NAN;
}

static void
put_number(int64_t k, double per, double *y, double *error)
{
    *y = (double)k / per;
    *error = (k > 0 ? sqrt((double)k) : upper_limit) / per;
}

/* <N>(M) of one sample, of centrals or satellites. */
static hg_status
add_occupation(const hg_measure_plan *plan, const hg_measured_set *sources,
               const hg_measured *source, int s, int kind, const hg_content *c,
               hg_statistics *statistics)
{
    const hg_axis *axis = &plan->relation_axis;
    const char *host = plan->params->measure.host_mass;
    const int64_t *member = c->member + (int64_t)(s * KINDS + kind) * axis->n;
    hg_label label = {.log_x = true, .log_y = true};
    hg_curve *curve = NULL;
    int first, end;

    snprintf(label.statistic, sizeof label.statistic, "hod_%s", kind_name[kind]);
    snprintf(label.name, sizeof label.name, "hod_%s_%.90s", kind_name[kind],
             plan->sample[s].name);
    snprintf(label.catalogue, sizeof label.catalogue, "%s", source->name);
    snprintf(label.sample, sizeof label.sample, "%s", plan->sample[s].name);
    snprintf(label.x_name, sizeof label.x_name, "%s", host);
    snprintf(label.x_unit, sizeof label.x_unit, "%s", hg_measure_unit(sources, source, host));
    snprintf(label.y_name, sizeof label.y_name, "N_%s", kind_name[kind]);
    find_range(axis, c->host, &first, &end);
    HG_TRY(add_curve(source, &label, axis, first, end, statistics, &curve));
    for (int i = first; i < end; i++) {
        const int k = i - first;

        curve->count[k] = c->host[i];
        if (kind == CENTRAL) {
            put_share(member[i], c->host[i], &curve->y[k], &curve->error[k]);
        } else if (c->host[i] > 0) {
            put_number(member[i], (double)c->host[i], &curve->y[k], &curve->error[k]);
        } else {
            curve->y[k] = curve->error[k] = (double)NAN;
        }
    }
    return hg_attributes_text(&curve->attributes, "selection", plan->sample[s].text);
}

/* Mass function of the centrals or satellites of hosts in one bin, per host. */
static hg_status
add_conditional(const hg_measure_plan *plan, const hg_measured_set *sources,
                const hg_measured *source, int column, int wide, int kind, const hg_content *c,
                hg_statistics *statistics)
{
    const hg_params_measure *o = &plan->params->measure;
    const hg_axis *axis = &plan->mass_axis;
    const char *name = c->conditional[column];
    const double low = o->host_bins.v[wide], high = o->host_bins.v[wide + 1];
    const double per = (double)c->bin_host[wide] * axis->step;
    const int64_t *count =
        c->conditional_count +
        (int64_t)((column * ((int)o->host_bins.n - 1) + wide) * KINDS + kind) * axis->n;
    hg_label label = {.statistic = "conditional_mass_function", .log_x = true, .log_y = true};
    hg_curve *curve = NULL;
    char text[128];
    int first, end;

    find_range(axis, count, &first, &end);
    if (c->bin_host[wide] == 0 || first == end) {
        return HG_OK;
    }
    snprintf(label.name, sizeof label.name, "conditional_%.50s_%s_%.2f", name, kind_name[kind],
             log10(low));
    snprintf(label.catalogue, sizeof label.catalogue, "%s", source->name);
    snprintf(label.column, sizeof label.column, "%s", name);
    snprintf(label.x_name, sizeof label.x_name, "%s", name);
    snprintf(label.x_unit, sizeof label.x_unit, "%s", hg_measure_unit(sources, source, name));
    snprintf(label.y_name, sizeof label.y_name, "dN/dlog10 per host");
    snprintf(label.y_unit, sizeof label.y_unit, "dex^-1");
    HG_TRY(add_curve(source, &label, axis, first, end, statistics, &curve));
    for (int i = first; i < end; i++) {
        curve->count[i - first] = count[i];
        put_number(count[i], per, &curve->y[i - first], &curve->error[i - first]);
    }
    HG_TRY(hg_attributes_real(&curve->attributes, "host_low", low));
    HG_TRY(hg_attributes_real(&curve->attributes, "host_high", high));
    HG_TRY(hg_attributes_real(&curve->attributes, "hosts", (double)c->bin_host[wide]));
    HG_TRY(hg_attributes_real(&curve->attributes, "upper_limit", upper_limit / per));
    HG_TRY(hg_attributes_text(&curve->attributes, "host_mass", o->host_mass));
    snprintf(text, sizeof text, "%ss, log10 %.40s %.2f to %.2f", kind_name[kind], o->host_mass,
             log10(low), log10(high));
    return hg_attributes_text(&curve->attributes, "variant", text);
}

/* Share of quenched galaxies; kind = KINDS for all. */
static hg_status
add_quenched(const hg_measure_plan *plan, const hg_measured_set *sources,
             const hg_measured *source, int kind, const hg_content *c,
             hg_statistics *statistics)
{
    const hg_params_measure *o = &plan->params->measure;
    const hg_axis *axis = &plan->mass_axis;
    hg_label label = {.statistic = "quenched_fraction", .log_x = true};
    hg_curve *curve = NULL;
    char text[64];
    int first = axis->n, end = 0;

    for (int k = 0; k < KINDS; k++) {
        int low, high;

        find_range(axis, c->quenched + (int64_t)k * axis->n, &low, &high);
        if ((kind == KINDS || k == kind) && low < high) {
            first = low < first ? low : first;
            end = high > end ? high : end;
        }
    }
    first = first < end ? first : end;
    snprintf(label.name, sizeof label.name, "quenched_fraction_%.50s_%s", o->quenched_column,
             kind_name[kind]);
    snprintf(label.catalogue, sizeof label.catalogue, "%s", source->name);
    snprintf(label.column, sizeof label.column, "%s", o->quenched_column);
    snprintf(label.x_name, sizeof label.x_name, "%s", o->quenched_column);
    snprintf(label.x_unit, sizeof label.x_unit, "%s",
             hg_measure_unit(sources, source, o->quenched_column));
    snprintf(label.y_name, sizeof label.y_name, "quenched fraction");
    HG_TRY(add_curve(source, &label, axis, first, end, statistics, &curve));
    for (int i = first; i < end; i++) {
        int64_t sum[2] = {0};

        for (int k = 0; k < 2 * KINDS; k++) {
            sum[k / KINDS] +=
                kind == KINDS || k % KINDS == kind ? c->quenched[k * axis->n + i] : 0;
        }
        curve->count[i - first] = sum[0];
        put_share(sum[1], sum[0], &curve->y[i - first], &curve->error[i - first]);
    }
    snprintf(text, sizeof text, "%s%s", kind_name[kind], kind == KINDS ? "" : "s");
    HG_TRY(hg_attributes_text(&curve->attributes, "quenched", o->quenched));
    return hg_attributes_text(&curve->attributes, "variant", text);
}

hg_status
hg_content_curves(const hg_measure_plan *plan, const hg_measured_set *sources,
                  const hg_measured *source, uint64_t has_sample, const hg_content *c,
                  hg_statistics *statistics)
{
    const hg_params_measure *o = &plan->params->measure;

    for (int k = 0; k < plan->n_sample * KINDS && c->has_host && o->hod; k++) {
        if (has_sample >> (k / KINDS) & 1) {
            HG_TRY(add_occupation(plan, sources, source, k / KINDS, k % KINDS, c, statistics));
        }
    }
    for (int column = 0; column < c->n_conditional; column++) {
        for (int k = 0; k < (o->host_bins.n - 1) * KINDS; k++) {
            HG_TRY(add_conditional(plan, sources, source, column, k / KINDS, k % KINDS, c,
                                   statistics));
        }
    }
    for (int kind = 0; kind <= KINDS && c->has_quenched; kind++) {
        HG_TRY(add_quenched(plan, sources, source, kind, c, statistics));
    }
    return HG_OK;
}
